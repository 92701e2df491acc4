//! Sealed segments are verified in the background, whatever the size of the pieces, and every bit that rots is found.

mod common;

use std::path::Path;
use std::sync::Arc;

use highwater_protocol::ids::{Index, Offset};
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::entry::FrameKind;
use highwater_storage::error::StorageError;
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::Store;

use common::{append_batch, append_own, content, flush_by_sync, open, save_snapshot};

/// Three logs of three segments each, the last of them written.
fn three_logs() -> (SimDisk, Arc<Store>, Vec<Log>) {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut logs = Vec::new();
    for name in ["one", "two", "three"] {
        let mut log = store.create_log(name, &Snapshot::default()).unwrap();
        append_own(&mut log, FrameKind::Noop, 1);
        for segment in 0..3 {
            for number in 0..6 {
                append_batch(&mut log, 1 + segment, 3, 300, number);
            }
            append_own(&mut log, FrameKind::Command, 2 + segment);
            if segment < 2 {
                append_own(&mut log, FrameKind::Roll, 2 + segment);
            }
        }
        flush_by_sync(&store, &mut log);
        logs.push(log);
    }
    (disk, store, logs)
}

fn sealed_bytes(logs: &[Log]) -> u64 {
    logs.iter().flat_map(Log::segments).filter(|segment| segment.sealed).map(|segment| segment.bytes).sum()
}

/// Bytes verified by one pass in pieces of a size, and what it found.
fn pass(store: &Store, piece: u64) -> (u64, Vec<StorageError>) {
    let (mut bytes, mut bad) = (0, Vec::new());
    loop {
        let done = store.scrub(piece);
        assert!(done.bytes < piece + 2_000, "a piece is {piece} bytes and the rest of a frame, not {}", done.bytes);
        bytes += done.bytes;
        bad.extend(done.bad.map(|(_, error)| error));
        if done.is_pass_over {
            return (bytes, bad);
        }
    }
}

#[test]
fn a_pass_sees_every_sealed_byte_once() {
    let (_disk, store, logs) = three_logs();
    for piece in [1, 700, 5_000, 1 << 20] {
        let (bytes, bad) = pass(&store, piece);
        assert_eq!((bytes, bad.len()), (sealed_bytes(&logs), 0), "in pieces of {piece}");
    }
}

#[test]
fn every_rotten_bit_is_found_and_costs_its_own_log_only() {
    let mut flips = 0;
    let path = Path::new("/data/logs/two/00000000000000000000.log");
    let length = content(&three_logs().0, path).len();
    for position in (0..length).step_by(97).chain([0, 8, 12, 13, 16, 17, 21]) {
        let (disk, store, logs) = three_logs();
        disk.flip_bit(path, position);
        let (bytes, bad) = pass(&store, 3_000);
        let [StorageError::Corrupt { path: named, position: at, .. }] = &bad[..] else {
            panic!("byte {position}: {bad:?}")
        };
        assert_eq!(named, path, "byte {position}");
        assert!(*at <= position as u64 + 1_100 && bytes < sealed_bytes(&logs), "byte {position}: {at}");
        let (bytes, bad) = pass(&store, 3_000);
        assert_eq!((bytes, bad.len()), (sealed_bytes(&logs[..1]) + sealed_bytes(&logs[2..]), 0), "the other logs");
        flips += 1;
    }
    assert!(flips > 50, "{flips}");
}

#[test]
fn segments_that_go_while_they_are_verified_are_left_out() {
    let (_disk, store, mut logs) = three_logs();
    assert!(!store.scrub(1_000).is_pass_over);
    let log = &mut logs[0];
    save_snapshot(log, log.segments()[1].first_index);
    log.trim(Offset(18), Index(u64::MAX)).unwrap();
    assert_eq!(log.segments().len(), 2, "one is trimmed");
    let (bytes, bad) = pass(&store, 1_000);
    assert_eq!((bytes, bad.len()), (sealed_bytes(&logs), 0));
}
