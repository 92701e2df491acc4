//! What a turn leaves to be done once all locks are gone: replies to fire, fetches to wake, threads to nudge.

use std::sync::Arc;

use highwater_node::{FetchWaiter, Fire, Outbox};

use crate::drivers::Nudges;

/// One input's worth of effects. [`Turn::finish`] carries them out; nothing happens on drop.
#[derive(Default)]
pub(crate) struct Turn {
    fires: Vec<Fire>,
    wakes: Vec<Arc<FetchWaiter>>,
    flusher: bool,
    image: bool,
    upkeep: bool,
}

impl Turn {
    pub(crate) fn finish(&mut self, nudges: &Nudges) {
        if std::mem::take(&mut self.flusher) {
            nudges.flusher.nudge();
        }
        for fire in self.fires.drain(..) {
            fire();
        }
        for waiter in self.wakes.drain(..) {
            waiter.wake();
        }
        if std::mem::take(&mut self.image) {
            nudges.ticker.nudge();
        }
        if std::mem::take(&mut self.upkeep) {
            nudges.upkeep.nudge();
        }
    }
}

impl Outbox for Turn {
    fn nudge_flusher(&mut self) {
        self.flusher = true;
    }

    fn fire(&mut self, reply: Fire) {
        self.fires.push(reply);
    }

    fn wake(&mut self, waiter: Arc<FetchWaiter>) {
        self.wakes.push(waiter);
    }

    fn image_changed(&mut self) {
        self.image = true;
    }

    fn nudge_upkeep(&mut self) {
        self.upkeep = true;
    }
}
