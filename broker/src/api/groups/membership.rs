//! Members of classic groups: JoinGroup (key 11), SyncGroup (14), Heartbeat (12), LeaveGroup (13).

use highwater_core::group::{Join, Reply, Request};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::leave_group_request::MemberIdentity;
use highwater_protocol::message::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
    SyncGroupRequest, SyncGroupResponse,
};

use super::{answered, named, submit};
use crate::api::{Answer, Asked};
use crate::turn::Turn;

/// From this version on a group may have no protocol.
const NULLABLE_PROTOCOL: i16 = 7;
/// From this version on a sync names the protocol that it is about.
const NAMES_PROTOCOL: i16 = 5;
/// From this version on many leave at a time.
const MANY_LEAVE: i16 = 3;
/// Bytes of a client's name in the id of a new member.
const LONGEST_PREFIX: usize = 249;

pub(crate) fn join(asked: &Asked, request: JoinGroupRequest, turn: &mut Turn) -> Answer {
    let (group, member) = (request.group_id.clone(), request.member_id.clone());
    let client_id = asked.client_id.clone().unwrap_or_default();
    let name = request.group_instance_id.as_ref().unwrap_or(&client_id);
    let new_member_id = format!("{}-{}", prefix(name), asked.shell.node.draw_id());
    let join = Join { request, version: asked.version, client_id, client_host: asked.client_host(), new_member_id };
    let waiting = named(&group).and_then(|()| submit(asked, &group, Request::Join(join), turn));
    let version = asked.version;
    asked.later(async move {
        let mut response = match answered(waiting).await {
            Ok(Reply::Join(response)) => response,
            Ok(other) => unreachable!("a coordinator answered {other:?} to a join"),
            Err(code) => JoinGroupResponse {
                error_code: code.number(),
                member_id: member,
                protocol_name: None,
                protocol_type: None,
                ..JoinGroupResponse::default()
            },
        };
        if version < NULLABLE_PROTOCOL {
            response.protocol_name.get_or_insert_default();
        }
        response
    })
}

/// The beginning of a name that may be as long as a string of the protocol, which the id made from it has to fit too.
fn prefix(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_PREFIX)]
}

pub(crate) fn sync(asked: &Asked, request: SyncGroupRequest, turn: &mut Turn) -> Answer {
    let group = request.group_id.clone();
    let is_partial = request.protocol_type.is_none() || request.protocol_name.is_none();
    let is_whole =
        if asked.version >= NAMES_PROTOCOL && is_partial { Err(ErrorCode::InconsistentGroupProtocol) } else { Ok(()) };
    let waiting =
        is_whole.and_then(|()| named(&group)).and_then(|()| submit(asked, &group, Request::Sync(request), turn));
    asked.later(async move {
        match answered(waiting).await {
            Ok(Reply::Sync(response)) => response,
            Ok(other) => unreachable!("a coordinator answered {other:?} to a sync"),
            Err(code) => SyncGroupResponse {
                error_code: code.number(),
                protocol_type: None,
                protocol_name: None,
                ..SyncGroupResponse::default()
            },
        }
    })
}

pub(crate) fn heartbeat(asked: &Asked, request: HeartbeatRequest, turn: &mut Turn) -> Answer {
    let group = request.group_id.clone();
    let waiting = named(&group).and_then(|()| submit(asked, &group, Request::Heartbeat(request), turn));
    asked.later(async move {
        match answered(waiting).await {
            Ok(Reply::Heartbeat(response)) => response,
            Ok(other) => unreachable!("a coordinator answered {other:?} to a heartbeat"),
            Err(code) => HeartbeatResponse { error_code: code.number(), ..HeartbeatResponse::default() },
        }
    })
}

pub(crate) fn leave(asked: &Asked, mut request: LeaveGroupRequest, turn: &mut Turn) -> Answer {
    let (group, version) = (request.group_id.clone(), asked.version);
    if version < MANY_LEAVE {
        let member_id = std::mem::take(&mut request.member_id);
        request.members = vec![MemberIdentity { member_id, ..MemberIdentity::default() }];
    }
    let waiting = named(&group).and_then(|()| submit(asked, &group, Request::Leave(request), turn));
    asked.later(async move {
        let mut response = match answered(waiting).await {
            Ok(Reply::Leave(response)) => response,
            Ok(other) => unreachable!("a coordinator answered {other:?} to a leave"),
            Err(code) => LeaveGroupResponse { error_code: code.number(), ..LeaveGroupResponse::default() },
        };
        if version < MANY_LEAVE
            && let Some(member) = std::mem::take(&mut response.members).first()
        {
            response.error_code = member.error_code;
        }
        response
    })
}
