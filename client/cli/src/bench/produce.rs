//! `bench produce`: batches built once and sent raw, so that the broker is measured and not the client.
//!
//! With `--rate` the load is an open loop: each request has a moment at which it is meant to be sent, and its latency counts
//! from there, so that a broker that stalls does not hide the requests that it kept from being sent.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use highwater_protocol::api::ApiKey;
use highwater_protocol::frame;
use highwater_protocol::message::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use highwater_protocol::message::{MetadataRequest, ProduceResponse};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use serde_json::{Map, Value, json};

use super::report::{self, Tally, note};
use super::wire::{self, CLIENT_ID, Topic, Wire};
use crate::connect::Connect;
use crate::failed::Failed;
use crate::units;

/// How long a broker may take to answer a request.
const TIMEOUT_MS: i32 = 30_000;
/// Where the correlation id lies in a request frame: behind the length, the key and the version.
const CORRELATION: std::ops::Range<usize> = 8..12;

/// What `bench produce` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct ProduceArguments {
    #[command(flatten)]
    connect: Connect,
    /// Where to write; created where it does not exist.
    #[arg(long, default_value = "bench")]
    topic: String,
    /// Partitions of the topic, where it is created.
    #[arg(long, default_value_t = 1)]
    partitions: i32,
    /// Replicas of the topic, where it is created; -1 is the broker's default.
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    replication: i16,
    /// Bytes of one value.
    #[arg(long, default_value = "1024", value_parser = units::size)]
    record_size: usize,
    /// Bytes of one batch, which is one request.
    #[arg(long, default_value = "65536", value_parser = units::size)]
    batch_size: usize,
    /// 0, 1 or all.
    #[arg(long, default_value = "all", value_parser = acks)]
    acks: i16,
    /// Requests in flight on each connection.
    #[arg(long, default_value_t = 5)]
    depth: usize,
    /// Connections, each with a share of the partitions.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// How long to send.
    #[arg(long = "for", default_value = "30s", value_parser = units::duration)]
    duration: Duration,
    /// How long to send before anything is counted.
    #[arg(long, default_value = "0s", value_parser = units::duration)]
    warmup: Duration,
    /// Records per second over all connections (open loop); as fast as it goes without.
    #[arg(long, value_name = "N/s", value_parser = units::rate)]
    rate: Option<f64>,
    /// none, gzip, snappy, lz4 or zstd.
    #[arg(long, default_value = "none", value_parser = codec)]
    codec: Compression,
    /// One JSON line instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(arguments: &ProduceArguments) -> Result<(), Failed> {
    let topic =
        wire::topic(&arguments.connect.bootstrap, &arguments.topic, Some(arguments.partitions), arguments.replication)?;
    let (batch, records) = batch(arguments)?;
    let begin = Instant::now();
    let mut tally = Tally::new()?;
    let mut version = 0;
    std::thread::scope(|scope| {
        let connections = arguments.connections.max(1);
        let threads: Vec<_> = (0..connections)
            .map(|number| {
                let (topic, batch) = (&topic, batch.clone());
                scope.spawn(move || {
                    let mut load = Load::connect(arguments, topic, batch, records, number, begin)?;
                    load.run()?;
                    Ok::<_, Failed>((load.tally, load.version))
                })
            })
            .collect();
        for thread in threads {
            let done = thread.join().map_err(|_| Failed::error("a connection's thread panicked"))?;
            let (part, spoken) = done?;
            tally.add(&part)?;
            version = spoken;
        }
        Ok::<_, Failed>(())
    })?;
    report::print("produce", settings(arguments, &topic, batch.len(), records, version), &tally, arguments.json)
}

fn settings(
    arguments: &ProduceArguments,
    topic: &Topic,
    batch: usize,
    records: u64,
    version: i16,
) -> Map<String, Value> {
    let settings = json!({
        "topic": arguments.topic, "partitions": topic.leaders.len(), "record_bytes": arguments.record_size,
        "batch_bytes": batch, "batch_records": records, "acks": arguments.acks, "depth": arguments.depth,
        "connections": arguments.connections, "codec": arguments.codec.name(), "rate_per_second": arguments.rate,
        "api_version": version,
    });
    match settings {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// One batch of about the size asked for, and how many records it has. At least one.
fn batch(arguments: &ProduceArguments) -> Result<(Bytes, u64), Failed> {
    let mut builder = BatchBuilder::new(arguments.codec);
    let timestamp = crate::now_ms();
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    loop {
        let value = Bytes::from_iter(std::iter::repeat_with(|| noise.letter()).take(arguments.record_size));
        builder.push(&Record { timestamp, value: Some(value), ..Record::default() });
        // The record that would go beyond the size is left out: the overhead of one is below 32 bytes.
        if builder.bytes().saturating_add(arguments.record_size).saturating_add(32) > arguments.batch_size {
            break;
        }
    }
    let records = u64::try_from(builder.count()).unwrap_or(0);
    let batch = builder.build().map_err(|error| Failed::error(error.to_string()))?;
    Ok((batch.freeze(), records))
}

/// Letters and digits that compress about as text does: xorshift, so that two runs send the same bytes.
struct Noise(u64);

impl Noise {
    fn letter(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        b'a' + u8::try_from(self.0 % 26).unwrap_or(0)
    }
}

/// A request as bytes: only the correlation id differs from one sending to the next.
struct Prepared {
    head: Vec<u8>,
    tail: Bytes,
}

/// The load of one connection.
struct Load<'a> {
    arguments: &'a ProduceArguments,
    wire: Wire,
    version: i16,
    prepared: Vec<Prepared>,
    batch: Bytes,
    records: u64,
    begin: Instant,
    /// Between two requests of this connection, in an open loop.
    interval: Option<Duration>,
    first_due: Instant,
    /// When each request in flight was to be sent.
    in_flight: VecDeque<Instant>,
    tally: Tally,
}

impl<'a> Load<'a> {
    fn connect(
        arguments: &'a ProduceArguments,
        topic: &Topic,
        batch: Bytes,
        records: u64,
        number: usize,
        begin: Instant,
    ) -> Result<Self, Failed> {
        let connections = arguments.connections.max(1);
        let (leader, partitions) = wire::share(topic, number, connections);
        let wire = Wire::connect(&leader)?;
        let version = wire.version(ApiKey::Produce, i16::MAX)?;
        let prepared: Result<Vec<Prepared>, Failed> =
            partitions.iter().map(|partition| prepare(arguments, topic, *partition, &batch, version)).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts of records and connections are far below 2^52")]
        let interval = arguments.rate.map(|rate| Duration::from_secs_f64(records as f64 * connections as f64 / rate));
        let phase = interval.unwrap_or_default().mul_f64(ratio(number, connections));
        Ok(Self {
            arguments,
            wire,
            version,
            prepared: prepared?,
            batch,
            records,
            begin,
            interval,
            first_due: begin + phase,
            in_flight: VecDeque::new(),
            tally: Tally::new()?,
        })
    }

    fn run(&mut self) -> Result<(), Failed> {
        let end = self.begin + self.arguments.warmup + self.arguments.duration;
        let mut sent: u32 = 0;
        loop {
            let now = Instant::now();
            let due = self.interval.map_or(now, |interval| self.first_due + interval * sent);
            if due.max(now) >= end {
                break;
            }
            let is_full = self.in_flight.len() >= self.arguments.depth.max(1);
            if is_full {
                self.receive()?;
            } else if due <= now {
                self.send(sent, if self.interval.is_some() { due } else { now })?;
                sent = sent.wrapping_add(1);
            } else if self.wire.readable(due)? {
                self.receive()?;
            }
        }
        while !self.in_flight.is_empty() {
            self.receive()?;
        }
        self.wait_for_unanswered()
    }

    fn send(&mut self, number: u32, due: Instant) -> Result<(), Failed> {
        let correlation_id = self.wire.next_correlation_id();
        let which = usize::try_from(number).unwrap_or(0) % self.prepared.len().max(1);
        let Some(request) = self.prepared.get_mut(which) else {
            return Err(Failed::error("this connection has no partition"));
        };
        if let Some(place) = request.head.get_mut(CORRELATION) {
            place.copy_from_slice(&correlation_id.to_be_bytes());
        }
        let mut parts = [IoSlice::new(&request.head), IoSlice::new(&self.batch), IoSlice::new(&request.tail)];
        self.wire.write(&mut parts)?;
        if self.arguments.acks == 0 {
            // Nothing answers: what is written counts, and the end of the bench waits for the broker to have read it.
            self.count(due, None);
        } else {
            self.in_flight.push_back(due);
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<(), Failed> {
        let frame = self.wire.frame()?;
        let response: ProduceResponse = wire::decode(frame, self.version)?;
        for partition in response.responses.iter().flat_map(|topic| &topic.partition_responses) {
            wire::check(partition.error_code, &format!("producing to partition {}", partition.index))?;
        }
        let Some(due) = self.in_flight.pop_front() else {
            return Err(Failed::error("the broker answered a request that was not sent"));
        };
        self.count(due, Some(due.elapsed()));
        Ok(())
    }

    fn count(&mut self, due: Instant, latency: Option<Duration>) {
        if due < self.begin + self.arguments.warmup {
            return;
        }
        self.tally.requests = self.tally.requests.saturating_add(1);
        self.tally.records = self.tally.records.saturating_add(self.records);
        self.tally.bytes = self.tally.bytes.saturating_add(u64::try_from(self.batch.len()).unwrap_or(0));
        self.tally.begun.get_or_insert(due);
        self.tally.ended = Some(Instant::now());
        if let Some(latency) = latency {
            note(&mut self.tally.latency, latency);
        }
    }

    /// A broker handles a connection's requests in order: once it answers this one, it has read all the others.
    fn wait_for_unanswered(&mut self) -> Result<(), Failed> {
        if self.arguments.acks == 0 && self.tally.requests > 0 {
            self.wire.call(&MetadataRequest { topics: Some(Vec::new()), ..MetadataRequest::default() })?;
            self.tally.ended = Some(Instant::now());
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of connections")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn prepare(
    arguments: &ProduceArguments,
    topic: &Topic,
    partition: i32,
    batch: &Bytes,
    version: i16,
) -> Result<Prepared, Failed> {
    let partition = PartitionProduceData { index: partition, records: Some(BytesMut::from(&batch[..])) };
    // Version 13 names a topic by its id, the ones before by its name.
    let by_id = version >= 13;
    let data = TopicProduceData {
        name: if by_id { String::new() } else { topic.name.clone() },
        topic_id: if by_id { topic.id } else { uuid::Uuid::nil() },
        partition_data: vec![partition],
    };
    let acks = arguments.acks;
    let request = ProduceRequest { transactional_id: None, acks, timeout_ms: TIMEOUT_MS, topic_data: vec![data] };
    let chunks = frame::request(0, CLIENT_ID, &request, version).map_err(|error| Failed::error(error.to_string()))?;
    let whole = frame::concatenated(&chunks);
    // Behind the batch there is one empty section of tagged fields for each of partition, topic and request.
    let behind = if ApiKey::Produce.is_flexible(version) { 3 } else { 0 };
    let end = whole.len().saturating_sub(behind);
    let start = end.saturating_sub(batch.len());
    if whole.slice(start..end) != *batch {
        return Err(Failed::error(format!("the batch is not where Produce version {version} should have it")));
    }
    Ok(Prepared { head: whole.slice(..start).to_vec(), tail: whole.slice(end..) })
}

pub(super) fn acks(text: &str) -> Result<i16, String> {
    match text {
        "0" => Ok(0),
        "1" => Ok(1),
        "all" | "-1" => Ok(-1),
        _ => Err(format!("acks {text}: write 0, 1 or all")),
    }
}

pub(super) fn codec(text: &str) -> Result<Compression, String> {
    Compression::from_name(text).ok_or_else(|| format!("codec {text}: write none, gzip, snappy, lz4 or zstd"))
}
