//! Membership in a group of the consumer protocol (KIP-848): heartbeats tell what this member wants and has, and are answered
//! with what it shall have.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions;
use highwater_protocol::message::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
use tokio::time::Instant;
use uuid::Uuid;

use super::offsets::TIMEOUT;
use super::{Group, Identity, Owned, TopicPartition};
use crate::consumer::partitions::Found;
use crate::coordinator::Backoff;
use crate::error::{Error, Result, checked};

/// The version from which on members name themselves, and may subscribe by pattern.
const VERSION: i16 = 1;
/// Epochs that leave: for good, and for a restart.
const LEAVE: i32 = -1;
const LEAVE_TO_COME_BACK: i32 = -2;
/// Until the coordinator says how often it wants to hear of a member.
const FIRST_INTERVAL: Duration = Duration::from_secs(5);
/// How often a topic is looked up that was assigned and is not known.
const LOOK_FOR_UNKNOWN: Duration = Duration::from_secs(1);

type Target = BTreeSet<(Uuid, i32)>;

/// A member of a group of the consumer protocol.
pub(super) struct Reconciled {
    group: Arc<Group>,
    /// Its own choice, for its whole life.
    id: String,
    /// Names of topics that were assigned.
    names: BTreeMap<Uuid, String>,
    /// What it shall have, until it has it.
    target: Option<Target>,
    /// What the coordinator was told last that it has.
    told: Owned,
    /// The next heartbeat says all.
    says_all: bool,
    /// The coordinator may know this member: a heartbeat was sent, answered or not.
    may_be_known: bool,
    interval: Duration,
    /// The error that was told last, so that a lasting one is told once.
    complained: Option<ErrorCode>,
}

impl Reconciled {
    pub(super) fn new(group: Arc<Group>) -> Self {
        let id = Uuid::new_v4().to_string();
        *group.identity.lock() = Identity { member: id.clone(), epoch: 0 };
        Self {
            group,
            id,
            names: BTreeMap::new(),
            target: None,
            told: Owned::new(),
            says_all: true,
            may_be_known: false,
            interval: FIRST_INTERVAL,
            complained: None,
        }
    }

    /// Stays a member for ever, or until the group refuses it.
    pub(super) async fn live(&mut self) -> Error {
        let mut backoff = Backoff::new();
        loop {
            let error = match self.turn().await {
                Ok(()) => {
                    backoff = Backoff::new();
                    continue;
                }
                Err(error) => error,
            };
            tracing::debug!(%error, group = self.group.settings.group, "a turn of the group failed");
            match error.code() {
                Some(ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId) => self.begin_anew().await,
                Some(code @ ErrorCode::UnreleasedInstanceId) => {
                    if self.complained.replace(code) != Some(code) {
                        self.group.tell(Found::Failed(error));
                    }
                }
                Some(ErrorCode::StaleMemberEpoch) => {}
                _ if error.is_retriable() => {}
                _ => return error,
            }
            self.says_all = true;
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn begin_anew(&mut self) {
        *self.group.identity.lock() = Identity { member: self.id.clone(), epoch: 0 };
        (self.target, self.says_all) = (None, true);
        self.told.clear();
        self.group.lost().await;
    }

    /// A heartbeat, what follows from it, and the time until the next.
    async fn turn(&mut self) -> Result<()> {
        self.beat(true).await?;
        let mut wait = self.interval;
        if let Some(target) = self.target.take() {
            let is_known = self.look_up(&target).await?;
            self.reconcile(&target).await?;
            if !is_known {
                wait = wait.min(LOOK_FOR_UNKNOWN);
                self.target.get_or_insert(target);
            }
        }
        if self.group.owned() != self.told {
            return Ok(());
        }
        let next = Instant::now() + wait;
        while Instant::now() < next {
            tokio::time::sleep_until(next.min(self.group.deadline())).await;
            if Instant::now() >= self.group.deadline() {
                self.group.close(&self.group.owned());
                if let Err(error) = self.leave().await {
                    tracing::debug!(%error, "leaving");
                }
                self.group.evicted().await;
                self.begin_anew().await;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says all that is new, or only that it lives.
    async fn beat(&mut self, says_news: bool) -> Result<()> {
        let (request, said) = self.request(says_news);
        self.may_be_known = true;
        let response = self.send(&request).await?;
        if let Some(said) = said {
            self.told = said;
        }
        if says_news {
            (self.says_all, self.complained) = (false, None);
        }
        *self.group.identity.lock() = Identity { member: self.id.clone(), epoch: response.member_epoch };
        let interval = u64::try_from(response.heartbeat_interval_ms).unwrap_or(0);
        self.interval = if interval > 0 { Duration::from_millis(interval) } else { FIRST_INTERVAL };
        if let Some(assignment) = response.assignment {
            let topics = assignment.topic_partitions.into_iter();
            let partitions = topics.flat_map(|topic| topic.partitions.into_iter().map(move |at| (topic.topic_id, at)));
            self.target = Some(partitions.collect());
        }
        Ok(())
    }

    /// The request, and what it says that this member has.
    fn request(&self, says_news: bool) -> (ConsumerGroupHeartbeatRequest, Option<Owned>) {
        let settings = &self.group.settings;
        let (says_all, owned) = (says_news && self.says_all, self.group.owned());
        let says_owned = says_all || says_news && owned != self.told;
        let names = if settings.pattern.is_some() { None } else { Some(settings.topics.clone()) };
        let request = ConsumerGroupHeartbeatRequest {
            group_id: settings.group.clone(),
            member_id: self.id.clone(),
            member_epoch: self.group.identity.lock().epoch,
            instance_id: settings.instance.clone(),
            rack_id: settings.rack.clone().filter(|_| says_all),
            rebalance_timeout_ms: if says_all { self.group.rebalance_timeout_ms() } else { -1 },
            subscribed_topic_names: names.filter(|_| says_all),
            subscribed_topic_regex: settings.pattern.clone().filter(|_| says_all),
            server_assignor: settings.remote_assignor.clone().filter(|_| says_all),
            topic_partitions: says_owned.then(|| self.by_id(&owned)),
        };
        (request, says_owned.then_some(owned))
    }

    fn by_id(&self, owned: &Owned) -> Vec<TopicPartitions> {
        let of = |(id, name): (&Uuid, &String)| {
            let partitions: Vec<i32> = owned.iter().filter(|one| one.topic == *name).map(|one| one.partition).collect();
            (!partitions.is_empty()).then_some(TopicPartitions { topic_id: *id, partitions })
        };
        self.names.iter().filter_map(of).collect()
    }

    async fn send(&self, request: &ConsumerGroupHeartbeatRequest) -> Result<ConsumerGroupHeartbeatResponse> {
        let group = &self.group;
        let within = Some(self.interval.max(FIRST_INTERVAL));
        let response = group.membership.call(request, VERSION, within, |response| Some(response.error_code)).await?;
        let detail = response.error_message.as_deref();
        checked(response.error_code, || format!("heartbeat to group {}", group.settings.group), detail)?;
        Ok(response)
    }

    /// Finds the names of topics. Says whether all are known.
    async fn look_up(&mut self, target: &Target) -> Result<bool> {
        let is_known = |names: &BTreeMap<Uuid, String>| target.iter().all(|(id, _)| names.contains_key(id));
        if is_known(&self.names) {
            return Ok(true);
        }
        let client = self.group.client.clone();
        let (metadata, _) = self.beating(client.refresh(None, false)).await?;
        let wanted: BTreeSet<Uuid> = target.iter().map(|(id, _)| *id).collect();
        // A topic that was deleted and created again has another id.
        self.names.retain(|id, name| metadata.topics.get(name).is_none_or(|topic| topic.id == *id));
        let found = metadata.topics.into_values().filter(|topic| wanted.contains(&topic.id));
        self.names.extend(found.map(|topic| (topic.id, topic.name)));
        Ok(is_known(&self.names))
    }

    /// Gives up what it shall not have. If there is nothing of that, takes what it shall have.
    async fn reconcile(&mut self, target: &Target) -> Result<()> {
        let group = Arc::clone(&self.group);
        let named = |(id, at): &(Uuid, i32)| Some(TopicPartition::new(self.names.get(id)?.clone(), *at));
        let target_named: Owned = target.iter().filter_map(named).collect();
        let owned = group.owned();
        let revoked: Owned = owned.difference(&target_named).cloned().collect();
        let added: Owned = target_named.difference(&owned).cloned().collect();
        if !revoked.is_empty() {
            // A commit that failed is told by a warning, and does not hold up the group.
            let _told = self.beating(group.revoke(&revoked, TIMEOUT)).await;
            // The coordinator hears of it first; others wait for it.
            self.target.get_or_insert_with(|| target.clone());
            return Ok(());
        }
        let assigned = self.beating(group.assign(&added)).await;
        if assigned.is_err() {
            self.target.get_or_insert_with(|| target.clone());
        }
        assigned
    }

    /// Does something that may take long, and heartbeats meanwhile.
    pub(super) async fn beating<T>(&mut self, doing: impl Future<Output = T>) -> T {
        tokio::pin!(doing);
        loop {
            tokio::select! {
                done = &mut doing => return done,
                () = tokio::time::sleep(self.interval) => {
                    if let Err(error) = self.beat(false).await {
                        tracing::debug!(%error, "heartbeat");
                        // What the lost answer said is said again to who says all.
                        self.says_all = true;
                    }
                }
            }
        }
    }

    /// Leaves; a static member says that it comes back.
    pub(super) async fn leave(&self) -> Result<()> {
        if !self.may_be_known {
            return Ok(());
        }
        let settings = &self.group.settings;
        let request = ConsumerGroupHeartbeatRequest {
            group_id: settings.group.clone(),
            member_id: self.id.clone(),
            member_epoch: if settings.instance.is_some() { LEAVE_TO_COME_BACK } else { LEAVE },
            instance_id: settings.instance.clone(),
            rebalance_timeout_ms: -1,
            ..ConsumerGroupHeartbeatRequest::default()
        };
        match self.send(&request).await {
            // It did not come that far.
            Err(error) if error.code() == Some(ErrorCode::UnknownMemberId) => Ok(()),
            left => left.map(drop),
        }
    }
}
