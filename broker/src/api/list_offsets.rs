//! ListOffsets (key 2), versions 0 to 11: the offset of a timestamp, or of one of the special ones: -1 latest, -2 earliest,
//! -3 highest timestamp (from version 7 on), -4 earliest on this broker's own disk (8), -5 last tiered (9), -6 earliest not yet
//! tiered (11). Nothing is tiered here: -4 is the earliest, -5 and -6 have no offset.

use std::collections::BTreeMap;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{Offset, Timestamp};
use highwater_protocol::message::list_offsets_request::ListOffsetsPartition;
use highwater_protocol::message::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use highwater_protocol::message::{ListOffsetsRequest, ListOffsetsResponse};
use highwater_storage::error::StorageError;
use highwater_storage::reader::Timed;
use uuid::Uuid;

use super::merged::merged;
use super::{Answer, Asked};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

#[derive(Clone, Copy)]
struct At {
    offset: i64,
    timestamp: i64,
    epoch: i32,
}

pub(crate) fn handle(asked: &Asked, request: ListOffsetsRequest) -> Answer {
    let asked_again = asked.clone();
    asked.later(async move {
        // Timestamps are looked for inside batches, which may lie on the disk.
        let found = tokio::task::spawn_blocking(move || answer(&asked_again, &request)).await;
        found.unwrap_or_default()
    })
}

fn answer(asked: &Asked, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let image = asked.shell.image();
    let mut times: BTreeMap<(&str, i32), usize> = BTreeMap::new();
    for (topic, partition) in named(request) {
        *times.entry((topic, partition.partition_index)).or_default() += 1;
    }
    let all = named(request).map(|(topic, partition)| {
        let index = partition.partition_index;
        // Which of the two is meant is not known.
        let found = if times.get(&(topic, index)).is_some_and(|times| *times > 1) {
            Err(ErrorCode::InvalidRequest)
        } else {
            one(asked, &image, topic, partition, request.isolation_level == 1)
        };
        (topic.to_owned(), Uuid::nil(), index, response(asked.version, index, found))
    });
    let topics = merged(all).into_iter().map(|(name, _, partitions)| ListOffsetsTopicResponse {
        name,
        partitions: partitions.into_iter().map(|(_, partition)| partition).collect(),
    });
    ListOffsetsResponse { topics: topics.collect(), ..ListOffsetsResponse::default() }
}

/// The partitions that a request names.
fn named(request: &ListOffsetsRequest) -> impl Iterator<Item = (&str, &ListOffsetsPartition)> {
    request.topics.iter().flat_map(|topic| topic.partitions.iter().map(|partition| (topic.name.as_str(), partition)))
}

/// The version that brought a special timestamp.
fn since(timestamp: i64) -> i16 {
    match timestamp {
        MAX_TIMESTAMP => 7,
        EARLIEST_LOCAL => 8,
        LATEST_TIERED => 9,
        EARLIEST_PENDING_UPLOAD => 11,
        _ => 0,
    }
}

fn one(
    asked: &Asked,
    image: &highwater_core::controller::image::Image,
    topic: &str,
    wanted: &ListOffsetsPartition,
    read_committed: bool,
) -> Result<At, ErrorCode> {
    let partition = asked.shell.partition(image, topic, Uuid::nil(), wanted.partition_index)?;
    let serving = partition.serving().ok_or(ErrorCode::NotLeaderOrFollower)?;
    let epoch = wanted.current_leader_epoch;
    if epoch != -1 && epoch < serving.epoch.0 {
        return Err(ErrorCode::FencedLeaderEpoch);
    }
    if epoch > serving.epoch.0 {
        return Err(ErrorCode::UnknownLeaderEpoch);
    }
    let reader = partition.reader();
    let view = serving.view;
    let end = if read_committed { view.last_stable_offset } else { view.high_watermark };
    let at = |offset: Offset| At {
        offset: offset.0,
        timestamp: -1,
        epoch: reader.epoch_of(offset).unwrap_or(serving.epoch).0,
    };
    let nothing = At { offset: -1, timestamp: -1, epoch: -1 };
    let timed = |found: Result<Option<Timed>, StorageError>| match found {
        Ok(None) => Ok(nothing),
        Ok(Some(Timed { offset, timestamp, epoch })) => {
            Ok(At { offset: offset.0, timestamp: timestamp.0, epoch: epoch.0 })
        }
        Err(error) => Err(asked.shell.read_failed(&partition, &error)),
    };
    if asked.version < since(wanted.timestamp) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    match wanted.timestamp {
        LATEST => Ok(At { epoch: serving.epoch.0, ..at(end) }),
        EARLIEST | EARLIEST_LOCAL => Ok(at(view.log_start)),
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Ok(nothing),
        MAX_TIMESTAMP => timed(reader.max_timestamp(view.log_start, end)),
        timestamp if timestamp < 0 => Err(ErrorCode::UnsupportedVersion),
        timestamp => timed(reader.find_timestamp(Timestamp(timestamp), view.log_start, end)),
    }
}

fn response(version: i16, partition_index: i32, found: Result<At, ErrorCode>) -> ListOffsetsPartitionResponse {
    let mut response = ListOffsetsPartitionResponse { partition_index, ..ListOffsetsPartitionResponse::default() };
    match found {
        Ok(at) if version == 0 => {
            response.old_style_offsets = if at.offset >= 0 { vec![at.offset] } else { Vec::new() }
        }
        Ok(at) => {
            response.offset = at.offset;
            response.timestamp = at.timestamp;
            if version >= 4 {
                response.leader_epoch = at.epoch;
            }
        }
        Err(code) => response.error_code = code.number(),
    }
    response
}
