//! Metadata (key 3), versions 0 to 13: brokers, topics, leaders. A topic that does not exist is made where the broker's
//! `auto.create.topics.enable` and the request allow it. Ids come from version 10 on, look-ups by id from 12 on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use highwater_core::controller::image::{Image, Partition, Topic};
use highwater_core::controller::topics::{check_legal, is_internal};
use highwater_core::controller::{Reply, Request};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::create_topics_request::CreatableTopic;
use highwater_protocol::message::metadata_request::MetadataRequestTopic;
use highwater_protocol::message::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use highwater_protocol::message::{CreateTopicsRequest, MetadataRequest, MetadataResponse};

use super::{Answer, Asked};
use crate::shell::Shell;
use crate::turn::Turn;

/// From this version on a topic may be looked up by its id.
const BY_ID: i16 = 12;
/// What may be done with a topic, as a bit for each of Kafka's operations: everything, as long as nobody is kept from anything.
pub(super) const TOPIC_OPERATIONS: i32 = 3576;
/// What may be done with the cluster.
pub(super) const CLUSTER_OPERATIONS: i32 = 8096;
/// How long a metadata request waits for a topic that it made to serve.
const CREATION: Duration = Duration::from_secs(5);

pub(crate) fn handle(asked: &Asked, request: MetadataRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    if let Some(refused) = without_look_ups(asked, &request) {
        return asked.now(&refused);
    }
    let image = shell.image();
    let wanted = missing(&image, &request);
    let may_create = request.allow_auto_topic_creation || asked.version < 4;
    if wanted.is_empty() || !may_create || shell.setting("auto.create.topics.enable") != "true" {
        return asked.now(&answer(asked, &image, &request));
    }
    let ids = wanted.iter().map(|_| shell.node.draw_id()).collect();
    let topic =
        |name: String| CreatableTopic { name, num_partitions: -1, replication_factor: -1, ..Default::default() };
    let create = CreateTopicsRequest { topics: wanted.into_iter().map(topic).collect(), ..Default::default() };
    let fixed = Arc::clone(shell.node.static_config());
    let created =
        shell.node.controller().submit(Request::CreateTopics { request: create, ids, fixed }, shell.clock(), turn);
    let asked_again = asked.clone();
    asked.later(async move {
        let shell = &asked_again.shell;
        if let Ok(Reply::CreateTopics(created)) = created.await {
            shell.nudges.ticker.nudge();
            for topic in created.topics.iter().filter(|topic| topic.error_code == 0) {
                let serving = shell.node.when_serving(topic.topic_id, topic.num_partitions);
                // What does not serve in time says so, partition by partition.
                drop(tokio::time::timeout(CREATION, serving).await);
            }
        }
        answer(&asked_again, &shell.image(), &request)
    })
}

/// Versions 10 and 11 have room for an id, and no look-up by it: Kafka refuses such a request as a whole.
fn without_look_ups(asked: &Asked, request: &MetadataRequest) -> Option<MetadataResponse> {
    let topics = request.topics.as_ref()?;
    if asked.version >= BY_ID || topics.iter().all(|topic| topic.name.is_some() && topic.topic_id.is_nil()) {
        return None;
    }
    let refused = |topic: &MetadataRequestTopic| MetadataResponseTopic {
        error_code: ErrorCode::InvalidRequest.number(),
        name: Some(topic.name.clone().unwrap_or_default()),
        topic_id: topic.topic_id,
        ..MetadataResponseTopic::default()
    };
    Some(MetadataResponse { topics: topics.iter().map(refused).collect(), ..MetadataResponse::default() })
}

/// The names that no topic has. Where an id is given, it counts alone.
fn missing(image: &Image, request: &MetadataRequest) -> Vec<String> {
    let named = request.topics.iter().flatten().filter(|topic| topic.topic_id.is_nil());
    let names: BTreeSet<&String> = named.filter_map(|topic| topic.name.as_ref()).collect();
    names.into_iter().filter(|name| image.topic(name).is_none()).cloned().collect()
}

fn answer(asked: &Asked, image: &Image, request: &MetadataRequest) -> MetadataResponse {
    let shell = &asked.shell;
    // Version 0 has no null: there an empty list asks for all topics.
    let all = match &request.topics {
        None => true,
        Some(topics) => topics.is_empty() && asked.version == 0,
    };
    let mut topics: Vec<MetadataResponseTopic> = if all {
        image.topics().map(|topic| described(shell, topic)).collect()
    } else {
        let mut seen = BTreeSet::new();
        let wanted = request.topics.iter().flatten().map(|wanted| one(shell, image, wanted));
        // A topic that is asked for twice, by whatever means, is told of once.
        wanted.filter(|topic| seen.insert((topic.name.clone(), topic.topic_id))).collect()
    };
    if request.include_topic_authorized_operations {
        let known = topics.iter_mut().filter(|topic| topic.error_code == 0);
        known.for_each(|topic| topic.topic_authorized_operations = TOPIC_OPERATIONS);
    }
    MetadataResponse {
        brokers: brokers(image),
        cluster_id: Some(image.cluster_id.to_string()),
        controller_id: shell.node.identity().node_id,
        topics,
        cluster_authorized_operations: if request.include_cluster_authorized_operations {
            CLUSTER_OPERATIONS
        } else {
            MetadataResponse::default().cluster_authorized_operations
        },
        ..MetadataResponse::default()
    }
}

fn brokers(image: &Image) -> Vec<MetadataResponseBroker> {
    let broker = |broker: &highwater_core::controller::image::Broker| {
        let listener = broker.listeners.first()?;
        Some(MetadataResponseBroker {
            node_id: broker.node_id,
            host: listener.host.clone(),
            port: i32::from(listener.port),
            rack: broker.rack.clone(),
        })
    };
    image.brokers.values().filter_map(broker).collect()
}

fn one(shell: &Shell, image: &Image, wanted: &MetadataRequestTopic) -> MetadataResponseTopic {
    match &wanted.name {
        Some(name) if wanted.topic_id.is_nil() => {
            image.topic(name).map_or_else(|| unknown(name), |topic| described(shell, topic))
        }
        _ => image.topic_by_id(wanted.topic_id).map_or_else(
            || MetadataResponseTopic {
                error_code: ErrorCode::UnknownTopicId.number(),
                topic_id: wanted.topic_id,
                name: None,
                ..MetadataResponseTopic::default()
            },
            |topic| described(shell, topic),
        ),
    }
}

fn unknown(name: &str) -> MetadataResponseTopic {
    let code = check_legal(name).err().map_or(ErrorCode::UnknownTopicOrPartition, |(code, _)| code);
    MetadataResponseTopic { error_code: code.number(), name: Some(name.to_owned()), ..MetadataResponseTopic::default() }
}

fn described(shell: &Shell, topic: &Topic) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: 0,
        name: Some(topic.name.clone()),
        topic_id: topic.id,
        is_internal: is_internal(&topic.name),
        partitions: topic.partitions.iter().map(|partition| led(shell, topic, partition)).collect(),
        ..MetadataResponseTopic::default()
    }
}

fn led(shell: &Shell, topic: &Topic, partition: &Partition) -> MetadataResponsePartition {
    let nodes: Vec<i32> = partition.replicas.iter().map(|replica| replica.node_id).collect();
    let leader = Leader::of(shell, topic, partition.index);
    MetadataResponsePartition {
        error_code: leader.error.number(),
        partition_index: partition.index,
        leader_id: leader.node_id,
        leader_epoch: leader.epoch,
        isr_nodes: if leader.error.is_none() { nodes.clone() } else { Vec::new() },
        offline_replicas: if leader.error.is_none() { Vec::new() } else { nodes.clone() },
        replica_nodes: nodes,
    }
}

/// Who leads a partition, as far as this node knows.
pub(super) struct Leader {
    pub(super) error: ErrorCode,
    pub(super) node_id: i32,
    pub(super) epoch: i32,
}

impl Leader {
    pub(super) fn of(shell: &Shell, topic: &Topic, partition: i32) -> Self {
        match shell.node.partition(topic.id, partition).and_then(|partition| partition.serving()) {
            Some(serving) => {
                Self { error: ErrorCode::None, node_id: shell.node.identity().node_id, epoch: serving.epoch.0 }
            }
            None => Self { error: ErrorCode::LeaderNotAvailable, node_id: -1, epoch: -1 },
        }
    }
}
