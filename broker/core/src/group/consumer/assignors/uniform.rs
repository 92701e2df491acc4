//! Uniform, where all subscribe to the same topics: everybody gets as many partitions as everybody else, give or take one, and
//! keeps what it had as far as that goes.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Spec, Target};

pub(super) fn assign(spec: &Spec) -> Target {
    let mut free: BTreeSet<(Uuid, i32)> = BTreeSet::new();
    for (topic, partitions) in &spec.topics {
        free.extend((0..*partitions).map(|partition| (*topic, partition)));
    }
    let members = spec.members.len().max(1);
    let (quota, mut extra) = (free.len() / members, free.len() % members);

    // Those who had more come first to the partitions beyond the quota, so that as few as possible move.
    let mut target = Target::new();
    let mut unfilled: Vec<(String, usize)> = Vec::new();
    for (id, member) in &spec.members {
        let given = target.entry(id.clone()).or_default();
        let mut count = 0;
        let had = member.assigned.iter().flat_map(|(topic, of)| of.iter().map(move |partition| (*topic, *partition)));
        for (topic, partition) in had {
            let most = quota + usize::from(extra > 0);
            if count < most && free.remove(&(topic, partition)) {
                given.entry(topic).or_default().insert(partition);
                count += 1;
            }
        }
        if count > quota {
            extra -= 1;
        } else {
            unfilled.push((id.clone(), count));
        }
    }

    let mut free = free.into_iter();
    for (id, count) in unfilled {
        let mut room = quota - count;
        if extra > 0 {
            (room, extra) = (room + 1, extra - 1);
        }
        let Some(given) = target.get_mut(&id) else { continue };
        for (topic, partition) in free.by_ref().take(room) {
            given.entry(topic).or_default().insert(partition);
        }
    }
    target
}
