//! Groups as an administrator sees them: described, listed, deleted; and offsets that go, by request or by age.

use std::collections::BTreeSet;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::consumer_group_describe_response::DescribedGroup as DescribedConsumerGroup;
use highwater_protocol::message::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use highwater_protocol::message::list_groups_response::ListedGroup;
use highwater_protocol::message::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use highwater_protocol::message::offset_fetch_request::OffsetFetchRequestGroup;
use highwater_protocol::message::offset_fetch_response::OffsetFetchResponseGroup;
use highwater_protocol::message::{ListGroupsRequest, OffsetDeleteRequest, OffsetDeleteResponse};

use super::classic::{CONSUMER, State};
use super::consumer::ConsumerGroup;
use super::offsets::Since;
use super::records::Change;
use super::{CHANGES_A_BATCH, Effects, GroupMachine, GroupReport};
use crate::controller::image::Image;
use crate::machine::Leading;

impl GroupMachine {
    pub(super) fn describe(&self, group_id: String) -> DescribedGroup {
        let Some(group) = self.live.groups.get(&group_id) else {
            return DescribedGroup {
                error_code: ErrorCode::GroupIdNotFound.number(),
                error_message: Some(match self.consumers.contains_key(&group_id) {
                    true => format!("Group {group_id} is a consumer group: ConsumerGroupDescribe tells of it."),
                    false => format!("There is no group {group_id}."),
                }),
                group_id,
                group_state: "Dead".to_owned(),
                ..DescribedGroup::default()
            };
        };
        // Which protocol counts is known once they have settled.
        let protocol = group.protocol().filter(|_| group.state() == State::Stable);
        let members = group.members().map(|(id, member)| DescribedGroupMember {
            member_id: id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            member_metadata: protocol.and_then(|name| member.metadata(name)).cloned().unwrap_or_default(),
            member_assignment: member.assignment.clone(),
        });
        DescribedGroup {
            members: members.collect(),
            group_state: group.state().name().to_owned(),
            protocol_type: group.protocol_type().unwrap_or_default().to_owned(),
            protocol_data: protocol.unwrap_or_default().to_owned(),
            group_id,
            ..DescribedGroup::default()
        }
    }

    pub(super) fn describe_consumer(&self, group_id: String, at: &Leading<'_>) -> DescribedConsumerGroup {
        match self.consumers_of(&group_id) {
            Ok(group) => group.describe(at.cluster.groups.consumer.default_assignor().name(), &at.cluster.image),
            Err(refused) => DescribedConsumerGroup {
                error_code: refused.code.number(),
                error_message: Some(refused.message),
                group_id,
                ..DescribedConsumerGroup::default()
            },
        }
    }

    pub(super) fn report(&self, image: &Image) -> Vec<GroupReport> {
        let classic = self.live.groups.iter().map(|(id, group)| (id, group.members().count()));
        let consumers = self.consumers.iter().map(|(id, group)| (id, group.members.len()));
        let report = |(id, members): (&String, usize)| GroupReport {
            id: id.clone(),
            members,
            offsets: self.offsets.report(id, image),
        };
        classic.chain(consumers).map(report).collect()
    }

    pub(super) fn fetch_offsets(&self, request: &OffsetFetchRequestGroup, image: &Image) -> OffsetFetchResponseGroup {
        let check = |group: &ConsumerGroup| group.check_fetch(request.member_id.as_deref(), request.member_epoch);
        match self.consumers.get(&request.group_id).map_or(Ok(()), check) {
            Ok(()) => self.offsets.fetch(request, image),
            Err(code) => OffsetFetchResponseGroup {
                group_id: request.group_id.clone(),
                error_code: code.number(),
                ..OffsetFetchResponseGroup::default()
            },
        }
    }

    pub(super) fn list(&self, request: &ListGroupsRequest) -> Vec<ListedGroup> {
        let is_wanted =
            |given: &[String], own: &str| given.is_empty() || given.iter().any(|one| one.eq_ignore_ascii_case(own));
        let consumers = self.consumers.iter().map(|(id, group)| ListedGroup {
            group_id: id.clone(),
            protocol_type: CONSUMER.to_owned(),
            group_state: group.state().name().to_owned(),
            group_type: "consumer".to_owned(),
        });
        let listed = self.live.groups.iter().map(|(id, group)| ListedGroup {
            group_id: id.clone(),
            protocol_type: group.protocol_type().unwrap_or_default().to_owned(),
            group_state: group.state().name().to_owned(),
            group_type: "classic".to_owned(),
        });
        listed
            .chain(consumers)
            .filter(|group| is_wanted(&request.states_filter, &group.group_state))
            .filter(|group| is_wanted(&request.types_filter, &group.group_type))
            .collect()
    }

    pub(super) fn delete(&mut self, id: &str, out: &mut Effects) -> ErrorCode {
        let classic = self.live.groups.get(id).map(|group| group.state() == State::Empty);
        match self.consumers.get(id).map(ConsumerGroup::is_empty).or(classic) {
            None => return ErrorCode::GroupIdNotFound,
            Some(true) => {}
            Some(false) => return ErrorCode::NonEmptyGroup,
        }
        out.changes = self.offsets.forget_group(id);
        self.forget_group(id, out);
        ErrorCode::None
    }

    /// A group without offsets goes.
    fn forget_group(&mut self, id: &str, out: &mut Effects) {
        self.live.groups.remove(id);
        self.live.watches.remove(id);
        self.live.schedule(id);
        if let Some(group) = self.consumers.get(id) {
            out.changes.extend(group.tombstones());
        }
        if self.settled.contains_key(id) {
            out.changes.push(Change::group(id, None));
        }
    }

    pub(super) fn delete_offsets(&self, request: &OffsetDeleteRequest, out: &mut Effects) -> OffsetDeleteResponse {
        let refused = |code: ErrorCode| OffsetDeleteResponse { error_code: code.number(), ..Default::default() };
        let id = &request.group_id;
        let subscribed = match (self.consumers.get(id), self.live.groups.get(id)) {
            (Some(group), _) => group.subscribed_topics(),
            (None, None) => return refused(ErrorCode::GroupIdNotFound),
            (None, Some(group)) if group.state() == State::Empty => BTreeSet::new(),
            (None, Some(group)) if !group.is_of_consumers() => return refused(ErrorCode::NonEmptyGroup),
            (None, Some(group)) => group.subscribed_topics().unwrap_or_default(),
        };
        let mut topics = Vec::new();
        for topic in &request.topics {
            let code =
                if subscribed.contains(&topic.name) { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None };
            let mut partitions = Vec::new();
            for partition in &topic.partitions {
                if code == ErrorCode::None {
                    out.changes.extend(self.offsets.forget(id, &topic.name, partition.partition_index));
                }
                partitions.push(OffsetDeleteResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: code.number(),
                });
            }
            topics.push(OffsetDeleteResponseTopic { name: topic.name.clone(), partitions });
        }
        OffsetDeleteResponse { topics, ..OffsetDeleteResponse::default() }
    }

    pub(super) fn expire_offsets(&mut self, at: &Leading<'_>, out: &mut Effects) {
        let kept_ms = at.cluster.groups.offsets_retention_ms;
        let ids: Vec<String> = self.live.groups.keys().chain(self.consumers.keys()).cloned().collect();
        for id in ids {
            let room = CHANGES_A_BATCH.saturating_sub(out.changes.len());
            if room <= 1 {
                return;
            }
            let classic = self.live.groups.get(&id);
            let (since, is_deserted) = match (self.consumers.get(&id), classic) {
                (Some(group), _) => (Some(Since::Unsubscribed(group.subscribed_topics())), group.is_empty()),
                (None, Some(group)) => (Since::of(group), group.is_deserted()),
                (None, None) => continue,
            };
            let Some(since) = since else { continue };
            let (expired, has_none) = self.offsets.expired(&id, &since, at.wall, kept_ms, room - 1);
            out.changes.extend(expired);
            if has_none && is_deserted {
                self.forget_group(&id, out);
            }
        }
    }
}
