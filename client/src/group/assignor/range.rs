//! `range`: of each topic, every member gets neighbouring partitions, the first ones one more where they do not divide.

use super::{Assignments, Counts, Peer, nothing};
use crate::group::TopicPartition;

pub(super) fn assign(members: &[Peer], counts: &Counts) -> Assignments {
    let mut assigned = nothing(members);
    for (topic, count) in counts {
        let takers: Vec<&Peer> = members.iter().filter(|member| member.wants(topic)).collect();
        let mut left = i32::try_from(takers.len()).unwrap_or(i32::MAX);
        let mut next = 0;
        for taker in takers {
            let share = count.saturating_sub(next).div_euclid(left) + i32::from((count - next) % left != 0);
            let end = next.saturating_add(share).min(*count);
            let mine = (next..end).map(|partition| TopicPartition::new(topic.clone(), partition));
            assigned.entry(taker.id.clone()).or_default().extend(mine);
            (next, left) = (end, left.saturating_sub(1));
        }
    }
    assigned
}
