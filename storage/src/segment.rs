//! One segment file, and what is known of its entries.
//!
//! Invariant: `synced <= end`; rows and own frames ascend by position; every byte below `end` belongs to a whole frame. The
//! first 17 bytes of a batch lie outside its CRC: they are checked by each frame going on where the one before it ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset, Timestamp};
use parking_lot::RwLock;

use crate::disk::{Disk, DiskFile};
use crate::entry::{COMMON, Common, Frame, FrameKind, OWN_HEADER, OWN_MAGIC, header, parse};
use crate::epochs::Epochs;
use crate::error::{Context, StorageError};
use crate::index::file::{self, IndexFile, MappedRows, Summary};
use crate::index::row::{OwnFrame, Row};
use crate::journal::record::{Checkpoint, Place, Position};
use crate::limits::{SYNC_BYTES, WALK_BYTES};
use crate::open_files::{OpenFiles, Slot};

/// A row is made when the one before it lies this far back.
pub(crate) const ROW_EVERY: u64 = 4096;
/// The index of the segment that is written reaches at most this far back: a start walks no more than this.
const INDEX_EVERY: u64 = SYNC_BYTES;
/// Frames from this size on are walked by their headers alone.
const BIG_FRAME: usize = 16 * 1024;

pub(crate) struct Segment {
    pub(crate) base_offset: Offset,
    pub(crate) first_index: Index,
    pub(crate) path: PathBuf,
    files: Arc<OpenFiles>,
    slot: Arc<Slot<dyn DiskFile>>,
    index: Arc<Slot<MappedRows>>,
    pub(crate) known: RwLock<Known>,
}

/// What is known of a segment's content.
pub(crate) struct Known {
    pub(crate) end: u64,
    pub(crate) next_offset: Offset,
    pub(crate) next_index: Index,
    /// The highest timestamp.
    pub(crate) newest: Option<i64>,
    pub(crate) first_timestamp: Option<i64>,
    /// The terms of its entries.
    pub(crate) epochs: Epochs,
    pub(crate) synced: u64,
    /// How far the index file goes.
    indexed: u64,
    pub(crate) is_sealed: bool,
    is_index_tried: bool,
    rows: Rows,
    own: Vec<OwnFrame>,
    /// Ranges of bytes whose CRC was checked by this process, ascending and apart from each other.
    trusted: Vec<(u64, u64)>,
}

enum Rows {
    Memory(Vec<Row>),
    /// In the index file.
    Indexed,
}

/// Where a walk begins: a frame's position, and what that frame has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cursor {
    pub(crate) position: u64,
    pub(crate) index: Index,
    pub(crate) offset: Offset,
    pub(crate) term: LeaderEpoch,
}

/// A frame found by walking: where, which entry, how long, its header, and what has to follow.
pub(crate) struct Found<'a> {
    pub(crate) position: u64,
    pub(crate) id: EntryId,
    pub(crate) total: usize,
    pub(crate) frame: Frame<'a>,
    pub(crate) behind: Cursor,
}

impl Found<'_> {
    /// Where the next frame begins.
    pub(crate) fn end(&self) -> u64 {
        self.position + self.total as u64
    }
}

/// Sees a frame: at least its header, our own ones whole. Answers whether to go on.
type Visit<'a> = &'a mut dyn FnMut(Found<'_>, &[u8]) -> Result<bool, StorageError>;

/// The file name of a segment.
pub(crate) fn file_name(base_offset: Offset) -> String {
    format!("{:020}.log", base_offset.0)
}

/// The base offset in a segment's file name.
pub(crate) fn base_offset_of(name: &str) -> Option<Offset> {
    name.strip_suffix(".log").filter(|digits| digits.len() == 20).and_then(|digits| digits.parse().ok()).map(Offset)
}

impl Segment {
    /// A segment that is known to hold nothing yet.
    pub(crate) fn new(
        files: Arc<OpenFiles>,
        path: PathBuf,
        base_offset: Offset,
        first_index: Index,
        file: Option<Arc<dyn DiskFile>>,
    ) -> Self {
        let known = Known {
            end: 0,
            next_offset: base_offset,
            next_index: first_index,
            newest: None,
            first_timestamp: None,
            epochs: Epochs::default(),
            synced: 0,
            indexed: 0,
            is_sealed: false,
            is_index_tried: false,
            rows: Rows::Memory(Vec::new()),
            own: Vec::new(),
            trusted: Vec::new(),
        };
        let slot = Arc::default();
        if let Some(file) = file {
            files.put_file(&slot, file);
        }
        Self { base_offset, first_index, path, files, slot, index: Arc::default(), known: RwLock::new(known) }
    }

    /// A segment by its index file, if that covers `bytes` of it and no more than `most`.
    pub(crate) fn from_index(files: Arc<OpenFiles>, path: &Path, base_offset: Offset, most: u64) -> Option<Self> {
        let IndexFile { summary, rows, own, terms } = file::open(files.disk().as_ref(), &index_path(path))?;
        if summary.base_offset != base_offset || summary.bytes > most || !summary.is_sound() {
            return None;
        }
        let segment = Self::new(files, path.to_owned(), base_offset, summary.first_index, None);
        segment.files.put_rows(&segment.index, rows);
        {
            let mut known = segment.known.write();
            known.end = summary.bytes;
            known.synced = summary.bytes;
            known.next_offset = summary.next_offset;
            known.next_index = summary.next_index;
            known.newest = (summary.newest != i64::MIN).then_some(summary.newest);
            known.first_timestamp = known.newest;
            known.epochs = Epochs::from_terms(terms);
            known.rows = Rows::Indexed;
            known.own = own;
        }
        Some(segment)
    }

    /// A segment in its place, which holds nothing yet.
    pub(crate) fn emptied(&self, file: Arc<dyn DiskFile>) -> Self {
        Self::new(Arc::clone(&self.files), self.path.clone(), self.base_offset, self.first_index, Some(file))
    }

    /// What it is opened through.
    pub(crate) fn files(&self) -> &OpenFiles {
        &self.files
    }

    /// Its name is about to be another file's: whoever reads it keeps this one, and its rows.
    pub(crate) fn outlive_its_name(&self) -> Result<(), StorageError> {
        self.slot.begin_writing();
        self.file()?;
        let mut known = self.known.write();
        known.rows = Rows::Memory(self.taken_rows(&mut known));
        self.index.close();
        Ok(())
    }

    /// The open file.
    pub(crate) fn file(&self) -> Result<Arc<dyn DiskFile>, StorageError> {
        self.files.file(&self.slot, &self.path)
    }

    /// All bytes up to there are synced. Gives back how many were not before.
    pub(crate) fn synced_to(&self, end: u64) -> u64 {
        let mut known = self.known.write();
        let newly = end.saturating_sub(known.synced);
        known.synced = known.synced.max(end);
        assert!(known.synced <= known.end, "{} is synced beyond its end", self.path.display());
        if known.synced == known.end {
            self.slot.is_synced();
        }
        newly
    }

    /// Bytes were written and are known: the descriptor is kept until they are synced, also if a sync finished in between.
    pub(crate) fn keep_open(&self) {
        self.slot.begin_writing();
    }

    /// Bytes written and not synced.
    pub(crate) fn unsynced(&self) -> u64 {
        let known = self.known.read();
        known.end - known.synced
    }

    /// A byte of this segment, as the journal says it.
    pub(crate) fn place(&self, position: u64) -> Place {
        Place { segment: self.first_index, base_offset: self.base_offset, position: Position(position) }
    }

    /// Whether bytes behind that position are synced.
    pub(crate) fn is_synced_beyond(&self, position: u64) -> bool {
        self.known.read().synced > position
    }

    /// After a sync: a sealed segment gets its index and gives its descriptor back, a long one that is written gets an index
    /// of what is there.
    pub(crate) fn finish(&self) {
        let (is_sealed, is_due) = {
            let known = self.known.read();
            let is_synced = known.synced == known.end;
            (known.is_sealed && is_synced, is_synced && known.end >= known.indexed + INDEX_EVERY)
        };
        if is_sealed || is_due {
            self.write_index();
        }
        if is_sealed {
            self.close();
        }
    }

    /// Where its first frame begins.
    pub(crate) fn start(&self) -> Cursor {
        Cursor { position: 0, index: self.first_index, offset: self.base_offset, term: LeaderEpoch(i32::MIN) }
    }

    /// Gives the descriptor back, unless bytes behind it are not synced.
    pub(crate) fn close(&self) {
        self.slot.close();
    }

    /// Writes frames behind the last one. On failure nothing of them counts.
    pub(crate) fn write(&self, frames: &[&[u8]]) -> Result<u64, StorageError> {
        self.slot.begin_writing();
        let file = self.file()?;
        let start = self.known.read().end;
        if let Err(error) = file.write_at(frames, start) {
            // What was written of it is cut off again; if that fails too, recovery cuts it by its CRC.
            drop(file.set_len(start));
            return Err(error).context("write", &self.path);
        }
        Ok(start)
    }

    /// Reads bytes at a position.
    pub(crate) fn read(&self, position: u64, length: usize) -> Result<Bytes, StorageError> {
        let mut bytes = vec![0; length];
        let read = self.file()?.read_at(&mut bytes, position).context("read", &self.path)?;
        bytes.truncate(read);
        Ok(Bytes::from(bytes))
    }

    /// Walks frames by their headers until `visit` answers `false` or `end` is reached. Each has to go on where the one before
    /// it ends; our own ones are checked whole, as is every one from `checked_from` on.
    pub(crate) fn walk(&self, from: Cursor, end: u64, checked_from: u64, visit: Visit<'_>) -> Result<(), StorageError> {
        let file = self.file()?;
        let corrupt = |at: u64, reason: String| StorageError::corrupt(&self.path, at, reason);
        let mut window = Vec::new();
        let mut window_at = from.position;
        let mut next = from;
        let mut step = 4096;
        while next.position < end {
            let at = next.position;
            let needed = OWN_HEADER.max(61);
            let inside = usize::try_from(at - window_at).unwrap_or(usize::MAX);
            if window.get(inside..inside.saturating_add(needed)).is_none() {
                window.resize(step.min(usize::try_from(end - at).unwrap_or(step)), 0);
                let read = file.read_at(&mut window, at).context("read", &self.path)?;
                window.truncate(read);
                window_at = at;
            }
            let inside = usize::try_from(at - window_at).unwrap_or(usize::MAX);
            let here = window.get(inside..).unwrap_or_default();
            let common = Common::decode(here).map_err(|error| StorageError::frame(&self.path, at, &error))?;
            if at + common.total as u64 > end {
                return Err(corrupt(at, "a frame goes beyond the end of the segment".to_owned()));
            }
            step = if common.total >= BIG_FRAME { 4096 } else { WALK_BYTES };
            let is_checked = common.magic == OWN_MAGIC || at >= checked_from;
            let whole;
            let shown = if is_checked && here.len() < common.total {
                whole = self.read(at, common.total)?;
                &whole[..]
            } else {
                here.get(..common.total.min(here.len())).unwrap_or_default()
            };
            let frame = if is_checked { parse(shown) } else { header(shown) };
            let frame = frame.map_err(|error| StorageError::frame(&self.path, at, &error))?;
            let id = match frame {
                Frame::Own { kind: FrameKind::Gap, id, .. } => id,
                _ => EntryId { index: next.index, term: LeaderEpoch(common.term) },
            };
            let behind = follow(&next, &common, &frame).map_err(|reason| corrupt(at, reason))?;
            next = behind;
            if !visit(Found { position: at, id, total: common.total, frame, behind }, shown)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes the index file of what is synced; maps it if the segment is sealed. Only the segment counts: where the index
    /// cannot be written the rows stay in memory, and a later start makes it anew.
    pub(crate) fn write_index(&self) {
        let path = index_path(&self.path);
        let mut known = self.known.write();
        let Rows::Memory(rows) = &known.rows else { return };
        if known.synced < known.end {
            return;
        }
        let disk = self.files.disk().as_ref();
        let written = file::write(disk, &path, &known.summary(self), rows, &known.own, known.epochs.terms());
        known.is_index_tried = known.is_sealed;
        if written.is_err() {
            // A torn index is found by its CRC: nothing depends on this removal.
            drop(remove_if_there(disk, &path));
            return;
        }
        known.indexed = known.end;
        if known.is_sealed
            && let Some(index) = file::open(disk, &path)
        {
            self.files.put_rows(&self.index, index.rows);
            known.rows = Rows::Indexed;
        }
    }

    /// The last row for which `is_before` holds. Without an index that can be read there is none: a walk from the start of the
    /// segment finds the same.
    pub(crate) fn row_before(&self, known: &Known, is_before: impl Fn(&Row) -> bool) -> Option<Row> {
        match &known.rows {
            Rows::Memory(rows) => rows.get(rows.partition_point(is_before).checked_sub(1)?).copied(),
            Rows::Indexed => self.indexed(known)?.last_before(is_before),
        }
    }

    fn indexed(&self, known: &Known) -> Option<Arc<MappedRows>> {
        self.files.rows(&self.index, || {
            let index = file::open(self.files.disk().as_ref(), &index_path(&self.path))?;
            (index.summary.bytes == known.end).then_some(index.rows)
        })
    }

    /// Its rows, to be kept in memory from now on.
    fn taken_rows(&self, known: &mut Known) -> Vec<Row> {
        match std::mem::replace(&mut known.rows, Rows::Memory(Vec::new())) {
            Rows::Memory(rows) => rows,
            Rows::Indexed => self.indexed(known).map(|rows| rows.to_vec()).unwrap_or_default(),
        }
    }

    /// More is to be written: rows are kept in memory again.
    pub(crate) fn reopen(&self) {
        let mut known = self.known.write();
        known.indexed = known.end;
        known.rows = Rows::Memory(self.taken_rows(&mut known));
        self.index.close();
    }

    /// Cuts the file and forgets what was known of the bytes behind.
    pub(crate) fn cut(&self, end: &Checkpoint) -> Result<(), StorageError> {
        let position = end.end.position.0;
        let rows = self.taken_rows(&mut self.known.write());
        self.index.close();
        // The name of the index goes first: it speaks of bytes that will be others.
        if !planted!(IndexOutlivesCut) {
            remove_if_there(self.files.disk().as_ref(), &index_path(&self.path))?;
        }
        let file = self.file()?;
        file.set_len(position).context("cut", &self.path)?;
        // What is written next must not meet the old bytes again: of a cut and a write that are both not synced, a power cut
        // may keep parts of either.
        if !planted!(CutNotSynced) {
            file.sync_data().context("sync", &self.path)?;
        }
        {
            let mut known = self.known.write();
            known.end = position;
            known.synced = position;
            known.indexed = 0;
            known.next_index = end.last.index.next();
            known.next_offset = end.next_offset;
            known.epochs.cut(end.last.index.next());
            known.is_sealed = false;
            known.is_index_tried = false;
            known.own.retain(|own| own.position < position);
            known.trusted.retain_mut(|range| {
                range.1 = range.1.min(position);
                range.0 < range.1
            });
            known.rows = Rows::Memory(rows.into_iter().filter(|row| row.position < position).collect());
        }
        self.slot.is_synced();
        self.recount_newest()
    }

    /// Finds the highest timestamp again, from the last row on.
    fn recount_newest(&self) -> Result<(), StorageError> {
        let (from, end, mut newest) = {
            let known = self.known.read();
            let row = self.row_before(&known, |_| true);
            let before = row.map_or(i64::MIN, |row| row.newest_before);
            (row.map_or(self.start(), |row| row.cursor()), known.end, (before != i64::MIN).then_some(before))
        };
        self.walk(from, end, u64::MAX, &mut |found, _| {
            if let Frame::Batch(batch, _) = found.frame {
                newest = newest.max(Some(batch.max_timestamp));
            }
            Ok(true)
        })?;
        let mut known = self.known.write();
        known.newest = newest;
        known.first_timestamp = known.first_timestamp.filter(|_| newest.is_some());
        Ok(())
    }

    /// Removes the files of the segment.
    pub(crate) fn remove(&self) -> Result<(), StorageError> {
        remove_if_there(self.files.disk().as_ref(), &index_path(&self.path))?;
        remove_if_there(self.files.disk().as_ref(), &self.path)
    }
}

impl Known {
    /// Takes in a frame that lies at `position` and has `total` bytes.
    pub(crate) fn note(&mut self, position: u64, total: usize, id: EntryId, frame: &Frame<'_>) {
        self.epochs.note(id, self.next_offset);
        if let Rows::Memory(rows) = &mut self.rows
            && rows.last().is_none_or(|row| position >= row.position + ROW_EVERY)
        {
            let newest_before = self.newest.unwrap_or(i64::MIN);
            rows.push(Row { position, offset: self.next_offset, index: id.index, newest_before });
        }
        match frame {
            Frame::Batch(batch, _) => {
                self.next_offset = batch.next_offset();
                self.first_timestamp.get_or_insert(batch.max_timestamp);
                self.newest = self.newest.max(Some(batch.max_timestamp));
            }
            Frame::Own { kind, next_offset, .. } => {
                if *kind == FrameKind::Gap {
                    self.next_offset = *next_offset;
                }
                self.own.push(OwnFrame { position, length: u32::try_from(total).unwrap_or(u32::MAX) });
            }
        }
        self.end = position + total as u64;
        self.next_index = id.index.next();
    }

    /// Sealed, and its index was not tried yet.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_sealed && matches!(self.rows, Rows::Memory(_)) && !self.is_index_tried
    }

    /// Where the next frame goes.
    pub(crate) fn behind(&self) -> Cursor {
        let term = self.epochs.terms().last().map_or(LeaderEpoch(i32::MIN), |term| term.epoch);
        Cursor { position: self.end, index: self.next_index, offset: self.next_offset, term }
    }

    pub(crate) fn has_records(&self, base_offset: Offset) -> bool {
        self.next_offset > base_offset
    }

    /// The first frame of our own at or behind a position.
    pub(crate) fn own_from(&self, position: u64) -> Option<OwnFrame> {
        let place = self.own.partition_point(|own| own.position < position);
        self.own.get(place).copied()
    }

    /// Bytes that this process wrote or checked.
    pub(crate) fn trust(&mut self, start: u64, end: u64) {
        let mut merged = (start, end);
        self.trusted.retain(|range| {
            let apart = range.1 < merged.0 || range.0 > merged.1;
            if !apart {
                merged = (merged.0.min(range.0), merged.1.max(range.1));
            }
            apart
        });
        let place = self.trusted.partition_point(|range| range.0 < merged.0);
        self.trusted.insert(place, merged);
    }

    pub(crate) fn is_trusted(&self, start: u64, end: u64) -> bool {
        self.trusted.iter().any(|range| range.0 <= start && end <= range.1)
    }

    /// From the first timestamp to the highest.
    pub(crate) fn span(&self) -> Option<i64> {
        Some(self.newest?.saturating_sub(self.first_timestamp?))
    }

    /// The rows that are in memory and our own frames, as an index file repeats them.
    pub(crate) fn places(&self) -> (&[Row], &[OwnFrame]) {
        match &self.rows {
            Rows::Memory(rows) => (rows, &self.own),
            Rows::Indexed => (&[], &self.own),
        }
    }

    pub(crate) fn summary(&self, segment: &Segment) -> Summary {
        Summary {
            bytes: self.end,
            first_index: segment.first_index,
            next_index: self.next_index,
            base_offset: segment.base_offset,
            next_offset: self.next_offset,
            newest: self.newest.unwrap_or(i64::MIN),
        }
    }

    /// The highest timestamp, for retention.
    pub(crate) fn newest_timestamp(&self) -> Option<Timestamp> {
        self.newest.map(Timestamp)
    }
}

/// Where the frame behind this one begins, if this one is what has to lie there.
fn follow(next: &Cursor, common: &Common, frame: &Frame<'_>) -> Result<Cursor, String> {
    if common.term < next.term.0 {
        return Err(format!("term {} behind term {}", common.term, next.term.0));
    }
    let position = next.position + common.total as u64;
    let term = LeaderEpoch(common.term);
    if let Frame::Own { kind: FrameKind::Gap, id, next_offset, .. } = frame {
        return if id.index >= next.index && *next_offset >= next.offset {
            Ok(Cursor { position, index: id.index.next(), offset: *next_offset, term })
        } else {
            let (index, offset) = (id.index.0, next_offset.0);
            Err(format!("a gap up to {index} and offset {offset} where {} and {} follow", next.index.0, next.offset.0))
        };
    }
    if Offset(common.offset) != next.offset {
        return Err(format!("offset {} where {} follows", common.offset, next.offset.0));
    }
    let offset = match frame {
        Frame::Own { id, .. } if id.index != next.index => {
            return Err(format!("index {} where {} follows", id.index.0, next.index.0));
        }
        Frame::Own { .. } => next.offset,
        Frame::Batch(batch, _) if batch.next_offset() <= next.offset => {
            return Err(format!("a batch without records at offset {}", next.offset.0));
        }
        Frame::Batch(batch, _) => batch.next_offset(),
    };
    Ok(Cursor { position, index: next.index.next(), offset, term })
}

/// Where the index of a segment lies.
pub(crate) fn index_path(segment: &Path) -> PathBuf {
    segment.with_extension("index")
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    match disk.remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).context("remove", path),
    }
}

const _: () = assert!(COMMON <= OWN_HEADER, "a walk that sees an own header sees the common start");
