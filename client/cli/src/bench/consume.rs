//! `bench consume`: fetches sent raw and pipelined; what comes back is counted and thrown away.
//!
//! A first pass walks the log one fetch at a time and notes where each fetch began. The passes after it know every offset
//! before they ask, so they keep several fetches in flight.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use highwater_protocol::api::ApiKey;
use highwater_protocol::error::DecodeError;
use highwater_protocol::frame;
use highwater_protocol::message::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use highwater_protocol::message::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use highwater_protocol::records::batch::{Batch, RecordsError, verify_crc};
use highwater_protocol::wire::Reader;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::report::{self, Tally, note};
use super::wire::{self, CLIENT_ID, Topic, Wire};
use crate::connect::Connect;
use crate::failed::Failed;
use crate::units;

/// A response is read as far as this to see its error code and the length of its records.
const HEAD_BYTES: usize = 512;
const SCRATCH_BYTES: usize = 1 << 20;
const CORRELATION: std::ops::Range<usize> = 8..12;
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// What `bench consume` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct ConsumeArguments {
    #[command(flatten)]
    connect: Connect,
    /// What to read.
    #[arg(long, default_value = "bench")]
    topic: String,
    /// The most that one fetch may bring.
    #[arg(long, default_value = "1m", value_parser = units::size)]
    fetch_bytes: usize,
    /// Fetches in flight on each connection, from the second pass on.
    #[arg(long, default_value_t = 4)]
    depth: usize,
    /// Connections, each with a share of the partitions.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// How long to read, over and over from the earliest offset.
    #[arg(long = "for", default_value = "30s", value_parser = units::duration)]
    duration: Duration,
    /// Stop at the end of the first pass.
    #[arg(long)]
    once: bool,
    /// Check the CRC of every batch.
    #[arg(long)]
    verify: bool,
    /// One JSON line instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(arguments: &ConsumeArguments) -> Result<(), Failed> {
    let topic = wire::topic(&arguments.connect.bootstrap, &arguments.topic, None, -1)?;
    let connections = arguments.connections.max(1);
    let end = Instant::now() + arguments.duration;
    let mut tally = Tally::new()?;
    let mut version = 0;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|number| {
                let topic = &topic;
                scope.spawn(move || {
                    let mut load = Load::connect(arguments, topic, number, end)?;
                    load.run()?;
                    Ok::<_, Failed>((load.tally, load.version))
                })
            })
            .collect();
        for thread in threads {
            let (part, spoken) = thread.join().map_err(|_| Failed::error("a connection's thread panicked"))??;
            tally.add(&part)?;
            version = spoken;
        }
        Ok::<_, Failed>(())
    })?;
    report::print("consume", settings(arguments, &topic, version), &tally, arguments.json)
}

fn settings(arguments: &ConsumeArguments, topic: &Topic, version: i16) -> Map<String, Value> {
    let settings = json!({
        "topic": arguments.topic, "partitions": topic.leaders.len(), "fetch_bytes": arguments.fetch_bytes,
        "depth": arguments.depth, "connections": arguments.connections, "verify": arguments.verify,
        "api_version": version,
    });
    match settings {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

struct Load<'a> {
    arguments: &'a ConsumeArguments,
    topic: &'a Topic,
    partitions: Vec<i32>,
    wire: Wire,
    version: i16,
    end: Instant,
    scratch: Vec<u8>,
    tally: Tally,
}

impl<'a> Load<'a> {
    fn connect(arguments: &'a ConsumeArguments, topic: &'a Topic, number: usize, end: Instant) -> Result<Self, Failed> {
        let (leader, partitions) = wire::share(topic, number, arguments.connections.max(1));
        let wire = Wire::connect(&leader)?;
        let version = wire.version(ApiKey::Fetch, i16::MAX)?;
        let scratch = vec![0; SCRATCH_BYTES];
        Ok(Self { arguments, topic, partitions, wire, version, end, scratch, tally: Tally::new()? })
    }

    fn run(&mut self) -> Result<(), Failed> {
        let plan = self.walk()?;
        if plan.is_empty() {
            return Err(Failed::NotFound(format!("topic {} has no records to read", self.topic.name)));
        }
        if self.arguments.once {
            return Ok(());
        }
        self.repeat(plan)
    }

    /// Reads each partition from its start to where its end is now, and returns the requests that did it.
    fn walk(&mut self) -> Result<Vec<Vec<u8>>, Failed> {
        let mut plan = Vec::new();
        for partition in self.partitions.clone() {
            let (mut offset, last) = (self.offset(partition, EARLIEST)?, self.offset(partition, LATEST)?);
            while offset < last && (self.arguments.once || Instant::now() < self.end) {
                let mut request = self.request(partition, offset)?;
                let sent = Instant::now();
                self.send(&mut request)?;
                let (bytes, next) = self.receive_whole(offset)?;
                self.count(sent, bytes);
                if next <= offset {
                    return Err(Failed::error(format!(
                        "partition {partition} has no batch at offset {offset} of {last}"
                    )));
                }
                offset = next;
                plan.push(request);
            }
        }
        Ok(plan)
    }

    /// Sends the plan over and over, several requests at a time.
    fn repeat(&mut self, mut plan: Vec<Vec<u8>>) -> Result<(), Failed> {
        let mut in_flight = VecDeque::new();
        let mut next: usize = 0;
        let count = plan.len();
        while Instant::now() < self.end {
            while in_flight.len() < self.arguments.depth.max(1) {
                if let Some(request) = plan.get_mut(next % count) {
                    in_flight.push_back(Instant::now());
                    self.send(request)?;
                }
                next = next.wrapping_add(1);
            }
            self.receive_one(&mut in_flight)?;
        }
        while !in_flight.is_empty() {
            self.receive_one(&mut in_flight)?;
        }
        Ok(())
    }

    fn receive_one(&mut self, in_flight: &mut VecDeque<Instant>) -> Result<(), Failed> {
        let bytes = if self.arguments.verify { self.receive_whole(0)?.0 } else { self.receive_head()? };
        if let Some(sent) = in_flight.pop_front() {
            self.count(sent, bytes);
        }
        Ok(())
    }

    fn offset(&mut self, partition: i32, timestamp: i64) -> Result<i64, Failed> {
        let wanted = ListOffsetsPartition { partition_index: partition, timestamp, ..ListOffsetsPartition::default() };
        let topic = ListOffsetsTopic { name: self.topic.name.clone(), partitions: vec![wanted] };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..ListOffsetsRequest::default() };
        let response = self.wire.call(&request)?;
        let found = response.topics.first().and_then(|topic| topic.partitions.first());
        let found = found.ok_or_else(|| Failed::error("the broker did not answer for the partition"))?;
        wire::check(found.error_code, &format!("listing offsets of partition {partition}"))?;
        Ok(found.offset)
    }

    fn request(&self, partition: i32, offset: i64) -> Result<Vec<u8>, Failed> {
        let bytes = i32::try_from(self.arguments.fetch_bytes).unwrap_or(i32::MAX);
        let partition = FetchPartition {
            partition,
            current_leader_epoch: -1,
            fetch_offset: offset,
            partition_max_bytes: bytes,
            ..FetchPartition::default()
        };
        let by_id = self.version >= 13;
        let topic = FetchTopic {
            topic: if by_id { String::new() } else { self.topic.name.clone() },
            topic_id: if by_id { self.topic.id } else { Uuid::nil() },
            partitions: vec![partition],
        };
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: bytes,
            session_id: 0,
            session_epoch: -1,
            topics: vec![topic],
            ..FetchRequest::default()
        };
        let chunks =
            frame::request(0, CLIENT_ID, &request, self.version).map_err(|error| Failed::error(error.to_string()))?;
        Ok(frame::concatenated(&chunks).to_vec())
    }

    fn send(&mut self, request: &mut [u8]) -> Result<(), Failed> {
        let correlation_id = self.wire.next_correlation_id();
        if let Some(place) = request.get_mut(CORRELATION) {
            place.copy_from_slice(&correlation_id.to_be_bytes());
        }
        self.wire.write(&mut [IoSlice::new(request)])
    }

    /// Reads a response without looking behind its head; how many bytes of records it brought.
    fn receive_head(&mut self) -> Result<u64, Failed> {
        let length = self.wire.frame_length()?;
        let mut head = [0u8; HEAD_BYTES];
        let taken = length.min(HEAD_BYTES);
        let Some(front) = head.get_mut(..taken) else { return Ok(0) };
        self.wire.fill(front)?;
        let mut left = length.saturating_sub(taken);
        let head = Head::decode(front, self.version)?;
        while left > 0 {
            let part = left.min(SCRATCH_BYTES);
            let Some(scratch) = self.scratch.get_mut(..part) else { break };
            self.wire.fill(scratch)?;
            left = left.saturating_sub(part);
        }
        Ok(head.records)
    }

    /// Reads a response, and walks its batches: how many bytes, and the offset behind them.
    fn receive_whole(&mut self, offset: i64) -> Result<(u64, i64), Failed> {
        let frame = self.wire.frame()?;
        let response: highwater_protocol::message::FetchResponse = wire::decode(frame, self.version)?;
        wire::check(response.error_code, "fetching")?;
        let (mut bytes, mut next) = (0u64, offset);
        for partition in response.responses.into_iter().flat_map(|topic| topic.partitions) {
            wire::check(partition.error_code, &format!("fetching partition {}", partition.partition_index))?;
            let records = partition.records.as_ref().and_then(|records| records.bytes()).cloned().unwrap_or_default();
            bytes = bytes.saturating_add(u64::try_from(records.len()).unwrap_or(0));
            next = next.max(self.next_offset(records)?);
        }
        Ok((bytes, next))
    }

    fn next_offset(&self, mut records: Bytes) -> Result<i64, Failed> {
        let mut next = -1;
        let wrong = |error: RecordsError| Failed::error(format!("a batch: {error}"));
        while !records.is_empty() {
            match Batch::split_off(&mut records) {
                Ok(batch) => {
                    if self.arguments.verify {
                        verify_crc(&batch.bytes).map_err(wrong)?;
                    }
                    next = batch.header.next_offset().0;
                }
                // The last batch of a fetch may be cut short.
                Err(RecordsError::Truncated { .. }) => break,
                Err(error) => return Err(wrong(error)),
            }
        }
        Ok(next)
    }

    fn count(&mut self, sent: Instant, bytes: u64) {
        let now = Instant::now();
        self.tally.requests = self.tally.requests.saturating_add(1);
        self.tally.bytes = self.tally.bytes.saturating_add(bytes);
        self.tally.begun.get_or_insert(sent);
        self.tally.ended = Some(now);
        note(&mut self.tally.latency, now.saturating_duration_since(sent));
    }
}

/// The beginning of a response to a fetch of one partition, as far as its records.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    records: u64,
}

impl Head {
    fn decode(bytes: &[u8], version: i16) -> Result<Self, Failed> {
        let (top, partition, head) = Self::fields(BytesMut::from(bytes), version)
            .map_err(|error| Failed::error(format!("the broker's fetch response does not decode: {error}")))?;
        wire::check(top, "fetching")?;
        wire::check(partition, "fetching a partition")?;
        Ok(head)
    }

    fn fields(bytes: BytesMut, version: i16) -> Result<(i16, i16, Self), DecodeError> {
        let flexible = ApiKey::Fetch.is_flexible(version);
        let mut reader = Reader::new(bytes);
        frame::response_header(&mut reader, ApiKey::Fetch, version)?;
        reader.i32()?;
        let top = if version >= 7 { reader.i16()? } else { 0 };
        if version >= 7 {
            reader.i32()?;
        }
        if count(&mut reader, flexible)? < 1 {
            return Ok((top, 0, Self::default()));
        }
        if version >= 13 {
            reader.uuid()?;
        } else {
            reader.string(flexible)?;
        }
        if count(&mut reader, flexible)? < 1 {
            return Ok((top, 0, Self::default()));
        }
        reader.i32()?;
        let partition = reader.i16()?;
        // High watermark and last stable offset, and from version 5 on where the log starts.
        for _ in 0..if version >= 5 { 3 } else { 2 } {
            reader.i64()?;
        }
        for _ in 0..count(&mut reader, flexible)?.max(0) {
            reader.i64()?;
            reader.i64()?;
            if flexible {
                reader.uvarint()?;
            }
        }
        if version >= 11 {
            reader.i32()?;
        }
        let records = count(&mut reader, flexible)?.max(0);
        Ok((top, partition, Self { records: u64::try_from(records).unwrap_or(0) }))
    }
}

/// A length in front of an array or of bytes; -1 is null.
fn count(reader: &mut Reader, flexible: bool) -> Result<i64, DecodeError> {
    if flexible { Ok(i64::from(reader.uvarint()?).saturating_sub(1)) } else { Ok(i64::from(reader.i32()?)) }
}

#[cfg(test)]
mod tests {
    use highwater_protocol::message::fetch_response::{FetchResponse, FetchableTopicResponse, PartitionData};
    use highwater_protocol::wire::Payload;

    use super::*;

    #[test]
    fn the_head_of_every_version_is_read() {
        for version in 4..=18 {
            let records = Some(Payload::Bytes(Bytes::from(vec![7; 3000])));
            let partition = PartitionData { records, ..PartitionData::default() };
            let by_id = version >= 13;
            let topic = FetchableTopicResponse {
                topic: if by_id { String::new() } else { "a-topic".to_owned() },
                topic_id: if by_id { Uuid::from_u128(7) } else { Uuid::nil() },
                partitions: vec![partition],
            };
            let response = FetchResponse { responses: vec![topic], ..FetchResponse::default() };
            let whole = frame::concatenated(&frame::response(1, &response, version).expect("encodes"));
            let head = Head::decode(&whole[4..HEAD_BYTES], version).expect("decodes");
            assert_eq!(head, Head { records: 3000 }, "version {version}");
        }
    }
}
