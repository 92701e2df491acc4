//! A node that dies, and what is there afterwards.

use std::collections::BTreeMap;

use highwater_core::controller;
use highwater_core::data::{Reply, Request};
use highwater_node::Reply as Pending;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::Offset;
use uuid::Uuid;

use crate::bench::{Bench, Sent, answer, code};

#[test]
fn everything_acknowledged_survives_every_power_cut() {
    for seed in 0..60 {
        acknowledged_survives(seed);
    }
}

/// What a topic has to hold.
#[derive(Default)]
struct Expected {
    acknowledged: BTreeMap<i64, String>,
    log_start: i64,
    next_sequence: i32,
    /// Its producer's last acknowledged batch: sequence and offset.
    last: Option<(i32, i64)>,
    epoch: i32,
}

fn acknowledged_survives(seed: u64) {
    let mut chance = Chance(seed);
    let mut bench = Bench::new(seed);
    let topics: Vec<Uuid> = (0..3)
        .map(|number| bench.topic(&format!("t{number}"), &[("segment.ms", "40"), ("retention.ms", "100000")]))
        .collect();
    let mut expected: Vec<Expected> = topics.iter().map(|_| Expected::default()).collect();
    let mut producer_ids = -1;
    for life in 0..4 {
        let mut waiting: Vec<(usize, i32, String, Pending<Reply>)> = Vec::new();
        for step in 0..40 {
            let which = chance.below(topics.len());
            match chance.below(10) {
                0..6 => {
                    let value = format!("{seed}.{life}.{step}.{}", "x".repeat(chance.below(3000)));
                    let sequence = expected[which].next_sequence;
                    expected[which].next_sequence += 1;
                    let sent = Sent::new(value.clone()).numbered(i64::try_from(which).expect("few"), 0, sequence);
                    waiting.push((which, sequence, value, bench.send(topics[which], &sent)));
                }
                6..8 => drop(bench.flush()),
                8 => bench.pass(10),
                _ if chance.below(2) == 0 => bench.upkeep(),
                _ => {
                    let before = bench.view(topics[which]).high_watermark.0 / 2;
                    let moved = bench.delete_records(topics[which], before);
                    expected[which].log_start = expected[which].log_start.max(moved);
                    bench.node.trim().expect("trims");
                }
            }
            bench.finish_turn();
            waiting.retain_mut(|(which, sequence, value, reply)| match answer(reply) {
                None => true,
                Some(Ok(Reply::Appended { base_offset, .. })) => {
                    expected[*which].acknowledged.insert(base_offset.0, value.clone());
                    expected[*which].last = Some((*sequence, base_offset.0));
                    false
                }
                Some(other) => panic!("seed {seed}: a produce was answered {other:?}"),
            });
        }
        if let controller::Reply::ProducerIds(first) = bench.control(controller::Request::AllocateProducerIds) {
            assert!(first > producer_ids, "seed {seed}: a block of producer ids is never given twice");
            producer_ids = first;
        }
        // `control` settled everything; a few more that nobody hears of.
        let which = chance.below(topics.len());
        drop(bench.send(topics[which], &Sent::new("unheard").numbered(1000, 0, 0)));
        for (which, sequence, value, mut reply) in waiting {
            if let Some(Ok(Reply::Appended { base_offset, .. })) = answer(&mut reply) {
                expected[which].acknowledged.insert(base_offset.0, value);
                expected[which].last = Some((sequence, base_offset.0));
            }
        }
        bench = bench.after_power_cut(seed * 100 + life);
        for (topic, expected) in topics.iter().zip(&mut expected) {
            check(seed, &mut bench, *topic, expected);
        }
    }
}

fn check(seed: u64, bench: &mut Bench, topic: Uuid, expected: &mut Expected) {
    let view = bench.view(topic);
    assert_eq!(view.log_start, Offset(expected.log_start), "seed {seed}: the log start");
    let read: BTreeMap<i64, String> = bench.read(topic).into_iter().map(|(offset, _, value)| (offset, value)).collect();
    for (offset, value) in expected.acknowledged.range(expected.log_start..) {
        assert_eq!(read.get(offset), Some(value), "seed {seed}: offset {offset} was acknowledged");
    }
    let epoch = bench.epoch(topic);
    assert!(epoch > expected.epoch, "seed {seed}: every start raises the term");
    expected.epoch = epoch;
    let Some((sequence, offset)) = expected.last else { return };
    let id = bench.read_producer(topic);
    let known = bench.producers(topic);
    let known = known.iter().find(|one| one.id == id).expect("its window is there");
    assert!(known.last_sequence >= sequence);
    // A retry of the last batch, if it is the last, is answered with its offset; and what follows what is there follows.
    if known.last_sequence == sequence {
        assert_eq!(bench.produce(topic, &Sent::new("again").numbered(id, 0, sequence)), offset, "seed {seed}");
    }
    expected.next_sequence = known.last_sequence + 1;
}

impl Bench {
    /// The producer of a topic of this file is numbered like the topic.
    fn read_producer(&self, topic: Uuid) -> i64 {
        let key = self.replica(topic).key().topic.clone();
        key.trim_start_matches('t').parse().expect("a number")
    }

    fn producers(&mut self, topic: Uuid) -> Vec<highwater_core::data::Producer> {
        let mut reply = self.submit(topic, Request::DescribeProducers);
        self.settle();
        let Some(Ok(Reply::Producers(producers))) = answer(&mut reply) else { panic!("no producers") };
        producers
    }
}

#[test]
fn a_kill_loses_nothing_that_was_appended() {
    let mut bench = Bench::new(1);
    let topic = bench.topic("t", &[]);
    bench.produce(topic, &Sent::new("flushed"));
    drop(bench.send(topic, &Sent::new("only appended").acks_one()));
    let bench = bench.after_kill();
    assert_eq!(bench.values(topic), ["flushed", "only appended"]);
}

#[test]
fn every_start_raises_the_term_and_the_leader_epoch_with_it() {
    let mut bench = Bench::new(2);
    let topic = bench.topic("t", &[]);
    let mut epochs = vec![bench.epoch(topic)];
    for life in 0..4 {
        bench.produce(topic, &Sent::new("x"));
        bench = if life % 2 == 0 { bench.after_kill() } else { bench.after_power_cut(life) };
        epochs.push(bench.epoch(topic));
    }
    assert!(epochs.windows(2).all(|pair| pair[0] < pair[1]), "{epochs:?}");
    let read: Vec<i32> = bench.read(topic).into_iter().map(|(_, epoch, _)| epoch).collect();
    assert_eq!(read, epochs[..4], "a batch carries the term it was taken in");
}

/// Commit rides in the record of later entries and wakes no flush of its own; a clean stop writes the last of it.
#[test]
fn term_vote_and_commit_are_in_the_journal() {
    let mut bench = Bench::new(6);
    let topic = bench.topic("t", &[]);
    let known = |bench: &Bench| {
        let log = bench.replica(topic).log_id();
        bench.node.store().journalled(log).expect("the journal knows it").hard_state
    };
    let first = known(&bench);
    assert_eq!(i32::try_from(first.term), Ok(bench.epoch(topic)));
    assert_ne!(first.vote, 0, "the vote for itself");
    bench.produce(topic, &Sent::new("a"));
    bench.produce(topic, &Sent::new("b"));
    let second = known(&bench);
    assert_eq!((second.term, second.vote), (first.term, first.vote));
    assert_eq!(second.commit, 2, "the record of b, which is entry 3, carries the commit of a");
    bench.node.stop(&mut bench.outbox).expect("stops");
    assert_eq!(known(&bench).commit, 3);
    let bench = bench.after_power_cut(6);
    assert_eq!(known(&bench).term, first.term + 1);
    assert_eq!(known(&bench).vote, first.vote);
    assert_eq!(bench.node.partitions().len(), 1);
}

/// The machine was never told that it leads, for a term is served only behind a flush, where no clock is at hand: so nobody's
/// silence was counted, and producers never expired. Nobody asks the partition anything here: time alone tells it.
#[test]
fn producers_of_an_idle_partition_expire() {
    let mut bench = Bench::new(3);
    let topic = bench.topic("t", &[]);
    bench.produce(topic, &Sent::new("a").numbered(5, 0, 9));
    let mut bench = bench.after_power_cut(3);
    for _ in 0..150 {
        bench.pass(600_000);
        bench.settle();
    }
    assert!(bench.producers(topic).is_empty());
}

#[test]
fn silent_producers_expire_by_a_command_that_survives() {
    let mut bench = Bench::new(3);
    let topic = bench.topic("t", &[]);
    bench.produce(topic, &Sent::new("a").numbered(5, 0, 9));
    bench.produce(topic, &Sent::new("b").numbered(6, 0, 0));
    let mut bench = bench.after_power_cut(3);
    assert_eq!(bench.producers(topic).len(), 2);
    for minutes in 0..150 {
        bench.pass(600_000);
        bench.settle();
        if minutes == 100 {
            bench.produce(topic, &Sent::new("c").numbered(6, 0, 1));
        }
    }
    assert_eq!(bench.producers(topic).iter().map(|one| one.id).collect::<Vec<_>>(), [6]);
    let mut bench = bench.after_power_cut(4);
    assert_eq!(bench.producers(topic).iter().map(|one| one.id).collect::<Vec<_>>(), [6]);
    let mut gap = bench.send(topic, &Sent::new("gap").numbered(6, 0, 3));
    bench.settle();
    assert_eq!(code(&mut gap), ErrorCode::OutOfOrderSequenceNumber);
}

/// The original lay in a segment that retention had taken. The log does not know its term any more, so its retry was answered
/// NOT_LEADER_OR_FOLLOWER, for ever.
#[test]
fn a_retry_is_answered_though_its_original_is_trimmed() {
    let mut bench = Bench::new(4);
    let topic = bench.topic("t", &[("segment.ms", "10")]);
    let sent = Sent::new("original").numbered(7, 0, 0);
    assert_eq!(bench.produce(topic, &sent), 0);
    for number in 0..5 {
        bench.pass(20);
        bench.produce(topic, &Sent::new(format!("{number}")));
        bench.upkeep();
    }
    assert_eq!(bench.delete_records(topic, 4), 4);
    bench.upkeep();
    bench.node.trim().expect("trims");
    assert!(!bench.files(topic).contains_key("00000000000000000000.log"), "the original's file is gone");
    assert_eq!(bench.produce(topic, &sent), 0);
    let mut bench = bench.after_power_cut(4);
    assert_eq!(bench.produce(topic, &sent), 0);
    assert_eq!(bench.view(topic).high_watermark, Offset(6), "it was not appended again");
}

#[test]
fn a_clean_stop_answers_everything_first_and_takes_nothing_more() {
    let mut bench = Bench::new(5);
    let topic = bench.topic("t", &[]);
    let mut waiting = bench.send(topic, &Sent::new("a"));
    bench.node.stop(&mut bench.outbox).expect("stops");
    bench.finish_turn();
    assert_eq!(crate::bench::appended(&mut waiting), 0);
    let mut late = bench.send(topic, &Sent::new("b"));
    bench.finish_turn();
    assert_eq!(answer(&mut late), Some(Err(highwater_node::Refusal::Closing)));
    assert_eq!(bench.after_power_cut(5).values(topic), ["a"]);
}

/// A splitmix64 generator.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("small")
    }
}
