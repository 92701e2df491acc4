//! From a record to bytes, by a format.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::{Attribute, Coding, Format, Number, Part, Piece, Width};
use crate::entry::Entry;

impl Format {
    /// Appends a record; `count` is what `%i` says. On an error `out` holds a part of it.
    pub(crate) fn write(&self, entry: &Entry, count: i64, out: &mut Vec<u8>) -> Result<(), String> {
        self.pieces.iter().try_for_each(|piece| write_piece(piece, entry, count, out))
    }
}

fn write_piece(piece: &Piece, entry: &Entry, count: i64, out: &mut Vec<u8>) -> Result<(), String> {
    match piece {
        Piece::Literal(bytes) => out.extend_from_slice(bytes),
        Piece::Bytes(Part::Topic, coding) => write_bytes(Some(entry.topic.as_bytes()), *coding, out),
        Piece::Bytes(Part::Key, coding) => write_bytes(entry.key.as_deref(), *coding, out),
        Piece::Bytes(Part::Value, coding) => write_bytes(entry.value.as_deref(), *coding, out),
        Piece::Number(what, width) => write_number(number(*what, entry, count), *width, out)?,
        Piece::Time(format) => out.extend(time(format, entry.timestamp.unwrap_or(-1))?.into_bytes()),
        Piece::Attribute(Attribute::Compression) => out.extend_from_slice(entry.compression.name().as_bytes()),
        Piece::Attribute(Attribute::TimestampType) => {
            out.extend_from_slice(if entry.is_log_append_time { b"append-time" } else { b"create-time" });
        }
        Piece::Headers(inner) => {
            for header in &entry.headers {
                // A header is a record of key and value only.
                let (key, value) = (Some(header.key.clone()), header.value.clone());
                let entry = Entry { key, value, ..Entry::default() };
                inner.iter().try_for_each(|piece| write_piece(piece, &entry, count, out))?;
            }
        }
    }
    Ok(())
}

fn write_bytes(bytes: Option<&[u8]>, coding: Coding, out: &mut Vec<u8>) {
    match (coding, bytes) {
        (Coding::Json, None) => out.extend_from_slice(b"null"),
        (_, None) => {}
        (Coding::Plain, Some(bytes)) => out.extend_from_slice(bytes),
        (Coding::Hex, Some(bytes)) => out.extend(bytes.iter().flat_map(|byte| hex(*byte))),
        (Coding::Base64, Some(bytes)) => out.extend(STANDARD.encode(bytes).into_bytes()),
        (Coding::Json, Some(bytes)) => {
            let value = match std::str::from_utf8(bytes) {
                Ok(text) => serde_json::Value::from(text),
                Err(_) => serde_json::json!({ "base64": STANDARD.encode(bytes) }),
            };
            out.extend(value.to_string().into_bytes());
        }
    }
}

fn hex(byte: u8) -> [u8; 2] {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    [digit(byte >> 4), digit(byte & 15)]
}

fn number(what: Number, entry: &Entry, count: i64) -> i64 {
    let length = |bytes: Option<&Bytes>| bytes.map_or(-1, |bytes| whole(bytes.len()));
    match what {
        Number::Length(Part::Topic) => whole(entry.topic.len()),
        Number::Length(Part::Key) => length(entry.key.as_ref()),
        Number::Length(Part::Value) => length(entry.value.as_ref()),
        Number::Headers => whole(entry.headers.len()),
        Number::Partition => i64::from(entry.partition.unwrap_or(-1)),
        Number::Offset => entry.offset.unwrap_or(-1),
        Number::LeaderEpoch => i64::from(entry.leader_epoch.unwrap_or(-1)),
        Number::Timestamp => entry.timestamp.unwrap_or(-1),
        Number::Count => count,
    }
}

fn whole(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn write_number(number: i64, width: Width, out: &mut Vec<u8>) -> Result<(), String> {
    let big = number.to_be_bytes();
    let size = match width {
        Width::Ascii => {
            out.extend(number.to_string().into_bytes());
            return Ok(());
        }
        Width::Hex(size) | Width::Big(size) | Width::Little(size) => size,
    };
    let bits = u32::try_from(size.saturating_mul(8)).unwrap_or(64);
    let unused = 64u32.saturating_sub(bits);
    // What is cut off must be nothing but the sign.
    if (number << unused) >> unused != number {
        return Err(format!("{number} does not fit into {bits} bits"));
    }
    let kept = big.get(8usize.saturating_sub(size)..).unwrap_or_default();
    match width {
        Width::Hex(_) => out.extend(kept.iter().flat_map(|byte| hex(*byte))),
        Width::Little(_) => out.extend(kept.iter().rev()),
        _ => out.extend_from_slice(kept),
    }
    Ok(())
}

/// A time by strftime, in UTC.
pub(super) fn time(format: &str, milliseconds: i64) -> Result<String, String> {
    let instant = Timestamp::from_millisecond(milliseconds).map_err(|error| error.to_string())?;
    strtime::format(format, &instant.to_zoned_datetime(TimeZone::UTC))
        .map_err(|error| format!("strftime[{format}]: {error}"))
}
