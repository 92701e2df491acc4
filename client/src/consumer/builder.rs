//! What a consumer should read, and how.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::fetcher::Fetcher;
use super::grouped::Grouped;
use super::partitions::{Assigned, Shared};
use super::{Consumer, Fetch, StartFrom};
use crate::cluster::Client;
use crate::error::{Error, Kind, Result};
use crate::group::{Assignor, Commit, GroupProtocol, GroupSettings, RebalanceListener};
use crate::property;

const KEYS: &[&str] = &[
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "client.rack",
    "enable.auto.commit",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "metadata.max.age.ms",
    "partition.assignment.strategy",
    "queued.max.bytes",
    "session.timeout.ms",
];
/// How long a topic may take to be found.
const TOPIC_TIMEOUT: Duration = Duration::from_secs(10);
/// `auto.commit.interval.ms` where nothing is said.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);

/// Says what a consumer should read.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConsumerBuilder {
    client: Client,
    assigned: Vec<(String, Option<Vec<i32>>)>,
    start_from: Option<StartFrom>,
    starts: Vec<(String, i32, StartFrom)>,
    fetch: Fetch,
    group: Option<String>,
    commit_interval: Duration,
    settings: GroupSettings,
}

impl ConsumerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            assigned: Vec::new(),
            start_from: Some(StartFrom::Latest),
            starts: Vec::new(),
            fetch: Fetch::default(),
            group: None,
            commit_interval: COMMIT_INTERVAL,
            settings: GroupSettings::new(Commit::Auto(COMMIT_INTERVAL)),
        }
    }

    /// Reads all partitions of a topic, as many as there are when it is built. In a group, those that the group gives it.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.assigned.push((topic.into(), None));
        self
    }

    /// Reads some partitions of a topic. Not in a group.
    pub fn assign(mut self, topic: impl Into<String>, partitions: impl IntoIterator<Item = i32>) -> Self {
        self.assigned.push((topic.into(), Some(partitions.into_iter().collect())));
        self
    }

    /// Reads all topics whose whole name matches, also those still to come. In a group only.
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.settings.pattern = Some(pattern.into());
        self
    }

    /// Shares topics with the other members of a group, and goes on where the group has committed.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// A static member: restarted within the session's timeout it gets back what it had, and nobody else moves.
    pub fn instance_id(mut self, id: impl Into<String>) -> Self {
        self.settings.instance = Some(id.into());
        self
    }

    /// How members agree on who reads what; classic, unless something else is said. A group has one protocol at a time.
    pub fn protocol(mut self, protocol: GroupProtocol) -> Self {
        self.settings.protocol = protocol;
        self
    }

    /// How a classic group distributes partitions: the first one that all members know.
    pub fn assignors(mut self, assignors: impl IntoIterator<Item = Assignor>) -> Self {
        self.settings.assignors = assignors.into_iter().collect();
        self
    }

    /// What the group's coordinator distributes partitions with, in the consumer protocol: `uniform` or `range`.
    pub fn remote_assignor(mut self, name: impl Into<String>) -> Self {
        self.settings.remote_assignor = Some(name.into());
        self
    }

    /// When what was read is committed; every five seconds, unless something else is said.
    pub fn commit(mut self, commit: Commit) -> Self {
        self.settings.commit = commit;
        self
    }

    /// After which silence a classic group goes on without this consumer.
    pub fn session_timeout(mut self, timeout: Duration) -> Self {
        self.settings.session_timeout = timeout;
        self
    }

    /// How often a classic group hears of this consumer.
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.settings.heartbeat_interval = interval;
        self
    }

    /// How long the user may be busy with what it was given before the group goes on without this consumer.
    pub fn max_poll_interval(mut self, interval: Duration) -> Self {
        self.settings.max_poll_interval = interval;
        self
    }

    /// Who hears of partitions that come and go.
    pub fn listener(mut self, listener: impl RebalanceListener) -> Self {
        self.settings.listener.0 = Some(Arc::new(listener));
        self
    }

    /// Where to begin; at the end, unless something else is said. In a group, where nothing is committed.
    pub fn start_from(mut self, start_from: StartFrom) -> Self {
        self.start_from = Some(start_from);
        self
    }

    /// A group's partition without a committed offset is an error, and waits for a seek.
    pub fn require_committed(mut self) -> Self {
        self.start_from = None;
        self
    }

    /// Where to begin in one partition.
    pub fn start_partition_from(mut self, topic: impl Into<String>, partition: i32, start_from: StartFrom) -> Self {
        self.starts.push((topic.into(), partition, start_from));
        self
    }

    /// What fetches ask for.
    pub fn fetch(mut self, fetch: Fetch) -> Self {
        self.fetch = fetch;
        self
    }

    /// The names that [`ConsumerBuilder::set`] knows.
    pub fn properties() -> &'static [&'static str] {
        KEYS
    }

    /// A property by Kafka's name.
    pub fn set(mut self, key: &str, value: &str) -> Result<Self> {
        match key {
            "auto.commit.interval.ms" => {
                self.commit_interval = property::milliseconds(key, value)?;
                if let Commit::Auto(interval) = &mut self.settings.commit {
                    *interval = self.commit_interval;
                }
            }
            "auto.offset.reset" => {
                self.start_from = match value {
                    "earliest" => Some(StartFrom::Earliest),
                    "latest" => Some(StartFrom::Latest),
                    "none" => None,
                    _ => return Err(property::wrong(key, value, "earliest, latest or none")),
                }
            }
            "client.rack" => self.settings.rack = Some(value.to_owned()),
            "enable.auto.commit" => {
                let is_auto = property::boolean(key, value)?;
                self.settings.commit = if is_auto { Commit::Auto(self.commit_interval) } else { Commit::Manual };
            }
            "fetch.max.bytes" => self.fetch.max_bytes = property::number(key, value)?,
            "fetch.max.wait.ms" => self.fetch.max_wait = property::milliseconds(key, value)?,
            "fetch.min.bytes" => self.fetch.min_bytes = property::number(key, value)?,
            "group.id" => self.group = Some(value.to_owned()),
            "group.instance.id" => self.settings.instance = Some(value.to_owned()),
            "group.protocol" => self.settings.protocol = value.parse()?,
            "group.remote.assignor" => self.settings.remote_assignor = Some(value.to_owned()),
            "heartbeat.interval.ms" => self.settings.heartbeat_interval = property::milliseconds(key, value)?,
            "max.partition.fetch.bytes" => self.fetch.max_partition_bytes = property::number(key, value)?,
            "max.poll.interval.ms" => self.settings.max_poll_interval = property::milliseconds(key, value)?,
            "metadata.max.age.ms" => self.settings.metadata_max_age = property::milliseconds(key, value)?,
            "partition.assignment.strategy" => {
                let names = value.split(',').map(str::trim);
                self.settings.assignors = names.map(str::parse).collect::<Result<_>>()?;
            }
            "queued.max.bytes" => self.fetch.max_buffered_bytes = property::number(key, value)?,
            "session.timeout.ms" => self.settings.session_timeout = property::milliseconds(key, value)?,
            _ => return Err(property::unknown(key, KEYS)),
        }
        Ok(self)
    }

    /// Looks up where to begin, and begins. A member of a group begins to join it.
    pub async fn build(self) -> Result<Consumer> {
        if self.group.is_some() {
            return self.build_member();
        }
        let partitions = self.looked_up().await?;
        let (client, fetch) = (self.client, self.fetch);
        let shared = Arc::new(Shared::new(partitions));
        let (sender, found) = mpsc::unbounded_channel();
        let task = tokio::spawn(Fetcher::new(client, Arc::clone(&shared), fetch, sender).run());
        Ok(Consumer::new(shared, found, None, task.abort_handle()))
    }

    fn build_member(self) -> Result<Consumer> {
        let mut settings = self.settings;
        settings.group = self.group.unwrap_or_default();
        settings.start = self.start_from;
        settings.topics = self.assigned.iter().map(|(topic, _)| topic.clone()).collect();
        if !self.starts.is_empty() || self.assigned.iter().any(|(_, partitions)| partitions.is_some()) {
            let message =
                "a group assigns partitions, and says where they begin: use topic() and start_from(), or no group";
            return Err(Error::new(Kind::Config, message));
        }
        settings.check()?;
        let shared = Arc::new(Shared::new(Vec::new()));
        let (sender, found) = mpsc::unbounded_channel();
        let group = Grouped::begin(self.client.clone(), settings, Arc::clone(&shared), sender.clone())?;
        let task = tokio::spawn(Fetcher::new(self.client, Arc::clone(&shared), self.fetch, sender).run());
        Ok(Consumer::new(shared, found, Some(group), task.abort_handle()))
    }

    async fn looked_up(&self) -> Result<Vec<Assigned>> {
        let Some(start_from) = self.start_from else {
            let message =
                "auto.offset.reset is none, which means committed offsets: name a group, or say where to begin";
            return Err(Error::new(Kind::Config, message));
        };
        let mut assigned = Vec::new();
        for (name, partitions) in &self.assigned {
            let topic = self.client.topic(name, false, TOPIC_TIMEOUT).await?;
            let all = || topic.partitions.iter().map(|partition| partition.index).collect();
            let count = topic.partitions.len();
            for index in partitions.clone().unwrap_or_else(all) {
                if !topic.partitions.iter().any(|partition| partition.index == index) {
                    let message = format!("topic {name} has {count} partitions: there is no partition {index}");
                    return Err(Error::new(Kind::Config, message));
                }
                let own = self.starts.iter().find(|(topic, partition, _)| topic == name && *partition == index);
                let start = own.map_or(start_from, |(_, _, start)| *start);
                assigned.push((name.clone(), index, start));
            }
        }
        if assigned.is_empty() {
            return Err(Error::new(Kind::Config, "a consumer needs a topic: name one with topic() or assign()"));
        }
        let positions = self.client.admin().start_offsets(&assigned).await?;
        let placed = assigned.into_iter().zip(positions);
        Ok(placed.map(|((topic, partition, start), at)| Assigned::new(&topic, partition, Some(start), at)).collect())
    }
}
