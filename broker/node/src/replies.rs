//! Requests of one replica that wait for their answer: parked until the machine names them, then held until the entry
//! that the answer depends on is committed.
//!
//! Invariant: `waiting` is ordered by index, and every sender is fired exactly once.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use highwater_core::machine::Token;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch};

use crate::error::Refusal;
use crate::outbox::Outbox;

type Answer<R> = Result<R, Refusal>;

/// The answer to come. Dropping it gives up waiting, not the request.
pub struct Reply<R>(oneshot::Receiver<Answer<R>>);

impl<R> Reply<R> {
    /// A refusal that is known already.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        let (sender, receiver) = oneshot::channel();
        // The receiver is at hand, so the answer arrives.
        drop(sender.send(Err(refusal)));
        Self(receiver)
    }
}

impl<R> Future for Reply<R> {
    type Output = Answer<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Refusal::Closing)))
    }
}

struct Waiting<R> {
    entry: EntryId,
    copies: usize,
    sender: oneshot::Sender<Answer<R>>,
    reply: R,
}

pub(crate) struct Replies<R> {
    next: u64,
    parked: BTreeMap<Token, oneshot::Sender<Answer<R>>>,
    waiting: VecDeque<Waiting<R>>,
}

/// How far the log has come, as replies see it.
pub(crate) struct Reached<'a> {
    pub(crate) committed: Index,
    /// Entries up to this one are in a snapshot that counts: what was folded into it is what committed, though the log may
    /// hold them no more.
    pub(crate) settled: Index,
    /// The highest index that this many voters hold durably.
    pub(crate) durable_on: &'a dyn Fn(usize) -> Index,
    pub(crate) term_at: &'a dyn Fn(Index) -> Option<LeaderEpoch>,
}

impl<R: Send + 'static> Replies<R> {
    pub(crate) fn new() -> Self {
        Self { next: 0, parked: BTreeMap::new(), waiting: VecDeque::new() }
    }

    pub(crate) fn park(&mut self) -> (Token, Reply<R>) {
        let (sender, receiver) = oneshot::channel();
        self.next += 1;
        let token = Token(self.next);
        self.parked.insert(token, sender);
        (token, Reply(receiver))
    }

    /// An answer that waits for nothing any more.
    pub(crate) fn answer(&mut self, token: Token, reply: R, outbox: &mut dyn Outbox) {
        if let Some(sender) = self.parked.remove(&token) {
            fire(sender, Ok(reply), outbox);
        }
    }

    /// An answer that waits for `entry` to commit, and for `copies` voters to hold it.
    pub(crate) fn hold(&mut self, token: Token, entry: EntryId, copies: usize, reply: R) {
        let Some(sender) = self.parked.remove(&token) else { return };
        let place = self.waiting.partition_point(|other| other.entry.index <= entry.index);
        self.waiting.insert(place, Waiting { entry, copies, sender, reply });
    }

    pub(crate) fn refuse(&mut self, token: Token, refusal: Refusal, outbox: &mut dyn Outbox) {
        if let Some(sender) = self.parked.remove(&token) {
            fire(sender, Err(refusal), outbox);
        }
    }

    /// Fires what has been reached; what committed under another term fails.
    pub(crate) fn release(&mut self, reached: &Reached<'_>, epoch: LeaderEpoch, outbox: &mut dyn Outbox) {
        let mut kept = VecDeque::new();
        while let Some(first) = self.waiting.front() {
            if first.entry.index > reached.committed {
                break;
            }
            let Some(waiting) = self.waiting.pop_front() else { break };
            let is_lost = waiting.entry.index > reached.settled
                && (reached.term_at)(waiting.entry.index) != Some(waiting.entry.term);
            if is_lost {
                fire(waiting.sender, Err(Refusal::NotLeader { epoch }), outbox);
            } else if waiting.copies <= 1 || (reached.durable_on)(waiting.copies) >= waiting.entry.index {
                fire(waiting.sender, Ok(waiting.reply), outbox);
            } else {
                kept.push_back(waiting);
            }
        }
        kept.append(&mut self.waiting);
        self.waiting = kept;
    }

    /// Leadership or the replica is gone: everybody hears so.
    pub(crate) fn fail_all(&mut self, refusal: &Refusal, outbox: &mut dyn Outbox) {
        for (_, sender) in std::mem::take(&mut self.parked) {
            fire(sender, Err(refusal.clone()), outbox);
        }
        for waiting in std::mem::take(&mut self.waiting) {
            fire(waiting.sender, Err(refusal.clone()), outbox);
        }
    }
}

fn fire<R: Send + 'static>(sender: oneshot::Sender<Answer<R>>, answer: Answer<R>, outbox: &mut dyn Outbox) {
    // Whoever gave up waiting dropped the receiver, which is no error here.
    outbox.fire(Box::new(move || drop(sender.send(answer))));
}
