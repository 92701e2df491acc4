//! The consumer: reads partitions that it was told to read, as a stream of records.

mod fetcher;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use crate::cluster::Client;
use crate::error::{Error, Kind, Result};
use crate::property;
use crate::record::ConsumerRecord;
use fetcher::{Assigned, Fetcher, Found, Records, Shared};

const KEYS: &[&str] = &[
    "auto.offset.reset",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "max.partition.fetch.bytes",
    "queued.max.bytes",
];
/// How long a topic may take to be found.
const TOPIC_TIMEOUT: Duration = Duration::from_secs(10);

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartFrom {
    /// At the first record that is still there.
    Earliest,
    /// Behind the last record there is now.
    Latest,
    /// At this offset.
    Offset(i64),
    /// At the first record whose timestamp is not before this, in milliseconds since the epoch.
    Timestamp(i64),
}

/// What a fetch asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// What the broker waits for.
    pub min_bytes: i32,
    /// How long it waits.
    pub max_wait: Duration,
    /// What one response may bring.
    pub max_bytes: i32,
    /// What it may bring of one partition.
    pub max_partition_bytes: i32,
    /// What may wait here to be taken; one fetch of each broker may come on top.
    pub max_buffered_bytes: usize,
    /// What one batch may inflate to.
    pub max_decompressed_bytes: usize,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            min_bytes: 1,
            max_wait: Duration::from_millis(500),
            max_bytes: 50 << 20,
            max_partition_bytes: 1 << 20,
            max_buffered_bytes: 64 << 20,
            max_decompressed_bytes: 256 << 20,
        }
    }
}

/// Says what a consumer should read.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConsumerBuilder {
    client: Client,
    assigned: Vec<(String, Option<Vec<i32>>)>,
    start_from: StartFrom,
    starts: Vec<(String, i32, StartFrom)>,
    fetch: Fetch,
}

impl ConsumerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        let (assigned, starts) = (Vec::new(), Vec::new());
        Self { client, assigned, start_from: StartFrom::Latest, starts, fetch: Fetch::default() }
    }

    /// Reads all partitions of a topic, as many as there are when it is built.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.assigned.push((topic.into(), None));
        self
    }

    /// Reads some partitions of a topic.
    pub fn assign(mut self, topic: impl Into<String>, partitions: impl IntoIterator<Item = i32>) -> Self {
        self.assigned.push((topic.into(), Some(partitions.into_iter().collect())));
        self
    }

    /// Where to begin; at the end, unless something else is said.
    pub fn start_from(mut self, start_from: StartFrom) -> Self {
        self.start_from = start_from;
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
            "auto.offset.reset" => {
                self.start_from = match value {
                    "earliest" => StartFrom::Earliest,
                    "latest" => StartFrom::Latest,
                    _ => return Err(property::wrong(key, value, "earliest or latest")),
                }
            }
            "fetch.max.bytes" => self.fetch.max_bytes = property::number(key, value)?,
            "fetch.max.wait.ms" => self.fetch.max_wait = property::milliseconds(key, value)?,
            "fetch.min.bytes" => self.fetch.min_bytes = property::number(key, value)?,
            "max.partition.fetch.bytes" => self.fetch.max_partition_bytes = property::number(key, value)?,
            "queued.max.bytes" => self.fetch.max_buffered_bytes = property::number(key, value)?,
            _ => return Err(property::unknown(key, KEYS)),
        }
        Ok(self)
    }

    /// Looks up where to begin, and begins.
    pub async fn build(self) -> Result<Consumer> {
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
                let start = own.map_or(self.start_from, |(_, _, start)| *start);
                assigned.push((name.clone(), index, start));
            }
        }
        if assigned.is_empty() {
            return Err(Error::new(Kind::Config, "a consumer needs a topic: name one with topic() or assign()"));
        }
        let positions = self.client.admin().start_offsets(&assigned).await?;
        let partitions: Vec<Assigned> = assigned
            .into_iter()
            .zip(positions)
            .map(|((topic, partition, start), position)| Assigned::new(&topic, partition, start, position))
            .collect();
        let shared = Arc::new(Shared {
            partitions: Mutex::new(partitions),
            buffered: std::sync::atomic::AtomicUsize::new(0),
            wake: Notify::new(),
        });
        let (sender, found) = mpsc::unbounded_channel();
        let task = tokio::spawn(Fetcher::new(self.client, Arc::clone(&shared), self.fetch, sender).run());
        Ok(Consumer { shared, found, waiting: None, failed: None, task: task.abort_handle() })
    }
}

/// Reads records. It ends when it is dropped; there is nothing to close.
///
/// As a stream it never ends by itself. Its errors are advice: the partition that one tells of is tried again, or goes on
/// where the error says.
#[derive(Debug)]
pub struct Consumer {
    shared: Arc<Shared>,
    // Bounded in bytes: the fetcher asks for nothing while too much waits.
    found: mpsc::UnboundedReceiver<Found>,
    waiting: Option<Records>,
    /// An error that came behind records which were handed over first.
    failed: Option<Error>,
    task: tokio::task::AbortHandle,
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Consumer {
    /// Up to `most` records, or those that come within `wait`.
    pub async fn poll(&mut self, most: usize, wait: Duration) -> Result<Vec<ConsumerRecord>> {
        let deadline = tokio::time::Instant::now() + wait;
        let mut records = Vec::new();
        while records.len() < most {
            let next = std::future::poll_fn(|context| match self.poll_record(context) {
                // What is at hand is handed over before anything is waited for.
                Poll::Pending if !records.is_empty() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
                Poll::Ready(record) => Poll::Ready(record),
            });
            match tokio::time::timeout_at(deadline, next).await {
                Ok(Some(Ok(record))) => records.push(record),
                Ok(Some(Err(error))) if records.is_empty() => return Err(error),
                Ok(Some(Err(error))) => {
                    self.failed = Some(error);
                    break;
                }
                _ => break,
            }
        }
        Ok(records)
    }

    /// The offset that is read next in each partition.
    pub fn positions(&self) -> Vec<(String, i32, i64)> {
        let partitions = self.shared.partitions.lock();
        partitions.iter().map(|one| (one.topic.to_string(), one.partition, one.delivered)).collect()
    }

    /// Records between what was read and the end, as far as the last fetch of each partition told.
    pub fn lag(&self) -> Vec<(String, i32, i64)> {
        let partitions = self.shared.partitions.lock();
        let lag = |one: &Assigned| one.high_watermark.map_or(0, |end| end.saturating_sub(one.delivered).max(0));
        partitions.iter().map(|one| (one.topic.to_string(), one.partition, lag(one))).collect()
    }

    /// Goes on at another offset.
    pub fn seek(&mut self, topic: &str, partition: i32, offset: i64) -> Result<()> {
        self.change(topic, partition, |one| one.move_to(offset))
    }

    /// Reads nothing more of a partition until it is resumed. What was fetched and not taken is fetched again then.
    pub fn pause(&mut self, topic: &str, partition: i32) -> Result<()> {
        self.change(topic, partition, |one| {
            one.is_paused = true;
            one.move_to(one.delivered);
        })
    }

    /// Reads a paused partition again.
    pub fn resume(&mut self, topic: &str, partition: i32) -> Result<()> {
        self.change(topic, partition, |one| one.is_paused = false)
    }

    fn change(&mut self, topic: &str, partition: i32, change: impl FnOnce(&mut Assigned)) -> Result<()> {
        let mut partitions = self.shared.partitions.lock();
        let found = partitions.iter_mut().find(|one| &*one.topic == topic && one.partition == partition);
        let missing = || Error::new(Kind::Config, format!("{topic}-{partition} is not assigned to this consumer"));
        change(found.ok_or_else(missing)?);
        drop(partitions);
        self.shared.wake.notify_one();
        Ok(())
    }

    fn poll_record(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ConsumerRecord>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            if let Some(waiting) = &mut self.waiting {
                if let Some(record) = self.shared.take(waiting) {
                    return Poll::Ready(Some(Ok(record)));
                }
                self.shared.release(waiting);
                self.waiting = None;
            }
            match self.found.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Found::Failed(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Found::Records(records))) => self.waiting = Some(records),
            }
        }
    }
}

impl Stream for Consumer {
    type Item = Result<ConsumerRecord>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_record(context)
    }
}
