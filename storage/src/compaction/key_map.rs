//! The newest offset of each key, in bounded memory.
//!
//! A key counts by 128 bits of hash: two of a billion keys share them with a chance of 1 in 10^20.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

/// What one key takes: its hash, its offset, and the table's share.
const BYTES_A_KEY: usize = 48;

pub(super) struct KeyMap {
    newest: HashMap<u128, i64, BuildHasherDefault<Taken>>,
    most: usize,
}

/// A hash is as good as any for a table.
#[derive(Default)]
pub(super) struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = u64::try_from(hash & u128::from(u64::MAX)).unwrap_or_default();
    }
}

impl KeyMap {
    /// A map that takes about so many bytes at most.
    pub(super) fn new(bytes: usize) -> Self {
        Self { newest: HashMap::default(), most: (bytes / BYTES_A_KEY).max(1) }
    }

    /// Notes a key at an offset, if it is known or there is room.
    pub(super) fn put(&mut self, key: &[u8], offset: i64) -> bool {
        let hash = hash(key);
        if let Some(known) = self.newest.get_mut(&hash) {
            *known = offset.max(*known);
            return true;
        }
        if self.newest.len() >= self.most {
            return false;
        }
        self.newest.insert(hash, offset);
        true
    }

    /// Whether a later record of that key is known.
    pub(super) fn supersedes(&self, key: &[u8], offset: i64) -> bool {
        self.newest.get(&hash(key)).is_some_and(|newest| *newest > offset)
    }
}

/// The same in every run.
fn hash(key: &[u8]) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(key);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_counts_and_the_room_is_bounded() {
        let mut map = KeyMap::new(2 * BYTES_A_KEY);
        assert!(map.put(b"a", 1) && map.put(b"b", 2) && map.put(b"a", 3));
        assert!(!map.put(b"c", 4), "two keys are all that fit");
        assert!(map.put(b"b", 5), "one that is known always does");
        assert!(map.supersedes(b"a", 1) && map.supersedes(b"b", 2));
        assert!(!map.supersedes(b"a", 3) && !map.supersedes(b"c", 0));
    }
}
