//! Until when each member of a consumer group may be silent, or take over what it was told: soft state of the leader.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::ids::Monotonic;

use super::ConsumerGroup;
use super::member::MemberState;
use crate::group::classic::{Now, millis};

/// What a leader watches in one group.
#[derive(Debug, Default)]
pub(in crate::group) struct Watch {
    members: BTreeMap<String, Deadlines>,
    /// The topics are as the group's epoch says.
    pub(in crate::group) knows_topics: bool,
    /// When its expressions are to be matched.
    pub(in crate::group) resolve_at: Option<Monotonic>,
    /// Those of them that the turns so far have left.
    pub(in crate::group) unmatched: BTreeSet<String>,
    /// No topic was made since they were matched.
    pub(in crate::group) has_matched_all: bool,
}

/// Until when one member may do what.
#[derive(Debug, Default)]
struct Deadlines {
    session: Option<Monotonic>,
    /// To give up what it was told to, in the epoch that it then was in.
    revoke: Option<(Monotonic, i32)>,
    /// To join again, by the classic protocol.
    join: Option<Monotonic>,
    /// To sync, by the classic protocol.
    sync: Option<Monotonic>,
}

impl Watch {
    /// A new leader gives everybody his whole time again.
    pub(in crate::group) fn of(group: &ConsumerGroup, at: Now<'_>) -> Self {
        let mut watch = Self::default();
        let session = at.consumer(&group.id).session_timeout_ms;
        for (id, member) in &group.members {
            watch.lives(id, at.now.after_ms(session));
            // A classic one says what it has given up by joining again, which it learns from its next heartbeat.
            if member.state == MemberState::Unrevoked && !member.is_classic() {
                watch.revokes(id, Some((at.now.after_ms(millis(member.rebalance_timeout_ms)), member.epoch)));
            }
        }
        watch
    }

    pub(in crate::group) fn lives(&mut self, id: &str, until: Monotonic) {
        self.member(id).session = Some(until);
    }

    pub(super) fn revokes(&mut self, id: &str, until: Option<(Monotonic, i32)>) {
        self.member(id).revoke = until;
    }

    /// It is to join again; the first time that it hears of it counts.
    pub(super) fn joins(&mut self, id: &str, until: Monotonic) {
        self.member(id).join.get_or_insert(until);
    }

    /// It has no need to join or to sync, for it does not speak the classic protocol.
    pub(super) fn is_of_consumers(&mut self, id: &str) {
        let deadlines = self.member(id);
        (deadlines.join, deadlines.sync) = (None, None);
    }

    pub(super) fn has_joined(&mut self, id: &str, sync_until: Monotonic) {
        let deadlines = self.member(id);
        (deadlines.join, deadlines.sync) = (None, Some(sync_until));
    }

    pub(super) fn has_synced(&mut self, id: &str) {
        self.member(id).sync = None;
    }

    pub(in crate::group) fn forget(&mut self, id: &str) {
        self.members.remove(id);
    }

    pub(in crate::group) fn deadline(&self) -> Option<Monotonic> {
        let members = self.members.values().filter_map(Deadlines::first);
        members.chain(self.resolve_at).min()
    }

    /// The next deadline that concerns a member, or the group as a whole.
    pub(in crate::group) fn deadline_of(&self, id: &str) -> Option<Monotonic> {
        self.members.get(id).and_then(Deadlines::first).into_iter().chain(self.resolve_at).min()
    }

    /// The members whose time is over.
    pub(in crate::group) fn overdue(&mut self, group: &ConsumerGroup, now: Monotonic) -> BTreeSet<String> {
        let mut overdue = BTreeSet::new();
        self.members.retain(|id, _| group.members.contains_key(id));
        for (id, deadlines) in &mut self.members {
            // It went on since, or left for a while.
            let is_in = |epoch: i32| group.members.get(id).is_some_and(|member| member.epoch == epoch);
            deadlines.revoke = deadlines.revoke.filter(|(_, epoch)| is_in(*epoch));
            if deadlines.first().is_some_and(|until| until <= now) {
                overdue.insert(id.clone());
            }
        }
        overdue
    }

    fn member(&mut self, id: &str) -> &mut Deadlines {
        self.members.entry(id.to_owned()).or_default()
    }
}

impl Deadlines {
    fn first(&self) -> Option<Monotonic> {
        let revoke = self.revoke.map(|(until, _)| until);
        [self.session, revoke, self.join, self.sync].into_iter().flatten().min()
    }
}
