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
