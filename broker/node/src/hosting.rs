//! Which replicas run here: the image says so, and the store has their logs.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::ControllerMachine;
use highwater_core::controller::image::Image;
use highwater_core::data::DataMachine;
use highwater_core::machine::{Entry, Machine};
use highwater_protocol::ids::{EntryId, Offset};
use highwater_storage::entry::{Frame, FrameKind};
use highwater_storage::journal::record::HardState;
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
use crate::replica::{Replica, ReplicaKey};

/// The name of the controller's log and topic.
const CONTROLLER: &str = "__cluster_metadata";
/// The Raft id of the node that forms a cluster, in the controller's group.
const FIRST_RAFT_ID: u64 = 1;

type DataReplica = Arc<Replica<DataMachine>>;

/// The replicas of this node, one typed map per machine.
pub(crate) struct Hosting {
    controller: Arc<Replica<ControllerMachine>>,
    data: RwLock<BTreeMap<(Uuid, i32), DataReplica>>,
    /// One reconciliation at a time; holds the version of the image that is carried out.
    reconciled: Mutex<Option<Arc<Image>>>,
}

impl Hosting {
    /// Opens the controller's replica, or forms its group in an empty directory.
    pub(crate) fn open(
        store: &Store,
        shared: &Arc<Shared>,
        logs: &mut BTreeMap<String, OpenedLog>,
    ) -> Result<Self, NodeError> {
        let name = format!("{CONTROLLER}-0");
        let found = match logs.remove(&name) {
            Some(found) => found,
            None if logs.is_empty() => created(store, &name, FIRST_RAFT_ID)?,
            None => {
                return Err(NodeError::Controller {
                    reason: format!(
                        "the directory holds {} logs, but not {name}: restore that log's folder",
                        logs.len()
                    ),
                });
            }
        };
        if let Some(damage) = found.damage {
            return Err(NodeError::Controller { reason: damage.to_string() });
        }
        let key = ReplicaKey { topic: CONTROLLER.to_owned(), topic_id: Uuid::nil(), partition: 0 };
        let config = Arc::new(TopicConfig::default());
        let controller = open_replica(key, FIRST_RAFT_ID, found.log, found.hard_state, config, shared)?;
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
        logs: BTreeMap<String, OpenedLog>,
        clock: Clock,
        outbox: &mut dyn Outbox,
    ) -> Result<(), NodeError> {
        self.carry_out(node, node.image(), logs, clock, outbox)
    }

    /// Makes the replicas here what the newest image asks for.
    pub(crate) fn reconcile(&self, node: &Node, clock: Clock, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        self.carry_out(node, node.image(), BTreeMap::new(), clock, outbox)
    }

    fn carry_out(
        &self,
        node: &Node,
        image: Arc<Image>,
        mut logs: BTreeMap<String, OpenedLog>,
        clock: Clock,
        outbox: &mut dyn Outbox,
    ) -> Result<(), NodeError> {
        let mut reconciled = self.reconciled.lock();
        if reconciled.as_ref().is_some_and(|done| Arc::ptr_eq(done, &image)) {
            return Ok(());
        }
        self.remove_absent(node, &image, outbox)?;
        for topic in image.topics() {
            let config = Arc::new(image.topic_config(&topic.name, node.identity.node_id, &node.options.static_config));
            for partition in &topic.partitions {
                let Some(raft_id) = partition.raft_id_on(node.identity.node_id) else { continue };
                if let Some(here) = self.data(topic.id, partition.index) {
                    here.configure(Arc::clone(&config));
                    continue;
                }
                let key = ReplicaKey { topic: topic.name.clone(), topic_id: topic.id, partition: partition.index };
                let found = logs.remove(&log_name(&key));
                self.host(node, key, raft_id, found, Arc::clone(&config), clock, outbox)?;
            }
        }
        for (name, orphan) in logs {
            tracing::info!(log = name, "removing the log of a deleted topic");
            node.store.remove_log(orphan.log.id())?;
        }
        *reconciled = Some(image);
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a replica, each named once")]
    fn host(
        &self,
        node: &Node,
        key: ReplicaKey,
        raft_id: u64,
        found: Option<OpenedLog>,
        config: Arc<TopicConfig>,
        clock: Clock,
        outbox: &mut dyn Outbox,
    ) -> Result<(), NodeError> {
        let found = match found {
            Some(found) => found,
            None => created(&node.store, &log_name(&key), raft_id)?,
        };
        let place = (key.topic_id, key.partition);
        let damage = found.damage;
        let replica: DataReplica = open_replica(key, raft_id, found.log, found.hard_state, config, &node.shared)?;
        match damage {
            None => replica.campaign(clock, outbox),
            Some(damage) => {
                tracing::error!(replica = %replica.key(), %damage, "the log is damaged; the partition is offline");
                replica.close(Refusal::Offline { reason: damage.to_string() }, outbox);
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
        for replica in gone {
            replica.close(Refusal::Closing, outbox);
            node.shared.forget(replica.log_id());
            node.store.remove_log(replica.log_id())?;
        }
        Ok(())
    }
}

fn log_name(key: &ReplicaKey) -> String {
    format!("{}-{}", key.topic_id, key.partition)
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
    Ok(OpenedLog { log, hard_state: HardState::default(), damage: None })
}

/// Builds a replica from its log: the newest snapshot, then the fold of all that follows.
fn open_replica<M: Machine>(
    key: ReplicaKey,
    raft_id: u64,
    log: Log,
    hard_state: HardState,
    config: Arc<TopicConfig>,
    shared: &Arc<Shared>,
) -> Result<Arc<Replica<M>>, NodeError> {
    let wrong = |reason: String| NodeError::Machine { log: log.name().to_owned(), reason };
    let snapshot =
        log.load_snapshot(log.last().index)?.ok_or_else(|| wrong("it has no snapshot to start from".to_owned()))?;
    let machine = folded::<M>(&log, &snapshot).map_err(|error| match error {
        FoldError::Storage(error) => NodeError::Storage(error),
        FoldError::Machine(reason) => wrong(reason),
    })?;
    let membership = Membership::from_bytes(&snapshot.membership).map_err(|error| wrong(error.to_string()))?;
    let last = log.last();
    let mut state = raft::eraftpb::HardState::default();
    let last_term = crate::raft_storage::term_number(last);
    state.term = hard_state.term.max(last_term);
    state.vote = if state.term == hard_state.term { hard_state.vote } else { 0 };
    state.commit = hard_state.commit.max(snapshot.id.index.0).min(last.index.0);
    let applied = snapshot.id.index.0;
    let storage = RaftStorage::new(log, state, ConfState::from(&membership), snapshot.id);
    let raw = RawNode::new(&raft_config(raft_id, applied), storage, &logger())
        .map_err(|error| NodeError::Machine { log: log_name(&key), reason: error.to_string() })?;
    let replica = Replica::new(key, raw, machine, config, Arc::clone(shared));
    let target: Weak<dyn Flushed> = Arc::downgrade(&(Arc::clone(&replica) as Arc<dyn Flushed>));
    shared.register(replica.log_id(), target);
    Ok(replica)
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
