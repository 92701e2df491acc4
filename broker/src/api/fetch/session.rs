//! Fetch sessions (KIP-227): the broker remembers which partitions a reader follows, and answers only those that have news.
//!
//! Invariant: a session's partitions are in the order in which they are served; those that were served go to the back.

use std::collections::BTreeMap;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::FetchRequest;
use highwater_protocol::message::fetch_response::{FetchableTopicResponse, PartitionData};
use uuid::Uuid;

use super::{grouped, named};

/// A request that is no session's, and ends one if it names it.
const FINAL_EPOCH: i32 = -1;
/// A request that begins a session.
const INITIAL_EPOCH: i32 = 0;

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
        for (wanted, data) in partitions {
            let key = key(&wanted);
            let Some((_, told)) = session.partitions.get_mut(&key) else { continue };
            let now = Told { high_watermark: data.high_watermark, log_start: data.log_start_offset };
            let has_records = data.records.as_ref().is_some_and(|records| !records.is_empty());
            let is_news = has_records || data.error_code != 0 || *told != Some(now);
            *told = if data.error_code == 0 { Some(now) } else { None };
            if has_records {
                session.order.retain(|other| *other != key);
                session.order.push(key);
            }
            if is_news || !begun.is_incremental {
                kept.push((wanted, data));
            }
        }
        grouped(kept)
    }

    fn create(&mut self, request: &FetchRequest) -> Begun {
        let wanted: Vec<Wanted> = named(&request.topics).collect();
        if self.most == 0 {
            return Begun { session_id: 0, wanted, is_incremental: false };
        }
        if self.sessions.len() >= self.most {
            let oldest = self.sessions.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.sessions.remove(&oldest);
            }
        }
        let id = self.draw_id();
        let order = wanted.iter().map(key).collect();
        let partitions = wanted.iter().map(|wanted| (key(wanted), (wanted.clone(), None))).collect();
        self.sessions.insert(id, Session { epoch: 1, order, partitions, used: self.clock });
        Begun { session_id: id, wanted, is_incremental: false }
    }

    fn go_on(&mut self, request: &FetchRequest) -> Result<Begun, ErrorCode> {
        let session = self.sessions.get_mut(&request.session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        session.epoch = if session.epoch == i32::MAX { 1 } else { session.epoch + 1 };
        session.used = self.clock;
        for wanted in named(&request.topics) {
            let key = key(&wanted);
            match session.partitions.get_mut(&key) {
                Some((known, _)) => *known = wanted,
                None => {
                    session.order.push(key.clone());
                    session.partitions.insert(key, (wanted, None));
                }
            }
        }
        for forgotten in &request.forgotten_topics_data {
            for partition in &forgotten.partitions {
                let key = (forgotten.topic.clone(), forgotten.topic_id, *partition);
                session.partitions.remove(&key);
                session.order.retain(|other| *other != key);
            }
        }
        if session.order.is_empty() {
            // Nothing is left to follow.
            self.sessions.remove(&request.session_id);
            return Begun::without_session(request);
        }
        let wanted =
            session.order.iter().filter_map(|key| session.partitions.get(key)).map(|(wanted, _)| wanted.clone());
        Ok(Begun { session_id: request.session_id, wanted: wanted.collect(), is_incremental: true })
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

fn key(wanted: &Wanted) -> Key {
    (wanted.topic.clone(), wanted.topic_id, wanted.partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_protocol::message::fetch_request::{FetchPartition, FetchTopic};
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
