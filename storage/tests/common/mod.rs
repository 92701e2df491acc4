//! What the tests of the store share: entries, a small generator, and ways to read a log back.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};
use highwater_protocol::records::batch::stamp;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_storage::disk::Disk;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::entry::{FrameKind, LogEntry, own_frame};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, HardState, LogChanges};
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::{Opened, Options, Store};

pub(crate) const ROOT: &str = "/data";

/// A splitmix64 generator.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }
}

pub(crate) fn id(index: u64, term: i32) -> EntryId {
    EntryId { index: Index(index), term: LeaderEpoch(term) }
}

/// A batch of records with timestamps from `timestamp` on, each with a value of `bytes` bytes that nothing compresses.
pub(crate) fn batch(id: EntryId, offset: Offset, count: usize, bytes: usize, timestamp: i64) -> LogEntry {
    let mut builder = BatchBuilder::new(Compression::None);
    let mut chance = Chance(id.index.0 ^ (u64::from(id.term.0.unsigned_abs()) << 32));
    for number in 0..count {
        let value: Vec<u8> = (0..bytes.div_ceil(8)).flat_map(|_| chance.draw().to_le_bytes()).take(bytes).collect();
        let timestamp = timestamp + i64::try_from(number).unwrap();
        builder.push(&Record { timestamp, value: Some(Bytes::from(value)), ..Record::default() });
    }
    let mut frame = builder.build().unwrap();
    stamp(&mut frame, offset, id.term);
    LogEntry { id, frame: frame.freeze() }
}

pub(crate) fn own(kind: FrameKind, id: EntryId, offset: Offset, payload: &[u8]) -> LogEntry {
    LogEntry { id, frame: own_frame(kind, id, offset, payload) }
}

/// What the next entry of a log is.
pub(crate) fn next(log: &Log, term: i32) -> (EntryId, Offset) {
    (id(log.last().index.0 + 1, term), log.next_offset())
}

pub(crate) fn append_own(log: &mut Log, kind: FrameKind, term: i32) -> LogEntry {
    let (id, offset) = next(log, term);
    let entry = own(kind, id, offset, b"payload");
    log.append(std::slice::from_ref(&entry)).unwrap();
    entry
}

pub(crate) fn append_batch(log: &mut Log, term: i32, count: usize, bytes: usize, timestamp: i64) -> LogEntry {
    let (id, offset) = next(log, term);
    let entry = batch(id, offset, count, bytes, timestamp);
    log.append(std::slice::from_ref(&entry)).unwrap();
    entry
}

/// Makes durable what a log did, through the journal.
pub(crate) fn flush(store: &Store, log: &mut Log) {
    let changes = log.take_changes();
    store.commit(&[LogChanges { log: log.id(), changes }]).unwrap();
}

/// Makes durable what a log did, through its segments.
pub(crate) fn flush_by_sync(store: &Store, log: &mut Log) {
    let mut changes = log.take_changes();
    changes.retain(|change| !matches!(change, Change::Append(_)));
    changes.push(Change::Checkpoint(log.handle().sync().unwrap()));
    store.commit(&[LogChanges { log: log.id(), changes }]).unwrap();
}

pub(crate) fn vote(store: &Store, log: &Log, term: u64, vote: u64) {
    let state = HardState { term, vote, commit: 0 };
    store.commit(&[LogChanges { log: log.id(), changes: vec![Change::HardState(state)] }]).unwrap();
}

pub(crate) fn small() -> Options {
    Options {
        journal_file_bytes: 16 << 10,
        unsynced_limit_bytes: 1 << 20,
        free_space_floor_bytes: 0,
        open_files: 4,
        index_maps: 2,
    }
}

pub(crate) fn open(disk: &SimDisk, seed: u64) -> Result<Opened, StorageError> {
    open_with(disk, seed, small())
}

pub(crate) fn open_with(disk: &SimDisk, seed: u64, options: Options) -> Result<Opened, StorageError> {
    let mut chance = Chance(seed);
    Store::open(Arc::new(disk.clone()), Path::new(ROOT), options, &mut || chance.draw())
}

pub(crate) fn fresh(name: &str) -> (SimDisk, Arc<Store>, Log) {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let log = store.create_log(name, &Snapshot::default()).unwrap();
    (disk, store, log)
}

/// The one log of a store, which is not damaged.
pub(crate) fn only(opened: Opened) -> (Arc<Store>, Log, HardState) {
    let mut logs = opened.logs;
    assert_eq!(logs.len(), 1, "one log");
    let found = logs.remove(0);
    assert_eq!(found.damage, None);
    (opened.store, found.log, found.hard_state)
}

/// All entries that a log holds.
pub(crate) fn entries(log: &Log) -> Vec<LogEntry> {
    let Some(first) = log.segments().first().map(|segment| segment.first_index) else { return Vec::new() };
    log.entries(first, log.last().index.next(), u64::MAX).unwrap()
}

pub(crate) fn indices(log: &Log) -> Vec<(u64, i32)> {
    entries(log).iter().map(|entry| (entry.id.index.0, entry.id.term.0)).collect()
}

/// All files below a directory of the simulated disk.
pub(crate) fn files(disk: &SimDisk, dir: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in disk.list(Path::new(dir)).unwrap() {
        let path = Path::new(dir).join(&entry.name);
        if entry.is_dir {
            found.extend(files(disk, path.to_str().unwrap()));
        } else {
            found.push((path.clone(), content(disk, &path)));
        }
    }
    found
}

pub(crate) fn content(disk: &dyn Disk, path: &Path) -> Vec<u8> {
    let file = disk.open(path, highwater_storage::disk::OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// Panics with few words where entries differ: frames are long.
pub(crate) fn assert_same(found: &[LogEntry], expected: &[LogEntry], case: &str) {
    let ids = |entries: &[LogEntry]| -> Vec<_> { entries.iter().map(|e| (e.id.index.0, e.id.term.0)).collect() };
    assert_eq!(ids(found), ids(expected), "{case}");
    let differs = found.iter().zip(expected).find(|(found, expected)| found.frame != expected.frame);
    assert!(differs.is_none(), "{case}: entry {:?} has other bytes", differs.map(|(found, _)| found.id));
}

/// A snapshot as of an entry, so that what lies in front of it may be trimmed.
pub(crate) fn save_snapshot(log: &Log, at: Index) {
    let term = log.term_at(at).unwrap();
    let snapshot = Snapshot { id: EntryId { index: at, term }, next_offset: Offset(0), ..Snapshot::default() };
    log.handle().save_snapshot(&snapshot, 2).unwrap();
}
