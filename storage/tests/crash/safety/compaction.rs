//! Compaction: one of two whole files lies under a segment's name at any moment, and no index of the other.

use bytes::Bytes;
use highwater_protocol::ids::Timestamp;
use highwater_protocol::records::batch::{Batch, stamp};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::{Record, records};
use highwater_storage::compaction::Bounds;

use super::*;

/// Ten updates of one key and a tombstone of another: what stays is short.
fn updated(disk: &SimDisk) {
    let value = Some("v".repeat(300));
    let record = |number| if number == 5 { ("gone".to_owned(), None) } else { ("key".to_owned(), value.clone()) };
    written(disk, (0..11).map(record));
}

/// Tombstones of different keys, each in a batch that gets a time: what stays is longer than what was.
fn buried(disk: &SimDisk) {
    written(disk, (0..100).map(|number| (format!("{number:060}"), None)));
}

/// Records, each in a batch of its own, and a roll behind them.
fn written(disk: &SimDisk, records: impl Iterator<Item = (String, Option<String>)>) {
    let store = open(disk, 1).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    append_own(&mut log, FrameKind::Noop, 1);
    for (number, (key, value)) in (0..).zip(records) {
        let (id, offset) = next(&log, 1);
        let mut builder = BatchBuilder::new(Compression::None);
        builder.push(&Record::new(Some(&key), value.as_deref(), number));
        let mut frame = builder.build().unwrap();
        stamp(&mut frame, offset, id.term);
        log.append(&[LogEntry { id, frame: frame.freeze() }]).unwrap();
    }
    append_own(&mut log, FrameKind::Roll, 1);
    flush_by_sync(&store, &mut log);
    crate::common::save_snapshot(&log, log.last().index);
}

fn compact(log: &Log) -> Result<(), StorageError> {
    let bounds = Bounds {
        settled: log.last().index,
        wall: Timestamp(1_000),
        min_lag_ms: 0,
        delete_retention_ms: 1_000,
        map_bytes: 1 << 16,
        inflated_bytes: 1 << 16,
    };
    log.handle().compact(&bounds, &mut |_| Ok(())).map(drop)
}

/// The offsets that a reader finds, asking from each.
fn offsets(log: &Log) -> Vec<i64> {
    let mut found = Vec::new();
    for from in 0..log.next_offset().0 {
        let Some(slice) = log.reader().read(Offset(from), log.next_offset(), 1, true).unwrap() else { continue };
        let mut bytes: Bytes = slice.read_verified().unwrap();
        let batch = Batch::split_off(&mut bytes).unwrap();
        found.extend(records(&batch, 1 << 16).unwrap().map(|record| record.unwrap().offset));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The new file has the old one's name before its bytes are durable. The power fails: the name is there, the bytes are not.
#[test]
pub(super) fn rule_compaction_the_new_file_is_durable_before_it_has_the_name() {
    let disk = SimDisk::new();
    updated(&disk);
    let (store, log, _) = only(open(&disk, 2).unwrap());
    compact(&log).unwrap();
    drop((store, log));
    for seed in 0..CUTS {
        let (_, log, _) = only(open(&disk.after_power_cut(seed), 3).unwrap());
        assert_eq!(offsets(&log), [5, 10], "power cut {seed}");
    }
}

/// The process is killed when the new file has its name, and the index does not exist yet. The old index still lies there, covers
/// no more bytes than the file has, and is believed: positions of frames that are elsewhere.
#[test]
pub(super) fn rule_compaction_no_index_speaks_of_the_other_file() {
    killed_at_each_operation(updated, &[5, 10]);
    killed_at_each_operation(buried, &(0..100).collect::<Vec<_>>());
}

fn killed_at_each_operation(write: fn(&SimDisk), left: &[i64]) {
    let base = SimDisk::new();
    write(&base);
    for operation in 1.. {
        let disk = base.after_kill();
        let (store, log, _) = only(open(&disk, 2).unwrap());
        disk.stop_at(disk.operations() + operation);
        let is_done = compact(&log).is_ok();
        drop((store, log));
        let (_, log, _) = only(open(&disk.after_kill(), 3).unwrap());
        let found = offsets(&log);
        let all = (0..log.next_offset().0).collect::<Vec<_>>();
        assert!(found == left || found == all, "operation {operation}: {found:?}");
        let mut seen = Vec::new();
        log.scan(Index(1), log.last().index, Batches::Headers, &mut |id, _| seen.push(id.index)).unwrap();
        assert!(seen.is_sorted() && seen.last() == Some(&log.last().index), "operation {operation}: {seen:?}");
        if is_done {
            return;
        }
    }
}

/// A consumer that is behind by less than `delete.retention.ms` has to see that a key is gone.
#[test]
pub(super) fn rule_compaction_a_tombstone_stays_for_its_time() {
    let disk = SimDisk::new();
    updated(&disk);
    let (_store, log, _) = only(open(&disk, 2).unwrap());
    compact(&log).unwrap();
    compact(&log).unwrap();
    assert_eq!(offsets(&log), [5, 10]);
}
