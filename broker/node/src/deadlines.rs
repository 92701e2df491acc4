//! When which replica's machine wants to be woken: one ordered set for the whole node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use highwater_protocol::ids::Monotonic;
use highwater_storage::journal::record::LogId;
use parking_lot::Mutex;

use crate::node::Clock;
use crate::outbox::Outbox;

/// What has a deadline.
pub(crate) trait Expiring: Send + Sync {
    fn expire(self: Arc<Self>, clock: Clock, outbox: &mut dyn Outbox);
}

#[derive(Default)]
struct Heap {
    order: BTreeSet<(Monotonic, LogId)>,
    targets: BTreeMap<LogId, (Monotonic, Weak<dyn Expiring>)>,
}

/// The deadlines of all replicas, at most one each.
#[derive(Default)]
pub(crate) struct Deadlines(Mutex<Heap>);

impl Deadlines {
    /// Sets, moves or clears the deadline of a log.
    pub(crate) fn set(&self, log: LogId, at: Option<Monotonic>, target: Weak<dyn Expiring>) {
        let mut heap = self.0.lock();
        if let Some((before, _)) = heap.targets.remove(&log) {
            heap.order.remove(&(before, log));
        }
        if let Some(at) = at {
            heap.order.insert((at, log));
            heap.targets.insert(log, (at, target));
        }
    }

    /// Calls all that are due, each once: what is due again is so at the next call.
    pub(crate) fn expire(&self, clock: Clock, outbox: &mut dyn Outbox) {
        for target in self.take_due(clock.now) {
            target.expire(clock, outbox);
        }
    }

    fn take_due(&self, now: Monotonic) -> Vec<Arc<dyn Expiring>> {
        let mut heap = self.0.lock();
        let mut due = Vec::new();
        while let Some((at, log)) = heap.order.first().copied()
            && at <= now
        {
            heap.order.pop_first();
            due.extend(heap.targets.remove(&log).and_then(|(_, target)| target.upgrade()));
        }
        due
    }
}
