//! From bytes to a record, by a format.

use std::io::{BufRead, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use highwater_client::Header;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::{Coding, Format, Number, Part, Piece, Width};
use crate::entry::Entry;

/// The most that a key, a value or a name may have, and a record may have headers.
const MOST_BYTES: usize = 256 << 20;
/// Digits of the longest number, with its sign.
const MOST_DIGITS: usize = 20;

/// A format that can be read by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reading {
    pieces: Vec<Piece>,
}

impl Format {
    /// The same format for reading, if it says where each part ends.
    pub(crate) fn for_reading(self) -> Result<Reading, String> {
        check(&self.pieces, true)?;
        Ok(Reading { pieces: self.pieces })
    }
}

impl Reading {
    /// The next record; nothing where the input ends in front of one.
    pub(crate) fn read(&self, source: &mut impl BufRead) -> Result<Option<Entry>, String> {
        if source.fill_buf().map_err(|error| error.to_string())?.is_empty() {
            return Ok(None);
        }
        let mut state = State::default();
        read_pieces(&self.pieces, source, &mut state)?;
        Ok(Some(state.entry))
    }
}

/// Each part must say where it ends: by its length, by a literal behind it, or by being JSON.
fn check(pieces: &[Piece], is_record: bool) -> Result<(), String> {
    let name = name_of;
    let mut lengths: Vec<Part> = Vec::new();
    let mut has_count = false;
    for (at, piece) in pieces.iter().enumerate() {
        let next = pieces.get(at.saturating_add(1));
        let is_ended = matches!(next, Some(Piece::Literal(_)));
        match piece {
            Piece::Number(Number::Count, _) | Piece::Attribute(_) => {
                return Err(format!("{} can be written, not read", name(piece)));
            }
            Piece::Number(number, width) => {
                // Behind the last piece comes the first one of the next record.
                let behind = next.or(pieces.first());
                let is_apart =
                    matches!(behind, Some(Piece::Literal(text)) if !text.first().is_some_and(u8::is_ascii_digit));
                if *width == Width::Ascii && !is_apart {
                    return Err(format!(
                        "{} is a number in digits: write something that is no digit behind it, or give it a width as in {{big32}}",
                        name(piece)
                    ));
                }
                if let Number::Length(part) = number {
                    lengths.push(*part);
                }
                has_count |= *number == Number::Headers;
            }
            Piece::Bytes(part, coding) => {
                let is_last = is_record && next.is_none();
                if *coding != Coding::Json && !lengths.contains(part) && !is_ended && !is_last {
                    return Err(format!(
                        "{} has no end: write something behind it, or its length before it",
                        name(piece)
                    ));
                }
            }
            Piece::Time(_) if !is_ended && next.is_some() => {
                return Err("%d{strftime[…]} has no end: write something behind it".to_owned());
            }
            Piece::Headers(_) if !has_count => {
                return Err("%h can only be read with its count before it: write %H".to_owned());
            }
            Piece::Headers(inner) => check(inner, false)?,
            Piece::Literal(_) | Piece::Time(_) => {}
        }
    }
    if pieces.iter().all(|piece| matches!(piece, Piece::Literal(_))) {
        return Err("the format reads nothing: write %v where the value is".to_owned());
    }
    Ok(())
}

fn name_of(piece: &Piece) -> &'static str {
    match piece {
        Piece::Bytes(Part::Topic, _) => "%t",
        Piece::Bytes(Part::Key, _) => "%k",
        Piece::Bytes(Part::Value, _) => "%v",
        Piece::Number(Number::Length(Part::Topic), _) => "%T",
        Piece::Number(Number::Length(Part::Key), _) => "%K",
        Piece::Number(Number::Length(Part::Value), _) => "%V",
        Piece::Number(Number::Headers, _) => "%H",
        Piece::Number(Number::Partition, _) => "%p",
        Piece::Number(Number::Offset, _) => "%o",
        Piece::Number(Number::LeaderEpoch, _) => "%e",
        Piece::Number(Number::Timestamp, _) | Piece::Time(_) => "%d",
        Piece::Number(Number::Count, _) => "%i",
        Piece::Headers(_) => "%h",
        Piece::Attribute(_) => "%a",
        Piece::Literal(_) => "text",
    }
}

/// What was read of a record so far.
#[derive(Default)]
struct State {
    entry: Entry,
    topic_length: Option<i64>,
    key_length: Option<i64>,
    value_length: Option<i64>,
    headers: i64,
}

fn read_pieces(pieces: &[Piece], source: &mut impl BufRead, state: &mut State) -> Result<(), String> {
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        let end =
            pieces.peek().and_then(|next| if let Piece::Literal(end) = next { Some(end.as_slice()) } else { None });
        let mut took_end = false;
        match piece {
            Piece::Literal(wanted) => literal(wanted, source)?,
            Piece::Number(what, width) => take_number(*what, number(*width, name_of(piece), source)?, state)?,
            Piece::Time(format) => {
                state.entry.timestamp = Some(time(format, &timed(format, end, source)?)?);
                took_end = end.is_some();
            }
            Piece::Bytes(part, coding) => {
                let length = state.length(*part);
                let bytes = match (coding, length) {
                    (Coding::Json, _) => json(source)?,
                    (_, Some(length)) if length < 0 => None,
                    (_, Some(length)) => Some(decoded(*coding, exactly(encoded_length(*coding, length)?, source)?)?),
                    (_, None) => {
                        took_end = end.is_some();
                        Some(decoded(*coding, until(end, source)?)?)
                    }
                };
                state.put(*part, bytes, length.is_some() || *coding == Coding::Json)?;
            }
            Piece::Headers(inner) => {
                for _ in 0..state.headers {
                    let header = read_header(inner, source)?;
                    state.entry.headers.push(header);
                }
            }
            Piece::Attribute(_) => return Err(format!("{} cannot be read", name_of(piece))),
        }
        if took_end {
            pieces.next();
        }
    }
    Ok(())
}

fn read_header(inner: &[Piece], source: &mut impl BufRead) -> Result<Header, String> {
    let mut state = State::default();
    read_pieces(inner, source, &mut state)?;
    Ok(Header { key: state.entry.key.unwrap_or_default(), value: state.entry.value })
}

impl State {
    fn length(&self, part: Part) -> Option<i64> {
        match part {
            Part::Topic => self.topic_length,
            Part::Key => self.key_length,
            Part::Value => self.value_length,
        }
    }

    /// An empty key is null, unless it is said exactly what it is.
    fn put(&mut self, part: Part, bytes: Option<Bytes>, is_exact: bool) -> Result<(), String> {
        match part {
            Part::Key => self.entry.key = bytes.filter(|bytes| is_exact || !bytes.is_empty()),
            Part::Value => self.entry.value = bytes,
            Part::Topic => {
                let bytes = bytes.unwrap_or_default();
                let name = std::str::from_utf8(&bytes).map_err(|_| "the topic is not UTF-8".to_owned())?;
                self.entry.topic = name.into();
            }
        }
        Ok(())
    }
}

fn take_number(what: Number, number: i64, state: &mut State) -> Result<(), String> {
    let small = || i32::try_from(number).map_err(|_| format!("{number} is too large a number here"));
    match what {
        Number::Length(Part::Topic) => state.topic_length = Some(number),
        Number::Length(Part::Key) => state.key_length = Some(number),
        Number::Length(Part::Value) => state.value_length = Some(number),
        Number::Headers => state.headers = number,
        Number::Partition => state.entry.partition = Some(small()?).filter(|partition| *partition >= 0),
        Number::LeaderEpoch => state.entry.leader_epoch = Some(small()?),
        Number::Offset => state.entry.offset = Some(number),
        Number::Timestamp => state.entry.timestamp = Some(number).filter(|timestamp| *timestamp >= 0),
        Number::Count => {}
    }
    Ok(())
}

fn number(width: Width, name: &str, source: &mut impl BufRead) -> Result<i64, String> {
    match width {
        Width::Ascii => digits(name, source),
        Width::Hex(size) => {
            let bytes = unhex(&exactly(size.saturating_mul(2), source)?)?;
            Ok(signed(bytes.iter().copied(), size))
        }
        Width::Big(size) => Ok(signed(exactly(size, source)?.into_iter(), size)),
        Width::Little(size) => Ok(signed(exactly(size, source)?.into_iter().rev(), size)),
    }
}

/// Big-endian, with a sign.
fn signed(bytes: impl Iterator<Item = u8>, size: usize) -> i64 {
    let number = bytes.fold(0i64, |number, byte| (number << 8) | i64::from(byte));
    let unused = 64u32.saturating_sub(u32::try_from(size.saturating_mul(8)).unwrap_or(64));
    (number << unused) >> unused
}

fn digits(name: &str, source: &mut impl BufRead) -> Result<i64, String> {
    let mut text = String::new();
    while let Some(byte) = peek(source)? {
        let belongs = byte.is_ascii_digit() || (byte == b'-' && text.is_empty());
        if !belongs || text.len() >= MOST_DIGITS {
            break;
        }
        text.push(char::from(byte));
        source.consume(1);
    }
    text.parse().map_err(|_| {
        format!("{} ({name}): wanted is a number, found {}", meaning(name), found(text.as_bytes(), source))
    })
}

fn meaning(name: &str) -> &'static str {
    match name {
        "%p" => "partition",
        "%o" => "offset",
        "%d" => "timestamp",
        "%e" => "leader epoch",
        "%H" => "number of headers",
        _ => "length",
    }
}

fn peek(source: &mut impl BufRead) -> Result<Option<u8>, String> {
    Ok(source.fill_buf().map_err(|error| error.to_string())?.first().copied())
}

fn literal(wanted: &[u8], source: &mut impl BufRead) -> Result<(), String> {
    for (at, byte) in wanted.iter().enumerate() {
        match peek(source)? {
            Some(there) if there == *byte => source.consume(1),
            // The last line of a text may lack its end.
            None if wanted == b"\n" => return Ok(()),
            _ => {
                let so_far = wanted.get(..at).unwrap_or_default();
                return Err(format!("wanted is {}, found {}", quoted(wanted), found(so_far, source)));
            }
        }
    }
    Ok(())
}

/// What is there instead, for a message.
fn found(so_far: &[u8], source: &mut impl BufRead) -> String {
    const SHOWN: usize = 20;
    let rest = source.fill_buf().unwrap_or_default();
    let mut text = so_far.to_vec();
    text.extend(rest.iter().take(SHOWN));
    if text.is_empty() { "the end of the input".to_owned() } else { quoted(&text) }
}

fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

/// Everything in front of `end`, which is taken as well; without one, all there is.
fn until(end: Option<&[u8]>, source: &mut impl BufRead) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    let Some((end, last)) = end.and_then(|end| Some((end, *end.last()?))) else {
        source.take(most).read_to_end(&mut text).map_err(|error| error.to_string())?;
        return Ok(text);
    };
    loop {
        let read = source.by_ref().take(most).read_until(last, &mut text).map_err(|error| error.to_string())?;
        if text.ends_with(end) {
            text.truncate(text.len().saturating_sub(end.len()));
            return Ok(text);
        }
        if read == 0 {
            // The last line of a text may lack its end.
            return if end == b"\n" { Ok(text) } else { Err(format!("the input ended in front of {}", quoted(end))) };
        }
        if text.len() >= MOST_BYTES {
            return Err(format!("no {} within {MOST_BYTES} bytes", quoted(end)));
        }
    }
}

/// A time may hold what ends it, as often as every time of its format does.
fn timed(format: &str, end: Option<&[u8]>, source: &mut impl BufRead) -> Result<Vec<u8>, String> {
    /// 2026-11-24 at noon: a date without padding.
    const SAMPLE: i64 = 1_795_521_600_000;
    let mut text = until(end, source)?;
    let Some(end) = end.filter(|end| !end.is_empty()) else { return Ok(text) };
    let sample = super::write::time(format, SAMPLE)?;
    for _ in 0..sample.as_bytes().windows(end.len()).filter(|window| *window == end).count() {
        text.extend_from_slice(end);
        text.extend(until(Some(end), source)?);
    }
    Ok(text)
}

fn exactly(length: usize, source: &mut impl BufRead) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let wanted = u64::try_from(length).unwrap_or(u64::MAX);
    source.by_ref().take(wanted).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() < length {
        return Err(format!("the input ended {} bytes early", length.saturating_sub(bytes.len())));
    }
    Ok(bytes)
}

/// How many bytes stand for as many.
fn encoded_length(coding: Coding, length: i64) -> Result<usize, String> {
    let length = usize::try_from(length).ok().filter(|length| *length <= MOST_BYTES);
    let length = length.ok_or_else(|| format!("a length of more than {MOST_BYTES} bytes, which is the most"))?;
    Ok(match coding {
        Coding::Plain | Coding::Json => length,
        Coding::Hex => length.saturating_mul(2),
        Coding::Base64 => length.div_ceil(3).saturating_mul(4),
    })
}

fn decoded(coding: Coding, text: Vec<u8>) -> Result<Bytes, String> {
    match coding {
        Coding::Plain | Coding::Json => Ok(Bytes::from(text)),
        Coding::Hex => unhex(&text).map(Bytes::from),
        Coding::Base64 => {
            let bytes = STANDARD.decode(&text).map_err(|error| format!("{} is no base64: {error}", quoted(&text)))?;
            Ok(Bytes::from(bytes))
        }
    }
}

fn unhex(text: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = || format!("{} is no hex", quoted(text));
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or_else(wrong);
    text.chunks(2)
        .map(|pair| match pair {
            [high, low] => Ok((digit(high)? << 4) | digit(low)?),
            _ => Err(wrong()),
        })
        .collect()
}

/// A JSON value ends itself; it is not read further than to its end.
fn json(source: &mut impl BufRead) -> Result<Option<Bytes>, String> {
    let mut reader = serde_json::Deserializer::from_reader(source);
    let value = Value::deserialize(&mut reader).map_err(|error| format!("wanted is JSON: {error}"))?;
    let base64 = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("base64"));
    match (&value, base64.and_then(Value::as_str)) {
        (Value::Null, _) => Ok(None),
        (Value::String(text), _) => Ok(Some(Bytes::from(text.clone()))),
        (_, Some(text)) => decoded(Coding::Base64, text.as_bytes().to_vec()).map(Some),
        _ => Err(format!("wanted is null, text or {{\"base64\":…}}, found {value}")),
    }
}

fn time(format: &str, text: &[u8]) -> Result<i64, String> {
    let wrong = |error: jiff::Error| format!("{} is no time of strftime[{format}]: {error}", quoted(text));
    let parsed = strtime::parse(format, text).map_err(wrong)?;
    if let Ok(instant) = parsed.to_timestamp() {
        return Ok(instant.as_millisecond());
    }
    let date = parsed.to_datetime().or_else(|_| parsed.to_date().map(jiff::civil::DateTime::from)).map_err(wrong)?;
    Ok(date.to_zoned_datetime(TimeZone::UTC).map_err(wrong)?.timestamp().as_millisecond())
}
