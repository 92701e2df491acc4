//! One flush for all logs: records in preallocated, recycled files.
//!
//! Invariants:
//! - Sequence numbers ascend by one over all files. At most one record is written and not yet synced, so a record proves the
//!   one before it durable, and names what that one held.
//! - Every file begins with a record that repeats, for every log, its checkpoint, last entry and hard state: an older file is
//!   needed only for entries above their log's checkpoint.
//! - Every record says from which sequence number on records count: the first record of the oldest file that is needed. A file
//!   is used again only when a later record than its last, which says that it is not needed, is durable.

mod codec;
pub mod record;
mod replay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::EntryId;

use self::codec::{Header, encode};
use self::record::{Change, Checkpoint, HardState, LogChanges, LogId};
pub use self::replay::{Replay, ReplayedLog, replay};
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::error::{Context, StorageError};
use crate::limits::{FIRST_JOURNAL_BYTES, FREE_JOURNAL_FILES};
use crate::segment::remove_if_there;

/// Zeros are written in pieces of this size.
const ZEROS: usize = 1 << 20;

/// What the journal knows of a log: what the first record of each file repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LogState {
    /// Where its durable segment bytes end.
    pub checkpoint: Checkpoint,
    /// Its last entry that a record holds or a checkpoint covers.
    pub last: EntryId,
    /// Its hard state.
    pub hard_state: HardState,
}

struct JournalFile {
    number: u64,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    length: u64,
    /// The sequence number of its first record.
    first: u64,
    /// Once it is free: it may be used when the record of this number is durable.
    usable_after: u64,
    /// For each log, the last entry that a record in this file holds.
    entries: BTreeMap<LogId, EntryId>,
}

/// The journal of a directory.
pub struct Journal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// The one that is written, and where.
    current: JournalFile,
    position: u64,
    lap: u64,
    /// Older ones that may still be needed, oldest first.
    full: Vec<JournalFile>,
    /// Zeroed or recycled ones.
    free: Vec<JournalFile>,
    next_number: u64,
    sequence: u64,
    states: BTreeMap<LogId, LogState>,
    /// What the newest record made durable, for the next one to repeat.
    newest: Vec<(LogId, EntryId)>,
    file_bytes: u64,
    random: Box<dyn FnMut() -> u64 + Send>,
}

impl Journal {
    /// Begins a directory's journal anew: a fresh start that holds the state of every log, durable on return. Files of an
    /// earlier life become free ones.
    pub fn start(
        disk: Arc<dyn Disk>,
        dir: &Path,
        file_bytes: u64,
        after: u64,
        states: BTreeMap<LogId, LogState>,
        mut random: Box<dyn FnMut() -> u64 + Send>,
    ) -> Result<Self, StorageError> {
        let old = existing(&disk, dir)?;
        let next_number = old.iter().map(|file| file.number + 1).max().unwrap_or(0);
        let is_new = old.is_empty();
        let current = created(&disk, dir, next_number, if is_new { FIRST_JOURNAL_BYTES } else { 0 })?;
        disk.sync_dir(dir).context("sync the directory", dir)?;
        let lap = random();
        let mut journal = Self {
            disk,
            dir: dir.to_owned(),
            current,
            position: 0,
            lap,
            full: Vec::new(),
            free: old,
            next_number: next_number + 1,
            sequence: after + 1,
            states,
            newest: Vec::new(),
            file_bytes,
            random,
        };
        journal.write_base()?;
        journal.file().sync_data().context("sync", &journal.current.path)?;
        journal.remove_surplus()?;
        Ok(journal)
    }

    /// Writes one record into the page cache. Durable when the file of [`Journal::file`] has been synced after this.
    pub fn append(&mut self, logs: &[LogChanges]) -> Result<(), StorageError> {
        self.note(logs);
        let (pieces, length) = encode(self.header(), &self.newest, logs);
        if self.position + length > self.current.length && self.position > 0 {
            self.next_file(length)?;
            let (pieces, length) = encode(self.header(), &self.newest, logs);
            return self.write(&pieces, length, logs);
        }
        self.write(&pieces, length, logs)
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

    /// Logs whose segments have to be synced and checkpointed before the oldest full file can be used again.
    pub fn holding_up(&self) -> Vec<LogId> {
        self.full.first().map(|file| self.needing(file)).unwrap_or_default()
    }

    /// Takes back the full files that nothing needs any more, up to the oldest that something does.
    pub fn recycle(&mut self) -> Result<(), StorageError> {
        let count = self.full.iter().take_while(|file| self.needing(file).is_empty()).count();
        for mut file in self.full.drain(..count) {
            file.entries.clear();
            file.usable_after = self.sequence;
            self.free.push(file);
        }
        self.remove_surplus()
    }

    /// Removes free files that nobody will use.
    fn remove_surplus(&mut self) -> Result<(), StorageError> {
        self.free.sort_by_key(|file| file.length < self.file_bytes);
        let surplus = self.free.split_off(self.free.len().min(FREE_JOURNAL_FILES));
        surplus.iter().try_for_each(|file| remove_if_there(self.disk.as_ref(), &file.path))
    }

    /// Whether a spare file should be made, so that no turn waits for zeros.
    pub fn wants_spare(&self) -> bool {
        self.free.iter().all(|file| file.length < self.file_bytes) && self.position > self.current.length / 4
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
        Header { lap: self.lap, sequence: self.sequence, needed_from: oldest.first }
    }

    fn write(&mut self, pieces: &[Bytes], length: u64, logs: &[LogChanges]) -> Result<(), StorageError> {
        let slices: Vec<&[u8]> = pieces.iter().map(|piece| &piece[..]).collect();
        self.current.file.write_at(&slices, self.position).context("write", &self.current.path)?;
        self.current.length = self.current.length.max(self.position + length);
        self.position += length;
        self.sequence += 1;
        self.newest.clear();
        for log in logs {
            let Some(state) = self.states.get(&log.log) else {
                continue;
            };
            if log.changes.iter().any(|change| matches!(change, Change::Append(_))) {
                self.current.entries.insert(log.log, state.last);
            }
            self.newest.push((log.log, state.last));
        }
        Ok(())
    }

    /// Folds changes into what is known of the logs.
    fn note(&mut self, logs: &[LogChanges]) {
        for log in logs {
            for change in &log.changes {
                let state = self.states.entry(log.log).or_default();
                match change {
                    Change::Append(run) => state.last = run.last,
                    Change::Truncate { from, .. } => {
                        state.last.index =
                            state.last.index.min(highwater_protocol::ids::Index(from.0.saturating_sub(1)));
                    }
                    Change::Checkpoint(checkpoint) => {
                        state.checkpoint = *checkpoint;
                        state.last = state.last.max(checkpoint.last);
                    }
                    Change::HardState(hard_state) => state.hard_state = *hard_state,
                    Change::Drop => {
                        self.states.remove(&log.log);
                    }
                }
            }
        }
    }

    /// Goes on in another file, which begins with the state of every log.
    fn next_file(&mut self, least: u64) -> Result<(), StorageError> {
        self.current.file.sync_data().context("sync", &self.current.path)?;
        let is_usable = |file: &JournalFile| self.sequence > file.usable_after;
        let fits = |file: &JournalFile| is_usable(file) && file.length >= least + self.file_bytes / 2;
        let next = match self.free.iter().position(fits).or_else(|| self.free.iter().position(is_usable)) {
            Some(place) => self.free.swap_remove(place),
            None => {
                let number = self.next_number;
                self.next_number += 1;
                let made = created(&self.disk, &self.dir, number, 0)?;
                self.disk.sync_dir(&self.dir).context("sync the directory", &self.dir)?;
                made
            }
        };
        let before = std::mem::replace(&mut self.current, next);
        self.full.push(before);
        self.current.length = self.current.length.max(self.file_bytes);
        self.position = 0;
        self.lap = (self.random)();
        self.write_base()
    }

    /// The first record of a file: the state of every log.
    fn write_base(&mut self) -> Result<(), StorageError> {
        let states: Vec<LogChanges> = self
            .states
            .iter()
            .map(|(log, state)| LogChanges {
                log: *log,
                changes: vec![Change::Checkpoint(state.checkpoint), Change::HardState(state.hard_state)],
            })
            .collect();
        self.current.first = self.sequence;
        let (pieces, length) = encode(self.header(), &self.newest, &states);
        self.write(&pieces, length, &states)
    }

    fn needing(&self, file: &JournalFile) -> Vec<LogId> {
        let above = |(log, last): (&LogId, &EntryId)| {
            let state = self.states.get(log)?;
            (state.checkpoint.last.index < last.index).then_some(*log)
        };
        file.entries.iter().filter_map(above).collect()
    }
}

/// Makes a file of zeros, durable on return. Slow: for a thread that may wait.
pub fn zeroed(disk: &dyn Disk, dir: &Path, number: u64, length: u64) -> Result<Arc<dyn DiskFile>, StorageError> {
    let path = name(dir, number);
    let file = disk.open(&path, OpenMode::CreateNew).context("create", &path)?;
    let zeros = vec![0; ZEROS];
    let mut position = 0;
    while position < length {
        let piece = usize::try_from(length - position).unwrap_or(ZEROS).min(ZEROS);
        file.write_at(&[zeros.get(..piece).unwrap_or_default()], position).context("write", &path)?;
        position += piece as u64;
    }
    file.sync_data().context("sync", &path)?;
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

fn number_of(name: &str) -> Option<u64> {
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
