//! Record batches: what the builder writes is what the reader and the `kafka-protocol` crate read, in every codec, and the
//! other way round; what is stamped in place leaves the CRC alone; bombs and garbage stop at their bounds.

use bytes::{BufMut, Bytes, BytesMut};
use highwater_protocol::ids::{LeaderEpoch, Offset, Timestamp};
use highwater_protocol::records::batch::{
    Batch, BatchHeader, HEADER_BYTES, OUTSIDE_CRC, RecordsError, stamp, stamp_crc, stamp_log_append_time, validate,
    verify_crc,
};
use highwater_protocol::records::builder::{BatchBuilder, Marker, recompress};
use highwater_protocol::records::compression::{Compression, compress, decompress};
use highwater_protocol::records::record::{Header, Record, records};
use highwater_protocol::testing::Chance;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records as theirs;

const LIMIT: usize = 1 << 22;
/// The magic bytes and the two versions in front of xerial's blocks.
const XERIAL: [u8; 16] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
const COMPRESSED: [Compression; 4] = [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

fn some_bytes(chance: &mut Chance) -> Bytes {
    let most = if chance.below(20) == 0 { 5000 } else { 40 };
    let spread = 1 + chance.below(255);
    (0..chance.below(most)).map(|_| chance.below(spread) as u8).collect()
}

/// Records with nulls, empty and long values, headers with equal names and null values, and timestamps that go back and
/// forth, but never below the first one.
fn drawn(chance: &mut Chance, distinct_headers: bool) -> Vec<Record> {
    let base = i64::try_from(chance.below(1 << 45)).expect("small");
    let count = 1 + chance.below(30);
    (0..count)
        .map(|place| Record {
            offset: i64::try_from(place).expect("small"),
            timestamp: if place == 0 { base } else { base + i64::try_from(chance.below(1 << 33)).expect("small") },
            key: (chance.below(3) > 0).then(|| some_bytes(chance)),
            value: (chance.below(4) > 0).then(|| some_bytes(chance)),
            headers: (0..chance.below(4))
                .map(|number| Header {
                    key: if distinct_headers {
                        Bytes::from(format!("é{number}"))
                    } else {
                        Bytes::from_static(b"same")
                    },
                    value: (chance.below(3) > 0).then(|| some_bytes(chance)),
                })
                .collect(),
        })
        .collect()
}

fn built(codec: Compression, wanted: &[Record]) -> BytesMut {
    let mut builder = BatchBuilder::new(codec).producer(9, 1, 5).transactional();
    wanted.iter().for_each(|record| builder.push(record));
    builder.build().expect("builds")
}

fn one_batch(bytes: &[u8]) -> Batch {
    let mut set = Bytes::copy_from_slice(bytes);
    let batch = Batch::split_off(&mut set).expect("one batch");
    assert!(set.is_empty());
    batch
}

fn read(bytes: &[u8]) -> Result<Vec<Record>, RecordsError> {
    records(&one_batch(bytes), LIMIT)?.collect()
}

#[test]
fn what_is_built_is_read_in_every_codec() {
    let mut chance = Chance::new(11);
    let mut count = 0;
    for round in 0..60 {
        let wanted = drawn(&mut chance, false);
        for codec in Compression::ALL {
            let bytes = built(codec, &wanted);
            let header = validate(&bytes).expect("valid");
            assert_eq!(header, one_batch(&bytes).header);
            assert_eq!(header.compression(), Ok(codec));
            assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (9, 1, 5));
            assert_eq!(
                (header.is_transactional(), header.is_control(), header.is_log_append_time()),
                (true, false, false)
            );
            assert_eq!(usize::try_from(header.count), Ok(wanted.len()));
            assert_eq!(header.next_offset(), Offset(wanted.len() as i64));
            assert_eq!(header.last_sequence(), 5 + header.last_offset_delta);
            assert_eq!(header.base_timestamp, wanted[0].timestamp);
            assert_eq!(Some(header.max_timestamp), wanted.iter().map(|record| record.timestamp).max());
            assert_eq!(read(&bytes).as_ref(), Ok(&wanted), "round {round}, {codec:?}");
            count += 1;
        }
    }
    assert_eq!(count, 300);
}

/// The leader decides offset and epoch after the producer has computed the CRC: both lie in front of it.
#[test]
fn stamping_moves_offsets_and_leaves_the_crc_alone() {
    let mut chance = Chance::new(12);
    for _ in 0..40 {
        let wanted = drawn(&mut chance, false);
        for codec in Compression::ALL {
            let plain = built(codec, &wanted);
            let mut stamped = plain.clone();
            let (base, epoch) = (i64::try_from(chance.bits() >> 2).expect("positive"), chance.bits() as i32);
            stamp(&mut stamped, Offset(base), LeaderEpoch(epoch));
            let header = validate(&stamped).expect("still valid");
            assert_eq!(
                (header.base_offset, header.leader_epoch, header.crc),
                (base, epoch, one_batch(&plain).header.crc)
            );
            assert_eq!((&stamped[8..12], &stamped[16..]), (&plain[8..12], &plain[16..]), "nothing else moves");
            let moved: Vec<_> =
                wanted.iter().map(|record| Record { offset: base + record.offset, ..record.clone() }).collect();
            assert_eq!(read(&stamped), Ok(moved));
        }
    }
}

#[test]
fn the_brokers_time_replaces_every_timestamp_and_renews_the_crc() {
    let mut chance = Chance::new(13);
    let wanted = drawn(&mut chance, false);
    for codec in Compression::ALL {
        let mut bytes = built(codec, &wanted);
        let before = one_batch(&bytes).header.crc;
        stamp_log_append_time(&mut bytes, Timestamp(77));
        let header = validate(&bytes).expect("valid");
        assert!(header.crc != before && header.is_log_append_time() && header.is_transactional());
        assert!(read(&bytes).expect("reads").iter().all(|record| record.timestamp == 77));
        assert_eq!(header.compression(), Ok(codec));
    }
}

#[test]
fn the_crc_covers_all_bytes_from_the_attributes_on() {
    let good = built(Compression::None, &drawn(&mut Chance::new(14), false));
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        let inside = place >= OUTSIDE_CRC;
        // Byte 16 is the magic byte: outside the CRC, but only one value is taken.
        assert_eq!(verify_crc(&bad).is_err(), inside || place == 16, "byte {place}");
    }
}

#[test]
fn markers_are_control_batches_to_everyone() {
    for (marker, kind) in [(Marker::Abort, 0), (Marker::Commit, 1)] {
        let bytes = BatchBuilder::marker(7, 2, marker, 4, 1000).expect("builds");
        verify_crc(&bytes).expect("valid");
        // A producer numbers its batches, so that none can pass for a marker that has a producer's id.
        assert!(matches!(validate(&bytes), Err(RecordsError::BadProducer { .. })));
        let header = one_batch(&bytes).header;
        assert_eq!((header.is_control(), header.is_transactional(), header.base_sequence), (true, true, -1));
        let found = read(&bytes).expect("reads");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key.as_deref(), Some(&[0, 0, 0, kind][..]));
        assert_eq!(found[0].value.as_deref(), Some(&[0, 0, 0, 0, 0, 4][..]));
        let set = theirs::RecordBatchDecoder::decode(&mut bytes.freeze()).expect("they read it");
        let other = &set.records[0];
        assert_eq!((other.control, other.transactional, other.producer_id, other.producer_epoch), (true, true, 7, 2));
        assert_eq!(other.key, found[0].key);
    }
}

fn their_codec(codec: Compression) -> theirs::Compression {
    match codec {
        Compression::None => theirs::Compression::None,
        Compression::Gzip => theirs::Compression::Gzip,
        Compression::Snappy => theirs::Compression::Snappy,
        Compression::Lz4 => theirs::Compression::Lz4,
        Compression::Zstd => theirs::Compression::Zstd,
    }
}

/// Their crate keeps headers in a map and their names as text: equal names and other bytes are not representable there.
fn their_record(record: &Record) -> theirs::Record {
    theirs::Record {
        transactional: true,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: 9,
        producer_epoch: 1,
        timestamp_type: theirs::TimestampType::Creation,
        offset: record.offset,
        sequence: 5 + i32::try_from(record.offset).expect("small"),
        timestamp: record.timestamp,
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record
            .headers
            .iter()
            .map(|header| (StrBytes::try_from(header.key.clone()).expect("text"), header.value.clone()))
            .collect(),
    }
}

#[test]
fn the_other_crate_reads_ours_and_we_read_theirs_in_every_codec() {
    let mut chance = Chance::new(15);
    let mut batches = 0;
    for round in 0..40 {
        let wanted = drawn(&mut chance, true);
        let as_theirs: Vec<_> = wanted.iter().map(their_record).collect();
        for codec in Compression::ALL {
            let ours = built(codec, &wanted);
            let set = theirs::RecordBatchDecoder::decode(&mut Bytes::copy_from_slice(&ours)).expect("they read it");
            assert_eq!(set.records, as_theirs, "round {round}, {codec:?}");

            let mut other = BytesMut::new();
            let options = theirs::RecordEncodeOptions { version: 2, compression: their_codec(codec) };
            theirs::RecordBatchEncoder::encode(&mut other, &as_theirs, &options).expect("they write it");
            validate(&other).expect("valid");
            assert_eq!(read(&other).as_ref(), Ok(&wanted), "round {round}, {codec:?}");
            if matches!(codec, Compression::None | Compression::Snappy) {
                assert_eq!(other, ours, "the same bytes, round {round}, {codec:?}");
            }
            batches += 1;
        }
    }
    println!("{batches} batches agree either way");
    assert_eq!(batches, 200);
}

/// Several megabytes, so that every codec writes more than one block.
#[test]
fn large_batches_agree_in_every_codec() {
    let mut chance = Chance::new(16);
    let value: Bytes = (0..400_000).map(|_| chance.below(40) as u8).collect();
    let wanted: Vec<_> =
        (0..4).map(|offset| Record { offset, timestamp: 1, value: Some(value.clone()), ..Record::default() }).collect();
    for codec in Compression::ALL {
        let ours = built(codec, &wanted);
        assert_eq!(read(&ours).as_ref(), Ok(&wanted), "{codec:?}");
        let set = theirs::RecordBatchDecoder::decode(&mut ours.freeze()).expect("they read it");
        assert!(set.records.iter().all(|record| record.value.as_ref() == Some(&value)), "{codec:?}");
        let mut other = BytesMut::new();
        let options = theirs::RecordEncodeOptions { version: 2, compression: their_codec(codec) };
        theirs::RecordBatchEncoder::encode(&mut other, &set.records, &options).expect("they write it");
        assert_eq!(read(&other).as_ref(), Ok(&wanted), "{codec:?}");
    }
}

#[test]
fn recompressing_keeps_records_and_header() {
    let mut chance = Chance::new(17);
    let wanted = drawn(&mut chance, false);
    for from in Compression::ALL {
        for to in Compression::ALL {
            let mut bytes = built(from, &wanted);
            stamp(&mut bytes, Offset(50), LeaderEpoch(3));
            let batch = one_batch(&bytes);
            let again = recompress(&batch, to, None, LIMIT, LIMIT).expect("recompresses");
            let header = validate(&again).expect("valid");
            let (length, crc, attributes) = (header.length, header.crc, batch.header.attributes & !7 | to.number());
            assert_eq!(header, BatchHeader { length, crc, attributes, ..batch.header });
            assert_eq!(read(&again), read(&bytes), "{from:?} to {to:?}");
            assert_eq!(recompress(&batch, to, None, 10, LIMIT), Err(RecordsError::TooLarge(10)));
        }
    }
}

/// Java reads LZ4 frames of independent blocks only: version 01, the independence bit, no checksums, no sizes; 64 KiB blocks.
#[test]
fn lz4_frames_are_what_java_reads() {
    for length in [0, 1, 70_000, 1_000_000] {
        let packed = compress(Compression::Lz4, None, &vec![7; length]).expect("compresses");
        assert_eq!(packed[..4], [0x04, 0x22, 0x4d, 0x18], "the magic number, low byte first");
        assert_eq!((packed[4], packed[5]), (0x60, 0x40), "FLG and BD for {length} bytes");
        assert_eq!(packed[packed.len() - 4..], [0; 4], "the end mark");
    }
}

#[test]
fn snappy_is_read_raw_and_framed_and_written_framed() {
    let mut chance = Chance::new(18);
    let text: Vec<u8> = (0..100_000).map(|_| chance.below(6) as u8).collect();
    let raw = |bytes: &[u8]| snap_raw(bytes);
    let written = compress(Compression::Snappy, None, &text).expect("compresses");
    assert_eq!(written[..16], XERIAL);
    assert_eq!(decompress(Compression::Snappy, &Bytes::from(raw(&text)), LIMIT).as_deref(), Ok(&text[..]), "raw");
    // Blocks of any size, the last one empty, and a version that is not 1.
    let mut framed = XERIAL.to_vec();
    framed[11] = 2;
    for block in text.chunks(7001).chain([&[][..]]) {
        let packed = raw(block);
        framed.extend(u32::try_from(packed.len()).expect("small").to_be_bytes());
        framed.extend(packed);
    }
    assert_eq!(decompress(Compression::Snappy, &Bytes::from(framed), LIMIT).as_deref(), Ok(&text[..]), "framed");
    let empty = decompress(Compression::Snappy, &Bytes::copy_from_slice(&XERIAL), LIMIT);
    assert_eq!(empty.as_deref(), Ok(&[][..]), "a frame without blocks");
    for length in [u32::MAX, 0x7fff_ffff, 100] {
        let bad = [&XERIAL[..], &length.to_be_bytes(), &[1, 0, b'a']].concat();
        assert!(decompress(Compression::Snappy, &Bytes::from(bad), LIMIT).is_err(), "a block of {length} bytes");
    }
    for cut in 8..16 {
        assert!(decompress(Compression::Snappy, &Bytes::copy_from_slice(&XERIAL[..cut]), LIMIT).is_err(), "{cut}");
    }
}

/// Snappy without compression, by its format: the length, then literals.
fn snap_raw(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    crate::wire::uvarint(bytes.len(), &mut out);
    for literal in bytes.chunks(60) {
        out.push((literal.len() as u8 - 1) << 2);
        out.extend(literal);
    }
    out
}

/// A megabyte of zeros a thousand times over: a few kilobytes on the wire. What is refused must be refused cheaply.
#[test]
fn bombs_are_refused_within_the_cap() {
    let cap = 1 << 20;
    let zeros = vec![0; 48 << 20];
    for codec in COMPRESSED {
        let bomb = compress(codec, None, &zeros).expect("compresses");
        let mut found = Ok(Bytes::new());
        let used = allocation_counter::measure(|| found = decompress(codec, &bomb, cap));
        assert_eq!(found, Err(RecordsError::TooLarge(cap)), "{codec:?}");
        // Growing doubles: old and new buffer live side by side for a moment.
        assert!(used.bytes_max <= 3 * cap as u64 + (1 << 20), "{codec:?} took {} bytes", used.bytes_max);
    }
    let mut liar = Vec::new();
    crate::wire::uvarint(u32::MAX as usize, &mut liar);
    liar.extend([0, b'a']);
    let mut found = Ok(Bytes::new());
    let used = allocation_counter::measure(|| found = decompress(Compression::Snappy, &Bytes::from(liar), cap));
    assert_eq!((found, used.bytes_max < 4096), (Err(RecordsError::TooLarge(cap)), true), "a raw block that says 4 GiB");
}

/// A frame of one byte that asks for a window: 128 MiB, the most that Java takes, or twice that.
#[test]
fn zstd_windows_are_bounded() {
    let frame = |window_log: u8| {
        let bytes = [0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3, 9, 0, 0, b'x'];
        decompress(Compression::Zstd, &Bytes::copy_from_slice(&bytes), LIMIT)
    };
    assert_eq!(frame(27).as_deref(), Ok(&b"x"[..]));
    assert!(matches!(frame(28), Err(RecordsError::Decompression(_))));
    assert!(matches!(frame(41), Err(RecordsError::Decompression(_))));
}

#[test]
fn the_cap_is_exact() {
    let text = vec![b'x'; 100_000];
    for codec in Compression::ALL {
        let packed = compress(codec, None, &text).expect("compresses");
        assert_eq!(decompress(codec, &packed, 100_000).as_deref(), Ok(&text[..]), "{codec:?}");
        assert_eq!(decompress(codec, &packed, 99_999), Err(RecordsError::TooLarge(99_999)), "{codec:?}");
    }
}

/// Compressed bytes that end early give an error, or all records where only an end mark is missing: never fewer.
#[test]
fn records_cut_anywhere_are_all_there_or_an_error() {
    let mut chance = Chance::new(19);
    let mut refused = 0;
    for _ in 0..4 {
        let wanted = drawn(&mut chance, false);
        for codec in Compression::ALL {
            let good = built(codec, &wanted);
            for cut in HEADER_BYTES..good.len() {
                let mut bad = BytesMut::from(&good[..cut]);
                resize(&mut bad);
                match read(&bad) {
                    Ok(found) => assert_eq!(found, wanted, "{codec:?} cut at {cut}"),
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 5000, "{refused}");
}

/// Makes length and CRC fit the bytes again, as a hostile producer would.
fn resize(bytes: &mut BytesMut) {
    let length = i32::try_from(bytes.len() - 12).expect("small");
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    stamp_crc(bytes);
}

#[test]
fn bytes_behind_the_last_record_are_refused() {
    let wanted = drawn(&mut Chance::new(20), false);
    let mut bytes = built(Compression::None, &wanted);
    bytes.put_u8(0);
    resize(&mut bytes);
    validate(&bytes).expect("valid from its header");
    let mut found = records(&one_batch(&bytes), LIMIT).expect("not compressed");
    assert!(found.by_ref().take(wanted.len()).all(|record| record.is_ok()));
    assert!(matches!(found.next(), Some(Err(RecordsError::BadRecord { .. }))));
    assert_eq!(found.next(), None);
}

#[test]
fn a_count_beyond_the_records_is_an_error_without_memory() {
    let mut bytes = built(Compression::None, &[Record::new(None, Some(&"only".repeat(500)), 1)]);
    bytes[23..27].copy_from_slice(&199i32.to_be_bytes());
    bytes[57..61].copy_from_slice(&200i32.to_be_bytes());
    resize(&mut bytes);
    validate(&bytes).expect("the counts fit each other and the bytes");
    let batch = one_batch(&bytes);
    let mut found = Vec::new();
    let used =
        allocation_counter::measure(|| found = records(&batch, LIMIT).expect("not compressed").take(5).collect());
    assert!(found.len() == 2 && found[0].is_ok() && found[1].is_err());
    assert!(used.bytes_total < 64 * 1024, "{} bytes", used.bytes_total);
}

#[test]
fn flipped_batches_never_panic_and_stay_within_the_cap() {
    let mut chance = Chance::new(21);
    let (mut tries, mut refused) = (0, 0);
    for codec in Compression::ALL {
        let good = built(codec, &drawn(&mut chance, false));
        for _ in 0..1500 {
            let mut bad = good.clone();
            for _ in 0..=chance.below(3) {
                let place =
                    HEADER_BYTES + usize::try_from(chance.below((good.len() - HEADER_BYTES) as u64)).expect("small");
                bad[place] = chance.bits() as u8;
            }
            stamp_crc(&mut bad);
            let batch = one_batch(&bad);
            tries += 1;
            match records(&batch, 50_000).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
                Ok(found) => assert_eq!(found.len(), usize::try_from(batch.header.count).expect("positive")),
                Err(_) => refused += 1,
            }
        }
    }
    println!("{tries} flipped batches, {refused} refused");
    assert!(refused > tries / 4, "{refused}");
}

#[test]
fn noise_is_no_batch() {
    let mut chance = Chance::new(22);
    for round in 0..20_000 {
        let mut noise: Vec<u8> = (0..chance.below(150)).map(|_| chance.bits() as u8).collect();
        if round % 2 == 0 && noise.len() > 16 {
            noise[8..12].copy_from_slice(&(chance.below(150) as u32).to_be_bytes());
            noise[16] = 2;
        }
        assert!(validate(&noise).is_err());
        let set = Bytes::from(noise);
        assert!(
            Batch::all(set.clone()).is_err() || set.len() < HEADER_BYTES || Batch::split_off(&mut set.clone()).is_err()
        );
        let mut short = BytesMut::from(&set[..set.len().min(30)]);
        stamp(&mut short, Offset(1), LeaderEpoch(1));
        stamp_log_append_time(&mut short, Timestamp(1));
        assert!(validate(&short).is_err(), "stamping makes no batch of too few bytes");
    }
}

/// A fetch may end in the middle of a batch: that one is left out. A batch that is whole but changed is an error.
#[test]
fn a_set_is_read_up_to_the_batch_that_is_cut() {
    let mut chance = Chance::new(23);
    let batches: Vec<_> = Compression::ALL.into_iter().map(|codec| built(codec, &drawn(&mut chance, false))).collect();
    let set = batches.concat();
    for cut in 0..=set.len() {
        let mut end = 0;
        let whole = batches.iter().filter(|batch| {
            end += batch.len();
            end <= cut
        });
        let wanted: Vec<_> = whole.map(|batch| one_batch(batch)).collect();
        assert_eq!(Batch::all(Bytes::copy_from_slice(&set[..cut])), Ok(wanted), "cut at {cut}");
    }
    let mut bad = set;
    *bad.last_mut().expect("bytes") ^= 1;
    assert!(matches!(Batch::all(Bytes::from(bad)), Err(RecordsError::BadCrc { .. })));
}

#[test]
fn headers_that_contradict_themselves_are_refused() {
    let good = built(Compression::None, &[Record::new(None, Some("a"), 1), Record::new(None, Some("b"), 2)]);
    let with = |place: usize, value: &[u8]| {
        let mut bad = good.clone();
        bad[place..place + value.len()].copy_from_slice(value);
        stamp_crc(&mut bad);
        validate(&bad).map(drop)
    };
    assert_eq!(
        with(8, &i32::MAX.to_be_bytes()).map_err(|error| matches!(error, RecordsError::NotOneBatch(_))),
        Err(true)
    );
    for length in [-1, 0, 48, i32::MIN] {
        assert_eq!(with(8, &i32::to_be_bytes(length)), Err(RecordsError::BadLength(length)));
    }
    for magic in [0, 1] {
        assert!(matches!(with(16, &[magic]), Err(RecordsError::OldMagic(_))));
    }
    for magic in [3, 0xff] {
        assert!(matches!(with(16, &[magic]), Err(RecordsError::BadMagic(_))));
    }
    for codec in 5..8 {
        assert_eq!(with(21, &i16::to_be_bytes(codec)), Err(RecordsError::UnknownCodec(codec)));
    }
    for (place, value) in [(57, 0), (57, -1), (57, 3), (57, i32::MAX), (23, 0), (23, -1), (23, i32::MAX)] {
        assert!(
            matches!(with(place, &i32::to_be_bytes(value)), Err(RecordsError::BadCount { .. })),
            "{value} at {place}"
        );
    }
    // An id below -1 is none, as in Kafka.
    assert_eq!(with(43, &(-2i64).to_be_bytes()), Ok(()));
    assert!(matches!(with(51, &(-1i16).to_be_bytes()), Err(RecordsError::BadProducer { .. })));
    assert!(matches!(with(53, &(-1i32).to_be_bytes()), Err(RecordsError::BadProducer { .. })));
    assert_eq!(with(0, &7i64.to_be_bytes()), Ok(()));
}

/// What is behind a batch and is no whole one does not count; a second whole one does.
#[test]
fn a_batch_ends_where_it_says() {
    let good = built(Compression::None, &[Record::new(None, Some("a"), 1)]);
    for behind in [1, 16, 17, good.len() - 1] {
        let set = [&good[..], &good[..behind]].concat();
        assert_eq!(validate(&set).map(|header| header.total_bytes()), Ok(good.len()), "{behind} bytes behind it");
    }
    assert!(matches!(validate(&[&good[..], &good[..]].concat()), Err(RecordsError::NotOneBatch(_))));
}
