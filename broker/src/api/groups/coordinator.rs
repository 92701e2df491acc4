//! FindCoordinator (key 10), versions 0 to 6, from 4 on many at a time: the leader of the partition of `__consumer_offsets` that
//! a group belongs to. Whoever asks first has the topic made.

use std::sync::Arc;
use std::time::Duration;

use highwater_core::controller::image::{Image, Topic};
use highwater_core::controller::{Reply, Request};
use highwater_core::group::{OFFSETS_TOPIC, partition_of};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::find_coordinator_response::Coordinator;
use highwater_protocol::message::{FindCoordinatorRequest, FindCoordinatorResponse};

use super::super::metadata::Leader;
use super::super::{Answer, Asked};
use crate::shell::Shell;
use crate::turn::Turn;

/// From this version on a request names many.
const BATCHED: i16 = 4;
/// The kind of key that is a group's id.
const GROUP: i8 = 0;
/// How long a request waits for the topic that it has made.
const CREATION: Duration = Duration::from_secs(5);

pub(crate) fn find(asked: &Asked, request: FindCoordinatorRequest) -> Answer {
    let asked_again = asked.clone();
    asked.later(async move {
        let shell = &asked_again.shell;
        if request.key_type == GROUP && shell.image().topic(OFFSETS_TOPIC).is_none() {
            make_topic(shell).await;
        }
        answer(&asked_again, &request)
    })
}

/// Whether it is made by then shows in the image.
async fn make_topic(shell: &Arc<Shell>) {
    let mut turn = Turn::default();
    let (id, fixed) = (shell.node.draw_id(), Arc::clone(shell.node.static_config()));
    let request = Request::CreateOffsetsTopic { id, fixed };
    let made = shell.node.controller().submit(request, shell.clock(), &mut turn);
    turn.finish(&shell.nudges);
    match made.await {
        Ok(Reply::CreateTopics(made)) => {
            shell.nudges.ticker.nudge();
            for topic in made.topics.iter().filter(|topic| topic.error_code == 0) {
                let serving = shell.node.when_serving(topic.topic_id, topic.num_partitions);
                // A partition that does not serve in time says so.
                drop(tokio::time::timeout(CREATION, serving).await);
            }
            let failed = made
                .topics
                .iter()
                .find(|topic| topic.error_code != 0 && topic.error_code != ErrorCode::TopicAlreadyExists.number());
            if let Some(failed) = failed {
                tracing::error!(
                    topic = OFFSETS_TOPIC,
                    reason = failed.error_message,
                    "cannot make the topic of groups"
                );
            }
        }
        Ok(other) => unreachable!("the controller answered {other:?} to another question"),
        Err(refusal) => tracing::warn!(%refusal, "the controller does not make the topic of groups"),
    }
}

fn answer(asked: &Asked, request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
    let image = asked.shell.image();
    let one = |key: &String| match found(&asked.shell, &image, request.key_type, key) {
        Ok(found) => Coordinator { key: key.clone(), ..found },
        Err((code, message)) => Coordinator {
            key: key.clone(),
            node_id: -1,
            port: -1,
            error_code: code.number(),
            error_message: Some(message),
            ..Coordinator::default()
        },
    };
    if asked.version >= BATCHED {
        let coordinators = request.coordinator_keys.iter().map(one).collect();
        return FindCoordinatorResponse { coordinators, ..FindCoordinatorResponse::default() };
    }
    let Coordinator { node_id, host, port, error_code, error_message, .. } = one(&request.key);
    // As Kafka words it in these versions.
    let error_message = if error_code == 0 { Some("NONE".to_owned()) } else { error_message };
    FindCoordinatorResponse { node_id, host, port, error_code, error_message, ..FindCoordinatorResponse::default() }
}

fn found(shell: &Shell, image: &Image, key_type: i8, key: &str) -> Result<Coordinator, (ErrorCode, String)> {
    let not_available = |reason: String| (ErrorCode::CoordinatorNotAvailable, reason);
    match key_type {
        GROUP => {}
        1 => return Err((ErrorCode::InvalidRequest, "transactions are not served here yet".to_owned())),
        2 => return Err((ErrorCode::InvalidRequest, "share groups are not served here yet".to_owned())),
        other => return Err((ErrorCode::InvalidRequest, format!("there is no kind {other} of coordinators"))),
    }
    let topic = image.topic(OFFSETS_TOPIC);
    let topic: &Topic = topic.ok_or_else(|| not_available(format!("the topic {OFFSETS_TOPIC} is not there")))?;
    let partition = partition_of(key, i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX));
    let leader = Leader::of(shell, topic, partition);
    let listener = image.brokers.get(&leader.node_id).and_then(|broker| broker.listeners.first());
    let listener = listener.ok_or_else(|| not_available(format!("{OFFSETS_TOPIC}-{partition} has no leader now")))?;
    Ok(Coordinator {
        node_id: leader.node_id,
        host: listener.host.clone(),
        port: i32::from(listener.port),
        ..Coordinator::default()
    })
}
