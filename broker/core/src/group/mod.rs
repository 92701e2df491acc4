//! The group machine: a partition of `__consumer_offsets`, which coordinates the groups that belong to it.
//!
//! Its state is the fold of its log, whose records have Apache Kafka's own formats: committed offsets, for each classic group
//! its last settled generation, and the whole of each consumer group ([`consumer`]). On the leader a classic group lives as
//! soft state beside it ([`classic`]): who joins, who waits for what, and until when. A new leader begins from the records, as
//! Kafka does. A group is of one kind at a time, and becomes the other where its members do ([`membership`]).
//!
//! Offsets that a transaction is about to commit will be a part of the state here; there are no transactions yet.

mod administered;
mod classic;
mod consumer;
mod embedded;
mod member;
mod membership;
mod migrate;
mod offsets;
mod place;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use highwater_protocol::coordinator_record::GroupMetadataValue;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{EntryId, Monotonic, Offset};
use highwater_protocol::message::consumer_group_describe_response::DescribedGroup as DescribedConsumerGroup;
use highwater_protocol::message::describe_groups_response::DescribedGroup;
use highwater_protocol::message::list_groups_response::ListedGroup;
use highwater_protocol::message::offset_fetch_request::OffsetFetchRequestGroup;
use highwater_protocol::message::offset_fetch_response::OffsetFetchResponseGroup;
use highwater_protocol::message::{
    ConsumerGroupHeartbeatResponse, HeartbeatRequest, HeartbeatResponse, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, ListGroupsRequest, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
    OffsetDeleteResponse, SyncGroupRequest, SyncGroupResponse,
};
use prost::Message;
use uuid::Uuid;

use self::classic::{ClassicGroup, Now};
pub use self::classic::{Join, State};
pub use self::consumer::ConsumerHeartbeat;
use self::consumer::{ConsumerGroup, Watch};
use self::offsets::Offsets;
pub use self::place::{OFFSETS_TOPIC, partition_of};
use self::records::{Change, Decoded};
use crate::controller::image::{Image, Topic};
use crate::machine::{Append, Corrupt, Entry, Leading, Machine, Outcome, Token, Until, Wait};
use crate::view::View;

/// Records that one entry holds at most, where nobody waits for them to go together.
const CHANGES_A_BATCH: usize = 5_000;

/// What a coordinator is asked for. Topics go by name, and by id where there is one.
pub enum Request {
    /// A member joins.
    Join(Join),
    /// A member wants its assignment, or gives out all.
    Sync(SyncGroupRequest),
    /// A member lives.
    Heartbeat(HeartbeatRequest),
    /// Members leave.
    Leave(LeaveGroupRequest),
    /// A member of a consumer group lives, comes or goes.
    ConsumerHeartbeat(ConsumerHeartbeat),
    /// Who is in a consumer group?
    DescribeConsumer(String),
    /// Offsets are committed.
    CommitOffsets {
        /// Only topics that there are.
        request: OffsetCommitRequest,
        /// Its version.
        version: i16,
    },
    /// What is committed?
    FetchOffsets(OffsetFetchRequestGroup),
    /// Who is in a group?
    Describe(String),
    /// Which groups are there?
    List(ListGroupsRequest),
    /// What is to be told of all groups?
    Report,
    /// A group goes, with its offsets.
    Delete(String),
    /// Offsets go.
    DeleteOffsets(OffsetDeleteRequest),
    /// The cluster around it changed: topics may be gone.
    FollowCluster,
}

/// What it answers.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// To a join.
    Join(JoinGroupResponse),
    /// To a sync.
    Sync(SyncGroupResponse),
    /// To a heartbeat.
    Heartbeat(HeartbeatResponse),
    /// To those who leave.
    Leave(LeaveGroupResponse),
    /// To a heartbeat of a consumer group.
    ConsumerHeartbeat(ConsumerGroupHeartbeatResponse),
    /// The consumer group.
    DescribeConsumer(DescribedConsumerGroup),
    /// Partition by partition.
    CommitOffsets(OffsetCommitResponse),
    /// Partition by partition.
    FetchOffsets(OffsetFetchResponseGroup),
    /// The group.
    Describe(DescribedGroup),
    /// The groups.
    List(Vec<ListedGroup>),
    /// Group by group.
    Report(Vec<GroupReport>),
    /// Whether it is gone.
    Delete(ErrorCode),
    /// Partition by partition.
    DeleteOffsets(OffsetDeleteResponse),
    /// It does as the cluster says.
    FollowsCluster,
}

/// A group, for those who watch over it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupReport {
    /// Its id.
    pub id: String,
    /// How many are in it.
    pub members: usize,
    /// What it has committed.
    pub offsets: Vec<ReportedOffset>,
}

/// What a group has committed in one partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportedOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub committed: i64,
}

/// What a decision comes to, beside soft state.
#[derive(Default)]
struct Effects {
    changes: Vec<Change>,
    replies: Vec<(Token, Reply)>,
}

impl Effects {
    fn reply(&mut self, token: Token, reply: Reply) {
        self.replies.push((token, reply));
    }
}

/// The machine.
#[derive(Default)]
pub struct GroupMachine {
    next_offset: Offset,
    /// The last settled generation of each group.
    settled: BTreeMap<String, GroupMetadataValue>,
    consumers: BTreeMap<String, ConsumerGroup>,
    offsets: Offsets,
    live: Live,
}

/// What only the leader knows.
#[derive(Default)]
struct Live {
    groups: BTreeMap<String, ClassicGroup>,
    /// What is watched in each consumer group.
    watches: BTreeMap<String, Watch>,
    /// When to look at which group. A look that comes too early only finds the next one.
    looks: BTreeSet<(Monotonic, String)>,
    look_at: BTreeMap<String, Monotonic>,
    next_expiry: Option<Monotonic>,
    /// The cluster as it was seen last.
    image: Arc<Image>,
    /// Topics that are gone, and whose offsets are not yet.
    gone: BTreeSet<(String, Uuid)>,
}

impl Machine for GroupMachine {
    type Request = Request;
    type Reply = Reply;
    type View = View;
    const READS_RECORDS: bool = true;

    fn decide(&mut self, at: &Leading<'_>, request: Request, token: Token, out: &mut Outcome<Reply>) {
        let mut effects = Effects::default();
        match request {
            Request::Join(join) => self.join(join, token, at, &mut effects),
            Request::Sync(request) => self.sync(request, token, at, &mut effects),
            Request::Heartbeat(request) => {
                let code = self.heartbeat(&request, at);
                let response = HeartbeatResponse { error_code: code.number(), ..HeartbeatResponse::default() };
                effects.reply(token, Reply::Heartbeat(response));
            }
            Request::Leave(request) => {
                let response = self.leave(&request, at, &mut effects);
                effects.reply(token, Reply::Leave(response));
            }
            Request::ConsumerHeartbeat(heartbeat) => {
                let response = self.consumer_heartbeat(&heartbeat, at, &mut effects);
                effects.reply(token, Reply::ConsumerHeartbeat(response));
            }
            Request::DescribeConsumer(group) => {
                effects.reply(token, Reply::DescribeConsumer(self.describe_consumer(group, at)));
            }
            Request::CommitOffsets { request, version } => {
                let verdict = self.check_commit(&request, version, at.now).err().unwrap_or(ErrorCode::None);
                let most = at.cluster.groups.offset_metadata_max_bytes;
                let (topics, changes) = offsets::commit(&request, verdict, at.wall, most);
                effects.changes = changes;
                let response = OffsetCommitResponse { topics, ..OffsetCommitResponse::default() };
                effects.reply(token, Reply::CommitOffsets(response));
            }
            Request::FetchOffsets(request) => {
                let found = self.fetch_offsets(&request, &at.cluster.image);
                effects.reply(token, Reply::FetchOffsets(found));
            }
            Request::Describe(group) => effects.reply(token, Reply::Describe(self.describe(group))),
            Request::List(request) => effects.reply(token, Reply::List(self.list(&request))),
            Request::Report => {
                effects.reply(token, Reply::Report(self.report(&at.cluster.image)));
            }
            Request::Delete(group) => {
                let code = self.delete(&group, &mut effects);
                effects.reply(token, Reply::Delete(code));
            }
            Request::DeleteOffsets(request) => {
                let response = self.delete_offsets(&request, &mut effects);
                effects.reply(token, Reply::DeleteOffsets(response));
            }
            Request::FollowCluster => {
                self.follow(&at.cluster.image);
                self.forget_gone(&mut effects);
                effects.reply(token, Reply::FollowsCluster);
            }
        }
        self.settle(at, effects, out);
    }

    fn expire(&mut self, at: &Leading<'_>, out: &mut Outcome<Reply>) {
        let mut effects = Effects::default();
        while let Some((due, id)) = self.live.looks.first().cloned()
            && due <= at.now
            && effects.changes.is_empty()
        {
            if let Some(group) = self.live.groups.get_mut(&id) {
                group.expire(now_of(at), &mut effects);
            }
            self.expire_consumers(&id, at, &mut effects);
            self.live.schedule(&id);
        }
        if effects.changes.is_empty() {
            self.forget_gone(&mut effects);
        }
        if effects.changes.is_empty() && self.live.next_expiry.is_some_and(|due| due <= at.now) {
            self.expire_offsets(at, &mut effects);
            // With more than one entry takes, the machine stays due.
            let pause_ms = if effects.changes.is_empty() { at.cluster.groups.offsets_check_interval_ms } else { 0 };
            self.live.next_expiry = Some(at.now.after_ms(pause_ms));
        }
        self.settle(at, effects, out);
    }

    fn elected(&mut self, at: &Leading<'_>, _: &mut Outcome<Reply>) {
        let simple = self.offsets.groups().filter(|id| !self.consumers.contains_key(*id));
        let simple = simple.map(|id| (id.clone(), ClassicGroup::simple(id)));
        let settled = self.settled.iter().map(|(id, record)| (id.clone(), ClassicGroup::of(id, record, at.now)));
        let groups = simple.chain(settled).collect();
        let watched = |(id, group): (&String, &ConsumerGroup)| (id.clone(), Watch::of(group, now_of(at)));
        let watches = self.consumers.iter().map(watched).collect();
        self.live = Live {
            groups,
            watches,
            next_expiry: Some(at.now.after_ms(at.cluster.groups.offsets_check_interval_ms)),
            image: Arc::clone(&at.cluster.image),
            ..Live::default()
        };
        self.settled.keys().chain(self.consumers.keys()).for_each(|id| self.live.schedule(id));
    }

    fn deposed(&mut self) {
        self.live = Live::default();
    }

    fn deadline(&self) -> Option<Monotonic> {
        let looks = self.live.looks.first().map(|(due, _)| *due);
        let gone = (!self.live.gone.is_empty()).then_some(Monotonic(0));
        let has_groups = !self.live.groups.is_empty() || !self.consumers.is_empty();
        let expiry = self.live.next_expiry.filter(|_| has_groups);
        looks.into_iter().chain(gone).chain(expiry).min()
    }

    fn fold(&mut self, _: EntryId, entry: Entry<'_>) -> Option<View> {
        let Entry::Batch(header, bytes) = entry else { return None };
        self.next_offset = header.next_offset();
        records::read(header, bytes).for_each(|change| self.apply(&change));
        Some(self.view())
    }

    fn view(&self) -> View {
        View { high_watermark: self.next_offset, last_stable_offset: self.next_offset, log_start: Offset(0) }
    }

    fn save(&self, out: &mut Vec<u8>) {
        let groups = self.settled.iter().map(|(id, value)| Change::group(id, Some(value)));
        let saved = |Change { key, value }| SavedRecord { key: key.into(), value: value.unwrap_or_default().into() };
        let consumers = self.consumers.values().flat_map(ConsumerGroup::records);
        let records = groups.chain(consumers).chain(self.offsets.all()).map(saved).collect();
        let snapshot = Snapshot { next_offset: self.next_offset.0, records };
        snapshot.encode(out).expect("a vector takes any number of bytes");
    }

    fn load(bytes: &[u8]) -> Result<Self, Corrupt> {
        let snapshot =
            Snapshot::decode(bytes).map_err(|error| Corrupt { machine: "group", reason: error.to_string() })?;
        let mut machine = Self { next_offset: Offset(snapshot.next_offset), ..Self::default() };
        for SavedRecord { key, value } in snapshot.records {
            machine.apply(&Change { key: key.into(), value: Some(value.into()) });
        }
        Ok(machine)
    }
}

/// The whole state: the records that make it.
#[derive(Clone, PartialEq, Message)]
struct Snapshot {
    #[prost(int64, tag = "1")]
    next_offset: i64,
    #[prost(message, repeated, tag = "2")]
    records: Vec<SavedRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct SavedRecord {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

impl GroupMachine {
    fn apply(&mut self, change: &Change) {
        match change.decode() {
            Decoded::Offset(key, value) => self.offsets.fold(key, value),
            Decoded::Group(id, Some(value)) => {
                self.settled.insert(id, value);
            }
            Decoded::Group(id, None) => {
                self.settled.remove(&id);
            }
            Decoded::Other => {}
            of_consumer => self.apply_to_consumer(of_consumer),
        }
    }

    fn apply_to_consumer(&mut self, change: Decoded) {
        match change {
            Decoded::ConsumerGroup(id, Some(value)) => {
                self.folding(&id, true).into_iter().for_each(|group| group.fold_metadata(&value));
            }
            Decoded::ConsumerGroup(id, None) => {
                self.consumers.remove(&id);
            }
            Decoded::Target(id, value) => {
                let group = self.folding(&id, value.is_some());
                group.into_iter().for_each(|group| group.fold_target(value.as_ref()));
            }
            Decoded::ConsumerMember(key, value) => {
                if let Some(group) = self.folding(&key.group_id, value.is_some()) {
                    group.fold_member(key.member_id, value);
                }
            }
            Decoded::TargetMember(key, value) => {
                if let Some(group) = self.folding(&key.group_id, value.is_some()) {
                    group.fold_target_member(key.member_id, value);
                }
            }
            Decoded::Assignment(key, value) => {
                if let Some(group) = self.folding(&key.group_id, value.is_some()) {
                    group.fold_assignment(key.member_id, value.as_ref());
                }
            }
            Decoded::Regex(key, value) => {
                if let Some(group) = self.folding(&key.group_id, value.is_some()) {
                    group.fold_regex(key.regular_expression, value);
                }
            }
            Decoded::Offset(..) | Decoded::Group(..) | Decoded::Other => {}
        }
    }

    /// The group of a record. A value makes it; a tombstone for one that is not there says nothing.
    fn folding(&mut self, id: &str, is_value: bool) -> Option<&mut ConsumerGroup> {
        if is_value && !self.consumers.contains_key(id) {
            self.consumers.insert(id.to_owned(), ConsumerGroup::new(id));
        }
        self.consumers.get_mut(id)
    }

    /// One entry for all changes, and replies that wait for it.
    fn settle(&self, at: &Leading<'_>, effects: Effects, out: &mut Outcome<Reply>) {
        let mut wait = Wait::Folded;
        if !effects.changes.is_empty() {
            out.append = Some(Append::Batch(records::batch(effects.changes, self.next_offset, at.epoch, at.wall)));
            wait = Wait::Own;
        }
        out.replies.extend(effects.replies.into_iter().map(|(token, reply)| (token, Until::Committed(wait), reply)));
    }

    /// Notes the topics that went since the cluster was seen last, and which consumer groups others concern.
    fn follow(&mut self, image: &Arc<Image>) {
        let before = std::mem::replace(&mut self.live.image, Arc::clone(image));
        let gone: Vec<&Arc<Topic>> = before.topics().filter(|topic| image.topic_by_id(topic.id).is_none()).collect();
        let is_new = |topic: &&Arc<Topic>| before.topic_by_id(topic.id).is_none();
        let has_grown = |topic: &&Arc<Topic>| {
            before.topic_by_id(topic.id).is_some_and(|then| then.partitions.len() != topic.partitions.len())
        };
        let has_new = image.topics().any(|topic| is_new(&topic));
        let changed = image.topics().filter(|topic| is_new(topic) || has_grown(topic));
        let changed: BTreeSet<&str> = changed.chain(gone.iter().copied()).map(|topic| topic.name.as_str()).collect();
        for (id, watch) in &mut self.live.watches {
            let is_concerned = |group: &ConsumerGroup| changed.iter().any(|name| group.is_subscribed(name));
            watch.knows_topics &= !self.consumers.get(id).is_some_and(is_concerned);
            watch.has_matched_all &= !has_new;
        }
        self.live.gone.extend(gone.into_iter().map(|topic| (topic.name.clone(), topic.id)));
    }

    fn forget_gone(&mut self, out: &mut Effects) {
        while let Some((name, id)) = self.live.gone.first() {
            let room = CHANGES_A_BATCH.saturating_sub(out.changes.len());
            if room == 0 {
                return;
            }
            let forgotten = self.offsets.forget_topic(name, *id, room);
            let is_done = forgotten.len() < room;
            out.changes.extend(forgotten);
            if !is_done {
                return;
            }
            self.live.gone.pop_first();
        }
    }
}

impl Live {
    /// Schedules a consumer group of whose deadlines only one member's changed. Where they are no earlier than the next look,
    /// that one finds them, and the others need not be gone through.
    fn schedule_member(&mut self, id: &str, member: &str) {
        let next = self.watches.get(id).and_then(|watch| watch.deadline_of(member));
        let is_seen = |next: Monotonic| self.look_at.get(id).is_some_and(|look| *look <= next);
        if !next.is_some_and(is_seen) {
            self.schedule(id);
        }
    }

    fn schedule(&mut self, id: &str) {
        let classic = self.groups.get(id).and_then(ClassicGroup::deadline);
        let next = classic.into_iter().chain(self.watches.get(id).and_then(Watch::deadline)).min();
        if self.look_at.get(id).copied() == next {
            return;
        }
        if let Some(former) = self.look_at.remove(id) {
            self.looks.remove(&(former, id.to_owned()));
        }
        if let Some(next) = next {
            self.look_at.insert(id.to_owned(), next);
            self.looks.insert((next, id.to_owned()));
        }
    }
}

impl State {
    /// As Kafka says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

fn now_of<'a>(at: &'a Leading<'_>) -> Now<'a> {
    Now { now: at.now, wall: at.wall, config: &at.cluster.groups, image: &at.cluster.image }
}
