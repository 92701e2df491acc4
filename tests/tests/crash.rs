//! SIGKILL at random points under load: every acknowledged record is there, in order, once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::chance::Chance;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use highwater_tests::writer::Writer;

const KILLS: u32 = 50;
const SEED: u64 = 0x5eed_0001;
const PARTITIONS: usize = 4;
/// The load before a kill, in acknowledged requests: from nothing at all to a few segments.
const MOST_REQUESTS: u64 = 1500;
const LOAD_DEADLINE: Duration = Duration::from_secs(60);
const READY_WITHIN: Duration = Duration::from_secs(1);

const SETTINGS: &[(&str, &str)] = &[("log.segment.bytes", "1048576"), ("log.journal.file.bytes", "4194304")];

/// A topic's flush mode, acks, and whether its writer is idempotent.
const TOPICS: &[(&str, &str, i16, bool)] = &[
    ("fsync-all-idempotent", "fsync", -1, true),
    ("fsync-one-plain", "fsync", 1, false),
    ("os-one-idempotent", "os", 1, true),
    ("os-all-plain", "os", -1, false),
];

#[test]
fn nothing_acknowledged_is_lost_by_fifty_kills() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut chance = Chance::new(SEED);
    let start = Start { dir: dir.path(), settings: SETTINGS, kafka: any_port() };
    let mut process = Process::start(&start);
    let mut writers = create(process.kafka());
    let churn = Mutex::new(Churn::default());
    let (mut kills, mut records, mut slowest) = (0, 0, Duration::ZERO);
    while kills < KILLS {
        let requests = chance.below(MOST_REQUESTS);
        process = load_and_kill(process, requests, &mut writers, &churn);
        kills += 1;
        while kills < KILLS && chance.below(3) == 0 {
            Process::start_to_be_killed(&start, Duration::from_micros(chance.below(40_000)));
            kills += 1;
        }
        drop(process);
        process = Process::start(&start);
        slowest = slowest.max(process.ready_after());
        assert!(process.ready_after() <= READY_WITHIN, "ready after {:?}, kill {kills}", process.ready_after());
        let mut wire = Wire::connect(process.kafka()).expect("it serves");
        records += writers.iter_mut().map(|writer| writer.check(&mut wire).expect("reads")).sum::<u64>();
        churn.lock().expect("no panic").check(&mut wire);
    }
    let mut wire = Wire::connect(process.kafka()).expect("it serves");
    writers.iter_mut().for_each(Writer::forget_checks);
    let again: u64 = writers.iter_mut().map(|writer| writer.check(&mut wire).expect("reads")).sum();
    assert_eq!(again, records, "a whole reading finds what the readings after each kill found");
    assert!(records > u64::from(KILLS) * 1000, "the load was a load: {records} records");
    let churned = churn.lock().expect("no panic").created;
    assert!(churned > KILLS, "topics came and went: {churned}");
    println!("{kills} kills, {records} acknowledged records, {churned} topics created; slowest start {slowest:?}");
}

fn create(address: SocketAddr) -> Vec<Writer> {
    let mut wire = Wire::connect(address).expect("it serves");
    let mut writers = Vec::new();
    for (seed, (topic, flush_mode, acks, is_idempotent)) in (1..).zip(TOPICS) {
        let partitions = i32::try_from(PARTITIONS).expect("few");
        let created = calls::create_topic(&mut wire, topic, partitions, &[("flush.mode", flush_mode)]);
        created.expect("answers").expect("creates");
        let producer_id = is_idempotent.then(|| calls::init_producer_id(&mut wire).expect("a producer id"));
        writers.push(Writer::new(topic, PARTITIONS, *acks, producer_id, seed));
    }
    writers
}

/// Kills the broker when it has acknowledged that many requests. Returns the dead one.
fn load_and_kill(process: Process, requests: u64, writers: &mut [Writer], churn: &Mutex<Churn>) -> Process {
    let count = AtomicU64::new(0);
    let address = process.kafka();
    let mut process = Some(process);
    std::thread::scope(|scope| {
        for writer in writers {
            scope.spawn(|| writer.write_until_it_dies(address, &count));
        }
        scope.spawn(|| churn.lock().expect("no panic").run_until_it_dies(address));
        let deadline = Instant::now() + LOAD_DEADLINE;
        while count.load(Ordering::Relaxed) < requests {
            assert!(Instant::now() < deadline, "{requests} requests within {LOAD_DEADLINE:?}");
            std::thread::yield_now();
        }
        process.as_mut().expect("it runs").kill();
    });
    process.expect("it ran")
}

/// Topics that come and go.
#[derive(Default)]
struct Churn {
    created: u32,
    there: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl Churn {
    fn run_until_it_dies(&mut self, address: SocketAddr) -> std::io::Error {
        loop {
            if let Err(error) = self.step(address) {
                return error;
            }
        }
    }

    /// Creates a topic, writes to it, and deletes another.
    fn step(&mut self, address: SocketAddr) -> std::io::Result<()> {
        let mut wire = Wire::connect(address)?;
        let name = format!("churn-{}", self.created);
        self.created += 1;
        calls::create_topic(&mut wire, &name, 2, &[("retention.ms", "123456")])?.expect("creates");
        let answer = calls::produce(&mut wire, &name, 1, -1, Self::batch(&name))?;
        assert_eq!(answer.error_code, 0, "{name} takes a record");
        self.there.insert(name);
        if self.there.len() > 3
            && let Some(oldest) = self.there.pop_first()
        {
            calls::delete_topic(&mut wire, &oldest)?.expect("deletes");
            self.gone.insert(oldest);
        }
        Ok(())
    }

    fn batch(name: &str) -> bytes::BytesMut {
        let mut builder = BatchBuilder::new(Compression::Lz4);
        builder.push(&Record::new(Some(name), Some("there"), 1));
        builder.build().expect("a batch")
    }

    /// What was acknowledged as created is there with its record; what was acknowledged as deleted is not.
    fn check(&self, wire: &mut Wire) {
        for name in &self.there {
            let read = calls::read_all(wire, name, 1, 0).expect("reads");
            assert_eq!(read.len(), 1, "{name} has its record");
            assert_eq!(read[0].key, calls::text(name), "{name} has its own record");
        }
        let gone: Vec<&str> = self.gone.iter().map(String::as_str).collect();
        for topic in calls::metadata(wire, Some(&gone)).expect("answers") {
            let found = ErrorCode::from_number(topic.error_code);
            assert_eq!(found, ErrorCode::UnknownTopicOrPartition, "{:?} was deleted", topic.name);
        }
    }
}
