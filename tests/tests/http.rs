//! The HTTP port: what a probe and a scrape see, and that the documentation lists every metric.

use std::collections::BTreeMap;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::http::get;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;

const OPERATIONS: &str = include_str!("../../docs/operations.md");

fn batch() -> bytes::BytesMut {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.push(&Record::new(None, Some("value"), 1));
    builder.build().expect("a batch")
}

#[test]
fn a_scrape_is_well_formed_and_every_family_is_documented() {
    let dir = tempfile::tempdir().expect("a directory");
    let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, "measured", 2, &[]).expect("answers").expect("creates");
    for _ in 0..3 {
        assert_eq!(calls::produce(&mut wire, "measured", 1, -1, batch()).expect("answers").error_code, 0);
    }
    assert_eq!(get(process.http(), "/healthz").expect("answers"), (200, "ok\n".to_owned()));
    assert_eq!(get(process.http(), "/readyz").expect("answers"), (200, "ready\n".to_owned()));
    let (status, page) = get(process.http(), "/metrics").expect("answers");
    assert_eq!(status, 200);

    let mut kinds = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in page.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').expect("a name and a kind");
            assert!(kinds.insert(name, kind).is_none(), "{name} is declared once");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            let name = series.split('{').next().expect("a name");
            let parts = ["_bucket", "_sum", "_count"];
            let is_part = |part: &&str| name.strip_suffix(*part).is_some_and(|name| kinds.contains_key(name));
            assert!(kinds.contains_key(name) || parts.iter().any(is_part), "{name} is declared before it");
            let value: f64 = value.parse().expect("a number");
            assert!(samples.insert(series, value).is_none(), "{series} is there once");
        }
    }
    for (series, value) in [
        ("kafka_brokers", 1.0),
        ("kafka_topic_partitions{topic=\"measured\"}", 2.0),
        ("kafka_topic_partition_current_offset{topic=\"measured\",partition=\"1\"}", 3.0),
        ("kafka_topic_partition_current_offset{topic=\"measured\",partition=\"0\"}", 0.0),
        ("kafka_topic_partition_oldest_offset{topic=\"measured\",partition=\"1\"}", 0.0),
        ("highwater_partition_serving{topic=\"measured\",partition=\"1\"}", 1.0),
        ("highwater_requests_total{api=\"Produce\"}", 3.0),
        ("highwater_request_seconds_count{api=\"Produce\"}", 3.0),
        ("highwater_connections", 1.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
    assert!(
        samples["highwater_flushes_total"] >= 3.0,
        "three acknowledged batches, one after the other, are three flushes"
    );
    let unlisted: Vec<_> = kinds.keys().filter(|name| !OPERATIONS.contains(&format!("`{name}`"))).collect();
    assert!(unlisted.is_empty(), "docs/operations.md does not list {unlisted:?}");
}

#[test]
fn below_the_free_space_floor_produce_is_refused_and_reads_go_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut roomy = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
    let mut wire = Wire::connect(roomy.kafka()).expect("connects");
    calls::create_topic(&mut wire, "kept", 1, &[]).expect("answers").expect("creates");
    assert_eq!(calls::produce(&mut wire, "kept", 0, -1, batch()).expect("answers").error_code, 0);
    roomy.kill();

    // More than any disk has.
    let settings = &[("log.free.space.floor.bytes", "1000000000000000")];
    let full = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    let mut wire = Wire::connect(full.kafka()).expect("connects");
    let refused = calls::produce(&mut wire, "kept", 0, -1, batch()).expect("answers");
    assert_eq!(ErrorCode::from_number(refused.error_code), ErrorCode::KafkaStorageError);
    let message = refused.error_message.expect("a reason");
    assert!(message.contains("1000000000000000"), "the message has the floor: {message}");
    assert_eq!(calls::read_all(&mut wire, "kept", 0, 0).expect("reads").len(), 1, "what is there is read");
    let (status, reason) = get(full.http(), "/readyz").expect("answers");
    assert_eq!(status, 503, "{reason}");
    assert!(reason.contains("1000000000000000"), "{reason}");
    assert_eq!(get(full.http(), "/healthz").expect("answers").0, 200, "it lives");
}
