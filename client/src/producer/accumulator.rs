//! Records wait here in batches, each partition with a queue of its own.
//!
//! The rule that keeps order and exactly one copy: a batch gets its sequence number when it is first sent and keeps it; a batch
//! that failed goes again only after everything sent behind it has been answered; and a batch is never taken out of the
//! middle of a queue while one in front of it is unanswered. A broker that does not know a producer yet takes any sequence as
//! its first, so nothing goes behind a partition's first batch until that is acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::records::batch::{Batch as EncodedBatch, RecordsError, sequence_after};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::{Record as Encoded, records};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::partitioner::{Sticky, of_key};
use crate::error::{Error, Kind, Result};
use crate::record::{Record, RecordMeta};

/// A partition by name.
pub(crate) type Place = (String, i32);

/// What the queues need to know of the producer's settings.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) compression: Compression,
    pub(crate) level: Option<i32>,
    pub(crate) batch_bytes: usize,
    pub(crate) linger: Duration,
    pub(crate) idempotent: bool,
    pub(crate) max_in_flight: usize,
    pub(crate) delivery_timeout: Duration,
    pub(crate) retry_backoff: Duration,
}

/// Who the broker thinks that we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// All queues.
#[derive(Debug)]
pub(crate) struct Accumulator {
    pub(crate) rules: Rules,
    queues: BTreeMap<Place, Queue>,
    sticky: BTreeMap<String, Sticky>,
    next_batch: u64,
    identity: Option<Identity>,
    /// The broker and we disagree on sequences: nothing is sent until all is answered and there is a new identity.
    needs_identity: bool,
    /// The sender is gone: what is pushed now would wait for ever.
    has_ended: bool,
}

#[derive(Debug, Default)]
struct Queue {
    batches: VecDeque<Batch>,
    next_sequence: i32,
    /// A batch failed: those sent behind it are waited for before anything goes again.
    recovering: bool,
    /// The broker has acknowledged a sequence of the present identity.
    is_known: bool,
    not_before: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Takes records, unless closed.
    Waiting,
    /// Sent and not answered.
    InFlight,
    /// Answered; kept until the ones in front of it are.
    Done,
}

#[derive(Debug)]
struct Batch {
    number: u64,
    state: State,
    is_closed: bool,
    created: Instant,
    builder: Option<BatchBuilder>,
    bytes: BytesMut,
    sequence: Option<i32>,
    possibly_written: bool,
    records: Vec<Pending>,
    flushed: Vec<oneshot::Sender<()>>,
}

#[derive(Debug)]
struct Pending {
    timestamp: i64,
    reply: oneshot::Sender<Result<RecordMeta>>,
    _room: OwnedSemaphorePermit,
}

/// A batch on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    pub(crate) place: Place,
    pub(crate) number: u64,
    pub(crate) bytes: BytesMut,
}

/// How a batch fared.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Written { base_offset: i64, log_append_time: i64 },
    Failed(Error),
}

impl Accumulator {
    pub(crate) fn new(rules: Rules) -> Self {
        let needs_identity = rules.idempotent;
        let (queues, sticky) = (BTreeMap::new(), BTreeMap::new());
        Self { rules, queues, sticky, next_batch: 0, identity: None, needs_identity, has_ended: false }
    }

    /// Adds a record to the last batch of its partition. Says whether a batch became ready by that.
    pub(crate) fn push(
        &mut self,
        record: Record,
        partitions: i32,
        now: (Instant, i64),
        room: OwnedSemaphorePermit,
    ) -> Result<(oneshot::Receiver<Result<RecordMeta>>, bool)> {
        if self.has_ended {
            return Err(Error::new(Kind::Closed, "the producer is closed"));
        }
        let partition = self.partition(&record, partitions)?;
        let is_sticky = record.partition.is_none() && record.key.is_none();
        let size = record.size();
        let timestamp = record.timestamp.unwrap_or(now.1);
        let encoded = Encoded { offset: 0, timestamp, key: record.key, value: record.value, headers: record.headers };
        let (reply, delivery) = oneshot::channel();
        let queue = self.queues.entry((record.topic.clone(), partition)).or_default();
        let was_closed = queue.close_if_full(size, self.rules.batch_bytes);
        if queue.batches.back().is_none_or(|batch| batch.is_closed) {
            self.next_batch += 1;
            queue.batches.push_back(Batch::new(self.next_batch, now.0, &self.rules));
        }
        let begun = queue.batches.len() == 1;
        if let Some(batch) = queue.batches.back_mut() {
            let begun = begun && batch.records.is_empty();
            if let Some(builder) = &mut batch.builder {
                let before = builder.bytes();
                builder.push(&encoded);
                if is_sticky {
                    let wrote = builder.bytes().saturating_sub(before);
                    self.sticky.entry(record.topic).or_default().wrote(wrote, self.rules.batch_bytes);
                }
            }
            batch.records.push(Pending { timestamp, reply, _room: room });
            return Ok((delivery, was_closed || begun));
        }
        Ok((delivery, was_closed))
    }

    fn partition(&mut self, record: &Record, partitions: i32) -> Result<i32> {
        match (record.partition, &record.key) {
            (Some(partition), _) if (0..partitions).contains(&partition) => Ok(partition),
            (Some(partition), _) => Err(Error::new(
                Kind::Config,
                format!("topic {} has {partitions} partitions: there is no partition {partition}", record.topic),
            )),
            (None, Some(key)) => Ok(of_key(key, partitions)),
            (None, None) => Ok(self.sticky.entry(record.topic.clone()).or_default().partition(partitions)),
        }
    }

    /// Closes every batch, and says when each is done.
    pub(crate) fn flush(&mut self) -> Vec<oneshot::Receiver<()>> {
        let batches = self.queues.values_mut().flat_map(|queue| &mut queue.batches);
        batches
            .filter(|batch| batch.state != State::Done)
            .map(|batch| {
                batch.is_closed = true;
                let (sender, receiver) = oneshot::channel();
                batch.flushed.push(sender);
                receiver
            })
            .collect()
    }

    /// Closes every batch, so that none lingers.
    pub(crate) fn close_batches(&mut self) {
        for batch in self.queues.values_mut().flat_map(|queue| &mut queue.batches) {
            batch.is_closed = true;
        }
    }

    /// Takes nothing any more if there is nothing. Says whether.
    pub(crate) fn end_if_empty(&mut self) -> bool {
        self.has_ended |= self.is_empty();
        self.has_ended
    }

    /// Whether nothing waits and nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.values().all(|queue| queue.batches.is_empty())
    }

    /// The topics that were ever written to.
    pub(crate) fn topics(&self) -> impl Iterator<Item = String> {
        self.queues.keys().map(|(topic, _)| topic.clone())
    }

    fn in_flight(&self) -> usize {
        self.queues.values().map(Queue::in_flight).sum()
    }

    /// Whether the producer must ask for an identity now.
    pub(crate) fn wants_identity(&self) -> bool {
        self.needs_identity && self.in_flight() == 0 && !self.is_empty()
    }

    /// A new identity: sequences begin anew. What may have been written under the old one cannot be sent again without the
    /// risk of a second copy, so it fails.
    pub(crate) fn set_identity(&mut self, identity: Identity) {
        (self.identity, self.needs_identity) = (Some(identity), false);
        for (place, queue) in &mut self.queues {
            queue.next_sequence = 0;
            (queue.recovering, queue.is_known) = (false, false);
            for batch in &mut queue.batches {
                if batch.possibly_written && batch.state == State::Waiting {
                    let error = Error::new(
                        Kind::TimedOut,
                        format!("a batch for {}-{} may or may not have been written", place.0, place.1),
                    );
                    batch.finish(place, &Outcome::Failed(error.written(true)));
                }
                batch.sequence = None;
            }
            queue.drop_done();
        }
    }

    /// Partitions that have something to send now.
    pub(crate) fn ready(&self, now: Instant) -> Vec<Place> {
        if self.needs_identity {
            return Vec::new();
        }
        let ready = |queue: &Queue| queue.next_to_send(now, &self.rules).is_some();
        self.queues.iter().filter(|(_, queue)| ready(queue)).map(|(place, _)| place.clone()).collect()
    }

    /// Takes the next batch of a partition to be sent, if it has at most `most` bytes or `most` is untouched.
    pub(crate) fn take(&mut self, place: &Place, now: Instant) -> Result<Option<Sending>> {
        let rules = self.rules.clone();
        let Some(queue) = self.queues.get_mut(place) else { return Ok(None) };
        let Some(at) = queue.next_to_send(now, &rules) else { return Ok(None) };
        let next_sequence = queue.next_sequence;
        let Some(batch) = queue.batches.get_mut(at) else { return Ok(None) };
        batch.is_closed = true;
        let count = i32::try_from(batch.records.len()).unwrap_or(i32::MAX);
        if self.identity.is_some() && batch.sequence.is_none() {
            batch.sequence = Some(next_sequence);
            queue.next_sequence = sequence_after(next_sequence, count);
        }
        match batch.built(self.identity) {
            Ok(bytes) => {
                batch.state = State::InFlight;
                batch.possibly_written = true;
                Ok(Some(Sending { place: place.clone(), number: batch.number, bytes }))
            }
            Err(error) => {
                batch.finish(place, &Outcome::Failed(error.clone()));
                queue.drop_done();
                self.needs_identity = self.rules.idempotent;
                Err(error)
            }
        }
    }

    /// What became of a batch. Says whether the leader should be looked up again.
    pub(crate) fn answered(&mut self, place: &Place, number: u64, outcome: Outcome, now: Instant) -> bool {
        let (backoff, delivery_timeout) = (self.rules.retry_backoff, self.rules.delivery_timeout);
        let idempotent = self.rules.idempotent;
        let Some(queue) = self.queues.get_mut(place) else { return false };
        let is_first = queue.first_unanswered() == Some(number);
        let recovering = queue.recovering;
        let Some(batch) = queue.batch(number) else { return false };
        let is_late = now.saturating_duration_since(batch.created) >= delivery_timeout;
        let mut look_up = false;
        match outcome {
            // The broker has it already; where, it does not say any more.
            Outcome::Failed(error) if error.code() == Some(ErrorCode::DuplicateSequenceNumber) => {
                batch.finish(place, &Outcome::Written { base_offset: -1, log_append_time: -1 });
                queue.is_known = true;
            }
            Outcome::Failed(error) if may_retry(&error, idempotent, is_first, recovering) && !is_late => {
                batch.state = State::Waiting;
                batch.possibly_written = is_ambiguous(&error);
                queue.recovering = true;
                queue.not_before = Some(now + backoff);
                look_up = true;
            }
            // Only the broker knows how large a topic's batches may be.
            Outcome::Failed(error) if is_too_large(&error) && batch.records.len() > 1 && !is_late => {
                self.next_batch += 1;
                queue.recovering = true;
                queue.halve(number, self.next_batch, &self.rules);
            }
            Outcome::Failed(error) => {
                let gap = idempotent && batch.sequence.is_some();
                // What was sent behind it is refused because of the gap, and goes again under a new identity.
                let recovers = gap && !is_ambiguous(&error);
                let written = is_ambiguous(&error);
                batch.possibly_written = written;
                batch.finish(place, &Outcome::Failed(error.written(written)));
                self.needs_identity |= gap;
                queue.recovering |= recovers;
            }
            written @ Outcome::Written { .. } => {
                batch.finish(place, &written);
                queue.is_known = true;
            }
        }
        queue.drop_done();
        if queue.in_flight() == 0 {
            queue.recovering = false;
        }
        look_up
    }

    /// Fails what waited too long. A batch that has a sequence leaves a gap, which only a new identity closes.
    pub(crate) fn expire(&mut self, now: Instant) {
        let timeout = self.rules.delivery_timeout;
        for (place, queue) in &mut self.queues {
            for batch in &mut queue.batches {
                if batch.state == State::Waiting && now.saturating_duration_since(batch.created) >= timeout {
                    let error = Error::new(
                        Kind::TimedOut,
                        format!("a batch for {}-{} was not acknowledged within {timeout:?}", place.0, place.1),
                    );
                    self.needs_identity |= batch.sequence.is_some();
                    let possibly = batch.possibly_written;
                    batch.finish(place, &Outcome::Failed(error.written(possibly)));
                }
            }
            queue.drop_done();
        }
    }

    /// Fails everything that waits.
    pub(crate) fn fail_all(&mut self, error: &Error) {
        for (place, queue) in &mut self.queues {
            for batch in queue.batches.iter_mut().filter(|batch| batch.state == State::Waiting) {
                let possibly = batch.possibly_written;
                batch.finish(place, &Outcome::Failed(error.clone().written(possibly)));
            }
            queue.drop_done();
        }
    }

    /// When, after now, something changes by time alone.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let moments = self.queues.values().flat_map(|queue| queue.deadlines(&self.rules));
        moments.flatten().filter(|moment| *moment > now).min()
    }
}

/// A lost answer says nothing of what the broker did; a refusal says that it did nothing, unless it only took too long.
fn is_ambiguous(error: &Error) -> bool {
    match error.code() {
        None => true,
        Some(code) => matches!(
            code,
            ErrorCode::RequestTimedOut | ErrorCode::NotEnoughReplicasAfterAppend | ErrorCode::UnknownServerError
        ),
    }
}

fn is_too_large(error: &Error) -> bool {
    matches!(error.code(), Some(ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge))
}

/// A batch behind one that failed is refused for its sequence: that is the failure of the first one, not its own.
fn may_retry(error: &Error, idempotent: bool, is_first: bool, recovering: bool) -> bool {
    if error.code() == Some(ErrorCode::OutOfOrderSequenceNumber) {
        return idempotent && (recovering || !is_first);
    }
    error.is_retriable()
}

impl Queue {
    fn close_if_full(&mut self, size: usize, batch_bytes: usize) -> bool {
        let Some(batch) = self.batches.back_mut().filter(|batch| !batch.is_closed) else { return false };
        let bytes = batch.builder.as_ref().map_or(0, BatchBuilder::bytes);
        batch.is_closed = !batch.records.is_empty() && bytes.saturating_add(size) > batch_bytes;
        batch.is_closed
    }

    fn in_flight(&self) -> usize {
        self.batches.iter().filter(|batch| batch.state == State::InFlight).count()
    }

    fn first_unanswered(&self) -> Option<u64> {
        self.batches.iter().find(|batch| batch.state != State::Done).map(|batch| batch.number)
    }

    fn batch(&mut self, number: u64) -> Option<&mut Batch> {
        self.batches.iter_mut().find(|batch| batch.number == number)
    }

    fn next_to_send(&self, now: Instant, rules: &Rules) -> Option<usize> {
        let in_flight = self.in_flight();
        let held = (self.recovering && in_flight > 0) || self.not_before.is_some_and(|moment| moment > now);
        let most = if rules.idempotent && !self.is_known { 1 } else { rules.max_in_flight };
        if held || in_flight >= most {
            return None;
        }
        let at = self.batches.iter().position(|batch| batch.state == State::Waiting)?;
        let batch = self.batches.get(at)?;
        let is_due =
            batch.is_closed || at.saturating_add(1) < self.batches.len() || batch.created + rules.linger <= now;
        (is_due && !batch.records.is_empty()).then_some(at)
    }

    /// When the next batch expires, when it has lingered, and when a failed one may go again.
    fn deadlines(&self, rules: &Rules) -> [Option<Instant>; 3] {
        let batch = self.batches.iter().find(|batch| batch.state == State::Waiting);
        let created = batch.map(|batch| batch.created);
        [
            created.map(|moment| moment + rules.delivery_timeout),
            created.map(|moment| moment + rules.linger),
            self.not_before.filter(|_| batch.is_some()),
        ]
    }

    /// Two batches in the place of one, under the same sequences. A batch that cannot be read is left to fail.
    fn halve(&mut self, number: u64, second_number: u64, rules: &Rules) {
        let Some(at) = self.batches.iter().position(|batch| batch.number == number) else { return };
        let Some(batch) = self.batches.get_mut(at) else { return };
        match batch.second_half(second_number, rules) {
            Ok(second) => self.batches.insert(at.saturating_add(1), second),
            Err(error) => tracing::error!(%error, "a batch of this producer cannot be halved"),
        }
    }

    fn drop_done(&mut self) {
        self.batches.retain(|batch| batch.state != State::Done);
    }
}

impl Batch {
    fn new(number: u64, created: Instant, rules: &Rules) -> Self {
        let builder = BatchBuilder::new(rules.compression);
        let builder = match rules.level {
            Some(level) => builder.level(level),
            None => builder,
        };
        Self {
            number,
            state: State::Waiting,
            is_closed: false,
            created,
            builder: Some(builder),
            bytes: BytesMut::new(),
            sequence: None,
            possibly_written: false,
            records: Vec::new(),
            flushed: Vec::new(),
        }
    }

    /// The bytes, with the sequence that the batch has now.
    fn built(&mut self, identity: Option<Identity>) -> Result<BytesMut> {
        if let Some(builder) = self.builder.take() {
            self.bytes = builder
                .build()
                .map_err(|error| Error::new(Kind::Corrupt, format!("a batch cannot be built: {error}")))?;
        }
        if let (Some(identity), Some(sequence)) = (identity, self.sequence) {
            stamp_identity(&mut self.bytes, identity, sequence);
        }
        Ok(self.bytes.clone())
    }

    /// Keeps the first half of its records, and gives the second one away.
    fn second_half(&mut self, number: u64, rules: &Rules) -> Result<Self> {
        let corrupt = |error: RecordsError| Error::new(Kind::Corrupt, error.to_string());
        let whole = EncodedBatch::split_off(&mut self.bytes.clone().freeze()).map_err(corrupt)?;
        let encoded: std::result::Result<Vec<Encoded>, RecordsError> =
            records(&whole, usize::MAX).map_err(corrupt)?.collect();
        let encoded = encoded.map_err(corrupt)?;
        let half = encoded.len() / 2;
        let (mut first, mut second) =
            (Self::new(self.number, self.created, rules), Self::new(number, self.created, rules));
        for (at, record) in encoded.iter().enumerate() {
            let builder = if at < half { &mut first.builder } else { &mut second.builder };
            builder.iter_mut().for_each(|builder| builder.push(record));
        }
        second.records = self.records.split_off(half.min(self.records.len()));
        first.records = std::mem::take(&mut self.records);
        first.sequence = self.sequence;
        second.sequence = self.sequence.map(|base| sequence_after(base, i32::try_from(half).unwrap_or(i32::MAX)));
        second.flushed = std::mem::take(&mut self.flushed);
        (first.is_closed, second.is_closed) = (true, true);
        *self = first;
        Ok(second)
    }

    fn finish(&mut self, place: &Place, outcome: &Outcome) {
        self.state = State::Done;
        for (at, record) in (0i64..).zip(self.records.drain(..)) {
            let result = match outcome {
                Outcome::Failed(error) => Err(error.clone()),
                Outcome::Written { base_offset, log_append_time } => Ok(RecordMeta {
                    topic: place.0.clone(),
                    partition: place.1,
                    offset: if *base_offset < 0 { -1 } else { base_offset.saturating_add(at) },
                    timestamp: if *log_append_time < 0 { record.timestamp } else { *log_append_time },
                }),
            };
            // Whoever sent it may not care.
            let _gone = record.reply.send(result);
        }
        for flushed in self.flushed.drain(..) {
            let _gone = flushed.send(());
        }
    }
}

/// Writes producer id, epoch and sequence into a batch, and its CRC anew.
fn stamp_identity(bytes: &mut BytesMut, identity: Identity, sequence: i32) {
    const PRODUCER: std::ops::Range<usize> = 43..57;
    let mut fields = [0u8; 14];
    fields[..8].copy_from_slice(&identity.id.to_be_bytes());
    fields[8..10].copy_from_slice(&identity.epoch.to_be_bytes());
    fields[10..].copy_from_slice(&sequence.to_be_bytes());
    if let Some(place) = bytes.get_mut(PRODUCER) {
        place.copy_from_slice(&fields);
        highwater_protocol::records::batch::stamp_crc(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use highwater_protocol::records::batch::{BatchHeader, verify_crc};
    use proptest::prelude::*;
    use tokio::sync::Semaphore;

    use super::*;

    type Delivery = oneshot::Receiver<Result<RecordMeta>>;

    fn accumulator(idempotent: bool) -> Accumulator {
        let mut accumulator = Accumulator::new(Rules {
            compression: Compression::None,
            level: None,
            batch_bytes: 200,
            linger: Duration::from_millis(5),
            idempotent,
            max_in_flight: 5,
            delivery_timeout: Duration::from_secs(10),
            retry_backoff: Duration::from_millis(100),
        });
        if idempotent {
            accumulator.set_identity(Identity { id: 7, epoch: 0 });
        }
        accumulator
    }

    /// One whose partition the broker knows.
    fn known_accumulator() -> Accumulator {
        let mut accumulator = accumulator(true);
        accumulator.queues.entry(place()).or_default().is_known = true;
        accumulator
    }

    fn push(accumulator: &mut Accumulator, text: &str, now: Instant) -> Delivery {
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("one permit");
        let record = Record::new("t").partition(0).value(text.as_bytes().to_vec());
        accumulator.push(record, 1, (now, 1), room).expect("there is a partition 0").0
    }

    fn place() -> Place {
        ("t".to_owned(), 0)
    }

    fn take(accumulator: &mut Accumulator, now: Instant) -> Option<(u64, i32)> {
        let sending = accumulator.take(&place(), now).expect("builds")?;
        verify_crc(&sending.bytes).expect("the CRC covers the sequence");
        Some((sending.number, BatchHeader::decode(&sending.bytes).expect("decodes").base_sequence))
    }

    fn refused(code: ErrorCode) -> Outcome {
        Outcome::Failed(Error::broker(code, "test", None))
    }

    fn later(now: Instant, ms: u64) -> Instant {
        now + Duration::from_millis(ms)
    }

    #[test]
    fn a_batch_lingers_unless_it_is_full_or_flushed() {
        let (mut accumulator, now) = (known_accumulator(), Instant::now());
        let _delivery = push(&mut accumulator, "a", now);
        assert_eq!(take(&mut accumulator, now), None);
        assert_eq!(accumulator.deadline(now), Some(later(now, 5)));
        assert_eq!(accumulator.flush().len(), 1);
        assert_eq!(take(&mut accumulator, now), Some((1, 0)));
        let _deliveries: Vec<Delivery> = (0..4).map(|_| push(&mut accumulator, &"x".repeat(50), now)).collect();
        assert_eq!(take(&mut accumulator, now), Some((2, 1)), "the second batch is full");
    }

    #[test]
    fn a_failed_batch_goes_again_before_the_ones_behind_it() {
        let (mut accumulator, now) = (known_accumulator(), Instant::now());
        let mut deliveries = Vec::new();
        for text in ["a", "b", "c"] {
            deliveries.push(push(&mut accumulator, text, now));
            drop(accumulator.flush());
        }
        let sent: Vec<_> = std::iter::from_fn(|| take(&mut accumulator, now)).collect();
        assert_eq!(sent, [(1, 0), (2, 1), (3, 2)]);
        assert!(accumulator.answered(&place(), 1, refused(ErrorCode::NotLeaderOrFollower), now), "looks up the leader");
        assert_eq!(take(&mut accumulator, later(now, 200)), None, "two are unanswered");
        accumulator.answered(&place(), 2, refused(ErrorCode::OutOfOrderSequenceNumber), now);
        accumulator.answered(&place(), 3, refused(ErrorCode::OutOfOrderSequenceNumber), now);
        assert_eq!(take(&mut accumulator, later(now, 50)), None, "it backs off");
        let again: Vec<_> = std::iter::from_fn(|| take(&mut accumulator, later(now, 200))).collect();
        assert_eq!(again, sent, "the same order under the same sequences");
        for (number, offset) in [(1, 10), (2, 11), (3, 12)] {
            accumulator.answered(&place(), number, Outcome::Written { base_offset: offset, log_append_time: -1 }, now);
        }
        let offsets: Vec<i64> =
            deliveries.iter_mut().map(|one| one.try_recv().expect("done").expect("written").offset).collect();
        assert_eq!(offsets, [10, 11, 12]);
        assert!(accumulator.is_empty());
    }

    #[test]
    fn a_sequence_that_the_broker_lost_needs_a_new_identity() {
        let (mut accumulator, now) = (accumulator(true), Instant::now());
        let mut first = push(&mut accumulator, "a", now);
        drop(accumulator.flush());
        assert_eq!(take(&mut accumulator, now), Some((1, 0)));
        accumulator.answered(&place(), 1, refused(ErrorCode::OutOfOrderSequenceNumber), now);
        let error = first.try_recv().expect("done").expect_err("refused");
        assert_eq!(error.code(), Some(ErrorCode::OutOfOrderSequenceNumber));
        let _second = push(&mut accumulator, "b", later(now, 1));
        assert!(accumulator.wants_identity());
        assert_eq!(accumulator.ready(later(now, 100)), []);
        accumulator.set_identity(Identity { id: 8, epoch: 0 });
        assert_eq!(take(&mut accumulator, later(now, 100)), Some((2, 0)), "sequences begin anew");
    }

    #[test]
    fn a_record_that_is_refused_fails_alone() {
        let (mut accumulator, now) = (known_accumulator(), Instant::now());
        let mut deliveries = Vec::new();
        for text in ["a", "b", "c"] {
            deliveries.push(push(&mut accumulator, text, now));
            drop(accumulator.flush());
        }
        let sent: Vec<_> = std::iter::from_fn(|| take(&mut accumulator, now)).collect();
        assert_eq!(sent, [(1, 0), (2, 1), (3, 2)]);
        accumulator.answered(&place(), 1, refused(ErrorCode::MessageTooLarge), now);
        assert!(!accumulator.wants_identity(), "two are unanswered");
        accumulator.answered(&place(), 2, refused(ErrorCode::OutOfOrderSequenceNumber), now);
        accumulator.answered(&place(), 3, refused(ErrorCode::OutOfOrderSequenceNumber), now);
        deliveries[0].try_recv().expect("done").expect_err("it is too large");
        assert!(accumulator.wants_identity());
        accumulator.set_identity(Identity { id: 8, epoch: 0 });
        let again: Vec<_> = std::iter::from_fn(|| take(&mut accumulator, later(now, 200))).collect();
        assert_eq!(again, [(2, 0)], "the broker does not know the new identity yet");
        accumulator.answered(&place(), 2, Outcome::Written { base_offset: 0, log_append_time: -1 }, now);
        assert_eq!(take(&mut accumulator, later(now, 200)), Some((3, 1)));
    }

    #[test]
    fn a_batch_that_is_too_large_goes_in_halves() {
        let (mut accumulator, now) = (known_accumulator(), Instant::now());
        let mut deliveries: Vec<Delivery> = ["a", "b", "c"].map(|text| push(&mut accumulator, text, now)).into();
        let mut flushed = accumulator.flush();
        deliveries.push(push(&mut accumulator, "d", now));
        drop(accumulator.flush());
        let sent: Vec<_> = std::iter::from_fn(|| take(&mut accumulator, now)).collect();
        assert_eq!(sent, [(1, 0), (2, 3)]);
        accumulator.answered(&place(), 1, refused(ErrorCode::MessageTooLarge), now);
        assert_eq!(take(&mut accumulator, now), None, "the one behind it is unanswered");
        accumulator.answered(&place(), 2, refused(ErrorCode::OutOfOrderSequenceNumber), now);
        let again: Vec<_> = std::iter::from_fn(|| take(&mut accumulator, later(now, 200))).collect();
        assert_eq!(again, [(1, 0), (3, 1), (2, 3)], "the same records under the same sequences");
        accumulator.answered(&place(), 1, Outcome::Written { base_offset: 10, log_append_time: -1 }, now);
        assert!(flushed[0].try_recv().is_err(), "half of it is not flushed");
        accumulator.answered(&place(), 3, Outcome::Written { base_offset: 11, log_append_time: -1 }, now);
        flushed[0].try_recv().expect("both halves are written");
        accumulator.answered(&place(), 2, Outcome::Written { base_offset: 13, log_append_time: -1 }, now);
        let offsets: Vec<i64> =
            deliveries.iter_mut().map(|one| one.try_recv().expect("done").expect("written").offset).collect();
        assert_eq!(offsets, [10, 11, 12, 13]);
    }

    #[test]
    fn what_was_sent_and_not_answered_says_that_it_may_be_there() {
        let (mut accumulator, now) = (accumulator(true), Instant::now());
        let mut sent = push(&mut accumulator, "a", now);
        drop(accumulator.flush());
        take(&mut accumulator, now);
        let lost = Error::new(Kind::Disconnected, "gone");
        accumulator.answered(&place(), 1, Outcome::Failed(lost), now);
        let mut waiting = push(&mut accumulator, "b", now);
        accumulator.expire(later(now, 10_000));
        assert!(sent.try_recv().expect("done").expect_err("expired").possibly_written());
        assert!(!waiting.try_recv().expect("done").expect_err("expired").possibly_written());
        assert!(accumulator.is_empty());
    }

    #[test]
    fn a_doubled_sequence_was_written_before() {
        let (mut accumulator, now) = (accumulator(true), Instant::now());
        let mut delivery = push(&mut accumulator, "a", now);
        drop(accumulator.flush());
        take(&mut accumulator, now);
        accumulator.answered(&place(), 1, refused(ErrorCode::DuplicateSequenceNumber), now);
        assert_eq!(delivery.try_recv().expect("done").expect("written").offset, -1);
    }

    proptest! {
        /// A broker that takes any sequence as the first and then only the next one, and fails at will before or after it wrote: each record ends up in
        /// the log once, in order.
        #[test]
        fn order_and_one_copy_survive_failures(choices in proptest::collection::vec(0..5u8, 1..200)) {
            let (mut accumulator, start) = (accumulator(true), Instant::now());
            let mut deliveries = Vec::new();
            let (mut log, mut in_flight, mut broker_next) = (Vec::new(), VecDeque::new(), 0i32);
            let (mut written, mut choices, mut ms) = (BTreeMap::new(), choices.into_iter(), 0);
            let mut pushed = 0;
            while pushed < 20 || !accumulator.is_empty() {
                ms += 1;
                let now = later(start, ms);
                let choice = choices.next().unwrap_or(0);
                if pushed < 20 && choice != 3 {
                    deliveries.push(push(&mut accumulator, "x", now));
                    drop(accumulator.flush());
                    pushed += 1;
                }
                in_flight.extend(take(&mut accumulator, now));
                if choice == 4 {
                    // The broker takes its time, so that more is on its way.
                    continue;
                }
                let Some((number, sequence)) = in_flight.pop_front() else { continue };
                let known = written.get(&sequence).copied();
                let outcome = if choice == 1 {
                    refused(ErrorCode::NotLeaderOrFollower)
                } else if known.is_none() && sequence != broker_next && !log.is_empty() {
                    refused(ErrorCode::OutOfOrderSequenceNumber)
                } else {
                    let base_offset = known.unwrap_or_else(|| {
                        log.push(number);
                        broker_next = sequence + 1;
                        i64::try_from(log.len()).expect("small") - 1
                    });
                    written.insert(sequence, base_offset);
                    if choice == 2 {
                        Outcome::Failed(Error::new(Kind::Disconnected, "the answer was lost"))
                    } else {
                        Outcome::Written { base_offset, log_append_time: -1 }
                    }
                };
                accumulator.answered(&place(), number, outcome, now);
            }
            prop_assert_eq!(log, (1..=20).collect::<Vec<u64>>());
            for (offset, delivery) in (0i64..).zip(&mut deliveries) {
                prop_assert_eq!(delivery.try_recv().expect("done").expect("written").offset, offset);
            }
        }
    }
}
