//! An entry as bytes: a batch of records, or a frame of our own that shares the batch's first 17 bytes of layout.
//!
//! ```text
//!  0  next offset     i64   the offset of the next record; the frame takes none
//!  8  length behind   i32
//! 12  term            i32
//! 16  magic (-72)     i8
//! 17  CRC-32          u32   of everything but itself
//! 21  version (1)     u8
//! 22  kind            u8    0 no-op, 1 membership, 2 command, 3 roll, 4 gap
//! 23  Raft index      u64
//! 31  payload
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};
use highwater_protocol::records::batch::{BatchHeader, HEADER_BYTES, MAGIC, PREFIX_BYTES, RecordsError, verify_crc};

use crate::limits::OWN_FRAME_BYTES;

/// The magic byte of our own frames: no format of Kafka's has it.
pub const OWN_MAGIC: i8 = -72;
/// Bytes in front of an own frame's payload.
pub const OWN_HEADER: usize = 31;
/// What every frame begins with.
pub const COMMON: usize = 17;

const VERSION: u8 = 1;
const CRC_AT: usize = 17;
const CRC_END: usize = 21;

/// What a frame of our own is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// A new leader's first entry.
    Noop,
    /// A change of the group's members.
    Membership,
    /// A command of a machine.
    Command,
    /// The opening of a new segment.
    Roll,
    /// What compaction leaves in place of entries up to this one: index and offset go on behind it.
    Gap,
}

/// A frame, decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame<'a> {
    /// Records.
    Batch(BatchHeader, &'a [u8]),
    /// Our own.
    Own {
        /// What for.
        kind: FrameKind,
        /// Which entry it is.
        id: EntryId,
        /// The offset of the next record.
        next_offset: Offset,
        /// What it carries.
        payload: &'a [u8],
    },
}

/// An entry with its whole frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// Which entry.
    pub id: EntryId,
    /// Its bytes, as they lie in the segment.
    pub frame: Bytes,
}

/// Why bytes are no frame.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// They end before the frame does.
    #[error("a frame of {wanted} bytes is cut short at {left}")]
    Short {
        /// What the frame needs.
        wanted: usize,
        /// What is there.
        left: usize,
    },
    /// A batch that is none.
    #[error(transparent)]
    Batch(#[from] RecordsError),
    /// A frame of our own that is none.
    #[error("{0}")]
    Own(&'static str),
    /// A frame of our own that a later version wrote.
    #[error("a frame of {what} {found}")]
    Later {
        /// What of it is not known.
        what: &'static str,
        /// Its number.
        found: u8,
    },
}

/// The common start of every frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Common {
    pub(crate) offset: i64,
    pub(crate) total: usize,
    pub(crate) term: i32,
    pub(crate) magic: i8,
}

impl FrameKind {
    fn number(self) -> u8 {
        match self {
            Self::Noop => 0,
            Self::Membership => 1,
            Self::Command => 2,
            Self::Roll => 3,
            Self::Gap => 4,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [Self::Noop, Self::Membership, Self::Command, Self::Roll, Self::Gap]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

impl Common {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let short = || FrameError::Short { wanted: COMMON, left: bytes.len() };
        let mut header = bytes.get(..COMMON).ok_or_else(short)?;
        let offset = header.get_i64();
        let behind = usize::try_from(header.get_i32()).map_err(|_| FrameError::Own("a negative length"))?;
        let (term, magic) = (header.get_i32(), header.get_i8());
        let least = match magic {
            MAGIC => HEADER_BYTES,
            OWN_MAGIC => OWN_HEADER,
            other => return Err(RecordsError::BadMagic(other).into()),
        };
        let total = behind.saturating_add(PREFIX_BYTES);
        if total < least {
            Err(FrameError::Own("shorter than its header"))
        } else if magic == OWN_MAGIC && total > OWN_HEADER + OWN_FRAME_BYTES {
            Err(FrameError::Own("longer than a frame of our own may be"))
        } else {
            Ok(Self { offset, total, term, magic })
        }
    }
}

/// Makes a frame of our own.
pub fn own_frame(kind: FrameKind, id: EntryId, next_offset: Offset, payload: &[u8]) -> Bytes {
    assert!(payload.len() <= OWN_FRAME_BYTES, "a payload of {} bytes fits no frame of our own", payload.len());
    let mut frame = BytesMut::with_capacity(OWN_HEADER + payload.len());
    frame.put_i64(next_offset.0);
    let behind = OWN_HEADER - PREFIX_BYTES + payload.len();
    frame.put_i32(i32::try_from(behind).expect("a frame of our own is far below 2 GiB"));
    frame.put_i32(id.term.0);
    frame.put_i8(OWN_MAGIC);
    frame.put_u32(0);
    frame.put_u8(VERSION);
    frame.put_u8(kind.number());
    frame.put_u64(id.index.0);
    frame.put_slice(payload);
    let crc = own_crc(&frame).to_be_bytes();
    if let Some(place) = frame.get_mut(CRC_AT..CRC_END) {
        place.copy_from_slice(&crc);
    }
    frame.freeze()
}

/// Decodes one whole frame and checks its CRC.
pub fn parse(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    match parse_stamped(bytes) {
        Ok(Frame::Batch(_, batch)) => verify_crc(batch)?,
        // What is not known of it counts only if it was written so.
        Ok(Frame::Own { .. }) | Err(FrameError::Later { .. }) => check_own_crc(bytes)?,
        Err(_) => {}
    }
    parse_stamped(bytes)
}

/// Decodes one whole frame that this process made or checked already.
pub fn parse_stamped(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let common = Common::decode(bytes)?;
    if common.total != bytes.len() {
        return Err(FrameError::Short { wanted: common.total, left: bytes.len() });
    }
    header(bytes)
}

/// Decodes a frame of which at least the header is there; a batch's bytes and an own frame's payload are what is there.
pub(crate) fn header(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let common = Common::decode(bytes)?;
    if common.magic == MAGIC {
        return Ok(Frame::Batch(BatchHeader::decode(bytes)?, bytes));
    }
    let short = || FrameError::Short { wanted: OWN_HEADER, left: bytes.len() };
    let mut rest = bytes.get(CRC_END..OWN_HEADER).ok_or_else(short)?;
    let version = rest.get_u8();
    if version != VERSION {
        return Err(FrameError::Later { what: "version", found: version });
    }
    let kind = rest.get_u8();
    let kind = FrameKind::from_number(kind).ok_or(FrameError::Later { what: "kind", found: kind })?;
    let index = rest.get_u64();
    if index >= 1 << 63 {
        return Err(FrameError::Own("an index that no log comes to"));
    }
    let id = EntryId { index: Index(index), term: LeaderEpoch(common.term) };
    let payload = bytes.get(OWN_HEADER..).unwrap_or_default();
    Ok(Frame::Own { kind, id, next_offset: Offset(common.offset), payload })
}

fn check_own_crc(bytes: &[u8]) -> Result<(), FrameError> {
    let stored = bytes.get(CRC_AT..CRC_END).unwrap_or_default();
    if stored == own_crc(bytes).to_be_bytes() {
        Ok(())
    } else {
        Err(FrameError::Own("the CRC of the frame does not match"))
    }
}

fn own_crc(bytes: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(bytes.get(..CRC_AT).unwrap_or_default());
    crc.update(bytes.get(CRC_END..).unwrap_or_default());
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_frame_survives_and_every_flipped_bit_is_found() {
        let id = EntryId { index: Index(12), term: LeaderEpoch(3) };
        let good = own_frame(FrameKind::Command, id, Offset(99), b"what to do");
        let parsed = parse(&good).expect("a frame");
        assert_eq!(
            parsed,
            Frame::Own { kind: FrameKind::Command, id, next_offset: Offset(99), payload: b"what to do" }
        );
        for position in 0..good.len() {
            let mut bad = good.to_vec();
            if let Some(byte) = bad.get_mut(position) {
                *byte ^= 1;
            }
            assert!(parse(&bad).is_err(), "byte {position}");
        }
    }

    /// A frame with a good CRC and the last index of 64 bits made recovery add one to it, and every log of the node stayed shut.
    #[test]
    fn an_index_that_nothing_follows_is_no_frames() {
        for (index, is_good) in [((1 << 63) - 1, true), (1 << 63, false), (u64::MAX, false)] {
            let id = EntryId { index: Index(index), term: LeaderEpoch(3) };
            let frame = own_frame(FrameKind::Noop, id, Offset(0), b"");
            assert_eq!(parse(&frame).is_ok(), is_good, "{index}");
        }
    }
}
