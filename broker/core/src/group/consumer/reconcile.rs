//! From what a member has to what it shall have: what it has too much is revoked first, and what somebody else has is waited
//! for, so that no partition is ever two members'.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions;
use uuid::Uuid;

use super::Refused;
use super::member::{Member, MemberState, Owned, Partitions};

/// What a member is brought towards, and what stands in its way.
pub(super) struct Goal<'a> {
    /// The epoch of the target.
    pub(super) epoch: i32,
    /// The member's part of it.
    pub(super) target: &'a Partitions,
    /// The topics that it subscribes to, those of them that there are.
    pub(super) subscribed: BTreeSet<Uuid>,
    /// It just changed them.
    pub(super) has_resubscribed: bool,
    /// Whether somebody holds a partition.
    pub(super) is_held: &'a dyn Fn(Uuid, i32) -> bool,
    /// What the member says that it has, if it says so.
    pub(super) owned: Option<&'a [TopicPartitions]>,
}

/// The member's next state, or the one it has.
pub(super) fn reconcile(member: &Member, goal: &Goal<'_>) -> Result<Member, Refused> {
    Ok(match member.state {
        MemberState::Stable if member.epoch != goal.epoch => next(member, member.epoch, goal),
        MemberState::Unrevoked if !still_has(&member.revoking, goal.owned) => next(member, member.epoch, goal),
        MemberState::Stable | MemberState::Unrevoked if goal.has_resubscribed => without_unsubscribed(member, goal),
        MemberState::Stable | MemberState::Unrevoked => member.clone(),
        MemberState::Unreleased => next(member, member.epoch, goal),
        MemberState::Unknown if goal.owned.is_some_and(<[_]>::is_empty) => next(member, goal.epoch, goal),
        MemberState::Unknown => {
            let message = "The group's records hold a state of this member that this version does not know: join anew with epoch 0.";
            return Err(Refused::new(ErrorCode::FencedMemberEpoch, message));
        }
    })
}

/// Whether a member has some of these, as far as anybody knows.
fn still_has(partitions: &Owned, owned: Option<&[TopicPartitions]>) -> bool {
    let Some(owned) = owned else { return true };
    owned.iter().any(|topic| {
        let of_topic = partitions.get(&topic.topic_id);
        of_topic.is_some_and(|of_topic| topic.partitions.iter().any(|partition| of_topic.contains_key(partition)))
    })
}

fn next(member: &Member, epoch: i32, goal: &Goal<'_>) -> Member {
    let none = BTreeSet::new();
    let wanted = |topic: &Uuid| {
        let target = goal.target.get(topic).filter(|_| goal.subscribed.contains(topic));
        target.unwrap_or(&none)
    };
    let (mut kept, mut revoked) = (Owned::new(), Owned::new());
    for (topic, partitions) in &member.assigned {
        let wanted = wanted(topic);
        let (keep, give_up): (BTreeMap<i32, i32>, BTreeMap<i32, i32>) =
            partitions.iter().partition(|(partition, _)| wanted.contains(partition));
        put(&mut kept, *topic, keep);
        put(&mut revoked, *topic, give_up);
    }
    let mut next = member.clone();
    if !revoked.is_empty() && still_has(&revoked, goal.owned) {
        next.state = MemberState::Unrevoked;
        next.reach(epoch);
        (next.assigned, next.revoking) = (kept, revoked);
        return next;
    }
    let is_own = |topic: Uuid, partition: i32| {
        member.revoking.get(&topic).is_some_and(|partitions| partitions.contains_key(&partition))
    };
    let mut waits = false;
    for topic in goal.target.keys() {
        let mut added = kept.remove(topic).unwrap_or_default();
        for partition in wanted(topic) {
            if added.contains_key(partition) {
                continue;
            }
            if (goal.is_held)(*topic, *partition) && !is_own(*topic, *partition) {
                waits = true;
            } else {
                added.insert(*partition, goal.epoch);
            }
        }
        put(&mut kept, *topic, added);
    }
    next.state = if waits { MemberState::Unreleased } else { MemberState::Stable };
    next.reach(goal.epoch);
    (next.assigned, next.revoking) = (kept, Owned::new());
    next
}

/// Takes what belongs to topics that the member no longer subscribes to, whatever the target says.
fn without_unsubscribed(member: &Member, goal: &Goal<'_>) -> Member {
    let mut next = member.clone();
    let gone: Owned = next.assigned.extract_if(.., |topic, _| !goal.subscribed.contains(topic)).collect();
    if gone.is_empty() {
        return next;
    }
    for (topic, partitions) in gone {
        next.revoking.entry(topic).or_default().extend(partitions);
    }
    if still_has(&next.revoking, goal.owned) {
        next.state = MemberState::Unrevoked;
    } else {
        next.revoking.clone_from(&member.revoking);
    }
    next.reach(member.epoch);
    next
}

fn put(owned: &mut Owned, topic: Uuid, partitions: BTreeMap<i32, i32>) {
    if !partitions.is_empty() {
        owned.insert(topic, partitions);
    }
}
