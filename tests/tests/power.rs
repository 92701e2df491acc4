//! The power goes, under load and during recovery: every acknowledged record is there, in order, once.
//!
//! The disk is ext4 on a loop device, shut down without a flush of its log: what was not synced is lost. The load comes from our
//! own raw writer and from librdkafka, which goes on by itself when the broker is back.

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use highwater_tests::calls;
use highwater_tests::chance::Chance;
use highwater_tests::librdkafka::Librdkafka;
use highwater_tests::loop_disk::{ENDS_WITH_THE_TEST, LoopDisk};
use highwater_tests::process::{Process, Start, any_port, binary};
use highwater_tests::wire::Wire;
use highwater_tests::writer::Writer;

const CUTS: usize = 20;
const SEED: u64 = 0x5eed_0020;
const DISK_BYTES: u64 = 3 << 30;
const PARTITIONS: usize = 3;
/// The load before a cut, in requests of the raw writer and in records of librdkafka, which first has to come back.
const MOST_REQUESTS: u64 = 400;
const MOST_RECORDS: u64 = 4000;
const LOAD_DEADLINE: Duration = Duration::from_secs(30);
/// How long a broker may see its disk gone.
const ENDS_WITHIN: Duration = Duration::from_millis(300);
/// What a journal that cannot be written ends a broker with.
const JOURNAL_FAILED: Option<i32> = Some(70);

const SETTINGS: &[(&str, &str)] = &[("log.segment.bytes", "8388608"), ("log.journal.file.bytes", "4194304")];

#[test]
fn nothing_acknowledged_is_lost_by_twenty_power_cuts() {
    let disk = LoopDisk::new("power", DISK_BYTES);
    let dir = disk.path().join("data");
    let mut chance = Chance::new(SEED);
    let process = Process::start_under(ENDS_WITH_THE_TEST, &Start { dir: &dir, settings: SETTINGS, kafka: any_port() });
    // The same port again and again: librdkafka comes back to it.
    let start = Start { dir: &dir, settings: SETTINGS, kafka: process.kafka() };
    let mut writer = create(process.kafka());
    let mut foreign = Librdkafka::start(process.kafka(), "librdkafka", PARTITIONS);
    let mut process = Some(process);
    let mut cuts = 0;
    while cuts < CUTS {
        let mut where_cut = vec!["under load".to_owned()];
        let running = process.take().expect("it runs");
        let load = Load { requests: chance.below(MOST_REQUESTS), records: chance.below(MOST_RECORDS) };
        load_and_cut(&disk, running, &load, chance.below(2) == 0, (&mut writer, &mut foreign));
        disk.mount_again();
        cuts += 1;
        while cuts < CUTS && chance.below(3) == 0 {
            let (cutter, after) = (disk.cutter(), Duration::from_micros(chance.below(60_000)));
            Process::start_to_be_stopped(&start, after, || cutter.cut());
            disk.mount_again();
            cuts += 1;
            where_cut.push(format!("{} ms into a start", after.as_millis()));
        }
        if cuts % 4 == 0 {
            check_undamaged(&dir);
        }
        let again = Process::start_under(ENDS_WITH_THE_TEST, &start);
        let mut wire = Wire::connect(again.kafka()).expect("it serves");
        writer.forget_checks();
        let ours = writer.check(&mut wire).expect("reads");
        let theirs = foreign.check(&mut wire).expect("reads");
        let (records, restart) = (ours + theirs, again.ready_after().as_millis());
        for (cut, place) in (1..).skip(cuts - where_cut.len()).zip(where_cut) {
            let found = format!("{records} records acknowledged, {records} found, lost 0, restart {restart} ms");
            println!("cut {cut}, {place}: {found}");
        }
        process = Some(again);
    }
    let process = process.expect("it runs");
    let mut wire = Wire::connect(process.kafka()).expect("it serves");
    let records = foreign.finish(&mut wire);
    assert!(records > CUTS as u64 * 500, "librdkafka's load was a load: {records} records");
    println!("librdkafka had {records} records acknowledged, each is there once");
}

fn create(address: SocketAddr) -> Writer {
    let mut wire = Wire::connect(address).expect("it serves");
    let partitions = i32::try_from(PARTITIONS).expect("few");
    for topic in ["raw", "librdkafka"] {
        calls::create_topic(&mut wire, topic, partitions, &[("flush.mode", "fsync")])
            .expect("answers")
            .expect("creates");
    }
    let producer_id = calls::init_producer_id(&mut wire).expect("a producer id");
    Writer::new("raw", PARTITIONS, -1, Some(producer_id), SEED).that_ends_when_refused()
}

/// What is acknowledged before a cut.
struct Load {
    requests: u64,
    records: u64,
}

/// Cuts the power under load. The broker is killed at once, or may end by itself first.
fn load_and_cut(
    disk: &LoopDisk,
    process: Process,
    load: &Load,
    is_killed: bool,
    (writer, foreign): (&mut Writer, &mut Librdkafka),
) {
    let (cutter, count) = (disk.cutter(), AtomicU64::new(0));
    let (address, before) = (process.kafka(), foreign.acknowledged());
    std::thread::scope(|scope| {
        // Dropped, and so killed, on every way out of this block: otherwise the writer would never end.
        let mut process = process;
        scope.spawn(|| writer.write_until_it_dies(address, &count));
        let deadline = Instant::now() + LOAD_DEADLINE;
        while count.load(Ordering::Relaxed) < load.requests || foreign.acknowledged() < before + load.records {
            assert!(Instant::now() < deadline, "the load is acknowledged within {LOAD_DEADLINE:?}");
            std::thread::yield_now();
        }
        cutter.cut();
        // Where no flush is on its way or comes after it nothing tells the broker to end.
        let ended = if is_killed { None } else { process.wait(ENDS_WITHIN) };
        match ended {
            None => process.kill(),
            Some(status) => {
                let said = process.log();
                assert_eq!(status.code(), JOURNAL_FAILED, "{said:#?}");
                let is_told = |line: &String| line.contains(".journal") && line.contains("os error 5");
                assert!(said.iter().any(is_told), "the end names the file and the error: {said:#?}");
            }
        }
    });
}

/// What a cut leaves is no damage, as `inspect` says.
fn check_undamaged(dir: &std::path::Path) {
    let output = Command::new(binary()).arg("inspect").arg(dir).arg("--verify").output().expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// The disk does what the other test takes for granted.
#[test]
fn a_cut_loses_what_was_not_synced_and_nothing_else() {
    let disk = LoopDisk::new("cut", 64 << 20);
    let write = |name: &str| {
        let mut file = File::create(disk.path().join(name)).expect("creates");
        file.write_all(name.as_bytes()).expect("writes");
        file
    };
    write("synced").sync_all().expect("syncs");
    File::open(disk.path()).expect("opens").sync_all().expect("syncs the directory");
    drop(write("unsynced"));
    disk.cutter().cut();
    assert_eq!(fs::read(disk.path().join("synced")).expect_err("the disk is gone").raw_os_error(), Some(5));
    disk.mount_again();
    assert_eq!(fs::read(disk.path().join("synced")).expect("it is back"), b"synced");
    assert!(!disk.path().join("unsynced").exists(), "what only the page cache had is lost");
}
