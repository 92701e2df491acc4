//! `bench e2e`: how long a record takes from the moment at which it is meant to be sent to the moment at which it is read.
//!
//! The load is an open loop. Each record carries the moment at which it is due, and its latency counts from there: a stall of
//! the broker, or of this client, does not hide the records that it kept from being sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use highwater_client::admin::NewTopic;
use highwater_client::{Acks, Client, Compression, Consumer, ErrorCode, Producer, Record, StartFrom};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::produce::{acks, codec};
use super::report::{self, Tally, note};
use crate::connect::Connect;
use crate::failed::Failed;
use crate::units;

/// The number of the run, of the record, and when it was due: at the beginning of every value.
const HEAD_BYTES: usize = 24;
/// How long the records may take that are still on their way at the end.
const DRAIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
const MOST_AT_ONCE: usize = 10_000;
/// Records whose acknowledgement nobody has looked at yet.
const MOST_WAITING: usize = 1_000_000;

/// What `bench e2e` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct E2eArguments {
    #[command(flatten)]
    connect: Connect,
    /// Where to write and read; created where it does not exist.
    #[arg(long, default_value = "bench-e2e")]
    topic: String,
    /// Partitions of the topic, where it is created.
    #[arg(long, default_value_t = 1)]
    partitions: i32,
    /// Replicas of the topic, where it is created; -1 is the broker's default.
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    replication: i16,
    /// Bytes of one value, at least 24.
    #[arg(long, default_value = "1024", value_parser = units::size)]
    record_size: usize,
    /// Records per second.
    #[arg(long, value_name = "N/s", default_value = "1000/s", value_parser = units::rate)]
    rate: f64,
    /// How long to send.
    #[arg(long = "for", default_value = "30s", value_parser = units::duration)]
    duration: Duration,
    /// How long to send before anything is counted.
    #[arg(long, default_value = "1s", value_parser = units::duration)]
    warmup: Duration,
    /// 0, 1 or all.
    #[arg(long, default_value = "all", value_parser = acks, allow_negative_numbers = true)]
    acks: i16,
    /// How long a batch waits for more records.
    #[arg(long, default_value = "0ms", value_parser = units::duration)]
    linger: Duration,
    /// none, gzip, snappy, lz4 or zstd.
    #[arg(long, default_value = "none", value_parser = codec)]
    codec: Compression,
    /// One JSON line instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(arguments: &E2eArguments) -> Result<(), Failed> {
    crate::wait(measure(arguments))
}

async fn measure(arguments: &E2eArguments) -> Result<(), Failed> {
    // Reader and writer have connections of their own: a fetch that waits holds up nothing.
    let (writer, reader) = (arguments.connect.client().await?, arguments.connect.client().await?);
    create(&writer, arguments).await?;
    let consumer = reader.consumer().topic(&arguments.topic).start_from(StartFrom::Latest);
    let consumer = arguments.connect.consumer(consumer)?.build().await?;
    let producer = arguments.connect.producer(writer.producer())?.acks(match arguments.acks {
        0 => Acks::None,
        1 => Acks::Leader,
        _ => Acks::All,
    });
    let producer = producer.linger(arguments.linger).compression(arguments.codec).build();
    let run = Run {
        number: crate::now_ms().unsigned_abs() ^ (u64::from(std::process::id()) << 44),
        begin: Instant::now(),
        warmup: arguments.warmup,
    };
    let due = Arc::new(AtomicU64::new(u64::MAX));
    let reading = tokio::spawn(read(consumer, run, Arc::clone(&due)));
    let sent = send(arguments, &producer, run).await;
    producer.close().await;
    due.store(*sent.as_ref().unwrap_or(&0), Ordering::Release);
    let tally = reading.await.map_err(|error| Failed::Error(error.to_string()))?;
    sent?;
    report::print("e2e", settings(arguments), &tally?, arguments.json)
}

fn settings(arguments: &E2eArguments) -> Map<String, Value> {
    let settings = json!({
        "topic": arguments.topic, "record_bytes": arguments.record_size.max(HEAD_BYTES), "acks": arguments.acks,
        "rate_per_second": arguments.rate, "linger_ms": arguments.linger.as_secs_f64() * 1000.0,
        "codec": arguments.codec.name(),
    });
    match settings {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

async fn create(client: &Client, arguments: &E2eArguments) -> Result<(), Failed> {
    let topic = NewTopic::new(&arguments.topic).partitions(arguments.partitions).replication(arguments.replication);
    match client.admin().create_topic(topic, false).await {
        Err(error) if error.code() != Some(ErrorCode::TopicAlreadyExists) => Err(error.into()),
        _ => Ok(()),
    }
}

/// One run of the bench: other records may be in the topic.
#[derive(Clone, Copy)]
struct Run {
    number: u64,
    begin: Instant,
    warmup: Duration,
}

impl Run {
    fn value(&self, number: u64, due: Duration, size: usize) -> Bytes {
        let mut value = BytesMut::with_capacity(size.max(HEAD_BYTES));
        value.put_u64(self.number);
        value.put_u64(number);
        value.put_u64(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX));
        value.resize(size.max(HEAD_BYTES), b'x');
        value.freeze()
    }

    /// When it was due, if it is of this run.
    fn due(&self, value: &[u8]) -> Option<Instant> {
        let field = |at: usize| value.get(at..at.saturating_add(8)).and_then(|bytes| bytes.try_into().ok());
        let own = field(0).map(u64::from_be_bytes) == Some(self.number);
        let due = field(16).map(u64::from_be_bytes)?;
        own.then(|| self.begin + Duration::from_nanos(due))
    }
}

/// Sends each record when it is due, or at once where that is over. How many were sent.
async fn send(arguments: &E2eArguments, producer: &Producer, run: Run) -> Result<u64, Failed> {
    let end = arguments.warmup + arguments.duration;
    let (told, mut deliveries) = mpsc::channel(MOST_WAITING);
    let watching = tokio::spawn(async move {
        while let Some(delivery) = deliveries.recv().await {
            let delivery: highwater_client::Delivery = delivery;
            delivery.await?;
        }
        Ok::<(), highwater_client::Error>(())
    });
    let mut sent: u64 = 0;
    loop {
        #[expect(clippy::cast_precision_loss, reason = "a count of records is far below 2^52")]
        let due = Duration::from_secs_f64(sent as f64 / arguments.rate);
        if due >= end {
            break;
        }
        // No task lives on this thread. The kernel's sleep is exact to some ten microseconds, the runtime's to a millisecond.
        std::thread::sleep(due.saturating_sub(run.begin.elapsed()));
        let record = Record::new(&arguments.topic).value(run.value(sent, due, arguments.record_size));
        let delivery = producer.enqueue(record).await?;
        sent = sent.saturating_add(1);
        if told.send(delivery).await.is_err() {
            break;
        }
    }
    drop(told);
    watching.await.map_err(|error| Failed::Error(error.to_string()))??;
    Ok(sent)
}

/// Reads until as many records came as were sent, which is known when all are.
async fn read(mut consumer: Consumer, run: Run, sent: Arc<AtomicU64>) -> Result<Tally, Failed> {
    let mut tally = Tally::new()?;
    let (mut seen, mut given_up): (u64, Option<Instant>) = (0, None);
    while seen < sent.load(Ordering::Acquire) {
        let records = consumer.poll(MOST_AT_ONCE, POLL).await?;
        let now = Instant::now();
        for record in records {
            let value = record.value.unwrap_or_default();
            let Some(due) = run.due(&value) else { continue };
            seen = seen.saturating_add(1);
            if due >= run.begin + run.warmup {
                tally.requests = tally.requests.saturating_add(1);
                tally.records = tally.records.saturating_add(1);
                tally.bytes = tally.bytes.saturating_add(u64::try_from(value.len()).unwrap_or(0));
                tally.begun.get_or_insert(due);
                tally.ended = Some(now);
                note(&mut tally.latency, now.saturating_duration_since(due));
            }
        }
        let wanted = sent.load(Ordering::Acquire);
        if wanted < u64::MAX && *given_up.get_or_insert(now + DRAIN) < now {
            return Err(Failed::TimedOut(format!(
                "{seen} of {wanted} records came back within {DRAIN:?} after the last"
            )));
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_tells_when_it_was_due_and_of_which_run_it_is() {
        let run = Run { number: 7, begin: Instant::now(), warmup: Duration::ZERO };
        let value = run.value(3, Duration::from_millis(5), 100);
        assert_eq!((value.len(), run.due(&value)), (100, Some(run.begin + Duration::from_millis(5))));
        assert_eq!(run.value(3, Duration::ZERO, 0).len(), HEAD_BYTES);
        let other = Run { number: 8, ..run };
        assert_eq!((other.due(&value), run.due(b"short")), (None, None));
    }
}
