//! JoinGroup, SyncGroup, Heartbeat, LeaveGroup: who is in, who is not, and what a member hears in each state of its group.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::leave_group_request::MemberIdentity;
use highwater_protocol::message::{HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest};

use super::{Member, coordinated, heartbeat, join, protocol, stable, sync, two};
use crate::scenarios::Scenario;
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 11] = [
    Scenario { key: ApiKey::JoinGroup, name: "refused", run: join_refused },
    Scenario { key: ApiKey::JoinGroup, name: "joined", run: joined },
    Scenario { key: ApiKey::JoinGroup, name: "again", run: joined_again },
    Scenario { key: ApiKey::JoinGroup, name: "static", run: joined_with_instance },
    Scenario { key: ApiKey::SyncGroup, name: "refused", run: sync_refused },
    Scenario { key: ApiKey::SyncGroup, name: "synced", run: synced },
    Scenario { key: ApiKey::Heartbeat, name: "refused", run: heartbeat_refused },
    Scenario { key: ApiKey::Heartbeat, name: "in-each-state", run: heartbeats },
    Scenario { key: ApiKey::LeaveGroup, name: "refused", run: leave_refused },
    Scenario { key: ApiKey::LeaveGroup, name: "left", run: left },
    Scenario { key: ApiKey::LeaveGroup, name: "static", run: left_with_instance },
];

/// Many leave at a time from here on.
const MANY_LEAVE: i16 = 3;

fn join_refused(side: &mut Side) {
    let group = side.name("g");
    coordinated(side, &group);
    side.case("group-without-name", &join("", ""));
    side.case("unknown-member", &join(&group, "nobody"));
    for session in [0, 5_999, 1_800_001, -1, i32::MAX, i32::MIN] {
        let request = JoinGroupRequest { session_timeout_ms: session, ..join(&group, "") };
        side.case(&format!("session-{session}"), &request);
    }
    side.case("no-protocol", &JoinGroupRequest { protocols: Vec::new(), ..join(&group, "") });
    side.case("no-protocol-type", &JoinGroupRequest { protocol_type: String::new(), ..join(&group, "") });
    let named = JoinGroupRequest { group_instance_id: Some("i".to_owned()), ..join(&group, "nobody") };
    side.case("unknown-instance", &named);
    let member = stable(side, "stable", None);
    side.case("other-type", &JoinGroupRequest { protocol_type: "connect".to_owned(), ..join(&member.group, "") });
    let other = JoinGroupRequest { protocols: vec![protocol("sticky", "t")], ..join(&member.group, "") };
    side.case("other-protocol", &other);
    side.case("other-protocol-of-a-member", &JoinGroupRequest { member_id: member.id.clone(), ..other });
    side.case("unknown-member-of-a-stable-group", &join(&member.group, "nobody"));
    let named = JoinGroupRequest { group_instance_id: Some("i".to_owned()), ..join(&member.group, &member.id) };
    side.case("instance-of-a-dynamic-member", &named);
}

/// From a group that is not there to a member in it.
fn joined(side: &mut Side) {
    let group = side.name("g");
    coordinated(side, &group);
    let first = side.case("first", &join(&group, ""));
    if let Some(first) = first.filter(|first| first.error_code != 0) {
        side.case("with-the-id-it-was-given", &join(&group, &first.member_id));
    }
    let connect = side.name("connect");
    let request = JoinGroupRequest {
        protocol_type: "connect".to_owned(),
        protocols: vec![protocol("sessioned", "t"), protocol("compatible", "t")],
        ..join(&connect, "")
    };
    let first = side.case("connect", &request);
    if let Some(first) = first.filter(|first| first.error_code != 0) {
        side.case("connect-with-its-id", &JoinGroupRequest { member_id: first.member_id, ..request });
    }
    let patient = side.name("no-rebalance-timeout");
    side.case("no-rebalance-timeout", &JoinGroupRequest { rebalance_timeout_ms: -1, ..join(&patient, "") });
}

fn joined_again(side: &mut Side) {
    let member = stable(side, "leader", None);
    side.case("leader", &join(&member.group, &member.id));
    side.case("leader-before-it-synced", &join(&member.group, &member.id));
    let changed = JoinGroupRequest { protocols: vec![protocol("range", "u")], ..join(&member.group, &member.id) };
    side.case("leader-with-other-topics", &changed);
    let mut first = stable(side, "two", None);
    let (second, _wire) = two(side, &mut first);
    side.case("follower-before-it-synced", &join(&second.group, &second.id));
    let assigned = sync(&first, &[(&first.id, b"one"), (&second.id, b"two")]);
    assert_eq!(side.setup(&assigned, 3).error_code, 0, "the leader assigns");
    side.case("follower", &join(&second.group, &second.id));
}

fn joined_with_instance(side: &mut Side) {
    let group = side.name("g");
    coordinated(side, &group);
    let with = |instance: &str, group: &str, id: &str| JoinGroupRequest {
        group_instance_id: Some(instance.to_owned()),
        ..join(group, id)
    };
    let first = side.case("first", &with("i", &group, ""));
    if first.is_none() {
        return;
    }
    let member = stable(side, "stable", Some("i"));
    side.case("wrong-id", &with("i", &member.group, "nobody"));
    side.case("other-instance", &with("j", &member.group, &member.id));
    side.case("back-under-a-new-id", &with("i", &member.group, ""));
    side.case("under-the-old-id", &with("i", &member.group, &member.id));
    let member = stable(side, "changed", Some("i"));
    let changed = JoinGroupRequest { protocols: vec![protocol("roundrobin", "u")], ..with("i", &member.group, "") };
    side.case("back-with-another-protocol", &changed);
}

fn sync_refused(side: &mut Side) {
    let group = side.name("g");
    coordinated(side, &group);
    let nobody = Member { group, id: "nobody".to_owned(), instance: None, generation: 1 };
    side.case("unknown-group", &sync(&nobody, &[]));
    side.case("group-without-name", &sync(&Member { group: String::new(), ..nobody.clone() }, &[]));
    let member = stable(side, "stable", None);
    side.case("unknown-member", &sync(&Member { id: "nobody".to_owned(), ..member.clone() }, &[]));
    side.case("member-without-id", &sync(&Member { id: String::new(), ..member.clone() }, &[]));
    for generation in [-1, 0, 2, i32::MAX] {
        side.case(&format!("generation-{generation}"), &sync(&Member { generation, ..member.clone() }, &[]));
    }
    side.case("unknown-instance", &sync(&Member { instance: Some("i".to_owned()), ..member.clone() }, &[]));
    let typed = |kind: &str, name: &str| SyncGroupRequest {
        protocol_type: Some(kind.to_owned()),
        protocol_name: Some(name.to_owned()),
        ..sync(&member, &[])
    };
    side.case("other-type", &typed("connect", "range"));
    side.case("other-protocol", &typed("consumer", "roundrobin"));
    let fixed = stable(side, "static", Some("i"));
    side.case("fenced", &sync(&Member { id: "nobody".to_owned(), ..fixed }, &[]));
}

fn synced(side: &mut Side) {
    let mut first = stable(side, "g", None);
    side.case("stable", &sync(&first, &[]));
    side.case("stable-with-other-assignments", &sync(&first, &[(&first.id, b"another")]));
    side.case("without-type", &SyncGroupRequest { protocol_type: None, ..sync(&first, &[]) });
    side.case("without-protocol", &SyncGroupRequest { protocol_name: None, ..sync(&first, &[]) });
    let (second, mut wire) = two(side, &mut first);
    wire.send(&sync(&second, &[]), 3).expect("sends");
    side.case("leader", &sync(&first, &[(&second.id, b"two"), ("nobody", b"three")]));
    let (_, followers) = wire.receive::<SyncGroupRequest>(3).expect("answers");
    assert_eq!((followers.error_code, &followers.assignment[..]), (0, &b"two"[..]));
    side.case("follower-again", &sync(&second, &[]));
    let mut third = side.beside();
    third.send(&join(&first.group, ""), 3).expect("sends");
    let asked = heartbeat(&first);
    side.until("a rebalance", |wire| wire.call(&asked, 3).expect("answers").error_code == super::REBALANCE_IN_PROGRESS);
    side.case("while-it-rebalances", &sync(&second, &[]));
}

fn heartbeat_refused(side: &mut Side) {
    let group = side.name("g");
    coordinated(side, &group);
    let nobody = Member { group, id: "nobody".to_owned(), instance: None, generation: 1 };
    side.case("unknown-group", &heartbeat(&nobody));
    side.case("group-without-name", &heartbeat(&Member { group: String::new(), ..nobody }));
    let member = stable(side, "stable", None);
    side.case("unknown-member", &heartbeat(&Member { id: "nobody".to_owned(), ..member.clone() }));
    side.case("member-without-id", &heartbeat(&Member { id: String::new(), ..member.clone() }));
    for generation in [-1, 0, 2, i32::MAX] {
        side.case(&format!("generation-{generation}"), &heartbeat(&Member { generation, ..member.clone() }));
    }
    side.case("unknown-instance", &heartbeat(&Member { instance: Some("i".to_owned()), ..member }));
    let fixed = stable(side, "static", Some("i"));
    side.case("with-instance", &heartbeat(&fixed));
    side.case("fenced", &heartbeat(&Member { id: "nobody".to_owned(), ..fixed }));
}

fn heartbeats(side: &mut Side) {
    let mut first = stable(side, "g", None);
    side.case("stable", &heartbeat(&first));
    let former = first.clone();
    let (second, _wire) = two(side, &mut first);
    side.case("leader-before-it-synced", &heartbeat(&first));
    side.case("follower-before-it-synced", &heartbeat(&second));
    side.case("former-generation", &heartbeat(&former));
    let mut third = side.beside();
    let assigned = sync(&first, &[(&first.id, b"one"), (&second.id, b"two")]);
    assert_eq!(side.setup(&assigned, 3).error_code, 0, "the leader assigns");
    third.send(&join(&first.group, ""), 3).expect("sends");
    let asked: HeartbeatRequest = heartbeat(&first);
    side.until("a rebalance", |wire| wire.call(&asked, 3).expect("answers").error_code == super::REBALANCE_IN_PROGRESS);
    side.case("while-it-rebalances", &heartbeat(&second));
}

pub(super) fn leave(version: i16, group: &str, members: &[(&str, Option<&str>)]) -> LeaveGroupRequest {
    if version < MANY_LEAVE {
        let member_id = members.first().map(|(id, _)| (*id).to_owned()).unwrap_or_default();
        return LeaveGroupRequest { group_id: group.to_owned(), member_id, ..LeaveGroupRequest::default() };
    }
    let member = |(id, instance): &(&str, Option<&str>)| MemberIdentity {
        member_id: (*id).to_owned(),
        group_instance_id: instance.map(str::to_owned),
        reason: Some("a test".to_owned()),
    };
    LeaveGroupRequest {
        group_id: group.to_owned(),
        members: members.iter().map(member).collect(),
        ..LeaveGroupRequest::default()
    }
}

fn leave_refused(side: &mut Side) {
    let version = side.version;
    let group = side.name("g");
    coordinated(side, &group);
    side.case("unknown-group", &leave(version, &group, &[("nobody", None)]));
    side.case("group-without-name", &leave(version, "", &[("nobody", None)]));
    let member = stable(side, "stable", None);
    side.case("unknown-member", &leave(version, &member.group, &[("nobody", None)]));
    side.case("member-without-id", &leave(version, &member.group, &[("", None)]));
    if version >= MANY_LEAVE {
        side.case("nobody", &leave(version, &member.group, &[]));
        side.case("unknown-instance", &leave(version, &member.group, &[("", Some("i"))]));
        side.case("instance-of-a-dynamic-member", &leave(version, &member.group, &[(&member.id, Some("i"))]));
    }
}

fn left(side: &mut Side) {
    let version = side.version;
    let member = stable(side, "one", None);
    side.case("last", &leave(version, &member.group, &[(&member.id, None)]));
    side.case("again", &leave(version, &member.group, &[(&member.id, None)]));
    let mut first = stable(side, "two", None);
    let (second, _wire) = two(side, &mut first);
    if version >= MANY_LEAVE {
        let both = [(first.id.as_str(), None), (second.id.as_str(), None), ("nobody", None)];
        side.case("both-and-nobody", &leave(version, &first.group, &both));
    } else {
        side.case("leader", &leave(version, &first.group, &[(&first.id, None)]));
        side.case("follower", &leave(version, &first.group, &[(&second.id, None)]));
    }
    let pending = side.name("pending");
    let given = side.setup(&join(&pending, ""), 4);
    side.know_member(&given.member_id);
    side.case("pending", &leave(version, &pending, &[(&given.member_id, None)]));
    side.case("pending-again", &leave(version, &pending, &[(&given.member_id, None)]));
}

fn left_with_instance(side: &mut Side) {
    let version = side.version;
    if version < MANY_LEAVE {
        let member = stable(side, "by-id", Some("i"));
        side.case("by-its-id", &leave(version, &member.group, &[(&member.id, None)]));
        return;
    }
    let member = stable(side, "by-instance", Some("i"));
    side.case("wrong-id", &leave(version, &member.group, &[("nobody", Some("i"))]));
    side.case("by-its-instance", &leave(version, &member.group, &[("", Some("i"))]));
    let member = stable(side, "by-both", Some("i"));
    side.case("by-both", &leave(version, &member.group, &[(&member.id, Some("i"))]));
    let member = stable(side, "twice", Some("i"));
    side.case("twice", &leave(version, &member.group, &[("", Some("i")), ("", Some("i"))]));
}
