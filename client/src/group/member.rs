//! The task that keeps a consumer a member of its group.

use std::sync::Arc;
use std::time::Duration;

use highwater_protocol::error_code::ErrorCode;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::classic::Classic;
use super::reconciled::Reconciled;
use super::{Group, GroupProtocol};
use crate::consumer::partitions::Found;
use crate::error::{Error, Kind, Result};

/// How long the last commit is tried: whoever closes waits for it.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// What a member that is refused takes to say goodbye, at most.
const GOODBYE: Duration = Duration::from_secs(5);

/// A member of a group.
pub(crate) struct Member {
    group: Arc<Group>,
    protocol: Protocol,
}

enum Protocol {
    Classic(Classic),
    Reconciled(Reconciled),
}

impl Member {
    pub(crate) fn new(group: Arc<Group>) -> Result<Self> {
        let protocol = match group.settings.protocol {
            GroupProtocol::Classic => Protocol::Classic(Classic::new(Arc::clone(&group))?),
            GroupProtocol::Consumer => Protocol::Reconciled(Reconciled::new(Arc::clone(&group))),
        };
        Ok(Self { group, protocol })
    }

    /// Lives in the group until it is told to leave, and tells when it has.
    pub(crate) async fn run(mut self, leaving: oneshot::Receiver<oneshot::Sender<Result<()>>>) {
        let lived = async {
            match &mut self.protocol {
                Protocol::Classic(classic) => classic.live().await,
                Protocol::Reconciled(reconciled) => reconciled.live().await,
            }
        };
        tokio::select! {
            refused = lived => {
                self.group.lost().await;
                // Whoever fenced this member has its place in the group.
                if refused.code() != Some(ErrorCode::FencedInstanceId) {
                    // The group misses it soon enough.
                    let _late = tokio::time::timeout(GOODBYE, self.say_goodbye("the group refused the consumer")).await;
                }
                self.group.tell(Found::Ended(refused));
            }
            Ok(tell) = leaving => {
                let left = self.leave().await;
                // Whoever closed may not wait any more.
                let _gone = tell.send(left);
            }
        }
    }

    /// Says whether what was due is committed.
    async fn leave(mut self) -> Result<()> {
        let group = Arc::clone(&self.group);
        let owned = group.owned();
        let revoking = group.revoke(&owned, LAST_COMMIT);
        let committed = match &mut self.protocol {
            Protocol::Classic(classic) => {
                // A join that is still to be answered would be answered first.
                group.membership.forget();
                classic.beating(revoking).await
            }
            Protocol::Reconciled(reconciled) => reconciled.beating(revoking).await,
        };
        self.say_goodbye("the consumer is closed").await;
        committed
    }

    async fn say_goodbye(&self, reason: &str) {
        let left = match &self.protocol {
            Protocol::Classic(classic) => classic.leave(reason).await,
            Protocol::Reconciled(reconciled) => reconciled.leave().await,
        };
        if let Err(error) = left {
            tracing::debug!(%error, "leaving; the group will miss this member");
        }
    }
}

/// A member whose task broke is a member no more: what it had is handed over no further.
pub(crate) async fn watch(group: Arc<Group>, member: JoinHandle<()>) {
    let Err(error) = member.await else { return };
    if error.is_panic() {
        group.abandon();
        let name = &group.settings.group;
        let message = format!("the membership in group {name} broke, perhaps in a listener: {error}");
        group.tell(Found::Ended(Error::new(Kind::Closed, message)));
    }
}
