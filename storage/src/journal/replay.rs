//! Reads a journal back after any stop, and tells a torn tail from damage.
//!
//! The newest record says from where on records count. Within a file they carry one lap and ascend by one; the next file goes
//! on with the next number. The last record of all may be torn: it was never acknowledged. A bad record in front of a good one
//! is damage, for the logs that the good one says it held; if more than one in a row is missing nobody knows what they held,
//! and every log is damaged. So it is if a file whose first record is bad holds records of the lap that was to follow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::EntryId;

use super::codec::{Decoded, VERSION, decode, lap_of, version_of};
use super::number_of;
use super::record::{Change, LogId};
use super::state::LogState;
use crate::disk::{Disk, OpenMode};
use crate::error::{Context, StorageError};
use crate::limits::BLOCK;

/// What the journal says of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayedLog {
    /// As of the last record.
    pub state: LogState,
    /// Appends and cuts that no checkpoint covers, in order.
    pub changes: Vec<Change>,
    /// The last entry that was durable for sure.
    pub watermark: EntryId,
    /// The log is gone.
    pub is_dropped: bool,
}

/// A journal, read back.
#[derive(Debug, Default)]
pub struct Replay {
    /// By log.
    pub logs: BTreeMap<LogId, ReplayedLog>,
    /// Every log may have lost something: more than one record in a row is missing.
    pub all_damaged: bool,
    /// The highest sequence number seen.
    pub sequence: u64,
    /// The highest log id seen.
    pub highest_log: u64,
    /// The lap that the next file carries, if there was a record.
    pub next_lap: Option<u64>,
    /// Where records are missing that count.
    pub gaps: Vec<Gap>,
}

/// Bytes where a record should be that counts, in front of a good one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// In which file.
    pub path: PathBuf,
    /// Where the good record before it ends.
    pub position: u64,
    /// How many are missing; nobody knows where the first record of a file is bad.
    pub missing: Option<u64>,
}

/// The records of one file, and where they lie.
pub(crate) struct FileRead {
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
    pub(crate) records: Vec<(usize, Decoded)>,
    /// Where a record of the same lap begins behind the last good one, and is not good.
    pub(crate) torn: Option<usize>,
    laps: BTreeMap<u64, Vec<usize>>,
}

/// Reads all journal files of a directory. The newest record is durable on return: before, only a page cache may have had it,
/// and recovery removes what it says was cut.
pub fn replay(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Replay, StorageError> {
    let mut files = Vec::new();
    for entry in disk.list(dir).context("list", dir)? {
        if number_of(&entry.name).is_some() {
            files.push(read_file(disk, &dir.join(&entry.name))?);
        }
    }
    if let Some((file, position, last)) = in_order(&files).last()
        && !planted!(NewestRecordNotWrittenAnew)
    {
        write_anew(disk, &file.path, *position, last)?;
    }
    fold(disk, &files)
}

/// Reads one journal file.
pub(crate) fn read_file(disk: &Arc<dyn Disk>, path: &Path) -> Result<FileRead, StorageError> {
    let bytes = read_whole(disk, path)?;
    check_version(path, &bytes)?;
    let records = read_records(&bytes);
    let torn = records.last().and_then(|(position, last)| {
        let end = position + usize::try_from(last.length).unwrap_or(BLOCK);
        (lap_of(bytes.get(end..)?) == Some(last.header.lap)).then_some(end)
    });
    Ok(FileRead { path: path.to_owned(), length: bytes.len() as u64, records, torn, laps: laps_in(&bytes) })
}

/// What all files together say.
pub(crate) fn fold(disk: &Arc<dyn Disk>, files: &[FileRead]) -> Result<Replay, StorageError> {
    let records = in_order(files);
    let Some((_, _, last)) = records.last() else {
        return Ok(Replay::default());
    };
    let newest = last.header;
    let mut replay = Replay {
        sequence: newest.sequence,
        next_lap: Some(newest.next_lap),
        highest_log: newest.newest_log,
        ..Replay::default()
    };
    for (file, positions) in files.iter().filter_map(|file| Some((file, file.laps.get(&newest.next_lap)?))) {
        let bytes = read_whole(disk, &file.path)?;
        let is_record = |position: &usize| decode(&bytes.slice(*position..), Some(newest.next_lap)).is_some();
        if positions.iter().any(is_record) && !planted!(NextLapNotSearched) {
            replay.all_damaged = true;
            replay.gaps.push(Gap { path: file.path.clone(), position: 0, missing: None });
        }
    }
    let needed_from = if planted!(VoidRecordsCount) { 1 } else { newest.needed_from };
    let mut expected = needed_from;
    let mut before = None;
    for (file, position, record) in records {
        if record.header.sequence >= needed_from {
            let missing = if planted!(GapsNotSeen) { 0 } else { record.header.sequence.saturating_sub(expected) };
            if missing > 0 {
                let (path, position) = before.unwrap_or((&file.path, 0));
                replay.gaps.push(Gap { path: path.clone(), position, missing: Some(missing) });
            }
            replay.all_damaged |= missing > 1;
            expected = record.header.sequence.saturating_add(1);
            replay.fold(record, missing == 1);
        }
        before = Some((&file.path, position as u64 + record.length));
    }
    Ok(replay)
}

/// All records, oldest first.
fn in_order(files: &[FileRead]) -> Vec<(&FileRead, usize, &Decoded)> {
    let all =
        files.iter().flat_map(|file| file.records.iter().map(move |(position, record)| (file, *position, record)));
    let mut records: Vec<_> = all.collect();
    records.sort_by_key(|(_, _, record)| record.header.sequence);
    records
}

/// What files, oldest first, hold of one log that no checkpoint covers.
pub(super) fn needed_of<'a>(
    disk: &Arc<dyn Disk>,
    files: impl Iterator<Item = &'a Path>,
    log: LogId,
) -> Result<Vec<Change>, StorageError> {
    let mut replayed = ReplayedLog::default();
    for path in files {
        let records = read_records(&read_whole(disk, path)?).into_iter();
        let changed = records.flat_map(|(_, record)| record.logs).filter(|changed| changed.log == log);
        changed.flat_map(|changed| changed.changes).for_each(|change| replayed.fold(change));
    }
    Ok(replayed.changes)
}

impl Replay {
    fn fold(&mut self, record: &Decoded, one_is_missing: bool) {
        for (log, last) in &record.proven {
            let known = self.logs.entry(*log).or_default();
            known.watermark = *last;
            known.state.is_damaged |= one_is_missing;
        }
        for changed in &record.logs {
            self.highest_log = self.highest_log.max(changed.log.0);
            let log = self.logs.entry(changed.log).or_default();
            for change in &changed.changes {
                log.fold(change.clone());
            }
        }
    }
}

impl ReplayedLog {
    /// The last entry that was durable for sure.
    pub fn durable(&self) -> EntryId {
        let checkpoint = self.state.checkpoint.last;
        if self.watermark.index < checkpoint.index { checkpoint } else { self.watermark }
    }

    fn fold(&mut self, change: Change) {
        let counts = self.state.note(&change);
        if !counts {
            return;
        }
        match change {
            Change::Append(_) => self.changes.push(change),
            Change::Truncate(end) => {
                if self.watermark.index > end.last.index {
                    self.watermark = end.last;
                }
                self.changes.push(change);
            }
            Change::Checkpoint(checkpoint) => {
                self.watermark = self.state.last.min(self.watermark.max(checkpoint.last));
                let is_needed = |change: &Change| match change {
                    Change::Append(run) => run.cut == checkpoint.cut && run.last.index > checkpoint.last.index,
                    Change::Truncate(end) => end.cut > checkpoint.cut,
                    _ => false,
                };
                self.changes.retain(|change| is_needed(change) || planted!(SyncIsNoCheckpoint));
            }
            Change::Last(id) => self.watermark = id,
            Change::Anew => self.changes.clear(),
            Change::Drop => self.is_dropped = true,
            Change::HardState(_) | Change::Damaged | Change::Open(_) | Change::Closed => {}
        }
    }
}

fn write_anew(disk: &Arc<dyn Disk>, path: &Path, position: usize, record: &Decoded) -> Result<(), StorageError> {
    let file = disk.open(path, OpenMode::ReadWrite).context("open", path)?;
    let mut bytes = vec![0; usize::try_from(record.length).unwrap_or_default()];
    let read = file.read_at(&mut bytes, position as u64).context("read", path)?;
    bytes.truncate(read);
    file.write_at(&[&bytes], position as u64).context("write", path)?;
    file.sync_data().context("sync", path)
}

/// A file of a later version must not be taken for a torn one.
fn check_version(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    match version_of(bytes) {
        Some(found) if found > VERSION => Err(StorageError::Version { path: path.to_owned(), found, known: VERSION }),
        _ => Ok(()),
    }
}

fn read_whole(disk: &Arc<dyn Disk>, path: &Path) -> Result<Bytes, StorageError> {
    let file = disk.open(path, OpenMode::Read).context("open", path)?;
    let length = usize::try_from(file.length().context("measure", path)?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0).context("read", path)?;
    bytes.truncate(read);
    Ok(Bytes::from(bytes))
}

/// The good records of one file's newest lap: from its start, and behind a bad one those that can only be of this lap.
fn read_records(bytes: &Bytes) -> Vec<(usize, Decoded)> {
    let mut records: Vec<(usize, Decoded)> = Vec::new();
    let mut position = 0;
    let mut lap = None;
    while position < bytes.len() {
        let ascends =
            |record: &Decoded| records.last().is_none_or(|(_, last)| last.header.sequence < record.header.sequence);
        let found = decode(&bytes.slice(position..), lap).filter(ascends);
        match found {
            Some(record) => {
                lap = Some(record.header.lap);
                let length = usize::try_from(record.length).unwrap_or(BLOCK);
                records.push((position, record));
                position += length;
            }
            None if lap.is_none() => break,
            None => position += BLOCK,
        }
    }
    records
}

/// Where blocks lie that may begin a record, by lap.
fn laps_in(bytes: &Bytes) -> BTreeMap<u64, Vec<usize>> {
    let mut laps: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (block, content) in bytes.chunks(BLOCK).enumerate() {
        if let Some(lap) = lap_of(content) {
            laps.entry(lap).or_default().push(block * BLOCK);
        }
    }
    laps
}
