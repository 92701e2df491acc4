//! The task behind a consumer: one fetch at a time from each broker, as long as not too much waits to be taken.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use highwater_protocol::api::ApiKey;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use highwater_protocol::message::fetch_response::{FetchResponse, PartitionData};
use highwater_protocol::records::batch::{Batch, RecordsError, verify_crc};
use highwater_protocol::records::record::records;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::partitions::{Assigned, Found, Records, Shared};
use super::{Fetch, StartFrom};
use crate::cluster::{Client, RETRY_BACKOFF};
use crate::error::{Error, Kind, Result};
use crate::record::ConsumerRecord;

/// What was asked of one partition.
#[derive(Clone, Debug)]
struct Asked {
    at: usize,
    topic: Arc<str>,
    id: Uuid,
    partition: i32,
    position: i64,
    generation: u64,
}

impl Asked {
    fn of(at: usize, one: &Assigned, id: Uuid) -> Self {
        let (topic, partition) = (Arc::clone(&one.topic), one.partition);
        Self { at, topic, id, partition, position: one.position, generation: one.generation }
    }
}

enum Event {
    Fetched {
        leader: i32,
        asked: Vec<Asked>,
        response: Result<FetchResponse>,
    },
    Refreshed,
    Reset {
        at: usize,
        generation: u64,
        offset: Result<i64>,
    },
    /// Where to begin, of partitions of one topic.
    Placed {
        asked: Vec<Asked>,
        offsets: Result<Vec<i64>>,
    },
}

pub(crate) struct Fetcher {
    client: Client,
    shared: Arc<Shared>,
    fetch: Fetch,
    found: mpsc::UnboundedSender<Found>,
    tasks: JoinSet<Event>,
    busy: BTreeSet<i32>,
    to_refresh: BTreeSet<String>,
    refreshing: bool,
}

impl Fetcher {
    pub(crate) fn new(client: Client, shared: Arc<Shared>, fetch: Fetch, found: mpsc::UnboundedSender<Found>) -> Self {
        let (tasks, busy, to_refresh) = (JoinSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { client, shared, fetch, found, tasks, busy, to_refresh, refreshing: false }
    }

    /// Fetches until the consumer is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let next_try = self.turn(Instant::now());
            tokio::select! {
                () = self.found.closed() => return,
                () = self.shared.wake.notified() => {}
                Some(done) = self.tasks.join_next() => {
                    if let Ok(event) = done {
                        self.handle(event);
                    }
                }
                () = tokio::time::sleep_until(next_try) => {}
            }
        }
    }

    /// Asks every broker that is not asked yet. Says when there is something to try again.
    fn turn(&mut self, now: Instant) -> Instant {
        let mut next_try = now + std::time::Duration::from_secs(3600);
        let mut asks: BTreeMap<i32, Vec<Asked>> = BTreeMap::new();
        let mut places: BTreeMap<Arc<str>, Vec<(Asked, StartFrom)>> = BTreeMap::new();
        let is_full = self.shared.buffered.load(Ordering::Acquire) >= self.fetch.max_buffered_bytes;
        let mut partitions = self.shared.partitions.lock();
        for (at, one) in partitions.iter_mut().enumerate() {
            if let Some(moment) = one.not_before.filter(|moment| *moment > now) {
                next_try = next_try.min(moment);
                continue;
            }
            if is_full || one.is_paused || one.is_fetching || !one.is_open {
                continue;
            }
            if one.position < 0 {
                // Without a place to begin at it waits for a seek.
                if let Some(start) = one.start {
                    one.is_fetching = true;
                    places.entry(Arc::clone(&one.topic)).or_default().push((Asked::of(at, one, Uuid::nil()), start));
                }
                continue;
            }
            let Some((leader, _)) = self.client.leader(&one.topic, one.partition) else {
                self.to_refresh.insert(one.topic.to_string());
                next_try = next_try.min(now + RETRY_BACKOFF);
                continue;
            };
            if self.busy.contains(&leader) {
                continue;
            }
            one.is_fetching = true;
            let id = self.client.known(&one.topic).map(|topic| topic.id).unwrap_or_default();
            asks.entry(leader).or_default().push(Asked::of(at, one, id));
        }
        drop(partitions);
        for (leader, asked) in asks {
            self.ask(leader, asked);
        }
        places.into_values().for_each(|wanted| self.place(wanted));
        self.refresh();
        next_try
    }

    fn place(&mut self, wanted: Vec<(Asked, StartFrom)>) {
        let client = self.client.clone();
        self.tasks.spawn(async move {
            let starts: Vec<_> =
                wanted.iter().map(|(asked, start)| (asked.topic.to_string(), asked.partition, *start)).collect();
            let offsets = client.admin().start_offsets(&starts).await;
            Event::Placed { asked: wanted.into_iter().map(|(asked, _)| asked).collect(), offsets }
        });
    }

    fn placed(&mut self, asked: Vec<Asked>, offsets: Result<Vec<i64>>) {
        match offsets {
            Ok(offsets) => {
                for (one, offset) in asked.iter().zip(offsets) {
                    // It is committed like any other position: the next owner begins here, and not where the end is then.
                    self.release(one, |one| one.seek_to(offset));
                }
            }
            Err(error) => asked.iter().for_each(|one| self.failed(one, error.clone())),
        }
    }

    fn ask(&mut self, leader: i32, asked: Vec<Asked>) {
        self.busy.insert(leader);
        let (client, fetch) = (self.client.clone(), self.fetch);
        self.tasks.spawn(async move {
            let response = fetched(&client, leader, &asked, &fetch).await;
            Event::Fetched { leader, asked, response }
        });
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Fetched { leader, asked, response } => {
                self.busy.remove(&leader);
                self.fetched(asked, response);
            }
            Event::Refreshed => self.refreshing = false,
            Event::Reset { at, generation, offset } => self.reset(at, generation, offset),
            Event::Placed { asked, offsets } => self.placed(asked, offsets),
        }
    }

    fn fetched(&mut self, asked: Vec<Asked>, response: Result<FetchResponse>) {
        let whole = response.and_then(|response| {
            crate::error::checked(response.error_code, || "fetching".to_owned(), None)?;
            Ok(response)
        });
        let mut found = match whole {
            Ok(response) => by_partition(response),
            Err(error) => {
                tracing::debug!(%error, "fetch failed");
                for one in asked {
                    self.failed(&one, error.clone());
                }
                return;
            }
        };
        for one in asked {
            let key = (one.topic.to_string(), one.partition);
            let data = found.remove(&key).or_else(|| found.remove(&(one.id.to_string(), one.partition)));
            match data {
                Some(data) => self.partition(&one, data),
                None => {
                    self.release(&one, |_| ());
                }
            }
        }
    }

    fn partition(&mut self, asked: &Asked, data: PartitionData) {
        let code = ErrorCode::from_number(data.error_code);
        let what = format!("fetching {}-{}", asked.topic, asked.partition);
        match code {
            ErrorCode::None => self.records(asked, data),
            ErrorCode::OffsetOutOfRange => self.out_of_range(asked),
            code => self.failed(asked, Error::broker(code, &what, None)),
        }
    }

    fn records(&mut self, asked: &Asked, data: PartitionData) {
        let set = data.records.as_ref().and_then(|records| records.bytes()).cloned().unwrap_or_default();
        let bytes = set.len();
        let decoded = decode(asked, set, self.fetch.max_decompressed_bytes);
        let (records, next) = match decoded {
            Ok(decoded) => decoded,
            Err(error) => {
                self.failed(asked, error);
                return;
            }
        };
        let is_current = self.release(asked, |one| {
            one.high_watermark = Some(data.high_watermark);
            one.position = next;
            one.told = None;
        });
        if is_current && next > asked.position {
            self.shared.buffered.fetch_add(bytes, Ordering::AcqRel);
            let records = Records { at: asked.at, generation: asked.generation, next, bytes, records };
            self.tell(Found::Records(records));
        }
    }

    /// The log was cut on either side: go on at its nearest end, and say so.
    fn out_of_range(&mut self, asked: &Asked) {
        let start = self.shared.partitions.lock().get(asked.at).and_then(|one| one.start);
        let Some(start) = start else {
            let what = format!("fetching {}-{} at offset {}", asked.topic, asked.partition, asked.position);
            let detail = "auto.offset.reset is none: seek to an offset that is there";
            self.failed(asked, Error::broker(ErrorCode::OffsetOutOfRange, &what, Some(detail)));
            return;
        };
        let (client, asked) = (self.client.clone(), asked.clone());
        self.tasks.spawn(async move {
            let offset = nearest(&client, &asked, start).await;
            Event::Reset { at: asked.at, generation: asked.generation, offset }
        });
    }

    fn reset(&mut self, at: usize, generation: u64, offset: Result<i64>) {
        let mut partitions = self.shared.partitions.lock();
        let Some(one) = partitions.get_mut(at) else { return };
        one.is_fetching = false;
        if one.generation != generation {
            return;
        }
        let told = match offset {
            Ok(offset) => {
                let what = format!("{}-{}", one.topic, one.partition);
                let detail = format!("offset {} is not there; going on at {offset}", one.position);
                one.seek_to(offset);
                Some(Error::broker(ErrorCode::OffsetOutOfRange, &what, Some(&detail)))
            }
            Err(error) => {
                tracing::debug!(%error, "looking for an offset");
                one.not_before = Some(Instant::now() + RETRY_BACKOFF);
                None
            }
        };
        drop(partitions);
        if let Some(error) = told {
            self.tell(Found::Failed(error));
        }
    }

    /// Tries again a little later, perhaps elsewhere. What will not pass by itself is told, once.
    fn failed(&mut self, asked: &Asked, error: Error) {
        self.to_refresh.insert(asked.topic.to_string());
        let code = error.code();
        let lasts = !error.is_retriable()
            || matches!(code, Some(ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId));
        let mut tell = false;
        self.release(asked, |one| {
            one.not_before = Some(Instant::now() + RETRY_BACKOFF);
            let as_code = code.unwrap_or(ErrorCode::UnknownServerError);
            tell = lasts && one.told != Some(as_code);
            one.told = lasts.then_some(as_code);
        });
        if tell {
            self.tell(Found::Failed(error));
        }
    }

    /// The partition can be fetched again. Says whether it was not moved meanwhile, and changes it then.
    fn release(&self, asked: &Asked, change: impl FnOnce(&mut Assigned)) -> bool {
        let mut partitions = self.shared.partitions.lock();
        let Some(one) = partitions.get_mut(asked.at) else { return false };
        one.is_fetching = false;
        one.not_before = None;
        let is_current = one.generation == asked.generation;
        if is_current {
            change(one);
        }
        is_current
    }

    fn tell(&self, found: Found) {
        // Without a consumer this task ends at its next turn.
        let _gone = self.found.send(found);
    }

    fn refresh(&mut self) {
        if self.refreshing || self.to_refresh.is_empty() {
            return;
        }
        self.refreshing = true;
        let topics: Vec<String> = std::mem::take(&mut self.to_refresh).into_iter().collect();
        let client = self.client.clone();
        self.tasks.spawn(async move {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            if let Err(error) = client.refresh(Some(&names), false).await {
                tracing::debug!(%error, "refreshing metadata");
            }
            tokio::time::sleep(RETRY_BACKOFF).await;
            Event::Refreshed
        });
    }
}

async fn fetched(client: &Client, leader: i32, asked: &[Asked], fetch: &Fetch) -> Result<FetchResponse> {
    let connection = client.connection(leader).await?;
    let version = connection.version(ApiKey::Fetch)?;
    let by_id = version >= 13;
    let mut topics: BTreeMap<&str, (Uuid, Vec<FetchPartition>)> = BTreeMap::new();
    for one in asked {
        let epoch = client.leader(&one.topic, one.partition).map_or(-1, |(_, epoch)| epoch);
        let partition = FetchPartition {
            partition: one.partition,
            current_leader_epoch: epoch,
            fetch_offset: one.position,
            partition_max_bytes: fetch.max_partition_bytes,
            ..FetchPartition::default()
        };
        topics.entry(&one.topic).or_insert_with(|| (one.id, Vec::new())).1.push(partition);
    }
    let topics = topics
        .into_iter()
        .map(|(name, (id, partitions))| FetchTopic {
            topic: if by_id { String::new() } else { name.to_owned() },
            topic_id: if by_id { id } else { Uuid::nil() },
            partitions,
        })
        .collect();
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: i32::try_from(fetch.max_wait.as_millis()).unwrap_or(i32::MAX),
        min_bytes: fetch.min_bytes,
        max_bytes: fetch.max_bytes,
        session_epoch: -1,
        topics,
        ..FetchRequest::default()
    };
    connection.start(&request, version)?.await
}

/// Under the topic's name or its id, whichever the broker gave.
fn by_partition(response: FetchResponse) -> HashMap<(String, i32), PartitionData> {
    let mut found = HashMap::new();
    for topic in response.responses {
        let name = if topic.topic.is_empty() { topic.topic_id.to_string() } else { topic.topic };
        for partition in topic.partitions {
            found.insert((name.clone(), partition.partition_index), partition);
        }
    }
    found
}

/// The end of the log that is nearer to where we were, unless the consumer was told an end to begin at.
async fn nearest(client: &Client, asked: &Asked, start: StartFrom) -> Result<i64> {
    let admin = client.admin();
    let offset = async |start| {
        let wanted = [(asked.topic.to_string(), asked.partition, start)];
        admin.start_offsets(&wanted).await.map(|offsets| offsets.first().copied().unwrap_or(0))
    };
    match start {
        StartFrom::Latest => offset(StartFrom::Latest).await,
        StartFrom::Earliest => offset(StartFrom::Earliest).await,
        StartFrom::Offset(_) | StartFrom::Timestamp(_) => {
            let (first, last) = (offset(StartFrom::Earliest).await?, offset(StartFrom::Latest).await?);
            Ok(asked.position.clamp(first, last.max(first)))
        }
    }
}

/// The records from the position on, and the offset behind the last batch.
fn decode(asked: &Asked, mut set: Bytes, limit: usize) -> Result<(VecDeque<ConsumerRecord>, i64)> {
    let corrupt = |error: RecordsError| {
        let place = format!("{}-{} from offset {} on", asked.topic, asked.partition, asked.position);
        Error::new(Kind::Corrupt, format!("{place}: {error}"))
    };
    let (mut found, mut next) = (VecDeque::new(), asked.position);
    while !set.is_empty() {
        let batch = match Batch::split_off(&mut set) {
            Ok(batch) => batch,
            // The last batch of a fetch may be cut short.
            Err(RecordsError::Truncated { .. }) => break,
            Err(error) => return Err(corrupt(error)),
        };
        verify_crc(&batch.bytes).map_err(corrupt)?;
        next = next.max(batch.header.next_offset().0);
        if batch.header.is_control() {
            continue;
        }
        let compression = batch.header.compression().map_err(corrupt)?;
        for record in records(&batch, limit).map_err(corrupt)? {
            let record = record.map_err(corrupt)?;
            // A batch comes whole, also where the position lies in its middle.
            if record.offset >= asked.position {
                found.push_back(ConsumerRecord {
                    topic: Arc::clone(&asked.topic),
                    partition: asked.partition,
                    leader_epoch: batch.header.leader_epoch,
                    offset: record.offset,
                    timestamp: record.timestamp,
                    is_log_append_time: batch.header.is_log_append_time(),
                    compression,
                    key: record.key,
                    value: record.value,
                    headers: record.headers,
                });
            }
        }
    }
    Ok((found, next))
}

#[cfg(test)]
mod tests {
    use highwater_protocol::ids::{LeaderEpoch, Offset};
    use highwater_protocol::records::batch::stamp;
    use highwater_protocol::records::builder::{BatchBuilder, Marker};
    use highwater_protocol::records::compression::Compression;
    use highwater_protocol::records::record::Record;

    use super::*;

    fn asked(position: i64) -> Asked {
        Asked { at: 0, topic: Arc::from("t"), id: Uuid::nil(), partition: 0, position, generation: 0 }
    }

    fn set() -> Bytes {
        let mut builder = BatchBuilder::new(Compression::Lz4);
        for value in ["a", "b", "c"] {
            builder.push(&Record::new(None, Some(value), 1));
        }
        let mut one = builder.build().expect("builds");
        stamp(&mut one, Offset(10), LeaderEpoch(3));
        let mut marker = BatchBuilder::marker(7, 0, Marker::Commit, 0, 1).expect("builds");
        stamp(&mut marker, Offset(13), LeaderEpoch(3));
        one.extend_from_slice(&marker);
        one.freeze()
    }

    #[test]
    fn records_before_the_position_and_markers_are_left_out() {
        let (found, next) = decode(&asked(11), set(), 1 << 20).expect("decodes");
        let offsets: Vec<i64> = found.iter().map(|record| record.offset).collect();
        assert_eq!((offsets, next), (vec![11, 12], 14));
    }

    #[test]
    fn a_batch_that_is_cut_short_waits_for_the_next_fetch() {
        let whole = set();
        let (found, next) = decode(&asked(10), whole.slice(..whole.len() - 1), 1 << 20).expect("decodes");
        assert_eq!((found.len(), next), (3, 13));
    }

    #[test]
    fn a_damaged_batch_is_an_error() {
        let mut bytes = set().to_vec();
        bytes[70] ^= 1;
        let error = decode(&asked(10), Bytes::from(bytes), 1 << 20).expect_err("damaged");
        assert_eq!(error.kind(), Kind::Corrupt);
    }
}
