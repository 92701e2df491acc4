//! Whether a batch is taken, and under which offset.

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::Timestamp;
use highwater_protocol::records::batch::{BatchHeader, stamp, stamp_create_time, stamp_log_append_time};

use super::producers::{self, Verdict};
use super::{Acks, DataMachine, Reply, SILENT_IN_A_CROWD_MS};
use crate::machine::{Append, Leading, Outcome, Token, Until, Wait};

/// What a producer sent.
pub(super) struct Produced {
    pub(super) batch: BytesMut,
    pub(super) header: BatchHeader,
    pub(super) acks: Acks,
    pub(super) bad_times: Vec<i32>,
}

impl DataMachine {
    pub(super) fn produce(&mut self, at: &Leading<'_>, produced: Produced, token: Token, out: &mut Outcome<Reply>) {
        let Produced { mut batch, header, acks, bad_times } = produced;
        let header = &header;
        let copies = copies_wanted(at);
        let until = |wait| match acks {
            Acks::Leader => Until::Appended(wait),
            Acks::All => Until::Copies(wait, copies),
        };
        let mut refuse = |until, (code, message), records| {
            out.replies.push((token, until, Reply::Refused { code, message, records }));
        };
        // Read from no state: nothing has to happen before these are said.
        let at_once = Until::Appended(Wait::Folded);
        // Read from the window: final to a client, so it waits for what the window was folded from, whatever the acks.
        let from_state = Until::Committed(Wait::Folded);
        if let Some(refusal) = unwanted(at, header, acks, copies) {
            return refuse(at_once, refusal, Vec::new());
        }
        let verdict = if header.is_idempotent() { self.producers.check(header) } else { Verdict::Next };
        if let Verdict::Duplicate(original) = verdict {
            // In front of size and timestamps: what is in the log is not refused for what holds today.
            // Kafka tells the original's timestamp here whoever gave it, so that is what clients know.
            let (base_offset, log_append_time) = (original.base_offset, original.timestamp);
            let reply = Reply::Appended { base_offset, log_append_time, log_start: self.log_start };
            out.replies.push((token, until(Wait::Entry(original.entry)), reply));
            return;
        }
        if let Some(refusal) = out_of_bounds(at, batch.len(), header) {
            return refuse(at_once, refusal, bad_times);
        }
        if let Some(first) = bad_times.first() {
            let message = format!("the timestamp of record {first} is out of the topic's bounds");
            return refuse(at_once, (ErrorCode::InvalidTimestamp, message), bad_times);
        }
        if verdict != Verdict::Next {
            self.hurry_expiry(at.now);
            return refuse(from_state, explained(header, verdict), Vec::new());
        }
        if header.is_idempotent() {
            self.producers.heard(header.producer_id, at.now);
            self.hurry_expiry(at.now);
        }
        let log_append_time = if at.config.log_append_time {
            stamp_log_append_time(&mut batch, at.wall);
            at.wall
        } else {
            if header.is_log_append_time() {
                stamp_create_time(&mut batch);
            }
            Timestamp(-1)
        };
        stamp(&mut batch, self.next_offset, at.epoch);
        let reply = Reply::Appended { base_offset: self.next_offset, log_append_time, log_start: self.log_start };
        out.append = Some(Append::Batch(batch));
        out.replies.push((token, until(Wait::Own), reply));
    }
}

/// Durable copies that `acks=all` waits for: a majority, or `min.insync.replicas` if that is more.
fn copies_wanted(at: &Leading<'_>) -> usize {
    let majority = at.voters / 2 + 1;
    majority.max(at.config.min_insync_replicas.min(at.voters))
}

/// Why a batch is not taken, whatever its producer sent before.
fn unwanted(at: &Leading<'_>, header: &BatchHeader, acks: Acks, copies: usize) -> Option<(ErrorCode, String)> {
    if acks == Acks::All && at.caught_up < copies {
        let message = format!("{} replicas are caught up, and {copies} are wanted", at.caught_up);
        return Some((ErrorCode::NotEnoughReplicas, message));
    }
    if header.is_control() || header.is_transactional() {
        let what = if header.is_control() { "control" } else { "transactional" };
        return Some((ErrorCode::InvalidRecord, format!("{what} batches are not taken from clients here")));
    }
    if header.has_delete_horizon() {
        return Some((ErrorCode::InvalidRecord, "only compaction sets a delete horizon".to_owned()));
    }
    None
}

/// Why a new batch is not taken: its size, its timestamps.
fn out_of_bounds(at: &Leading<'_>, bytes: usize, header: &BatchHeader) -> Option<(ErrorCode, String)> {
    let config = at.config;
    if bytes > config.max_message_bytes {
        let message = format!(
            "the record batch has {bytes} bytes, and max.message.bytes of the topic is {}",
            config.max_message_bytes
        );
        return Some((ErrorCode::MessageTooLarge, message));
    }
    if config.log_append_time {
        return None;
    }
    let newest = header.max_timestamp;
    let ahead = newest.saturating_sub(at.wall.0);
    // A first record without a timestamp (-1) says nothing of how old the batch is.
    let oldest = if header.base_timestamp < 0 { newest } else { header.base_timestamp.min(newest) };
    let behind = at.wall.0.saturating_sub(oldest);
    let has_time = newest >= 0;
    if has_time && ahead > config.timestamp_after_max_ms {
        let message = format!(
            "timestamp {newest} lies {ahead} ms ahead of the broker's clock, and message.timestamp.after.max.ms is {}",
            config.timestamp_after_max_ms
        );
        return Some((ErrorCode::InvalidTimestamp, message));
    }
    if has_time && behind > config.timestamp_before_max_ms {
        let message = format!(
            "a timestamp lies {behind} ms behind the broker's clock, and message.timestamp.before.max.ms is {}",
            config.timestamp_before_max_ms
        );
        return Some((ErrorCode::InvalidTimestamp, message));
    }
    None
}

fn explained(header: &BatchHeader, verdict: Verdict) -> (ErrorCode, String) {
    let (id, epoch, sequence) = (header.producer_id, header.producer_epoch, header.base_sequence);
    match verdict {
        Verdict::OldEpoch { current } => (
            ErrorCode::InvalidProducerEpoch,
            format!("producer {id} sent epoch {epoch}, and its epoch here is {current}"),
        ),
        Verdict::OutOfOrder { expected } => (
            ErrorCode::OutOfOrderSequenceNumber,
            format!("producer {id} sent sequence {sequence} in epoch {epoch}, and {expected} is the next"),
        ),
        Verdict::Full => (
            ErrorCode::PolicyViolation,
            format!(
                "the partition knows {} idempotent producers, and no more at a time; those that are silent for {} s make room",
                producers::MOST,
                SILENT_IN_A_CROWD_MS / 1000
            ),
        ),
        Verdict::Next | Verdict::Duplicate(_) => unreachable!("these are not refused"),
    }
}
