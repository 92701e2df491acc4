//! The task that keeps a consumer a member of its group.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::classic::Classic;
use super::reconciled::Reconciled;
use super::{Group, GroupProtocol};
use crate::consumer::partitions::Found;
use crate::error::Result;

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
    pub(crate) async fn run(mut self, leaving: oneshot::Receiver<oneshot::Sender<()>>) {
        let lived = async {
            match &mut self.protocol {
                Protocol::Classic(classic) => classic.live().await,
                Protocol::Reconciled(reconciled) => reconciled.live().await,
            }
        };
        tokio::select! {
            refused = lived => {
                self.group.lost().await;
                self.group.tell(Found::Ended(refused));
            }
            Ok(tell) = leaving => {
                self.leave().await;
                // Whoever closed may not wait any more.
                let _gone = tell.send(());
            }
        }
    }

    async fn leave(self) {
        // What is still to be answered would be answered first.
        self.group.membership.forget();
        let owned = self.group.owned();
        self.group.revoke(&owned).await;
        let left = match &self.protocol {
            Protocol::Classic(classic) => classic.leave("the consumer is closed").await,
            Protocol::Reconciled(reconciled) => reconciled.leave().await,
        };
        if let Err(error) = left {
            tracing::debug!(%error, "leaving; the group will miss this member");
        }
    }
}
