//! The producer: collects records into batches, and tells of each where it went or why it did not.

mod accumulator;
pub mod partitioner;
mod sender;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use highwater_protocol::records::compression::Compression;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use crate::cluster::Client;
use crate::error::{Error, Kind, Result};
use crate::property;
use crate::record::{Record, RecordMeta};
use accumulator::{Accumulator, Rules};
use sender::{Requests, Sender, Shared};

const KEYS: &[&str] = &[
    "acks",
    "batch.size",
    "buffer.memory",
    "compression.type",
    "delivery.timeout.ms",
    "enable.idempotence",
    "linger.ms",
    "max.block.ms",
    "max.in.flight.requests.per.connection",
    "max.request.size",
    "metadata.max.age.ms",
    "retry.backoff.ms",
];
/// With more in flight a broker forgets sequences that may still be repeated.
const MOST_IN_FLIGHT: usize = 5;

/// Whom a record waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    /// Nobody: it is not known whether it arrived.
    None,
    /// The leader.
    Leader,
    /// All replicas in sync.
    All,
}

/// Says what a producer should be like.
#[derive(Clone, Debug)]
#[must_use]
pub struct ProducerBuilder {
    client: Client,
    acks: Acks,
    rules: Rules,
    max_request_bytes: usize,
    max_buffered_bytes: usize,
    max_block: Duration,
    metadata_max_age: Duration,
    default_topic: Option<String>,
}

impl ProducerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        let rules = Rules {
            compression: Compression::Lz4,
            level: None,
            batch_bytes: 256 << 10,
            linger: Duration::from_millis(5),
            idempotent: true,
            max_in_flight: MOST_IN_FLIGHT,
            delivery_timeout: Duration::from_secs(120),
            retry_backoff: Duration::from_millis(100),
        };
        Self {
            client,
            acks: Acks::All,
            rules,
            max_request_bytes: 1 << 20,
            max_buffered_bytes: 64 << 20,
            max_block: Duration::from_secs(60),
            metadata_max_age: Duration::from_secs(300),
            default_topic: None,
        }
    }

    /// Whom a record waits for. Less than all turns idempotence off.
    pub fn acks(mut self, acks: Acks) -> Self {
        self.acks = acks;
        self.rules.idempotent &= acks == Acks::All;
        self
    }

    /// Whether retries can neither double nor reorder records. On by default; it needs [`Acks::All`].
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.rules.idempotent = idempotent;
        if idempotent {
            self.acks = Acks::All;
        }
        self
    }

    /// How batches are compressed.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.rules.compression = compression;
        self
    }

    /// How hard gzip and zstd try.
    pub fn compression_level(mut self, level: i32) -> Self {
        self.rules.level = Some(level);
        self
    }

    /// How long a batch waits for more records.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.rules.linger = linger;
        self
    }

    /// How large a batch may become before compression.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.rules.batch_bytes = bytes;
        self
    }

    /// How large a request may become, and a record be.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// How many bytes of records may wait or be on their way.
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.max_buffered_bytes = bytes;
        self
    }

    /// How long [`Producer::enqueue`] waits for room or for a topic.
    pub fn max_block(mut self, time: Duration) -> Self {
        self.max_block = time;
        self
    }

    /// How often topics are looked up again, to find partitions that were added.
    pub fn metadata_max_age(mut self, age: Duration) -> Self {
        self.metadata_max_age = age.max(Duration::from_millis(1));
        self
    }

    /// Requests in flight for each broker; at most 5 with idempotence.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.rules.max_in_flight = requests.max(1);
        self
    }

    /// How long a record may take from its batch's beginning to its acknowledgement, all retries included.
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.rules.delivery_timeout = timeout;
        self
    }

    /// Where records go that name no topic.
    pub fn default_topic(mut self, topic: impl Into<String>) -> Self {
        self.default_topic = Some(topic.into());
        self
    }

    /// The names that [`ProducerBuilder::set`] knows.
    pub fn properties() -> &'static [&'static str] {
        KEYS
    }

    /// A property by Kafka's name.
    pub fn set(self, key: &str, value: &str) -> Result<Self> {
        let wrong = |wanted: &str| property::wrong(key, value, wanted);
        Ok(match key {
            "acks" => match value {
                "0" => self.acks(Acks::None),
                "1" => self.acks(Acks::Leader),
                "all" | "-1" => self.acks(Acks::All),
                _ => return Err(wrong("0, 1 or all")),
            },
            "batch.size" => self.batch_bytes(property::number(key, value)?),
            "buffer.memory" => self.max_buffered_bytes(property::number(key, value)?),
            "compression.type" => {
                let codec = Compression::from_name(value);
                self.compression(codec.ok_or_else(|| wrong("none, gzip, snappy, lz4 or zstd"))?)
            }
            "delivery.timeout.ms" => self.delivery_timeout(property::milliseconds(key, value)?),
            "enable.idempotence" => self.idempotent(property::boolean(key, value)?),
            "linger.ms" => self.linger(property::milliseconds(key, value)?),
            "max.block.ms" => self.max_block(property::milliseconds(key, value)?),
            "max.in.flight.requests.per.connection" => self.max_in_flight(property::number(key, value)?),
            "max.request.size" => self.max_request_bytes(property::number(key, value)?),
            "metadata.max.age.ms" => self.metadata_max_age(property::milliseconds(key, value)?),
            "retry.backoff.ms" => {
                let mut builder = self;
                builder.rules.retry_backoff = property::milliseconds(key, value)?;
                builder
            }
            _ => return Err(property::unknown(key, KEYS)),
        })
    }

    /// Starts it, on the runtime of the caller. It dials nobody until there is something to send.
    pub fn build(mut self) -> Producer {
        if self.rules.idempotent {
            self.rules.max_in_flight = self.rules.max_in_flight.min(MOST_IN_FLIGHT);
        }
        let requests = Requests {
            acks: match self.acks {
                Acks::None => 0,
                Acks::Leader => 1,
                Acks::All => -1,
            },
            timeout_ms: i32::try_from(Duration::from_secs(30).as_millis()).unwrap_or(i32::MAX),
            max_bytes: self.max_request_bytes,
            max_in_flight: self.rules.max_in_flight,
            metadata_max_age: self.metadata_max_age,
        };
        let shared = Arc::new(Shared {
            accumulator: Mutex::new(Accumulator::new(self.rules)),
            wake: Notify::new(),
            closing: AtomicBool::new(false),
            ended: tokio::sync::watch::Sender::new(false),
        });
        tokio::spawn(Sender::new(self.client.clone(), Arc::clone(&shared), requests).run());
        let room = self.max_buffered_bytes.min(Semaphore::MAX_PERMITS);
        Producer {
            handle: Arc::new(Handle {
                client: self.client,
                shared,
                room: Arc::new(Semaphore::new(room)),
                room_bytes: room,
                max_record_bytes: self.max_request_bytes,
                max_block: self.max_block,
                default_topic: self.default_topic,
            }),
        }
    }
}

/// Sends records. Cheap to clone. When the last clone is dropped, what was enqueued is still sent, as long as the runtime
/// lives: call [`Producer::close`] to know that it was.
#[derive(Clone, Debug)]
pub struct Producer {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    client: Client,
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
    room_bytes: usize,
    max_record_bytes: usize,
    max_block: Duration,
    default_topic: Option<String>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.wake.notify_one();
    }
}

/// What [`Producer::try_enqueue`] could not take at once.
#[derive(Clone, Debug)]
pub enum TryEnqueue {
    /// There is no room; here is the record.
    Full(Box<Record>),
    /// The topic was not looked up yet, which [`Producer::enqueue`] does; here is the record.
    Unknown(Box<Record>),
    /// It can never be taken.
    Refused(Error),
}

/// Resolves to where a record went.
#[derive(Debug)]
#[must_use = "a delivery that nobody looks at hides its failure"]
pub struct Delivery {
    reply: oneshot::Receiver<Result<RecordMeta>>,
}

impl Future for Delivery {
    type Output = Result<RecordMeta>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.reply).poll(context).map(|reply| {
            reply.unwrap_or_else(|_| Err(Error::new(Kind::Closed, "the producer ended before the record was sent")))
        })
    }
}

impl Producer {
    /// Sends a record and waits for its acknowledgement.
    pub async fn send(&self, record: Record) -> Result<RecordMeta> {
        self.enqueue(record).await?.await
    }

    /// Waits for room only. Records of one partition are written in the order of these calls. Once this returns, the record
    /// is sent whether or not the delivery is kept.
    pub async fn enqueue(&self, record: Record) -> Result<Delivery> {
        let (record, size) = self.fitting(record)?;
        let handle = &self.handle;
        let partitions = match handle.client.known_partitions(&record.topic) {
            Some(partitions) => partitions,
            None => {
                let topic = handle.client.topic(&record.topic, true, handle.max_block).await?;
                i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX)
            }
        };
        if handle.room.available_permits() < usize::try_from(size).unwrap_or(usize::MAX) {
            // Nothing more comes into the batches that take up the room, so that lingering would be for nothing.
            handle.shared.accumulator.lock().close_batches();
            handle.shared.wake.notify_one();
        }
        let room = tokio::time::timeout(handle.max_block, Arc::clone(&handle.room).acquire_many_owned(size)).await;
        match room {
            Ok(Ok(room)) => self.push(record, partitions, room),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Error::new(
                Kind::TimedOut,
                format!(
                    "no room for {size} bytes within {:?}; {} bytes wait to be sent",
                    handle.max_block, handle.room_bytes
                ),
            )),
        }
    }

    /// Never waits.
    pub fn try_enqueue(&self, record: Record) -> std::result::Result<Delivery, TryEnqueue> {
        let (record, size) = self.fitting(record).map_err(TryEnqueue::Refused)?;
        let Some(partitions) = self.handle.client.known_partitions(&record.topic) else {
            return Err(TryEnqueue::Unknown(Box::new(record)));
        };
        match Arc::clone(&self.handle.room).try_acquire_many_owned(size) {
            Ok(room) => self.push(record, partitions, room).map_err(TryEnqueue::Refused),
            Err(tokio::sync::TryAcquireError::NoPermits) => Err(TryEnqueue::Full(Box::new(record))),
            Err(tokio::sync::TryAcquireError::Closed) => Err(TryEnqueue::Refused(closed())),
        }
    }

    /// Sends a null value, which deletes the key where the topic is compacted.
    pub async fn tombstone(&self, topic: impl Into<String>, key: impl Into<bytes::Bytes>) -> Result<RecordMeta> {
        self.send(Record::new(topic).key(key)).await
    }

    /// Waits until everything enqueued before is acknowledged or has failed.
    pub async fn flush(&self) {
        let flushed = self.handle.shared.accumulator.lock().flush();
        self.handle.shared.wake.notify_one();
        for batch in flushed {
            // A batch that is dropped is done as well.
            let _done = batch.await;
        }
    }

    /// Sends what is left and ends. Nothing can be enqueued any more.
    pub async fn close(self) {
        self.handle.room.close();
        self.handle.shared.closing.store(true, Ordering::Release);
        let mut ended = self.handle.shared.ended.subscribe();
        self.handle.shared.wake.notify_one();
        // The sender lives until it says that it ended.
        let _ended = ended.wait_for(|ended| *ended).await;
    }

    fn fitting(&self, mut record: Record) -> Result<(Record, u32)> {
        if record.topic.is_empty() {
            let none = || Error::new(Kind::Config, "the record names no topic, and the producer has no default topic");
            record.topic = self.handle.default_topic.clone().ok_or_else(none)?;
        }
        let (size, most) = (record.size(), self.handle.max_record_bytes.min(self.handle.room_bytes));
        match u32::try_from(size) {
            Ok(bytes) if size <= most => Ok((record, bytes)),
            _ => Err(Error::new(Kind::Config, format!("a record of {size} bytes; max.request.size allows {most}"))),
        }
    }

    fn push(&self, record: Record, partitions: i32, room: OwnedSemaphorePermit) -> Result<Delivery> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = (Instant::now(), i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
        let shared = &self.handle.shared;
        let (reply, is_news) = shared.accumulator.lock().push(record, partitions, now, room)?;
        if is_news {
            shared.wake.notify_one();
        }
        Ok(Delivery { reply })
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "the producer is closed")
}
