//! What is answered when, and what readers see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use highwater_core::data::{Reply, Request};
use highwater_node::{FetchWaiter, Refusal};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::Offset;

use crate::bench::{Bench, Sent, answer, appended, code};

#[test]
fn acks_all_is_answered_and_shown_only_behind_the_flush() {
    let mut bench = Bench::new(1);
    let topic = bench.topic("t", &[]);
    let (mut all, mut one) = (bench.send(topic, &Sent::new("a")), bench.send(topic, &Sent::new("b").acks_one()));
    bench.finish_turn();
    assert!(answer(&mut all).is_none(), "nothing is durable");
    assert_eq!(appended(&mut one), 1, "acks=1 is answered by the append");
    assert_eq!(bench.view(topic).high_watermark, Offset(0), "not even what acks=1 was answered for is shown");
    assert!(bench.read(topic).is_empty());
    assert!(bench.outbox.wants_flush);
    assert!(bench.flush());
    assert_eq!(appended(&mut all), 0);
    assert_eq!(bench.values(topic), ["a", "b"]);
    assert!(!bench.flush(), "a commit alone needs no flush");
}

/// The bytes are durable once the flush has returned: a power cut at that moment loses nothing, one before it may.
#[test]
fn what_is_answered_survives_a_power_cut_at_the_very_moment() {
    for seed in 0..20 {
        let mut bench = Bench::new(seed);
        let topic = bench.topic("t", &[]);
        let mut reply = bench.send(topic, &Sent::new("kept"));
        bench.flush();
        assert_eq!(appended(&mut reply), 0);
        assert_eq!(bench.after_power_cut(seed).values(topic), ["kept"], "seed {seed}");
    }
}

#[test]
fn one_flush_serves_all_partitions_with_one_write_and_one_sync() {
    let mut bench = Bench::new(8);
    let topics: Vec<_> = (0..5).map(|number| bench.topic(&format!("t{number}"), &[])).collect();
    let mut replies: Vec<_> = topics.iter().map(|topic| bench.send(*topic, &Sent::new("small"))).collect();
    let operations = bench.disk.operations();
    let report = bench.node.flush(&mut bench.outbox).expect("flushes").expect("something waited");
    assert_eq!((report.logs, report.segments_synced), (5, 0));
    assert_eq!(bench.disk.operations(), operations + 2, "the journal's write and its sync");
    bench.finish_turn();
    assert!(replies.iter_mut().all(|reply| appended(reply) == 0));
    let mut replies = [
        bench.send(topics[0], &Sent::new("small")),
        bench.send(topics[1], &Sent::big("x", highwater_node::limits::SEGMENT_SYNC_BYTES)),
    ];
    let report = bench.node.flush(&mut bench.outbox).expect("flushes").expect("something waited");
    assert_eq!((report.logs, report.segments_synced), (2, 1), "much of one log is synced where it lies");
    bench.finish_turn();
    assert!(replies.iter_mut().all(|reply| appended(reply) == 1));
    let bench = bench.after_power_cut(8);
    assert!(topics[..2].iter().all(|topic| bench.values(*topic).len() == 2));
}

#[test]
fn replies_fire_in_the_order_of_their_entries() {
    let mut bench = Bench::new(2);
    let topic = bench.topic("t", &[]);
    let mut replies: Vec<_> = (0..6).map(|number| bench.send(topic, &Sent::new(format!("{number}")))).collect();
    bench.try_flush().expect("flushes");
    let fires = std::mem::take(&mut bench.outbox.fires);
    assert_eq!(fires.len(), 6, "one flush answers all");
    for (number, fire) in fires.into_iter().enumerate() {
        fire();
        assert_eq!(appended(&mut replies[number]), i64::try_from(number).expect("few"));
        if let Some(next) = replies.get_mut(number + 1) {
            assert!(answer(next).is_none(), "the next one waits for its own turn");
        }
    }
}

#[test]
fn a_duplicate_waits_for_its_original_and_a_refusal_for_what_it_was_read_from() {
    let mut bench = Bench::new(3);
    let topic = bench.topic("t", &[]);
    let first = Sent::new("a").numbered(7, 0, 0);
    let mut replies = [bench.send(topic, &first), bench.send(topic, &first)];
    let mut gap = bench.send(topic, &Sent::new("c").numbered(7, 0, 2).acks_one());
    let mut listed = bench.submit(topic, Request::DescribeProducers);
    bench.finish_turn();
    assert!(replies.iter_mut().all(|reply| answer(reply).is_none()));
    assert!(answer(&mut gap).is_none(), "final to a client: it may not come from an entry that is not committed");
    assert!(answer(&mut listed).is_none());
    bench.flush();
    assert_eq!(replies.iter_mut().map(appended).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(code(&mut gap), ErrorCode::OutOfOrderSequenceNumber);
    let Some(Ok(Reply::Producers(producers))) = answer(&mut listed) else { panic!("no answer") };
    assert_eq!(producers.len(), 1);
    assert_eq!(bench.values(topic), ["a"]);
}

#[test]
fn a_fetch_is_woken_by_commit_and_by_the_end_of_serving() {
    let mut bench = Bench::new(4);
    let topic = bench.topic("t", &[]);
    let waiter = FetchWaiter::new(1);
    let arrived = waiter.arrived();
    bench.replica(topic).waiters().register(&waiter);
    let mut reply = bench.send(topic, &Sent::new("a"));
    bench.finish_turn();
    assert!(waiter.arrived().now_or_never().is_none(), "appended is not readable");
    bench.try_flush().expect("flushes");
    assert!(bench.outbox.woken.iter().any(|woken| Arc::ptr_eq(woken, &waiter)));
    assert!(arrived.now_or_never().is_some());
    bench.finish_turn();
    assert_eq!(appended(&mut reply), 0);

    let waiter = FetchWaiter::new(1);
    let replica = bench.replica(topic);
    replica.waiters().register(&waiter);
    bench.delete(topic);
    assert!(waiter.arrived().now_or_never().is_some(), "a fetch of a topic that goes looks again");
    assert!(replica.serving().is_none());
}

#[test]
fn whoever_waits_for_a_topic_to_serve_is_woken_by_its_first_flush() {
    let mut bench = Bench::new(5);
    let topic = bench.topic("t", &[]);
    assert!(bench.node.when_serving(topic, 1).now_or_never().is_some());
    assert!(bench.node.when_serving(topic, 2).now_or_never().is_none(), "it has no second partition");
}

#[test]
fn the_controllers_image_is_carried_out_when_it_is_committed() {
    let mut bench = Bench::new(6);
    bench.topic("kept", &[("retention.ms", "77")]);
    let gone = bench.topic("gone", &[]);
    let folder = format!("/data/logs/{gone}-0");
    let is_there = |bench: &Bench| {
        use highwater_storage::disk::Disk;
        bench.disk.list(std::path::Path::new(&folder)).is_ok()
    };
    assert!(is_there(&bench));
    let mut late = bench.send(gone, &Sent::new("never answered well"));
    bench.delete(gone);
    assert!(matches!(answer(&mut late), Some(Ok(_) | Err(Refusal::Closing))));
    assert!(bench.node.data(gone, 0).is_none());
    assert!(!is_there(&bench), "its files are gone");
    let bench = bench.after_kill();
    assert_eq!(bench.node.partitions().len(), 1);
    let image = bench.node.image();
    assert!(image.topic("gone").is_none());
    let kept = image.topic("kept").expect("it is there");
    assert_eq!(bench.replica(kept.id).config().retention_ms, 77);
}

/// Entries of a topic that was deleted while they waited for the flusher came into the journal behind its end, and were never
/// synced: the journal's files could not be used again.
#[test]
fn nothing_of_a_deleted_topic_comes_into_the_journal_behind_its_end() {
    let mut bench = Bench::new(7);
    let topic = bench.topic("t", &[]);
    let log = bench.replica(topic).log_id();
    let kept = bench.topic("kept", &[]);
    let mut waiting = bench.send(topic, &Sent::new("waits"));
    let request =
        highwater_protocol::message::DeleteTopicsRequest { topic_names: vec!["t".to_owned()], ..Default::default() };
    let clock = bench.clock;
    let node = Arc::clone(&bench.node);
    drop(node.controller().submit(
        highwater_core::controller::Request::DeleteTopics(request),
        clock,
        &mut bench.outbox,
    ));
    // The flusher takes what waits of both logs; what the deleted one appends until the image is carried out still waits.
    bench.try_flush().expect("flushes");
    let mut later = bench.send(topic, &Sent::new("waits too"));
    bench.settle();
    assert_eq!(appended(&mut waiting), 0);
    assert_eq!(answer(&mut later), Some(Err(Refusal::Closing)));
    assert_eq!(bench.node.unflushed_bytes(), 0);
    assert!(bench.node.store().journalled(log).is_none(), "the journal knows nothing of it");
    bench.produce(kept, &Sent::new("goes on"));
    assert_eq!(bench.after_kill().values(kept), ["goes on"]);
}

/// Whoever held a replica's lock only to look (upkeep, a scrape of the metrics) gave it back without a look at what the flusher
/// had left meanwhile. Where every request of a client waited for that flush nobody came to the replica any more, and they were
/// answered by their timeout.
#[test]
fn a_look_at_a_replica_swallows_no_flush() {
    const LOOKS: usize = 300;
    let mut bench = Bench::new(11);
    let topic = bench.topic("t", &[]);
    let (replica, is_over) = (bench.replica(topic), AtomicBool::new(false));
    let answered = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                replica.state();
            }
        });
        let mut is_answered = |_: &usize| {
            let mut reply = bench.send(topic, &Sent::new("a"));
            bench.flush();
            // The ticker comes by, again and again.
            (0..100_000).any(|_| {
                bench.node.tick(bench.clock, &mut bench.outbox);
                bench.finish_turn();
                std::thread::yield_now();
                answer(&mut reply).is_some()
            })
        };
        let answered = (0..LOOKS).take_while(&mut is_answered).count();
        is_over.store(true, Ordering::Relaxed);
        answered
    });
    assert_eq!(answered, LOOKS, "every flush is told of");
}
