//! Mistakes that the tests switch on, one at a time, to see whether they are noticed.
//!
//! Only a build for tests has the feature `planted`: elsewhere [`planted!`] is `false`.

use std::cell::Cell;

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Makes this thread commit a mistake from now on, or none.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// The mistake that this thread commits.
pub fn current() -> Option<Bug> {
    PLANTED.get()
}

macro_rules! bugs {
    ($($name:ident: $what:literal,)*) => {
        /// A mistake.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Bug {
            $(#[doc = $what] $name,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What is done wrong.
            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$name => $what,)*
                }
            }
        }
    };
}

bugs! {
    RecordNotSynced: "a journal record counts as durable without a sync",
    FirstRecordNotSynced: "the first record of a journal file is not synced",
    RecordNotChecked: "the CRC of a journal record is not checked",
    OldLapBelieved: "records of a file's earlier use are believed",
    GapsNotSeen: "missing sequence numbers are not noticed",
    VoidRecordsCount: "records before a fresh start count",
    NextLapNotSearched: "a file whose first record is bad counts as unused",
    NewestRecordNotWrittenAnew: "recovery acts on a record that only the page cache has",
    WrongRecordProven: "a record names what it holds itself as durable, and not what the one before it held",
    HardStateNotRepeated: "a recycled file takes the hard state with it",
    RecycledWithoutCheckpoint: "a journal file is recycled before a checkpoint covers it",
    RecycledTooEarly: "a journal file is used again before a record that gives it up is durable",
    JournalNameNotSynced: "the name of a new journal file is not synced",
    NothingSaidAnew: "what the journal holds of a log out of use goes with its file",
    FullFilesNotCounted: "full journal files hold nobody back",
    CutCountsAsProof: "the record of a cut calls the entry in front of it durable",
    SegmentNotSynced: "a checkpoint is journalled without a sync",
    OlderSegmentsNotSynced: "a checkpoint covers segments that were not synced",
    NamesNotSynced: "a checkpoint covers names that were not synced",
    LateCheckpointCounts: "a checkpoint from before a cut counts behind it",
    SyncIsNoCheckpoint: "what a checkpoint covers is replayed",
    CutBeforeItsRecord: "a cut below the checkpoint is made before its record is durable",
    CutNotJournalled: "a cut is not journalled",
    CutNotSynced: "a cut is not synced before bytes are written behind it",
    IndexOutlivesCut: "a cut leaves the index",
    OvertakenPlanCarriedOut: "a cut is made as it was planned before a checkpoint",
    TrimmedTooEarly: "a segment is trimmed that the journal speaks of",
    TrimsNotSynced: "segments are trimmed without a sync in between",
    FailedSyncForgotten: "a log goes on after a failed sync",
    ClosedUnsynced: "a file is closed with unsynced bytes",
    RenamedBeforeSync: "an atomic file is renamed before it is synced",
    RenameNotSynced: "the new name of an atomic file is not synced",
    LogNameNotSynced: "a new log counts before its name is synced",
    RemovedInPlace: "a log's files are removed one by one under its name",
    ReplayKeepsTail: "replay keeps what lies behind bytes that it changed",
    ReplayWritesFirst: "replay writes before it cuts",
    ReplayKeepsSegments: "replay cuts one file and keeps later ones",
    TailNotChecked: "recovery takes frames by their headers",
    TailNotSynced: "what recovery keeps or cuts is not synced",
    TailNotWrittenAnew: "what recovery keeps is synced, but not written anew",
    AllWrittenAnew: "a start writes anew what a checkpoint covers",
    IndexNotChecked: "the CRC of an index page is not checked",
    HoleNotSeen: "a log may begin behind a hole",
    CleanedNotSynced: "a segment written anew takes the old one's place unsynced",
    OldIndexBelieved: "the index of the old segment stays beside the new one",
    TombstoneGoesAtOnce: "compaction keeps no tombstone",
}
