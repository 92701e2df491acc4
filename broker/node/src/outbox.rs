//! What a call leaves to be done after all locks are gone.

use std::sync::Arc;

use crate::fetch_waiters::FetchWaiter;

/// A reply that is ready: calling it wakes whoever waits.
pub type Fire = Box<dyn FnOnce() + Send>;

/// Collects, under a replica's lock, what its holder does after unlocking. No method blocks or wakes anybody.
pub trait Outbox {
    /// Something waits for the flusher.
    fn nudge_flusher(&mut self);
    /// A reply is ready.
    fn fire(&mut self, reply: Fire);
    /// A fetch has enough bytes, or its partition stopped serving.
    fn wake(&mut self, waiter: Arc<FetchWaiter>);
    /// The controller's image changed: `Node::reconcile` has work.
    fn image_changed(&mut self);
    /// Background work waits for `Node::upkeep`.
    fn nudge_upkeep(&mut self);
}
