//! Consumer groups (KIP-848): ConsumerGroupHeartbeat (key 68), with ids that members make themselves and regular expressions
//! from version 1 on, and ConsumerGroupDescribe (69), which tells members' types from version 1 on.

use std::collections::BTreeSet;

use highwater_core::group::{ConsumerHeartbeat, Reply, Request};
use highwater_protocol::message::consumer_group_describe_response::DescribedGroup;
use highwater_protocol::message::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse,
};

use super::administered::OPERATIONS;
use super::{answered, named, submit};
use crate::api::{Answer, Asked};
use crate::turn::Turn;

pub(crate) fn heartbeat(asked: &Asked, request: ConsumerGroupHeartbeatRequest, turn: &mut Turn) -> Answer {
    let group = request.group_id.clone();
    let client = (asked.client_id.clone().unwrap_or_default(), asked.client_host());
    let new_member_id = asked.shell.node.draw_id().to_string();
    let heartbeat = match ConsumerHeartbeat::new(request, asked.version, client, new_member_id) {
        Ok(heartbeat) => heartbeat,
        Err(refused) => return asked.now(&refused),
    };
    let waiting = submit(asked, &group, Request::ConsumerHeartbeat(heartbeat), turn);
    asked.later(async move {
        match answered(waiting).await {
            Ok(Reply::ConsumerHeartbeat(response)) => response,
            Ok(other) => unreachable!("a coordinator answered {other:?} to a heartbeat"),
            Err(code) => ConsumerGroupHeartbeatResponse {
                error_code: code.number(),
                ..ConsumerGroupHeartbeatResponse::default()
            },
        }
    })
}

pub(crate) fn describe(asked: &Asked, request: ConsumerGroupDescribeRequest, turn: &mut Turn) -> Answer {
    let mut seen = BTreeSet::new();
    let waiting: Vec<_> = request
        .group_ids
        .into_iter()
        .filter(|group| seen.insert(group.clone()))
        .map(|group| {
            let look = Request::DescribeConsumer(group.clone());
            let waiting = named(&group).and_then(|()| submit(asked, &group, look, turn));
            (group, waiting)
        })
        .collect();
    asked.later(async move {
        let mut groups = Vec::new();
        for (group_id, waiting) in waiting {
            let mut group = match answered(waiting).await {
                Ok(Reply::DescribeConsumer(group)) => group,
                Ok(other) => unreachable!("a coordinator answered {other:?} to a look at a group"),
                Err(code) => DescribedGroup { error_code: code.number(), group_id, ..DescribedGroup::default() },
            };
            if request.include_authorized_operations && group.error_code == 0 {
                group.authorized_operations = OPERATIONS;
            }
            groups.push(group);
        }
        ConsumerGroupDescribeResponse { groups, ..ConsumerGroupDescribeResponse::default() }
    })
}
