//! What lies in a directory, for whoever looks from outside. Nothing here writes: hand in a [`ScratchDisk`].
//!
//! Files are read by the code that recovery and replay use, so what is shown is what a start would see. Each function looks at
//! one thing and answers with what it found and where that stops being good; [`recovered`] runs recovery itself in memory.
//!
//! [`ScratchDisk`]: crate::disk::scratch::ScratchDisk

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};

pub use crate::disk::scratch::ScratchDisk;
use crate::disk::{Disk, OpenMode};
use crate::entry::{Frame, OWN_HEADER, header};
use crate::error::{Context, StorageError};
use crate::index::file::{self, IndexFile};
use crate::journal::record::{LogChanges, LogId};
use crate::journal::replay::{self, FileRead};
pub use crate::journal::{Gap, Replay, ReplayedLog};
use crate::log::Log;
use crate::log_folder::Folder;
pub use crate::log_folder::META;
use crate::open_files::OpenFiles;
pub use crate::recovery::Damage;
use crate::segment::{Cursor, Segment, base_offset_of, file_name, index_path};
pub use crate::snapshots::Snapshot;
use crate::{atomic_file, log_folder, recovery, snapshots};

/// Files that are read whole are shorter than this: a length beyond it is not theirs.
const WHOLE_FILE_BYTES: u64 = 4 << 30;
/// Segments that are open at a time.
const OPEN_FILES: usize = 64;

/// One journal file.
#[derive(Clone, Debug)]
pub struct JournalFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its length.
    pub length: u64,
    /// Its records, in order.
    pub records: Vec<JournalRecord>,
    /// Where a record of the same use of the file begins behind the last good one, and is not good itself.
    pub torn: Option<u64>,
}

/// One record of the journal.
#[derive(Clone, Debug)]
pub struct JournalRecord {
    /// Where it begins.
    pub position: u64,
    /// Its length, padding included.
    pub length: u64,
    /// Which use of the file it belongs to.
    pub lap: u64,
    /// Its number, over all files.
    pub sequence: u64,
    /// Records below this number are void.
    pub needed_from: u64,
    /// The lap of the file behind this one.
    pub next_lap: u64,
    /// The highest log id so far.
    pub newest_log: u64,
    /// What the record before it made durable: the watermark chain.
    pub proven: Vec<(LogId, EntryId)>,
    /// What it says of each log.
    pub logs: Vec<LogChanges>,
}

/// A journal, and what it says of every log.
#[derive(Debug)]
pub struct JournalRead {
    /// Its files, by name.
    pub files: Vec<JournalFile>,
    /// Files that cannot be read.
    pub failed: Vec<StorageError>,
    /// What replay makes of the others.
    pub replay: Replay,
}

/// A segment, walked whole.
#[derive(Clone, Debug)]
pub struct SegmentRead {
    /// Where it lies.
    pub path: PathBuf,
    /// The offset in its name.
    pub base_offset: Offset,
    /// Its length.
    pub length: u64,
    /// Where the good entries end.
    pub end: u64,
    /// The index of its first entry.
    pub first_index: Index,
    /// The index that follows its last entry.
    pub next_index: Index,
    /// The offset that follows its last record.
    pub next_offset: Offset,
    /// The terms of its entries: each with the first index and the next offset there.
    pub terms: Vec<(LeaderEpoch, Index, Offset)>,
    /// Batches of records.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Frames of our own.
    pub own_frames: u64,
    /// The highest timestamp.
    pub max_timestamp: Option<i64>,
    /// Where it stops being good, and why.
    pub bad: Option<(u64, String)>,
    /// Its index file.
    pub index: IndexState,
}

/// How an index file stands to its segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// There is none.
    Absent,
    /// It says what the segment's first so many bytes say.
    Agrees {
        /// Bytes of the segment that it covers.
        covers: u64,
        /// Its rows.
        rows: usize,
    },
    /// Its pages are good; the segment is bad in front of where it ends.
    NotCompared {
        /// Bytes of the segment that it covers.
        covers: u64,
    },
    /// It cannot be used: a start makes it anew.
    Bad {
        /// The byte of the index file.
        position: u64,
        /// Why.
        reason: String,
    },
}

/// One entry of a segment.
#[derive(Clone, Copy, Debug)]
pub struct EntryRead<'a> {
    /// Where it begins.
    pub position: u64,
    /// Which entry.
    pub id: EntryId,
    /// What it is.
    pub frame: Frame<'a>,
    /// All its bytes.
    pub bytes: &'a [u8],
}

/// An index file, without its segment.
#[derive(Clone, Debug)]
pub struct IndexRead {
    /// Bytes of the segment that it covers.
    pub covers: u64,
    /// The index of the segment's first entry.
    pub first_index: Index,
    /// The index that follows the last.
    pub next_index: Index,
    /// The segment's base offset.
    pub base_offset: Offset,
    /// The offset that follows its last record.
    pub next_offset: Offset,
    /// The highest timestamp.
    pub max_timestamp: Option<i64>,
    /// Position, next offset, index, and highest timestamp in front.
    pub rows: Vec<(u64, Offset, Index, Option<i64>)>,
    /// Position and length of each frame of our own.
    pub own_frames: Vec<(u64, u32)>,
    /// Term, its first index, and the next offset there.
    pub terms: Vec<(LeaderEpoch, Index, Offset)>,
}

/// What recovery would make of a log.
pub struct Recovered {
    /// The log, in memory as far as it differs from what lies on the disk.
    pub log: Log,
    /// What it has lost.
    pub damage: Option<Damage>,
}

/// Reads all files of a journal directory. A file that cannot be read is named and counts as absent.
pub fn journal(disk: &Arc<dyn Disk>, dir: &Path) -> Result<JournalRead, StorageError> {
    let (mut read, mut failed) = (Vec::new(), Vec::new());
    for entry in disk.list(dir).context("list", dir)? {
        if crate::journal::number_of(&entry.name).is_some() {
            match read_journal_file(disk, &dir.join(&entry.name)) {
                Ok(file) => read.push(file),
                Err(error) => failed.push(error),
            }
        }
    }
    let replay = replay::fold(disk, &read)?;
    Ok(JournalRead { files: read.into_iter().map(JournalFile::from).collect(), failed, replay })
}

/// Reads one journal file.
pub fn journal_file(disk: &Arc<dyn Disk>, path: &Path) -> Result<JournalFile, StorageError> {
    read_journal_file(disk, path).map(JournalFile::from)
}

fn read_journal_file(disk: &Arc<dyn Disk>, path: &Path) -> Result<FileRead, StorageError> {
    check_length(disk.as_ref(), path)?;
    replay::read_file(disk, path)
}

impl From<FileRead> for JournalFile {
    fn from(file: FileRead) -> Self {
        let record = |(position, record): (usize, crate::journal::codec::Decoded)| JournalRecord {
            position: position as u64,
            length: record.length,
            lap: record.header.lap,
            sequence: record.header.sequence,
            needed_from: record.header.needed_from,
            next_lap: record.header.next_lap,
            newest_log: record.header.newest_log,
            proven: record.proven,
            logs: record.logs,
        };
        Self {
            path: file.path,
            length: file.length,
            records: file.records.into_iter().map(record).collect(),
            torn: file.torn.map(|position| position as u64),
        }
    }
}

/// The id in a log's folder.
pub fn log_id(disk: &dyn Disk, dir: &Path) -> Result<LogId, StorageError> {
    let path = dir.join(META);
    if disk.open(&path, OpenMode::Read).is_ok() {
        check_length(disk, &path)?;
    }
    let (logs, name) = split(dir);
    match log_folder::read(disk, logs, name)? {
        Folder::Log(id) => Ok(id),
        Folder::Leftover => Err(StorageError::corrupt(dir, 0, "a log that was being made or removed")),
    }
}

/// Whether a folder of that name was being made or removed: a start removes it.
pub fn is_leftover(name: &str) -> bool {
    log_folder::is_leftover(name)
}

/// The segments of a log's folder, by base offset.
pub fn segments(disk: &dyn Disk, dir: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let entries = disk.list(dir).context("list", dir)?;
    Ok(entries
        .iter()
        .filter(|entry| base_offset_of(&entry.name).is_some())
        .map(|entry| dir.join(&entry.name))
        .collect())
}

/// The base offset in the name of a segment, where it is one.
pub fn base_offset(path: &Path) -> Option<Offset> {
    base_offset_of(path.file_name()?.to_str()?)
}

/// The segment of a base offset.
pub fn segment_path(dir: &Path, base_offset: Offset) -> PathBuf {
    dir.join(file_name(base_offset))
}

/// Walks a segment, every frame with its CRC, behind the one in front of it if that is known; holds its index against it.
pub fn segment(
    disk: &Arc<dyn Disk>,
    path: &Path,
    after: Option<&SegmentRead>,
    visit: &mut dyn FnMut(EntryRead<'_>),
) -> Result<SegmentRead, StorageError> {
    let base_offset = base_offset(path).ok_or_else(|| StorageError::corrupt(path, 0, "its name is no segment's"))?;
    let length = disk.open(path, OpenMode::Read).and_then(|file| file.length()).context("open", path)?;
    let first_index = match after {
        Some(after) => after.next_index,
        None => first_index(disk.as_ref(), path)?,
    };
    let files = OpenFiles::new(Arc::clone(disk), 1, 1);
    let segment = Segment::new(files, path.to_owned(), base_offset, first_index, None);
    let term = after.and_then(|after| after.terms.last()).map_or(LeaderEpoch(i32::MIN), |term| term.0);
    let (mut batches, mut records, mut own_frames) = (0, 0, 0);
    let mut index = IndexCheck::new(disk.as_ref(), &index_path(path));
    let walked = segment.walk(Cursor { term, ..segment.start() }, length, 0, &mut |found, bytes| {
        segment.known.write().note(found.position, found.total, found.id, &found.frame);
        index.reached(&segment);
        match found.frame {
            Frame::Batch(batch, _) => {
                batches += 1;
                records += u64::try_from(batch.count).unwrap_or_default();
            }
            Frame::Own { .. } => own_frames += 1,
        }
        visit(EntryRead { position: found.position, id: found.id, frame: found.frame, bytes });
        Ok(true)
    });
    let bad = match walked {
        Ok(()) if length == 0 => Some((0, "an empty segment".to_owned())),
        Ok(()) => None,
        Err(StorageError::Corrupt { position, reason, .. }) => Some((position, reason)),
        Err(StorageError::Later { position, what, .. }) => {
            Some((position, format!("{what}, which a later version wrote")))
        }
        Err(error) => return Err(error),
    };
    let known = segment.known.read();
    let index = index.finish(known.end, bad.is_some());
    Ok(SegmentRead {
        path: path.to_owned(),
        base_offset,
        length,
        end: known.end,
        first_index,
        next_index: known.next_index,
        next_offset: known.next_offset,
        terms: known.epochs.terms().iter().map(|term| (term.epoch, term.from_index, term.from_offset)).collect(),
        batches,
        records,
        own_frames,
        max_timestamp: known.newest,
        bad,
        index,
    })
}

/// The index that a segment's first frame says, as recovery takes it.
pub fn first_index(disk: &dyn Disk, path: &Path) -> Result<Index, StorageError> {
    let mut bytes = vec![0; OWN_HEADER];
    let read = disk.open(path, OpenMode::Read).and_then(|file| file.read_at(&mut bytes, 0)).context("read", path)?;
    bytes.truncate(read);
    Ok(match header(&bytes) {
        Ok(Frame::Own { id, .. }) => id.index,
        _ => Index(1),
    })
}

/// Holds an index against its segment when the walk comes to where the index ends.
enum IndexCheck {
    Waiting(Box<IndexFile>),
    Done(IndexState),
}

impl IndexCheck {
    fn new(disk: &dyn Disk, path: &Path) -> Self {
        let read = check_length(disk, path).and_then(|()| file::read(disk, path));
        Self::Done(match read {
            Ok(index) => return Self::Waiting(Box::new(index)),
            Err(StorageError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => IndexState::Absent,
            Err(StorageError::Corrupt { position, reason, .. }) => IndexState::Bad { position, reason },
            Err(error) => IndexState::Bad { position: 0, reason: error.to_string() },
        })
    }

    fn reached(&mut self, segment: &Segment) {
        let Self::Waiting(index) = self else { return };
        let known = segment.known.read();
        if known.end == index.summary.bytes {
            *self = Self::Done(compared(index, segment, &known));
        }
    }

    fn finish(self, end: u64, is_segment_bad: bool) -> IndexState {
        match self {
            Self::Done(state) => state,
            Self::Waiting(index) if is_segment_bad => IndexState::NotCompared { covers: index.summary.bytes },
            Self::Waiting(index) if index.summary.bytes > end => IndexState::Bad {
                position: 0,
                reason: format!("it covers {} bytes of a segment that has {end} good ones", index.summary.bytes),
            },
            Self::Waiting(index) => IndexState::Bad {
                position: 0,
                reason: format!("it covers {} bytes, where no frame of the segment ends", index.summary.bytes),
            },
        }
    }
}

fn compared(index: &IndexFile, segment: &Segment, known: &crate::segment::Known) -> IndexState {
    let (rows, own) = known.places();
    let other = [
        (index.summary != known.summary(segment), "its summary is not the segment's"),
        (index.rows.to_vec() != rows, "its rows are not the segment's"),
        (index.own != own, "its frames of our own are not the segment's"),
        (index.terms != known.epochs.terms(), "its terms are not the segment's"),
    ];
    match other.iter().find(|(is_other, _)| *is_other) {
        Some((_, reason)) => IndexState::Bad { position: 0, reason: (*reason).to_owned() },
        None => IndexState::Agrees { covers: index.summary.bytes, rows: rows.len() },
    }
}

/// Reads an index file.
pub fn index(disk: &dyn Disk, path: &Path) -> Result<IndexRead, StorageError> {
    check_length(disk, path)?;
    let IndexFile { summary, rows, own, terms } = file::read(disk, path)?;
    let rows = rows.to_vec();
    Ok(IndexRead {
        covers: summary.bytes,
        first_index: summary.first_index,
        next_index: summary.next_index,
        base_offset: summary.base_offset,
        next_offset: summary.next_offset,
        max_timestamp: some_time(summary.newest),
        rows: rows.iter().map(|row| (row.position, row.offset, row.index, some_time(row.newest_before))).collect(),
        own_frames: own.iter().map(|own| (own.position, own.length)).collect(),
        terms: terms.iter().map(|term| (term.epoch, term.from_index, term.from_offset)).collect(),
    })
}

fn some_time(timestamp: i64) -> Option<i64> {
    (timestamp != i64::MIN).then_some(timestamp)
}

/// The snapshots of a log's folder, oldest first.
pub fn snapshot_paths(disk: &dyn Disk, dir: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let entries = disk.list(dir).context("list", dir)?;
    Ok(entries.iter().filter(|entry| entry.name.ends_with(".snapshot")).map(|entry| dir.join(&entry.name)).collect())
}

/// Reads one snapshot.
pub fn snapshot(disk: &dyn Disk, path: &Path) -> Result<Snapshot, StorageError> {
    check_length(disk, path)?;
    let (dir, name) = split(path);
    let snapshot =
        snapshots::read(disk, dir, name)?.ok_or_else(|| StorageError::corrupt(path, 0, "it is not there"))?;
    let is_named = snapshots::file_name(snapshot.id.index) == name;
    is_named
        .then_some(snapshot)
        .ok_or_else(|| StorageError::corrupt(path, 0, "its name is not the index that it is as of"))
}

/// The newest snapshot of a folder, by its name.
pub fn newest_snapshot(disk: &dyn Disk, dir: &Path) -> Result<Option<Index>, StorageError> {
    snapshots::newest(disk, dir)
}

/// The content of an atomic file.
pub fn atomic(disk: &dyn Disk, path: &Path) -> Result<Option<bytes::Bytes>, StorageError> {
    let (dir, name) = split(path);
    match check_length(disk, path) {
        Err(StorageError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(()) => atomic_file::read(disk, dir, name),
    }
}

/// Runs recovery over a log in memory: what a start would find and do, none of it done.
pub fn recovered(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    id: LogId,
    replayed: &ReplayedLog,
    all_damaged: bool,
) -> Result<Recovered, StorageError> {
    let scratch: Arc<dyn Disk> = Arc::new(ScratchDisk::over(Arc::clone(disk)));
    let files = OpenFiles::new(scratch, OPEN_FILES, OPEN_FILES);
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let found = recovery::recover(&files, dir, id, &name, replayed, all_damaged, &Arc::new(AtomicU64::new(0)))?;
    Ok(Recovered { log: found.log, damage: found.damage })
}

fn check_length(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    let length = disk.open(path, OpenMode::Read).and_then(|file| file.length()).context("open", path)?;
    if length > WHOLE_FILE_BYTES {
        return Err(StorageError::corrupt(
            path,
            WHOLE_FILE_BYTES,
            format!("{length} bytes: no file of this kind is so long"),
        ));
    }
    Ok(())
}

fn split(path: &Path) -> (&Path, &str) {
    let dir = path.parent().unwrap_or(Path::new(""));
    (dir, path.file_name().and_then(|name| name.to_str()).unwrap_or_default())
}
