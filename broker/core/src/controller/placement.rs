//! Which brokers hold the replicas of new partitions.

use super::change::{PartitionChange, ReplicaChange};
use super::image::Image;

/// Replicas for `count` partitions, spread round robin from where the topic's name points. Each gets a Raft id of its own.
pub(super) fn place(
    image: &Image,
    seed: usize,
    count: usize,
    copies: usize,
    next_raft_id: &mut u64,
) -> Vec<PartitionChange> {
    let brokers: Vec<i32> = image.brokers.keys().copied().collect();
    let assignment = |partition: usize| -> Vec<i32> {
        brokers
            .iter()
            .cycle()
            .skip((seed + partition) % brokers.len().max(1))
            .take(copies.min(brokers.len()))
            .copied()
            .collect()
    };
    (0..count).map(|partition| replicas(&assignment(partition), next_raft_id)).collect()
}

/// Replicas on brokers that somebody chose.
pub(super) fn replicas(brokers: &[i32], next_raft_id: &mut u64) -> PartitionChange {
    let replica = |node_id: &i32| {
        *next_raft_id += 1;
        ReplicaChange { node_id: *node_id, raft_id: *next_raft_id }
    };
    PartitionChange { replicas: brokers.iter().map(replica).collect() }
}
