//! Which partition a record goes to: by its key as the Java client does it, or sticking to one for a batch.

/// The hash of the Java client.
pub fn murmur2(bytes: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const MULTIPLIER: u32 = 0x5bd1_e995;
    const SHIFT: u32 = 24;
    let mut hash = SEED ^ u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut word = word.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        word = word.wrapping_mul(MULTIPLIER);
        word ^= word >> SHIFT;
        hash = hash.wrapping_mul(MULTIPLIER) ^ word.wrapping_mul(MULTIPLIER);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^= hash >> 15;
    i32::from_ne_bytes(hash.to_ne_bytes())
}

/// The partition of a key, among `partitions`.
pub fn of_key(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & i32::MAX).checked_rem(partitions).unwrap_or(0)
}

/// Remembers where records without a key go: to one partition for as many bytes as a batch has, then to the next. Batches
/// themselves do not count, because a batch that lingers is sent before it is full.
#[derive(Debug, Default)]
pub(crate) struct Sticky {
    current: i32,
    bytes: usize,
}

impl Sticky {
    pub(crate) fn partition(&self, partitions: i32) -> i32 {
        self.current.checked_rem(partitions).unwrap_or(0)
    }

    pub(crate) fn wrote(&mut self, bytes: usize, batch_bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= batch_bytes {
            self.current = self.current.wrapping_add(1) & i32::MAX;
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the Java client's own hash gives for these.
    #[test]
    fn java_hashes_the_same() {
        let vectors: &[(&[u8], i32)] = &[
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in vectors {
            assert_eq!(murmur2(key), *hash, "{}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn records_without_a_key_go_on_after_as_many_bytes_as_a_batch_has() {
        let mut sticky = Sticky::default();
        let mut went = Vec::new();
        for _ in 0..7 {
            went.push(sticky.partition(3));
            sticky.wrote(60, 100);
        }
        assert_eq!(went, [0, 0, 1, 1, 2, 2, 0]);
    }

    proptest! {
        #[test]
        fn a_key_always_has_a_partition(key: Vec<u8>, partitions in 1..10_000i32) {
            prop_assert!((0..partitions).contains(&of_key(&key, partitions)));
        }
    }
}
