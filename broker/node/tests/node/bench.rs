//! The node under test, and what a shell would be around it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use highwater_core::controller;
use highwater_core::controller::image::Listener;
use highwater_core::controller::registration::Registration;
use highwater_core::data::{Acks, DataMachine, Reply as DataReply, Request};
use highwater_core::view::View;
use highwater_node::{Clock, Fatal, FetchWaiter, Fire, Node, NodeError, NodeOptions, Outbox, Refusal, Replica, Reply};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{Monotonic, Offset, Timestamp};
use highwater_protocol::message::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use highwater_protocol::message::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use highwater_protocol::message::{CreateTopicsRequest, DeleteTopicsRequest, IncrementalAlterConfigsRequest};
use highwater_protocol::records::batch::{Batch, validate};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::{Record, records};
use highwater_storage::disk::Disk;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::journal::record::Boot;
use highwater_storage::store::Options;
use uuid::Uuid;

/// The calendar when a test begins.
pub(crate) const WALL: i64 = 1_700_000_000_000;

/// An outbox that keeps what it is given.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) fires: Vec<Fire>,
    pub(crate) woken: Vec<Arc<FetchWaiter>>,
    pub(crate) wants_flush: bool,
    pub(crate) image_changed: bool,
    pub(crate) wants_upkeep: bool,
}

impl Outbox for Recorder {
    fn nudge_flusher(&mut self) {
        self.wants_flush = true;
    }

    fn fire(&mut self, reply: Fire) {
        self.fires.push(reply);
    }

    fn wake(&mut self, waiter: Arc<FetchWaiter>) {
        self.woken.push(waiter);
    }

    fn image_changed(&mut self) {
        self.image_changed = true;
    }

    fn nudge_upkeep(&mut self) {
        self.wants_upkeep = true;
    }
}

/// A node, its disk, its clock.
pub(crate) struct Bench {
    pub(crate) disk: SimDisk,
    pub(crate) node: Arc<Node>,
    pub(crate) clock: Clock,
    pub(crate) outbox: Recorder,
    pub(crate) floor_bytes: u64,
    seed: u64,
}

/// A produce to come.
pub(crate) struct Sent {
    pub(crate) value: String,
    pub(crate) records: usize,
    pub(crate) producer: Option<(i64, i16, i32)>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) acks: Acks,
}

impl Sent {
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), records: 1, producer: None, timestamp: None, acks: Acks::All }
    }

    pub(crate) fn big(value: &str, bytes: usize) -> Self {
        Self::new(value.repeat(bytes / value.len()))
    }

    pub(crate) fn numbered(self, id: i64, epoch: i16, sequence: i32) -> Self {
        Self { producer: Some((id, epoch, sequence)), ..self }
    }

    pub(crate) fn at(self, timestamp: i64) -> Self {
        Self { timestamp: Some(timestamp), ..self }
    }

    pub(crate) fn acks_one(self) -> Self {
        Self { acks: Acks::Leader, ..self }
    }

    fn request(&self, wall: Timestamp) -> Request {
        let mut builder = BatchBuilder::new(Compression::None);
        if let Some((id, epoch, sequence)) = self.producer {
            builder = builder.producer(id, epoch, sequence);
        }
        for _ in 0..self.records {
            builder.push(&Record::new(None, Some(self.value.as_str()), self.timestamp.unwrap_or(wall.0)));
        }
        let batch = builder.build().expect("builds");
        let header = validate(&batch).expect("valid");
        Request::Produce { batch, header, acks: self.acks, bad_times: Vec::new() }
    }
}

/// Bytes of sealed segments that are verified a second.
const SCRUBBED: u64 = 1 << 20;

impl Bench {
    /// A new node on an empty disk.
    pub(crate) fn new(seed: u64) -> Self {
        Self::open(SimDisk::new(), seed, start_clock(), 0).expect("an empty disk makes a node")
    }

    pub(crate) fn open(disk: SimDisk, seed: u64, clock: Clock, floor_bytes: u64) -> Result<Self, NodeError> {
        let mut outbox = Recorder::default();
        let options = NodeOptions {
            node_id: 1,
            data_dir: "/data".into(),
            storage: Options {
                journal_file_bytes: 1 << 20,
                free_space_floor_bytes: floor_bytes,
                open_files: 64,
                index_maps: 64,
                ..Options::default()
            },
            boot: Some(Boot { id: disk.boots().to_be_bytes(), device: 1 }),
            scrub_bytes_per_second: SCRUBBED,
            static_config: Arc::default(),
            registration: Registration {
                listeners: vec![Listener { name: "PLAIN".to_owned(), host: "here".to_owned(), port: 9092 }],
                ..Registration::default()
            },
        };
        let mut state = seed;
        let random = Box::new(move || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            state ^ (state >> 31)
        });
        let node = Node::open(Arc::new(disk.clone()), options, clock, random, &mut outbox)?;
        let mut bench = Self { disk, node, clock, outbox, floor_bytes, seed };
        bench.settle();
        Ok(bench)
    }

    /// The node dies; what the disk keeps is opened by another.
    pub(crate) fn reopened(self, disk: SimDisk) -> Self {
        self.try_reopened(disk).expect("what a node wrote opens")
    }

    pub(crate) fn try_reopened(self, disk: SimDisk) -> Result<Self, NodeError> {
        let clock = Clock { now: Monotonic(0), wall: self.clock.wall };
        Self::open(disk, self.seed + 1, clock, self.floor_bytes)
    }

    pub(crate) fn after_kill(self) -> Self {
        let disk = self.disk.after_kill();
        self.reopened(disk)
    }

    pub(crate) fn after_power_cut(self, seed: u64) -> Self {
        let disk = self.disk.after_power_cut(seed);
        self.reopened(disk)
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.clock.now = self.clock.now.after_ms(ms);
        self.clock.wall.0 += i64::try_from(ms).expect("a short time");
    }

    /// Replies fire, waiters wake, and the image is carried out.
    pub(crate) fn finish_turn(&mut self) {
        for fire in std::mem::take(&mut self.outbox.fires) {
            fire();
        }
        for waiter in std::mem::take(&mut self.outbox.woken) {
            waiter.wake();
        }
        if std::mem::take(&mut self.outbox.image_changed) {
            self.node.reconcile(self.clock, &mut self.outbox).expect("reconciles");
            self.finish_turn();
        }
    }

    /// One flush.
    pub(crate) fn flush(&mut self) -> bool {
        let done = self.try_flush().expect("flushes");
        self.finish_turn();
        done
    }

    pub(crate) fn try_flush(&mut self) -> Result<bool, Fatal> {
        self.outbox.wants_flush = false;
        Ok(self.node.flush(&mut self.outbox)?.is_some())
    }

    /// All that can happen without time happens.
    pub(crate) fn settle(&mut self) {
        self.finish_turn();
        self.node.tick(self.clock, &mut self.outbox);
        while self.flush() {
            self.node.tick(self.clock, &mut self.outbox);
        }
        assert!(!self.outbox.wants_flush, "a nudge is sent only when something waits");
    }

    /// What runs in the background, and what follows from it.
    pub(crate) fn upkeep(&mut self) {
        self.settle();
        self.node.upkeep(&mut self.outbox).expect("upkeep");
        self.settle();
    }

    /// A second passes in which sealed segments are verified. Answers how many bytes were good.
    pub(crate) fn scrub(&mut self) -> u64 {
        self.pass(1000);
        let good = self.node.scrub(self.clock.now, &mut self.outbox);
        self.settle();
        good
    }

    pub(crate) fn retain(&mut self) {
        self.node.retain(self.clock, &mut self.outbox).expect("retains");
        self.upkeep();
        self.node.trim().expect("trims");
    }

    /// Makes a topic of one partition, and waits until it serves.
    pub(crate) fn topic(&mut self, name: &str, settings: &[(&str, &str)]) -> Uuid {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: 1,
                replication_factor: 1,
                configs: settings.iter().map(config).collect(),
                ..CreatableTopic::default()
            }],
            ..CreateTopicsRequest::default()
        };
        let ids = vec![self.node.draw_id()];
        let fixed = Arc::clone(self.node.static_config());
        let reply = self.control(controller::Request::CreateTopics { request, ids, fixed });
        let controller::Reply::CreateTopics(response) = reply else { panic!("another answer") };
        assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
        let id = response.topics[0].topic_id;
        assert!(self.node.data(id, 0).is_some_and(|replica| replica.serving().is_some()), "{name} serves");
        id
    }

    pub(crate) fn alter(&mut self, topic: &str, name: &str, value: &str) {
        let request = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type: 2,
                resource_name: topic.to_owned(),
                configs: vec![AlterableConfig {
                    name: name.to_owned(),
                    config_operation: 0,
                    value: Some(value.to_owned()),
                }],
            }],
            validate_only: false,
        };
        let reply = self.control(controller::Request::IncrementalAlterConfigs(request));
        let controller::Reply::IncrementalAlterConfigs(response) = reply else { panic!("another answer") };
        assert_eq!(response.responses[0].error_code, 0, "{:?}", response.responses[0].error_message);
    }

    pub(crate) fn delete(&mut self, id: Uuid) {
        let topics = vec![DeleteTopicState { name: None, topic_id: id }];
        let request = DeleteTopicsRequest { topics, ..DeleteTopicsRequest::default() };
        let reply = self.control(controller::Request::DeleteTopics(request));
        let controller::Reply::DeleteTopics(response) = reply else { panic!("another answer") };
        assert_eq!(response.responses[0].error_code, 0);
    }

    pub(crate) fn control(&mut self, request: controller::Request) -> controller::Reply {
        let mut reply = self.node.controller().submit(request, self.clock, &mut self.outbox);
        self.settle();
        answer(&mut reply).expect("the controller answered").expect("and was not offline")
    }

    pub(crate) fn replica(&self, topic: Uuid) -> Arc<Replica<DataMachine>> {
        self.node.data(topic, 0).expect("the partition is here")
    }

    pub(crate) fn submit(&mut self, topic: Uuid, request: Request) -> Reply<DataReply> {
        self.replica(topic).submit(request, self.clock, &mut self.outbox)
    }

    /// Hands in a batch. Nothing fires before the turn is finished.
    pub(crate) fn send(&mut self, topic: Uuid, sent: &Sent) -> Reply<DataReply> {
        let request = sent.request(self.clock.wall);
        self.submit(topic, request)
    }

    /// Hands in a batch and lets everything happen.
    pub(crate) fn produce(&mut self, topic: Uuid, sent: &Sent) -> i64 {
        let mut reply = self.send(topic, sent);
        self.settle();
        appended(&mut reply)
    }

    pub(crate) fn refused(&mut self, topic: Uuid, sent: &Sent) -> Refusal {
        let mut reply = self.send(topic, sent);
        self.settle();
        answer(&mut reply).expect("an answer").expect_err("a refusal")
    }

    pub(crate) fn delete_records(&mut self, topic: Uuid, before: i64) -> i64 {
        let high_watermark = self.view(topic).high_watermark;
        let mut reply = self.submit(topic, Request::DeleteRecords { before: Offset(before), high_watermark });
        self.settle();
        match answer(&mut reply) {
            Some(Ok(DataReply::LogStart(offset))) => offset.0,
            other => panic!("DeleteRecords was answered {other:?}"),
        }
    }

    pub(crate) fn view(&self, topic: Uuid) -> View {
        self.replica(topic).serving().expect("it serves").view
    }

    pub(crate) fn epoch(&self, topic: Uuid) -> i32 {
        self.replica(topic).serving().expect("it serves").epoch.0
    }

    /// What a consumer that begins at the log start sees: offset, leader epoch, value.
    pub(crate) fn read(&self, topic: Uuid) -> Vec<(i64, i32, String)> {
        let view = self.view(topic);
        let replica = self.replica(topic);
        let mut seen = Vec::new();
        let mut at = view.log_start;
        while let Some(slice) = replica.reader().read(at, view.high_watermark, 1 << 20, true).expect("reads") {
            for batch in Batch::all(slice.read_verified().expect("good bytes")).expect("whole batches") {
                assert!(
                    at.0 >= batch.header.base_offset && at < batch.header.next_offset(),
                    "the batch that was asked for"
                );
                for record in records(&batch, usize::MAX).expect("opens") {
                    let record = record.expect("decodes");
                    let offset = record.offset;
                    if offset >= view.log_start.0 {
                        let value = String::from_utf8_lossy(&record.value.expect("a value")).into_owned();
                        seen.push((offset, batch.header.leader_epoch, value));
                    }
                }
                at = batch.header.next_offset();
            }
        }
        assert_eq!(at.max(view.log_start), view.high_watermark, "all that is committed can be read");
        seen
    }

    pub(crate) fn values(&self, topic: Uuid) -> Vec<String> {
        self.read(topic).into_iter().map(|(_, _, value)| value).collect()
    }

    /// The segment files of a topic, by name, with their lengths.
    pub(crate) fn files(&self, topic: Uuid) -> BTreeMap<String, u64> {
        let folder = format!("/data/logs/{topic}-0");
        let entries = self.disk.list(Path::new(&folder)).expect("the folder is there");
        let lengths = entries.into_iter().filter(|entry| entry.name.ends_with(".log")).map(|entry| {
            let path = Path::new(&folder).join(&entry.name);
            let file = self.disk.open(&path, highwater_storage::disk::OpenMode::Read).expect("opens");
            (entry.name, file.length().expect("measures"))
        });
        lengths.collect()
    }

    /// Bytes that all files of the disk hold.
    pub(crate) fn used_bytes(&self) -> u64 {
        let total = 1 << 40;
        self.disk.set_capacity(total);
        total - self.disk.space(Path::new("/data")).expect("measures").free
    }
}

pub(crate) fn start_clock() -> Clock {
    Clock { now: Monotonic(0), wall: Timestamp(WALL) }
}

/// The answer, if it is there.
pub(crate) fn answer<R>(reply: &mut Reply<R>) -> Option<Result<R, Refusal>> {
    reply.now_or_never()
}

pub(crate) fn appended(reply: &mut Reply<DataReply>) -> i64 {
    match answer(reply) {
        Some(Ok(DataReply::Appended { base_offset, .. })) => base_offset.0,
        other => panic!("a produce was answered {other:?}"),
    }
}

pub(crate) fn code(reply: &mut Reply<DataReply>) -> ErrorCode {
    match answer(reply) {
        Some(Ok(DataReply::Refused { code, .. })) => code,
        other => panic!("a produce was answered {other:?}"),
    }
}
