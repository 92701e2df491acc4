//! A disk that fails a sync, and one that is full. What is acknowledged stays, the rest is refused, and nothing is tried again.
//!
//! The syncs of the unmodified binary fail by strace, which answers one of them with EIO in place of the kernel.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::produce_response::PartitionProduceResponse;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::http::get;
use highwater_tests::loop_disk::{ENDS_WITH_THE_TEST, LoopDisk};
use highwater_tests::process::{Process, Start, any_port, binary};
use highwater_tests::wire::Wire;
use highwater_tests::writer::Writer;

const DEADLINE: Duration = Duration::from_secs(20);
const SEED: u64 = 0x5eed_0e10;
/// The sync of a thread that fails: behind those of a start, in the midst of the load.
const NTH_JOURNAL_SYNC: u32 = 60;
/// The start syncs a segment that it takes up; the flusher's second sync of it fails.
const NTH_SEGMENT_SYNC: u32 = 2;
/// A batch that is synced in its segment, not journalled.
const BIG_BATCH: usize = 400 << 10;
const FLOOR: u64 = 64 << 20;

/// Runs a broker whose `nth` sync of these files fails in each thread. Every sync of them is logged.
fn start_failing(start: &Start<'_>, log: &Path, files: &[PathBuf], nth: u32) -> Process {
    let inject = format!("inject=fdatasync:error=EIO:when={nth}");
    let mut strace =
        vec!["strace", "-D", "-f", "-q", "-e", "signal=none", "-e", "trace=fdatasync", "-e", &inject, "-o"];
    strace.push(log.to_str().expect("text"));
    for file in files {
        strace.extend(["-P", file.to_str().expect("text")]);
    }
    Process::start_under(&strace, start)
}

/// One sync failed, and none came after it up to the end of the process.
fn check_not_retried(log: &Path, process: u32) {
    let deadline = Instant::now() + DEADLINE;
    let is_end = |line: &str| line.starts_with(&process.to_string()) && line.contains("+++");
    let text = loop {
        let text = std::fs::read_to_string(log).expect("strace's log");
        if text.lines().any(is_end) {
            break text;
        }
        assert!(Instant::now() < deadline, "strace has seen the end of {process} within {DEADLINE:?}: {text}");
    };
    let syncs: Vec<&str> = text.lines().filter(|line| line.contains("fdatasync")).collect();
    let failed = syncs.iter().position(|line| line.contains("EIO")).unwrap_or_else(|| panic!("none failed: {text}"));
    assert_eq!(syncs.len(), failed + 1, "a failed sync is the last: {syncs:#?}");
}

fn batch(bytes: usize) -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.push(&Record { value: Some(Bytes::from(vec![b'x'; bytes])), timestamp: 1, ..Record::default() });
    builder.build().expect("a batch")
}

fn produce(wire: &mut Wire, topic: &str, bytes: usize) -> PartitionProduceResponse {
    calls::produce(wire, topic, 0, -1, batch(bytes)).expect("answers")
}

fn create(wire: &mut Wire, topic: &str) {
    calls::create_topic(wire, topic, 1, &[("flush.mode", "fsync")]).expect("answers").expect("creates");
}

/// The refusal of a disk, and its reason.
fn refused(answer: PartitionProduceResponse) -> String {
    assert_eq!(ErrorCode::from_number(answer.error_code), ErrorCode::KafkaStorageError, "{:?}", answer.error_message);
    answer.error_message.expect("a reason")
}

#[test]
fn a_failed_sync_of_the_journal_ends_the_process_and_loses_nothing() {
    let temp = tempfile::tempdir().expect("a directory");
    let (dir, log) = (temp.path().join("data"), temp.path().join("syncs"));
    let start = Start { dir: &dir, settings: &[], kafka: any_port() };
    let journals: Vec<PathBuf> = (0..8).map(|number| dir.join(format!("journal/{number:010}.journal"))).collect();
    let mut failing = start_failing(&start, &log, &journals, NTH_JOURNAL_SYNC);
    let mut wire = Wire::connect(failing.kafka()).expect("it serves");
    create(&mut wire, "kept");
    let producer_id = calls::init_producer_id(&mut wire).expect("a producer id");
    let mut writer = Writer::new("kept", 1, -1, Some(producer_id), SEED).that_ends_when_refused();
    let count = AtomicU64::new(0);
    writer.write_until_it_dies(failing.kafka(), &count);
    let status = failing.wait(DEADLINE).expect("it ends by itself");
    let said = failing.log();
    assert_eq!(status.code(), Some(70), "{said:#?}");
    let is_told =
        |line: &String| line.contains("cannot sync") && line.contains(".journal") && line.contains("os error 5");
    assert!(said.iter().any(is_told), "the end names what failed, the file and the error: {said:#?}");
    check_not_retried(&log, failing.pid());

    let again = Process::start(&start);
    let mut wire = Wire::connect(again.kafka()).expect("it serves");
    let records = writer.check(&mut wire).expect("reads");
    assert!(records > 0 && count.into_inner() > 0, "something was acknowledged before");
    println!("a failed sync of the journal: status 70, {records} records acknowledged, {records} found, lost 0");
}

#[test]
fn a_failed_sync_of_a_segment_takes_its_partition_offline_and_no_other() {
    let temp = tempfile::tempdir().expect("a directory");
    let (dir, log) = (temp.path().join("data"), temp.path().join("syncs"));
    let start = Start { dir: &dir, settings: &[], kafka: any_port() };
    let good = Process::start(&start);
    let mut wire = Wire::connect(good.kafka()).expect("it serves");
    ["kept", "failing"].iter().for_each(|topic| create(&mut wire, topic));
    assert_eq!(produce(&mut wire, "failing", 10).error_code, 0);
    drop(wire);
    assert!(good.stop().success());

    let segment = segment_of(&dir, "failing-0");
    let failing = start_failing(&start, &log, std::slice::from_ref(&segment), NTH_SEGMENT_SYNC);
    let mut wire = Wire::connect(failing.kafka()).expect("it serves");
    assert_eq!(produce(&mut wire, "failing", BIG_BATCH).error_code, 0, "the first sync is good");
    let reason = refused(produce(&mut wire, "failing", BIG_BATCH));
    assert!(reason.contains(&*segment.to_string_lossy()) && reason.contains("os error 5"), "{reason}");
    refused(produce(&mut wire, "failing", 10));
    assert_eq!(produce(&mut wire, "kept", BIG_BATCH).error_code, 0, "the other partition goes on");
    assert_eq!(calls::read_all(&mut wire, "kept", 0, 0).expect("reads").len(), 1);
    let (status, page) = get(failing.http(), "/readyz").expect("answers");
    assert!(status == 200 && page.contains("failing-0"), "{status}: {page}");
    drop(wire);
    // Nor does a stop, which makes durable what is left, try it again.
    let process = failing.pid();
    assert!(failing.stop().success());
    check_not_retried(&log, process);

    let again = Process::start(&start);
    let mut wire = Wire::connect(again.kafka()).expect("it serves");
    let read = calls::read_all(&mut wire, "failing", 0, 0).expect("reads");
    assert!(read.len() >= 2, "the acknowledged records are there: {}", read.len());
    assert_eq!(produce(&mut wire, "failing", 10).error_code, 0, "and it takes records again");
    assert_eq!(calls::read_all(&mut wire, "kept", 0, 0).expect("reads").len(), 1);
}

/// The segment that a partition writes, as `inspect` says.
fn segment_of(dir: &Path, topic: &str) -> PathBuf {
    let output =
        Command::new(binary()).arg("inspect").arg(dir).args(["--json", "--log", topic]).output().expect("runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let segment = lines.rfind(|line| line["kind"] == "segment").expect("a segment");
    PathBuf::from(segment["path"].as_str().expect("a path"))
}

#[test]
fn a_full_disk_refuses_records_reads_on_and_takes_them_again_when_there_is_room() {
    let disk = LoopDisk::new("full", 192 << 20);
    let dir = disk.path().join("data");
    let floor = FLOOR.to_string();
    let settings = &[("log.free.space.floor.bytes", floor.as_str()), ("log.journal.file.bytes", "1048576")];
    let start = Start { dir: &dir, settings, kafka: any_port() };
    let mut process = Process::start_under(ENDS_WITH_THE_TEST, &start);
    let mut wire = Wire::connect(process.kafka()).expect("it serves");
    ["kept", "big"].iter().for_each(|topic| create(&mut wire, topic));
    assert_eq!(produce(&mut wire, "kept", 10).error_code, 0);

    // It fills itself up to the floor, and others fill the rest.
    let (taken, reason) = fill_up(&mut wire);
    assert!(reason.contains(&floor), "the refusal has the figures: {reason}");
    disk.fill("of another", 2 << 20);
    let counts =
        |wire: &mut Wire| ["kept", "big"].map(|topic| calls::read_all(wire, topic, 0, 0).expect("reads").len());
    assert_eq!(counts(&mut wire), [1, taken]);
    process.kill();
    let again = Process::start_under(ENDS_WITH_THE_TEST, &start);
    let mut wire = Wire::connect(again.kafka()).expect("it starts on a full disk");
    assert_eq!(counts(&mut wire), [1, taken], "nothing acknowledged is lost");
    refused(produce(&mut wire, "kept", 10));

    // A topic goes, and there is room.
    calls::delete_topic(&mut wire, "big").expect("answers").expect("deletes");
    let deadline = Instant::now() + DEADLINE;
    while produce(&mut wire, "kept", 10).error_code != 0 {
        assert!(Instant::now() < deadline, "records are taken again within {DEADLINE:?}");
    }
    assert_eq!(calls::read_all(&mut wire, "kept", 0, 0).expect("reads").len(), 2);
    println!(
        "a full disk: {taken} MiB taken in, then refused; none lost, and taken in again after a topic was deleted"
    );
}

/// Produces until it is refused. Returns how many batches were acknowledged, and the reason.
fn fill_up(wire: &mut Wire) -> (usize, String) {
    let deadline = Instant::now() + DEADLINE;
    for taken in 0.. {
        assert!(Instant::now() < deadline, "the floor is reached within {DEADLINE:?}");
        let answer = produce(wire, "big", 1_000_000);
        if answer.error_code != 0 {
            return (taken, refused(answer));
        }
    }
    unreachable!("a disk is full at some time")
}

/// Without a floor the disk itself refuses: it is the partition that wrote which pays, and only until a restart with room.
#[test]
fn a_disk_without_a_free_byte_costs_the_partition_that_writes_and_no_record() {
    let disk = LoopDisk::new("brim", 96 << 20);
    let dir = disk.path().join("data");
    let settings = &[("log.free.space.floor.bytes", "0"), ("log.journal.file.bytes", "1048576")];
    let start = Start { dir: &dir, settings, kafka: any_port() };
    let process = Process::start_under(ENDS_WITH_THE_TEST, &start);
    let mut wire = Wire::connect(process.kafka()).expect("it serves");
    ["kept", "writing"].iter().for_each(|topic| create(&mut wire, topic));
    for topic in ["kept", "writing"] {
        assert_eq!(produce(&mut wire, topic, 10).error_code, 0);
    }
    disk.fill("of another", 128 << 10);
    let reason = refused(produce(&mut wire, "writing", 1_000_000));
    assert!(reason.contains("os error 28"), "{reason}");
    assert_eq!(calls::read_all(&mut wire, "kept", 0, 0).expect("reads").len(), 1, "the others read on");
    assert_eq!(get(process.http(), "/healthz").expect("answers").0, 200, "it lives");
    drop(wire);
    drop(process);

    std::fs::remove_file(disk.path().join("of another")).expect("removes");
    let again = Process::start_under(ENDS_WITH_THE_TEST, &start);
    let mut wire = Wire::connect(again.kafka()).expect("it serves");
    for topic in ["kept", "writing"] {
        assert_eq!(calls::read_all(&mut wire, topic, 0, 0).expect("reads").len(), 1, "{topic} has lost nothing");
        assert_eq!(produce(&mut wire, topic, 1_000_000).error_code, 0, "{topic} takes records");
    }
}
