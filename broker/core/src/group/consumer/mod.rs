//! A consumer group (KIP-848): its members say what they subscribe to and what they have, and the coordinator assigns.
//!
//! The group is a fold of its records, so a new coordinator goes on where the last one stopped, and nobody has to rejoin. A
//! heartbeat ([`heartbeat`]) reads it and asks for records: the member's metadata, the group's epoch when a subscription or a
//! topic changed, a new target ([`target`]) for that epoch, and the next step of the member towards it ([`reconcile`]). What
//! only the leader knows is until when each member may be silent ([`watch`]).
//!
//! Invariant: no partition is held by two members, where a member holds what it is assigned and what it has yet to give up.

mod assignors;
mod classic_member;
mod commit;
mod heartbeat;
mod leave;
mod member;
mod reconcile;
mod regex;
mod target;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::coordinator_record::consumer_group_target_assignment_member_value::TopicPartition;
use highwater_protocol::coordinator_record::{
    ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataValue,
    ConsumerGroupRegularExpressionValue, ConsumerGroupTargetAssignmentMemberValue,
    ConsumerGroupTargetAssignmentMetadataValue,
};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::consumer_group_describe_response::{
    Assignment, DescribedGroup, Member as DescribedMember, TopicPartitions,
};
use uuid::Uuid;

pub(super) use self::classic_member::{Joined, join, leaving, live, sync};
pub use self::heartbeat::ConsumerHeartbeat;
pub(super) use self::heartbeat::{check_assignor, heartbeat, refused};
pub(super) use self::leave::{Leaving, fence, leave};
pub(super) use self::member::{Member, Owned, Partitions};
pub(super) use self::regex::resolve;
pub(super) use self::watch::Watch;
use super::records::{Change, ConsumerChange};
use crate::controller::image::Image;

/// Kafka's epoch of a group that no record tells an epoch of.
const FIRST_EPOCH: i32 = 1;
/// Bytes of a message at most: it may name what a client sent, which is as long as a string of the protocol can be.
const MESSAGE_BYTES: usize = 1024;

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
        Self { code, message }
    }
}

/// Where a consumer group is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ConsumerState {
    Empty,
    /// Its epoch has no target yet.
    Assigning,
    /// Not every member has what the target gives it.
    Reconciling,
    Stable,
}

/// The topics that a regular expression matched.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Resolved {
    pub(super) topics: BTreeSet<String>,
    pub(super) version: i64,
    pub(super) timestamp: i64,
}

/// The group.
#[derive(Clone, Debug)]
pub(super) struct ConsumerGroup {
    pub(super) id: String,
    /// Grows with each change of what is subscribed to.
    pub(super) epoch: i32,
    /// Of the topics subscribed to, as of that epoch.
    pub(super) metadata_hash: i64,
    /// The epoch of the target.
    pub(super) assignment_epoch: i32,
    /// When the target was computed; 0 where the next one need not wait.
    pub(super) assignment_timestamp: i64,
    pub(super) members: BTreeMap<String, Member>,
    pub(super) target: BTreeMap<String, Partitions>,
    pub(super) resolved: BTreeMap<String, Resolved>,
    // What follows from the members.
    static_members: BTreeMap<String, String>,
    holders: BTreeMap<(Uuid, i32), String>,
    subscribers: BTreeMap<String, usize>,
}

impl ConsumerGroup {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            epoch: FIRST_EPOCH,
            metadata_hash: 0,
            assignment_epoch: FIRST_EPOCH,
            assignment_timestamp: 0,
            members: BTreeMap::new(),
            target: BTreeMap::new(),
            resolved: BTreeMap::new(),
            static_members: BTreeMap::new(),
            holders: BTreeMap::new(),
            subscribers: BTreeMap::new(),
        }
    }

    /// A classic group of that generation, whose members have what their target gives them.
    pub(super) fn upgraded(
        id: &str,
        generation: i32,
        members: BTreeMap<String, (Member, Partitions)>,
        image: &Image,
    ) -> Self {
        let mut group = Self::new(id);
        (group.epoch, group.assignment_epoch) = (generation, generation);
        for (id, (member, assigned)) in members {
            group.target.insert(id.clone(), assigned);
            group.put(id, member);
        }
        group.metadata_hash = metadata_hash(group.subscribed_topics().iter(), image);
        group
    }

    pub(super) fn state(&self) -> ConsumerState {
        if self.members.is_empty() {
            ConsumerState::Empty
        } else if self.epoch > self.assignment_epoch {
            ConsumerState::Assigning
        } else if self.members.values().all(|member| member.is_reconciled_to(self.assignment_epoch)) {
            ConsumerState::Stable
        } else {
            ConsumerState::Reconciling
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn member(&self, id: &str) -> Result<&Member, Refused> {
        self.members.get(id).ok_or_else(|| {
            let message = format!("Group {} has no member {id}: join with epoch 0.", self.id);
            Refused::new(ErrorCode::UnknownMemberId, message)
        })
    }

    /// The id of the member with an instance id.
    pub(super) fn static_member(&self, instance: &str) -> Option<&String> {
        self.static_members.get(instance)
    }

    /// Everything that anybody subscribes to, by name or by expression.
    pub(super) fn subscribed_topics(&self) -> BTreeSet<String> {
        let named = self.members.values().flat_map(|member| &member.topics);
        named.chain(self.resolved.values().flat_map(|resolved| &resolved.topics)).cloned().collect()
    }

    pub(super) fn is_subscribed(&self, topic: &str) -> bool {
        let is_in = |topics: &BTreeSet<String>| topics.contains(topic);
        self.members.values().any(|member| is_in(&member.topics))
            || self.resolved.values().any(|resolved| is_in(&resolved.topics))
    }

    /// Which of a member's topics there are, by id.
    fn subscribed_ids(&self, member: &Member, image: &Image) -> BTreeSet<Uuid> {
        let matched = self.resolved.get(&member.regex).into_iter().flat_map(|resolved| &resolved.topics);
        let all = member.topics.iter().chain(matched);
        all.filter_map(|name| image.topic(name).map(|topic| topic.id)).collect()
    }

    fn is_held(&self, topic: Uuid, partition: i32) -> bool {
        self.holders.contains_key(&(topic, partition))
    }

    /// How many subscribe by an expression.
    fn subscribers(&self, regex: &str) -> usize {
        self.subscribers.get(regex).copied().unwrap_or(0)
    }

    /// Which assignor most members would have.
    fn preferred_assignor<'a>(members: impl Iterator<Item = &'a Member>) -> Option<String> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for assignor in members.filter_map(|member| member.assignor.as_deref()) {
            *votes.entry(assignor).or_default() += 1;
        }
        let most = votes.values().max()?;
        votes.iter().find(|(_, count)| *count == most).map(|(name, _)| (*name).to_owned())
    }

    pub(super) fn describe(&self, default_assignor: &str, image: &Image) -> DescribedGroup {
        let named = |topic: &Uuid| image.topic_by_id(*topic).map(|found| found.name.clone());
        let of_topic = |topic: &Uuid, partitions: Vec<i32>| {
            let topic_name = named(topic)?;
            Some(TopicPartitions { topic_id: *topic, topic_name, partitions })
        };
        let described = |(id, member): (&String, &Member)| {
            let mut held = Partitions::new();
            member.held().for_each(|(topic, partition)| {
                held.entry(topic).or_default().insert(partition);
            });
            let listed = |all: &Partitions| {
                let topics = all.iter().filter_map(|(topic, of)| of_topic(topic, of.iter().copied().collect()));
                Assignment { topic_partitions: topics.collect() }
            };
            DescribedMember {
                member_id: id.clone(),
                instance_id: member.instance_id.clone(),
                rack_id: member.rack_id.clone(),
                member_epoch: member.epoch,
                client_id: member.client_id.clone(),
                client_host: member.client_host.clone(),
                subscribed_topic_names: member.topics.iter().cloned().collect(),
                subscribed_topic_regex: Some(member.regex.clone()),
                assignment: listed(&held),
                target_assignment: self.target.get(id).map(listed).unwrap_or_default(),
                member_type: i8::from(!member.is_classic()),
            }
        };
        DescribedGroup {
            group_id: self.id.clone(),
            group_state: self.state().name().to_owned(),
            group_epoch: self.epoch,
            assignment_epoch: self.assignment_epoch,
            assignor_name: Self::preferred_assignor(self.members.values())
                .unwrap_or_else(|| default_assignor.to_owned()),
            members: self.members.iter().map(described).collect(),
            ..DescribedGroup::default()
        }
    }

    // The fold.

    pub(super) fn fold_metadata(&mut self, value: &ConsumerGroupMetadataValue) {
        (self.epoch, self.metadata_hash) = (value.epoch, value.metadata_hash);
    }

    pub(super) fn fold_target(&mut self, value: Option<&ConsumerGroupTargetAssignmentMetadataValue>) {
        let value = value.map_or((-1, 0), |value| (value.assignment_epoch, value.assignment_timestamp));
        (self.assignment_epoch, self.assignment_timestamp) = value;
    }

    pub(super) fn fold_target_member(&mut self, id: String, value: Option<ConsumerGroupTargetAssignmentMemberValue>) {
        match value {
            None => self.target.remove(&id),
            Some(value) => {
                let of_topic = |of: TopicPartition| (of.topic_id, of.partitions.into_iter().collect());
                self.target.insert(id, value.topic_partitions.into_iter().map(of_topic).collect())
            }
        };
    }

    pub(super) fn fold_member(&mut self, id: String, value: Option<ConsumerGroupMemberMetadataValue>) {
        let member = self.take(&id);
        if let Some(value) = value {
            let mut member = member.unwrap_or_default();
            member.take_metadata(value);
            self.put(id, member);
        }
    }

    pub(super) fn fold_assignment(&mut self, id: String, value: Option<&ConsumerGroupCurrentMemberAssignmentValue>) {
        let known = self.take(&id);
        let left = ConsumerGroupCurrentMemberAssignmentValue {
            member_epoch: member::LEFT,
            previous_member_epoch: member::LEFT,
            ..Default::default()
        };
        if known.is_none() && value.is_none() {
            return;
        }
        let mut member = known.unwrap_or_default();
        member.take_assignment(value.unwrap_or(&left));
        self.put(id, member);
    }

    pub(super) fn fold_regex(&mut self, regex: String, value: Option<ConsumerGroupRegularExpressionValue>) {
        match value {
            None => self.resolved.remove(&regex),
            Some(ConsumerGroupRegularExpressionValue { topics, version, timestamp }) => {
                self.resolved.insert(regex, Resolved { topics: topics.into_iter().collect(), version, timestamp })
            }
        };
    }

    fn take(&mut self, id: &str) -> Option<Member> {
        let member = self.members.remove(id)?;
        if let Some(instance) = member.instance_id.as_ref()
            && self.static_members.get(instance).is_some_and(|of_instance| of_instance == id)
        {
            self.static_members.remove(instance);
        }
        for place in member.held() {
            if self.holders.get(&place).is_some_and(|holder| holder == id) {
                self.holders.remove(&place);
            }
        }
        if let Some(count) = self.subscribers.get_mut(&member.regex) {
            *count -= 1;
            if *count == 0 {
                self.subscribers.remove(&member.regex);
            }
        }
        Some(member)
    }

    fn put(&mut self, id: String, member: Member) {
        if let Some(instance) = &member.instance_id {
            self.static_members.insert(instance.clone(), id.clone());
        }
        for place in member.held() {
            self.holders.insert(place, id.clone());
        }
        if !member.regex.is_empty() {
            *self.subscribers.entry(member.regex.clone()).or_default() += 1;
        }
        self.members.insert(id, member);
    }

    /// The records that make it.
    pub(super) fn records(&self) -> Vec<Change> {
        let group = Change::consumer(&self.id);
        let mut changes = vec![group.metadata(Some((self.epoch, self.metadata_hash)))];
        changes.extend(self.members.iter().map(|(id, member)| group.member(id, Some(member))));
        changes.extend(self.target.iter().map(|(id, target)| group.target_member(id, Some(target))));
        changes.push(group.target(Some((self.assignment_epoch, self.assignment_timestamp))));
        changes.extend(self.members.iter().map(|(id, member)| group.assignment(id, Some(member))));
        changes.extend(self.resolved.iter().map(|(regex, resolved)| group.regex(regex, Some(resolved))));
        changes
    }

    /// Tombstones for all of its records. Members come off before the group that they are in.
    pub(super) fn tombstones(&self) -> Vec<Change> {
        let group = Change::consumer(&self.id);
        let mut changes: Vec<Change> = self.members.keys().map(|id| group.assignment(id, None)).collect();
        changes.extend(self.members.keys().map(|id| group.target_member(id, None)));
        changes.push(group.target(None));
        changes.extend(self.members.keys().map(|id| group.member(id, None)));
        changes.extend(self.resolved.keys().map(|regex| group.regex(regex, None)));
        changes.push(group.metadata(None));
        changes
    }
}

impl ConsumerState {
    /// As Kafka says it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

/// The records of one group.
impl ConsumerChange<'_> {
    fn remove_member(&self, id: &str, out: &mut Vec<Change>) {
        out.extend([self.assignment(id, None), self.target_member(id, None), self.member(id, None)]);
    }
}

/// One number for the topics of a group, which changes when one of them comes, goes or grows. 64-bit FNV-1a.
fn metadata_hash<'a>(topics: impl Iterator<Item = &'a String>, image: &Image) -> i64 {
    let known: Vec<_> = topics.filter_map(|name| image.topic(name)).collect();
    if known.is_empty() {
        return 0;
    }
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for topic in known {
        add(topic.id.as_bytes());
        add(&u64::try_from(topic.partitions.len()).unwrap_or(u64::MAX).to_be_bytes());
    }
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_letters() {
        let refused = Refused::new(ErrorCode::InvalidRequest, format!("a{}", "\u{e9}".repeat(20_000)));
        assert_eq!(refused.message.len(), MESSAGE_BYTES - 1);
    }
}
