//! A member of a consumer group, as its records tell of it.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::coordinator_record::consumer_group_current_member_assignment_value::TopicPartitions;
use highwater_protocol::coordinator_record::consumer_group_member_metadata_value::ClassicMemberMetadata;
use highwater_protocol::coordinator_record::{
    ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataValue,
};
use highwater_protocol::ids::Monotonic;
use uuid::Uuid;

use crate::group::classic::millis;

/// Partitions by topic. A topic without any is not in it.
pub(in crate::group) type Partitions = BTreeMap<Uuid, BTreeSet<i32>>;
/// Partitions by topic, each with the epoch in which its member got it.
pub(in crate::group) type Owned = BTreeMap<Uuid, BTreeMap<i32, i32>>;

/// The epoch of a member that left, or was never there.
pub(super) const LEFT: i32 = -1;
/// The epoch of a static member that left for a while.
pub(super) const AWAY: i32 = -2;

/// How far a member is with what it was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::group) enum MemberState {
    /// It has what its epoch gives it.
    #[default]
    Stable,
    /// It has partitions that it is to give up.
    Unrevoked,
    /// It waits for partitions that others have.
    Unreleased,
    /// Of a release that is not this one.
    Unknown,
}

/// The member.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::group) struct Member {
    /// The epoch that it has reached.
    pub(in crate::group) epoch: i32,
    /// The one before, which it may still name if an answer was lost.
    pub(in crate::group) previous_epoch: i32,
    pub(in crate::group) state: MemberState,
    pub(in crate::group) instance_id: Option<String>,
    pub(in crate::group) rack_id: Option<String>,
    pub(in crate::group) client_id: String,
    pub(in crate::group) client_host: String,
    pub(in crate::group) rebalance_timeout_ms: i32,
    pub(in crate::group) topics: BTreeSet<String>,
    /// Empty where there is none.
    pub(in crate::group) regex: String,
    /// The assignor that it would have.
    pub(in crate::group) assignor: Option<String>,
    pub(in crate::group) assigned: Owned,
    /// What it was told to give up, and may still have.
    pub(in crate::group) revoking: Owned,
    /// What a member of the classic protocol brought along.
    pub(in crate::group) classic: Option<ClassicMemberMetadata>,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            epoch: 0,
            previous_epoch: LEFT,
            state: MemberState::Stable,
            instance_id: None,
            rack_id: None,
            client_id: String::new(),
            client_host: String::new(),
            rebalance_timeout_ms: -1,
            topics: BTreeSet::new(),
            regex: String::new(),
            assignor: None,
            assigned: Owned::new(),
            revoking: Owned::new(),
            classic: None,
        }
    }
}

impl MemberState {
    fn number(self) -> i8 {
        match self {
            Self::Stable => 0,
            Self::Unrevoked => 1,
            Self::Unreleased => 2,
            Self::Unknown => i8::MAX,
        }
    }

    fn from_number(number: i8) -> Self {
        match number {
            0 => Self::Stable,
            1 => Self::Unrevoked,
            2 => Self::Unreleased,
            _ => Self::Unknown,
        }
    }
}

impl Member {
    pub(in crate::group) fn is_classic(&self) -> bool {
        self.classic.is_some()
    }

    /// Until when a classic member may be silent.
    pub(in crate::group) fn session_end(&self, now: Monotonic) -> Monotonic {
        now.after_ms(self.classic.as_ref().map_or(0, |classic| millis(classic.session_timeout_ms)))
    }

    /// Whether it has all that the target of this epoch gives it.
    pub(super) fn is_reconciled_to(&self, epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == epoch
    }

    /// Everything that nobody else may have.
    pub(super) fn held(&self) -> impl Iterator<Item = (Uuid, i32)> {
        let all = self.assigned.iter().chain(&self.revoking);
        all.flat_map(|(topic, partitions)| partitions.keys().map(move |partition| (*topic, *partition)))
    }

    /// The epoch in which it got a partition that it holds.
    pub(in crate::group) fn since(&self, topic: Uuid, partition: i32) -> Option<i32> {
        let of = |owned: &Owned| owned.get(&topic).and_then(|partitions| partitions.get(&partition)).copied();
        of(&self.assigned).or_else(|| of(&self.revoking))
    }

    /// Goes on to an epoch, which makes the present one the one before.
    pub(super) fn reach(&mut self, epoch: i32) {
        self.previous_epoch = std::mem::replace(&mut self.epoch, epoch);
    }

    pub(super) fn take_metadata(&mut self, value: ConsumerGroupMemberMetadataValue) {
        self.instance_id = value.instance_id;
        self.rack_id = value.rack_id;
        self.client_id = value.client_id;
        self.client_host = value.client_host;
        self.topics = value.subscribed_topic_names.into_iter().collect();
        self.regex = value.subscribed_topic_regex.unwrap_or_default();
        self.rebalance_timeout_ms = value.rebalance_timeout_ms;
        self.assignor = value.server_assignor;
        self.classic = value.classic_member_metadata;
    }

    pub(in crate::group) fn metadata(&self) -> ConsumerGroupMemberMetadataValue {
        ConsumerGroupMemberMetadataValue {
            instance_id: self.instance_id.clone(),
            rack_id: self.rack_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            subscribed_topic_names: self.topics.iter().cloned().collect(),
            subscribed_topic_regex: Some(self.regex.clone()),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            server_assignor: self.assignor.clone(),
            classic_member_metadata: self.classic.clone(),
        }
    }

    pub(super) fn take_assignment(&mut self, value: &ConsumerGroupCurrentMemberAssignmentValue) {
        self.epoch = value.member_epoch;
        self.previous_epoch = value.previous_member_epoch;
        self.state = MemberState::from_number(value.state);
        self.assigned = owned(&value.assigned_partitions, value.member_epoch);
        self.revoking = owned(&value.partitions_pending_revocation, value.member_epoch);
    }

    pub(in crate::group) fn assignment(&self) -> ConsumerGroupCurrentMemberAssignmentValue {
        ConsumerGroupCurrentMemberAssignmentValue {
            member_epoch: self.epoch,
            previous_member_epoch: self.previous_epoch,
            state: self.state.number(),
            assigned_partitions: topic_partitions(&self.assigned),
            partitions_pending_revocation: topic_partitions(&self.revoking),
        }
    }
}

/// Partitions of a record; one written before there were epochs counts from its member's.
fn owned(record: &[TopicPartitions], member_epoch: i32) -> Owned {
    let of_topic = |topic: &TopicPartitions| {
        let epochs = topic.assignment_epochs.as_deref().filter(|epochs| epochs.len() == topic.partitions.len());
        let epoch = |place: usize| epochs.and_then(|epochs| epochs.get(place)).copied().unwrap_or(member_epoch.max(0));
        let partitions = topic.partitions.iter().enumerate().map(|(place, partition)| (*partition, epoch(place)));
        (topic.topic_id, partitions.collect())
    };
    record.iter().map(of_topic).collect()
}

fn topic_partitions(owned: &Owned) -> Vec<TopicPartitions> {
    let of_topic = |(topic_id, partitions): (&Uuid, &BTreeMap<i32, i32>)| TopicPartitions {
        topic_id: *topic_id,
        partitions: partitions.keys().copied().collect(),
        assignment_epochs: Some(partitions.values().copied().collect()),
    };
    owned.iter().map(of_topic).collect()
}
