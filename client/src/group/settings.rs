//! What a member of a group was told.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::assignor::Assignor;
use super::listener::RebalanceListener;
use crate::consumer::StartFrom;
use crate::error::{Error, Kind, Result};
use crate::property;

/// What Kafka's durations can be at most, in milliseconds of 32 bits.
const LONGEST: Duration = Duration::from_millis(0x7fff_ffff);

/// How members agree on who reads what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GroupProtocol {
    /// JoinGroup and SyncGroup: a member distributes the partitions.
    #[default]
    Classic,
    /// ConsumerGroupHeartbeat (KIP-848): the coordinator distributes them, and only what moves stands still.
    Consumer,
}

impl FromStr for GroupProtocol {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "classic" => Ok(Self::Classic),
            "consumer" => Ok(Self::Consumer),
            _ => Err(property::wrong("group.protocol", name, "classic or consumer")),
        }
    }
}

/// When offsets are committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Commit {
    /// So often, when partitions go to others, and when the consumer is closed. What is committed is what the user is done with:
    /// who asks for the next record is done with those before.
    Auto(Duration),
    /// When the user says so.
    Manual,
}

/// Who listens, perhaps.
#[derive(Clone, Default)]
pub(crate) struct Listener(pub(crate) Option<Arc<dyn RebalanceListener>>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "a listener" } else { "none" })
    }
}

/// What a member of a group was told.
#[derive(Clone, Debug)]
pub(crate) struct GroupSettings {
    pub(crate) group: String,
    pub(crate) instance: Option<String>,
    pub(crate) protocol: GroupProtocol,
    pub(crate) assignors: Vec<Assignor>,
    pub(crate) remote_assignor: Option<String>,
    pub(crate) topics: Vec<String>,
    pub(crate) pattern: Option<String>,
    pub(crate) start: Option<StartFrom>,
    pub(crate) commit: Commit,
    pub(crate) session_timeout: Duration,
    pub(crate) heartbeat_interval: Duration,
    pub(crate) max_poll_interval: Duration,
    pub(crate) metadata_max_age: Duration,
    pub(crate) rack: Option<String>,
    pub(crate) listener: Listener,
}

impl GroupSettings {
    /// Kafka's defaults.
    pub(crate) fn new(commit: Commit) -> Self {
        Self {
            group: String::new(),
            instance: None,
            protocol: GroupProtocol::default(),
            assignors: vec![Assignor::Range, Assignor::CooperativeSticky],
            remote_assignor: None,
            topics: Vec::new(),
            pattern: None,
            start: None,
            commit,
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            max_poll_interval: Duration::from_secs(300),
            metadata_max_age: Duration::from_secs(300),
            rack: None,
            listener: Listener::default(),
        }
    }

    /// What makes no sense is said before anybody is asked.
    pub(crate) fn check(&mut self) -> Result<()> {
        let wrong = |message: &str| Err(Error::new(Kind::Config, message));
        self.topics.sort_unstable();
        self.topics.dedup();
        if self.group.is_empty() {
            return wrong("group.id is empty: a group needs a name");
        }
        if self.topics.is_empty() == self.pattern.is_none() {
            return wrong(
                "a member of a group needs topics or a pattern, and not both: name them with topic() or pattern()",
            );
        }
        if self.assignors.is_empty() {
            return wrong("partition.assignment.strategy is empty: a classic group needs an assignor");
        }
        for duration in [
            &mut self.session_timeout,
            &mut self.heartbeat_interval,
            &mut self.max_poll_interval,
            &mut self.metadata_max_age,
        ] {
            *duration = LONGEST.min(*duration);
        }
        if let Commit::Auto(interval) = &mut self.commit {
            *interval = LONGEST.min(*interval);
            if interval.is_zero() {
                return wrong("auto.commit.interval.ms is 0: take 1 or more, or commit by hand");
            }
        }
        if self.heartbeat_interval.is_zero() {
            return wrong("heartbeat.interval.ms is 0: take a third of session.timeout.ms");
        }
        let is_classic = self.protocol == GroupProtocol::Classic;
        if is_classic && self.heartbeat_interval >= self.session_timeout {
            return wrong("heartbeat.interval.ms is not less than session.timeout.ms: take a third of it");
        }
        Ok(())
    }

    /// Partitions are kept through a rebalance: only where every assignor that may be chosen can do so.
    pub(crate) fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|assignor| *assignor == Assignor::CooperativeSticky)
    }
}
