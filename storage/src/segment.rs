//! One segment file, and what is known of its entries.
//!
//! Invariant: `synced <= end`; rows and own frames ascend by position; every byte below `end` belongs to a whole frame.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset, Timestamp};
use parking_lot::RwLock;

use crate::disk::{Disk, DiskFile};
use crate::entry::{COMMON, Common, Frame, OWN_HEADER, header};
use crate::error::{Context, StorageError};
use crate::index::file::{self, MappedRows, Summary};
use crate::index::row::{OwnFrame, Row};
use crate::limits::WALK_BYTES;
use crate::open_files::{OpenFiles, Slot};

/// A row is made when the one before it lies this far back.
pub(crate) const ROW_EVERY: u64 = 4096;
/// Frames from this size on are walked by their headers alone.
const BIG_FRAME: usize = 16 * 1024;

pub(crate) struct Segment {
    pub(crate) base_offset: Offset,
    pub(crate) first_index: Index,
    pub(crate) path: PathBuf,
    files: Arc<OpenFiles>,
    slot: Arc<Slot>,
    pub(crate) known: RwLock<Known>,
}

/// What is known of a segment's content.
pub(crate) struct Known {
    pub(crate) end: u64,
    pub(crate) next_offset: Offset,
    pub(crate) next_index: Index,
    /// The highest timestamp and the offset of the batch that has it.
    pub(crate) newest: Option<(i64, Offset)>,
    pub(crate) first_timestamp: Option<i64>,
    pub(crate) first_term: LeaderEpoch,
    pub(crate) last_term: LeaderEpoch,
    pub(crate) synced: u64,
    pub(crate) is_sealed: bool,
    rows: Rows,
    own: Vec<OwnFrame>,
    /// Ranges of bytes whose CRC was checked by this process, ascending and apart from each other.
    trusted: Vec<(u64, u64)>,
}

enum Rows {
    Memory(Vec<Row>),
    Mapped(MappedRows),
}

impl Rows {
    fn below(&self, end: u64) -> Vec<Row> {
        let rows: Vec<Row> = match self {
            Self::Memory(rows) => rows.clone(),
            Self::Mapped(rows) => (0..rows.len()).filter_map(|place| rows.get(place)).collect(),
        };
        rows.into_iter().filter(|row| row.position < end).collect()
    }
}

/// A frame found by walking: where, and its header.
pub(crate) struct Found {
    pub(crate) position: u64,
    pub(crate) common: Common,
}

/// Sees a frame and at least its header. Answers whether to go on.
type Visit<'a> = &'a mut dyn FnMut(Found, &[u8]) -> Result<bool, StorageError>;

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
            first_term: LeaderEpoch(0),
            last_term: LeaderEpoch(0),
            synced: 0,
            is_sealed: false,
            rows: Rows::Memory(Vec::new()),
            own: Vec::new(),
            trusted: Vec::new(),
        };
        let slot = Arc::default();
        if let Some(file) = file {
            files.put(&slot, file);
        }
        Self { base_offset, first_index, path, files, slot, known: RwLock::new(known) }
    }

    /// A sealed segment by its index file, if that fits.
    pub(crate) fn from_index(files: Arc<OpenFiles>, path: &Path, base_offset: Offset, bytes: u64) -> Option<Self> {
        let (summary, rows, own) = file::open(files.disk().as_ref(), &index_path(path))?;
        if summary.base_offset != base_offset || summary.bytes != bytes {
            return None;
        }
        let segment = Self::new(files, path.to_owned(), base_offset, summary.first_index, None);
        {
            let mut known = segment.known.write();
            known.end = bytes;
            known.synced = bytes;
            known.next_offset = summary.next_offset;
            known.next_index = summary.next_index;
            known.newest = (summary.newest != i64::MIN).then_some((summary.newest, summary.newest_offset));
            known.first_timestamp = known.newest.map(|(newest, _)| newest);
            known.first_term = summary.first_term;
            known.last_term = summary.last_term;
            known.is_sealed = true;
            known.rows = Rows::Mapped(rows);
            known.own = own;
        }
        Some(segment)
    }

    /// The open file.
    pub(crate) fn file(&self) -> Result<Arc<dyn DiskFile>, StorageError> {
        self.files.get(&self.slot, &self.path)
    }

    /// All bytes up to there are synced. Gives back how many were not before.
    pub(crate) fn synced_to(&self, end: u64) -> u64 {
        let mut known = self.known.write();
        let newly = end.saturating_sub(known.synced);
        known.synced = known.synced.max(end);
        if known.synced == known.end {
            self.slot.is_synced();
        }
        newly
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

    /// Walks frames by their headers from `position` on, which begins one, until `visit` answers `false` or `end` is reached.
    pub(crate) fn walk(&self, position: u64, end: u64, visit: Visit<'_>) -> Result<(), StorageError> {
        let file = self.file()?;
        let mut window = Vec::new();
        let mut window_at = position;
        let mut at = position;
        let mut step = 4096;
        while at < end {
            let inside = usize::try_from(at - window_at).unwrap_or(usize::MAX);
            let header_is_here = window.get(inside..inside.saturating_add(OWN_HEADER.max(61))).is_some();
            if !header_is_here {
                window.resize(step.min(usize::try_from(end - at).unwrap_or(step)), 0);
                let read = file.read_at(&mut window, at).context("read", &self.path)?;
                window.truncate(read);
                window_at = at;
            }
            let inside = usize::try_from(at - window_at).unwrap_or(usize::MAX);
            let here = window.get(inside..).unwrap_or_default();
            let common =
                Common::decode(here).map_err(|error| StorageError::corrupt(&self.path, at, error.to_string()))?;
            let total = common.total as u64;
            if at + total > end {
                return Err(StorageError::corrupt(&self.path, at, "a frame goes beyond the end of the segment"));
            }
            step = if common.total >= BIG_FRAME { 4096 } else { WALK_BYTES };
            let own_is_cut = common.magic == crate::entry::OWN_MAGIC && here.len() < common.total;
            let goes_on = if own_is_cut {
                let whole = self.read(at, common.total)?;
                visit(Found { position: at, common }, &whole)?
            } else {
                let shown = here.get(..common.total.min(here.len())).unwrap_or_default();
                if shown.len() < common.header_bytes() {
                    return Err(StorageError::corrupt(&self.path, at, "a header is cut short"));
                }
                visit(Found { position: at, common }, shown)?
            };
            if !goes_on {
                return Ok(());
            }
            at += total;
        }
        Ok(())
    }

    /// Writes the index file of a sealed segment and maps it.
    pub(crate) fn write_index(&self) -> Result<(), StorageError> {
        let path = index_path(&self.path);
        let mut known = self.known.write();
        let Rows::Memory(rows) = &known.rows else {
            return Ok(());
        };
        file::write(self.files.disk().as_ref(), &path, &known.summary(self), rows, &known.own)?;
        if let Some((_, rows, _)) = file::open(self.files.disk().as_ref(), &path) {
            known.rows = Rows::Mapped(rows);
        }
        Ok(())
    }

    /// Cuts the file and forgets what was known of the bytes behind.
    pub(crate) fn cut(
        &self,
        end: u64,
        next_index: Index,
        next_offset: Offset,
        last_term: LeaderEpoch,
    ) -> Result<(), StorageError> {
        self.file()?.set_len(end).context("cut", &self.path)?;
        remove_if_there(self.files.disk().as_ref(), &index_path(&self.path))?;
        let mut known = self.known.write();
        known.end = end;
        known.synced = known.synced.min(end);
        known.next_index = next_index;
        known.next_offset = next_offset;
        known.last_term = last_term;
        known.is_sealed = false;
        known.own.retain(|own| own.position < end);
        known.trusted.retain_mut(|range| {
            range.1 = range.1.min(end);
            range.0 < range.1
        });
        known.rows = Rows::Memory(known.rows.below(end));
        // The newest timestamp may have been cut; a bound that is too high only makes a search look further.
        Ok(())
    }

    /// Removes the files of the segment.
    pub(crate) fn remove(&self) -> Result<(), StorageError> {
        remove_if_there(self.files.disk().as_ref(), &index_path(&self.path))?;
        remove_if_there(self.files.disk().as_ref(), &self.path)
    }
}

impl Known {
    /// Takes in a frame that lies at `position`. `bytes` holds at least its header.
    pub(crate) fn note(&mut self, position: u64, bytes: &[u8], id: EntryId) -> Result<(), crate::entry::FrameError> {
        let common = Common::decode(bytes)?;
        if self.end == 0 {
            self.first_term = id.term;
        }
        self.last_term = id.term;
        let offset = Offset(common.offset);
        let due = match &self.rows {
            Rows::Memory(rows) => rows.last().is_none_or(|row| position >= row.position + ROW_EVERY),
            Rows::Mapped(_) => false,
        };
        if due && let Rows::Memory(rows) = &mut self.rows {
            let newest_before = self.newest.map_or(i64::MIN, |(newest, _)| newest);
            rows.push(Row { position, offset, index: id.index, newest_before });
        }
        match header(bytes)? {
            Frame::Batch(batch, _) => {
                self.next_offset = batch.next_offset();
                self.first_timestamp.get_or_insert(batch.max_timestamp);
                if self.newest.is_none_or(|(newest, _)| newest < batch.max_timestamp) {
                    self.newest = Some((batch.max_timestamp, offset));
                }
            }
            Frame::Own { .. } => {
                self.own.push(OwnFrame { position, length: u32::try_from(common.total).unwrap_or(u32::MAX) });
            }
        }
        self.end = position + common.total as u64;
        self.next_index = id.index.next();
        Ok(())
    }

    pub(crate) fn has_records(&self, base_offset: Offset) -> bool {
        self.next_offset > base_offset
    }

    /// The last row for which `is_before` holds, and the one behind it.
    pub(crate) fn row_before(&self, is_before: impl Fn(&Row) -> bool) -> Option<Row> {
        match &self.rows {
            Rows::Memory(rows) => {
                let place = rows.partition_point(is_before).checked_sub(1)?;
                rows.get(place).copied()
            }
            Rows::Mapped(rows) => {
                let (mut low, mut high) = (0, rows.len());
                while low < high {
                    let middle = low + (high - low) / 2;
                    if is_before(&rows.get(middle)?) { low = middle + 1 } else { high = middle }
                }
                rows.get(low.checked_sub(1)?)
            }
        }
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
        Some(self.newest?.0.saturating_sub(self.first_timestamp?))
    }

    fn summary(&self, segment: &Segment) -> Summary {
        Summary {
            bytes: self.end,
            first_index: segment.first_index,
            next_index: self.next_index,
            base_offset: segment.base_offset,
            next_offset: self.next_offset,
            newest: self.newest.map_or(i64::MIN, |(newest, _)| newest),
            newest_offset: self.newest.map_or(Offset(-1), |(_, offset)| offset),
            first_term: self.first_term,
            last_term: self.last_term,
        }
    }

    /// The highest timestamp, for retention.
    pub(crate) fn newest_timestamp(&self) -> Option<Timestamp> {
        self.newest.map(|(newest, _)| Timestamp(newest))
    }
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
