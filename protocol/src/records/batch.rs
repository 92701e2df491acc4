//! A batch by its header: what a broker checks, stamps and indexes without looking at the records.

use bytes::{Buf, Bytes};

use super::compression::Compression;
use crate::ids::{LeaderEpoch, Offset, Timestamp};

/// Bytes in front of the records.
pub const HEADER_BYTES: usize = 61;
/// Base offset and length: what `length` does not count.
pub const PREFIX_BYTES: usize = 12;
/// The bytes that lie outside the CRC.
pub const OUTSIDE_CRC: usize = 17;
/// The only format that is served.
pub const MAGIC: i8 = 2;

/// A record without key, value and headers.
const LEAST_RECORD: u64 = 7;
const CRC_END: usize = 21;
/// The fewest bytes behind the length that a message of any format has.
const OLDEST_BYTES: usize = 14;
const TIMESTAMP_TYPE: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
const DELETE_HORIZON: i16 = 1 << 6;

/// What is wrong with a batch.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecordsError {
    /// It ends before it should.
    #[error("a record batch of {wanted} bytes is cut short at {left}")]
    Truncated {
        /// What it needs.
        wanted: usize,
        /// What is there.
        left: usize,
    },
    /// An unknown format.
    #[error("magic byte {0}: only record batches of format version 2 are taken")]
    BadMagic(i8),
    /// A format that once was.
    #[error("magic byte {0}: only record batches of format version 2 are taken")]
    OldMagic(i8),
    /// A length that no batch can have.
    #[error("a record batch says that it is {0} bytes long")]
    BadLength(i32),
    /// The bytes changed since they were written.
    #[error("CRC-32C {computed:#010x} where the batch says {stored:#010x}")]
    BadCrc {
        /// In the header.
        stored: u32,
        /// Of the bytes.
        computed: u32,
    },
    /// Counts that do not fit each other.
    #[error("{count} records with a last offset delta of {last_offset_delta}")]
    BadCount {
        /// Records.
        count: i32,
        /// The last one's offset, from the first.
        last_offset_delta: i32,
    },
    /// A codec that does not exist.
    #[error("unknown compression codec {0}")]
    UnknownCodec(i16),
    /// Producer id, epoch and sequence that do not fit each other.
    #[error("producer id {producer_id} with epoch {producer_epoch} and sequence {base_sequence}")]
    BadProducer {
        /// Its id.
        producer_id: i64,
        /// Its epoch.
        producer_epoch: i16,
        /// Of the first record.
        base_sequence: i32,
    },
    /// More than one batch, or none, where one is wanted.
    #[error("{0}")]
    NotOneBatch(&'static str),
    /// Compressed bytes that do not inflate.
    #[error("the records do not decompress: {0}")]
    Decompression(String),
    /// Records that inflate beyond a bound.
    #[error("the records inflate to more than {0} bytes")]
    TooLarge(usize),
    /// Records that compress to more than a bound.
    #[error("the records compressed anew have more than {0} bytes")]
    TooLong(usize),
    /// A record that does not decode.
    #[error("record {index} of the batch does not decode: {reason}")]
    BadRecord {
        /// Which.
        index: i32,
        /// Why.
        reason: &'static str,
    },
}

/// The header of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchHeader {
    /// The offset of the first record.
    pub base_offset: i64,
    /// The bytes behind the length field.
    pub length: i32,
    /// The term of the leader that took it.
    pub leader_epoch: i32,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec and flags.
    pub attributes: i16,
    /// The last record's offset, from the first.
    pub last_offset_delta: i32,
    /// The first record's timestamp.
    pub base_timestamp: i64,
    /// The highest timestamp.
    pub max_timestamp: i64,
    /// The idempotent producer, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// The first record's sequence number, or -1.
    pub base_sequence: i32,
    /// How many records.
    pub count: i32,
}

impl BatchHeader {
    /// Reads the header. The magic byte is checked, nothing else is.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordsError> {
        let short = || RecordsError::Truncated { wanted: HEADER_BYTES, left: bytes.len() };
        let mut header = bytes.get(..HEADER_BYTES).ok_or_else(short)?;
        let base_offset = header.get_i64();
        let length = header.get_i32();
        let leader_epoch = header.get_i32();
        let magic = header.get_i8();
        if magic != MAGIC {
            return Err(RecordsError::BadMagic(magic));
        }
        Ok(Self {
            base_offset,
            length,
            leader_epoch,
            crc: header.get_u32(),
            attributes: header.get_i16(),
            last_offset_delta: header.get_i32(),
            base_timestamp: header.get_i64(),
            max_timestamp: header.get_i64(),
            producer_id: header.get_i64(),
            producer_epoch: header.get_i16(),
            base_sequence: header.get_i32(),
            count: header.get_i32(),
        })
    }

    /// The whole batch, in bytes.
    pub fn total_bytes(&self) -> usize {
        usize::try_from(self.length).unwrap_or(0).saturating_add(PREFIX_BYTES)
    }

    /// The offset behind its last record.
    pub fn next_offset(&self) -> Offset {
        Offset(self.base_offset.saturating_add(i64::from(self.last_offset_delta)).saturating_add(1))
    }

    /// How its records are compressed.
    pub fn compression(&self) -> Result<Compression, RecordsError> {
        Compression::from_number(self.attributes & 7).ok_or(RecordsError::UnknownCodec(self.attributes & 7))
    }

    /// Whether the broker's clock stamped it.
    pub fn is_log_append_time(&self) -> bool {
        self.attributes & TIMESTAMP_TYPE != 0
    }

    /// Whether it is part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether it holds a marker and no records of a user.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// Whether the base timestamp is the time at which its tombstones may go.
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes & DELETE_HORIZON != 0
    }

    /// Whether a producer numbered it.
    pub fn is_idempotent(&self) -> bool {
        self.producer_id >= 0
    }

    /// The sequence number of its last record; numbers wrap behind `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        sequence_after(self.base_sequence, self.last_offset_delta)
    }
}

/// The sequence number `steps` behind `sequence`.
pub fn sequence_after(sequence: i32, steps: i32) -> i32 {
    let sum = i64::from(sequence).saturating_add(i64::from(steps));
    let wrapped = sum.rem_euclid(i64::from(i32::MAX).saturating_add(1));
    i32::try_from(wrapped).unwrap_or(0)
}

/// A whole batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Its header.
    pub header: BatchHeader,
    /// All its bytes, header included.
    pub bytes: Bytes,
}

impl Batch {
    /// Takes the first batch off a set of batches. The CRC is not looked at.
    pub fn split_off(set: &mut Bytes) -> Result<Self, RecordsError> {
        let header = BatchHeader::decode(set)?;
        let total = checked_total(&header, set.len())?;
        Ok(Self { header, bytes: set.split_to(total) })
    }

    /// All batches of a set, each checked by its CRC. A batch that is cut short at the end, as a fetch may send it, is left out.
    pub fn all(mut set: Bytes) -> Result<Vec<Self>, RecordsError> {
        let mut batches = Vec::new();
        while set.len() >= HEADER_BYTES {
            match Self::split_off(&mut set) {
                Ok(batch) => {
                    verify_crc(&batch.bytes)?;
                    batches.push(batch);
                }
                Err(RecordsError::Truncated { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(batches)
    }

    /// The bytes behind the header, compressed as they are.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(HEADER_BYTES.min(self.bytes.len())..)
    }
}

/// Checks the CRC of a whole batch.
pub fn verify_crc(bytes: &[u8]) -> Result<(), RecordsError> {
    let header = BatchHeader::decode(bytes)?;
    let computed = crc32c::crc32c(bytes.get(CRC_END..).unwrap_or_default());
    if computed == header.crc { Ok(()) } else { Err(RecordsError::BadCrc { stored: header.crc, computed }) }
}

/// What a broker checks of the one batch in a produce request: everything that needs no inflating. Bytes behind it that are no
/// whole batch are no part of it: [`BatchHeader::total_bytes`] says where it ends.
pub fn validate(bytes: &[u8]) -> Result<BatchHeader, RecordsError> {
    let Some(total) = whole_batch(bytes)? else {
        return Err(RecordsError::NotOneBatch("no record batch: exactly one is wanted for each partition"));
    };
    let (first, behind) = bytes.split_at_checked(total).unwrap_or((bytes, &[]));
    let header = BatchHeader::decode(first)?;
    if whole_batch(behind)?.is_some() {
        return Err(RecordsError::NotOneBatch("more than one record batch: exactly one is wanted for each partition"));
    }
    verify_crc(first)?;
    let codec = header.compression()?;
    let has_room = u64::try_from(header.count).is_ok_and(|count| count <= most_records(codec, total));
    if header.count < 1 || i64::from(header.last_offset_delta) != i64::from(header.count).saturating_sub(1) || !has_room
    {
        return Err(RecordsError::BadCount { count: header.count, last_offset_delta: header.last_offset_delta });
    }
    if header.is_idempotent() && (header.producer_epoch < 0 || header.base_sequence < 0) {
        return Err(RecordsError::BadProducer {
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
        });
    }
    Ok(header)
}

/// How many records a batch of so many bytes can hold at most: a record has 7 bytes, and no codec packs better than this. A batch
/// of one record that claims two billion offsets would else jump over them.
fn most_records(codec: Compression, total: usize) -> u64 {
    let ratio = match codec {
        Compression::None => 1,
        Compression::Snappy => 64,
        Compression::Lz4 => 256,
        Compression::Gzip => 1100,
        // A block of 128 KiB in 4 bytes.
        Compression::Zstd => 32 * 1024,
    };
    let packed = u64::try_from(total.saturating_sub(HEADER_BYTES)).unwrap_or(u64::MAX);
    packed.saturating_mul(ratio) / LEAST_RECORD
}

/// Stamps what the leader decides. Both fields lie outside the CRC.
pub fn stamp(bytes: &mut [u8], base_offset: Offset, leader_epoch: LeaderEpoch) {
    put(bytes, 0, &base_offset.0.to_be_bytes());
    put(bytes, 12, &leader_epoch.0.to_be_bytes());
}

/// Stamps the broker's time into a batch, and its CRC anew.
pub fn stamp_log_append_time(bytes: &mut [u8], timestamp: Timestamp) {
    let Ok(header) = BatchHeader::decode(bytes) else {
        return;
    };
    put(bytes, 21, &(header.attributes | TIMESTAMP_TYPE).to_be_bytes());
    put(bytes, 35, &timestamp.0.to_be_bytes());
    stamp_crc(bytes);
}

/// Makes the timestamps of a batch its producer's, and its CRC anew.
pub fn stamp_create_time(bytes: &mut [u8]) {
    let Ok(header) = BatchHeader::decode(bytes) else {
        return;
    };
    put(bytes, 21, &(header.attributes & !TIMESTAMP_TYPE).to_be_bytes());
    stamp_crc(bytes);
}

/// Computes the CRC of a batch and writes it into its header.
pub fn stamp_crc(bytes: &mut [u8]) {
    let crc = crc32c::crc32c(bytes.get(CRC_END..).unwrap_or_default());
    put(bytes, OUTSIDE_CRC, &crc.to_be_bytes());
}

/// Writes `value` at `position`. Whoever calls has decoded the header, so the bytes are there.
pub(super) fn put(bytes: &mut [u8], position: usize, value: &[u8]) {
    let end = position.saturating_add(value.len());
    if let Some(place) = bytes.get_mut(position..end) {
        place.copy_from_slice(value);
    }
}

/// How long the batch is that the bytes begin with, if all of it is there.
fn whole_batch(bytes: &[u8]) -> Result<Option<usize>, RecordsError> {
    let (Some(length), Some(magic)) = (bytes.get(8..12), bytes.get(16)) else { return Ok(None) };
    let length = length.try_into().map_or(0, i32::from_be_bytes);
    let magic = i8::from_be_bytes([*magic]);
    if usize::try_from(length).map_or(true, |length| length < OLDEST_BYTES) {
        return Err(RecordsError::BadLength(length));
    }
    if !(0..=MAGIC).contains(&magic) {
        return Err(RecordsError::BadMagic(magic));
    }
    let total = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(PREFIX_BYTES);
    if total > bytes.len() {
        return Ok(None);
    }
    if magic != MAGIC {
        return Err(RecordsError::OldMagic(magic));
    }
    if total < HEADER_BYTES { Err(RecordsError::BadLength(length)) } else { Ok(Some(total)) }
}

fn checked_total(header: &BatchHeader, left: usize) -> Result<usize, RecordsError> {
    let least = HEADER_BYTES.saturating_sub(PREFIX_BYTES);
    let behind = usize::try_from(header.length).ok().filter(|length| *length >= least);
    let total = behind.ok_or(RecordsError::BadLength(header.length))?.saturating_add(PREFIX_BYTES);
    if total > left { Err(RecordsError::Truncated { wanted: total, left }) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::builder::BatchBuilder;
    use crate::records::record::Record;

    fn batch() -> bytes::BytesMut {
        let mut builder = BatchBuilder::new(Compression::None);
        builder.push(&Record::new(Some("key"), Some("value"), 17));
        builder.push(&Record::new(None, Some("other"), 12));
        builder.build().expect("builds")
    }

    #[test]
    fn stamping_leaves_the_crc_alone() {
        let mut bytes = batch();
        stamp(&mut bytes, Offset(42), LeaderEpoch(7));
        let header = validate(&bytes).expect("still valid");
        assert_eq!((header.base_offset, header.leader_epoch, header.next_offset()), (42, 7, Offset(44)));
        assert_eq!((header.base_timestamp, header.max_timestamp), (17, 17));
    }

    #[test]
    fn a_batch_claims_no_more_offsets_than_its_bytes_can_hold() {
        for codec in Compression::ALL {
            let mut builder = BatchBuilder::new(codec);
            (0..10_000).for_each(|_| builder.push(&Record::default()));
            let good = builder.build().expect("builds");
            assert!(validate(&good).is_ok(), "{codec:?}: the smallest records there are");
            let mut jump = BatchBuilder::new(codec);
            jump.push(&Record::default());
            let mut jump = jump.build().expect("builds");
            put(&mut jump, 23, &(i32::MAX - 1).to_be_bytes());
            put(&mut jump, 57, &i32::MAX.to_be_bytes());
            stamp_crc(&mut jump);
            let refused = RecordsError::BadCount { count: i32::MAX, last_offset_delta: i32::MAX - 1 };
            assert_eq!(validate(&jump), Err(refused), "{codec:?}");
        }
    }

    #[test]
    fn log_append_time_renews_the_crc() {
        let mut bytes = batch();
        stamp_log_append_time(&mut bytes, Timestamp(99));
        let header = validate(&bytes).expect("valid");
        assert!(header.is_log_append_time());
        assert_eq!(header.max_timestamp, 99);
    }

    #[test]
    fn every_flipped_bit_behind_the_prefix_is_found() {
        let good = batch();
        for position in OUTSIDE_CRC..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            assert!(validate(&bad).is_err(), "byte {position}");
        }
    }

    #[test]
    fn what_is_not_one_whole_batch_is_refused() {
        let good = batch();
        for cut in 0..good.len() {
            assert!(validate(&good[..cut]).is_err(), "cut at {cut}");
        }
        let twice = [&good[..], &good[..]].concat();
        assert!(matches!(validate(&twice), Err(RecordsError::NotOneBatch(_))));
    }

    #[test]
    fn an_offset_jump_is_refused() {
        let mut bytes = batch();
        put(&mut bytes, 23, &(i32::MAX - 1).to_be_bytes());
        stamp_crc(&mut bytes);
        assert!(matches!(validate(&bytes), Err(RecordsError::BadCount { .. })));
    }

    #[test]
    fn sequences_wrap_to_zero() {
        assert_eq!(sequence_after(i32::MAX, 1), 0);
        assert_eq!(sequence_after(i32::MAX - 1, 1), i32::MAX);
        assert_eq!(sequence_after(5, 0), 5);
    }
}
