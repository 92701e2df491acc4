//! Which replicas run here: the image says so, and the store has their logs.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use highwater_core::cluster::Cluster;
use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::ControllerMachine;
use highwater_core::controller::image::Image;
use highwater_core::data::{self, DataMachine};
use highwater_core::group::{self, GroupMachine, OFFSETS_TOPIC};
use highwater_core::machine::{Entry, Machine};
use highwater_core::view::View;
use highwater_protocol::ids::{EntryId, Offset};
use highwater_storage::entry::{Frame, FrameKind};
use highwater_storage::journal::record::{HardState, LogId};
use highwater_storage::log::{Batches, Log, Snapshot};
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
use crate::partition::Partition;
use crate::raft_logger::logger;
use crate::raft_storage::RaftStorage;
use crate::replica::{PageCache, Replica, ReplicaKey, panic_text};

/// The name of the controller's log and topic.
pub const CONTROLLER: &str = "__cluster_metadata";
/// The Raft id of the node that forms a cluster, in the controller's group.
const FIRST_RAFT_ID: u64 = 1;

/// The replicas of one machine, by topic and partition.
type Replicas<M> = RwLock<BTreeMap<(Uuid, i32), Arc<Replica<M>>>>;

/// A machine whose replicas are made and removed as the image says.
trait Hosted: Machine<View = View> {
    fn replicas(hosting: &Hosting) -> &Replicas<Self>;
    /// The request by which it follows what changed around it, if there is something to follow.
    fn follow(flush_mode_differs: bool) -> Option<Self::Request>;
}

impl Hosted for DataMachine {
    fn replicas(hosting: &Hosting) -> &Replicas<Self> {
        &hosting.data
    }

    fn follow(flush_mode_differs: bool) -> Option<data::Request> {
        flush_mode_differs.then_some(data::Request::FollowConfig)
    }
}

impl Hosted for GroupMachine {
    fn replicas(hosting: &Hosting) -> &Replicas<Self> {
        &hosting.groups
    }

    fn follow(_: bool) -> Option<group::Request> {
        Some(group::Request::FollowCluster)
    }
}

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
    data: Replicas<DataMachine>,
    groups: Replicas<GroupMachine>,
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
        let start = Start::read(&found, shared)?;
        let around = Around { config: Arc::default(), cluster: Arc::default() };
        let controller = built(key, FIRST_RAFT_ID, found.log, start, around, shared)?;
        Ok(Self { controller, data: RwLock::default(), groups: RwLock::default(), reconciled: Mutex::default() })
    }

    pub(crate) fn controller(&self) -> &Arc<Replica<ControllerMachine>> {
        &self.controller
    }

    pub(crate) fn data(&self, topic: Uuid, partition: i32) -> Option<Arc<Replica<DataMachine>>> {
        self.data.read().get(&(topic, partition)).cloned()
    }

    pub(crate) fn group(&self, topic: Uuid, partition: i32) -> Option<Arc<Replica<GroupMachine>>> {
        self.groups.read().get(&(topic, partition)).cloned()
    }

    pub(crate) fn partition(&self, topic: Uuid, partition: i32) -> Option<Arc<dyn Partition>> {
        let data = self.data(topic, partition).map(|replica| replica as Arc<dyn Partition>);
        data.or_else(|| self.group(topic, partition).map(|replica| replica as Arc<dyn Partition>))
    }

    pub(crate) fn all_data(&self) -> Vec<Arc<Replica<DataMachine>>> {
        self.data.read().values().cloned().collect()
    }

    pub(crate) fn all_groups(&self) -> Vec<Arc<Replica<GroupMachine>>> {
        self.groups.read().values().cloned().collect()
    }

    pub(crate) fn partitions(&self) -> Vec<Arc<dyn Partition>> {
        let data = self.all_data().into_iter().map(|replica| replica as Arc<dyn Partition>);
        data.chain(self.all_groups().into_iter().map(|replica| replica as Arc<dyn Partition>)).collect()
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
        if self.partitions().into_iter().all(|partition| partition.state().offline.is_none()) {
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
        let removed = self.remove_absent::<DataMachine>(node, &image, outbox);
        let removed = removed.and(self.remove_absent::<GroupMachine>(node, &image, outbox));
        let node_id = node.identity.node_id;
        let cluster = Arc::new(Cluster::new(Arc::clone(&image), node_id, &node.options.static_config));
        for topic in image.topics() {
            let config = Arc::new(image.topic_config(&topic.name, node_id, &node.options.static_config));
            let around = Around { config, cluster: Arc::clone(&cluster) };
            for partition in &topic.partitions {
                let Some(raft_id) = partition.raft_id_on(node_id) else { continue };
                let key = ReplicaKey { topic: topic.name.clone(), topic_id: topic.id, partition: partition.index };
                let place = Place { node, key, raft_id, around: around.clone() };
                if topic.name == OFFSETS_TOPIC {
                    self.follow_or_host::<GroupMachine>(place, &mut found, clock, outbox);
                } else {
                    self.follow_or_host::<DataMachine>(place, &mut found, clock, outbox);
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

    /// A replica that is here follows what changed around it; one that is not is opened or made. One partition that cannot be
    /// hosted keeps no other from being so, nor the node from starting.
    fn follow_or_host<M: Hosted>(&self, place: Place<'_>, found: &mut Found, clock: Clock, outbox: &mut dyn Outbox) {
        let here = M::replicas(self).read().get(&(place.key.topic_id, place.key.partition)).cloned();
        if let Some(here) = here {
            let Around { config, cluster } = place.around;
            if let Some(request) = M::follow(here.configure(config, cluster)) {
                // Refused while it does not lead: whoever leads next follows at once.
                drop(here.submit(request, clock, outbox));
            }
            return;
        }
        let key = place.key.clone();
        let hosted = log_of(&place, found).and_then(|log| self.host::<M>(place, log, clock, outbox));
        if let Err(error) = hosted {
            tracing::error!(replica = %key, %error, "the partition cannot be hosted; it is offline until the node restarts");
        }
    }

    fn host<M: Hosted>(
        &self,
        place: Place<'_>,
        found: OpenedLog,
        clock: Clock,
        outbox: &mut dyn Outbox,
    ) -> Result<(), NodeError> {
        let Place { node, key, raft_id, around } = place;
        let start = match &found.damage {
            None => caught(|| Start::<M>::read(&found, &node.shared)),
            Some(damage) => Err(damage.to_string()),
        };
        let (start, broken) = match start {
            Ok(start) => (start, None),
            Err(reason) => (Start::nowhere(&found.log, raft_id), Some(reason)),
        };
        let here = (key.topic_id, key.partition);
        let replica = built(key.clone(), raft_id, found.log, start, around, &node.shared)?;
        match broken {
            None => Replica::campaign(&replica, clock, outbox),
            Some(reason) => {
                tracing::error!(replica = %key, reason, "the log cannot be used; the partition is offline");
                Replica::close(&replica, Refusal::Offline { reason }, outbox);
            }
        }
        M::replicas(self).write().insert(here, replica);
        Ok(())
    }

    fn remove_absent<M: Hosted>(&self, node: &Node, image: &Image, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        let gone: Vec<_> = {
            let mut replicas = M::replicas(self).write();
            let places: Vec<_> =
                replicas.keys().filter(|(topic, _)| image.topic_by_id(*topic).is_none()).copied().collect();
            places.iter().filter_map(|place| replicas.remove(place)).collect()
        };
        let mut removed = Ok(());
        for replica in gone {
            Replica::close(&replica, Refusal::Closing, outbox);
            node.shared.forget(replica.log_id());
            node.shared.flush.purge(replica.log_id());
            removed = removed.and(node.store.remove_log(replica.log_id()));
        }
        Ok(removed?)
    }
}

/// What a replica sees around it.
#[derive(Clone)]
struct Around {
    config: Arc<TopicConfig>,
    cluster: Arc<Cluster>,
}

/// A replica that the image puts here.
struct Place<'a> {
    node: &'a Node,
    key: ReplicaKey,
    raft_id: u64,
    around: Around,
}

fn log_name(key: &ReplicaKey) -> String {
    format!("{}-{}", key.topic_id, key.partition)
}

/// The log of a replica: found, or new. Where logs are lost nobody knows whose they were, and a log that is not there may be
/// one of them: it is not made anew.
fn log_of(place: &Place<'_>, found: &mut Found) -> Result<OpenedLog, NodeError> {
    let name = log_name(&place.key);
    match found.logs.remove(&name) {
        Some(log) => Ok(log),
        None if found.lost.is_empty() => created(&place.node.store, &name, place.raft_id),
        None => {
            Ok(place.node.store.absent_log(&name, "the folder of the log is gone: put it back, or delete the topic"))
        }
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
    around: Around,
    shared: &Arc<Shared>,
) -> Result<Arc<Replica<M>>, NodeError> {
    let applied = start.base.index.0;
    let storage = RaftStorage::new(log, start.state, start.members, start.base);
    let raw = RawNode::new(&raft_config(raft_id, applied), storage, &logger())
        .map_err(|error| NodeError::Machine { log: log_name(&key), reason: error.to_string() })?;
    let replica =
        Replica::new(key, raw, start.machine, start.page_cache, around.config, around.cluster, Arc::clone(shared));
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
    let wanted = if M::READS_RECORDS { Batches::Whole } else { Batches::Headers };
    log.scan(from, log.last().index, wanted, &mut |id: EntryId, frame: Frame<'_>| {
        match frame {
            Frame::Batch(header, bytes) => machine.fold(id, Entry::Batch(&header, bytes)),
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
