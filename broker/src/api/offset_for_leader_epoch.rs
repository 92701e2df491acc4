//! OffsetForLeaderEpoch (key 23), versions 0 to 4: where a term ends, so that a reader finds out what was cut (KIP-320).

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::LeaderEpoch;
use highwater_protocol::message::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use highwater_protocol::message::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use highwater_protocol::message::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use uuid::Uuid;

use super::{Answer, Asked};

pub(crate) fn handle(asked: &Asked, request: &OffsetForLeaderEpochRequest) -> Answer {
    let topics = request.topics.iter().map(|topic| OffsetForLeaderTopicResult {
        topic: topic.topic.clone(),
        partitions: topic.partitions.iter().map(|partition| answer(asked, &topic.topic, partition)).collect(),
    });
    asked.now(&OffsetForLeaderEpochResponse { topics: topics.collect(), ..OffsetForLeaderEpochResponse::default() })
}

fn answer(asked: &Asked, topic: &str, wanted: &OffsetForLeaderPartition) -> EpochEndOffset {
    let mut answer = EpochEndOffset { partition: wanted.partition, ..EpochEndOffset::default() };
    match end(asked, topic, wanted) {
        Ok(Some((epoch, offset))) => (answer.leader_epoch, answer.end_offset) = (epoch, offset),
        Ok(None) => {}
        Err(code) => answer.error_code = code.number(),
    }
    answer
}

fn end(asked: &Asked, topic: &str, wanted: &OffsetForLeaderPartition) -> Result<Option<(i32, i64)>, ErrorCode> {
    let partition = asked.shell.partition(&asked.shell.image(), topic, Uuid::nil(), wanted.partition)?;
    let serving = partition.serving().ok_or(ErrorCode::NotLeaderOrFollower)?;
    if wanted.current_leader_epoch != -1 && wanted.current_leader_epoch < serving.epoch.0 {
        return Err(ErrorCode::FencedLeaderEpoch);
    }
    if wanted.current_leader_epoch > serving.epoch.0 {
        return Err(ErrorCode::UnknownLeaderEpoch);
    }
    if wanted.leader_epoch > serving.epoch.0 {
        return Ok(None);
    }
    let end = serving.view.high_watermark;
    let found = partition.reader().epoch_end(LeaderEpoch(wanted.leader_epoch), end);
    Ok(match found {
        Some((epoch, offset)) => Some((epoch.0, offset.0.min(end.0))),
        None if wanted.leader_epoch == -1 => None,
        // Older than all that is here: it ended where the log starts, at the latest.
        None => Some((wanted.leader_epoch, serving.view.log_start.0)),
    })
}
