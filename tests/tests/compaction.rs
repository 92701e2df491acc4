//! A compacted topic, while it is written to and read: each key's newest value is there, no offset comes twice, and the log stays
//! about as large as what lives in it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use highwater_tests::{calls, http};

const KEYS: u64 = 1_000;
const A_BATCH: u64 = 100;
/// `COMPACTION_UPDATES=10000000` runs as many as the goal asks for: 40 GB.
const UPDATES: u64 = 60_000;
/// So that what lives is several segments: the one that is written is never compacted.
const VALUE_BYTES: usize = 4_000;
const SETTINGS: &[(&str, &str)] = &[("log.cleaner.backoff.ms", "50")];
const CONFIGS: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    ("segment.bytes", "1048576"),
    ("min.cleanable.dirty.ratio", "0.3"),
    ("flush.mode", "os"),
];
const DEADLINE: Duration = Duration::from_secs(60);

/// What is read, record by record: offsets may only rise.
#[derive(Default)]
struct Reader {
    next: i64,
    newest: BTreeMap<String, String>,
}

impl Reader {
    fn read(&mut self, wire: &mut Wire) -> usize {
        let records = calls::read_all(wire, "t", 0, self.next).expect("reads");
        for record in &records {
            assert!(record.offset >= self.next, "offset {} comes behind {}", record.offset, self.next);
            self.next = record.offset + 1;
            let text = |bytes: &Option<bytes::Bytes>| String::from_utf8(bytes.clone().unwrap_or_default().to_vec());
            self.newest.insert(text(&record.key).expect("text"), text(&record.value).expect("text"));
        }
        records.len()
    }
}

fn log_bytes(process: &Process) -> u64 {
    let (_, page) = http::get(process.http(), "/metrics").expect("answers");
    let line = page.lines().find(|line| line.starts_with("highwater_log_bytes{topic=\"t\"")).expect("a figure");
    line.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_topic_stays_as_large_as_what_lives_in_it() {
    let updates = std::env::var("COMPACTION_UPDATES").map_or(UPDATES, |text| text.parse().expect("a number"));
    let dir = tempfile::tempdir().expect("a directory");
    let mut process = Process::start(&Start { dir: dir.path(), settings: SETTINGS, kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, "t", 1, CONFIGS).expect("answers").expect("creates");
    let mut reader = Reader::default();
    let mut expected = BTreeMap::new();
    let (mut written, mut most) = (0, 0);
    for number in 0..updates / A_BATCH {
        let mut batch = BatchBuilder::new(Compression::None);
        for update in number * A_BATCH..(number + 1) * A_BATCH {
            let (key, value) =
                (format!("key-{}", update * 7919 % KEYS), format!("value-{update}-{}", "x".repeat(VALUE_BYTES)));
            batch.push(&Record::new(Some(&key), Some(&value), 1_000));
            expected.insert(key, value);
        }
        let batch = batch.build().expect("a batch");
        written += batch.len() as u64;
        assert_eq!(calls::produce(&mut wire, "t", 0, 1, batch).expect("answers").error_code, 0);
        if number % 50 == 0 {
            reader.read(&mut wire);
            most = most.max(log_bytes(&process));
        }
    }
    while reader.read(&mut wire) > 0 {}
    assert_eq!(reader.newest, expected, "who read all the while has the newest of each key");

    let live: u64 = expected.iter().map(|(key, value)| (key.len() + value.len() + 10) as u64).sum();
    let begun = Instant::now();
    while log_bytes(&process) > 2 * live {
        assert!(begun.elapsed() < DEADLINE, "{} bytes of {live} that live", log_bytes(&process));
        std::thread::yield_now();
    }
    println!("{updates} updates, {written} bytes written, {live} live, {} left, {most} at most", log_bytes(&process));
    let mut late = Reader::default();
    while late.read(&mut wire) > 0 {}
    assert_eq!(late.newest, expected, "who reads from the beginning has them too");
    process.kill();
    let process = Process::start(&Start { dir: dir.path(), settings: SETTINGS, kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    let mut after = Reader::default();
    while after.read(&mut wire) > 0 {}
    assert_eq!(after.newest, expected, "and so after a SIGKILL");
}
