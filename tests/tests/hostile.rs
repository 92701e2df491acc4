//! Clients that send rubbish, or nothing, or read nothing: the node serves the others, keeps within its memory, and says in its
//! log whom it closed and why.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use highwater_protocol::frame::concatenated;
use highwater_protocol::message::fetch_request::{FetchPartition, FetchTopic};
use highwater_protocol::message::{ApiVersionsRequest, FetchRequest};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::chance::Chance;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;
use tempfile::TempDir;

const IDLE_CONNECTIONS: usize = 10_000;
/// Memory that a connection that was used once may keep.
const IDLE_CONNECTION_BYTES: u64 = 16 * 1024;
const LOG_DEADLINE: Duration = Duration::from_secs(60);
const MIB: u64 = 1 << 20;

fn node(settings: &[(&str, &str)]) -> (TempDir, Process) {
    let dir = tempfile::tempdir().expect("a directory");
    let process = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    (dir, process)
}

/// One record in, and out again, by a connection of its own.
fn assert_serves(process: &Process) {
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    let created = calls::create_topic(&mut wire, "witness", 1, &[]).expect("answers");
    assert!(created.is_ok() || calls::metadata(&mut wire, Some(&["witness"])).is_ok(), "{created:?}");
    let answer = calls::produce(&mut wire, "witness", 0, -1, batch(1, 100)).expect("answers");
    assert_eq!(answer.error_code, 0, "a record is taken");
    let read = calls::read_all(&mut wire, "witness", 0, answer.base_offset).expect("answers");
    assert_eq!(read.len(), 1, "and given back");
}

fn batch(records: usize, bytes: usize) -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None);
    for _ in 0..records {
        builder.push(&Record { value: Some(vec![b'v'; bytes].into()), ..Record::default() });
    }
    builder.build().expect("a batch")
}

/// Reads until the other side closes.
fn assert_closed(wire: &mut Wire) {
    wire.stream().set_read_timeout(Some(LOG_DEADLINE)).expect("a deadline");
    let mut rest = Vec::new();
    match wire.stream().read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "closed, not left open"),
    }
}

fn assert_logged(process: &Process, text: &str) {
    assert!(process.wait_for_log(text, LOG_DEADLINE).is_some(), "the log says why: {text}");
}

#[test]
fn a_length_of_two_gigabytes_is_refused_at_once() {
    let (_dir, process) = node(&[]);
    let before = process.resident();
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    wire.send_bytes(&i32::MAX.to_be_bytes()).expect("sends");
    assert_closed(&mut wire);
    assert_logged(&process, "2147483647");
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    wire.send_bytes(&(-5i32).to_be_bytes()).expect("sends");
    assert_closed(&mut wire);
    assert_logged(&process, "-5");
    assert!(process.resident() < before + 8 * MIB, "{} became {}", before, process.resident());
    assert_serves(&process);
}

#[test]
fn garbage_closes_its_own_connection_only() {
    let (_dir, process) = node(&[]);
    let mut good = Wire::connect(process.kafka()).expect("connects");
    let mut chance = Chance::new(7);
    for _ in 0..300 {
        let mut wire = Wire::connect(process.kafka()).expect("connects");
        let length = 1 + chance.below(3000);
        let bytes: Vec<u8> = (0..length).map(|_| chance.bits().to_le_bytes()[0]).collect();
        let mut frame = BytesMut::new();
        if chance.below(2) == 0 {
            // A frame of the right length with a key and version that exist.
            frame.put_i32(i32::try_from(length).expect("small") + 4);
            frame.put_i16(i16::try_from(chance.below(70)).expect("small"));
            frame.put_i16(i16::try_from(chance.below(14)).expect("small"));
        }
        frame.put_slice(&bytes);
        // The broker may close before all of it is sent.
        drop(wire.send_bytes(&frame));
        let response = good.call(&ApiVersionsRequest::default(), 0).expect("another connection is served");
        assert_eq!(response.error_code, 0);
    }
    assert_logged(&process, "connection closed");
    assert_serves(&process);
}

#[test]
fn every_truncation_of_a_request_is_survived() {
    let (_dir, process) = node(&[]);
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, "t", 1, &[]).expect("answers").expect("creates");
    let request = calls::produce_request("t", 0, -1, batch(3, 50));
    let chunks = highwater_protocol::frame::request(1, "test", &request, calls::PRODUCE).expect("encodes");
    let whole = concatenated(&chunks);
    for length in 0..whole.len() - 4 {
        // With its own length in front it is a whole frame with a body cut short; without, a client that went away.
        let mut wire = Wire::connect(process.kafka()).expect("connects");
        if length % 2 == 0 {
            let mut frame = BytesMut::new();
            frame.put_i32(i32::try_from(length).expect("small"));
            frame.put_slice(&whole[4..4 + length]);
            wire.send_bytes(&frame).expect("sends");
            assert_closed(&mut wire);
        } else {
            wire.send_bytes(&whole[..length]).expect("sends");
        }
    }
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    let end = calls::list_offset(&mut wire, "t", 0, -1).expect("answers");
    assert_eq!(end.offset, 0, "no part of a request was taken for a whole one");
    assert_serves(&process);
}

#[test]
fn ten_thousand_idle_connections_cost_little() {
    raise_open_files();
    let (_dir, process) = node(&[]);
    assert_serves(&process);
    let before = process.resident();
    let mut idle = Vec::with_capacity(IDLE_CONNECTIONS);
    for _ in 0..IDLE_CONNECTIONS {
        let mut wire = Wire::connect(process.kafka()).expect("connects");
        wire.call(&ApiVersionsRequest::default(), 0).expect("answers");
        idle.push(wire);
    }
    assert_serves(&process);
    let allowed = before + IDLE_CONNECTIONS as u64 * IDLE_CONNECTION_BYTES;
    let deadline = Instant::now() + LOG_DEADLINE;
    while process.resident() > allowed {
        assert!(Instant::now() < deadline, "{} MiB resident, {} MiB before", process.resident() / MIB, before / MIB);
        assert_serves(&process);
    }
    println!("{IDLE_CONNECTIONS} idle connections: {} MiB, {} MiB before", process.resident() / MIB, before / MIB);
    for wire in idle.iter_mut().step_by(1000) {
        wire.call(&ApiVersionsRequest::default(), 0).expect("an idle connection is still served");
    }
}

#[test]
fn a_client_that_never_reads_is_closed() {
    let (_dir, process) = node(&[]);
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    calls::create_topic(&mut wire, "large", 1, &[]).expect("answers").expect("creates");
    for _ in 0..100 {
        let answer = calls::produce(&mut wire, "large", 0, 1, batch(10, 90_000)).expect("answers");
        assert_eq!(answer.error_code, 0);
    }
    let before = process.resident();
    let mut mute = Wire::connect(process.kafka()).expect("connects");
    mute.stream().set_write_timeout(Some(Duration::from_secs(1))).expect("a deadline");
    // Far more than its pipeline takes: at some point the broker stops reading.
    let asked = (0..1000).take_while(|_| mute.send(&fetch_all("large"), calls::FETCH).is_ok()).count();
    assert!(asked > 0, "it asked");
    assert_serves(&process);
    assert_logged(&process, "took none of its response");
    assert_serves(&process);
    let grown = process.resident().saturating_sub(before);
    assert!(grown < 128 * MIB, "{} MiB more than before", grown / MIB);
}

fn fetch_all(topic: &str) -> FetchRequest {
    let partitions = vec![FetchPartition {
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: 50 << 20,
        ..FetchPartition::default()
    }];
    let topics = vec![FetchTopic { topic: topic.to_owned(), partitions, ..FetchTopic::default() }];
    FetchRequest { replica_id: -1, max_bytes: 50 << 20, session_epoch: -1, topics, ..FetchRequest::default() }
}

#[test]
fn unfinished_requests_stay_within_the_memory_for_requests() {
    const BUDGET: u64 = 64 * MIB;
    let (_dir, process) = node(&[("queued.max.request.bytes", "67108864")]);
    assert_serves(&process);
    let before = process.resident();
    let mut senders: Vec<Wire> = (0..16).map(|_| Wire::connect(process.kafka()).expect("connects")).collect();
    let piece = vec![0; 1 << 20];
    for sender in &mut senders {
        sender.stream().set_nonblocking(true).expect("nonblocking");
        drop(sender.stream().write(&(100i32 << 20).to_be_bytes()));
    }
    // Each would send 100 MiB; all together may take no more than the budget.
    let deadline = Instant::now() + Duration::from_secs(3);
    while Instant::now() < deadline {
        for sender in &mut senders {
            // Full, or closed by the broker: both are what is tested.
            drop(sender.stream().write(&piece));
        }
        let grown = process.resident().saturating_sub(before);
        assert!(grown < 2 * BUDGET, "{} MiB more than before", grown / MIB);
    }
    // Those with small requests are served while others hold all the memory, and the others hear why they do not get more.
    assert_serves(&process);
    assert_logged(&process, "queued.max.request.bytes");
    drop(senders);
    assert_serves(&process);
}

fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the limit of open files goes up to its maximum");
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    assert!(allowed > IDLE_CONNECTIONS as u64 + 100, "the maximum of open files is {allowed}: raise it (ulimit -Hn)");
}
