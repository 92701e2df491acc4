//! Consumer groups as the other keys see them, and groups that go from one protocol to the other.

use bytes::Bytes;
use highwater_protocol::api::ApiKey;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::offset_fetch_request::OffsetFetchRequestGroup;
use highwater_protocol::message::sync_group_request::SyncGroupRequestAssignment;
use highwater_protocol::message::{
    DeleteGroupsRequest, DescribeGroupsRequest, JoinGroupRequest, ListGroupsRequest, OffsetFetchRequest,
    SyncGroupRequest,
};

use super::consumer::{alone, beat, first, known, owning, prepared, reconciling};
use super::membership::leave;
use super::offsets::{commit, commit_of, delete, fetch, offset, to, wanted};
use super::{JOIN, Member, SYNC, coordinated, heartbeat, join, subscription, sync};
use crate::scenarios::{Scenario, UNKNOWN};
use crate::side::{Made, Side};

pub(super) const SCENARIOS: [Scenario; 13] = [
    Scenario { key: ApiKey::OffsetCommit, name: "consumer", run: commits },
    Scenario { key: ApiKey::OffsetFetch, name: "consumer", run: fetches },
    Scenario { key: ApiKey::OffsetDelete, name: "consumer", run: deletes_offsets },
    Scenario { key: ApiKey::DescribeGroups, name: "consumer", run: described },
    Scenario { key: ApiKey::ListGroups, name: "consumer", run: listed },
    Scenario { key: ApiKey::DeleteGroups, name: "consumer", run: deleted },
    Scenario { key: ApiKey::Heartbeat, name: "consumer", run: heartbeats },
    Scenario { key: ApiKey::SyncGroup, name: "consumer", run: syncs },
    Scenario { key: ApiKey::LeaveGroup, name: "consumer", run: leaves },
    Scenario { key: ApiKey::JoinGroup, name: "consumer", run: joins },
    Scenario { key: ApiKey::JoinGroup, name: "consumer-emptied", run: joins_emptied },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "classic-without-members", run: takes_over },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "classic", run: upgrades },
];

/// From here on a commit may name a member's epoch.
const BY_EPOCH: i16 = 9;

fn member(group: &str, id: &str, generation: i32) -> Member {
    Member { group: group.to_owned(), id: id.to_owned(), instance: None, generation }
}

/// A consumer group that has had two epochs, and one member.
fn second_epoch(side: &mut Side, name: &str, topic: &Made) -> String {
    let group = reconciling(side, name, topic);
    prepared(side, &beat(&group, "m-b", -1));
    let answer = prepared(side, &owning(&group, "m-a", 2, topic, &[0]));
    assert_eq!(answer.member_epoch, 4, "it is reconciled");
    group
}

/// A consumer group that everybody has left.
fn emptied(side: &mut Side, name: &str, topic: &Made) -> String {
    let group = alone(side, name, topic);
    prepared(side, &beat(&group, "m-a", -1));
    group
}

fn commits(side: &mut Side) {
    let version = side.version;
    let topic = known(side, "t", 2);
    let group = second_epoch(side, "g", &topic);
    let some = |at| vec![to(version, &topic, vec![offset(0, at)])];
    for epoch in [-1, 0, 1, 2, 3, 4, 5, i32::MAX] {
        side.case(&format!("epoch-{epoch}"), &commit_of(&member(&group, "m-a", epoch), some(1)));
    }
    side.case("nobody-in-particular", &commit(&group, some(2)));
    side.case("without-id", &commit_of(&member(&group, "", 4), some(3)));
    side.case("unknown-member", &commit_of(&member(&group, "m-z", 4), some(3)));
    let named = Member { instance: Some("i".to_owned()), ..member(&group, "m-a", 4) };
    side.case("unknown-instance", &commit_of(&named, some(4)));
    let none = emptied(side, "emptied", &topic);
    side.case("simple-into-an-emptied-group", &commit(&none, some(5)));
    side.case("member-of-an-emptied-group", &commit_of(&member(&none, "m-a", 2), some(5)));
}

fn fetches(side: &mut Side) {
    let version = side.version;
    let topic = known(side, "t", 2);
    let group = second_epoch(side, "g", &topic);
    let commits = commit_of(&member(&group, "m-a", 4), vec![to(BY_EPOCH, &topic, vec![offset(0, 7)])]);
    assert_eq!(side.setup(&commits, BY_EPOCH).topics[0].partitions[0].error_code, 0);
    let partitions = || Some(vec![wanted(version, &topic, &[0, 1])]);
    side.case("nobody-in-particular", &fetch(version, &group, partitions()));
    side.case("all", &fetch(version, &group, None));
    if version < BY_EPOCH {
        return;
    }
    let of = |id: Option<&str>, epoch| OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.clone(),
            member_id: id.map(str::to_owned),
            member_epoch: epoch,
            topics: partitions(),
        }],
        ..OffsetFetchRequest::default()
    };
    for epoch in [-1, 0, 1, 3, 4, 5] {
        side.case(&format!("epoch-{epoch}"), &of(Some("m-a"), epoch));
    }
    side.case("unknown-member", &of(Some("m-z"), 4));
    side.case("member-without-id", &of(Some(""), 4));
    side.case("no-member-with-an-epoch", &of(None, 4));
    side.case("no-member-with-epoch-0", &of(None, 0));
}

fn deletes_offsets(side: &mut Side) {
    let (t, u) = (known(side, "t", 2), known(side, "u", 1));
    let group = alone(side, "g", &t);
    let topics = vec![to(BY_EPOCH, &t, vec![offset(0, 1)]), to(BY_EPOCH, &u, vec![offset(0, 1)])];
    side.setup(&commit_of(&member(&group, "m-a", 2), topics), BY_EPOCH);
    side.case("subscribed-and-not", &delete(&group, &[(&t.name, &[0]), (&u.name, &[0])]));
    side.case("subscribed", &delete(&group, &[(&t.name, &[0])]));
    side.case("unknown-topic", &delete(&group, &[(UNKNOWN, &[0])]));
    prepared(side, &beat(&group, "m-a", -1));
    side.case("nobody-is-left", &delete(&group, &[(&t.name, &[0]), (&u.name, &[0])]));
    side.case("again", &delete(&group, &[(&t.name, &[0])]));
}

fn described(side: &mut Side) {
    let of = |group: &str| DescribeGroupsRequest { groups: vec![group.to_owned()], ..Default::default() };
    let topic = known(side, "t", 2);
    let group = alone(side, "g", &topic);
    side.case("stable", &of(&group));
    let allowed = DescribeGroupsRequest { include_authorized_operations: true, ..of(&group) };
    side.case("with-operations", &allowed);
    let group = reconciling(side, "reconciling", &topic);
    side.case("reconciling", &of(&group));
    let group = emptied(side, "emptied", &topic);
    side.case("emptied", &of(&group));
}

fn listed(side: &mut Side) {
    let topic = known(side, "t", 2);
    let _stable = alone(side, "stable", &topic);
    let _reconciling = reconciling(side, "reconciling", &topic);
    let _emptied = emptied(side, "emptied", &topic);
    let _classic = super::stable(side, "classic", None);
    let of = |states: &[&str], types: &[&str]| ListGroupsRequest {
        states_filter: states.iter().map(|state| (*state).to_owned()).collect(),
        types_filter: types.iter().map(|kind| (*kind).to_owned()).collect(),
    };
    side.case("all", &of(&[], &[]));
    for state in ["Stable", "Empty", "Assigning", "Reconciling", "reconciling", "STABLE", "Dead"] {
        side.case(&format!("state-{state}"), &of(&[state], &[]));
    }
    for kind in ["consumer", "Consumer", "CONSUMER", "classic", "share", ""] {
        side.case(&format!("type-{kind}"), &of(&[], &[kind]));
    }
    side.case("both-types", &of(&[], &["consumer", "classic"]));
    side.case("consumer-and-unknown", &of(&[], &["consumer", "nonsense"]));
    side.case("stable-consumers", &of(&["Stable"], &["consumer"]));
    side.case("reconciling-classic", &of(&["Reconciling"], &["classic"]));
}

fn deleted(side: &mut Side) {
    let of = |group: &str| DeleteGroupsRequest { groups_names: vec![group.to_owned()] };
    let topic = known(side, "t", 2);
    let group = alone(side, "g", &topic);
    side.case("stable", &of(&group));
    let group = reconciling(side, "reconciling", &topic);
    side.case("reconciling", &of(&group));
    let group = emptied(side, "emptied", &topic);
    side.case("emptied", &of(&group));
    side.case("again", &of(&group));
    prepared(side, &first(&group, "m-a", &[&topic.name]));
    side.case("begun-anew", &of(&group));
}

/// Keys of the classic protocol, of members that do not speak it.
fn heartbeats(side: &mut Side) {
    let topic = known(side, "t", 2);
    let group = alone(side, "g", &topic);
    for generation in [0, 1, 2, 3] {
        side.case(&format!("generation-{generation}"), &heartbeat(&member(&group, "m-a", generation)));
    }
    side.case("unknown-member", &heartbeat(&member(&group, "m-z", 1)));
    side.case("without-id", &heartbeat(&member(&group, "", 1)));
    side.case("instance", &heartbeat(&Member { instance: Some("i".to_owned()), ..member(&group, "m-a", 1) }));
    let group = emptied(side, "emptied", &topic);
    side.case("emptied", &heartbeat(&member(&group, "m-a", 1)));
}

fn syncs(side: &mut Side) {
    let topic = known(side, "t", 2);
    let group = alone(side, "g", &topic);
    for generation in [0, 1, 2, 3] {
        side.case(&format!("generation-{generation}"), &sync(&member(&group, "m-a", generation), &[]));
    }
    side.case("unknown-member", &sync(&member(&group, "m-z", 1), &[]));
    side.case("instance", &sync(&Member { instance: Some("i".to_owned()), ..member(&group, "m-a", 1) }, &[]));
    let group = emptied(side, "emptied", &topic);
    side.case("emptied", &sync(&member(&group, "m-a", 1), &[]));
}

fn leaves(side: &mut Side) {
    let version = side.version;
    let topic = known(side, "t", 2);
    let group = alone(side, "g", &topic);
    side.case("unknown-member", &leave(version, &group, &[("m-z", None)]));
    side.case("without-id", &leave(version, &group, &[("", None)]));
    side.case("unknown-instance", &leave(version, &group, &[("", Some("i"))]));
    side.case("member", &leave(version, &group, &[("m-a", None)]));
    side.case("member-again", &leave(version, &group, &[("m-a", None)]));
    let group = emptied(side, "emptied", &topic);
    side.case("emptied", &leave(version, &group, &[("m-a", None)]));
}

/// A member of the classic protocol that subscribes to a topic.
fn classic(group: &str, id: &str, topic: &str) -> JoinGroupRequest {
    let protocol = |name: &str| JoinGroupRequestProtocol { name: name.to_owned(), metadata: subscription(topic) };
    JoinGroupRequest { protocols: vec![protocol("range")], ..join(group, id) }
}

/// It comes into a consumer group, and goes.
fn joins(side: &mut Side) {
    let topic = known(side, "t", 2);
    let group = alone(side, "g", &topic);
    let request = classic(&group, "", &topic.name);
    side.case("other-type", &JoinGroupRequest { protocol_type: "connect".to_owned(), ..request.clone() });
    side.case("no-protocol", &JoinGroupRequest { protocols: Vec::new(), ..request.clone() });
    let garbled = JoinGroupRequestProtocol { name: "range".to_owned(), metadata: Bytes::from_static(b"\0") };
    side.case("garbled-subscription", &JoinGroupRequest { protocols: vec![garbled], ..request.clone() });
    side.case("unknown-member", &classic(&group, "nobody", &topic.name));
    side.case("member-of-the-other-protocol", &classic(&group, "m-a", &topic.name));
    let mut id = String::new();
    if let Some(given) = side.case("first", &request) {
        id = given.member_id;
        if given.error_code != 0 {
            side.case("with-the-id-it-was-given", &classic(&group, &id, &topic.name));
        }
    }
    side.case("again", &classic(&group, &id, &topic.name));
    side.case("with-another-topic", &classic(&group, &id, UNKNOWN));
}

fn joins_emptied(side: &mut Side) {
    let topic = known(side, "t", 2);
    let group = emptied(side, "g", &topic);
    let request = classic(&group, "", &topic.name);
    side.case("unknown-member", &classic(&group, "nobody", &topic.name));
    side.case("no-protocol", &JoinGroupRequest { protocols: Vec::new(), ..request.clone() });
    if let Some(given) = side.case("first", &request)
        && given.error_code != 0
    {
        side.case("with-the-id-it-was-given", &classic(&group, &given.member_id, &topic.name));
    }
    let other = emptied(side, "connect", &topic);
    let connect = JoinGroupRequest { protocol_type: "connect".to_owned(), ..classic(&other, "", &topic.name) };
    side.case("other-type", &connect);
}

/// A member of the consumer protocol comes where offsets are and nobody is.
fn takes_over(side: &mut Side) {
    let topic = known(side, "t", 2);
    let simple = super::administered::simple(side, "simple");
    side.know_member("m-a");
    side.case("offsets-alone", &first(&simple, "m-a", &[&topic.name]));
    side.case("offsets-alone-then", &beat(&simple, "m-a", 2));
    let left = super::administered::deserted(side, "deserted");
    side.case("heartbeat-where-all-left", &beat(&left, "m-a", 2));
    side.case("leave-where-all-left", &beat(&left, "m-a", -1));
    side.case("all-left", &first(&left, "m-a", &[&topic.name]));
    let pending = side.name("pending");
    coordinated(side, &pending);
    side.setup(&join(&pending, ""), 4);
    side.case("one-is-about-to-join", &first(&pending, "m-a", &[&topic.name]));
}

/// What a consumer of the classic protocol is told to have.
fn assigned(topic: &str, partitions: &[i32]) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1];
    bytes.extend(u16::try_from(topic.len()).expect("a name").to_be_bytes());
    bytes.extend(topic.as_bytes());
    bytes.extend(u32::try_from(partitions.len()).expect("few").to_be_bytes());
    bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
    bytes.extend([0xff; 4]);
    bytes.into()
}

/// A classic group of one that has all of a topic.
fn classic_group(side: &mut Side, name: &str, kind: &str, topic: &Made) -> Member {
    let group = side.name(name);
    coordinated(side, &group);
    let request = JoinGroupRequest { protocol_type: kind.to_owned(), ..classic(&group, "", &topic.name) };
    let joined = side.setup(&request, JOIN);
    assert_eq!(joined.error_code, 0, "{group} is joined");
    let member = Member::of(side, &group, None, joined);
    let assignment = assigned(&topic.name, &[0, 1]);
    let request = SyncGroupRequest {
        assignments: vec![SyncGroupRequestAssignment { member_id: member.id.clone(), assignment }],
        protocol_type: Some(kind.to_owned()),
        ..sync(&member, &[])
    };
    assert_eq!(side.setup(&request, SYNC).error_code, 0, "{group} is synced");
    member
}

/// A member of the consumer protocol comes into a classic group, and the classic one goes.
fn upgrades(side: &mut Side) {
    let topic = known(side, "t", 2);
    let names = [topic.name.as_str()];
    let connect = classic_group(side, "connect", "connect", &topic);
    side.know_member("m-a");
    side.case("other-type", &first(&connect.group, "m-a", &names));
    let garbled = super::stable(side, "garbled", None);
    side.case("garbled-assignment", &first(&garbled.group, "m-a", &names));
    let old = classic_group(side, "g", "consumer", &topic);
    side.case("heartbeat", &beat(&old.group, &old.id, 1));
    side.case("leave", &beat(&old.group, &old.id, -1));
    side.case("unknown-member-leaves", &beat(&old.group, "m-a", -1));
    side.case("joins", &first(&old.group, "m-a", &names));
    side.case("waits", &beat(&old.group, "m-a", 2));
    side.case("waits-and-has-none", &owning(&old.group, "m-a", 2, &topic, &[]));
    side.case("greater-epoch", &beat(&old.group, "m-a", 3));
    side.case("leaves", &beat(&old.group, "m-a", -1));
    side.case("leaves-again", &beat(&old.group, "m-a", -1));
    side.case("joins-again", &first(&old.group, "m-a", &names));
    let itself = classic_group(side, "itself", "consumer", &topic);
    side.case("under-the-same-id", &first(&itself.group, &itself.id, &names));
    side.case("under-the-same-id-then", &beat(&itself.group, &itself.id, 2));
}
