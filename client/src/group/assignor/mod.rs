//! Who reads what in a classic group: pure functions from what members want and have to what they get.

mod cooperative_sticky;
mod range;
mod round_robin;

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Owned;
use super::subscription::Subscription;
use crate::error::{Error, Result};
use crate::property;

/// How a classic group distributes partitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assignor {
    /// Of each topic neighbouring partitions, so that equal numbers of several topics meet.
    Range,
    /// All partitions of all topics, one after the other.
    RoundRobin,
    /// As even as can be with as few moves as can be; where all members know nothing else, only what moves stands still.
    CooperativeSticky,
}

impl FromStr for Assignor {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = [Self::Range, Self::RoundRobin, Self::CooperativeSticky].into_iter();
        known.into_iter().find(|assignor| assignor.name() == name).ok_or_else(|| {
            property::wrong("partition.assignment.strategy", name, "range, roundrobin or cooperative-sticky")
        })
    }
}

/// Partitions by topic.
pub(crate) type Counts = BTreeMap<String, i32>;
/// What each member gets.
pub(crate) type Assignments = BTreeMap<String, Owned>;

/// A member, as the others see it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) subscription: Subscription,
}

impl Peer {
    /// Static members come first, by their instances: they keep their place when they are restarted under another id.
    fn rank(&self) -> (bool, &str) {
        (self.instance.is_none(), self.instance.as_deref().unwrap_or(&self.id))
    }

    fn wants(&self, topic: &str) -> bool {
        self.subscription.topics.iter().any(|wanted| wanted == topic)
    }
}

impl Assignor {
    /// Its name in the group's protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    pub(crate) fn assign(self, mut members: Vec<Peer>, counts: &Counts) -> Assignments {
        members.sort_by(|one, other| one.rank().cmp(&other.rank()));
        match self {
            Self::Range => range::assign(&members, counts),
            Self::RoundRobin => round_robin::assign(&members, counts),
            Self::CooperativeSticky => cooperative_sticky::assign(&members, counts),
        }
    }
}

/// Everybody, with nothing.
fn nothing(members: &[Peer]) -> Assignments {
    members.iter().map(|member| (member.id.clone(), Owned::new())).collect()
}

#[cfg(test)]
mod tests;
