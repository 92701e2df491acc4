//! The ordered segments of one log: append and trim by its owner, sync and snapshots by others.
//!
//! The owner ([`Log`]) is one, under its replica's lock. Readers and the flusher share the rest ([`LogHandle`],
//! [`crate::reader::LogReader`]) and never wait for the owner.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset, Timestamp};
use parking_lot::{Mutex, RwLock};

use crate::disk::OpenMode;
use crate::entry::{Frame, FrameKind, LogEntry, parse, parse_stamped};
use crate::epochs::Epochs;
use crate::error::{Context, StorageError};
use crate::journal::record::{Change, Checkpoint, LogId, Place, Position, Run};
use crate::open_files::OpenFiles;
use crate::reader::LogReader;
use crate::recovery::Damage;
use crate::segment::{Segment, file_name};
use crate::snapshots;
pub use crate::snapshots::Snapshot;

/// What is known of a segment, for retention and operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentInfo {
    /// The offset in its name.
    pub base_offset: Offset,
    /// The offset behind its last record.
    pub next_offset: Offset,
    /// The index of its first entry.
    pub first_index: Index,
    /// Its length.
    pub bytes: u64,
    /// The highest timestamp in it.
    pub max_timestamp: Option<Timestamp>,
    /// Whether a later segment exists.
    pub sealed: bool,
}

/// What a scan shows of batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Batches {
    /// Their headers.
    Headers,
    /// All their bytes, the CRC checked.
    Whole,
}

/// Sees a frame: its segment, entry, position, length, and header. Answers whether to go on.
type Visit<'a> = &'a mut dyn FnMut(&Segment, EntryId, u64, usize, &Frame<'_>) -> Result<bool, StorageError>;

/// A cut of a log's suffix, planned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Truncation {
    /// The first index that goes.
    pub from: Index,
    end: Checkpoint,
    /// The cut removes bytes that a checkpoint calls durable, or the whole of a segment: its record must be durable first.
    pub waits_for_record: bool,
}

impl Truncation {
    /// What the journal says of it.
    pub fn change(&self) -> Change {
        Change::Truncate(self.end)
    }
}

/// What owner, readers and flusher share.
pub(crate) struct Shared {
    pub(crate) id: LogId,
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) files: Arc<OpenFiles>,
    pub(crate) state: RwLock<State>,
    /// One sync at a time.
    pub(crate) syncing: Mutex<()>,
    /// A segment's name is not durable yet.
    pub(crate) has_new_names: AtomicBool,
    /// Bytes of all logs of the directory that are written and not synced.
    pub(crate) unsynced: Arc<AtomicU64>,
    /// The last index below the newest checkpoint behind the last cut whose record is durable.
    pub(crate) journalled: AtomicU64,
    /// Its last entry and cuts when upkeep last looked whether it is idle.
    pub(crate) looked_at: AtomicU64,
    /// The first write or sync that failed.
    pub(crate) poison: OnceLock<String>,
    /// Segments are trimmed, or one is put into another's place: one at a time.
    pub(crate) rewriting: Mutex<()>,
    /// Up to which offset it is compacted, once that was read.
    pub(crate) cleaned: Mutex<Option<Offset>>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) last: EntryId,
    pub(crate) next_offset: Offset,
    pub(crate) epochs: Epochs,
    /// How often its suffix was cut.
    pub(crate) cut: u64,
}

/// A log, for its one owner.
pub struct Log {
    pub(crate) shared: Arc<Shared>,
    changes: Vec<Change>,
}

/// A log, for the flusher and for upkeep.
#[derive(Clone)]
pub struct LogHandle(pub(crate) Arc<Shared>);

impl Log {
    pub(crate) fn new(
        files: &Arc<OpenFiles>,
        id: LogId,
        dir: &Path,
        name: &str,
        unsynced: &Arc<AtomicU64>,
        state: State,
    ) -> Self {
        let shared = Shared {
            id,
            name: name.to_owned(),
            dir: dir.to_owned(),
            files: Arc::clone(files),
            state: RwLock::new(state),
            syncing: Mutex::new(()),
            has_new_names: AtomicBool::new(false),
            unsynced: Arc::clone(unsynced),
            journalled: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            poison: OnceLock::new(),
            rewriting: Mutex::new(()),
            cleaned: Mutex::new(None),
        };
        Self { shared: Arc::new(shared), changes: Vec::new() }
    }

    /// Takes it out of use: nothing is written to it.
    pub(crate) fn poison(&self, damage: &Damage) {
        drop(self.shared.poison.set(damage.to_string()));
    }

    /// Its id in this directory.
    pub fn id(&self) -> LogId {
        self.shared.id
    }

    /// Its name: also that of its folder.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Reads it without its owner.
    pub fn reader(&self) -> LogReader {
        LogReader::new(Arc::clone(&self.shared))
    }

    /// Syncs it without its owner.
    pub fn handle(&self) -> LogHandle {
        LogHandle(Arc::clone(&self.shared))
    }

    /// The last entry.
    pub fn last(&self) -> EntryId {
        self.shared.state.read().last
    }

    /// The offset of the next record.
    pub fn next_offset(&self) -> Offset {
        self.shared.state.read().next_offset
    }

    /// The term of an entry that the log holds or held.
    pub fn term_at(&self, index: Index) -> Option<LeaderEpoch> {
        let state = self.shared.state.read();
        if index > state.last.index { None } else { state.epochs.at_index(index) }
    }

    /// Puts entries behind the last one, through the page cache. Each begins with a frame that is stamped already.
    pub fn append(&mut self, entries: &[LogEntry]) -> Result<(), StorageError> {
        for entry in entries {
            self.shared.check_usable()?;
            let done = self.append_one(entry);
            self.shared.note_failure(done)?;
        }
        Ok(())
    }

    /// Where the log would end if every entry from `from` on were cut.
    pub fn plan_truncation(&self, from: Index) -> Result<Truncation, StorageError> {
        let mut cut = None;
        self.walk(from, from, &mut |segment, id, position, _, frame| {
            let offset = match frame {
                Frame::Batch(batch, _) => Offset(batch.base_offset),
                Frame::Own { next_offset, .. } => *next_offset,
            };
            cut = Some((id.index, segment.place(position), offset));
            Ok(false)
        })?;
        let (index, place, next_offset) =
            cut.ok_or_else(|| self.misplaced(format!("there is no entry {from:?} to cut")))?;
        let state = self.shared.state.read();
        let before = state.segments.iter().rfind(|segment| segment.first_index < index);
        let end = match before {
            Some(before) if place.position == Position(0) => before.place(before.known.read().end),
            _ => place,
        };
        let last = Index(index.0.saturating_sub(1));
        let last = EntryId { index: last, term: state.epochs.at_index(last).unwrap_or_default() };
        // What follows a whole segment goes into the one before it. The journal may hold the segment still, and then nothing
        // tells a start that the bytes in front of it are of another history.
        let is_whole_segment = place.position == Position(0) && !planted!(CutBeforeItsRecord);
        let waits_for_record = is_whole_segment || state.is_synced_beyond(&end);
        let end = Checkpoint { end, last, next_offset, cut: state.cut + 1 };
        Ok(Truncation { from: index, end, waits_for_record })
    }

    /// Cuts the suffix. Where the plan says that it waits the caller has made [`Truncation::change`] durable before.
    /// `false`: a checkpoint came in between; nothing was done, and the cut has to be planned anew.
    pub fn truncate(&mut self, plan: &Truncation) -> Result<bool, StorageError> {
        self.shared.check_usable()?;
        let done = self.cut(plan);
        self.shared.note_failure(done)
    }

    /// What was done since the last call, for the journal.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// The length of the segment that is written.
    pub fn active_segment_bytes(&self) -> u64 {
        self.active().map_or(0, |segment| segment.known.read().end)
    }

    /// Whether that segment holds records of users.
    pub fn active_segment_has_records(&self) -> bool {
        self.active().is_some_and(|segment| segment.known.read().has_records(segment.base_offset))
    }

    /// From the timestamp of its first batch to the highest one in it, in milliseconds.
    pub fn active_segment_span(&self) -> i64 {
        self.active().and_then(|segment| segment.known.read().span()).unwrap_or(0)
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        self.shared.segments()
    }

    /// Reads entries back, their CRC checked: at least one, and no more than `max_bytes` beyond it.
    pub fn entries(&self, low: Index, high: Index, max_bytes: u64) -> Result<Vec<LogEntry>, StorageError> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        self.walk(low, Index(high.0.saturating_sub(1)), &mut |segment, id, position, total, _| {
            bytes += total as u64;
            if !entries.is_empty() && bytes > max_bytes {
                return Ok(false);
            }
            let frame = segment.read(position, total)?;
            parse(&frame).map_err(|error| StorageError::frame(&segment.path, position, &error))?;
            entries.push(LogEntry { id, frame });
            Ok(true)
        })?;
        Ok(entries)
    }

    /// Shows the frames from one index to another, for folding: our own frames whole and checked, batches so too where they are
    /// `wanted` whole, else by their header.
    pub fn scan(
        &self,
        from: Index,
        to: Index,
        wanted: Batches,
        visit: &mut dyn FnMut(EntryId, Frame<'_>),
    ) -> Result<(), StorageError> {
        self.walk(from, to, &mut |segment, id, position, total, frame| {
            if wanted == Batches::Whole && matches!(frame, Frame::Batch(..)) {
                let bytes = segment.read(position, total)?;
                let whole = parse(&bytes).map_err(|error| StorageError::frame(&segment.path, position, &error))?;
                visit(id, whole);
            } else {
                visit(id, *frame);
            }
            Ok(true)
        })
    }

    /// Removes sealed segments that lie wholly below both bounds, and below a checkpoint that is journalled. A durable snapshot
    /// reaches up to `keep_from`: a start finds entries missing between the newest snapshot and the first segment.
    pub fn trim(&mut self, log_start: Offset, keep_from: Index) -> Result<Vec<SegmentInfo>, StorageError> {
        self.shared.check_usable()?;
        let done = self.shared.trim(log_start, keep_from);
        self.shared.note_failure(done)
    }

    /// The newest snapshot at or below an index.
    pub fn load_snapshot(&self, at_most: Index) -> Result<Option<Snapshot>, StorageError> {
        snapshots::load(self.shared.files.disk(), &self.shared.dir, at_most)
    }

    fn active(&self) -> Option<Arc<Segment>> {
        self.shared.state.read().segments.last().cloned()
    }

    fn append_one(&mut self, entry: &LogEntry) -> Result<(), StorageError> {
        let frame = parse_stamped(&entry.frame).map_err(|error| self.misplaced(error.to_string()))?;
        self.check_place(entry.id, &frame)?;
        let opens = match frame {
            Frame::Own { kind, .. } => kind == FrameKind::Roll || self.active().is_none(),
            Frame::Batch(..) => false,
        };
        let segment = if opens { self.open_segment(entry.id.index)? } else { self.active() };
        let segment = segment.ok_or_else(|| self.misplaced("a log begins with an entry of its own".to_owned()))?;
        let start = segment.write(&[&entry.frame])?;
        self.note(&segment, start, entry, &frame);
        Ok(())
    }

    fn note(&mut self, segment: &Arc<Segment>, start: u64, entry: &LogEntry, frame: &Frame<'_>) {
        let length = entry.frame.len() as u64;
        // Counted before a sync can see the bytes and count them off.
        self.shared.unsynced.fetch_add(length, Ordering::AcqRel);
        let (next_offset, cut) = {
            let mut state = self.shared.state.write();
            let mut known = segment.known.write();
            known.note(start, entry.frame.len(), entry.id, frame);
            known.trust(start, start + length);
            segment.keep_open();
            let offset = state.next_offset;
            state.epochs.note(entry.id, offset);
            state.last = entry.id;
            state.next_offset = known.next_offset;
            (known.next_offset, state.cut)
        };
        self.push_run(segment, start, entry, next_offset, cut);
    }

    /// Goes on with the run before it where there is no gap between them.
    fn push_run(&mut self, segment: &Segment, start: u64, entry: &LogEntry, next_offset: Offset, cut: u64) {
        if let Some(Change::Append(run)) = self.changes.last_mut()
            && run.start.segment == segment.first_index
            && run.cut == cut
        {
            run.last = entry.id;
            run.next_offset = next_offset;
            run.bytes.push(entry.frame.clone());
            return;
        }
        self.changes.push(Change::Append(Run {
            start: segment.place(start),
            first: entry.id.index,
            last: entry.id,
            next_offset,
            cut,
            bytes: vec![entry.frame.clone()],
        }));
    }

    fn check_place(&self, id: EntryId, frame: &Frame<'_>) -> Result<(), StorageError> {
        let state = self.shared.state.read();
        let (offset, term, index, is_empty) = match frame {
            Frame::Batch(batch, _) => {
                let offset = Offset(batch.base_offset);
                (offset, LeaderEpoch(batch.leader_epoch), id.index, batch.next_offset() <= offset)
            }
            Frame::Own { id, next_offset, .. } => (*next_offset, id.term, id.index, false),
        };
        if id.index != state.last.index.next()
            || id.term < state.last.term
            || term != id.term
            || index != id.index
            || offset != state.next_offset
            || is_empty
        {
            return Err(self.misplaced(format!(
                "entry {id:?} with index {index:?}, term {term:?} and offset {offset:?} cannot follow {:?} at offset {:?}",
                state.last, state.next_offset
            )));
        }
        Ok(())
    }

    fn cut(&mut self, plan: &Truncation) -> Result<bool, StorageError> {
        let mut state = self.shared.state.write();
        let is_below = state.is_synced_beyond(&plan.end.end);
        let is_overtaken = is_below && !plan.waits_for_record && !planted!(OvertakenPlanCarriedOut);
        if plan.end.cut != state.cut + 1 || is_overtaken {
            return Ok(false);
        }
        let unsynced = state.unsynced();
        // Until the directory is synced a power cut may bring the names back.
        self.shared.has_new_names.store(true, Ordering::Release);
        state.cut_behind(plan)?;
        self.shared.unsynced.fetch_sub(unsynced - state.unsynced(), Ordering::AcqRel);
        // The journal speaks of what was cut until a sync behind the cut is journalled: no file of it may go before.
        self.shared.journalled.store(0, Ordering::Release);
        drop(state);
        if !plan.waits_for_record && !planted!(CutNotJournalled) {
            self.changes.push(plan.change());
        }
        Ok(true)
    }

    fn open_segment(&self, first_index: Index) -> Result<Option<Arc<Segment>>, StorageError> {
        let base_offset = self.next_offset();
        let path = self.shared.dir.join(file_name(base_offset));
        let file = self.shared.files.disk().open(&path, OpenMode::CreateNew).context("create", &path)?;
        let segment =
            Arc::new(Segment::new(Arc::clone(&self.shared.files), path, base_offset, first_index, Some(file)));
        let mut state = self.shared.state.write();
        if let Some(before) = state.segments.last() {
            before.known.write().is_sealed = true;
        }
        state.segments.push(Arc::clone(&segment));
        self.shared.has_new_names.store(true, Ordering::Release);
        Ok(Some(segment))
    }

    fn walk(&self, from: Index, to: Index, visit: Visit<'_>) -> Result<(), StorageError> {
        let segments = self.shared.state.read().segments.clone();
        let first = segments.partition_point(|segment| segment.first_index <= from).saturating_sub(1);
        for segment in segments.iter().skip(first) {
            if segment.first_index > to {
                break;
            }
            let (start, end) = {
                let known = segment.known.read();
                let row = segment.row_before(&known, |row| row.index <= from);
                (row.map_or(segment.start(), |row| row.cursor()), known.end)
            };
            let mut goes_on = true;
            segment.walk(start, end, u64::MAX, &mut |found, _| {
                if found.id.index >= from {
                    goes_on =
                        found.id.index <= to && visit(segment, found.id, found.position, found.total, &found.frame)?;
                }
                Ok(goes_on)
            })?;
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    fn misplaced(&self, reason: String) -> StorageError {
        StorageError::Misplaced { log: self.shared.name.clone(), reason }
    }
}

impl LogHandle {
    /// The log's id.
    pub fn id(&self) -> LogId {
        self.0.id
    }

    /// Makes all that was appended before this call durable, and says how far that is. Fails for good once it has failed.
    pub fn sync(&self) -> Result<Checkpoint, StorageError> {
        let _one_at_a_time = self.0.syncing.lock();
        self.0.check_usable()?;
        let done = self.0.sync();
        self.0.note_failure(done)
    }

    /// Writes a snapshot durably and keeps the newest `kept` of them.
    pub fn save_snapshot(&self, snapshot: &Snapshot, kept: usize) -> Result<(), StorageError> {
        snapshots::save(self.0.files.disk().as_ref(), &self.0.dir, snapshot, kept)
    }

    /// The first segment at or behind an offset that nothing is written to any more.
    pub(crate) fn sealed_segment(&self, from: Offset) -> Option<Arc<Segment>> {
        let is_done = |segment: &&Arc<Segment>| {
            let known = segment.known.read();
            segment.base_offset >= from && known.is_sealed && known.synced == known.end
        };
        self.0.state.read().segments.iter().find(is_done).cloned()
    }

    /// Takes it out of use: nothing is written to it.
    pub(crate) fn poison(&self, error: &StorageError) {
        drop(self.0.poison.set(error.to_string()));
    }

    /// Whether nothing was appended or cut since the last call, and it is in use.
    pub(crate) fn is_idle(&self) -> bool {
        let (index, cut) = {
            let state = self.0.state.read();
            (state.last.index.0, state.cut)
        };
        let looked_at = index ^ cut.rotate_left(32);
        self.0.looked_at.swap(looked_at, Ordering::Relaxed) == looked_at && !self.is_poisoned()
    }

    /// Whether a write or sync of it failed before, or it was found damaged.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.0.poison.get().is_some()
    }

    /// Bytes written and not synced.
    pub fn unsynced_bytes(&self) -> u64 {
        self.0.state.read().unsynced()
    }

    /// A record with these changes is durable.
    pub(crate) fn journalled(&self, changes: &[Change]) {
        let state = self.0.state.read();
        for change in changes {
            if let Change::Checkpoint(checkpoint) = change
                && checkpoint.cut == state.cut
            {
                self.0.journalled.fetch_max(checkpoint.last.index.0, Ordering::AcqRel);
            }
        }
    }
}

impl Shared {
    pub(crate) fn segments(&self) -> Vec<SegmentInfo> {
        self.state.read().segments.iter().map(|segment| info(segment)).collect()
    }

    /// Whether a write or sync failed before: then nothing is tried again.
    fn check_usable(&self) -> Result<(), StorageError> {
        match self.poison.get() {
            Some(reason) => Err(StorageError::Poisoned { what: format!("log {}", self.name), reason: reason.clone() }),
            None => Ok(()),
        }
    }

    fn note_failure<T>(&self, done: Result<T, StorageError>) -> Result<T, StorageError> {
        if let Err(error @ StorageError::Io { .. }) = &done
            && !planted!(FailedSyncForgotten)
        {
            drop(self.poison.set(error.to_string()));
        }
        done
    }

    fn sync_names(&self) -> Result<(), StorageError> {
        self.files.disk().sync_dir(&self.dir).context("sync the directory", &self.dir)
    }

    /// Syncs segments and names. A cut in between makes what was synced worthless: then once more.
    fn sync(&self) -> Result<Checkpoint, StorageError> {
        loop {
            let (segments, checkpoint) = self.unsynced_segments();
            for (segment, end) in &segments {
                let is_older = segment.known.read().is_sealed;
                if planted!(SegmentNotSynced) || (planted!(OlderSegmentsNotSynced) && is_older) {
                    continue;
                }
                if segment.known.read().synced < *end {
                    segment.file()?.sync_data().context("sync", &segment.path)?;
                }
            }
            if self.has_new_names.swap(false, Ordering::AcqRel) && !planted!(NamesNotSynced) {
                self.sync_names()?;
            }
            let state = self.state.read();
            if state.cut != checkpoint.cut {
                continue;
            }
            for (segment, end) in &segments {
                self.unsynced.fetch_sub(segment.synced_to(*end), Ordering::AcqRel);
            }
            drop(state);
            segments.iter().for_each(|(segment, _)| segment.finish());
            return Ok(checkpoint);
        }
    }

    /// The segments with unsynced bytes or without an index they should have, where they end, and the checkpoint that their
    /// sync makes true.
    fn unsynced_segments(&self) -> (Vec<(Arc<Segment>, u64)>, Checkpoint) {
        let state = self.state.read();
        let unsynced = state.segments.iter().filter_map(|segment| {
            let known = segment.known.read();
            (known.synced < known.end || known.is_unfinished()).then(|| (Arc::clone(segment), known.end))
        });
        (unsynced.collect(), state.checkpoint())
    }

    fn trim(&self, log_start: Offset, keep_from: Index) -> Result<Vec<SegmentInfo>, StorageError> {
        // A segment that is just changing its file goes next time: whoever holds the replica's lock waits for no disk.
        let Some(_alone) = self.rewriting.try_lock() else { return Ok(Vec::new()) };
        let journalled = self.journalled.load(Ordering::Acquire);
        let goes = |segment: &Segment| {
            let known = segment.known.read();
            known.is_sealed
                && known.synced == known.end
                && known.next_offset <= log_start
                && known.next_index <= keep_from
                && (known.next_index.0 <= journalled + 1 || planted!(TrimmedTooEarly))
        };
        let removed: Vec<Arc<Segment>> = {
            let mut state = self.state.write();
            let count = state.segments.iter().take_while(|segment| goes(segment)).count();
            let removed: Vec<Arc<Segment>> = state.segments.drain(..count).collect();
            if let Some(first) = state.segments.first().cloned() {
                state.epochs.trim(first.first_index, first.base_offset);
            }
            removed
        };
        let mut infos = Vec::new();
        for segment in removed {
            infos.push(info(&segment));
            segment.remove()?;
            // One by one: a power cut that kept an older segment and lost a newer one would leave a gap.
            if !planted!(TrimsNotSynced) {
                self.sync_names()?;
            }
        }
        Ok(infos)
    }
}

impl State {
    /// The checkpoint that holds once everything known is durable.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let end = self.segments.last().map(|active| active.place(active.known.read().end)).unwrap_or_default();
        Checkpoint { end, last: self.last, next_offset: self.next_offset, cut: self.cut }
    }

    /// Whether bytes behind a place are synced.
    fn is_synced_beyond(&self, place: &Place) -> bool {
        !planted!(CutBeforeItsRecord)
            && self.segments.iter().any(|segment| match segment.first_index.cmp(&place.segment) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => segment.is_synced_beyond(place.position.0),
                std::cmp::Ordering::Greater => segment.is_synced_beyond(0),
            })
    }

    fn unsynced(&self) -> u64 {
        self.segments.iter().map(|segment| segment.unsynced()).sum()
    }

    /// Removes segments from the last backwards, then cuts.
    fn cut_behind(&mut self, plan: &Truncation) -> Result<(), StorageError> {
        let end = &plan.end;
        let is_whole = |segment: &Segment| {
            segment.first_index > end.end.segment || (segment.first_index == end.end.segment && end.end.position.0 == 0)
        };
        while self.segments.last().is_some_and(|last| is_whole(last)) {
            if let Some(gone) = self.segments.pop() {
                gone.remove()?;
            }
        }
        if let Some(active) = self.segments.last() {
            active.cut(end)?;
        }
        self.cut = end.cut;
        self.epochs.cut(plan.from);
        self.last = end.last;
        self.next_offset = end.next_offset;
        Ok(())
    }
}

fn info(segment: &Segment) -> SegmentInfo {
    let known = segment.known.read();
    SegmentInfo {
        base_offset: segment.base_offset,
        next_offset: known.next_offset,
        first_index: segment.first_index,
        bytes: known.end,
        max_timestamp: known.newest_timestamp(),
        sealed: known.is_sealed,
    }
}
