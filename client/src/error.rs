//! What can go wrong, and what the caller may do about it.

use highwater_protocol::error_code::ErrorCode;

/// The result of anything that talks to a cluster.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// No broker could be reached.
    Connect,
    /// A connection broke while a request was under way.
    Disconnected,
    /// Nothing answered in time.
    TimedOut,
    /// The broker refused.
    Broker(ErrorCode),
    /// The broker sent what is no answer, or does not speak what is needed.
    Protocol,
    /// A property or an argument is wrong.
    Config,
    /// Bytes of a record batch are damaged.
    Corrupt,
    /// A group's partition has no committed offset, and nothing says where else to begin.
    NoOffset,
    /// The group gave a partition to another consumer, or goes on without this one.
    Lost,
    /// The producer or consumer was closed.
    Closed,
}

/// A failure.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    possibly_written: bool,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), possibly_written: false }
    }

    pub(crate) fn broker(code: ErrorCode, what: &str, detail: Option<&str>) -> Self {
        let message = match detail {
            Some(detail) if !detail.is_empty() => format!("{what}: {code}: {detail}"),
            _ => format!("{what}: {code}"),
        };
        Self::new(Kind::Broker(code), message)
    }

    pub(crate) fn written(mut self, possibly: bool) -> Self {
        self.possibly_written = possibly;
        self
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The broker's error code, where a broker answered.
    pub fn code(&self) -> Option<ErrorCode> {
        match self.kind {
            Kind::Broker(code) => Some(code),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_retriable(&self) -> bool {
        match self.kind {
            Kind::Connect | Kind::Disconnected | Kind::TimedOut => true,
            Kind::Broker(code) => code.is_retriable(),
            Kind::Protocol | Kind::Config | Kind::Corrupt | Kind::NoOffset | Kind::Lost | Kind::Closed => false,
        }
    }

    /// Whether a record that was not acknowledged may be in the log all the same.
    pub fn possibly_written(&self) -> bool {
        self.possibly_written
    }
}

/// A broker's code as a result.
pub(crate) fn checked(code: i16, what: impl FnOnce() -> String, detail: Option<&str>) -> Result<()> {
    let code = ErrorCode::from_number(code);
    if code.is_none() { Ok(()) } else { Err(Error::broker(code, &what(), detail)) }
}
