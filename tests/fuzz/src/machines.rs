//! Machines: snapshots as bytes, and requests as a client words them, folded as their log.
//!
//! The first byte chooses: a snapshot of a data machine or of the controller, or a run of requests to either. A run is held
//! against the law of machines: what a snapshot holds, wherever it was taken, plus the entries behind it, is what the whole log
//! folds to.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use highwater_core::cluster::Cluster;
use highwater_core::config::Settings;
use highwater_core::config::topic::TopicConfig;
use highwater_core::controller::registration::Registration;
use highwater_core::controller::{self, ControllerMachine};
use highwater_core::data::{self, Acks, DataMachine};
use highwater_core::machine::{Append, Entry, Leading, Machine, Outcome, Token};
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Monotonic, Offset, Timestamp};
use highwater_protocol::message::create_partitions_request::CreatePartitionsTopic;
use highwater_protocol::message::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use highwater_protocol::message::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use highwater_protocol::message::{
    AlterConfigsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    IncrementalAlterConfigsRequest, Message,
};
use highwater_protocol::records::batch::{BatchHeader, stamp_crc, validate};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_protocol::testing::Chance;
use highwater_protocol::wire::{Reader, Writer};
use uuid::Uuid;

use crate::memory::bounded_by;

/// Bytes that a byte of a snapshot may come to. Snapshots are our own, behind a CRC, so none is made to be large: but an empty
/// listener of a broker has two bytes, 56 in memory, and its list holds old and new place at a time while it grows.
const SNAPSHOT_FACTOR: u64 = 96;
/// What a snapshot is decoded into holds a structure of about a hundred bytes for each list that begins.
const CONSTANT: u64 = 64 * 1024;
/// Requests of one run.
const MOST_REQUESTS: usize = 64;

/// Takes one input.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else { return };
    match mode % 4 {
        0 => snapshot::<DataMachine>(rest),
        1 => snapshot::<ControllerMachine>(rest),
        2 => data_requests(rest),
        _ => controller_requests(rest),
    }
}

/// What loads is saved, and that loads to the same.
fn snapshot<M: Machine>(bytes: &[u8]) {
    let Ok(machine) = bounded_by(SNAPSHOT_FACTOR, bytes.len(), CONSTANT, || M::load(bytes)) else { return };
    let once = saved(&machine);
    let again = M::load(&once).unwrap_or_else(|error| panic!("what was saved: {error}"));
    assert_eq!(saved(&again), once);
}

fn saved<M: Machine>(machine: &M) -> Vec<u8> {
    let mut out = Vec::new();
    machine.save(&mut out);
    out
}

/// A machine that leads alone, and its log.
struct Leader<M: Machine> {
    machine: M,
    config: TopicConfig,
    cluster: Cluster,
    log: Vec<Bytes>,
    now: u64,
    /// A snapshot from within the run, and how many entries it holds.
    middle: Option<(usize, Vec<u8>)>,
}

impl<M: Machine> Leader<M> {
    fn new() -> Self {
        Self {
            machine: M::default(),
            config: TopicConfig::default(),
            cluster: Cluster::default(),
            log: Vec::new(),
            now: 0,
            middle: None,
        }
    }

    fn ask(&mut self, act: impl FnOnce(&mut M, &Leading<'_>, &mut Outcome<M::Reply>)) {
        let mut out = Outcome::default();
        let at = Leading {
            now: Monotonic(self.now),
            wall: Timestamp(1_700_000_000_000),
            epoch: LeaderEpoch(1),
            folded: id(self.log.len()),
            caught_up: 1,
            voters: 1,
            config: &self.config,
            cluster: &self.cluster,
        };
        act(&mut self.machine, &at, &mut out);
        if let Some(append) = out.append {
            let frame = match append {
                Append::Batch(batch) => [&[0], &batch[..]].concat(),
                Append::Command(command) => [&[1], &command[..]].concat(),
            };
            self.log.push(frame.into());
            fold(&mut self.machine, self.log.len(), self.log.last().expect("pushed"));
        }
    }

    /// The whole log folds to what is there, and so does a snapshot with what lies behind it.
    fn check(&self) {
        let wanted = saved(&self.machine);
        let mut whole = M::default();
        (1..).zip(&self.log).for_each(|(index, frame)| fold(&mut whole, index, frame));
        assert_eq!(saved(&whole), wanted, "the whole log");
        let Some((from, snapshot)) = &self.middle else { return };
        let mut rest = M::load(snapshot).unwrap_or_else(|error| panic!("what was saved: {error}"));
        (from + 1..).zip(self.log.iter().skip(*from)).for_each(|(index, frame)| fold(&mut rest, index, frame));
        assert_eq!(saved(&rest), wanted, "a snapshot of {from} entries and the log behind it");
    }
}

fn id(index: usize) -> EntryId {
    EntryId { index: Index(index as u64), term: LeaderEpoch(1) }
}

fn fold<M: Machine>(machine: &mut M, index: usize, frame: &[u8]) {
    let (kind, frame) = frame.split_first().expect("a kind");
    if *kind == 0 {
        let header = BatchHeader::decode(frame).expect("a batch that was taken");
        machine.fold(id(index), Entry::Batch(&header, frame));
    } else {
        machine.fold(id(index), Entry::Command(frame));
    }
}

/// Each request is a kind and a few bytes: a batch with a producer, epoch and sequence, a new log start, time.
fn data_requests(bytes: &[u8]) {
    let mut leader = Leader::<DataMachine>::new();
    leader.ask(|machine, at, out| machine.elected(at, out));
    let mut left = bytes;
    for number in 0..MOST_REQUESTS {
        let Some(([kind, one, two, three], rest)) = left.split_first_chunk() else { break };
        left = rest;
        let token = Token(number as u64);
        match kind % 6 {
            0..=2 => {
                let (batch, header) = batch(*one, *two, *three);
                let acks = if kind % 2 == 0 { Acks::All } else { Acks::Leader };
                let request = data::Request::Produce { batch, header, acks, bad_times: Vec::new() };
                leader.ask(|machine, at, out| machine.decide(at, request, token, out));
            }
            3 => {
                let before = Offset(i64::from(*one) - 1);
                let high_watermark = leader.machine.view().high_watermark;
                let request = data::Request::DeleteRecords { before, high_watermark };
                leader.ask(|machine, at, out| machine.decide(at, request, token, out));
            }
            4 => {
                leader.now += u64::from(*one) << (two % 24);
                leader.ask(|machine, at, out| machine.expire(at, out));
            }
            _ => leader.middle = Some((leader.log.len(), saved(&leader.machine))),
        }
        let view = leader.machine.view();
        assert!(view.log_start <= view.last_stable_offset && view.last_stable_offset <= view.high_watermark);
    }
    leader.check();
}

fn batch(producer: u8, epoch: u8, sequence: u8) -> (BytesMut, BatchHeader) {
    let mut builder = BatchBuilder::new(Compression::None);
    if producer < 250 {
        // Numbers near the end of their range wrap.
        let base = if sequence > 200 { i32::MAX - i32::from(255 - sequence) } else { i32::from(sequence) };
        builder = builder.producer(i64::from(producer % 4), i16::from(epoch % 3), base);
    }
    for _ in 0..=(epoch % 5) {
        builder.push(&Record { timestamp: 1_700_000_000_000, ..Record::default() });
    }
    let mut batch = builder.build().expect("builds");
    stamp_crc(&mut batch);
    let header = validate(&batch).expect("a good batch");
    (batch, header)
}

/// Each request is a kind, the length of its body in two bytes, and the body in the newest version of its key.
fn controller_requests(bytes: &[u8]) {
    let mut leader = with_broker();
    let mut left = bytes;
    let mut ids = 0;
    for number in 0..MOST_REQUESTS {
        let Some(([kind, high, low], rest)) = left.split_first_chunk() else { break };
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (body, rest) = rest.split_at(length);
        left = rest;
        let request = match kind % 7 {
            0 => decoded::<CreateTopicsRequest>(body).map(|request| {
                let count = request.topics.len();
                let fresh = (0..count).map(|_| {
                    ids += 1;
                    Uuid::from_u128(ids)
                });
                controller::Request::CreateTopics { ids: fresh.collect(), request, fixed: Arc::new(Settings::new()) }
            }),
            1 => decoded::<DeleteTopicsRequest>(body).map(controller::Request::DeleteTopics),
            2 => decoded::<CreatePartitionsRequest>(body).map(controller::Request::CreatePartitions),
            3 => decoded::<AlterConfigsRequest>(body).map(controller::Request::AlterConfigs),
            4 => decoded::<IncrementalAlterConfigsRequest>(body).map(controller::Request::IncrementalAlterConfigs),
            5 => {
                leader.middle = Some((leader.log.len(), saved(&leader.machine)));
                None
            }
            _ => Some(controller::Request::AllocateProducerIds),
        };
        if let Some(request) = request {
            leader.ask(|machine, at, out| machine.decide(at, request, Token(number as u64), out));
        }
    }
    leader.check();
}

/// A controller that knows a broker: topics need one.
fn with_broker() -> Leader<ControllerMachine> {
    let mut leader = Leader::<ControllerMachine>::new();
    let registration = Registration { node_id: 1, ..Registration::default() };
    let request = controller::Request::RegisterBroker(registration);
    leader.ask(|machine, at, out| machine.decide(at, request, Token(0), out));
    leader
}

/// In the newest version; what does not decode never reaches a machine.
fn decoded<M: Message>(body: &[u8]) -> Option<M> {
    let (_, version) = M::KEY.versions();
    let mut reader = Reader::new(BytesMut::from(body));
    let decoded = M::decode(&mut reader, version).ok()?;
    reader.finish().ok()?;
    Some(decoded)
}

/// Requests to the controller that go together, as kind and body.
pub(crate) fn wanted(chance: &mut Chance) -> Vec<(u8, Bytes)> {
    let name = |number: u64| format!("topic-{number}");
    let topic = |number| CreatableTopic {
        name: name(number),
        num_partitions: 2,
        replication_factor: -1,
        configs: vec![CreatableTopicConfig { name: "retention.ms".to_owned(), value: Some("5000".to_owned()) }],
        ..CreatableTopic::default()
    };
    let create = CreateTopicsRequest { topics: (0..3).map(topic).collect(), ..CreateTopicsRequest::default() };
    let grown = CreatePartitionsTopic { name: name(0), count: 4, assignments: None };
    let grow = CreatePartitionsRequest { topics: vec![grown], ..CreatePartitionsRequest::default() };
    let gone = DeleteTopicState { name: Some(name(chance.below(4))), ..DeleteTopicState::default() };
    let delete = DeleteTopicsRequest { topics: vec![gone], ..DeleteTopicsRequest::default() };
    let setting =
        AlterableConfig { name: "cleanup.policy".to_owned(), config_operation: 2, value: Some("compact".to_owned()) };
    let resource =
        AlterConfigsResource { resource_type: 2, resource_name: name(chance.below(4)), configs: vec![setting] };
    let alter =
        IncrementalAlterConfigsRequest { resources: vec![resource], ..IncrementalAlterConfigsRequest::default() };
    let mut all = vec![
        (0, encoded(&create)),
        (2, encoded(&grow)),
        (5, Bytes::new()),
        (4, encoded(&alter)),
        (1, encoded(&delete)),
        (6, Bytes::new()),
    ];
    let drop = usize::try_from(chance.below(7)).expect("small");
    if drop < all.len() {
        all.remove(drop);
    }
    all
}

/// A snapshot of each machine, as [`run`] takes it.
pub(crate) fn snapshots() -> Vec<Vec<u8>> {
    let mut data = Leader::<DataMachine>::new();
    for number in 0..4 {
        let (batch, header) = batch(number, 0, 0);
        let request = data::Request::Produce { batch, header, acks: Acks::All, bad_times: Vec::new() };
        data.ask(|machine, at, out| machine.decide(at, request, Token(0), out));
    }
    let mut controller = with_broker();
    let create: CreateTopicsRequest = decoded(&wanted(&mut Chance::new(9))[0].1).expect("decodes");
    let ids = (1..4).map(Uuid::from_u128).collect();
    let request = controller::Request::CreateTopics { request: create, ids, fixed: Arc::new(Settings::new()) };
    controller.ask(|machine, at, out| machine.decide(at, request, Token(0), out));
    vec![[&[0], &saved(&data.machine)[..]].concat(), [&[1], &saved(&controller.machine)[..]].concat()]
}

fn encoded<M: Message>(body: &M) -> Bytes {
    let (_, version) = M::KEY.versions();
    let mut writer = Writer::new();
    body.encode(&mut writer, version).expect("encodes");
    writer.into_bytes()
}
