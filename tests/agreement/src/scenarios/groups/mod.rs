//! Groups: members, their coordinator, their offsets.

mod administered;
mod consumer;
mod coordinator;
mod membership;
mod mixed;
mod offsets;

use bytes::Bytes;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::sync_group_request::SyncGroupRequestAssignment;
use highwater_protocol::message::{HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest};
use highwater_tests::wire::Wire;

use super::Scenario;
use crate::side::Side;

/// A member learns its id before it joins from 4 on; the highest version in which it does not is the simplest to prepare with.
const JOIN: i16 = 3;
const SYNC: i16 = 3;
/// With an instance id.
const STATIC_JOIN: i16 = 5;
const REBALANCE_IN_PROGRESS: i16 = 27;

pub(super) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    all.extend(coordinator::SCENARIOS);
    all.extend(membership::SCENARIOS);
    all.extend(offsets::SCENARIOS);
    all.extend(administered::SCENARIOS);
    all.extend(consumer::SCENARIOS);
    all.extend(mixed::SCENARIOS);
    all
}

/// A member that a scenario knows.
#[derive(Clone, Debug)]
struct Member {
    group: String,
    id: String,
    instance: Option<String>,
    generation: i32,
}

/// A consumer's subscription to one topic.
fn subscription(topic: &str) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1];
    bytes.extend(u16::try_from(topic.len()).expect("a name").to_be_bytes());
    bytes.extend(topic.as_bytes());
    bytes.extend([0xff; 4]);
    bytes.into()
}

fn protocol(name: &str, topic: &str) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol { name: name.to_owned(), metadata: subscription(topic) }
}

fn join(group: &str, member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        member_id: member_id.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol("range", "t"), protocol("roundrobin", "t")],
        ..JoinGroupRequest::default()
    }
}

fn sync(member: &Member, assignments: &[(&str, &'static [u8])]) -> SyncGroupRequest {
    let assignment = |(id, bytes): &(&str, &'static [u8])| SyncGroupRequestAssignment {
        member_id: (*id).to_owned(),
        assignment: Bytes::from_static(bytes),
    };
    SyncGroupRequest {
        group_id: member.group.clone(),
        generation_id: member.generation,
        member_id: member.id.clone(),
        group_instance_id: member.instance.clone(),
        protocol_type: Some("consumer".to_owned()),
        protocol_name: Some("range".to_owned()),
        assignments: assignments.iter().map(assignment).collect(),
    }
}

fn heartbeat(member: &Member) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: member.group.clone(),
        generation_id: member.generation,
        member_id: member.id.clone(),
        group_instance_id: member.instance.clone(),
    }
}

impl Member {
    fn of(side: &mut Side, group: &str, instance: Option<&str>, joined: JoinGroupResponse) -> Self {
        side.know_member(&joined.member_id);
        Self {
            group: group.to_owned(),
            id: joined.member_id,
            instance: instance.map(str::to_owned),
            generation: joined.generation_id,
        }
    }
}

/// Waits until the broker coordinates a group.
fn coordinated(side: &mut Side, group: &str) {
    let nobody = Member { group: group.to_owned(), id: "nobody".to_owned(), instance: None, generation: 1 };
    side.until("a coordinator", |wire| {
        let find = highwater_protocol::message::FindCoordinatorRequest {
            key: group.to_owned(),
            ..highwater_protocol::message::FindCoordinatorRequest::default()
        };
        let is_found = wire.call(&find, 3).expect("answers").error_code == 0;
        // It is loaded when it says that it knows nobody.
        is_found && wire.call(&heartbeat(&nobody), 0).expect("answers").error_code == 25
    });
}

/// A group of one, whose member has its assignment.
fn stable(side: &mut Side, name: &str, instance: Option<&str>) -> Member {
    let group = side.name(name);
    coordinated(side, &group);
    let request = JoinGroupRequest { group_instance_id: instance.map(str::to_owned), ..join(&group, "") };
    let version = if instance.is_some() { STATIC_JOIN } else { JOIN };
    let joined = side.setup(&request, version);
    assert_eq!(joined.error_code, 0, "{group} is joined");
    let member = Member::of(side, &group, instance, joined);
    let synced = side.setup(&sync(&member, &[(&member.id, b"all of it")]), SYNC);
    assert_eq!(synced.error_code, 0, "{group} is synced");
    member
}

/// Lets a second member join a stable group of one; neither has synced. The second has a connection of its own.
fn two(side: &mut Side, first: &mut Member) -> (Member, Wire) {
    let mut wire = side.beside();
    wire.send(&join(&first.group, ""), JOIN).expect("sends");
    let asked = heartbeat(first);
    side.until("a rebalance", |wire| wire.call(&asked, 3).expect("answers").error_code == REBALANCE_IN_PROGRESS);
    let request = JoinGroupRequest { group_instance_id: first.instance.clone(), ..join(&first.group, &first.id) };
    let joined = side.setup(&request, STATIC_JOIN);
    assert_eq!(joined.error_code, 0, "{} is joined again", first.group);
    first.generation = joined.generation_id;
    let (_, second) = wire.receive::<JoinGroupRequest>(JOIN).expect("answers");
    assert_eq!(second.error_code, 0, "{} has two members", first.group);
    (Member::of(side, &first.group, None, second), wire)
}
