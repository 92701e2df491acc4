//! `roundrobin`: all partitions in order, one for each member in turn that wants the topic.

use super::{Assignments, Counts, Peer, nothing};
use crate::group::TopicPartition;

pub(super) fn assign(members: &[Peer], counts: &Counts) -> Assignments {
    let mut assigned = nothing(members);
    let mut at = 0;
    for (topic, count) in counts {
        if !members.iter().any(|member| member.wants(topic)) {
            continue;
        }
        for partition in 0..*count {
            let in_turn = members.iter().enumerate().cycle().skip(at).take(members.len());
            let Some((found, taker)) = in_turn.into_iter().find(|(_, member)| member.wants(topic)) else { break };
            assigned.entry(taker.id.clone()).or_default().insert(TopicPartition::new(topic.clone(), partition));
            at = (found + 1) % members.len();
        }
    }
    assigned
}
