//! Clients whose requests are well-formed and ask for too much: what the node spends on each is bounded.

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::create_partitions_request::CreatePartitionsTopic;
use highwater_protocol::message::fetch_request::{FetchPartition, FetchTopic};
use highwater_protocol::message::metadata_request::MetadataRequestTopic;
use highwater_protocol::message::{CreatePartitionsRequest, FetchRequest, MetadataRequest, ProduceRequest};
use highwater_protocol::records::batch::stamp_crc;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

fn node() -> (TempDir, Process, Wire) {
    let dir = tempfile::tempdir().expect("a directory");
    let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
    let wire = Wire::connect(process.kafka()).expect("connects");
    (dir, process, wire)
}

fn create(wire: &mut Wire, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
    calls::create_topic(wire, topic, partitions, configs).expect("answers").expect("creates");
}

fn batch(codec: Compression, bytes: usize) -> BytesMut {
    let mut builder = BatchBuilder::new(codec);
    builder.push(&Record { key: calls::text("k"), value: Some(vec![0; bytes].into()), ..Record::default() });
    builder.build().expect("builds")
}

/// A few kilobytes that come to many megabytes: where the node looks inside, or compresses anew, it holds a block at a time.
/// What it allocates is counted where the blocks are read; here it is what the kernel counts, with zstd's window of 2 MiB and
/// with pages of 2 MiB.
#[test]
fn a_bomb_costs_a_block_and_a_window() {
    const INFLATED: usize = 16 << 20;
    const ALLOWED: u64 = 4 * MIB;
    let (_dir, process, mut wire) = node();
    create(&mut wire, "compacted", 1, &[("cleanup.policy", "compact")]);
    create(&mut wire, "gzip", 1, &[("compression.type", "gzip")]);
    create(&mut wire, "plain", 1, &[("compression.type", "uncompressed")]);
    for (codec, topic) in
        Compression::ALL.into_iter().flat_map(|codec| ["compacted", "gzip"].map(|topic| (codec, topic)))
    {
        let answer = calls::produce(&mut wire, topic, 0, 1, batch(codec, 1000)).expect("answers");
        assert_eq!(answer.error_code, 0, "{codec:?} is taken before it is a bomb");
    }
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let bomb = batch(codec, INFLATED);
        let packed = bomb.len();
        for (topic, wanted) in
            [("compacted", ErrorCode::None), ("gzip", ErrorCode::None), ("plain", ErrorCode::MessageTooLarge)]
        {
            let mut code = ErrorCode::UnknownServerError;
            let grown = process.growth_while(|| {
                let answer = calls::produce(&mut wire, topic, 0, 1, bomb.clone()).expect("answers");
                code = ErrorCode::from_number(answer.error_code);
            });
            println!("{codec:?} of {packed} bytes to {topic}: {} KiB more", grown / 1024);
            assert_eq!(code, wanted, "{codec:?} to {topic}");
            assert!(grown <= ALLOWED + packed as u64, "{codec:?} of {packed} bytes to {topic}: {grown} bytes more");
        }
    }
    // A look-up by time reads the batches as well.
    let grown = process.growth_while(|| {
        calls::list_offset(&mut wire, "compacted", 0, 1).expect("answers");
    });
    assert!(grown <= ALLOWED + MIB, "a look-up by time: {grown} bytes more");
}

/// An answer names a hundred records that are wrong, of however many a few kilobytes come to.
#[test]
fn an_answer_names_a_hundred_records_at_most() {
    let (_dir, _process, mut wire) = node();
    create(&mut wire, "compacted", 1, &[("cleanup.policy", "compact")]);
    let mut builder = BatchBuilder::new(Compression::Zstd);
    (0..100_000).for_each(|_| builder.push(&Record::default()));
    let answer = calls::produce(&mut wire, "compacted", 0, 1, builder.build().expect("builds")).expect("answers");
    assert_eq!(ErrorCode::from_number(answer.error_code), ErrorCode::InvalidRecord);
    let named: Vec<i32> = answer.record_errors.iter().map(|error| error.batch_index).collect();
    assert_eq!(named, (0..100).collect::<Vec<i32>>());
}

/// One record cannot move a partition's end by two billion, whatever its header claims.
#[test]
fn an_offset_jump_is_refused() {
    let (_dir, _process, mut wire) = node();
    create(&mut wire, "t", 1, &[]);
    for codec in Compression::ALL {
        for (last_offset_delta, count) in [(i32::MAX - 1, 1), (i32::MAX - 1, i32::MAX), (1, 1), (0, 2)] {
            let mut bytes = batch(codec, 10);
            bytes[23..27].copy_from_slice(&i32::to_be_bytes(last_offset_delta));
            bytes[57..61].copy_from_slice(&i32::to_be_bytes(count));
            stamp_crc(&mut bytes);
            let answer = calls::produce(&mut wire, "t", 0, -1, bytes).expect("answers");
            let code = ErrorCode::from_number(answer.error_code);
            assert_eq!(code, ErrorCode::InvalidRecord, "{codec:?}: delta {last_offset_delta}, {count} records");
        }
    }
    assert_eq!(calls::list_offset(&mut wire, "t", 0, -1).expect("answers").offset, 0, "nothing was appended");
}

/// A fetch that names ten thousand partitions and wants two gigabytes of each is answered from files, within fetch.max.bytes.
#[test]
fn a_fetch_of_everything_is_answered_from_files() {
    const PARTITIONS: i32 = 100;
    const CONNECTIONS: usize = 8;
    let (_dir, process, mut wire) = node();
    create(&mut wire, "t", PARTITIONS, &[]);
    for partition in 0..PARTITIONS {
        let answer = calls::produce(&mut wire, "t", partition, -1, batch(Compression::None, 900_000)).expect("answers");
        assert_eq!(answer.error_code, 0);
    }
    let everything = |partition| FetchPartition {
        partition,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: i32::MAX,
        ..FetchPartition::default()
    };
    let topics = vec![FetchTopic {
        topic: "t".to_owned(),
        partitions: (0..10_000).map(everything).collect(),
        ..Default::default()
    }];
    let request =
        FetchRequest { replica_id: -1, max_bytes: i32::MAX, session_epoch: -1, topics, ..FetchRequest::default() };
    let mut sizes = Vec::new();
    let grown = process.growth_while(|| {
        let mut wires: Vec<Wire> =
            (0..CONNECTIONS).map(|_| Wire::connect(process.kafka()).expect("connects")).collect();
        for wire in &mut wires {
            wire.send(&request, calls::FETCH).expect("sends");
        }
        sizes.extend(wires.iter_mut().map(|wire| wire.receive_frame().expect("answers").len()));
    });
    println!("{CONNECTIONS} fetches of 10,000 partitions: {} MiB answered, {} MiB more", sizes[0] >> 20, grown / MIB);
    assert!(sizes.iter().all(|size| (50 << 20..56 << 20).contains(size)), "within fetch.max.bytes: {sizes:?}");
    assert!(grown < 64 * MIB, "{grown} bytes more for {CONNECTIONS} fetches");
}

/// Batches under numbers that nobody gave out: a partition knows so many producers, and what they cost is bounded.
#[test]
fn a_spray_of_producer_ids_ends_at_a_bound() {
    const MOST: i64 = 20_000;
    const MORE: i64 = 1000;
    let (_dir, process, mut wire) = node();
    create(&mut wire, "t", 1, &[]);
    let request = |id: i64| {
        let mut builder = BatchBuilder::new(Compression::None).producer(id, 0, 0);
        builder.push(&Record::default());
        calls::produce_request("t", 0, 1, builder.build().expect("builds"))
    };
    let mut refused = 0;
    let grown = process.growth_while(|| {
        let mut ids = 1_000_000..1_000_000 + MOST + MORE;
        while !ids.is_empty() {
            let sent = ids.by_ref().take(100).map(|id| wire.send(&request(id), calls::PRODUCE).expect("sends")).count();
            for _ in 0..sent {
                let (_, response) = wire.receive::<ProduceRequest>(calls::PRODUCE).expect("answers");
                match ErrorCode::from_number(response.responses[0].partition_responses[0].error_code) {
                    ErrorCode::None => assert_eq!(refused, 0, "none is taken behind one that was refused"),
                    code => {
                        assert_eq!(code, ErrorCode::PolicyViolation);
                        refused += 1;
                    }
                }
            }
        }
    });
    println!("{} producer ids: {refused} refused, {} MiB more", MOST + MORE, grown / MIB);
    assert_eq!(refused, MORE, "as many as are beyond the bound");
    assert!(grown < 32 * MIB, "{grown} bytes more");
    create(&mut wire, "other", 1, &[]);
    let answer = calls::produce(&mut wire, "other", 0, -1, batch(Compression::None, 10)).expect("answers");
    assert_eq!(answer.error_code, 0, "other partitions are as before");
}

/// No client makes, writes, reads, grows, changes or deletes a topic of the broker's own.
#[test]
fn topics_of_the_brokers_own_are_out_of_reach() {
    let (_dir, _process, mut wire) = node();
    for topic in ["__cluster_metadata", "__consumer_offsets", "__transaction_state"] {
        assert!(calls::create_topic(&mut wire, topic, 1, &[]).expect("answers").is_err(), "{topic} is not made");
        let named = MetadataRequestTopic { name: Some(topic.to_owned()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![named]),
            allow_auto_topic_creation: true,
            ..MetadataRequest::default()
        };
        let found = wire.call(&request, 12).expect("answers").topics;
        assert!(found.iter().all(|found| found.partitions.is_empty()), "{topic} is not made by Metadata: {found:?}");
        let answer = calls::produce(&mut wire, topic, 0, 1, batch(Compression::None, 10)).expect("answers");
        assert_ne!(answer.error_code, 0, "{topic} is not written");
        assert_ne!(calls::fetch(&mut wire, topic, 0, 0).expect("answers").error_code, 0, "{topic} is not read");
        assert!(calls::delete_records(&mut wire, topic, 0, 0).expect("answers").is_err(), "{topic} is not cut");
        let config = calls::set_config(&mut wire, topic, "retention.ms", "1").expect("answers");
        assert!(config.is_err(), "{topic} is not changed");
        let grown = CreatePartitionsTopic { name: topic.to_owned(), count: 9, assignments: None };
        let request = CreatePartitionsRequest { topics: vec![grown], timeout_ms: 1000, validate_only: false };
        assert_ne!(wire.call(&request, 3).expect("answers").results[0].error_code, 0, "{topic} does not grow");
        assert!(calls::delete_topic(&mut wire, topic).expect("answers").is_err(), "{topic} is not deleted");
    }
    assert_eq!(calls::metadata(&mut wire, None).expect("answers"), [], "none came to be");
}
