//! The group machine: a partition of `__consumer_offsets`, which coordinates the groups that belong to it.
//!
//! Its state is the fold of its log, whose records have Apache Kafka's own formats: committed offsets, and for each group its
//! last settled generation. On the leader a group lives as soft state beside it ([`classic`]): who joins, who waits for what,
//! and until when. A new leader begins from the records, as Kafka does.
//!
//! Offsets that a transaction is about to commit will be a part of the state here; there are no transactions yet.

mod classic;
mod member;
mod offsets;
mod place;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use highwater_protocol::coordinator_record::GroupMetadataValue;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{EntryId, Monotonic, Offset};
use highwater_protocol::message::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use highwater_protocol::message::leave_group_response::MemberResponse;
use highwater_protocol::message::list_groups_response::ListedGroup;
use highwater_protocol::message::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use highwater_protocol::message::offset_fetch_request::OffsetFetchRequestGroup;
use highwater_protocol::message::offset_fetch_response::OffsetFetchResponseGroup;
use highwater_protocol::message::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse, ListGroupsRequest,
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, SyncGroupRequest,
    SyncGroupResponse,
};
use prost::Message;
use uuid::Uuid;

use self::classic::{ClassicGroup, Now, refuse_join, refuse_sync};
pub use self::classic::{Join, State};
use self::offsets::Offsets;
pub use self::place::{OFFSETS_TOPIC, partition_of};
use self::records::{Change, Decoded};
use crate::controller::image::Image;
use crate::machine::{Append, Corrupt, Entry, Leading, Machine, Outcome, Token, Until, Wait};
use crate::view::View;

/// Records that one entry holds at most, where nobody waits for them to go together.
const CHANGES_A_BATCH: usize = 5_000;
/// From this version on a commit to a group that is not there is told so.
const TELLS_MISSING_GROUP: i16 = 9;

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
    offsets: Offsets,
    live: Live,
}

/// What only the leader knows.
#[derive(Default)]
struct Live {
    groups: BTreeMap<String, ClassicGroup>,
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
                let code = self.heartbeat(&request, at.now);
                let response = HeartbeatResponse { error_code: code.number(), ..HeartbeatResponse::default() };
                effects.reply(token, Reply::Heartbeat(response));
            }
            Request::Leave(request) => {
                let response = self.leave(&request, at, &mut effects);
                effects.reply(token, Reply::Leave(response));
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
                let found = self.offsets.fetch(&request, &at.cluster.image);
                effects.reply(token, Reply::FetchOffsets(found));
            }
            Request::Describe(group) => effects.reply(token, Reply::Describe(self.describe(group))),
            Request::List(request) => effects.reply(token, Reply::List(self.list(&request))),
            Request::Report => {
                let report = |(id, group): (&String, &ClassicGroup)| GroupReport {
                    id: id.clone(),
                    members: group.members().count(),
                    offsets: self.offsets.report(id, &at.cluster.image),
                };
                effects.reply(token, Reply::Report(self.live.groups.iter().map(report).collect()));
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
        let simple = self.offsets.groups().map(|id| (id.clone(), ClassicGroup::simple(id)));
        let settled = self.settled.iter().map(|(id, record)| (id.clone(), ClassicGroup::of(id, record, at.now)));
        let groups = simple.chain(settled).collect();
        self.live = Live {
            groups,
            next_expiry: Some(at.now.after_ms(at.cluster.groups.offsets_check_interval_ms)),
            image: Arc::clone(&at.cluster.image),
            ..Live::default()
        };
        self.settled.keys().for_each(|id| self.live.schedule(id));
    }

    fn deposed(&mut self) {
        self.live = Live::default();
    }

    fn deadline(&self) -> Option<Monotonic> {
        let looks = self.live.looks.first().map(|(due, _)| *due);
        let gone = (!self.live.gone.is_empty()).then_some(Monotonic(0));
        let expiry = self.live.next_expiry.filter(|_| !self.live.groups.is_empty());
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
        let records = groups.chain(self.offsets.all()).map(saved).collect();
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
        }
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

    fn join(&mut self, join: Join, token: Token, at: &Leading<'_>, out: &mut Effects) {
        let config = &at.cluster.groups;
        let (id, member) = (join.request.group_id.clone(), join.request.member_id.clone());
        let session = join.request.session_timeout_ms;
        if session < config.min_session_timeout_ms || session > config.max_session_timeout_ms {
            return refuse_join(&member, ErrorCode::InvalidSessionTimeout, token, out);
        }
        if !member.is_empty() && !self.live.groups.contains_key(&id) {
            return refuse_join(&member, ErrorCode::UnknownMemberId, token, out);
        }
        let group = self.live.groups.entry(id.clone()).or_insert_with(|| ClassicGroup::new(&id, at.wall));
        group.join(join, token, now_of(at), out);
        self.live.schedule(&id);
    }

    fn sync(&mut self, request: SyncGroupRequest, token: Token, at: &Leading<'_>, out: &mut Effects) {
        let id = request.group_id.clone();
        match self.live.groups.get_mut(&id) {
            None => refuse_sync(ErrorCode::UnknownMemberId, token, out),
            Some(group) => group.sync(request, token, now_of(at), out),
        }
        self.live.schedule(&id);
    }

    fn heartbeat(&mut self, request: &HeartbeatRequest, now: Monotonic) -> ErrorCode {
        let HeartbeatRequest { group_id, generation_id, member_id, group_instance_id, .. } = request;
        // A session that lasts longer needs no earlier look.
        self.live.groups.get_mut(group_id).map_or(ErrorCode::UnknownMemberId, |group| {
            group.heartbeat(member_id, group_instance_id.as_deref(), *generation_id, now)
        })
    }

    fn leave(&mut self, request: &LeaveGroupRequest, at: &Leading<'_>, out: &mut Effects) -> LeaveGroupResponse {
        let mut members = Vec::new();
        for member in &request.members {
            let code = match self.live.groups.get_mut(&request.group_id) {
                None => ErrorCode::UnknownMemberId,
                Some(group) => group.leave(&member.member_id, member.group_instance_id.as_deref(), now_of(at), out),
            };
            members.push(MemberResponse {
                member_id: member.member_id.clone(),
                group_instance_id: member.group_instance_id.clone(),
                error_code: code.number(),
            });
        }
        self.live.schedule(&request.group_id);
        LeaveGroupResponse { members, ..LeaveGroupResponse::default() }
    }

    fn check_commit(&mut self, request: &OffsetCommitRequest, version: i16, now: Monotonic) -> Result<(), ErrorCode> {
        let OffsetCommitRequest { group_id, member_id, group_instance_id, .. } = request;
        let generation = request.generation_id_or_member_epoch;
        match self.live.groups.get_mut(group_id) {
            Some(group) => group.check_commit(member_id, group_instance_id.as_deref(), generation, now),
            None if generation < 0 => {
                self.live.groups.insert(group_id.clone(), ClassicGroup::simple(group_id));
                Ok(())
            }
            None if version >= TELLS_MISSING_GROUP => Err(ErrorCode::GroupIdNotFound),
            None => Err(ErrorCode::IllegalGeneration),
        }
    }

    fn describe(&self, group_id: String) -> DescribedGroup {
        let Some(group) = self.live.groups.get(&group_id) else {
            return DescribedGroup {
                error_code: ErrorCode::GroupIdNotFound.number(),
                error_message: Some(format!("Group {group_id} not found.")),
                group_id,
                group_state: "Dead".to_owned(),
                ..DescribedGroup::default()
            };
        };
        // Which protocol counts is known once they have settled.
        let protocol = group.protocol().filter(|_| group.state() == State::Stable);
        let members = group.members().map(|(id, member)| DescribedGroupMember {
            member_id: id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            member_metadata: protocol.and_then(|name| member.metadata(name)).cloned().unwrap_or_default(),
            member_assignment: member.assignment.clone(),
        });
        DescribedGroup {
            members: members.collect(),
            group_state: group.state().name().to_owned(),
            protocol_type: group.protocol_type().unwrap_or_default().to_owned(),
            protocol_data: protocol.unwrap_or_default().to_owned(),
            group_id,
            ..DescribedGroup::default()
        }
    }

    fn list(&self, request: &ListGroupsRequest) -> Vec<ListedGroup> {
        let is_wanted =
            |given: &[String], own: &str| given.is_empty() || given.iter().any(|one| one.eq_ignore_ascii_case(own));
        let listed = self.live.groups.iter().map(|(id, group)| ListedGroup {
            group_id: id.clone(),
            protocol_type: group.protocol_type().unwrap_or_default().to_owned(),
            group_state: group.state().name().to_owned(),
            group_type: "classic".to_owned(),
        });
        listed
            .filter(|group| is_wanted(&request.states_filter, &group.group_state))
            .filter(|group| is_wanted(&request.types_filter, &group.group_type))
            .collect()
    }

    fn delete(&mut self, id: &str, out: &mut Effects) -> ErrorCode {
        match self.live.groups.get(id).map(ClassicGroup::state) {
            None => return ErrorCode::GroupIdNotFound,
            Some(State::Empty) => {}
            Some(_) => return ErrorCode::NonEmptyGroup,
        }
        out.changes = self.offsets.forget_group(id);
        self.forget_group(id, out);
        ErrorCode::None
    }

    /// A group without offsets goes.
    fn forget_group(&mut self, id: &str, out: &mut Effects) {
        self.live.groups.remove(id);
        self.live.schedule(id);
        if self.settled.contains_key(id) {
            out.changes.push(Change::group(id, None));
        }
    }

    fn delete_offsets(&self, request: &OffsetDeleteRequest, out: &mut Effects) -> OffsetDeleteResponse {
        let refused = |code: ErrorCode| OffsetDeleteResponse { error_code: code.number(), ..Default::default() };
        let id = &request.group_id;
        let Some(group) = self.live.groups.get(id) else { return refused(ErrorCode::GroupIdNotFound) };
        let group = Some(group).filter(|group| group.state() != State::Empty);
        if group.is_some_and(|group| !group.is_of_consumers()) {
            return refused(ErrorCode::NonEmptyGroup);
        }
        let subscribed = group.and_then(ClassicGroup::subscribed_topics).unwrap_or_default();
        let mut topics = Vec::new();
        for topic in &request.topics {
            let code =
                if subscribed.contains(&topic.name) { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None };
            let mut partitions = Vec::new();
            for partition in &topic.partitions {
                if code == ErrorCode::None {
                    out.changes.extend(self.offsets.forget(id, &topic.name, partition.partition_index));
                }
                partitions.push(OffsetDeleteResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: code.number(),
                });
            }
            topics.push(OffsetDeleteResponseTopic { name: topic.name.clone(), partitions });
        }
        OffsetDeleteResponse { topics, ..OffsetDeleteResponse::default() }
    }

    /// Notes the topics that went since the cluster was seen last.
    fn follow(&mut self, image: &Arc<Image>) {
        let before = std::mem::replace(&mut self.live.image, Arc::clone(image));
        let gone = before.topics().filter(|topic| image.topic_by_id(topic.id).is_none());
        self.live.gone.extend(gone.map(|topic| (topic.name.clone(), topic.id)));
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

    fn expire_offsets(&mut self, at: &Leading<'_>, out: &mut Effects) {
        let kept_ms = at.cluster.groups.offsets_retention_ms;
        let ids: Vec<String> = self.live.groups.keys().cloned().collect();
        for id in ids {
            let room = CHANGES_A_BATCH.saturating_sub(out.changes.len());
            if room <= 1 {
                return;
            }
            let Some(group) = self.live.groups.get(&id) else { continue };
            let (expired, has_none) = self.offsets.expired(&id, group, at.wall, kept_ms, room - 1);
            let is_deserted = group.is_deserted();
            out.changes.extend(expired);
            if has_none && is_deserted {
                self.forget_group(&id, out);
            }
        }
    }
}

impl Live {
    fn schedule(&mut self, id: &str) {
        let next = self.groups.get(id).and_then(ClassicGroup::deadline);
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
    Now { now: at.now, wall: at.wall, config: &at.cluster.groups }
}
