//! A log after a stop, whatever stopped it: the journal's changes over its segments, then the segments' own tail.
//!
//! What replay changes decides: if the files did not hold it already, whatever lies behind it is of another history and is
//! cut; else the tail is read on while its frames follow each other and pass their CRC. What is kept above the checkpoint is
//! written anew and synced, for a page cache may show bytes that a failed sync never stored. Damage below what was durable for
//! sure is reported and left as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};
use parking_lot::{Mutex, RwLock};

use crate::disk::{Disk, OpenMode};
use crate::entry::{Common, Frame, parse};
use crate::error::{Context, StorageError};
use crate::journal::record::{Change, LogId, Place, Run};
use crate::journal::{LogState, ReplayedLog};
use crate::log::{Log, Shared, State};
use crate::open_files::OpenFiles;
use crate::segment::{Segment, base_offset_of, file_name, index_path, remove_if_there};

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

/// A log that was opened.
pub(crate) struct Recovered {
    pub(crate) log: Log,
    pub(crate) state: LogState,
    pub(crate) damage: Option<Damage>,
}

/// Opens the log in a folder.
pub(crate) fn recover(
    files: &Arc<OpenFiles>,
    dir: &Path,
    id: LogId,
    name: &str,
    replayed: ReplayedLog,
    all_damaged: bool,
    unsynced: &Arc<std::sync::atomic::AtomicU64>,
) -> Result<Recovered, StorageError> {
    let open_files = Arc::clone(files);
    let files = Files { open_files: files, disk: files.disk(), dir };
    files.replay(&replayed.changes)?;
    let mut state = State::default();
    let mut reached = Reached::default();
    let mut bad = None;
    for base_offset in files.segments()? {
        if bad.is_some() || (reached.is_begun && base_offset != reached.next_offset) {
            bad = bad.or_else(|| Some(files.bad(base_offset, 0, "a segment does not follow the one before it")));
            break;
        }
        let before = state.segments.last().cloned();
        let (segment, stop) = files.open(base_offset, &replayed, &mut reached, &mut state)?;
        if segment.known.read().end == 0 {
            bad = stop.or_else(|| Some(files.bad(base_offset, 0, "an empty segment")));
            break;
        }
        if let Some(before) = before {
            before.known.write().is_sealed = true;
        }
        state.segments.push(Arc::new(segment));
        bad = stop;
    }
    let durable = replayed.watermark.max(replayed.checkpoint.last);
    let lost = durable.index > reached.last.index;
    let damage = (lost || all_damaged).then(|| {
        let bad = bad.clone().unwrap_or_else(|| Bad {
            path: dir.to_owned(),
            position: 0,
            reason: "entries that the journal held are gone".to_owned(),
        });
        Damage { path: bad.path, position: bad.position, reason: bad.reason, durable, good: reached.last }
    });
    state.last = reached.last;
    state.next_offset = reached.next_offset;
    let shared = Arc::new(Shared {
        id,
        name: name.to_owned(),
        dir: dir.to_owned(),
        files: open_files,
        state: RwLock::new(state),
        syncing: Mutex::new(()),
        has_new_names: AtomicBool::new(false),
        unsynced: Arc::clone(unsynced),
    });
    if damage.is_none() {
        if bad.is_some() {
            files.cut_behind(&shared)?;
        }
        files.make_durable(&shared, replayed.checkpoint.end)?;
    }
    let mut log_state = LogState { hard_state: replayed.hard_state, ..LogState::default() };
    if damage.is_none() {
        log_state.checkpoint = shared.state.read().checkpoint();
        log_state.last = log_state.checkpoint.last;
    } else {
        log_state.checkpoint = replayed.checkpoint;
        log_state.last = durable;
    }
    Ok(Recovered { log: Log::new(shared), state: log_state, damage })
}

/// How far a log is good.
#[derive(Default)]
struct Reached {
    is_begun: bool,
    last: EntryId,
    next_offset: Offset,
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

    /// Carries out what the journal holds behind the checkpoint, and cuts what lies behind it if the files held other bytes.
    fn replay(&self, changes: &[Change]) -> Result<(), StorageError> {
        let mut is_rewritten = false;
        let mut end = None;
        for change in changes {
            match change {
                Change::Append(run) => {
                    is_rewritten |= self.put(run)?;
                    let length: usize = run.bytes.iter().map(bytes::Bytes::len).sum();
                    let mut place = run.start;
                    place.position.0 += length as u64;
                    end = Some(place);
                }
                Change::Truncate { end: place, .. } => {
                    self.cut(*place)?;
                    is_rewritten = true;
                    end = Some(*place);
                }
                Change::Checkpoint(_) | Change::HardState(_) | Change::Drop => {}
            }
        }
        if is_rewritten && let Some(place) = end {
            self.cut(place)?;
        }
        Ok(())
    }

    /// Writes a run where it belongs, unless it is there.
    fn put(&self, run: &Run) -> Result<bool, StorageError> {
        let path = self.path(run.start.base_offset);
        let file = match self.disk.open(&path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.disk.open(&path, OpenMode::CreateNew).context("create", &path)?
            }
            Err(error) => return Err(error).context("open", &path),
        };
        let wanted = run.bytes.concat();
        let mut held = vec![0; wanted.len()];
        let read = file.read_at(&mut held, run.start.position.0).context("read", &path)?;
        held.truncate(read);
        if held == wanted {
            return Ok(false);
        }
        file.write_at(&[&wanted], run.start.position.0).context("write", &path)?;
        Ok(wanted.get(..read) != Some(&held[..]))
    }

    /// Removes everything behind a place, the last segment first.
    fn cut(&self, place: Place) -> Result<(), StorageError> {
        for base_offset in self.segments()?.into_iter().rev().take_while(|base| *base > place.base_offset) {
            let path = self.path(base_offset);
            remove_if_there(self.disk.as_ref(), &index_path(&path))?;
            remove_if_there(self.disk.as_ref(), &path)?;
        }
        let path = self.path(place.base_offset);
        match self.disk.open(&path, OpenMode::ReadWrite) {
            Ok(file) => {
                if file.length().context("measure", &path)? > place.position.0 {
                    remove_if_there(self.disk.as_ref(), &index_path(&path))?;
                    file.set_len(place.position.0).context("cut", &path)?;
                }
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error).context("open", &path),
        }
    }

    /// Takes in one segment: by its index below the checkpoint, frame by frame above it.
    fn open(
        &self,
        base_offset: Offset,
        replayed: &ReplayedLog,
        reached: &mut Reached,
        state: &mut State,
    ) -> Result<(Segment, Option<Bad>), StorageError> {
        let path = self.path(base_offset);
        let file = self.disk.open(&path, OpenMode::ReadWrite).context("open", &path)?;
        let length = file.length().context("measure", &path)?;
        let checkpoint = replayed.checkpoint.end;
        if base_offset < checkpoint.base_offset
            && let Some(segment) = Segment::from_index(Arc::clone(self.open_files), &path, base_offset, length)
        {
            reached.take_in(&segment, state);
            return Ok((segment, None));
        }
        let known_good = match base_offset.cmp(&checkpoint.base_offset) {
            std::cmp::Ordering::Less => length,
            std::cmp::Ordering::Equal => checkpoint.position.0,
            std::cmp::Ordering::Greater => 0,
        };
        let first_index = if reached.is_begun { reached.last.index.next() } else { self.first_index(&path, &file)? };
        let segment = Segment::new(Arc::clone(self.open_files), path.clone(), base_offset, first_index, Some(file));
        if !reached.is_begun {
            reached.last.index = Index(first_index.0.saturating_sub(1));
            reached.next_offset = base_offset;
        }
        let mut bad = None;
        if known_good > length {
            bad = Some(self.bad(base_offset, length, "the file is shorter than what was synced"));
        }
        let walked = segment.walk(0, length, &mut |found, header| {
            let id = EntryId { index: reached.last.index.next(), term: LeaderEpoch(found.common.term) };
            let check = if found.position < known_good {
                crate::entry::header(header).map(|_| ()).map_err(|error| error.to_string())
            } else {
                let whole = segment.read(found.position, found.common.total)?;
                follows(&whole, id, reached)
            };
            if let Err(reason) = check {
                bad = bad.take().or_else(|| Some(self.bad(base_offset, found.position, reason)));
                return Ok(false);
            }
            let mut known = segment.known.write();
            if let Err(error) = known.note(found.position, header, id) {
                bad = Some(self.bad(base_offset, found.position, error.to_string()));
                return Ok(false);
            }
            state.epochs.note(id, reached.next_offset);
            reached.is_begun = true;
            reached.last = id;
            reached.next_offset = known.next_offset;
            if found.position >= known_good {
                let end = known.end;
                known.trust(found.position, end);
            }
            Ok(true)
        });
        if let Err(StorageError::Corrupt { path, position, reason }) = walked {
            bad = bad.or(Some(Bad { path, position, reason }));
        } else {
            walked?;
        }
        Ok((segment, bad))
    }

    /// The index of a segment's first entry, which is one of our own and says it.
    fn first_index(&self, path: &Path, file: &Arc<dyn crate::disk::DiskFile>) -> Result<Index, StorageError> {
        let mut bytes = vec![0; crate::entry::OWN_HEADER];
        let read = file.read_at(&mut bytes, 0).context("read", path)?;
        bytes.truncate(read);
        Ok(match crate::entry::header(&bytes) {
            Ok(Frame::Own { id, .. }) => id.index,
            _ => Index(1),
        })
    }

    /// Cuts what lies behind the last good entry.
    fn cut_behind(&self, shared: &Shared) -> Result<(), StorageError> {
        let end = shared.state.read().checkpoint().end;
        if shared.state.read().segments.is_empty() {
            for base_offset in self.segments()?.into_iter().rev() {
                remove_if_there(self.disk.as_ref(), &self.path(base_offset))?;
            }
            return Ok(());
        }
        self.cut(end)
    }

    /// Writes what is kept above the checkpoint anew, and syncs it.
    fn make_durable(&self, shared: &Shared, checkpoint: Place) -> Result<(), StorageError> {
        let segments = shared.state.read().segments.clone();
        for segment in segments.iter().filter(|segment| segment.base_offset >= checkpoint.base_offset) {
            let end = segment.known.read().end;
            let from = if segment.base_offset == checkpoint.base_offset { checkpoint.position.0.min(end) } else { 0 };
            if from < end {
                let kept = segment.read(from, usize::try_from(end - from).unwrap_or(usize::MAX))?;
                let file = segment.file()?;
                file.write_at(&[&kept], from).context("write", &segment.path)?;
                file.sync_data().context("sync", &segment.path)?;
            }
            segment.synced_to(end);
        }
        self.disk.sync_dir(self.dir).context("sync the directory", self.dir)?;
        for segment in &segments {
            let (end, is_sealed) = {
                let known = segment.known.read();
                (known.end, known.is_sealed)
            };
            segment.synced_to(end);
            if is_sealed {
                segment.write_index()?;
                segment.close();
            }
        }
        Ok(())
    }
}

impl Reached {
    fn take_in(&mut self, segment: &Segment, state: &mut State) {
        let known = segment.known.read();
        self.is_begun = true;
        self.last = EntryId { index: Index(known.next_index.0 - 1), term: known.last_term };
        state.epochs.note(EntryId { index: segment.first_index, term: known.first_term }, segment.base_offset);
        state.epochs.note(self.last, known.next_offset);
        self.next_offset = known.next_offset;
    }
}

/// Whether a whole frame is good and follows what is reached.
fn follows(bytes: &[u8], id: EntryId, reached: &Reached) -> Result<(), String> {
    let common = Common::decode(bytes).map_err(|error| error.to_string())?;
    if common.term < reached.last.term.0 {
        return Err(format!("term {} behind term {}", common.term, reached.last.term.0));
    }
    if Offset(common.offset) != reached.next_offset {
        return Err(format!("offset {} where {} follows", common.offset, reached.next_offset.0));
    }
    match parse(bytes).map_err(|error| error.to_string())? {
        Frame::Own { id: own, .. } if own.index != id.index => {
            Err(format!("index {} where {} follows", own.index.0, id.index.0))
        }
        _ => Ok(()),
    }
}
