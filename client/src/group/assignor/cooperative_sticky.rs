//! `cooperative-sticky`: everybody keeps what it has, unless another has at least two fewer and wants it. What moves is given to
//! nobody in this round: its owner gives it up first, and joins again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Assignments, Counts, Peer, nothing};
use crate::group::TopicPartition;

pub(super) fn assign(members: &[Peer], counts: &Counts) -> Assignments {
    let mut assigned = kept(members, counts);
    let wanting: BTreeMap<&str, Vec<&str>> = counts
        .keys()
        .map(|topic| {
            let takers = members.iter().filter(|member| member.wants(topic)).map(|member| member.id.as_str());
            (topic.as_str(), takers.collect())
        })
        .collect();
    give_what_nobody_has(&mut assigned, counts, &wanting);
    while move_one(&mut assigned, &wanting) {}
    withhold(members, &mut assigned);
    assigned
}

/// What members have that they still want. Of several claims the latest generation's counts, and none of several equal ones.
fn kept(members: &[Peer], counts: &Counts) -> Assignments {
    let mut claims: BTreeMap<&TopicPartition, Vec<(i32, &str)>> = BTreeMap::new();
    for member in members {
        for one in &member.subscription.owned {
            let is_there = counts.get(&one.topic).is_some_and(|count| (0..*count).contains(&one.partition));
            if is_there && member.wants(&one.topic) {
                claims.entry(one).or_default().push((member.subscription.generation, &member.id));
            }
        }
    }
    let mut kept = nothing(members);
    for (one, mut claims) in claims {
        claims.sort_unstable();
        match claims.as_slice() {
            [.., (before, _), (generation, _)] if before == generation => {}
            [.., (_, owner)] => {
                kept.entry((*owner).to_owned()).or_default().insert(one.clone());
            }
            [] => {}
        }
    }
    kept
}

fn give_what_nobody_has(assigned: &mut Assignments, counts: &Counts, wanting: &BTreeMap<&str, Vec<&str>>) {
    let taken: BTreeSet<TopicPartition> = assigned.values().flatten().cloned().collect();
    for (topic, count) in counts {
        for partition in 0..*count {
            let one = TopicPartition::new(topic.clone(), partition);
            if !taken.contains(&one)
                && let Some(taker) = poorest(assigned, wanting, topic)
            {
                assigned.entry(taker).or_default().insert(one);
            }
        }
    }
}

/// Who wants a topic and has least.
fn poorest(assigned: &Assignments, wanting: &BTreeMap<&str, Vec<&str>>, topic: &str) -> Option<String> {
    let count = |member: &&&str| assigned.get(**member).map_or(0, BTreeSet::len);
    wanting.get(topic)?.iter().min_by_key(count).map(|member| (*member).to_owned())
}

/// Moves a partition from the richest member that can give one to the poorest that wants it and has at least two fewer. Each move
/// makes the sum of squares smaller, so that there is a last one.
fn move_one(assigned: &mut Assignments, wanting: &BTreeMap<&str, Vec<&str>>) -> bool {
    let mut by_wealth: Vec<(usize, &String)> = assigned.iter().map(|(id, owned)| (owned.len(), id)).collect();
    by_wealth.sort_unstable_by(|one, other| other.cmp(one));
    let found = by_wealth.into_iter().find_map(|(wealth, giver)| {
        let mut looked_at = None;
        assigned.get(giver)?.iter().rev().find_map(|one| {
            // Partitions of a topic all go the same way.
            if looked_at.replace(&one.topic) == Some(&one.topic) {
                return None;
            }
            let taker = poorest(assigned, wanting, &one.topic)?;
            let has = assigned.get(&taker).map_or(0, BTreeSet::len);
            (has + 1 < wealth).then(|| (giver.clone(), taker, one.clone()))
        })
    });
    let Some((giver, taker, one)) = found else { return false };
    assigned.entry(giver).or_default().remove(&one);
    assigned.entry(taker).or_default().insert(one);
    true
}

/// Nobody is given what another still has.
fn withhold(members: &[Peer], assigned: &mut Assignments) {
    let mut owners: BTreeMap<&TopicPartition, BTreeSet<&str>> = BTreeMap::new();
    for member in members {
        for one in &member.subscription.owned {
            owners.entry(one).or_default().insert(&member.id);
        }
    }
    for (id, owned) in assigned {
        owned.retain(|one| owners.get(one).is_none_or(|owners| owners.contains(id.as_str())));
    }
}
