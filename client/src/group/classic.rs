//! Membership in a classic group: join, have the partitions distributed, heartbeat, and again when something changes.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::leave_group_request::MemberIdentity;
use highwater_protocol::message::sync_group_request::SyncGroupRequestAssignment;
use highwater_protocol::message::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};
use regex::Regex;
use tokio::time::Instant;

use super::assignor::{Assignor, Counts, Peer};
use super::offsets::TIMEOUT;
use super::subscription::{Subscription, decode_assignment, encode_assignment};
use super::{Group, Identity, Owned, milliseconds};
use crate::consumer::partitions::Found;
use crate::coordinator::Backoff;
use crate::error::{Error, Kind, Result, checked};

/// What kind of group it is, to Kafka.
const PROTOCOL_TYPE: &str = "consumer";
/// What an answer may take longer than the coordinator waits for others.
const GRACE: Duration = Duration::from_secs(5);
/// How often topics are looked for that were subscribed to and are not there.
const LOOK_FOR_MISSING: Duration = Duration::from_secs(5);
const NEWEST: i16 = i16::MAX;

/// A member of a classic group.
pub(super) struct Classic {
    group: Arc<Group>,
    pattern: Option<Regex>,
    /// Of the topics that were subscribed to in the last join.
    counts: Counts,
    /// Of all topics of the group, where this member distributes them.
    distributed: Option<Counts>,
    /// Topics that were asked for to distribute them.
    asked: BTreeSet<String>,
    /// Topics whose lasting errors were told.
    told: BTreeSet<String>,
    /// Until the next round, where one failed.
    backoff: Backoff,
}

/// Why a stable group is left.
enum Next {
    Join,
    Evicted,
}

impl Classic {
    pub(super) fn new(group: Arc<Group>) -> Result<Self> {
        let whole = |pattern: &String| {
            Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|error| Error::new(Kind::Config, format!("the pattern of topics {pattern} is none: {error}")))
        };
        let pattern = group.settings.pattern.as_ref().map(whole).transpose()?;
        Ok(Self {
            group,
            pattern,
            counts: Counts::new(),
            distributed: None,
            asked: BTreeSet::new(),
            told: BTreeSet::new(),
            backoff: Backoff::new(),
        })
    }

    /// Stays a member for ever, or until the group refuses it.
    pub(super) async fn live(&mut self) -> Error {
        loop {
            let error = match self.round().await {
                Ok(Next::Join) => continue,
                Ok(Next::Evicted) => {
                    self.evict().await;
                    continue;
                }
                Err(error) => error,
            };
            tracing::debug!(%error, group = self.group.settings.group, "a round of the group failed");
            match error.code() {
                Some(ErrorCode::RebalanceInProgress) => {}
                Some(ErrorCode::UnknownMemberId | ErrorCode::MemberIdRequired) => {
                    *self.group.identity.lock() = Identity::nobody();
                    self.group.lost().await;
                }
                Some(ErrorCode::IllegalGeneration) => {
                    // It is still a member.
                    self.group.identity.lock().epoch = -1;
                    self.group.lost().await;
                }
                _ if error.is_retriable() => {}
                _ => return error,
            }
            tokio::time::sleep(self.backoff.next()).await;
        }
    }

    async fn evict(&mut self) {
        self.group.close(&self.group.owned());
        if let Err(error) = self.leave("max.poll.interval.ms is over").await {
            tracing::debug!(%error, "leaving");
        }
        *self.group.identity.lock() = Identity::nobody();
        self.group.evicted().await;
    }

    /// Joins, takes what it is given, and heartbeats until something changes.
    async fn round(&mut self) -> Result<Next> {
        let group = Arc::clone(&self.group);
        if !group.settings.is_cooperative() {
            // A commit that failed is told by a warning, and does not hold up the group.
            let _told = self.beating(group.revoke(&group.owned(), TIMEOUT)).await;
        }
        let (counts, errors) = self.beating(self.subscribed()).await?;
        self.counts = counts;
        self.tell(errors);
        let joined = self.join().await?;
        let assigned = self.sync(joined).await?;
        self.backoff = Backoff::new();
        let owned = group.owned();
        let revoked: Owned = owned.difference(&assigned).cloned().collect();
        let added: Owned = assigned.difference(&owned).cloned().collect();
        // A commit that failed is told by a warning, and does not hold up the group.
        let _told = self.beating(group.revoke(&revoked, TIMEOUT)).await;
        self.beating(group.assign(&added)).await?;
        if !revoked.is_empty() {
            // What was given up waits to be given to others.
            return Ok(Next::Join);
        }
        self.stable().await
    }

    /// The topics that are subscribed to and exist, and why others cannot be read.
    async fn subscribed(&self) -> Result<(Counts, Vec<(String, ErrorCode)>)> {
        let settings = &self.group.settings;
        let names: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
        let asked = if self.pattern.is_some() { None } else { Some(names.as_slice()) };
        let (metadata, errors) = self.group.client.refresh(asked, false).await?;
        let wanted = metadata.topics.into_values().filter(|topic| {
            self.pattern.as_ref().is_none_or(|pattern| !topic.is_internal && pattern.is_match(&topic.name))
        });
        let count = |partitions: usize| i32::try_from(partitions).unwrap_or(i32::MAX);
        Ok((wanted.map(|topic| (topic.name, count(topic.partitions.len()))).collect(), errors))
    }

    /// Tells what keeps topics from being read and will not pass by itself, once.
    fn tell(&mut self, errors: Vec<(String, ErrorCode)>) {
        let of = |name: &String| self.group.settings.topics.contains(name);
        for (name, code) in errors.into_iter().filter(|(name, code)| of(name) && !code.is_retriable()) {
            if self.told.insert(name.clone()) {
                let what = format!("topic {name} for group {}", self.group.settings.group);
                self.group.tell(Found::Failed(Error::broker(code, &what, None)));
            }
        }
    }

    /// All topics that were subscribed to, where they were named.
    fn topics(&self) -> Vec<String> {
        let named = &self.group.settings.topics;
        if named.is_empty() { self.counts.keys().cloned().collect() } else { named.clone() }
    }

    async fn join(&self) -> Result<JoinGroupResponse> {
        let settings = &self.group.settings;
        let within = settings.max_poll_interval + GRACE;
        let mut is_named = false;
        loop {
            let identity = self.group.identity.lock().clone();
            let protocols = settings.assignors.iter().map(|assignor| self.metadata(*assignor, identity.epoch));
            let request = JoinGroupRequest {
                group_id: settings.group.clone(),
                session_timeout_ms: milliseconds(settings.session_timeout),
                rebalance_timeout_ms: self.group.rebalance_timeout_ms(),
                member_id: identity.member,
                group_instance_id: settings.instance.clone(),
                protocol_type: PROTOCOL_TYPE.to_owned(),
                protocols: protocols.collect::<Result<_>>()?,
                reason: None,
            };
            let joined = self.group.membership.call(&request, NEWEST, Some(within), |joined| Some(joined.error_code));
            let joined = joined.await?;
            if joined.error_code == ErrorCode::MemberIdRequired.number() && !std::mem::replace(&mut is_named, true) {
                self.group.identity.lock().member = joined.member_id;
                continue;
            }
            let advice = match ErrorCode::from_number(joined.error_code) {
                ErrorCode::InconsistentGroupProtocol => Some(
                    "the group's members know no assignor in common, or it is a group of the other protocol: give them one \
                     with partition.assignment.strategy",
                ),
                ErrorCode::InvalidSessionTimeout => Some(
                    "session.timeout.ms is outside of what the broker allows: see its group.min.session.timeout.ms",
                ),
                ErrorCode::FencedInstanceId => Some("another consumer has the same group.instance.id"),
                _ => None,
            };
            checked(joined.error_code, || format!("joining group {}", settings.group), advice)?;
            *self.group.identity.lock() = Identity { member: joined.member_id.clone(), epoch: joined.generation_id };
            return Ok(joined);
        }
    }

    fn metadata(&self, assignor: Assignor, generation: i32) -> Result<JoinGroupRequestProtocol> {
        let is_sticky = assignor == Assignor::CooperativeSticky;
        let subscription = Subscription {
            topics: self.topics(),
            user_data: is_sticky.then(|| generation.to_be_bytes().to_vec().into()),
            owned: if self.group.settings.is_cooperative() { self.group.owned() } else { Owned::new() },
            generation,
            rack: self.group.settings.rack.clone(),
        };
        let metadata = subscription.encode().map_err(|error| Error::new(Kind::Protocol, error.to_string()))?;
        Ok(JoinGroupRequestProtocol { name: assignor.name().to_owned(), metadata })
    }

    /// Distributes the partitions if this member is to, and says what it is given itself.
    async fn sync(&mut self, joined: JoinGroupResponse) -> Result<Owned> {
        let leads = joined.leader == joined.member_id;
        let assignments = if leads { self.distribute(&joined).await? } else { Vec::new() };
        if !leads {
            self.distributed = None;
        }
        let settings = &self.group.settings;
        let request = SyncGroupRequest {
            group_id: settings.group.clone(),
            generation_id: joined.generation_id,
            member_id: joined.member_id,
            group_instance_id: settings.instance.clone(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: joined.protocol_name,
            assignments,
        };
        let within = Some(settings.max_poll_interval + GRACE);
        let synced = self.group.membership.call(&request, NEWEST, within, |synced| Some(synced.error_code)).await?;
        checked(synced.error_code, || format!("syncing group {}", settings.group), None)?;
        let wrong = |error| Error::new(Kind::Protocol, format!("the assignment of group {}: {error}", settings.group));
        decode_assignment(&synced.assignment).map_err(wrong)
    }

    async fn distribute(&mut self, joined: &JoinGroupResponse) -> Result<Vec<SyncGroupRequestAssignment>> {
        let group = &self.group.settings.group;
        let name = joined.protocol_name.as_deref().unwrap_or_default();
        let assignor = self.group.settings.assignors.iter().find(|assignor| assignor.name() == name);
        let unknown =
            || Error::new(Kind::Protocol, format!("group {group} is to use assignor {name}, which was not offered"));
        let assignor = assignor.ok_or_else(unknown)?;
        let mut members = Vec::new();
        for member in &joined.members {
            let subscription = Subscription::decode(&member.metadata).unwrap_or_else(|error| {
                let id = &member.member_id;
                tracing::warn!(%error, group, id, "a member's subscription cannot be read: it is given nothing");
                Subscription::none()
            });
            let (id, instance) = (member.member_id.clone(), member.group_instance_id.clone());
            members.push(Peer { id, instance, subscription });
        }
        let counts = self.beating(self.counts_of(&members)).await?;
        self.asked = members.iter().flat_map(|member| member.subscription.topics.iter().cloned()).collect();
        self.distributed = Some(counts.clone());
        if joined.skip_assignment {
            return Ok(Vec::new());
        }
        let wrong = |error: highwater_protocol::error::EncodeError| Error::new(Kind::Protocol, error.to_string());
        let assigned = assignor.assign(members, &counts).into_iter();
        assigned
            .map(|(member_id, owned)| {
                let assignment = encode_assignment(&owned).map_err(wrong)?;
                Ok(SyncGroupRequestAssignment { member_id, assignment })
            })
            .collect()
    }

    async fn counts_of(&self, members: &[Peer]) -> Result<Counts> {
        let mut names: Vec<&str> =
            members.iter().flat_map(|member| &member.subscription.topics).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        self.counts_named(&names).await
    }

    async fn counts_named(&self, names: &[&str]) -> Result<Counts> {
        let (metadata, _) = self.group.client.refresh(Some(names), false).await?;
        let count = |partitions: usize| i32::try_from(partitions).unwrap_or(i32::MAX);
        let topics = metadata.topics.into_values();
        Ok(topics.map(|topic| (topic.name, count(topic.partitions.len()))).collect())
    }

    /// Heartbeats until somebody comes or goes, topics change, or the user stays away.
    async fn stable(&self) -> Result<Next> {
        let mut backoff = Backoff::new();
        let mut next_beat = Instant::now() + self.group.settings.heartbeat_interval;
        let mut next_look = Instant::now() + self.look_after();
        loop {
            let deadline = self.group.deadline();
            tokio::time::sleep_until(next_beat.min(next_look).min(deadline)).await;
            let now = Instant::now();
            if now >= self.group.deadline() {
                return Ok(Next::Evicted);
            }
            if now >= next_look {
                if self.beating(self.has_changed()).await? {
                    return Ok(Next::Join);
                }
                next_look = Instant::now() + self.look_after();
            }
            if now < next_beat {
                continue;
            }
            next_beat = match self.beat().await {
                Ok(()) => {
                    backoff = Backoff::new();
                    Instant::now() + self.group.settings.heartbeat_interval
                }
                Err(error) if error.code() == Some(ErrorCode::RebalanceInProgress) => return Ok(Next::Join),
                Err(error) if error.is_retriable() => {
                    tracing::debug!(%error, "heartbeat");
                    Instant::now() + backoff.next()
                }
                Err(error) => return Err(error),
            };
        }
    }

    fn look_after(&self) -> Duration {
        let lacks = |topic: &String| !self.counts.contains_key(topic);
        let lacked = |counts: &Counts| self.asked.iter().any(|topic| !counts.contains_key(topic));
        let is_missing = self.group.settings.topics.iter().any(lacks) || self.distributed.as_ref().is_some_and(lacked);
        let age = self.group.settings.metadata_max_age;
        if is_missing { age.min(LOOK_FOR_MISSING) } else { age }
    }

    /// Whether topics came, went or grew since they were distributed.
    async fn has_changed(&self) -> Result<bool> {
        let counts = match self.subscribed().await {
            Err(error) if error.is_retriable() => return Ok(false),
            counts => counts?.0,
        };
        if self.pattern.is_some() && !counts.keys().eq(self.counts.keys()) {
            return Ok(true);
        }
        let Some(distributed) = &self.distributed else { return Ok(false) };
        let mut names: Vec<&str> =
            self.asked.iter().chain(distributed.keys()).chain(counts.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        match self.counts_named(&names).await {
            Err(error) if error.is_retriable() => Ok(false),
            now => Ok(now? != *distributed),
        }
    }

    async fn beat(&self) -> Result<()> {
        let identity = self.group.identity.lock().clone();
        // Behind a silent broker others are to be asked while the session lasts.
        let within = Some(self.group.settings.session_timeout / 3);
        let request = HeartbeatRequest {
            group_id: self.group.settings.group.clone(),
            generation_id: identity.epoch,
            member_id: identity.member,
            group_instance_id: self.group.settings.instance.clone(),
        };
        let beaten = self.group.membership.call(&request, NEWEST, within, |beaten| Some(beaten.error_code)).await?;
        checked(beaten.error_code, || format!("heartbeat to group {}", self.group.settings.group), None)
    }

    /// Does something that may take long, and heartbeats meanwhile. What a heartbeat learns is learnt again behind it.
    pub(super) async fn beating<T>(&self, doing: impl Future<Output = T>) -> T {
        tokio::pin!(doing);
        loop {
            tokio::select! {
                done = &mut doing => return done,
                () = tokio::time::sleep(self.group.settings.heartbeat_interval) => {
                    if self.group.identity.lock().epoch < 0 {
                        continue;
                    }
                    if let Err(error) = self.beat().await {
                        tracing::debug!(%error, "heartbeat");
                    }
                }
            }
        }
    }

    /// Leaves; a static member stays, to come back.
    pub(super) async fn leave(&self, reason: &str) -> Result<()> {
        let identity = std::mem::replace(&mut *self.group.identity.lock(), Identity::nobody());
        let settings = &self.group.settings;
        if settings.instance.is_some() || identity.member.is_empty() {
            return Ok(());
        }
        let member =
            MemberIdentity { member_id: identity.member, group_instance_id: None, reason: Some(reason.to_owned()) };
        let request = LeaveGroupRequest {
            group_id: settings.group.clone(),
            members: vec![member],
            ..LeaveGroupRequest::default()
        };
        let left = self.group.membership.call(&request, NEWEST, None, |left| Some(left.error_code)).await?;
        checked(left.error_code, || format!("leaving group {}", settings.group), None)
    }
}
