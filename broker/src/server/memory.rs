//! The bytes of requests that come in or are in work, over all connections: above the bound nobody's socket is read.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One permit stands for this many bytes.
const UNIT: usize = 1024;

/// A budget of request bytes.
#[derive(Debug)]
pub(crate) struct Memory {
    units: Arc<Semaphore>,
    all: usize,
}

/// A part of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    units: OwnedSemaphorePermit,
    all: usize,
}

impl Memory {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        let all = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self { units: Arc::new(Semaphore::new(all)), all })
    }

    /// The whole budget.
    pub(crate) fn all_bytes(&self) -> usize {
        self.all * UNIT
    }

    /// Takes what a frame needs, once there is room. A frame larger than the budget takes all of it.
    pub(crate) async fn take(&self, bytes: usize) -> Option<Permit> {
        let units = Arc::clone(&self.units).acquire_many_owned(self.units_for(bytes)).await.ok()?;
        Some(Permit { units, all: self.all })
    }

    /// Takes it at once, or not.
    pub(crate) fn try_take(&self, bytes: usize) -> Option<Permit> {
        let units = Arc::clone(&self.units).try_acquire_many_owned(self.units_for(bytes)).ok()?;
        Some(Permit { units, all: self.all })
    }

    fn units_for(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT).min(self.all)).unwrap_or(u32::MAX)
    }
}

impl Permit {
    pub(crate) fn bytes(&self) -> usize {
        self.units.num_permits() * UNIT
    }

    /// Whether it is enough for a frame.
    pub(crate) fn covers(&self, bytes: usize) -> bool {
        self.bytes() >= bytes || self.units.num_permits() == self.all
    }

    /// Both together.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.units.merge(more.units);
        self
    }
}
