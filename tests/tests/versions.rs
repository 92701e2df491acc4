//! ApiVersions tells the truth: every version of every key that it names is answered, in a shape that the version has.

use std::collections::BTreeMap;

use highwater_protocol::api::ApiKey;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::*;
use highwater_protocol::wire::Reader;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use tempfile::TempDir;

/// What Apache Kafka 4.4.0 answers for the keys that are served here, with 3.9's minimum where that is lower.
const EXPECTED: &[(i16, i16, i16)] = &[
    (0, 0, 13),
    (1, 4, 18),
    (2, 0, 11),
    (3, 0, 13),
    (8, 1, 10),
    (9, 1, 10),
    (10, 0, 6),
    (11, 0, 9),
    (12, 0, 4),
    (13, 0, 5),
    (14, 0, 5),
    (15, 0, 6),
    (16, 0, 5),
    (18, 0, 5),
    (19, 0, 7),
    (20, 0, 6),
    (21, 0, 2),
    (22, 0, 5),
    (23, 0, 4),
    (32, 0, 4),
    (33, 0, 2),
    (35, 0, 5),
    (37, 0, 3),
    (42, 0, 3),
    (44, 0, 1),
    (47, 0, 0),
    (60, 0, 2),
    (61, 0, 0),
    (68, 0, 1),
    (69, 0, 1),
    (74, 0, 1),
    (75, 0, 0),
];

fn node() -> (TempDir, Process, Wire) {
    let dir = tempfile::tempdir().expect("a directory");
    let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
    let wire = Wire::connect(process.kafka()).expect("connects");
    (dir, process, wire)
}

#[test]
fn the_keys_and_versions_are_those_of_kafka() {
    let (_dir, _process, mut wire) = node();
    let request = ApiVersionsRequest {
        client_software_name: "test".to_owned(),
        client_software_version: "1".to_owned(),
        ..ApiVersionsRequest::default()
    };
    for version in 0..=5 {
        let answer = wire.call(&request, version).expect("answers");
        assert_eq!(answer.error_code, 0);
        let mut found: Vec<_> =
            answer.api_keys.iter().map(|key| (key.api_key, key.min_version, key.max_version)).collect();
        found.sort_unstable();
        assert_eq!(found, EXPECTED, "in version {version}");
        let supported = answer.supported_features.iter().map(|of| (of.name.as_str(), of.min_version, of.max_version));
        // Level 0 was not read by older clients (KAFKA-17011).
        let expected = if version >= 4 { vec![("group.version", 0, 1)] } else { Vec::new() };
        assert_eq!(supported.collect::<Vec<_>>(), expected, "in version {version}");
        let finalized = answer.finalized_features.iter().map(|of| (of.name.as_str(), of.max_version_level));
        let expected = if version >= 3 { vec![("group.version", 1)] } else { Vec::new() };
        assert_eq!(finalized.collect::<Vec<_>>(), expected, "in version {version}");
    }
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let (_dir, _process, mut wire) = node();
    // A header of version 2 with a client id and no tags, and a body that nobody knows.
    let frame = [0, 18, 0x7f, 0xff, 0, 0, 0, 9, 0, 1, b'x', 0, 0xff, 0xff, 0xff];
    let length = i32::try_from(frame.len()).expect("small").to_be_bytes();
    wire.send_bytes(&[&length[..], &frame].concat()).expect("sends");
    let mut reader = Reader::new(wire.receive_frame().expect("answers"));
    assert_eq!(reader.i32(), Ok(9), "the correlation id, and no tags behind it");
    let answer = ApiVersionsResponse::decode(&mut reader, 0).expect("version 0");
    reader.finish().expect("and nothing else");
    assert_eq!(ErrorCode::from_number(answer.error_code), ErrorCode::UnsupportedVersion);
    assert_eq!(answer.api_keys.iter().map(|key| key.api_key).collect::<Vec<_>>(), [18]);
    calls::metadata(&mut wire, None).expect("the connection is still good");
}

#[test]
fn software_names_out_of_form_are_refused() {
    let (_dir, _process, mut wire) = node();
    let request = ApiVersionsRequest {
        client_software_name: "a b".to_owned(),
        client_software_version: "1".to_owned(),
        ..ApiVersionsRequest::default()
    };
    let answer = wire.call(&request, 3).expect("answers");
    assert_eq!(ErrorCode::from_number(answer.error_code), ErrorCode::InvalidRequest);
}

/// Asks for nothing in every version, and notes that the answer decodes to its last byte.
macro_rules! ask {
    ($wire:expr, $asked:expr, $request:expr) => {{
        let request = $request;
        let key = key_of(&request);
        let (low, high) = key.versions();
        for version in low..=high {
            if let Err(error) = $wire.call(&request, version) {
                panic!("{} version {version}: {error}", key.name());
            }
        }
        $asked.insert(key.number(), (low, high));
    }};
}

fn key_of<R: Request>(_: &R) -> ApiKey {
    R::KEY
}

#[test]
fn every_version_of_every_key_is_answered() {
    let (_dir, _process, mut wire) = node();
    let mut asked = BTreeMap::new();
    ask!(wire, asked, ProduceRequest { acks: 1, ..Default::default() });
    ask!(wire, asked, FetchRequest { session_epoch: -1, ..Default::default() });
    ask!(wire, asked, ListOffsetsRequest { replica_id: -1, ..Default::default() });
    ask!(wire, asked, MetadataRequest { topics: Some(Vec::new()), ..Default::default() });
    ask!(
        wire,
        asked,
        ApiVersionsRequest {
            client_software_name: "test".to_owned(),
            client_software_version: "1".to_owned(),
            ..Default::default()
        }
    );
    ask!(wire, asked, CreateTopicsRequest { timeout_ms: 1000, ..Default::default() });
    ask!(wire, asked, DeleteTopicsRequest::default());
    ask!(wire, asked, DeleteRecordsRequest::default());
    ask!(wire, asked, InitProducerIdRequest { producer_id: -1, producer_epoch: -1, ..Default::default() });
    ask!(wire, asked, OffsetForLeaderEpochRequest { replica_id: -1, ..Default::default() });
    ask!(wire, asked, OffsetCommitRequest::default());
    ask!(wire, asked, OffsetFetchRequest { topics: Some(Vec::new()), ..Default::default() });
    ask!(wire, asked, FindCoordinatorRequest::default());
    ask!(wire, asked, JoinGroupRequest::default());
    ask!(wire, asked, HeartbeatRequest::default());
    ask!(wire, asked, LeaveGroupRequest::default());
    ask!(wire, asked, SyncGroupRequest::default());
    ask!(wire, asked, DescribeGroupsRequest::default());
    ask!(wire, asked, ListGroupsRequest::default());
    ask!(wire, asked, DeleteGroupsRequest::default());
    ask!(wire, asked, OffsetDeleteRequest::default());
    ask!(wire, asked, ConsumerGroupHeartbeatRequest::default());
    ask!(wire, asked, ConsumerGroupDescribeRequest::default());
    ask!(wire, asked, DescribeConfigsRequest::default());
    ask!(wire, asked, AlterConfigsRequest::default());
    ask!(wire, asked, DescribeLogDirsRequest::default());
    ask!(wire, asked, CreatePartitionsRequest::default());
    ask!(wire, asked, IncrementalAlterConfigsRequest::default());
    ask!(wire, asked, DescribeClusterRequest { endpoint_type: 1, ..Default::default() });
    ask!(wire, asked, DescribeProducersRequest::default());
    ask!(wire, asked, ListConfigResourcesRequest::default());
    ask!(wire, asked, DescribeTopicPartitionsRequest { response_partition_limit: 10, ..Default::default() });
    let keys: Vec<i16> = EXPECTED.iter().map(|(key, _, _)| *key).collect();
    assert_eq!(asked.keys().copied().collect::<Vec<_>>(), keys, "all that is advertised was asked");
}

#[test]
fn the_versions_of_produce_that_are_advertised_and_refused_end_the_connection_with_a_word() {
    let (_dir, process, _) = node();
    for version in 0..3 {
        let mut wire = Wire::connect(process.kafka()).expect("connects");
        // Key 0, the version, a correlation id, no client id, acks 1, a timeout, no topics.
        let mut frame = vec![0, 0, 0, version, 0, 0, 0, 1, 0xff, 0xff, 0, 1, 0, 0, 3, 0xe8, 0, 0, 0, 0];
        frame.splice(0..0, 20i32.to_be_bytes());
        wire.send_bytes(&frame).expect("sends");
        wire.receive_frame().expect_err("the connection is closed");
        let line = process.wait_for_log("connection closed", std::time::Duration::from_secs(10)).expect("it says why");
        assert!(line.contains("Produce") && line.contains(&format!("version {version}")), "{line}");
    }
}
