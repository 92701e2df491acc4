//! What can go wrong, by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::entry::FrameError;

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
    /// Whoever was asked whether to go on said no.
    #[error("interrupted")]
    Interrupted,
    /// A frame that a later version wrote.
    #[error("{} holds at byte {position} {what}, which this version does not read: start the version that wrote it", path.display())]
    Later {
        /// Which file.
        path: PathBuf,
        /// Where.
        position: u64,
        /// What is not known.
        what: String,
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
    /// Whether the process lacks something (descriptors, memory), and the log may be as good as ever.
    pub fn is_of_the_process(&self) -> bool {
        let lacks = |source: &io::Error| {
            use rustix::io::Errno;
            let lacking = [Errno::MFILE, Errno::NFILE, Errno::NOMEM].map(Errno::raw_os_error);
            source.raw_os_error().is_some_and(|code| lacking.contains(&code))
        };
        matches!(self, Self::Io { source, .. } if lacks(source))
    }

    pub(crate) fn corrupt(path: &Path, position: u64, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), position, reason: reason.into() }
    }

    /// Bytes of a file that are no frame, or one that this version does not know.
    pub(crate) fn frame(path: &Path, position: u64, error: &FrameError) -> Self {
        match error {
            FrameError::Later { .. } => Self::Later { path: path.to_owned(), position, what: error.to_string() },
            _ => Self::corrupt(path, position, error.to_string()),
        }
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
