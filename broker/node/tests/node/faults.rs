//! Disks that fail, partitions that break: who notices, and who does not.

use bytes::BytesMut;
use highwater_core::data::{Acks, Request};
use highwater_node::{NodeError, Refusal};
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};
use highwater_protocol::records::batch::validate;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_storage::entry::{FrameKind, own_frame};
use uuid::Uuid;

use crate::bench::{Bench, Sent, answer, appended};

fn two_topics(seed: u64) -> (Bench, Uuid, Uuid) {
    let mut bench = Bench::new(seed);
    let (bad, good) = (bench.topic("bad", &[]), bench.topic("good", &[]));
    bench.produce(bad, &Sent::new("before"));
    bench.produce(good, &Sent::new("before"));
    (bench, bad, good)
}

fn offline(bench: &Bench, topic: Uuid) -> String {
    assert!(bench.replica(topic).serving().is_none(), "what is offline shows nothing");
    bench.replica(topic).state().offline.expect("it says why it is offline")
}

fn is_offline(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Offline { .. })
}

#[test]
fn a_failed_segment_write_takes_that_partition_offline_and_no_other() {
    let (mut bench, bad, good) = two_topics(1);
    let mut waiting = bench.send(bad, &Sent::new("appended, not flushed"));
    let used = bench.used_bytes();
    bench.disk.set_capacity(used + 100);
    let mut failing = bench.send(bad, &Sent::big("x", 1000));
    bench.disk.set_capacity(1 << 40);
    bench.settle();
    assert!(answer(&mut failing).expect("an answer").is_err_and(|refusal| is_offline(&refusal)));
    assert!(answer(&mut waiting).expect("an answer").is_err_and(|refusal| is_offline(&refusal)), "nobody hears a lie");
    assert!(offline(&bench, bad).contains(&format!("{bad}-0")), "the reason names the file");
    assert!(is_offline(&bench.refused(bad, &Sent::new("later"))), "a failed write is not tried again");
    assert_eq!(bench.produce(good, &Sent::new("after")), 1);
    bench.upkeep();
    let mut bench = bench.after_kill();
    assert_eq!(bench.values(good), ["before", "after"]);
    assert_eq!(bench.values(bad), ["before", "appended, not flushed"], "the torn write is cut");
    assert_eq!(bench.produce(bad, &Sent::new("again")), 2);
}

#[test]
fn a_failed_segment_sync_takes_that_partition_offline_and_no_other() {
    for seed in 0..8 {
        let (mut bench, bad, good) = two_topics(seed);
        let mut failing = bench.send(bad, &Sent::big("x", 300_000));
        let mut serving = bench.send(good, &Sent::new("beside it"));
        bench.disk.fail_sync_of(&format!("{bad}-0"));
        bench.settle();
        assert!(answer(&mut failing).expect("an answer").is_err_and(|refusal| is_offline(&refusal)));
        assert_eq!(appended(&mut serving), 1, "the same flush serves the others");
        assert!(offline(&bench, bad).contains("fsync"));
        // Background work may not take the failed sync for done.
        for _ in 0..3 {
            bench.upkeep();
        }
        let bench = bench.after_power_cut(seed);
        assert_eq!(bench.values(good), ["before", "beside it"]);
        assert_eq!(bench.values(bad).first().map(String::as_str), Some("before"), "what was acknowledged is there");
    }
}

#[test]
fn a_failed_journal_flush_is_final() {
    for seed in 0..8 {
        let (mut bench, one, other) = two_topics(seed);
        let mut lost = bench.send(one, &Sent::new("lost"));
        bench.disk.fail_sync_of("journal");
        let error = bench.try_flush().expect_err("the flush fails");
        assert!(error.to_string().contains("journal"), "{error}");
        bench.finish_turn();
        assert!(answer(&mut lost).is_none(), "not acknowledged");
        // The disk would say that all is well from now on; nothing is believed.
        assert!(bench.try_flush().is_err());
        for acks_one in [true, false] {
            let sent = Sent::new("later");
            let sent = if acks_one { sent.acks_one() } else { sent };
            let mut later = bench.send(other, &sent);
            bench.finish_turn();
            assert!(answer(&mut later).expect("an answer").is_err_and(|refusal| is_offline(&refusal)));
        }
        assert!(bench.node.stop(&mut bench.outbox).is_err(), "no clean stop either");
        bench.finish_turn();
        assert!(answer(&mut lost).is_none_or(|answer| answer.is_err()), "nor acknowledged later");
        let bench = bench.after_power_cut(seed);
        assert_eq!(bench.values(other), ["before"]);
        assert_eq!(bench.values(one).first().map(String::as_str), Some("before"));
    }
}

#[test]
fn a_journal_that_fails_in_the_background_is_final_too() {
    let (mut bench, one, _) = two_topics(3);
    bench.disk.fail_sync_of("journal");
    // A round without a record in between proves the last one by another.
    let failed = (0..3).any(|_| bench.node.upkeep(&mut bench.outbox).is_err());
    assert!(failed, "upkeep wrote into the journal");
    let mut later = bench.send(one, &Sent::new("later"));
    bench.finish_turn();
    assert!(answer(&mut later).expect("an answer").is_err_and(|refusal| is_offline(&refusal)));
    assert!(bench.try_flush().is_err());
}

/// A batch whose bytes are a command of ours that no machine knows: folding it panics, as a mistake of ours would.
fn poison(index: u64) -> Request {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.push(&Record::new(None, Some("x"), 0));
    let header = validate(&builder.build().expect("builds")).expect("valid");
    let id = EntryId { index: Index(index), term: LeaderEpoch(1) };
    let frame = own_frame(FrameKind::Command, id, Offset(0), &[0xff; 9]);
    Request::Produce { batch: BytesMut::from(&frame[..]), header, acks: Acks::All, bad_times: Vec::new() }
}

#[test]
fn a_panic_inside_a_step_poisons_one_replica() {
    let (mut bench, bad, good) = two_topics(4);
    let mut waiting = bench.send(bad, &Sent::new("waits"));
    let mut fatal = bench.submit(bad, poison(4));
    bench.settle();
    assert!(answer(&mut fatal).expect("an answer").is_err_and(|refusal| is_offline(&refusal)));
    assert!(answer(&mut waiting).expect("an answer").is_err_and(|refusal| is_offline(&refusal)));
    assert!(offline(&bench, bad).contains("decodes"), "the reason is the panic's");
    assert!(is_offline(&bench.refused(bad, &Sent::new("later"))));
    assert_eq!(bench.produce(good, &Sent::new("after")), 1);
    bench.pass(10_000_000);
    bench.upkeep();
    bench.retain();
    bench.topic("new", &[]);
}

/// The entry that broke it lies in the segment: opening the log panics again. It kept the whole node from starting.
#[test]
fn a_partition_whose_log_cannot_be_folded_keeps_the_node_from_nothing() {
    let (mut bench, bad, good) = two_topics(5);
    drop(bench.submit(bad, poison(3)));
    bench.settle();
    let folder = format!("/data/logs/{bad}-0/00000000000000000000.log");
    // The frame was stamped behind its CRC; with a good one recovery takes it for what it is.
    repair_own_crc(&bench, &folder);
    let mut bench = bench.after_kill();
    assert!(offline(&bench, bad).contains("decodes"));
    assert!(is_offline(&bench.refused(bad, &Sent::new("later"))));
    assert_eq!(bench.values(good), ["before"]);
    assert_eq!(bench.produce(good, &Sent::new("after")), 1);
    bench.retain();
    bench.delete(bad);
    assert!(bench.node.data(bad, 0).is_none(), "it can be deleted");
    assert_eq!(bench.after_kill().values(good), ["before", "after"]);
}

fn repair_own_crc(bench: &Bench, path: &str) {
    use highwater_storage::disk::{Disk, OpenMode};
    let file = bench.disk.open(std::path::Path::new(path), OpenMode::ReadWrite).expect("opens");
    let length = usize::try_from(file.length().expect("measures")).expect("small");
    let mut bytes = vec![0; length];
    file.read_at(&mut bytes, 0).expect("reads");
    let start = bytes.len() - 40;
    let id = EntryId {
        index: Index(u64::from_be_bytes(bytes[start + 23..start + 31].try_into().expect("eight"))),
        term: LeaderEpoch(i32::from_be_bytes(bytes[start + 12..start + 16].try_into().expect("four"))),
    };
    let offset = Offset(i64::from_be_bytes(bytes[start..start + 8].try_into().expect("eight")));
    let good = own_frame(FrameKind::Command, id, offset, &bytes[start + 31..]);
    assert_eq!(good.len(), 40);
    file.write_at(&[&good], start as u64).expect("writes");
}

#[test]
fn damage_below_what_was_durable_is_told_and_the_others_serve() {
    let (mut bench, bad, good) = two_topics(6);
    bench.produce(bad, &Sent::big("y", 300_000));
    let path = format!("/data/logs/{bad}-0/00000000000000000000.log");
    let short = {
        use highwater_storage::disk::{Disk, OpenMode};
        let disk = bench.disk.after_kill();
        let file = disk.open(std::path::Path::new(&path), OpenMode::ReadWrite).expect("opens");
        file.set_len(200).expect("cuts");
        disk
    };
    let mut bench = bench.reopened(short);
    assert!(offline(&bench, bad).contains("damaged"));
    assert!(is_offline(&bench.refused(bad, &Sent::new("later"))));
    assert_eq!(bench.produce(good, &Sent::new("after")), 1);
}

/// A bit rots in a sealed segment that nobody reads: the scrub finds it, and that partition alone goes offline.
#[test]
fn a_bit_that_rots_unread_is_found() {
    let (mut bench, bad, good) = two_topics(11);
    bench.alter("bad", "segment.bytes", "1048576");
    for _ in 0..5 {
        bench.produce(bad, &Sent::big("y", 300_000));
    }
    bench.upkeep();
    assert!(bench.scrub() > 1_000_000, "a sealed segment is verified");
    let path = format!("/data/logs/{bad}-0/00000000000000000000.log");
    bench.disk.flip_bit(std::path::Path::new(&path), 500_000);
    for _ in 0..5 {
        bench.scrub();
    }
    assert!(offline(&bench, bad).contains("damaged at byte"), "{}", offline(&bench, bad));
    assert!(is_offline(&bench.refused(bad, &Sent::new("later"))));
    assert_eq!(bench.produce(good, &Sent::new("after")), 1);
}

/// A read that meets a bad CRC answered an error, and the partition served on.
#[test]
fn a_bad_crc_met_by_a_reader_takes_the_partition_offline() {
    let (bench, bad, good) = two_topics(12);
    let path = format!("/data/logs/{bad}-0/00000000000000000000.log");
    // What a start has not checked is checked when it is read: the second start trusts the first one's checkpoint.
    let mut bench = bench.after_kill().after_kill();
    let in_the_records = 31 + 61 + 5;
    bench.disk.flip_bit(std::path::Path::new(&path), in_the_records);
    let replica = bench.node.data(bad, 0).expect("hosted");
    let slice = replica.reader().read(Offset(0), Offset(1), 1 << 20, true).expect("a range").expect("a batch");
    let Err(error) = slice.read_verified() else { panic!("the bit was not noticed") };
    replica.read_failed(&error, &mut bench.outbox);
    assert!(offline(&bench, bad).contains("damaged at byte"));
    assert_eq!(bench.produce(good, &Sent::new("after")), 1);
}

/// The folder of a partition was gone: the next start made an empty log in its place, and its records were forgotten without a
/// word.
#[test]
fn a_partition_whose_folder_is_gone_is_offline_until_it_is_back() {
    use highwater_storage::disk::Disk;
    let (bench, bad, good) = two_topics(10);
    let (folder, aside) = (format!("/data/logs/{bad}-0"), "/data/aside");
    let disk = bench.disk.after_kill();
    disk.rename(folder.as_ref(), aside.as_ref()).expect("moves it away");
    let mut bench = bench.reopened(disk);
    for _ in 0..3 {
        assert!(offline(&bench, bad).contains("put it back, or delete the topic"));
        assert!(is_offline(&bench.refused(bad, &Sent::new("later"))));
        bench.produce(good, &Sent::new("after"));
        bench = bench.after_kill();
    }
    let disk = bench.disk.after_kill();
    disk.rename(aside.as_ref(), folder.as_ref()).expect("puts it back");
    let mut back = bench.reopened(disk);
    assert_eq!(back.values(bad), ["before"]);
    assert_eq!(back.produce(bad, &Sent::new("after")), 1);

    let disk = back.disk.after_kill();
    disk.rename(folder.as_ref(), aside.as_ref()).expect("moves it away");
    let mut bench = back.reopened(disk);
    bench.delete(bad);
    let mut bench = bench.after_kill();
    let new = bench.topic("new", &[]);
    let mut bench = bench.after_kill();
    assert_eq!(bench.produce(new, &Sent::new("a log of its own")), 0);
}

#[test]
fn without_the_controllers_log_the_node_does_not_guess() {
    let (bench, _, _) = two_topics(7);
    let disk = bench.disk.after_kill();
    {
        use highwater_storage::disk::Disk;
        let folder = std::path::Path::new("/data/logs/__cluster_metadata-0");
        for entry in disk.list(folder).expect("lists") {
            disk.remove_file(&folder.join(entry.name)).expect("removes");
        }
        disk.remove_dir(folder).expect("removes");
    }
    let error = bench.try_reopened(disk).err().expect("it does not open");
    assert!(matches!(error, NodeError::Controller { .. }), "{error}");
}

#[test]
fn a_topic_that_the_disk_cannot_hold_is_offline_and_nothing_else_is() {
    let (mut bench, _, good) = two_topics(8);
    let id = bench.node.draw_id();
    let request = highwater_protocol::message::CreateTopicsRequest {
        topics: vec![highwater_protocol::message::create_topics_request::CreatableTopic {
            name: "new".to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        }],
        ..Default::default()
    };
    let fixed = std::sync::Arc::clone(bench.node.static_config());
    let request = highwater_core::controller::Request::CreateTopics { request, ids: vec![id], fixed };
    drop(bench.node.controller().submit(request, bench.clock, &mut bench.outbox));
    bench.try_flush().expect("flushes");
    let used = bench.used_bytes();
    bench.disk.set_capacity(used);
    bench.finish_turn();
    bench.disk.set_capacity(1 << 40);
    assert!(bench.node.data(id, 0).is_none());
    assert_eq!(bench.produce(good, &Sent::new("after")), 1);
    bench.topic("another", &[]);
    let mut bench = bench.after_kill();
    assert_eq!(bench.produce(id, &Sent::new("the restart made it")), 0);
}

#[test]
fn below_the_floor_of_free_space_nothing_is_taken_and_everything_is_read() {
    let mut bench = Bench::open(Default::default(), 9, crate::bench::start_clock(), 1 << 20).expect("opens");
    let topic = bench.topic("t", &[]);
    bench.produce(topic, &Sent::new("before"));
    assert!(bench.node.check_space().is_ok());
    let used = bench.used_bytes();
    bench.disk.set_capacity(used + (1 << 20) - 1);
    bench.upkeep();
    let Err(Refusal::DiskFull { free, floor }) = bench.node.check_space() else { panic!("there is no room") };
    assert_eq!((free, floor), ((1 << 20) - 1, 1 << 20));
    assert_eq!(bench.values(topic), ["before"]);
    assert_eq!(bench.delete_records(topic, 1), 1, "to free space is taken");
    bench.disk.set_capacity(1 << 40);
    bench.upkeep();
    assert!(bench.node.check_space().is_ok());
    assert_eq!(bench.produce(topic, &Sent::new("after")), 1);
}
