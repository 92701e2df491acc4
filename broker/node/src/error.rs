//! What can go wrong, by what the caller can do about it.

use highwater_protocol::ids::LeaderEpoch;
use highwater_storage::error::StorageError;

/// Why a replica did not do what it was asked to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// It does not lead, or not yet; the client asks for metadata and tries again.
    #[error("this replica does not lead (leader epoch {})", epoch.0)]
    NotLeader {
        /// The term it knows.
        epoch: LeaderEpoch,
    },
    /// Its log failed; the reason says which file and how.
    #[error("the partition is offline: {reason}")]
    Offline {
        /// What failed.
        reason: String,
    },
    /// The disk has less free space than the floor that is configured.
    #[error(
        "the disk has {free} bytes free, below the floor of {floor} bytes: free space, or lower log.free.space.floor.bytes"
    )]
    DiskFull {
        /// What is free.
        free: u64,
        /// What has to be.
        floor: u64,
    },
    /// The node stops, or the partition is being deleted.
    #[error("the partition is closing")]
    Closing,
}

/// The journal failed: no write since can be believed, and the process must end.
#[derive(Debug, thiserror::Error)]
#[error("the journal failed, and nothing that follows can be trusted; restart to recover: {0}")]
pub struct Fatal(#[from] pub StorageError);

/// Why a node does not open.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The data directory.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The journal failed while the node started.
    #[error(transparent)]
    Fatal(#[from] Fatal),
    /// A snapshot of a machine does not decode.
    #[error("log {log}: {reason}")]
    Machine {
        /// Which log.
        log: String,
        /// Why.
        reason: String,
    },
    /// The directory belongs to another node.
    #[error("{0}")]
    Identity(String),
    /// The controller's log cannot be used, and without it no topic is known.
    #[error("the controller's log is offline: {reason}")]
    Controller {
        /// Why.
        reason: String,
    },
}
