//! The Kafka API: one match from key to handler. A handler runs to completion until it returns its future; the future only
//! waits.

mod admin;
mod api_versions;
mod configs;
mod describe;
pub(crate) mod fetch;
mod groups;
mod list_offsets;
mod merged;
mod metadata;
mod offset_for_leader_epoch;
mod produce;
mod producers;
mod routes;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use highwater_node::Refusal;
use highwater_protocol::api::ApiKey;
use highwater_protocol::error::DecodeError;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::frame::{RequestHeader, response};
use highwater_protocol::message::Message;
use highwater_protocol::wire::Reader;
use highwater_storage::reader::Slice;

use crate::server::response::Response;
use crate::shell::{Peer, Shell};
use crate::turn::Turn;

/// The keys that are served.
pub(crate) fn served() -> &'static [ApiKey] {
    routes::SERVED
}

/// What a request comes to.
pub(crate) enum Answer {
    /// Nothing, unless it is refused, which ends the connection: a produce with `acks=0`.
    Unless(Pin<Box<dyn Future<Output = Option<ErrorCode>> + Send>>),
    /// It is there.
    Now(Response),
    /// It will be.
    Later(Pin<Box<dyn Future<Output = Response> + Send>>),
}

/// What a handler knows of its request beside the body.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) shell: Arc<Shell>,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    /// What the client calls itself.
    pub(crate) client_id: Option<String>,
    pub(crate) peer: Peer,
}

/// Runs one request.
pub(crate) fn handle(shell: &Arc<Shell>, peer: Peer, frame: BytesMut, turn: &mut Turn) -> Result<Answer, DecodeError> {
    let mut reader = Reader::new(frame);
    let header = RequestHeader::decode(&mut reader)?;
    let key = ApiKey::from_number(header.key).filter(|key| routes::is_served(*key));
    let key = key.ok_or(DecodeError::UnknownKey(header.key))?;
    shell.metrics.requested(key);
    let asked = Asked {
        shell: Arc::clone(shell),
        version: header.version,
        correlation_id: header.correlation_id,
        client_id: header.client_id,
        peer,
    };
    let (low, high) = key.versions();
    if !(low..=high).contains(&header.version) {
        return refuse_version(&asked, key, header.version);
    }
    routes::route(&asked, key, reader, turn)
}

/// A version outside the range: ApiVersions says what there is, a refused Produce says so, anything else ends the connection.
fn refuse_version(asked: &Asked, key: ApiKey, version: i16) -> Result<Answer, DecodeError> {
    if key == ApiKey::ApiVersions {
        return Ok(Answer::Now(api_versions::unsupported(asked)));
    }
    let (low, high) = key.versions();
    Err(highwater_protocol::api::UnknownVersion { key, version, low, high }.into())
}

impl Asked {
    /// Where the client is, as Kafka writes it.
    pub(crate) fn client_host(&self) -> String {
        format!("/{}", self.peer.0.ip().to_canonical())
    }

    /// An answer that is there.
    pub(crate) fn now<M: Message>(&self, body: &M) -> Answer {
        Answer::Now(self.encoded(body, Vec::new()))
    }

    /// An answer that waits.
    pub(crate) fn later<M: Message + Send + 'static>(&self, body: impl Future<Output = M> + Send + 'static) -> Answer {
        let asked = self.clone();
        let begun = Instant::now();
        Answer::Later(Box::pin(async move {
            let body = body.await;
            asked.shell.metrics.answered(M::KEY, begun.elapsed());
            asked.encoded(&body, Vec::new())
        }))
    }

    /// A response's pieces. A body that the version cannot carry is a mistake of ours, and ends the connection.
    pub(crate) fn encoded<M: Message>(&self, body: &M, slices: Vec<Slice>) -> Response {
        let chunks = response(self.correlation_id, body, self.version)
            .unwrap_or_else(|error| panic!("a response to {} does not encode: {error}", M::KEY.name()));
        Response { chunks, slices }
    }
}

/// A replica's refusal as Kafka says it, once for all keys.
pub(crate) fn refused(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::NotLeader { .. } | Refusal::Closing => ErrorCode::NotLeaderOrFollower,
        Refusal::Offline { .. } | Refusal::DiskFull { .. } => ErrorCode::KafkaStorageError,
    }
}

/// A controller's refusal as Kafka says it.
pub(crate) fn controller_refused(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::NotLeader { .. } | Refusal::Closing => ErrorCode::NotController,
        Refusal::Offline { .. } | Refusal::DiskFull { .. } => ErrorCode::KafkaStorageError,
    }
}
