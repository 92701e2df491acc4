//! Carries out what raft asks for: append, fold, hand to the flusher.
//!
//! An entry is readable through `raft::Storage` before raft is told of it, folded at append, and counted as durable only
//! when the flusher (or, for a topic with `flush.mode=os`, the page cache) has it.

use bytes::Bytes;
use highwater_core::config::topic::FlushMode;
use highwater_core::machine::{Entry, Machine};
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch};
use highwater_storage::entry::{Frame, FrameKind, LogEntry, own_frame, parse_stamped};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{self, Change};
use highwater_storage::log::Snapshot;
use raft::Ready;
use raft::eraftpb::{ConfChangeV2, Entry as RaftEntry, EntryType, HardState};

use crate::error::Refusal;
use crate::membership::Membership;
use crate::outbox::Outbox;
use crate::replica::{Inner, PendingView, Queued, Replica};

impl<M: Machine> Replica<M> {
    /// Handles Readys until raft has none.
    pub(crate) fn pump(&self, inner: &mut Inner<M>, outbox: &mut dyn Outbox) {
        while inner.offline.is_none() && inner.raw.has_ready() {
            let ready = inner.raw.ready();
            if let Err(error) = self.carry_out(inner, ready, outbox) {
                tracing::error!(replica = %self.key(), %error, "the log cannot be written; this replica is offline until the node restarts");
                self.go_offline(inner, Refusal::Offline { reason: error.to_string() }, outbox);
            }
        }
    }

    fn carry_out(&self, inner: &mut Inner<M>, mut ready: Ready, outbox: &mut dyn Outbox) -> Result<(), StorageError> {
        let number = ready.number();
        let bytes = self.append_entries(inner, ready.take_entries())?;
        let applied = ready.take_committed_entries();
        let mut elects = false;
        if let Some(state) = ready.hs() {
            elects = inner.voted != (state.term, state.vote);
            inner.voted = (state.term, state.vote);
            inner.unqueued_hard_state = Some(state.clone());
        }
        assert!(
            ready.messages().is_empty() && ready.persisted_messages().is_empty(),
            "a sole voter has nobody to write to"
        );
        inner.raw.advance_append_async(ready);
        self.apply(inner, applied, outbox);
        self.make_durable(inner, number, bytes, elects, outbox);
        Ok(())
    }

    /// Into the segment, then into the machine.
    fn append_entries(&self, inner: &mut Inner<M>, entries: Vec<RaftEntry>) -> Result<usize, StorageError> {
        if entries.is_empty() {
            return Ok(0);
        }
        let mut bytes = 0;
        for entry in entries {
            let entry = inner.log_entry(entry);
            bytes += entry.frame.len();
            inner.raw.mut_store().log.append(std::slice::from_ref(&entry))?;
            inner.fold(&entry);
        }
        Ok(bytes)
    }

    /// What follows from commit, beyond views and replies: membership changes, and rolls whose snapshot now counts.
    fn apply(&self, inner: &mut Inner<M>, committed: Vec<RaftEntry>, outbox: &mut dyn Outbox) {
        let Some(last) = committed.last().map(|entry| Index(entry.index)) else { return };
        for entry in committed {
            if entry.get_entry_type() == EntryType::EntryConfChangeV2 {
                let mut change = ConfChangeV2::default();
                if protobuf::Message::merge_from_bytes(&mut change, &entry.data).is_ok() {
                    inner.raw.apply_conf_change(&change).expect("a committed membership change applies");
                }
            }
        }
        inner.raw.advance_apply_to(last.0);
        while inner.rolls.front().is_some_and(|snapshot| snapshot.id.index <= last) {
            if let Some(mut snapshot) = inner.rolls.pop_front() {
                let members = inner.raw.raft.prs().conf().to_conf_state();
                snapshot.membership = Membership::from(&members).to_bytes();
                self.shared().snapshots.lock().push_back((self.log_id(), snapshot));
                outbox.nudge_upkeep();
            }
        }
    }

    /// Decides who makes this Ready durable: the flusher, or nobody but the page cache.
    fn make_durable(&self, inner: &mut Inner<M>, number: u64, bytes: usize, elects: bool, outbox: &mut dyn Outbox) {
        let mut changes = inner.raw.mut_store().log.take_changes();
        let to_page_cache = inner.machine.flush_mode() == FlushMode::Os;
        if to_page_cache {
            inner.unjournalled |= !changes.is_empty();
            changes.retain(|change| !matches!(change, Change::Append(_)));
        }
        if to_page_cache != inner.is_open {
            changes.push(if to_page_cache {
                Change::Open(self.shared().boot.unwrap_or_default())
            } else {
                Change::Closed
            });
            inner.is_open = to_page_cache;
        }
        let flusher_owes = elects || !changes.is_empty() || (bytes > 0 && inner.persisted < inner.owed_to_flusher);
        if flusher_owes {
            inner.owed_to_flusher = number;
            if let Some(state) = inner.unqueued_hard_state.take() {
                changes.push(Change::HardState(journalled(&state)));
            }
            let sync_segments = !to_page_cache && std::mem::take(&mut inner.unjournalled);
            self.queue(Queued { changes, ready: number, bytes, sync_segments }, outbox);
        } else if bytes > 0 {
            inner.persisted = number;
            inner.raw.on_persist_ready(number);
        }
    }
}

impl<M: Machine> Inner<M> {
    /// The frame of an entry: what we proposed is one already, raft's own two kinds become one here.
    fn log_entry(&mut self, entry: RaftEntry) -> LogEntry {
        let term = LeaderEpoch(i32::try_from(entry.term).expect("a term fits a leader epoch"));
        let id = EntryId { index: Index(entry.index), term };
        let next_offset = self.raw.store().log.next_offset();
        let frame = match entry.get_entry_type() {
            EntryType::EntryNormal if entry.data.is_empty() => own_frame(FrameKind::Noop, id, next_offset, &[]),
            EntryType::EntryNormal => entry.data,
            EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => {
                self.raw.mut_store().keep_membership(id.index, entry.data.clone());
                own_frame(FrameKind::Membership, id, next_offset, &entry.data)
            }
        };
        LogEntry { id, frame }
    }

    /// Folds an entry that is in the log now.
    fn fold(&mut self, entry: &LogEntry) {
        let (view, is_roll) = match parse_stamped(&entry.frame).expect("a frame that the log took decodes") {
            Frame::Batch(header, bytes) => (self.machine.fold(entry.id, Entry::Batch(&header, bytes)), false),
            Frame::Own { kind: FrameKind::Command, payload, .. } => {
                (self.machine.fold(entry.id, Entry::Command(payload)), false)
            }
            Frame::Own { kind, .. } => (self.machine.fold(entry.id, Entry::Own), kind == FrameKind::Roll),
        };
        self.folded = entry.id;
        if let Some(view) = view {
            self.views.push_back(PendingView { index: entry.id.index, view, bytes: entry.frame.len() });
        }
        if is_roll {
            self.rolls.push_back(self.snapshot(entry.id));
        }
    }

    /// The machine as of the last entry folded. Its membership is filled in when the roll is applied.
    fn snapshot(&self, id: EntryId) -> Snapshot {
        let mut machine = Vec::new();
        self.machine.save(&mut machine);
        let next_offset = self.raw.store().log.next_offset();
        Snapshot { id, next_offset, membership: Bytes::new(), machine: Bytes::from(machine) }
    }
}

/// Raft's hard state as the journal carries it.
pub(crate) fn journalled(state: &HardState) -> record::HardState {
    record::HardState { term: state.term, vote: state.vote, commit: state.commit }
}
