//! Where each term of a log begins, by index and by offset.
//!
//! Invariant: terms ascend, and so do the indices and offsets they begin at.

use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Term {
    pub(crate) epoch: LeaderEpoch,
    pub(crate) from_index: Index,
    pub(crate) from_offset: Offset,
}

/// The terms of a log, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epochs(Vec<Term>);

impl Epochs {
    /// An entry was appended; its first record, or the next one behind it, has that offset.
    pub(crate) fn note(&mut self, id: EntryId, offset: Offset) {
        if self.0.last().is_none_or(|last| last.epoch < id.term) {
            self.0.push(Term { epoch: id.term, from_index: id.index, from_offset: offset });
        }
    }

    /// The terms, oldest first.
    pub(crate) fn terms(&self) -> &[Term] {
        &self.0
    }

    /// Terms as they were noted.
    pub(crate) fn from_terms(terms: Vec<Term>) -> Self {
        Self(terms)
    }

    /// The term of an entry.
    pub(crate) fn at_index(&self, index: Index) -> Option<LeaderEpoch> {
        self.0.iter().rev().find(|term| term.from_index <= index).map(|term| term.epoch)
    }

    /// The term of a record.
    pub(crate) fn at_offset(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.0.iter().rev().find(|term| term.from_offset <= offset).map(|term| term.epoch)
    }

    /// The newest term up to `epoch` that the log knows, and where the one after it begins, as KIP-279 asks.
    pub(crate) fn end_of(&self, epoch: LeaderEpoch, end: Offset) -> Option<(LeaderEpoch, Offset)> {
        let place = self.0.partition_point(|term| term.epoch <= epoch);
        let known = self.0.get(place.checked_sub(1)?)?;
        Some((known.epoch, self.0.get(place).map_or(end, |next| next.from_offset)))
    }

    /// What lies in front of an entry is gone: the term that holds it begins there now.
    pub(crate) fn trim(&mut self, index: Index, offset: Offset) {
        let gone = self.0.partition_point(|term| term.from_index <= index).saturating_sub(1);
        self.0.drain(..gone);
        if let Some(first) = self.0.first_mut().filter(|first| first.from_index < index) {
            (first.from_index, first.from_offset) = (index, offset);
        }
    }

    /// Terms that begin at that index or behind it are gone.
    pub(crate) fn cut(&mut self, from: Index) {
        self.0.retain(|term| term.from_index < from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_answer_by_index_offset_and_end() {
        let mut epochs = Epochs::default();
        for (index, term, offset) in [(1, 1, 0), (2, 1, 0), (5, 3, 40), (9, 4, 40)] {
            epochs.note(EntryId { index: Index(index), term: LeaderEpoch(term) }, Offset(offset));
        }
        assert_eq!(epochs.at_index(Index(4)), Some(LeaderEpoch(1)));
        assert_eq!(epochs.at_index(Index(5)), Some(LeaderEpoch(3)));
        assert_eq!(epochs.at_offset(Offset(39)), Some(LeaderEpoch(1)));
        assert_eq!(epochs.end_of(LeaderEpoch(2), Offset(90)), Some((LeaderEpoch(1), Offset(40))));
        assert_eq!(epochs.end_of(LeaderEpoch(4), Offset(90)), Some((LeaderEpoch(4), Offset(90))));
        assert_eq!(epochs.end_of(LeaderEpoch(0), Offset(90)), None);
        let mut trimmed = epochs.clone();
        trimmed.trim(Index(7), Offset(60));
        assert_eq!(trimmed.at_index(Index(6)), None);
        assert_eq!(trimmed.at_index(Index(7)), Some(LeaderEpoch(3)));
        assert_eq!(trimmed.end_of(LeaderEpoch(2), Offset(90)), None);
        epochs.cut(Index(5));
        assert_eq!(epochs.at_index(Index(8)), Some(LeaderEpoch(1)));
    }
}
