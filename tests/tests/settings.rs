//! The settings of a topic that say what is taken, and how it is kept.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::produce_response::PartitionProduceResponse;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use tempfile::TempDir;

const HOUR: i64 = 3_600_000;
const TOPIC: &str = "set";

/// A node with one topic.
struct Node {
    _dir: TempDir,
    _process: Process,
    wire: Wire,
}

impl Node {
    fn with(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
        let mut wire = Wire::connect(process.kafka()).expect("connects");
        calls::create_topic(&mut wire, TOPIC, 1, settings).expect("answers").expect("creates");
        Self { _dir: dir, _process: process, wire }
    }

    fn produce(&mut self, batch: BytesMut) -> Result<PartitionProduceResponse, ErrorCode> {
        let answer = calls::produce(&mut self.wire, TOPIC, 0, -1, batch).expect("answers");
        let code = ErrorCode::from_number(answer.error_code);
        if code == ErrorCode::None { Ok(answer) } else { Err(code) }
    }

    fn set(&mut self, name: &str, value: &str) {
        calls::set_config(&mut self.wire, TOPIC, name, value).expect("answers").expect("is taken");
    }

    fn records(&mut self) -> Vec<Record> {
        calls::read_all(&mut self.wire, TOPIC, 0, 0).expect("reads")
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock behind 1970");
    i64::try_from(since.as_millis()).expect("this century")
}

fn batch(codec: Compression, records: &[Record]) -> BytesMut {
    let mut builder = BatchBuilder::new(codec);
    records.iter().for_each(|record| builder.push(record));
    builder.build().expect("a batch")
}

fn at(timestamp: i64) -> Record {
    Record::new(Some("key"), Some(&"value ".repeat(100)), timestamp)
}

#[test]
fn compression_type_compresses_anew_unless_it_is_the_producers() {
    let codecs = [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    let mut node = Node::with(&[]);
    let sent = [at(now()), at(now() + 1)];
    for producers in codecs {
        node.produce(batch(producers, &sent)).expect("taken");
        let stored = calls::batches(&mut node.wire, TOPIC, 0, 0).expect("reads").pop().expect("a batch");
        assert_eq!(stored.header.compression(), Ok(producers), "the default keeps it");
    }
    for (name, wanted) in
        [("uncompressed", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)]
    {
        node.set("compression.type", name);
        for producers in codecs {
            node.produce(batch(producers, &sent)).expect("taken");
            let stored = calls::batches(&mut node.wire, TOPIC, 0, 0).expect("reads").pop().expect("a batch");
            assert_eq!(stored.header.compression(), Ok(wanted), "{name} from {producers:?}");
        }
    }
    let read = node.records();
    assert_eq!(read.len(), 2 * codecs.len() * 4);
    for (number, record) in read.iter().enumerate() {
        let original = &sent[number % 2];
        assert_eq!(
            (&record.key, &record.value, record.timestamp),
            (&original.key, &original.value, original.timestamp)
        );
    }
}

#[test]
fn max_message_bytes_refuses_and_a_change_acts_at_once() {
    let mut node = Node::with(&[("max.message.bytes", "500")]);
    assert_eq!(node.produce(batch(Compression::None, &[at(now())])).map(|_| ()), Err(ErrorCode::MessageTooLarge));
    assert!(node.records().is_empty(), "nothing of it is kept");
    node.set("max.message.bytes", "1000");
    assert_eq!(node.produce(batch(Compression::None, &[at(now())])).expect("taken").base_offset, 0);
}

#[test]
fn log_append_time_stamps_the_brokers_clock() {
    let mut node = Node::with(&[("message.timestamp.type", "LogAppendTime")]);
    let before = now();
    let answer = node.produce(batch(Compression::Lz4, &[at(1), at(2)])).expect("taken");
    let stamp = answer.log_append_time_ms;
    assert!((before..=now()).contains(&stamp), "{stamp}");
    assert_eq!(node.records().iter().map(|record| record.timestamp).collect::<Vec<_>>(), [stamp, stamp]);
}

#[test]
fn timestamps_out_of_range_are_refused() {
    let mut node = Node::with(&[("message.timestamp.before.max.ms", "3600000")]);
    let outcome = |node: &mut Node, timestamp| node.produce(batch(Compression::None, &[at(timestamp)])).map(|_| ());
    assert_eq!(outcome(&mut node, now() - 2 * HOUR), Err(ErrorCode::InvalidTimestamp));
    assert_eq!(outcome(&mut node, now() + 2 * HOUR), Err(ErrorCode::InvalidTimestamp));
    assert_eq!(outcome(&mut node, now()), Ok(()));
    node.set("message.timestamp.after.max.ms", "100000000");
    assert_eq!(outcome(&mut node, now() + 2 * HOUR), Ok(()));
}

#[test]
fn a_compacted_topic_takes_no_record_without_a_key() {
    let mut node = Node::with(&[("cleanup.policy", "compact")]);
    let keyless = Record { key: None, ..at(now()) };
    for codec in [Compression::None, Compression::Zstd] {
        let refused = node.produce(batch(codec, &[at(now()), keyless.clone()])).map(|_| ());
        assert_eq!(refused, Err(ErrorCode::InvalidRecord));
        node.produce(batch(codec, &[at(now()), at(now())])).expect("taken");
    }
    assert_eq!(node.records().len(), 4);
    node.set("cleanup.policy", "delete");
    node.produce(batch(Compression::None, &[keyless])).expect("taken");
}
