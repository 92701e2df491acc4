//! A store on the simulated disk whose files are an input's bytes: what recovery makes of it.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};
use highwater_protocol::records::batch::stamp;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::disk::{Disk, OpenMode};
use highwater_storage::entry::{FrameKind, LogEntry, own_frame};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, HardState, LogChanges};
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::{Options, Store};

const ROOT: &str = "/data";
/// Where journal files lie.
pub(crate) const JOURNAL: &str = "/data/journal";
/// Where the log lies.
pub(crate) const LOG: &str = "/data/logs/t";
/// What all files together may hold. A record that names a place far behind the end of a file makes a hole there, which costs a
/// real disk nothing and this one its length.
const CAPACITY: u64 = 512 << 10;

/// A log as recovery left it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    /// Nothing where the log is damaged, or where bytes that a checkpoint covers, which are not read again, are bad.
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) last: EntryId,
    pub(crate) next_offset: Offset,
    pub(crate) hard_state: HardState,
    pub(crate) is_damaged: bool,
}

/// Opens the store and reads its logs. Each start of a directory has a number of its own, for laps must not come again.
pub(crate) fn open(disk: &SimDisk, start: u64) -> Result<Vec<Found>, StorageError> {
    let mut laps = start * 1000;
    let mut random = || {
        laps += 1;
        laps
    };
    let options = Options {
        journal_file_bytes: 16 << 10,
        unsynced_limit_bytes: 1 << 20,
        free_space_floor_bytes: 0,
        open_files: 4,
        index_maps: 4,
    };
    let opened = Store::open(Arc::new(disk.clone()), Path::new(ROOT), options, &mut random)?;
    let found = |log: highwater_storage::store::OpenedLog| Found {
        entries: if log.damage.is_some() { Vec::new() } else { entries(&log.log) },
        last: log.log.last(),
        next_offset: log.log.next_offset(),
        hard_state: log.hard_state,
        is_damaged: log.damage.is_some(),
    };
    Ok(opened.logs.into_iter().map(found).collect())
}

fn entries(log: &Log) -> Vec<LogEntry> {
    let Some(first) = log.segments().first().map(|segment| segment.first_index) else { return Vec::new() };
    match log.entries(first, log.last().index.next(), u64::MAX) {
        Ok(entries) => entries,
        Err(StorageError::Corrupt { .. } | StorageError::Later { .. }) => Vec::new(),
        Err(error) => panic!("what recovery kept is not read: {error}"),
    }
}

/// A disk with a log in which nothing is.
pub(crate) fn empty() -> SimDisk {
    let (disk, store, _) = made();
    store.commit(&[]).expect("commits");
    bounded_copy(&disk)
}

/// A disk with one log of six entries and a snapshot in front of them. Its segment is synced, and the journal says so where a
/// checkpoint is wanted; else the journal holds the entries.
pub(crate) fn written(has_checkpoint: bool) -> SimDisk {
    let (disk, store, mut log) = made();
    log.append(&sample()).expect("appends");
    let mut changes = log.take_changes();
    changes.push(Change::HardState(HardState { term: 2, vote: 1, commit: 5 }));
    store.commit(&[LogChanges { log: log.id(), changes }]).expect("commits");
    let checkpoint = log.handle().sync().expect("syncs");
    if has_checkpoint {
        store.commit(&[LogChanges { log: log.id(), changes: vec![Change::Checkpoint(checkpoint)] }]).expect("commits");
    }
    store.commit(&[]).expect("commits");
    bounded_copy(&disk)
}

/// Where the second segment of [`rolled`] begins.
pub(crate) const ROLLED_AT: i64 = 6;

/// A disk with a log of two segments, both synced.
pub(crate) fn rolled() -> SimDisk {
    let (disk, _, mut log) = made();
    let id = EntryId { index: Index(7), term: LeaderEpoch(2) };
    let roll = LogEntry { id, frame: own_frame(FrameKind::Roll, id, Offset(ROLLED_AT), b"") };
    log.append(&sample()).expect("appends");
    log.append(&[roll, batch(EntryId { index: Index(8), ..id }, ROLLED_AT, 2)]).expect("appends");
    log.handle().sync().expect("syncs");
    bounded_copy(&disk)
}

fn made() -> (SimDisk, Arc<Store>, Log) {
    let disk = SimDisk::new();
    let options = Options { journal_file_bytes: 16 << 10, free_space_floor_bytes: 0, ..Options::default() };
    let mut laps = 100;
    let mut random = || {
        laps += 1;
        laps
    };
    let opened = Store::open(Arc::new(disk.clone()), Path::new(ROOT), options, &mut random);
    let store = opened.expect("an empty disk opens").store;
    let log = store.create_log("t", &Snapshot::default()).expect("makes a log");
    (disk, store, log)
}

fn bounded_copy(disk: &SimDisk) -> SimDisk {
    let disk = disk.after_kill();
    disk.set_capacity(CAPACITY);
    disk
}

/// Six entries: ours and batches, in two terms.
pub(crate) fn sample() -> Vec<LogEntry> {
    let id = |index, term| EntryId { index: Index(index), term: LeaderEpoch(term) };
    let own = |kind, id, offset| LogEntry { id, frame: own_frame(kind, id, Offset(offset), b"payload") };
    vec![
        own(FrameKind::Noop, id(1, 1), 0),
        batch(id(2, 1), 0, 2),
        batch(id(3, 1), 2, 1),
        own(FrameKind::Noop, id(4, 2), 3),
        own(FrameKind::Command, id(5, 2), 3),
        batch(id(6, 2), 3, 3),
    ]
}

fn batch(id: EntryId, offset: i64, count: usize) -> LogEntry {
    let mut builder = BatchBuilder::new(Compression::None);
    (0..count).for_each(|_| builder.push(&Record { value: Some(Bytes::from_static(b"value")), ..Record::default() }));
    let mut frame = builder.build().expect("builds");
    stamp(&mut frame, Offset(offset), id.term);
    LogEntry { id, frame: frame.freeze() }
}

/// Puts a file in the place of another, or where none was.
pub(crate) fn replace(disk: &SimDisk, path: &str, content: &[u8]) {
    let path = Path::new(path);
    remove(disk, path);
    let file = disk.open(path, OpenMode::CreateNew).expect("creates");
    file.write_at(&[content], 0).expect("writes");
    file.sync_data().expect("syncs");
    disk.sync_dir(path.parent().expect("a folder")).expect("syncs");
}

/// Removes a file that may be there.
pub(crate) fn remove(disk: &SimDisk, path: &Path) {
    if let Err(error) = disk.remove_file(path) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
    }
}

/// As it was found: all of it durable.
pub(crate) fn settled(disk: &SimDisk) -> SimDisk {
    for dir in ["/", "/data", JOURNAL, "/data/logs", LOG] {
        disk.sync_dir(Path::new(dir)).expect("syncs");
    }
    bounded_copy(disk)
}

/// A file's bytes.
pub(crate) fn content(disk: &SimDisk, path: &Path) -> Vec<u8> {
    let file = disk.open(path, OpenMode::Read).expect("opens");
    let mut bytes = vec![0; usize::try_from(file.length().expect("measures")).expect("small")];
    file.read_at(&mut bytes, 0).expect("reads");
    bytes
}

/// What recovery kept was among the bytes that were there, and in order.
pub(crate) fn assert_not_invented(found: &[Found], sources: &[&[u8]]) {
    for log in found {
        for entry in &log.entries {
            let is_there = sources.iter().any(|bytes| contains(bytes, &entry.frame));
            assert!(is_there, "entry {:?} was invented", entry.id);
        }
        let follows =
            |pair: &[LogEntry]| pair[0].id.index.next() == pair[1].id.index && pair[0].id.term <= pair[1].id.term;
        assert!(log.entries.windows(2).all(follows), "indices ascend by one and terms never fall");
    }
}

/// Recovery finds the same once more, after a kill and after a power cut, for what it kept it has made durable.
pub(crate) fn assert_settled(disk: &SimDisk, found: &[Found]) {
    for (how, after) in [("kill", bounded_copy(disk)), ("power cut", bounded_copy(&disk.after_power_cut(3)))] {
        let again = open(&after, 2).unwrap_or_else(|error| panic!("after a {how} it does not open: {error}"));
        assert_eq!(again, found, "after a {how}");
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len().max(1)).any(|window| window == wanted)
}
