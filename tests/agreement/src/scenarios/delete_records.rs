//! DeleteRecords: the start of a log moves, and what bounds it.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::DeleteRecordsRequest;
use highwater_protocol::message::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};

use super::records::{appended, five};
use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario { key: ApiKey::DeleteRecords, name: "deleted", run: deleted }];

fn request(topics: &[(&str, &[(i32, i64)])]) -> DeleteRecordsRequest {
    let partition = |(partition_index, offset): &(i32, i64)| DeleteRecordsPartition {
        partition_index: *partition_index,
        offset: *offset,
    };
    let topic = |(name, partitions): &(&str, &[(i32, i64)])| DeleteRecordsTopic {
        name: (*name).to_owned(),
        partitions: partitions.iter().map(partition).collect(),
    };
    DeleteRecordsRequest { topics: topics.iter().map(topic).collect(), timeout_ms: 10_000 }
}

fn deleted(side: &mut Side) {
    let a = side.make("a", 2, &[]);
    let compacted = side.make("compacted", 1, &[("cleanup.policy", "compact")]);
    let both = side.make("both", 1, &[("cleanup.policy", "compact,delete")]);
    appended(side, &a, 0, five());
    appended(side, &both, 0, five());
    side.case("none", &request(&[]));
    side.case("no-partition", &request(&[(&a.name, &[])]));
    for (case, offset) in [
        ("to--2", -2),
        ("to-the-lowest", i64::MIN),
        ("beyond-the-end", 6),
        ("to-the-highest", i64::MAX),
        ("to-0", 0),
        ("to-2", 2),
        ("back-to-1", 1),
        ("to-2-again", 2),
        ("to-5", 5),
        ("to-5-again", 5),
    ] {
        side.case(case, &request(&[(&a.name, &[(0, offset)])]));
    }
    side.case("to-the-end-of-an-empty-one", &request(&[(&a.name, &[(1, -1)])]));
    side.case("to-zero-of-an-empty-one", &request(&[(&a.name, &[(1, 0)])]));
    side.case("beyond-an-empty-one", &request(&[(&a.name, &[(1, 1)])]));
    appended(side, &a, 0, five());
    side.case("to-the-end", &request(&[(&a.name, &[(0, -1)])]));
    side.case("unknown-topic", &request(&[(UNKNOWN, &[(0, 0)])]));
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(&[(name, &[(0, 0)])]));
    }
    for partition in [2, -1, i32::MAX] {
        side.case(&format!("partition-{partition}"), &request(&[(&a.name, &[(partition, 0)])]));
    }
    side.case("partition-twice", &request(&[(&a.name, &[(0, 1), (0, 2)])]));
    side.case("topic-twice", &request(&[(&a.name, &[(0, 1)]), (&a.name, &[(1, 0)])]));
    side.case("one-good-one-unknown", &request(&[(&a.name, &[(0, -1), (7, 0)]), (UNKNOWN, &[(0, 0)])]));
    side.case("compacted", &request(&[(&compacted.name, &[(0, 0)])]));
    side.case("compacted-and-deleted", &request(&[(&both.name, &[(0, 1)])]));
    let impatient = DeleteRecordsRequest { timeout_ms: -1, ..request(&[(&a.name, &[(0, 0)])]) };
    side.case("timeout--1", &impatient);
    side.case("internal", &request(&[("__cluster_metadata", &[(0, 0)])]));
}
