//! What is not as it should be, and where.

use std::path::{Path, PathBuf};

use highwater_storage::error::StorageError;

use super::line::Line;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Severity {
    /// A start sees to it, and nothing is lost.
    Note,
    /// A write that a stop cut short: it was never acknowledged as durable, and a start cuts it.
    Torn,
    /// Bytes that were durable are bad or gone.
    Damage,
}

/// One thing that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) path: PathBuf,
    pub(super) position: u64,
    pub(super) reason: String,
}

impl Finding {
    pub(super) fn new(severity: Severity, path: &Path, position: u64, reason: impl Into<String>) -> Self {
        Self { severity, path: path.to_owned(), position, reason: reason.into() }
    }

    pub(super) fn damage(path: &Path, position: u64, reason: impl Into<String>) -> Self {
        Self::new(Severity::Damage, path, position, reason)
    }

    /// A failure to read `path`.
    pub(super) fn of(error: &StorageError, path: &Path) -> Self {
        match error {
            StorageError::Corrupt { path, position, reason } => Self::damage(path, *position, reason),
            StorageError::Version { path, found, known } => {
                Self::damage(path, 0, format!("format version {found}; this version reads up to {known}"))
            }
            StorageError::Later { path, position, what } => {
                Self::damage(path, *position, format!("{what}, which a later version wrote"))
            }
            StorageError::Io { path, action, source } => Self::damage(path, 0, format!("cannot {action} it: {source}")),
            other => Self::damage(path, 0, other.to_string()),
        }
    }

    pub(super) fn line(&self) -> Line {
        Line::new(self.severity.name(), 0)
            .with("path", self.path.display().to_string())
            .with("position", self.position)
            .with("reason", self.reason.clone())
    }
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Torn => "torn",
            Self::Damage => "damage",
        }
    }
}
