//! Produce: what may be wrong with a batch, and what is kept of one that is right.

use bytes::BytesMut;
use highwater_protocol::api::ApiKey;
use highwater_protocol::message::ProduceRequest;
use highwater_protocol::records::batch::stamp_crc;
use highwater_protocol::records::builder::{BatchBuilder, Marker};
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;

use super::Scenario;
use super::produce::{into, part, request};
use crate::normal::now_ms;
use crate::side::{Made, Side};

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario { key: ApiKey::Produce, name: "batches", run: batches },
    Scenario { key: ApiKey::Produce, name: "contents", run: contents },
    Scenario { key: ApiKey::Produce, name: "timestamps", run: timestamps },
    Scenario { key: ApiKey::Produce, name: "settings", run: settings },
    Scenario { key: ApiKey::Produce, name: "sequences", run: sequences },
    Scenario { key: ApiKey::Produce, name: "transactions", run: transactions },
];

/// In the header of a batch: where each field begins.
const BASE_OFFSET: usize = 0;
const LENGTH: usize = 8;
const LEADER_EPOCH: usize = 12;
const MAGIC: usize = 16;
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const LAST_OFFSET_DELTA: usize = 23;
const MAX_TIMESTAMP: usize = 35;
const PRODUCER_ID: usize = 43;
const PRODUCER_EPOCH: usize = 51;
const BASE_SEQUENCE: usize = 53;
const COUNT: usize = 57;
/// Where the first record begins.
const RECORD: usize = 61;

/// A time that is no `now`, so that transcripts say the same every day.
pub(super) const THEN: i64 = 1_700_000_000_000;

/// A record for each timestamp.
pub(super) fn batch(timestamps: &[i64]) -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None);
    timestamps.iter().for_each(|at| builder.push(&Record::new(Some("k"), Some("v"), *at)));
    builder.build().expect("a batch")
}

/// Five records.
pub(super) fn five() -> BytesMut {
    batch(&[THEN, THEN + 10, THEN + 5, THEN + 30, THEN + 20])
}

/// A batch of that many records of a producer.
pub(super) fn numbered(producer: i64, epoch: i16, sequence: i32, count: i32) -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None).producer(producer, epoch, sequence);
    (0..count).for_each(|at| builder.push(&Record::new(Some("k"), Some("v"), THEN + i64::from(at))));
    builder.build().expect("a batch")
}

/// Writes a batch to prepare a case.
pub(super) fn appended(side: &mut Side, topic: &Made, partition: i32, records: BytesMut) {
    let appended = side.setup(&request(vec![into(12, topic, vec![part(partition, Some(records))])]), 12);
    let answer = &appended.responses[0].partition_responses[0];
    assert_eq!(answer.error_code, 0, "{}: {:?}", topic.name, answer.error_message);
}

/// Where, and the bytes that come there.
type Change<'a> = (usize, &'a [u8]);

/// A batch with some bytes changed, and its CRC right.
fn changed(mut batch: BytesMut, changes: &[Change<'_>]) -> BytesMut {
    for (at, bytes) in changes {
        batch[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    if batch.len() > 61 {
        stamp_crc(&mut batch);
    }
    batch
}

fn one(version: i16, topic: &Made, records: Option<BytesMut>) -> ProduceRequest {
    request(vec![into(version, topic, vec![part(0, records)])])
}

fn batches(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 1, &[]);
    let good = five;
    let length = i32::try_from(good().len() - 12).expect("small");
    let last = good().len() - 1;
    let mut cases: Vec<(&str, Option<BytesMut>)> = vec![
        ("null", None),
        ("empty", Some(BytesMut::new())),
        ("one-byte", Some(BytesMut::from(&[0][..]))),
        ("half-a-header", Some(BytesMut::from(&good()[..30]))),
        ("only-a-header", Some(BytesMut::from(&good()[..61]))),
        ("cut-short", Some(BytesMut::from(&good()[..last]))),
        ("a-byte-behind", Some(BytesMut::from(&[&good()[..], &[0]].concat()[..]))),
        ("two-batches", Some(BytesMut::from(&[&good()[..], &good()[..]].concat()[..]))),
        ("one-and-a-half", Some(BytesMut::from(&[&good()[..], &good()[..40]].concat()[..]))),
    ];
    let changes: &[(&str, &[Change<'_>])] = &[
        ("magic-0", &[(MAGIC, &[0])]),
        ("magic-1", &[(MAGIC, &[1])]),
        ("magic-3", &[(MAGIC, &[3])]),
        ("magic--1", &[(MAGIC, &[255])]),
        ("length-one-more", &[(LENGTH, &(length + 1).to_be_bytes())]),
        ("length-one-less", &[(LENGTH, &(length - 1).to_be_bytes())]),
        ("length-0", &[(LENGTH, &0i32.to_be_bytes())]),
        ("length-negative", &[(LENGTH, &(-1i32).to_be_bytes())]),
        ("length-highest", &[(LENGTH, &i32::MAX.to_be_bytes())]),
        ("base-offset-7", &[(BASE_OFFSET, &7i64.to_be_bytes())]),
        ("base-offset-negative", &[(BASE_OFFSET, &(-1i64).to_be_bytes())]),
        ("leader-epoch-99", &[(LEADER_EPOCH, &99i32.to_be_bytes())]),
        ("delta-too-high", &[(LAST_OFFSET_DELTA, &9i32.to_be_bytes())]),
        ("delta-too-low", &[(LAST_OFFSET_DELTA, &1i32.to_be_bytes())]),
        ("delta-negative", &[(LAST_OFFSET_DELTA, &(-1i32).to_be_bytes())]),
        ("delta-highest", &[(LAST_OFFSET_DELTA, &i32::MAX.to_be_bytes())]),
        ("count-0", &[(COUNT, &0i32.to_be_bytes())]),
        ("count-negative", &[(COUNT, &(-1i32).to_be_bytes())]),
        ("count-too-high", &[(COUNT, &6i32.to_be_bytes())]),
        ("count-too-low", &[(COUNT, &4i32.to_be_bytes())]),
        ("codec-5", &[(ATTRIBUTES, &5i16.to_be_bytes())]),
        ("codec-7", &[(ATTRIBUTES, &7i16.to_be_bytes())]),
        ("log-append-time", &[(ATTRIBUTES, &8i16.to_be_bytes())]),
        ("transactional", &[(ATTRIBUTES, &16i16.to_be_bytes())]),
        ("control", &[(ATTRIBUTES, &32i16.to_be_bytes())]),
        ("unknown-attribute", &[(ATTRIBUTES, &128i16.to_be_bytes())]),
        ("all-attributes", &[(ATTRIBUTES, &(-8i16).to_be_bytes())]),
        ("producer-without-epoch", &[(PRODUCER_ID, &5i64.to_be_bytes())]),
        ("epoch-without-producer", &[(PRODUCER_EPOCH, &0i16.to_be_bytes())]),
        ("sequence-without-producer", &[(BASE_SEQUENCE, &0i32.to_be_bytes())]),
        ("producer--2", &[(PRODUCER_ID, &(-2i64).to_be_bytes())]),
        ("max-timestamp-too-low", &[(MAX_TIMESTAMP, &THEN.to_be_bytes())]),
        ("max-timestamp-too-high", &[(MAX_TIMESTAMP, &(THEN + 1000).to_be_bytes())]),
        ("max-timestamp-none", &[(MAX_TIMESTAMP, &(-1i64).to_be_bytes())]),
    ];
    cases.extend(changes.iter().map(|(case, changes)| (*case, Some(changed(good(), changes)))));
    let mut crc = good();
    crc[CRC] ^= 1;
    let mut body = good();
    body[last] ^= 1;
    cases.push(("bad-crc", Some(crc)));
    cases.push(("bad-body", Some(body)));
    cases.push(("record-attributes", Some(changed(good(), &[(62, &[1])]))));
    cases.push(("bad-offset-delta", Some(changed(good(), &[(64, &[4])]))));
    for codec in [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let mut builder = BatchBuilder::new(codec);
        (0..3).for_each(|at| builder.push(&Record::new(None, Some("value"), THEN + at)));
        let name = ["codec-none", "codec-gzip", "codec-snappy", "codec-lz4", "codec-zstd"]
            [usize::try_from(codec.number()).expect("small")];
        cases.push((name, Some(builder.build().expect("a batch"))));
    }
    cases.push(("no-record", Some(changed(BatchBuilder::new(Compression::None).build().expect("a batch"), &[]))));
    for (case, records) in cases {
        side.case(case, &one(version, &a, records));
    }
    side.case("how-many-came", &one(version, &a, Some(five())));
}

/// What shows only when the records are looked at: each for a topic of its own, for one of the two may take it.
fn contents(side: &mut Side) {
    let version = side.version;
    let cases: &[(&str, &[Change<'_>])] = &[
        ("count-too-high", &[(COUNT, &6i32.to_be_bytes()), (LAST_OFFSET_DELTA, &5i32.to_be_bytes())]),
        ("count-too-low", &[(COUNT, &4i32.to_be_bytes()), (LAST_OFFSET_DELTA, &3i32.to_be_bytes())]),
        ("gzip-that-is-none", &[(ATTRIBUTES, &1i16.to_be_bytes())]),
        ("delete-horizon", &[(ATTRIBUTES, &64i16.to_be_bytes())]),
        ("record-length-too-high", &[(RECORD, &[0x7e])]),
        ("record-length-negative", &[(RECORD, &[0x01])]),
    ];
    for (case, changes) in cases {
        let topic = side.make(case, 1, &[]);
        side.case(case, &one(version, &topic, Some(changed(five(), changes))));
    }
}

fn timestamps(side: &mut Side) {
    let version = side.version;
    let day = 86_400_000;
    let a = side.make("a", 1, &[]);
    let strict = [("message.timestamp.before.max.ms", "100000"), ("message.timestamp.after.max.ms", "100000")];
    let strict = side.make("strict", 1, &strict);
    let stamped = side.make("stamped", 1, &[("message.timestamp.type", "LogAppendTime")]);
    let strictly_stamped = side.make(
        "strictly-stamped",
        1,
        &[("message.timestamp.type", "LogAppendTime"), ("message.timestamp.before.max.ms", "100000")],
    );
    let now = now_ms();
    let times: &[(&str, &[i64])] = &[
        ("now", &[now]),
        ("none", &[-1]),
        ("negative", &[-2]),
        ("lowest", &[i64::MIN / 4]),
        ("zero", &[0]),
        ("tomorrow", &[now + day]),
        ("in-half-an-hour", &[now + day / 48]),
        ("yesterday", &[now - day]),
        ("far", &[now * 2]),
        ("now-and-far", &[now, now + 10 * day, now]),
        ("now-and-old", &[now, now - 10 * day]),
        ("none-and-now", &[-1, now]),
        ("now-and-none", &[now, -1]),
        ("two-bad", &[now + 10 * day, now, now + 11 * day]),
    ];
    for (topic, name) in
        [(&a, "a"), (&strict, "strict"), (&stamped, "stamped"), (&strictly_stamped, "strictly-stamped")]
    {
        for (case, times) in times {
            side.case(&format!("{name}-{case}"), &one(version, topic, Some(batch(times))));
        }
    }
}

fn settings(side: &mut Side) {
    let version = side.version;
    let small = side.make("small", 1, &[("max.message.bytes", "100")]);
    let tiny = side.make("tiny", 1, &[("max.message.bytes", "0")]);
    let compacted = side.make("compacted", 1, &[("cleanup.policy", "compact")]);
    let gzip = side.make("gzip", 1, &[("compression.type", "gzip")]);
    side.case("too-large", &one(version, &small, Some(five())));
    side.case("large-enough", &one(version, &small, Some(batch(&[THEN]))));
    side.case("nothing-is-small-enough", &one(version, &tiny, Some(batch(&[THEN]))));
    let keyed = |keys: &[Option<&str>]| {
        let mut builder = BatchBuilder::new(Compression::None);
        keys.iter().for_each(|key| builder.push(&Record::new(*key, Some("v"), THEN)));
        builder.build().expect("a batch")
    };
    side.case("keyed", &one(version, &compacted, Some(keyed(&[Some("a"), Some("b")]))));
    side.case("without-key", &one(version, &compacted, Some(keyed(&[None]))));
    side.case("one-without-key", &one(version, &compacted, Some(keyed(&[Some("a"), None, Some("b")]))));
    side.case("two-without-key", &one(version, &compacted, Some(keyed(&[None, Some("a"), None]))));
    let mut zipped = BatchBuilder::new(Compression::Lz4);
    [None, Some("a")].iter().for_each(|key| zipped.push(&Record::new(*key, Some("v"), THEN)));
    side.case("zipped-without-key", &one(version, &compacted, Some(zipped.build().expect("a batch"))));
    side.case(
        "two-partitions-one-without-key",
        &request(vec![
            into(version, &compacted, vec![part(0, Some(keyed(&[None])))]),
            into(version, &gzip, vec![part(0, Some(five()))]),
        ]),
    );
    side.case("recompressed", &one(version, &gzip, Some(five())));
    side.case("recompressed-that-is-none", &one(version, &gzip, Some(changed(five(), &[(ATTRIBUTES, &[0, 4])]))));
    side.case("recompressed-bad-offset-delta", &one(version, &gzip, Some(changed(five(), &[(64, &[4])]))));
}

fn sequences(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 1, &[]);
    let small = side.make("small", 1, &[("max.message.bytes", "100")]);
    let (p, q, r) = (side.producer(), side.producer(), side.producer());
    let steps: &[(&str, i64, i16, i32, i32)] = &[
        ("first", p, 0, 0, 2),
        ("first-again", p, 0, 0, 2),
        ("next", p, 0, 2, 1),
        ("gap", p, 0, 5, 1),
        ("old", p, 0, 1, 1),
        ("overlapping", p, 0, 2, 2),
        ("third", p, 0, 3, 1),
        ("fourth", p, 0, 4, 1),
        ("fifth", p, 0, 5, 1),
        ("sixth", p, 0, 6, 1),
        ("second-again", p, 0, 2, 1),
        ("first-again-too-late", p, 0, 0, 2),
        ("last-again", p, 0, 6, 1),
        ("new-epoch-not-at-0", p, 1, 7, 1),
        ("new-epoch", p, 1, 0, 1),
        ("old-epoch", p, 0, 7, 1),
        ("epoch-skipped", p, 5, 0, 1),
        ("negative-epoch", p, -1, 1, 1),
        ("negative-sequence", p, 5, -1, 1),
        ("unknown-producer-not-at-0", q, 0, 7, 1),
        ("unknown-producer-next", q, 0, 8, 1),
        ("unknown-producer-in-epoch-3", r, 3, 0, 1),
        ("wrapping", r, 4, 0, 1),
        ("nobodys-id", 1 << 40, 0, 0, 1),
        ("highest-sequence", (1 << 40) + 1, 0, i32::MAX, 1),
        ("behind-the-highest", (1 << 40) + 1, 0, 0, 1),
        ("across-the-highest", (1 << 40) + 2, 0, i32::MAX - 1, 4),
        ("behind-across", (1 << 40) + 2, 0, 2, 1),
    ];
    for (case, producer, epoch, sequence, count) in steps {
        side.case(case, &one(version, &a, Some(numbered(*producer, *epoch, *sequence, *count))));
    }
    side.case("too-large-first", &one(version, &small, Some(numbered(p, 0, 0, 9))));
    side.case("behind-too-large", &one(version, &small, Some(numbered(p, 0, 9, 1))));
    let zero = ProduceRequest { acks: 0, ..one(version, &a, Some(numbered(p, 5, 77, 1))) };
    side.unanswered("gap-with-acks-0", &zero);
    let two = [&numbered(p, 5, 1, 1)[..], &numbered(p, 5, 2, 1)[..]].concat();
    side.case("two-batches", &one(version, &a, Some(BytesMut::from(&two[..]))));
}

fn transactions(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 1, &[]);
    let p = side.producer();
    let with = |id: Option<&str>, records: BytesMut| ProduceRequest {
        transactional_id: id.map(str::to_owned),
        ..one(version, &a, Some(records))
    };
    let mut part_of_one = BatchBuilder::new(Compression::None).producer(p, 0, 0).transactional();
    part_of_one.push(&Record::new(None, Some("v"), THEN));
    let part_of_one = part_of_one.build().expect("a batch");
    side.case("plain-with-an-id", &with(Some("tx"), five()));
    side.case("plain-with-an-empty-id", &with(Some(""), five()));
    side.case("part-without-an-id", &with(None, part_of_one.clone()));
    side.case("part-with-an-unknown-id", &with(Some("tx"), part_of_one));
    let marker = BatchBuilder::marker(p, 0, Marker::Commit, 0, THEN).expect("a marker");
    side.case("marker", &with(None, marker.clone()));
    side.case("marker-with-an-id", &with(Some("tx"), marker));
    side.case("how-many-came", &with(None, five()));
}
