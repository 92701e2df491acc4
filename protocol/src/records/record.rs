//! Records inside a batch: read one by one out of inflated bytes, without a copy.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::batch::{Batch, RecordsError};
use super::compression::decompress;

/// A header of a record. Keys may repeat; a value may be null.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Text by convention, but any bytes by format.
    pub key: Bytes,
    /// May be null.
    pub value: Option<Bytes>,
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Record {
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// May be null.
    pub key: Option<Bytes>,
    /// Null is a tombstone.
    pub value: Option<Bytes>,
    /// In order, duplicates kept.
    pub headers: Vec<Header>,
}

impl Record {
    /// A record to be sent.
    pub fn new(key: Option<&str>, value: Option<&str>, timestamp: i64) -> Self {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Self { offset: 0, timestamp, key: key.map(bytes), value: value.map(bytes), headers: Vec::new() }
    }

    /// Writes it with its distance to the batch's first record.
    pub(super) fn encode(&self, offset_delta: i64, timestamp_delta: i64, out: &mut BytesMut) {
        let mut body = BytesMut::with_capacity(self.key_len().saturating_add(self.value_len()).saturating_add(16));
        body.put_u8(0);
        put_varint(&mut body, timestamp_delta);
        put_varint(&mut body, offset_delta);
        put_bytes(&mut body, self.key.as_ref());
        put_bytes(&mut body, self.value.as_ref());
        put_varint(&mut body, length(self.headers.len()));
        for header in &self.headers {
            put_bytes(&mut body, Some(&header.key));
            put_bytes(&mut body, header.value.as_ref());
        }
        put_varint(out, length(body.len()));
        out.put_slice(&body);
    }

    fn key_len(&self) -> usize {
        self.key.as_ref().map_or(0, Bytes::len)
    }

    fn value_len(&self) -> usize {
        self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// The records of a batch, inflated to at most `limit` bytes.
pub fn records(batch: &Batch, limit: usize) -> Result<Records, RecordsError> {
    let left = decompress(batch.header.compression()?, &batch.payload(), limit)?;
    Ok(Records { batch: batch.header, left, index: 0 })
}

/// An iterator over records.
#[derive(Debug)]
pub struct Records {
    batch: super::batch::BatchHeader,
    left: Bytes,
    index: i32,
}

impl Iterator for Records {
    type Item = Result<Record, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.batch.count {
            // Java refuses a batch with bytes behind its last record; so nobody reads less of it than the others.
            let behind = !std::mem::take(&mut self.left).is_empty();
            let reason = "bytes behind the last record";
            return behind.then_some(Err(RecordsError::BadRecord { index: self.index, reason }));
        }
        let read = self.read().map_err(|reason| RecordsError::BadRecord { index: self.index, reason });
        if read.is_ok() {
            self.index = self.index.saturating_add(1);
        } else {
            (self.index, self.left) = (self.batch.count, Bytes::new());
        }
        Some(read)
    }
}

impl Records {
    fn read(&mut self) -> Result<Record, &'static str> {
        let length = get_length(&mut self.left)?.ok_or("a record without a length")?;
        let mut body = take(&mut self.left, length)?;
        if !body.has_remaining() {
            return Err("an empty record");
        }
        body.advance(1);
        let timestamp_delta = get_varint(&mut body)?;
        let offset_delta = get_varint(&mut body)?;
        let key = get_bytes(&mut body)?;
        let value = get_bytes(&mut body)?;
        let count = get_length(&mut body)?.ok_or("a header count below zero")?;
        if count > body.len() {
            return Err("more headers than bytes");
        }
        let mut headers = Vec::new();
        for _ in 0..count {
            let key = get_bytes(&mut body)?.ok_or("a header without a key")?;
            headers.push(Header { key, value: get_bytes(&mut body)? });
        }
        if body.has_remaining() {
            return Err("bytes behind the record");
        }
        let timestamp = if self.batch.is_log_append_time() {
            self.batch.max_timestamp
        } else {
            self.batch.base_timestamp.saturating_add(timestamp_delta)
        };
        Ok(Record { offset: self.batch.base_offset.saturating_add(offset_delta), timestamp, key, value, headers })
    }
}

fn take(bytes: &mut Bytes, length: usize) -> Result<Bytes, &'static str> {
    if bytes.len() < length { Err("a length beyond the end") } else { Ok(bytes.split_to(length)) }
}

fn get_bytes(bytes: &mut Bytes) -> Result<Option<Bytes>, &'static str> {
    match get_length(bytes)? {
        None => Ok(None),
        Some(length) => take(bytes, length).map(Some),
    }
}

fn get_length(bytes: &mut Bytes) -> Result<Option<usize>, &'static str> {
    match get_varint(bytes)? {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| "a negative length"),
    }
}

fn get_varint(bytes: &mut Bytes) -> Result<i64, &'static str> {
    let mut value: u64 = 0;
    for place in 0..10u32 {
        if !bytes.has_remaining() {
            return Err("a number beyond the end");
        }
        let byte = u64::from(bytes.get_u8());
        value |= (byte & 0x7f).wrapping_shl(place.wrapping_mul(7));
        if byte & 0x80 == 0 {
            return Ok(unzigzag(value));
        }
    }
    Err("a number without an end")
}

fn put_varint(out: &mut BytesMut, value: i64) {
    let mut value = zigzag(value);
    while value >= 0x80 {
        out.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.put_u8(value.to_le_bytes()[0]);
}

fn put_bytes(out: &mut BytesMut, bytes: Option<&Bytes>) {
    match bytes {
        None => put_varint(out, -1),
        Some(bytes) => {
            put_varint(out, length(bytes.len()));
            out.put_slice(bytes);
        }
    }
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn zigzag(value: i64) -> u64 {
    (value.wrapping_shl(1) ^ (value >> 63)).cast_unsigned()
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
}
