//! The group machine: a partition of `__consumer_offsets`.
//!
//! Its state is the fold of its log, whose records have Apache Kafka's own formats.

mod place;

use highwater_protocol::ids::{EntryId, Monotonic, Offset};

pub use self::place::{OFFSETS_TOPIC, partition_of};
use crate::machine::{Corrupt, Entry, Leading, Machine, Outcome, Token, Until, Wait};
use crate::view::View;

/// What a coordinator is asked for.
pub enum Request {
    /// The cluster around it changed: topics may be gone.
    FollowCluster,
}

/// What it answers.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// It does as the cluster says.
    FollowsCluster,
}

/// The machine.
#[derive(Default)]
pub struct GroupMachine {
    next_offset: Offset,
}

impl Machine for GroupMachine {
    type Request = Request;
    type Reply = Reply;
    type View = View;

    fn decide(&mut self, _at: &Leading<'_>, request: Request, token: Token, out: &mut Outcome<Reply>) {
        match request {
            Request::FollowCluster => {
                out.replies.push((token, Until::Committed(Wait::Folded), Reply::FollowsCluster));
            }
        }
    }

    fn expire(&mut self, _at: &Leading<'_>, _out: &mut Outcome<Reply>) {}

    fn elected(&mut self, _at: &Leading<'_>, _out: &mut Outcome<Reply>) {}

    fn deposed(&mut self) {}

    fn deadline(&self) -> Option<Monotonic> {
        None
    }

    fn fold(&mut self, _at: EntryId, entry: Entry<'_>) -> Option<View> {
        let Entry::Batch(header, _) = entry else { return None };
        self.next_offset = header.next_offset();
        Some(self.view())
    }

    fn view(&self) -> View {
        View { high_watermark: self.next_offset, last_stable_offset: self.next_offset, log_start: Offset(0) }
    }

    fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.next_offset.0.to_be_bytes());
    }

    fn load(bytes: &[u8]) -> Result<Self, Corrupt> {
        let next_offset = bytes
            .try_into()
            .map_err(|_| Corrupt { machine: "group", reason: format!("{} bytes where 8 belong", bytes.len()) })?;
        Ok(Self { next_offset: Offset(i64::from_be_bytes(next_offset)) })
    }
}
