//! The threads that drive a node, and the only readers of the clocks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use highwater_node::{Clock, Fatal, Node};
use highwater_protocol::ids::{Monotonic, Timestamp};
use highwater_storage::error::StorageError;
use parking_lot::{Condvar, Mutex};

use crate::metrics::Metrics;
use crate::turn::Turn;

/// The status of a process that cannot go on.
const FAILED: i32 = 70;
/// How often time passes for a node.
const TICK: Duration = Duration::from_millis(50);
/// How often background work looks around.
const UPKEEP: Duration = Duration::from_millis(50);

/// Compaction sleeps no shorter than this at a time, and looks whether it has to end.
const THROTTLE: Duration = Duration::from_millis(10);

/// A partition that is written to and then not for so long is synced.
const IDLE: Duration = Duration::from_secs(5);

/// Reads the clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    started: Instant,
}

impl Clocks {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn read(&self) -> Clock {
        let now = Monotonic(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX));
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { now, wall: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)) }
    }
}

/// Wakes one thread; nudges that come while it works are one.
#[derive(Default)]
pub(crate) struct Nudge {
    is_nudged: Mutex<bool>,
    changed: Condvar,
}

impl Nudge {
    pub(crate) fn nudge(&self) {
        let mut nudged = self.is_nudged.lock();
        if !std::mem::replace(&mut *nudged, true) {
            self.changed.notify_one();
        }
    }

    fn wait(&self, at_most: Option<Duration>) {
        let mut nudged = self.is_nudged.lock();
        if !*nudged {
            match at_most {
                Some(at_most) => drop(self.changed.wait_for(&mut nudged, at_most)),
                None => self.changed.wait(&mut nudged),
            }
        }
        *nudged = false;
    }
}

/// The threads that can be nudged.
#[derive(Default)]
pub(crate) struct Nudges {
    pub(crate) flusher: Nudge,
    pub(crate) ticker: Nudge,
    pub(crate) upkeep: Nudge,
    pub(crate) cleaner: Nudge,
}

/// What the threads share.
#[derive(Clone)]
pub(crate) struct Drivers {
    pub(crate) node: Arc<Node>,
    pub(crate) nudges: Arc<Nudges>,
    pub(crate) clocks: Clocks,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) retention_check: Duration,
}

impl Drivers {
    /// Starts the flusher, the ticker, upkeep and the cleaner.
    pub(crate) fn start(&self) -> std::io::Result<Vec<std::thread::JoinHandle<()>>> {
        let spawn = |name: &str, run: fn(&Self)| {
            let (drivers, name) = (self.clone(), name.to_owned());
            std::thread::Builder::new().name(name.clone()).spawn(move || {
                // A node without one of its threads goes on for a while, and then stands still.
                if catch_unwind(AssertUnwindSafe(|| run(&drivers))).is_err() {
                    tracing::error!(thread = name, "a thread of the node failed; the process ends");
                    std::process::exit(FAILED);
                }
            })
        };
        Ok(vec![
            spawn("flusher", Self::flusher)?,
            spawn("ticker", Self::ticker)?,
            spawn("upkeep", Self::upkeep)?,
            spawn("cleaner", Self::cleaner)?,
        ])
    }

    /// Ends the threads.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.nudges.flusher.nudge();
        self.nudges.ticker.nudge();
        self.nudges.upkeep.nudge();
        self.nudges.cleaner.nudge();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn flusher(&self) {
        let mut turn = Turn::default();
        while !self.is_stopping() {
            self.nudges.flusher.wait(None);
            loop {
                let begun = Instant::now();
                match self.node.flush(&mut turn) {
                    Ok(None) => break,
                    Ok(Some(report)) => self.metrics.flushed(&report, begun.elapsed()),
                    Err(error) => end(&error),
                }
                turn.finish(&self.nudges);
            }
        }
    }

    fn ticker(&self) {
        let mut turn = Turn::default();
        let mut retained = Instant::now();
        while !self.is_stopping() {
            self.nudges.ticker.wait(Some(TICK));
            let clock = self.clocks.read();
            if let Err(error) = self.node.reconcile(clock, &mut turn) {
                tracing::error!(%error, "cannot host what the controller put here");
            }
            self.node.tick(clock, &mut turn);
            if retained.elapsed() >= self.retention_check {
                retained = Instant::now();
                self.retain(clock, &mut turn);
            }
            turn.finish(&self.nudges);
        }
    }

    fn retain(&self, clock: Clock, turn: &mut Turn) {
        if let Err(error) = self.node.retain(clock, turn) {
            tracing::error!(%error, "cannot remove what retention gave up");
        }
    }

    fn upkeep(&self) {
        let mut turn = Turn::default();
        let mut looked_for_idle = Instant::now();
        while !self.is_stopping() {
            self.nudges.upkeep.wait(Some(UPKEEP));
            if let Err(error) = self.node.upkeep(&mut turn) {
                end(&error);
            }
            if looked_for_idle.elapsed() >= IDLE {
                looked_for_idle = Instant::now();
                self.node.store().look_for_idle();
            }
            self.metrics.scrubbed(self.node.scrub(self.clocks.read().now, &mut turn));
            turn.finish(&self.nudges);
        }
    }

    /// Compacts logs, one at a time, and no faster than it may.
    fn cleaner(&self) {
        let mut turn = Turn::default();
        while !self.is_stopping() {
            let config = self.node.cleaner_config();
            self.nudges.cleaner.wait(Some(Duration::from_millis(config.backoff_ms.max(1))));
            let mut owed = Duration::ZERO;
            let mut throttle = |bytes: u64| {
                owed += Duration::try_from_secs_f64(bytes as f64 / config.bytes_per_second).unwrap_or(Duration::MAX);
                while owed >= THROTTLE && !self.is_stopping() {
                    let pause = owed.min(THROTTLE);
                    std::thread::sleep(pause);
                    owed -= pause;
                }
                if self.is_stopping() { Err(StorageError::Interrupted) } else { Ok(()) }
            };
            while config.is_enabled && !self.is_stopping() {
                let cleaned = self.node.clean(self.clocks.read().wall, &mut throttle, &mut turn);
                turn.finish(&self.nudges);
                let Some(cleaned) = cleaned else { break };
                self.metrics.cleaned(&cleaned);
            }
        }
    }
}

/// The journal failed: nothing that was written since may be believed, and no retry makes it true.
fn end(error: &Fatal) -> ! {
    tracing::error!(%error, "the process ends");
    eprintln!("highwater: {error}");
    std::process::exit(FAILED);
}
