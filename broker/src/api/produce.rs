//! Produce (key 0), versions 3 to 13: appends one batch to each partition named. From version 10 on a response names the
//! leader, from 13 on topics go by id. Versions 0 to 2 are advertised, because librdkafka wants to see them, and refused.

use bytes::{Bytes, BytesMut};
use highwater_core::config::topic::TopicConfig;
use highwater_core::data::{Acks, Reply, Request};
use highwater_node::{Refusal, Reply as Pending};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::produce_response::{
    BatchIndexAndErrorMessage, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use highwater_protocol::message::{ProduceRequest, ProduceResponse};
use highwater_protocol::records::batch::{Batch, BatchHeader, RecordsError, validate};
use highwater_protocol::records::builder::recompress;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::outline::outlines;
use uuid::Uuid;

use super::merged::{Merged, merged};
use super::{Answer, Asked, refused};
use crate::shell::Shell;
use crate::turn::Turn;

/// From this version on a topic is named by its id alone.
const BY_ID: i16 = 13;
/// From this version on a producer knows zstd.
const WITH_ZSTD: i16 = 7;
/// Records of a batch that an answer names at most: a few bytes may inflate to millions of them.
const NAMED_RECORDS: usize = 100;

/// Why a partition takes nothing.
struct Refused {
    code: ErrorCode,
    message: String,
    /// The records that it is for, where it is not for the batch as a whole.
    records: Vec<i32>,
    /// Where the log starts, which Kafka tells once it has looked into the batch.
    log_start: i64,
}

type Waiting = Result<Pending<Reply>, Refused>;

pub(crate) fn handle(asked: &Asked, request: ProduceRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let image = shell.image();
    let how = How::of(asked.version, &request);
    let named = request.topic_data.into_iter().flat_map(|topic| {
        let (name, id) = (topic.name, topic.topic_id);
        topic.partition_data.into_iter().map(move |partition| (name.clone(), id, partition.index, partition.records))
    });
    let mut topics = Vec::new();
    for (name, id, partitions) in merged(named) {
        let mut waiting = Vec::new();
        for (partition, records) in partitions {
            let place = Place { name: &name, id, partition };
            waiting.push((partition, append(shell, &image, &place, records, &how, turn)));
        }
        topics.push((name, id, waiting));
    }
    let timeout = std::time::Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    if request.acks == 0 {
        return Answer::Unless(Box::pin(first_refusal(topics)));
    }
    let asked = asked.clone();
    asked.clone().later(answer(asked, topics, timeout))
}

/// What a request says of all its partitions.
struct How {
    acks: Result<Acks, (ErrorCode, String)>,
    version: i16,
    is_in_transaction: bool,
    /// Whether any of its batches says that it is part of a transaction.
    has_transactional: bool,
}

impl How {
    fn of(version: i16, request: &ProduceRequest) -> Self {
        let acks = match request.acks {
            0 | 1 => Ok(Acks::Leader),
            -1 => Ok(Acks::All),
            other => Err((ErrorCode::InvalidRequiredAcks, format!("acks {other} is none of -1, 0 and 1"))),
        };
        let partitions = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
        let mut headers = partitions.filter_map(|one| BatchHeader::decode(one.records.as_ref()?).ok());
        let has_transactional = headers.any(|header| header.is_transactional());
        Self { acks, version, is_in_transaction: request.transactional_id.is_some(), has_transactional }
    }
}

struct Place<'a> {
    name: &'a str,
    id: Uuid,
    partition: i32,
}

/// What waits, under its topic.
type Topics = Merged<Waiting>;

async fn answer(asked: Asked, topics: Topics, timeout: std::time::Duration) -> ProduceResponse {
    let deadline = tokio::time::Instant::now() + timeout;
    let mut responses = Vec::new();
    let mut moved = false;
    for (name, topic_id, partitions) in topics {
        let mut partition_responses = Vec::new();
        for (index, waiting) in partitions {
            let response = match waiting {
                Err(refused) => failed(index, refused),
                Ok(reply) => match tokio::time::timeout_at(deadline, reply).await {
                    Err(_) => failed(
                        index,
                        Refused::plain(
                            ErrorCode::RequestTimedOut,
                            "the record is written, and not yet durable on enough replicas".to_owned(),
                        ),
                    ),
                    Ok(reply) => replied(index, reply, || log_start(&asked.shell, &name, topic_id, index)),
                },
            };
            moved |= response.error_code == ErrorCode::NotLeaderOrFollower.number();
            partition_responses.push(response);
        }
        responses.push(TopicProduceResponse { name, topic_id, partition_responses });
    }
    let node_endpoints = if moved && asked.version >= 10 { endpoints(&asked.shell) } else { Vec::new() };
    ProduceResponse { responses, node_endpoints, ..ProduceResponse::default() }
}

/// The first refusal of a request that is not answered.
async fn first_refusal(topics: Topics) -> Option<ErrorCode> {
    for (index, waiting) in topics.into_iter().flat_map(|(_, _, partitions)| partitions) {
        let code = match waiting {
            Err(refused) => refused.code.number(),
            Ok(reply) => replied(index, reply.await, || -1).error_code,
        };
        if code != 0 {
            return Some(ErrorCode::from_number(code));
        }
    }
    None
}

/// Checks a partition's records and hands them to its replica.
fn append(
    shell: &Shell,
    image: &highwater_core::controller::image::Image,
    place: &Place<'_>,
    records: Option<BytesMut>,
    how: &How,
    turn: &mut Turn,
) -> Waiting {
    let plain = |(code, message)| Refused::plain(code, message);
    let acks = how.acks.clone().map_err(plain)?;
    if how.version >= BY_ID && place.id.is_nil() {
        return Err(Refused::plain(ErrorCode::UnknownTopicId, "no topic has an id of zeros".to_owned()));
    }
    let replica = shell
        .replica(image, place.name, place.id, place.partition)
        .map_err(|code| Refused::plain(code, not_taken(place, code)))?;
    shell.node.check_space().map_err(|refusal| Refused::plain(refused(&refusal), refusal.to_string()))?;
    let mut batch = records.unwrap_or_default();
    let log_start = replica.serving().map_or(-1, |serving| serving.view.log_start.0);
    check_transaction(&batch, how)?;
    let header = validate(&batch).map_err(|error| Refused::of(&error, log_start))?;
    batch.truncate(header.total_bytes());
    check_against_request(&header, how, log_start)?;
    let config = replica.config();
    let (batch, header) = recompressed(batch, header, &config).map_err(|error| Refused::of(&error, log_start))?;
    let wall = shell.clock().wall.0;
    let (batch, bad_times) = if looks_inside(&header, &config, wall) {
        inside(batch, &header, &config, wall, log_start)?
    } else {
        (batch, Vec::new())
    };
    Ok(replica.submit(Request::Produce { batch, header, acks, bad_times }, shell.clock(), turn))
}

/// Why a partition takes no records.
fn not_taken(place: &Place<'_>, code: ErrorCode) -> String {
    if code == ErrorCode::InvalidTopicException {
        format!("the topic {} belongs to the broker", place.name)
    } else {
        "the topic or partition is not known here".to_owned()
    }
}

/// A request without a transactional id has no batch of a transaction, for any partition.
fn check_transaction(batch: &[u8], how: &How) -> Result<(), Refused> {
    if how.has_transactional && !how.is_in_transaction {
        let message = "a batch of a transaction comes with the id of one".to_owned();
        return Err(Refused::plain(ErrorCode::TransactionalIdAuthorizationFailed, message));
    }
    if BatchHeader::decode(batch).is_ok_and(|header| header.is_transactional()) {
        let message = "transactions are not served here yet".to_owned();
        return Err(Refused::plain(ErrorCode::TransactionalIdNotFound, message));
    }
    Ok(())
}

/// What the rest of the request has to say of a batch.
fn check_against_request(header: &BatchHeader, how: &How, log_start: i64) -> Result<(), Refused> {
    if header.base_offset != 0 {
        let message = format!("base offset {}: a producer counts from 0", header.base_offset);
        return Err(Refused { log_start, ..Refused::plain(ErrorCode::InvalidRecord, message) });
    }
    if how.version < WITH_ZSTD && header.compression() == Ok(Compression::Zstd) {
        let message = format!("a producer that sends version {} knows no zstd", how.version);
        return Err(Refused::plain(ErrorCode::UnsupportedCompressionType, message));
    }
    Ok(())
}

/// Where the log of a partition starts, or -1.
fn log_start(shell: &Shell, name: &str, id: Uuid, partition: i32) -> i64 {
    let replica = shell.replica(&shell.image(), name, id, partition).ok();
    replica.and_then(|replica| replica.serving()).map_or(-1, |serving| serving.view.log_start.0)
}

/// Compresses anew where the topic asks for another codec than the producer's.
fn recompressed(
    batch: BytesMut,
    header: BatchHeader,
    config: &TopicConfig,
) -> Result<(BytesMut, BatchHeader), RecordsError> {
    match config.compression {
        Some(codec) if header.compression().is_ok_and(|now| now != codec) => {
            let whole = Batch { header, bytes: Bytes::from(batch) };
            let (inflated, packed) = (config.max_decompressed_bytes, config.max_message_bytes);
            let batch = recompress(&whole, codec, config.level(codec), inflated, packed)?;
            let header = validate(&batch)?;
            Ok((batch, header))
        }
        _ => Ok((batch, header)),
    }
}

/// Whether a setting of the topic is about records, of which the header does not say enough.
fn looks_inside(header: &BatchHeader, config: &TopicConfig, wall: i64) -> bool {
    let is_timed = !config.log_append_time
        && (config.timestamp_before_max_ms < i64::MAX
            || header.max_timestamp.saturating_sub(wall) > config.timestamp_after_max_ms);
    config.compacts() || is_timed
}

/// Looks at each record: a compacted topic keeps the newest record of each key, so one without a key has no place in it; and
/// those are noted whose time is out of bounds.
fn inside(
    batch: BytesMut,
    header: &BatchHeader,
    config: &TopicConfig,
    wall: i64,
    log_start: i64,
) -> Result<(BytesMut, Vec<i32>), Refused> {
    let whole = Batch { header: *header, bytes: batch.freeze() };
    let (mut number, mut keyless, mut bad_times) = (0, Vec::new(), Vec::new());
    outlines(&whole, config.max_decompressed_bytes, |record| {
        let is_early = wall.saturating_sub(record.timestamp) > config.timestamp_before_max_ms;
        let is_late = record.timestamp.saturating_sub(wall) > config.timestamp_after_max_ms;
        // -1 is no time at all.
        let is_bad_time = !config.log_append_time && record.timestamp != -1 && (is_early || is_late);
        if is_bad_time && bad_times.len() < NAMED_RECORDS {
            bad_times.push(number);
        }
        if config.compacts() && !record.has_key && keyless.len() < NAMED_RECORDS {
            keyless.push(number);
        }
        number += 1;
        true
    })
    .map_err(|error| Refused::of(&error, log_start))?;
    if let Some(first) = keyless.first() {
        let message = format!("record {first} has no key, and the topic is compacted");
        return Err(Refused { code: ErrorCode::InvalidRecord, message, records: keyless, log_start });
    }
    Ok((whole.bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..])), bad_times))
}

impl Refused {
    fn plain(code: ErrorCode, message: String) -> Self {
        Self { code, message, records: Vec::new(), log_start: -1 }
    }

    fn of(error: &RecordsError, log_start: i64) -> Self {
        let (code, tells_log_start) = match error {
            RecordsError::BadCrc { .. }
            | RecordsError::BadLength(_)
            | RecordsError::BadMagic(_)
            | RecordsError::Decompression(_)
            | RecordsError::BadRecord { .. } => (ErrorCode::CorruptMessage, false),
            RecordsError::OldMagic(_) | RecordsError::NotOneBatch(_) | RecordsError::Truncated { .. } => {
                (ErrorCode::InvalidRecord, false)
            }
            RecordsError::TooLarge(_) | RecordsError::TooLong(_) => (ErrorCode::MessageTooLarge, false),
            RecordsError::UnknownCodec(_) => (ErrorCode::UnsupportedCompressionType, true),
            RecordsError::BadProducer { base_sequence: 0.., .. } => (ErrorCode::InvalidProducerEpoch, true),
            RecordsError::BadCount { .. } | RecordsError::BadProducer { .. } => (ErrorCode::InvalidRecord, true),
        };
        let log_start = if tells_log_start { log_start } else { -1 };
        Self { code, message: error.to_string(), records: Vec::new(), log_start }
    }
}

fn replied(index: i32, reply: Result<Reply, Refusal>, log_start: impl Fn() -> i64) -> PartitionProduceResponse {
    match reply {
        Ok(Reply::Appended { base_offset, log_append_time, log_start }) => PartitionProduceResponse {
            index,
            base_offset: base_offset.0,
            log_append_time_ms: log_append_time.0,
            log_start_offset: log_start.0,
            ..PartitionProduceResponse::default()
        },
        Ok(Reply::Refused { code, message, records }) => {
            let is_early = matches!(code, ErrorCode::MessageTooLarge | ErrorCode::NotEnoughReplicas);
            let log_start = if is_early { -1 } else { log_start() };
            failed(index, Refused { code, message, records, log_start })
        }
        Ok(Reply::LogStart(_) | Reply::Producers(_) | Reply::FollowsConfig) => {
            unreachable!("a produce is answered as a produce")
        }
        Err(refusal) => failed(index, Refused::plain(refused(&refusal), refusal.to_string())),
    }
}

fn failed(index: i32, refused: Refused) -> PartitionProduceResponse {
    // Short, because there may be one for each record of a request.
    let what = if refused.code == ErrorCode::InvalidTimestamp { "time out of bounds" } else { "no key" };
    let record_error =
        |batch_index| BatchIndexAndErrorMessage { batch_index, batch_index_error_message: Some(what.to_owned()) };
    PartitionProduceResponse {
        index,
        error_code: refused.code.number(),
        base_offset: -1,
        log_append_time_ms: -1,
        log_start_offset: refused.log_start,
        record_errors: refused.records.iter().copied().map(record_error).collect(),
        error_message: Some(refused.message.clone()),
        ..PartitionProduceResponse::default()
    }
}

fn endpoints(shell: &Shell) -> Vec<NodeEndpoint> {
    let image = shell.image();
    let one = |broker: &highwater_core::controller::image::Broker| {
        let listener = broker.listeners.first()?;
        Some(NodeEndpoint {
            node_id: broker.node_id,
            host: listener.host.clone(),
            port: i32::from(listener.port),
            rack: broker.rack.clone(),
        })
    };
    image.brokers.values().filter_map(one).collect()
}
