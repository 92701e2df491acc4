//! What every replicated thing is: a machine that decides on the leader and folds on every replica.
//!
//! The caller's duties:
//! 1. `decide`, `expire` and `elected` are called only on the serving leader, one at a time, and the entry that one of
//!    them asks for is appended and folded before the next call.
//! 2. `fold` sees every entry of the log once, in order, on leader and followers alike, and is the only thing that
//!    changes what `save` writes.
//! 3. A view that `fold` yields is published when commit reaches its entry, never earlier.
//! 4. A reply or effect leaves only when what its `Until` names has happened; if that can no longer happen it fails.

use bytes::{Bytes, BytesMut};
use highwater_protocol::ids::{EntryId, LeaderEpoch, Monotonic, Timestamp};
use highwater_protocol::records::batch::BatchHeader;

use crate::cluster::Cluster;
use crate::config::topic::{FlushMode, TopicConfig};

/// Names a parked request within one replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Token(pub u64);

/// What the replica knows and a machine may not ask for.
pub struct Leading<'a> {
    /// The clock that never goes back.
    pub now: Monotonic,
    /// The wall clock: data, never used for safety.
    pub wall: Timestamp,
    /// The term this replica leads in.
    pub epoch: LeaderEpoch,
    /// The last entry folded.
    pub folded: EntryId,
    /// Voters that are caught up, the leader among them.
    pub caught_up: usize,
    /// Voters in all.
    pub voters: usize,
    /// The topic's configuration in force.
    pub config: &'a TopicConfig,
    /// The cluster around it, for a machine that has to know it.
    pub cluster: &'a Cluster,
}

/// What an append holds.
pub enum Append {
    /// A batch that takes offsets. `decide` has stamped base offset and leader epoch into it.
    Batch(BytesMut),
    /// A command of the machine's own, which takes no offset.
    Command(Bytes),
}

/// Which entry a reply waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// The entry that this call appends.
    Own,
    /// The last entry folded before this call: the answer was read from state.
    Folded,
    /// An earlier entry, as for a duplicate.
    Entry(EntryId),
}

/// What has to happen to that entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// It is in the leader's own log (acks=1).
    Appended(Wait),
    /// It is committed.
    Committed(Wait),
    /// It is committed, and durable on that many voters (`min.insync.replicas`).
    Copies(Wait, usize),
}

/// What a decision asks for. The replica's, cleared and used again.
pub struct Outcome<R> {
    /// At most one entry.
    pub append: Option<Append>,
    /// Replies; a token that no call names stays parked.
    pub replies: Vec<(Token, Until, R)>,
}

impl<R> Default for Outcome<R> {
    fn default() -> Self {
        Self { append: None, replies: Vec::new() }
    }
}

/// An entry as `fold` sees it.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// A batch of records: its header, and its bytes for a machine that [`Machine::READS_RECORDS`].
    Batch(&'a BatchHeader, &'a [u8]),
    /// A command of this machine.
    Command(&'a [u8]),
    /// A leader's first entry, a membership change or a roll: nothing to a machine but its place.
    Own,
}

/// A snapshot that does not decode.
#[derive(Debug, thiserror::Error)]
#[error("{machine} snapshot does not decode: {reason}")]
pub struct Corrupt {
    /// Which machine.
    pub machine: &'static str,
    /// What was wrong.
    pub reason: String,
}

/// One of the four machines.
pub trait Machine: Default + Send + 'static {
    /// What a client or the node asks for.
    type Request: Send;
    /// What it gets.
    type Reply: Send;
    /// What readers see, as of an entry.
    type View: Clone + Send + Sync;
    /// Whether `fold` looks into batches: where it does not, their headers are all it is shown at a start.
    const READS_RECORDS: bool = false;

    /// Decides one request: at most one entry, and replies that wait.
    fn decide(&mut self, at: &Leading<'_>, request: Self::Request, token: Token, out: &mut Outcome<Self::Reply>);
    /// Does what time asks for: called when `deadline` has passed. May append one entry; called again while due.
    fn expire(&mut self, at: &Leading<'_>, out: &mut Outcome<Self::Reply>);
    /// Leadership begins: sets timers, derives unfinished effects anew.
    fn elected(&mut self, at: &Leading<'_>, out: &mut Outcome<Self::Reply>);
    /// Leadership ends: soft state goes.
    fn deposed(&mut self);
    /// When `expire` wants to be called.
    fn deadline(&self) -> Option<Monotonic>;
    /// Takes one entry of the log. Returns the view as of it, if it changed.
    fn fold(&mut self, at: EntryId, entry: Entry<'_>) -> Option<Self::View>;
    /// What makes an entry durable, as of the last one folded.
    fn flush_mode(&self) -> FlushMode {
        FlushMode::Fsync
    }
    /// The view as of the last entry folded.
    fn view(&self) -> Self::View;
    /// Serialises what was folded.
    fn save(&self, out: &mut Vec<u8>);
    /// The inverse of `save`.
    fn load(bytes: &[u8]) -> Result<Self, Corrupt>;
}
