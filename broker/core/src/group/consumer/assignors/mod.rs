//! Assignors: from who subscribes to what, and who had what, to who shall have what. Pure, and the same for the same input.
//!
//! Every partition of a topic goes to exactly one of those who subscribe to it, and nobody gets anything else.

mod mixed;
mod range;
mod uniform;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::member::Partitions;
use crate::config::group::Assignor;

/// What an assignor is given.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// The number of partitions of each topic that somebody subscribes to.
    pub(super) topics: BTreeMap<Uuid, i32>,
    pub(super) members: BTreeMap<String, Subscriber>,
}

/// A member to an assignor.
#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    pub(super) instance_id: Option<String>,
    pub(super) topics: BTreeSet<Uuid>,
    /// What the last target gave it.
    pub(super) assigned: Partitions,
}

/// What an assignor gives: something to each member, which may be nothing.
pub(super) type Target = BTreeMap<String, Partitions>;

/// Has an assignor assign. Everybody gets an answer.
pub(super) fn assign(assignor: Assignor, spec: &Spec) -> Target {
    let mut target = match assignor {
        Assignor::Range => range::assign(spec),
        Assignor::Uniform if spec.is_homogeneous() => uniform::assign(spec),
        Assignor::Uniform => mixed::assign(spec),
    };
    for id in spec.members.keys() {
        target.entry(id.clone()).or_default().retain(|_, partitions| !partitions.is_empty());
    }
    target
}

impl Spec {
    /// Whether all subscribe to the same.
    fn is_homogeneous(&self) -> bool {
        let mut topics = self.members.values().map(|member| &member.topics);
        let first = topics.next();
        topics.all(|topics| Some(topics) == first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Up to four topics of up to nine partitions, up to six members, what they subscribe to, and what they had.
    fn spec() -> impl Strategy<Value = Spec> {
        let topics = prop::collection::vec(0..10_i32, 1..5);
        let member = (any::<bool>(), 0..16_u8, any::<u64>());
        let members = prop::collection::vec(member, 1..7);
        (topics, members, any::<bool>()).prop_map(|(topics, members, is_homogeneous)| {
            let all: BTreeMap<Uuid, i32> = (1..).map(Uuid::from_u128).zip(topics).collect();
            let mut given = BTreeSet::new();
            let mut spec = Spec { topics: BTreeMap::new(), members: BTreeMap::new() };
            for (place, (is_static, chosen, had)) in members.into_iter().enumerate() {
                let is_chosen = |at: usize| is_homogeneous || chosen & (1 << at) != 0;
                let chosen = all.keys().enumerate().filter(|(at, _)| is_chosen(*at)).map(|(_, id)| *id);
                let topics: BTreeSet<Uuid> = chosen.collect();
                let places = all.iter().flat_map(|(id, count)| (0..*count).map(move |partition| (*id, partition)));
                let mut assigned = Partitions::new();
                for (bit, place) in places.enumerate() {
                    if had & (1 << (bit % 64)) != 0 && given.insert(place) {
                        assigned.entry(place.0).or_default().insert(place.1);
                    }
                }
                spec.topics.extend(topics.iter().filter_map(|id| Some((*id, *all.get(id)?))));
                let instance_id = is_static.then(|| format!("i{place}"));
                spec.members.insert(format!("m{place}"), Subscriber { instance_id, topics, assigned });
            }
            spec
        })
    }

    fn count(partitions: &Partitions) -> usize {
        partitions.values().map(BTreeSet::len).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_partition_is_given_once_and_evenly_and_stays_where_it_is(spec in spec()) {
            for assignor in [Assignor::Uniform, Assignor::Range] {
                let target = assign(assignor, &spec);
                prop_assert!(target.keys().eq(spec.members.keys()), "everybody gets an answer");
                let mut given = BTreeSet::new();
                for (id, partitions) in &target {
                    for (topic, of_topic) in partitions {
                        prop_assert!(spec.members[id].topics.contains(topic), "nobody gets what he does not want");
                        prop_assert!(of_topic.iter().all(|partition| given.insert((*topic, *partition))), "given twice");
                    }
                }
                let all = spec.topics.iter().flat_map(|(id, count)| (0..*count).map(move |partition| (*id, partition)));
                prop_assert_eq!(&given, &all.collect(), "nothing is left");
                if assignor == Assignor::Uniform && spec.is_homogeneous() {
                    let counts = || target.values().map(count);
                    prop_assert!(counts().max() <= counts().min().map(|least| least + 1), "{:?}", &target);
                }
                let mut again = spec.clone();
                for (id, member) in &mut again.members {
                    member.assigned.clone_from(&target[id]);
                }
                prop_assert_eq!(assign(assignor, &again), target, "what is settled moves");
            }
        }

        #[test]
        fn range_gives_runs(spec in spec()) {
            let target = assign(Assignor::Range, &spec);
            for (topic, partitions) in &spec.topics {
                let of_topic = |id: &String| target[id].get(topic).cloned().unwrap_or_default();
                let subscribers = || spec.members.iter().filter(|(_, member)| member.topics.contains(topic));
                let least = usize::try_from(*partitions).expect("few") / subscribers().count();
                for (id, _) in subscribers() {
                    let run = of_topic(id);
                    prop_assert!((least..=least + 1).contains(&run.len()), "{id} has {run:?} of {partitions}");
                    let (first, last) = (run.first().copied().unwrap_or(0), run.last().copied().unwrap_or(-1));
                    prop_assert!(run.iter().copied().eq(first..=last), "{run:?} has a gap");
                }
            }
        }
    }
}
