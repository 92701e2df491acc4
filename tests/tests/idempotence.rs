//! Bugs that other brokers had with idempotent producers and with plain ones, each as the requests that showed it. The window of
//! a producer is a fold of the log: nothing but the log's own end may change what a retry hears.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::DescribeProducersRequest;
use highwater_protocol::message::describe_producers_request::TopicRequest;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;

const TOPIC: &str = "t";
const PARTITIONS: i32 = 3;
/// Batches of a producer that a partition remembers.
const WINDOW: i32 = 5;
const DEADLINE: Duration = Duration::from_secs(20);

fn start(dir: &Path, settings: &[(&str, &str)]) -> (Process, Wire) {
    let process = Process::start(&Start { dir, settings, kafka: any_port() });
    let wire = Wire::connect(process.kafka()).expect("connects");
    (process, wire)
}

fn started(settings: &[(&str, &str)]) -> (tempfile::TempDir, Process, Wire) {
    let dir = tempfile::tempdir().expect("a directory");
    let (process, mut wire) = start(dir.path(), settings);
    calls::create_topic(&mut wire, TOPIC, PARTITIONS, &[]).expect("answers").expect("creates");
    (dir, process, wire)
}

/// One record, which says where it belongs.
fn batch(producer: i64, epoch: i16, partition: i32, sequence: i32) -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None).producer(producer, epoch, sequence);
    builder.push(&Record::new(None, Some(&value(producer, partition, sequence)), 1));
    builder.build().expect("a batch")
}

fn value(producer: i64, partition: i32, sequence: i32) -> String {
    format!("{producer} {TOPIC}-{partition} {sequence}")
}

fn append(wire: &mut Wire, producer: i64, partition: i32, sequence: i32) -> Result<i64, ErrorCode> {
    append_in(wire, producer, 0, partition, sequence)
}

fn append_in(wire: &mut Wire, producer: i64, epoch: i16, partition: i32, sequence: i32) -> Result<i64, ErrorCode> {
    let batch = batch(producer, epoch, partition, sequence);
    let answer = calls::produce(wire, TOPIC, partition, -1, batch).expect("answers");
    match ErrorCode::from_number(answer.error_code) {
        ErrorCode::None => Ok(answer.base_offset),
        code => Err(code),
    }
}

/// The values of a partition, each at the offset that its place says.
fn values(wire: &mut Wire, partition: i32) -> Vec<String> {
    let all = calls::read_all(wire, TOPIC, partition, 0).expect("reads");
    let value = |record: &Record| String::from_utf8(record.value.clone().unwrap_or_default().to_vec()).expect("text");
    all.iter().map(value).collect()
}

fn active_producers(wire: &mut Wire) -> usize {
    let topics = vec![TopicRequest { name: TOPIC.to_owned(), partition_indexes: vec![0] }];
    let response = wire.call(&DescribeProducersRequest { topics }, 0).expect("answers");
    response.topics[0].partitions[0].active_producers.len()
}

/// Redpanda #3039: a retry was refused as out of order, so the client took a new epoch and wrote its records again.
#[test]
fn a_retry_whose_answer_was_lost_hears_the_first_answer() {
    let (_dir, process, mut wire) = started(&[]);
    let producer = calls::init_producer_id(&mut wire).expect("answers");
    for sequence in 0..WINDOW {
        // Nobody stays to hear the answer.
        let mut gone = Wire::connect(process.kafka()).expect("connects");
        let request = calls::produce_request(TOPIC, 0, -1, batch(producer, 0, 0, sequence));
        gone.send(&request, calls::PRODUCE).expect("sends");
        let begun = Instant::now();
        while values(&mut wire, 0).len() <= usize::try_from(sequence).expect("a count") {
            assert!(begun.elapsed() < DEADLINE, "sequence {sequence} is written");
        }
    }
    for sequence in 0..WINDOW {
        assert_eq!(append(&mut wire, producer, 0, sequence), Ok(i64::from(sequence)), "sequence {sequence} again");
    }
    let expected: Vec<String> = (0..WINDOW).map(|sequence| value(producer, 0, sequence)).collect();
    assert_eq!(values(&mut wire, 0), expected, "each was written once");
}

/// Redpanda #5355: the window held offsets of another kind, which could not be told any more once the log's beginning was gone,
/// and the client heard an error and wrote again.
#[test]
fn a_duplicate_hears_its_offset_although_its_record_is_gone_and_the_broker_is_a_new_one() {
    let (dir, mut process, mut wire) = started(&[]);
    let producer = calls::init_producer_id(&mut wire).expect("answers");
    for sequence in 0..WINDOW {
        assert_eq!(append(&mut wire, producer, 0, sequence), Ok(i64::from(sequence)));
    }
    assert_eq!(calls::delete_records(&mut wire, TOPIC, 0, 4).expect("answers"), Ok(4));
    assert_eq!(append(&mut wire, producer, 0, 1), Ok(1), "before the broker is killed");
    process.kill();
    let (_process, mut wire) = start(dir.path(), &[]);
    for sequence in 0..WINDOW {
        assert_eq!(append(&mut wire, producer, 0, sequence), Ok(i64::from(sequence)), "sequence {sequence} again");
    }
    assert_eq!(append(&mut wire, producer, 0, WINDOW), Ok(i64::from(WINDOW)));
}

/// KAFKA-14034, KAFKA-14359: after an error without a name the client wrote in another order, and a first sequence was not looked
/// at. Every refusal here has a name that clients act on, and an epoch begins at 0.
#[test]
fn every_refusal_of_a_sequence_has_a_name() {
    let (_dir, _process, mut wire) = started(&[]);
    let producer = calls::init_producer_id(&mut wire).expect("answers");
    assert_eq!(append(&mut wire, producer, 0, 0), Ok(0));
    assert_eq!(append(&mut wire, producer, 0, 2), Err(ErrorCode::OutOfOrderSequenceNumber), "a gap");
    assert_eq!(append(&mut wire, producer, 0, 1), Ok(1), "the gap closes");
    assert_eq!(
        append_in(&mut wire, producer, 1, 0, 2),
        Err(ErrorCode::OutOfOrderSequenceNumber),
        "an epoch begins at 0"
    );
    assert_eq!(append_in(&mut wire, producer, 1, 0, 0), Ok(2));
    assert_eq!(append(&mut wire, producer, 0, 2), Err(ErrorCode::InvalidProducerEpoch), "the old epoch");
    for sequence in 1..=WINDOW {
        assert!(append_in(&mut wire, producer, 1, 0, sequence).is_ok());
    }
    assert_eq!(append_in(&mut wire, producer, 1, 0, 0), Err(ErrorCode::OutOfOrderSequenceNumber), "behind the window");
    assert_eq!(values(&mut wire, 0).len(), 8, "nothing refused was written");
}

/// librdkafka #4953: a sequence out of order in one partition gave all partitions a new epoch, and what was on its way to the
/// others came twice. What one partition refuses says nothing of the others, in the old epoch and in the new one.
#[test]
fn a_refusal_in_one_partition_leaves_the_windows_of_the_others() {
    let (_dir, _process, mut wire) = started(&[]);
    let producer = calls::init_producer_id(&mut wire).expect("answers");
    for partition in 0..PARTITIONS {
        assert_eq!(append(&mut wire, producer, partition, 0), Ok(0));
        assert_eq!(append(&mut wire, producer, partition, 1), Ok(1));
    }
    assert_eq!(append(&mut wire, producer, 0, 7), Err(ErrorCode::OutOfOrderSequenceNumber));
    for partition in 1..PARTITIONS {
        assert_eq!(append(&mut wire, producer, partition, 1), Ok(1), "a retry in partition {partition}");
        assert_eq!(append(&mut wire, producer, partition, 2), Ok(2), "the next one in partition {partition}");
    }
    assert_eq!(append_in(&mut wire, producer, 1, 0, 0), Ok(2), "the client begins a new epoch where it was refused");
    assert_eq!(append(&mut wire, producer, 1, 2), Ok(2), "and a late retry of the old one is known elsewhere");
    for partition in 1..PARTITIONS {
        assert_eq!(append_in(&mut wire, producer, 1, partition, 0), Ok(3), "the new epoch in partition {partition}");
    }
    for partition in 1..PARTITIONS {
        let old = (0..3).map(|sequence| value(producer, partition, sequence));
        let expected: Vec<String> = old.chain([value(producer, partition, 0)]).collect();
        assert_eq!(values(&mut wire, partition), expected, "partition {partition} holds each once");
    }
}

/// Redpanda #22670: the state of a producer expired while its client was idle, and the client could not go on.
#[test]
fn a_producer_that_expired_goes_on_with_its_next_sequence() {
    let settings = &[("producer.id.expiration.ms", "3000")];
    let (_dir, _process, mut wire) = started(settings);
    let producer = calls::init_producer_id(&mut wire).expect("answers");
    for sequence in 0..3 {
        assert_eq!(append(&mut wire, producer, 0, sequence), Ok(i64::from(sequence)));
    }
    let begun = Instant::now();
    while active_producers(&mut wire) > 0 {
        assert!(begun.elapsed() < DEADLINE, "an idle producer is forgotten");
    }
    assert_eq!(append(&mut wire, producer, 0, 3), Ok(3), "it goes on where it was");
    assert_eq!(append(&mut wire, producer, 0, 3), Ok(3), "and is known again");
    assert_eq!(append(&mut wire, producer, 0, 5), Err(ErrorCode::OutOfOrderSequenceNumber));
    assert_eq!(values(&mut wire, 0).len(), 4);
}

/// CVE-2026-35554: a buffer was used again while it was on its way, and bytes landed elsewhere. Bufstream: a cluster in good
/// health answered with offset 0, and lost what it had acknowledged. Nothing fails here, many are at it, and every value says
/// where it belongs.
#[test]
fn without_any_fault_every_record_is_where_it_was_acknowledged() {
    const WRITERS: i64 = 4;
    const RECORDS: i32 = 200;
    let (_dir, process, mut wire) = started(&[]);
    let address = process.kafka();
    let write = move || {
        let mut wire = Wire::connect(address).expect("connects");
        let producer = calls::init_producer_id(&mut wire).expect("answers");
        let mut acknowledged = Vec::new();
        for sequence in 0..RECORDS {
            for partition in 0..PARTITIONS {
                let offset = append(&mut wire, producer, partition, sequence).expect("nothing fails");
                acknowledged.push((partition, offset, value(producer, partition, sequence)));
            }
        }
        acknowledged
    };
    let writers: Vec<_> = (0..WRITERS).map(|_| std::thread::spawn(write)).collect();
    let acknowledged: Vec<_> = writers.into_iter().flat_map(|writer| writer.join().expect("a writer ends")).collect();
    for partition in 0..PARTITIONS {
        let found = values(&mut wire, partition);
        let here: Vec<_> = acknowledged.iter().filter(|(of, _, _)| *of == partition).collect();
        assert_eq!(found.len(), here.len(), "partition {partition} holds what was acknowledged and no more");
        for (_, offset, value) in here {
            assert_eq!(&found[usize::try_from(*offset).expect("an offset")], value, "{TOPIC}-{partition} at {offset}");
        }
    }
}
