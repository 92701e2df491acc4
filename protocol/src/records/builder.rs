//! Builds batches: for producers, for markers, and for a broker that recompresses.

use bytes::{BufMut, Bytes, BytesMut};

use super::batch::{Batch, BatchHeader, HEADER_BYTES, MAGIC, PREFIX_BYTES, RecordsError, put, stamp_crc};
use super::compression::{Compression, Inflating, compress, compress_from};
use super::record::Record;

/// The end of a transaction, as a control record says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marker {
    /// What the producer wrote does not count.
    Abort,
    /// It counts.
    Commit,
}

/// Collects records into one batch.
#[derive(Debug)]
pub struct BatchBuilder {
    codec: Compression,
    level: Option<i32>,
    header: BatchHeader,
    records: BytesMut,
}

impl BatchBuilder {
    /// An empty batch of that codec, not idempotent, with offsets from 0.
    pub fn new(codec: Compression) -> Self {
        let header = BatchHeader {
            base_offset: 0,
            length: 0,
            leader_epoch: -1,
            crc: 0,
            attributes: codec.number(),
            last_offset_delta: -1,
            base_timestamp: 0,
            max_timestamp: -1,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            count: 0,
        };
        Self { codec, level: None, header, records: BytesMut::new() }
    }

    /// Compresses with a level.
    pub fn level(mut self, level: i32) -> Self {
        self.level = Some(level);
        self
    }

    /// Numbers the records for an idempotent producer.
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> Self {
        (self.header.producer_id, self.header.producer_epoch, self.header.base_sequence) = (id, epoch, base_sequence);
        self
    }

    /// Makes the records part of a transaction.
    pub fn transactional(mut self) -> Self {
        self.header.attributes |= 1 << 4;
        self
    }

    /// The batch that ends a transaction of this producer.
    pub fn marker(
        id: i64,
        epoch: i16,
        marker: Marker,
        coordinator_epoch: i32,
        timestamp: i64,
    ) -> Result<BytesMut, RecordsError> {
        let mut builder = Self::new(Compression::None).producer(id, epoch, -1).transactional();
        builder.header.attributes |= 1 << 5;
        let mut key = BytesMut::new();
        key.put_i16(0);
        key.put_i16(if marker == Marker::Commit { 1 } else { 0 });
        let mut value = BytesMut::new();
        value.put_i16(0);
        value.put_i32(coordinator_epoch);
        builder.push(&Record { timestamp, key: Some(key.freeze()), value: Some(value.freeze()), ..Record::default() });
        builder.build()
    }

    /// Adds a record. Its offset is the next one.
    pub fn push(&mut self, record: &Record) {
        if self.header.count == 0 {
            self.header.base_timestamp = record.timestamp;
        }
        self.header.max_timestamp = self.header.max_timestamp.max(record.timestamp);
        let delta = record.timestamp.saturating_sub(self.header.base_timestamp);
        record.encode(i64::from(self.header.count), delta, &mut self.records);
        self.header.count = self.header.count.saturating_add(1);
        self.header.last_offset_delta = self.header.last_offset_delta.saturating_add(1);
    }

    /// Records so far.
    pub fn count(&self) -> i32 {
        self.header.count
    }

    /// Bytes so far, before compression.
    pub fn bytes(&self) -> usize {
        self.records.len().saturating_add(HEADER_BYTES)
    }

    /// The batch.
    pub fn build(self) -> Result<BytesMut, RecordsError> {
        let records = match self.codec {
            Compression::None => self.records.freeze(),
            codec => compress(codec, self.level, &self.records)?,
        };
        Ok(assembled(self.header, &records))
    }
}

/// The same records in another codec. Offsets, timestamps and the producer's numbers stay. They may inflate to `inflated` bytes,
/// of which a block is held at a time, and become `packed` bytes again.
pub fn recompress(
    batch: &Batch,
    codec: Compression,
    level: Option<i32>,
    inflated: usize,
    packed: usize,
) -> Result<BytesMut, RecordsError> {
    let payload = batch.payload();
    let source = Inflating::new(batch.header.compression()?, &payload, inflated)?;
    let records = compress_from(codec, level, source, packed)?;
    let mut header = batch.header;
    header.attributes = (header.attributes & !7) | codec.number();
    Ok(assembled(header, &records))
}

pub(super) fn assembled(header: BatchHeader, records: &Bytes) -> BytesMut {
    let mut out = BytesMut::with_capacity(HEADER_BYTES.saturating_add(records.len()));
    out.put_i64(header.base_offset);
    out.put_i32(0);
    out.put_i32(header.leader_epoch);
    out.put_i8(MAGIC);
    out.put_u32(0);
    out.put_i16(header.attributes);
    out.put_i32(header.last_offset_delta);
    out.put_i64(header.base_timestamp);
    out.put_i64(header.max_timestamp);
    out.put_i64(header.producer_id);
    out.put_i16(header.producer_epoch);
    out.put_i32(header.base_sequence);
    out.put_i32(header.count);
    out.put_slice(records);
    let behind = out.len().saturating_sub(PREFIX_BYTES);
    put(&mut out, 8, &i32::try_from(behind).unwrap_or(i32::MAX).to_be_bytes());
    stamp_crc(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::batch::validate;
    use crate::records::record::{Header, records};
    use crate::testing::Chance;

    fn drawn(chance: &mut Chance, count: u64) -> Vec<Record> {
        let text =
            |chance: &mut Chance| Bytes::from((0..chance.below(40)).map(|_| chance.bits() as u8).collect::<Vec<_>>());
        (0..count)
            .map(|offset| Record {
                offset: i64::try_from(offset).expect("small"),
                timestamp: i64::try_from(chance.below(1 << 40)).expect("small"),
                key: (chance.below(3) > 0).then(|| text(chance)),
                value: (chance.below(3) > 0).then(|| text(chance)),
                headers: (0..chance.below(3))
                    .map(|_| Header {
                        key: Bytes::from_static(b"same"),
                        value: (chance.below(2) > 0).then(|| text(chance)),
                    })
                    .collect(),
            })
            .collect()
    }

    fn read(bytes: BytesMut) -> Vec<Record> {
        validate(&bytes).expect("valid");
        let batch = Batch::split_off(&mut bytes.freeze()).expect("one batch");
        records(&batch, 1 << 20).expect("inflates").collect::<Result<_, _>>().expect("decodes")
    }

    #[test]
    fn records_survive_every_codec_and_recompression() {
        let mut chance = Chance::new(3);
        for round in 0..100 {
            let count = 1 + chance.below(20);
            let wanted = drawn(&mut chance, count);
            for codec in Compression::ALL {
                let mut builder = BatchBuilder::new(codec).producer(9, 1, 5);
                wanted.iter().for_each(|record| builder.push(record));
                let bytes = builder.build().expect("builds");
                assert_eq!(read(bytes.clone()), wanted, "round {round}, {codec:?}");
                let batch = Batch::split_off(&mut bytes.freeze()).expect("one batch");
                for other in Compression::ALL {
                    let again = recompress(&batch, other, None, 1 << 20, 1 << 20).expect("recompresses");
                    let header = validate(&again).expect("valid");
                    assert_eq!((header.producer_id, header.base_sequence), (9, 5));
                    assert_eq!(read(again), wanted, "{codec:?} to {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_marker_is_a_control_batch() {
        let bytes = BatchBuilder::marker(7, 2, Marker::Commit, 4, 1000).expect("builds");
        let batch = Batch::split_off(&mut bytes.freeze()).expect("one batch");
        assert!(batch.header.is_control() && batch.header.is_transactional());
        let record = records(&batch, 1000).expect("inflates").next().expect("one").expect("decodes");
        assert_eq!(record.key.as_deref(), Some(&[0, 0, 0, 1][..]));
        assert_eq!(record.value.as_deref(), Some(&[0, 0, 0, 0, 0, 4][..]));
    }

    #[test]
    fn noise_behind_a_header_never_panics() {
        let mut chance = Chance::new(4);
        let wanted = drawn(&mut chance, 4);
        let mut builder = BatchBuilder::new(Compression::None);
        wanted.iter().for_each(|record| builder.push(record));
        let good = builder.build().expect("builds");
        for _ in 0..5000 {
            let mut bad = good.clone();
            let place =
                HEADER_BYTES + usize::try_from(chance.below((good.len() - HEADER_BYTES) as u64)).expect("small");
            bad[place] = chance.bits() as u8;
            let batch = Batch::split_off(&mut bad.freeze()).expect("one batch");
            assert!(records(&batch, 1 << 20).expect("not compressed").count() <= 4);
        }
    }
}
