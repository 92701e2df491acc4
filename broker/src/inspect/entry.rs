//! What an entry, a record, a row or a change of the journal looks like.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use highwater_node::Membership;
use highwater_protocol::ids::EntryId;
use highwater_protocol::records::batch::{Batch, BatchHeader};
use highwater_protocol::records::record::{Record, records};
use highwater_storage::entry::{Frame, FrameKind};
use highwater_storage::inspect::{EntryRead, IndexRead, JournalRecord};
use highwater_storage::journal::record::{Change, Checkpoint, HardState, Place};
use serde_json::{Value, json};

use super::line::{Line, Out};

/// What the records of one batch may inflate to.
const INFLATED_BYTES: usize = 1 << 30;

/// Prints an entry of a segment, and its records if they are wanted.
pub(super) fn entry(path: &Path, entry: &EntryRead<'_>, with_records: bool, depth: usize, out: &mut Out) {
    match entry.frame {
        Frame::Batch(header, _) => {
            out.line(&batch(path, entry, &header, depth));
            if with_records {
                let batch = Batch { header, bytes: Bytes::copy_from_slice(entry.bytes) };
                each_record(path, &batch, depth + 1, out);
            }
        }
        Frame::Own { kind, next_offset, payload, .. } => out.line(
            &placed("frame", path, entry, depth)
                .with("frame", name_of(kind))
                .with("next_offset", next_offset.0)
                .with("payload_bytes", payload.len())
                .with("voters", voters(kind, payload))
                .with("payload_base64", payload_text(with_records, payload)),
        ),
    }
}

fn batch(path: &Path, entry: &EntryRead<'_>, header: &BatchHeader, depth: usize) -> Line {
    let codec = header.compression().map_or_else(|error| error.to_string(), |codec| codec.name().to_owned());
    placed("batch", path, entry, depth)
        .with("base_offset", header.base_offset)
        .with("last_offset", header.next_offset().0.saturating_sub(1))
        .with("count", header.count)
        .with("codec", codec)
        .with("producer_id", header.producer_id)
        .with("producer_epoch", header.producer_epoch)
        .with("base_sequence", header.base_sequence)
        .with("last_sequence", if header.is_idempotent() { header.last_sequence() } else { -1 })
        .with("base_timestamp", header.base_timestamp)
        .with("max_timestamp", header.max_timestamp)
        .with("timestamp_type", if header.is_log_append_time() { "LogAppendTime" } else { "CreateTime" })
        .with("is_transactional", header.is_transactional())
        .with("is_control", header.is_control())
        .with("crc", format!("{:#010x}", header.crc))
}

fn placed(kind: &'static str, path: &Path, entry: &EntryRead<'_>, depth: usize) -> Line {
    Line::new(kind, depth)
        .within("path", path.display().to_string())
        .with("position", entry.position)
        .with("bytes", entry.bytes.len())
        .with("index", entry.id.index.0)
        .with("term", entry.id.term.0)
}

fn each_record(path: &Path, batch: &Batch, depth: usize, out: &mut Out) {
    let found = match records(batch, INFLATED_BYTES) {
        Ok(found) => found,
        Err(error) => return out.line(&within(path, depth).with("error", error.to_string())),
    };
    for record in found {
        out.line(&match record {
            Ok(record) => record_line(within(path, depth), &record),
            Err(error) => within(path, depth).with("error", error.to_string()),
        });
    }
}

fn within(path: &Path, depth: usize) -> Line {
    Line::new("record", depth).within("path", path.display().to_string())
}

fn record_line(line: Line, record: &Record) -> Line {
    let (key, value) = (text(record.key.as_ref()), text(record.value.as_ref()));
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|header| {
            let (key, value) = (text(Some(&header.key)), text(header.value.as_ref()));
            json!({ key.name("key"): key.value, value.name("value"): value.value })
        })
        .collect();
    line.with("offset", record.offset)
        .with("timestamp", record.timestamp)
        .with(key.name("key"), key.value)
        .with(value.name("value"), value.value)
        .with("headers", headers)
}

/// Bytes as text, or in base64 under a name that says so, as `consume` prints them.
struct Text {
    is_base64: bool,
    value: Value,
}

impl Text {
    fn name(&self, name: &'static str) -> &'static str {
        match (self.is_base64, name) {
            (false, name) => name,
            (true, "key") => "key_base64",
            (true, _) => "value_base64",
        }
    }
}

fn text(bytes: Option<&Bytes>) -> Text {
    match bytes.map(|bytes| std::str::from_utf8(bytes).map_err(|_| STANDARD.encode(bytes))) {
        None => Text { is_base64: false, value: Value::Null },
        Some(Ok(text)) => Text { is_base64: false, value: text.into() },
        Some(Err(base64)) => Text { is_base64: true, value: base64.into() },
    }
}

fn payload_text(is_wanted: bool, payload: &[u8]) -> Value {
    if is_wanted && !payload.is_empty() { STANDARD.encode(payload).into() } else { Value::Null }
}

fn voters(kind: FrameKind, payload: &[u8]) -> Value {
    if kind != FrameKind::Membership {
        return Value::Null;
    }
    Membership::from_bytes(payload).map_or(Value::Null, |members| json!(members.voters))
}

fn name_of(kind: FrameKind) -> &'static str {
    match kind {
        FrameKind::Noop => "no-op",
        FrameKind::Membership => "membership",
        FrameKind::Command => "command",
        FrameKind::Roll => "roll",
        FrameKind::Gap => "gap",
    }
}

/// Prints what an index file holds.
pub(super) fn rows(index: &IndexRead, depth: usize, out: &mut Out) {
    for (position, offset, raft_index, newest) in &index.rows {
        let line = Line::new("row", depth).with("position", *position).with("next_offset", offset.0);
        out.line(&line.with("index", raft_index.0).with("max_timestamp_before", *newest));
    }
    for (position, bytes) in &index.own_frames {
        out.line(&Line::new("own_frame", depth).with("position", *position).with("bytes", *bytes));
    }
    for (term, first_index, offset) in &index.terms {
        let line = Line::new("term", depth).with("term", term.0);
        out.line(&line.with("first_index", first_index.0).with("next_offset", offset.0));
    }
}

/// A record of the journal.
pub(super) fn journal_record(path: &Path, record: &JournalRecord, depth: usize) -> Line {
    let proven: Vec<Value> =
        record.proven.iter().map(|(log, id)| json!({ "log": log.0, "index": id.index.0, "term": id.term.0 })).collect();
    let logs: Vec<Value> = record
        .logs
        .iter()
        .map(|log| json!({ "log": log.log.0, "changes": log.changes.iter().map(change).collect::<Vec<_>>() }))
        .collect();
    Line::new("journal_record", depth)
        .within("path", path.display().to_string())
        .with("position", record.position)
        .with("bytes", record.length)
        .with("sequence", record.sequence)
        .with("lap", format!("{:#018x}", record.lap))
        .with("next_lap", format!("{:#018x}", record.next_lap))
        .with("needed_from", record.needed_from)
        .with("newest_log", record.newest_log)
        .with("made_durable", proven)
        .with("logs", logs)
}

fn change(change: &Change) -> Value {
    match change {
        Change::Append(run) => json!({
            "change": "append", "at": place(run.start), "first_index": run.first.0, "last": id(run.last),
            "next_offset": run.next_offset.0, "cuts": run.cut, "bytes": run.bytes.iter().map(Bytes::len).sum::<usize>(),
        }),
        Change::Truncate(end) => json!({ "change": "cut", "end": checkpoint(end) }),
        Change::Checkpoint(end) => json!({ "change": "checkpoint", "end": checkpoint(end) }),
        Change::HardState(state) => json!({ "change": "hard_state", "state": hard_state(state) }),
        Change::Drop => json!({ "change": "drop" }),
        Change::Last(last) => json!({ "change": "last", "last": id(*last) }),
        Change::Damaged => json!({ "change": "damaged" }),
        Change::Anew => json!({ "change": "anew" }),
        Change::Open(boot) => {
            json!({ "change": "open", "boot_id": format!("{:032x}", u128::from_be_bytes(boot.id)), "device": boot.device })
        }
        Change::Closed => json!({ "change": "closed" }),
    }
}

pub(super) fn checkpoint(end: &Checkpoint) -> Value {
    json!({ "at": place(end.end), "last": id(end.last), "next_offset": end.next_offset.0, "cuts": end.cut })
}

pub(super) fn id(id: EntryId) -> Value {
    json!({ "index": id.index.0, "term": id.term.0 })
}

fn hard_state(state: &HardState) -> Value {
    json!({ "term": state.term, "vote": state.vote, "commit": state.commit })
}

fn place(place: Place) -> Value {
    let (segment, position) = (place.segment.0, place.position.0);
    json!({ "first_index": segment, "base_offset": place.base_offset.0, "position": position })
}
