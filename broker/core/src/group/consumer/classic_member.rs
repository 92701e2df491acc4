//! Members of the classic protocol in a consumer group: their JoinGroup is a heartbeat that says what they want, and has the
//! member's epoch for its generation; their Heartbeat only tells them when to join again.

use std::collections::BTreeSet;

use highwater_protocol::coordinator_record::consumer_group_member_metadata_value::ClassicMemberMetadata;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::Monotonic;
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions as OwnedPartitions;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::leave_group_request::MemberIdentity;
use highwater_protocol::message::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};

use super::heartbeat::Step;
use super::member::{Member, MemberState};
use super::{ConsumerGroup, Watch, metadata_hash};
use crate::group::classic::{CONSUMER, ID_REQUIRED, Join, Now, millis};
use crate::group::records::Change;
use crate::group::{embedded, migrate};

/// What a join comes to.
pub(in crate::group) enum Joined {
    /// The member is in, or is told what it is called.
    Stays(JoinGroupResponse),
    /// The group becomes a classic one, with this member in the place of the one of that id.
    Downgrades { replaced: String, member: Box<Member>, rebalances: bool, response: JoinGroupResponse },
}

/// A classic member joins, or joins again.
pub(in crate::group) fn join(
    group: &ConsumerGroup,
    watch: &mut Watch,
    join: &Join,
    at: Now<'_>,
    out: &mut Vec<Change>,
) -> Result<Joined, ErrorCode> {
    let request = &join.request;
    let is_unknown = request.member_id.is_empty();
    let id = if is_unknown { &join.new_member_id } else { &request.member_id };
    let instance = request.group_instance_id.as_deref();
    group.check_room(id, instance, at.config.consumer.max_size).map_err(|refused| refused.code)?;
    if !group.supports(&request.protocol_type, &request.protocols) {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    if is_unknown && instance.is_none() && join.version >= ID_REQUIRED {
        return Ok(Joined::Stays(JoinGroupResponse {
            error_code: ErrorCode::MemberIdRequired.number(),
            protocol_type: None,
            protocol_name: None,
            member_id: id.clone(),
            ..JoinGroupResponse::default()
        }));
    }
    let known = instance.and_then(|instance| group.static_member(instance));
    let (before, replaces) = match (instance, known.and_then(|known| group.members.get(known))) {
        (Some(_), Some(existing)) if is_unknown => (existing.returned(), known.cloned()),
        (Some(instance), _) if !is_unknown => {
            (group.check_instance(id, instance).map_err(|refused| refused.code)?.clone(), None)
        }
        _ => (group.members.get(id).cloned().unwrap_or_default(), None),
    };
    let metadata = request.protocols.first().map(|first| &first.metadata[..]).unwrap_or_default();
    let subscription = embedded::read_subscription(metadata).map_err(|_| ErrorCode::InconsistentGroupProtocol)?;
    let mut member = before.clone();
    member.instance_id = request.group_instance_id.clone().or(member.instance_id);
    member.rack_id = subscription.rack_id.or(member.rack_id);
    // The oldest version has one timeout for both.
    member.rebalance_timeout_ms =
        if request.rebalance_timeout_ms == -1 { request.session_timeout_ms } else { request.rebalance_timeout_ms };
    member.topics = subscription.topics.into_iter().collect();
    member.regex = String::new();
    (member.client_id, member.client_host) = (join.client_id.clone(), join.client_host.clone());
    member.classic = Some(migrate::classic_metadata(request.session_timeout_ms, &request.protocols));
    let owned: Vec<OwnedPartitions> = migrate::by_id(&subscription.owned, at.image)
        .into_iter()
        .map(|(topic_id, partitions)| OwnedPartitions { topic_id, partitions: partitions.into_iter().collect() })
        .collect();
    let replaced = known.filter(|known| migrate::downgrades_with_returning(group, known, at)).cloned();
    let step = Step { id, before, member, replaces, owned: Some(&owned) };
    if let Some(replaced) = replaced {
        return downgrade(group, watch, &step, replaced, request, at);
    }
    let member = group.advance(watch, &step, at, out).map_err(|refused| refused.code)?;
    watch.lives(id, at.now.after_ms(millis(request.session_timeout_ms)));
    watch.has_joined(id, at.now.after_ms(millis(member.rebalance_timeout_ms)));
    Ok(Joined::Stays(joined(id, member.epoch, request)))
}

/// Nobody is left who speaks the consumer protocol, so that nothing of the group is recorded any more.
fn downgrade(
    group: &ConsumerGroup,
    watch: &mut Watch,
    step: &Step<'_>,
    replaced: String,
    request: &JoinGroupRequest,
    at: Now<'_>,
) -> Result<Joined, ErrorCode> {
    let mut nowhere = Vec::new();
    let (epoch, _) = group.note(watch, step, at, &mut nowhere).map_err(|refused| refused.code)?;
    // Who has yet to give something up, or to be given it, gets no further in a group that is settled.
    let mut others = group.members.iter().filter(|(id, _)| **id != replaced);
    let rebalances =
        group.assignment_epoch < epoch || others.any(|(_, other)| !other.is_reconciled_to(group.assignment_epoch));
    let member = match rebalances {
        true => step.member.clone(),
        false => {
            let target = group.target.get(&replaced).cloned().unwrap_or_default();
            let reached = (group.assignment_epoch, &target);
            group.bring(watch, step, reached, false, at, &mut nowhere).map_err(|refused| refused.code)?
        }
    };
    let response = joined(step.id, member.epoch, request);
    Ok(Joined::Downgrades { replaced, member: Box::new(member), rebalances, response })
}

fn joined(id: &str, epoch: i32, request: &JoinGroupRequest) -> JoinGroupResponse {
    JoinGroupResponse {
        generation_id: epoch,
        protocol_type: Some(CONSUMER.to_owned()),
        protocol_name: request.protocols.first().map(|first| first.name.clone()),
        member_id: id.to_owned(),
        ..JoinGroupResponse::default()
    }
}

/// A classic member wants what it has.
pub(in crate::group) fn sync(
    group: &ConsumerGroup,
    watch: &mut Watch,
    request: &SyncGroupRequest,
    at: Now<'_>,
) -> Result<SyncGroupResponse, ErrorCode> {
    let id = &request.member_id;
    let (member, classic) = group.classic_member(id, request.group_instance_id.as_deref(), request.generation_id)?;
    let first = classic.supported_protocols.first();
    let is_other = |given: &Option<String>, own: Option<&str>| given.is_some() && given.as_deref() != own;
    if is_other(&request.protocol_type, Some(CONSUMER))
        || is_other(&request.protocol_name, first.map(|first| first.name.as_str()))
    {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    if group.assignment_epoch > member.epoch && member.state != MemberState::Unrevoked {
        watch.joins(id, member.rebalance_end(at.now));
        return Err(ErrorCode::RebalanceInProgress);
    }
    watch.has_synced(id);
    watch.lives(id, at.now.after_ms(millis(classic.session_timeout_ms)));
    let version = first.map_or(0, |first| embedded::version(&first.metadata));
    Ok(SyncGroupResponse {
        protocol_type: request.protocol_type.clone(),
        protocol_name: request.protocol_name.clone(),
        assignment: migrate::embedded_assignment(&member.assigned, version, at.image),
        ..SyncGroupResponse::default()
    })
}

/// A classic member lives, and learns whether it has to join again.
pub(in crate::group) fn live(
    group: &ConsumerGroup,
    watch: &mut Watch,
    request: &HeartbeatRequest,
    at: Now<'_>,
) -> ErrorCode {
    let HeartbeatRequest { member_id: id, group_instance_id, generation_id, .. } = request;
    let (member, classic) = match group.classic_member(id, group_instance_id.as_deref(), *generation_id) {
        Ok(found) => found,
        Err(code) => return code,
    };
    watch.lives(id, at.now.after_ms(millis(classic.session_timeout_ms)));
    let has_news = match member.state {
        _ if member.epoch < group.assignment_epoch || group.wants_target(watch, at) => true,
        MemberState::Unrevoked => true,
        MemberState::Unreleased => !group.waits_for_others(id, member),
        MemberState::Stable | MemberState::Unknown => false,
    };
    if has_news {
        watch.joins(id, member.rebalance_end(at.now));
        return ErrorCode::RebalanceInProgress;
    }
    ErrorCode::None
}

/// The member that a LeaveGroup is about.
pub(in crate::group) fn leaving(group: &ConsumerGroup, identity: &MemberIdentity) -> Result<String, ErrorCode> {
    let id = &identity.member_id;
    match &identity.group_instance_id {
        None => group.member(id).map(|_| id.clone()).map_err(|refused| refused.code),
        Some(instance) if id.is_empty() => group.static_member(instance).cloned().ok_or(ErrorCode::UnknownMemberId),
        Some(instance) => group.check_instance(id, instance).map(|_| id.clone()).map_err(|refused| refused.code),
    }
}

impl ConsumerGroup {
    /// Whether all classic members know one of these.
    fn supports(&self, kind: &str, protocols: &[JoinGroupRequestProtocol]) -> bool {
        let classic: Vec<&ClassicMemberMetadata> =
            self.members.values().filter_map(|member| member.classic.as_ref()).collect();
        let knows = |member: &ClassicMemberMetadata, name: &str| {
            member.supported_protocols.iter().any(|protocol| protocol.name == name)
        };
        let mut names: BTreeSet<&str> = protocols.iter().map(|protocol| protocol.name.as_str()).collect();
        names.retain(|name| classic.iter().all(|member| knows(member, name)));
        kind == CONSUMER && !names.is_empty()
    }

    /// Whether the next join gives the group a target: for an epoch that has none, or for topics that changed. Nobody but
    /// classic members may be there to ask for it.
    fn wants_target(&self, watch: &Watch, at: Now<'_>) -> bool {
        let has_changed = self.epoch > self.assignment_epoch
            || !watch.knows_topics && metadata_hash(self.subscribed_topics().iter(), at.image) != self.metadata_hash;
        has_changed && self.may_assign(at.wall.0, at.consumer(&self.id).assignment_interval_ms)
    }

    /// A classic member in this generation.
    fn classic_member(
        &self,
        id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(&Member, &ClassicMemberMetadata), ErrorCode> {
        let member = match instance {
            None => self.member(id),
            Some(instance) => self.check_instance(id, instance),
        };
        let member = member.map_err(|refused| refused.code)?;
        let classic = member.classic.as_ref().ok_or(ErrorCode::UnknownMemberId)?;
        if member.epoch == generation { Ok((member, classic)) } else { Err(ErrorCode::IllegalGeneration) }
    }

    /// Whether something that a member shall have is still another's.
    fn waits_for_others(&self, id: &str, member: &Member) -> bool {
        let target = self.target.get(id).into_iter().flatten();
        let mut wanted = target.flat_map(|(topic, of)| of.iter().map(move |partition| (*topic, *partition)));
        wanted.any(|(topic, partition)| {
            let has_it = member.assigned.get(&topic).is_some_and(|assigned| assigned.contains_key(&partition));
            !has_it && self.is_held(topic, partition)
        })
    }
}

impl Member {
    fn rebalance_end(&self, now: Monotonic) -> Monotonic {
        now.after_ms(millis(self.rebalance_timeout_ms))
    }
}
