//! One row: an entry's place by every way it is looked for.

use highwater_protocol::ids::{Index, LeaderEpoch, Offset};

use crate::segment::Cursor;

/// A frame that begins at `position`, and what came before it in the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) position: u64,
    /// The offset of the next record at that place.
    pub(crate) offset: Offset,
    /// The frame's Raft index.
    pub(crate) index: Index,
    /// The highest timestamp of all batches in front of it, or `i64::MIN`.
    pub(crate) newest_before: i64,
}

/// A frame of our own, which no reader may see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OwnFrame {
    pub(crate) position: u64,
    pub(crate) length: u32,
}

/// Bytes of a row in an index file.
pub(crate) const ROW_BYTES: usize = 32;

impl Row {
    /// A walk that begins here. Its term is not known.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { position: self.position, index: self.index, offset: self.offset, term: LeaderEpoch(i32::MIN) }
    }

    pub(crate) fn encode(&self) -> [u8; ROW_BYTES] {
        let mut bytes = [0; ROW_BYTES];
        let fields = [
            self.position.to_be_bytes(),
            self.offset.0.to_be_bytes(),
            self.index.0.to_be_bytes(),
            self.newest_before.to_be_bytes(),
        ];
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field);
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = bytes.chunks_exact(8).filter_map(|field| <[u8; 8]>::try_from(field).ok());
        Some(Self {
            position: u64::from_be_bytes(fields.next()?),
            offset: Offset(i64::from_be_bytes(fields.next()?)),
            index: Index(u64::from_be_bytes(fields.next()?)),
            newest_before: i64::from_be_bytes(fields.next()?),
        })
    }
}
