//! OffsetCommit, OffsetFetch, OffsetDelete: who may commit, what is kept, and what is told of what is not there.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use highwater_protocol::message::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use highwater_protocol::message::{OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest};
use uuid::Uuid;

use super::{Member, coordinated, stable, subscription, sync, two};
use crate::scenarios::{Scenario, UNKNOWN, unknown_id};
use crate::side::{Made, Side};

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario { key: ApiKey::OffsetCommit, name: "simple", run: simple },
    Scenario { key: ApiKey::OffsetCommit, name: "by-members", run: by_members },
    Scenario { key: ApiKey::OffsetFetch, name: "fetched", run: fetched },
    Scenario { key: ApiKey::OffsetFetch, name: "by-groups", run: by_groups },
    Scenario { key: ApiKey::OffsetDelete, name: "deleted", run: deleted },
    Scenario { key: ApiKey::OffsetDelete, name: "of-members", run: deleted_of_members },
];

/// Topics go by id from here on.
const BY_ID: i16 = 10;
/// Many groups at a time from here on.
const MANY_GROUPS: i16 = 8;

pub(super) fn offset(partition_index: i32, committed_offset: i64) -> OffsetCommitRequestPartition {
    OffsetCommitRequestPartition {
        partition_index,
        committed_offset,
        committed_metadata: Some("m".to_owned()),
        ..OffsetCommitRequestPartition::default()
    }
}

pub(super) fn to(
    version: i16,
    topic: &Made,
    partitions: Vec<OffsetCommitRequestPartition>,
) -> OffsetCommitRequestTopic {
    if version < BY_ID {
        OffsetCommitRequestTopic { name: topic.name.clone(), partitions, ..OffsetCommitRequestTopic::default() }
    } else {
        OffsetCommitRequestTopic { topic_id: topic.id, partitions, ..OffsetCommitRequestTopic::default() }
    }
}

pub(super) fn commit(group: &str, topics: Vec<OffsetCommitRequestTopic>) -> OffsetCommitRequest {
    OffsetCommitRequest { group_id: group.to_owned(), topics, ..OffsetCommitRequest::default() }
}

pub(super) fn commit_of(member: &Member, topics: Vec<OffsetCommitRequestTopic>) -> OffsetCommitRequest {
    OffsetCommitRequest {
        generation_id_or_member_epoch: member.generation,
        member_id: member.id.clone(),
        group_instance_id: member.instance.clone(),
        ..commit(&member.group, topics)
    }
}

fn missing() -> Made {
    Made { name: UNKNOWN.to_owned(), id: unknown_id(), epoch: 0 }
}

fn simple(side: &mut Side) {
    let version = side.version;
    let topic = side.make("t", 2, &[]);
    let group = side.name("g");
    coordinated(side, &group);
    side.case("nothing", &commit(&group, Vec::new()));
    side.case("no-partition", &commit(&group, vec![to(version, &topic, Vec::new())]));
    side.case("one", &commit(&group, vec![to(version, &topic, vec![offset(0, 5)])]));
    side.case("two", &commit(&group, vec![to(version, &topic, vec![offset(0, 6), offset(1, 7)])]));
    side.case("unknown-topic", &commit(&group, vec![to(version, &missing(), vec![offset(0, 1)])]));
    let mixed = vec![to(version, &missing(), vec![offset(0, 1)]), to(version, &topic, vec![offset(0, 8)])];
    side.case("one-good-one-unknown", &commit(&group, mixed));
    if version >= BY_ID {
        let nil = Made { id: Uuid::nil(), ..missing() };
        side.case("id-of-zeros", &commit(&group, vec![to(version, &nil, vec![offset(0, 1)])]));
    }
    for partition in [2, -1, i32::MAX] {
        side.case(
            &format!("partition-{partition}"),
            &commit(&group, vec![to(version, &topic, vec![offset(partition, 1)])]),
        );
    }
    for at in [-1, i64::MIN, i64::MAX] {
        side.case(&format!("offset-{at}"), &commit(&group, vec![to(version, &topic, vec![offset(0, at)])]));
    }
    for length in [4096, 4097] {
        let long = OffsetCommitRequestPartition { committed_metadata: Some("x".repeat(length)), ..offset(0, 1) };
        side.case(&format!("metadata-of-{length}"), &commit(&group, vec![to(version, &topic, vec![long])]));
    }
    let bare = OffsetCommitRequestPartition { committed_metadata: None, ..offset(0, 1) };
    side.case("no-metadata", &commit(&group, vec![to(version, &topic, vec![bare])]));
    let epoch = OffsetCommitRequestPartition { committed_leader_epoch: 3, ..offset(0, 1) };
    side.case("leader-epoch", &commit(&group, vec![to(version, &topic, vec![epoch])]));
    side.case("group-without-name", &commit("", vec![to(version, &topic, vec![offset(0, 1)])]));
    if (2..=4).contains(&version) {
        for kept in [-1, 0, 1, 60_000] {
            let request = OffsetCommitRequest {
                retention_time_ms: kept,
                ..commit(&group, vec![to(version, &topic, vec![offset(0, 1)])])
            };
            side.case(&format!("kept-for-{kept}"), &request);
        }
    }
    let absent = side.name("absent");
    for generation in [0, 1] {
        let request = OffsetCommitRequest {
            generation_id_or_member_epoch: generation,
            member_id: "nobody".to_owned(),
            ..commit(&absent, vec![to(version, &topic, vec![offset(0, 1)])])
        };
        side.case(&format!("absent-group-generation-{generation}"), &request);
    }
}

fn by_members(side: &mut Side) {
    let version = side.version;
    let topic = side.make("t", 2, &[]);
    let mut member = stable(side, "g", None);
    let some = |at| vec![to(version, &topic, vec![offset(0, at)])];
    side.case("member", &commit_of(&member, some(1)));
    side.case("nobody-in-particular", &commit(&member.group, some(2)));
    side.case("unknown-member", &commit_of(&Member { id: "nobody".to_owned(), ..member.clone() }, some(3)));
    side.case("without-id", &commit_of(&Member { id: String::new(), ..member.clone() }, some(3)));
    for generation in [-1, 0, 2, i32::MAX] {
        side.case(&format!("generation-{generation}"), &commit_of(&Member { generation, ..member.clone() }, some(4)));
    }
    side.case("unknown-instance", &commit_of(&Member { instance: Some("i".to_owned()), ..member.clone() }, some(5)));
    let fixed = stable(side, "static", Some("i"));
    side.case("with-instance", &commit_of(&fixed, some(6)));
    side.case("fenced", &commit_of(&Member { id: "nobody".to_owned(), ..fixed }, some(7)));
    let former = member.clone();
    let (second, _wire) = two(side, &mut member);
    side.case("before-it-synced", &commit_of(&member, some(8)));
    side.case("follower-before-it-synced", &commit_of(&second, some(8)));
    side.case("former-generation", &commit_of(&former, some(9)));
    assert_eq!(side.setup(&sync(&member, &[(&member.id, b"one")]), 3).error_code, 0, "the leader assigns");
    side.case("after-it-synced", &commit_of(&member, some(10)));
}

pub(super) fn wanted(version: i16, topic: &Made, partition_indexes: &[i32]) -> OffsetFetchRequestTopics {
    let (name, topic_id) = if version < BY_ID { (topic.name.clone(), Uuid::nil()) } else { (String::new(), topic.id) };
    OffsetFetchRequestTopics { name, topic_id, partition_indexes: partition_indexes.to_vec() }
}

/// In each version's own way.
pub(super) fn fetch(version: i16, group: &str, topics: Option<Vec<OffsetFetchRequestTopics>>) -> OffsetFetchRequest {
    if version >= MANY_GROUPS {
        let group =
            OffsetFetchRequestGroup { group_id: group.to_owned(), topics, ..OffsetFetchRequestGroup::default() };
        return OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
    }
    let topic = |topic: OffsetFetchRequestTopics| OffsetFetchRequestTopic {
        name: topic.name,
        partition_indexes: topic.partition_indexes,
    };
    OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: topics.map(|topics| topics.into_iter().map(topic).collect()),
        ..OffsetFetchRequest::default()
    }
}

fn fetched(side: &mut Side) {
    let version = side.version;
    let (a, b) = (side.make("a", 3, &[]), side.make("b", 1, &[]));
    let group = side.name("g");
    coordinated(side, &group);
    let of = |topics: Vec<OffsetFetchRequestTopics>| fetch(version, &group, Some(topics));
    side.case("before-anything-is", &of(vec![wanted(version, &a, &[0, 1])]));
    let first = OffsetCommitRequestPartition { committed_leader_epoch: 3, ..offset(0, 5) };
    let bare = OffsetCommitRequestPartition { committed_metadata: None, ..offset(1, 6) };
    let committed = side.setup(&commit(&group, vec![to(8, &a, vec![first, bare]), to(8, &b, vec![offset(0, 7)])]), 8);
    assert!(committed.topics.iter().all(|topic| topic.partitions.iter().all(|one| one.error_code == 0)));
    side.case("all", &fetch(version, &group, None));
    side.case("no-topic", &of(Vec::new()));
    side.case("no-partition", &of(vec![wanted(version, &a, &[])]));
    side.case("two", &of(vec![wanted(version, &a, &[0, 1]), wanted(version, &b, &[0])]));
    side.case("one-not-committed", &of(vec![wanted(version, &a, &[0, 2])]));
    side.case("partition-twice", &of(vec![wanted(version, &a, &[0, 0])]));
    side.case("partition-out-of-range", &of(vec![wanted(version, &a, &[7, -1])]));
    side.case("unknown-topic", &of(vec![wanted(version, &missing(), &[0])]));
    side.case("one-good-one-unknown", &of(vec![wanted(version, &missing(), &[0]), wanted(version, &a, &[0])]));
    side.case("group-without-name", &fetch(version, "", Some(vec![wanted(version, &a, &[0])])));
    side.case("all-of-an-absent-group", &fetch(version, &side.name("absent"), None));
    side.case("stable-alone", &OffsetFetchRequest { require_stable: true, ..of(vec![wanted(version, &a, &[0])]) });
}

fn by_groups(side: &mut Side) {
    let version = side.version;
    let topic = side.make("t", 1, &[]);
    let member = stable(side, "g", None);
    let committed = side.setup(&commit_of(&member, vec![to(8, &topic, vec![offset(0, 3)])]), 8);
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    side.case("of-members", &fetch(version, &member.group, Some(vec![wanted(version, &topic, &[0])])));
    if version < MANY_GROUPS {
        return;
    }
    let group = |id: &str, member_id: Option<&str>, member_epoch| OffsetFetchRequestGroup {
        group_id: id.to_owned(),
        member_id: member_id.map(str::to_owned),
        member_epoch,
        topics: Some(vec![wanted(version, &topic, &[0])]),
    };
    let request = |groups| OffsetFetchRequest { groups, ..OffsetFetchRequest::default() };
    side.case("none", &request(Vec::new()));
    let two = vec![group(&member.group, None, -1), group(&side.name("absent"), None, -1)];
    side.case("two", &request(two));
    side.case("twice", &request(vec![group(&member.group, None, -1), group(&member.group, None, -1)]));
    side.case("member-of-a-classic-group", &request(vec![group(&member.group, Some(&member.id), 1)]));
    side.case("unknown-member", &request(vec![group(&member.group, Some("nobody"), 1)]));
    side.case("member-of-an-absent-group", &request(vec![group(&side.name("absent"), Some("nobody"), 1)]));
}

pub(super) fn delete(group: &str, topics: &[(&str, &[i32])]) -> OffsetDeleteRequest {
    let partition = |index: &i32| OffsetDeleteRequestPartition { partition_index: *index };
    let topic = |(name, partitions): &(&str, &[i32])| OffsetDeleteRequestTopic {
        name: (*name).to_owned(),
        partitions: partitions.iter().map(partition).collect(),
    };
    OffsetDeleteRequest { group_id: group.to_owned(), topics: topics.iter().map(topic).collect() }
}

fn deleted(side: &mut Side) {
    let topic = side.make("t", 3, &[]);
    let group = side.name("g");
    coordinated(side, &group);
    side.case("absent-group", &delete(&group, &[(&topic.name, &[0])]));
    side.case("group-without-name", &delete("", &[(&topic.name, &[0])]));
    side.setup(&commit(&group, vec![to(8, &topic, vec![offset(0, 1), offset(1, 1)])]), 8);
    side.case("nothing", &delete(&group, &[]));
    side.case("no-partition", &delete(&group, &[(&topic.name, &[])]));
    side.case("unknown-topic", &delete(&group, &[(UNKNOWN, &[0])]));
    side.case("not-committed", &delete(&group, &[(&topic.name, &[2, 7, -1])]));
    side.case("one", &delete(&group, &[(&topic.name, &[0])]));
    side.case("again", &delete(&group, &[(&topic.name, &[0])]));
    side.case("one-good-one-unknown", &delete(&group, &[(&topic.name, &[1]), (UNKNOWN, &[0])]));
    side.case("of-a-group-without-any", &delete(&group, &[(&topic.name, &[0])]));
}

fn deleted_of_members(side: &mut Side) {
    let topic = side.make("t", 1, &[]);
    let group = side.name("g");
    coordinated(side, &group);
    let protocols = vec![highwater_protocol::message::join_group_request::JoinGroupRequestProtocol {
        name: "range".to_owned(),
        metadata: subscription(&topic.name),
    }];
    let other = side.make("other", 1, &[]);
    let mut joined = |kind: &str, group: &str| {
        let request = highwater_protocol::message::JoinGroupRequest {
            protocol_type: kind.to_owned(),
            protocols: protocols.clone(),
            ..super::join(group, "")
        };
        let answer = side.setup(&request, super::JOIN);
        let member = Member::of(side, group, None, answer);
        assert_eq!(side.setup(&sync(&member, &[(&member.id, b"all")]), super::SYNC).error_code, 0);
        side.setup(&commit_of(&member, vec![to(8, &topic, vec![offset(0, 1)]), to(8, &other, vec![offset(0, 1)])]), 8);
        member
    };
    joined("consumer", &group);
    let connect = format!("{group}-connect");
    joined("connect", &connect);
    side.case("subscribed-and-not", &delete(&group, &[(&topic.name, &[0]), (&other.name, &[0])]));
    side.case("of-another-type", &delete(&connect, &[(&topic.name, &[0])]));
}
