//! `highwater inspect` beside a node that is written to, and behind one that was killed.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port, binary};
use highwater_tests::wire::Wire;
use highwater_tests::writer::Writer;
use serde_json::Value;

const SETTINGS: &[(&str, &str)] = &[("log.segment.bytes", "1048576"), ("log.journal.file.bytes", "1048576")];
/// The log grows while it is looked at, and every look reads all of it or its beginning.
const LOOKS: usize = 8;
const DEADLINE: Duration = Duration::from_secs(30);

fn inspect(dir: &Path, more: &[&str]) -> Vec<Value> {
    let output = Command::new(binary()).arg("inspect").arg(dir).arg("--json").args(more).output().expect("runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn only<'a>(lines: &'a [Value], kind: &str) -> &'a Value {
    let mut found = lines.iter().filter(|line| line["kind"] == kind);
    let first = found.next().unwrap_or_else(|| panic!("no {kind} in {lines:#?}"));
    assert!(found.next().is_none(), "one {kind}");
    first
}

#[test]
fn a_directory_is_looked_at_while_a_node_writes_it_and_after_it_was_killed() {
    let dir = tempfile::tempdir().expect("a directory");
    let process = Process::start(&Start { dir: dir.path(), settings: SETTINGS, kafka: any_port() });
    let address = process.kafka();
    let mut wire = Wire::connect(address).expect("it serves");
    calls::create_topic(&mut wire, "orders", 2, &[]).expect("answers").expect("creates");
    let producer_id = calls::init_producer_id(&mut wire).expect("a producer id");
    let mut writer = Writer::new("orders", 2, -1, Some(producer_id), 5);
    let (count, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let pid = process.pid();
    let mut running = Some(process);
    std::thread::scope(|scope| {
        // Killed on every way out of this block: otherwise the writer would never end, nor the test.
        let process = running.take().expect("it runs");
        scope.spawn(|| {
            writer.write_until_it_dies(address, &count);
            assert!(is_over.load(Ordering::Relaxed), "the writer is not disturbed");
        });
        let mut seen = 0;
        for look in 0..LOOKS {
            let deadline = Instant::now() + DEADLINE;
            while count.load(Ordering::Relaxed) < seen + 50 {
                assert!(Instant::now() < deadline, "the writer goes on within {DEADLINE:?}");
                std::thread::yield_now();
            }
            seen = count.load(Ordering::Relaxed);
            let more: &[&str] = if look % 2 == 0 { &[] } else { &["--records", "--log", "orders-1", "--to", "100"] };
            let lines = inspect(dir.path(), more);
            let directory = only(&lines, "directory");
            assert_eq!((&directory["in_use"], &directory["used_by_process"]), (&true.into(), &pid.into()));
            assert_eq!(only(&lines, "summary")["damages"], 0);
        }
        is_over.store(true, Ordering::Relaxed);
        drop(process);
    });
    let acknowledged = count.load(Ordering::Relaxed);
    let lines = inspect(dir.path(), &[]);
    assert_eq!(only(&lines, "directory")["in_use"], false);
    assert_eq!(only(&lines, "directory")["node_id"], 1);
    assert!(only(&lines, "summary")["batches"].as_u64().expect("a count") >= acknowledged);
    let mut topics: Vec<&str> = lines.iter().filter_map(|line| line["topic"].as_str()).collect();
    topics.sort_unstable();
    assert_eq!(topics, ["orders-0", "orders-1"]);
    let again = Process::start(&Start { dir: dir.path(), settings: SETTINGS, kafka: any_port() });
    let mut wire = Wire::connect(again.kafka()).expect("it serves");
    assert!(writer.check(&mut wire).expect("reads") > acknowledged, "every acknowledged record is there");
}
