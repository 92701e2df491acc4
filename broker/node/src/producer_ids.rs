//! Producer ids that the controller gave this node, handed out one by one.

use parking_lot::Mutex;

/// A block of producer ids. Empty at start: ids of an earlier life of the process are never used again.
#[derive(Default)]
pub struct ProducerIds(Mutex<std::ops::Range<i64>>);

impl ProducerIds {
    /// The next id, or `None` when the controller has to be asked for a block.
    pub fn take(&self) -> Option<i64> {
        self.0.lock().next()
    }

    /// A block from the controller. What is left of the one before is dropped.
    pub fn refill(&self, first: i64, count: i64) {
        *self.0.lock() = first..first.saturating_add(count);
    }
}
