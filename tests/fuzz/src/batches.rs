//! Record batches, as a producer sends them to the broker and a broker to our client. The first byte says what is put right, so
//! that what lies behind a check is reached: the magic byte and the length, or those and the CRC.

use bytes::{Bytes, BytesMut};
use highwater_protocol::ids::{LeaderEpoch, Offset, Timestamp};
use highwater_protocol::records::batch::{
    Batch, BatchHeader, HEADER_BYTES, MAGIC, PREFIX_BYTES, RecordsError, stamp, stamp_crc, stamp_log_append_time,
    validate, verify_crc,
};
use highwater_protocol::records::builder::{BatchBuilder, recompress};
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::outline::outlines;
use highwater_protocol::records::record::{Record, records};

use crate::inflate::CODEC_BYTES;
use crate::memory::bounded;

/// What the records of a batch may inflate to here.
const INFLATED: usize = 32 * 1024;
/// Headers are views, so a set of batches costs a list of them: this is what an empty list begins with.
const HEADERS_ONLY: u64 = 4096;
/// A codec's own buffers, and what the bound on inflating can become: a header of two bytes takes 64, in a vector that grows
/// by moving, and a vector of inflated bytes grows so as well.
const READ: u64 = CODEC_BYTES + 100 * INFLATED as u64;

/// Takes one input.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let mut bytes = rest.to_vec();
    put_right(*mode, &mut bytes);
    whole_batch(&bytes);
    set_of_batches(&bytes);
}

fn put_right(mode: u8, bytes: &mut [u8]) {
    if mode & 1 == 0 || bytes.len() < HEADER_BYTES {
        return;
    }
    let behind = i32::try_from(bytes.len() - PREFIX_BYTES).expect("an input is small");
    bytes[8..12].copy_from_slice(&behind.to_be_bytes());
    bytes[16] = MAGIC.to_be_bytes()[0];
    if mode & 2 != 0 {
        stamp_crc(bytes);
    }
}

/// What a broker does with the batch of a produce request.
fn whole_batch(bytes: &[u8]) {
    let Ok(header) = bounded(bytes.len(), HEADERS_ONLY, || validate(bytes)) else { return };
    let bytes = bytes.get(..header.total_bytes()).expect("all of the batch is there");
    assert_eq!(i64::from(header.count), i64::from(header.last_offset_delta) + 1, "no offset is jumped over");
    let mut stamped = bytes.to_vec();
    stamp(&mut stamped, Offset(42), LeaderEpoch(7));
    let again = validate(&stamped).expect("offset and epoch lie outside the CRC");
    assert_eq!(again, BatchHeader { base_offset: 42, leader_epoch: 7, ..header });
    stamp_log_append_time(&mut stamped, Timestamp(9));
    assert!(validate(&stamped).is_ok_and(|header| header.is_log_append_time() && header.max_timestamp == 9));
}

/// What a consumer does with what a fetch brought.
fn set_of_batches(bytes: &[u8]) {
    let set = Bytes::copy_from_slice(bytes);
    let Ok(batches) = bounded(bytes.len(), HEADERS_ONLY, || Batch::all(set)) else { return };
    let together: Vec<u8> = batches.iter().flat_map(|batch| batch.bytes.to_vec()).collect();
    assert!(bytes.starts_with(&together), "batches are what the set begins with");
    for batch in &batches {
        assert_eq!(verify_crc(&batch.bytes), Ok(()), "none comes without its CRC");
        let mut outlined = Vec::new();
        let outline = outlines(batch, INFLATED, |record| {
            outlined.push(record);
            true
        });
        let read: Result<Vec<Record>, RecordsError> =
            bounded(batch.bytes.len(), READ, || records(batch, INFLATED)?.collect());
        if let Ok(read) = read {
            assert_eq!(outline, Ok(()), "what is read as records is read as outlines");
            let same = outlined.iter().zip(&read).all(|(outline, record)| {
                (outline.offset, outline.timestamp, outline.has_key)
                    == (record.offset, record.timestamp, record.key.is_some())
            });
            assert!(same && outlined.len() == read.len(), "outlines are those of the records");
            all_read(batch, &read);
        }
    }
}

fn all_read(batch: &Batch, read: &[Record]) {
    assert_eq!(read.len(), usize::try_from(batch.header.count).unwrap_or(0), "as many as the header says");
    if read.is_empty() {
        return;
    }
    let same = |found: &[Record]| {
        assert_eq!(found.len(), read.len());
        for (found, wanted) in found.iter().zip(read) {
            assert_eq!((&found.key, &found.value, &found.headers), (&wanted.key, &wanted.value, &wanted.headers));
        }
    };
    let mut builder = BatchBuilder::new(Compression::None);
    read.iter().for_each(|record| builder.push(record));
    same(&reread(builder.build().expect("builds")).expect("what was built is read"));
    let packed =
        recompress(batch, Compression::Lz4, None, INFLATED, 2 * INFLATED).expect("what inflated once does again");
    same(&reread(packed).expect("what was compressed anew is read"));
}

fn reread(bytes: BytesMut) -> Result<Vec<Record>, RecordsError> {
    let batch = Batch::split_off(&mut bytes.freeze())?;
    // A record of ours may need another byte for its deltas than the one it was read from.
    records(&batch, 4 * INFLATED)?.collect()
}
