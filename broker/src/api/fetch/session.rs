//! Fetch sessions (KIP-227): the broker remembers which partitions a reader follows, and answers only those that have news.
//!
//! Invariant: a session's partitions are in the order in which they are served; those that were served go to the back.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::FetchRequest;
use highwater_protocol::message::fetch_response::{FetchableTopicResponse, PartitionData};
use uuid::Uuid;

use super::{grouped, named};

/// A request that is no session's, and ends one if it names it.
const FINAL_EPOCH: i32 = -1;
/// A request that begins a session.
const INITIAL_EPOCH: i32 = 0;

/// What the partitions of all sessions may take together: 300,000 partitions or so. A session that would take more alone is
/// served without one.
const SESSION_BYTES: usize = 128 << 20;

/// A partition that is to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    pub(crate) topic: String,
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) current_leader_epoch: i32,
    pub(crate) last_fetched_epoch: i32,
    pub(crate) max_bytes: usize,
}

type Key = (String, Uuid, i32);

/// What was said of a partition last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Told {
    high_watermark: i64,
    log_start: i64,
}

#[derive(Debug)]
struct Session {
    epoch: i32,
    order: Vec<Key>,
    partitions: BTreeMap<Key, (Wanted, Option<Told>)>,
    used: u64,
    /// What its partitions cost.
    bytes: usize,
}

/// A request with its session sorted out.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) session_id: i32,
    pub(crate) wanted: Vec<Wanted>,
    is_incremental: bool,
}

/// All sessions, a bounded number.
#[derive(Debug)]
pub(crate) struct Sessions {
    sessions: BTreeMap<i32, Session>,
    most: usize,
    next_id: i32,
    clock: u64,
}

impl Session {
    /// Takes partitions out of the order.
    fn leave_out(&mut self, keys: &BTreeSet<Key>) {
        if !keys.is_empty() {
            self.order.retain(|key| !keys.contains(key));
        }
    }
}

impl Begun {
    pub(crate) fn without_session(request: &FetchRequest) -> Result<Self, ErrorCode> {
        Ok(Self { session_id: 0, wanted: named(&request.topics).collect(), is_incremental: false })
    }
}

impl Sessions {
    pub(crate) fn new(most: usize, first_id: i32) -> Self {
        Self { sessions: BTreeMap::new(), most, next_id: first_id.max(1), clock: 0 }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn begin(&mut self, request: &FetchRequest) -> Result<Begun, ErrorCode> {
        self.clock += 1;
        match request.session_epoch {
            FINAL_EPOCH => {
                self.sessions.remove(&request.session_id);
                Begun::without_session(request)
            }
            INITIAL_EPOCH => {
                self.sessions.remove(&request.session_id);
                Ok(self.create(request))
            }
            _ => self.go_on(request),
        }
    }

    /// Keeps what was told, and leaves out what is no news.
    pub(crate) fn finish(
        &mut self,
        begun: &Begun,
        partitions: Vec<(Wanted, PartitionData)>,
    ) -> Vec<FetchableTopicResponse> {
        let Some(session) = self.sessions.get_mut(&begun.session_id) else { return grouped(partitions) };
        let mut kept = Vec::new();
        let mut served = Vec::new();
        for (wanted, data) in partitions {
            let key = key(&wanted);
            let Some((_, told)) = session.partitions.get_mut(&key) else { continue };
            let now = Told { high_watermark: data.high_watermark, log_start: data.log_start_offset };
            let has_records = data.records.as_ref().is_some_and(|records| !records.is_empty());
            let is_news = has_records || data.error_code != 0 || *told != Some(now);
            *told = if data.error_code == 0 { Some(now) } else { None };
            if has_records {
                served.push(key);
            }
            if is_news || !begun.is_incremental {
                kept.push((wanted, data));
            }
        }
        session.leave_out(&served.iter().cloned().collect());
        session.order.extend(served);
        grouped(kept)
    }

    fn create(&mut self, request: &FetchRequest) -> Begun {
        let wanted: Vec<Wanted> = named(&request.topics).collect();
        if self.most == 0 {
            return Begun { session_id: 0, wanted, is_incremental: false };
        }
        let cost: usize = wanted.iter().map(cost).sum();
        if cost > SESSION_BYTES {
            return Begun { session_id: 0, wanted, is_incremental: false };
        }
        self.make_room(1, cost);
        let id = self.draw_id();
        let order = wanted.iter().map(key).collect();
        let partitions = wanted.iter().map(|wanted| (key(wanted), (wanted.clone(), None))).collect();
        self.sessions.insert(id, Session { epoch: 1, order, partitions, used: self.clock, bytes: cost });
        Begun { session_id: id, wanted, is_incremental: false }
    }

    fn go_on(&mut self, request: &FetchRequest) -> Result<Begun, ErrorCode> {
        let session = self.sessions.get_mut(&request.session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        session.epoch = if session.epoch == i32::MAX { 1 } else { session.epoch + 1 };
        session.used = self.clock;
        let before = session.bytes;
        for wanted in named(&request.topics) {
            let key = key(&wanted);
            match session.partitions.get_mut(&key) {
                Some((known, _)) => *known = wanted,
                None => {
                    session.bytes += cost(&wanted);
                    session.order.push(key.clone());
                    session.partitions.insert(key, (wanted, None));
                }
            }
        }
        let forgotten: BTreeSet<Key> = request
            .forgotten_topics_data
            .iter()
            .flat_map(|topic| {
                topic.partitions.iter().map(|partition| (topic.topic.clone(), topic.topic_id, *partition))
            })
            .collect();
        session.partitions.retain(|key, (wanted, _)| {
            let stays = !forgotten.contains(key);
            session.bytes -= if stays { 0 } else { cost(wanted) };
            stays
        });
        session.leave_out(&forgotten);
        if session.order.is_empty() {
            // Nothing is left to follow.
            self.sessions.remove(&request.session_id);
            return Begun::without_session(request);
        }
        let wanted =
            session.order.iter().filter_map(|key| session.partitions.get(key)).map(|(wanted, _)| wanted.clone());
        let begun = Begun { session_id: request.session_id, wanted: wanted.collect(), is_incremental: true };
        if session.bytes > before {
            self.make_room(0, 0);
        }
        Ok(begun)
    }

    /// Ends the sessions that were not used for longest, until so many more of that cost have room.
    fn make_room(&mut self, more: usize, cost: usize) {
        let mut held: usize = self.sessions.values().map(|session| session.bytes).sum();
        while self.sessions.len() + more > self.most || held + cost > SESSION_BYTES {
            let Some((id, _)) = self.sessions.iter().min_by_key(|(_, session)| session.used) else { return };
            let gone = self.sessions.remove(&{ *id });
            held -= gone.map_or(0, |session| session.bytes);
        }
    }

    fn draw_id(&mut self) -> i32 {
        loop {
            let id = self.next_id;
            self.next_id = if id == i32::MAX { 1 } else { id + 1 };
            if !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }
}

/// What a partition of a session takes: its topic's name stands in it three times.
fn cost(wanted: &Wanted) -> usize {
    3 * wanted.topic.len() + 300
}

fn key(wanted: &Wanted) -> Key {
    (wanted.topic.clone(), wanted.topic_id, wanted.partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_protocol::message::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
    use highwater_protocol::wire::Payload;

    fn request(session_id: i32, session_epoch: i32, partitions: &[(i32, i64)]) -> FetchRequest {
        let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
            partition: *partition,
            fetch_offset: *fetch_offset,
            partition_max_bytes: 1000,
            ..FetchPartition::default()
        };
        let topic = FetchTopic {
            topic: "t".to_owned(),
            partitions: partitions.iter().map(partition).collect(),
            ..FetchTopic::default()
        };
        let topics = if partitions.is_empty() { Vec::new() } else { vec![topic] };
        FetchRequest { session_id, session_epoch, topics, ..FetchRequest::default() }
    }

    fn empty(begun: &Begun) -> Vec<(Wanted, PartitionData)> {
        let data = |wanted: &Wanted| PartitionData {
            partition_index: wanted.partition,
            high_watermark: 5,
            records: Some(Payload::default()),
            ..PartitionData::default()
        };
        begun.wanted.iter().map(|wanted| (wanted.clone(), data(wanted))).collect()
    }

    #[test]
    fn a_session_tells_news_only() {
        let mut sessions = Sessions::new(10, 7);
        let first = sessions.begin(&request(0, 0, &[(0, 1), (1, 2)])).expect("begins");
        assert_eq!((first.session_id, first.wanted.len()), (7, 2));
        assert_eq!(sessions.finish(&first, empty(&first))[0].partitions.len(), 2);
        let next = sessions.begin(&request(7, 1, &[])).expect("goes on");
        assert_eq!(next.wanted.len(), 2);
        assert!(sessions.finish(&next, empty(&next)).is_empty());
        let moved = sessions.begin(&request(7, 2, &[(1, 4)])).expect("goes on");
        assert_eq!(moved.wanted.iter().map(|wanted| wanted.offset).collect::<Vec<_>>(), [1, 4]);
    }

    /// Whoever asked for sessions of many partitions with long names took memory without end, and to forget them one by one took
    /// a look at all the others for each.
    #[test]
    fn sessions_stay_within_their_memory() {
        let named = |session: i32, session_epoch: i32, count: i32| {
            let mut request = request(session, session_epoch, &[]);
            let partition = |partition| FetchPartition { partition, partition_max_bytes: 1000, ..Default::default() };
            let topic = "t".repeat(30_000);
            request.topics =
                vec![FetchTopic { topic, partitions: (0..count).map(partition).collect(), ..Default::default() }];
            request
        };
        let mut sessions = Sessions::new(1000, 1);
        for round in 0..20 {
            let begun = sessions.begin(&named(0, 0, 300)).expect("begins");
            assert_ne!(begun.session_id, 0);
            let held: usize = sessions.sessions.values().map(|session| session.bytes).sum();
            assert!(held <= SESSION_BYTES && sessions.len() <= 4, "round {round}: {held} bytes, {}", sessions.len());
        }
        let too_large = sessions.begin(&named(0, 0, 2000)).expect("is served");
        assert_eq!((too_large.session_id, too_large.wanted.len()), (0, 2000), "without a session");
        let last = *sessions.sessions.keys().max().expect("some");
        let mut forgets = request(last, 1, &[]);
        let (topic, partitions) = ("t".repeat(30_000), (0..299).collect());
        forgets.forgotten_topics_data = vec![ForgottenTopic { topic, partitions, ..Default::default() }];
        assert_eq!(sessions.begin(&forgets).expect("goes on").wanted.len(), 1);
        let left = &sessions.sessions[&last];
        assert_eq!((left.bytes, left.order.len()), (cost(&left.partitions.values().next().expect("one").0), 1));
        // It grows beyond all bounds: the last to go is itself.
        sessions.begin(&named(last, 2, 3000)).expect("is served once more");
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn a_wrong_epoch_or_id_is_refused() {
        let mut sessions = Sessions::new(10, 7);
        let first = sessions.begin(&request(0, 0, &[(0, 1)])).expect("begins");
        let wrong = |sessions: &mut Sessions, id, epoch| sessions.begin(&request(id, epoch, &[])).map(|_| ());
        assert_eq!(wrong(&mut sessions, first.session_id, 5), Err(ErrorCode::InvalidFetchSessionEpoch));
        assert_eq!(wrong(&mut sessions, 99, 1), Err(ErrorCode::FetchSessionIdNotFound));
    }

    #[test]
    fn the_least_used_session_makes_room() {
        let mut sessions = Sessions::new(2, 1);
        for _ in 0..3 {
            sessions.begin(&request(0, 0, &[(0, 1)])).expect("begins");
        }
        assert_eq!(sessions.len(), 2);
        assert!(sessions.begin(&request(1, 1, &[])).is_err());
    }
}
