//! The offsets that groups have committed: a fold of the log.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::coordinator_record::{OffsetCommitKey, OffsetCommitValue};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::Timestamp;
use highwater_protocol::message::OffsetCommitRequest;
use highwater_protocol::message::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use highwater_protocol::message::offset_fetch_request::OffsetFetchRequestGroup;
use highwater_protocol::message::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use uuid::Uuid;

use super::ReportedOffset;
use super::classic::{ClassicGroup, State};
use super::records::Change;
use crate::controller::image::Image;

type OfTopic = BTreeMap<i32, OffsetCommitValue>;
type OfGroup = BTreeMap<String, OfTopic>;

/// By group, topic and partition. Groups and topics without an offset are not in it.
#[derive(Default, Debug)]
pub(super) struct Offsets(BTreeMap<String, OfGroup>);

impl Offsets {
    pub(super) fn fold(&mut self, key: OffsetCommitKey, value: Option<OffsetCommitValue>) {
        if let Some(value) = value {
            self.0.entry(key.group).or_default().entry(key.topic).or_default().insert(key.partition, value);
            return;
        }
        let Some(group) = self.0.get_mut(&key.group) else { return };
        let Some(topic) = group.get_mut(&key.topic) else { return };
        topic.remove(&key.partition);
        if topic.is_empty() {
            group.remove(&key.topic);
        }
        if group.is_empty() {
            self.0.remove(&key.group);
        }
    }

    /// The groups that have offsets.
    pub(super) fn groups(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// All of them, as records.
    pub(super) fn all(&self) -> impl Iterator<Item = Change> {
        self.0.keys().flat_map(|group| self.of(group)).map(|(key, value)| Change::offset(&key, Some(value)))
    }

    fn of<'a>(&'a self, group: &'a str) -> impl Iterator<Item = (OffsetCommitKey, &'a OffsetCommitValue)> {
        let topics = self.0.get(group).into_iter().flatten();
        topics.flat_map(move |(topic, partitions)| {
            partitions.iter().map(move |(partition, value)| (key(group, topic, *partition), value))
        })
    }

    /// What is committed of what a request names, or of everything.
    pub(super) fn fetch(&self, request: &OffsetFetchRequestGroup, image: &Image) -> OffsetFetchResponseGroup {
        let group = self.0.get(&request.group_id);
        let found = |topic: &str, partition: i32| {
            let value = group.and_then(|group| group.get(topic)?.get(&partition));
            // Of a topic of that name that was deleted since, nothing counts.
            value.filter(|value| {
                value.topic_id.is_nil() || image.topic(topic).is_some_and(|now| now.id == value.topic_id)
            })
        };
        let topics = match &request.topics {
            Some(topics) => topics
                .iter()
                .map(|topic| {
                    let partition = |index: &i32| fetched(*index, found(&topic.name, *index));
                    OffsetFetchResponseTopics {
                        name: topic.name.clone(),
                        topic_id: topic.topic_id,
                        partitions: topic.partition_indexes.iter().map(partition).collect(),
                    }
                })
                .collect(),
            None => group
                .into_iter()
                .flatten()
                .map(|(name, partitions)| {
                    let all = partitions.keys().filter_map(|index| Some(fetched(*index, Some(found(name, *index)?))));
                    OffsetFetchResponseTopics {
                        name: name.clone(),
                        topic_id: image.topic(name).map_or(Uuid::nil(), |topic| topic.id),
                        partitions: all.collect(),
                    }
                })
                .filter(|topic| !topic.partitions.is_empty())
                .collect(),
        };
        OffsetFetchResponseGroup { group_id: request.group_id.clone(), topics, ..OffsetFetchResponseGroup::default() }
    }

    /// What a group has committed in topics that there are.
    pub(super) fn report(&self, group: &str, image: &Image) -> Vec<ReportedOffset> {
        let is_there = |topic: &str, id: Uuid| image.topic(topic).is_some_and(|now| id.is_nil() || now.id == id);
        self.of(group)
            .filter(|(key, value)| is_there(&key.topic, value.topic_id))
            .map(|(key, value)| ReportedOffset { topic: key.topic, partition: key.partition, committed: value.offset })
            .collect()
    }

    /// Tombstones for all offsets of a group.
    pub(super) fn forget_group(&self, group: &str) -> Vec<Change> {
        self.of(group).map(|(key, _)| Change::offset(&key, None)).collect()
    }

    /// A tombstone for an offset, if it is there.
    pub(super) fn forget(&self, group: &str, topic: &str, partition: i32) -> Option<Change> {
        self.0.get(group)?.get(topic)?.get(&partition)?;
        Some(Change::offset(&key(group, topic, partition), None))
    }

    /// Tombstones for the offsets of a topic that is gone, at most so many.
    pub(super) fn forget_topic(&self, topic: &str, id: Uuid, most: usize) -> Vec<Change> {
        let of_topic = self.0.iter().filter_map(|(group, topics)| Some((group, topics.get(topic)?)));
        let all = of_topic.flat_map(|(group, partitions)| {
            let gone = partitions.iter().filter(|(_, value)| value.topic_id.is_nil() || value.topic_id == id);
            gone.map(move |(partition, _)| Change::offset(&key(group, topic, *partition), None))
        });
        all.take(most).collect()
    }

    /// Tombstones for the offsets of a group that nobody has needed for as long as they are kept, at most so many; and whether
    /// it has none then.
    pub(super) fn expired(
        &self,
        id: &str,
        since: &Since,
        wall: Timestamp,
        kept_ms: i64,
        most: usize,
    ) -> (Vec<Change>, bool) {
        let (mut expired, mut kept) = (Vec::new(), 0);
        for (key, value) in self.of(id) {
            let base = match since {
                Since::Commit => Some(value.commit_timestamp),
                Since::Deserted(at) => Some(if *at == -1 { value.commit_timestamp } else { *at }),
                Since::Unsubscribed(subscribed) => (!subscribed.contains(&key.topic)).then_some(value.commit_timestamp),
            };
            let is_over = base.is_some_and(|base| match value.expire_timestamp {
                -1 => wall.0.saturating_sub(base) >= kept_ms,
                until => wall.0 >= until,
            });
            if is_over && expired.len() < most {
                expired.push(Change::offset(&key, None));
            } else {
                kept += 1;
            }
        }
        (expired, kept == 0)
    }
}

/// From when on the offsets of a group grow old.
pub(super) enum Since {
    /// Each from its commit: nobody subscribes in this group.
    Commit,
    /// All from when the last member left.
    Deserted(i64),
    /// Those of topics to which nobody subscribes, each from its commit.
    Unsubscribed(BTreeSet<String>),
}

impl Since {
    /// `None`: they do not.
    pub(super) fn of(group: &ClassicGroup) -> Option<Self> {
        if group.protocol_type().is_none() {
            return Some(Self::Commit);
        }
        if group.state() == State::Empty {
            return Some(Self::Deserted(group.state_since().0));
        }
        group.subscribed_topics().map(Self::Unsubscribed)
    }
}

/// What a commit comes to: an answer for each partition, and a record for each that is taken.
pub(super) fn commit(
    request: &OffsetCommitRequest,
    verdict: ErrorCode,
    wall: Timestamp,
    metadata_max_bytes: usize,
) -> (Vec<OffsetCommitResponseTopic>, Vec<Change>) {
    let mut changes = Vec::new();
    let expire_timestamp =
        if request.retention_time_ms == -1 { -1 } else { wall.0.saturating_add(request.retention_time_ms) };
    let mut topics = Vec::new();
    for topic in &request.topics {
        let mut partitions = Vec::new();
        for partition in &topic.partitions {
            let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
            let code = match verdict {
                ErrorCode::None if metadata.len() > metadata_max_bytes => ErrorCode::OffsetMetadataTooLarge,
                verdict => verdict,
            };
            if code == ErrorCode::None {
                let value = OffsetCommitValue {
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: metadata.to_owned(),
                    commit_timestamp: wall.0,
                    expire_timestamp,
                    topic_id: topic.topic_id,
                };
                changes.push(Change::offset(
                    &key(&request.group_id, &topic.name, partition.partition_index),
                    Some(&value),
                ));
            }
            partitions.push(OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: code.number(),
            });
        }
        topics.push(OffsetCommitResponseTopic { name: topic.name.clone(), topic_id: topic.topic_id, partitions });
    }
    (topics, changes)
}

fn key(group: &str, topic: &str, partition: i32) -> OffsetCommitKey {
    OffsetCommitKey { group: group.to_owned(), topic: topic.to_owned(), partition }
}

fn fetched(partition_index: i32, value: Option<&OffsetCommitValue>) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: value.map_or(-1, |value| value.offset),
        committed_leader_epoch: value.map_or(-1, |value| value.leader_epoch),
        metadata: Some(value.map(|value| value.metadata.clone()).unwrap_or_default()),
        ..OffsetFetchResponsePartitions::default()
    }
}
