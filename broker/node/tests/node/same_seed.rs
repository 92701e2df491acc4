//! The same seed twice gives the same sequence of events.

use crate::bench::{Bench, Sent, answer};
use crate::crash::Chance;

/// Everything that a node does with its disk, its clients and its readers, as lines.
fn events(seed: u64) -> Vec<String> {
    let mut chance = Chance(seed);
    let mut bench = Bench::new(seed);
    let mut lines = vec![format!("{:?}", bench.node.identity())];
    let modes = ["fsync", "os", "fsync"];
    let topics: Vec<_> = modes
        .iter()
        .enumerate()
        .map(|(number, mode)| bench.topic(&format!("t{number}"), &[("flush.mode", mode), ("segment.ms", "50")]))
        .collect();
    lines.push(format!("{topics:?}"));
    for step in 0..150 {
        let topic = topics[chance.below(topics.len())];
        match chance.below(8) {
            0..4 => {
                let mut reply = bench.send(topic, &Sent::new(format!("{step}")).numbered(1, 0, step));
                lines.push(format!("{step} now {:?}", answer(&mut reply)));
                if chance.below(2) == 0 {
                    bench.settle();
                    lines.push(format!("{step} settled {:?}", answer(&mut reply)));
                }
            }
            4 => bench.pass(20),
            5 => bench.upkeep(),
            6 => bench.retain(),
            _ if chance.below(4) == 0 => bench = bench.after_power_cut(seed + u64::try_from(step).expect("small")),
            _ => {
                bench.flush();
            }
        }
        let replica = bench.replica(topic);
        lines.push(format!("{step} {:?} {:?}", replica.state(), replica.serving().map(|serving| serving.view)));
        lines.push(format!("{step} {} operations, {} bytes", bench.disk.operations(), bench.used_bytes()));
    }
    lines
}

#[test]
fn the_same_seed_twice_gives_the_same_events() {
    for seed in 0..5 {
        let (one, other) = (events(seed), events(seed));
        assert_eq!(one, other, "seed {seed}");
    }
    assert_ne!(events(1), events(2), "another seed is another history");
}
