//! A group with members becomes a group of the other kind while it works: the members keep what they have.
//!
//! A classic group is upgraded when a member of the consumer protocol joins it; its classic members stay, served as such. A
//! consumer group is downgraded when its last member of the consumer protocol goes, or returns as a classic one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use highwater_protocol::coordinator_record::consumer_group_member_metadata_value::{
    ClassicMemberMetadata, ClassicProtocol,
};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use uuid::Uuid;

use super::classic::{ClassicGroup, Now, millis};
use super::consumer::{ConsumerGroup, Member as ConsumerMember, Owned, Partitions, Refused};
use super::embedded::{self, ByName};
use super::member::Member;
use crate::controller::image::Image;

/// The consumer group that a classic one becomes, or why it does not.
pub(super) fn upgraded(id: &str, classic: &ClassicGroup, at: Now<'_>) -> Result<ConsumerGroup, Refused> {
    let refused = |reason: &str| {
        let message = format!("Cannot upgrade classic group {id} to consumer group because {reason}.");
        Refused::new(ErrorCode::GroupIdNotFound, message)
    };
    if !at.config.consumer.migration.upgrades() {
        return Err(refused("online upgrade is disabled"));
    }
    if !classic.is_of_consumers() {
        return Err(refused("the group does not use the consumer embedded protocol"));
    }
    if classic.members().count() > at.config.consumer.max_size {
        return Err(refused("the group size exceeds the consumer group maximum size"));
    }
    let protocol = classic.protocol().map(str::to_owned).or_else(|| classic.selected_protocol()).unwrap_or_default();
    let mut members = BTreeMap::new();
    let mut given: BTreeSet<(Uuid, i32)> = BTreeSet::new();
    for (id, member) in classic.members() {
        let malformed = |_| refused("the embedded consumer protocol is malformed");
        let metadata = member.metadata(&protocol).or_else(|| member.protocols.first().map(|first| &first.metadata));
        let subscription = embedded::read_subscription(metadata.unwrap_or(&Bytes::new())).map_err(malformed)?;
        let assignment = match member.assignment.is_empty() {
            true => embedded::Assignment::default(),
            false => embedded::read_assignment(&member.assignment).map_err(malformed)?,
        };
        if assignment.has_user_data {
            return Err(refused(
                "an unsupported custom assignor is in use. Please refer to the documentation or switch to a default \
                 assignor before re-attempting the upgrade",
            ));
        }
        let assigned = by_id(&assignment.partitions, at.image);
        for (topic, partitions) in &assigned {
            if !partitions.iter().all(|partition| given.insert((*topic, *partition))) {
                return Err(refused("its assignor gave a partition to two members"));
            }
        }
        members.insert(id.clone(), (consumer_member(member, subscription, &assigned, classic.generation()), assigned));
    }
    Ok(ConsumerGroup::upgraded(id, classic.generation(), members, at.image))
}

fn consumer_member(
    member: &Member,
    subscription: embedded::Subscription,
    assigned: &Partitions,
    generation: i32,
) -> ConsumerMember {
    let owned = |partitions: &BTreeSet<i32>| partitions.iter().map(|partition| (*partition, generation)).collect();
    ConsumerMember {
        epoch: generation,
        previous_epoch: generation,
        instance_id: member.group_instance_id.clone(),
        rack_id: subscription.rack_id,
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        topics: subscription.topics.into_iter().collect(),
        assigned: assigned.iter().map(|(topic, partitions)| (*topic, owned(partitions))).collect(),
        classic: Some(classic_metadata(member.session_timeout_ms, &member.protocols)),
        ..ConsumerMember::default()
    }
}

/// What a record keeps of a classic member's join.
pub(super) fn classic_metadata(
    session_timeout_ms: i32,
    protocols: &[JoinGroupRequestProtocol],
) -> ClassicMemberMetadata {
    let protocol = |protocol: &JoinGroupRequestProtocol| ClassicProtocol {
        name: protocol.name.clone(),
        metadata: protocol.metadata.clone(),
    };
    ClassicMemberMetadata { session_timeout_ms, supported_protocols: protocols.iter().map(protocol).collect() }
}

/// Whether a consumer group becomes a classic one when these go: only classic members would be left.
pub(super) fn downgrades(group: &ConsumerGroup, leaving: &BTreeSet<String>, at: Now<'_>) -> bool {
    let mut staying = group.members.iter().filter(|(id, _)| !leaving.contains(*id)).map(|(_, member)| member);
    let count = staying.clone().count();
    staying.all(ConsumerMember::is_classic) && count > 0 && may_downgrade(count, at)
}

/// Whether a consumer group becomes a classic one when this static member returns as a classic member.
pub(super) fn downgrades_with_returning(group: &ConsumerGroup, replaced: &str, at: Now<'_>) -> bool {
    let is_last = |(id, member): (&String, &ConsumerMember)| (id == replaced) != member.is_classic();
    group.members.iter().all(is_last) && may_downgrade(group.members.len(), at)
}

fn may_downgrade(members: usize, at: Now<'_>) -> bool {
    at.config.consumer.migration.downgrades() && members <= at.config.max_size
}

/// The classic group that a consumer group becomes without some of its members, and with one that takes another's place.
pub(super) fn downgraded(
    group: &ConsumerGroup,
    leaving: &BTreeSet<String>,
    returning: Option<(&str, &str, &ConsumerMember)>,
    at: Now<'_>,
) -> ClassicGroup {
    let stays = |id: &String| !leaving.contains(id) && returning.is_none_or(|(replaced, _, _)| replaced != id);
    let staying =
        group.members.iter().filter(|(id, _)| stays(id)).map(|(id, member)| (id.as_str(), id.as_str(), member));
    let members = staying.chain(returning).filter_map(|(target_of, id, member)| {
        let target = group.target.get(target_of).cloned().unwrap_or_default();
        Some((id.to_owned(), classic_member(member, &target, at)?))
    });
    ClassicGroup::stable(&group.id, group.epoch, members.collect(), at.wall)
}

fn classic_member(member: &ConsumerMember, target: &Partitions, at: Now<'_>) -> Option<Member> {
    let classic = member.classic.as_ref()?;
    let protocol = |protocol: &ClassicProtocol| JoinGroupRequestProtocol {
        name: protocol.name.clone(),
        metadata: protocol.metadata.clone(),
    };
    let version = classic.supported_protocols.first().map_or(0, |first| embedded::version(&first.metadata));
    Some(Member {
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        session_timeout_ms: classic.session_timeout_ms,
        protocols: classic.supported_protocols.iter().map(protocol).collect(),
        assignment: embedded::write_assignment(&by_name(target, at.image), version),
        joining: None,
        syncing: None,
        is_new: false,
        has_synced: true,
        alive_until: at.now.after_ms(millis(classic.session_timeout_ms)),
    })
}

/// By the ids of topics that there are.
pub(super) fn by_id(partitions: &ByName, image: &Image) -> Partitions {
    let mut all = Partitions::new();
    for (name, partitions) in partitions {
        if let Some(topic) = image.topic(name).filter(|_| !partitions.is_empty()) {
            all.entry(topic.id).or_default().extend(partitions);
        }
    }
    all
}

fn by_name(partitions: &Partitions, image: &Image) -> ByName {
    let topic = |(id, partitions): (&Uuid, &BTreeSet<i32>)| {
        Some((image.topic_by_id(*id)?.name.clone(), partitions.iter().copied().collect()))
    };
    partitions.iter().filter_map(topic).collect()
}

/// What a classic member is given of what it has.
pub(super) fn embedded_assignment(owned: &Owned, version: i16, image: &Image) -> Bytes {
    let partitions = owned.iter().map(|(topic, partitions)| (*topic, partitions.keys().copied().collect())).collect();
    embedded::write_assignment(&by_name(&partitions, image), version)
}
