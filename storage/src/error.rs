//! What can go wrong, by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the disk, or bytes on it that are not what they should be. Never retried.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A call of the disk failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// How it failed.
        source: io::Error,
    },
    /// Bytes that fail their check.
    #[error("{} is damaged at byte {position}: {reason}", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where.
        position: u64,
        /// How.
        reason: String,
    },
    /// An entry that does not follow the one before it. Our own mistake, found before it is written.
    #[error("log {log}: {reason}")]
    Misplaced {
        /// Which log.
        log: String,
        /// Why.
        reason: String,
    },
    /// A write or sync of this log, or of the journal, failed before: nothing of it is tried again in this process.
    #[error("{what} is out of use since an earlier failure: {reason}")]
    Poisoned {
        /// Which log, or the journal.
        what: String,
        /// The failure.
        reason: String,
    },
    /// A file of a format that this version does not read.
    #[error("{} has format version {found}; this version reads up to {known}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u8,
        /// Ours.
        known: u8,
    },
}

impl StorageError {
    pub(crate) fn corrupt(path: &Path, position: u64, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), position, reason: reason.into() }
    }
}

/// Adds what was tried, and on what, to a failure of the disk.
pub(crate) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, StorageError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, StorageError> {
        self.map_err(|source| StorageError::Io { action, path: path.to_owned(), source })
    }
}
