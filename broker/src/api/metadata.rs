//! Metadata (key 3), versions 0 to 13: brokers, topics, leaders. A topic that does not exist is made where the broker's
//! `auto.create.topics.enable` and the request allow it. Ids come from version 10 on, look-ups by id from 12 on.

use std::sync::Arc;
use std::time::Duration;

use highwater_core::controller::image::{Image, Partition, Topic};
use highwater_core::controller::topics::is_internal;
use highwater_core::controller::{Reply, Request};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::create_topics_request::CreatableTopic;
use highwater_protocol::message::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use highwater_protocol::message::{CreateTopicsRequest, MetadataRequest, MetadataResponse};

use super::{Answer, Asked};
use crate::shell::Shell;
use crate::turn::Turn;

/// How long a metadata request waits for a topic that it made to serve.
const CREATION: Duration = Duration::from_secs(5);

pub(crate) fn handle(asked: &Asked, request: MetadataRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
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

/// The names that no topic has.
fn missing(image: &Image, request: &MetadataRequest) -> Vec<String> {
    let names = request.topics.iter().flatten().filter_map(|topic| topic.name.clone());
    names.filter(|name| image.topic(name).is_none()).collect()
}

fn answer(asked: &Asked, image: &Image, request: &MetadataRequest) -> MetadataResponse {
    let shell = &asked.shell;
    // Version 0 has no null: there an empty list asks for all topics.
    let all = match &request.topics {
        None => true,
        Some(topics) => topics.is_empty() && asked.version == 0,
    };
    let topics = if all {
        image.topics().map(|topic| described(shell, topic)).collect()
    } else {
        request
            .topics
            .iter()
            .flatten()
            .map(|wanted| match &wanted.name {
                Some(name) => image.topic(name).map_or_else(|| unknown(name), |topic| described(shell, topic)),
                None => image.topic_by_id(wanted.topic_id).map_or_else(
                    || MetadataResponseTopic {
                        error_code: ErrorCode::UnknownTopicId.number(),
                        topic_id: wanted.topic_id,
                        name: if asked.version >= 12 { None } else { Some(String::new()) },
                        ..MetadataResponseTopic::default()
                    },
                    |topic| described(shell, topic),
                ),
            })
            .collect()
    };
    MetadataResponse {
        brokers: brokers(image),
        cluster_id: Some(image.cluster_id.to_string()),
        controller_id: shell.node.identity().node_id,
        topics,
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

fn unknown(name: &str) -> MetadataResponseTopic {
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let legal = !name.is_empty() && name.len() <= 249 && name != "." && name != ".." && name.chars().all(is_legal);
    let code = if legal { ErrorCode::UnknownTopicOrPartition } else { ErrorCode::InvalidTopicException };
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
        match shell.node.data(topic.id, partition).and_then(|replica| replica.serving()) {
            Some(serving) => {
                Self { error: ErrorCode::None, node_id: shell.node.identity().node_id, epoch: serving.epoch.0 }
            }
            None => Self { error: ErrorCode::LeaderNotAvailable, node_id: -1, epoch: -1 },
        }
    }
}
