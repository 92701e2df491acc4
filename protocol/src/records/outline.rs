//! The outlines of a batch's records: where and when each is, and whether it has a key. They are read as the batch inflates, so
//! that only a block of it is held at a time, whatever it inflates to.

use std::io::Read;

use super::batch::{Batch, BatchHeader, RecordsError};
use super::compression::{Inflating, reason};
use super::record::unzigzag;

/// Bytes read at a time.
const STEP: usize = 16 * 1024;

/// A record without its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outline {
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// Whether its key is not null.
    pub has_key: bool,
}

/// Shows the outlines of a batch's records until `visit` answers `false`. The records may inflate to `limit` bytes.
pub fn outlines(batch: &Batch, limit: usize, mut visit: impl FnMut(Outline) -> bool) -> Result<(), RecordsError> {
    let payload = batch.payload();
    let mut source = Source {
        inflating: Inflating::new(batch.header.compression()?, &payload, limit)?,
        step: vec![0; STEP],
        at: 0,
        end: 0,
        taken: 0,
    };
    for index in 0..batch.header.count {
        let bad = |reason| RecordsError::BadRecord { index, reason };
        if !visit(outline(&mut source, &batch.header, bad)?) {
            return Ok(());
        }
    }
    match source.byte()? {
        None => Ok(()),
        Some(_) => Err(RecordsError::BadRecord { index: batch.header.count, reason: "bytes behind the last record" }),
    }
}

fn outline(
    source: &mut Source<'_>,
    batch: &BatchHeader,
    bad: impl Fn(&'static str) -> RecordsError,
) -> Result<Outline, RecordsError> {
    let length = source.varint()?.ok_or_else(|| bad("a record without a length"))?;
    let length = u64::try_from(length).map_err(|_| bad("a negative length"))?;
    source.taken = 0;
    let _attributes = source.byte()?.ok_or_else(|| bad("an empty record"))?;
    let mut number = || source.varint()?.ok_or_else(|| bad("a number beyond the end"));
    let (timestamp_delta, offset_delta, key) = (number()?, number()?, number()?);
    let left = length.checked_sub(source.taken).ok_or_else(|| bad("a length beyond the end"))?;
    if !source.skip(left)? {
        return Err(bad("a length beyond the end"));
    }
    let timestamp = if batch.is_log_append_time() {
        batch.max_timestamp
    } else {
        batch.base_timestamp.saturating_add(timestamp_delta)
    };
    Ok(Outline { offset: batch.base_offset.saturating_add(offset_delta), timestamp, has_key: key >= 0 })
}

/// Inflated bytes, one by one.
struct Source<'a> {
    inflating: Inflating<'a>,
    step: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes taken of the record.
    taken: u64,
}

impl Source<'_> {
    fn byte(&mut self) -> Result<Option<u8>, RecordsError> {
        if !self.fill()? {
            return Ok(None);
        }
        let byte = self.step.get(self.at).copied();
        self.at = self.at.saturating_add(1);
        self.taken = self.taken.saturating_add(1);
        Ok(byte)
    }

    /// Whether there is more.
    fn fill(&mut self) -> Result<bool, RecordsError> {
        if self.at == self.end {
            (self.at, self.end) = (0, self.inflating.read(&mut self.step).map_err(reason)?);
        }
        Ok(self.at < self.end)
    }

    /// Passes over bytes. Answers whether there were so many.
    fn skip(&mut self, mut bytes: u64) -> Result<bool, RecordsError> {
        while bytes > 0 {
            if !self.fill()? {
                return Ok(false);
            }
            let here = self.end.saturating_sub(self.at).min(usize::try_from(bytes).unwrap_or(usize::MAX));
            self.at = self.at.saturating_add(here);
            bytes = bytes.saturating_sub(here as u64);
        }
        Ok(true)
    }

    /// `None` where it does not end.
    fn varint(&mut self) -> Result<Option<i64>, RecordsError> {
        let mut value: u64 = 0;
        for place in 0..10u32 {
            let Some(byte) = self.byte()? else { return Ok(None) };
            value |= (u64::from(byte) & 0x7f).wrapping_shl(place.wrapping_mul(7));
            if byte & 0x80 == 0 {
                return Ok(Some(unzigzag(value)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::builder::BatchBuilder;
    use crate::records::compression::Compression;
    use crate::records::record::{Record, records};
    use crate::testing::Chance;

    fn batch(builder: BatchBuilder) -> Batch {
        Batch::split_off(&mut builder.build().expect("builds").freeze()).expect("one batch")
    }

    #[test]
    fn outlines_are_those_of_the_records() {
        let mut chance = Chance::new(8);
        for codec in Compression::ALL {
            let mut builder = BatchBuilder::new(codec);
            for _ in 0..500 {
                let value = "v".repeat(usize::try_from(chance.below(200)).expect("small"));
                let key = (chance.below(2) == 0).then_some("key");
                builder.push(&Record::new(key, Some(&value), 1_000 + i64::try_from(chance.below(90)).expect("small")));
            }
            let batch = batch(builder);
            let mut found = Vec::new();
            outlines(&batch, 1 << 20, |outline| {
                found.push(outline);
                true
            })
            .expect("reads");
            let outline = |record: Record| Outline {
                offset: record.offset,
                timestamp: record.timestamp,
                has_key: record.key.is_some(),
            };
            let wanted: Vec<Outline> =
                records(&batch, 1 << 20).expect("inflates").map(|record| outline(record.expect("decodes"))).collect();
            assert_eq!(found, wanted, "{codec:?}");
        }
    }

    /// A topic that is compacted, one that compresses anew and a look-up by time inflated a batch as a whole: a megabyte that a
    /// client may send came to gigabytes.
    #[test]
    fn a_bomb_is_read_a_block_at_a_time() {
        for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
            let mut builder = BatchBuilder::new(codec);
            builder.push(&Record { value: Some(vec![0; 64 << 20].into()), ..Record::default() });
            let batch = batch(builder);
            let mut read = Ok(());
            let used = allocation_counter::measure(|| read = outlines(&batch, 128 << 20, |_| true));
            assert_eq!(read, Ok(()), "{codec:?}");
            assert!(used.bytes_max < 512 * 1024, "{codec:?}: {} bytes held", used.bytes_max);
            assert_eq!(outlines(&batch, 1 << 20, |_| true), Err(RecordsError::TooLarge(1 << 20)), "{codec:?}");
        }
    }
}
