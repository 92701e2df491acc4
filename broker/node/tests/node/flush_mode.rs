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
