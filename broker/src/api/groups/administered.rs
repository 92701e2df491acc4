//! Groups as an administrator sees them: DescribeGroups (key 15), ListGroups (16), DeleteGroups (42).

use std::collections::BTreeSet;

use highwater_core::group::{Reply, Request};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::delete_groups_response::DeletableGroupResult;
use highwater_protocol::message::describe_groups_response::DescribedGroup;
use highwater_protocol::message::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse, ListGroupsRequest,
    ListGroupsResponse,
};

use super::{answered, submit, submit_to};
use crate::api::{Answer, Asked};
use crate::turn::Turn;

/// From this version on a group that is not there is an error.
const TELLS_MISSING: i16 = 6;
/// What may be done with a group, as a bit for each of Kafka's operations: everything, as long as nobody is kept from anything.
pub(super) const OPERATIONS: i32 = 3400;

pub(crate) fn describe(asked: &Asked, request: DescribeGroupsRequest, turn: &mut Turn) -> Answer {
    let version = asked.version;
    let mut seen = BTreeSet::new();
    let waiting: Vec<_> = request
        .groups
        .into_iter()
        .filter(|group| seen.insert(group.clone()))
        .map(|group| (group.clone(), submit(asked, &group, Request::Describe(group.clone()), turn)))
        .collect();
    asked.later(async move {
        let mut groups = Vec::new();
        for (group_id, waiting) in waiting {
            let mut group = match answered(waiting).await {
                Ok(Reply::Describe(group)) => group,
                Ok(other) => unreachable!("a coordinator answered {other:?} to a look at a group"),
                Err(code) => DescribedGroup { error_code: code.number(), group_id, ..DescribedGroup::default() },
            };
            if version < TELLS_MISSING && group.error_code == ErrorCode::GroupIdNotFound.number() {
                group.error_code = 0;
            }
            if version < TELLS_MISSING {
                group.error_message = None;
            }
            if request.include_authorized_operations && group.error_code == 0 {
                group.authorized_operations = OPERATIONS;
            }
            groups.push(group);
        }
        DescribeGroupsResponse { groups, ..DescribeGroupsResponse::default() }
    })
}

pub(crate) fn list(asked: &Asked, request: &ListGroupsRequest, turn: &mut Turn) -> Answer {
    let coordinators = asked.shell.node.groups();
    let waiting: Vec<_> = coordinators
        .iter()
        .map(|coordinator| submit_to(asked, coordinator, Request::List(request.clone()), turn))
        .collect();
    asked.later(async move {
        let mut response = ListGroupsResponse::default();
        for waiting in waiting {
            match answered(waiting).await {
                Ok(Reply::List(groups)) => response.groups.extend(groups),
                Ok(other) => unreachable!("a coordinator answered {other:?} to a look at its groups"),
                // The others' groups are told all the same.
                Err(code) => response.error_code = code.number(),
            }
        }
        response
    })
}

pub(crate) fn delete(asked: &Asked, request: DeleteGroupsRequest, turn: &mut Turn) -> Answer {
    let mut seen = BTreeSet::new();
    let waiting: Vec<_> = request
        .groups_names
        .into_iter()
        .filter(|group| seen.insert(group.clone()))
        .map(|group| (group.clone(), submit(asked, &group, Request::Delete(group.clone()), turn)))
        .collect();
    asked.later(async move {
        let mut results = Vec::new();
        for (group_id, waiting) in waiting {
            let code = match answered(waiting).await {
                Ok(Reply::Delete(code)) => code,
                Ok(other) => unreachable!("a coordinator answered {other:?} to a deletion"),
                Err(code) => code,
            };
            results.push(DeletableGroupResult {
                group_id,
                error_code: code.number(),
                ..DeletableGroupResult::default()
            });
        }
        DeleteGroupsResponse { results, ..DeleteGroupsResponse::default() }
    })
}
