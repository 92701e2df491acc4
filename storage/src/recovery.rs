//! A log after a stop, whatever stopped it: the journal's changes over its segments, then the segments' own tail.
//!
//! What replay changes decides: if the files did not hold all of it already, whatever lies behind it is of another history and
//! is cut; else the tail is read on while its frames follow each other and pass their CRC. What is kept above the checkpoint is
//! written anew and synced, for a page cache may show bytes that a failed sync never stored. Damage below what was durable for
//! sure is reported and left as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use highwater_protocol::ids::{EntryId, Index, Offset};

use crate::disk::{Disk, DiskFile, OpenMode};
use crate::entry::{Frame, OWN_HEADER, header};
use crate::error::{Context, StorageError};
use crate::journal::record::{Change, LogId, Place, Run};
use crate::journal::{LogState, ReplayedLog};
use crate::limits::REWRITE_BYTES;
use crate::log::{Log, State};
use crate::open_files::OpenFiles;
use crate::segment::{Cursor, Segment, base_offset_of, file_name, index_path, remove_if_there};
use crate::snapshots;

/// A log that lost what was durable.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} is damaged at byte {position}: {reason}; entries up to index {} were durable, {} is the last that is good", path.display(), durable.index.0, good.index.0)]
pub struct Damage {
    /// Which file.
    pub path: PathBuf,
    /// Where the first bad byte lies.
    pub position: u64,
    /// What is wrong there.
    pub reason: String,
    /// The last entry that was durable.
    pub durable: EntryId,
    /// The last entry that is good.
    pub good: EntryId,
}

impl Damage {
    /// A log that cannot be read, be it whole or not.
    pub(crate) fn unreadable(dir: &Path, error: StorageError, durable: EntryId) -> Self {
        let good = EntryId::default();
        match error {
            StorageError::Corrupt { path, position, reason } => Self { path, position, reason, durable, good },
            error => Self { path: dir.to_owned(), position: 0, reason: error.to_string(), durable, good },
        }
    }
}

/// A log that was opened.
pub(crate) struct Recovered {
    pub(crate) log: Log,
    pub(crate) state: LogState,
    pub(crate) damage: Option<Damage>,
}

/// Opens the log in a folder.
pub(crate) fn recover(
    open_files: &Arc<OpenFiles>,
    dir: &Path,
    id: LogId,
    name: &str,
    replayed: &ReplayedLog,
    all_damaged: bool,
    unsynced: &Arc<AtomicU64>,
) -> Result<Recovered, StorageError> {
    let files = Files { open_files, disk: open_files.disk(), dir };
    files.replay(&replayed.changes)?;
    let (state, bad) = files.read(replayed)?;
    let durable = replayed.durable();
    let damage = damage(dir, replayed, all_damaged, durable, &state, bad.as_ref());
    let LogState { hard_state, open, .. } = replayed.state;
    let mut log_state = LogState { hard_state, open, ..LogState::default() };
    if damage.is_none() {
        if bad.is_some() {
            files.cut_behind(&state)?;
        }
        files.make_durable(&state, replayed.state.checkpoint.end)?;
        log_state.checkpoint = state.checkpoint();
        log_state.last = state.last;
        log_state.cut = state.cut;
    } else {
        files.sync_as_it_is()?;
        log_state.checkpoint = replayed.state.checkpoint;
        log_state.cut = replayed.state.checkpoint.cut;
        log_state.last = durable;
        log_state.is_damaged = true;
    }
    let log = Log::new(open_files, id, dir, name, unsynced, state);
    log.shared.journalled.store(log_state.checkpoint.last.index.0, Ordering::Release);
    if let Some(damage) = &damage {
        // Nothing is written to it: what is left of it is what a repair begins from.
        log.poison(damage);
    }
    Ok(Recovered { log, state: log_state, damage })
}

/// What was durable for sure and is not there, or is another's.
fn damage(
    dir: &Path,
    replayed: &ReplayedLog,
    all_damaged: bool,
    durable: EntryId,
    state: &State,
    bad: Option<&Bad>,
) -> Option<Damage> {
    let good = state.last;
    let is_other = || {
        let is_inside = state.segments.first().is_some_and(|first| first.first_index <= durable.index);
        is_inside && state.epochs.at_index(durable.index) != Some(durable.term)
    };
    let reason = if durable.index > good.index {
        "entries that were durable are gone"
    } else if is_other() {
        "the last entry that was durable is there in another term"
    } else if replayed.state.is_damaged {
        "the journal lost a record of this log, or the log was damaged before"
    } else if all_damaged {
        "the journal lost records, and nobody knows of which logs"
    } else {
        return None;
    };
    let (path, position, reason) = match bad {
        Some(bad) => (bad.path.clone(), bad.position, format!("{reason}: {}", bad.reason)),
        None => (dir.to_owned(), 0, reason.to_owned()),
    };
    Some(Damage { path, position, reason, durable, good })
}

/// Where it stops being good.
#[derive(Clone)]
struct Bad {
    path: PathBuf,
    position: u64,
    reason: String,
}

struct Files<'a> {
    open_files: &'a Arc<OpenFiles>,
    disk: &'a Arc<dyn Disk>,
    dir: &'a Path,
}

impl Files<'_> {
    fn path(&self, base_offset: Offset) -> PathBuf {
        self.dir.join(file_name(base_offset))
    }

    fn bad(&self, base_offset: Offset, position: u64, reason: impl Into<String>) -> Bad {
        Bad { path: self.path(base_offset), position, reason: reason.into() }
    }

    fn segments(&self) -> Result<Vec<Offset>, StorageError> {
        let entries = self.disk.list(self.dir).context("list", self.dir)?;
        Ok(entries.iter().filter_map(|entry| base_offset_of(&entry.name)).collect())
    }

    /// Carries out what the journal holds behind the checkpoint. Where the files held other bytes, or ended, all that lies
    /// behind is of another history: it is cut before anything is written, so that a stop in between finds the difference again.
    fn replay(&self, changes: &[Change]) -> Result<(), StorageError> {
        let mut is_cut = false;
        let mut written = BTreeMap::new();
        for change in changes {
            match change {
                Change::Append(run) => {
                    let wanted = run.bytes.concat();
                    if self.held(run, wanted.len())? == wanted {
                        continue;
                    }
                    if planted!(ReplayWritesFirst) {
                        self.put(run, &wanted)?;
                    }
                    if !is_cut && !planted!(ReplayKeepsTail) {
                        self.cut(run.start)?;
                        is_cut = true;
                    }
                    let file = self.put(run, &wanted)?;
                    written.insert(run.start.base_offset, file);
                }
                Change::Truncate(end) => {
                    self.cut(end.end)?;
                    is_cut = true;
                }
                _ => {}
            }
        }
        // Wherever it lies: below a checkpoint nothing is written and synced anew.
        written.iter().try_for_each(|(base_offset, file)| file.sync_data().context("sync", &self.path(*base_offset)))
    }

    /// What the files hold where a run belongs.
    fn held(&self, run: &Run, length: usize) -> Result<Vec<u8>, StorageError> {
        let path = self.path(run.start.base_offset);
        let file = match self.disk.open(&path, OpenMode::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).context("open", &path),
        };
        let mut held = vec![0; length];
        let read = file.read_at(&mut held, run.start.position.0).context("read", &path)?;
        held.truncate(read);
        Ok(held)
    }

    fn put(&self, run: &Run, wanted: &[u8]) -> Result<Arc<dyn DiskFile>, StorageError> {
        let path = self.path(run.start.base_offset);
        let file = match self.disk.open(&path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.disk.open(&path, OpenMode::CreateNew).context("create", &path)?
            }
            Err(error) => return Err(error).context("open", &path),
        };
        file.write_at(&[wanted], run.start.position.0).context("write", &path)?;
        Ok(file)
    }

    /// Removes everything behind a place, the last segment first, durably: what is written next must not meet it again.
    fn cut(&self, place: Place) -> Result<(), StorageError> {
        for base_offset in self.segments()?.into_iter().rev().take_while(|base| *base > place.base_offset) {
            if planted!(ReplayKeepsSegments) {
                break;
            }
            let path = self.path(base_offset);
            remove_if_there(self.disk.as_ref(), &index_path(&path))?;
            remove_if_there(self.disk.as_ref(), &path)?;
        }
        let path = self.path(place.base_offset);
        remove_if_there(self.disk.as_ref(), &index_path(&path))?;
        if place.position.0 == 0 {
            remove_if_there(self.disk.as_ref(), &path)?;
            return self.sync_names();
        }
        self.sync_names()?;
        match self.disk.open(&path, OpenMode::ReadWrite) {
            Ok(file) => {
                if file.length().context("measure", &path)? > place.position.0 {
                    file.set_len(place.position.0).context("cut", &path)?;
                }
                if planted!(TailNotSynced) {
                    return Ok(());
                }
                file.sync_data().context("sync", &path)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error).context("open", &path),
        }
    }

    fn sync_names(&self) -> Result<(), StorageError> {
        self.disk.sync_dir(self.dir).context("sync the directory", self.dir)
    }

    /// Takes in all segments, up to the first byte that is bad.
    fn read(&self, replayed: &ReplayedLog) -> Result<(State, Option<Bad>), StorageError> {
        let mut state = State { cut: replayed.state.cut, ..State::default() };
        let mut reached = None;
        let mut bad = None;
        let snapshot = snapshots::newest(self.disk.as_ref(), self.dir)?.unwrap_or(Index(u64::MAX - 1));
        for base_offset in self.segments()? {
            if bad.is_some() {
                break;
            }
            if reached.is_some_and(|reached: Cursor| reached.offset != base_offset) {
                bad = Some(self.bad(base_offset, 0, "a segment does not follow the one before it"));
                break;
            }
            let (segment, stop) = self.open(base_offset, &replayed.state, reached)?;
            if reached.is_none() && segment.first_index > snapshot.next() && !planted!(HoleNotSeen) {
                bad = Some(self.bad(
                    base_offset,
                    0,
                    "entries between the newest snapshot and the first segment are gone",
                ));
                break;
            }
            bad = stop;
            let behind = {
                let known = segment.known.read();
                for term in known.epochs.terms() {
                    state.epochs.note(EntryId { index: term.from_index, term: term.epoch }, term.from_offset);
                }
                known.behind()
            };
            if behind.position == 0 {
                bad = bad.or_else(|| Some(self.bad(base_offset, 0, "an empty segment")));
                break;
            }
            if let Some(before) = state.segments.last() {
                before.known.write().is_sealed = true;
            }
            state.last = EntryId { index: Index(behind.index.0 - 1), term: behind.term };
            state.next_offset = behind.offset;
            state.segments.push(Arc::new(segment));
            reached = Some(Cursor { position: 0, ..behind });
        }
        match state.segments.last() {
            Some(active) => active.reopen(),
            None => {
                if let Some(first) = snapshots::load(self.disk, self.dir, Index(u64::MAX))? {
                    (state.last, state.next_offset) = (first.id, first.next_offset);
                }
            }
        }
        Ok((state, bad))
    }

    /// Takes in one segment: by its index as far as that goes, by its headers below the checkpoint, by whole frames above it.
    fn open(
        &self,
        base_offset: Offset,
        state: &LogState,
        reached: Option<Cursor>,
    ) -> Result<(Segment, Option<Bad>), StorageError> {
        let path = self.path(base_offset);
        let file = self.disk.open(&path, OpenMode::ReadWrite).context("open", &path)?;
        let length = file.length().context("measure", &path)?;
        let checkpoint = state.checkpoint.end;
        let known_good = match base_offset.cmp(&checkpoint.base_offset) {
            std::cmp::Ordering::Less => u64::MAX,
            std::cmp::Ordering::Equal => checkpoint.position.0,
            std::cmp::Ordering::Greater => 0,
        };
        let fits = |segment: &Segment| {
            let begins = segment.known.read().epochs.terms().first().copied();
            reached.is_none_or(|reached| {
                segment.first_index == reached.index && begins.is_some_and(|begins| begins.epoch >= reached.term)
            })
        };
        let indexed =
            Segment::from_index(Arc::clone(self.open_files), &path, base_offset, known_good.min(length)).filter(fits);
        let segment = match indexed {
            Some(segment) if segment.known.read().end == length => return Ok((segment, None)),
            Some(segment) => {
                segment.reopen();
                segment
            }
            None => {
                // Whatever it speaks of, it must not be taken for an index of these bytes once a checkpoint covers them.
                remove_if_there(self.disk.as_ref(), &index_path(&path))?;
                let first_index = match reached {
                    Some(reached) => reached.index,
                    None => self.first_index(&path, &file)?,
                };
                Segment::new(Arc::clone(self.open_files), path, base_offset, first_index, Some(file))
            }
        };
        let bad = self.walk(&segment, reached, length, known_good)?;
        let is_short = known_good != u64::MAX && segment.known.read().end < known_good;
        let short = || self.bad(base_offset, length, "the file is shorter than what was synced");
        Ok((segment, bad.or_else(|| is_short.then(short))))
    }

    /// Takes in the frames of a segment behind those it knows.
    fn walk(
        &self,
        segment: &Segment,
        reached: Option<Cursor>,
        length: u64,
        known_good: u64,
    ) -> Result<Option<Bad>, StorageError> {
        let start = {
            let known = segment.known.read();
            if known.end > 0 { known.behind() } else { reached.unwrap_or(segment.start()) }
        };
        let checked_from = if planted!(TailNotChecked) { u64::MAX } else { known_good };
        let walked = segment.walk(start, length, checked_from, &mut |found, _| {
            let mut known = segment.known.write();
            known.note(found.position, found.total, found.id, &found.frame);
            if found.position >= known_good {
                known.trust(found.position, found.end());
            }
            Ok(true)
        });
        match walked {
            Ok(()) => Ok(None),
            Err(StorageError::Corrupt { path, position, reason }) => Ok(Some(Bad { path, position, reason })),
            Err(error) => Err(error),
        }
    }

    /// The index of a segment's first entry, which is one of our own and says it.
    fn first_index(&self, path: &Path, file: &Arc<dyn DiskFile>) -> Result<Index, StorageError> {
        let mut bytes = vec![0; OWN_HEADER];
        let read = file.read_at(&mut bytes, 0).context("read", path)?;
        bytes.truncate(read);
        // What cannot be read here is found to be bad when the frame is taken in.
        Ok(match header(&bytes) {
            Ok(Frame::Own { id, .. }) => id.index,
            _ => Index(1),
        })
    }

    /// Cuts what lies behind the last good entry.
    fn cut_behind(&self, state: &State) -> Result<(), StorageError> {
        match state.segments.last() {
            Some(active) => self.cut(active.place(active.known.read().end)),
            None => {
                for base_offset in self.segments()?.into_iter().rev() {
                    remove_if_there(self.disk.as_ref(), &index_path(&self.path(base_offset)))?;
                    remove_if_there(self.disk.as_ref(), &self.path(base_offset))?;
                }
                self.sync_names()
            }
        }
    }

    /// Writes what is kept above the checkpoint anew, and syncs it.
    fn make_durable(&self, state: &State, checkpoint: Place) -> Result<(), StorageError> {
        for segment in &state.segments {
            let end = segment.known.read().end;
            let from = match segment.base_offset.cmp(&checkpoint.base_offset) {
                std::cmp::Ordering::Less => end,
                std::cmp::Ordering::Equal if planted!(AllWrittenAnew) => 0,
                std::cmp::Ordering::Equal => checkpoint.position.0.min(end),
                std::cmp::Ordering::Greater => 0,
            };
            if segment.base_offset >= checkpoint.base_offset {
                let file = segment.file()?;
                let mut position = from;
                while position < end {
                    let piece = usize::try_from(end - position).unwrap_or(REWRITE_BYTES).min(REWRITE_BYTES);
                    let kept = segment.read(position, piece)?;
                    if !planted!(TailNotWrittenAnew) {
                        file.write_at(&[&kept], position).context("write", &segment.path)?;
                    }
                    position += piece as u64;
                }
                // Also where nothing is kept: a cut that only the page cache knows must not come undone.
                if !planted!(TailNotSynced) {
                    file.sync_data().context("sync", &segment.path)?;
                }
            }
            segment.synced_to(end);
        }
        self.sync_names()?;
        state.segments.iter().for_each(|segment| segment.finish());
        Ok(())
    }

    /// A damaged log is not changed, but what the journal put into it must outlive the journal.
    fn sync_as_it_is(&self) -> Result<(), StorageError> {
        for base_offset in self.segments()? {
            let path = self.path(base_offset);
            self.disk.open(&path, OpenMode::ReadWrite).and_then(|file| file.sync_data()).context("sync", &path)?;
        }
        self.sync_names()
    }
}
