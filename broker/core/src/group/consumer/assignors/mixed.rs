//! Uniform, where members subscribe to different topics: everybody keeps what it may keep, what is free goes to whoever has
//! least, and then partitions move from who has more to who has less, topic by topic, until no move makes it more even.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Spec, Target};

/// How often all topics are gone through: each round only evens out what the one before left.
const ROUNDS: usize = 16;

struct Balance<'a> {
    spec: &'a Spec,
    /// Who subscribes to each topic.
    subscribers: BTreeMap<Uuid, Vec<&'a str>>,
    /// Who has each partition of a topic.
    owners: BTreeMap<Uuid, BTreeMap<i32, &'a str>>,
    /// How many partitions each has.
    loads: BTreeMap<&'a str, usize>,
}

pub(super) fn assign(spec: &Spec) -> Target {
    let mut balance = Balance::of_former(spec);
    // Topics with many partitions for each subscriber weigh most, and those with few subscribers leave least choice.
    let mut topics: Vec<Uuid> = balance.subscribers.keys().copied().collect();
    topics.sort_by(|one, other| balance.weight(*other, *one).then(one.cmp(other)));
    for topic in &topics {
        balance.hand_out(*topic);
    }
    for _ in 0..ROUNDS {
        let moved: usize = topics.iter().map(|topic| balance.even_out(*topic)).sum();
        if moved == 0 {
            break;
        }
    }
    balance.target()
}

impl<'a> Balance<'a> {
    /// Everybody has what it had, of what it still subscribes to and of what there still is.
    fn of_former(spec: &'a Spec) -> Self {
        let mut balance = Self { spec, subscribers: BTreeMap::new(), owners: BTreeMap::new(), loads: BTreeMap::new() };
        for (id, member) in &spec.members {
            balance.loads.insert(id, 0);
            for topic in member.topics.iter().filter(|topic| spec.topics.contains_key(*topic)) {
                balance.subscribers.entry(*topic).or_default().push(id);
            }
        }
        for (id, member) in &spec.members {
            for (topic, partitions) in &member.assigned {
                let there = spec.topics.get(topic).filter(|_| member.topics.contains(topic)).copied().unwrap_or(0);
                for partition in partitions.range(0..there) {
                    let owner = *balance.owners.entry(*topic).or_default().entry(*partition).or_insert(id);
                    if owner == id {
                        *balance.loads.entry(id).or_default() += 1;
                    }
                }
            }
        }
        balance
    }

    /// Which of two topics has more partitions for each subscriber, or fewer subscribers.
    fn weight(&self, one: Uuid, other: Uuid) -> std::cmp::Ordering {
        let count = |topic: Uuid| u64::try_from(self.spec.topics.get(&topic).copied().unwrap_or(0)).unwrap_or(0);
        let subscribers = |topic: Uuid| self.subscribers.get(&topic).map_or(0, |all| all.len() as u64);
        let each = (count(one) * subscribers(other)).cmp(&(count(other) * subscribers(one)));
        each.then(subscribers(other).cmp(&subscribers(one)))
    }

    /// What nobody has of a topic goes, one by one, to who has least.
    fn hand_out(&mut self, topic: Uuid) {
        let mut by_load = self.by_load(topic);
        let owners = self.owners.entry(topic).or_default();
        for partition in 0..self.spec.topics.get(&topic).copied().unwrap_or(0) {
            if owners.contains_key(&partition) {
                continue;
            }
            let Some((load, id)) = by_load.pop_first() else { return };
            owners.insert(partition, id);
            self.loads.insert(id, load + 1);
            by_load.insert((load + 1, id));
        }
    }

    /// Moves partitions of a topic from who has most to who has least. Returns how many.
    fn even_out(&mut self, topic: Uuid) -> usize {
        let subscribers = self.subscribers.get(&topic).into_iter().flatten();
        let loads = subscribers.map(|id| self.loads.get(id).copied().unwrap_or(0));
        if loads.clone().max().unwrap_or(0) <= loads.min().unwrap_or(0) + 1 {
            return 0;
        }
        let mut by_load = self.by_load(topic);
        let owners = self.owners.entry(topic).or_default();
        let mut owned: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for (partition, owner) in owners.iter() {
            owned.entry(owner).or_default().push(*partition);
        }
        // Who has something of this topic to give.
        let mut givers: BTreeSet<(usize, &str)> =
            by_load.iter().filter(|(_, id)| owned.contains_key(id)).copied().collect();
        let mut moved = 0;
        while let (Some((most, giver)), Some((least, taker))) = (givers.pop_last(), by_load.first().copied()) {
            if most <= least + 1 {
                break;
            }
            let Some(given) = owned.get_mut(giver) else { continue };
            let Some(partition) = given.pop() else { continue };
            let can_give_more = !given.is_empty();
            owners.insert(partition, taker);
            by_load.remove(&(most, giver));
            by_load.remove(&(least, taker));
            by_load.extend([(most - 1, giver), (least + 1, taker)]);
            self.loads.extend([(giver, most - 1), (taker, least + 1)]);
            if can_give_more {
                givers.insert((most - 1, giver));
            }
            // What it was given it does not give on; its load is another all the same.
            if givers.remove(&(least, taker)) {
                givers.insert((least + 1, taker));
            }
            moved += 1;
        }
        moved
    }

    fn by_load(&self, topic: Uuid) -> BTreeSet<(usize, &'a str)> {
        let subscribers = self.subscribers.get(&topic).into_iter().flatten();
        subscribers.map(|id| (self.loads.get(id).copied().unwrap_or(0), *id)).collect()
    }

    fn target(self) -> Target {
        let mut target = Target::new();
        for (topic, partitions) in self.owners {
            for (partition, owner) in partitions {
                target.entry(owner.to_owned()).or_default().entry(topic).or_default().insert(partition);
            }
        }
        target
    }
}
