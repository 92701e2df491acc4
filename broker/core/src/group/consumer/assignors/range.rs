//! Range: each topic's partitions in runs, one a member, the longer ones first.
//!
//! Members go in the order of their instance ids, then of their ids, so that those who subscribe to the same topics get
//! partitions of the same numbers, and a static member that comes back gets what it had.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Spec, Subscriber, Target};

/// What is left of a topic.
struct Run {
    next: i32,
    quota: i32,
    /// So many get one more.
    extra: i32,
}

pub(super) fn assign(spec: &Spec) -> Target {
    let mut members: Vec<(&String, &Subscriber)> = spec.members.iter().collect();
    members.sort_by_key(|(id, member)| (member.instance_id.is_none(), member.instance_id.as_ref(), *id));
    let mut subscribers: BTreeMap<Uuid, i32> = BTreeMap::new();
    for topic in members.iter().flat_map(|(_, member)| &member.topics) {
        *subscribers.entry(*topic).or_default() += 1;
    }
    let run = |(topic, count): (&Uuid, &i32)| {
        let partitions = spec.topics.get(topic).copied().unwrap_or(0);
        (*topic, Run { next: 0, quota: partitions / count, extra: partitions % count })
    };
    let mut runs: BTreeMap<Uuid, Run> = subscribers.iter().map(run).collect();
    let mut target = Target::new();
    for (id, member) in members {
        let given = target.entry(id.clone()).or_default();
        for topic in &member.topics {
            let Some(run) = runs.get_mut(topic) else { continue };
            let begin = run.next;
            run.next += run.quota + i32::from(run.extra > 0);
            run.extra -= 1;
            given.insert(*topic, (begin..run.next).collect());
        }
    }
    target
}
