//! Topics: create, delete, list, describe, grow, trim.

use std::collections::BTreeMap;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::create_partitions_request::{CreatePartitionsRequest, CreatePartitionsTopic};
use highwater_protocol::message::create_topics_request::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use highwater_protocol::message::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use highwater_protocol::message::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use uuid::Uuid;

use super::{Admin, TIMEOUT_MS};
use crate::cluster::Topic;
use crate::error::{Error, Kind, Result, checked};

/// A topic to be created.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct NewTopic {
    name: String,
    partitions: i32,
    replication: i16,
    configs: Vec<(String, String)>,
}

impl NewTopic {
    /// A topic with as many partitions and replicas as the broker gives by default.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), partitions: -1, replication: -1, configs: Vec::new() }
    }

    /// How many partitions.
    pub fn partitions(mut self, partitions: i32) -> Self {
        self.partitions = partitions;
        self
    }

    /// How many replicas of each.
    pub fn replication(mut self, replicas: i16) -> Self {
        self.replication = replicas;
        self
    }

    /// One of its settings.
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.configs.push((key.into(), value.into()));
        self
    }
}

impl Admin {
    /// Creates a topic, or only checks that it could be created.
    pub async fn create_topic(&self, topic: NewTopic, validate_only: bool) -> Result<()> {
        let name = topic.name.clone();
        let config = |(name, value)| CreatableTopicConfig { name, value: Some(value) };
        let topic = CreatableTopic {
            name: topic.name,
            num_partitions: topic.partitions,
            replication_factor: topic.replication,
            assignments: Vec::new(),
            configs: topic.configs.into_iter().map(config).collect(),
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: TIMEOUT_MS, validate_only };
        let response = self.client.call_controller(&request).await?;
        let result = response.topics.into_iter().next().ok_or_else(unanswered)?;
        checked(result.error_code, || format!("creating topic {name}"), result.error_message.as_deref())
    }

    /// Deletes a topic.
    pub async fn delete_topic(&self, name: &str) -> Result<()> {
        let state = DeleteTopicState { name: Some(name.to_owned()), topic_id: Uuid::nil() };
        let request = DeleteTopicsRequest { topics: vec![state], topic_names: Vec::new(), timeout_ms: TIMEOUT_MS };
        let response = self.client.call_controller(&request).await?;
        let result = response.responses.into_iter().next().ok_or_else(unanswered)?;
        checked(result.error_code, || format!("deleting topic {name}"), result.error_message.as_deref())
    }

    /// All topics, by name.
    pub async fn list_topics(&self) -> Result<Vec<Topic>> {
        let (metadata, _) = self.client.refresh(None, false).await?;
        let mut topics: Vec<Topic> = metadata.topics.into_values().collect();
        topics.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(topics)
    }

    /// One topic.
    pub async fn describe_topic(&self, name: &str) -> Result<Topic> {
        let (mut metadata, errors) = self.client.refresh(Some(&[name]), false).await?;
        let missing = || {
            let code = errors.first().map_or(ErrorCode::UnknownTopicOrPartition, |(_, code)| *code);
            Error::broker(code, &format!("topic {name}"), None)
        };
        metadata.topics.remove(name).ok_or_else(missing)
    }

    /// Gives a topic more partitions: `total` of them.
    pub async fn create_partitions(&self, name: &str, total: i32, validate_only: bool) -> Result<()> {
        let topic = CreatePartitionsTopic { name: name.to_owned(), count: total, assignments: None };
        let request = CreatePartitionsRequest { topics: vec![topic], timeout_ms: TIMEOUT_MS, validate_only };
        let response = self.client.call_controller(&request).await?;
        let result = response.results.into_iter().next().ok_or_else(unanswered)?;
        checked(result.error_code, || format!("adding partitions to {name}"), result.error_message.as_deref())
    }

    /// Deletes the records of partitions below offsets; -1 is the end. Where each log starts then.
    pub async fn delete_records(&self, name: &str, before: &[(i32, i64)]) -> Result<Vec<(i32, i64)>> {
        let topic = self.describe_topic(name).await?;
        let mut leaders: BTreeMap<i32, Vec<DeleteRecordsPartition>> = BTreeMap::new();
        for (partition, offset) in before {
            let leader = topic.leader_of(*partition)?;
            let wanted = DeleteRecordsPartition { partition_index: *partition, offset: *offset };
            leaders.entry(leader).or_default().push(wanted);
        }
        let mut starts = Vec::new();
        for (leader, partitions) in leaders {
            let topics = vec![DeleteRecordsTopic { name: name.to_owned(), partitions }];
            let response = self.client.call(leader, &DeleteRecordsRequest { topics, timeout_ms: TIMEOUT_MS }).await?;
            for result in response.topics.into_iter().flat_map(|topic| topic.partitions) {
                let index = result.partition_index;
                checked(result.error_code, || format!("deleting records of {name}-{index}"), None)?;
                starts.push((index, result.low_watermark));
            }
        }
        starts.sort_unstable();
        Ok(starts)
    }
}

impl Topic {
    /// Who leads a partition.
    pub(crate) fn leader_of(&self, partition: i32) -> Result<i32> {
        let found = self.partitions.iter().find(|known| known.index == partition);
        let count = self.partitions.len();
        let missing = || {
            let message = format!("topic {} has {count} partitions: there is no partition {partition}", self.name);
            Error::new(Kind::Config, message)
        };
        let leader = found.ok_or_else(missing)?.leader;
        if leader < 0 {
            return Err(Error::broker(ErrorCode::LeaderNotAvailable, &format!("{}-{partition}", self.name), None));
        }
        Ok(leader)
    }
}

/// An answer without the one thing that was asked for.
pub(super) fn unanswered() -> Error {
    Error::new(Kind::Protocol, "the broker answered without a result")
}
