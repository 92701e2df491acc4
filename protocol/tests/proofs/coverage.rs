//! Which keys there are, in which versions: the 60 that Highwater owes its clients, as facts that no spec of ours produced.

use std::collections::BTreeSet;

use bytes::BytesMut;
use highwater_protocol::api::ApiKey;
use highwater_protocol::frame::{self, RequestHeader};
use highwater_protocol::message::{ApiVersionsResponse, HeartbeatResponse, OffsetDeleteRequest};
use highwater_protocol::wire::Reader;

use self::Tier::{Must, Should};
use crate::messages::ALL;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tier {
    Must,
    Should,
}

/// Number, name, lowest version, highest version, first flexible version.
type Row = (i16, &'static str, i16, i16, Option<i16>, Tier);

/// The highest is the highest stable one of Kafka 4.4.0. The lowest is that of Kafka 3.9, but for four keys:
/// - Produce 0 to 2 and Fetch 0 to 3 carry message formats 0 and 1, which are not served (Kafka 4.0 removed them too);
/// - OffsetCommit 0 and OffsetFetch 0 speak of offsets in ZooKeeper.
///
/// Keys 90, 91 and 92 are younger than 3.9 and begin at 0; version 0 of keys 76 to 79 is the early access of 3.9.
#[rustfmt::skip]
const KEYS: [Row; 60] = [
    (0, "Produce", 3, 13, Some(9), Must),
    (1, "Fetch", 4, 18, Some(12), Must),
    (2, "ListOffsets", 0, 11, Some(6), Must),
    (3, "Metadata", 0, 13, Some(9), Must),
    (8, "OffsetCommit", 1, 10, Some(8), Must),
    (9, "OffsetFetch", 1, 10, Some(6), Must),
    (10, "FindCoordinator", 0, 6, Some(3), Must),
    (11, "JoinGroup", 0, 9, Some(6), Must),
    (12, "Heartbeat", 0, 4, Some(4), Must),
    (13, "LeaveGroup", 0, 5, Some(4), Must),
    (14, "SyncGroup", 0, 5, Some(4), Must),
    (15, "DescribeGroups", 0, 6, Some(5), Must),
    (16, "ListGroups", 0, 5, Some(3), Must),
    (17, "SaslHandshake", 0, 1, None, Must),
    (18, "ApiVersions", 0, 5, Some(3), Must),
    (19, "CreateTopics", 0, 7, Some(5), Must),
    (20, "DeleteTopics", 0, 6, Some(4), Must),
    (21, "DeleteRecords", 0, 2, Some(2), Must),
    (22, "InitProducerId", 0, 5, Some(2), Must),
    (23, "OffsetForLeaderEpoch", 0, 4, Some(4), Must),
    (24, "AddPartitionsToTxn", 0, 5, Some(3), Must),
    (25, "AddOffsetsToTxn", 0, 4, Some(3), Must),
    (26, "EndTxn", 0, 5, Some(3), Must),
    (28, "TxnOffsetCommit", 0, 6, Some(3), Must),
    (29, "DescribeAcls", 0, 3, Some(2), Must),
    (30, "CreateAcls", 0, 3, Some(2), Must),
    (31, "DeleteAcls", 0, 3, Some(2), Must),
    (32, "DescribeConfigs", 0, 4, Some(4), Must),
    (33, "AlterConfigs", 0, 2, Some(2), Should),
    (35, "DescribeLogDirs", 0, 5, Some(2), Should),
    (36, "SaslAuthenticate", 0, 2, Some(2), Must),
    (37, "CreatePartitions", 0, 3, Some(2), Must),
    (42, "DeleteGroups", 0, 3, Some(2), Must),
    (43, "ElectLeaders", 0, 2, Some(2), Should),
    (44, "IncrementalAlterConfigs", 0, 1, Some(1), Must),
    (45, "AlterPartitionReassignments", 0, 1, Some(0), Should),
    (46, "ListPartitionReassignments", 0, 0, Some(0), Should),
    (47, "OffsetDelete", 0, 0, None, Should),
    (48, "DescribeClientQuotas", 0, 1, Some(1), Should),
    (49, "AlterClientQuotas", 0, 1, Some(1), Should),
    (50, "DescribeUserScramCredentials", 0, 0, Some(0), Should),
    (51, "AlterUserScramCredentials", 0, 0, Some(0), Should),
    (55, "DescribeQuorum", 0, 2, Some(0), Should),
    (57, "UpdateFeatures", 0, 2, Some(0), Should),
    (60, "DescribeCluster", 0, 2, Some(0), Must),
    (61, "DescribeProducers", 0, 0, Some(0), Should),
    (64, "UnregisterBroker", 0, 0, Some(0), Should),
    (65, "DescribeTransactions", 0, 0, Some(0), Should),
    (66, "ListTransactions", 0, 2, Some(0), Should),
    (68, "ConsumerGroupHeartbeat", 0, 1, Some(0), Must),
    (69, "ConsumerGroupDescribe", 0, 1, Some(0), Must),
    (74, "ListConfigResources", 0, 1, Some(0), Should),
    (75, "DescribeTopicPartitions", 0, 0, Some(0), Should),
    (76, "ShareGroupHeartbeat", 0, 1, Some(0), Should),
    (77, "ShareGroupDescribe", 0, 1, Some(0), Should),
    (78, "ShareFetch", 0, 2, Some(0), Should),
    (79, "ShareAcknowledge", 0, 2, Some(0), Should),
    (90, "DescribeShareGroupOffsets", 0, 1, Some(0), Should),
    (91, "AlterShareGroupOffsets", 0, 0, Some(0), Should),
    (92, "DeleteShareGroupOffsets", 0, 0, Some(0), Should),
];

#[test]
fn sixty_keys_are_known_in_every_version_owed() {
    let tiers = |wanted| KEYS.iter().filter(|(.., tier)| *tier == wanted).count();
    assert_eq!((tiers(Must), tiers(Should)), (35, 25));
    assert_eq!(ApiKey::ALL.len(), KEYS.len());
    for (key, (number, name, low, high, flexible, _)) in ApiKey::ALL.iter().zip(KEYS) {
        assert_eq!((key.number(), key.name()), (number, name));
        assert_eq!((key.versions(), key.flexible_from()), ((low, high), flexible), "{name}");
        assert_eq!(ApiKey::from_number(number), Some(*key));
    }
    let absent = (i16::MIN..=i16::MAX).filter(|number| ApiKey::from_number(*number).is_none()).count();
    assert_eq!(absent, 65536 - KEYS.len());
}

#[test]
fn every_key_has_a_request_and_a_response_in_the_same_versions() {
    let found: BTreeSet<_> = ALL.iter().map(|entry| (entry.key.number(), entry.is_request)).collect();
    assert_eq!(found.len(), ALL.len());
    assert_eq!(found, KEYS.iter().flat_map(|(number, ..)| [(*number, true), (*number, false)]).collect());
    for entry in ALL.iter() {
        let kind = if entry.is_request { "Request" } else { "Response" };
        assert_eq!(entry.spec.name, format!("{}{kind}", entry.key.name()));
        assert_eq!((entry.spec.versions.low, entry.spec.versions.high), entry.key.versions(), "{}", entry.spec.name);
        assert_eq!(entry.spec.flexible, entry.key.flexible_from(), "{}", entry.spec.name);
    }
}

#[test]
fn versions_outside_the_range_are_refused() {
    for entry in ALL.iter() {
        let (low, high) = entry.key.versions();
        for version in [low - 1, high + 1, i16::MIN, i16::MAX] {
            let refused = (entry.decode)(BytesMut::from(&[0; 64][..]), version);
            let text = refused.expect_err("unknown").to_string();
            assert_eq!(text, format!("{} version {version} is unknown; {low} to {high} are known", entry.key.name()));
        }
    }
}

#[test]
fn headers_switch_where_messages_become_flexible() {
    let mut compared = 0;
    for entry in ALL.iter() {
        for version in entry.versions() {
            let flexible = entry.key.flexible_from().is_some_and(|from| version >= from);
            let wanted = match (entry.is_request, flexible) {
                (true, false) => 1,
                (true, true) => 2,
                (false, true) if entry.key != ApiKey::ApiVersions => 1,
                (false, _) => 0,
            };
            let found = if entry.is_request {
                entry.key.request_header_version(version)
            } else {
                entry.key.response_header_version(version)
            };
            assert_eq!(found, wanted, "{}", entry.at(version));
            let (low, high) = entry.their_versions;
            if (low..=high).contains(&version) {
                assert_eq!(found, (entry.their_header)(version), "{}", entry.at(version));
                compared += 1;
            }
        }
    }
    println!("{compared} header versions agree with the other crate");
    assert!(compared > 400);
}

/// A client reads the answer to ApiVersions before it knows what the broker speaks: no tags in that header, ever.
#[test]
fn the_header_of_an_api_versions_response_is_always_the_oldest() {
    for version in 0..=5 {
        let frame = frame::response(7, &ApiVersionsResponse { error_code: 35, ..Default::default() }, version);
        let bytes = frame::concatenated(&frame.expect("encodes"));
        assert_eq!(bytes[4..10], [0, 0, 0, 7, 0, 35], "version {version}");
    }
    let flexible = frame::concatenated(&frame::response(7, &HeartbeatResponse::default(), 4).expect("encodes"));
    assert_eq!(flexible[..9], [0, 0, 0, 12, 0, 0, 0, 7, 0], "a length, a correlation id, no tags");
}

/// The client id keeps two bytes of length in header version 2, so that a broker can read it whatever the version.
#[test]
fn request_headers_are_read_back() {
    let chunks = frame::request(9, "me", &OffsetDeleteRequest::default(), 0).expect("encodes");
    let bytes = frame::concatenated(&chunks);
    assert_eq!(bytes[4..16], [0, 47, 0, 0, 0, 0, 0, 9, 0, 2, b'm', b'e']);
    for (tags, version) in [(&[][..], 2), (&[0][..], 3), (&[2, 0, 1, 5, 9, 0][..], 4)] {
        let fixed = [0, 18, 0, version, 0, 0, 0, 9, 0, 2, b'm', b'e'];
        let mut reader = Reader::new(BytesMut::from(&[&fixed[..], tags, &[42]].concat()[..]));
        let header = RequestHeader::decode(&mut reader).expect("decodes");
        let wanted =
            RequestHeader { key: 18, version: version.into(), correlation_id: 9, client_id: Some("me".to_owned()) };
        assert_eq!((header, reader.i8(), reader.remaining()), (wanted, Ok(42), 0));
    }
}

/// librdkafka takes the low end of Produce for its features, so that is advertised although it is refused.
#[test]
fn only_produce_advertises_more_than_it_serves() {
    for key in ApiKey::ALL {
        let (low, high) = key.versions();
        let wanted = if *key == ApiKey::Produce { (0, 13) } else { (low, high) };
        assert_eq!(key.advertised(), wanted, "{}", key.name());
    }
}
