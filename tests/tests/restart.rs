//! A clean stop and a SIGKILL keep topics, configs, offsets, producer windows and timestamps; retention and DeleteRecords move
//! the log start and nothing else.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::describe_configs_request::DescribeConfigsResource;
use highwater_protocol::message::describe_producers_request::TopicRequest;
use highwater_protocol::message::describe_producers_response::ProducerState;
use highwater_protocol::message::metadata_response::MetadataResponseTopic;
use highwater_protocol::message::{DescribeConfigsRequest, DescribeProducersRequest};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;

const TOPIC_RESOURCE: i8 = 2;
const HOUR: i64 = 3_600_000;
const VALUE_BYTES: usize = 12_000;
const DEADLINE: Duration = Duration::from_secs(20);

fn start(dir: &Path, settings: &[(&str, &str)]) -> (Process, Wire) {
    let process = Process::start(&Start { dir, settings, kafka: any_port() });
    let wire = Wire::connect(process.kafka()).expect("connects");
    (process, wire)
}

/// Ten records, an hour apart from batch to batch.
fn batch(number: i64, producer: Option<(i64, i32)>) -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None);
    if let Some((id, sequence)) = producer {
        builder = builder.producer(id, 3, sequence);
    }
    for step in 0..10 {
        let key = format!("{number}/{step}");
        builder.push(&Record::new(Some(&key), Some(&"v".repeat(VALUE_BYTES)), number * HOUR + step));
    }
    builder.build().expect("a batch")
}

fn append(wire: &mut Wire, topic: &str, partition: i32, batch: BytesMut) -> Result<i64, ErrorCode> {
    let answer = calls::produce(wire, topic, partition, -1, batch).expect("answers");
    match ErrorCode::from_number(answer.error_code) {
        ErrorCode::None => Ok(answer.base_offset),
        code => Err(code),
    }
}

fn producers(wire: &mut Wire, topic: &str, partition: i32) -> Vec<ProducerState> {
    let topics = vec![TopicRequest { name: topic.to_owned(), partition_indexes: vec![partition] }];
    let mut response = wire.call(&DescribeProducersRequest { topics }, 0).expect("answers");
    response.topics.remove(0).partitions.remove(0).active_producers
}

/// What was set for a topic, by name.
fn configs(wire: &mut Wire, topic: &str) -> Vec<(String, Option<String>)> {
    const DYNAMIC_TOPIC_CONFIG: i8 = 1;
    let resource = DescribeConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: topic.to_owned(),
        configuration_keys: None,
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() };
    let mut response = wire.call(&request, 4).expect("answers");
    let result = response.results.remove(0);
    assert_eq!(result.error_code, 0, "{topic} is described");
    let set = result.configs.into_iter().filter(|config| config.config_source == DYNAMIC_TOPIC_CONFIG);
    set.map(|config| (config.name, config.value)).collect()
}

/// What a restart may not change.
#[derive(PartialEq, Debug)]
struct Seen {
    topics: Vec<MetadataResponseTopic>,
    configs: Vec<(String, Option<String>)>,
    records: Vec<Record>,
    start: i64,
    end: i64,
    by_time: (i64, i64),
    newest: (i64, i64),
    producers: Vec<ProducerState>,
}

fn see(wire: &mut Wire) -> Seen {
    let mut topics = calls::metadata(wire, None).expect("answers");
    for partition in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        // A new leadership is a new epoch.
        partition.leader_epoch = 0;
    }
    let mut at = |timestamp| {
        let answer = calls::list_offset(wire, "kept", 1, timestamp).expect("answers");
        assert_eq!(answer.error_code, 0);
        (answer.offset, answer.timestamp)
    };
    let (start, end, by_time, newest) = (at(-2).0, at(-1).0, at(4 * HOUR + 5), at(-3));
    let records = calls::read_all(wire, "kept", 1, start).expect("answers");
    Seen {
        topics,
        configs: configs(wire, "kept"),
        records,
        start,
        end,
        by_time,
        newest,
        producers: producers(wire, "kept", 1),
    }
}

fn a_restart_changes_nothing(stop: impl Fn(Process)) {
    let dir = tempfile::tempdir().expect("a directory");
    let (process, mut wire) = start(dir.path(), &[]);
    for (name, partitions) in [("kept", 3), ("other", 1), ("gone", 2)] {
        calls::create_topic(&mut wire, name, partitions, &[("retention.ms", "-1")]).expect("answers").expect("creates");
    }
    calls::delete_topic(&mut wire, "gone").expect("answers").expect("deletes");
    calls::set_config(&mut wire, "kept", "max.message.bytes", "543210").expect("answers").expect("is taken");
    let id = calls::init_producer_id(&mut wire).expect("answers");
    for number in 0..8 {
        let sequence = i32::try_from(number).expect("small") * 10;
        assert_eq!(append(&mut wire, "kept", 1, batch(number, Some((id, sequence)))), Ok(number * 10));
    }
    assert_eq!(calls::delete_records(&mut wire, "kept", 1, 25).expect("answers"), Ok(25));
    let before = see(&mut wire);
    assert_eq!((before.start, before.end, before.by_time), (25, 80, (45, 4 * HOUR + 5)));
    assert_eq!(before.newest, (79, 7 * HOUR + 9));
    assert_eq!(before.topics.len(), 2);
    assert_eq!(before.configs.len(), 2, "{:?}", before.configs);
    assert_eq!(before.producers.len(), 1);
    stop(process);

    let (process, mut wire) = start(dir.path(), &[]);
    assert_eq!(see(&mut wire), before);
    // The window: a batch that is there is acknowledged as itself, a gap and an older epoch are refused, the next is taken.
    assert_eq!(append(&mut wire, "kept", 1, batch(7, Some((id, 70)))), Ok(70), "a duplicate of the last batch");
    assert_eq!(append(&mut wire, "kept", 1, batch(5, Some((id, 50)))), Ok(50), "a duplicate of an older one");
    assert_eq!(append(&mut wire, "kept", 1, batch(9, Some((id, 90)))), Err(ErrorCode::OutOfOrderSequenceNumber));
    assert_eq!(see(&mut wire), before, "neither duplicates nor refusals write");
    let next = calls::init_producer_id(&mut wire).expect("answers");
    assert!(next > id, "producer id {next} was given before");
    assert_eq!(append(&mut wire, "kept", 1, batch(8, Some((id, 80)))), Ok(80), "the next batch");
    stop(process);
    let (_process, mut wire) = start(dir.path(), &[]);
    assert_eq!(see(&mut wire).end, 90);
}

#[test]
fn a_clean_stop_changes_nothing() {
    a_restart_changes_nothing(|process| assert!(process.stop().success(), "a clean stop is a success"));
}

#[test]
fn a_sigkill_changes_nothing() {
    a_restart_changes_nothing(|mut process| process.kill());
}

/// Segments of about ten batches each.
const SMALL_SEGMENTS: &[(&str, &str)] = &[("segment.bytes", "1048576")];
const CHECK_OFTEN: &[(&str, &str)] = &[("log.retention.check.interval.ms", "50")];

/// Fills partition 0 of a topic, and a producer's window with it.
fn fill(wire: &mut Wire, topic: &str, newest: i64) -> (Vec<Record>, Vec<ProducerState>) {
    calls::create_topic(wire, topic, 1, SMALL_SEGMENTS).expect("answers").expect("creates");
    calls::set_config(wire, topic, "retention.ms", "-1").expect("answers").expect("is taken");
    let id = calls::init_producer_id(wire).expect("answers");
    for number in 0..50 {
        let batch = batch(newest / HOUR - 50 + number, Some((id, i32::try_from(number).expect("small") * 10)));
        assert_eq!(append(wire, topic, 0, batch), Ok(number * 10));
    }
    (calls::read_all(wire, topic, 0, 0).expect("answers"), producers(wire, topic, 0))
}

fn wait_for_start(wire: &mut Wire, topic: &str, is_reached: impl Fn(i64) -> bool) -> i64 {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let start = calls::list_offset(wire, topic, 0, -2).expect("answers").offset;
        if is_reached(start) {
            return start;
        }
        assert!(Instant::now() < deadline, "the log start stays at {start}");
    }
}

/// The records from the new start on, the end and the producers are as before; below is nothing.
fn assert_only_the_start_moved(wire: &mut Wire, topic: &str, start: i64, before: &(Vec<Record>, Vec<ProducerState>)) {
    assert_eq!(calls::list_offset(wire, topic, 0, -1).expect("answers").offset, 500, "the end stays");
    let left = calls::read_all(wire, topic, 0, start).expect("answers");
    let expected: Vec<Record> = before.0.iter().filter(|record| record.offset >= start).cloned().collect();
    assert_eq!(left, expected, "the records above the start stay");
    assert_eq!(producers(wire, topic, 0), before.1, "the producers stay");
    let below = calls::fetch(wire, topic, 0, start - 1).expect("answers");
    assert_eq!(ErrorCode::from_number(below.error_code), ErrorCode::OffsetOutOfRange);
    assert_eq!(calls::list_offset(wire, topic, 0, -2).expect("answers").offset, start);
}

fn moves_only_the_start(topic: &str, act: impl Fn(&mut Wire) -> i64) {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut process, mut wire) = start(dir.path(), CHECK_OFTEN);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let before = fill(&mut wire, topic, i64::try_from(now.as_millis()).expect("fits"));
    let start_offset = act(&mut wire);
    assert_only_the_start_moved(&mut wire, topic, start_offset, &before);
    process.kill();
    let (process, mut wire) = start(dir.path(), &[]);
    assert_eq!(calls::list_offset(&mut wire, topic, 0, -2).expect("answers").offset, start_offset);
    assert_only_the_start_moved(&mut wire, topic, start_offset, &before);
    drop(process);
}

#[test]
fn retention_by_size_moves_only_the_start() {
    moves_only_the_start("by-size", |wire| {
        calls::set_config(wire, "by-size", "retention.bytes", "2000000").expect("answers").expect("is taken");
        let start = wait_for_start(wire, "by-size", |start| start > 250);
        assert!(start < 500, "what is within the size stays, the start is {start}");
        start
    });
}

#[test]
fn retention_by_time_moves_only_the_start() {
    moves_only_the_start("by-time", |wire| {
        // The batches are an hour apart, the newest about an hour old.
        calls::set_config(wire, "by-time", "retention.ms", &(20 * HOUR).to_string())
            .expect("answers")
            .expect("is taken");
        let start = wait_for_start(wire, "by-time", |start| start > 150);
        assert!(start < 320, "what is younger stays, the start is {start}");
        start
    });
}

#[test]
fn delete_records_moves_only_the_start() {
    moves_only_the_start("by-hand", |wire| {
        assert_eq!(calls::delete_records(wire, "by-hand", 0, 237).expect("answers"), Ok(237));
        let beyond = calls::delete_records(wire, "by-hand", 0, 501).expect("answers");
        assert_eq!(beyond, Err(ErrorCode::OffsetOutOfRange), "beyond the end");
        assert_eq!(calls::delete_records(wire, "by-hand", 0, 100).expect("answers"), Ok(237), "it never goes back");
        wait_for_start(wire, "by-hand", |start| start == 237)
    });
}

#[test]
fn a_compacted_topic_is_never_trimmed() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_process, mut wire) = start(dir.path(), CHECK_OFTEN);
    let before = fill(&mut wire, "deleted", 100 * HOUR);
    let kept = fill(&mut wire, "compacted", 100 * HOUR);
    calls::set_config(&mut wire, "compacted", "cleanup.policy", "compact").expect("answers").expect("is taken");
    for topic in ["compacted", "deleted"] {
        calls::set_config(&mut wire, topic, "retention.ms", "1000").expect("answers").expect("is taken");
        calls::set_config(&mut wire, topic, "retention.bytes", "1").expect("answers").expect("is taken");
    }
    // The other topic shows that retention ran.
    wait_for_start(&mut wire, "deleted", |start| start == 500);
    assert_eq!(calls::list_offset(&mut wire, "compacted", 0, -2).expect("answers").offset, 0);
    assert_eq!(calls::read_all(&mut wire, "compacted", 0, 0).expect("answers"), kept.0);
    assert_eq!(producers(&mut wire, "deleted", 0), before.1);
}
