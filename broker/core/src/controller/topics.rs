//! Topics are made, grow, and go.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::create_partitions_response::CreatePartitionsTopicResult;
use highwater_protocol::message::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use highwater_protocol::message::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use highwater_protocol::message::delete_topics_response::DeletableTopicResult;
use highwater_protocol::message::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest,
    DeleteTopicsResponse, create_partitions_request::CreatePartitionsTopic,
};
use uuid::Uuid;

use super::Reply;
use super::change::{Change, ConfigChange, Kind, TopicChange};
use super::image::{Image, ResourceType, Topic};
use super::placement::{place, replicas};
use crate::config::describe::{BrokerSettings, Source, broker_value, topic_values};
use crate::config::{Settings, check, check_topic, find, table};
use crate::group::OFFSETS_TOPIC;

/// The longest name that a topic may have.
const NAME_BYTES: usize = 249;
/// Partitions that one request may make in all.
const PARTITIONS_A_REQUEST: usize = 10_000;
/// Replicas that a broker holds at most on average. Metadata makes topics for whoever asks, so somewhere it has to end.
const REPLICAS_A_BROKER: usize = 50_000;
/// Topics of our own, which no client may make or delete.
const INTERNAL: [&str; 3] = ["__cluster_metadata", OFFSETS_TOPIC, "__transaction_state"];

type Refused = (ErrorCode, String);

/// Whether a topic belongs to the broker itself.
pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}

pub(super) fn create(
    image: &Image,
    request: &CreateTopicsRequest,
    ids: &[Uuid],
    fixed: &Settings,
) -> (Vec<Change>, Reply) {
    let names = Names::of(image);
    create_all(image, request, ids, fixed, |name| check_name(image, &names, name))
}

fn create_all(
    image: &Image,
    request: &CreateTopicsRequest,
    ids: &[Uuid],
    fixed: &Settings,
    check_name: impl Fn(&str) -> Result<(), Refused>,
) -> (Vec<Change>, Reply) {
    let mut changes = Vec::new();
    let mut results = Vec::new();
    let mut next_raft_id = image.next_raft_id;
    let mut room = Room::of(image);
    let twice = doubled(request.topics.iter().map(|topic| topic.name.as_str()));
    let mut seen = BTreeSet::new();
    let mut ids = ids.iter();
    for topic in &request.topics {
        let made = if twice.contains(topic.name.as_str()) {
            if !seen.insert(topic.name.as_str()) {
                continue;
            }
            Err((ErrorCode::InvalidRequest, format!("topic {} is named more than once in the request", topic.name)))
        } else {
            check_name(&topic.name).and_then(|()| made(image, topic, fixed, &mut next_raft_id, &mut room))
        };
        match made {
            Ok(mut change) => {
                let id = ids.next().copied().unwrap_or_default();
                change.id = id.as_bytes().to_vec();
                results.push(created(image, topic, &change, id, fixed));
                if !request.validate_only {
                    changes.push(Kind::Topic(change).into());
                    changes.extend(
                        topic
                            .configs
                            .iter()
                            .map(|config| set(ResourceType::Topic, &topic.name, &config.name, config.value.clone())),
                    );
                }
            }
            Err((code, message)) => results.push(CreatableTopicResult {
                name: topic.name.clone(),
                error_code: code.number(),
                error_message: Some(message),
                ..CreatableTopicResult::default()
            }),
        }
    }
    if !changes.is_empty() {
        changes.push(Kind::NextRaftId(next_raft_id).into());
    }
    (changes, Reply::CreateTopics(CreateTopicsResponse { topics: results, ..CreateTopicsResponse::default() }))
}

/// The topic of consumer groups, as the settings `offsets.topic.*` say.
pub(super) fn create_offsets_topic(image: &Image, id: Uuid, fixed: &Settings) -> (Vec<Change>, Reply) {
    let broker = BrokerSettings { broker: &Settings::new(), default_broker: &Settings::new(), fixed };
    let value = |name: &str| broker_value(name, &broker);
    let config = |name: &str, value: String| CreatableTopicConfig { name: name.to_owned(), value: Some(value) };
    let copies = value("offsets.topic.replication.factor").parse().unwrap_or(i16::MAX);
    let topic = CreatableTopic {
        name: OFFSETS_TOPIC.to_owned(),
        num_partitions: value("offsets.topic.num.partitions").parse().unwrap_or(-1),
        replication_factor: copies.min(i16::try_from(image.brokers.len()).unwrap_or(i16::MAX)),
        configs: vec![
            config("cleanup.policy", "compact".to_owned()),
            config("compression.type", "producer".to_owned()),
            config("segment.bytes", value("offsets.topic.segment.bytes")),
        ],
        ..CreatableTopic::default()
    };
    create_all(image, &CreateTopicsRequest { topics: vec![topic], ..Default::default() }, &[id], fixed, |name| {
        check_absent(image, name)
    })
}

/// A topic that is named twice, by whatever means, is not deleted, and gets one answer: which of the two was meant is not
/// known.
pub(super) fn delete(image: &Image, request: &DeleteTopicsRequest) -> (Vec<Change>, Reply) {
    let by_name = request.topic_names.iter().map(|name| (Some(name.as_str()), Uuid::nil()));
    let by_either = request.topics.iter().map(|topic| (topic.name.as_deref(), topic.topic_id));
    let named: Vec<(Option<&str>, Uuid)> = by_name.chain(by_either).collect();
    let mut times: BTreeMap<(Option<&str>, Uuid), usize> = BTreeMap::new();
    for one in &named {
        *times.entry(*one).or_default() += 1;
    }
    let by_id: BTreeSet<Uuid> = named.iter().filter(|(name, _)| name.is_none()).map(|(_, id)| *id).collect();
    let ids_of_names: BTreeSet<Uuid> =
        named.iter().filter_map(|(name, _)| image.topic(name.as_ref()?)).map(|topic| topic.id).collect();
    let mut changes = Vec::new();
    let mut responses = Vec::new();
    for (name, id) in named {
        let is_twice = match times.get(&(name, id)) {
            Some(1) => false,
            // Neither named nor known by an id, so no two of them are of a kind.
            Some(_) if name.is_none() && id.is_nil() => false,
            // One answer for all of its kind.
            Some(_) => true,
            None => continue,
        };
        if name.is_some() || !id.is_nil() {
            times.remove(&(name, id));
        }
        if name.is_none() && ids_of_names.contains(&id) {
            // Its name is answered for both.
            continue;
        }
        let mut response =
            DeletableTopicResult { name: name.map(str::to_owned), topic_id: id, ..DeletableTopicResult::default() };
        let verdict = match found(image, name, id) {
            _ if is_twice => {
                Err((ErrorCode::InvalidRequest, "a topic is named more than once in the request".to_owned()))
            }
            Ok(topic) if name.is_some() && by_id.contains(&topic.id) => {
                response.topic_id = topic.id;
                Err((ErrorCode::InvalidRequest, format!("topic {} is named by its id as well", topic.name)))
            }
            found => found,
        };
        match verdict {
            Ok(topic) => {
                response.name = Some(topic.name.clone());
                response.topic_id = topic.id;
                changes.push(Kind::TopicGone(topic.id.as_bytes().to_vec()).into());
            }
            Err((code, message)) => {
                response.error_code = code.number();
                response.error_message = Some(message);
            }
        }
        responses.push(response);
    }
    (changes, Reply::DeleteTopics(DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() }))
}

/// The topic that a deletion names, by name or by id.
fn found<'a>(image: &'a Image, name: Option<&str>, id: Uuid) -> Result<&'a Topic, Refused> {
    let none = || "there is no such topic".to_owned();
    let topic = match name {
        None if id.is_nil() => {
            return Err((ErrorCode::InvalidRequest, "neither a topic's name nor its id is given".to_owned()));
        }
        Some(_) if !id.is_nil() => {
            return Err((ErrorCode::InvalidRequest, "a topic is named either by name or by id".to_owned()));
        }
        None => image.topic_by_id(id).ok_or_else(|| (ErrorCode::UnknownTopicId, none()))?,
        Some(name) => image.topic(name).ok_or_else(|| (ErrorCode::UnknownTopicOrPartition, none()))?,
    };
    if is_internal(&topic.name) {
        return Err((ErrorCode::InvalidRequest, format!("topic {} belongs to the broker", topic.name)));
    }
    Ok(topic)
}

pub(super) fn grow(image: &Image, request: &CreatePartitionsRequest) -> (Vec<Change>, Reply) {
    let mut changes = Vec::new();
    let mut results = Vec::new();
    let mut next_raft_id = image.next_raft_id;
    let mut room = Room::of(image);
    let twice = doubled(request.topics.iter().map(|topic| topic.name.as_str()));
    let mut seen = BTreeSet::new();
    for topic in &request.topics {
        let is_twice = twice.contains(topic.name.as_str());
        if is_twice && !seen.insert(topic.name.as_str()) {
            continue;
        }
        let grown = if is_twice {
            Err((ErrorCode::InvalidRequest, format!("topic {} is named more than once in the request", topic.name)))
        } else {
            grown(image, topic, &mut next_raft_id, &mut room)
        };
        let mut result = CreatePartitionsTopicResult { name: topic.name.clone(), ..Default::default() };
        match grown {
            Ok(change) if !request.validate_only => changes.push(Kind::Topic(change).into()),
            Ok(_) => {}
            Err((code, message)) => {
                result.error_code = code.number();
                result.error_message = Some(message);
            }
        }
        results.push(result);
    }
    if !changes.is_empty() {
        changes.push(Kind::NextRaftId(next_raft_id).into());
    }
    (changes, Reply::CreatePartitions(CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() }))
}

/// A setting as a change.
pub(super) fn set(kind: ResourceType, resource: &str, name: &str, value: Option<String>) -> Change {
    Kind::Config(ConfigChange {
        resource_type: i32::from(kind.number()),
        resource: resource.to_owned(),
        name: name.to_owned(),
        value,
    })
    .into()
}

fn made(
    image: &Image,
    topic: &CreatableTopic,
    fixed: &Settings,
    next_raft_id: &mut u64,
    room: &mut Room,
) -> Result<TopicChange, Refused> {
    let mut settings = Settings::new();
    for config in &topic.configs {
        let value = checked_setting(&config.name, config.value.as_deref())?;
        settings.insert(config.name.clone(), value.to_owned());
    }
    check_topic(&settings).map_err(|reason| (ErrorCode::InvalidConfig, reason))?;
    let partitions = if topic.assignments.is_empty() {
        let (count, copies) = counts(image, topic, fixed)?;
        room.take(count, copies)?;
        place(image, topic.name.len(), count, copies, next_raft_id)
    } else {
        let copies = topic.assignments.iter().map(|assignment| assignment.broker_ids.len()).max().unwrap_or(0);
        room.take(topic.assignments.len(), copies)?;
        assigned(image, topic, next_raft_id)?
    };
    Ok(TopicChange { name: topic.name.clone(), id: Vec::new(), partitions })
}

/// Why no topic may be called so.
pub fn check_legal(name: &str) -> Result<(), (ErrorCode, String)> {
    let invalid = |reason: String| Err((ErrorCode::InvalidTopicException, reason));
    if name.is_empty() {
        return invalid("Topic name is invalid: the empty string is not allowed".to_owned());
    }
    if name == "." || name == ".." {
        return invalid("Topic name is invalid: '.' or '..' is not allowed".to_owned());
    }
    if name.len() > NAME_BYTES {
        return invalid(format!("Topic name is invalid: its length {} is above {NAME_BYTES}", name.len()));
    }
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    if !name.chars().all(is_legal) {
        return invalid(format!(
            "Topic name is invalid: '{name}' has a character that is no ASCII letter, digit, '.', '_' or '-'"
        ));
    }
    Ok(())
}

fn check_name(image: &Image, names: &Names, name: &str) -> Result<(), Refused> {
    check_legal(name)?;
    if is_internal(name) {
        return Err((ErrorCode::InvalidRequest, format!("Creation of internal topic {name} is prohibited.")));
    }
    check_absent(image, name)?;
    names.check(name)
}

fn check_absent(image: &Image, name: &str) -> Result<(), Refused> {
    match image.topic(name) {
        Some(_) => Err((ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists."))),
        None => Ok(()),
    }
}

/// The names that a new one may collide with: metrics take '.' and '_' for the same. Laid out once for a request, which may hold
/// thousands of names; its own are not among them, as in Kafka.
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(image: &Image) -> Self {
        let may_collide = image.topics().filter(|topic| topic.name.contains(['.', '_']));
        Self(may_collide.map(|topic| (topic.name.replace('.', "_"), topic.name.clone())).collect())
    }

    fn check(&self, name: &str) -> Result<(), Refused> {
        match self.0.get(&name.replace('.', "_")) {
            None => Ok(()),
            Some(other) => {
                let message = format!("Topic '{name}' collides with existing topic: {other}");
                Err((ErrorCode::InvalidTopicException, message))
            }
        }
    }
}

fn checked_setting<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, Refused> {
    let invalid = |reason: String| (ErrorCode::InvalidConfig, reason);
    let value = value.ok_or_else(|| invalid(format!("Null value not supported for topic configs: {name}")))?;
    let def = find(table::TOPIC, name).ok_or_else(|| invalid(format!("Unknown topic config name: {name}")))?;
    check(def, value).map_err(invalid)?;
    Ok(value)
}

/// Partitions and replicas of a topic without an assignment; -1 asks for the broker's default.
fn counts(image: &Image, topic: &CreatableTopic, fixed: &Settings) -> Result<(usize, usize), Refused> {
    let node = image.brokers.keys().next().copied().unwrap_or(-1);
    let broker = image.broker_settings(node, fixed);
    let default = |name: &str| broker_value(name, &broker).parse::<i64>().unwrap_or(1);
    let brokers = image.brokers.len();
    let copies = if topic.replication_factor == -1 {
        usize::try_from(default("default.replication.factor")).unwrap_or(1).clamp(1, brokers.max(1))
    } else {
        usize::try_from(topic.replication_factor).ok().filter(|copies| *copies > 0).ok_or_else(|| {
            let message = "Replication factor must be larger than 0, or -1 to use the default value.".to_owned();
            (ErrorCode::InvalidReplicationFactor, message)
        })?
    };
    let wanted = if topic.num_partitions == -1 { default("num.partitions") } else { i64::from(topic.num_partitions) };
    let count = usize::try_from(wanted).ok().filter(|count| *count > 0).ok_or_else(|| {
        (ErrorCode::InvalidPartitions, "Number of partitions was set to an invalid non-positive value.".to_owned())
    })?;
    if copies > brokers {
        let message = format!(
            "Unable to replicate the partition {copies} time(s): The target replication factor of {copies} cannot be reached because only {brokers} broker(s) are registered."
        );
        return Err((ErrorCode::InvalidReplicationFactor, message));
    }
    Ok((count, copies))
}

fn assigned(
    image: &Image,
    topic: &CreatableTopic,
    next_raft_id: &mut u64,
) -> Result<Vec<super::change::PartitionChange>, Refused> {
    if topic.num_partitions != -1 || topic.replication_factor != -1 {
        let what = if topic.replication_factor != -1 { "replication factor" } else { "number of partitions" };
        let message = format!("A manual partition assignment was specified, but the {what} was not set to -1.");
        return Err((ErrorCode::InvalidRequest, message));
    }
    let invalid = |reason: String| (ErrorCode::InvalidReplicaAssignment, reason);
    let mut by_index = BTreeMap::new();
    let mut copies = None;
    for assignment in &topic.assignments {
        if by_index.insert(assignment.partition_index, &assignment.broker_ids).is_some() {
            return Err(invalid(format!(
                "Found multiple manual partition assignments for partition {}",
                assignment.partition_index
            )));
        }
        check_assignment(image, &assignment.broker_ids, copies)?;
        copies = Some(assignment.broker_ids.len());
    }
    let mut partitions = Vec::new();
    for (expected, (index, brokers)) in (0..).zip(by_index) {
        if index != expected {
            return Err(invalid("partitions should be a consecutive 0-based integer sequence".to_owned()));
        }
        partitions.push(replicas(brokers, next_raft_id));
    }
    Ok(partitions)
}

/// Brokers for a partition whose topic's others have `copies` replicas.
fn check_assignment(image: &Image, brokers: &[i32], copies: Option<usize>) -> Result<(), Refused> {
    let invalid = |reason: String| Err((ErrorCode::InvalidReplicaAssignment, reason));
    if brokers.is_empty() {
        return invalid("The manual partition assignment includes an empty replica list.".to_owned());
    }
    if let Some(unknown) = brokers.iter().find(|broker| !image.brokers.contains_key(broker)) {
        return invalid(format!(
            "The manual partition assignment includes broker {unknown}, but no such broker is registered."
        ));
    }
    let distinct: BTreeSet<&i32> = brokers.iter().collect();
    if distinct.len() != brokers.len() {
        return invalid(format!("The manual partition assignment {brokers:?} includes a broker more than once."));
    }
    match copies {
        Some(copies) if copies != brokers.len() => invalid(format!(
            "The manual partition assignment includes a partition with {} replica(s), but this is not consistent with previous partitions, which have {copies} replica(s).",
            brokers.len()
        )),
        _ => Ok(()),
    }
}

fn grown(
    image: &Image,
    wanted: &CreatePartitionsTopic,
    next_raft_id: &mut u64,
    room: &mut Room,
) -> Result<TopicChange, Refused> {
    let Some(topic) = image.topic(&wanted.name) else {
        return Err((ErrorCode::UnknownTopicOrPartition, "there is no such topic".to_owned()));
    };
    let now = topic.partitions.len();
    let Some(more) =
        usize::try_from(wanted.count).ok().and_then(|count| count.checked_sub(now)).filter(|more| *more > 0)
    else {
        let message = if usize::try_from(wanted.count) == Ok(now) {
            format!("Topic already has {now} partition(s).")
        } else {
            let (name, count) = (&wanted.name, wanted.count);
            format!("The topic {name} currently has {now} partition(s); {count} would not be an increase.")
        };
        return Err((ErrorCode::InvalidPartitions, message));
    };
    let copies = topic.partitions.first().map_or(1, |partition| partition.replicas.len());
    room.take(more, copies)?;
    let added = match &wanted.assignments {
        None => place(image, wanted.name.len() + now, more, copies, next_raft_id),
        Some(assignments) if assignments.len() != more => {
            let message = format!("{more} partitions are added, and {} assignments are given.", assignments.len());
            return Err((ErrorCode::InvalidReplicaAssignment, message));
        }
        Some(assignments) => {
            let mut added = Vec::new();
            for assignment in assignments {
                check_assignment(image, &assignment.broker_ids, Some(copies))?;
                added.push(replicas(&assignment.broker_ids, next_raft_id));
            }
            added
        }
    };
    let mut change = topic.as_change();
    change.partitions.extend(added);
    Ok(change)
}

/// How many partitions a request may still make, and the cluster may still hold.
struct Room {
    partitions: usize,
    replicas: usize,
}

impl Room {
    fn of(image: &Image) -> Self {
        let held: usize =
            image.topics().flat_map(|topic| &topic.partitions).map(|partition| partition.replicas.len()).sum();
        let most = REPLICAS_A_BROKER.saturating_mul(image.brokers.len());
        Self { partitions: PARTITIONS_A_REQUEST, replicas: most.saturating_sub(held) }
    }

    fn take(&mut self, count: usize, copies: usize) -> Result<(), Refused> {
        let refused = |message| (ErrorCode::PolicyViolation, message);
        let partitions = self.partitions.checked_sub(count).ok_or_else(|| {
            refused(format!("one request makes at most {PARTITIONS_A_REQUEST} partitions; send several"))
        })?;
        let replicas = self.replicas.checked_sub(count.saturating_mul(copies)).ok_or_else(|| {
            let left = self.replicas;
            refused(format!("a broker holds at most {REPLICAS_A_BROKER} replicas, and the cluster has room for {left}"))
        })?;
        (self.partitions, self.replicas) = (partitions, replicas);
        Ok(())
    }
}

/// What a client is told of a topic it made: its numbers, and every setting as it will be.
fn created(
    image: &Image,
    topic: &CreatableTopic,
    change: &TopicChange,
    id: Uuid,
    fixed: &Settings,
) -> CreatableTopicResult {
    let node = image.brokers.keys().next().copied().unwrap_or(-1);
    let broker = image.broker_settings(node, fixed);
    let own: Settings =
        topic.configs.iter().filter_map(|config| Some((config.name.clone(), config.value.clone()?))).collect();
    let config = |def: &'static crate::config::ConfigDef| {
        let first = topic_values(def, &own, &broker).into_iter().next();
        CreatableTopicConfigs {
            name: def.name.to_owned(),
            config_source: first.as_ref().map_or(Source::Default, |first| first.source).number(),
            value: first.and_then(|first| first.value),
            read_only: false,
            is_sensitive: false,
        }
    };
    CreatableTopicResult {
        name: topic.name.clone(),
        topic_id: id,
        error_code: 0,
        error_message: None,
        num_partitions: i32::try_from(change.partitions.len()).unwrap_or(i32::MAX),
        replication_factor: change
            .partitions
            .first()
            .map_or(-1, |partition| i16::try_from(partition.replicas.len()).unwrap_or(i16::MAX)),
        configs: Some(table::TOPIC.iter().map(config).collect()),
        ..CreatableTopicResult::default()
    }
}

/// What is named more than once.
pub(super) fn doubled<T: Ord + Copy>(names: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}
