//! Which members may commit and read offsets.

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::OffsetCommitRequest;

use super::{ConsumerGroup, Member};

/// From this version on a commit names an epoch.
const NAMES_EPOCH: i16 = 9;

impl ConsumerGroup {
    /// Whether a commit counts. One with an older epoch does for what its member has had since.
    pub(in crate::group) fn check_commit(&self, request: &OffsetCommitRequest, version: i16) -> Result<(), ErrorCode> {
        let epoch = request.generation_id_or_member_epoch;
        if epoch < 0 && self.is_empty() {
            return Ok(());
        }
        let member = self.members.get(&request.member_id).ok_or(ErrorCode::UnknownMemberId)?;
        if !member.is_classic() && version < NAMES_EPOCH {
            return Err(ErrorCode::UnsupportedVersion);
        }
        if epoch == member.epoch {
            return Ok(());
        }
        let partitions = request.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(move |partition| (topic.topic_id, partition.partition_index))
        });
        let had_then = |(topic, partition)| member.since(topic, partition).is_some_and(|since| epoch >= since);
        if epoch < member.epoch && partitions.into_iter().all(had_then) { Ok(()) } else { Err(member.is_late()) }
    }

    /// Whether offsets are told. Who names no member is told.
    pub(in crate::group) fn check_fetch(&self, member: Option<&str>, epoch: i32) -> Result<(), ErrorCode> {
        if member.is_none() && epoch < 0 {
            return Ok(());
        }
        let member = member.and_then(|id| self.members.get(id)).ok_or(ErrorCode::UnknownMemberId)?;
        if epoch == member.epoch { Ok(()) } else { Err(member.is_late()) }
    }
}

impl Member {
    fn is_late(&self) -> ErrorCode {
        if self.is_classic() { ErrorCode::IllegalGeneration } else { ErrorCode::StaleMemberEpoch }
    }
}
