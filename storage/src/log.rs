//! The ordered segments of one log: append and trim by its owner, sync and snapshots by others.
//!
//! The owner ([`Log`]) is one, under its replica's lock. Readers and the flusher share the rest ([`LogHandle`],
//! [`crate::reader::LogReader`]) and never wait for the owner.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset, Timestamp};
use parking_lot::{Mutex, RwLock};

use crate::disk::OpenMode;
use crate::entry::{Frame, FrameError, FrameKind, LogEntry, header, parse};
use crate::epochs::Epochs;
use crate::error::{Context, StorageError};
use crate::journal::record::{Change, Checkpoint, LogId, Place, Position, Run};
use crate::open_files::OpenFiles;
use crate::reader::LogReader;
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

/// Sees a frame: its segment, entry, position, length, and at least its header. Answers whether to go on.
type Visit<'a> = &'a mut dyn FnMut(&Segment, EntryId, u64, usize, &[u8]) -> Result<bool, StorageError>;

/// A cut of a log's suffix, planned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Truncation {
    /// The first index that goes.
    pub from: Index,
    end: Place,
    next_offset: Offset,
    /// The cut removes bytes that a checkpoint calls durable: its record must be durable first.
    pub is_below_checkpoint: bool,
}

impl Truncation {
    /// What the journal says of it.
    pub fn change(&self) -> Change {
        Change::Truncate { from: self.from, end: self.end }
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
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) last: EntryId,
    pub(crate) next_offset: Offset,
    pub(crate) epochs: Epochs,
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
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, changes: Vec::new() }
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
            self.append_one(entry)?;
        }
        Ok(())
    }

    /// Where the log would end if every entry from `from` on were cut.
    pub fn plan_truncation(&self, from: Index) -> Result<Truncation, StorageError> {
        let mut cut = None;
        self.walk(from, from, &mut |segment, id, position, _, bytes| {
            let at =
                Place { segment: segment.first_index, base_offset: segment.base_offset, position: Position(position) };
            let offset = crate::entry::Common::decode(bytes).map_or(0, |common| common.offset);
            cut = Some((id, at, Offset(offset), position < segment.known.read().synced));
            Ok(false)
        })?;
        let (id, end, next_offset, is_below_checkpoint) =
            cut.ok_or_else(|| self.misplaced(format!("there is no entry {from:?} to cut")))?;
        Ok(Truncation { from: id.index, end, next_offset, is_below_checkpoint })
    }

    /// Cuts the suffix. Where it reaches below the checkpoint the caller has made [`Truncation::change`] durable before.
    pub fn truncate(&mut self, plan: &Truncation) -> Result<(), StorageError> {
        let mut state = self.shared.state.write();
        while state.segments.last().is_some_and(|last| last.first_index >= plan.from && state.segments.len() > 1) {
            if let Some(gone) = state.segments.pop() {
                gone.remove()?;
            }
        }
        state.epochs.cut(plan.from);
        let before = Index(plan.from.0.saturating_sub(1));
        state.last = EntryId { index: before, term: state.epochs.at_index(before).unwrap_or_default() };
        state.next_offset = plan.next_offset;
        if let Some(active) = state.segments.last() {
            active.cut(plan.end.position.0, before.next(), plan.next_offset, state.last.term)?;
        }
        drop(state);
        if !plan.is_below_checkpoint {
            self.changes.push(plan.change());
        }
        Ok(())
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
            parse(&frame).map_err(|error| StorageError::corrupt(&segment.path, position, error.to_string()))?;
            entries.push(LogEntry { id, frame });
            Ok(true)
        })?;
        Ok(entries)
    }

    /// Shows the frames from one index to another, for folding: batches by their header, our own frames whole and checked.
    pub fn scan(&self, from: Index, to: Index, visit: &mut dyn FnMut(EntryId, Frame<'_>)) -> Result<(), StorageError> {
        self.walk(from, to, &mut |segment, id, position, _, bytes| {
            let corrupt = |error: FrameError| StorageError::corrupt(&segment.path, position, error.to_string());
            let frame = header(bytes).map_err(corrupt)?;
            if matches!(frame, Frame::Own { .. }) {
                parse(bytes).map_err(corrupt)?;
            }
            visit(id, frame);
            Ok(true)
        })
    }

    /// Removes sealed segments that lie wholly below both bounds.
    pub fn trim(&mut self, log_start: Offset, keep_from: Index) -> Result<Vec<SegmentInfo>, StorageError> {
        let removed: Vec<Arc<Segment>> = {
            let mut state = self.shared.state.write();
            let goes = |segment: &Arc<Segment>| {
                let known = segment.known.read();
                known.is_sealed
                    && known.synced == known.end
                    && known.next_offset <= log_start
                    && known.next_index <= keep_from
            };
            let count = state.segments.iter().take_while(|segment| goes(segment)).count();
            state.segments.drain(..count).collect()
        };
        let mut infos = Vec::new();
        for segment in removed {
            infos.push(info(&segment));
            segment.remove()?;
        }
        Ok(infos)
    }

    /// The newest snapshot at or below an index.
    pub fn load_snapshot(&self, at_most: Index) -> Result<Option<Snapshot>, StorageError> {
        snapshots::load(self.shared.files.disk(), &self.shared.dir, at_most)
    }

    fn active(&self) -> Option<Arc<Segment>> {
        self.shared.state.read().segments.last().cloned()
    }

    fn append_one(&mut self, entry: &LogEntry) -> Result<(), StorageError> {
        let frame = header(&entry.frame).map_err(|error| self.misplaced(error.to_string()))?;
        self.check_place(entry.id, &frame)?;
        let opens = match frame {
            Frame::Own { kind, .. } => kind == FrameKind::Roll || self.active().is_none(),
            Frame::Batch(..) => false,
        };
        let segment = if opens { self.open_segment(entry.id.index)? } else { self.active() };
        let segment = segment.ok_or_else(|| self.misplaced("a log begins with an entry of its own".to_owned()))?;
        let start = segment.write(&[&entry.frame])?;
        self.note(&segment, start, entry)
    }

    fn note(&mut self, segment: &Arc<Segment>, start: u64, entry: &LogEntry) -> Result<(), StorageError> {
        let length = entry.frame.len() as u64;
        let next_offset = {
            let mut state = self.shared.state.write();
            let mut known = segment.known.write();
            known.note(start, &entry.frame, entry.id).map_err(|error| self.misplaced(error.to_string()))?;
            known.trust(start, start + length);
            let offset = state.next_offset;
            state.epochs.note(entry.id, offset);
            state.last = entry.id;
            state.next_offset = known.next_offset;
            known.next_offset
        };
        self.shared.unsynced.fetch_add(length, Ordering::AcqRel);
        self.push_run(segment, start, entry, next_offset);
        Ok(())
    }

    /// Goes on with the run before it where there is no gap between them.
    fn push_run(&mut self, segment: &Segment, start: u64, entry: &LogEntry, next_offset: Offset) {
        if let Some(Change::Append(run)) = self.changes.last_mut()
            && run.start.segment == segment.first_index
        {
            run.last = entry.id;
            run.next_offset = next_offset;
            run.bytes.push(entry.frame.clone());
            return;
        }
        let place = Place { segment: segment.first_index, base_offset: segment.base_offset, position: Position(start) };
        self.changes.push(Change::Append(Run {
            start: place,
            first: entry.id.index,
            last: entry.id,
            next_offset,
            bytes: vec![entry.frame.clone()],
        }));
    }

    fn check_place(&self, id: EntryId, frame: &Frame<'_>) -> Result<(), StorageError> {
        let state = self.shared.state.read();
        let (offset, term) = match frame {
            Frame::Batch(batch, _) => (Offset(batch.base_offset), LeaderEpoch(batch.leader_epoch)),
            Frame::Own { id, next_offset, .. } => (*next_offset, id.term),
        };
        if id.index != state.last.index.next()
            || id.term < state.last.term
            || term != id.term
            || offset != state.next_offset
        {
            return Err(self.misplaced(format!(
                "entry {id:?} with term {term:?} and offset {offset:?} cannot follow {:?} at offset {:?}",
                state.last, state.next_offset
            )));
        }
        Ok(())
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
            let (mut index, position, end) = {
                let known = segment.known.read();
                let row = known.row_before(|row| row.index <= from);
                let (index, position) = row.map_or((segment.first_index, 0), |row| (row.index, row.position));
                (index, position, known.end)
            };
            segment.walk(position, end, &mut |found, bytes| {
                let id = EntryId { index, term: LeaderEpoch(found.common.term) };
                index = index.next();
                if id.index < from {
                    return Ok(true);
                }
                Ok(id.index <= to && visit(segment, id, found.position, found.common.total, bytes)?)
            })?;
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

    /// Makes all that was appended before this call durable, and says how far that is.
    pub fn sync(&self) -> Result<Checkpoint, StorageError> {
        let _one_at_a_time = self.0.syncing.lock();
        let (segments, checkpoint) = self.0.unsynced_segments();
        for (segment, end) in &segments {
            segment.file()?.sync_data().context("sync", &segment.path)?;
            self.0.unsynced.fetch_sub(segment.synced_to(*end), Ordering::AcqRel);
        }
        if self.0.has_new_names.swap(false, Ordering::AcqRel) {
            self.0.files.disk().sync_dir(&self.0.dir).context("sync the directory", &self.0.dir)?;
        }
        for (segment, _) in &segments {
            let is_done = {
                let known = segment.known.read();
                known.is_sealed && known.synced == known.end
            };
            if is_done {
                segment.write_index()?;
                segment.close();
            }
        }
        Ok(checkpoint)
    }

    /// Writes a snapshot durably and keeps the newest `kept` of them.
    pub fn save_snapshot(&self, snapshot: &Snapshot, kept: usize) -> Result<(), StorageError> {
        snapshots::save(self.0.files.disk().as_ref(), &self.0.dir, snapshot, kept)
    }

    /// Bytes written and not synced.
    pub fn unsynced_bytes(&self) -> u64 {
        let state = self.0.state.read();
        state
            .segments
            .iter()
            .map(|segment| {
                let known = segment.known.read();
                known.end - known.synced
            })
            .sum()
    }
}

impl Shared {
    pub(crate) fn segments(&self) -> Vec<SegmentInfo> {
        self.state.read().segments.iter().map(|segment| info(segment)).collect()
    }

    /// The segments with unsynced bytes and where these end, and the checkpoint that their sync makes true.
    fn unsynced_segments(&self) -> (Vec<(Arc<Segment>, u64)>, Checkpoint) {
        let state = self.state.read();
        let unsynced = state.segments.iter().filter_map(|segment| {
            let known = segment.known.read();
            (known.synced < known.end).then(|| (Arc::clone(segment), known.end))
        });
        (unsynced.collect(), state.checkpoint())
    }
}

impl State {
    /// The checkpoint that holds once everything known is durable.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let Some(active) = self.segments.last() else {
            return Checkpoint::default();
        };
        let end = Place {
            segment: active.first_index,
            base_offset: active.base_offset,
            position: Position(active.known.read().end),
        };
        Checkpoint { end, last: self.last, next_offset: self.next_offset }
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
