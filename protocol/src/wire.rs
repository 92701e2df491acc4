//! The primitives of the wire: a reader that never believes a length, and a writer that links large bytes instead of
//! copying them.
//!
//! Bounds of a reader (hostile counts cost nothing): an element count is held against the bytes left, and everything that a
//! message makes us allocate is charged against a budget of 16 bytes per byte of the message plus a constant.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use uuid::Uuid;

use crate::error::{DecodeError, EncodeError};

/// Tagged fields that one section may hold.
const MOST_TAGS: u32 = 64;
/// What a message may allocate beyond its own size.
const BUDGET_FACTOR: usize = 16;
const BUDGET_CONSTANT: usize = 64 * 1024;
/// The longest string, in bytes: what two bytes with a sign can say. The compact form could say more, but Kafka refuses it.
const LONGEST_STRING: usize = 32_767;
/// Bytes from here on are linked into the output instead of copied.
const LINK_FROM: usize = 1024;

/// The records of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// Bytes at hand.
    Bytes(Bytes),
    /// Bytes that whoever sends the message puts in: only their length is written.
    Hole {
        /// What the sender knows them by.
        id: u32,
        /// How many.
        length: usize,
    },
}

impl Default for Payload {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl Payload {
    /// How many bytes it puts on the wire.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Hole { length, .. } => *length,
        }
    }

    /// Whether it puts none there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they are at hand.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Hole { .. } => None,
        }
    }
}

/// A piece of an encoded message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chunk {
    /// Bytes.
    Bytes(Bytes),
    /// Bytes that the sender puts in.
    Hole {
        /// What the sender knows them by.
        id: u32,
        /// How many.
        length: usize,
    },
}

impl Chunk {
    /// How many bytes it puts on the wire.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Hole { length, .. } => *length,
        }
    }

    /// Whether it puts none there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads a message. Byte fields are split off without a copy; the records of a request stay writable.
#[derive(Debug)]
pub struct Reader {
    left: BytesMut,
    budget: usize,
    limit: usize,
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $get:ident, $size:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self) -> Result<$type, DecodeError> {
            self.need($size)?;
            Ok(self.left.$get())
        }
    )*};
}

impl Reader {
    /// Reads these bytes.
    pub fn new(bytes: BytesMut) -> Self {
        let limit = bytes.len().saturating_mul(BUDGET_FACTOR).saturating_add(BUDGET_CONSTANT);
        Self { left: bytes, budget: limit, limit }
    }

    /// Reads bytes that we wrote ourselves, which may allocate what they like; a count is held against the bytes left all the
    /// same.
    pub fn of_own(bytes: BytesMut) -> Self {
        Self { left: bytes, budget: usize::MAX, limit: usize::MAX }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.left.len()
    }

    /// The message must end here.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.left.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.left.len())) }
    }

    fixed! {
        /// One byte with a sign.
        i8: i8 = get_i8, 1;
        /// Two bytes.
        i16: i16 = get_i16, 2;
        /// Two bytes without a sign.
        u16: u16 = get_u16, 2;
        /// Four bytes.
        i32: i32 = get_i32, 4;
        /// Four bytes without a sign.
        u32: u32 = get_u32, 4;
        /// Eight bytes.
        i64: i64 = get_i64, 8;
        /// An IEEE double.
        f64: f64 = get_f64, 8;
    }

    /// Zero is false, everything else true, as Kafka reads it.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.need(16)?;
        Ok(Uuid::from_u128(self.left.get_u128()))
    }

    /// An unsigned variable-length integer of at most five bytes.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value: u32 = 0;
        for place in 0..5u32 {
            let byte = u32::from(self.byte()?);
            value |= (byte & 0x7f).wrapping_shl(place.wrapping_mul(7));
            if byte & 0x80 == 0 {
                return if place == 4 && byte > 0x0f { Err(DecodeError::LongVarint(5)) } else { Ok(value) };
            }
        }
        Err(DecodeError::LongVarint(5))
    }

    /// A string that may not be null.
    pub fn string(&mut self, flexible: bool) -> Result<String, DecodeError> {
        self.nullable_string(flexible)?.ok_or(DecodeError::BadLength(-1))
    }

    /// A string that may be null.
    pub fn nullable_string(&mut self, flexible: bool) -> Result<Option<String>, DecodeError> {
        let length = if flexible { self.compact_length()? } else { classic_length(i64::from(self.i16()?))? };
        let Some(length) = length else {
            return Ok(None);
        };
        if length > LONGEST_STRING {
            return Err(DecodeError::BadLength(i64::try_from(length).unwrap_or(i64::MAX)));
        }
        let bytes = self.take(length)?;
        self.charge(length)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(DecodeError::NotUtf8),
        }
    }

    /// Bytes that may not be null.
    pub fn bytes(&mut self, flexible: bool) -> Result<Bytes, DecodeError> {
        self.nullable_bytes(flexible)?.ok_or(DecodeError::BadLength(-1))
    }

    /// Bytes that may be null.
    pub fn nullable_bytes(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        Ok(self.nullable_records(flexible)?.map(BytesMut::freeze))
    }

    /// The records of a request, split off: nobody else sees that memory, so they can be stamped in place.
    pub fn nullable_records(&mut self, flexible: bool) -> Result<Option<BytesMut>, DecodeError> {
        let length = if flexible { self.compact_length()? } else { classic_length(i64::from(self.i32()?))? };
        length.map(|length| self.take(length)).transpose()
    }

    /// The records of a response.
    pub fn payload(&mut self, flexible: bool) -> Result<Payload, DecodeError> {
        Ok(Payload::Bytes(self.bytes(flexible)?))
    }

    /// The records of a response, where they may be null.
    pub fn nullable_payload(&mut self, flexible: bool) -> Result<Option<Payload>, DecodeError> {
        Ok(self.nullable_bytes(flexible)?.map(Payload::Bytes))
    }

    /// An array that may not be null. `minimum` is the fewest bytes that an element takes.
    pub fn array<T>(
        &mut self,
        flexible: bool,
        minimum: usize,
        element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        self.nullable_array(flexible, minimum, element)?.ok_or(DecodeError::BadLength(-1))
    }

    /// An array that may be null.
    pub fn nullable_array<T>(
        &mut self,
        flexible: bool,
        minimum: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let count = if flexible { self.compact_length()? } else { classic_length(i64::from(self.i32()?))? };
        let Some(count) = count else { return Ok(None) };
        let most = self.left.len().checked_div(minimum.max(1)).unwrap_or(0);
        if count > most {
            return Err(DecodeError::TooManyElements { count, left: self.left.len(), most });
        }
        self.charge(count.saturating_mul(size_of::<T>()))?;
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(Some(elements))
    }

    /// Begins a section of tagged fields.
    pub fn tags(&mut self) -> Result<TagReader, DecodeError> {
        let count = self.uvarint()?;
        if count > MOST_TAGS { Err(DecodeError::BadTag { tag: count }) } else { Ok(TagReader { count, before: None }) }
    }

    /// Passes over what is left, as for a tag that is not known.
    pub fn skip_rest(&mut self) {
        self.left.clear();
    }

    fn need(&self, wanted: usize) -> Result<(), DecodeError> {
        if self.left.len() < wanted { Err(DecodeError::Short { wanted, left: self.left.len() }) } else { Ok(()) }
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.need(1)?;
        Ok(self.left.get_u8())
    }

    fn take(&mut self, length: usize) -> Result<BytesMut, DecodeError> {
        self.need(length)?;
        Ok(self.left.split_to(length))
    }

    /// `None` is null: the wire carries the length plus one.
    fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        let length = self.uvarint()?;
        let length = usize::try_from(length).map_err(|_| DecodeError::BadLength(i64::from(length)))?;
        Ok(length.checked_sub(1))
    }

    fn charge(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.budget = self.budget.checked_sub(bytes).ok_or(DecodeError::OverBudget(self.limit))?;
        Ok(())
    }
}

fn classic_length(length: i64) -> Result<Option<usize>, DecodeError> {
    match length {
        -1 => Ok(None),
        _ => usize::try_from(length).map(Some).map_err(|_| DecodeError::BadLength(length)),
    }
}

/// For the generated code: a null where this version forbids it.
pub(crate) fn not_null<T>(value: Option<T>, allowed: bool) -> Result<Option<T>, DecodeError> {
    if value.is_none() && !allowed { Err(DecodeError::BadLength(-1)) } else { Ok(value) }
}

/// A section of tagged fields: ascending, each as long as it says.
#[derive(Debug)]
pub struct TagReader {
    count: u32,
    before: Option<u32>,
}

impl TagReader {
    /// The next tag and a reader of its bytes, which goes back to [`TagReader::done`].
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<(u32, Reader)>, DecodeError> {
        let Some(left) = self.count.checked_sub(1) else {
            return Ok(None);
        };
        self.count = left;
        let tag = reader.uvarint()?;
        if self.before.is_some_and(|before| before >= tag) {
            return Err(DecodeError::BadTag { tag });
        }
        self.before = Some(tag);
        let length = reader.uvarint()?;
        let length = usize::try_from(length).map_err(|_| DecodeError::BadLength(i64::from(length)))?;
        let inner = Reader { left: reader.take(length)?, budget: reader.budget, limit: reader.limit };
        Ok(Some((tag, inner)))
    }

    /// The tag's bytes have been read to their end.
    pub fn done(&mut self, reader: &mut Reader, inner: Reader) -> Result<(), DecodeError> {
        reader.budget = inner.budget;
        inner.finish()
    }
}

/// Writes a message as chunks.
#[derive(Debug, Default)]
pub struct Writer {
    chunks: Vec<Chunk>,
    buffer: BytesMut,
    linked: usize,
}

macro_rules! put {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $put:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self, value: $type) {
            self.buffer.$put(value);
        }
    )*};
}

impl Writer {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    put! {
        /// One byte with a sign.
        i8: i8 = put_i8;
        /// Two bytes.
        i16: i16 = put_i16;
        /// Two bytes without a sign.
        u16: u16 = put_u16;
        /// Four bytes.
        i32: i32 = put_i32;
        /// Four bytes without a sign.
        u32: u32 = put_u32;
        /// Eight bytes.
        i64: i64 = put_i64;
        /// An IEEE double.
        f64: f64 = put_f64;
    }

    /// One byte.
    pub fn bool(&mut self, value: bool) {
        self.buffer.put_u8(u8::from(value));
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self, value: Uuid) {
        self.buffer.put_u128(value.as_u128());
    }

    /// An unsigned variable-length integer.
    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value.to_le_bytes()[0]);
    }

    /// A string.
    pub fn string(&mut self, value: &str, flexible: bool) -> Result<(), EncodeError> {
        let length = i16::try_from(value.len()).map_err(|_| EncodeError::TooLong { length: value.len() })?;
        if flexible {
            self.compact_length(value.len())?
        } else {
            self.i16(length)
        }
        self.buffer.put_slice(value.as_bytes());
        Ok(())
    }

    /// A null string.
    pub fn null_string(&mut self, flexible: bool) {
        if flexible { self.uvarint(0) } else { self.i16(-1) }
    }

    /// Bytes.
    pub fn bytes(&mut self, value: &Bytes, flexible: bool) -> Result<(), EncodeError> {
        self.array_length(value.len(), flexible)?;
        self.link(value);
        Ok(())
    }

    /// The records of a request.
    pub fn records(&mut self, value: &BytesMut, flexible: bool) -> Result<(), EncodeError> {
        self.array_length(value.len(), flexible)?;
        self.buffer.put_slice(value);
        Ok(())
    }

    /// The records of a response.
    pub fn payload(&mut self, value: &Payload, flexible: bool) -> Result<(), EncodeError> {
        self.array_length(value.len(), flexible)?;
        match value {
            Payload::Bytes(bytes) => self.link(bytes),
            Payload::Hole { id, length } => self.push(Chunk::Hole { id: *id, length: *length }),
        }
        Ok(())
    }

    /// Null bytes.
    pub fn null_bytes(&mut self, flexible: bool) {
        self.null_array(flexible);
    }

    /// The length in front of an array or of bytes.
    pub fn array_length(&mut self, length: usize, flexible: bool) -> Result<(), EncodeError> {
        if flexible {
            return self.compact_length(length);
        }
        self.i32(i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?);
        Ok(())
    }

    /// A null array.
    pub fn null_array(&mut self, flexible: bool) {
        if flexible { self.uvarint(0) } else { self.i32(-1) }
    }

    /// How many bytes the message has so far.
    pub fn total_len(&self) -> usize {
        self.linked.saturating_add(self.buffer.len())
    }

    /// The message's pieces.
    pub fn finish(mut self) -> Vec<Chunk> {
        self.flush();
        self.chunks
    }

    /// The message in one piece. A hole becomes zeros: for messages that have none.
    pub fn into_bytes(self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.total_len());
        for chunk in self.finish() {
            match chunk {
                Chunk::Bytes(bytes) => whole.put_slice(&bytes),
                Chunk::Hole { length, .. } => whole.put_bytes(0, length),
            }
        }
        whole.freeze()
    }

    fn compact_length(&mut self, length: usize) -> Result<(), EncodeError> {
        let shifted = u32::try_from(length).ok().and_then(|length| length.checked_add(1));
        self.uvarint(shifted.ok_or(EncodeError::TooLong { length })?);
        Ok(())
    }

    fn link(&mut self, bytes: &Bytes) {
        if bytes.len() < LINK_FROM {
            self.buffer.put_slice(bytes);
        } else {
            self.push(Chunk::Bytes(bytes.clone()));
        }
    }

    fn push(&mut self, chunk: Chunk) {
        self.flush();
        self.linked = self.linked.saturating_add(chunk.len());
        self.chunks.push(chunk);
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let bytes = self.buffer.split().freeze();
            self.linked = self.linked.saturating_add(bytes.len());
            self.chunks.push(Chunk::Bytes(bytes));
        }
    }
}

/// Collects the tagged fields of one section.
#[derive(Debug, Default)]
pub struct Tags(Vec<(u32, Bytes)>);

impl Tags {
    pub(crate) fn add(
        &mut self,
        tag: u32,
        write: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut inner = Writer::new();
        write(&mut inner)?;
        self.0.push((tag, inner.into_bytes()));
        Ok(())
    }

    pub(crate) fn write(self, writer: &mut Writer) {
        writer.uvarint(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        for (tag, bytes) in self.0 {
            writer.uvarint(tag);
            writer.uvarint(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            writer.link(&bytes);
        }
    }
}
