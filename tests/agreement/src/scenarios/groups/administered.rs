//! DescribeGroups, ListGroups, DeleteGroups.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::{
    DeleteGroupsRequest, DescribeGroupsRequest, LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest,
};

use super::{Member, coordinated, join, stable, two};
use crate::scenarios::Scenario;
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario { key: ApiKey::DescribeGroups, name: "described", run: described },
    Scenario { key: ApiKey::ListGroups, name: "listed", run: listed },
    Scenario { key: ApiKey::DeleteGroups, name: "deleted", run: deleted },
];

/// A group that has offsets and never had a member.
pub(super) fn simple(side: &mut Side, name: &str) -> String {
    let topic = side.make(&format!("t-{name}"), 1, &[]);
    let group = side.name(name);
    coordinated(side, &group);
    let partitions = vec![OffsetCommitRequestPartition {
        committed_metadata: Some(String::new()),
        ..OffsetCommitRequestPartition::default()
    }];
    let topics = vec![OffsetCommitRequestTopic { name: topic.name, partitions, ..Default::default() }];
    let request = OffsetCommitRequest { group_id: group.clone(), topics, ..OffsetCommitRequest::default() };
    assert_eq!(side.setup(&request, 7).topics[0].partitions[0].error_code, 0);
    group
}

/// A group that everybody has left.
pub(super) fn deserted(side: &mut Side, name: &str) -> String {
    let Member { group, id, .. } = stable(side, name, None);
    let request = LeaveGroupRequest { group_id: group.clone(), member_id: id, ..LeaveGroupRequest::default() };
    assert_eq!(side.setup(&request, 2).error_code, 0);
    group
}

fn described(side: &mut Side) {
    let of = |groups: &[&str]| DescribeGroupsRequest {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..DescribeGroupsRequest::default()
    };
    let absent = side.name("absent");
    coordinated(side, &absent);
    side.case("none", &of(&[]));
    side.case("absent", &of(&[&absent]));
    side.case("without-name", &of(&[""]));
    let mut member = stable(side, "stable", None);
    side.case("stable", &of(&[&member.group]));
    side.case("stable-and-absent", &of(&[&member.group, &absent]));
    side.case("twice", &of(&[&member.group, &member.group]));
    let fixed = stable(side, "static", Some("i"));
    side.case("static", &of(&[&fixed.group]));
    let (_second, _wire) = two(side, &mut member);
    side.case("before-it-synced", &of(&[&member.group]));
    let simple = simple(side, "simple");
    side.case("simple", &of(&[&simple]));
    let deserted = deserted(side, "deserted");
    side.case("deserted", &of(&[&deserted]));
    let allowed = DescribeGroupsRequest { include_authorized_operations: true, ..of(&[&simple, &absent]) };
    side.case("with-operations", &allowed);
}

fn listed(side: &mut Side) {
    let member = stable(side, "stable", None);
    let mut rebalancing = stable(side, "rebalancing", None);
    let (_second, _wire) = two(side, &mut rebalancing);
    let _simple = simple(side, "simple");
    let _deserted = deserted(side, "deserted");
    let mut pending = side.beside();
    let group = side.name("pending");
    coordinated(side, &group);
    pending.call(&join(&group, ""), 4).expect("answers");
    assert!(!member.id.is_empty());
    let of = |states: &[&str], types: &[&str]| ListGroupsRequest {
        states_filter: states.iter().map(|state| (*state).to_owned()).collect(),
        types_filter: types.iter().map(|kind| (*kind).to_owned()).collect(),
    };
    side.case("all", &of(&[], &[]));
    for state in ["Stable", "Empty", "CompletingRebalance", "PreparingRebalance", "Dead", "stable", "nonsense"] {
        side.case(&format!("state-{state}"), &of(&[state], &[]));
    }
    side.case("two-states", &of(&["Stable", "Empty"], &[]));
    for kind in ["classic", "consumer", "Classic", "nonsense"] {
        side.case(&format!("type-{kind}"), &of(&[], &[kind]));
    }
    side.case("stable-and-classic", &of(&["Stable"], &["classic"]));
}

fn deleted(side: &mut Side) {
    let of = |groups: &[&str]| DeleteGroupsRequest {
        groups_names: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let absent = side.name("absent");
    coordinated(side, &absent);
    side.case("none", &of(&[]));
    side.case("absent", &of(&[&absent]));
    side.case("without-name", &of(&[""]));
    let member = stable(side, "stable", None);
    side.case("stable", &of(&[&member.group]));
    let simple_one = simple(side, "simple");
    side.case("simple", &of(&[&simple_one]));
    side.case("again", &of(&[&simple_one]));
    let deserted = deserted(side, "deserted");
    side.case("deserted-and-absent", &of(&[&deserted, &absent]));
    let another = simple(side, "another");
    side.case("twice", &of(&[&another, &another]));
}
