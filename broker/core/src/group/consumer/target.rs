//! The target of a group's epoch: which member shall have which partitions, as an assignor says.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::error_code::ErrorCode;
use uuid::Uuid;

use super::assignors::{self, Spec, Subscriber};
use super::member::{Member, Partitions};
use super::{ConsumerGroup, Refused};
use crate::config::group::ConsumerConfig;
use crate::controller::image::Image;
use crate::group::records::Change;

/// The members of a group as one request leaves them.
pub(super) struct Membership<'a> {
    members: BTreeMap<&'a str, &'a Member>,
    /// Whose part of the last target a member takes over.
    former: Option<(&'a str, &'a str)>,
}

impl<'a> Membership<'a> {
    /// With one member as it is now, in the place of the static member that it replaces.
    pub(super) fn with(group: &'a ConsumerGroup, id: &'a str, member: &'a Member, replaces: Option<&'a str>) -> Self {
        let mut members: BTreeMap<&str, &Member> = group.members.iter().map(|(id, of)| (id.as_str(), of)).collect();
        if let Some(replaced) = replaces {
            members.remove(replaced);
        }
        members.insert(id, member);
        Self { members, former: replaces.map(|replaced| (id, replaced)) }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &'a Member> {
        self.members.values().copied()
    }

    fn target(&self, group: &ConsumerGroup, id: &str) -> Option<Partitions> {
        let id = self.former.filter(|(new, _)| *new == id).map_or(id, |(_, former)| former);
        group.target.get(id).cloned()
    }
}

/// Computes the target of an epoch. Members whose part changes get a record.
pub(super) fn compute(
    group: &ConsumerGroup,
    membership: &Membership<'_>,
    epoch: i32,
    (image, config, wall): (&Image, &ConsumerConfig, i64),
    out: &mut Vec<Change>,
) -> BTreeMap<String, Partitions> {
    // Most members of a group subscribe to the same.
    let mut known: BTreeMap<(&BTreeSet<String>, &str), BTreeSet<Uuid>> = BTreeMap::new();
    let mut members: BTreeMap<String, Subscriber> = BTreeMap::new();
    for (id, member) in &membership.members {
        let topics = known.entry((&member.topics, &member.regex));
        let subscriber = Subscriber {
            instance_id: member.instance_id.clone(),
            topics: topics.or_insert_with(|| group.subscribed_ids(member, image)).clone(),
            assigned: membership.target(group, id).unwrap_or_default(),
        };
        members.insert((*id).to_owned(), subscriber);
    }
    let ids = members.values().flat_map(|member| &member.topics);
    let partitions = ids.filter_map(|id| {
        let topic = image.topic_by_id(*id)?;
        Some((*id, i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX)))
    });
    let spec = Spec { topics: partitions.collect(), members };
    let preferred = ConsumerGroup::preferred_assignor(membership.members());
    let assignor = config.assignors.iter().find(|assignor| preferred.as_deref() == Some(assignor.name()));
    let target = assignors::assign(assignor.copied().unwrap_or_else(|| config.default_assignor()), &spec);
    let change = Change::consumer(&group.id);
    for (id, partitions) in &target {
        if membership.target(group, id).as_ref() != Some(partitions) {
            out.push(change.target_member(id, Some(partitions)));
        }
    }
    out.push(change.target(Some((epoch, wall))));
    target
}

impl ConsumerGroup {
    /// Kafka gives a target time, so that many changes become one.
    pub(super) fn may_assign(&self, wall: i64, interval_ms: i64) -> bool {
        let wait = self.assignment_timestamp..self.assignment_timestamp.saturating_add(interval_ms);
        self.assignment_timestamp == 0 || !wait.contains(&wall)
    }

    /// Whether there is room for a member.
    pub(super) fn check_room(&self, id: &str, instance: Option<&str>, max_size: usize) -> Result<(), Refused> {
        let is_known = self.members.contains_key(id)
            || instance.is_some_and(|instance| self.static_members.contains_key(instance));
        if is_known || self.members.len() < max_size {
            return Ok(());
        }
        let message = format!("Group {} is full: group.consumer.max.size allows it {max_size} members.", self.id);
        Err(Refused::new(ErrorCode::GroupMaxSizeReached, message))
    }
}
