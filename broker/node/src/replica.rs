//! One log, one raft, one machine, under one lock.
//!
//! Every way in goes through [`Replica::enter`]: it takes the lock, runs one step, carries out what raft asks for,
//! publishes what committed, and gives the lock back. A panic inside (raft's `fatal!` is one) poisons this replica and
//! nothing else.
//!
//! Invariant: applied <= committed <= folded == the last entry of the log.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use highwater_core::cluster::Cluster;
use highwater_core::config::topic::TopicConfig;
use highwater_core::machine::{Append, Leading, Machine, Outcome, Until, Wait};
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Monotonic};
use highwater_storage::entry::{FrameKind, own_frame};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, LogId};
use highwater_storage::log::{LogHandle, Snapshot};
use highwater_storage::reader::LogReader;
use parking_lot::Mutex;
use raft::eraftpb::{Entry as RaftEntry, HardState, Message, MessageType};
use raft::{RawNode, StateRole};
use uuid::Uuid;

use crate::deadlines::Expiring;
use crate::error::Refusal;
use crate::fetch_waiters::FetchWaiters;
use crate::flush::{Flushed, Unflushed};
use crate::node::{Clock, Shared};
use crate::outbox::Outbox;
use crate::raft_storage::RaftStorage;
use crate::ready::journalled;
use crate::replies::{Reached, Replies, Reply};
use crate::view::{Published, Serving};

/// What a replica is called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReplicaKey {
    /// The topic's name, for logs and metrics.
    pub topic: String,
    /// The topic's id.
    pub topic_id: Uuid,
    /// The partition.
    pub partition: i32,
}

/// How a replica is doing, for operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaState {
    /// Bytes in its segment files.
    pub log_bytes: u64,
    /// Segment files.
    pub segments: usize,
    /// Its term.
    pub epoch: LeaderEpoch,
    /// The start found that records which were acknowledged from the page cache are lost.
    pub has_lost: bool,
    /// Why it is offline, if it is.
    pub offline: Option<String>,
}

/// What the page cache alone may have, or may have had, of what was acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PageCache {
    /// Nothing.
    Closed,
    /// What was acknowledged since this machine booted.
    Open,
    /// What was acknowledged before it did.
    Lost,
}

/// A replica of a partition, driven by machine `M`.
pub struct Replica<M: Machine> {
    key: ReplicaKey,
    log: LogHandle,
    reader: LogReader,
    inner: Mutex<Inner<M>>,
    /// What the flusher left here: whoever holds the lock takes it when he gives the lock back.
    left: Left,
    /// Its view is the controller's image, which decides what runs here.
    shows_image: bool,
    /// The start found that records acknowledged from the page cache are lost.
    has_lost: bool,
    published: Published<M::View>,
    waiters: FetchWaiters,
    shared: Arc<Shared>,
}

/// The slot in which the flusher leaves what it has to say, because it waits for no replica's lock.
///
/// It fills the slot, then tries the lock; a holder gives the lock back, then looks into the slot. Between the two steps of
/// each stands a fence, so that one of the two sees the other.
#[derive(Default)]
struct Left {
    /// The newest Ready that is durable.
    flushed: AtomicU64,
    /// The newest Ready that a holder took out.
    taken: AtomicU64,
    /// Why the log cannot be made durable any more.
    failure: Mutex<Option<String>>,
    has_failed: AtomicBool,
}

impl Left {
    fn is_empty(&self) -> bool {
        fence(Ordering::SeqCst);
        self.flushed.load(Ordering::SeqCst) <= self.taken.load(Ordering::SeqCst)
            && !self.has_failed.load(Ordering::SeqCst)
    }

    fn leave_flushed(&self, ready: u64) {
        self.flushed.fetch_max(ready, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    fn leave_failure(&self, reason: String) {
        *self.failure.lock() = Some(reason);
        self.has_failed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    fn take_flushed(&self) -> u64 {
        let flushed = self.flushed.load(Ordering::SeqCst);
        self.taken.store(flushed, Ordering::SeqCst);
        flushed
    }

    fn take_failure(&self) -> Option<String> {
        if self.has_failed.swap(false, Ordering::SeqCst) { self.failure.lock().take() } else { None }
    }
}

/// What the lock guards.
pub(crate) struct Inner<M: Machine> {
    pub(crate) raw: RawNode<RaftStorage>,
    pub(crate) machine: M,
    pub(crate) replies: Replies<M::Reply>,
    /// Views of entries that are not committed yet, in the order of their index, with the bytes each made readable.
    pub(crate) views: VecDeque<PendingView<M::View>>,
    pub(crate) folded: EntryId,
    /// The Readys up to this one are known to raft as durable.
    pub(crate) persisted: u64,
    /// The newest Ready that changed term or vote, or came behind one that the flusher still owes.
    pub(crate) owed_to_flusher: u64,
    /// Term and vote as of the last Ready.
    pub(crate) voted: (u64, u64),
    /// Raft's hard state that no queued record holds yet.
    pub(crate) unqueued_hard_state: Option<HardState>,
    /// Entries lie in the segment that neither a journal record nor a sync covers.
    pub(crate) unjournalled: bool,
    /// The journal says, or is about to, that entries are acknowledged from the page cache of this boot.
    pub(crate) is_open: bool,
    /// Snapshots of the machine as of a roll that is not applied yet.
    pub(crate) rolls: VecDeque<Snapshot>,
    pub(crate) config: Arc<TopicConfig>,
    pub(crate) cluster: Arc<Cluster>,
    /// The machine was told that it leads in this term.
    pub(crate) elected_in: Option<u64>,
    pub(crate) offline: Option<Refusal>,
    outcome: Outcome<M::Reply>,
}

pub(crate) struct PendingView<V> {
    pub(crate) index: Index,
    pub(crate) view: V,
    pub(crate) bytes: usize,
}

impl<M: Machine> Replica<M> {
    pub(crate) fn new(
        key: ReplicaKey,
        raw: RawNode<RaftStorage>,
        machine: M,
        page_cache: PageCache,
        config: Arc<TopicConfig>,
        cluster: Arc<Cluster>,
        shared: Arc<Shared>,
    ) -> Arc<Self> {
        let folded = raw.store().last();
        let shows_image = key.topic == crate::hosting::CONTROLLER;
        let voted = (raw.raft.term, raw.raft.vote);
        let log = raw.store().log.handle();
        let reader = raw.store().log.reader();
        let views = VecDeque::from([PendingView { index: folded.index, view: machine.view(), bytes: 0 }]);
        let inner = Inner {
            raw,
            machine,
            replies: Replies::new(),
            views,
            folded,
            persisted: 0,
            owed_to_flusher: 0,
            voted,
            unqueued_hard_state: None,
            unjournalled: false,
            is_open: page_cache == PageCache::Open,
            rolls: VecDeque::new(),
            config,
            cluster,
            elected_in: None,
            offline: None,
            outcome: Outcome::default(),
        };
        Arc::new(Self {
            key,
            log,
            reader,
            inner: Mutex::new(inner),
            left: Left::default(),
            shows_image,
            has_lost: page_cache == PageCache::Lost,
            published: Published::empty(),
            waiters: FetchWaiters::default(),
            shared,
        })
    }

    /// What it is called.
    pub fn key(&self) -> &ReplicaKey {
        &self.key
    }

    /// Its log's id.
    pub fn log_id(&self) -> LogId {
        self.log.id()
    }

    /// The published view, or `None` while it does not serve.
    pub fn serving(&self) -> Option<Serving<M::View>> {
        self.published.get()
    }

    /// Reads the log without the replica's lock.
    pub fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// A reader found bytes that are not what was written, or cannot read them: this replica serves nothing any more. Where the
    /// process lacks descriptors or memory, only that read failed.
    pub fn read_failed(self: &Arc<Self>, error: &StorageError, outbox: &mut dyn Outbox) {
        if error.is_of_the_process() {
            tracing::error!(replica = %self.key, %error, "a read failed");
        } else {
            Arc::clone(self).poisoned(error.to_string(), outbox);
        }
    }

    /// The fetches that wait here.
    pub fn waiters(&self) -> &FetchWaiters {
        &self.waiters
    }

    /// How it is doing.
    pub fn state(self: &Arc<Self>) -> ReplicaState {
        self.look(|inner| {
            let segments = inner.raw.store().log.segments();
            ReplicaState {
                log_bytes: segments.iter().map(|segment| segment.bytes).sum(),
                segments: segments.len(),
                epoch: inner.epoch(),
                has_lost: self.has_lost,
                offline: inner.offline.as_ref().map(ToString::to_string),
            }
        })
    }

    /// Decides a request and appends what it asks for, before this returns. The reply comes when it may.
    pub fn submit(self: &Arc<Self>, request: M::Request, clock: Clock, outbox: &mut dyn Outbox) -> Reply<M::Reply> {
        self.enter(outbox, |replica, inner, outbox| {
            let (token, reply) = inner.replies.park();
            replica.begin_term_if_elected(inner, clock, outbox);
            if inner.refusal().is_none() {
                replica.roll_if_due(inner, outbox);
            }
            if let Some(refusal) = inner.refusal().or_else(|| replica.shared.flush.refusal()) {
                inner.replies.refuse(token, refusal, outbox);
                return reply;
            }
            let mut outcome = std::mem::take(&mut inner.outcome);
            let (config, cluster) = inner.surroundings();
            let leading = inner.leading(clock, &config, &cluster);
            inner.machine.decide(&leading, request, token, &mut outcome);
            replica.settle(inner, &mut outcome, outbox);
            inner.outcome = outcome;
            reply
        })
        .unwrap_or_else(|| Reply::refused(self.look(|inner| inner.offline.clone()).unwrap_or(Refusal::Closing)))
    }

    /// Stands for election. A sole voter wins at once.
    pub(crate) fn campaign(self: &Arc<Self>, clock: Clock, outbox: &mut dyn Outbox) {
        self.enter(outbox, |replica, inner, outbox| {
            if inner.offline.is_some() {
                return;
            }
            if let Err(error) = inner.raw.campaign() {
                tracing::error!(replica = %replica.key, %error, "cannot stand for election");
            }
            replica.begin_term_if_elected(inner, clock, outbox);
        });
    }

    /// Time passed: the machine's deadline, and what follows from serving.
    pub(crate) fn tick(self: &Arc<Self>, clock: Clock, outbox: &mut dyn Outbox) {
        self.enter(outbox, |replica, inner, outbox| {
            replica.begin_term_if_elected(inner, clock, outbox);
            if inner.refusal().or_else(|| replica.shared.flush.refusal()).is_some() {
                return;
            }
            let mut outcome = std::mem::take(&mut inner.outcome);
            let (config, cluster) = inner.surroundings();
            while inner.machine.deadline().is_some_and(|at| at <= clock.now) {
                let leading = inner.leading(clock, &config, &cluster);
                inner.machine.expire(&leading, &mut outcome);
                let appended = outcome.append.is_some();
                replica.settle(inner, &mut outcome, outbox);
                if !appended {
                    break;
                }
            }
            inner.outcome = outcome;
        });
    }

    /// Closes the active segment, so that retention may take it, when all it holds is older than `retention_ms`.
    pub(crate) fn roll_expired(self: &Arc<Self>, clock: Clock, outbox: &mut dyn Outbox) {
        self.enter(outbox, |replica, inner, outbox| {
            let log = &inner.raw.store().log;
            let newest = log.segments().last().and_then(|segment| segment.max_timestamp);
            let expired = inner.config.retention_ms >= 0
                && newest.is_some_and(|newest| clock.wall.0.saturating_sub(newest.0) > inner.config.retention_ms);
            if inner.refusal().or_else(|| replica.shared.flush.refusal()).is_some() {
                return;
            }
            if expired && log.active_segment_has_records() {
                replica.roll(inner, outbox);
            } else {
                replica.roll_if_due(inner, outbox);
            }
        });
    }

    /// The topic's configuration may have changed, and the cluster around it. Answers whether the flush mode has to follow.
    pub(crate) fn configure(self: &Arc<Self>, config: Arc<TopicConfig>, cluster: Arc<Cluster>) -> bool {
        self.look(|inner| {
            inner.config = config;
            inner.cluster = cluster;
            inner.machine.flush_mode() != inner.config.flush_mode
        })
    }

    /// The configuration in force.
    pub fn config(self: &Arc<Self>) -> Arc<TopicConfig> {
        self.look(|inner| Arc::clone(&inner.config))
    }

    /// Queues what only rides along with other records (Raft's commit), and what the page cache alone has, for a clean stop.
    pub(crate) fn seal(self: &Arc<Self>, outbox: &mut dyn Outbox) {
        self.enter(outbox, |replica, inner, outbox| {
            if inner.offline.is_some() {
                return;
            }
            let mut changes = Vec::new();
            changes.extend(inner.unqueued_hard_state.take().map(|state| Change::HardState(journalled(&state))));
            changes.extend(std::mem::take(&mut inner.is_open).then_some(Change::Closed));
            if !changes.is_empty() {
                let sync_segments = std::mem::take(&mut inner.unjournalled);
                replica.queue(Queued { changes, ready: 0, bytes: 0, sync_segments }, outbox);
            }
        });
    }

    /// The partition goes away, or the node stops: nothing is served from now on.
    pub(crate) fn close(self: &Arc<Self>, refusal: Refusal, outbox: &mut dyn Outbox) {
        self.enter(outbox, |replica, inner, outbox| replica.go_offline(inner, refusal, outbox));
    }

    /// Runs `act` on the log under the lock; for upkeep.
    pub(crate) fn with_log<T>(self: &Arc<Self>, act: impl FnOnce(&mut RaftStorage) -> T) -> T {
        self.look(|inner| act(inner.raw.mut_store()))
    }

    /// One step under the lock, with everything that follows from it. `None`: it panicked, and the replica is offline.
    fn enter<T>(
        self: &Arc<Self>,
        outbox: &mut dyn Outbox,
        act: impl FnOnce(&Self, &mut Inner<M>, &mut dyn Outbox) -> T,
    ) -> Option<T> {
        let mut inner = self.inner.lock();
        let done = self.guarded(&mut inner, outbox, |replica, inner, outbox| {
            replica.take_left(inner, outbox);
            let done = act(replica, inner, outbox);
            replica.pump(inner, outbox);
            replica.publish(inner, outbox);
            done
        });
        self.note_deadline(&inner);
        drop(inner);
        self.pass_on(outbox);
        done
    }

    /// Runs `act` under the lock, where nothing follows from it. Who holds it so has no outbox for what the flusher leaves
    /// meanwhile: that is due at once, and the next tick takes it.
    fn look<T>(self: &Arc<Self>, act: impl FnOnce(&mut Inner<M>) -> T) -> T {
        let done = act(&mut self.inner.lock());
        if !self.left.is_empty() {
            let target: Weak<dyn Expiring> = Arc::downgrade(&(Arc::clone(self) as Arc<dyn Expiring>));
            self.shared.deadlines.set(self.log.id(), Some(Monotonic(0)), target);
        }
        done
    }

    /// Takes what the flusher left, unless somebody holds the lock: he does so when he has given it back.
    fn pass_on(self: &Arc<Self>, outbox: &mut dyn Outbox) {
        while !self.left.is_empty() {
            let Some(mut inner) = self.inner.try_lock() else { return };
            self.guarded(&mut inner, outbox, |replica, inner, outbox| {
                replica.take_left(inner, outbox);
                replica.pump(inner, outbox);
                replica.publish(inner, outbox);
            });
            self.note_deadline(&inner);
        }
    }

    /// Runs a step; a panic takes this replica offline.
    fn guarded<T>(
        &self,
        inner: &mut Inner<M>,
        outbox: &mut dyn Outbox,
        act: impl FnOnce(&Self, &mut Inner<M>, &mut dyn Outbox) -> T,
    ) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(|| act(self, inner, outbox))) {
            Ok(done) => Some(done),
            Err(panic) => {
                let reason = panic_text(panic.as_ref());
                tracing::error!(replica = %self.key, reason, "a step of this replica failed; it is offline until the node restarts");
                self.go_offline(inner, Refusal::Offline { reason }, outbox);
                None
            }
        }
    }

    pub(crate) fn go_offline(&self, inner: &mut Inner<M>, refusal: Refusal, outbox: &mut dyn Outbox) {
        self.published.clear();
        inner.replies.fail_all(&refusal, outbox);
        inner.offline = Some(refusal);
        self.waiters.release(outbox);
        self.shared.deadlines.set(self.log.id(), None, Weak::<Self>::new());
    }

    /// Carries out a decision: appends its entry, and lets its replies wait for what they name.
    fn settle(&self, inner: &mut Inner<M>, outcome: &mut Outcome<M::Reply>, outbox: &mut dyn Outbox) {
        let read_from = inner.folded;
        let own = match outcome.append.take() {
            None => Ok(None),
            Some(append) => self.append(inner, append, outbox).map(Some),
        };
        for (token, until, reply) in outcome.replies.drain(..) {
            let own = match &own {
                Ok(own) => *own,
                Err(refusal) => {
                    inner.replies.refuse(token, refusal.clone(), outbox);
                    continue;
                }
            };
            let resolve = |wait: Wait| match wait {
                Wait::Own => own.unwrap_or(read_from),
                Wait::Folded => read_from,
                Wait::Entry(entry) => entry,
            };
            match until {
                Until::Appended(_) => inner.replies.answer(token, reply, outbox),
                Until::Committed(wait) => inner.replies.hold(token, resolve(wait), 1, reply),
                Until::Copies(wait, copies) => inner.replies.hold(token, resolve(wait), copies, reply),
            }
        }
    }

    /// Proposes one entry, which is in the log when this returns `Ok`.
    fn append(&self, inner: &mut Inner<M>, append: Append, outbox: &mut dyn Outbox) -> Result<EntryId, Refusal> {
        let frame = match append {
            Append::Batch(batch) => BytesMut::freeze(batch),
            Append::Command(payload) => inner.frame(FrameKind::Command, &payload),
        };
        self.propose(inner, frame, outbox)
    }

    fn propose(&self, inner: &mut Inner<M>, frame: Bytes, outbox: &mut dyn Outbox) -> Result<EntryId, Refusal> {
        let expected = EntryId { index: inner.folded.index.next(), term: inner.epoch() };
        let entry = RaftEntry { data: frame, ..RaftEntry::default() };
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgPropose);
        message.from = inner.raw.raft.id;
        message.set_entries(vec![entry].into());
        if let Err(error) = inner.raw.step(message) {
            tracing::warn!(replica = %self.key, %error, "raft dropped a proposal");
            return Err(Refusal::NotLeader { epoch: inner.epoch() });
        }
        self.pump(inner, outbox);
        if let Some(refusal) = &inner.offline {
            return Err(refusal.clone());
        }
        assert!(inner.folded == expected, "the entry proposed as {expected:?} was folded as {:?}", inner.folded);
        Ok(expected)
    }

    /// Opens a new segment when the active one is full or old: the roll is an entry like any other.
    fn roll_if_due(&self, inner: &mut Inner<M>, outbox: &mut dyn Outbox) {
        let log = &inner.raw.store().log;
        if !log.active_segment_has_records() {
            return;
        }
        let full = log.active_segment_bytes() >= inner.config.segment_bytes;
        // What waits for compaction must not wait in an open segment.
        let longest = if inner.config.compacts() { inner.config.max_compaction_lag_ms } else { i64::MAX };
        let old = log.active_segment_span() > inner.config.segment_ms.min(longest);
        if full || old {
            self.roll(inner, outbox);
        }
    }

    fn roll(&self, inner: &mut Inner<M>, outbox: &mut dyn Outbox) {
        let frame = inner.frame(FrameKind::Roll, &[]);
        if let Err(error) = self.propose(inner, frame, outbox) {
            tracing::warn!(replica = %self.key, %error, "cannot roll");
        }
    }

    /// Tells the machine once per term that it leads, as soon as an entry of its own term is committed.
    fn begin_term_if_elected(&self, inner: &mut Inner<M>, clock: Clock, outbox: &mut dyn Outbox) {
        if !inner.begins_term() {
            return;
        }
        inner.elected_in = Some(inner.raw.raft.term);
        let mut outcome = std::mem::take(&mut inner.outcome);
        let (config, cluster) = inner.surroundings();
        let leading = inner.leading(clock, &config, &cluster);
        inner.machine.elected(&leading, &mut outcome);
        self.settle(inner, &mut outcome, outbox);
        inner.outcome = outcome;
    }

    /// Publishes the view that commit has reached, and fires the replies that waited for it.
    fn publish(&self, inner: &mut Inner<M>, outbox: &mut dyn Outbox) {
        if inner.offline.is_some() {
            return;
        }
        if inner.raw.raft.state != StateRole::Leader {
            self.step_down(inner, outbox);
            return;
        }
        let committed = Index(inner.raw.raft.raft_log.committed);
        let mut reached = None;
        let mut readable = 0;
        while inner.views.front().is_some_and(|pending| pending.index <= committed) {
            if let Some(pending) = inner.views.pop_front() {
                readable += pending.bytes;
                reached = Some(pending.view);
            }
        }
        if !inner.raw.raft.commit_to_current_term() {
            // Kept for the moment at which an entry of this term commits.
            if let Some(view) = reached {
                inner.views.push_front(PendingView { index: committed, view, bytes: readable });
            }
            return;
        }
        let epoch = inner.epoch();
        if let Some(view) = reached {
            if self.published.set(view, epoch) {
                self.shared.serving_began(outbox);
            }
            if self.shows_image {
                outbox.image_changed();
            }
        }
        if readable > 0 {
            self.waiters.add(readable, outbox);
        }
        inner.release_replies(outbox);
    }

    fn step_down(&self, inner: &mut Inner<M>, outbox: &mut dyn Outbox) {
        if inner.elected_in.take().is_some() {
            inner.machine.deposed();
        }
        if self.published.is_serving() {
            self.published.clear();
            self.waiters.release(outbox);
        }
        let refusal = Refusal::NotLeader { epoch: inner.epoch() };
        inner.replies.fail_all(&refusal, outbox);
    }

    /// Passes on to raft what the flusher made durable, or goes offline where it could not.
    fn take_left(&self, inner: &mut Inner<M>, outbox: &mut dyn Outbox) {
        if let Some(reason) = self.left.take_failure()
            && inner.offline.is_none()
        {
            tracing::error!(replica = %self.key, reason, "the log cannot be used; this replica is offline until the node restarts");
            self.go_offline(inner, Refusal::Offline { reason }, outbox);
        }
        let flushed = self.left.take_flushed();
        if flushed > inner.persisted {
            inner.persisted = flushed;
            if inner.offline.is_none() {
                inner.raw.on_persist_ready(flushed);
            }
        }
    }

    /// Hands changes of the log and of the hard state to the flusher.
    pub(crate) fn queue(&self, unflushed: Queued, outbox: &mut dyn Outbox) {
        let Some(target) = self.shared.target(self.log.id()) else { return };
        self.shared.flush.push(Unflushed {
            target,
            log: self.log.clone(),
            changes: unflushed.changes,
            ready: unflushed.ready,
            bytes: unflushed.bytes,
            sync_segments: unflushed.sync_segments,
        });
        outbox.nudge_flusher();
    }

    fn note_deadline(self: &Arc<Self>, inner: &Inner<M>) {
        if inner.offline.is_none() {
            let target: Weak<dyn Expiring> = Arc::downgrade(&(Arc::clone(self) as Arc<dyn Expiring>));
            // A term that the machine was not told of is due at once: the flusher, who made it serve, knows no clock.
            let at = if inner.begins_term() { Some(Monotonic(0)) } else { inner.machine.deadline() };
            self.shared.deadlines.set(self.log.id(), at, target);
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// What a replica hands to the flusher.
pub(crate) struct Queued {
    pub(crate) changes: Vec<Change>,
    pub(crate) ready: u64,
    pub(crate) bytes: usize,
    pub(crate) sync_segments: bool,
}

impl<M: Machine> Inner<M> {
    pub(crate) fn epoch(&self) -> LeaderEpoch {
        LeaderEpoch(i32::try_from(self.raw.raft.term).unwrap_or(i32::MAX))
    }

    /// Why it takes no request now, if so.
    fn refusal(&self) -> Option<Refusal> {
        if let Some(refusal) = &self.offline {
            return Some(refusal.clone());
        }
        let serves = self.raw.raft.state == StateRole::Leader && self.raw.raft.commit_to_current_term();
        (!serves).then(|| Refusal::NotLeader { epoch: self.epoch() })
    }

    /// It serves in a term that the machine has not been told of.
    fn begins_term(&self) -> bool {
        self.refusal().is_none() && self.elected_in != Some(self.raw.raft.term)
    }

    /// What a decision sees beside the machine's own state.
    fn surroundings(&self) -> (Arc<TopicConfig>, Arc<Cluster>) {
        (Arc::clone(&self.config), Arc::clone(&self.cluster))
    }

    fn leading<'a>(&self, clock: Clock, config: &'a TopicConfig, cluster: &'a Cluster) -> Leading<'a> {
        let voters = self.raw.raft.prs().conf().voters().ids().iter().count();
        Leading {
            now: clock.now,
            wall: clock.wall,
            epoch: self.epoch(),
            folded: self.folded,
            caught_up: self.caught_up(),
            voters,
            config,
            cluster,
        }
    }

    /// Voters that hold all that is committed, this one among them.
    fn caught_up(&self) -> usize {
        let prs = self.raw.raft.prs();
        let committed = self.raw.raft.raft_log.committed;
        let own = self.raw.raft.id;
        let voters = prs.conf().voters();
        prs.iter()
            .filter(|(id, progress)| voters.contains(**id) && (**id == own || progress.matched >= committed))
            .count()
    }

    /// A frame of our own for the next index.
    fn frame(&self, kind: FrameKind, payload: &[u8]) -> Bytes {
        let id = EntryId { index: self.folded.index.next(), term: self.epoch() };
        own_frame(kind, id, self.raw.store().log.next_offset(), payload)
    }

    fn release_replies(&mut self, outbox: &mut dyn Outbox) {
        let epoch = self.epoch();
        let raft = &self.raw.raft;
        let log = &self.raw.store().log;
        let reached = Reached {
            committed: Index(raft.raft_log.committed),
            settled: self.raw.store().base().index,
            durable_on: &|copies| durable_on(raft, copies),
            term_at: &|index| log.term_at(index),
        };
        self.replies.release(&reached, epoch, outbox);
    }
}

/// The highest index that `copies` voters hold durably.
fn durable_on(raft: &raft::Raft<RaftStorage>, copies: usize) -> Index {
    let voters = raft.prs().conf().voters();
    let mut matched: Vec<u64> =
        raft.prs().iter().filter(|(id, _)| voters.contains(**id)).map(|(_, progress)| progress.matched).collect();
    matched.sort_unstable_by(|one, other| other.cmp(one));
    Index(matched.get(copies.saturating_sub(1)).copied().unwrap_or(0))
}

impl<M: Machine> Flushed for Replica<M> {
    fn flushed(self: Arc<Self>, ready: u64, outbox: &mut dyn Outbox) {
        self.left.leave_flushed(ready);
        self.pass_on(outbox);
    }

    fn poisoned(self: Arc<Self>, reason: String, outbox: &mut dyn Outbox) {
        self.left.leave_failure(reason);
        self.pass_on(outbox);
    }
}

impl<M: Machine> Expiring for Replica<M> {
    fn expire(self: Arc<Self>, clock: Clock, outbox: &mut dyn Outbox) {
        self.tick(clock, outbox);
    }
}

impl std::fmt::Display for ReplicaKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.topic, self.partition)
    }
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else {
        "a panic without a text".to_owned()
    }
}
