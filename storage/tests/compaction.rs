//! Compaction against a model: of each key the newest record stays, at its offset, whatever a crash interrupts.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{Index, Offset, Timestamp};
use highwater_protocol::records::batch::{Batch, stamp};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::{Record, records};
use highwater_storage::compaction::Bounds;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::entry::{FrameKind, LogEntry};
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::Store;

use common::{Chance, append_own, flush_by_sync, next, only, open, save_snapshot};

const RETENTION_MS: i64 = 1_000;
const CODECS: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

/// What was ever written, by offset.
type Written = BTreeMap<i64, (String, Option<String>)>;

fn bounds(log: &Log, wall: i64) -> Bounds {
    Bounds {
        settled: log.last().index,
        wall: Timestamp(wall),
        min_lag_ms: 0,
        delete_retention_ms: RETENTION_MS,
        map_bytes: 1 << 20,
        inflated_bytes: 1 << 20,
    }
}

/// Some batches of a few keys, tombstones among them, and a roll behind them.
fn write(store: &Store, log: &mut Log, chance: &mut Chance, written: &mut Written, keys: u64) {
    for _ in 0..3 + chance.below(6) {
        let (id, offset) = next(log, 1);
        let codec = CODECS[usize::try_from(chance.below(5)).unwrap()];
        let mut builder = BatchBuilder::new(codec).producer(7, 0, 0);
        for delta in 0..=i64::try_from(chance.below(5)).unwrap() {
            let key = format!("key-{}", chance.below(keys));
            let value = (chance.below(4) > 0).then(|| format!("{}-{}", "v".repeat(40), chance.draw()));
            builder.push(&Record::new(Some(&key), value.as_deref(), offset.0 + delta));
            written.insert(offset.0 + delta, (key, value));
        }
        let mut frame = builder.build().unwrap();
        stamp(&mut frame, offset, id.term);
        log.append(&[LogEntry { id, frame: frame.freeze() }]).unwrap();
        if chance.below(4) == 0 {
            append_own(log, FrameKind::Command, 1);
        }
    }
    append_own(log, FrameKind::Roll, 1);
    flush_by_sync(store, log);
    save_snapshot(log, log.last().index);
}

/// All records from an offset on, as a reader gets them.
fn read(log: &Log, from: i64) -> Vec<Record> {
    let mut found: Vec<Record> = Vec::new();
    let (reader, end) = (log.reader(), log.next_offset());
    let mut at = from;
    while let Some(slice) = reader.read(Offset(at), end, 200, true).unwrap() {
        let mut bytes: Bytes = slice.read_verified().unwrap();
        while !bytes.is_empty() {
            let batch = Batch::split_off(&mut bytes).unwrap();
            at = batch.header.next_offset().0;
            found.extend(records(&batch, 1 << 20).unwrap().map(Result::unwrap).filter(|record| record.offset >= from));
        }
    }
    found
}

fn text(bytes: &Option<Bytes>) -> Option<String> {
    bytes.as_ref().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// Every record is one that was written, at its offset and time, no offset twice; and of each key the newest is there, unless it
/// is a tombstone.
fn check(log: &Log, written: &Written, case: &str) -> usize {
    let found = read(log, 0);
    assert!(found.windows(2).all(|pair| pair[0].offset < pair[1].offset), "{case}: offsets ascend");
    for record in &found {
        let (key, value) = &written[&record.offset];
        assert_eq!((text(&record.key).as_ref(), &text(&record.value)), (Some(key), value), "{case}: {}", record.offset);
        assert_eq!(record.timestamp, record.offset, "{case}: the record's own time");
    }
    let newest: BTreeMap<&String, i64> = written.iter().map(|(offset, (key, _))| (key, *offset)).collect();
    for (key, offset) in newest {
        let is_there = found.iter().any(|record| record.offset == offset);
        assert!(is_there || written[&offset].1.is_none(), "{case}: the newest of {key} is at {offset}");
    }
    // From wherever somebody reads on, the next record that is left comes first.
    for from in 0..log.next_offset().0 {
        let wanted = found.iter().find(|record| record.offset >= from).map(|record| record.offset);
        let first = log.reader().read(Offset(from), log.next_offset(), 1, true).unwrap();
        let got = first.and_then(|slice| {
            let mut bytes = slice.read_verified().unwrap();
            let batch = Batch::split_off(&mut bytes).unwrap();
            let all = records(&batch, 1 << 20).unwrap().map(Result::unwrap);
            all.map(|record| record.offset).find(|offset| *offset >= from)
        });
        if got.is_some() || wanted.is_none() {
            assert_eq!(got, wanted, "{case}: from {from}");
        } else {
            // The batch reaches as far, its last records are gone: the reader goes on behind it.
            assert_eq!(read(log, from).first().map(|record| record.offset), wanted, "{case}: from {from}");
        }
    }
    found.len()
}

/// Each start draws other numbers than the one before.
fn reopened(disk: &SimDisk, start: u64) -> (Arc<Store>, Log) {
    let (store, log, _) = only(open(disk, 100 + start).unwrap());
    (store, log)
}

#[test]
fn the_newest_of_each_key_stays_at_its_offset() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let disk = SimDisk::new();
        let mut store = open(&disk, 1).unwrap().store;
        let mut log = store.create_log("one", &Snapshot::default()).unwrap();
        append_own(&mut log, FrameKind::Noop, 1);
        let mut written = Written::new();
        let keys = 1 + chance.below(12);
        let mut wall = 10_000;
        for round in 0..6 {
            for _ in 0..=chance.below(2) {
                write(&store, &mut log, &mut chance, &mut written, keys);
            }
            let case = format!("seed {seed}, round {round}");
            let mut bounds = bounds(&log, wall);
            if chance.below(3) == 0 {
                // Room for two keys: a pass takes what it can, and the next one goes on.
                bounds.map_bytes = 2 * 48;
            }
            let before = check(&log, &written, &case);
            log.handle().compact(&bounds, &mut |_| Ok(())).unwrap();
            let after = check(&log, &written, &case);
            assert!(after <= before, "{case}");
            wall += i64::try_from(chance.below(1_500)).unwrap();
            if chance.below(2) == 0 {
                let segments = log.segments();
                drop((store, log));
                (store, log) = reopened(&disk, round);
                assert_eq!(log.segments(), segments, "{case}: a start finds the same");
                check(&log, &written, &case);
            }
        }
    }
}

/// Nothing is left of what later records have superseded, and of tombstones nothing once their time is over.
#[test]
fn a_log_comes_down_to_its_keys() {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    append_own(&mut log, FrameKind::Noop, 1);
    let (mut chance, mut written) = (Chance(5), Written::new());
    for _ in 0..20 {
        write(&store, &mut log, &mut chance, &mut written, 5);
    }
    let full: u64 = log.segments().iter().map(|segment| segment.bytes).sum();
    let handle = log.handle();
    let at = bounds(&log, 10_000);
    assert_eq!(handle.dirtiness(&at).clean_bytes, 0);
    assert!(handle.dirtiness(&at).ratio() > 0.99);
    let done = handle.compact(&at, &mut |_| Ok(())).unwrap();
    assert!(done.segments > 10 && done.bytes_after < done.bytes_before, "{done:?}");
    assert_eq!(handle.dirtiness(&at).dirty_bytes, 0, "all of it is clean");
    let live = check(&log, &written, "compacted");
    assert!(live <= 5, "{live} records of five keys");
    let left: u64 = log.segments().iter().map(|segment| segment.bytes).sum();
    assert!(left * 3 < full, "{left} of {full} bytes");
    // The tombstones' time is over; a pass needs something dirty to begin.
    write(&store, &mut log, &mut chance, &mut written, 1);
    handle.compact(&bounds(&log, 10_000 + RETENTION_MS + 1), &mut |_| Ok(())).unwrap();
    let found = read(&log, 0);
    let old = written.keys().rev().nth(40).copied().unwrap();
    assert!(found.iter().filter(|record| record.offset < old).all(|record| record.value.is_some()), "{found:?}");
    check(&log, &written, "without tombstones");
}

/// Whoever holds a slice of the old file reads it to its end.
#[test]
fn a_reader_goes_on_with_what_it_has() {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    append_own(&mut log, FrameKind::Noop, 1);
    let (mut chance, mut written) = (Chance(6), Written::new());
    for _ in 0..8 {
        write(&store, &mut log, &mut chance, &mut written, 2);
    }
    let slice = log.reader().read(Offset(0), log.next_offset(), 1 << 20, true).unwrap().unwrap();
    let before = slice.read_verified().unwrap();
    let done = log.handle().compact(&bounds(&log, 10_000), &mut |_| Ok(())).unwrap();
    assert!(done.segments > 0);
    assert_eq!(slice.read_verified().unwrap(), before);
}

#[test]
fn a_crash_at_any_operation_leaves_every_segment_whole() {
    for seed in 0..4 {
        let mut chance = Chance(seed);
        let base = SimDisk::new();
        let store = open(&base, 1).unwrap().store;
        let mut log = store.create_log("one", &Snapshot::default()).unwrap();
        append_own(&mut log, FrameKind::Noop, 1);
        let mut written = Written::new();
        for _ in 0..3 {
            write(&store, &mut log, &mut chance, &mut written, 4);
        }
        drop((store, log));
        let mut crashes = 0;
        for operation in 1.. {
            let disk = base.after_kill();
            let (store, log) = reopened(&disk, 1);
            disk.stop_at(disk.operations() + operation);
            let done = log.handle().compact(&bounds(&log, 10_000), &mut |_| Ok(()));
            drop((store, log));
            if done.is_ok() {
                break;
            }
            let cuts = disk.power_cuts(16, seed).images;
            for (number, image) in [disk.after_kill()].into_iter().chain(cuts).enumerate() {
                let case = format!("seed {seed}, operation {operation}, image {number}");
                let (_store, log) = reopened(&image, 2);
                check(&log, &written, &case);
                log.handle()
                    .compact(&bounds(&log, 10_000), &mut |_| Ok(()))
                    .unwrap_or_else(|error| panic!("{case}: {error}"));
                check(&log, &written, &case);
                drop(log);
                let (_store, log) = reopened(&image.after_power_cut(seed), 3);
                check(&log, &written, &case);
                crashes += 1;
            }
        }
        println!("seed {seed}: {crashes} crashes");
        assert!(crashes > 100, "a pass has more operations");
    }
}

/// A pass over all logs that stands inside a segment begins that one anew once compaction has written it anew: it ended the thread
/// with an overflow, where the new one was shorter than what had been verified of the old one.
#[test]
fn verifying_goes_on_over_what_was_written_anew() {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    append_own(&mut log, FrameKind::Noop, 1);
    let (mut chance, mut written) = (Chance(8), Written::new());
    for _ in 0..4 {
        write(&store, &mut log, &mut chance, &mut written, 1);
    }
    let first = log.segments()[0].bytes;
    assert!((1..first).contains(&store.scrub(first * 2 / 3).bytes), "inside the first segment");
    log.handle().compact(&bounds(&log, 10_000), &mut |_| Ok(())).unwrap();
    for _ in 0..200 {
        let done = store.scrub(100);
        assert!(done.bad.is_none(), "{:?}", done.bad);
        if done.is_pass_over {
            return;
        }
    }
    panic!("a pass comes to its end");
}

/// A younger record than `min.compaction.lag.ms` keeps its segment, and all behind it, from being compacted.
#[test]
fn what_is_young_stays_as_it_is() {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    append_own(&mut log, FrameKind::Noop, 1);
    let (mut chance, mut written) = (Chance(7), Written::new());
    write(&store, &mut log, &mut chance, &mut written, 1);
    let newest = log.segments()[0].max_timestamp.unwrap();
    let lagging = |wall| Bounds { min_lag_ms: 100, ..bounds(&log, wall) };
    assert_eq!(log.handle().dirtiness(&lagging(newest.0 + 99)).dirty_bytes, 0);
    assert!(log.handle().dirtiness(&lagging(newest.0 + 100)).dirty_bytes > 0);
    let unsettled = Bounds { settled: Index(1), ..bounds(&log, 10_000) };
    assert_eq!(log.handle().dirtiness(&unsettled).dirty_bytes, 0, "Raft may ask for its entries");
}
