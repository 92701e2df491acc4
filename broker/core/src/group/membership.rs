//! Members of groups come, live, commit and go, each by the protocol that it speaks.

use std::collections::BTreeSet;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::Monotonic;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::leave_group_response::MemberResponse;
use highwater_protocol::message::{
    ConsumerGroupHeartbeatResponse, HeartbeatRequest, LeaveGroupRequest, LeaveGroupResponse, OffsetCommitRequest,
    SyncGroupRequest,
};

use super::classic::{ClassicGroup, Join, State, refuse_join, refuse_sync};
use super::consumer::{self, ConsumerGroup, ConsumerHeartbeat, Joined, Leaving, Refused};
use super::migrate;
use super::records::Change;
use super::{Effects, GroupMachine, Reply, now_of};
use crate::machine::{Leading, Token};

/// From this version on a commit to a group that is not there is told so.
const TELLS_MISSING_GROUP: i16 = 9;
/// Protocols that a classic member may know: clients know a handful.
const MOST_PROTOCOLS: usize = 64;
/// Bytes that they may come to, names and metadata together: a record of the group holds them for each member.
const PROTOCOL_BYTES: usize = 1 << 20;

impl GroupMachine {
    pub(super) fn join(&mut self, join: Join, token: Token, at: &Leading<'_>, out: &mut Effects) {
        let config = &at.cluster.groups;
        let (id, member) = (join.request.group_id.clone(), join.request.member_id.clone());
        let session = join.request.session_timeout_ms;
        if session < config.min_session_timeout_ms || session > config.max_session_timeout_ms {
            return refuse_join(&member, ErrorCode::InvalidSessionTimeout, token, out);
        }
        if !is_bounded(&join.request.protocols) {
            return refuse_join(&member, ErrorCode::InconsistentGroupProtocol, token, out);
        }
        if self.consumers.get(&id).is_some_and(|group| !group.is_empty()) {
            return self.join_consumers(&join, token, at, out);
        }
        if !member.is_empty() && !self.live.groups.contains_key(&id) {
            return refuse_join(&member, ErrorCode::UnknownMemberId, token, out);
        }
        if let Some(group) = self.consumers.get(&id) {
            // Nobody is in it, so that it becomes a classic one without ado.
            out.changes.extend(group.tombstones());
            self.live.watches.remove(&id);
        }
        let group = self.live.groups.entry(id.clone()).or_insert_with(|| ClassicGroup::new(&id, at.wall));
        group.join(join, token, now_of(at), out);
        self.live.schedule(&id);
    }

    pub(super) fn sync(&mut self, request: SyncGroupRequest, token: Token, at: &Leading<'_>, out: &mut Effects) {
        let id = request.group_id.clone();
        if let Some(group) = self.consumers.get(&id) {
            let watch = self.live.watches.entry(id.clone()).or_default();
            match consumer::sync(group, watch, &request, now_of(at)) {
                Ok(response) => out.reply(token, Reply::Sync(response)),
                Err(code) => refuse_sync(code, token, out),
            }
            return self.live.schedule(&id);
        }
        match self.live.groups.get_mut(&id) {
            None => refuse_sync(ErrorCode::UnknownMemberId, token, out),
            Some(group) => group.sync(request, token, now_of(at), out),
        }
        self.live.schedule(&id);
    }

    pub(super) fn heartbeat(&mut self, request: &HeartbeatRequest, at: &Leading<'_>) -> ErrorCode {
        let HeartbeatRequest { group_id, generation_id, member_id, group_instance_id, .. } = request;
        if let Some(group) = self.consumers.get(group_id) {
            let watch = self.live.watches.entry(group_id.clone()).or_default();
            let code = consumer::live(group, watch, request, now_of(at));
            self.live.schedule_member(group_id, member_id);
            return code;
        }
        // A session that lasts longer needs no earlier look.
        self.live.groups.get_mut(group_id).map_or(ErrorCode::UnknownMemberId, |group| {
            group.heartbeat(member_id, group_instance_id.as_deref(), *generation_id, at.now)
        })
    }

    pub(super) fn leave(
        &mut self,
        request: &LeaveGroupRequest,
        at: &Leading<'_>,
        out: &mut Effects,
    ) -> LeaveGroupResponse {
        let (mut members, mut gone) = (Vec::new(), BTreeSet::new());
        for member in &request.members {
            let left = match (self.consumers.get(&request.group_id), self.live.groups.get_mut(&request.group_id)) {
                (Some(group), _) => consumer::leaving(group, member).map(|id| {
                    gone.insert(id);
                }),
                (None, None) => Err(ErrorCode::UnknownMemberId),
                (None, Some(group)) => {
                    match group.leave(&member.member_id, member.group_instance_id.as_deref(), now_of(at), out) {
                        ErrorCode::None => Ok(()),
                        code => Err(code),
                    }
                }
            };
            members.push(MemberResponse {
                member_id: member.member_id.clone(),
                group_instance_id: member.group_instance_id.clone(),
                error_code: left.err().unwrap_or(ErrorCode::None).number(),
            });
        }
        if !gone.is_empty() {
            self.fence(&request.group_id, &gone, at, out);
        }
        self.live.schedule(&request.group_id);
        LeaveGroupResponse { members, ..LeaveGroupResponse::default() }
    }

    // Consumer groups.

    pub(super) fn consumer_heartbeat(
        &mut self,
        heartbeat: &ConsumerHeartbeat,
        at: &Leading<'_>,
        out: &mut Effects,
    ) -> ConsumerGroupHeartbeatResponse {
        let id = &heartbeat.request.group_id;
        let answer = if heartbeat.request.member_epoch < 0 {
            self.leave_consumers(heartbeat, at, out)
        } else {
            self.stay_with_consumers(heartbeat, at, out)
        };
        if out.changes.is_empty() {
            self.live.schedule_member(id, &heartbeat.request.member_id);
        } else {
            self.live.schedule(id);
        }
        answer.unwrap_or_else(consumer::refused)
    }

    fn stay_with_consumers(
        &mut self,
        heartbeat: &ConsumerHeartbeat,
        at: &Leading<'_>,
        out: &mut Effects,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refused> {
        consumer::check_assignor(&heartbeat.request, &at.cluster.groups.consumer.assignors)?;
        let id = &heartbeat.request.group_id;
        let mut changes = Vec::new();
        let made = match self.consumers.contains_key(id) {
            true => None,
            false => Some(self.make_consumers(id, heartbeat.request.member_epoch == 0, at, &mut changes)?),
        };
        let Some(group) = made.as_ref().or_else(|| self.consumers.get(id)) else { unreachable!("it is there or made") };
        let mut watch = self.live.watches.remove(id).unwrap_or_default();
        for (id, member) in made.iter().flat_map(|group| &group.members) {
            watch.lives(id, member.session_end(at.now));
        }
        let answer = consumer::heartbeat(group, &mut watch, heartbeat, now_of(at), &mut changes);
        // What was not recorded has to be looked at again.
        watch.knows_topics &= answer.is_ok();
        if answer.is_ok() {
            if let Some(mut classic) = self.live.groups.remove(id) {
                classic.dissolve(out);
            }
            out.changes.append(&mut changes);
        }
        if answer.is_ok() || made.is_none() {
            self.live.watches.insert(id.clone(), watch);
        }
        answer
    }

    /// A consumer group where there is none yet.
    fn make_consumers(
        &self,
        id: &str,
        may_make: bool,
        at: &Leading<'_>,
        out: &mut Vec<Change>,
    ) -> Result<ConsumerGroup, Refused> {
        let not_found = |message: String| Err(Refused::new(ErrorCode::GroupIdNotFound, message));
        match self.live.groups.get(id) {
            None if may_make => {}
            Some(classic) if may_make => {
                let is_empty = classic.state() == State::Empty;
                let group = if is_empty { None } else { Some(migrate::upgraded(id, classic, now_of(at))?) };
                out.extend(self.settled.contains_key(id).then(|| Change::group(id, None)));
                if let Some(group) = group {
                    out.extend(group.records());
                    return Ok(group);
                }
            }
            None => return not_found(format!("There is no group {id} to be a member of: join with epoch 0.")),
            Some(_) => return not_found(format!("Group {id} is a classic group: a member joins it with epoch 0.")),
        }
        Ok(ConsumerGroup::new(id))
    }

    fn leave_consumers(
        &mut self,
        heartbeat: &ConsumerHeartbeat,
        at: &Leading<'_>,
        out: &mut Effects,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refused> {
        let id = &heartbeat.request.group_id;
        let group = self.consumers_of(id)?;
        match consumer::leave(group, &heartbeat.request, &mut out.changes)? {
            Leaving::ForAWhile(response) => Ok(response),
            Leaving::ForGood(member, response) => {
                self.fence(id, &[member].into(), at, out);
                Ok(response)
            }
        }
    }

    /// The consumer group of an id.
    pub(super) fn consumers_of(&self, id: &str) -> Result<&ConsumerGroup, Refused> {
        self.consumers.get(id).ok_or_else(|| {
            let message = match self.live.groups.contains_key(id) {
                true => format!("Group {id} is a classic group: DescribeGroups tells of it."),
                false => format!("There is no group {id}."),
            };
            Refused::new(ErrorCode::GroupIdNotFound, message)
        })
    }

    /// Members go. Where only classic ones are left, the group goes on as a classic one.
    fn fence(&mut self, id: &str, members: &BTreeSet<String>, at: &Leading<'_>, out: &mut Effects) {
        let Some(group) = self.consumers.get(id) else { return };
        if migrate::downgrades(group, members, now_of(at)) {
            out.changes.extend(group.tombstones());
            let classic = migrate::downgraded(group, members, None, now_of(at));
            return self.go_on_as(classic, id, true, at, out);
        }
        let watch = self.live.watches.entry(id.to_owned()).or_default();
        consumer::fence(group, watch, members, &at.cluster.image, &mut out.changes);
    }

    fn go_on_as(&mut self, mut classic: ClassicGroup, id: &str, rebalances: bool, at: &Leading<'_>, out: &mut Effects) {
        if rebalances {
            // What nobody was given yet has to be settled by a new coordinator too, whatever generation this one gets to.
            out.changes.push(classic.unsettled_record());
            classic.prepare(now_of(at), out);
        } else {
            out.changes.push(classic.record());
        }
        self.live.watches.remove(id);
        self.live.groups.insert(id.to_owned(), classic);
    }

    /// A classic member joins a consumer group.
    fn join_consumers(&mut self, join: &Join, token: Token, at: &Leading<'_>, out: &mut Effects) {
        let id = &join.request.group_id;
        let Some(group) = self.consumers.get(id) else { return };
        let watch = self.live.watches.entry(id.clone()).or_default();
        match consumer::join(group, watch, join, now_of(at), &mut out.changes) {
            Ok(Joined::Stays(response)) => out.reply(token, Reply::Join(response)),
            Ok(Joined::Downgrades { replaced, member, rebalances, response }) => {
                out.changes.extend(group.tombstones());
                let returning = Some((replaced.as_str(), response.member_id.as_str(), &*member));
                let classic = migrate::downgraded(group, &BTreeSet::new(), returning, now_of(at));
                out.reply(token, Reply::Join(response.clone()));
                self.go_on_as(classic, id, rebalances, at, out);
            }
            Err(code) => {
                out.changes.clear();
                watch.knows_topics = false;
                refuse_join(&join.request.member_id, code, token, out);
            }
        }
        self.live.schedule(id);
    }

    /// What time asks for in a consumer group.
    pub(super) fn expire_consumers(&mut self, id: &str, at: &Leading<'_>, out: &mut Effects) {
        let Some(group) = self.consumers.get(id) else {
            self.live.watches.remove(id);
            return;
        };
        let Some(watch) = self.live.watches.get_mut(id) else { return };
        let overdue = watch.overdue(group, at.now);
        if !overdue.is_empty() {
            return self.fence(id, &overdue, at, out);
        }
        if watch.resolve_at.is_some_and(|due| due <= at.now) {
            consumer::resolve(group, watch, now_of(at), &mut out.changes);
        }
    }

    pub(super) fn check_commit(
        &mut self,
        request: &OffsetCommitRequest,
        version: i16,
        now: Monotonic,
    ) -> Result<(), ErrorCode> {
        let OffsetCommitRequest { group_id, member_id, group_instance_id, .. } = request;
        let generation = request.generation_id_or_member_epoch;
        if let Some(group) = self.consumers.get(group_id) {
            return group.check_commit(request, version);
        }
        match self.live.groups.get_mut(group_id) {
            Some(group) => group.check_commit(member_id, group_instance_id.as_deref(), generation, now),
            None if generation < 0 => {
                self.live.groups.insert(group_id.clone(), ClassicGroup::simple(group_id));
                Ok(())
            }
            None if version >= TELLS_MISSING_GROUP => Err(ErrorCode::GroupIdNotFound),
            None => Err(ErrorCode::IllegalGeneration),
        }
    }
}

/// Whether what a member joins with is little enough to be kept, and to be held against what the others know.
fn is_bounded(protocols: &[JoinGroupRequestProtocol]) -> bool {
    let bytes: usize = protocols.iter().map(|protocol| protocol.name.len() + protocol.metadata.len()).sum();
    protocols.len() <= MOST_PROTOCOLS && bytes <= PROTOCOL_BYTES
}
