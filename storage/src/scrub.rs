//! Verifies sealed segments in the background, a little at a time: bytes that rot are found while nobody asks for them.
//!
//! What the page cache holds is checked there; what it does not is read from the disk, and given back.

use std::sync::{Arc, Weak};

use highwater_protocol::ids::Offset;
use parking_lot::Mutex;

use crate::error::StorageError;
use crate::journal::record::LogId;
use crate::log::LogHandle;
use crate::segment::{Cursor, Segment};

/// How far a pass over all logs has come.
#[derive(Default)]
pub(crate) struct Scrub(Mutex<Place>);

/// Where the next piece begins.
#[derive(Default)]
struct Place {
    log: LogId,
    segment: Offset,
    /// If part of a segment was verified, where to go on. One that compaction has written anew since begins anew.
    inside: Option<(Weak<Segment>, Cursor)>,
}

/// What one call has done.
#[derive(Debug, Default)]
pub struct Scrubbed {
    /// Bytes read and found good.
    pub bytes: u64,
    /// The pass has come to its end.
    pub is_pass_over: bool,
    /// A log that is not what was written.
    pub bad: Option<(LogId, StorageError)>,
}

impl Scrub {
    /// Goes on with the pass for about so many bytes. `next_log` gives the first log at or behind an id.
    pub(crate) fn advance(&self, budget: u64, next_log: impl Fn(LogId) -> Option<LogHandle>) -> Scrubbed {
        let mut place = self.0.lock();
        let mut done = Scrubbed::default();
        while done.bytes < budget && done.bad.is_none() {
            let Some(log) = next_log(place.log) else {
                *place = Place::default();
                done.is_pass_over = true;
                break;
            };
            if log.id() != place.log {
                *place = Place { log: log.id(), ..Place::default() };
            }
            let Some(segment) = log.sealed_segment(place.segment) else {
                *place = Place { log: LogId(place.log.0 + 1), ..Place::default() };
                continue;
            };
            let reached =
                place.inside.take().filter(|(inside, _)| std::ptr::eq(inside.as_ptr(), Arc::as_ptr(&segment)));
            let from = reached.map_or(segment.start(), |(_, cursor)| cursor);
            let behind = Place { log: place.log, segment: Offset(segment.base_offset.0 + 1), inside: None };
            match verify(&segment, from, budget - done.bytes) {
                Ok(Some(reached)) => {
                    done.bytes += reached.position - from.position;
                    let inside = Some((Arc::downgrade(&segment), reached));
                    *place = Place { log: place.log, segment: segment.base_offset, inside };
                }
                Ok(None) => {
                    done.bytes += segment.known.read().end - from.position;
                    *place = behind;
                }
                Err(error) => {
                    *place = behind;
                    log.poison(&error);
                    done.bad = Some((log.id(), error));
                }
            }
        }
        done
    }
}

/// Checks whole frames from `from` on, and answers where to go on if `budget` ended before the segment did.
fn verify(segment: &Arc<Segment>, from: Cursor, budget: u64) -> Result<Option<Cursor>, StorageError> {
    let end = segment.known.read().end;
    let file = segment.file()?;
    let piece = budget.min(end - from.position);
    let was_resident = file.is_resident(from.position, piece);
    let mut reached = from;
    segment.walk(from, end, 0, &mut |found, _| {
        // The term lies outside the CRC.
        let written = segment.known.read().epochs.at_index(found.id.index);
        if written != Some(found.id.term) {
            let reason = format!("term {} where {written:?} was written", found.id.term.0);
            return Err(StorageError::corrupt(&segment.path, found.position, reason));
        }
        reached = found.behind;
        Ok(reached.position - from.position < budget)
    })?;
    if !was_resident {
        file.forget(from.position, reached.position - from.position);
    }
    segment.known.write().trust(from.position, reached.position);
    Ok((reached.position < end).then_some(reached))
}
