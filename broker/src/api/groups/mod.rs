//! Groups: each belongs to one partition of `__consumer_offsets`, whose leader coordinates it.

mod administered;
mod consumer;
mod coordinator;
mod membership;
mod offsets;

use std::sync::Arc;

use highwater_core::group::{GroupMachine, OFFSETS_TOPIC, Reply, Request, partition_of};
use highwater_node::{Refusal, Replica};
use highwater_protocol::error_code::ErrorCode;

pub(crate) use self::administered::{delete, describe, list};
pub(crate) use self::consumer::{describe as describe_consumer, heartbeat as consumer_heartbeat};
pub(crate) use self::coordinator::find;
pub(crate) use self::membership::{heartbeat, join, leave, sync};
pub(crate) use self::offsets::{commit, delete_offsets, fetch};
use super::Asked;
use crate::turn::Turn;

/// An answer of a group's coordinator that is on its way.
type Waiting = Result<highwater_node::Reply<Reply>, ErrorCode>;

/// Hands a request to the coordinator of its group.
fn submit(asked: &Asked, group_id: &str, request: Request, turn: &mut Turn) -> Waiting {
    let shell = &asked.shell;
    let image = shell.image();
    let topic = image.topic(OFFSETS_TOPIC).ok_or(ErrorCode::NotCoordinator)?;
    let partition = partition_of(group_id, i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX));
    let coordinator = shell.node.group(topic.id, partition).ok_or(ErrorCode::NotCoordinator)?;
    submit_to(asked, &coordinator, request, turn)
}

fn submit_to(asked: &Asked, coordinator: &Arc<Replica<GroupMachine>>, request: Request, turn: &mut Turn) -> Waiting {
    if coordinator.serving().is_none() {
        return Err(match coordinator.state().offline {
            Some(_) => ErrorCode::CoordinatorNotAvailable,
            None => ErrorCode::CoordinatorLoadInProgress,
        });
    }
    Ok(coordinator.submit(request, asked.shell.clock(), turn))
}

/// Waits for what a coordinator says, or for why it says nothing.
async fn answered(waiting: Waiting) -> Result<Reply, ErrorCode> {
    waiting?.await.map_err(|refusal| match refusal {
        Refusal::NotLeader { .. } | Refusal::Closing => ErrorCode::NotCoordinator,
        Refusal::Offline { .. } | Refusal::DiskFull { .. } => ErrorCode::CoordinatorNotAvailable,
    })
}

/// A group that members are in has a name.
fn named(group_id: &str) -> Result<(), ErrorCode> {
    if group_id.is_empty() { Err(ErrorCode::InvalidGroupId) } else { Ok(()) }
}
