//! Frames: four bytes of length, a header, a body.

use bytes::{BufMut, Bytes, BytesMut};

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::wire::{Chunk, Reader, Writer};

/// Bytes of the length in front of a frame.
pub const LENGTH_BYTES: usize = 4;

/// The header of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestHeader {
    /// The key's number, which may be one that nobody knows.
    pub key: i16,
    /// The version of the body.
    pub version: i16,
    /// What the response repeats.
    pub correlation_id: i32,
    /// Who asks.
    pub client_id: Option<String>,
}

/// Checks a frame's length against a bound.
pub fn checked_length(length: i32, limit: usize) -> Result<usize, DecodeError> {
    usize::try_from(length)
        .ok()
        .filter(|length| *length <= limit)
        .ok_or(DecodeError::FrameLength { length: i64::from(length), limit })
}

impl RequestHeader {
    /// Reads the header off a frame. The body of an unknown key or version is left alone.
    pub fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let (key, version, correlation_id) = (reader.i16()?, reader.i16()?, reader.i32()?);
        // The client id keeps its two-byte length in every version, so that any broker can read it.
        let client_id = reader.nullable_string(false)?;
        if ApiKey::from_number(key).is_some_and(|key| key.is_flexible(version)) {
            let mut tags = reader.tags()?;
            while let Some((_, mut inner)) = tags.next(reader)? {
                inner.skip_rest();
                tags.done(reader, inner)?;
            }
        }
        Ok(Self { key, version, correlation_id, client_id })
    }

    fn encode(&self, writer: &mut Writer, flexible: bool) -> Result<(), EncodeError> {
        writer.i16(self.key);
        writer.i16(self.version);
        writer.i32(self.correlation_id);
        match &self.client_id {
            None => writer.null_string(false),
            Some(id) => writer.string(id, false)?,
        }
        if flexible {
            writer.uvarint(0);
        }
        Ok(())
    }
}

/// A whole request frame.
pub fn request<M: Message>(
    correlation_id: i32,
    client_id: &str,
    body: &M,
    version: i16,
) -> Result<Vec<Chunk>, EncodeError> {
    let header = RequestHeader { key: M::KEY.number(), version, correlation_id, client_id: Some(client_id.to_owned()) };
    let mut writer = Writer::new();
    header.encode(&mut writer, M::KEY.is_flexible(version))?;
    body.encode(&mut writer, version)?;
    Ok(framed(writer))
}

/// A whole response frame.
pub fn response<M: Message>(correlation_id: i32, body: &M, version: i16) -> Result<Vec<Chunk>, EncodeError> {
    let mut writer = Writer::new();
    writer.i32(correlation_id);
    if M::KEY.response_header_version(version) >= 1 {
        writer.uvarint(0);
    }
    body.encode(&mut writer, version)?;
    Ok(framed(writer))
}

/// Reads the header of a response: what is left is the body.
pub fn response_header(reader: &mut Reader, key: ApiKey, version: i16) -> Result<i32, DecodeError> {
    let correlation_id = reader.i32()?;
    if key.response_header_version(version) >= 1 {
        let mut tags = reader.tags()?;
        while let Some((_, mut inner)) = tags.next(reader)? {
            inner.skip_rest();
            tags.done(reader, inner)?;
        }
    }
    Ok(correlation_id)
}

/// Puts the length in front. A frame above 2 GiB cannot be told of: its length saturates, and the peer closes.
fn framed(writer: Writer) -> Vec<Chunk> {
    let length = i32::try_from(writer.total_len()).unwrap_or(i32::MAX);
    let mut chunks = writer.finish();
    let mut prefix = BytesMut::with_capacity(LENGTH_BYTES);
    prefix.put_i32(length);
    chunks.insert(0, Chunk::Bytes(prefix.freeze()));
    chunks
}

/// All chunks in one piece; holes become zeros.
pub fn concatenated(chunks: &[Chunk]) -> Bytes {
    let mut whole = BytesMut::with_capacity(chunks.iter().map(Chunk::len).sum());
    for chunk in chunks {
        match chunk {
            Chunk::Bytes(bytes) => whole.put_slice(bytes),
            Chunk::Hole { length, .. } => whole.put_bytes(0, *length),
        }
    }
    whole.freeze()
}
