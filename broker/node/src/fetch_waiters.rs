//! Fetches that wait for bytes: one waiter counts over all partitions of its request and is woken once.
//!
//! Register first, then read the views: what commits in between is counted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::outbox::Outbox;

/// One waiting fetch. As a future it resolves when its bytes have arrived or one of its partitions stopped serving.
pub struct FetchWaiter {
    missing: AtomicI64,
    waker: AtomicWaker,
}

impl FetchWaiter {
    /// Waits for that many bytes.
    pub fn new(min_bytes: usize) -> Arc<Self> {
        let missing = i64::try_from(min_bytes).unwrap_or(i64::MAX).max(1);
        Arc::new(Self { missing: AtomicI64::new(missing), waker: AtomicWaker::new() })
    }

    /// Resolves when nothing is missing any more.
    pub fn arrived(self: &Arc<Self>) -> Arrived {
        Arrived(Arc::clone(self))
    }

    /// Wakes the task. Called when no lock is held.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Counts bytes; answers whether these were the last that were missing.
    fn count(&self, bytes: i64) -> bool {
        let before = self.missing.fetch_sub(bytes, Ordering::AcqRel);
        before > 0 && before <= bytes
    }

    fn is_done(&self) -> bool {
        self.missing.load(Ordering::Acquire) <= 0
    }
}

/// The future of a [`FetchWaiter`].
pub struct Arrived(Arc<FetchWaiter>);

impl Future for Arrived {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.waker.register(context.waker());
        if self.0.is_done() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// The fetches that wait at one partition.
#[derive(Default)]
pub struct FetchWaiters(Mutex<Vec<Arc<FetchWaiter>>>);

impl FetchWaiters {
    /// Counts bytes that become readable here from now on. Forgets waiters that nobody polls any more.
    pub fn register(&self, waiter: &Arc<FetchWaiter>) {
        let mut waiting = self.0.lock();
        waiting.retain(|other| Arc::strong_count(other) > 1 && !other.is_done());
        waiting.push(Arc::clone(waiter));
    }

    /// Bytes became readable: those who have enough leave.
    pub(crate) fn add(&self, bytes: usize, outbox: &mut dyn Outbox) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.lock().retain(|waiter| {
            if waiter.count(bytes) {
                outbox.wake(Arc::clone(waiter));
            }
            !waiter.is_done()
        });
    }

    /// The partition stopped serving: everybody looks again.
    pub(crate) fn release(&self, outbox: &mut dyn Outbox) {
        for waiter in self.0.lock().drain(..) {
            waiter.missing.store(0, Ordering::Release);
            outbox.wake(waiter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Woken(usize);

    impl Outbox for Woken {
        fn nudge_flusher(&mut self) {}
        fn fire(&mut self, _: crate::Fire) {}
        fn wake(&mut self, _: Arc<FetchWaiter>) {
            self.0 += 1;
        }
        fn image_changed(&mut self) {}
        fn nudge_upkeep(&mut self) {}
    }

    #[test]
    fn a_waiter_counts_over_all_its_partitions_and_is_woken_once() {
        let (one, other, mut woken) = (FetchWaiters::default(), FetchWaiters::default(), Woken::default());
        let waiter = FetchWaiter::new(100);
        one.register(&waiter);
        other.register(&waiter);
        one.add(60, &mut woken);
        assert_eq!((woken.0, waiter.is_done()), (0, false));
        other.add(60, &mut woken);
        assert_eq!((woken.0, waiter.is_done()), (1, true));
        one.add(60, &mut woken);
        assert_eq!(woken.0, 1);
    }

    #[test]
    fn a_partition_that_stops_serving_releases_its_waiters() {
        let (waiters, mut woken) = (FetchWaiters::default(), Woken::default());
        let waiter = FetchWaiter::new(1);
        waiters.register(&waiter);
        waiters.release(&mut woken);
        assert_eq!((woken.0, waiter.is_done()), (1, true));
    }

    #[test]
    fn waiters_nobody_polls_are_forgotten() {
        let waiters = FetchWaiters::default();
        drop({
            let gone = FetchWaiter::new(1);
            waiters.register(&gone);
            gone
        });
        let here = FetchWaiter::new(1);
        waiters.register(&here);
        assert_eq!(waiters.0.lock().len(), 1);
    }
}
