//! The controller machine by transcripts, and the law of its snapshots as a property.

mod transcript;

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use highwater_core::cluster::Cluster;
use highwater_core::config::Settings;
use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::image::{Image, Listener, ResourceType};
use highwater_core::controller::registration::Registration;
use highwater_core::controller::{ControllerMachine, Reply, Request};
use highwater_core::machine::{Append, Entry, Leading, Machine, Outcome, Token, Until, Wait};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Monotonic, Timestamp};
use highwater_protocol::message::alter_configs_request::{AlterConfigsResource, AlterableConfig};
use highwater_protocol::message::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
use highwater_protocol::message::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use highwater_protocol::message::incremental_alter_configs_request::{
    AlterConfigsResource as IncrementalResource, AlterableConfig as IncrementalConfig,
};
use highwater_protocol::message::{
    AlterConfigsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    IncrementalAlterConfigsRequest,
};
use proptest::prelude::*;
use uuid::Uuid;

use transcript::{Command, Script};

struct Bench {
    machine: ControllerMachine,
    log: Vec<Bytes>,
    fixed: Arc<Settings>,
    next_id: u128,
}

impl Bench {
    fn new() -> Self {
        Self { machine: ControllerMachine::default(), log: Vec::new(), fixed: Arc::default(), next_id: 0 }
    }

    fn image(&self) -> Arc<Image> {
        self.machine.view()
    }

    fn last(&self) -> EntryId {
        EntryId { index: Index(u64::try_from(self.log.len()).expect("few")), term: LeaderEpoch(1) }
    }

    /// Decides, folds what is to be appended, and prints the reply.
    fn decide(&mut self, request: Request) -> String {
        let config = TopicConfig::default();
        let at = Leading {
            now: Monotonic(0),
            wall: Timestamp(0),
            epoch: LeaderEpoch(1),
            folded: self.last(),
            caught_up: 1,
            voters: 1,
            config: &config,
            cluster: &Cluster::default(),
        };
        let mut outcome = Outcome::default();
        self.machine.decide(&at, request, Token(3), &mut outcome);
        let changes = outcome.append.is_some();
        if let Some(append) = outcome.append {
            let Append::Command(bytes) = append else { panic!("the controller appends commands") };
            self.log.push(bytes.clone());
            let view = self.machine.fold(self.last(), Entry::Command(&bytes)).expect("a command yields an image");
            assert_eq!(view, self.machine.view());
        }
        let loaded = ControllerMachine::load(&saved(&self.machine)).expect("a snapshot loads");
        assert_eq!(loaded.view(), self.machine.view(), "a snapshot is the image");
        assert_eq!(saved(&loaded), saved(&self.machine));
        let mut out = String::new();
        for (token, until, reply) in outcome.replies {
            assert_eq!(token, Token(3));
            let wait = if changes { Wait::Own } else { Wait::Folded };
            assert_eq!(until, Until::Committed(wait), "every answer of the controller waits for commit");
            out += &reply_text(&reply);
        }
        out
    }

    fn draw(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    fn create(&mut self, validate_only: bool, parts: &[Command<'_>]) -> String {
        let topics: Vec<CreatableTopic> = parts.iter().map(creatable).collect();
        let ids = topics.iter().map(|_| self.draw()).collect();
        let request = CreateTopicsRequest { topics, timeout_ms: 0, validate_only };
        let fixed = Arc::clone(&self.fixed);
        self.decide(Request::CreateTopics { request, ids, fixed })
    }

    fn image_text(&self) -> String {
        let image = self.image();
        let mut out = String::new();
        for broker in image.brokers.values() {
            let listeners: Vec<String> =
                broker.listeners.iter().map(|one| format!("{}://{}:{}", one.name, one.host, one.port)).collect();
            let rack = broker.rack.as_deref().unwrap_or("-");
            let directory = broker.directory_id.as_u128();
            writeln!(out, "broker {} directory {directory} rack {rack} {}", broker.node_id, listeners.join(" "))
                .expect("prints");
        }
        for topic in image.topics() {
            let name = if topic.name.len() > 40 { format!("<{} bytes>", topic.name.len()) } else { topic.name.clone() };
            write!(out, "topic {name} id {}:", topic.id.as_u128()).expect("prints");
            for partition in &topic.partitions {
                let replicas: Vec<String> =
                    partition.replicas.iter().map(|one| format!("{}/{}", one.node_id, one.raft_id)).collect();
                write!(out, " {}=[{}]", partition.index, replicas.join(" ")).expect("prints");
            }
            out.push('\n');
        }
        for kind in [ResourceType::Topic, ResourceType::Broker, ResourceType::ClientMetrics, ResourceType::Group] {
            for name in image.configured(kind) {
                let settings: Vec<String> =
                    image.settings(kind, name).iter().map(|(name, value)| format!("{name}={value}")).collect();
                writeln!(out, "{kind:?} {name:?}: {}", settings.join(" ")).expect("prints");
            }
        }
        out
    }
}

impl Script for Bench {
    /// Several topics or resources of one request stand behind each other, with ` + ` between.
    fn run(&mut self, command: &Command<'_>) -> String {
        let words: Vec<&str> = command.words.iter().copied().filter(|word| *word != "validate-only").collect();
        let validate_only = command.has("validate-only");
        let parts: Vec<Command<'_>> = words
            .split(|word| *word == "+")
            .map(|part| Command {
                name: part.first().copied().unwrap_or_default(),
                words: part.iter().skip(1).copied().collect(),
            })
            .collect();
        match command.name {
            "register" => {
                let node_id = parts[0].name.parse().expect("an id");
                let registration = Registration {
                    node_id,
                    directory_id: Uuid::from_u128(
                        u128::try_from(command.number("directory").unwrap_or(i64::from(node_id))).expect("an id"),
                    ),
                    cluster_id: Uuid::from_u128(
                        u128::try_from(command.number("cluster").unwrap_or(77)).expect("an id"),
                    ),
                    rack: command.value("rack").map(str::to_owned),
                    listeners: vec![Listener { name: "PLAIN".to_owned(), host: format!("host{node_id}"), port: 9092 }],
                };
                self.decide(Request::RegisterBroker(registration))
            }
            "fixed" => {
                let setting =
                    |word: &&str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
                self.fixed = Arc::new(words.iter().filter_map(setting).collect());
                String::new()
            }
            "create" => self.create(validate_only, &parts),
            "delete" => {
                let mut request = DeleteTopicsRequest::default();
                for part in &parts {
                    let id = part.number("id").map(|id| Uuid::from_u128(u128::try_from(id).expect("an id")));
                    let name = (part.name != "-").then(|| part.name.to_owned());
                    match name {
                        Some(name) if part.has("old") => request.topic_names.push(name),
                        name => request.topics.push(DeleteTopicState { name, topic_id: id.unwrap_or_default() }),
                    }
                }
                self.decide(Request::DeleteTopics(request))
            }
            "grow" => {
                let topics = parts.iter().map(growing).collect();
                self.decide(Request::CreatePartitions(CreatePartitionsRequest { topics, timeout_ms: 0, validate_only }))
            }
            "alter" => {
                let resources = parts.iter().map(replaced).collect();
                self.decide(Request::AlterConfigs(AlterConfigsRequest { resources, validate_only }))
            }
            "change" => {
                let resources = parts.iter().map(changed).collect();
                self.decide(Request::IncrementalAlterConfigs(IncrementalAlterConfigsRequest {
                    resources,
                    validate_only,
                }))
            }
            "producer-ids" => self.decide(Request::AllocateProducerIds),
            "image" => self.image_text(),
            "cluster" => format!("cluster {}\n", self.image().cluster_id.as_u128()),
            "entries" => format!("{} entries\n", self.log.len()),
            "reload" => {
                self.machine = ControllerMachine::load(&saved(&self.machine)).expect("loads");
                String::new()
            }
            other => panic!("no command {other}"),
        }
    }
}

/// `name partitions=3 copies=1 at=0:1,2 set:key=value`; `''` is the empty name, `long` one of 250 bytes.
fn creatable(part: &Command<'_>) -> CreatableTopic {
    let configs = part.words.iter().filter_map(|word| word.strip_prefix("set:")).map(|setting| {
        let (name, value) = setting.split_once('=').map_or((setting, None), |(name, value)| (name, Some(value)));
        CreatableTopicConfig { name: name.to_owned(), value: value.map(str::to_owned) }
    });
    let assignments: Vec<CreatableReplicaAssignment> = part
        .words
        .iter()
        .filter_map(|word| word.strip_prefix("at="))
        .map(|assignment| {
            let (index, brokers) = assignment.split_once(':').expect("partition:brokers");
            CreatableReplicaAssignment {
                partition_index: index.parse().expect("a partition"),
                broker_ids: brokers_of(brokers),
            }
        })
        .collect();
    let default = if assignments.is_empty() { 1 } else { -1 };
    CreatableTopic {
        name: name_of(part.name),
        num_partitions: i32::try_from(part.number("partitions").unwrap_or(default)).expect("a count"),
        replication_factor: i16::try_from(part.number("copies").unwrap_or(default)).expect("a count"),
        assignments,
        configs: configs.collect(),
    }
}

fn growing(part: &Command<'_>) -> CreatePartitionsTopic {
    let assignment = |brokers: &str| CreatePartitionsAssignment { broker_ids: brokers_of(brokers) };
    let given: Vec<_> = part.words.iter().filter_map(|word| word.strip_prefix("at=")).map(assignment).collect();
    CreatePartitionsTopic {
        name: part.name.to_owned(),
        count: i32::try_from(part.number("count").expect("a count")).expect("a count"),
        assignments: (!given.is_empty() || part.has("none")).then_some(given),
    }
}

fn brokers_of(list: &str) -> Vec<i32> {
    list.split(',').filter(|id| !id.is_empty()).map(|id| id.parse().expect("a broker")).collect()
}

fn name_of(name: &str) -> String {
    match name {
        "''" => String::new(),
        "longest" => "n".repeat(249),
        "long" => "n".repeat(250),
        name => name.to_owned(),
    }
}

/// `topic:name`, `broker:1`, `group:name`, `metrics:name`, or a number of a type.
fn resource_of(part: &Command<'_>) -> (i8, String) {
    let (kind, name) = part.name.split_once(':').expect("type:name");
    let kind = match kind {
        "topic" => 2,
        "broker" => 4,
        "metrics" => 16,
        "group" => 32,
        number => number.parse().expect("a type"),
    };
    (kind, name.to_owned())
}

fn value_of(value: &str) -> String {
    if value == "32768-bytes" { "v".repeat(32_768) } else { value.to_owned() }
}

fn replaced(part: &Command<'_>) -> AlterConfigsResource {
    let (resource_type, resource_name) = resource_of(part);
    let config = |word: &&str| {
        let (name, value) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value_of(value))));
        AlterableConfig { name: name.to_owned(), value }
    };
    let configs = part.words.iter().map(config).collect();
    AlterConfigsResource { resource_type, resource_name, configs }
}

fn changed(part: &Command<'_>) -> IncrementalResource {
    let (resource_type, resource_name) = resource_of(part);
    let config = |word: &&str| {
        let (operation, setting) = word.split_once(':').expect("operation:setting");
        let (name, value) =
            setting.split_once('=').map_or((setting, None), |(name, value)| (name, Some(value_of(value))));
        let config_operation = match operation {
            "set" => 0,
            "delete" => 1,
            "append" => 2,
            "subtract" => 3,
            number => number.parse().expect("an operation"),
        };
        IncrementalConfig { name: name.to_owned(), config_operation, value }
    };
    let configs = part.words.iter().map(config).collect();
    IncrementalResource { resource_type, resource_name, configs }
}

fn saved(machine: &ControllerMachine) -> Vec<u8> {
    let mut bytes = Vec::new();
    machine.save(&mut bytes);
    bytes
}

/// One line for each topic or resource; a name of many letters is shown by its length.
fn reply_text(reply: &Reply) -> String {
    let short = |name: &str| if name.len() > 40 { format!("<{} bytes>", name.len()) } else { name.to_owned() };
    let line = |name: &str, code: i16, message: Option<&str>| {
        let code = ErrorCode::from_number(code);
        let message = message.map_or_else(String::new, |message| format!(": {}", message.replace(name, &short(name))));
        format!("{} {code:?}{message}\n", if name.is_empty() { "''".to_owned() } else { short(name) })
    };
    match reply {
        Reply::Registered => "registered\n".to_owned(),
        Reply::ProducerIds(first) => format!("producer ids from {first}\n"),
        Reply::CreateTopics(response) => response
            .topics
            .iter()
            .map(|topic| match topic.error_code {
                0 => {
                    let own = topic.configs.iter().flatten().filter(|config| config.config_source == 1);
                    let own: String = own
                        .map(|config| format!(" {}={}", config.name, config.value.as_deref().unwrap_or("null")))
                        .collect();
                    let (name, id) = (short(&topic.name), topic.topic_id.as_u128());
                    let (partitions, copies) = (topic.num_partitions, topic.replication_factor);
                    format!("{name} id {id}, {partitions} partitions, {copies} copies{own}\n")
                }
                code => line(&topic.name, code, topic.error_message.as_deref()),
            })
            .collect(),
        Reply::DeleteTopics(response) => response
            .responses
            .iter()
            .map(|topic| {
                let name = topic.name.clone().unwrap_or_else(|| "-".to_owned());
                let id = topic.topic_id.as_u128();
                line(&format!("{name} id {id}"), topic.error_code, topic.error_message.as_deref())
            })
            .collect(),
        Reply::CreatePartitions(response) => response
            .results
            .iter()
            .map(|topic| line(&topic.name, topic.error_code, topic.error_message.as_deref()))
            .collect(),
        Reply::AlterConfigs(response) => response
            .responses
            .iter()
            .map(|one| line(&one.resource_name, one.error_code, one.error_message.as_deref()))
            .collect(),
        Reply::IncrementalAlterConfigs(response) => response
            .responses
            .iter()
            .map(|one| line(&one.resource_name, one.error_code, one.error_message.as_deref()))
            .collect(),
    }
}

#[test]
fn transcripts() {
    transcript::check("controller", Bench::new);
}

/// One line of a random history: most of it succeeds, some does not.
fn line() -> impl Strategy<Value = String> {
    let topic = (0..6_u8, 1..4_u8, 1..4_u8);
    prop_oneof![
        (1..4_u8, 0..3_u8).prop_map(|(id, rack)| format!("register {id} rack=r{rack}")),
        topic.prop_map(|(name, count, copies)| {
            format!("create t{name} partitions={count} copies={copies} set:retention.ms={count} + u{name}")
        }),
        (0..6_u8, 2..6_u8).prop_map(|(name, count)| format!("grow t{name} count={count}")),
        (0..6_u8).prop_map(|name| format!("delete t{name} + u{name}")),
        (1..12_u8).prop_map(|id| format!("delete - id={id}")),
        (0..6_u8, 1..9_u8).prop_map(|(name, value)| {
            format!(
                "change topic:t{name} set:segment.ms={value} delete:retention.ms + broker: set:log.retention.ms={value}"
            )
        }),
        (0..6_u8, 1..9_u8).prop_map(|(name, value)| format!("alter topic:t{name} flush.ms={value} + group:g{name}")),
        Just("producer-ids".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The fold of a log is what a snapshot of any prefix and the fold of the rest make; and a Raft id is never given twice.
    #[test]
    fn a_snapshot_anywhere_and_the_rest_make_the_whole(lines in proptest::collection::vec(line(), 1..40), cut in 0..100_usize) {
        let mut bench = Bench::new();
        bench.run(&Command::parse("register 1"));
        let mut given = std::collections::BTreeMap::new();
        for line in &lines {
            bench.run(&Command::parse(line));
            for topic in bench.image().topics() {
                for (partition, replica) in topic.partitions.iter().flat_map(|one| one.replicas.iter().map(move |it| (one, it))) {
                    let place = (topic.id, partition.index, replica.node_id);
                    prop_assert_eq!(*given.entry(replica.raft_id).or_insert(place), place);
                }
            }
        }
        let cut = cut % (bench.log.len() + 1);
        let mut machine = ControllerMachine::default();
        for (place, bytes) in bench.log.iter().enumerate() {
            if place == cut {
                machine = ControllerMachine::load(&saved(&machine)).expect("loads");
            }
            machine.fold(EntryId::default(), Entry::Command(bytes));
        }
        prop_assert_eq!(machine.view(), bench.machine.view());
        prop_assert_eq!(saved(&machine), saved(&bench.machine));
    }
}
