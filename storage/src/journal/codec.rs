//! A record as bytes.
//!
//! ```text
//!  0  "HWJR"          4 bytes
//!  4  CRC-32          u32   of everything behind it, the body included
//!  8  lap             u64   drawn anew for each use of a file
//! 16  sequence        u64   one more than the record before it, over all files
//! 24  needed from     u64   records below this sequence are void; a fresh start names itself
//! 32  next lap        u64   the lap that the next file will carry
//! 40  newest log      u64   the highest log id that the journal ever heard of
//! 48  body length     u32
//! 52  version (1)     u8
//! 53  zero            3 bytes
//! 56  body, padded with zeros to 4 KiB
//! ```
//!
//! The body: the list of logs that the record before it made durable (count u32; each log u64, index u64, term i32), then the
//! logs (count u32), each as id u64, number of changes u32, and the changes: a tag byte and its fields. A place is segment u64,
//! base offset i64, position u64; an entry's id is index u64, term i32; an end is place, last id, next offset i64, cuts u64.
//!
//! ```text
//! 1 append      place, first index u64, last id, next offset i64, cuts u64, length u32, frames
//! 2 truncate    end
//! 3 checkpoint  end
//! 4 hard state  term u64, vote u64, commit u64
//! 5 drop
//! 6 last        id
//! 7 damaged
//! 8 anew
//! 9 open        boot id 16 bytes, device u64
//! 10 closed
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};

use super::record::{Boot, Change, Checkpoint, HardState, LogChanges, LogId, Place, Position, Run};
use crate::limits::BLOCK;

pub(super) const HEADER: usize = 56;
const MAGIC: &[u8; 4] = b"HWJR";
pub(super) const VERSION: u8 = 1;

/// What begins a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) lap: u64,
    pub(crate) sequence: u64,
    pub(crate) needed_from: u64,
    pub(crate) next_lap: u64,
    pub(crate) newest_log: u64,
}

/// A record read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Decoded {
    pub(crate) header: Header,
    /// Bytes on disk, padding included.
    pub(crate) length: u64,
    /// What the record before it made durable.
    pub(crate) proven: Vec<(LogId, EntryId)>,
    pub(crate) logs: Vec<LogChanges>,
}

/// The pieces of a record; the bytes of entries are linked, not copied.
pub(super) fn encode(header: Header, proven: &[(LogId, EntryId)], logs: &[LogChanges]) -> (Vec<Bytes>, u64) {
    let mut pieces = Vec::new();
    let mut body = BytesMut::new();
    put_count(&mut body, proven.len());
    for (log, id) in proven {
        body.put_u64(log.0);
        put_id(&mut body, *id);
    }
    put_count(&mut body, logs.len());
    for log in logs {
        body.put_u64(log.log.0);
        put_count(&mut body, log.changes.len());
        for change in &log.changes {
            put_change(&mut body, change, &mut pieces);
        }
    }
    pieces.push(body.freeze());
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let padded = (HEADER + length).next_multiple_of(BLOCK);
    pieces.push(Bytes::from(vec![0; padded - HEADER - length]));
    pieces.insert(0, encode_header(header, length, &pieces));
    (pieces, padded as u64)
}

fn encode_header(header: Header, length: usize, body: &[Bytes]) -> Bytes {
    let mut rest = BytesMut::with_capacity(HEADER);
    rest.put_u64(header.lap);
    rest.put_u64(header.sequence);
    rest.put_u64(header.needed_from);
    rest.put_u64(header.next_lap);
    rest.put_u64(header.newest_log);
    put_count(&mut rest, length);
    rest.put_u8(VERSION);
    rest.put_bytes(0, 3);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&rest);
    let mut left = length;
    for piece in body {
        let counted = piece.get(..piece.len().min(left)).unwrap_or_default();
        crc.update(counted);
        left -= counted.len();
    }
    let mut out = BytesMut::with_capacity(HEADER);
    out.put_slice(MAGIC);
    out.put_u32(crc.finalize());
    out.put_slice(&rest);
    out.freeze()
}

/// Reads the record at the front of `bytes`; `None` where there is none, one that fails its check, or one of another lap.
pub(super) fn decode(bytes: &Bytes, lap: Option<u64>) -> Option<Decoded> {
    let mut head = bytes.get(..HEADER)?;
    if !head.starts_with(MAGIC) {
        return None;
    }
    head.advance(4);
    let stored = head.get_u32();
    let header = Header {
        lap: head.get_u64(),
        sequence: get_number(&mut head)?,
        needed_from: get_number(&mut head)?,
        next_lap: head.get_u64(),
        newest_log: get_number(&mut head)?,
    };
    let length = usize::try_from(head.get_u32()).ok()?;
    let version = head.get_u8();
    if lap.is_some_and(|lap| lap != header.lap) && !planted!(OldLapBelieved) {
        return None;
    }
    let end = HEADER.checked_add(length)?;
    let checked = bytes.get(8..end)?;
    if version != VERSION || (crc32fast::hash(checked) != stored && !planted!(RecordNotChecked)) {
        return None;
    }
    let mut body = bytes.slice(HEADER..end);
    let proven = get_list(&mut body, |body| Some((LogId(get_number(body)?), get_id(body)?)))?;
    let logs = get_list(&mut body, |body| {
        let log = LogId(get_number(body)?);
        Some(LogChanges { log, changes: get_list(body, get_change)? })
    })?;
    Some(Decoded { header, length: end.next_multiple_of(BLOCK) as u64, proven, logs })
}

/// The lap of a block that may begin a record.
pub(super) fn lap_of(block: &[u8]) -> Option<u64> {
    let mut rest = block.strip_prefix(MAGIC.as_slice())?.get(4..12)?;
    Some(rest.get_u64())
}

/// The version of a block that may begin a record.
pub(super) fn version_of(block: &[u8]) -> Option<u8> {
    block.strip_prefix(MAGIC.as_slice())?.get(48).copied()
}

fn put_change(body: &mut BytesMut, change: &Change, pieces: &mut Vec<Bytes>) {
    match change {
        Change::Append(run) => {
            body.put_u8(1);
            put_place(body, run.start);
            body.put_u64(run.first.0);
            put_id(body, run.last);
            body.put_i64(run.next_offset.0);
            body.put_u64(run.cut);
            put_count(body, run.bytes.iter().map(Bytes::len).sum());
            pieces.push(body.split().freeze());
            pieces.extend(run.bytes.iter().cloned());
        }
        Change::Truncate(end) => {
            body.put_u8(2);
            put_end(body, end);
        }
        Change::Checkpoint(end) => {
            body.put_u8(3);
            put_end(body, end);
        }
        Change::HardState(state) => {
            body.put_u8(4);
            body.put_u64(state.term);
            body.put_u64(state.vote);
            body.put_u64(state.commit);
        }
        Change::Drop => body.put_u8(5),
        Change::Last(id) => {
            body.put_u8(6);
            put_id(body, *id);
        }
        Change::Damaged => body.put_u8(7),
        Change::Anew => body.put_u8(8),
        Change::Open(boot) => {
            body.put_u8(9);
            body.put_slice(&boot.id);
            body.put_u64(boot.device);
        }
        Change::Closed => body.put_u8(10),
    }
}

fn get_change(body: &mut Bytes) -> Option<Change> {
    Some(match get_u8(body)? {
        1 => {
            let (start, first, last) = (get_place(body)?, Index(get_number(body)?), get_id(body)?);
            let (next_offset, cut) = (Offset(get_i64(body)?), get_number(body)?);
            let length = get_count(body)?;
            let bytes = (body.len() >= length).then(|| body.split_to(length))?;
            Change::Append(Run { start, first, last, next_offset, cut, bytes: vec![bytes] })
        }
        2 => Change::Truncate(get_end(body)?),
        3 => Change::Checkpoint(get_end(body)?),
        4 => Change::HardState(HardState { term: get_u64(body)?, vote: get_u64(body)?, commit: get_u64(body)? }),
        5 => Change::Drop,
        6 => Change::Last(get_id(body)?),
        7 => Change::Damaged,
        8 => Change::Anew,
        9 => {
            let mut id = [0; 16];
            body.try_copy_to_slice(&mut id).ok()?;
            Change::Open(Boot { id, device: get_u64(body)? })
        }
        10 => Change::Closed,
        _ => return None,
    })
}

fn put_count(body: &mut BytesMut, count: usize) {
    body.put_u32(u32::try_from(count).expect("a record is far below 4 GiB"));
}

fn put_id(body: &mut BytesMut, id: EntryId) {
    body.put_u64(id.index.0);
    body.put_i32(id.term.0);
}

fn put_place(body: &mut BytesMut, place: Place) {
    body.put_u64(place.segment.0);
    body.put_i64(place.base_offset.0);
    body.put_u64(place.position.0);
}

fn put_end(body: &mut BytesMut, end: &Checkpoint) {
    put_place(body, end.end);
    put_id(body, end.last);
    body.put_i64(end.next_offset.0);
    body.put_u64(end.cut);
}

fn get_list<T>(body: &mut Bytes, mut one: impl FnMut(&mut Bytes) -> Option<T>) -> Option<Vec<T>> {
    let count = get_count(body)?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(one(body)?);
    }
    Some(list)
}

fn get_u8(body: &mut Bytes) -> Option<u8> {
    body.try_get_u8().ok()
}

fn get_u64(body: &mut Bytes) -> Option<u64> {
    body.try_get_u64().ok()
}

/// A number that others follow. No journal counts as far as 2^63, and what does wraps: whatever wrote it was not a journal.
fn get_number(body: &mut impl Buf) -> Option<u64> {
    body.try_get_u64().ok().filter(|number| *number < 1 << 63)
}

fn get_i64(body: &mut Bytes) -> Option<i64> {
    body.try_get_i64().ok()
}

fn get_count(body: &mut Bytes) -> Option<usize> {
    body.try_get_u32().ok().and_then(|count| usize::try_from(count).ok())
}

fn get_id(body: &mut Bytes) -> Option<EntryId> {
    Some(EntryId { index: Index(get_number(body)?), term: LeaderEpoch(body.try_get_i32().ok()?) })
}

fn get_place(body: &mut Bytes) -> Option<Place> {
    let (segment, base_offset) = (Index(get_number(body)?), Offset(get_i64(body)?));
    Some(Place { segment, base_offset, position: Position(get_number(body)?) })
}

fn get_end(body: &mut Bytes) -> Option<Checkpoint> {
    let (end, last) = (get_place(body)?, get_id(body)?);
    Some(Checkpoint { end, last, next_offset: Offset(get_i64(body)?), cut: get_number(body)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record whose CRC was good and whose sequence number was the last of 64 bits made replay add to it, which ended the
    /// start. No such number is a journal's.
    #[test]
    fn a_number_that_nothing_follows_is_no_records() {
        let good = Header { lap: u64::MAX, sequence: 12, needed_from: 10, next_lap: u64::MAX, newest_log: 3 };
        let read = |header, proven: &[(LogId, EntryId)]| {
            let (pieces, _) = encode(header, proven, &[]);
            decode(&Bytes::from(pieces.concat()), None).is_some()
        };
        let far = EntryId { index: Index(u64::MAX), term: LeaderEpoch(1) };
        assert!(read(good, &[]));
        assert!(!read(Header { sequence: u64::MAX, ..good }, &[]));
        assert!(!read(Header { newest_log: u64::MAX, ..good }, &[]));
        assert!(!read(good, &[(LogId(3), far)]));
    }

    #[test]
    fn a_record_survives_and_every_flipped_bit_is_found() {
        let place = Place { segment: Index(7), base_offset: Offset(70), position: Position(700) };
        let id = EntryId { index: Index(9), term: LeaderEpoch(2) };
        let run = Run {
            start: place,
            first: Index(8),
            last: id,
            next_offset: Offset(80),
            cut: 3,
            bytes: vec![Bytes::from_static(b"frame")],
        };
        let changes = vec![
            Change::Append(run),
            Change::Truncate(Checkpoint { end: place, last: id, next_offset: Offset(70), cut: 4 }),
            Change::Checkpoint(Checkpoint { end: place, last: id, next_offset: Offset(80), cut: 4 }),
            Change::HardState(HardState { term: 2, vote: 1, commit: 8 }),
            Change::Drop,
            Change::Last(id),
            Change::Damaged,
            Change::Open(Boot { id: [5; 16], device: 6 }),
            Change::Closed,
        ];
        let logs = vec![LogChanges { log: LogId(3), changes }];
        let header = Header { lap: 11, sequence: 12, needed_from: 10, next_lap: 13, newest_log: 3 };
        let (pieces, length) = encode(header, &[(LogId(3), id)], &logs);
        let bytes = Bytes::from(pieces.concat());
        assert_eq!(bytes.len() as u64, length);
        assert_eq!(decode(&bytes, Some(11)), Some(Decoded { header, length, proven: vec![(LogId(3), id)], logs }));
        assert_eq!(decode(&bytes, Some(10)), None, "of another lap");
        let used = HEADER + 24 + 12 + 73;
        for position in 0..used {
            let mut bad = bytes.to_vec();
            if let Some(byte) = bad.get_mut(position) {
                *byte ^= 1;
            }
            assert_eq!(decode(&Bytes::from(bad), None), None, "byte {position}");
        }
    }
}
