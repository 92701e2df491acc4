//! Fetch: what it waits for, how much it brings, what a session remembers, and what it refuses.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use highwater_protocol::message::fetch_response::PartitionData;
use highwater_protocol::message::{FetchRequest, FetchResponse};
use highwater_protocol::records::batch::Batch;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use tempfile::TempDir;
use uuid::Uuid;

const TOPIC: &str = "fetched";
const BATCH_RECORDS: i64 = 10;
/// Far longer than any answer takes that does not wait for its time to run out.
const LONG: Duration = Duration::from_secs(20);
/// The version that names topics, and the newest.
const NAMED: i16 = calls::FETCH;
const NEWEST: i16 = 18;

struct Node {
    dir: TempDir,
    process: Process,
    wire: Wire,
}

fn node(partitions: i32) -> Node {
    let dir = tempfile::tempdir().expect("a directory");
    let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, TOPIC, partitions, &[]).expect("answers").expect("creates");
    Node { dir, process, wire }
}

fn batch() -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None);
    for number in 0..BATCH_RECORDS {
        builder.push(&Record::new(Some("key"), Some(&"v".repeat(100)), number));
    }
    builder.build().expect("a batch")
}

impl Node {
    fn fill(&mut self, partition: i32, batches: usize) {
        for _ in 0..batches {
            let answer = calls::produce(&mut self.wire, TOPIC, partition, -1, batch()).expect("answers");
            assert_eq!(answer.error_code, 0);
        }
    }

    fn fetch(&mut self, request: &FetchRequest) -> FetchResponse {
        self.wire.call(request, NAMED).expect("answers")
    }
}

fn from(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition {
        partition,
        current_leader_epoch: -1,
        fetch_offset: offset,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    }
}

fn request(partitions: Vec<FetchPartition>) -> FetchRequest {
    let topics = vec![FetchTopic { topic: TOPIC.to_owned(), partitions, ..FetchTopic::default() }];
    FetchRequest { replica_id: -1, max_bytes: 50 << 20, session_epoch: -1, topics, ..FetchRequest::default() }
}

fn found(response: FetchResponse) -> Vec<PartitionData> {
    assert_eq!(response.error_code, 0, "the fetch as a whole is refused");
    response.responses.into_iter().flat_map(|topic| topic.partitions).collect()
}

fn only(response: FetchResponse) -> PartitionData {
    let mut partitions = found(response);
    assert_eq!(partitions.len(), 1);
    partitions.remove(0)
}

fn batches(data: &PartitionData) -> Vec<Batch> {
    let bytes = data.records.as_ref().and_then(|records| records.bytes().cloned()).expect("records, maybe none");
    Batch::all(bytes).expect("whole batches")
}

fn code(data: &PartitionData) -> ErrorCode {
    ErrorCode::from_number(data.error_code)
}

#[test]
fn a_fetch_at_the_end_waits_for_enough_bytes_over_all_its_partitions() {
    let mut node = node(2);
    let bytes = i32::try_from(batch().len()).expect("small");
    let mut reader = Wire::connect(node.process.kafka()).expect("connects");
    let waiting = FetchRequest { max_wait_ms: 20_000, min_bytes: 2 * bytes, ..request(vec![from(0, 0), from(1, 0)]) };
    let begun = Instant::now();
    reader.send(&waiting, NAMED).expect("sends");
    node.fill(0, 1);
    node.fill(1, 1);
    let (_, response) = reader.receive::<FetchRequest>(NAMED).expect("answers");
    assert!(begun.elapsed() < LONG / 2, "woken, not timed out");
    let partitions = found(response);
    assert_eq!(partitions.iter().map(|data| batches(data).len()).sum::<usize>(), 2, "one batch did not wake it");
}

#[test]
fn a_fetch_without_news_answers_when_its_time_is_over() {
    let mut node = node(1);
    let begun = Instant::now();
    let data = only(node.fetch(&FetchRequest { max_wait_ms: 300, min_bytes: 1, ..request(vec![from(0, 0)]) }));
    assert!(begun.elapsed() >= Duration::from_millis(300), "after {:?}", begun.elapsed());
    assert!(begun.elapsed() < LONG / 2);
    assert_eq!((batches(&data).len(), data.high_watermark), (0, 0), "no records, and not null: librdkafka insists");
}

#[test]
fn the_first_batch_comes_whole_however_small_the_limits() {
    let mut node = node(2);
    node.fill(0, 3);
    node.fill(1, 3);
    let small = |partition| FetchPartition { partition_max_bytes: 1, ..from(partition, 0) };
    let partitions = found(node.fetch(&FetchRequest { max_bytes: 1, ..request(vec![small(0), small(1)]) }));
    let counts: Vec<usize> = partitions.iter().map(|data| batches(data).len()).collect();
    assert_eq!(counts, [1, 0], "one batch of the first, so that a reader never stands still, and no more");
}

#[test]
fn limits_cut_at_batches() {
    let mut node = node(2);
    node.fill(0, 5);
    node.fill(1, 5);
    let bytes = i32::try_from(batch().len()).expect("small");
    let limited = |partition, bytes| FetchPartition { partition_max_bytes: bytes, ..from(partition, 0) };
    let counts = |node: &mut Node, request: &FetchRequest| -> Vec<usize> {
        found(node.fetch(request)).iter().map(|data| batches(data).len()).collect()
    };
    let by_partition = request(vec![limited(0, 2 * bytes + 5), limited(1, 3 * bytes)]);
    assert_eq!(counts(&mut node, &by_partition), [2, 3]);
    let by_request = FetchRequest { max_bytes: 6 * bytes + 5, ..request(vec![from(0, 0), from(1, 0)]) };
    assert_eq!(counts(&mut node, &by_request), [5, 1]);
}

#[test]
fn an_offset_inside_a_batch_brings_all_of_it() {
    let mut node = node(1);
    node.fill(0, 3);
    for offset in 0..3 * BATCH_RECORDS {
        let data = only(node.fetch(&request(vec![from(0, offset)])));
        let first = batches(&data).first().map(|batch| batch.header.base_offset);
        assert_eq!(first, Some(offset - offset % BATCH_RECORDS));
    }
}

#[test]
fn offsets_outside_the_log_are_refused_and_its_end_is_not() {
    let mut node = node(1);
    node.fill(0, 3);
    calls::delete_records(&mut node.wire, TOPIC, 0, BATCH_RECORDS).expect("answers").expect("moves the start");
    let outcome = |node: &mut Node, offset| code(&only(node.fetch(&request(vec![from(0, offset)]))));
    assert_eq!(outcome(&mut node, BATCH_RECORDS - 1), ErrorCode::OffsetOutOfRange);
    assert_eq!(outcome(&mut node, BATCH_RECORDS), ErrorCode::None);
    assert_eq!(outcome(&mut node, 3 * BATCH_RECORDS), ErrorCode::None);
    assert_eq!(outcome(&mut node, 3 * BATCH_RECORDS + 1), ErrorCode::OffsetOutOfRange);
    assert_eq!(outcome(&mut node, -1), ErrorCode::OffsetOutOfRange);
    let elsewhere = only(node.fetch(&request(vec![from(7, 0)])));
    assert_eq!(code(&elsewhere), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn leader_epochs_of_another_time_are_refused() {
    let mut node = node(1);
    node.fill(0, 1);
    let epoch = calls::metadata(&mut node.wire, Some(&[TOPIC])).expect("answers")[0].partitions[0].leader_epoch;
    let outcome = |node: &mut Node, epoch| {
        let partition = FetchPartition { current_leader_epoch: epoch, ..from(0, 0) };
        code(&only(node.fetch(&request(vec![partition]))))
    };
    assert_eq!(outcome(&mut node, epoch), ErrorCode::None);
    assert_eq!(outcome(&mut node, epoch + 1), ErrorCode::UnknownLeaderEpoch);
    assert_eq!(outcome(&mut node, epoch - 1), ErrorCode::FencedLeaderEpoch);
}

#[test]
fn topics_go_by_id_in_the_newest_versions() {
    let mut node = node(1);
    node.fill(0, 2);
    let id = calls::metadata(&mut node.wire, Some(&[TOPIC])).expect("answers")[0].topic_id;
    let by_id = |topic_id| {
        let mut request = request(vec![from(0, 0)]);
        (request.topics[0].topic, request.topics[0].topic_id) = (String::new(), topic_id);
        request
    };
    for version in 13..=NEWEST {
        let data = only(node.wire.call(&by_id(id), version).expect("answers"));
        assert_eq!(batches(&data).len(), 2, "version {version}");
        let unknown = only(node.wire.call(&by_id(Uuid::from_u128(7)), version).expect("answers"));
        assert_eq!(code(&unknown), ErrorCode::UnknownTopicId, "version {version}");
    }
}

#[test]
fn a_session_brings_only_what_is_new() {
    let mut node = node(3);
    node.fill(0, 1);
    let whole = FetchRequest { session_epoch: 0, ..request(vec![from(0, 0), from(1, 0), from(2, 0)]) };
    let first = node.fetch(&whole);
    let session_id = first.session_id;
    assert!(session_id > 0, "a session is begun");
    assert_eq!(found(first).len(), 3, "the first answer names all partitions");

    let next = |session_epoch, partitions| FetchRequest { session_id, session_epoch, ..request(partitions) };
    let quiet = node.fetch(&FetchRequest { topics: Vec::new(), ..next(1, vec![from(0, BATCH_RECORDS)]) });
    assert_eq!(found(quiet).len(), 1, "the records of partition 0 come again: its position did not move");
    assert!(found(node.fetch(&next(2, vec![from(0, BATCH_RECORDS)]))).is_empty(), "nothing is new");
    node.fill(2, 1);
    let news = found(node.fetch(&FetchRequest { topics: Vec::new(), ..next(3, Vec::new()) }));
    assert_eq!(news.iter().map(|data| data.partition_index).collect::<Vec<_>>(), [2]);

    let forgotten = vec![ForgottenTopic { topic: TOPIC.to_owned(), partitions: vec![2], ..ForgottenTopic::default() }];
    let forgetting = FetchRequest { topics: Vec::new(), forgotten_topics_data: forgotten, ..next(4, Vec::new()) };
    assert!(found(node.fetch(&forgetting)).is_empty(), "partition 2 is left out from now on");
    node.fill(2, 1);
    assert!(found(node.fetch(&FetchRequest { topics: Vec::new(), ..next(5, Vec::new()) })).is_empty());

    let wrong = node.fetch(&FetchRequest { topics: Vec::new(), ..next(5, Vec::new()) });
    assert_eq!(ErrorCode::from_number(wrong.error_code), ErrorCode::InvalidFetchSessionEpoch);
    let ended = node.fetch(&FetchRequest { topics: Vec::new(), ..next(-1, Vec::new()) });
    assert_eq!((ended.session_id, ended.error_code), (0, 0));
    let gone = node.fetch(&FetchRequest { topics: Vec::new(), ..next(6, Vec::new()) });
    assert_eq!(ErrorCode::from_number(gone.error_code), ErrorCode::FetchSessionIdNotFound);
}

#[test]
fn what_a_restart_finds_on_the_disk_is_checked_and_equal() {
    let mut node = node(1);
    node.fill(0, 40);
    let before = calls::batches(&mut node.wire, TOPIC, 0, 0).expect("reads");
    node.process.kill();
    node.process = Process::start(&Start { dir: node.dir.path(), settings: &[], kafka: any_port() });
    node.wire = Wire::connect(node.process.kafka()).expect("connects");
    let after = calls::batches(&mut node.wire, TOPIC, 0, 0).expect("reads");
    assert_eq!(before.len(), 40);
    assert!(before.iter().zip(&after).all(|(one, other)| one.bytes == other.bytes), "byte for byte");
    assert_eq!(after.len(), before.len());
}
