//! ConsumerGroupHeartbeat: a member joins, says what changed, and learns what it is to have.

use std::collections::BTreeSet;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions as OwnedPartitions;
use highwater_protocol::message::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use highwater_protocol::message::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};

use super::member::{self, Member, MemberState, Owned, Partitions};
use super::reconcile::{Goal, reconcile};
use super::target::{self, Membership};
use super::{ConsumerGroup, Refused, Watch, metadata_hash, regex};
use crate::config::group::Assignor;
use crate::group::classic::{Now, millis};
use crate::group::records::Change;

/// From this version on members make their ids themselves.
const CLIENT_MAKES_ID: i16 = 1;

/// A heartbeat that makes sense by itself, and what the shell knows of who sends it.
pub struct ConsumerHeartbeat {
    pub(in crate::group) request: ConsumerGroupHeartbeatRequest,
    client_id: String,
    client_host: String,
    /// An id for a member that has none.
    new_member_id: String,
}

impl ConsumerHeartbeat {
    /// The heartbeat, or why it makes no sense.
    pub fn new(
        request: ConsumerGroupHeartbeatRequest,
        version: i16,
        (client_id, client_host): (String, String),
        new_member_id: String,
    ) -> Result<Self, ConsumerGroupHeartbeatResponse> {
        match check(&request, version) {
            Ok(()) => Ok(Self { request, client_id, client_host, new_member_id }),
            Err(message) => Err(refused(Refused::new(ErrorCode::InvalidRequest, message))),
        }
    }
}

/// The answer that refuses.
pub(in crate::group) fn refused(refused: Refused) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: refused.code.number(),
        error_message: Some(refused.message),
        ..ConsumerGroupHeartbeatResponse::default()
    }
}

fn check(request: &ConsumerGroupHeartbeatRequest, version: i16) -> Result<(), &'static str> {
    let is_blank = |text: &str| text.chars().all(|letter| letter <= ' ');
    let is_blank_if_given = |text: &Option<String>| text.as_deref().is_some_and(is_blank);
    let epoch = request.member_epoch;
    if (version >= CLIENT_MAKES_ID || epoch > 0 || epoch == member::LEFT) && is_blank(&request.member_id) {
        return Err("The member id is empty: a member makes one of its own (a UUID) and keeps it.");
    }
    if is_blank(&request.group_id) {
        return Err("The group id is empty: a member names the group that it belongs to.");
    }
    if is_blank_if_given(&request.instance_id) {
        return Err("The instance id is empty: a static member has one, any other sends null.");
    }
    if is_blank_if_given(&request.rack_id) {
        return Err("The rack id is empty: a member without a rack sends null.");
    }
    match epoch {
        0 if request.rebalance_timeout_ms == -1 => {
            Err("A join (epoch 0) names its rebalance timeout; this one has -1.")
        }
        0 if !request.topic_partitions.as_ref().is_some_and(Vec::is_empty) => {
            Err("A join (epoch 0) owns no partitions: an empty list of them has to say so.")
        }
        0 if request.subscribed_topic_names.is_none() && request.subscribed_topic_regex.is_none() => {
            Err("A join (epoch 0) names what it subscribes to: topics, an expression, or both.")
        }
        member::AWAY if request.instance_id.is_none() => {
            Err("Epoch -2 is for static members, and this one names no instance id.")
        }
        ..member::AWAY => Err(
            "The member epoch is below -2: -2 and -1 leave, 0 joins, and any other is the one that the last answer gave.",
        ),
        _ => Ok(()),
    }
}

/// Refuses an assignor that is not among those that there are.
pub(in crate::group) fn check_assignor(
    request: &ConsumerGroupHeartbeatRequest,
    assignors: &[Assignor],
) -> Result<(), Refused> {
    let Some(wanted) = &request.server_assignor else { return Ok(()) };
    if assignors.iter().any(|assignor| assignor.name() == wanted) {
        return Ok(());
    }
    let known: Vec<&str> = assignors.iter().map(|assignor| assignor.name()).collect();
    let message = format!(
        "There is no assignor {wanted} here: choose one of {}, or send null for the first of them.",
        known.join(", ")
    );
    Err(Refused::new(ErrorCode::UnsupportedAssignor, message))
}

/// A member as a request leaves it, before it takes a step.
pub(super) struct Step<'a> {
    pub(super) id: &'a str,
    /// As it was.
    pub(super) before: Member,
    /// As it says that it is.
    pub(super) member: Member,
    /// The static member in whose place it is.
    pub(super) replaces: Option<String>,
    /// What it says that it has, if it says so.
    pub(super) owned: Option<&'a [OwnedPartitions]>,
}

/// A heartbeat of a member that stays.
pub(in crate::group) fn heartbeat(
    group: &ConsumerGroup,
    watch: &mut Watch,
    heartbeat: &ConsumerHeartbeat,
    at: Now<'_>,
    out: &mut Vec<Change>,
) -> Result<ConsumerGroupHeartbeatResponse, Refused> {
    let ConsumerHeartbeat { request, client_id, client_host, new_member_id } = heartbeat;
    let instance = request.instance_id.as_deref();
    group.check_room(&request.member_id, instance, at.config.consumer.max_size)?;
    let id = if request.member_id.is_empty() { new_member_id } else { &request.member_id };
    let owned = request.topic_partitions.as_deref();
    let (before, replaces) = match instance {
        None => (group.dynamic(id, request, owned)?, None),
        Some(instance) => group.of_instance(id, instance, request, owned)?,
    };
    let mut member = before.clone();
    let update = |field: &mut Option<String>, given: &Option<String>| {
        if given.is_some() {
            field.clone_from(given);
        }
    };
    update(&mut member.instance_id, &request.instance_id);
    update(&mut member.rack_id, &request.rack_id);
    update(&mut member.assignor, &request.server_assignor);
    if request.rebalance_timeout_ms != -1 {
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    }
    if let Some(topics) = &request.subscribed_topic_names {
        member.topics = topics.iter().cloned().collect();
    }
    if let Some(regex) = &request.subscribed_topic_regex {
        member.regex.clone_from(regex);
    }
    member.client_id.clone_from(client_id);
    member.client_host.clone_from(client_host);
    member.classic = None;
    let step = Step { id, before, member, replaces, owned };
    let member = group.advance(watch, &step, at, out)?;
    let settings = at.consumer(&group.id);
    watch.lives(id, at.now.after_ms(settings.session_timeout_ms));
    watch.is_of_consumers(id);
    let is_whole = request.rebalance_timeout_ms != -1
        && (request.subscribed_topic_names.is_some() || request.subscribed_topic_regex.is_some())
        && request.topic_partitions.is_some();
    let is_told = request.member_epoch == 0 || is_whole || member.assigned != step.before.assigned;
    Ok(ConsumerGroupHeartbeatResponse {
        member_id: Some(id.clone()),
        member_epoch: member.epoch,
        heartbeat_interval_ms: settings.heartbeat_interval_ms,
        assignment: is_told.then(|| assignment(&member.assigned)),
        ..ConsumerGroupHeartbeatResponse::default()
    })
}

fn assignment(owned: &Owned) -> Assignment {
    let of_topic = |(topic_id, partitions): (&uuid::Uuid, &std::collections::BTreeMap<i32, i32>)| TopicPartitions {
        topic_id: *topic_id,
        partitions: partitions.keys().copied().collect(),
    };
    Assignment { topic_partitions: owned.iter().map(of_topic).collect() }
}

impl ConsumerGroup {
    fn dynamic(
        &self,
        id: &str,
        request: &ConsumerGroupHeartbeatRequest,
        owned: Option<&[OwnedPartitions]>,
    ) -> Result<Member, Refused> {
        let member = match self.member(id) {
            Err(_) if request.member_epoch == 0 => Member::default(),
            known => known?.clone(),
        };
        check_epoch(&member, request.member_epoch, owned)?;
        Ok(member)
    }

    /// A static member, and whom it replaces.
    fn of_instance(
        &self,
        id: &str,
        instance: &str,
        request: &ConsumerGroupHeartbeatRequest,
        owned: Option<&[OwnedPartitions]>,
    ) -> Result<(Member, Option<String>), Refused> {
        let known = self.static_member(instance).and_then(|known| Some((known, self.members.get(known)?)));
        if request.member_epoch == 0 {
            let Some((former, existing)) = known else {
                return Ok((self.members.get(id).cloned().unwrap_or_default(), None));
            };
            if !existing.is_classic() && existing.epoch != member::AWAY {
                let message = format!(
                    "Instance id {instance} belongs to member {former}, which is still in group {}: member {id} takes it once that \
                     one has left, or its session has timed out.",
                    self.id
                );
                return Err(Refused::new(ErrorCode::UnreleasedInstanceId, message));
            }
            return Ok((existing.returned(), Some(former.clone())));
        }
        let existing = self.check_instance(id, instance)?;
        check_epoch(existing, request.member_epoch, owned)?;
        Ok((existing.clone(), None))
    }

    /// The static member with an instance id, if it has this id too.
    pub(super) fn check_instance(&self, id: &str, instance: &str) -> Result<&Member, Refused> {
        let known = self.static_member(instance).and_then(|known| Some((known, self.members.get(known)?)));
        let Some((known, member)) = known else {
            let message =
                format!("Group {} has no static member with instance id {instance}: join with epoch 0.", self.id);
            return Err(Refused::new(ErrorCode::UnknownMemberId, message));
        };
        if known != id {
            let message = format!("Instance id {instance} belongs to member {known} now, and no longer to {id}.");
            return Err(Refused::new(ErrorCode::FencedInstanceId, message));
        }
        Ok(member)
    }

    /// Records what a member says, gives the group an epoch and that epoch a target where it takes one, and brings the member
    /// towards it.
    pub(super) fn advance(
        &self,
        watch: &mut Watch,
        step: &Step<'_>,
        at: Now<'_>,
        out: &mut Vec<Change>,
    ) -> Result<Member, Refused> {
        let (epoch, has_resubscribed) = self.note(watch, step, at, out)?;
        let replaces = step.replaces.as_deref();
        let settings = at.consumer(&self.id);
        let is_due = epoch > self.assignment_epoch && self.may_assign(at.wall.0, settings.assignment_interval_ms);
        let (reached, target) = if is_due {
            let membership = Membership::with(self, step.id, &step.member, replaces);
            let mut all = target::compute(self, &membership, epoch, (at.image, &at.config.consumer, at.wall.0), out);
            (epoch, all.remove(step.id))
        } else {
            (self.assignment_epoch, self.target.get(replaces.unwrap_or(step.id)).cloned())
        };
        self.bring(watch, step, (reached, &target.unwrap_or_default()), has_resubscribed, at, out)
    }

    /// Records what a member says. Returns the group's epoch then, and whether the member subscribes to something else.
    pub(super) fn note(
        &self,
        watch: &mut Watch,
        step: &Step<'_>,
        at: Now<'_>,
        out: &mut Vec<Change>,
    ) -> Result<(i32, bool), Refused> {
        let change = Change::consumer(&self.id);
        let Step { id, before, member, replaces, .. } = step;
        let has_new_regex = regex::check_change(self, before, member)?;
        if let Some(former) = replaces {
            change.remove_member(former, out);
            watch.forget(former);
            out.push(change.member(id, Some(before)));
            out.push(change.target_member(id, Some(self.target.get(former).unwrap_or(&Partitions::new()))));
            out.push(change.assignment(id, Some(before)));
        }
        if member != before {
            out.push(change.member(id, Some(member)));
        }
        regex::note_change(self, watch, before, member, at, out);
        let has_new_topics = member.topics != before.topics;
        // Most heartbeats say nothing new, and then nobody else has to be looked at.
        if watch.knows_topics && member == before && replaces.is_none() {
            return Ok((self.epoch, false));
        }
        let membership = Membership::with(self, id, member, replaces.as_deref());
        let has_changed = has_new_topics
            || has_new_regex == regex::Changed::Resolved
            || self.prefers_another(before, member, &membership, at.config.consumer.default_assignor().name());
        let mut epoch = self.epoch;
        if has_changed || !watch.knows_topics {
            let hash = self.hash_with(&membership, at);
            if has_changed || hash != self.metadata_hash {
                epoch += 1;
                out.push(change.metadata(Some((epoch, hash))));
            }
            watch.knows_topics = true;
        }
        Ok((epoch, has_new_topics || has_new_regex != regex::Changed::No))
    }

    /// Brings a member towards its part of the target of an epoch.
    pub(super) fn bring(
        &self,
        watch: &mut Watch,
        step: &Step<'_>,
        (epoch, target): (i32, &Partitions),
        has_resubscribed: bool,
        at: Now<'_>,
        out: &mut Vec<Change>,
    ) -> Result<Member, Refused> {
        let Step { id, member, owned, .. } = step;
        if !has_resubscribed && member.is_reconciled_to(epoch) {
            return Ok(member.clone());
        }
        let goal = Goal {
            epoch,
            target,
            subscribed: self.subscribed_ids(member, at.image),
            has_resubscribed,
            is_held: &|topic, partition| self.is_held(topic, partition),
            owned: *owned,
        };
        let next = reconcile(member, &goal)?;
        if next != *member {
            out.push(Change::consumer(&self.id).assignment(id, Some(&next)));
            if !next.is_classic() {
                let until = at.now.after_ms(millis(next.rebalance_timeout_ms));
                watch.revokes(id, (next.state == MemberState::Unrevoked).then_some((until, next.epoch)));
            }
        }
        Ok(next)
    }

    fn prefers_another(&self, before: &Member, member: &Member, with: &Membership<'_>, default: &str) -> bool {
        if before.assignor == member.assignor {
            return false;
        }
        let now = Self::preferred_assignor(self.members.values());
        let then = Self::preferred_assignor(with.members());
        now.as_deref().unwrap_or(default) != then.as_deref().unwrap_or(default)
    }

    fn hash_with(&self, membership: &Membership<'_>, at: Now<'_>) -> i64 {
        let mut topics: BTreeSet<&String> = membership.members().flat_map(|member| &member.topics).collect();
        let regexes: BTreeSet<&String> = membership.members().map(|member| &member.regex).collect();
        let resolved = self.resolved.iter().filter(|(regex, _)| regexes.contains(regex));
        topics.extend(resolved.flat_map(|(_, resolved)| &resolved.topics));
        metadata_hash(topics.into_iter(), at.image)
    }
}

impl Member {
    /// The same member under another id, which has yet to say what it is.
    pub(super) fn returned(&self) -> Self {
        Self { epoch: 0, previous_epoch: 0, ..self.clone() }
    }
}

fn check_epoch(member: &Member, epoch: i32, owned: Option<&[OwnedPartitions]>) -> Result<(), Refused> {
    let known = member.epoch;
    let fenced = || {
        let message = format!(
            "The member's epoch is {known}, and it says {epoch}: it gives up all its partitions and joins anew with epoch 0."
        );
        Err(Refused::new(ErrorCode::FencedMemberEpoch, message))
    };
    if epoch == 0 || epoch == known {
        return Ok(());
    }
    if epoch > known {
        return fenced();
    }
    // Its last answer was lost, and it has nothing but what that gave it.
    let has_no_more = owned.is_some_and(|owned| {
        owned.iter().all(|topic| {
            let assigned = member.assigned.get(&topic.topic_id);
            assigned.is_some_and(|assigned| topic.partitions.iter().all(|partition| assigned.contains_key(partition)))
        })
    });
    if epoch == member.previous_epoch && has_no_more { Ok(()) } else { fenced() }
}
