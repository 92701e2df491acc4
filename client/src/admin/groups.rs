//! Consumer groups: who is in them, what they have committed, and how to set it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::consumer_group_describe_response::Assignment;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::{
    ConsumerGroupDescribeRequest, DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest, OffsetCommitRequest,
    OffsetFetchRequest, Request, offset_fetch_request::OffsetFetchRequestGroup,
};

use super::{Admin, TIMEOUT_MS};
use crate::error::{Error, Kind, Result, checked};
use crate::group::subscription::decode_assignment;

/// Between two tries while a coordinator loads or moves.
const RETRY: Duration = Duration::from_millis(100);

/// A group, as a list shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GroupListing {
    /// Its id.
    pub group: String,
    /// As Kafka names it: Stable, Empty, PreparingRebalance, …
    pub state: String,
    /// `classic` or `consumer`.
    pub kind: String,
    /// `consumer`, `connect`, …; empty where nobody was ever in it.
    pub protocol_type: String,
}

/// A group and its members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupDescription {
    /// Its id.
    pub group: String,
    /// As Kafka names it.
    pub state: String,
    /// `consumer`, `connect`, …
    pub protocol_type: String,
    /// `classic` or `consumer`.
    pub kind: String,
    /// The assignor, once the group is stable.
    pub protocol: String,
    /// In the consumer protocol, the epoch of what members want, and the one that the assignment is made for.
    pub epochs: Option<(i32, i32)>,
    /// The broker that coordinates it.
    pub coordinator: i32,
    /// Who is in it.
    pub members: Vec<MemberDescription>,
}

/// A member of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberDescription {
    /// Its id.
    pub member: String,
    /// Its `group.instance.id`, if it is static.
    pub instance: Option<String>,
    /// What its client calls itself.
    pub client: String,
    /// Where it is.
    pub host: String,
    /// The partitions it has, where it is a consumer.
    pub partitions: Vec<(String, Vec<i32>)>,
    /// What it shall have, in the consumer protocol.
    pub target: Option<MemberTarget>,
}

/// What a member of the consumer protocol shall have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberTarget {
    /// The member's epoch.
    pub epoch: i32,
    /// The partitions, once those who have them have given them up.
    pub partitions: Vec<(String, Vec<i32>)>,
}

/// An offset that a group has committed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CommittedOffset {
    /// Of which topic.
    pub topic: String,
    /// Of which partition.
    pub partition: i32,
    /// The next record that the group wants.
    pub offset: i64,
}

impl Admin {
    /// All groups, by id.
    pub async fn list_groups(&self) -> Result<Vec<GroupListing>> {
        let metadata = self.client.metadata(Some(&[])).await?;
        let mut groups = Vec::new();
        for broker in &metadata.brokers {
            let response = self.client.call(broker.id, &ListGroupsRequest::default()).await?;
            checked(response.error_code, || format!("listing the groups of broker {}", broker.id), None)?;
            groups.extend(response.groups.into_iter().map(|group| GroupListing {
                group: group.group_id,
                state: group.group_state,
                kind: group.group_type,
                protocol_type: group.protocol_type,
            }));
        }
        groups.sort();
        Ok(groups)
    }

    /// One group of either protocol. It has to be there.
    pub async fn describe_group(&self, group: &str) -> Result<GroupDescription> {
        match self.describe_consumer_group(group).await {
            // It is none of these, or its broker knows none of these.
            Err(error)
                if error.kind() == Kind::Protocol
                    || matches!(error.code(), Some(ErrorCode::GroupIdNotFound | ErrorCode::UnsupportedVersion)) =>
            {
                self.describe_classic_group(group).await
            }
            described => described,
        }
    }

    async fn describe_consumer_group(&self, group: &str) -> Result<GroupDescription> {
        let request =
            ConsumerGroupDescribeRequest { group_ids: vec![group.to_owned()], include_authorized_operations: false };
        let what = || format!("describing group {group}");
        let (coordinator, mut response) =
            self.of_coordinator(group, &request, |response| response.groups.first().map(|one| one.error_code)).await?;
        let found =
            response.groups.pop().ok_or_else(|| Error::new(Kind::Protocol, format!("{}: no answer", what())))?;
        checked(found.error_code, what, found.error_message.as_deref())?;
        let topics = |assignment: Assignment| {
            let topics = assignment.topic_partitions.into_iter();
            topics.map(|topic| (topic.topic_name, topic.partitions)).collect::<Vec<_>>()
        };
        let members = found.members.into_iter().map(|member| MemberDescription {
            member: member.member_id,
            instance: member.instance_id,
            client: member.client_id,
            host: member.client_host.trim_start_matches('/').to_owned(),
            partitions: topics(member.assignment),
            target: Some(MemberTarget { epoch: member.member_epoch, partitions: topics(member.target_assignment) }),
        });
        Ok(GroupDescription {
            group: found.group_id,
            state: found.group_state,
            protocol_type: "consumer".to_owned(),
            kind: "consumer".to_owned(),
            protocol: found.assignor_name,
            epochs: Some((found.group_epoch, found.assignment_epoch)),
            coordinator,
            members: members.collect(),
        })
    }

    async fn describe_classic_group(&self, group: &str) -> Result<GroupDescription> {
        let request = DescribeGroupsRequest { groups: vec![group.to_owned()], ..DescribeGroupsRequest::default() };
        let what = || format!("describing group {group}");
        let (coordinator, mut response) =
            self.of_coordinator(group, &request, |response| response.groups.first().map(|one| one.error_code)).await?;
        let found =
            response.groups.pop().ok_or_else(|| Error::new(Kind::Protocol, format!("{}: no answer", what())))?;
        checked(found.error_code, what, found.error_message.as_deref())?;
        if found.group_state == "Dead" {
            return Err(Error::broker(ErrorCode::GroupIdNotFound, &what(), None));
        }
        let members = found.members.into_iter().map(|member| MemberDescription {
            member: member.member_id,
            instance: member.group_instance_id,
            client: member.client_id,
            host: member.client_host.trim_start_matches('/').to_owned(),
            partitions: assigned(&member.member_assignment),
            target: None,
        });
        Ok(GroupDescription {
            group: found.group_id,
            state: found.group_state,
            protocol_type: found.protocol_type,
            kind: "classic".to_owned(),
            protocol: found.protocol_data,
            epochs: None,
            coordinator,
            members: members.collect(),
        })
    }

    /// What a group has committed, by topic and partition.
    pub async fn group_offsets(&self, group: &str) -> Result<Vec<CommittedOffset>> {
        let wanted = OffsetFetchRequestGroup { group_id: group.to_owned(), topics: None, ..Default::default() };
        let request = OffsetFetchRequest { groups: vec![wanted], ..OffsetFetchRequest::default() };
        let (_, mut response) =
            self.of_coordinator(group, &request, |response| response.groups.first().map(|one| one.error_code)).await?;
        let found = response.groups.pop().unwrap_or_default();
        checked(found.error_code, || format!("looking up the offsets of group {group}"), None)?;
        let mut names = BTreeMap::new();
        if found.topics.iter().any(|topic| topic.name.is_empty()) {
            let all = self.client.metadata(None).await?;
            names.extend(all.topics.into_iter().map(|(name, topic)| (topic.id, name)));
        }
        let mut offsets = Vec::new();
        for topic in found.topics {
            let name = if topic.name.is_empty() { names.get(&topic.topic_id).cloned() } else { Some(topic.name) };
            // A topic that went meanwhile has no name any more.
            let Some(name) = name else { continue };
            offsets.extend(topic.partitions.iter().filter(|one| one.committed_offset >= 0).map(|one| {
                CommittedOffset { topic: name.clone(), partition: one.partition_index, offset: one.committed_offset }
            }));
        }
        offsets.sort();
        Ok(offsets)
    }

    /// Sets what a group has committed. Nobody may be in it.
    pub async fn alter_group_offsets(&self, group: &str, offsets: &[CommittedOffset]) -> Result<()> {
        let metadata = self.client.metadata(None).await?;
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for offset in offsets {
            topics.entry(&offset.topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: offset.partition,
                committed_offset: offset.offset,
                committed_metadata: Some(String::new()),
                ..OffsetCommitRequestPartition::default()
            });
        }
        let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
            name: name.to_owned(),
            topic_id: metadata.topics.get(name).map(|topic| topic.id).unwrap_or_default(),
            partitions,
        });
        let request = OffsetCommitRequest {
            group_id: group.to_owned(),
            topics: topics.collect(),
            ..OffsetCommitRequest::default()
        };
        let first = |response: &highwater_protocol::message::OffsetCommitResponse| {
            response.topics.first().and_then(|topic| topic.partitions.first()).map(|one| one.error_code)
        };
        let (_, response) = self.of_coordinator(group, &request, first).await?;
        for partition in response.topics.iter().flat_map(|topic| &topic.partitions) {
            let detail = (partition.error_code == ErrorCode::UnknownMemberId.number())
                .then_some("the group has members: stop them first");
            checked(partition.error_code, || format!("setting the offsets of group {group}"), detail)?;
        }
        Ok(())
    }

    /// Deletes a group with its offsets. Nobody may be in it.
    pub async fn delete_group(&self, group: &str) -> Result<()> {
        let request = DeleteGroupsRequest { groups_names: vec![group.to_owned()] };
        let (_, response) =
            self.of_coordinator(group, &request, |response| response.results.first().map(|one| one.error_code)).await?;
        let code = response.results.first().map_or(0, |one| one.error_code);
        let detail = (code == ErrorCode::NonEmptyGroup.number()).then_some("the group has members: stop them first");
        checked(code, || format!("deleting group {group}"), detail)
    }

    /// Asks the coordinator of a group, and again while it loads or moves. `code` is the answer's.
    async fn of_coordinator<R: Request>(
        &self,
        group: &str,
        request: &R,
        code: impl Fn(&R::Response) -> Option<i16>,
    ) -> Result<(i32, R::Response)> {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(u64::try_from(TIMEOUT_MS).unwrap_or(0));
        loop {
            let last = match self.client.coordinator(group).await.map(|broker| broker.id) {
                Err(error) if error.is_retriable() => error,
                Err(error) => return Err(error),
                Ok(coordinator) => {
                    let response = self.client.call(coordinator, request).await?;
                    let code = ErrorCode::from_number(code(&response).unwrap_or(0));
                    match code {
                        ErrorCode::CoordinatorLoadInProgress
                        | ErrorCode::CoordinatorNotAvailable
                        | ErrorCode::NotCoordinator => Error::broker(code, &format!("asking for group {group}"), None),
                        _ => return Ok((coordinator, response)),
                    }
                }
            };
            if tokio::time::Instant::now() >= deadline {
                return Err(last);
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// A consumer's assignment. What cannot be read is shown as nothing: members of other protocol types have what they like in it.
fn assigned(bytes: &Bytes) -> Vec<(String, Vec<i32>)> {
    let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for one in decode_assignment(bytes).unwrap_or_default() {
        topics.entry(one.topic).or_default().push(one.partition);
    }
    topics.into_iter().collect()
}
