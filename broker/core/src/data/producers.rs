//! Windows of idempotent producers: for each producer id its epoch and its last five batches, which is as many as a client may
//! have under way. A fold of the log; only the times of silence are soft.

use std::collections::{BTreeMap, VecDeque};

use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Monotonic, Offset, Timestamp};
use highwater_protocol::records::batch::{BatchHeader, sequence_after};

use super::command::{SavedBatch, SavedProducer};

/// Batches of a producer that a retry is recognised by.
const WINDOW: usize = 5;

/// Producers that a partition knows at a time. What each costs is kept until it was silent for long, and anybody may send
/// batches under any number.
pub(super) const MOST: usize = 20_000;
/// From so many on those that were silent for a little while are let go.
const CROWD: usize = MOST / 2;

/// A producer, described.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Producer {
    /// Its id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// The sequence number of its last record.
    pub last_sequence: i32,
    /// The highest timestamp of its last batch.
    pub last_timestamp: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Accepted {
    pub(super) base_sequence: i32,
    pub(super) last_sequence: i32,
    pub(super) base_offset: Offset,
    pub(super) timestamp: Timestamp,
    pub(super) entry: EntryId,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct State {
    epoch: i16,
    batches: VecDeque<Accepted>,
}

/// What a batch is to its producer's window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Next,
    Duplicate(Accepted),
    OldEpoch { current: i16 },
    OutOfOrder { expected: i32 },
    Full,
}

#[derive(Default)]
pub(super) struct Producers {
    known: BTreeMap<i64, State>,
    heard: BTreeMap<i64, Monotonic>,
}

impl Producers {
    /// Holds a batch against the window of its producer.
    ///
    /// A producer that is not known may begin with any sequence number: its window may have expired while it was silent, and
    /// refusing would make it renumber what is in the log already. A new epoch begins at 0. Where there are too many it is refused
    /// rather than taken at the cost of another, whose retry would be taken for new then.
    pub(super) fn check(&self, header: &BatchHeader) -> Verdict {
        let Some(state) = self.known.get(&header.producer_id) else {
            return if self.known.len() < MOST { Verdict::Next } else { Verdict::Full };
        };
        if header.producer_epoch < state.epoch {
            return Verdict::OldEpoch { current: state.epoch };
        }
        if header.producer_epoch > state.epoch {
            return if header.base_sequence == 0 { Verdict::Next } else { Verdict::OutOfOrder { expected: 0 } };
        }
        let same = |batch: &&Accepted| {
            batch.base_sequence == header.base_sequence && batch.last_sequence == header.last_sequence()
        };
        if let Some(batch) = state.batches.iter().find(same) {
            return Verdict::Duplicate(*batch);
        }
        // An epoch that only a marker opened has no batch yet: it begins at 0 like any other.
        let expected = state.batches.back().map_or(0, |last| sequence_after(last.last_sequence, 1));
        if expected == header.base_sequence { Verdict::Next } else { Verdict::OutOfOrder { expected } }
    }

    pub(super) fn fold(&mut self, entry: EntryId, header: &BatchHeader) {
        if !header.is_idempotent() {
            return;
        }
        let state = self.known.entry(header.producer_id).or_default();
        if state.epoch != header.producer_epoch {
            *state = State { epoch: header.producer_epoch, batches: VecDeque::new() };
        }
        if header.is_control() {
            return;
        }
        if state.batches.len() == WINDOW {
            state.batches.pop_front();
        }
        state.batches.push_back(Accepted {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: Offset(header.base_offset),
            timestamp: Timestamp(header.max_timestamp),
            entry,
        });
    }

    pub(super) fn heard(&mut self, producer: i64, now: Monotonic) {
        self.heard.insert(producer, now);
    }

    pub(super) fn all_heard(&mut self, now: Monotonic) {
        self.heard = self.known.keys().map(|id| (*id, now)).collect();
    }

    pub(super) fn forget_times(&mut self) {
        self.heard.clear();
    }

    /// Those that were not heard of for that long, `most` at a time.
    pub(super) fn silent_since(&self, now: Monotonic, expiration_ms: u64, most: usize) -> Vec<i64> {
        let silent = |id: &&i64| self.heard.get(id).is_some_and(|heard| heard.after_ms(expiration_ms) <= now);
        self.known.keys().filter(silent).take(most).copied().collect()
    }

    pub(super) fn remove(&mut self, producer: i64) {
        self.known.remove(&producer);
        self.heard.remove(&producer);
    }

    /// Whether there are so many that the silent ones have to go early.
    pub(super) fn is_crowded(&self) -> bool {
        self.known.len() >= CROWD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn list(&self) -> Vec<Producer> {
        let described = |(id, state): (&i64, &State)| {
            let last = state.batches.back()?;
            let (last_sequence, last_timestamp) = (last.last_sequence, last.timestamp);
            Some(Producer { id: *id, epoch: state.epoch, last_sequence, last_timestamp })
        };
        self.known.iter().filter_map(described).collect()
    }

    pub(super) fn save(&self) -> Vec<SavedProducer> {
        let batch = |batch: &Accepted| SavedBatch {
            base_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence,
            base_offset: batch.base_offset.0,
            timestamp: batch.timestamp.0,
            index: batch.entry.index.0,
            term: batch.entry.term.0,
        };
        let producer = |(id, state): (&i64, &State)| SavedProducer {
            id: *id,
            epoch: i32::from(state.epoch),
            batches: state.batches.iter().map(batch).collect(),
        };
        self.known.iter().map(producer).collect()
    }

    pub(super) fn load(saved: Vec<SavedProducer>) -> Self {
        let batch = |batch: SavedBatch| Accepted {
            base_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence,
            base_offset: Offset(batch.base_offset),
            timestamp: Timestamp(batch.timestamp),
            entry: EntryId { index: Index(batch.index), term: LeaderEpoch(batch.term) },
        };
        let state = |producer: SavedProducer| {
            let epoch = i16::try_from(producer.epoch).unwrap_or(i16::MAX);
            (producer.id, State { epoch, batches: producer.batches.into_iter().map(batch).collect() })
        };
        Self { known: saved.into_iter().map(state).collect(), heard: BTreeMap::new() }
    }
}
