//! Produce (key 0), versions 3 to 13: appends one batch to each partition named. From version 10 on a response names the
//! leader, from 13 on topics go by id. Versions 0 to 2 are advertised, because librdkafka wants to see them, and refused.

use bytes::{Bytes, BytesMut};
use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::topics::is_internal;
use highwater_core::data::{Acks, Reply, Request};
use highwater_node::{Refusal, Reply as Pending};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::produce_response::{NodeEndpoint, PartitionProduceResponse, TopicProduceResponse};
use highwater_protocol::message::{ProduceRequest, ProduceResponse};
use highwater_protocol::records::batch::{Batch, BatchHeader, RecordsError, validate};
use highwater_protocol::records::builder::recompress;
use highwater_protocol::records::record::records;
use uuid::Uuid;

use super::{Answer, Asked, refused};
use crate::shell::Shell;
use crate::turn::Turn;

type Waiting = Result<Pending<Reply>, (ErrorCode, String)>;

pub(crate) fn handle(asked: &Asked, request: ProduceRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let acks = match request.acks {
        0 | 1 => Ok(Acks::Leader),
        -1 => Ok(Acks::All),
        other => Err((ErrorCode::InvalidRequiredAcks, format!("acks {other} is none of -1, 0 and 1"))),
    };
    let image = shell.image();
    let mut topics = Vec::new();
    for topic in request.topic_data {
        let mut partitions = Vec::new();
        for partition in topic.partition_data {
            let place = Place { name: &topic.name, id: topic.topic_id, partition: partition.index };
            let waiting = match (&request.transactional_id, &acks) {
                (_, Err(refusal)) => Err(refusal.clone()),
                (Some(_), _) => {
                    Err((ErrorCode::TransactionalIdNotFound, "transactions are not served here yet".to_owned()))
                }
                (None, Ok(acks)) => append(shell, &image, &place, partition.records, *acks, turn),
            };
            partitions.push((partition.index, waiting));
        }
        topics.push((topic.name, topic.topic_id, partitions));
    }
    if request.acks == 0 {
        return Answer::None;
    }
    let timeout = std::time::Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let asked = asked.clone();
    asked.clone().later(answer(asked, topics, timeout))
}

struct Place<'a> {
    name: &'a str,
    id: Uuid,
    partition: i32,
}

type Topics = Vec<(String, Uuid, Vec<(i32, Waiting)>)>;

async fn answer(asked: Asked, topics: Topics, timeout: std::time::Duration) -> ProduceResponse {
    let deadline = tokio::time::Instant::now() + timeout;
    let mut responses = Vec::new();
    let mut moved = false;
    for (name, topic_id, partitions) in topics {
        let mut partition_responses = Vec::new();
        for (index, waiting) in partitions {
            let response = match waiting {
                Err((code, message)) => failed(index, code, message),
                Ok(reply) => match tokio::time::timeout_at(deadline, reply).await {
                    Err(_) => failed(
                        index,
                        ErrorCode::RequestTimedOut,
                        "the record is written, and not yet durable on enough replicas".to_owned(),
                    ),
                    Ok(reply) => replied(index, reply),
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

/// Checks a partition's records and hands them to its replica.
fn append(
    shell: &Shell,
    image: &highwater_core::controller::image::Image,
    place: &Place<'_>,
    records: Option<BytesMut>,
    acks: Acks,
    turn: &mut Turn,
) -> Waiting {
    let replica = shell
        .replica(image, place.name, place.id, place.partition)
        .map_err(|code| (code, "the topic or partition is not known here".to_owned()))?;
    if is_internal(&replica.key().topic) {
        return Err((ErrorCode::InvalidTopicException, format!("{} belongs to the broker", replica.key().topic)));
    }
    shell.node.check_space().map_err(|refusal| (refused(&refusal), refusal.to_string()))?;
    let batch = records.unwrap_or_default();
    let header = validate(&batch).map_err(|error| (code_of(&error), error.to_string()))?;
    let config = replica.config();
    let (batch, header) = recompressed(batch, header, &config)?;
    let batch = if config.compacts() { keyed(batch, header, &config)? } else { batch };
    Ok(replica.submit(Request::Produce { batch, header, acks }, shell.clock(), turn))
}

/// Compresses anew where the topic asks for another codec than the producer's.
fn recompressed(
    batch: BytesMut,
    header: BatchHeader,
    config: &TopicConfig,
) -> Result<(BytesMut, BatchHeader), (ErrorCode, String)> {
    let refusal = |error: RecordsError| (code_of(&error), error.to_string());
    match config.compression {
        Some(codec) if header.compression().is_ok_and(|now| now != codec) => {
            let whole = Batch { header, bytes: Bytes::from(batch) };
            let batch =
                recompress(&whole, codec, config.level(codec), config.max_decompressed_bytes).map_err(refusal)?;
            let header = validate(&batch).map_err(refusal)?;
            Ok((batch, header))
        }
        _ => Ok((batch, header)),
    }
}

/// Compaction keeps the newest record of each key, so a record without one has no place in a compacted topic.
fn keyed(batch: BytesMut, header: BatchHeader, config: &TopicConfig) -> Result<BytesMut, (ErrorCode, String)> {
    let refusal = |error: RecordsError| (code_of(&error), error.to_string());
    let whole = Batch { header, bytes: batch.freeze() };
    for (number, record) in records(&whole, config.max_decompressed_bytes).map_err(refusal)?.enumerate() {
        if record.map_err(refusal)?.key.is_none() {
            let message = format!("record {number} has no key, and the topic is compacted");
            return Err((ErrorCode::InvalidRecord, message));
        }
    }
    Ok(whole.bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..])))
}

fn code_of(error: &RecordsError) -> ErrorCode {
    match error {
        RecordsError::BadCrc { .. } | RecordsError::Truncated { .. } | RecordsError::BadLength(_) => {
            ErrorCode::CorruptMessage
        }
        RecordsError::Decompression(_) | RecordsError::BadRecord { .. } => ErrorCode::CorruptMessage,
        RecordsError::BadMagic(_) => ErrorCode::UnsupportedForMessageFormat,
        RecordsError::TooLarge(_) => ErrorCode::MessageTooLarge,
        RecordsError::UnknownCodec(_) => ErrorCode::UnsupportedCompressionType,
        RecordsError::BadCount { .. } | RecordsError::BadProducer { .. } | RecordsError::NotOneBatch(_) => {
            ErrorCode::InvalidRecord
        }
    }
}

fn replied(index: i32, reply: Result<Reply, Refusal>) -> PartitionProduceResponse {
    match reply {
        Ok(Reply::Appended { base_offset, log_append_time, log_start }) => PartitionProduceResponse {
            index,
            base_offset: base_offset.0,
            log_append_time_ms: log_append_time.0,
            log_start_offset: log_start.0,
            ..PartitionProduceResponse::default()
        },
        Ok(Reply::Refused { code, message }) => failed(index, code, message),
        Ok(Reply::LogStart(_) | Reply::Producers(_) | Reply::FollowsConfig) => {
            unreachable!("a produce is answered as a produce")
        }
        Err(refusal) => failed(index, refused(&refusal), refusal.to_string()),
    }
}

fn failed(index: i32, code: ErrorCode, message: String) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: code.number(),
        base_offset: -1,
        log_append_time_ms: -1,
        log_start_offset: -1,
        error_message: Some(message),
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
