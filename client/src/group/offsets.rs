//! Offsets of a group: what it has committed, and commits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use highwater_protocol::message::{OffsetCommitRequest, OffsetFetchRequest};
use tokio::time::Instant;

use super::{Commit, Group, GroupProtocol, Identity, Owned, TopicPartition};
use crate::coordinator::Backoff;
use crate::error::{Error, Kind, Result, checked};
use crate::record::ConsumerRecord;

/// How long a commit or a look-up is tried.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// The last versions that name topics.
const NAMED: i16 = 9;

/// Where a group goes on in a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OffsetAndMetadata {
    /// The next record that the group wants.
    pub offset: i64,
    /// The epoch of the record before it, where it is known.
    pub leader_epoch: Option<i32>,
    /// Whatever the user wants to remember with it.
    pub metadata: String,
}

impl OffsetAndMetadata {
    /// An offset alone.
    pub fn new(offset: i64) -> Self {
        Self { offset, leader_epoch: None, metadata: String::new() }
    }

    /// What is due when a record is done with.
    pub fn after(record: &ConsumerRecord) -> Self {
        let leader_epoch = (record.leader_epoch >= 0).then_some(record.leader_epoch);
        Self { offset: record.offset.saturating_add(1), leader_epoch, metadata: String::new() }
    }

    fn of((offset, epoch): (i64, i32)) -> Self {
        Self { offset, leader_epoch: (epoch >= 0).then_some(epoch), metadata: String::new() }
    }
}

type Offsets = BTreeMap<TopicPartition, OffsetAndMetadata>;

impl Group {
    /// What was handed over.
    pub(crate) fn delivered(&self) -> Offsets {
        let partitions = self.shared.partitions.lock();
        let known = partitions.iter().filter(|one| one.is_ours && one.delivered >= 0);
        let offset = |one: &super::Assigned| OffsetAndMetadata::of((one.delivered, one.leader_epoch));
        known.map(|one| (TopicPartition::new(&*one.topic, one.partition), offset(one))).collect()
    }

    /// What the user is done with and is not committed.
    pub(super) fn due(&self, of: &Owned) -> Offsets {
        let partitions = self.shared.partitions.lock();
        let due = partitions.iter().filter(|one| one.is_ours && one.done.0 >= 0 && one.done.0 != one.committed);
        let due = due.map(|one| (TopicPartition::new(&*one.topic, one.partition), OffsetAndMetadata::of(one.done)));
        due.filter(|(partition, _)| of.contains(partition)).collect()
    }

    /// Commits from time to time what the user is done with, if that is wanted.
    pub(crate) async fn commit_by_interval(self: Arc<Self>) {
        let Commit::Auto(interval) = self.settings.commit else { return };
        loop {
            tokio::time::sleep(interval).await;
            if let Err(error) = self.commit(self.due(&self.owned()), true).await {
                tracing::warn!(%error, "committing");
            }
        }
    }

    /// Commits, and tries again what may succeed later. Of partitions that went meanwhile nothing is committed: their new owners
    /// do. That is an error, unless `lenient`.
    pub(crate) async fn commit(&self, offsets: Offsets, lenient: bool) -> Result<()> {
        self.commit_within(offsets, lenient, TIMEOUT).await
    }

    pub(super) async fn commit_within(&self, mut offsets: Offsets, lenient: bool, within: Duration) -> Result<()> {
        let (deadline, mut backoff) = (Instant::now() + within, Backoff::new());
        let waited = tokio::time::timeout_at(deadline, self.committing.lock()).await;
        let late = || format!("committing of group {}: earlier commits are not over", self.settings.group);
        let _one_at_a_time = waited.map_err(|_| Error::new(Kind::TimedOut, late()))?;
        loop {
            // In this order: who is somebody else by the time of the commit is refused.
            let identity = self.identity.lock().clone();
            let owned = self.owned();
            if let Some((gone, _)) = offsets.iter().find(|(one, _)| !owned.contains(one))
                && !lenient
            {
                let group = &self.settings.group;
                let message =
                    format!("{gone} is not assigned to this consumer: its offset of group {group} is another's");
                return Err(Error::new(Kind::Lost, message));
            }
            offsets.retain(|one, _| owned.contains(one));
            if offsets.is_empty() {
                return Ok(());
            }
            let Err(error) = self.commit_once(&identity, &offsets, within).await else { return Ok(()) };
            // The group went on; this consumer is about to learn it, or has learnt it while it asked.
            let is_behind = match error.code() {
                Some(ErrorCode::StaleMemberEpoch | ErrorCode::RebalanceInProgress) => true,
                Some(ErrorCode::IllegalGeneration | ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch) => {
                    identity.epoch < 0 || identity != *self.identity.lock()
                }
                _ => false,
            };
            // A topic that is not there will hardly come back with what was read of it.
            let may_pass = error.is_retriable() && error.code() != Some(ErrorCode::UnknownTopicOrPartition);
            if !(is_behind || may_pass) || Instant::now() >= deadline {
                return Err(error);
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn commit_once(&self, identity: &Identity, offsets: &Offsets, within: Duration) -> Result<()> {
        if identity.epoch < 0 {
            // A group without members would take it from anybody. What this consumer has is about to be lost.
            let what = format!("committing of group {}", self.settings.group);
            return Err(Error::broker(ErrorCode::UnknownMemberId, &what, None));
        }
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (one, offset) in offsets {
            topics.entry(&one.topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: one.partition,
                committed_offset: offset.offset,
                committed_leader_epoch: offset.leader_epoch.unwrap_or(-1),
                committed_metadata: Some(offset.metadata.clone()),
                ..OffsetCommitRequestPartition::default()
            });
        }
        let topic = |(name, partitions): (&str, _)| OffsetCommitRequestTopic {
            name: name.to_owned(),
            partitions,
            ..OffsetCommitRequestTopic::default()
        };
        let request = OffsetCommitRequest {
            group_id: self.settings.group.clone(),
            generation_id_or_member_epoch: identity.epoch,
            member_id: identity.member.clone(),
            group_instance_id: self.settings.instance.clone(),
            topics: topics.into_iter().map(topic).collect(),
            ..OffsetCommitRequest::default()
        };
        let first = |response: &highwater_protocol::message::OffsetCommitResponse| {
            response.topics.first().and_then(|topic| topic.partitions.first()).map(|one| one.error_code)
        };
        let response = self.offsets.call(&request, NAMED, Some(within), first).await?;
        for topic in &response.topics {
            for one in &topic.partitions {
                let what =
                    || format!("committing {}-{} of group {}", topic.name, one.partition_index, self.settings.group);
                checked(one.error_code, what, None)?;
            }
        }
        for one in self.shared.partitions.lock().iter_mut().filter(|one| one.is_ours) {
            if let Some(offset) = offsets.get(&TopicPartition::new(&*one.topic, one.partition)) {
                one.committed = offset.offset;
            }
        }
        Ok(())
    }

    /// What the group has committed of some partitions.
    pub(crate) async fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        let (deadline, mut backoff) = (Instant::now() + TIMEOUT, Backoff::new());
        loop {
            let error = match self.committed_once(partitions).await {
                Err(error) => error,
                found => return found,
            };
            let may_pass = error.is_retriable() || error.code() == Some(ErrorCode::StaleMemberEpoch);
            if !may_pass || Instant::now() >= deadline {
                return Err(error);
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn committed_once(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        let identity = self.identity.lock().clone();
        let is_reconciled = self.settings.protocol == GroupProtocol::Consumer && identity.epoch > 0;
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for one in partitions {
            topics.entry(&one.topic).or_default().push(one.partition);
        }
        let topic = |(name, partition_indexes): (&str, _)| OffsetFetchRequestTopics {
            name: name.to_owned(),
            partition_indexes,
            ..OffsetFetchRequestTopics::default()
        };
        let group = OffsetFetchRequestGroup {
            group_id: self.settings.group.clone(),
            member_id: is_reconciled.then_some(identity.member),
            member_epoch: if is_reconciled { identity.epoch } else { -1 },
            topics: Some(topics.into_iter().map(topic).collect()),
        };
        let request = OffsetFetchRequest { groups: vec![group], require_stable: true, ..OffsetFetchRequest::default() };
        let code = |response: &highwater_protocol::message::OffsetFetchResponse| {
            response.groups.first().map(|group| group.error_code)
        };
        let response = self.offsets.call(&request, NAMED, None, code).await?;
        let what = || format!("looking up the offsets of group {}", self.settings.group);
        let mut found = Offsets::new();
        for group in response.groups {
            checked(group.error_code, what, None)?;
            for topic in group.topics {
                for one in topic.partitions {
                    checked(one.error_code, what, None)?;
                    if one.committed_offset >= 0 {
                        let mut offset = OffsetAndMetadata::of((one.committed_offset, one.committed_leader_epoch));
                        offset.metadata = one.metadata.unwrap_or_default();
                        found.insert(TopicPartition::new(topic.name.clone(), one.partition_index), offset);
                    }
                }
            }
        }
        Ok(found)
    }
}
