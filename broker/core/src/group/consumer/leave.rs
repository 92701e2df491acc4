//! Members go: they say so, or are too long silent.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::message::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};

use super::member::{self, Member, Owned};
use super::{ConsumerGroup, Refused, Watch, metadata_hash};
use crate::controller::image::Image;
use crate::group::records::Change;

/// What a member that leaves comes to.
pub(in crate::group) enum Leaving {
    /// It comes back, so that what it has stays its own.
    ForAWhile(ConsumerGroupHeartbeatResponse),
    /// The member of this id goes.
    ForGood(String, ConsumerGroupHeartbeatResponse),
}

/// A heartbeat of a member that leaves.
pub(in crate::group) fn leave(
    group: &ConsumerGroup,
    request: &ConsumerGroupHeartbeatRequest,
    out: &mut Vec<Change>,
) -> Result<Leaving, Refused> {
    let id = &request.member_id;
    let response = ConsumerGroupHeartbeatResponse {
        member_id: Some(id.clone()),
        member_epoch: request.member_epoch,
        ..ConsumerGroupHeartbeatResponse::default()
    };
    let Some(instance) = &request.instance_id else {
        group.member(id)?;
        return Ok(Leaving::ForGood(id.clone(), response));
    };
    let member = group.check_instance(id, instance)?;
    if request.member_epoch == member::AWAY {
        out.push(Change::consumer(&group.id).assignment(id, Some(&member.away())));
        return Ok(Leaving::ForAWhile(response));
    }
    Ok(Leaving::ForGood(id.clone(), response))
}

/// Removes members, and gives the group a new epoch.
pub(in crate::group) fn fence(
    group: &ConsumerGroup,
    watch: &mut Watch,
    ids: &BTreeSet<String>,
    image: &Image,
    out: &mut Vec<Change>,
) {
    let change = Change::consumer(&group.id);
    let mut regexes: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, member) in ids.iter().filter_map(|id| Some((id, group.members.get(id)?))) {
        change.remove_member(id, out);
        watch.forget(id);
        *regexes.entry(&member.regex).or_default() += 1;
    }
    let forgotten: BTreeSet<&str> =
        regexes.iter().filter(|(regex, count)| group.subscribers(regex) == **count).map(|(regex, _)| *regex).collect();
    out.extend(forgotten.iter().filter(|regex| !regex.is_empty()).map(|regex| change.regex(regex, None)));
    let stay = group.members.iter().filter(|(id, _)| !ids.contains(*id));
    let mut topics: BTreeSet<&String> = stay.clone().flat_map(|(_, member)| &member.topics).collect();
    let resolved = group.resolved.iter().filter(|(regex, _)| !forgotten.contains(regex.as_str()));
    topics.extend(resolved.flat_map(|(_, resolved)| &resolved.topics));
    let epoch = group.epoch + 1;
    out.push(change.metadata(Some((epoch, metadata_hash(topics.into_iter(), image)))));
    if stay.count() == 0 {
        out.push(change.target(Some((epoch, 0))));
    }
}

impl Member {
    /// As it is while it is away.
    fn away(&self) -> Self {
        let mut away = Self { epoch: member::AWAY, revoking: Owned::new(), ..self.clone() };
        away.assigned.values_mut().flat_map(BTreeMap::values_mut).for_each(|since| *since = 0);
        away
    }
}
