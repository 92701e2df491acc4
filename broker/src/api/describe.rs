//! What there is: DescribeCluster (60), DescribeLogDirs (35), DescribeTopicPartitions (75).

use std::collections::{BTreeMap, BTreeSet};

use highwater_core::controller::topics::{check_legal, is_internal};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::describe_cluster_response::DescribeClusterBroker;
use highwater_protocol::message::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use highwater_protocol::message::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use highwater_protocol::message::{
    DescribeClusterRequest, DescribeClusterResponse, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
};

use super::metadata::{CLUSTER_OPERATIONS, Leader, TOPIC_OPERATIONS};
use super::{Answer, Asked};

/// Partitions that one DescribeTopicPartitions answers at the most, as in Kafka.
const PARTITIONS: usize = 2000;

pub(crate) fn cluster(asked: &Asked, request: &DescribeClusterRequest) -> Answer {
    let image = asked.shell.image();
    if request.endpoint_type != 1 {
        let (code, message) = match request.endpoint_type {
            2 => (
                ErrorCode::MismatchedEndpointType,
                "this is a broker's endpoint; controllers have none of their own here",
            ),
            _ => (ErrorCode::UnsupportedEndpointType, "unknown endpoint type"),
        };
        let body = DescribeClusterResponse {
            error_code: code.number(),
            error_message: Some(message.to_owned()),
            ..DescribeClusterResponse::default()
        };
        return asked.now(&body);
    }
    let broker = |broker: &highwater_core::controller::image::Broker| {
        let listener = broker.listeners.first()?;
        Some(DescribeClusterBroker {
            broker_id: broker.node_id,
            host: listener.host.clone(),
            port: i32::from(listener.port),
            rack: broker.rack.clone(),
            is_fenced: false,
        })
    };
    let body = DescribeClusterResponse {
        cluster_id: image.cluster_id.to_string(),
        controller_id: asked.shell.node.identity().node_id,
        cluster_authorized_operations: if request.include_cluster_authorized_operations {
            CLUSTER_OPERATIONS
        } else {
            DescribeClusterResponse::default().cluster_authorized_operations
        },
        brokers: image.brokers.values().filter_map(broker).collect(),
        ..DescribeClusterResponse::default()
    };
    asked.now(&body)
}

pub(crate) fn log_dirs(asked: &Asked, request: &DescribeLogDirsRequest) -> Answer {
    let node = &asked.shell.node;
    let is_wanted = |topic: &str, partition: i32| match &request.topics {
        None => true,
        Some(topics) => topics.iter().any(|wanted| wanted.topic == topic && wanted.partitions.contains(&partition)),
    };
    let mut topics: BTreeMap<String, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for partition in node.partitions() {
        let key = partition.key();
        if is_wanted(&key.topic, key.partition) {
            topics.entry(key.topic.clone()).or_default().push(DescribeLogDirsPartition {
                partition_index: key.partition,
                partition_size: i64::try_from(partition.reader().bytes()).unwrap_or(i64::MAX),
                ..DescribeLogDirsPartition::default()
            });
        }
    }
    let space = node.store().check_space();
    let bytes = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let result = DescribeLogDirsResult {
        log_dir: node.data_dir().display().to_string(),
        topics: topics.into_iter().map(|(name, partitions)| DescribeLogDirsTopic { name, partitions }).collect(),
        total_bytes: bytes(space.total),
        usable_bytes: bytes(space.free),
        ..DescribeLogDirsResult::default()
    };
    asked.now(&DescribeLogDirsResponse { results: vec![result], ..DescribeLogDirsResponse::default() })
}

pub(crate) fn topic_partitions(asked: &Asked, request: &DescribeTopicPartitionsRequest) -> Answer {
    let image = asked.shell.image();
    let names: BTreeSet<String> = if request.topics.is_empty() {
        image.topics().map(|topic| topic.name.clone()).collect()
    } else {
        request.topics.iter().map(|topic| topic.name.clone()).collect()
    };
    let is_named = !request.topics.is_empty();
    if let Some(cursor) = &request.cursor
        && (cursor.partition_index < 0 || is_named && !names.contains(&cursor.topic_name))
    {
        let refused = |name| failed(name, ErrorCode::InvalidRequest);
        let topics = names.into_iter().filter(|_| is_named).map(refused).collect();
        return asked.now(&DescribeTopicPartitionsResponse { topics, ..DescribeTopicPartitionsResponse::default() });
    }
    let limit = usize::try_from(request.response_partition_limit).unwrap_or(0).clamp(1, PARTITIONS);
    let (from_name, from_index) = match &request.cursor {
        Some(cursor) => (cursor.topic_name.clone(), usize::try_from(cursor.partition_index).unwrap_or(0)),
        None => (String::new(), 0),
    };
    let mut body = DescribeTopicPartitionsResponse::default();
    let mut room = limit;
    for name in names.into_iter().filter(|name| *name >= from_name) {
        let first = if name == from_name { from_index } else { 0 };
        if room == 0 {
            body.next_cursor = Some(Cursor { topic_name: name, partition_index: i32::try_from(first).unwrap_or(0) });
            break;
        }
        let Some(topic) = image.topic(&name) else {
            let code = check_legal(&name).err().map_or(ErrorCode::UnknownTopicOrPartition, |(code, _)| code);
            let topic_authorized_operations = TOPIC_OPERATIONS;
            body.topics
                .push(DescribeTopicPartitionsResponseTopic { topic_authorized_operations, ..failed(name, code) });
            continue;
        };
        let partitions: Vec<_> = topic.partitions.iter().skip(first).take(room).collect();
        let next = first + partitions.len();
        room -= partitions.len();
        let described = partitions.into_iter().map(|partition| {
            let nodes: Vec<i32> = partition.replicas.iter().map(|replica| replica.node_id).collect();
            let leader = Leader::of(&asked.shell, topic, partition.index);
            DescribeTopicPartitionsResponsePartition {
                error_code: leader.error.number(),
                partition_index: partition.index,
                leader_id: leader.node_id,
                leader_epoch: leader.epoch,
                isr_nodes: if leader.error.is_none() { nodes.clone() } else { Vec::new() },
                eligible_leader_replicas: Some(Vec::new()),
                last_known_elr: Some(Vec::new()),
                offline_replicas: if leader.error.is_none() { Vec::new() } else { nodes.clone() },
                replica_nodes: nodes,
            }
        });
        body.topics.push(DescribeTopicPartitionsResponseTopic {
            error_code: 0,
            name: Some(name.clone()),
            topic_id: topic.id,
            is_internal: is_internal(&name),
            partitions: described.collect(),
            topic_authorized_operations: TOPIC_OPERATIONS,
        });
        if next < topic.partitions.len() {
            body.next_cursor = Some(Cursor { topic_name: name, partition_index: i32::try_from(next).unwrap_or(0) });
            break;
        }
    }
    asked.now(&body)
}

fn failed(name: String, code: ErrorCode) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: code.number(),
        name: Some(name),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}
