//! The bytes of requests in work, over all connections: above the bound nobody's socket is read.

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

impl Memory {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        let all = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self { units: Arc::new(Semaphore::new(all)), all })
    }

    /// Takes what a frame needs, once there is room. A frame larger than the budget takes all of it.
    pub(crate) async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT).min(self.all)).unwrap_or(u32::MAX);
        Arc::clone(&self.units).acquire_many_owned(units).await.ok()
    }

    /// Takes it at once, or not.
    pub(crate) fn try_take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT).min(self.all)).unwrap_or(u32::MAX);
        Arc::clone(&self.units).try_acquire_many_owned(units).ok()
    }
}
