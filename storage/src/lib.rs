//! One directory of logs: segments of wire bytes, their indices, one journal for all of them, and recovery.
//!
//! Knows neither topics nor leaders: a log has a name and a [`journal::record::LogId`], an entry an index and a term. No
//! clock, no threads, no async; the disk is an argument.
//!
//! Invariants on disk:
//! - A segment begins with an entry of our own, which carries format version, index and term.
//! - Entries lie behind each other without a gap: indices ascend by one, offsets follow each other, terms never fall.
//! - Bytes below a log's checkpoint are durable; nothing above it is believed before it was checked and written anew.
//! - Whatever was flushed is in the journal or below a checkpoint.

/// Whether this thread is to commit that mistake: never, but in tests of this crate.
#[cfg(feature = "planted")]
macro_rules! planted {
    ($bug:ident) => {
        crate::planted::current() == Some(crate::planted::Bug::$bug)
    };
}
#[cfg(not(feature = "planted"))]
macro_rules! planted {
    ($bug:ident) => {
        crate::never()
    };
}

#[cfg(not(feature = "planted"))]
const fn never() -> bool {
    false
}

pub mod atomic_file;
pub mod compaction;
pub mod disk;
pub mod entry;
mod epochs;
pub mod error;
pub mod index;
pub mod inspect;
pub mod journal;
pub mod limits;
pub mod log;
mod log_folder;
mod open_files;
mod opening;
#[cfg(feature = "planted")]
pub mod planted;
pub mod reader;
mod recovery;
pub mod scrub;
mod segment;
mod snapshots;
pub mod store;
