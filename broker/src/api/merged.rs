//! What a request says of partitions, each of them once: Kafka reads a request into a map, so the last word counts, and a topic
//! without partitions is not there.

use std::collections::BTreeMap;

use uuid::Uuid;

/// A topic by name and id, and its partitions.
pub(crate) type Merged<T> = Vec<(String, Uuid, Vec<(i32, T)>)>;

/// Puts partitions under their topics, both in the order in which they are first named.
pub(crate) fn merged<T>(named: impl IntoIterator<Item = (String, Uuid, i32, T)>) -> Merged<T> {
    let mut merged: Merged<T> = Vec::new();
    let mut topics: BTreeMap<(String, Uuid), usize> = BTreeMap::new();
    let mut partitions: BTreeMap<(usize, i32), usize> = BTreeMap::new();
    for (name, id, partition, value) in named {
        let topic = *topics.entry((name, id)).or_insert_with_key(|(name, id)| {
            merged.push((name.clone(), *id, Vec::new()));
            merged.len() - 1
        });
        let known = &mut merged[topic].2;
        let place = *partitions.entry((topic, partition)).or_insert(known.len());
        match known.get_mut(place) {
            Some(one) => one.1 = value,
            None => known.push((partition, value)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_in_the_first_place() {
        let named = [("b", 1, 'x'), ("a", 0, 'y'), ("b", 0, 'z'), ("b", 1, 'w')];
        let merged = merged(named.map(|(name, partition, value)| (name.to_owned(), Uuid::nil(), partition, value)));
        let expected = vec![
            ("b".to_owned(), Uuid::nil(), vec![(1, 'w'), (0, 'z')]),
            ("a".to_owned(), Uuid::nil(), vec![(0, 'y')]),
        ];
        assert_eq!(merged, expected);
    }
}
