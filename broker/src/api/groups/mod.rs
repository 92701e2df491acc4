//! Groups: each belongs to one partition of `__consumer_offsets`, whose leader coordinates it.

mod coordinator;

use highwater_core::group::{OFFSETS_TOPIC, Reply, Request, partition_of};
use highwater_node::{Refusal, Replica};
use highwater_protocol::error_code::ErrorCode;

pub(crate) use self::coordinator::find;
use super::Asked;
use crate::turn::Turn;

/// An answer of a group's coordinator that is on its way.
type Waiting = Result<highwater_node::Reply<Reply>, ErrorCode>;

/// Hands a request to the coordinator of its group.
#[expect(dead_code, reason = "the keys of groups come next")]
fn submit(asked: &Asked, group_id: &str, request: Request, turn: &mut Turn) -> Waiting {
    let shell = &asked.shell;
    let image = shell.image();
    let topic = image.topic(OFFSETS_TOPIC).ok_or(ErrorCode::NotCoordinator)?;
    let partition = partition_of(group_id, i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX));
    let coordinator = shell.node.group(topic.id, partition).ok_or(ErrorCode::NotCoordinator)?;
    if coordinator.serving().is_none() {
        return Err(not_serving(&coordinator));
    }
    Ok(coordinator.submit(request, shell.clock(), turn))
}

/// What a client hears of a coordinator that is here and does not serve.
fn not_serving(coordinator: &std::sync::Arc<Replica<highwater_core::group::GroupMachine>>) -> ErrorCode {
    if coordinator.state().offline.is_some() {
        ErrorCode::CoordinatorNotAvailable
    } else {
        ErrorCode::CoordinatorLoadInProgress
    }
}

/// A coordinator's refusal as Kafka says it.
#[expect(dead_code, reason = "the keys of groups come next")]
fn refused(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::NotLeader { .. } | Refusal::Closing => ErrorCode::NotCoordinator,
        Refusal::Offline { .. } | Refusal::DiskFull { .. } => ErrorCode::CoordinatorNotAvailable,
    }
}
