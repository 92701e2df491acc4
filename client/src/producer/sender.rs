//! The task behind a producer: takes batches that are ready and sends them to the leaders of their partitions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use highwater_protocol::api::ApiKey;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::InitProducerIdRequest;
use highwater_protocol::message::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use highwater_protocol::message::produce_response::ProduceResponse;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::accumulator::{Accumulator, Identity, Outcome, Place, Sending};
use crate::cluster::{Client, RETRY_BACKOFF};
use crate::connection::Connection;
use crate::error::{Error, Kind, Result, checked};

/// What a producer and its sender share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) accumulator: Mutex<Accumulator>,
    pub(crate) wake: Notify,
    pub(crate) closing: AtomicBool,
    pub(crate) ended: tokio::sync::watch::Sender<bool>,
}

/// How requests are made.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    pub(crate) acks: i16,
    pub(crate) timeout_ms: i32,
    pub(crate) max_bytes: usize,
    /// In flight, for each broker.
    pub(crate) max_in_flight: usize,
    /// After this, topics are looked up again: they may have grown.
    pub(crate) metadata_max_age: Duration,
}

enum Event {
    Answered { leader: i32, sent: Vec<(Place, u64)>, outcomes: Vec<Outcome> },
    Dialled { leader: i32, worked: bool },
    Refreshed,
    Identity(Result<Identity>),
}

pub(crate) struct Sender {
    pub(crate) client: Client,
    pub(crate) shared: Arc<Shared>,
    pub(crate) requests: Requests,
    tasks: JoinSet<Event>,
    in_flight: HashMap<i32, usize>,
    dialling: BTreeSet<i32>,
    dial_not_before: HashMap<i32, Instant>,
    refreshing: bool,
    to_refresh: BTreeSet<String>,
    asks_identity: bool,
    identity_not_before: Option<Instant>,
    /// When topics are looked up again without a reason.
    next_look: Instant,
}

impl Sender {
    pub(crate) fn new(client: Client, shared: Arc<Shared>, requests: Requests) -> Self {
        Self {
            next_look: Instant::now() + requests.metadata_max_age,
            client,
            shared,
            requests,
            tasks: JoinSet::new(),
            in_flight: HashMap::new(),
            dialling: BTreeSet::new(),
            dial_not_before: HashMap::new(),
            refreshing: false,
            to_refresh: BTreeSet::new(),
            asks_identity: false,
            identity_not_before: None,
        }
    }

    /// Sends until the producer is closed and nothing is left.
    pub(crate) async fn run(mut self) {
        loop {
            let now = Instant::now();
            if self.turn(now) {
                break;
            }
            let deadline = self.shared.accumulator.lock().deadline(now);
            // Backoffs of this task are looked at again after the shortest of them.
            let deadline = deadline.unwrap_or(now + Duration::from_secs(1)).min(self.next_try(now)).min(self.next_look);
            tokio::select! {
                () = self.shared.wake.notified() => {}
                Some(done) = self.tasks.join_next() => {
                    if let Ok(event) = done {
                        self.handle(event);
                    }
                }
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
        self.shared.ended.send_replace(true);
    }

    fn next_try(&self, now: Instant) -> Instant {
        let is_idle =
            self.dial_not_before.is_empty() && self.to_refresh.is_empty() && self.identity_not_before.is_none();
        if is_idle { now + Duration::from_secs(3600) } else { now + RETRY_BACKOFF }
    }

    /// Does all that can be done now. Says whether all is done for good.
    fn turn(&mut self, now: Instant) -> bool {
        let (ready, wants_identity) = {
            let mut accumulator = self.shared.accumulator.lock();
            accumulator.expire(now);
            if self.shared.closing.load(Ordering::Acquire) {
                accumulator.close_batches();
                if accumulator.end_if_empty() {
                    return true;
                }
            }
            if self.next_look <= now {
                self.next_look = now + self.requests.metadata_max_age;
                self.to_refresh.extend(accumulator.topics());
            }
            (accumulator.ready(now), accumulator.wants_identity())
        };
        if wants_identity && !self.asks_identity && self.identity_not_before.is_none_or(|moment| moment <= now) {
            self.ask_identity();
        }
        for (leader, places) in self.by_leader(ready) {
            self.send_to(leader, places, now);
        }
        self.refresh();
        false
    }

    fn by_leader(&mut self, ready: Vec<Place>) -> BTreeMap<i32, Vec<Place>> {
        let mut leaders: BTreeMap<i32, Vec<Place>> = BTreeMap::new();
        for place in ready {
            match self.client.leader(&place.0, place.1) {
                Some((leader, _)) => leaders.entry(leader).or_default().push(place),
                None => {
                    self.to_refresh.insert(place.0);
                }
            }
        }
        leaders
    }

    fn send_to(&mut self, leader: i32, mut places: Vec<Place>, now: Instant) {
        let Some(connection) = self.client.open_connection(leader) else {
            self.dial(leader, &places, now);
            return;
        };
        while !places.is_empty() && self.in_flight.get(&leader).copied().unwrap_or(0) < self.requests.max_in_flight {
            let mut batches: Vec<Sending> = Vec::new();
            let (mut bytes, mut left) = (0usize, Vec::new());
            for place in places {
                if bytes >= self.requests.max_bytes {
                    left.push(place);
                    continue;
                }
                // A batch that cannot be built has told its records so.
                if let Ok(Some(batch)) = self.shared.accumulator.lock().take(&place, now) {
                    bytes = bytes.saturating_add(batch.bytes.len());
                    batches.push(batch);
                    left.push(place);
                }
            }
            places = left;
            if batches.is_empty() {
                break;
            }
            self.send(leader, &connection, batches);
        }
    }

    fn send(&mut self, leader: i32, connection: &Connection, batches: Vec<Sending>) {
        let sent: Vec<(Place, u64)> = batches.iter().map(|batch| (batch.place.clone(), batch.number)).collect();
        let started = connection.version(ApiKey::Produce).and_then(|version| {
            let (request, ids) = self.request(batches, version);
            if self.requests.acks == 0 {
                let written = connection.start_unanswered(&request, version)?;
                self.tasks.spawn(unanswered(leader, sent.clone(), written));
            } else {
                let response = connection.start(&request, version)?;
                self.tasks.spawn(answered(leader, sent.clone(), ids, response));
            }
            Ok(())
        });
        match started {
            Ok(()) => *self.in_flight.entry(leader).or_default() += 1,
            Err(error) => {
                let failed = Outcome::Failed(error);
                self.answered(leader, sent.into_iter().map(|sent| (sent, failed.clone())).collect());
            }
        }
    }

    fn request(&self, batches: Vec<Sending>, version: i16) -> (ProduceRequest, HashMap<String, Uuid>) {
        let by_id = version >= 13;
        let mut topics: BTreeMap<String, Vec<PartitionProduceData>> = BTreeMap::new();
        for batch in batches {
            let data = PartitionProduceData { index: batch.place.1, records: Some(batch.bytes) };
            topics.entry(batch.place.0).or_default().push(data);
        }
        let id = |name: &String| self.client.known(name).map(|topic| topic.id).unwrap_or_default();
        let ids: HashMap<String, Uuid> =
            topics.keys().map(|name| (name.clone(), if by_id { id(name) } else { Uuid::nil() })).collect();
        let topic_data = topics
            .into_iter()
            .map(|(name, partition_data)| TopicProduceData {
                topic_id: ids.get(&name).copied().unwrap_or_default(),
                name: if by_id { String::new() } else { name },
                partition_data,
            })
            .collect();
        let (acks, timeout_ms) = (self.requests.acks, self.requests.timeout_ms);
        (ProduceRequest { transactional_id: None, acks, timeout_ms, topic_data }, ids)
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Answered { leader, sent, outcomes } => {
                if let Some(count) = self.in_flight.get_mut(&leader) {
                    *count = count.saturating_sub(1);
                }
                self.answered(leader, sent.into_iter().zip(outcomes).collect());
            }
            Event::Dialled { leader, worked } => {
                self.dialling.remove(&leader);
                if worked {
                    self.dial_not_before.remove(&leader);
                } else {
                    self.dial_not_before.insert(leader, Instant::now() + RETRY_BACKOFF);
                }
            }
            Event::Refreshed => self.refreshing = false,
            Event::Identity(identity) => {
                self.asks_identity = false;
                self.identity_not_before = None;
                let mut accumulator = self.shared.accumulator.lock();
                match identity {
                    Ok(identity) => accumulator.set_identity(identity),
                    Err(error) if error.is_retriable() => {
                        self.identity_not_before = Some(Instant::now() + RETRY_BACKOFF);
                    }
                    Err(error) => accumulator.fail_all(&error),
                }
            }
        }
    }

    fn answered(&mut self, leader: i32, answers: Vec<((Place, u64), Outcome)>) {
        let now = Instant::now();
        let mut accumulator = self.shared.accumulator.lock();
        for ((place, number), outcome) in answers {
            if let Outcome::Failed(error) = &outcome {
                tracing::debug!(topic = place.0, partition = place.1, leader, %error, "batch failed");
            }
            if accumulator.answered(&place, number, outcome, now) {
                self.to_refresh.insert(place.0);
            }
        }
    }

    fn dial(&mut self, leader: i32, places: &[Place], now: Instant) {
        let held = self.dial_not_before.get(&leader).is_some_and(|moment| *moment > now);
        if held || !self.dialling.insert(leader) {
            return;
        }
        if self.dial_not_before.contains_key(&leader) {
            // It failed before: perhaps somebody else leads by now.
            self.to_refresh.extend(places.iter().map(|place| place.0.clone()));
        }
        let client = self.client.clone();
        self.tasks.spawn(async move {
            let worked =
                client.connection(leader).await.inspect_err(|error| tracing::debug!(%error, "dialling")).is_ok();
            Event::Dialled { leader, worked }
        });
    }

    /// One refresh at a time, with a pause behind it.
    fn refresh(&mut self) {
        if self.refreshing || self.to_refresh.is_empty() {
            return;
        }
        self.refreshing = true;
        let topics: Vec<String> = std::mem::take(&mut self.to_refresh).into_iter().collect();
        let client = self.client.clone();
        self.tasks.spawn(async move {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            // Only a new record may create a topic: one that was deleted meanwhile is not to come back by being looked up.
            if let Err(error) = client.refresh(Some(&names), false).await {
                tracing::debug!(%error, "refreshing metadata");
            }
            tokio::time::sleep(RETRY_BACKOFF).await;
            Event::Refreshed
        });
    }

    fn ask_identity(&mut self) {
        self.asks_identity = true;
        let client = self.client.clone();
        self.tasks.spawn(async move {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: i32::MAX,
                producer_id: -1,
                producer_epoch: -1,
            };
            let identity = client.call_any(&request).await.and_then(|response| {
                checked(response.error_code, || "asking for a producer id".to_owned(), None)?;
                Ok(Identity { id: response.producer_id, epoch: response.producer_epoch })
            });
            Event::Identity(identity)
        });
    }
}

async fn answered(
    leader: i32,
    sent: Vec<(Place, u64)>,
    ids: HashMap<String, Uuid>,
    response: impl Future<Output = Result<ProduceResponse>>,
) -> Event {
    let outcomes = match response.await {
        Ok(response) => sent.iter().map(|(place, _)| outcome(&response, &ids, place)).collect(),
        Err(error) => sent.iter().map(|_| Outcome::Failed(error.clone())).collect(),
    };
    Event::Answered { leader, sent, outcomes }
}

/// With `acks=0` what is written to the socket counts as written.
async fn unanswered(leader: i32, sent: Vec<(Place, u64)>, written: impl Future<Output = Result<()>>) -> Event {
    let outcome = match written.await {
        Ok(()) => Outcome::Written { base_offset: -1, log_append_time: -1 },
        Err(error) => Outcome::Failed(error),
    };
    let outcomes = vec![outcome; sent.len()];
    Event::Answered { leader, sent, outcomes }
}

fn outcome(response: &ProduceResponse, ids: &HashMap<String, Uuid>, place: &Place) -> Outcome {
    let id = ids.get(&place.0).copied().unwrap_or_default();
    let topic = response.responses.iter().find(|topic| topic.name == place.0 || (!id.is_nil() && topic.topic_id == id));
    let found = topic.and_then(|topic| topic.partition_responses.iter().find(|one| one.index == place.1));
    let Some(found) = found else {
        let message = format!("the broker did not answer for {}-{}", place.0, place.1);
        return Outcome::Failed(Error::new(Kind::Protocol, message));
    };
    let code = ErrorCode::from_number(found.error_code);
    if code.is_none() {
        return Outcome::Written { base_offset: found.base_offset, log_append_time: found.log_append_time_ms };
    }
    let what = format!("producing to {}-{}", place.0, place.1);
    Outcome::Failed(Error::broker(code, &what, found.error_message.as_deref()))
}
