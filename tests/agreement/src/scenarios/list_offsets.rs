//! ListOffsets: by time, and the special times.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::ListOffsetsRequest;
use highwater_protocol::message::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};

use super::records::{THEN, appended, batch, five};
use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 2] = [
    Scenario { key: ApiKey::ListOffsets, name: "times", run: times },
    Scenario { key: ApiKey::ListOffsets, name: "places", run: places },
];

fn partition(partition_index: i32, timestamp: i64) -> ListOffsetsPartition {
    ListOffsetsPartition { partition_index, current_leader_epoch: -1, timestamp, max_num_offsets: 1 }
}

fn request(topics: Vec<(&str, Vec<ListOffsetsPartition>)>) -> ListOffsetsRequest {
    let topic = |(name, partitions): (&str, _)| ListOffsetsTopic { name: name.to_owned(), partitions };
    ListOffsetsRequest {
        replica_id: -1,
        topics: topics.into_iter().map(topic).collect(),
        timeout_ms: ListOffsetsRequest::default().timeout_ms,
        ..ListOffsetsRequest::default()
    }
}

fn times(side: &mut Side) {
    let (a, empty) = (side.make("a", 1, &[]).clone(), side.make("empty", 1, &[]));
    appended(side, &a, 0, five());
    appended(side, &a, 0, batch(&[THEN + 50, THEN + 25]));
    appended(side, &a, 0, batch(&[THEN + 40]));
    for (case, timestamp) in [
        ("latest", -1),
        ("earliest", -2),
        ("highest", -3),
        ("earliest-local", -4),
        ("latest-tiered", -5),
        ("earliest-pending", -6),
        ("unknown--7", -7),
        ("lowest", i64::MIN),
        ("zero", 0),
        ("first", THEN),
        ("behind-the-first", THEN + 1),
        ("between", THEN + 15),
        ("newest-of-the-first-batch", THEN + 30),
        ("between-batches", THEN + 31),
        ("newest", THEN + 50),
        ("behind-the-newest", THEN + 51),
        ("future", i64::MAX),
    ] {
        for isolation_level in [0, 1] {
            let suffix = if isolation_level == 0 { "" } else { "-committed" };
            let request =
                ListOffsetsRequest { isolation_level, ..request(vec![(&a.name, vec![partition(0, timestamp)])]) };
            side.case(&format!("{case}{suffix}"), &request);
        }
        side.case(&format!("{case}-of-nothing"), &request(vec![(&empty.name, vec![partition(0, timestamp)])]));
    }
    let isolation =
        |isolation_level| ListOffsetsRequest { isolation_level, ..request(vec![(&a.name, vec![partition(0, -1)])]) };
    side.case("isolation-2", &isolation(2));
    let moved = highwater_tests::calls::delete_records(side.wire(), &a.name, 0, 6).expect("answers");
    assert_eq!(moved, Ok(6));
    for (case, timestamp) in [("earliest", -2), ("highest", -3), ("zero", 0), ("earliest-local", -4)] {
        side.case(&format!("{case}-after-deletion"), &request(vec![(&a.name, vec![partition(0, timestamp)])]));
    }
    let moved = highwater_tests::calls::delete_records(side.wire(), &a.name, 0, 8).expect("answers");
    assert_eq!(moved, Ok(8));
    for (case, timestamp) in [("earliest", -2), ("latest", -1), ("highest", -3), ("zero", 0)] {
        side.case(&format!("{case}-after-all-is-deleted"), &request(vec![(&a.name, vec![partition(0, timestamp)])]));
    }
}

fn places(side: &mut Side) {
    let (a, b) = (side.make("a", 2, &[]), side.make("b", 1, &[]));
    let a_name = a.name.as_str();
    side.case("none", &request(Vec::new()));
    side.case("no-partition", &request(vec![(a_name, Vec::new())]));
    side.case(
        "two",
        &request(vec![(a_name, vec![partition(1, -1), partition(0, -2)]), (&b.name, vec![partition(0, -1)])]),
    );
    side.case("partition-twice", &request(vec![(a_name, vec![partition(0, -1), partition(0, -2)])]));
    side.case("topic-twice", &request(vec![(a_name, vec![partition(0, -1)]), (a_name, vec![partition(1, -2)])]));
    for index in [2, -1, i32::MAX] {
        side.case(&format!("partition-{index}"), &request(vec![(a_name, vec![partition(index, -1)])]));
    }
    side.case("unknown", &request(vec![(UNKNOWN, vec![partition(0, -1)])]));
    side.case(
        "one-good-one-unknown",
        &request(vec![(a_name, vec![partition(0, -1)]), (UNKNOWN, vec![partition(0, -1)])]),
    );
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(vec![(name, vec![partition(0, -1)])]));
    }
    for (case, epoch) in [("current", a.epoch), ("future", a.epoch + 1), ("highest", i32::MAX), ("negative", -2)] {
        for (when, timestamp) in [("latest", -1), ("earliest", -2), ("zero", 0)] {
            let with = ListOffsetsPartition { current_leader_epoch: epoch, ..partition(0, timestamp) };
            side.case(&format!("epoch-{case}-{when}"), &request(vec![(a_name, vec![with])]));
        }
    }
    for replica_id in [0, 7, -2] {
        let request = ListOffsetsRequest { replica_id, ..request(vec![(a_name, vec![partition(0, -1)])]) };
        side.case(&format!("replica-{replica_id}"), &request);
    }
    let many = ListOffsetsPartition { max_num_offsets: 5, ..partition(0, -1) };
    side.case("five-offsets", &request(vec![(a_name, vec![many])]));
    let no = ListOffsetsPartition { max_num_offsets: 0, ..partition(0, -1) };
    side.case("no-offset", &request(vec![(a_name, vec![no])]));
    side.case(
        "short-timeout",
        &ListOffsetsRequest { timeout_ms: 1, ..request(vec![(a_name, vec![partition(0, -1)])]) },
    );
}
