//! Fetch (key 1), versions 4 to 18: reads batches below the high watermark, and waits for more where there are too few bytes.
//!
//! From version 7 on a session remembers the partitions (KIP-227), from 13 on topics go by id. The first batch that there is goes
//! out whole, however large, so that a reader never stands still.

pub(crate) mod session;

use std::sync::Arc;

use highwater_core::controller::image::Image;
use highwater_core::view::View;
use highwater_node::{FetchWaiter, Partition, Serving};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{LeaderEpoch, Offset};
use highwater_protocol::message::fetch_request::FetchTopic;
use highwater_protocol::message::fetch_response::{EpochEndOffset, FetchableTopicResponse, PartitionData};
use highwater_protocol::message::{FetchRequest, FetchResponse};
use highwater_protocol::wire::Payload;
use highwater_storage::reader::Slice;

use self::session::{Begun, Wanted};
use super::merged::merged;
use super::{Answer, Asked};
use crate::limits::SENDFILE_BYTES;
use crate::server::response::Response;
use crate::shell::Shell;

/// From this version on a topic is named by its id alone.
const BY_ID: i16 = 13;

pub(crate) fn handle(asked: &Asked, request: FetchRequest) -> Answer {
    let asked = asked.clone();
    Answer::Later(Box::pin(async move {
        let begun = std::time::Instant::now();
        let response = run(&asked, request).await;
        asked.shell.metrics.answered(highwater_protocol::api::ApiKey::Fetch, begun.elapsed());
        response
    }))
}

async fn run(asked: &Asked, request: FetchRequest) -> Response {
    let shell = &asked.shell;
    let begun =
        if asked.version >= 7 { shell.sessions.lock().begin(&request) } else { Begun::without_session(&request) };
    let begun = match begun {
        Ok(begun) => begun,
        Err(code) => {
            let body = FetchResponse { error_code: code.number(), ..FetchResponse::default() };
            return asked.encoded(&body, Vec::new());
        }
    };
    let limits = Limits::of(shell, &request, asked.version);
    let deadline = tokio::time::Instant::now() + limits.max_wait;
    let image = shell.image();
    let waiter = FetchWaiter::new(limits.min_bytes);
    let mut found = Found::read(shell, &image, &begun.wanted, &limits);
    if !found.answers(&limits) && !limits.max_wait.is_zero() {
        for wanted in &begun.wanted {
            if let Ok(partition) = shell.partition(&image, &wanted.topic, wanted.topic_id, wanted.partition) {
                partition.waiters().register(&waiter);
            }
        }
        // Again, for what came in before the waiter stood there.
        found = Found::read(shell, &image, &begun.wanted, &limits);
        if !found.answers(&limits) {
            // Woken or out of time, the answer is what is there then.
            drop(tokio::time::timeout_at(deadline, waiter.arrived()).await);
            found = Found::read(shell, &shell.image(), &begun.wanted, &limits);
        }
    }
    let (partitions, slices) = found.into_payloads(&asked.shell).await;
    let responses = shell.sessions.lock().finish(&begun, partitions);
    let body = FetchResponse { session_id: begun.session_id, responses, ..FetchResponse::default() };
    asked.encoded(&body, slices)
}

struct Limits {
    min_bytes: usize,
    max_bytes: usize,
    max_wait: std::time::Duration,
    read_committed: bool,
    /// Whether topics go by id.
    by_id: bool,
    /// Whether another broker asks, as one follows another in Kafka: here nobody does on this way.
    is_follower: bool,
}

impl Limits {
    fn of(shell: &Shell, request: &FetchRequest, version: i16) -> Self {
        let size = |bytes: i32| usize::try_from(bytes).unwrap_or(0);
        Self {
            min_bytes: size(request.min_bytes),
            max_bytes: size(request.max_bytes).min(shell.config.fetch_max_bytes),
            max_wait: std::time::Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)),
            read_committed: request.isolation_level == 1,
            by_id: version >= BY_ID,
            is_follower: request.replica_id >= 0 || request.replica_state.replica_id >= 0,
        }
    }
}

/// What is to be sent of a partition.
struct Range {
    partition: Arc<dyn Partition>,
    slice: Slice,
}

/// What one pass over the partitions found.
struct Found {
    partitions: Vec<(Wanted, PartitionData, Option<Range>)>,
    bytes: usize,
    has_error: bool,
}

impl Found {
    fn read(shell: &Shell, image: &Image, wanted: &[Wanted], limits: &Limits) -> Self {
        let mut found = Self { partitions: Vec::new(), bytes: 0, has_error: false };
        for wanted in wanted {
            let left = limits.max_bytes.saturating_sub(found.bytes);
            let (data, range) = read_one(shell, image, wanted, limits, left, found.bytes == 0);
            found.bytes += range.as_ref().map_or(0, |range| range.slice.length);
            found.has_error |= data.error_code != 0;
            found.partitions.push((wanted.clone(), data, range));
        }
        found
    }

    /// Whether this is an answer without waiting.
    fn answers(&self, limits: &Limits) -> bool {
        self.has_error || self.partitions.is_empty() || self.bytes >= limits.min_bytes
    }

    /// Ranges that are good and at hand go out by sendfile; what is not is read and checked first, off the async threads.
    async fn into_payloads(self, shell: &Arc<Shell>) -> (Vec<(Wanted, PartitionData)>, Vec<Slice>) {
        let mut partitions = Vec::new();
        let mut slices = Vec::new();
        for (wanted, mut data, range) in self.partitions {
            match range {
                None => {}
                Some(Range { slice, .. }) if slice.is_trusted_and_resident() && slice.length >= SENDFILE_BYTES => {
                    let id = u32::try_from(slices.len()).unwrap_or(u32::MAX);
                    data.records = Some(Payload::Hole { id, length: slice.length });
                    slices.push(slice);
                }
                Some(range) => read_payload(shell, &mut data, range).await,
            }
            partitions.push((wanted, data));
        }
        (partitions, slices)
    }
}

async fn read_payload(shell: &Arc<Shell>, data: &mut PartitionData, Range { partition, slice }: Range) {
    let read = if slice.is_trusted_and_resident() {
        slice.read_verified()
    } else {
        shell.metrics.cold_reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match tokio::task::spawn_blocking(move || slice.read_verified()).await {
            Ok(read) => read,
            Err(_) => return data.error_code = ErrorCode::KafkaStorageError.number(),
        }
    };
    match read {
        Ok(bytes) => data.records = Some(Payload::Bytes(bytes)),
        Err(error) => data.error_code = shell.read_failed(&partition, &error).number(),
    }
}

fn read_one(
    shell: &Shell,
    image: &Image,
    wanted: &Wanted,
    limits: &Limits,
    left: usize,
    is_first: bool,
) -> (PartitionData, Option<Range>) {
    let empty = PartitionData {
        partition_index: wanted.partition,
        high_watermark: -1,
        records: Some(Payload::default()),
        aborted_transactions: None,
        ..PartitionData::default()
    };
    let partition = match found(shell, image, wanted, limits) {
        Ok(partition) => partition,
        Err(code) => {
            return (
                PartitionData { error_code: code.number(), aborted_transactions: Some(Vec::new()), ..empty },
                None,
            );
        }
    };
    let mut data = PartitionData { aborted_transactions: limits.read_committed.then(Vec::new), ..empty.clone() };
    let read = (|| {
        if limits.is_follower {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let serving = partition.serving().ok_or_else(|| offline(&partition))?;
        if wanted.current_leader_epoch >= 0 {
            match wanted.current_leader_epoch.cmp(&serving.epoch.0) {
                std::cmp::Ordering::Less => return Err(ErrorCode::FencedLeaderEpoch),
                std::cmp::Ordering::Greater => return Err(ErrorCode::UnknownLeaderEpoch),
                std::cmp::Ordering::Equal => {}
            }
        }
        let view = serving.view;
        data.high_watermark = view.high_watermark.0;
        data.last_stable_offset = view.last_stable_offset.0;
        data.log_start_offset = view.log_start.0;
        if let Some(diverging) = diverging(partition.as_ref(), &serving, wanted)? {
            data.diverging_epoch = diverging;
            return Ok(None);
        }
        let from = Offset(wanted.offset);
        if from < view.log_start || from > view.high_watermark {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let below = if limits.read_committed { view.last_stable_offset } else { view.high_watermark };
        let most = left.min(wanted.max_bytes);
        if most == 0 && !is_first {
            return Ok(None);
        }
        partition.reader().read(from, below, most, is_first).map_err(|error| shell.read_failed(&partition, &error))
    })();
    match read {
        Ok(slice) => (data, slice.map(|slice| Range { partition, slice })),
        // What is said with an error is the error alone: a reader takes no offset from it.
        Err(code) => (PartitionData { error_code: code.number(), ..empty }, None),
    }
}

/// The partition, if it may be read here.
fn found(shell: &Shell, image: &Image, wanted: &Wanted, limits: &Limits) -> Result<Arc<dyn Partition>, ErrorCode> {
    if limits.by_id && wanted.topic_id.is_nil() {
        return Err(ErrorCode::UnknownTopicId);
    }
    shell.partition(image, &wanted.topic, wanted.topic_id, wanted.partition)
}

/// Where the log parted from what a reader read (KIP-320): the epoch it read last ended in front of the offset it wants. An epoch
/// that is not known here has no end.
fn diverging(
    partition: &dyn Partition,
    serving: &Serving<View>,
    wanted: &Wanted,
) -> Result<Option<EpochEndOffset>, ErrorCode> {
    if wanted.last_fetched_epoch < 0 {
        return Ok(None);
    }
    if wanted.last_fetched_epoch > serving.epoch.0 {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let high_watermark = serving.view.high_watermark;
    let end = partition.reader().epoch_end(LeaderEpoch(wanted.last_fetched_epoch), high_watermark);
    let (epoch, end) = end.map_or((wanted.last_fetched_epoch, serving.view.log_start), |(epoch, end)| (epoch.0, end));
    let has_parted = epoch < wanted.last_fetched_epoch || end.0 < wanted.offset;
    Ok(has_parted.then_some(EpochEndOffset { epoch, end_offset: end.0 }))
}

fn offline(partition: &Arc<dyn Partition>) -> ErrorCode {
    if Arc::clone(partition).state().offline.is_some() {
        ErrorCode::KafkaStorageError
    } else {
        ErrorCode::NotLeaderOrFollower
    }
}

/// Puts partitions under their topics, in the order in which they come.
fn grouped(partitions: Vec<(Wanted, PartitionData)>) -> Vec<FetchableTopicResponse> {
    let mut topics: Vec<FetchableTopicResponse> = Vec::new();
    for (wanted, data) in partitions {
        match topics.last_mut() {
            Some(last) if last.topic == wanted.topic && last.topic_id == wanted.topic_id => last.partitions.push(data),
            _ => topics.push(FetchableTopicResponse {
                topic: wanted.topic,
                topic_id: wanted.topic_id,
                partitions: vec![data],
            }),
        }
    }
    topics
}

/// The partitions that a request names, each once.
fn named(topics: &[FetchTopic]) -> impl Iterator<Item = Wanted> {
    let all = topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| Wanted {
            topic: topic.topic.clone(),
            topic_id: topic.topic_id,
            partition: partition.partition,
            offset: partition.fetch_offset,
            current_leader_epoch: partition.current_leader_epoch,
            last_fetched_epoch: partition.last_fetched_epoch,
            max_bytes: usize::try_from(partition.partition_max_bytes).unwrap_or(0),
        })
    });
    let keyed = all.map(|wanted| (wanted.topic.clone(), wanted.topic_id, wanted.partition, wanted));
    merged(keyed).into_iter().flat_map(|(_, _, partitions)| partitions.into_iter().map(|(_, wanted)| wanted))
}
