//! What readers see of a replica, published when commit reaches it and read without the replica's lock.

use highwater_protocol::ids::LeaderEpoch;
use parking_lot::RwLock;

/// The view of a replica that serves.
#[derive(Clone, Debug)]
pub struct Serving<V> {
    /// The machine's state as of the last committed entry that changed it.
    pub view: V,
    /// The term it leads in.
    pub epoch: LeaderEpoch,
}

/// Holds the view; empty while the replica does not serve.
pub(crate) struct Published<V>(RwLock<Option<Serving<V>>>);

impl<V: Clone> Published<V> {
    pub(crate) fn empty() -> Self {
        Self(RwLock::new(None))
    }

    pub(crate) fn get(&self) -> Option<Serving<V>> {
        self.0.read().clone()
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.0.read().is_some()
    }

    /// Publishes a view; answers whether the replica did not serve before.
    pub(crate) fn set(&self, view: V, epoch: LeaderEpoch) -> bool {
        self.0.write().replace(Serving { view, epoch }).is_none()
    }

    /// Serves nothing from now on.
    pub(crate) fn clear(&self) {
        *self.0.write() = None;
    }
}
