//! What the journal knows of one log: the fold of its changes, the same when they are written and when they are replayed.
//!
//! Changes of one log come from two sides. Appends, cuts and hard states come in the order in which its owner made them; a
//! checkpoint comes from whoever synced the segments, and may be journalled later than entries it does not cover, later than
//! a cut it knows nothing of, or earlier than changes it covers already. The count of cuts in each of them tells.
//!
//! Invariant: `checkpoint.cut <= cut`; bytes below `checkpoint.end` are durable in the segment files.

use highwater_protocol::ids::{EntryId, Index};

use super::record::{Boot, Change, Checkpoint, HardState};

/// What the journal knows of a log: what the first record of each file repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LogState {
    /// Where its durable segment bytes end.
    pub checkpoint: Checkpoint,
    /// The cuts it has seen.
    pub cut: u64,
    /// Its last entry that a record holds or a checkpoint covers.
    pub last: EntryId,
    /// Its hard state.
    pub hard_state: HardState,
    /// It has lost what was durable.
    pub is_damaged: bool,
    /// Where entries may have been acknowledged from the page cache alone.
    pub open: Option<Boot>,
}

impl LogState {
    /// Takes in a change. Answers whether it counts: what a newer checkpoint or cut has overtaken does not.
    pub(super) fn note(&mut self, change: &Change) -> bool {
        match change {
            Change::Append(run) => {
                if run.cut < self.cut || self.covers(run.cut, run.last.index) {
                    return false;
                }
                self.last = run.last;
            }
            Change::Truncate(end) => {
                if end.cut <= self.cut {
                    return false;
                }
                self.cut = end.cut;
                // What lies in front of the cut need not be durable: of a log in `flush.mode=os` no record holds it.
                if end.last.index < self.last.index || planted!(CutCountsAsProof) {
                    self.last = end.last;
                }
                if self.checkpoint.last.index > end.last.index {
                    self.checkpoint = Checkpoint { cut: self.checkpoint.cut, ..*end };
                }
            }
            Change::Checkpoint(checkpoint) => {
                let is_old = checkpoint.cut < self.cut
                    || (checkpoint.cut == self.checkpoint.cut && checkpoint.last.index < self.checkpoint.last.index);
                if is_old && !planted!(LateCheckpointCounts) {
                    return false;
                }
                if checkpoint.cut > self.cut || checkpoint.last.index > self.last.index {
                    self.last = checkpoint.last;
                }
                self.cut = checkpoint.cut;
                self.checkpoint = *checkpoint;
            }
            Change::HardState(hard_state) => self.hard_state = *hard_state,
            Change::Last(id) => self.last = *id,
            Change::Damaged => self.is_damaged = true,
            Change::Open(boot) => self.open = Some(*boot),
            Change::Closed => self.open = None,
            Change::Anew => {
                self.cut = self.checkpoint.cut;
                self.last = self.checkpoint.last;
            }
            Change::Drop => {}
        }
        true
    }

    /// Whether the checkpoint makes needless what a log of so many cuts held up to an index.
    pub(super) fn covers(&self, cut: u64, index: Index) -> bool {
        (self.checkpoint.cut, self.checkpoint.last.index) >= (cut, index)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use highwater_protocol::ids::LeaderEpoch;

    use super::*;
    use crate::journal::record::Run;

    fn id(index: u64, term: i32) -> EntryId {
        EntryId { index: Index(index), term: LeaderEpoch(term) }
    }

    fn end(last: EntryId, cut: u64) -> Checkpoint {
        Checkpoint { last, cut, ..Checkpoint::default() }
    }

    fn append(last: EntryId, cut: u64) -> Change {
        Change::Append(Run { last, cut, bytes: vec![Bytes::new()], ..Run::default() })
    }

    /// Upkeep synced up to 60, then the owner cut at 50 and the cut was journalled first. The checkpoint of the old bytes must
    /// not say that the new ones are durable.
    #[test]
    fn a_checkpoint_from_before_a_cut_does_not_count_behind_it() {
        let mut state = LogState::default();
        assert!(state.note(&append(id(60, 4), 0)));
        assert!(state.note(&Change::Truncate(end(id(49, 4), 1))));
        assert!(!state.note(&Change::Checkpoint(end(id(60, 4), 0))));
        assert_eq!(state.last, id(49, 4));
        assert!(state.note(&append(id(55, 6), 1)));
        assert!(state.note(&Change::Checkpoint(end(id(55, 6), 1))));
        assert!(state.covers(0, Index(60)) && state.covers(1, Index(55)) && !state.covers(1, Index(56)));
    }

    /// A sync behind the cut was journalled before the cut itself and before the entries that the cut removed.
    #[test]
    fn what_a_checkpoint_has_overtaken_does_not_count() {
        let mut state = LogState::default();
        assert!(state.note(&Change::Checkpoint(end(id(55, 6), 1))));
        assert!(!state.note(&append(id(60, 4), 0)));
        assert!(!state.note(&Change::Truncate(end(id(49, 4), 1))));
        assert!(!state.note(&append(id(55, 6), 1)));
        assert!(state.note(&append(id(58, 6), 1)));
        assert_eq!((state.last, state.checkpoint.last), (id(58, 6), id(55, 6)));
    }

    #[test]
    fn a_cut_lowers_the_checkpoint_but_frees_no_record() {
        let mut state = LogState::default();
        assert!(state.note(&Change::Checkpoint(end(id(60, 4), 0))));
        assert!(state.note(&Change::Truncate(end(id(49, 4), 1))));
        assert_eq!(state.checkpoint.last, id(49, 4));
        assert!(!state.covers(1, Index(49)), "only a sync behind the cut makes its record needless");
    }
}
