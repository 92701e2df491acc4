//! Which replicas run here: the image says so, and the store has their logs.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::ControllerMachine;
use highwater_core::controller::image::Image;
use highwater_core::data::{self, DataMachine};
use highwater_core::machine::{Entry, Machine};
use highwater_protocol::ids::{EntryId, Offset};
use highwater_storage::entry::{Frame, FrameKind};
use highwater_storage::journal::record::{HardState, LogId};
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::{OpenedLog, Store};
use parking_lot::{Mutex, RwLock};
use raft::eraftpb::ConfState;
use raft::{Config, RawNode};
use uuid::Uuid;

use crate::error::{NodeError, Refusal};
use crate::flush::Flushed;
use crate::limits::{RAFT_INFLIGHT_MESSAGES, RAFT_MESSAGE_BYTES};
use crate::membership::Membership;
use crate::node::{Clock, Node, Shared};
use crate::outbox::Outbox;
use crate::raft_logger::logger;
use crate::raft_storage::RaftStorage;
use crate::replica::{PageCache, Replica, ReplicaKey, panic_text};

/// The name of the controller's log and topic.
pub const CONTROLLER: &str = "__cluster_metadata";
/// The Raft id of the node that forms a cluster, in the controller's group.
const FIRST_RAFT_ID: u64 = 1;

type DataReplica = Arc<Replica<DataMachine>>;

/// What a start found in the store.
#[derive(Default)]
pub(crate) struct Found {
    /// Logs, by name.
    pub(crate) logs: BTreeMap<String, OpenedLog>,
    /// Logs that the journal knows and no folder holds.
    pub(crate) lost: Vec<LogId>,
}

/// The replicas of this node, one typed map per machine.
pub(crate) struct Hosting {
    controller: Arc<Replica<ControllerMachine>>,
    data: RwLock<BTreeMap<(Uuid, i32), DataReplica>>,
    /// One reconciliation at a time; holds the version of the image that is carried out.
    reconciled: Mutex<Option<Arc<Image>>>,
}

impl Hosting {
    /// Opens the controller's replica, or forms its group in an empty directory.
    pub(crate) fn open(store: &Store, shared: &Arc<Shared>, found: &mut Found) -> Result<Self, NodeError> {
        let name = format!("{CONTROLLER}-0");
        let others = found.logs.len() + found.lost.len();
        let found = match found.logs.remove(&name) {
            Some(found) => found,
            None if others == 0 => created(store, &name, FIRST_RAFT_ID)?,
            None => {
                return Err(NodeError::Controller {
                    reason: format!("the directory has {others} logs, but not {name}: restore that log's folder"),
                });
            }
        };
        if let Some(damage) = &found.damage {
            return Err(NodeError::Controller { reason: damage.to_string() });
        }
        let key = ReplicaKey { topic: CONTROLLER.to_owned(), topic_id: Uuid::nil(), partition: 0 };
        let config = Arc::new(TopicConfig::default());
        let start = Start::read(&found, shared)?;
        let controller = built(key, FIRST_RAFT_ID, found.log, start, config, shared)?;
        Ok(Self { controller, data: RwLock::default(), reconciled: Mutex::default() })
    }

    pub(crate) fn controller(&self) -> &Arc<Replica<ControllerMachine>> {
        &self.controller
    }

    pub(crate) fn data(&self, topic: Uuid, partition: i32) -> Option<DataReplica> {
        self.data.read().get(&(topic, partition)).cloned()
    }

    pub(crate) fn replicas(&self) -> Vec<DataReplica> {
        self.data.read().values().cloned().collect()
    }

    /// At start: opens the logs that the image names, removes those it does not name any more.
    pub(crate) fn adopt(
        &self,
        node: &Node,
        found: Found,
        clock: Clock,
        outbox: &mut dyn Outbox,
    ) -> Result<(), NodeError> {
        let lost = found.lost.clone();
        self.carry_out(node, node.image(), found, clock, outbox)?;
        if self.replicas().iter().all(|replica| replica.state().offline.is_none()) {
            // Each partition here has its log: what was lost is of topics that are gone.
            node.store.forget(&lost)?;
        }
        Ok(())
    }

    /// Makes the replicas here what the newest image asks for.
    pub(crate) fn reconcile(&self, node: &Node, clock: Clock, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        self.carry_out(node, node.image(), Found::default(), clock, outbox)
    }

    fn carry_out(
        &self,
        node: &Node,
        image: Arc<Image>,
        mut found: Found,
        clock: Clock,
        outbox: &mut dyn Outbox,
    ) -> Result<(), NodeError> {
        let mut reconciled = self.reconciled.lock();
        if reconciled.as_ref().is_some_and(|done| Arc::ptr_eq(done, &image)) {
            return Ok(());
        }
        let removed = self.remove_absent(node, &image, outbox);
        for topic in image.topics() {
            let config = Arc::new(image.topic_config(&topic.name, node.identity.node_id, &node.options.static_config));
            for partition in &topic.partitions {
                let Some(raft_id) = partition.raft_id_on(node.identity.node_id) else { continue };
                if let Some(here) = self.data(topic.id, partition.index) {
                    if here.configure(Arc::clone(&config)) {
                        // Refused while it does not lead: whoever leads next follows at once.
                        drop(here.submit(data::Request::FollowConfig, clock, outbox));
                    }
                    continue;
                }
                let key = ReplicaKey { topic: topic.name.clone(), topic_id: topic.id, partition: partition.index };
                // One partition that cannot be hosted keeps no other from being so, nor the node from starting.
                let hosted = log_of(node, &key, raft_id, &mut found)
                    .and_then(|log| self.host(node, &key, raft_id, log, Arc::clone(&config), clock, outbox));
                if let Err(error) = hosted {
                    tracing::error!(replica = %key, %error, "the partition cannot be hosted; it is offline until the node restarts");
                }
            }
        }
        let mut orphaned = Ok(());
        for (name, orphan) in found.logs {
            tracing::info!(log = name, "removing the log of a deleted topic");
            orphaned = orphaned.and(node.store.remove_log(orphan.log.id()));
        }
        *reconciled = Some(image);
        removed?;
        Ok(orphaned?)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a replica, each named once")]
    fn host(
        &self,
        node: &Node,
        key: &ReplicaKey,
        raft_id: u64,
        found: OpenedLog,
        config: Arc<TopicConfig>,
        clock: Clock,
        outbox: &mut dyn Outbox,
    ) -> Result<(), NodeError> {
        let place = (key.topic_id, key.partition);
        let start = match &found.damage {
            None => caught(|| Start::read(&found, &node.shared)),
            Some(damage) => Err(damage.to_string()),
        };
        let (start, broken) = match start {
            Ok(start) => (start, None),
            Err(reason) => (Start::nowhere(&found.log, raft_id), Some(reason)),
        };
        let replica: DataReplica = built(key.clone(), raft_id, found.log, start, config, &node.shared)?;
        match broken {
            None => replica.campaign(clock, outbox),
            Some(reason) => {
                tracing::error!(replica = %key, reason, "the log cannot be used; the partition is offline");
                replica.close(Refusal::Offline { reason }, outbox);
            }
        }
        self.data.write().insert(place, replica);
        Ok(())
    }

    fn remove_absent(&self, node: &Node, image: &Image, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        let gone: Vec<DataReplica> = {
            let mut data = self.data.write();
            let places: Vec<_> =
                data.keys().filter(|(topic, _)| image.topic_by_id(*topic).is_none()).copied().collect();
            places.iter().filter_map(|place| data.remove(place)).collect()
        };
        let mut removed = Ok(());
        for replica in gone {
            replica.close(Refusal::Closing, outbox);
            node.shared.forget(replica.log_id());
            node.shared.flush.purge(replica.log_id());
            removed = removed.and(node.store.remove_log(replica.log_id()));
        }
        Ok(removed?)
    }
}

fn log_name(key: &ReplicaKey) -> String {
    format!("{}-{}", key.topic_id, key.partition)
}

/// The log of a replica: found, or new. Where logs are lost nobody knows whose they were, and a log that is not there may be
/// one of them: it is not made anew.
fn log_of(node: &Node, key: &ReplicaKey, raft_id: u64, found: &mut Found) -> Result<OpenedLog, NodeError> {
    let name = log_name(key);
    match found.logs.remove(&name) {
        Some(log) => Ok(log),
        None if found.lost.is_empty() => created(&node.store, &name, raft_id),
        None => Ok(node.store.absent_log(&name, "the folder of the log is gone: put it back, or delete the topic")),
    }
}

/// A new log of a group of one.
fn created(store: &Store, name: &str, raft_id: u64) -> Result<OpenedLog, NodeError> {
    let first = Snapshot {
        id: EntryId::default(),
        next_offset: Offset(0),
        membership: Membership::sole(raft_id).to_bytes(),
        machine: bytes::Bytes::new(),
    };
    let log = store.create_log(name, &first)?;
    Ok(OpenedLog { log, hard_state: HardState::default(), open: None, damage: None })
}

/// Where a replica starts from: what its log and its newest snapshot say.
struct Start<M> {
    machine: M,
    members: ConfState,
    state: raft::eraftpb::HardState,
    /// The entry that the snapshot is as of.
    base: EntryId,
    page_cache: PageCache,
}

impl<M: Machine> Start<M> {
    /// The newest snapshot, then the fold of all that follows.
    fn read(found: &OpenedLog, shared: &Shared) -> Result<Self, NodeError> {
        let OpenedLog { log, hard_state, open, .. } = found;
        let wrong = |reason: String| NodeError::Machine { log: log.name().to_owned(), reason };
        let snapshot =
            log.load_snapshot(log.last().index)?.ok_or_else(|| wrong("it has no snapshot to start from".to_owned()))?;
        let machine = folded::<M>(log, &snapshot).map_err(|error| match error {
            FoldError::Storage(error) => NodeError::Storage(error),
            FoldError::Machine(reason) => wrong(reason),
        })?;
        let membership = Membership::from_bytes(&snapshot.membership).map_err(|error| wrong(error.to_string()))?;
        let last = log.last();
        let page_cache = match open {
            None => PageCache::Closed,
            open if *open == shared.boot => PageCache::Open,
            Some(_) => PageCache::Lost,
        };
        if page_cache == PageCache::Lost {
            tracing::error!(
                log = log.name(),
                next_offset = log.next_offset().0,
                known_committed_index = hard_state.commit,
                last_index = last.index.0,
                "this machine or device is another than before: records behind that offset that were acknowledged from the page cache (flush.mode=os) are lost"
            );
        }
        let mut state = raft::eraftpb::HardState::default();
        let last_term = crate::raft_storage::term_number(last);
        state.term = hard_state.term.max(last_term);
        state.vote = if state.term == hard_state.term { hard_state.vote } else { 0 };
        state.commit = hard_state.commit.max(snapshot.id.index.0).min(last.index.0);
        Ok(Self { machine, members: ConfState::from(&membership), state, base: snapshot.id, page_cache })
    }

    /// For a log that cannot be read: the replica exists, and is offline from the beginning.
    fn nowhere(log: &Log, raft_id: u64) -> Self {
        let base = log.last();
        let term = crate::raft_storage::term_number(base);
        let state = raft::eraftpb::HardState { term, commit: base.index.0, ..Default::default() };
        let members = ConfState::from(&Membership::sole(raft_id));
        Self { machine: M::default(), members, state, base, page_cache: PageCache::Closed }
    }
}

/// Builds a replica.
fn built<M: Machine>(
    key: ReplicaKey,
    raft_id: u64,
    log: Log,
    start: Start<M>,
    config: Arc<TopicConfig>,
    shared: &Arc<Shared>,
) -> Result<Arc<Replica<M>>, NodeError> {
    let applied = start.base.index.0;
    let storage = RaftStorage::new(log, start.state, start.members, start.base);
    let raw = RawNode::new(&raft_config(raft_id, applied), storage, &logger())
        .map_err(|error| NodeError::Machine { log: log_name(&key), reason: error.to_string() })?;
    let replica = Replica::new(key, raw, start.machine, start.page_cache, config, Arc::clone(shared));
    let target: Weak<dyn Flushed> = Arc::downgrade(&(Arc::clone(&replica) as Arc<dyn Flushed>));
    shared.register(replica.log_id(), target);
    Ok(replica)
}

/// What a step says or panics with, as text.
fn caught<T>(step: impl FnOnce() -> Result<T, NodeError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => Err(panic_text(panic.as_ref())),
    }
}

enum FoldError {
    Storage(highwater_storage::error::StorageError),
    Machine(String),
}

fn folded<M: Machine>(log: &Log, snapshot: &Snapshot) -> Result<M, FoldError> {
    let mut machine = if snapshot.machine.is_empty() {
        M::default()
    } else {
        M::load(&snapshot.machine).map_err(|corrupt| FoldError::Machine(corrupt.to_string()))?
    };
    let from = snapshot.id.index.next();
    if from > log.last().index {
        return Ok(machine);
    }
    log.scan(from, log.last().index, &mut |id: EntryId, frame: Frame<'_>| {
        match frame {
            Frame::Batch(header, _) => machine.fold(id, Entry::Batch(&header)),
            Frame::Own { kind: FrameKind::Command, payload, .. } => machine.fold(id, Entry::Command(payload)),
            Frame::Own { .. } => machine.fold(id, Entry::Own),
        };
    })
    .map_err(FoldError::Storage)?;
    Ok(machine)
}

fn raft_config(id: u64, applied: u64) -> Config {
    Config {
        id,
        applied,
        election_tick: 10,
        heartbeat_tick: 2,
        pre_vote: true,
        check_quorum: true,
        batch_append: true,
        max_size_per_msg: RAFT_MESSAGE_BYTES,
        max_inflight_msgs: RAFT_INFLIGHT_MESSAGES,
        ..Config::default()
    }
}
