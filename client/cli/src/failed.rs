//! Why a verb failed, and the exit code that says so.

use std::process::ExitCode;

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// Anything that has no code of its own.
    #[error("{0}")]
    Error(String),
    /// The arguments do not make sense.
    #[error("{0}")]
    Usage(String),
    /// The cluster is not healthy.
    #[error("{0}")]
    Unhealthy(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// It took too long.
    #[error("{0}")]
    TimedOut(String),
    /// The reader of our output went away, which is how a pipe ends.
    #[error("the output was closed")]
    OutputClosed,
}

impl Failed {
    /// An error without a code of its own.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::OutputClosed => ExitCode::SUCCESS,
            Self::Error(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Unhealthy(_) => ExitCode::from(4),
            Self::NotFound(_) => ExitCode::from(3),
            Self::TimedOut(_) => ExitCode::from(124),
        }
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::OutputClosed,
            std::io::ErrorKind::TimedOut => Self::TimedOut(error.to_string()),
            _ => Self::Error(error.to_string()),
        }
    }
}

impl From<highwater_client::Error> for Failed {
    fn from(error: highwater_client::Error) -> Self {
        use highwater_client::{ErrorCode, Kind};
        match error.kind() {
            Kind::Config => Self::Usage(error.to_string()),
            Kind::TimedOut => Self::TimedOut(error.to_string()),
            Kind::Broker(
                ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId | ErrorCode::GroupIdNotFound,
            ) => Self::NotFound(error.to_string()),
            _ => Self::Error(error.to_string()),
        }
    }
}
