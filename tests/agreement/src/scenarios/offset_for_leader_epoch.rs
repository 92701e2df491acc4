//! OffsetForLeaderEpoch: where an epoch ends.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::OffsetForLeaderEpochRequest;
use highwater_protocol::message::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};

use super::records::{appended, five};
use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario { key: ApiKey::OffsetForLeaderEpoch, name: "ends", run: ends }];

fn partition(partition: i32, current_leader_epoch: i32, leader_epoch: i32) -> OffsetForLeaderPartition {
    OffsetForLeaderPartition { partition, current_leader_epoch, leader_epoch }
}

fn request(topics: Vec<(&str, Vec<OffsetForLeaderPartition>)>) -> OffsetForLeaderEpochRequest {
    let topic = |(topic, partitions): (&str, _)| OffsetForLeaderTopic { topic: topic.to_owned(), partitions };
    OffsetForLeaderEpochRequest { replica_id: -1, topics: topics.into_iter().map(topic).collect() }
}

fn ends(side: &mut Side) {
    // Before version 3 no reader names itself.
    let replica_id = if side.version < 3 { OffsetForLeaderEpochRequest::default().replica_id } else { -1 };
    let request = |topics| OffsetForLeaderEpochRequest { replica_id, ..request(topics) };
    let a = side.make("a", 2, &[]);
    appended(side, &a, 0, five());
    let (name, epoch) = (a.name.as_str(), a.epoch);
    side.case("none", &request(Vec::new()));
    side.case("no-partition", &request(vec![(name, Vec::new())]));
    for (case, current, wanted) in [
        ("current", -1, epoch),
        ("current-and-known", epoch, epoch),
        ("future", -1, epoch + 1),
        ("far-future", -1, i32::MAX),
        ("negative", -1, -1),
        ("lowest", -1, i32::MIN),
        ("known-too-new", epoch + 1, epoch),
        ("known-far-too-new", i32::MAX, epoch),
        ("known-negative", -2, epoch),
    ] {
        let current = if side.version < 2 { -1 } else { current };
        side.case(case, &request(vec![(name, vec![partition(0, current, wanted)])]));
        side.case(&format!("{case}-of-nothing"), &request(vec![(name, vec![partition(1, current, wanted)])]));
    }
    for index in [2, -1, i32::MAX] {
        side.case(&format!("partition-{index}"), &request(vec![(name, vec![partition(index, -1, epoch)])]));
    }
    side.case("unknown", &request(vec![(UNKNOWN, vec![partition(0, -1, epoch)])]));
    side.case(
        "one-good-one-unknown",
        &request(vec![(name, vec![partition(0, -1, epoch)]), (UNKNOWN, vec![partition(0, -1, epoch)])]),
    );
    for (case, illegal) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(vec![(illegal, vec![partition(0, -1, epoch)])]));
    }
    side.case("twice", &request(vec![(name, vec![partition(0, -1, epoch), partition(0, -1, epoch)])]));
    for replica_id in [-2, 7] {
        let other = OffsetForLeaderEpochRequest { replica_id, ..request(vec![(name, vec![partition(0, -1, epoch)])]) };
        side.case(&format!("replica-{replica_id}"), &other);
    }
}
