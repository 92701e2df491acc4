//! A batch without some of its records, as compaction leaves it.

use bytes::BytesMut;

use super::batch::{Batch, RecordsError};
use super::builder::assembled;
use super::compression::{Compression, compress};
use super::record::{Record, records};

/// The base timestamp of the batch is the time from which on its tombstones may go.
const DELETE_HORIZON: i16 = 1 << 6;

/// What is left of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filtered {
    /// All of it.
    Unchanged,
    /// Nothing.
    Nothing,
    /// These records.
    Batch(BytesMut),
}

/// The time from which on the tombstones of a batch may go, if it has one.
pub fn delete_horizon(batch: &Batch) -> Option<i64> {
    (batch.header.attributes & DELETE_HORIZON != 0).then_some(batch.header.base_timestamp)
}

/// Leaves out the records that are not `kept`. Offsets, timestamps, and the producer's numbers of those that stay are what they
/// were, and so is the codec; the batch goes on to reach from its first offset to its last. A batch that keeps a tombstone and
/// has no time yet from which on it may go gets `horizon`. The records may inflate to `inflated` bytes.
pub fn filtered(
    batch: &Batch,
    inflated: usize,
    horizon: i64,
    kept: &mut dyn FnMut(&Record) -> bool,
) -> Result<Filtered, RecordsError> {
    let mut left = Vec::new();
    for record in records(batch, inflated)? {
        let record = record?;
        if kept(&record) {
            left.push(record);
        }
    }
    let mut header = batch.header;
    let all = usize::try_from(header.count).unwrap_or(0);
    let gets_horizon = delete_horizon(batch).is_none() && left.iter().any(|record| record.value.is_none());
    if left.is_empty() {
        return Ok(Filtered::Nothing);
    }
    if left.len() == all && !gets_horizon {
        return Ok(Filtered::Unchanged);
    }
    if gets_horizon {
        header.attributes |= DELETE_HORIZON;
        header.base_timestamp = horizon;
    }
    if !header.is_log_append_time() {
        header.max_timestamp = left.iter().map(|record| record.timestamp).max().unwrap_or(-1);
    }
    header.count = i32::try_from(left.len()).unwrap_or(i32::MAX);
    let mut body = BytesMut::new();
    for record in &left {
        let delta = record.timestamp.wrapping_sub(header.base_timestamp);
        record.encode(record.offset.saturating_sub(header.base_offset), delta, &mut body);
    }
    let body = match header.compression()? {
        Compression::None => body.freeze(),
        codec => compress(codec, None, &body)?,
    };
    Ok(Filtered::Batch(assembled(header, &body)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ids::{LeaderEpoch, Offset};
    use crate::records::batch::{stamp, verify_crc};
    use crate::records::builder::BatchBuilder;

    fn batch(codec: Compression, values: &[Option<&str>]) -> Batch {
        let mut builder = BatchBuilder::new(codec).producer(9, 2, 40);
        for (key, value) in (0..).zip(values) {
            builder.push(&Record::new(Some(&format!("k{key}")), *value, 1_000 + i64::from(key)));
        }
        let mut bytes = builder.build().expect("builds");
        stamp(&mut bytes, Offset(100), LeaderEpoch(3));
        let mut whole = bytes.freeze();
        Batch::split_off(&mut whole).expect("a batch")
    }

    fn again(bytes: BytesMut) -> (Batch, Vec<Record>) {
        let mut bytes: Bytes = bytes.freeze();
        let batch = Batch::split_off(&mut bytes).expect("a batch");
        verify_crc(&batch.bytes).expect("its CRC is right");
        let read = records(&batch, 1 << 20).expect("reads").map(|record| record.expect("reads")).collect();
        (batch, read)
    }

    #[test]
    fn what_stays_is_as_it_was() {
        for codec in [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
            let whole = batch(codec, &[Some("a"), Some("b"), Some("c"), Some("d")]);
            let Ok(Filtered::Batch(left)) = filtered(&whole, 1 << 20, 7, &mut |record| record.offset % 2 == 1) else {
                panic!("two of four stay");
            };
            let (left, read) = again(left);
            let header = left.header;
            assert_eq!((header.base_offset, header.next_offset(), header.count), (100, Offset(104), 2));
            assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (9, 2, 40));
            assert_eq!((header.leader_epoch, header.compression()), (3, Ok(codec)));
            assert_eq!(header.max_timestamp, 1_003);
            let shown: Vec<_> = read.iter().map(|record| (record.offset, record.timestamp)).collect();
            assert_eq!(shown, [(101, 1_001), (103, 1_003)]);
            assert_eq!(delete_horizon(&left), None);
        }
    }

    #[test]
    fn nothing_and_everything_are_told_apart() {
        let whole = batch(Compression::None, &[Some("a"), Some("b")]);
        assert_eq!(filtered(&whole, 1 << 20, 7, &mut |_| true), Ok(Filtered::Unchanged));
        assert_eq!(filtered(&whole, 1 << 20, 7, &mut |_| false), Ok(Filtered::Nothing));
    }

    #[test]
    fn a_tombstone_gets_its_time_once() {
        let whole = batch(Compression::None, &[Some("a"), None]);
        let Ok(Filtered::Batch(left)) = filtered(&whole, 1 << 20, 50_000, &mut |_| true) else {
            panic!("a tombstone changes its batch");
        };
        let (left, read) = again(left);
        assert_eq!(delete_horizon(&left), Some(50_000));
        let shown: Vec<_> = read.iter().map(|record| (record.offset, record.timestamp)).collect();
        assert_eq!(shown, [(100, 1_000), (101, 1_001)], "the records' own times stay");
        assert_eq!(filtered(&left, 1 << 20, 60_000, &mut |_| true), Ok(Filtered::Unchanged));
    }
}
