//! A member of a classic group.

use bytes::Bytes;
use highwater_protocol::coordinator_record::group_metadata_value::MemberMetadata;
use highwater_protocol::ids::Monotonic;
use highwater_protocol::message::JoinGroupRequest;
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;

use super::classic::{Join, millis};
use crate::machine::Token;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) group_instance_id: Option<String>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) session_timeout_ms: i32,
    /// In the order of its preference.
    pub(super) protocols: Vec<JoinGroupRequestProtocol>,
    pub(super) assignment: Bytes,
    /// Its JoinGroup that waits.
    pub(super) joining: Option<Token>,
    /// Its SyncGroup that waits.
    pub(super) syncing: Option<Token>,
    /// It was never in a generation.
    pub(super) is_new: bool,
    /// It has synced in this generation.
    pub(super) has_synced: bool,
    pub(super) alive_until: Monotonic,
}

impl Member {
    pub(super) fn new(join: Join) -> Self {
        let Join { request, client_id, client_host, .. } = join;
        let mut member = Self {
            group_instance_id: request.group_instance_id.clone(),
            client_id,
            client_host,
            rebalance_timeout_ms: 0,
            session_timeout_ms: 0,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            joining: None,
            syncing: None,
            is_new: true,
            has_synced: false,
            alive_until: Monotonic(0),
        };
        member.take_terms(&request);
        member
    }

    /// The member that a record tells of, whose protocol is the one that the group has.
    pub(super) fn of(record: &MemberMetadata, protocol: Option<&str>, now: Monotonic) -> Self {
        let protocol = protocol
            .map(|name| JoinGroupRequestProtocol { name: name.to_owned(), metadata: record.subscription.clone() });
        let rebalance_timeout_ms =
            if record.rebalance_timeout == -1 { record.session_timeout } else { record.rebalance_timeout };
        Self {
            group_instance_id: record.group_instance_id.clone(),
            client_id: record.client_id.clone(),
            client_host: record.client_host.clone(),
            rebalance_timeout_ms,
            session_timeout_ms: record.session_timeout,
            protocols: protocol.into_iter().collect(),
            assignment: record.assignment.clone(),
            joining: None,
            syncing: None,
            is_new: false,
            has_synced: true,
            alive_until: now.after_ms(millis(record.session_timeout)),
        }
    }

    /// The timeouts and protocols of a request.
    pub(super) fn take_terms(&mut self, request: &JoinGroupRequest) {
        self.session_timeout_ms = request.session_timeout_ms;
        self.rebalance_timeout_ms =
            if request.rebalance_timeout_ms == -1 { request.session_timeout_ms } else { request.rebalance_timeout_ms };
        self.protocols.clone_from(&request.protocols);
    }

    pub(super) fn session_ms(&self) -> u64 {
        millis(self.session_timeout_ms)
    }

    pub(super) fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        self.protocols.iter().find(|own| own.name == protocol).map(|own| &own.metadata)
    }

    /// When it counts as gone. Who waits for an answer of ours is not silent, unless nobody ever heard of it.
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        let waits = self.syncing.is_some() || (self.joining.is_some() && !self.is_new);
        (!waits).then_some(self.alive_until)
    }
}
