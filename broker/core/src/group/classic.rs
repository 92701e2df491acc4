//! A classic group as its coordinator sees it: members join, one of them assigns, all heartbeat.
//!
//! All of this is soft state of the leader. What outlives it is the record of the group that [`ClassicGroup::sync`] and an
//! empty generation write; a new leader begins from that ([`ClassicGroup::of`]).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use highwater_protocol::coordinator_record::GroupMetadataValue;
use highwater_protocol::coordinator_record::group_metadata_value::MemberMetadata;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{Monotonic, Timestamp};
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::join_group_response::JoinGroupResponseMember;
use highwater_protocol::message::{JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse};

use super::embedded;
use super::member::Member;
use super::records::Change;
use super::{Effects, Reply};
use crate::config::group::{ConsumerSettings, GroupConfig};
use crate::controller::image::{Image, ResourceType};
use crate::machine::Token;

/// What a protocol type says of consumers.
pub(super) const CONSUMER: &str = "consumer";
/// A member that is new has this long to take its first answer.
const NEW_MEMBER_MS: u64 = 300_000;
/// From this version on a member learns its id before it joins (KIP-394).
pub(super) const ID_REQUIRED: i16 = 4;
/// From this version on a returning static leader is told to assign nothing (KIP-814).
const SKIPS_ASSIGNMENT: i16 = 9;

/// Where a group is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// Nobody is in it.
    #[default]
    Empty,
    /// It waits for its members to join.
    PreparingRebalance,
    /// It waits for its leader's assignment.
    CompletingRebalance,
    /// Everybody works.
    Stable,
}

/// What a group waits for, and until when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// More members, in a group that was empty: so long is left after that.
    Initial { remaining_ms: u64 },
    /// Members that have not rejoined.
    Join,
    /// Members that have not synced.
    Sync,
}

/// A JoinGroup, and what the shell knows of who asks.
pub struct Join {
    /// As it came.
    pub request: JoinGroupRequest,
    /// Its version.
    pub version: i16,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// An id for a member that has none.
    pub new_member_id: String,
}

/// The clocks, and what bounds a group.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    pub(super) now: Monotonic,
    pub(super) wall: Timestamp,
    pub(super) config: &'a GroupConfig,
    pub(super) image: &'a Image,
}

impl Now<'_> {
    /// What holds for a consumer group.
    pub(super) fn consumer(&self, group: &str) -> ConsumerSettings {
        self.config.consumer.of_group(self.image.settings(ResourceType::Group, group))
    }
}

/// The group.
#[derive(Debug)]
pub(super) struct ClassicGroup {
    id: String,
    state: State,
    state_since: Timestamp,
    generation: i32,
    protocol_type: Option<String>,
    protocol: Option<String>,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    /// The members with an instance id.
    static_members: BTreeMap<String, String>,
    /// Ids that were given out and did not join yet, and until when.
    pending: BTreeMap<String, Monotonic>,
    waits_until: Option<(Monotonic, Phase)>,
    /// Somebody joined during the initial delay.
    has_new_member: bool,
}

impl ClassicGroup {
    pub(super) fn new(id: &str, wall: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            state: State::Empty,
            state_since: wall,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending: BTreeMap::new(),
            waits_until: None,
            has_new_member: false,
        }
    }

    /// A group that has offsets and never had a member.
    pub(super) fn simple(id: &str) -> Self {
        Self::new(id, Timestamp(-1))
    }

    /// The group that a record tells of: each member has a session's time to show itself.
    pub(super) fn of(id: &str, record: &GroupMetadataValue, now: Monotonic) -> Self {
        let mut group = Self::new(id, Timestamp(record.current_state_timestamp));
        group.generation = record.generation;
        group.protocol_type = Some(record.protocol_type.clone()).filter(|kind| !kind.is_empty());
        group.protocol = record.protocol.clone();
        group.leader = record.leader.clone();
        for member in &record.members {
            if let Some(instance) = &member.group_instance_id {
                group.static_members.insert(instance.clone(), member.member_id.clone());
            }
            group.members.insert(member.member_id.clone(), Member::of(member, group.protocol.as_deref(), now));
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
        }
        group
    }

    /// A stable group of these members, whose leader is the first.
    pub(super) fn stable(id: &str, generation: i32, members: BTreeMap<String, Member>, wall: Timestamp) -> Self {
        let mut group = Self::new(id, wall);
        group.state = State::Stable;
        group.generation = generation;
        group.protocol_type = Some(CONSUMER.to_owned());
        group.leader = members.keys().next().cloned();
        let instances = members.iter().filter_map(|(id, member)| Some((member.group_instance_id.clone()?, id.clone())));
        group.static_members = instances.collect();
        group.members = members;
        group.protocol = group.selected_protocol();
        group
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn state_since(&self) -> Timestamp {
        self.state_since
    }

    pub(super) fn protocol_type(&self) -> Option<&str> {
        self.protocol_type.as_deref()
    }

    pub(super) fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&String, &Member)> {
        self.members.iter()
    }

    pub(super) fn generation(&self) -> i32 {
        self.generation
    }

    /// Whoever waits for an answer is told to join again, for the group is no longer this one.
    pub(super) fn dissolve(&mut self, out: &mut Effects) {
        for (id, member) in &mut self.members {
            if let Some(joining) = member.joining.take() {
                refuse_join(id, ErrorCode::RebalanceInProgress, joining, out);
            }
            if let Some(syncing) = member.syncing.take() {
                refuse_sync(ErrorCode::RebalanceInProgress, syncing, out);
            }
        }
    }

    /// Nobody is in it, or on his way.
    pub(super) fn is_deserted(&self) -> bool {
        self.state == State::Empty && self.pending.is_empty()
    }

    pub(super) fn is_of_consumers(&self) -> bool {
        self.protocol_type() == Some(CONSUMER)
    }

    /// When it has to be looked at.
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        let members = self.members.values().filter_map(Member::deadline);
        let pending = self.pending.values().copied();
        members.chain(pending).chain(self.waits_until.map(|(at, _)| at)).min()
    }

    /// The topics of its consumers; `None` where nobody knows.
    pub(super) fn subscribed_topics(&self) -> Option<BTreeSet<String>> {
        if !self.is_of_consumers() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(embedded::read_subscription(member.metadata(protocol)?).ok()?.topics);
        }
        Some(topics)
    }

    // Joining.

    pub(super) fn join(&mut self, join: Join, token: Token, at: Now<'_>, out: &mut Effects) {
        let id = join.request.member_id.clone();
        if !self.accepts(&id, at.config.max_size) {
            let removed = self.members.contains_key(&id);
            if removed {
                self.remove(&id, at, out);
            }
            return refuse_join(&id, ErrorCode::GroupMaxSizeReached, token, out);
        }
        if !self.supports(&join.request.protocol_type, &join.request.protocols) {
            return refuse_join(&id, ErrorCode::InconsistentGroupProtocol, token, out);
        }
        if id.is_empty() {
            self.join_as_new(join, token, at, out);
        } else if self.pending.contains_key(&id) {
            self.add(id, join, token, at, out);
        } else if let Err(code) = self.check_member(&id, join.request.group_instance_id.as_deref()) {
            refuse_join(&id, code, token, out);
        } else {
            self.rejoin(&id, &join, token, at, out);
        }
    }

    fn join_as_new(&mut self, join: Join, token: Token, at: Now<'_>, out: &mut Effects) {
        let id = join.new_member_id.clone();
        let known = join.request.group_instance_id.as_ref().and_then(|instance| self.static_members.get(instance));
        if let Some(old) = known.cloned() {
            return self.replace_static(&old, id, &join, token, at, out);
        }
        if join.request.group_instance_id.is_none() && join.version >= ID_REQUIRED {
            self.pending.insert(id.clone(), at.now.after_ms(millis(join.request.session_timeout_ms)));
            return refuse_join(&id, ErrorCode::MemberIdRequired, token, out);
        }
        self.add(id, join, token, at, out);
    }

    fn rejoin(&mut self, id: &str, join: &Join, token: Token, at: Now<'_>, out: &mut Effects) {
        let is_leader = self.leader.as_deref() == Some(id);
        let is_unchanged = self.members.get(id).is_some_and(|member| member.protocols == join.request.protocols);
        match self.state {
            // It was reset while the client was away.
            State::Empty => refuse_join(id, ErrorCode::UnknownMemberId, token, out),
            State::CompletingRebalance if is_unchanged => {
                // Its answer was lost.
                let response = self.joined(id, is_leader);
                out.reply(token, Reply::Join(response));
            }
            State::Stable if is_unchanged && !is_leader => {
                let response = self.joined(id, false);
                out.reply(token, Reply::Join(response));
            }
            _ => {
                self.update(id, join, token, out);
                self.rebalance_or_complete(at, out);
            }
        }
    }

    fn add(&mut self, id: String, join: Join, token: Token, at: Now<'_>, out: &mut Effects) {
        if self.state == State::PreparingRebalance && self.generation == 0 {
            self.has_new_member = true;
        }
        let JoinGroupRequest { protocol_type, group_instance_id, .. } = &join.request;
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        if let Some(instance) = group_instance_id {
            self.static_members.insert(instance.clone(), id.clone());
        }
        self.pending.remove(&id);
        self.leader.get_or_insert_with(|| id.clone());
        let mut member = Member::new(join);
        member.joining = Some(token);
        member.alive_until = at.now.after_ms(NEW_MEMBER_MS);
        self.members.insert(id, member);
        self.rebalance_or_complete(at, out);
    }

    fn update(&mut self, id: &str, join: &Join, token: Token, out: &mut Effects) {
        let Some(member) = self.members.get_mut(id) else { return };
        member.take_terms(&join.request);
        if let Some(former) = member.joining.replace(token) {
            // Whoever still waits for that answer asks again.
            refuse_join(id, ErrorCode::RebalanceInProgress, former, out);
        }
    }

    /// A static member came back under a new id: whoever still uses the old one is fenced.
    fn replace_static(&mut self, old: &str, new: String, join: &Join, token: Token, at: Now<'_>, out: &mut Effects) {
        let Some(mut member) = self.members.remove(old) else { return };
        if let Some(joining) = member.joining.take() {
            refuse_join(old, ErrorCode::FencedInstanceId, joining, out);
        }
        if let Some(syncing) = member.syncing.take() {
            refuse_sync(ErrorCode::FencedInstanceId, syncing, out);
        }
        let (former_leader, former_protocol) = (self.leader.clone(), self.protocol.clone());
        if let Some(instance) = &member.group_instance_id {
            self.static_members.insert(instance.clone(), new.clone());
        }
        member.take_terms(&join.request);
        (member.client_id, member.client_host) = (join.client_id.clone(), join.client_host.clone());
        member.joining = Some(token);
        member.alive_until = at.now.after_ms(member.session_ms());
        self.members.insert(new.clone(), member);
        if self.leader.as_deref() == Some(old) {
            self.leader = Some(new.clone());
        }
        if self.state != State::Stable || self.selected_protocol() != former_protocol {
            return self.rebalance_or_complete(at, out);
        }
        // Its protocol stays, so that nobody has to rebalance: it takes the generation and the assignment that there are.
        let is_leader = self.leader.as_deref() == Some(&*new);
        let skips = join.version >= SKIPS_ASSIGNMENT;
        let mut response = self.joined(&new, is_leader && skips);
        response.skip_assignment = is_leader && skips;
        if !skips {
            // By the old id it does not take itself for the leader, and assigns nothing.
            response.leader = former_leader.unwrap_or_default();
        }
        if let Some(member) = self.members.get_mut(&new) {
            member.joining = None;
        }
        out.changes.push(self.record());
        out.reply(token, Reply::Join(response));
    }

    fn rebalance_or_complete(&mut self, at: Now<'_>, out: &mut Effects) {
        if self.state == State::PreparingRebalance {
            self.complete_join_if_all_are_here(at, out);
        } else {
            self.prepare(at, out);
        }
    }

    pub(super) fn prepare(&mut self, at: Now<'_>, out: &mut Effects) {
        for member in self.members.values_mut() {
            if let Some(syncing) = member.syncing.take() {
                refuse_sync(ErrorCode::RebalanceInProgress, syncing, out);
                member.alive_until = at.now.after_ms(member.session_ms());
            }
        }
        let was_empty = self.state == State::Empty;
        self.turn_to(State::PreparingRebalance, at.wall);
        if was_empty {
            let delay = at.config.initial_rebalance_delay_ms;
            let remaining_ms = self.rebalance_ms().saturating_sub(delay);
            self.has_new_member = false;
            self.waits_until = Some((at.now.after_ms(delay), Phase::Initial { remaining_ms }));
        } else {
            self.waits_until = Some((at.now.after_ms(self.rebalance_ms()), Phase::Join));
            self.complete_join_if_all_are_here(at, out);
        }
    }

    fn complete_join_if_all_are_here(&mut self, at: Now<'_>, out: &mut Effects) {
        let is_initial = matches!(self.waits_until, Some((_, Phase::Initial { .. })));
        let are_here = self.pending.is_empty() && self.members.values().all(|member| member.joining.is_some());
        if self.state == State::PreparingRebalance && are_here && !is_initial {
            self.complete_join(at, out);
        }
    }

    /// Those who are here make the next generation.
    fn complete_join(&mut self, at: Now<'_>, out: &mut Effects) {
        self.waits_until = None;
        let absent = |member: &Member| member.joining.is_none() && member.group_instance_id.is_none();
        let gone: Vec<String> =
            self.members.iter().filter(|(_, member)| absent(member)).map(|(id, _)| id.clone()).collect();
        gone.iter().for_each(|id| self.forget(id));
        if !self.members.is_empty() && !self.elects_leader() {
            // Static members alone, and none of them has rejoined.
            self.waits_until = Some((at.now.after_ms(self.rebalance_ms()), Phase::Join));
            return;
        }
        self.generation += 1;
        if self.members.is_empty() {
            self.protocol = None;
            self.turn_to(State::Empty, at.wall);
            out.changes.push(self.record());
            return;
        }
        self.protocol = self.selected_protocol();
        self.turn_to(State::CompletingRebalance, at.wall);
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let is_leader = self.leader.as_deref() == Some(&*id);
            let response = self.joined(&id, is_leader);
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.is_new = false;
            member.has_synced = false;
            member.alive_until = at.now.after_ms(member.session_ms());
            if let Some(token) = member.joining.take() {
                out.reply(token, Reply::Join(response));
            }
        }
        self.waits_until = Some((at.now.after_ms(self.rebalance_ms()), Phase::Sync));
    }

    /// Whether a member that has joined leads.
    fn elects_leader(&mut self) -> bool {
        let has_joined = |id: &String| self.members.get(id).is_some_and(|member| member.joining.is_some());
        if !self.leader.as_ref().is_some_and(has_joined) {
            let next = self.members.iter().find(|(_, member)| member.joining.is_some()).map(|(id, _)| id.clone());
            if next.is_none() {
                return false;
            }
            self.leader = next;
        }
        true
    }

    /// The answer that a member gets for the generation that there is.
    fn joined(&self, id: &str, with_members: bool) -> JoinGroupResponse {
        let member = |(id, member): (&String, &Member)| JoinGroupResponseMember {
            member_id: id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            metadata: self
                .protocol
                .as_deref()
                .and_then(|protocol| member.metadata(protocol))
                .cloned()
                .unwrap_or_default(),
        };
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: id.to_owned(),
            members: if with_members { self.members.iter().map(member).collect() } else { Vec::new() },
            ..JoinGroupResponse::default()
        }
    }

    // Syncing.

    pub(super) fn sync(&mut self, request: SyncGroupRequest, token: Token, at: Now<'_>, out: &mut Effects) {
        let id = request.member_id;
        let is_other = |given: &Option<String>, own: &Option<String>| given.is_some() && given != own;
        let refusal = self.check_member(&id, request.group_instance_id.as_deref()).err().or_else(|| {
            if request.generation_id != self.generation {
                Some(ErrorCode::IllegalGeneration)
            } else if is_other(&request.protocol_type, &self.protocol_type)
                || is_other(&request.protocol_name, &self.protocol)
            {
                Some(ErrorCode::InconsistentGroupProtocol)
            } else {
                match self.state {
                    State::Empty => Some(ErrorCode::UnknownMemberId),
                    State::PreparingRebalance => Some(ErrorCode::RebalanceInProgress),
                    State::CompletingRebalance | State::Stable => None,
                }
            }
        });
        if let Some(code) = refusal {
            return refuse_sync(code, token, out);
        }
        let is_stable = self.state == State::Stable;
        let is_leader = self.leader.as_deref() == Some(&*id);
        if let Some(member) = self.members.get_mut(&id) {
            member.has_synced = true;
            if let Some(former) = member.syncing.replace(token) {
                refuse_sync(ErrorCode::RebalanceInProgress, former, out);
            }
        }
        if !is_stable && is_leader {
            for member in self.members.values_mut() {
                member.assignment = Bytes::new();
            }
            for given in request.assignments {
                if let Some(member) = self.members.get_mut(&given.member_id) {
                    member.assignment = given.assignment;
                }
            }
            self.turn_to(State::Stable, at.wall);
            out.changes.push(self.record());
        }
        if self.state == State::Stable {
            self.hand_out(at, out);
        }
    }

    /// Whoever waits for his assignment gets it.
    fn hand_out(&mut self, at: Now<'_>, out: &mut Effects) {
        let (protocol_type, protocol_name) = (&self.protocol_type, &self.protocol);
        for member in self.members.values_mut() {
            let Some(token) = member.syncing.take() else { continue };
            member.alive_until = at.now.after_ms(member.session_ms());
            let response = SyncGroupResponse {
                protocol_type: protocol_type.clone(),
                protocol_name: protocol_name.clone(),
                assignment: member.assignment.clone(),
                ..SyncGroupResponse::default()
            };
            out.reply(token, Reply::Sync(response));
        }
        if self.members.values().all(|member| member.has_synced) {
            self.waits_until = None;
        }
    }

    // Living and leaving.

    pub(super) fn heartbeat(&mut self, id: &str, instance: Option<&str>, generation: i32, now: Monotonic) -> ErrorCode {
        if let Err(code) = self.check_member(id, instance) {
            return code;
        }
        if generation != self.generation {
            return ErrorCode::IllegalGeneration;
        }
        match self.state {
            State::Empty => ErrorCode::UnknownMemberId,
            State::PreparingRebalance => {
                self.is_alive(id, now);
                ErrorCode::RebalanceInProgress
            }
            State::CompletingRebalance | State::Stable => {
                self.is_alive(id, now);
                ErrorCode::None
            }
        }
    }

    pub(super) fn leave(&mut self, id: &str, instance: Option<&str>, at: Now<'_>, out: &mut Effects) -> ErrorCode {
        let id = match instance.and_then(|instance| self.static_members.get(instance)) {
            Some(of_instance) if id.is_empty() => of_instance.clone(),
            _ => id.to_owned(),
        };
        if self.pending.remove(&id).is_some() {
            self.complete_join_if_all_are_here(at, out);
            return ErrorCode::None;
        }
        match self.check_member(&id, instance) {
            Ok(()) => {
                self.remove(&id, at, out);
                ErrorCode::None
            }
            Err(code) => code,
        }
    }

    /// Whether these may commit offsets, who live by it.
    pub(super) fn check_commit(
        &mut self,
        id: &str,
        instance: Option<&str>,
        generation: i32,
        now: Monotonic,
    ) -> Result<(), ErrorCode> {
        if generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        if generation < 0 && id.is_empty() && instance.is_none() {
            // Nobody in particular, while the group has members.
            return Err(ErrorCode::UnknownMemberId);
        }
        self.check_member(id, instance)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        if self.state == State::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        self.is_alive(id, now);
        Ok(())
    }

    /// Does what time asks for.
    pub(super) fn expire(&mut self, at: Now<'_>, out: &mut Effects) {
        let pending = self.pending.len();
        self.pending.retain(|_, until| *until > at.now);
        if self.pending.len() < pending {
            self.complete_join_if_all_are_here(at, out);
        }
        let silent = |member: &Member| member.deadline().is_some_and(|until| until <= at.now);
        let silent: Vec<String> =
            self.members.iter().filter(|(_, member)| silent(member)).map(|(id, _)| id.clone()).collect();
        silent.iter().for_each(|id| self.remove(id, at, out));
        let Some((_, phase)) = self.waits_until.filter(|(until, _)| *until <= at.now) else { return };
        match phase {
            Phase::Initial { remaining_ms } if self.has_new_member && remaining_ms > 0 => {
                self.has_new_member = false;
                let delay = at.config.initial_rebalance_delay_ms.min(remaining_ms);
                let remaining_ms = remaining_ms.saturating_sub(delay);
                self.waits_until = Some((at.now.after_ms(delay), Phase::Initial { remaining_ms }));
            }
            Phase::Initial { .. } | Phase::Join => self.complete_join(at, out),
            Phase::Sync => {
                self.waits_until = None;
                let absent: Vec<String> =
                    self.members.iter().filter(|(_, member)| !member.has_synced).map(|(id, _)| id.clone()).collect();
                if !absent.is_empty() {
                    absent.iter().for_each(|id| self.forget(id));
                    self.prepare(at, out);
                }
            }
        }
    }

    /// The record that tells of it.
    pub(super) fn record(&self) -> Change {
        Change::group(&self.id, Some(&self.value()))
    }

    /// The record of a group whose members have yet to settle its next generation: with a new coordinator nobody is in it, so
    /// that everybody joins again.
    pub(super) fn unsettled_record(&self) -> Change {
        let generation = self.generation.saturating_add(1);
        let value =
            GroupMetadataValue { generation, protocol: None, leader: None, members: Vec::new(), ..self.value() };
        Change::group(&self.id, Some(&value))
    }

    fn value(&self) -> GroupMetadataValue {
        let member = |(id, member): (&String, &Member)| MemberMetadata {
            member_id: id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: member.rebalance_timeout_ms,
            session_timeout: member.session_timeout_ms,
            subscription: self.protocol.as_deref().and_then(|name| member.metadata(name)).cloned().unwrap_or_default(),
            assignment: member.assignment.clone(),
        };
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_since.0,
            members: self.members.iter().map(member).collect(),
        }
    }

    fn turn_to(&mut self, state: State, wall: Timestamp) {
        (self.state, self.state_since) = (state, wall);
    }

    fn is_alive(&mut self, id: &str, now: Monotonic) {
        if let Some(member) = self.members.get_mut(id) {
            member.alive_until = now.after_ms(member.session_ms());
        }
    }

    /// A member goes; the group goes on without it.
    fn remove(&mut self, id: &str, at: Now<'_>, out: &mut Effects) {
        if let Some(member) = self.members.get_mut(id) {
            if let Some(joining) = member.joining.take() {
                refuse_join(id, ErrorCode::UnknownMemberId, joining, out);
            }
            if let Some(syncing) = member.syncing.take() {
                refuse_sync(ErrorCode::UnknownMemberId, syncing, out);
            }
        }
        self.forget(id);
        match self.state {
            State::Empty => {}
            State::PreparingRebalance => self.complete_join_if_all_are_here(at, out),
            State::CompletingRebalance | State::Stable => self.prepare(at, out),
        }
    }

    fn forget(&mut self, id: &str) {
        let Some(member) = self.members.remove(id) else { return };
        if let Some(instance) = member.group_instance_id {
            self.static_members.remove(&instance);
        }
        if self.leader.as_deref() == Some(id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    fn accepts(&self, id: &str, max_size: usize) -> bool {
        let is_here = self.members.contains_key(id);
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                let joining = self.members.values().filter(|member| member.joining.is_some()).count();
                self.members.get(id).is_some_and(|member| member.joining.is_some()) || joining < max_size
            }
            State::CompletingRebalance | State::Stable => is_here || self.members.len() < max_size,
        }
    }

    fn check_member(&self, id: &str, instance: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance) = instance {
            match self.static_members.get(instance) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(of_instance) if of_instance != id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    fn supports(&self, kind: &str, protocols: &[JoinGroupRequestProtocol]) -> bool {
        if self.state == State::Empty {
            return !kind.is_empty() && !protocols.is_empty();
        }
        let by_all = |name: &str| self.members.values().all(|member| member.metadata(name).is_some());
        self.protocol_type() == Some(kind) && protocols.iter().any(|protocol| by_all(&protocol.name))
    }

    /// Each member votes for the first of its protocols that all know. With as many votes it is the leader's that counts.
    pub(super) fn selected_protocol(&self) -> Option<String> {
        let by_all = |name: &str| self.members.values().all(|member| member.metadata(name).is_some());
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some(first) = member.protocols.iter().find(|protocol| by_all(&protocol.name)) {
                *votes.entry(&first.name).or_default() += 1;
            }
        }
        let most = votes.values().max()?;
        let leader =
            self.leader.as_ref().and_then(|id| self.members.get(id)).or_else(|| self.members.values().next())?;
        let chosen = leader.protocols.iter().find(|protocol| votes.get(protocol.name.as_str()) == Some(most));
        chosen.map(|protocol| protocol.name.clone()).or_else(|| votes.keys().next().map(|name| (*name).to_owned()))
    }

    /// The longest that a member may take to rejoin.
    fn rebalance_ms(&self) -> u64 {
        self.members.values().map(|member| millis(member.rebalance_timeout_ms)).max().unwrap_or(0)
    }
}

pub(super) fn millis(given: i32) -> u64 {
    u64::try_from(given).unwrap_or(0)
}

pub(super) fn refuse_join(id: &str, code: ErrorCode, token: Token, out: &mut Effects) {
    let response = JoinGroupResponse {
        error_code: code.number(),
        member_id: id.to_owned(),
        protocol_name: None,
        protocol_type: None,
        ..JoinGroupResponse::default()
    };
    out.reply(token, Reply::Join(response));
}

pub(super) fn refuse_sync(code: ErrorCode, token: Token, out: &mut Effects) {
    let response = SyncGroupResponse {
        error_code: code.number(),
        protocol_type: None,
        protocol_name: None,
        ..SyncGroupResponse::default()
    };
    out.reply(token, Reply::Sync(response));
}
