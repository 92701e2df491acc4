//! Records of `__consumer_offsets`, in Apache Kafka's formats: a key begins with the kind of the record, a value with its version.
//! One struct for each key and value, generated from `specs/coordinator_records`.

#[allow(clippy::all, reason = "generated: one shape for every record, whatever is simplest for one of them")]
pub mod generated;

use bytes::{Bytes, BytesMut};

pub use self::generated::*;
use crate::error::{DecodeError, EncodeError};
use crate::frame::concatenated;
use crate::wire::{Reader, Writer};

/// The key of a record. There is one version of each.
pub trait Key: Default + Clone + PartialEq + std::fmt::Debug {
    /// Which kind of record.
    const KIND: i16;
    /// Reads what follows the kind.
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError>;
    /// Writes what follows the kind.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError>;
    /// Draws a value.
    #[cfg(any(test, feature = "testing"))]
    fn sample(chance: &mut crate::testing::Chance, version: i16) -> Self;
}

/// The value of a record.
pub trait Value: Default + Clone + PartialEq + std::fmt::Debug {
    /// Which kind of record.
    const KIND: i16;
    /// The lowest and the highest version that is known.
    const VERSIONS: (i16, i16);
    /// Reads what follows the version.
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError>;
    /// Writes what follows the version.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError>;
    /// Draws a value that the version can carry.
    #[cfg(any(test, feature = "testing"))]
    fn sample(chance: &mut crate::testing::Chance, version: i16) -> Self;
}

/// The kind of the record that a key is of.
pub fn kind(key: &[u8]) -> Option<i16> {
    Some(i16::from_be_bytes(*key.first_chunk()?))
}

/// Reads a key whose kind is known to be this one.
pub fn read_key<K: Key>(key: &Bytes) -> Result<K, DecodeError> {
    let mut reader = Reader::of_own(BytesMut::from(&key[..]));
    reader.i16()?;
    let read = K::decode(&mut reader, 0)?;
    reader.finish()?;
    Ok(read)
}

/// Reads a value. A version of later software is not known, and an error.
pub fn read_value<V: Value>(value: &Bytes) -> Result<V, DecodeError> {
    let mut reader = Reader::of_own(BytesMut::from(&value[..]));
    let version = reader.i16()?;
    if !(V::VERSIONS.0..=V::VERSIONS.1).contains(&version) {
        return Err(DecodeError::UnknownRecordVersion { kind: V::KIND, version });
    }
    let read = V::decode(&mut reader, version)?;
    reader.finish()?;
    Ok(read)
}

/// A key's bytes.
pub fn write_key<K: Key>(key: &K) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::default();
    writer.i16(K::KIND);
    key.encode(&mut writer, 0)?;
    Ok(concatenated(&writer.finish()))
}

/// A value's bytes.
pub fn write_value<V: Value>(value: &V, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::default();
    writer.i16(version);
    value.encode(&mut writer, version)?;
    Ok(concatenated(&writer.finish()))
}

pub(crate) mod prelude {
    pub(crate) use bytes::Bytes;
    pub(crate) use uuid::Uuid;

    pub(crate) use super::{Key, Value};
    pub(crate) use crate::error::{DecodeError, EncodeError};
    pub(crate) use crate::wire::{Reader, Tags, Writer, not_null};
}
