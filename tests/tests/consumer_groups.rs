//! A group of the consumer protocol (KIP-848) over the wire: members come and go, topics grow, the coordinator is killed, and no
//! partition ever has two owners.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::consumer_group_describe_response::DescribedGroup;
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions;
use highwater_protocol::message::create_partitions_request::CreatePartitionsTopic;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use highwater_protocol::message::sync_group_request::SyncGroupRequestAssignment;
use highwater_protocol::message::*;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use uuid::Uuid;

const GROUP: &str = "orders-service";
const TOPIC: &str = "t";
/// Targets and first generations follow at once, so that nothing has to be waited for.
const SETTINGS: &[(&str, &str)] = &[
    ("group.consumer.assignment.interval.ms", "0"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("offsets.topic.num.partitions", "8"),
];
/// How long a group may take until everybody has what it shall have.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);
/// How long a group may be without its coordinator.
const USABLE_WITHIN: Duration = Duration::from_secs(2);
const VERSION: i16 = 1;

/// A client of the protocol, reduced to what it has: it gives up at once what it is told to.
struct Member {
    wire: Wire,
    id: String,
    epoch: i32,
    owned: BTreeMap<Uuid, BTreeSet<i32>>,
    /// What it owns is not told yet.
    owes_word: bool,
}

impl Member {
    fn join(address: SocketAddr, id: &str) -> Self {
        let wire = Wire::connect(address).expect("connects");
        let mut member = Self { wire, id: id.to_owned(), epoch: 0, owned: BTreeMap::new(), owes_word: true };
        assert_eq!(member.beat(), ErrorCode::None, "{id} joins");
        member
    }

    fn request(&self) -> ConsumerGroupHeartbeatRequest {
        let owned = self.owned.iter().map(|(topic_id, partitions)| TopicPartitions {
            topic_id: *topic_id,
            partitions: partitions.iter().copied().collect(),
        });
        let is_joining = self.epoch == 0;
        ConsumerGroupHeartbeatRequest {
            group_id: GROUP.to_owned(),
            member_id: self.id.clone(),
            member_epoch: self.epoch,
            rebalance_timeout_ms: if is_joining { 30_000 } else { -1 },
            subscribed_topic_names: is_joining.then(|| vec![TOPIC.to_owned()]),
            topic_partitions: (is_joining || self.owes_word).then(|| owned.collect()),
            ..ConsumerGroupHeartbeatRequest::default()
        }
    }

    fn beat(&mut self) -> ErrorCode {
        let answer = self.wire.call(&self.request(), VERSION).expect("answers");
        let code = ErrorCode::from_number(answer.error_code);
        if code != ErrorCode::None {
            return code;
        }
        assert!(answer.member_epoch >= self.epoch, "epochs never fall");
        (self.epoch, self.owes_word) = (answer.member_epoch, false);
        if let Some(assignment) = answer.assignment {
            let assigned = assignment.topic_partitions.into_iter();
            let assigned: BTreeMap<Uuid, BTreeSet<i32>> =
                assigned.map(|topic| (topic.topic_id, topic.partitions.into_iter().collect())).collect();
            self.owes_word = assigned != self.owned;
            self.owned = assigned;
        }
        code
    }

    fn leave(mut self) {
        self.epoch = -1;
        let answer = self.wire.call(&self.request(), VERSION).expect("answers");
        assert_eq!((answer.error_code, answer.member_epoch), (0, -1));
    }

    fn commit(&mut self, epoch: i32, partition: i32, offset: i64) -> ErrorCode {
        let partitions = vec![OffsetCommitRequestPartition {
            partition_index: partition,
            committed_offset: offset,
            ..Default::default()
        }];
        let request = OffsetCommitRequest {
            group_id: GROUP.to_owned(),
            generation_id_or_member_epoch: epoch,
            member_id: self.id.clone(),
            topics: vec![OffsetCommitRequestTopic { name: TOPIC.to_owned(), partitions, ..Default::default() }],
            ..OffsetCommitRequest::default()
        };
        let answer = self.wire.call(&request, 9).expect("answers");
        ErrorCode::from_number(answer.topics[0].partitions[0].error_code)
    }

    fn count(&self) -> usize {
        self.owned.values().map(BTreeSet::len).sum()
    }
}

/// Everybody heartbeats until the group is stable and everybody knows so. Nobody ever has what another has.
fn settle(members: &mut [Member]) -> DescribedGroup {
    let begun = Instant::now();
    loop {
        for at in 0..members.len() {
            assert_eq!(members[at].beat(), ErrorCode::None, "{} lives", members[at].id);
            check_owners(members);
        }
        let group = described(&mut members[0].wire);
        let is_settled = group.group_state == "Stable" && members.iter().all(|member| !member.owes_word);
        if is_settled && members.iter().all(|member| member.epoch == group.group_epoch) {
            return group;
        }
        assert!(begun.elapsed() < SETTLED_WITHIN, "the group does not settle: {group:?}");
    }
}

fn check_owners(members: &[Member]) {
    let mut owners: BTreeMap<(Uuid, i32), &str> = BTreeMap::new();
    for member in members {
        for (topic, partitions) in &member.owned {
            for partition in partitions {
                let other = owners.insert((*topic, *partition), &member.id);
                assert_eq!(other, None, "partition {partition} is also {}'s", member.id);
            }
        }
    }
}

fn described(wire: &mut Wire) -> DescribedGroup {
    let request =
        ConsumerGroupDescribeRequest { group_ids: vec![GROUP.to_owned()], ..ConsumerGroupDescribeRequest::default() };
    wire.call(&request, 1).expect("answers").groups.remove(0)
}

fn counts(members: &[Member]) -> Vec<usize> {
    members.iter().map(Member::count).collect()
}

fn committed(member: &mut Member, epoch: i32, partitions: std::ops::Range<i32>) -> Result<Vec<i64>, ErrorCode> {
    let topics = vec![OffsetFetchRequestTopics {
        name: TOPIC.to_owned(),
        partition_indexes: partitions.collect(),
        ..Default::default()
    }];
    let group = OffsetFetchRequestGroup {
        group_id: GROUP.to_owned(),
        member_id: Some(member.id.clone()),
        member_epoch: epoch,
        topics: Some(topics),
    };
    let request = OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
    let mut found = member.wire.call(&request, 9).expect("answers").groups.remove(0);
    match ErrorCode::from_number(found.error_code) {
        ErrorCode::None => Ok(found.topics.remove(0).partitions.iter().map(|found| found.committed_offset).collect()),
        code => Err(code),
    }
}

fn grow(wire: &mut Wire, count: i32) {
    let topics = vec![CreatePartitionsTopic { name: TOPIC.to_owned(), count, assignments: None }];
    let request = CreatePartitionsRequest { topics, timeout_ms: 10_000, ..CreatePartitionsRequest::default() };
    assert_eq!(wire.call(&request, 3).expect("answers").results[0].error_code, 0);
}

fn start(dir: &std::path::Path) -> Process {
    Process::start(&Start { dir, settings: SETTINGS, kafka: any_port() })
}

/// A node with the topic, and a coordinator for the group.
fn ready(dir: &std::path::Path, partitions: i32) -> (Process, Wire) {
    let process = start(dir);
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, TOPIC, partitions, &[]).expect("answers").expect("creates");
    let find = FindCoordinatorRequest { key: GROUP.to_owned(), ..FindCoordinatorRequest::default() };
    assert_eq!(wire.call(&find, 3).expect("answers").error_code, 0);
    (process, wire)
}

#[test]
fn members_come_and_go_and_partitions_follow() {
    let dir = tempfile::tempdir().expect("a directory");
    let (process, mut wire) = ready(dir.path(), 6);
    let mut members = vec![Member::join(process.kafka(), "a")];
    settle(&mut members);
    assert_eq!(counts(&members), [6]);
    members.push(Member::join(process.kafka(), "b"));
    settle(&mut members);
    assert_eq!(counts(&members), [3, 3]);
    members.push(Member::join(process.kafka(), "c"));
    settle(&mut members);
    assert_eq!(counts(&members), [2, 2, 2]);

    grow(&mut wire, 9);
    let group = settle(&mut members);
    assert_eq!(counts(&members), [3, 3, 3], "the new partitions are given out without anybody asking for them");
    assert_eq!((group.assignor_name.as_str(), group.members.len()), ("uniform", 3));
    assert!(group.members.iter().all(|member| member.client_id == "test" && member.client_host == "/127.0.0.1"));
    assert!(group.members.iter().all(|member| member.assignment == member.target_assignment));

    members.remove(1).leave();
    let group = settle(&mut members);
    let mut left = counts(&members);
    left.sort_unstable();
    assert_eq!(left, [4, 5]);
    let describe = DescribeGroupsRequest { groups: vec![GROUP.to_owned()], ..DescribeGroupsRequest::default() };
    let classic = wire.call(&describe, 6).expect("answers").groups.remove(0);
    assert_eq!(ErrorCode::from_number(classic.error_code), ErrorCode::GroupIdNotFound);
    let list = ListGroupsRequest { types_filter: vec!["consumer".to_owned()], ..ListGroupsRequest::default() };
    let listed = wire.call(&list, 5).expect("answers").groups;
    assert_eq!(listed.iter().map(|group| group.group_id.as_str()).collect::<Vec<_>>(), [GROUP]);
    assert_eq!((listed[0].group_state.as_str(), listed[0].group_type.as_str()), ("Stable", "consumer"));

    let stale = ErrorCode::StaleMemberEpoch;
    let epoch = group.group_epoch;
    let member = &mut members[0];
    let own = *member.owned.values().next().and_then(BTreeSet::first).expect("it has some");
    assert_eq!(member.commit(epoch, own, 7), ErrorCode::None);
    assert_eq!(member.commit(epoch + 1, own, 8), stale, "from the future");
    assert_eq!(member.commit(1, own, 8), stale, "before it had it");
    assert_eq!(committed(member, epoch, own..own + 1), Ok(vec![7]));
    assert_eq!(committed(member, epoch + 1, own..own + 1), Err(stale));
}

#[test]
fn a_consumer_group_outlives_its_coordinators_sigkill() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut process, _) = ready(dir.path(), 9);
    let mut members: Vec<Member> = ["a", "b", "c"].map(|id| Member::join(process.kafka(), id)).into();
    let before = settle(&mut members);
    assert_eq!(counts(&members), [3, 3, 3]);
    for round in 1..=20 {
        for member in &mut members {
            for partition in member.owned.values().flatten().copied().collect::<Vec<_>>() {
                assert_eq!(member.commit(member.epoch, partition, round), ErrorCode::None);
            }
        }
    }
    // Killed with a member that was just told to give up two partitions, and one that waits for them.
    members.push(Member::join(process.kafka(), "d"));
    assert_eq!(members[0].beat(), ErrorCode::None);
    process.kill();

    let begun = Instant::now();
    let process = start(dir.path());
    for member in &mut members {
        member.wire = Wire::connect(process.kafka()).expect("connects");
    }
    while members[0].beat() == ErrorCode::CoordinatorLoadInProgress {
        assert!(begun.elapsed() < USABLE_WITHIN, "the coordinator loads");
    }
    println!("the group is usable {} ms after the start", begun.elapsed().as_millis());
    check_owners(&members);
    let after = settle(&mut members);
    let mut shares = counts(&members);
    shares.sort_unstable();
    assert_eq!(shares, [2, 2, 2, 3]);
    assert!(after.group_epoch > before.group_epoch, "epochs never fall");
    let epoch = members[0].epoch;
    assert_eq!(committed(&mut members[0], epoch, 0..9), Ok(vec![20; 9]), "no commit is lost");
}

/// A consumer of the classic protocol, reduced likewise. Where it leads, it has all partitions itself.
struct ClassicMember {
    wire: Wire,
    id: String,
    generation: i32,
    owned: BTreeSet<i32>,
}

impl ClassicMember {
    fn new(address: SocketAddr) -> Self {
        let wire = Wire::connect(address).expect("connects");
        Self { wire, id: String::new(), generation: -1, owned: BTreeSet::new() }
    }

    /// Joins, and syncs until it has what it is given.
    fn join(&mut self, partitions: i32) {
        let begun = Instant::now();
        loop {
            let mut request = JoinGroupRequest {
                group_id: GROUP.to_owned(),
                session_timeout_ms: 30_000,
                rebalance_timeout_ms: 30_000,
                member_id: self.id.clone(),
                protocol_type: "consumer".to_owned(),
                ..JoinGroupRequest::default()
            };
            let metadata = embedded(&[0, 1], &subscribed(), Some(&self.owned));
            request.protocols = vec![JoinGroupRequestProtocol { name: "cooperative-sticky".to_owned(), metadata }];
            let joined = self.wire.call(&request, 9).expect("answers");
            self.id.clone_from(&joined.member_id);
            self.generation = joined.generation_id;
            if ErrorCode::from_number(joined.error_code) != ErrorCode::None {
                assert_eq!(ErrorCode::from_number(joined.error_code), ErrorCode::MemberIdRequired);
                continue;
            }
            let is_leader = !joined.leader.is_empty() && joined.leader == joined.member_id;
            let all = embedded(&[0, 1], &[], Some(&(0..partitions).collect()));
            let assignment = SyncGroupRequestAssignment { member_id: self.id.clone(), assignment: assignment_of(&all) };
            let request = SyncGroupRequest {
                group_id: GROUP.to_owned(),
                generation_id: self.generation,
                member_id: self.id.clone(),
                protocol_type: joined.protocol_type,
                protocol_name: joined.protocol_name,
                assignments: if is_leader { vec![assignment] } else { Vec::new() },
                ..SyncGroupRequest::default()
            };
            let synced = self.wire.call(&request, 5).expect("answers");
            if synced.error_code == 0 {
                self.owned = partitions_of(&synced.assignment);
                return;
            }
            assert_eq!(ErrorCode::from_number(synced.error_code), ErrorCode::RebalanceInProgress);
            assert!(begun.elapsed() < SETTLED_WITHIN, "it never gets an assignment");
        }
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

    /// Heartbeats, and joins again as often as it is told to.
    fn live(&mut self, partitions: i32) {
        match self.heartbeat() {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress => self.join(partitions),
            other => panic!("{} is refused: {other:?}", self.id),
        }
    }
}

/// The bytes that a classic consumer joins with.
fn embedded(version: &[u8; 2], topics: &[u8], owned: Option<&BTreeSet<i32>>) -> Bytes {
    let mut bytes = version.to_vec();
    bytes.extend(topics);
    if let Some(owned) = owned {
        bytes.extend(if owned.is_empty() { 0_u32 } else { 1 }.to_be_bytes());
        if !owned.is_empty() {
            bytes.extend([&[0, 1], TOPIC.as_bytes()].concat());
            bytes.extend(u32::try_from(owned.len()).expect("few").to_be_bytes());
            owned.iter().for_each(|partition| bytes.extend(partition.to_be_bytes()));
        }
    }
    bytes.into()
}

/// One topic, and no data of its own.
fn subscribed() -> Vec<u8> {
    [&[0, 0, 0, 1, 0, 1], TOPIC.as_bytes(), &[0xff; 4]].concat()
}

/// An assignment ends with the data that the assignor adds: none.
fn assignment_of(partitions: &[u8]) -> Bytes {
    [partitions, &[0xff; 4]].concat().into()
}

/// The partitions of the one topic in an assignment.
fn partitions_of(assignment: &[u8]) -> BTreeSet<i32> {
    let number = |at: usize| i32::from_be_bytes(assignment[at..at + 4].try_into().expect("four bytes"));
    if number(2) == 0 {
        return BTreeSet::new();
    }
    let first = 2 + 4 + 2 + TOPIC.len() + 4;
    (0..usize::try_from(number(first - 4)).expect("a count")).map(|place| number(first + 4 * place)).collect()
}

#[test]
fn a_group_goes_from_one_protocol_to_the_other_and_back_while_it_works() {
    const PARTITIONS: i32 = 6;
    let dir = tempfile::tempdir().expect("a directory");
    let (mut process, mut wire) = ready(dir.path(), PARTITIONS);
    let mut old = ClassicMember::new(process.kafka());
    old.join(PARTITIONS);
    assert_eq!((old.owned.len(), old.generation), (6, 1));

    let mut new = Member::join(process.kafka(), "new");
    let begun = Instant::now();
    while new.count() < 3 || old.owned.len() > 3 {
        old.live(PARTITIONS);
        assert_eq!(new.beat(), ErrorCode::None);
        assert!(new.owned.values().flatten().all(|partition| !old.owned.contains(partition)), "nobody shares");
        assert!(begun.elapsed() < SETTLED_WITHIN, "the partitions do not move: {:?} {:?}", old.owned, new.owned);
    }
    let group = described(&mut wire);
    let kinds: BTreeMap<&str, i8> =
        group.members.iter().map(|member| (member.member_id.as_str(), member.member_type)).collect();
    assert_eq!(kinds, BTreeMap::from([(old.id.as_str(), 0), ("new", 1)]));

    // The records tell of both, so that another coordinator goes on with both.
    process.kill();
    let process = start(dir.path());
    old.wire = Wire::connect(process.kafka()).expect("connects");
    new.wire = Wire::connect(process.kafka()).expect("connects");
    wire = Wire::connect(process.kafka()).expect("connects");
    let begun = Instant::now();
    while old.heartbeat() == ErrorCode::CoordinatorLoadInProgress {
        assert!(begun.elapsed() < USABLE_WITHIN, "the coordinator loads");
    }
    assert_eq!((old.heartbeat(), new.beat()), (ErrorCode::None, ErrorCode::None));

    new.leave();
    let describe = DescribeGroupsRequest { groups: vec![GROUP.to_owned()], ..DescribeGroupsRequest::default() };
    let classic = wire.call(&describe, 6).expect("answers").groups.remove(0);
    assert_eq!((classic.error_code, classic.group_state.as_str()), (0, "PreparingRebalance"));
    assert_eq!(classic.members.len(), 1);
    old.live(PARTITIONS);
    assert_eq!((old.owned.len(), old.heartbeat()), (6, ErrorCode::None));
    let classic = wire.call(&describe, 6).expect("answers").groups.remove(0);
    assert_eq!((classic.group_state.as_str(), classic.protocol_data.as_str()), ("Stable", "cooperative-sticky"));
}
