//! One flush for all logs: records in preallocated, recycled files.
//!
//! Invariants:
//! - Sequence numbers ascend by one over all files. At most one record is written and not yet synced, so a record proves the
//!   one before it durable, and names what that one held.
//! - Every file begins with a record that repeats, for every log, its checkpoint, last entry and hard state: an older file is
//!   needed only for entries and cuts that no checkpoint covers. That first record is synced before the next is written.
//! - Every record names the lap of the file after its own: records of that lap behind a first one that is bad are found.
//! - Every record says from which sequence number on records count: the first record of the oldest file that is needed. A file
//!   is used again only when a later record than its last, which says that it is not needed, is durable.

pub(crate) mod codec;
pub mod record;
pub(crate) mod replay;
pub mod state;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index};

use self::codec::{Header, encode};
use self::record::{Change, HardState, LogChanges, LogId};
pub use self::replay::{Gap, Replay, ReplayedLog, replay};
pub use self::state::LogState;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::error::{Context, StorageError};
use crate::limits::{FIRST_JOURNAL_BYTES, FREE_JOURNAL_FILES, FULL_JOURNAL_FILES};
use crate::opening::Carried;
use crate::segment::remove_if_there;

/// Zeros are written in pieces of this size.
const ZEROS: usize = 1 << 20;

struct JournalFile {
    number: u64,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    length: u64,
    /// The sequence number of its first record.
    first: u64,
    /// Once it is free: it may be used when the record of this number is durable.
    usable_after: u64,
    /// For each log, the newest entry or cut that a record in this file holds, behind so many cuts.
    entries: BTreeMap<LogId, (u64, Index)>,
}

/// The journal of a directory.
pub struct Journal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// The one that is written, and where.
    current: JournalFile,
    position: u64,
    lap: u64,
    next_lap: u64,
    /// Older ones that may still be needed, oldest first.
    full: Vec<JournalFile>,
    /// Zeroed or recycled ones.
    free: Vec<JournalFile>,
    next_number: u64,
    /// The next record's.
    sequence: u64,
    /// The records up to this one are durable.
    durable: u64,
    newest_log: u64,
    states: BTreeMap<LogId, LogState>,
    /// What the newest record made durable, for the next one to repeat.
    newest: Vec<(LogId, EntryId)>,
    file_bytes: u64,
    random: Box<dyn FnMut() -> u64 + Send>,
}

impl Journal {
    /// Begins a directory's journal anew: a fresh start that holds the state of every log, durable on return. Files of an
    /// earlier life become free ones.
    pub(crate) fn start(
        disk: Arc<dyn Disk>,
        dir: &Path,
        file_bytes: u64,
        after: &Replay,
        carried: &Carried,
        mut random: Box<dyn FnMut() -> u64 + Send>,
    ) -> Result<Self, StorageError> {
        let old = existing(&disk, dir)?;
        let next_number = old.iter().map(|file| file.number + 1).max().unwrap_or(0);
        let is_new = old.is_empty();
        let current = created(&disk, dir, next_number, if is_new { FIRST_JOURNAL_BYTES.min(file_bytes) } else { 0 })?;
        disk.sync_dir(dir).context("sync the directory", dir)?;
        let lap = after.next_lap.unwrap_or_else(&mut random);
        let next_lap = random();
        let mut journal = Self {
            disk,
            dir: dir.to_owned(),
            current,
            position: 0,
            lap,
            next_lap,
            full: Vec::new(),
            free: old,
            next_number: next_number + 1,
            sequence: after.sequence + 1,
            durable: after.sequence,
            newest_log: after.highest_log,
            states: carried.states.clone(),
            newest: Vec::new(),
            file_bytes,
            random,
        };
        journal.write_base(&carried.changes)?;
        journal.remove_surplus()?;
        Ok(journal)
    }

    /// Writes one record into the page cache and gives back its sequence number. Durable when the file of [`Journal::file`] has
    /// been synced after this, which [`Journal::synced`] has to be told.
    pub fn append(&mut self, logs: &[LogChanges]) -> Result<u64, StorageError> {
        if planted!(WrongRecordProven) {
            self.newest = logs.iter().filter_map(|log| Some((log.log, self.states.get(&log.log)?.last))).collect();
        }
        let (mut pieces, length) = encode(self.header(), &self.newest, logs);
        if self.position + length > self.current.length && self.position > 0 {
            self.next_file(length, holds_entries(logs))?;
            (pieces, _) = encode(self.header(), &self.newest, logs);
        }
        self.write(&pieces, logs)
    }

    /// The records up to this one are durable.
    pub fn synced(&mut self, sequence: u64) {
        self.durable = self.durable.max(sequence);
    }

    /// The file that the newest record is in.
    pub fn file(&self) -> Arc<dyn DiskFile> {
        Arc::clone(&self.current.file)
    }

    /// Its path, for messages.
    pub fn path(&self) -> &Path {
        &self.current.path
    }

    /// What is known of a log.
    pub fn state(&self, log: LogId) -> Option<LogState> {
        self.states.get(&log).copied()
    }

    /// Logs whose segments have to be synced and checkpointed before the oldest full file can be used again; before all of
    /// them can, when there are many.
    pub fn holding_up(&self) -> Vec<LogId> {
        let hurried = if self.full.len() > FULL_JOURNAL_FILES / 2 { self.full.len() } else { 1 };
        let mut logs: Vec<LogId> = self.full.iter().take(hurried).flat_map(|file| self.needing(file)).collect();
        logs.sort_unstable();
        logs.dedup();
        logs
    }

    /// Full files, which hold what no checkpoint covers yet.
    pub fn full_files(&self) -> usize {
        self.full.len()
    }

    /// What full files and the current one hold of a log that no checkpoint covers, to be said again in one record.
    pub fn said_anew(&self, log: LogId) -> Result<LogChanges, StorageError> {
        let files = self.full.iter().chain([&self.current]).map(|file| file.path.as_path());
        let mut changes = vec![Change::Anew];
        if !planted!(NothingSaidAnew) {
            changes.extend(replay::needed_of(&self.disk, files, log)?);
        }
        Ok(LogChanges { log, changes })
    }

    /// A log's changes were said again in the current file: no full one is needed for it any more.
    pub fn release(&mut self, log: LogId) {
        for file in &mut self.full {
            file.entries.remove(&log);
        }
    }

    /// Takes back the full files that nothing needs any more, up to the oldest that something does.
    pub fn recycle(&mut self) -> Result<(), StorageError> {
        let count = self.full.iter().take_while(|file| self.needing(file).is_empty()).count();
        for mut file in self.full.drain(..count) {
            file.entries.clear();
            file.usable_after = if planted!(RecycledTooEarly) { 0 } else { self.sequence };
            self.free.push(file);
        }
        self.remove_surplus()
    }

    /// Removes free files that nobody will use. Not one that a record which is not durable yet says to be needless.
    fn remove_surplus(&mut self) -> Result<(), StorageError> {
        let is_fit = |file: &JournalFile| file.usable_after <= self.durable && file.length >= self.file_bytes;
        self.free.sort_by_key(|file| !is_fit(file));
        let durable = self.durable;
        let beyond = self.free.split_off(self.free.len().min(FREE_JOURNAL_FILES));
        let (surplus, early) = beyond.into_iter().partition::<Vec<_>, _>(|file| file.usable_after <= durable);
        self.free.extend(early);
        surplus.iter().try_for_each(|file| remove_if_there(self.disk.as_ref(), &file.path))
    }

    /// Whether a spare file should be made, so that no turn waits for zeros: one for the next records, and one that only
    /// checkpoints may use.
    pub fn wants_spare(&self) -> bool {
        self.free.iter().filter(|file| file.length >= self.file_bytes).count() < 2
            && self.position > self.current.length / 4
    }

    /// The name, number and length of a spare file to be made by [`zeroed`].
    pub fn reserve_spare(&mut self) -> (u64, u64) {
        self.next_number += 1;
        (self.next_number - 1, self.file_bytes)
    }

    /// Takes in a spare file.
    pub fn add_spare(&mut self, number: u64, file: Arc<dyn DiskFile>, length: u64) {
        let path = name(&self.dir, number);
        self.free.push(JournalFile { number, path, file, length, first: 0, usable_after: 0, entries: BTreeMap::new() });
    }

    /// Whether the newest record holds entries, whose durability only a further record would prove.
    pub fn wants_proof(&self) -> bool {
        !self.newest.is_empty()
    }

    fn header(&self) -> Header {
        let oldest = self.full.first().unwrap_or(&self.current);
        Header {
            lap: self.lap,
            sequence: self.sequence,
            needed_from: oldest.first,
            next_lap: self.next_lap,
            newest_log: self.newest_log,
        }
    }

    fn write(&mut self, pieces: &[Bytes], logs: &[LogChanges]) -> Result<u64, StorageError> {
        let slices: Vec<&[u8]> = pieces.iter().map(|piece| &piece[..]).collect();
        let length: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        self.current.file.write_at(&slices, self.position).context("write", &self.current.path)?;
        self.current.length = self.current.length.max(self.position + length);
        self.position += length;
        self.sequence += 1;
        self.newest.clear();
        logs.iter().for_each(|log| self.note(log));
        Ok(self.sequence - 1)
    }

    /// Folds changes into what is known of their log, and remembers what the current file is needed for.
    fn note(&mut self, changed: &LogChanges) {
        self.newest_log = self.newest_log.max(changed.log.0);
        if changed.changes.contains(&Change::Drop) {
            self.states.remove(&changed.log);
            return;
        }
        let state = self.states.entry(changed.log).or_default();
        for change in &changed.changes {
            let holds = match change {
                Change::Append(run) => Some((run.cut, run.last.index)),
                Change::Truncate(end) => Some((end.cut, end.last.index)),
                _ => None,
            };
            if state.note(change)
                && let Some(held) = holds
            {
                let entry = self.current.entries.entry(changed.log).or_default();
                *entry = held.max(*entry);
            }
        }
        self.newest.push((changed.log, state.last));
    }

    /// Goes on in another file, which begins with the state of every log. Entries leave one free file to checkpoints.
    fn next_file(&mut self, least: u64, is_for_entries: bool) -> Result<(), StorageError> {
        self.current.file.sync_data().context("sync", &self.current.path)?;
        self.durable = self.sequence - 1;
        let is_usable = |file: &JournalFile| file.usable_after <= self.durable;
        let fits = |file: &JournalFile| is_usable(file) && file.length >= least + self.file_bytes / 2;
        let may_take = self.free.iter().filter(|file| is_usable(file)).count() > usize::from(is_for_entries);
        let place = self.free.iter().position(fits).or_else(|| self.free.iter().position(is_usable));
        let next = match place.filter(|_| may_take) {
            Some(place) => self.free.swap_remove(place),
            None => {
                let number = self.next_number;
                self.next_number += 1;
                let made = created(&self.disk, &self.dir, number, 0)?;
                if !planted!(JournalNameNotSynced) {
                    self.disk.sync_dir(&self.dir).context("sync the directory", &self.dir)?;
                }
                made
            }
        };
        let before = std::mem::replace(&mut self.current, next);
        self.full.push(before);
        self.current.length = self.current.length.max(self.file_bytes);
        self.position = 0;
        self.lap = self.next_lap;
        self.next_lap = (self.random)();
        self.write_base(&BTreeMap::new())
    }

    /// The first record of a file: the state of every log, and what is carried on of some. Durable on return.
    fn write_base(&mut self, carried: &BTreeMap<LogId, Vec<Change>>) -> Result<(), StorageError> {
        let states: Vec<LogChanges> = self
            .states
            .iter()
            .map(|(log, state)| {
                let mut changes = vec![
                    Change::Checkpoint(state.checkpoint),
                    Change::HardState(if planted!(HardStateNotRepeated) {
                        HardState::default()
                    } else {
                        state.hard_state
                    }),
                    Change::Last(state.last),
                ];
                changes.extend(state.is_damaged.then_some(Change::Damaged));
                changes.extend(state.open.map(Change::Open));
                changes.extend(carried.get(log).into_iter().flatten().cloned());
                LogChanges { log: *log, changes }
            })
            .collect();
        self.current.first = self.sequence;
        let (pieces, _) = encode(self.header(), &self.newest, &states);
        self.durable = self.write(&pieces, &states)?;
        if planted!(FirstRecordNotSynced) {
            return Ok(());
        }
        self.current.file.sync_data().context("sync", &self.current.path)
    }

    fn needing(&self, file: &JournalFile) -> Vec<LogId> {
        let above = |(log, (cut, index)): (&LogId, &(u64, Index))| {
            let is_covered = self.states.get(log)?.covers(*cut, *index) || planted!(RecycledWithoutCheckpoint);
            (!is_covered).then_some(*log)
        };
        file.entries.iter().filter_map(above).collect()
    }
}

fn holds_entries(logs: &[LogChanges]) -> bool {
    logs.iter().flat_map(|log| &log.changes).any(|change| matches!(change, Change::Append(_)))
}

/// Makes a file of zeros, durable on return. Slow: for a thread that may wait. Synced piece by piece, so that a flush of the
/// journal never waits behind the whole file.
pub fn zeroed(disk: &dyn Disk, dir: &Path, number: u64, length: u64) -> Result<Arc<dyn DiskFile>, StorageError> {
    let path = name(dir, number);
    let file = disk.open(&path, OpenMode::CreateNew).context("create", &path)?;
    let zeros = vec![0; ZEROS];
    let mut position = 0;
    while position < length {
        let piece = usize::try_from(length - position).unwrap_or(ZEROS).min(ZEROS);
        file.write_at(&[zeros.get(..piece).unwrap_or_default()], position).context("write", &path)?;
        file.sync_data().context("sync", &path)?;
        position += piece as u64;
    }
    disk.sync_dir(dir).context("sync the directory", dir)?;
    Ok(file)
}

fn created(disk: &Arc<dyn Disk>, dir: &Path, number: u64, length: u64) -> Result<JournalFile, StorageError> {
    let path = name(dir, number);
    let file = disk.open(&path, OpenMode::CreateNew).context("create", &path)?;
    if length > 0 {
        let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
        file.write_at(&[&zeros], 0).context("write", &path)?;
    }
    Ok(JournalFile { number, path, file, length, first: 0, usable_after: 0, entries: BTreeMap::new() })
}

fn name(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}.journal"))
}

pub(crate) fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(".journal").and_then(|number| number.parse().ok())
}

fn existing(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Vec<JournalFile>, StorageError> {
    let mut files = Vec::new();
    for entry in disk.list(dir).context("list", dir)? {
        let Some(number) = number_of(&entry.name) else {
            continue;
        };
        let path = dir.join(&entry.name);
        let file = disk.open(&path, OpenMode::ReadWrite).context("open", &path)?;
        let length = file.length().context("measure", &path)?;
        files.push(JournalFile { number, path, file, length, first: 0, usable_after: 0, entries: BTreeMap::new() });
    }
    Ok(files)
}
