//! `flush.mode`: what is durable when, and what a change of it means for what was answered before.

use highwater_protocol::ids::Offset;

use crate::bench::{Bench, Sent, answer, appended};

#[test]
fn os_answers_from_the_page_cache_and_survives_a_kill() {
    let mut bench = Bench::new(1);
    let topic = bench.topic("t", &[("flush.mode", "os")]);
    let operations = bench.disk.operations();
    let mut reply = bench.send(topic, &Sent::new("a"));
    bench.finish_turn();
    assert_eq!(appended(&mut reply), 0, "without a flush");
    assert_eq!(bench.disk.operations(), operations + 1, "one write, no sync");
    assert!(!bench.outbox.wants_flush);
    assert_eq!(bench.values(topic), ["a"]);
    let mut bench = bench.after_kill();
    assert_eq!(bench.values(topic), ["a"]);
    assert_eq!(bench.produce(topic, &Sent::new("b")), 1);
}

/// The vote and the term of a partition are durable whatever its flush.mode: a new term is served only behind the flusher.
#[test]
fn os_is_never_for_the_hard_state() {
    for seed in 0..20 {
        let mut bench = Bench::new(seed);
        let topic = bench.topic("t", &[("flush.mode", "os")]);
        let mut epochs = vec![bench.epoch(topic)];
        for life in 0..3 {
            bench.produce(topic, &Sent::new("x"));
            bench = bench.after_power_cut(seed * 10 + life);
            epochs.push(bench.epoch(topic));
        }
        assert!(epochs.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: {epochs:?}");
    }
}

/// The page cache of a machine that lost its power is gone, and the log cannot say so: it may end where it ended before. The
/// journal says that records were acknowledged from there, and in which boot.
#[test]
fn a_power_cut_under_os_is_told_and_a_kill_is_none() {
    let mut bench = Bench::new(1);
    let topic = bench.topic("t", &[("flush.mode", "os")]);
    let other = bench.topic("fsync", &[]);
    let has_lost = |bench: &Bench, topic| bench.replica(topic).state().has_lost;
    bench.produce(topic, &Sent::new("x"));
    for life in 0..3 {
        bench = bench.after_kill();
        assert!(!has_lost(&bench, topic), "kill {life}");
    }
    // The journal goes round, and says it still.
    for _ in 0..8 {
        bench.produce(other, &Sent::big("y", 200_000));
        bench.upkeep();
    }
    bench = bench.after_power_cut(7);
    assert!(has_lost(&bench, topic) && !has_lost(&bench, other));
    bench = bench.after_kill();
    assert!(!has_lost(&bench, topic), "it is told once");
    bench = bench.after_power_cut(8);
    assert!(has_lost(&bench, topic), "and again, whether or not anything was acknowledged in between");
    // A clean stop makes durable what the page cache has.
    bench.produce(topic, &Sent::new("z"));
    let values = bench.values(topic);
    bench.node.stop(&mut bench.outbox).expect("stops");
    bench = bench.after_power_cut(9);
    assert!(!has_lost(&bench, topic));
    assert_eq!(bench.values(topic), values);
    // So does the change to fsync, with its own entry.
    bench.produce(topic, &Sent::new("os"));
    bench.alter("t", "flush.mode", "fsync");
    bench.settle();
    let values = bench.values(topic);
    bench = bench.after_power_cut(10);
    assert!(!has_lost(&bench, topic));
    assert_eq!(bench.values(topic), values);
}

/// The mode is in the log: a start that reads another configuration than the log goes by follows it in its first command.
#[test]
fn a_change_of_mode_is_an_entry_of_the_log() {
    let mut bench = Bench::new(2);
    let topic = bench.topic("t", &[]);
    let last = |bench: &Bench| bench.replica(topic).reader().bytes();
    let before = last(&bench);
    bench.alter("t", "flush.mode", "os");
    bench.settle();
    let with_command = last(&bench);
    assert!(before < with_command, "a command was appended");
    bench.alter("t", "retention.ms", "1000000");
    bench.settle();
    assert_eq!(last(&bench), with_command, "and no other setting is one");
    let mut reply = bench.send(topic, &Sent::new("a"));
    bench.finish_turn();
    assert_eq!(appended(&mut reply), 0, "without a flush");
    let mut bench = bench.after_kill();
    let mut reply = bench.send(topic, &Sent::new("b"));
    bench.finish_turn();
    assert_eq!(appended(&mut reply), 1, "the snapshot or the fold of the log knows");
}

/// What was answered under `os` has to be durable before anything newer is answered under `fsync`, or the newer record would
/// lie behind a hole.
#[test]
fn from_os_to_fsync_what_was_answered_before_is_durable_first() {
    for seed in 0..30 {
        let mut bench = Bench::new(seed);
        let topic = bench.topic("t", &[("flush.mode", "os")]);
        for number in 0..5 {
            bench.produce(topic, &Sent::new(format!("os {number}")));
        }
        bench.alter("t", "flush.mode", "fsync");
        let mut reply = bench.send(topic, &Sent::new("fsync"));
        bench.finish_turn();
        assert!(answer(&mut reply).is_none(), "it waits for the flush");
        bench.flush();
        assert_eq!(appended(&mut reply), 5);
        let mut bench = bench.after_power_cut(seed);
        assert_eq!(bench.values(topic), ["os 0", "os 1", "os 2", "os 3", "os 4", "fsync"], "seed {seed}");
        assert_eq!(bench.produce(topic, &Sent::new("on")), 6);
    }
}

#[test]
fn from_fsync_to_os_what_waits_for_the_flusher_stays_in_order() {
    let mut bench = Bench::new(3);
    let topic = bench.topic("t", &[]);
    let mut first = bench.send(topic, &Sent::new("fsync"));
    // The change is committed by a flush that leaves the record above in it; so one more is appended behind it.
    bench.alter("t", "flush.mode", "os");
    assert_eq!(appended(&mut first), 0);
    let mut second = bench.send(topic, &Sent::new("os"));
    bench.finish_turn();
    assert_eq!(appended(&mut second), 1);
    bench.alter("t", "flush.mode", "fsync");
    let mut third = bench.send(topic, &Sent::new("fsync again"));
    bench.alter("t", "flush.mode", "os");
    assert_eq!(appended(&mut third), 2);
    assert_eq!(bench.view(topic).high_watermark, Offset(3));
    for seed in 0..10 {
        let disk = bench.disk.after_power_cut(seed);
        let again = Bench::open(disk, seed, bench.clock, 0).expect("opens");
        assert_eq!(again.values(topic), ["fsync", "os", "fsync again"], "seed {seed}");
    }
}
