//! A blocking connection: the load generator must cost less than what it measures, so it has no runtime under it.

use std::collections::HashMap;
use std::io::{BufReader, IoSlice, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use highwater_protocol::api::ApiKey;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::frame;
use highwater_protocol::message::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use highwater_protocol::message::metadata_request::{MetadataRequest, MetadataRequestTopic};
use highwater_protocol::message::{ApiVersionsRequest, ApiVersionsResponse, Message, MetadataResponse, Request};
use highwater_protocol::wire::Reader;
use uuid::Uuid;

use crate::failed::Failed;

/// How we call ourselves.
pub(super) const CLIENT_ID: &str = "highwater-bench";
/// The largest frame that is believed.
const LARGEST_FRAME: usize = 256 << 20;
/// How long a broker may stay silent.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a new topic may take until its partitions have leaders.
const TOPIC_DEADLINE: Duration = Duration::from_secs(30);
const TOPIC_POLL: Duration = Duration::from_millis(50);

/// A connection to one broker.
pub(super) struct Wire {
    reader: BufReader<TcpStream>,
    versions: HashMap<i16, (i16, i16)>,
    correlation_id: i32,
}

impl Wire {
    /// Connects and asks what the broker speaks.
    pub(super) fn connect(address: &str) -> Result<Self, Failed> {
        let cannot = |error: std::io::Error| Failed::error(format!("cannot connect to {address}: {error}"));
        let mut last = None;
        let candidates = address.to_socket_addrs().map_err(cannot)?;
        let stream = candidates.into_iter().find_map(|candidate| {
            TcpStream::connect_timeout(&candidate, CONNECT_TIMEOUT).map_err(|error| last = Some(error)).ok()
        });
        let Some(stream) = stream else {
            return Err(cannot(last.unwrap_or_else(|| std::io::Error::other("the name has no address"))));
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        // Pacing algorithms such as BBR throttle the loopback. Where none of these may be chosen, the default stays.
        let _chosen =
            ["reno", "cubic"].iter().any(|name| rustix::net::sockopt::set_tcp_congestion(&stream, name).is_ok());
        let reader = BufReader::with_capacity(64 << 10, stream);
        let mut wire = Self { reader, versions: HashMap::new(), correlation_id: 0 };
        wire.versions = wire.ask_versions()?;
        Ok(wire)
    }

    fn ask_versions(&mut self) -> Result<HashMap<i16, (i16, i16)>, Failed> {
        let response: ApiVersionsResponse = self.call_at(&ApiVersionsRequest::default(), 0)?;
        check(response.error_code, "ApiVersions")?;
        Ok(response.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version))).collect())
    }

    /// The highest version that both sides know, at most `most`.
    pub(super) fn version(&self, key: ApiKey, most: i16) -> Result<i16, Failed> {
        let (low, high) = key.versions();
        let none = || Failed::error(format!("the broker does not offer {}", key.name()));
        let (broker_low, broker_high) = *self.versions.get(&key.number()).ok_or_else(none)?;
        let version = high.min(broker_high).min(most);
        if version < low.max(broker_low) {
            return Err(Failed::error(format!(
                "{}: the broker speaks {broker_low} to {broker_high}, wanted is {low} to {}",
                key.name(),
                high.min(most)
            )));
        }
        Ok(version)
    }

    /// Sends a request and waits for its response.
    pub(super) fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Failed> {
        let version = self.version(R::KEY, i16::MAX)?;
        self.call_at(request, version)
    }

    fn call_at<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, Failed> {
        let correlation_id = self.next_correlation_id();
        let chunks = frame::request(correlation_id, CLIENT_ID, request, version)
            .map_err(|error| Failed::error(format!("{}: {error}", R::KEY.name())))?;
        self.reader.get_mut().write_all(&frame::concatenated(&chunks))?;
        let frame = self.frame()?;
        decode::<R::Response>(frame, version)
    }

    /// A number for the next request.
    pub(super) fn next_correlation_id(&mut self) -> i32 {
        self.correlation_id = self.correlation_id.wrapping_add(1) & i32::MAX;
        self.correlation_id
    }

    /// Writes all of these bytes.
    pub(super) fn write(&mut self, parts: &mut [IoSlice<'_>]) -> Result<(), Failed> {
        let mut left = parts;
        while !left.is_empty() {
            match self.reader.get_mut().write_vectored(left) {
                Ok(0) => return Err(Failed::error("the broker closed the connection")),
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failed::error(format!("writing to the broker: {error}"))),
            }
        }
        Ok(())
    }

    /// The length of the next frame.
    pub(super) fn frame_length(&mut self) -> Result<usize, Failed> {
        let mut prefix = [0u8; frame::LENGTH_BYTES];
        self.fill(&mut prefix)?;
        frame::checked_length(i32::from_be_bytes(prefix), LARGEST_FRAME)
            .map_err(|error| Failed::error(error.to_string()))
    }

    /// The next frame, without its length.
    pub(super) fn frame(&mut self) -> Result<BytesMut, Failed> {
        let length = self.frame_length()?;
        let mut frame = BytesMut::zeroed(length);
        self.fill(&mut frame)?;
        Ok(frame)
    }

    /// Reads exactly as many bytes as fit.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        self.reader.read_exact(bytes).map_err(|error| Failed::error(format!("reading from the broker: {error}")))
    }

    /// Waits until there is something to read or `until` has come. Says whether there is something.
    pub(super) fn readable(&mut self, until: Instant) -> Result<bool, Failed> {
        if !self.reader.buffer().is_empty() {
            return Ok(true);
        }
        let left = until.saturating_duration_since(Instant::now());
        let timeout = rustix::event::Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut polled = [rustix::event::PollFd::new(self.reader.get_ref(), rustix::event::PollFlags::IN)];
        match rustix::event::poll(&mut polled, Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(Failed::error(format!("waiting for the broker: {error}"))),
        }
    }
}

/// Reads a response off a frame.
pub(super) fn decode<M: Message>(frame: BytesMut, version: i16) -> Result<M, Failed> {
    let wrong = |error| Failed::error(format!("the broker's {} response does not decode: {error}", M::KEY.name()));
    let mut reader = Reader::new(frame);
    frame::response_header(&mut reader, M::KEY, version).map_err(wrong)?;
    M::decode(&mut reader, version).map_err(wrong)
}

/// An error code is the end of a bench.
pub(super) fn check(code: i16, what: &str) -> Result<(), Failed> {
    let code = ErrorCode::from_number(code);
    if code.is_none() { Ok(()) } else { Err(Failed::error(format!("{what}: {code}"))) }
}

/// A topic as the bench needs it.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    /// Its name.
    pub(super) name: String,
    /// Its id, nil where the broker has none.
    pub(super) id: Uuid,
    /// The address of each partition's leader.
    pub(super) leaders: Vec<String>,
}

/// Looks a topic up; creates it where `create` says with how many partitions.
pub(super) fn topic(bootstrap: &str, name: &str, create: Option<i32>, replication: i16) -> Result<Topic, Failed> {
    let first = bootstrap.split(',').next().unwrap_or(bootstrap).trim();
    let mut wire = Wire::connect(first)?;
    let deadline = Instant::now() + TOPIC_DEADLINE;
    let mut asked = false;
    loop {
        let metadata = describe(&mut wire, name)?;
        let found = metadata.topics.first().ok_or_else(|| Failed::error("the broker did not answer for the topic"))?;
        let code = ErrorCode::from_number(found.error_code);
        if code == ErrorCode::UnknownTopicOrPartition && !asked {
            let missing = || {
                Failed::NotFound(format!("topic {name} does not exist; create it with `highwater topic create {name}`"))
            };
            create_topic(&metadata, &mut wire, name, create.ok_or_else(missing)?, replication)?;
            asked = true;
        } else if code.is_none() && found.partitions.iter().all(|partition| partition.leader_id >= 0) {
            return leaders(&metadata, name);
        } else if !code.is_none() && !code.is_retriable() {
            return Err(Failed::error(format!("topic {name}: {code}")));
        }
        if Instant::now() > deadline {
            return Err(Failed::TimedOut(format!("topic {name} has no leaders after {TOPIC_DEADLINE:?}")));
        }
        std::thread::sleep(TOPIC_POLL);
    }
}

fn describe(wire: &mut Wire, name: &str) -> Result<MetadataResponse, Failed> {
    let topic = MetadataRequestTopic { topic_id: Uuid::nil(), name: Some(name.to_owned()) };
    wire.call(&MetadataRequest {
        topics: Some(vec![topic]),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    })
}

fn create_topic(
    metadata: &MetadataResponse,
    wire: &mut Wire,
    name: &str,
    partitions: i32,
    replication: i16,
) -> Result<(), Failed> {
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions,
        replication_factor: replication,
        ..CreatableTopic::default()
    };
    let timeout_ms = 30_000;
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms, validate_only: false };
    let controller = metadata.brokers.iter().find(|broker| broker.node_id == metadata.controller_id);
    let response = match controller {
        Some(broker) => Wire::connect(&format!("{}:{}", broker.host, broker.port))?.call(&request)?,
        None => wire.call(&request)?,
    };
    for result in &response.topics {
        if ErrorCode::from_number(result.error_code) != ErrorCode::TopicAlreadyExists {
            check(result.error_code, &format!("creating topic {name}"))?;
        }
    }
    Ok(())
}

fn leaders(metadata: &MetadataResponse, name: &str) -> Result<Topic, Failed> {
    let topic = metadata.topics.first().ok_or_else(|| Failed::error("the broker did not answer for the topic"))?;
    let mut partitions: Vec<_> = topic.partitions.iter().collect();
    partitions.sort_by_key(|partition| partition.partition_index);
    let address = |leader: i32| {
        let broker = metadata.brokers.iter().find(|broker| broker.node_id == leader);
        broker.map(|broker| format!("{}:{}", broker.host, broker.port))
    };
    let leaders: Option<Vec<String>> = partitions.iter().map(|partition| address(partition.leader_id)).collect();
    let leaders = leaders.ok_or_else(|| Failed::error(format!("a leader of topic {name} is not among the brokers")))?;
    Ok(Topic { name: name.to_owned(), id: topic.topic_id, leaders })
}

/// The partitions of one connection: every `connections`th from `number`, as far as one broker leads them.
pub(super) fn share(topic: &Topic, number: usize, connections: usize) -> (String, Vec<i32>) {
    let count = topic.leaders.len().max(1);
    let mine: Vec<usize> =
        if number < count { (number..count).step_by(connections.max(1)).collect() } else { vec![number % count] };
    let leader = mine.first().and_then(|partition| topic.leaders.get(*partition)).cloned().unwrap_or_default();
    let led = mine.into_iter().filter(|partition| topic.leaders.get(*partition) == Some(&leader));
    (leader.clone(), led.filter_map(|partition| i32::try_from(partition).ok()).collect())
}
