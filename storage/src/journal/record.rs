//! What a journal record says: for each log a list of changes, in the order in which they were made.

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index, Offset};

/// Names a log within its data directory. Never used again, also not after the log is dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LogId(pub u64);

/// Counts the bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position(pub u64);

/// A place in a log's files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// The index of the segment's opening frame, which names its file uniquely.
    pub segment: Index,
    /// The offset in that segment's file name.
    pub base_offset: Offset,
    /// The byte in it.
    pub position: Position,
}

/// Raft's hard state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HardState {
    /// Current term.
    pub term: u64,
    /// Raft id voted for in it, 0 for none.
    pub vote: u64,
    /// Highest index known committed.
    pub commit: u64,
}

/// Where a process runs: what a page cache holds is there as long as neither changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Boot {
    /// Drawn by the kernel at each boot.
    pub id: [u8; 16],
    /// The device that holds the directory.
    pub device: u64,
}

/// Where a log ends, or ended: what a checkpoint says is durable, and what a cut leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Checkpoint {
    /// Where the bytes end.
    pub end: Place,
    /// The last entry below `end`.
    pub last: EntryId,
    /// The offset of the next record behind it.
    pub next_offset: Offset,
    /// How many cuts the log had seen: what was true before a cut says nothing of what came after it.
    pub cut: u64,
}

/// Frames that follow each other within one segment file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Run {
    /// Where the first byte goes.
    pub start: Place,
    /// The index of the first frame.
    pub first: Index,
    /// The last frame's entry.
    pub last: EntryId,
    /// The offset of the next record behind the run.
    pub next_offset: Offset,
    /// How many cuts the log had seen before.
    pub cut: u64,
    /// The frames, one or more a slice.
    pub bytes: Vec<Bytes>,
}

/// One thing that happened to a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Frames were appended.
    Append(Run),
    /// Every entry behind this end was cut; `cut` counts this one too.
    Truncate(Checkpoint),
    /// Segment files were synced up to here.
    Checkpoint(Checkpoint),
    /// Term, vote or commit changed.
    HardState(HardState),
    /// The log is gone; its files may be removed.
    Drop,
    /// The last entry that is durable for sure; said by the first record of each file.
    Last(EntryId),
    /// The log has lost what was durable, and is not repaired yet.
    Damaged,
    /// Appends and cuts that were said before are void: those that no checkpoint covers are said again behind this.
    Anew,
    /// Entries may have been acknowledged from the page cache of that boot alone.
    Open(Boot),
    /// All that was acknowledged is durable again.
    Closed,
}

/// The changes of one log in one record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogChanges {
    /// Whose.
    pub log: LogId,
    /// In the order in which they were made.
    pub changes: Vec<Change>,
}
