//! What an administrator asks for: topics made and unmade, offsets by time, settings, and what there is.

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::create_partitions_request::CreatePartitionsTopic;
use highwater_protocol::message::create_topics_request::CreatableTopic;
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use highwater_protocol::message::describe_configs_request::DescribeConfigsResource;
use highwater_protocol::message::describe_configs_response::DescribeConfigsResourceResult;
use highwater_protocol::message::describe_topic_partitions_request::{Cursor, TopicRequest};
use highwater_protocol::message::metadata_request::MetadataRequestTopic;
use highwater_protocol::message::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use highwater_protocol::message::*;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use tempfile::TempDir;

const TOPIC_RESOURCE: i8 = 2;
const BROKER_RESOURCE: i8 = 4;
const STATIC_BROKER: i8 = 4;
const DEFAULT: i8 = 5;
const DYNAMIC_TOPIC: i8 = 1;

fn node(settings: &[(&str, &str)]) -> (TempDir, Process, Wire) {
    let dir = tempfile::tempdir().expect("a directory");
    let process = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    let wire = Wire::connect(process.kafka()).expect("connects");
    (dir, process, wire)
}

fn append(wire: &mut Wire, topic: &str, timestamps: &[i64]) {
    let mut builder = BatchBuilder::new(Compression::Lz4);
    timestamps.iter().for_each(|at| builder.push(&Record::new(None, Some("v"), *at)));
    let answer = calls::produce(wire, topic, 0, -1, builder.build().expect("a batch")).expect("answers");
    assert_eq!(answer.error_code, 0);
}

fn code(number: i16) -> ErrorCode {
    ErrorCode::from_number(number)
}

#[test]
fn metadata_creates_a_topic_unless_somebody_says_no() {
    let named = |name: &str, allow_auto_topic_creation| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() }]),
        allow_auto_topic_creation,
        ..MetadataRequest::default()
    };
    let (_dir, _process, mut wire) = node(&[("num.partitions", "3")]);
    let refused = wire.call(&named("wanted", false), 12).expect("answers");
    assert_eq!(code(refused.topics[0].error_code), ErrorCode::UnknownTopicOrPartition);
    let made = wire.call(&named("wanted", true), 12).expect("answers");
    assert_eq!((made.topics[0].error_code, made.topics[0].partitions.len()), (0, 3));
    assert!(made.topics[0].partitions.iter().all(|partition| partition.leader_id == 1), "and it serves");
    let illegal = wire.call(&named("no/slash", true), 12).expect("answers");
    assert_eq!(code(illegal.topics[0].error_code), ErrorCode::InvalidTopicException);

    let (_dir, _process, mut wire) = node(&[("auto.create.topics.enable", "false")]);
    let refused = wire.call(&named("wanted", true), 12).expect("answers");
    assert_eq!(code(refused.topics[0].error_code), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn topics_are_made_grown_and_deleted_by_name_and_by_id() {
    let (_dir, _process, mut wire) = node(&[]);
    let creation = |validate_only| CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "t".to_owned(),
            num_partitions: 2,
            replication_factor: -1,
            ..Default::default()
        }],
        timeout_ms: 10_000,
        validate_only,
    };
    assert_eq!(wire.call(&creation(true), 7).expect("answers").topics[0].error_code, 0);
    assert!(calls::metadata(&mut wire, None).expect("answers").is_empty(), "validating makes nothing");
    let made = wire.call(&creation(false), 7).expect("answers").topics.remove(0);
    assert_eq!((made.error_code, made.num_partitions, made.replication_factor), (0, 2, 1));
    assert!(made.configs.is_some_and(|configs| configs.iter().any(|config| config.name == "retention.ms")));
    let again = wire.call(&creation(false), 7).expect("answers");
    assert_eq!(code(again.topics[0].error_code), ErrorCode::TopicAlreadyExists);

    let growth = |count| CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic { name: "t".to_owned(), count, assignments: None }],
        timeout_ms: 10_000,
        validate_only: false,
    };
    for (count, expected) in
        [(2, ErrorCode::InvalidPartitions), (1, ErrorCode::InvalidPartitions), (5, ErrorCode::None)]
    {
        let answer = wire.call(&growth(count), 3).expect("answers");
        assert_eq!(code(answer.results[0].error_code), expected, "from 2 to {count}");
    }
    let grown = calls::metadata(&mut wire, Some(&["t"])).expect("answers").remove(0);
    assert_eq!(grown.partitions.len(), 5);
    assert!(grown.partitions.iter().all(|partition| partition.leader_id == 1), "all serve");

    let by_id = DeleteTopicsRequest {
        topics: vec![DeleteTopicState { name: None, topic_id: made.topic_id }],
        timeout_ms: 10_000,
        ..DeleteTopicsRequest::default()
    };
    let deleted = wire.call(&by_id, 6).expect("answers").responses.remove(0);
    assert_eq!((deleted.error_code, deleted.topic_id), (0, made.topic_id));
    let gone = wire.call(&by_id, 6).expect("answers");
    assert_eq!(code(gone.responses[0].error_code), ErrorCode::UnknownTopicId);
    assert_eq!(calls::delete_topic(&mut wire, "t").expect("answers"), Err(ErrorCode::UnknownTopicOrPartition));
    let remade = wire.call(&creation(false), 7).expect("answers").topics.remove(0);
    assert_eq!(remade.error_code, 0);
    assert_ne!(remade.topic_id, made.topic_id, "a name that comes back is another topic");
    assert_eq!(calls::list_offset(&mut wire, "t", 0, -1).expect("answers").offset, 0, "and it is empty");
}

#[test]
fn offsets_are_found_by_time_and_by_name() {
    let (_dir, _process, mut wire) = node(&[]);
    calls::create_topic(&mut wire, "t", 1, &[]).expect("answers").expect("creates");
    let found = |wire: &mut Wire, timestamp| {
        let answer = calls::list_offset(wire, "t", 0, timestamp).expect("answers");
        assert_eq!(answer.error_code, 0, "{timestamp}");
        (answer.offset, answer.timestamp)
    };
    assert_eq!(found(&mut wire, -1), (0, -1));
    assert_eq!(found(&mut wire, -3), (-1, -1), "an empty log has no newest record");
    assert_eq!(found(&mut wire, 0), (-1, -1));
    // The timestamps of a batch need not rise.
    append(&mut wire, "t", &[1000, 1010, 1005]);
    append(&mut wire, "t", &[2000, 3000, 2500]);
    append(&mut wire, "t", &[2100, 2200]);
    for (timestamp, expected) in [
        (-1, (8, -1)),
        (-2, (0, -1)),
        (-3, (4, 3000)),
        (-4, (0, -1)),
        (-5, (-1, -1)),
        (0, (0, 1000)),
        (1000, (0, 1000)),
        (1001, (1, 1010)),
        (1011, (3, 2000)),
        (2001, (4, 3000)),
        (3000, (4, 3000)),
        (3001, (-1, -1)),
    ] {
        assert_eq!(found(&mut wire, timestamp), expected, "timestamp {timestamp}");
    }
    calls::delete_records(&mut wire, "t", 0, 5).expect("answers").expect("moves");
    assert_eq!(found(&mut wire, -2), (5, -1));
    assert_eq!(found(&mut wire, 0), (5, 2500), "nothing below the log start is found");
}

#[test]
fn an_epoch_ends_where_the_next_begins() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut epochs = Vec::new();
    for _ in 0..3 {
        let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
        let mut wire = Wire::connect(process.kafka()).expect("connects");
        if epochs.is_empty() {
            calls::create_topic(&mut wire, "t", 1, &[]).expect("answers").expect("creates");
        }
        append(&mut wire, "t", &[1, 2, 3]);
        epochs.push(calls::metadata(&mut wire, Some(&["t"])).expect("answers")[0].partitions[0].leader_epoch);
        if epochs.len() == 3 {
            let newest = epochs[2];
            let mut ends = |leader_epoch, current_leader_epoch| {
                let partition = OffsetForLeaderPartition { partition: 0, current_leader_epoch, leader_epoch };
                let topics = vec![OffsetForLeaderTopic { topic: "t".to_owned(), partitions: vec![partition] }];
                let request = OffsetForLeaderEpochRequest { replica_id: -1, topics };
                let mut answer = wire.call(&request, 4).expect("answers");
                let found = answer.topics.remove(0).partitions.remove(0);
                (code(found.error_code), found.leader_epoch, found.end_offset)
            };
            assert_eq!(ends(epochs[0], -1), (ErrorCode::None, epochs[0], 3));
            assert_eq!(ends(epochs[1], newest), (ErrorCode::None, epochs[1], 6));
            assert_eq!(ends(newest, -1), (ErrorCode::None, newest, 9));
            assert_eq!(ends(newest + 1, -1), (ErrorCode::None, -1, -1), "a later epoch is not known");
            assert_eq!(ends(newest, newest + 1).0, ErrorCode::UnknownLeaderEpoch);
            assert_eq!(ends(newest, newest - 1).0, ErrorCode::FencedLeaderEpoch);
        }
        assert!(process.stop().success());
    }
    assert!(epochs.is_sorted_by(|one, next| one < next), "each start has an epoch of its own: {epochs:?}");
}

fn described(wire: &mut Wire, resource_type: i8, name: &str) -> Vec<DescribeConfigsResourceResult> {
    let resource = DescribeConfigsResource { resource_type, resource_name: name.to_owned(), configuration_keys: None };
    let request =
        DescribeConfigsRequest { resources: vec![resource], include_synonyms: true, include_documentation: true };
    let mut answer = wire.call(&request, 4).expect("answers");
    assert_eq!(answer.results[0].error_code, 0);
    answer.results.remove(0).configs
}

#[test]
fn every_setting_of_kafka_is_described_with_its_source() {
    let (_dir, _process, mut wire) = node(&[("log.retention.hours", "2"), ("num.partitions", "3")]);
    calls::create_topic(&mut wire, "t", 1, &[("segment.bytes", "2000000")]).expect("answers").expect("creates");
    let topic = described(&mut wire, TOPIC_RESOURCE, "t");
    let broker = described(&mut wire, BROKER_RESOURCE, "1");
    // Kafka 4.4 has 37 names for a topic and more than 300 for a broker.
    assert!(topic.len() >= 37 && broker.len() > 300, "{} and {}", topic.len(), broker.len());
    for config in topic.iter().chain(&broker) {
        assert!(config.documentation.as_ref().is_some_and(|text| !text.is_empty()), "{} is explained", config.name);
        assert!((1..=9).contains(&config.config_type), "{} has a type", config.name);
        let is_set = config.config_source != DEFAULT;
        assert!(!is_set || !config.synonyms.is_empty(), "{} says where it comes from", config.name);
    }
    let value = |configs: &[DescribeConfigsResourceResult], name: &str| {
        let config = configs.iter().find(|config| config.name == name).expect(name);
        (config.value.clone().expect("a value"), config.config_source)
    };
    assert_eq!(value(&topic, "segment.bytes"), ("2000000".to_owned(), DYNAMIC_TOPIC));
    assert_eq!(value(&topic, "retention.ms"), ("7200000".to_owned(), STATIC_BROKER));
    assert_eq!(value(&topic, "max.message.bytes"), ("1048588".to_owned(), DEFAULT));
    assert_eq!(value(&broker, "num.partitions"), ("3".to_owned(), STATIC_BROKER));
    assert_eq!(
        calls::set_config(&mut wire, "t", "retention.ms", "soon").expect("answers"),
        Err(ErrorCode::InvalidConfig)
    );
    assert_eq!(calls::set_config(&mut wire, "t", "no.such", "1").expect("answers"), Err(ErrorCode::InvalidConfig));
    assert_eq!(
        calls::set_config(&mut wire, "missing", "retention.ms", "1").expect("answers"),
        Err(ErrorCode::UnknownTopicOrPartition)
    );
    assert_eq!(described(&mut wire, TOPIC_RESOURCE, "t"), topic, "what was refused changed nothing");
}

#[test]
fn partitions_are_described_in_pages() {
    let (_dir, _process, mut wire) = node(&[]);
    calls::create_topic(&mut wire, "a", 3, &[]).expect("answers").expect("creates");
    calls::create_topic(&mut wire, "b", 4, &[]).expect("answers").expect("creates");
    let mut seen = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let request =
            DescribeTopicPartitionsRequest { topics: Vec::new(), response_partition_limit: 2, cursor: cursor.clone() };
        let answer = wire.call(&request, 0).expect("answers");
        for topic in answer.topics {
            assert!(topic.partitions.len() <= 2);
            let name = topic.name.expect("a name");
            seen.extend(topic.partitions.iter().map(|partition| (name.clone(), partition.partition_index)));
        }
        let Some(next) = answer.next_cursor else { break };
        let next = Cursor { topic_name: next.topic_name, partition_index: next.partition_index };
        assert_ne!(cursor.as_ref(), Some(&next), "the pages go on");
        cursor = Some(next);
    }
    let all: Vec<_> =
        [("a", 3), ("b", 4)].iter().flat_map(|(name, count)| (0..*count).map(|p| ((*name).to_owned(), p))).collect();
    assert_eq!(seen, all);
    let named = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest { name: "missing".to_owned() }],
        response_partition_limit: 10,
        cursor: None,
    };
    let answer = wire.call(&named, 0).expect("answers");
    assert_eq!(code(answer.topics[0].error_code), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn cluster_and_log_dirs_say_what_there_is() {
    let (dir, process, mut wire) = node(&[("broker.rack", "r1")]);
    calls::create_topic(&mut wire, "t", 2, &[]).expect("answers").expect("creates");
    append(&mut wire, "t", &[1]);
    let cluster = wire.call(&DescribeClusterRequest { endpoint_type: 1, ..Default::default() }, 2).expect("answers");
    assert_eq!((cluster.error_code, cluster.controller_id), (0, 1));
    let broker = &cluster.brokers[0];
    assert_eq!((broker.broker_id, broker.rack.as_deref()), (1, Some("r1")));
    assert_eq!(i32::from(process.kafka().port()), broker.port);
    let dirs = wire.call(&DescribeLogDirsRequest { topics: None }, 4).expect("answers");
    let log_dir = &dirs.results[0];
    assert_eq!((log_dir.error_code, log_dir.log_dir.as_str()), (0, dir.path().to_str().expect("text")));
    assert!(log_dir.total_bytes > log_dir.usable_bytes && log_dir.usable_bytes > 0);
    let topic = log_dir.topics.iter().find(|topic| topic.name == "t").expect("the topic");
    let size = |index: usize| topic.partitions[index].partition_size;
    assert!(size(0) > size(1), "a record takes room: {} and {}", size(0), size(1));
}
