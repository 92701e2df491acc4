//! The consumer: reads partitions, those that it was told to or its group gives it, as a stream of records.

mod builder;
mod fetcher;
mod grouped;
pub(crate) mod partitions;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc;

pub use builder::ConsumerBuilder;
use grouped::Grouped;
use partitions::{Assigned, Found, Records, Shared};

use crate::error::{Error, Kind, Result};
use crate::record::ConsumerRecord;

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

/// Reads records.
///
/// As a stream it goes on for ever, unless its group refuses it. Its errors are advice: the partition that one tells of is tried
/// again, or goes on where the error says. Without a group there is nothing to close. In a group, [`Consumer::close`] commits and
/// leaves; a consumer that is dropped does neither, and its group misses it after the session's timeout.
#[derive(Debug)]
pub struct Consumer {
    shared: Arc<Shared>,
    // Bounded in bytes: the fetcher asks for nothing while too much waits.
    found: mpsc::UnboundedReceiver<Found>,
    waiting: Option<Records>,
    /// An error that came behind records which were handed over first.
    failed: Option<Error>,
    is_ended: bool,
    /// Where records lie that were given since the user asked last.
    given: Vec<usize>,
    group: Option<Grouped>,
    task: tokio::task::AbortHandle,
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Consumer {
    fn new(
        shared: Arc<Shared>,
        found: mpsc::UnboundedReceiver<Found>,
        group: Option<Grouped>,
        task: tokio::task::AbortHandle,
    ) -> Self {
        Self { shared, found, waiting: None, failed: None, is_ended: false, given: Vec::new(), group, task }
    }

    /// Up to `most` records, or those that come within `wait`. Once the consumer has ended, an error of kind [`Kind::Closed`].
    pub async fn poll(&mut self, most: usize, wait: Duration) -> Result<Vec<ConsumerRecord>> {
        let deadline = tokio::time::Instant::now() + wait;
        let mut records = Vec::new();
        self.shared.settle(&mut self.given);
        while records.len() < most {
            let next = std::future::poll_fn(|context| match self.poll_record(context) {
                // What is at hand is handed over before anything is waited for.
                Poll::Pending if !records.is_empty() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
                Poll::Ready(record) => Poll::Ready(record),
            });
            match tokio::time::timeout_at(deadline, next).await {
                Ok(Some(Ok(record))) => records.push(record),
                Ok(Some(Err(error))) if records.is_empty() => {
                    self.shared.seen(false);
                    return Err(error);
                }
                Ok(Some(Err(error))) => {
                    self.failed = Some(error);
                    break;
                }
                Ok(None) if records.is_empty() => {
                    return Err(Error::new(
                        Kind::Closed,
                        "the consumer has ended, its last error said why: build another",
                    ));
                }
                _ => break,
            }
        }
        self.shared.seen(false);
        Ok(records)
    }

    /// Whether no record comes any more, for the group refused this consumer.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// The offset that is read next in each partition.
    pub fn positions(&self) -> Vec<(String, i32, i64)> {
        let partitions = self.shared.partitions.lock();
        let known = partitions.iter().filter(|one| one.is_ours && one.delivered >= 0);
        known.map(|one| (one.topic.to_string(), one.partition, one.delivered)).collect()
    }

    /// Records between what was read and the end, as far as the last fetch of each partition told.
    pub fn lag(&self) -> Vec<(String, i32, i64)> {
        let partitions = self.shared.partitions.lock();
        let lag = |one: &Assigned| one.high_watermark.map_or(0, |end| end.saturating_sub(one.delivered).max(0));
        let ours = partitions.iter().filter(|one| one.is_ours);
        ours.map(|one| (one.topic.to_string(), one.partition, lag(one))).collect()
    }

    /// Goes on at another offset.
    pub fn seek(&mut self, topic: &str, partition: i32, offset: i64) -> Result<()> {
        self.change(topic, partition, |one| one.seek_to(offset))
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
        self.shared.change(topic, partition, change)
    }

    fn poll_record(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ConsumerRecord>>> {
        let found = self.poll_found(context);
        self.shared.seen(found.is_pending());
        found
    }

    fn poll_found(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ConsumerRecord>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if self.is_ended {
            return Poll::Ready(None);
        }
        loop {
            if let Some(waiting) = &mut self.waiting {
                if self.given.last() != Some(&waiting.at) {
                    self.given.push(waiting.at);
                }
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
                Poll::Ready(Some(Found::Ended(error))) => {
                    self.is_ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Found::Records(records))) => self.waiting = Some(records),
            }
        }
    }
}

impl Stream for Consumer {
    type Item = Result<ConsumerRecord>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.shared.settle(&mut this.given);
        this.poll_record(context)
    }
}
