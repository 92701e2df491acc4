//! Requests and responses, one struct each, generated from `specs/messages`.

#[allow(clippy::all, reason = "generated: one shape for every message, whatever is simplest for one of them")]
pub mod generated;

pub use generated::*;

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::wire::{Reader, Writer};

/// A request or a response.
pub trait Message: Default + Clone + PartialEq + std::fmt::Debug {
    /// Whose it is.
    const KEY: ApiKey;
    /// Reads the body, without its header. The caller checks with [`Reader::finish`] that nothing is left.
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError>;
    /// Writes the body, without its header.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError>;
    /// Draws a value that the version can carry.
    #[cfg(any(test, feature = "testing"))]
    fn sample(chance: &mut crate::testing::Chance, version: i16) -> Self;
}

/// A request, and what answers it.
pub trait Request: Message {
    /// What answers it.
    type Response: Message;
}

pub(crate) mod prelude {
    pub(crate) use bytes::{Bytes, BytesMut};
    pub(crate) use uuid::Uuid;

    pub(crate) use super::{Message, Request};
    pub(crate) use crate::api::{ApiKey, version_is_known};
    pub(crate) use crate::error::{DecodeError, EncodeError};
    pub(crate) use crate::wire::{Payload, Reader, Tags, Writer, not_null};
}
