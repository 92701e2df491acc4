//! Rolls, retention and DeleteRecords: the log start moves by a command, then files go.

use highwater_protocol::ids::Offset;

use crate::bench::{Bench, Sent, WALL};

fn names(bench: &Bench, topic: uuid::Uuid) -> Vec<i64> {
    let number = |name: &String| name.trim_end_matches(".log").parse().expect("an offset");
    bench.files(topic).keys().map(number).collect()
}

#[test]
fn a_segment_is_rolled_when_it_is_full() {
    let mut bench = Bench::new(1);
    let topic = bench.topic("t", &[("segment.bytes", "1048576")]);
    for _ in 0..8 {
        bench.produce(topic, &Sent::big("x", 300_000));
    }
    assert_eq!(names(&bench, topic), [0, 4]);
    assert_eq!(bench.after_kill().values(topic).len(), 8);
}

#[test]
fn a_segment_is_rolled_when_its_records_span_too_long() {
    let mut bench = Bench::new(2);
    let topic = bench.topic("t", &[("segment.ms", "1000")]);
    bench.produce(topic, &Sent::new("a").at(WALL));
    bench.produce(topic, &Sent::new("b").at(WALL + 1000));
    bench.produce(topic, &Sent::new("c").at(WALL + 1001));
    assert_eq!(names(&bench, topic), [0]);
    bench.produce(topic, &Sent::new("d").at(WALL + 1002));
    assert_eq!(names(&bench, topic), [0, 3]);
    assert_eq!(bench.after_kill().values(topic), ["a", "b", "c", "d"]);
}

/// Five segments of one record each, a second apart, and a sixth with a small one.
fn five_segments(seed: u64, settings: &[(&str, &str)]) -> (Bench, uuid::Uuid) {
    let mut bench = Bench::new(seed);
    let all: Vec<(&str, &str)> = [("segment.bytes", "1048576")].iter().chain(settings).copied().collect();
    let topic = bench.topic("t", &all);
    for _ in 0..5 {
        bench.produce(topic, &Sent::big("x", 1_048_480));
        bench.pass(1000);
    }
    bench.produce(topic, &Sent::new("small"));
    (bench, topic)
}

#[test]
fn retention_by_time_moves_the_log_start_by_a_command_and_then_files_go() {
    let (mut bench, topic) = five_segments(3, &[("retention.ms", "3500")]);
    assert_eq!(names(&bench, topic), [0, 1, 2, 3, 4, 5]);
    let node = std::sync::Arc::clone(&bench.node);
    node.retain(bench.clock, &mut bench.outbox).expect("retains");
    assert_eq!(bench.view(topic).log_start, Offset(0), "the command is not committed");
    assert_eq!(names(&bench, topic), [0, 1, 2, 3, 4, 5]);
    bench.upkeep();
    assert_eq!(bench.view(topic).log_start, Offset(2));
    node.trim().expect("trims");
    assert_eq!(names(&bench, topic), [2, 3, 4, 5]);
    let bench = bench.after_kill();
    assert_eq!(bench.view(topic).log_start, Offset(2));
    assert_eq!(bench.values(topic).len(), 4);
}

#[test]
fn retention_by_time_takes_the_active_segment_as_well_and_offsets_go_on() {
    let (mut bench, topic) = five_segments(4, &[("retention.ms", "3500")]);
    bench.pass(100_000);
    bench.retain();
    assert_eq!(bench.view(topic).log_start, Offset(6));
    assert!(bench.values(topic).is_empty());
    bench.retain();
    assert_eq!(names(&bench, topic), [6]);
    let mut bench = bench.after_kill();
    assert_eq!(bench.produce(topic, &Sent::new("next")), 6);
    assert_eq!(bench.values(topic), ["next"]);
}

#[test]
fn retention_by_size_keeps_at_least_what_is_asked_for() {
    let (mut bench, topic) = five_segments(5, &[("retention.bytes", "2500000")]);
    bench.retain();
    assert_eq!(
        bench.view(topic).log_start,
        Offset(2),
        "what is left holds more than 2.5 MB, and without one more it would not"
    );
    assert_eq!(names(&bench, topic), [2, 3, 4, 5]);
}

#[test]
fn a_compacted_topic_is_never_trimmed_by_retention() {
    for policy in ["compact", ""] {
        let (mut bench, topic) =
            five_segments(6, &[("retention.ms", "1"), ("retention.bytes", "1"), ("cleanup.policy", policy)]);
        bench.pass(1_000_000);
        bench.retain();
        assert_eq!(bench.view(topic).log_start, Offset(0), "{policy:?}");
        assert_eq!(names(&bench, topic), [0, 1, 2, 3, 4, 5]);
    }
    let (mut bench, topic) = five_segments(6, &[("retention.bytes", "1"), ("cleanup.policy", "compact,delete")]);
    bench.retain();
    assert_eq!(bench.view(topic).log_start, Offset(5));
}

#[test]
fn delete_records_moves_the_log_start_at_once_and_whole_segments_go() {
    let (mut bench, topic) = five_segments(7, &[]);
    bench.upkeep();
    assert_eq!(bench.delete_records(topic, 3), 3);
    assert_eq!(names(&bench, topic), [0, 1, 2, 3, 4, 5]);
    bench.node.trim().expect("trims");
    assert_eq!(names(&bench, topic), [3, 4, 5]);
    assert_eq!(bench.delete_records(topic, -1), 6);
    bench.node.trim().expect("trims");
    assert_eq!(names(&bench, topic), [5], "the active segment stays");
    let mut bench = bench.after_kill();
    assert_eq!(bench.view(topic).log_start, Offset(6));
    assert_eq!(bench.produce(topic, &Sent::new("next")), 6);
}

/// Raft's first index moves to a roll whose snapshot is durable; without snapshots no file may go.
#[test]
fn files_stay_until_the_snapshot_above_them_is_durable() {
    let (mut bench, topic) = five_segments(8, &[]);
    assert_eq!(bench.delete_records(topic, 3), 3);
    bench.node.trim().expect("trims");
    assert_eq!(names(&bench, topic), [0, 1, 2, 3, 4, 5], "upkeep has not saved a snapshot");
    assert!(bench.outbox.wants_upkeep);
    bench.upkeep();
    bench.node.trim().expect("trims");
    assert_eq!(names(&bench, topic), [3, 4, 5]);
}

#[test]
fn a_power_cut_at_any_operation_of_retention_keeps_what_is_above_the_log_start() {
    let last = {
        let (mut bench, _) = five_segments(9, &[("retention.bytes", "2500000")]);
        let first = bench.disk.operations();
        bench.retain();
        bench.disk.operations() - first
    };
    for stop in 1..=last {
        let (mut bench, topic) = five_segments(9, &[("retention.bytes", "2500000")]);
        let values = bench.values(topic);
        bench.disk.stop_at(bench.disk.operations() + stop);
        let node = std::sync::Arc::clone(&bench.node);
        let steps: [&dyn Fn(&mut Bench) -> bool; 4] = [
            &|bench| node.retain(bench.clock, &mut bench.outbox).is_ok(),
            &|bench| bench.try_flush().is_ok(),
            &|bench| node.upkeep(&mut bench.outbox).is_ok(),
            &|_| node.trim().is_ok(),
        ];
        // Some failures end a step, others take the partition offline or leave a snapshot out: the disk is what counts.
        steps.iter().take_while(|step| step(&mut bench)).for_each(drop);
        let bench = bench.after_power_cut(stop);
        let start = usize::try_from(bench.view(topic).log_start.0).expect("an offset");
        assert!(start == 0 || start == 2, "stopped at {stop}: {start}");
        assert_eq!(bench.values(topic), values[start..], "stopped at {stop}");
    }
}
