//! Offsets of groups: OffsetCommit (key 8), OffsetFetch (9), OffsetDelete (47). Topics go by name, from version 10 on by id.

use highwater_core::controller::image::Image;
use highwater_core::group::{Reply, Request};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::offset_commit_request::OffsetCommitRequestTopic;
use highwater_protocol::message::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use highwater_protocol::message::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use highwater_protocol::message::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use highwater_protocol::message::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use highwater_protocol::message::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse,
};
use uuid::Uuid;

use super::{Waiting, answered, named, submit};
use crate::api::merged::merged;
use crate::api::{Answer, Asked};
use crate::turn::Turn;

/// From this version on topics go by id.
const BY_ID: i16 = 10;
/// From this version on many groups are asked for at a time.
const MANY_GROUPS: i16 = 8;
/// From this version on an error stands for the whole group.
const GROUP_ERROR: i16 = 2;

pub(crate) fn commit(asked: &Asked, mut request: OffsetCommitRequest, turn: &mut Turn) -> Answer {
    let image = asked.shell.image();
    let named = std::mem::take(&mut request.topics).into_iter().filter(|topic| !topic.partitions.is_empty());
    let mut refused = Vec::new();
    for mut topic in named {
        let absent = match known(asked.version, &image, &mut topic) {
            Ok(count) => {
                let is_there = |index: i32| usize::try_from(index).is_ok_and(|index| index < count);
                topic.partitions.extract_if(.., |partition| !is_there(partition.partition_index)).collect()
            }
            Err(code) => {
                refused.push(uncommitted(&topic, code));
                continue;
            }
        };
        let absent =
            OffsetCommitRequestTopic { name: topic.name.clone(), topic_id: topic.topic_id, partitions: absent };
        if !absent.partitions.is_empty() {
            refused.push(uncommitted(&absent, ErrorCode::UnknownTopicOrPartition));
        }
        if !topic.partitions.is_empty() {
            request.topics.push(topic);
        }
    }
    let sent = request.topics.clone();
    let group = request.group_id.clone();
    let waiting = (!sent.is_empty()).then(|| {
        let has_room = asked.shell.node.check_space().map_err(|_| ErrorCode::CoordinatorNotAvailable);
        let request = Request::CommitOffsets { request, version: asked.version };
        has_room.and_then(|()| submit(asked, &group, request, turn))
    });
    asked.later(async move {
        let mut topics = refused;
        if let Some(waiting) = waiting {
            match answered(waiting).await {
                Ok(Reply::CommitOffsets(response)) => topics.extend(response.topics),
                Ok(other) => unreachable!("a coordinator answered {other:?} to a commit"),
                Err(code) => topics.extend(sent.iter().map(|topic| uncommitted(topic, code))),
            }
        }
        let all = topics.into_iter().flat_map(|topic| {
            let (name, id) = (topic.name, topic.topic_id);
            topic.partitions.into_iter().map(move |one| (name.clone(), id, one.partition_index, one))
        });
        let topics = merged(all).into_iter().map(|(name, topic_id, partitions)| OffsetCommitResponseTopic {
            name,
            topic_id,
            partitions: partitions.into_iter().map(|(_, partition)| partition).collect(),
        });
        OffsetCommitResponse { topics: topics.collect(), ..OffsetCommitResponse::default() }
    })
}

/// Gives a topic both its names, and tells how many partitions it has.
fn known(version: i16, image: &Image, topic: &mut OffsetCommitRequestTopic) -> Result<usize, ErrorCode> {
    let found = if version >= BY_ID {
        image.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)?
    } else {
        image.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)?
    };
    (topic.name, topic.topic_id) = (found.name.clone(), found.id);
    Ok(found.partitions.len())
}

fn uncommitted(topic: &OffsetCommitRequestTopic, code: ErrorCode) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| OffsetCommitResponsePartition {
        partition_index: partition.partition_index,
        error_code: code.number(),
    });
    OffsetCommitResponseTopic { name: topic.name.clone(), topic_id: topic.topic_id, partitions: partitions.collect() }
}

pub(crate) fn fetch(asked: &Asked, request: OffsetFetchRequest, turn: &mut Turn) -> Answer {
    let version = asked.version;
    let groups = if version >= MANY_GROUPS { request.groups } else { vec![single(request)] };
    let waiting: Vec<(OffsetFetchRequestGroup, Vec<OffsetFetchResponseTopics>, Waiting)> = groups
        .into_iter()
        .map(|mut group| {
            let unknown = take_unknown(asked, &mut group);
            let waiting = submit(asked, &group.group_id, Request::FetchOffsets(group.clone()), turn);
            (group, unknown, waiting)
        })
        .collect();
    asked.later(async move {
        let mut groups = Vec::new();
        for (group, unknown, waiting) in waiting {
            let mut found = match answered(waiting).await {
                Ok(Reply::FetchOffsets(found)) => found,
                Ok(other) => unreachable!("a coordinator answered {other:?} to a look at offsets"),
                Err(code) => not_fetched(&group, code),
            };
            if found.error_code == 0 {
                found.topics.extend(unknown);
            }
            groups.push(found);
        }
        if version >= MANY_GROUPS {
            return OffsetFetchResponse { groups, ..OffsetFetchResponse::default() };
        }
        groups.into_iter().next().map(|group| of_single(group, version)).unwrap_or_default()
    })
}

/// A request of the versions that name one group.
fn single(request: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = request.topics.map(|topics| {
        let topic = |topic: highwater_protocol::message::offset_fetch_request::OffsetFetchRequestTopic| {
            OffsetFetchRequestTopics {
                name: topic.name,
                partition_indexes: topic.partition_indexes,
                ..Default::default()
            }
        };
        topics.into_iter().map(topic).collect()
    });
    OffsetFetchRequestGroup { group_id: request.group_id, topics, ..OffsetFetchRequestGroup::default() }
}

fn of_single(group: OffsetFetchResponseGroup, version: i16) -> OffsetFetchResponse {
    let partition = |partition: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
    };
    let topic = |topic: OffsetFetchResponseTopics| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
    };
    // An error of the whole is told in its place, or where there is none in each partition's.
    let topics = if group.error_code != 0 && version >= GROUP_ERROR { Vec::new() } else { group.topics };
    OffsetFetchResponse {
        topics: topics.into_iter().map(topic).collect(),
        error_code: group.error_code,
        ..OffsetFetchResponse::default()
    }
}

/// By id a topic may be one that is not known: it is answered here.
fn take_unknown(asked: &Asked, group: &mut OffsetFetchRequestGroup) -> Vec<OffsetFetchResponseTopics> {
    let Some(topics) = group.topics.as_mut().filter(|_| asked.version >= BY_ID) else { return Vec::new() };
    let image = asked.shell.image();
    let mut unknown = Vec::new();
    topics.retain_mut(|topic| match image.topic_by_id(topic.topic_id) {
        Some(found) => {
            topic.name.clone_from(&found.name);
            true
        }
        None => {
            unknown.push(without_offsets(topic, ErrorCode::UnknownTopicId));
            false
        }
    });
    unknown
}

fn not_fetched(group: &OffsetFetchRequestGroup, code: ErrorCode) -> OffsetFetchResponseGroup {
    let topics = group.topics.iter().flatten().map(|topic| without_offsets(topic, code));
    OffsetFetchResponseGroup { group_id: group.group_id.clone(), topics: topics.collect(), error_code: code.number() }
}

fn without_offsets(topic: &OffsetFetchRequestTopics, code: ErrorCode) -> OffsetFetchResponseTopics {
    let partition = |index: &i32| OffsetFetchResponsePartitions {
        partition_index: *index,
        committed_offset: -1,
        metadata: Some(String::new()),
        error_code: code.number(),
        ..OffsetFetchResponsePartitions::default()
    };
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic.partition_indexes.iter().map(partition).collect(),
    }
}

pub(crate) fn delete_offsets(asked: &Asked, mut request: OffsetDeleteRequest, turn: &mut Turn) -> Answer {
    let image = asked.shell.image();
    let is_known = |topic: &str, index: i32| {
        let count = image.topic(topic).map_or(0, |topic| topic.partitions.len());
        usize::try_from(index).is_ok_and(|index| index < count)
    };
    let unknown = ErrorCode::UnknownTopicOrPartition.number();
    let mut refused = Vec::new();
    for topic in &mut request.topics {
        let absent = topic.partitions.extract_if(.., |partition| !is_known(&topic.name, partition.partition_index));
        refused.extend(absent.map(|partition| (topic.name.clone(), partition.partition_index, unknown)));
    }
    request.topics.retain(|topic| !topic.partitions.is_empty());
    let group = request.group_id.clone();
    let waiting = named(&group).and_then(|()| submit(asked, &group, Request::DeleteOffsets(request), turn));
    asked.later(async move {
        let mut response = match answered(waiting).await {
            Ok(Reply::DeleteOffsets(response)) => response,
            Ok(other) => unreachable!("a coordinator answered {other:?} to a deletion of offsets"),
            Err(code) => OffsetDeleteResponse { error_code: code.number(), ..OffsetDeleteResponse::default() },
        };
        if response.error_code == 0 {
            let done = std::mem::take(&mut response.topics).into_iter().flat_map(|topic| {
                let name = topic.name;
                topic.partitions.into_iter().map(move |one| (name.clone(), one.partition_index, one.error_code))
            });
            let all = refused.into_iter().chain(done).map(|(name, index, code)| (name, Uuid::nil(), index, code));
            response.topics = merged(all).into_iter().map(deleted).collect();
        }
        response
    })
}

fn deleted((name, _, partitions): (String, Uuid, Vec<(i32, i16)>)) -> OffsetDeleteResponseTopic {
    let partition = |(partition_index, error_code)| OffsetDeleteResponsePartition { partition_index, error_code };
    OffsetDeleteResponseTopic { name, partitions: partitions.into_iter().map(partition).collect() }
}
