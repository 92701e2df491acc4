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

use super::{Waiting, answered, submit};
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
    let mut unknown = Vec::new();
    let topics = std::mem::take(&mut request.topics);
    for mut topic in topics {
        match known(asked.version, &image, &mut topic.name, &mut topic.topic_id) {
            Ok(()) => request.topics.push(topic),
            Err(code) => unknown.push(uncommitted(&topic, code)),
        }
    }
    let sent = request.topics.clone();
    let waiting = if sent.is_empty() {
        None
    } else {
        let group = request.group_id.clone();
        let has_room = asked.shell.node.check_space().map_err(|_| ErrorCode::CoordinatorNotAvailable);
        let request = Request::CommitOffsets { request, version: asked.version };
        Some(has_room.and_then(|()| submit(asked, &group, request, turn)))
    };
    asked.later(async move {
        let mut topics = unknown;
        if let Some(waiting) = waiting {
            match answered(waiting).await {
                Ok(Reply::CommitOffsets(response)) => topics.extend(response.topics),
                Ok(other) => unreachable!("a coordinator answered {other:?} to a commit"),
                Err(code) => topics.extend(sent.iter().map(|topic| uncommitted(topic, code))),
            }
        }
        OffsetCommitResponse { topics, ..OffsetCommitResponse::default() }
    })
}

/// Gives a topic both its names, if it is there.
fn known(version: i16, image: &Image, name: &mut String, id: &mut uuid::Uuid) -> Result<(), ErrorCode> {
    if version >= BY_ID {
        let topic = image.topic_by_id(*id).ok_or(ErrorCode::UnknownTopicId)?;
        name.clone_from(&topic.name);
    } else {
        *id = image.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)?.id;
    }
    Ok(())
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
    let (known, unknown): (Vec<_>, Vec<_>) =
        std::mem::take(&mut request.topics).into_iter().partition(|topic| image.topic(&topic.name).is_some());
    request.topics = known;
    let group = request.group_id.clone();
    let waiting = submit(asked, &group, Request::DeleteOffsets(request), turn);
    asked.later(async move {
        match answered(waiting).await {
            Ok(Reply::DeleteOffsets(mut response)) => {
                if response.error_code == 0 {
                    let code = ErrorCode::UnknownTopicOrPartition.number();
                    response.topics.extend(unknown.into_iter().map(|topic| {
                        OffsetDeleteResponseTopic {
                            name: topic.name,
                            partitions: topic
                                .partitions
                                .iter()
                                .map(|partition| OffsetDeleteResponsePartition {
                                    partition_index: partition.partition_index,
                                    error_code: code,
                                })
                                .collect(),
                        }
                    }));
                }
                response
            }
            Ok(other) => unreachable!("a coordinator answered {other:?} to a deletion of offsets"),
            Err(code) => OffsetDeleteResponse { error_code: code.number(), ..OffsetDeleteResponse::default() },
        }
    })
}
