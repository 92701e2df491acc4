//! The coordinator of a group: who it is, and a connection that is the group's alone, for a join may be answered late.

use std::sync::Arc;
use std::time::Duration;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::{FindCoordinatorRequest, Request};
use parking_lot::Mutex;

use crate::cluster::{Broker, Client};
use crate::connection::Connection;
use crate::error::{Error, Kind, Result, checked};

/// Between tries, at least and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// A connection to whoever coordinates a group.
#[derive(Debug)]
pub(crate) struct Coordinator {
    client: Client,
    group: String,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl Coordinator {
    pub(crate) fn new(client: Client, group: &str) -> Self {
        Self { client, group: group.to_owned(), connection: Mutex::default() }
    }

    /// Sends a request in a version up to `highest`. `code` is the answer's: where it says that the coordinator is elsewhere, it
    /// is looked for anew the next time.
    pub(crate) async fn call<R: Request>(
        &self,
        request: &R,
        highest: i16,
        within: Option<Duration>,
        code: impl Fn(&R::Response) -> Option<i16>,
    ) -> Result<R::Response> {
        let connection = self.connection().await?;
        let version = connection.version(R::KEY)?.min(highest);
        let response = connection.start_within(request, version, within)?.await;
        let code = response.as_ref().ok().and_then(code).map_or(ErrorCode::None, ErrorCode::from_number);
        let has_moved = matches!(code, ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable);
        if response.is_err() || has_moved {
            self.forget();
        }
        if has_moved || code == ErrorCode::CoordinatorLoadInProgress {
            return Err(Error::broker(code, &format!("asking for group {}", self.group), None));
        }
        response
    }

    /// The coordinator is looked for anew the next time, and what it still owes is not waited for.
    pub(crate) fn forget(&self) {
        self.connection.lock().take();
    }

    async fn connection(&self) -> Result<Arc<Connection>> {
        if let Some(open) = self.connection.lock().as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(Arc::clone(open));
        }
        let broker = self.client.coordinator(&self.group).await?;
        let made = Arc::new(self.client.dial(&broker).await?);
        *self.connection.lock() = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl Client {
    /// The broker that coordinates a group.
    pub(crate) async fn coordinator(&self, group: &str) -> Result<Broker> {
        let request =
            FindCoordinatorRequest { coordinator_keys: vec![group.to_owned()], ..FindCoordinatorRequest::default() };
        let response = match self.call_any(&request).await {
            // An old broker takes one key at a time, in another field.
            Err(error) if error.kind() == Kind::Protocol => {
                let request = FindCoordinatorRequest { key: group.to_owned(), ..FindCoordinatorRequest::default() };
                self.call_any(&request).await?
            }
            answered => answered?,
        };
        let what = || format!("finding the coordinator of group {group}");
        match response.coordinators.into_iter().next() {
            Some(found) => {
                checked(found.error_code, what, found.error_message.as_deref())?;
                Ok(Broker { id: found.node_id, host: found.host, port: found.port, rack: None })
            }
            None => {
                checked(response.error_code, what, response.error_message.as_deref())?;
                Ok(Broker { id: response.node_id, host: response.host, port: response.port, rack: None })
            }
        }
    }
}

/// Waits longer from try to try.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(BACKOFF.0)
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = self.0.saturating_mul(2).min(BACKOFF.1);
        wait
    }
}
