//! A group of consumers over the wire, and what a SIGKILL of its coordinator leaves of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::offset_fetch_request::OffsetFetchRequestTopic;
use highwater_protocol::message::sync_group_request::SyncGroupRequestAssignment;
use highwater_protocol::message::*;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;

const GROUP: &str = "orders-service";
const SETTINGS: &[(&str, &str)] = &[("group.initial.rebalance.delay.ms", "300"), ("offsets.topic.num.partitions", "8")];
/// How long a group may be without its coordinator.
const USABLE_WITHIN: Duration = Duration::from_secs(2);
const MEMBERS: usize = 3;

struct Member {
    wire: Wire,
    id: String,
    generation: i32,
}

impl Member {
    fn commit(&mut self, partition: i32, offset: i64) -> ErrorCode {
        let partitions = vec![OffsetCommitRequestPartition {
            partition_index: partition,
            committed_offset: offset,
            committed_metadata: Some(format!("by {}", self.id)),
            ..Default::default()
        }];
        let request = OffsetCommitRequest {
            group_id: GROUP.to_owned(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.id.clone(),
            topics: vec![OffsetCommitRequestTopic { name: "t".to_owned(), partitions, ..Default::default() }],
            ..OffsetCommitRequest::default()
        };
        let answer = self.wire.call(&request, 8).expect("answers");
        ErrorCode::from_number(answer.topics[0].partitions[0].error_code)
    }

    fn heartbeat(&mut self) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: GROUP.to_owned(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..HeartbeatRequest::default()
        };
        ErrorCode::from_number(self.wire.call(&request, 4).expect("answers").error_code)
    }
}

fn join(member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: GROUP.to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        member_id: member_id.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".to_owned(), metadata: Bytes::from_static(b"s") }],
        ..JoinGroupRequest::default()
    }
}

/// All join at once; the leader gives each its number.
fn joined(process: &Process) -> Vec<Member> {
    let mut wires: Vec<Wire> = (0..MEMBERS).map(|_| Wire::connect(process.kafka()).expect("connects")).collect();
    let find = FindCoordinatorRequest { key: GROUP.to_owned(), ..FindCoordinatorRequest::default() };
    assert_eq!(wires[0].call(&find, 3).expect("answers").error_code, 0);
    for wire in &mut wires {
        wire.send(&join(""), 3).expect("sends");
    }
    let mut members = Vec::new();
    let mut assignments = Vec::new();
    for mut wire in wires {
        let (_, answer) = wire.receive::<JoinGroupRequest>(3).expect("answers");
        assert_eq!((answer.error_code, answer.generation_id), (0, 1));
        let numbered = (0_u8..).zip(&answer.members).map(|(number, member)| SyncGroupRequestAssignment {
            member_id: member.member_id.clone(),
            assignment: Bytes::from(vec![number]),
        });
        assignments.extend(numbered);
        let is_leader = answer.leader == answer.member_id;
        let member = Member { wire, id: answer.member_id, generation: answer.generation_id };
        // The leader comes first, so that the others' syncs are answered at once.
        if is_leader { members.insert(0, member) } else { members.push(member) }
    }
    assert_eq!(assignments.len(), MEMBERS, "the leader knows all members");
    let mut given = Vec::new();
    for member in &mut members {
        let sync = SyncGroupRequest {
            group_id: GROUP.to_owned(),
            generation_id: member.generation,
            member_id: member.id.clone(),
            assignments: std::mem::take(&mut assignments),
            ..SyncGroupRequest::default()
        };
        let answer = member.wire.call(&sync, 3).expect("answers");
        assert_eq!(answer.error_code, 0);
        given.extend_from_slice(&answer.assignment);
    }
    given.sort_unstable();
    assert_eq!(given, [0, 1, 2], "each has its own");
    members
}

fn committed(wire: &mut Wire) -> Vec<i64> {
    let topics = vec![OffsetFetchRequestTopic { name: "t".to_owned(), partition_indexes: vec![0, 1, 2] }];
    let request = OffsetFetchRequest { group_id: GROUP.to_owned(), topics: Some(topics), ..Default::default() };
    let answer = wire.call(&request, 7).expect("answers");
    assert_eq!(answer.error_code, 0);
    answer.topics[0].partitions.iter().map(|partition| partition.committed_offset).collect()
}

#[test]
fn a_group_outlives_its_coordinators_sigkill() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut process = Process::start(&Start { dir: dir.path(), settings: SETTINGS, kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, "t", 3, &[]).expect("answers").expect("creates");
    let mut members = joined(&process);
    for round in 1..=50 {
        for (partition, member) in (0..).zip(&mut members) {
            assert_eq!(member.commit(partition, round), ErrorCode::None);
            assert_eq!(member.heartbeat(), ErrorCode::None);
        }
    }
    process.kill();

    let begun = Instant::now();
    let process = Process::start(&Start { dir: dir.path(), settings: SETTINGS, kafka: any_port() });
    for member in &mut members {
        member.wire = Wire::connect(process.kafka()).expect("connects");
    }
    while members[0].heartbeat() == ErrorCode::CoordinatorLoadInProgress {
        assert!(begun.elapsed() < USABLE_WITHIN, "the coordinator loads");
    }
    let usable_after = begun.elapsed();
    println!("the group is usable {} ms after the start", usable_after.as_millis());
    assert!(usable_after < USABLE_WITHIN, "usable after {usable_after:?}");
    assert_eq!(committed(&mut members[0].wire), [50, 50, 50], "no commit is lost");
    for (partition, member) in (0..).zip(&mut members) {
        assert_eq!(member.heartbeat(), ErrorCode::None, "nobody has to rebalance");
        assert_eq!(member.commit(partition, 51), ErrorCode::None);
    }
    assert_eq!(committed(&mut members[0].wire), [51, 51, 51]);
    let stranger = &mut Wire::connect(process.kafka()).expect("connects");
    let describe = DescribeGroupsRequest { groups: vec![GROUP.to_owned()], ..DescribeGroupsRequest::default() };
    let described = stranger.call(&describe, 5).expect("answers").groups.remove(0);
    assert_eq!((described.group_state.as_str(), described.members.len()), ("Stable", MEMBERS));
    assert!(described.members.iter().all(|member| member.client_id == "test" && member.client_host == "/127.0.0.1"));
}

/// What tools read of `__consumer_offsets` are Kafka's own records: key and value versions in front, the topic's name inside.
#[test]
fn the_topic_of_offsets_holds_kafkas_records() {
    use highwater_protocol::coordinator_record::{OffsetCommitKey, OffsetCommitValue, read_key, read_value};
    let dir = tempfile::tempdir().expect("a directory");
    let settings = &[("offsets.topic.num.partitions", "1")];
    let process = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, "t", 3, &[]).expect("answers").expect("creates");
    let find = FindCoordinatorRequest { key: GROUP.to_owned(), ..FindCoordinatorRequest::default() };
    assert_eq!(wire.call(&find, 3).expect("answers").error_code, 0);
    let mut member = Member { wire, id: String::new(), generation: -1 };
    assert_eq!(member.commit(2, 7), ErrorCode::None);
    let records = calls::read_all(&mut member.wire, "__consumer_offsets", 0, 0).expect("reads");
    let key = read_key::<OffsetCommitKey>(records[0].key.as_ref().expect("a key")).expect("decodes");
    assert_eq!(key, OffsetCommitKey { group: GROUP.to_owned(), topic: "t".to_owned(), partition: 2 });
    let value = read_value::<OffsetCommitValue>(records[0].value.as_ref().expect("a value")).expect("decodes");
    assert_eq!((value.offset, value.metadata.as_str(), value.expire_timestamp), (7, "by ", -1));
    let topic = calls::metadata(&mut member.wire, Some(&["t"])).expect("answers").remove(0);
    assert_eq!(value.topic_id, topic.topic_id);
}

/// A new member's id is made of a name that may be as long as the protocol's strings, and goes into a record whose strings may
/// be no longer.
#[test]
fn a_member_with_the_longest_name_takes_nobody_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = &[("group.initial.rebalance.delay.ms", "0"), ("offsets.topic.num.partitions", "1")];
    let process = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    let find = FindCoordinatorRequest { key: GROUP.to_owned(), ..FindCoordinatorRequest::default() };
    assert_eq!(wire.call(&find, 3).expect("answers").error_code, 0);
    // 32,767 bytes, and no character begins at the place where a prefix would be cut by bytes.
    let instance = format!("x{}", "é".repeat(16_383));
    let request = JoinGroupRequest { group_instance_id: Some(instance.clone()), ..join("") };
    let joined = wire.call(&request, 5).expect("answers");
    assert_eq!((joined.error_code, joined.leader.as_str()), (0, joined.member_id.as_str()));
    let assignment =
        SyncGroupRequestAssignment { member_id: joined.member_id.clone(), assignment: Bytes::from_static(b"all") };
    let sync = SyncGroupRequest {
        group_id: GROUP.to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id,
        group_instance_id: Some(instance),
        assignments: vec![assignment],
        ..SyncGroupRequest::default()
    };
    let synced = wire.call(&sync, 3).expect("answers");
    assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"all"[..]));
}
