//! What can be wrong with bytes from a peer, and with values that are to become bytes.

use crate::api::UnknownVersion;

/// Bytes that are no message. The connection they came from cannot go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error("{wanted} bytes wanted, {left} left")]
    Short {
        /// What the value needs.
        wanted: usize,
        /// What is there.
        left: usize,
    },
    /// A length below -1, -1 where null is not allowed, or a string above 32,767 bytes.
    #[error("a length of {0}: below -1, a null where none is allowed, or too long for a string")]
    BadLength(i64),
    /// A variable-length integer that does not end.
    #[error("a variable-length integer of more than {0} bytes")]
    LongVarint(usize),
    /// Text that is not UTF-8.
    #[error("a string that is not UTF-8")]
    NotUtf8,
    /// An array with more elements than the bytes left can hold.
    #[error("{count} elements announced, but {left} bytes left hold at most {most}")]
    TooManyElements {
        /// Announced.
        count: usize,
        /// Bytes left.
        left: usize,
        /// What fits.
        most: usize,
    },
    /// The message would take far more memory than it has bytes.
    #[error("the message would take more than its {0} bytes of memory")]
    OverBudget(usize),
    /// Tagged fields out of order, twice, or too many.
    #[error("tagged field {tag} is out of order, doubled, or one too many")]
    BadTag {
        /// Which.
        tag: u32,
    },
    /// Bytes behind the end of the message.
    #[error("{0} bytes behind the end of the message")]
    Trailing(usize),
    /// A version that this crate does not know.
    #[error(transparent)]
    Version(#[from] UnknownVersion),
    /// The value of a record of a coordinator that later software wrote.
    #[error("version {version} of the coordinator's record of kind {kind} is not known: a later release wrote it")]
    UnknownRecordVersion {
        /// Which kind of record.
        kind: i16,
        /// Of its value.
        version: i16,
    },
    /// An API key that this crate does not know.
    #[error("unknown API key {0}")]
    UnknownKey(i16),
    /// A frame length that is negative or above the bound.
    #[error("a frame of {length} bytes; the bound is {limit} bytes")]
    FrameLength {
        /// Announced.
        length: i64,
        /// Allowed.
        limit: usize,
    },
}

/// A value that a version cannot carry.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodeError {
    /// The version lacks a field that has a value.
    #[error("version {version} cannot carry field {field}")]
    Missing {
        /// Which field.
        field: &'static str,
        /// Which version.
        version: i16,
    },
    /// The version does not allow null there.
    #[error("version {version} does not allow null for field {field}")]
    Null {
        /// Which field.
        field: &'static str,
        /// Which version.
        version: i16,
    },
    /// Longer than its length prefix can say.
    #[error("{length} bytes or elements are more than the field's length can say")]
    TooLong {
        /// How long.
        length: usize,
    },
    /// A version that this crate does not know.
    #[error(transparent)]
    Version(#[from] UnknownVersion),
}

impl EncodeError {
    pub(crate) fn missing(field: &'static str, version: i16) -> Self {
        Self::Missing { field, version }
    }

    pub(crate) fn null(field: &'static str, version: i16) -> Self {
        Self::Null { field, version }
    }
}
