//! Consumer groups against any schedule: members of both protocols come, heartbeat, are slow to give up, lose answers, leave and
//! fall silent; topics grow, come and go; coordinators change. No partition is ever two members', and once the disturbances end
//! everybody gets what he shall have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use highwater_core::cluster::Cluster;
use highwater_core::config::Settings;
use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::registration::Registration;
use highwater_core::controller::{self, ControllerMachine};
use highwater_core::group::{ConsumerHeartbeat, GroupMachine, Join, Reply, Request};
use highwater_core::machine::{Append, Entry, Leading, Machine, Outcome, Token};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{EntryId, LeaderEpoch, Monotonic, Timestamp};
use highwater_protocol::message::consumer_group_describe_response::{Assignment, DescribedGroup};
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions;
use highwater_protocol::message::consumer_group_heartbeat_response;
use highwater_protocol::message::create_partitions_request::CreatePartitionsTopic;
use highwater_protocol::message::create_topics_request::CreatableTopic;
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::leave_group_request::MemberIdentity;
use highwater_protocol::message::{
    ConsumerGroupHeartbeatRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, HeartbeatRequest,
    JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest,
};
use highwater_protocol::records::batch::validate;
use proptest::prelude::*;
use uuid::Uuid;

const GROUP: &str = "g";
const TOPICS: [&str; 3] = ["t", "u", "v"];
const MEMBERS: u8 = 5;
/// The first of those who speak the classic protocol.
const FIRST_CLASSIC: u8 = 3;
/// How long a member may be silent.
const SESSION_MS: u64 = 45_000;
const REBALANCE_MS: i32 = 20_000;
/// Rounds in which everybody heartbeats, after which everything has to be settled.
const ROUNDS: usize = 40;

type Owned = BTreeSet<(Uuid, i32)>;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A member sends what it would send next; whether it hears the answer.
    Turn {
        member: u8,
        is_heard: bool,
    },
    /// A member gives up what it was told to, so that it may take what it was given.
    Obey(u8),
    Leave(u8),
    /// A member forgets everything, and begins anew with these topics.
    Restart {
        member: u8,
        topics: u8,
        is_static: bool,
    },
    Wait(u64),
    Grow(u8),
    Drop(u8),
    Create(u8),
    /// Another coordinator, from a snapshot or from the records.
    Elect {
        replays: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let member = 0..MEMBERS;
    prop_oneof![
        12 => (member.clone(), prop::bool::weighted(0.85)).prop_map(|(member, is_heard)| Step::Turn { member, is_heard }),
        6 => member.clone().prop_map(Step::Obey),
        1 => member.clone().prop_map(Step::Leave),
        2 => (member, 1..8_u8, any::<bool>())
            .prop_map(|(member, topics, is_static)| Step::Restart { member, topics, is_static }),
        2 => prop_oneof![4 => 1..3_000_u64, 1 => 15_000..50_000_u64].prop_map(Step::Wait),
        1 => (0..3_u8).prop_map(Step::Grow),
        1 => (0..3_u8).prop_map(Step::Drop),
        1 => (0..3_u8).prop_map(Step::Create),
        1 => any::<bool>().prop_map(|replays| Step::Elect { replays }),
    ]
}

/// A client as it sees itself.
#[derive(Clone, Debug, Default)]
struct Client {
    id: String,
    instance: Option<String>,
    epoch: i32,
    topics: Vec<String>,
    /// What it works on.
    owned: Owned,
    /// What it was told to have.
    told: Owned,
    /// It missed an answer, and says everything until it hears the next.
    is_unsure: bool,
    is_classic: bool,
    /// It was told to join again, by the classic protocol.
    has_to_join: bool,
    /// When it last heard that it is a member.
    heard_at: u64,
    lives: u32,
}

struct World {
    machine: GroupMachine,
    controller: ControllerMachine,
    fixed: Settings,
    batches: Vec<BytesMut>,
    last: EntryId,
    term: i32,
    now: u64,
    ids: u128,
    clients: Vec<Client>,
}

impl World {
    fn new() -> Self {
        // The group stays a consumer group, whoever is in it.
        let fixed = [("group.consumer.assignment.interval.ms", "0"), ("group.consumer.migration.policy", "disabled")];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let client = |at: u8| Client {
            id: format!("m{at}-0"),
            topics: vec!["t".to_owned()],
            is_classic: at >= FIRST_CLASSIC,
            ..Client::default()
        };
        let mut world = Self {
            machine: GroupMachine::default(),
            controller: ControllerMachine::default(),
            fixed: fixed.into_iter().collect(),
            batches: Vec::new(),
            last: EntryId::default(),
            term: 0,
            now: 0,
            ids: 0,
            clients: (0..MEMBERS).map(client).collect(),
        };
        let broker = Registration { node_id: 1, cluster_id: Uuid::from_u128(7), ..Registration::default() };
        world.control(controller::Request::RegisterBroker(broker));
        world.create(0);
        world.create(1);
        world.elect(false);
        world
    }

    fn control(&mut self, request: controller::Request) {
        let (config, cluster) = (TopicConfig::default(), Cluster::default());
        let at = leading(0, 0, EntryId::default(), &config, &cluster);
        let mut out = Outcome::default();
        self.controller.decide(&at, request, Token(0), &mut out);
        if let Some(Append::Command(bytes)) = out.append {
            self.controller.fold(EntryId::default(), Entry::Command(&bytes));
        }
    }

    fn create(&mut self, topic: u8) {
        self.ids += 1;
        let ids = vec![Uuid::from_u128(self.ids)];
        let topic = CreatableTopic {
            name: TOPICS[usize::from(topic)].to_owned(),
            num_partitions: 3,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
        self.control(controller::Request::CreateTopics { request, ids, fixed: Arc::default() });
    }

    fn ask(&mut self, act: impl FnOnce(&mut GroupMachine, &Leading<'_>, &mut Outcome<Reply>)) -> Vec<Reply> {
        let config = TopicConfig::default();
        let cluster = Cluster::new(self.controller.view(), 1, &self.fixed);
        let at = leading(self.now, self.term, self.last, &config, &cluster);
        let mut out = Outcome::default();
        act(&mut self.machine, &at, &mut out);
        if let Some(Append::Batch(bytes)) = out.append {
            let header = validate(&bytes).expect("a batch of ours is valid");
            self.last = EntryId { index: self.last.index.next(), term: LeaderEpoch(self.term) };
            self.machine.fold(self.last, Entry::Batch(&header, &bytes));
            self.batches.push(bytes);
        }
        out.replies.into_iter().map(|(_, _, reply)| reply).collect()
    }

    fn decide(&mut self, request: Request) -> Reply {
        self.ask(|machine, at, out| machine.decide(at, request, Token(1), out)).pop().expect("answered at once")
    }

    fn elect(&mut self, replays: bool) {
        let machine = if replays {
            let mut machine = GroupMachine::default();
            for bytes in &self.batches {
                let header = validate(bytes).expect("a batch of ours is valid");
                machine.fold(self.last, Entry::Batch(&header, bytes));
            }
            assert_eq!(saved(&machine), saved(&self.machine), "the records tell everything");
            machine
        } else {
            GroupMachine::load(&saved(&self.machine)).expect("loads")
        };
        self.machine = machine;
        self.term += 1;
        self.last = EntryId { index: self.last.index.next(), term: LeaderEpoch(self.term) };
        self.machine.fold(self.last, Entry::Own);
        self.ask(|machine, at, out| machine.elected(at, out));
    }

    fn tick(&mut self) {
        for _ in 0..1_000 {
            if self.machine.deadline().is_none_or(|at| at.0 > self.now) {
                return;
            }
            let before = self.last;
            self.ask(|machine, at, out| machine.expire(at, out));
            if before == self.last {
                return;
            }
        }
        panic!("time asks for more and more");
    }

    fn describe(&mut self) -> DescribedGroup {
        match self.decide(Request::DescribeConsumer(GROUP.to_owned())) {
            Reply::DescribeConsumer(group) => group,
            other => panic!("{other:?}"),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Turn { member, is_heard } => self.turn(usize::from(member), is_heard),
            Step::Obey(member) => {
                let client = &mut self.clients[usize::from(member)];
                client.owned.clone_from(&client.told);
            }
            Step::Leave(member) => self.leave(usize::from(member)),
            Step::Restart { member, topics, is_static } => {
                let client = &mut self.clients[usize::from(member)];
                let lives = client.lives + 1;
                let chosen = TOPICS.iter().enumerate().filter(|(at, _)| topics & (1 << at) != 0);
                *client = Client {
                    id: format!("m{member}-{lives}"),
                    instance: (is_static && member < FIRST_CLASSIC).then(|| format!("i{member}")),
                    is_classic: member >= FIRST_CLASSIC,
                    topics: chosen.map(|(_, name)| (*name).to_owned()).collect(),
                    lives,
                    ..Client::default()
                };
            }
            Step::Wait(ms) => {
                self.now += ms;
                self.tick();
            }
            Step::Grow(topic) => {
                let name = TOPICS[usize::from(topic)];
                let image = self.controller.view();
                let count = image.topic(name).map_or(0, |topic| topic.partitions.len());
                let count = i32::try_from(count.min(7) + 1).expect("few");
                let topics = vec![CreatePartitionsTopic { name: name.to_owned(), count, assignments: None }];
                let request = CreatePartitionsRequest { topics, ..CreatePartitionsRequest::default() };
                self.control(controller::Request::CreatePartitions(request));
                self.decide(Request::FollowCluster);
            }
            Step::Drop(topic) => {
                let name = TOPICS[usize::from(topic)].to_owned();
                let topics = vec![DeleteTopicState { name: Some(name), ..DeleteTopicState::default() }];
                let request = DeleteTopicsRequest { topics, ..DeleteTopicsRequest::default() };
                self.control(controller::Request::DeleteTopics(request));
                self.decide(Request::FollowCluster);
            }
            Step::Create(topic) => {
                self.create(topic);
                self.decide(Request::FollowCluster);
            }
            Step::Elect { replays } => self.elect(replays),
        }
        self.check();
    }

    /// A member's next request, and what the answer makes of it.
    fn turn(&mut self, member: usize, is_heard: bool) {
        self.forget_if_silent(member);
        let client = self.clients[member].clone();
        if client.is_classic {
            return self.classic_turn(member, client, is_heard);
        }
        let says_all = client.epoch == 0 || client.is_unsure;
        let request = ConsumerGroupHeartbeatRequest {
            group_id: GROUP.to_owned(),
            member_id: client.id.clone(),
            instance_id: client.instance.clone(),
            member_epoch: client.epoch,
            rebalance_timeout_ms: if says_all { REBALANCE_MS } else { -1 },
            subscribed_topic_names: says_all.then(|| client.topics.clone()),
            topic_partitions: Some(by_topic(&client.owned)),
            ..ConsumerGroupHeartbeatRequest::default()
        };
        let who = ("client".to_owned(), "/host".to_owned());
        let beat = ConsumerHeartbeat::new(request, 1, who, String::new()).expect("it makes sense");
        let Reply::ConsumerHeartbeat(answer) = self.decide(Request::ConsumerHeartbeat(beat)) else {
            panic!("a heartbeat")
        };
        let client = &mut self.clients[member];
        client.is_unsure = !is_heard;
        if !is_heard {
            // What it has not taken over yet may be another's by now.
            let owned = &client.owned;
            client.told.retain(|place| owned.contains(place));
            return;
        }
        match ErrorCode::from_number(answer.error_code) {
            ErrorCode::None => {
                (client.epoch, client.heard_at) = (answer.member_epoch, self.now);
                if let Some(assignment) = answer.assignment {
                    let of_topic = |topic: consumer_group_heartbeat_response::TopicPartitions| {
                        topic.partitions.into_iter().map(move |partition| (topic.topic_id, partition))
                    };
                    client.told = assignment.topic_partitions.into_iter().flat_map(of_topic).collect();
                }
            }
            ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId | ErrorCode::GroupIdNotFound => client.abandon(),
            // Somebody before it has the instance, until its session is over.
            ErrorCode::UnreleasedInstanceId | ErrorCode::FencedInstanceId => client.abandon(),
            other => panic!("{other:?}: {:?}", answer.error_message),
        }
    }

    /// The same by the classic protocol: a heartbeat, or a join and a sync.
    fn classic_turn(&mut self, member: usize, client: Client, is_heard: bool) {
        let group = self.describe();
        if group.members.is_empty() {
            // It would make a classic group.
            return self.clients[member].abandon();
        }
        if client.epoch > 0 && group.members.iter().all(|other| other.member_id != client.id) {
            // It is out, and would hear so by its heartbeat.
            return self.clients[member].abandon();
        }
        let (group_id, member_id) = (GROUP.to_owned(), client.id.clone());
        if client.epoch > 0 && !client.has_to_join {
            let request =
                HeartbeatRequest { group_id, member_id, generation_id: client.epoch, group_instance_id: None };
            let Reply::Heartbeat(answer) = self.decide(Request::Heartbeat(request)) else { panic!("a heartbeat") };
            return self.clients[member].hear(answer.error_code, is_heard, self.now);
        }
        let metadata = self.subscription(&client);
        let request = JoinGroupRequest {
            group_id: group_id.clone(),
            member_id: member_id.clone(),
            session_timeout_ms: i32::try_from(SESSION_MS).expect("short"),
            rebalance_timeout_ms: REBALANCE_MS,
            protocol_type: "consumer".to_owned(),
            protocols: vec![JoinGroupRequestProtocol { name: "cooperative-sticky".to_owned(), metadata }],
            ..JoinGroupRequest::default()
        };
        let (client_id, client_host) = ("client".to_owned(), "/host".to_owned());
        let join = Join { request, version: 9, client_id, client_host, new_member_id: String::new() };
        let Reply::Join(joined) = self.decide(Request::Join(join)) else { panic!("a join") };
        assert_eq!(joined.error_code, 0, "{joined:?}");
        self.clients[member].epoch = joined.generation_id;
        self.clients[member].has_to_join = true;
        let generation_id = joined.generation_id;
        let request = SyncGroupRequest { group_id, member_id, generation_id, ..SyncGroupRequest::default() };
        let Reply::Sync(synced) = self.decide(Request::Sync(request)) else { panic!("a sync") };
        let client = &mut self.clients[member];
        client.hear(synced.error_code, is_heard, self.now);
        if is_heard && synced.error_code == 0 {
            let image = self.controller.view();
            client.has_to_join = false;
            client.told = embedded(&synced.assignment)
                .into_iter()
                .map(|(name, partition)| (image.topic(&name).expect("it is there").id, partition))
                .collect();
            client.owned.clone_from(&client.told);
        }
    }

    /// What a classic client joins with: its topics, and what it has of those that there are.
    fn subscription(&self, client: &Client) -> Bytes {
        let image = self.controller.view();
        let count = |count: usize| u32::try_from(count).expect("few").to_be_bytes();
        let text = |text: &str| [&u16::try_from(text.len()).expect("short").to_be_bytes(), text.as_bytes()].concat();
        let mut bytes = vec![0, 1];
        bytes.extend(count(client.topics.len()));
        client.topics.iter().for_each(|topic| bytes.extend(text(topic)));
        bytes.extend([0xff; 4]);
        let owned = by_topic(&client.owned).into_iter();
        let owned: Vec<_> = owned.filter_map(|of| Some((image.topic_by_id(of.topic_id)?, of.partitions))).collect();
        bytes.extend(count(owned.len()));
        for (topic, partitions) in owned {
            bytes.extend(text(&topic.name));
            bytes.extend(count(partitions.len()));
            partitions.iter().for_each(|partition| bytes.extend(partition.to_be_bytes()));
        }
        bytes.into()
    }

    /// A client that heard nothing for a session has nothing any more.
    fn forget_if_silent(&mut self, member: usize) {
        let now = self.now;
        let client = &mut self.clients[member];
        if client.epoch != 0 && client.heard_at + SESSION_MS <= now {
            client.abandon();
        }
    }

    fn leave(&mut self, member: usize) {
        let client = &mut self.clients[member];
        if client.epoch == 0 {
            return;
        }
        let request = ConsumerGroupHeartbeatRequest {
            group_id: GROUP.to_owned(),
            member_id: client.id.clone(),
            instance_id: client.instance.clone(),
            member_epoch: if client.instance.is_some() { -2 } else { -1 },
            ..ConsumerGroupHeartbeatRequest::default()
        };
        let (is_classic, member_id) = (client.is_classic, client.id.clone());
        client.abandon();
        if is_classic {
            let members = vec![MemberIdentity { member_id, ..MemberIdentity::default() }];
            let group_id = GROUP.to_owned();
            self.decide(Request::Leave(LeaveGroupRequest { group_id, members, ..LeaveGroupRequest::default() }));
            return;
        }
        let who = ("client".to_owned(), "/host".to_owned());
        let beat = ConsumerHeartbeat::new(request, 1, who, String::new()).expect("it makes sense");
        self.decide(Request::ConsumerHeartbeat(beat));
    }

    /// Nobody has what another has, to the coordinator and among those whom it knows.
    fn check(&mut self) {
        let group = self.describe();
        let mut holders: BTreeMap<(Uuid, i32), &str> = BTreeMap::new();
        for member in &group.members {
            for place in placed(&member.assignment) {
                let other = holders.insert(place, &member.member_id);
                assert_eq!(other, None, "{place:?} is also {}'s", member.member_id);
            }
        }
        let image = self.controller.view();
        for client in &self.clients {
            let is_in = group.members.iter().any(|member| member.member_id == client.id && client.epoch > 0);
            // A new life in the same epoch 0, or a topic that is gone: nothing that another could get.
            let kept = client.owned.iter().filter(|(topic, _)| image.topic_by_id(*topic).is_some());
            for place in kept.filter(|_| is_in) {
                let holder = holders.get(place).copied();
                assert!(
                    holder.is_none_or(|holder| holder == client.id),
                    "{} works on {place:?} of {holder:?}",
                    client.id
                );
            }
        }
    }

    /// Without disturbances everybody soon has his share, and every partition that somebody wants is somebody's.
    fn converge(&mut self) {
        self.now += 2 * SESSION_MS;
        self.tick();
        for _ in 0..ROUNDS {
            for member in 0..self.clients.len() {
                self.take(&Step::Turn { member: u8::try_from(member).expect("few"), is_heard: true });
                self.take(&Step::Obey(u8::try_from(member).expect("few")));
            }
            self.now += 1_000;
            self.tick();
        }
        let group = self.describe();
        assert_eq!(group.group_state, "Stable", "{group:?}");
        assert_eq!(group.members.len(), self.clients.len());
        let image = self.controller.view();
        let mut given = Owned::new();
        for member in &group.members {
            assert_eq!(placed(&member.assignment), placed(&member.target_assignment));
            let client = self.clients.iter().find(|client| client.id == member.member_id).expect("a client");
            assert_eq!(client.owned, placed(&member.assignment), "{} works on what it has", client.id);
            for (topic, _) in &client.owned {
                let name = &image.topic_by_id(*topic).expect("it is there").name;
                assert!(client.topics.contains(name), "{} has nothing but what it wants", client.id);
            }
            given.extend(&client.owned);
        }
        let wanted: BTreeSet<&String> = self.clients.iter().flat_map(|client| &client.topics).collect();
        let all = wanted.into_iter().filter_map(|name| image.topic(name)).flat_map(|topic| {
            (0..i32::try_from(topic.partitions.len()).expect("few")).map(move |partition| (topic.id, partition))
        });
        assert_eq!(given, all.collect(), "nothing lies about");
    }
}

impl Client {
    /// What a classic client makes of a code.
    fn hear(&mut self, code: i16, is_heard: bool, now: u64) {
        match ErrorCode::from_number(code) {
            // It tries again, from the join on.
            _ if !is_heard => self.has_to_join = true,
            ErrorCode::None => self.heard_at = now,
            ErrorCode::RebalanceInProgress => (self.heard_at, self.has_to_join) = (now, true),
            other => panic!("{} hears {other:?}", self.id),
        }
    }

    fn abandon(&mut self) {
        (self.epoch, self.is_unsure, self.has_to_join) = (0, false, false);
        (self.owned, self.told) = (Owned::new(), Owned::new());
    }
}

fn placed(assignment: &Assignment) -> Owned {
    let topics = assignment.topic_partitions.iter();
    topics.flat_map(|topic| topic.partitions.iter().map(move |partition| (topic.topic_id, *partition))).collect()
}

/// The partitions of an assignment by the classic protocol.
fn embedded(mut bytes: &[u8]) -> Vec<(String, i32)> {
    let mut take = |count: usize| bytes.split_off(..count).expect("it is whole");
    let number = |bytes: &[u8]| i32::from_be_bytes(bytes.try_into().expect("four bytes"));
    take(2);
    let mut all = Vec::new();
    for _ in 0..number(take(4)) {
        let length = u16::from_be_bytes(take(2).try_into().expect("two bytes"));
        let name = String::from_utf8(take(usize::from(length)).to_vec()).expect("a name");
        for _ in 0..number(take(4)) {
            all.push((name.clone(), number(take(4))));
        }
    }
    all
}

fn by_topic(owned: &Owned) -> Vec<TopicPartitions> {
    let mut topics: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in owned {
        topics.entry(*topic).or_default().push(*partition);
    }
    topics.into_iter().map(|(topic_id, partitions)| TopicPartitions { topic_id, partitions }).collect()
}

fn leading<'a>(now: u64, term: i32, folded: EntryId, config: &'a TopicConfig, cluster: &'a Cluster) -> Leading<'a> {
    Leading {
        now: Monotonic(now),
        wall: Timestamp(1_000_000 + i64::try_from(now).expect("soon")),
        epoch: LeaderEpoch(term),
        folded,
        caught_up: 1,
        voters: 1,
        config,
        cluster,
    }
}

fn saved(machine: &GroupMachine) -> Vec<u8> {
    let mut bytes = Vec::new();
    machine.save(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_partition_is_two_members_and_everybody_gets_his_share(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.converge();
    }
}
