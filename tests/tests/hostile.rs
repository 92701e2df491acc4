//! Clients that send rubbish, or nothing, or read nothing: the node serves the others, keeps within its memory, and says in its
//! log whom it closed and why.

use std::io::{Read, Write};
use std::sync::{Mutex, PoisonError};
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
/// What one reads into.
const READ_BUFFER: u64 = 64 * 1024;
/// One test at a time has that many connections: a process may have 20,000 files.
static CROWD: Mutex<()> = Mutex::new(());
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

/// Two gigabytes, a negative length, and the first bytes of a TLS handshake, which come to 369 MB: a thousand connections of
/// each leave less than a mebibyte.
#[test]
fn lengths_that_no_request_has_are_refused_at_once() {
    const CONNECTIONS: usize = 1000;
    let (_dir, process) = node(&[]);
    let refused = |prefix: [u8; 4]| {
        let mut wire = Wire::connect(process.kafka()).expect("connects");
        wire.send_bytes(&prefix).expect("sends");
        assert_closed(&mut wire);
    };
    assert_serves(&process);
    let two_gigabytes = i32::MAX.to_be_bytes();
    let handshake = [0x16, 3, 1, 0];
    let lengths = [(two_gigabytes, "2147483647"), ((-5i32).to_be_bytes(), "-5"), (handshake, "a TLS handshake")];
    for (prefix, logged) in lengths {
        refused(prefix);
        assert_logged(&process, logged);
    }
    for (prefix, what) in lengths {
        (0..CONNECTIONS / 10).for_each(|_| refused(prefix));
        let before = process.resident();
        (0..CONNECTIONS).for_each(|_| refused(prefix));
        let grown = process.resident().saturating_sub(before);
        println!("{CONNECTIONS} connections with the length {what}: {} KiB more", grown / 1024);
        assert!(grown < MIB, "{what}: {grown} bytes more for {CONNECTIONS} connections");
    }
    assert_serves(&process);
}

/// No memory is taken for bytes that are only announced, beyond the buffer of a connection that began to send.
#[test]
fn announced_bytes_cost_nothing_before_they_come() {
    const CONNECTIONS: usize = 1000;
    let (_dir, process) = node(&[]);
    assert_serves(&process);
    let mut announcing = Vec::new();
    let grown = process.growth_while(|| {
        for _ in 0..CONNECTIONS {
            let mut wire = Wire::connect(process.kafka()).expect("connects");
            wire.send_bytes(&(100i32 << 20).to_be_bytes()).expect("sends");
            announcing.push(wire);
        }
        assert_serves(&process);
    });
    println!("{CONNECTIONS} connections that announce 100 MiB each: {} KiB more", grown / 1024);
    assert!(grown < CONNECTIONS as u64 * (READ_BUFFER + IDLE_CONNECTION_BYTES), "{grown} bytes more");
}

/// A frame that trickles in ends its connection after five seconds, however many bytes it has left.
#[test]
fn a_frame_that_trickles_is_not_waited_for() {
    let (_dir, process) = node(&[]);
    let begun = Instant::now();
    let mut trickling: Vec<Wire> = (0..200).map(|_| Wire::connect(process.kafka()).expect("connects")).collect();
    let mut sent = 0;
    while begun.elapsed() < Duration::from_secs(20) && !trickling.is_empty() {
        // A byte a second each, the first four of them a length of a mebibyte.
        let byte = (1i32 << 20).to_be_bytes().get(sent).copied().unwrap_or(0);
        trickling.retain_mut(|wire| wire.send_bytes(&[byte]).is_ok());
        sent += 1;
        let round = begun + Duration::from_secs(sent as u64);
        assert_serves(&process);
        std::thread::park_timeout(round.saturating_duration_since(Instant::now()));
    }
    let took = begun.elapsed().as_secs();
    println!("200 frames of a byte a second ended after {took} s");
    assert!(trickling.is_empty(), "{} are still open after {took} s", trickling.len());
    assert_logged(&process, "bytes a second");
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
    // What a client says of itself forges no line.
    let mut forger = Wire::connect(process.kafka()).expect("connects");
    let mut frame = BytesMut::new();
    let client = b"me\n2026-01-01T00:00:00Z ERROR forged";
    frame.put_i32(10 + i32::try_from(client.len()).expect("short") + 2);
    frame.put_slice(&[0, 18, 0, 0, 0, 0, 0, 1, 0]);
    frame.put_u8(u8::try_from(client.len()).expect("short"));
    frame.put_slice(client);
    frame.put_slice(&[7, 7]);
    forger.send_bytes(&frame).expect("sends");
    assert_closed(&mut forger);
    let log = process.log();
    assert!(log.iter().any(|line| line.contains("connection closed")), "the log says why: {log:?}");
    let forged: Vec<&String> = log.iter().filter(|line| line.contains("forged")).collect();
    assert!(forged.iter().all(|line| !line.starts_with("2026-01-01")), "{forged:?}");
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
    let _crowd = CROWD.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Ten thousand that are silent, and five hundred new ones a second, that ask one thing and go.
#[test]
fn a_storm_of_connections_leaves_the_others_their_latency() {
    const REQUESTS: usize = 2000;
    const NEW_A_SECOND: u32 = 500;
    /// What a machine that does other work as well may take at any time.
    const UNMEASURED: Duration = Duration::from_millis(20);
    let _crowd = CROWD.lock().unwrap_or_else(PoisonError::into_inner);
    raise_open_files();
    let (_dir, process) = node(&[]);
    assert_serves(&process);
    let address = process.kafka();
    let calm = latency(address, REQUESTS, || false);
    let idle: Vec<Wire> = (0..IDLE_CONNECTIONS).map(|_| Wire::connect(address).expect("connects")).collect();
    let measured = std::sync::atomic::AtomicBool::new(false);
    let (stormy, new) = std::thread::scope(|scope| {
        let storm = scope.spawn(|| {
            let begun = Instant::now();
            let mut new = 0;
            while !measured.load(std::sync::atomic::Ordering::Acquire) {
                let mut wire = Wire::connect(address).expect("connects");
                wire.call(&ApiVersionsRequest::default(), 0).expect("answers");
                new += 1;
                let next = begun + Duration::from_secs(1) * new / NEW_A_SECOND;
                std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
            }
            (new, begun.elapsed())
        });
        let begun = Instant::now();
        let stormy = latency(address, REQUESTS, || begun.elapsed() < Duration::from_secs(4));
        measured.store(true, std::sync::atomic::Ordering::Release);
        (stormy, storm.join().expect("storms"))
    });
    println!("p99 of produce: {calm:?} alone; {stormy:?} beside {} idle and {new:?} new connections", idle.len());
    assert!(stormy < (calm * 2).max(UNMEASURED), "p99 of produce went from {calm:?} to {stormy:?}");
}

/// The 99th percentile of produce, over so many requests at least.
fn latency(address: std::net::SocketAddr, requests: usize, more: impl Fn() -> bool) -> Duration {
    let mut wire = Wire::connect(address).expect("connects");
    let mut took = Vec::new();
    while took.len() < requests || more() {
        let begun = Instant::now();
        let answer = calls::produce(&mut wire, "witness", 0, 1, batch(1, 100)).expect("answers");
        assert_eq!(answer.error_code, 0);
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took[took.len() * 99 / 100]
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
    assert!(allowed > IDLE_CONNECTIONS as u64 + 1000, "the maximum of open files is {allowed}: raise it (ulimit -Hn)");
}
