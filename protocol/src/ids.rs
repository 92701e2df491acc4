//! The numbers that cross crates, each with a type of its own so that they are never mixed.

/// Counts the records of a partition, as every Kafka client sees them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Offset(pub i64);

/// Counts the Raft entries of a log. The first entry has index 1; 0 means "before the first".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Index(pub u64);

/// The Raft term of a partition, which Kafka calls the leader epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LeaderEpoch(pub i32);

/// What a committed entry is known by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct EntryId {
    /// The entry's place in the Raft log.
    pub index: Index,
    /// The term it was proposed in.
    pub term: LeaderEpoch,
}

/// Milliseconds since the Unix epoch, as Kafka's timestamps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub i64);

/// Milliseconds of a clock that never goes back; its zero is the start of the process or of the simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Monotonic(pub u64);

impl Index {
    /// The index that follows this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Monotonic {
    /// This instant plus `ms` milliseconds.
    pub fn after_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}
