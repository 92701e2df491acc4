//! Who votes, as snapshots and membership entries carry it.

use bytes::Bytes;
use prost::Message;
use raft::eraftpb::ConfState;

/// The members of a partition's Raft group, by Raft id.
#[derive(Clone, PartialEq, Message)]
pub struct Membership {
    /// They vote.
    #[prost(uint64, repeated, tag = "1")]
    pub voters: Vec<u64>,
    /// They follow, and do not vote.
    #[prost(uint64, repeated, tag = "2")]
    pub learners: Vec<u64>,
    /// They vote until a change of the members is complete.
    #[prost(uint64, repeated, tag = "3")]
    pub voters_outgoing: Vec<u64>,
    /// They follow once it is.
    #[prost(uint64, repeated, tag = "4")]
    pub learners_next: Vec<u64>,
    /// Whether it completes by itself.
    #[prost(bool, tag = "5")]
    pub auto_leave: bool,
}

impl Membership {
    /// One voter alone.
    pub(crate) fn sole(raft_id: u64) -> Self {
        Self { voters: vec![raft_id], ..Self::default() }
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        Bytes::from(self.encode_to_vec())
    }

    /// The inverse of what snapshots and membership entries carry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        Self::decode(bytes)
    }
}

impl From<&Membership> for ConfState {
    fn from(membership: &Membership) -> Self {
        let mut state = Self::default();
        state.set_voters(membership.voters.clone());
        state.set_learners(membership.learners.clone());
        state.set_voters_outgoing(membership.voters_outgoing.clone());
        state.set_learners_next(membership.learners_next.clone());
        state.set_auto_leave(membership.auto_leave);
        state
    }
}

impl From<&ConfState> for Membership {
    fn from(state: &ConfState) -> Self {
        Self {
            voters: state.get_voters().to_vec(),
            learners: state.get_learners().to_vec(),
            voters_outgoing: state.get_voters_outgoing().to_vec(),
            learners_next: state.get_learners_next().to_vec(),
            auto_leave: state.get_auto_leave(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_survives_raft_and_bytes() {
        let membership = Membership {
            voters: vec![1, 4, 5],
            learners: vec![7],
            voters_outgoing: vec![1, 2, 3],
            learners_next: vec![2],
            auto_leave: true,
        };
        let bytes = membership.to_bytes();
        assert_eq!(Membership::from_bytes(&bytes).expect("decodes"), membership);
        assert_eq!(Membership::from(&ConfState::from(&membership)), membership);
    }
}
