//! The group machine by transcripts. After each entry a snapshot is saved and loaded, and has to say the same.

mod transcript;

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use highwater_core::cluster::Cluster;
use highwater_core::config::Settings;
use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::image::Image;
use highwater_core::controller::registration::Registration;
use highwater_core::controller::{self, ControllerMachine};
use highwater_core::group::{ConsumerHeartbeat, GroupMachine, Join, Reply, Request};
use highwater_core::machine::{Append, Entry, Leading, Machine, Outcome, Token, Until, Wait};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{EntryId, LeaderEpoch, Monotonic, Timestamp};
use highwater_protocol::message::consumer_group_describe_response::{self, DescribedGroup as DescribedConsumerGroup};
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions as OwnedPartitions;
use highwater_protocol::message::consumer_group_heartbeat_response::TopicPartitions;
use highwater_protocol::message::create_partitions_request::CreatePartitionsTopic;
use highwater_protocol::message::create_topics_request::CreatableTopic;
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use highwater_protocol::message::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::leave_group_request::MemberIdentity;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use highwater_protocol::message::offset_fetch_request::OffsetFetchRequestGroup;
use highwater_protocol::message::sync_group_request::SyncGroupRequestAssignment;
use highwater_protocol::message::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, CreatePartitionsRequest, CreateTopicsRequest,
    DeleteTopicsRequest, HeartbeatRequest, IncrementalAlterConfigsRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest, SyncGroupRequest,
};
use highwater_protocol::records::batch::{validate, verify_crc};
use uuid::Uuid;

use transcript::{Command, Script};

/// The wall clock at the start of every transcript.
const WALL: i64 = 1_000_000;

/// A machine with what a replica would hold around it.
struct Bench {
    machine: GroupMachine,
    controller: ControllerMachine,
    fixed: Settings,
    last: EntryId,
    term: i32,
    now: u64,
    tokens: u64,
    ids: u128,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            machine: GroupMachine::default(),
            controller: ControllerMachine::default(),
            fixed: Settings::new(),
            last: EntryId::default(),
            term: 0,
            now: 0,
            tokens: 0,
            ids: 0,
        };
        let broker = Registration { node_id: 1, cluster_id: Uuid::from_u128(7), ..Registration::default() };
        bench.control(controller::Request::RegisterBroker(broker));
        bench.elect();
        bench
    }

    fn control(&mut self, request: controller::Request) {
        let (config, cluster) = (TopicConfig::default(), Cluster::default());
        let at = leading(0, self.term, EntryId::default(), &config, &cluster);
        let mut out = Outcome::default();
        self.controller.decide(&at, request, Token(0), &mut out);
        if let Some(Append::Command(bytes)) = out.append {
            self.controller.fold(EntryId::default(), Entry::Command(&bytes));
        }
    }

    fn ask(&mut self, act: impl FnOnce(&mut GroupMachine, &Leading<'_>, &mut Outcome<Reply>)) -> (String, bool) {
        let config = TopicConfig::default();
        let cluster = Cluster::new(self.controller.view(), 1, &self.fixed);
        let at = leading(self.now, self.term, self.last, &config, &cluster);
        let mut out = Outcome::default();
        act(&mut self.machine, &at, &mut out);
        self.settle(out)
    }

    fn decide(&mut self, request: Request) -> String {
        self.tokens += 1;
        let token = Token(self.tokens);
        let (printed, _) = self.ask(|machine, at, out| machine.decide(at, request, token, out));
        let is_answered = printed.contains(&format!("[{}]", token.0));
        if is_answered { printed } else { format!("{printed}[{}] waits\n", token.0) }
    }

    fn elect(&mut self) -> String {
        self.machine.deposed();
        self.term += 1;
        self.last = EntryId { index: self.last.index.next(), term: LeaderEpoch(self.term) };
        assert_eq!(self.machine.fold(self.last, Entry::Own), None);
        let (printed, _) = self.ask(|machine, at, out| machine.elected(at, out));
        format!("leads in term {}\n{printed}", self.term)
    }

    /// What time asks for, as a replica does it.
    fn tick(&mut self) -> String {
        let mut printed = String::new();
        while self.machine.deadline().is_some_and(|at| at.0 <= self.now) {
            let (more, has_appended) = self.ask(|machine, at, out| machine.expire(at, out));
            printed += &more;
            if !has_appended {
                break;
            }
        }
        printed
    }

    fn settle(&mut self, outcome: Outcome<Reply>) -> (String, bool) {
        let before = self.last.index;
        let mut printed = String::new();
        let has_appended = outcome.append.is_some();
        match outcome.append {
            None => {}
            Some(Append::Command(_)) => panic!("a coordinator appends records"),
            Some(Append::Batch(bytes)) => {
                verify_crc(&bytes).expect("a batch keeps a good CRC");
                let header = validate(&bytes).expect("a batch of ours is valid");
                assert_eq!(header.leader_epoch, self.term, "stamped with the term");
                assert_eq!(header.base_offset, self.machine.view().high_watermark.0, "stamped with the next offset");
                self.last = EntryId { index: self.last.index.next(), term: LeaderEpoch(self.term) };
                let view = self.machine.fold(self.last, Entry::Batch(&header, &bytes)).expect("a view");
                assert_eq!(view, self.machine.view());
                self.check_snapshot();
                writeln!(printed, "#{} {} records", self.last.index.0, header.count).expect("prints");
            }
        }
        for (Token(token), until, reply) in outcome.replies {
            let at = match until {
                Until::Committed(Wait::Own) => before.next(),
                Until::Committed(Wait::Folded) => before,
                other => panic!("an answer waits for {other:?}"),
            };
            writeln!(printed, "[{token}] when #{} is committed: {}", at.0, reply_text(&reply, &self.controller.view()))
                .expect("prints");
        }
        (printed, has_appended)
    }

    fn check_snapshot(&self) {
        let loaded = GroupMachine::load(&saved(&self.machine)).expect("a snapshot loads");
        assert_eq!(saved(&loaded), saved(&self.machine));
        assert_eq!(loaded.view(), self.machine.view());
    }

    fn topic_id(&self, name: &str) -> Uuid {
        self.controller.view().topic(name).map_or(Uuid::nil(), |topic| topic.id)
    }

    /// `t:0,1;u:2`, or `-` for none.
    fn partitions(&self, owned: &str) -> Vec<OwnedPartitions> {
        let of_topic = |owned: &str| {
            let (topic, partitions) = owned.split_once(':').expect("topic:partitions");
            let partitions = partitions.split(',').map(|partition| partition.parse().expect("a number"));
            OwnedPartitions { topic_id: self.topic_id(topic), partitions: partitions.collect() }
        };
        owned.split(';').filter(|owned| *owned != "-").map(of_topic).collect()
    }

    fn draw(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }
}

fn leading<'a>(now: u64, term: i32, folded: EntryId, config: &'a TopicConfig, cluster: &'a Cluster) -> Leading<'a> {
    Leading {
        now: Monotonic(now),
        wall: Timestamp(WALL + i64::try_from(now).expect("soon")),
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

/// What a classic consumer joins with: version 1 where it says what it has.
fn subscription(topics: &str, owned: Option<&str>) -> Bytes {
    let topics: Vec<&str> = topics.split(',').collect();
    let mut bytes = vec![0, u8::from(owned.is_some())];
    put_count(&mut bytes, topics.len());
    topics.iter().for_each(|topic| put_text(&mut bytes, topic));
    bytes.extend([0xff; 4]);
    if let Some(owned) = owned {
        put_partitions(&mut bytes, owned);
    }
    bytes.into()
}

/// What a classic leader gives a member: `t:0,1;u:2`, or `-` for nothing; with data of its own behind `!`.
fn embedded_assignment(given: &str) -> Bytes {
    let (given, data) = given.split_once('!').map_or((given, None), |(given, data)| (given, Some(data)));
    let mut bytes = vec![0, 1];
    put_partitions(&mut bytes, given);
    match data {
        None => bytes.extend([0xff; 4]),
        Some(data) => {
            put_count(&mut bytes, data.len());
            bytes.extend(data.as_bytes());
        }
    }
    bytes.into()
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend(u32::try_from(count).expect("few").to_be_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
    bytes.extend(text.as_bytes());
}

fn put_partitions(bytes: &mut Vec<u8>, owned: &str) {
    let topics: Vec<&str> = owned.split(';').filter(|owned| *owned != "-").collect();
    put_count(bytes, topics.len());
    for owned in topics {
        let (topic, partitions) = owned.split_once(':').expect("topic:partitions");
        put_text(bytes, topic);
        let partitions: Vec<i32> = partitions.split(',').map(|one| one.parse().expect("a number")).collect();
        put_count(bytes, partitions.len());
        partitions.iter().for_each(|partition| bytes.extend(partition.to_be_bytes()));
    }
}

/// An assignment as a classic consumer reads it, or what else the bytes are.
fn assignment_text(bytes: &[u8]) -> String {
    embedded_text(bytes).unwrap_or_else(|| format!("'{}'", String::from_utf8_lossy(bytes)))
}

fn embedded_text(mut bytes: &[u8]) -> Option<String> {
    let version = bytes.split_off(..2)?;
    if version[0] != 0 || version[1] > 3 {
        return None;
    }
    let count = |bytes: &mut &[u8]| Some(u32::from_be_bytes(*bytes.split_off(..4)?.first_chunk()?));
    let mut all = Vec::new();
    for _ in 0..count(&mut bytes)? {
        let length = u16::from_be_bytes(*bytes.split_off(..2)?.first_chunk()?);
        let topic = std::str::from_utf8(bytes.split_off(..usize::from(length))?).ok()?;
        for _ in 0..count(&mut bytes)? {
            all.push(format!("{topic}-{}", i32::from_be_bytes(*bytes.split_off(..4)?.first_chunk()?)));
        }
    }
    Some(or_nothing(&all.join(" ")).to_owned())
}

fn list(text: Option<&str>) -> Vec<String> {
    text.into_iter().flat_map(|text| text.split(',')).map(str::to_owned).collect()
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

impl Script for Bench {
    /// The first word of a request is its group.
    fn run(&mut self, command: &Command<'_>) -> String {
        let number = |key, default| command.number(key).unwrap_or(default);
        let int = |key, default| i32::try_from(number(key, default)).expect("an int");
        let group = command.words.first().copied().unwrap_or_default().to_owned();
        let (member_id, group_instance_id) =
            (text(command.value("member")), command.value("instance").map(str::to_owned));
        match command.name {
            "join" => {
                let protocol = |name: String| JoinGroupRequestProtocol {
                    name,
                    metadata: match command.value("metadata") {
                        None if command.has("large") => Bytes::from(vec![0; 1 << 20]),
                        None => subscription(command.value("topics").unwrap_or("t"), command.value("owned")),
                        Some(other) => Bytes::copy_from_slice(other.as_bytes()),
                    },
                };
                let mut protocols = list(Some(command.value("protocols").unwrap_or("range")));
                protocols.extend((1..number("many", 1)).map(|index| format!("protocol-{index}")));
                let request = JoinGroupRequest {
                    group_id: group,
                    session_timeout_ms: int("session", 10_000),
                    rebalance_timeout_ms: int("rebalance", 20_000),
                    member_id,
                    group_instance_id,
                    protocol_type: command.value("type").unwrap_or("consumer").to_owned(),
                    protocols: protocols.into_iter().filter(|name| !name.is_empty()).map(protocol).collect(),
                    reason: None,
                };
                self.decide(Request::Join(Join {
                    request,
                    version: i16::try_from(number("v", 3)).expect("a version"),
                    client_id: "client".to_owned(),
                    client_host: "/host".to_owned(),
                    new_member_id: text(command.value("as")),
                }))
            }
            "sync" => {
                let assignment = |pair: String| {
                    let (member, bytes) = pair.split_once(':').expect("member:bytes");
                    SyncGroupRequestAssignment {
                        member_id: member.to_owned(),
                        assignment: Bytes::copy_from_slice(bytes.as_bytes()),
                    }
                };
                let given = |pair: &str| {
                    let (member, given) = pair.split_once('/').expect("member/partitions");
                    SyncGroupRequestAssignment { member_id: member.to_owned(), assignment: embedded_assignment(given) }
                };
                let given = command.value("give").into_iter().flat_map(|all| all.split('|')).map(given);
                self.decide(Request::Sync(SyncGroupRequest {
                    group_id: group,
                    generation_id: int("gen", 1),
                    member_id,
                    group_instance_id,
                    protocol_type: command.value("type").map(str::to_owned),
                    protocol_name: command.value("protocol").map(str::to_owned),
                    assignments: list(command.value("assign")).into_iter().map(assignment).chain(given).collect(),
                }))
            }
            "heartbeat" => self.decide(Request::Heartbeat(HeartbeatRequest {
                group_id: group,
                generation_id: int("gen", 1),
                member_id,
                group_instance_id,
            })),
            "leave" => {
                let member = |member_id: String| MemberIdentity {
                    member_id,
                    group_instance_id: group_instance_id.clone(),
                    reason: None,
                };
                let leaving = if command.has("nobody") { Vec::new() } else { list(Some(&member_id)) };
                let members = leaving.into_iter().map(member).collect();
                self.decide(Request::Leave(LeaveGroupRequest {
                    group_id: group,
                    members,
                    ..LeaveGroupRequest::default()
                }))
            }
            "beat" => {
                let epoch = int("epoch", 0);
                let is_joining = epoch == 0 && !command.has("bare");
                let topics = command.value("topics").or(if is_joining { Some("t") } else { None });
                let topics = topics.filter(|_| command.value("regex").is_none());
                let owned = command.value("owned").or(if is_joining { Some("-") } else { None });
                let request = ConsumerGroupHeartbeatRequest {
                    group_id: group,
                    member_id,
                    member_epoch: epoch,
                    instance_id: group_instance_id,
                    rack_id: command.value("rack").map(str::to_owned),
                    rebalance_timeout_ms: int("rebalance", if is_joining { 20_000 } else { -1 }),
                    subscribed_topic_names: topics.map(|topics| list(Some(topics).filter(|topics| *topics != "-"))),
                    subscribed_topic_regex: command.value("regex").map(|regex| regex.replace("none", "")),
                    server_assignor: command.value("assignor").map(str::to_owned),
                    topic_partitions: owned.map(|owned| self.partitions(owned)),
                };
                let version = i16::try_from(number("v", 1)).expect("a version");
                let client = (text(command.value("client").or(Some("client"))), "/host".to_owned());
                match ConsumerHeartbeat::new(request, version, client, text(command.value("as"))) {
                    Ok(heartbeat) => self.decide(Request::ConsumerHeartbeat(heartbeat)),
                    Err(refused) => format!("at once: {}\n", beat_text(&refused, &self.controller.view())),
                }
            }
            // Members that subscribe by an expression of their own each.
            "crowd" => {
                let range = number("from", 0)..number("to", 0);
                let lines = range.map(|index| format!("beat {group} member=m{index} regex=topic-{index}"));
                lines.map(|line| self.run(&Command::parse(&line))).filter(|printed| !printed.contains(" at ")).collect()
            }
            "describe-consumer" => self.decide(Request::DescribeConsumer(group)),
            "commit" => {
                let name = command.value("topic").unwrap_or("t").to_owned();
                let partitions = vec![OffsetCommitRequestPartition {
                    partition_index: int("partition", 0),
                    committed_offset: number("offset", 0),
                    committed_leader_epoch: int("epoch", -1),
                    committed_metadata: Some("m".repeat(usize::try_from(number("metadata", 0)).expect("a size"))),
                    ..OffsetCommitRequestPartition::default()
                }];
                let topic_id = self.topic_id(&name);
                let request = OffsetCommitRequest {
                    group_id: group,
                    generation_id_or_member_epoch: int("gen", -1),
                    member_id,
                    group_instance_id,
                    retention_time_ms: number("kept", -1),
                    topics: vec![OffsetCommitRequestTopic { name, topic_id, partitions }],
                };
                self.decide(Request::CommitOffsets {
                    request,
                    version: i16::try_from(number("v", 8)).expect("a version"),
                })
            }
            "offsets" => self.decide(Request::FetchOffsets(OffsetFetchRequestGroup {
                group_id: group,
                topics: None,
                member_id: command.value("member").map(str::to_owned),
                member_epoch: int("epoch", -1),
            })),
            "describe" => self.decide(Request::Describe(group)),
            "list" => self.decide(Request::List(ListGroupsRequest {
                states_filter: list(command.value("state")),
                types_filter: list(command.value("type")),
            })),
            "report" => self.decide(Request::Report),
            "delete" => self.decide(Request::Delete(group)),
            "delete-offset" => {
                let partitions = vec![OffsetDeleteRequestPartition { partition_index: int("partition", 0) }];
                let topics = vec![OffsetDeleteRequestTopic { name: text(command.value("topic")), partitions }];
                self.decide(Request::DeleteOffsets(OffsetDeleteRequest { group_id: group, topics }))
            }
            "follow" => self.decide(Request::FollowCluster),
            "wait" => {
                self.now += u64::try_from(number("ms", 0)).expect("forwards");
                self.tick()
            }
            "deadline" => format!("{:?}\n", self.machine.deadline().map(|at| at.0)),
            "elect" => self.elect(),
            "reload" => {
                self.machine = GroupMachine::load(&saved(&self.machine)).expect("loads");
                String::new()
            }
            "topic" => {
                let topics = vec![CreatableTopic {
                    name: group,
                    num_partitions: int("partitions", 3),
                    replication_factor: 1,
                    ..CreatableTopic::default()
                }];
                let request = CreateTopicsRequest { topics, ..CreateTopicsRequest::default() };
                let ids = vec![self.draw()];
                self.control(controller::Request::CreateTopics { request, ids, fixed: Arc::default() });
                String::new()
            }
            "drop-topic" => {
                let topics = vec![DeleteTopicState { name: Some(group), ..DeleteTopicState::default() }];
                self.control(controller::Request::DeleteTopics(DeleteTopicsRequest { topics, ..Default::default() }));
                String::new()
            }
            "grow" => {
                let topics =
                    vec![CreatePartitionsTopic { name: group, count: int("partitions", 3), assignments: None }];
                let request = CreatePartitionsRequest { topics, ..CreatePartitionsRequest::default() };
                self.control(controller::Request::CreatePartitions(request));
                String::new()
            }
            "group-config" => {
                let settings = command.words.iter().filter_map(|word| word.split_once('='));
                let config = |(name, value): (&str, &str)| AlterableConfig {
                    name: name.to_owned(),
                    value: Some(value.to_owned()),
                    ..AlterableConfig::default()
                };
                let resource = AlterConfigsResource {
                    resource_type: 32,
                    resource_name: group.clone(),
                    configs: settings.map(config).collect(),
                };
                let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
                self.control(controller::Request::IncrementalAlterConfigs(request));
                String::new()
            }
            "config" => {
                let settings = command.words.iter().filter_map(|word| word.split_once('='));
                self.fixed.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
                String::new()
            }
            other => panic!("no command {other}"),
        }
    }
}

fn code(number: i16) -> ErrorCode {
    ErrorCode::from_number(number)
}

fn reply_text(reply: &Reply, image: &Image) -> String {
    match reply {
        Reply::ConsumerHeartbeat(answer) => beat_text(answer, image),
        Reply::DescribeConsumer(group) => consumers_text(group),
        Reply::Join(joined) if joined.error_code == 0 => joined_text(joined),
        Reply::Join(refused) => format!("{:?} for '{}'", code(refused.error_code), refused.member_id),
        Reply::Sync(synced) if synced.error_code == 0 => {
            format!("assigned {}", assignment_text(&synced.assignment))
        }
        Reply::Sync(refused) => format!("{:?}", code(refused.error_code)),
        Reply::Heartbeat(answer) => format!("{:?}", code(answer.error_code)),
        Reply::Leave(answer) => {
            let member = |member: &highwater_protocol::message::leave_group_response::MemberResponse| {
                format!("'{}' {:?}", member.member_id, code(member.error_code))
            };
            answer.members.iter().map(member).collect::<Vec<_>>().join(", ")
        }
        Reply::CommitOffsets(answer) => {
            let all = answer.topics.iter().flat_map(|topic| {
                topic
                    .partitions
                    .iter()
                    .map(move |one| format!("{}-{} {:?}", topic.name, one.partition_index, code(one.error_code)))
            });
            all.collect::<Vec<_>>().join(", ")
        }
        Reply::FetchOffsets(answer) if answer.error_code != 0 => format!("{:?}", code(answer.error_code)),
        Reply::FetchOffsets(answer) => {
            let all = answer.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(move |one| {
                    let (index, offset, epoch) =
                        (one.partition_index, one.committed_offset, one.committed_leader_epoch);
                    format!("{}-{index} at {offset} epoch {epoch}", topic.name)
                })
            });
            let all = all.collect::<Vec<_>>().join(", ");
            if all.is_empty() { "no offsets".to_owned() } else { all }
        }
        Reply::Describe(group) if group.error_code != 0 => format!("{:?}", code(group.error_code)),
        Reply::Describe(group) => {
            let member = |member: &highwater_protocol::message::describe_groups_response::DescribedGroupMember| {
                let instance = member.group_instance_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
                format!("{}{instance} has {}", member.member_id, assignment_text(&member.member_assignment))
            };
            let members: Vec<String> = group.members.iter().map(member).collect();
            format!("{} {}/{}: {}", group.group_state, group.protocol_type, group.protocol_data, members.join(", "))
        }
        Reply::List(groups) if groups.is_empty() => "no groups".to_owned(),
        Reply::List(groups) => {
            let group = |group: &highwater_protocol::message::list_groups_response::ListedGroup| {
                format!("{} {} {} {}", group.group_id, group.group_state, group.group_type, group.protocol_type)
            };
            groups.iter().map(group).collect::<Vec<_>>().join(", ")
        }
        Reply::Report(groups) => {
            let group = |group: &highwater_core::group::GroupReport| {
                let offset = |one: &highwater_core::group::ReportedOffset| {
                    format!("{}-{} at {}", one.topic, one.partition, one.committed)
                };
                let offsets = group.offsets.iter().map(offset).collect::<Vec<_>>().join(" ");
                format!("{} with {} members: {offsets}", group.id, group.members)
            };
            groups.iter().map(group).collect::<Vec<_>>().join(", ")
        }
        Reply::Delete(code) => format!("{code:?}"),
        Reply::DeleteOffsets(answer) if answer.error_code != 0 => format!("{:?}", code(answer.error_code)),
        Reply::DeleteOffsets(answer) => {
            let all = answer.topics.iter().flat_map(|topic| {
                topic
                    .partitions
                    .iter()
                    .map(move |one| format!("{}-{} {:?}", topic.name, one.partition_index, code(one.error_code)))
            });
            all.collect::<Vec<_>>().join(", ")
        }
        Reply::FollowsCluster => "follows the cluster".to_owned(),
    }
}

fn beat_text(answer: &ConsumerGroupHeartbeatResponse, image: &Image) -> String {
    if answer.error_code != 0 {
        return format!("{:?}: {}", code(answer.error_code), answer.error_message.as_deref().unwrap_or("no reason"));
    }
    let name = |id: &Uuid| image.topic_by_id(*id).map_or("a topic that is gone".to_owned(), |topic| topic.name.clone());
    let assigned = answer.assignment.as_ref().map(|assignment| {
        let of_topic = |topic: &TopicPartitions| listed(&name(&topic.topic_id), &topic.partitions);
        let mut all: Vec<String> = assignment.topic_partitions.iter().map(of_topic).collect();
        all.sort();
        format!(", has {}", or_nothing(&all.join(" ")))
    });
    let (id, epoch) = (answer.member_id.as_deref().unwrap_or("nobody"), answer.member_epoch);
    format!("{id} at {epoch}{}, again in {} ms", assigned.unwrap_or_default(), answer.heartbeat_interval_ms)
}

fn listed(topic: &str, partitions: &[i32]) -> String {
    partitions.iter().map(|partition| format!("{topic}-{partition}")).collect::<Vec<_>>().join(" ")
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

fn consumers_text(group: &DescribedConsumerGroup) -> String {
    if group.error_code != 0 {
        let message = group.error_message.as_deref().unwrap_or("no reason");
        return format!("{:?}: {message}", code(group.error_code));
    }
    let all = |assignment: &consumer_group_describe_response::Assignment| {
        let topics = assignment.topic_partitions.iter().map(|topic| listed(&topic.topic_name, &topic.partitions));
        let mut topics: Vec<String> = topics.collect();
        topics.sort();
        or_nothing(&topics.join(" ")).to_owned()
    };
    let member = |member: &consumer_group_describe_response::Member| {
        let instance = member.instance_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
        let regex = member.subscribed_topic_regex.as_deref().filter(|regex| !regex.is_empty());
        let regex = regex.map(|regex| format!(" like {regex}")).unwrap_or_default();
        let kind = if member.member_type == 0 { "classic " } else { "" };
        format!(
            "\n  {kind}{}{instance} at {} wants {}{regex}: has {}, shall have {}",
            member.member_id,
            member.member_epoch,
            or_nothing(&member.subscribed_topic_names.join(" ")),
            all(&member.assignment),
            all(&member.target_assignment)
        )
    };
    let members: String = group.members.iter().map(member).collect();
    format!(
        "{} in epoch {}, target of {} by {}{members}",
        group.group_state, group.group_epoch, group.assignment_epoch, group.assignor_name
    )
}

fn joined_text(joined: &JoinGroupResponse) -> String {
    let members: Vec<&str> = joined.members.iter().map(|member| member.member_id.as_str()).collect();
    format!(
        "{} in generation {} of {}, led by {}{}{}",
        joined.member_id,
        joined.generation_id,
        joined.protocol_name.as_deref().unwrap_or("nothing"),
        joined.leader,
        if members.is_empty() { String::new() } else { format!(", with {}", members.join(" ")) },
        if joined.skip_assignment { ", who assigns nothing" } else { "" },
    )
}

#[test]
fn transcripts() {
    transcript::check("group", Bench::new);
}
