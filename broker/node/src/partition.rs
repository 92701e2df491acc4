//! A partition as readers and upkeep know it, whichever machine drives it.

use std::sync::Arc;

use highwater_core::config::topic::TopicConfig;
use highwater_core::machine::Machine;
use highwater_core::view::View;
use highwater_protocol::ids::{EntryId, Index};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::LogId;
use highwater_storage::reader::LogReader;

use crate::error::Refusal;
use crate::fetch_waiters::FetchWaiters;
use crate::node::Clock;
use crate::outbox::Outbox;
use crate::replica::{Replica, ReplicaKey, ReplicaState};
use crate::view::Serving;

/// A log with offsets, which clients read.
pub trait Partition: Send + Sync {
    /// What it is called.
    fn key(&self) -> &ReplicaKey;
    /// Its log's id.
    fn log_id(&self) -> LogId;
    /// The published view, or `None` while it does not serve.
    fn serving(&self) -> Option<Serving<View>>;
    /// Reads the log without the replica's lock.
    fn reader(&self) -> &LogReader;
    /// The fetches that wait here.
    fn waiters(&self) -> &FetchWaiters;
    /// How it is doing.
    fn state(self: Arc<Self>) -> ReplicaState;
    /// A reader found bytes that are not what was written, or cannot read them.
    fn read_failed(self: Arc<Self>, error: &StorageError, outbox: &mut dyn Outbox);
    /// Stands for election.
    fn campaign(self: Arc<Self>, clock: Clock, outbox: &mut dyn Outbox);
    /// What compaction has to know: its configuration, and where Raft begins. `None`: it is not to be compacted now.
    fn cleaning(self: Arc<Self>) -> Option<(Arc<TopicConfig>, Index)>;
    /// A snapshot as of `base` is durable: Raft begins behind it.
    fn compact(self: Arc<Self>, base: EntryId);
    /// Hands to the flusher what only rides along with other records, for a clean stop.
    fn seal(self: Arc<Self>, outbox: &mut dyn Outbox);
    /// Serves nothing from now on.
    fn close(self: Arc<Self>, refusal: Refusal, outbox: &mut dyn Outbox);
}

impl<M: Machine<View = View>> Partition for Replica<M> {
    fn key(&self) -> &ReplicaKey {
        self.key()
    }

    fn log_id(&self) -> LogId {
        self.log_id()
    }

    fn serving(&self) -> Option<Serving<View>> {
        self.serving()
    }

    fn reader(&self) -> &LogReader {
        self.reader()
    }

    fn waiters(&self) -> &FetchWaiters {
        self.waiters()
    }

    fn state(self: Arc<Self>) -> ReplicaState {
        Replica::state(&self)
    }

    fn read_failed(self: Arc<Self>, error: &StorageError, outbox: &mut dyn Outbox) {
        Replica::read_failed(&self, error, outbox);
    }

    fn campaign(self: Arc<Self>, clock: Clock, outbox: &mut dyn Outbox) {
        Replica::campaign(&self, clock, outbox);
    }

    fn cleaning(self: Arc<Self>) -> Option<(Arc<TopicConfig>, Index)> {
        self.serving()?;
        let config = Replica::config(&self);
        config.compacts().then(|| (config, self.with_log(|storage| storage.base().index.next())))
    }

    fn compact(self: Arc<Self>, base: EntryId) {
        self.with_log(|storage| storage.compact(base));
    }

    fn seal(self: Arc<Self>, outbox: &mut dyn Outbox) {
        Replica::seal(&self, outbox);
    }

    fn close(self: Arc<Self>, refusal: Refusal, outbox: &mut dyn Outbox) {
        Replica::close(&self, refusal, outbox);
    }
}
