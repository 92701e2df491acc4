//! Raft's view of a log: `raft::Storage` over `storage::Log`.
//!
//! Committed entries are asked for only to apply them, and machines fold at append: so they come back without data,
//! but for membership changes, which are kept in memory until they are applied.

use std::collections::BTreeMap;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index};
use highwater_storage::entry::{Frame, FrameKind, LogEntry};
use highwater_storage::log::Log;
use raft::eraftpb::{ConfState, Entry, EntryType, HardState, Snapshot};
use raft::{GetEntriesContext, RaftState, Storage, StorageError};

/// The log of one replica, with what raft keeps beside it.
pub(crate) struct RaftStorage {
    pub(crate) log: Log,
    hard_state: HardState,
    conf_state: ConfState,
    /// The entry in front of Raft's first.
    base: EntryId,
    memberships: BTreeMap<Index, Bytes>,
}

impl RaftStorage {
    pub(crate) fn new(log: Log, hard_state: HardState, conf_state: ConfState, base: EntryId) -> Self {
        Self { log, hard_state, conf_state, base, memberships: BTreeMap::new() }
    }

    /// The highest index known to the log.
    pub(crate) fn last(&self) -> EntryId {
        self.log.last()
    }

    /// The entry in front of Raft's first.
    pub(crate) fn base(&self) -> EntryId {
        self.base
    }

    /// Raft forgets what lies at and below `base`, whose snapshot is durable.
    pub(crate) fn compact(&mut self, base: EntryId) {
        self.base = base;
        self.memberships = self.memberships.split_off(&base.index.next());
    }

    /// Keeps a membership change until it is applied.
    pub(crate) fn keep_membership(&mut self, index: Index, change: Bytes) {
        self.memberships.insert(index, change);
    }

    fn bare_entry(&self, index: u64, term: u64) -> Entry {
        let mut entry = Entry { index, term, ..Entry::default() };
        if let Some(change) = self.memberships.get(&Index(index)) {
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.data = change.clone();
        }
        entry
    }
}

impl Storage for RaftStorage {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState::new(self.hard_state.clone(), self.conf_state.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low <= self.base.index.0 {
            return Err(StorageError::Compacted.into());
        }
        if !context.can_async() {
            return (low..high).map(|index| Ok(self.bare_entry(index, self.term(index)?))).collect();
        }
        let max_bytes = max_size.into().unwrap_or(u64::MAX);
        let entries = self
            .log
            .entries(Index(low), Index(high), max_bytes)
            .map_err(|error| raft::Error::Store(StorageError::Other(Box::new(error))))?;
        Ok(entries.iter().map(raft_entry).collect())
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index == self.base.index.0 {
            return Ok(term_number(self.base));
        }
        if index < self.base.index.0 {
            return Err(StorageError::Compacted.into());
        }
        match self.log.term_at(Index(index)) {
            Some(epoch) => Ok(u64::try_from(epoch.0).unwrap_or(0)),
            None => Err(StorageError::Unavailable.into()),
        }
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.base.index.0 + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.log.last().index.0.max(self.base.index.0))
    }

    fn snapshot(&self, _: u64, _: u64) -> raft::Result<Snapshot> {
        Err(StorageError::SnapshotTemporarilyUnavailable.into())
    }
}

pub(crate) fn term_number(id: EntryId) -> u64 {
    u64::try_from(id.term.0).unwrap_or(0)
}

/// An entry as raft carries it: batches, commands and rolls as whole frames, its own two kinds without ours.
fn raft_entry(stored: &LogEntry) -> Entry {
    let mut entry = Entry { index: stored.id.index.0, term: term_number(stored.id), ..Entry::default() };
    match highwater_storage::entry::parse(&stored.frame) {
        Ok(Frame::Own { kind: FrameKind::Noop, .. }) => {}
        Ok(Frame::Own { kind: FrameKind::Membership, payload, .. }) => {
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.data = stored.frame.slice_ref(payload);
        }
        _ => entry.data = stored.frame.clone(),
    }
    entry
}
