//! The node: its identity, its store, its controller, and the replicas that its image puts here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::task::Waker;

use highwater_core::config::Settings;
use highwater_core::controller::ControllerMachine;
use highwater_core::controller::image::Image;
use highwater_core::data::DataMachine;
use highwater_core::group::GroupMachine;
use highwater_protocol::ids::{Monotonic, Timestamp};
use highwater_storage::disk::Disk;
use highwater_storage::journal::record::{Boot, LogId};
use highwater_storage::log::Snapshot;
use highwater_storage::store::{Options, Store};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::deadlines::Deadlines;
use crate::error::{Fatal, NodeError, Refusal};
use crate::flush::{FlushQueue, FlushReport, Flushed};
use crate::hosting::{Found, Hosting};
use crate::identity::Identity;
use crate::outbox::Outbox;
use crate::partition::Partition;
use crate::producer_ids::ProducerIds;
use crate::replica::Replica;

/// One reading of both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    /// Never goes back.
    pub now: Monotonic,
    /// The calendar's time: data, never used for safety.
    pub wall: Timestamp,
}

/// What a node is started with.
pub struct NodeOptions {
    /// Kafka's node.id.
    pub node_id: i32,
    /// Where its logs lie.
    pub data_dir: PathBuf,
    /// The store's bounds.
    pub storage: Options,
    /// Which boot this is, of which device: what the page cache held of another is gone. Where it is not known, so is what was
    /// there.
    pub boot: Option<Boot>,
    /// Bytes of sealed segments that are verified a second; 0 for none.
    pub scrub_bytes_per_second: u64,
    /// Kafka's broker configuration, by its names.
    pub static_config: Arc<Settings>,
    /// How this broker registers with the controller.
    pub registration: highwater_core::controller::registration::Registration,
}

/// What all replicas of a node share.
pub(crate) struct Shared {
    /// Where the process runs, if that is known.
    pub(crate) boot: Option<Boot>,
    pub(crate) flush: FlushQueue,
    pub(crate) deadlines: Deadlines,
    /// Snapshots that count, on their way to the disk.
    pub(crate) snapshots: Mutex<std::collections::VecDeque<(LogId, Snapshot)>>,
    targets: Mutex<BTreeMap<LogId, Weak<dyn Flushed>>>,
    began_serving: Mutex<Vec<Waker>>,
}

impl Shared {
    fn new(boot: Option<Boot>) -> Arc<Self> {
        Arc::new(Self {
            boot,
            flush: FlushQueue::default(),
            deadlines: Deadlines::default(),
            snapshots: Mutex::default(),
            targets: Mutex::default(),
            began_serving: Mutex::default(),
        })
    }

    pub(crate) fn register(&self, log: LogId, target: Weak<dyn Flushed>) {
        self.targets.lock().insert(log, target);
    }

    pub(crate) fn forget(&self, log: LogId) {
        self.targets.lock().remove(&log);
    }

    pub(crate) fn target(&self, log: LogId) -> Option<Arc<dyn Flushed>> {
        self.targets.lock().get(&log).and_then(Weak::upgrade)
    }

    /// Some replica serves from now on: whoever waits for one looks again, once no lock is held.
    pub(crate) fn serving_began(&self, outbox: &mut dyn Outbox) {
        let waiting = std::mem::take(&mut *self.began_serving.lock());
        if !waiting.is_empty() {
            outbox.fire(Box::new(move || waiting.into_iter().for_each(Waker::wake)));
        }
    }
}

/// A whole node.
pub struct Node {
    pub(crate) options: NodeOptions,
    pub(crate) identity: Identity,
    pub(crate) store: Arc<Store>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) hosting: Hosting,
    pub(crate) random: Mutex<Box<dyn FnMut() -> u64 + Send>>,
    /// When sealed segments were last verified.
    pub(crate) scrubbed: Mutex<Monotonic>,
    producer_ids: ProducerIds,
}

impl Node {
    /// Recovers the directory, or forms a cluster of one in an empty one. On return the controller leads, this broker is
    /// registered, and every replica of the image is here.
    pub fn open(
        disk: Arc<dyn Disk>,
        options: NodeOptions,
        clock: Clock,
        mut random: Box<dyn FnMut() -> u64 + Send>,
        outbox: &mut dyn Outbox,
    ) -> Result<Arc<Self>, NodeError> {
        let opened = Store::open(Arc::clone(&disk), &options.data_dir, options.storage.clone(), &mut *random)?;
        let identity = Identity::open(disk.as_ref(), &options.data_dir, options.node_id, &mut *random)?;
        let shared = Shared::new(options.boot);
        let logs = opened.logs.into_iter().map(|opened| (opened.log.name().to_owned(), opened)).collect();
        let mut found = Found { logs, lost: opened.lost };
        let hosting = Hosting::open(&opened.store, &shared, &mut found)?;
        let node = Arc::new(Self {
            options,
            identity,
            store: opened.store,
            shared,
            hosting,
            random: Mutex::new(random),
            scrubbed: Mutex::new(clock.now),
            producer_ids: ProducerIds::default(),
        });
        node.begin(found, clock, outbox)?;
        Ok(node)
    }

    /// Its identity.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The configuration that the process was started with, by Kafka's names.
    pub fn static_config(&self) -> &Arc<Settings> {
        &self.options.static_config
    }

    /// The directory of its logs.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.options.data_dir
    }

    /// Its store, for figures about the disk.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The controller's replica.
    pub fn controller(&self) -> &Arc<Replica<ControllerMachine>> {
        self.hosting.controller()
    }

    /// The controller's committed image.
    pub fn image(&self) -> Arc<Image> {
        self.controller().serving().map(|serving| serving.view).unwrap_or_default()
    }

    /// The replica of a partition of a user's topic, if it is here.
    pub fn data(&self, topic: Uuid, partition: i32) -> Option<Arc<Replica<DataMachine>>> {
        self.hosting.data(topic, partition)
    }

    /// The coordinator of a partition of `__consumer_offsets`, if it is here.
    pub fn group(&self, topic: Uuid, partition: i32) -> Option<Arc<Replica<GroupMachine>>> {
        self.hosting.group(topic, partition)
    }

    /// The coordinators here.
    pub fn groups(&self) -> Vec<Arc<Replica<GroupMachine>>> {
        self.hosting.all_groups()
    }

    /// A partition of any topic, if it is here.
    pub fn partition(&self, topic: Uuid, partition: i32) -> Option<Arc<dyn Partition>> {
        self.hosting.partition(topic, partition)
    }

    /// All partitions here.
    pub fn partitions(&self) -> Vec<Arc<dyn Partition>> {
        self.hosting.partitions()
    }

    /// Producer ids in stock.
    pub fn producer_ids(&self) -> &ProducerIds {
        &self.producer_ids
    }

    /// An id for a new topic.
    pub fn draw_id(&self) -> Uuid {
        crate::identity::draw(&mut **self.random.lock())
    }

    /// Resolves when the first `partitions` partitions of a topic serve here.
    pub fn when_serving(self: &Arc<Self>, topic: Uuid, partitions: i32) -> impl Future<Output = ()> + Send + 'static {
        let node = Arc::clone(self);
        std::future::poll_fn(move |context| {
            node.shared.began_serving.lock().push(context.waker().clone());
            let serves =
                |partition| node.partition(topic, partition).is_some_and(|partition| partition.serving().is_some());
            if (0..partitions).all(serves) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
    }

    /// Whether so much is unflushed or unsynced that sockets should not be read.
    pub fn is_congested(&self) -> bool {
        self.shared.flush.is_congested() || self.store.above_unsynced_limit()
    }

    /// Bytes appended and not yet flushed.
    pub fn unflushed_bytes(&self) -> usize {
        self.shared.flush.bytes()
    }

    /// Whether the disk has room for a produce.
    pub fn check_space(&self) -> Result<(), Refusal> {
        let space = self.store.check_space();
        if space.is_enough() { Ok(()) } else { Err(Refusal::DiskFull { free: space.free, floor: space.floor }) }
    }

    /// Makes durable all that waits. `None`: nothing waited. From one thread only.
    pub fn flush(&self, outbox: &mut dyn Outbox) -> Result<Option<FlushReport>, Fatal> {
        self.shared.flush.flush(&self.store, outbox)
    }

    /// Time passed.
    pub fn tick(&self, clock: Clock, outbox: &mut dyn Outbox) {
        self.shared.deadlines.expire(clock, outbox);
    }

    /// Makes the replicas here what the image asks for.
    pub fn reconcile(&self, clock: Clock, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        self.hosting.reconcile(self, clock, outbox)
    }

    /// A clean stop: no replica takes anything from now on, and all that was appended is flushed.
    pub fn stop(&self, outbox: &mut dyn Outbox) -> Result<(), Fatal> {
        self.controller().seal(outbox);
        for partition in self.partitions() {
            partition.seal(outbox);
        }
        while self.flush(outbox)?.is_some() {}
        self.controller().close(Refusal::Closing, outbox);
        for partition in self.partitions() {
            partition.close(Refusal::Closing, outbox);
        }
        Ok(())
    }

    /// Elects the controller, registers this broker, and hosts what the image puts here.
    fn begin(self: &Arc<Self>, found: Found, clock: Clock, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        self.controller().campaign(clock, outbox);
        self.flush_all(outbox)?;
        self.controller().tick(clock, outbox);
        let request = highwater_core::controller::Request::RegisterBroker(self.registration());
        let reply = self.controller().submit(request, clock, outbox);
        self.flush_all(outbox)?;
        drop(reply);
        if let Some(reason) = self.controller().state().offline {
            return Err(NodeError::Controller { reason });
        }
        self.hosting.adopt(self, found, clock, outbox)?;
        self.flush_all(outbox)
    }

    fn registration(&self) -> highwater_core::controller::registration::Registration {
        let mut registration = self.options.registration.clone();
        registration.node_id = self.identity.node_id;
        registration.directory_id = self.identity.directory_id;
        registration.cluster_id = self.identity.cluster_id;
        registration
    }

    fn flush_all(&self, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        while self.flush(outbox)?.is_some() {}
        Ok(())
    }
}
