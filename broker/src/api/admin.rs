//! Topics and records are administered: CreateTopics (19), DeleteTopics (20), DeleteRecords (21), CreatePartitions (37). The
//! controller decides; a creation waits until the new partitions serve.

use std::sync::Arc;
use std::time::Duration;

use highwater_core::controller::{Reply, Request};
use highwater_core::data;
use highwater_node::Refusal;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::Offset;
use highwater_protocol::message::create_partitions_response::CreatePartitionsTopicResult;
use highwater_protocol::message::create_topics_response::CreatableTopicResult;
use highwater_protocol::message::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use highwater_protocol::message::delete_topics_response::DeletableTopicResult;
use highwater_protocol::message::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse, DeleteRecordsRequest,
    DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
};
use tokio::time::Instant;
use uuid::Uuid;

use super::merged::merged;
use super::{Answer, Asked, controller_refused, refused};
use crate::turn::Turn;

/// Versions below this have no topic id in their response.
const CREATE_TOPICS_WITH_CONFIGS: i16 = 5;

pub(crate) fn create_topics(asked: &Asked, request: CreateTopicsRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let deadline = deadline(request.timeout_ms);
    let is_real = !request.validate_only;
    let names: Vec<String> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    if !has_time(request.timeout_ms) {
        return asked.now(&create_failed(names, ErrorCode::RequestTimedOut));
    }
    let ids = names.iter().map(|_| shell.node.draw_id()).collect();
    let fixed = Arc::clone(shell.node.static_config());
    let reply = shell.node.controller().submit(Request::CreateTopics { request, ids, fixed }, shell.clock(), turn);
    let asked_again = asked.clone();
    asked.later(async move {
        let shell = &asked_again.shell;
        let mut response = match reply.await {
            Ok(Reply::CreateTopics(response)) => response,
            other => return create_failed(names, controller_code(other)),
        };
        shell.nudges.ticker.nudge();
        for topic in response.topics.iter_mut() {
            if is_real && topic.error_code == 0 {
                let serving = shell.node.when_serving(topic.topic_id, topic.num_partitions);
                if tokio::time::timeout_at(deadline, serving).await.is_err() {
                    topic.error_code = ErrorCode::RequestTimedOut.number();
                    topic.error_message = Some("the topic is made; not all its partitions serve yet".to_owned());
                }
            }
            if asked_again.version < CREATE_TOPICS_WITH_CONFIGS {
                topic.configs = Some(Vec::new());
            }
        }
        response
    })
}

pub(crate) fn delete_topics(asked: &Asked, request: DeleteTopicsRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let named = request.topic_names.iter().map(|name| (Some(name.clone()), Uuid::nil()));
    let all: Vec<_> = named.chain(request.topics.iter().map(|topic| (topic.name.clone(), topic.topic_id))).collect();
    if shell.setting("delete.topic.enable") == "false" {
        return asked.now(&delete_failed(all, ErrorCode::TopicDeletionDisabled));
    }
    if !has_time(request.timeout_ms) {
        return asked.now(&delete_failed(all, ErrorCode::RequestTimedOut));
    }
    let reply = shell.node.controller().submit(Request::DeleteTopics(request), shell.clock(), turn);
    let asked_again = asked.clone();
    asked.later(async move {
        let response = match reply.await {
            Ok(Reply::DeleteTopics(response)) => response,
            other => return delete_failed(all, controller_code(other)),
        };
        asked_again.shell.nudges.ticker.nudge();
        response
    })
}

pub(crate) fn create_partitions(asked: &Asked, request: CreatePartitionsRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let deadline = deadline(request.timeout_ms);
    let wanted: Vec<(String, i32)> = request.topics.iter().map(|topic| (topic.name.clone(), topic.count)).collect();
    if !has_time(request.timeout_ms) {
        return asked.now(&growth_failed(wanted, ErrorCode::RequestTimedOut));
    }
    let is_real = !request.validate_only;
    let reply = shell.node.controller().submit(Request::CreatePartitions(request), shell.clock(), turn);
    let asked_again = asked.clone();
    asked.later(async move {
        let shell = &asked_again.shell;
        let response = match reply.await {
            Ok(Reply::CreatePartitions(response)) => response,
            other => return growth_failed(wanted, controller_code(other)),
        };
        shell.nudges.ticker.nudge();
        for result in response.results.iter().filter(|result| is_real && result.error_code == 0) {
            let count = wanted.iter().find(|(name, _)| *name == result.name).map_or(0, |(_, count)| *count);
            if let Some(topic) = shell.image().topic(&result.name) {
                // Those that do not serve in time say so when they are asked.
                drop(tokio::time::timeout_at(deadline, shell.node.when_serving(topic.id, count)).await);
            }
        }
        response
    })
}

pub(crate) fn delete_records(asked: &Asked, request: DeleteRecordsRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let deadline = deadline(request.timeout_ms);
    let image = shell.image();
    let named = request.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |one| (name.clone(), Uuid::nil(), one.partition_index, one.offset))
    });
    let mut topics = Vec::new();
    for (name, _, wanted) in merged(named) {
        let mut partitions = Vec::new();
        for (index, offset) in wanted {
            let waiting = shell.replica(&image, &name, Uuid::nil(), index).and_then(|replica| {
                let serving = replica.serving().ok_or(ErrorCode::NotLeaderOrFollower)?;
                if !replica.config().deletes() {
                    return Err(ErrorCode::PolicyViolation);
                }
                let high_watermark = serving.view.high_watermark;
                let request = data::Request::DeleteRecords { before: Offset(offset), high_watermark };
                Ok(replica.submit(request, shell.clock(), turn))
            });
            partitions.push((index, waiting));
        }
        topics.push((name, partitions));
    }
    let asked_again = asked.clone();
    asked.later(async move {
        let mut results = Vec::new();
        for (name, waiting) in topics {
            let mut partitions = Vec::new();
            for (partition_index, waiting) in waiting {
                let moved = match waiting {
                    Err(code) => Err(code),
                    Ok(reply) => match tokio::time::timeout_at(deadline, reply).await {
                        Err(_) => Err(ErrorCode::RequestTimedOut),
                        Ok(reply) => moved(reply),
                    },
                };
                partitions.push(DeleteRecordsPartitionResult {
                    partition_index,
                    low_watermark: moved.as_ref().map_or(-1, |offset| offset.0),
                    error_code: moved.err().unwrap_or(ErrorCode::None).number(),
                });
            }
            results.push(DeleteRecordsTopicResult { name, partitions });
        }
        asked_again.shell.nudges.upkeep.nudge();
        DeleteRecordsResponse { topics: results, ..DeleteRecordsResponse::default() }
    })
}

fn moved(reply: Result<data::Reply, Refusal>) -> Result<Offset, ErrorCode> {
    match reply {
        Ok(data::Reply::LogStart(offset)) => Ok(offset),
        Ok(data::Reply::Refused { code, .. }) => Err(code),
        Ok(_) => unreachable!("DeleteRecords is answered as such"),
        Err(refusal) => Err(refused(&refusal)),
    }
}

fn deadline(timeout_ms: i32) -> Instant {
    Instant::now() + Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0))
}

fn controller_code(reply: Result<Reply, Refusal>) -> ErrorCode {
    match reply {
        Ok(other) => unreachable!("the controller answered {other:?} to another question"),
        Err(refusal) => controller_refused(&refusal),
    }
}

/// A change of topics that is to be done in no time is not begun.
fn has_time(timeout_ms: i32) -> bool {
    timeout_ms > 0
}

fn growth_failed(wanted: Vec<(String, i32)>, code: ErrorCode) -> CreatePartitionsResponse {
    let result = |(name, _)| CreatePartitionsTopicResult { name, error_code: code.number(), ..Default::default() };
    CreatePartitionsResponse { results: wanted.into_iter().map(result).collect(), ..Default::default() }
}

fn create_failed(names: Vec<String>, code: ErrorCode) -> CreateTopicsResponse {
    let result = |name| CreatableTopicResult { name, error_code: code.number(), ..CreatableTopicResult::default() };
    CreateTopicsResponse { topics: names.into_iter().map(result).collect(), ..CreateTopicsResponse::default() }
}

fn delete_failed(all: Vec<(Option<String>, Uuid)>, code: ErrorCode) -> DeleteTopicsResponse {
    let result =
        |(name, topic_id)| DeletableTopicResult { name, topic_id, error_code: code.number(), error_message: None };
    DeleteTopicsResponse { responses: all.into_iter().map(result).collect(), ..DeleteTopicsResponse::default() }
}
