//! Compaction: of the records of a key the newest stays.
//!
//! Only segments are compacted that are sealed, synced, below a checkpoint that is journalled, and below Raft's first index:
//! nobody asks for their entries any more, only for their records. A pass reads the dirty ones (what came since the last pass)
//! into a map of bounded memory, then writes each segment anew that has something to lose. Offsets never change.
//!
//! How far a log is clean is a file beside its segments. Where it is lost, more is read than needed, and nothing else happens.

mod key_map;
mod rewrite;

use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{Index, Offset, Timestamp};
use highwater_protocol::records::batch::Batch;
use highwater_protocol::records::record::records;

use self::key_map::KeyMap;
use crate::atomic_file;
use crate::entry::Frame;
use crate::error::StorageError;
use crate::log::{LogHandle, Shared};
use crate::segment::Segment;

/// Says up to which offset a log is clean.
const CLEANED: &str = "cleaned";

/// Is told of bytes that are read or written, waits as long as it likes, and may end the pass.
pub type Throttle<'a> = &'a mut dyn FnMut(u64) -> Result<(), StorageError>;

/// What a pass may do.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Raft begins here: entries below are not asked for.
    pub settled: Index,
    /// The clock on the wall.
    pub wall: Timestamp,
    /// `min.compaction.lag.ms`: what is younger stays as it is.
    pub min_lag_ms: i64,
    /// `delete.retention.ms`: so long a tombstone can be read after a pass has first met it.
    pub delete_retention_ms: i64,
    /// Memory of the map of keys.
    pub map_bytes: usize,
    /// What the records of one batch may inflate to.
    pub inflated_bytes: usize,
}

/// How much of a log could be compacted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dirtiness {
    /// Bytes that the last pass has left.
    pub clean_bytes: u64,
    /// Bytes that came since.
    pub dirty_bytes: u64,
    /// The oldest timestamp among the latter's segments, by the newest of each.
    pub oldest: Option<Timestamp>,
}

/// What a pass has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Compacted {
    /// Segments written anew.
    pub segments: usize,
    /// Their bytes before.
    pub bytes_before: u64,
    /// And after.
    pub bytes_after: u64,
    /// One batch has more keys than the map has room for: nothing can be done.
    pub is_stuck: bool,
}

impl Dirtiness {
    /// The share of what came since the last pass.
    pub fn ratio(&self) -> f64 {
        let all = self.clean_bytes + self.dirty_bytes;
        if all == 0 { 0.0 } else { self.dirty_bytes as f64 / all as f64 }
    }
}

impl LogHandle {
    /// How much a pass would find.
    pub fn dirtiness(&self, bounds: &Bounds) -> Dirtiness {
        let cleaned = self.0.cleaned();
        let mut found = Dirtiness { clean_bytes: 0, dirty_bytes: 0, oldest: None };
        for segment in eligible(&self.0, cleaned, bounds) {
            let known = segment.known.read();
            if known.next_offset <= cleaned {
                found.clean_bytes += known.end;
            } else {
                found.dirty_bytes += known.end;
                found.oldest = found.oldest.or(known.newest_timestamp());
            }
        }
        found
    }

    /// One pass. From one thread only. An error leaves every segment whole, the old one or the new one.
    pub fn compact(&self, bounds: &Bounds, throttle: Throttle<'_>) -> Result<Compacted, StorageError> {
        let shared = &self.0;
        let cleaned = shared.cleaned();
        let segments = eligible(shared, cleaned, bounds);
        let dirty: Vec<_> =
            segments.iter().filter(|segment| segment.known.read().next_offset > cleaned).cloned().collect();
        let mut newest = KeyMap::new(bounds.map_bytes);
        let until = read_keys(&dirty, cleaned, &mut newest, bounds, throttle)?;
        let mut done = Compacted { is_stuck: until <= cleaned, ..Compacted::default() };
        for old in segments.iter().filter(|segment| segment.base_offset < until) {
            let before = old.known.read().end;
            let Some(new) = rewrite::rewrite(old, &newest, until, bounds, throttle)? else { continue };
            let after = new.bytes();
            if new.replace(shared, old)? {
                done.segments += 1;
                done.bytes_before += before;
                done.bytes_after += after;
            }
        }
        if until > cleaned {
            shared.note_cleaned(until)?;
        }
        Ok(done)
    }
}

/// The segments that may be written anew, from the first on.
fn eligible(shared: &Shared, cleaned: Offset, bounds: &Bounds) -> Vec<Arc<Segment>> {
    let journalled = shared.journalled.load(std::sync::atomic::Ordering::Acquire);
    let may = |segment: &&Arc<Segment>| {
        let known = segment.known.read();
        let is_young = known.next_offset > cleaned
            && known
                .newest_timestamp()
                .is_some_and(|newest| bounds.wall.0.saturating_sub(newest.0) < bounds.min_lag_ms);
        known.is_sealed
            && known.synced == known.end
            && known.next_index <= bounds.settled
            && known.next_index.0 <= journalled + 1
            && !is_young
    };
    shared.state.read().segments.iter().take_while(may).cloned().collect()
}

/// Notes the keys of dirty segments, as far as the map has room. Answers the offset up to which they are known.
fn read_keys(
    dirty: &[Arc<Segment>],
    cleaned: Offset,
    newest: &mut KeyMap,
    bounds: &Bounds,
    throttle: Throttle<'_>,
) -> Result<Offset, StorageError> {
    let mut until = cleaned;
    for segment in dirty {
        let end = segment.known.read().end;
        let mut has_room = true;
        segment.walk(segment.start(), end, 0, &mut |found, shown| {
            throttle(found.total as u64)?;
            if let Frame::Batch(header, _) = found.frame
                && !header.is_control()
                && header.next_offset() > cleaned
            {
                let batch = Batch { header, bytes: Bytes::copy_from_slice(shown) };
                has_room = note_keys(&batch, newest, bounds);
            }
            if has_room {
                until = until.max(found.behind.offset);
            }
            Ok(has_room)
        })?;
        if !has_room {
            break;
        }
    }
    Ok(until)
}

/// Whether all keys of a batch had room. One that cannot be read has none that count.
fn note_keys(batch: &Batch, newest: &mut KeyMap, bounds: &Bounds) -> bool {
    let Ok(read) = records(batch, bounds.inflated_bytes) else { return true };
    read.map_while(Result::ok).all(|record| match &record.key {
        Some(key) => newest.put(key, record.offset),
        None => true,
    })
}

impl Shared {
    /// Up to which offset it is clean.
    fn cleaned(&self) -> Offset {
        *self.cleaned.lock().get_or_insert_with(|| {
            let read = atomic_file::read(self.files.disk().as_ref(), &self.dir, CLEANED);
            let number = read.ok().flatten().and_then(|bytes| <[u8; 8]>::try_from(&bytes[..]).ok());
            Offset(number.map_or(0, i64::from_be_bytes))
        })
    }

    fn note_cleaned(&self, until: Offset) -> Result<(), StorageError> {
        atomic_file::write(self.files.disk().as_ref(), &self.dir, CLEANED, &until.0.to_be_bytes())?;
        *self.cleaned.lock() = Some(until);
        Ok(())
    }
}
