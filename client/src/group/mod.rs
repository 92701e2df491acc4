//! Groups of consumers: a background task keeps this consumer a member, and the partitions that the group gives it come and go.
//!
//! A partition goes in this order: no record of it is handed over any more, what is due is committed, the listener hears of it,
//! and then the group. It comes in this order: what the group has committed is looked up, the listener hears of it, and then
//! records are handed over. So no record is skipped, and the record in hand at a rebalance may come twice.

mod assignor;
mod classic;
mod listener;
mod member;
mod offsets;
mod reconciled;
mod settings;
mod subscription;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use assignor::Assignor;
pub use listener::{Heard, Rebalance, RebalanceListener};
pub(crate) use member::{Member, watch};
pub use offsets::OffsetAndMetadata;
pub(crate) use settings::GroupSettings;
pub use settings::{Commit, GroupProtocol};

use crate::cluster::Client;
use crate::consumer::partitions::{Assigned, Found, Shared};
use crate::coordinator::Coordinator;
use crate::error::{Error, Kind, Result};

/// A partition of a topic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicPartition {
    /// The topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.topic, self.partition)
    }
}

/// What a member has.
pub(crate) type Owned = BTreeSet<TopicPartition>;

/// Who this consumer is to its group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    /// Empty: nobody yet.
    pub(crate) member: String,
    /// The generation of a classic group, the member's epoch in the consumer protocol; -1 while it is no member.
    pub(crate) epoch: i32,
}

impl Identity {
    pub(crate) fn nobody() -> Self {
        Self { member: String::new(), epoch: -1 }
    }
}

/// A group, as far as this consumer and its tasks share it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) client: Client,
    pub(crate) settings: GroupSettings,
    pub(crate) shared: Arc<Shared>,
    pub(crate) identity: Mutex<Identity>,
    /// For joins, heartbeats and leaving.
    pub(crate) membership: Coordinator,
    /// For offsets, which do not wait behind a join.
    offsets: Coordinator,
    /// Commits go one after the other, so that an older one does not come last.
    committing: tokio::sync::Mutex<()>,
    found: mpsc::UnboundedSender<Found>,
}

impl Group {
    pub(crate) fn new(
        client: Client,
        settings: GroupSettings,
        shared: Arc<Shared>,
        found: mpsc::UnboundedSender<Found>,
    ) -> Self {
        let coordinator = || Coordinator::new(client.clone(), &settings.group);
        let (membership, offsets) = (coordinator(), coordinator());
        let identity = Mutex::new(Identity::nobody());
        Self {
            client,
            settings,
            shared,
            identity,
            membership,
            offsets,
            committing: tokio::sync::Mutex::default(),
            found,
        }
    }

    pub(crate) fn tell(&self, found: Found) {
        // Whoever was to be told may have gone.
        let _gone = self.found.send(found);
    }

    pub(crate) fn owned(&self) -> Owned {
        let partitions = self.shared.partitions.lock();
        let ours = partitions.iter().filter(|one| one.is_ours);
        ours.map(|one| TopicPartition::new(&*one.topic, one.partition)).collect()
    }

    /// When the user has been busy for too long.
    pub(crate) fn deadline(&self) -> Instant {
        let is_starved = self.shared.buffered.load(std::sync::atomic::Ordering::Acquire) == 0;
        let mut user = self.shared.user.lock();
        if user.is_waiting && is_starved {
            user.seen = Instant::now();
        }
        user.seen + self.settings.max_poll_interval
    }

    /// The user has been busy for too long: what it has is lost, until it asks again.
    pub(crate) async fn evicted(self: &Arc<Self>) {
        self.shared.user.lock().is_late = true;
        self.lost().await;
        let limit = self.settings.max_poll_interval;
        let message = format!(
            "group {} goes on without this consumer, which asked for nothing for {limit:?}: it joins again with the next \
             record asked for; raise max.poll.interval.ms, or ask for fewer records at once",
            self.settings.group
        );
        self.tell(Found::Failed(Error::new(Kind::Lost, message)));
        self.shared.asked.notified().await;
    }

    /// Partitions come.
    pub(crate) async fn assign(self: &Arc<Self>, added: &Owned) -> Result<()> {
        if added.is_empty() {
            return Ok(());
        }
        let added: Vec<TopicPartition> = added.iter().cloned().collect();
        let committed = self.committed(&added).await?;
        for one in &added {
            let offset = committed.get(one).map(|found| (found.offset, found.leader_epoch.unwrap_or(-1)));
            self.place(one, offset);
        }
        if let Some(listener) = &self.settings.listener.0 {
            listener.assigned(&Rebalance { group: Arc::clone(self) }, &added).await;
        }
        self.open(&added);
        Ok(())
    }

    /// Where a partition begins that comes.
    fn place(&self, one: &TopicPartition, committed: Option<(i64, i32)>) {
        let (offset, epoch) = committed.unwrap_or((-1, -1));
        let mut placed = Assigned::new(&one.topic, one.partition, self.settings.start, offset);
        (placed.is_open, placed.committed) = (false, offset);
        (placed.leader_epoch, placed.done) = (epoch, (offset, epoch));
        let mut partitions = self.shared.partitions.lock();
        let known = partitions.iter_mut().find(|known| *known.topic == one.topic && known.partition == one.partition);
        match known {
            Some(known) => {
                (placed.generation, placed.is_fetching) = (known.generation.wrapping_add(1), known.is_fetching);
                *known = placed;
            }
            None => partitions.push(placed),
        }
    }

    fn open(&self, added: &[TopicPartition]) {
        for one in added {
            let opened = self.shared.change(&one.topic, one.partition, |known| {
                known.is_open = true;
                if known.position < 0 && known.start.is_none() {
                    let message = format!(
                        "group {} has committed no offset of {one}, and auto.offset.reset is none: seek to where it begins",
                        self.settings.group
                    );
                    self.tell(Found::Failed(Error::new(Kind::NoOffset, message)));
                }
            });
            if let Err(error) = opened {
                tracing::debug!(%error, "it went meanwhile");
            }
        }
    }

    /// Partitions go to others. Says whether what was due is committed.
    pub(crate) async fn revoke(self: &Arc<Self>, revoked: &Owned, within: Duration) -> Result<()> {
        if revoked.is_empty() {
            return Ok(());
        }
        self.close(revoked);
        let committed = match self.settings.commit {
            Commit::Auto(_) => self.commit_within(self.due(revoked), true, within).await,
            Commit::Manual => Ok(()),
        };
        if let Err(error) = &committed {
            tracing::warn!(%error, "committing before partitions go");
        }
        if let Some(listener) = &self.settings.listener.0 {
            let revoked: Vec<TopicPartition> = revoked.iter().cloned().collect();
            listener.revoked(&Rebalance { group: Arc::clone(self) }, &revoked).await;
        }
        self.release(revoked);
        committed
    }

    /// The group has given away all that this consumer had.
    pub(crate) async fn lost(self: &Arc<Self>) {
        let lost = self.owned();
        if lost.is_empty() {
            return;
        }
        self.close(&lost);
        self.release(&lost);
        if let Some(listener) = &self.settings.listener.0 {
            listener.lost(&lost.into_iter().collect::<Vec<_>>()).await;
        }
    }

    /// Nothing is handed over any more, and nobody hears of it.
    fn abandon(&self) {
        let owned = self.owned();
        self.close(&owned);
        self.release(&owned);
    }

    fn close(&self, going: &Owned) {
        self.each(going, Assigned::close);
    }

    fn release(&self, gone: &Owned) {
        self.each(gone, |one| one.is_ours = false);
    }

    fn each(&self, partitions: &Owned, mut change: impl FnMut(&mut Assigned)) {
        for one in self.shared.partitions.lock().iter_mut().filter(|one| one.is_ours) {
            if partitions.contains(&TopicPartition::new(&*one.topic, one.partition)) {
                change(one);
            }
        }
    }

    /// How long others may take to come to a rebalance.
    pub(crate) fn rebalance_timeout_ms(&self) -> i32 {
        milliseconds(self.settings.max_poll_interval)
    }
}

pub(crate) fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
