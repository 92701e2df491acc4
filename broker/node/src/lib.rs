//! A whole node without sockets, threads or a clock: replicas, flush, hosting. What the simulator runs.
//!
//! The caller's duties:
//! 1. Read the clock once per input and hand it in as a [`Clock`].
//! 2. Call [`Node::flush`] from one thread only, until it says that nothing is left, whenever an outbox asked for it.
//! 3. Call [`Node::tick`] about every 50 ms, [`Node::upkeep`] from a thread of its own, and [`Node::reconcile`] whenever
//!    an outbox says that the image changed.
//! 4. Carry an outbox out only after the call that filled it has returned: no lock is held then.
//! 5. End the process when a call answers [`Fatal`]: nothing that was written since may be believed.
//!
//! The invariant: nothing that a reader sees, and no reply, comes from an entry that is not committed, but for the
//! replies of `acks=0` and `acks=1`.

mod cleaner;
mod deadlines;
mod error;
mod fetch_waiters;
mod flush;
mod hosting;
mod identity;
pub mod limits;
mod membership;
mod node;
mod outbox;
mod partition;
mod producer_ids;
mod raft_logger;
mod raft_storage;
mod ready;
mod replica;
mod replies;
mod upkeep;
mod view;

pub use cleaner::Cleaned;
pub use error::{Fatal, NodeError, Refusal};
pub use fetch_waiters::{FetchWaiter, FetchWaiters};
pub use flush::FlushReport;
pub use hosting::CONTROLLER;
pub use identity::{IDENTITY_FILE, Identity};
pub use membership::Membership;
pub use node::{Clock, Node, NodeOptions};
pub use outbox::{Fire, Outbox};
pub use partition::Partition;
pub use producer_ids::ProducerIds;
pub use replica::{Replica, ReplicaKey, ReplicaState};
pub use replies::Reply;
pub use view::Serving;
