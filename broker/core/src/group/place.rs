//! Which partition of `__consumer_offsets` a group belongs to.

/// The topic whose partitions are the coordinators.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The partition that holds a group, of so many. Kafka's tools count in the same way: the hash that Java's strings have, over
/// UTF-16 units, without its sign.
pub fn partition_of(group_id: &str, partitions: i32) -> i32 {
    let hash = group_id.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    (hash & i32::MAX) % partitions.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `Utils.abs(id.hashCode()) % 50` comes to in Java.
    #[test]
    fn a_group_is_where_kafka_looks_for_it() {
        for (group, partition) in [("", 0), ("a", 47), ("group", 47), ("orders-service", 17), ("café-π-😀", 32)] {
            assert_eq!(partition_of(group, 50), partition, "{group}");
        }
    }
}
