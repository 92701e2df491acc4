//! What runs beside the turns: snapshots on their way to the disk, retention, and the store's own write-back.

use std::collections::BTreeSet;
use std::sync::Arc;

use highwater_core::data;
use highwater_protocol::ids::{EntryId, Monotonic, Offset, Timestamp};
use highwater_storage::journal::record::{Change, LogChanges, LogId};
use highwater_storage::log::SegmentInfo;

use crate::error::{Fatal, NodeError};
use crate::limits::{SCRUB_BYTES, SNAPSHOTS_KEPT};
use crate::node::{Clock, Node};
use crate::outbox::Outbox;
use crate::replica::Replica;

impl Node {
    /// One round of background work. From one thread only.
    pub fn upkeep(&self, outbox: &mut dyn Outbox) -> Result<(), Fatal> {
        if self.shared.flush.refusal().is_some() {
            return Ok(());
        }
        self.save_snapshots(outbox)?;
        for (log, error) in self.store.upkeep().map_err(|error| self.shared.flush.fail(error))? {
            self.poison(log, error.to_string(), outbox);
        }
        Ok(())
    }

    /// Verifies sealed segments, as much as the time since the last call allows. A log that is not what was written takes its
    /// replica offline. Answers how many bytes were good. From one thread only.
    pub fn scrub(&self, now: Monotonic, outbox: &mut dyn Outbox) -> u64 {
        let mut since = self.scrubbed.lock();
        let elapsed_ms = now.0.saturating_sub(since.0).min(1000);
        let budget = self.options.scrub_bytes_per_second.saturating_mul(elapsed_ms) / 1000;
        if budget < SCRUB_BYTES.min(self.options.scrub_bytes_per_second) || budget == 0 {
            return 0;
        }
        *since = now;
        let scrubbed = self.store.scrub(budget);
        if let Some((log, error)) = scrubbed.bad {
            self.poison(log, error.to_string(), outbox);
        }
        scrubbed.bytes
    }

    /// Asks every partition led here to forget what its retention no longer covers, and removes files that no reader can
    /// reach any more.
    pub fn retain(&self, clock: Clock, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        for replica in self.hosting.all_data() {
            let Some(serving) = replica.serving() else { continue };
            if replica.config().deletes() {
                replica.roll_expired(clock, outbox);
            }
            if let Some(log_start) = expired_below(&replica, serving.view.log_start, clock.wall) {
                drop(replica.submit(data::Request::RetainFrom { log_start }, clock, outbox));
            }
        }
        self.trim()
    }

    /// Removes the files below every partition's committed log start. One partition's failure does not keep the others' files.
    pub fn trim(&self) -> Result<(), NodeError> {
        let mut first = Ok(());
        for replica in self.hosting.all_data() {
            let Some(serving) = replica.serving() else { continue };
            let trimmed = replica.with_log(|storage| {
                let keep_from = storage.base().index.next();
                storage.log.trim(serving.view.log_start, keep_from).map(drop)
            });
            first = first.and(trimmed);
        }
        Ok(first?)
    }

    /// A roll that is applied: the segments it sealed are synced, so that they may be trimmed; then its snapshot is saved, and
    /// once that is durable Raft's first index moves. A snapshot that cannot be written is left out: the one before it and a
    /// longer fold do the same.
    fn save_snapshots(&self, outbox: &mut dyn Outbox) -> Result<(), Fatal> {
        let waiting = std::mem::take(&mut *self.shared.snapshots.lock());
        let mut record = Vec::new();
        for log in waiting.iter().map(|(log, _)| *log).collect::<BTreeSet<_>>() {
            match self.store.handle(log).map(|handle| handle.sync()) {
                Some(Ok(checkpoint)) => record.push(LogChanges { log, changes: vec![Change::Checkpoint(checkpoint)] }),
                Some(Err(error)) => self.poison(log, error.to_string(), outbox),
                None => {}
            }
        }
        if !record.is_empty() {
            self.store.commit(&record).map_err(|error| self.shared.flush.fail(error))?;
        }
        let synced: BTreeSet<LogId> = record.iter().map(|changes| changes.log).collect();
        for (log, snapshot) in waiting.into_iter().filter(|(log, _)| synced.contains(log)) {
            let Some(handle) = self.store.handle(log) else { continue };
            match handle.save_snapshot(&snapshot, SNAPSHOTS_KEPT) {
                Ok(()) => self.compact(log, snapshot.id),
                Err(error) => tracing::warn!(%error, "cannot save a snapshot; the log before it is kept"),
            }
        }
        Ok(())
    }

    fn poison(&self, log: LogId, reason: String, outbox: &mut dyn Outbox) {
        if let Some(target) = self.shared.target(log) {
            target.poisoned(reason, outbox);
        }
    }

    fn compact(&self, log: LogId, base: EntryId) {
        if self.controller().log_id() == log {
            self.controller().with_log(|storage| storage.compact(base));
        }
        if let Some(partition) = self.partitions().into_iter().find(|partition| partition.log_id() == log) {
            partition.compact(base);
        }
    }
}

/// The log start that retention asks for, if it is above the one in force.
fn expired_below(replica: &Arc<Replica<data::DataMachine>>, log_start: Offset, wall: Timestamp) -> Option<Offset> {
    let config = replica.config();
    if !config.deletes() {
        return None;
    }
    let segments = replica.with_log(|storage| storage.log.segments());
    let start = retained_from(&segments, config.retention_ms, config.retention_bytes, wall)?;
    (start > log_start).then_some(start)
}

/// The first offset that retention keeps: whole sealed segments go, oldest first. -1 means no limit, as in Kafka.
///
/// A segment whose records carry no timestamp is as old as the next one that knows; where none does it has no age, and only
/// its size counts.
fn retained_from(segments: &[SegmentInfo], retention_ms: i64, retention_bytes: i64, wall: Timestamp) -> Option<Offset> {
    let mut left: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut start = None;
    for (place, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.sealed) {
        let newest =
            segments.iter().skip(place).find_map(|segment| segment.max_timestamp.filter(|newest| newest.0 >= 0));
        let too_old = retention_ms >= 0 && newest.is_some_and(|newest| wall.0.saturating_sub(newest.0) > retention_ms);
        let limit = u64::try_from(retention_bytes).ok();
        let too_many = limit.is_some_and(|limit| left.saturating_sub(segment.bytes) >= limit);
        if !too_old && !too_many {
            break;
        }
        left -= segment.bytes;
        start = Some(segment.next_offset);
    }
    start
}

#[cfg(test)]
mod tests {
    use highwater_protocol::ids::Index;

    use super::*;

    fn segment(number: i64, bytes: u64, newest: Option<i64>, sealed: bool) -> SegmentInfo {
        SegmentInfo {
            base_offset: Offset(number * 10),
            next_offset: Offset(number * 10 + 10),
            first_index: Index(1),
            bytes,
            max_timestamp: newest.map(Timestamp),
            sealed,
        }
    }

    fn kept(segments: &[(u64, Option<i64>)], retention_ms: i64, retention_bytes: i64) -> Option<i64> {
        let last = segments.len() - 1;
        let segments: Vec<SegmentInfo> = (0..)
            .zip(segments)
            .map(|(number, (bytes, newest))| segment(number, *bytes, *newest, usize::try_from(number) != Ok(last)))
            .collect();
        retained_from(&segments, retention_ms, retention_bytes, Timestamp(1000)).map(|offset| offset.0)
    }

    #[test]
    fn retention_takes_whole_sealed_segments_from_the_oldest_on() {
        let three = [(100, Some(100)), (100, Some(500)), (100, Some(900))];
        assert_eq!(kept(&three, -1, -1), None);
        assert_eq!(kept(&three, 900, -1), None);
        assert_eq!(kept(&three, 899, -1), Some(10));
        assert_eq!(kept(&three, 0, -1), Some(20));
        assert_eq!(kept(&three, -1, 200), Some(10));
        assert_eq!(kept(&three, -1, 201), None);
        assert_eq!(kept(&three, -1, 0), Some(20));
        assert_eq!(kept(&three, 900, 100), Some(20));
    }

    /// Records of a client that sets no timestamps (-1) counted as records of 1970, and went the moment their segment was
    /// sealed.
    #[test]
    fn a_segment_without_timestamps_is_as_old_as_the_next_that_has_some() {
        assert_eq!(kept(&[(100, None), (100, Some(-1)), (100, None)], 1, -1), None);
        assert_eq!(kept(&[(100, None), (100, Some(500)), (100, Some(990))], 499, -1), Some(20));
        assert_eq!(kept(&[(100, None), (100, Some(500)), (100, Some(990))], 500, -1), None);
        assert_eq!(kept(&[(100, None), (100, None), (100, Some(990))], -1, 150), Some(10));
    }
}
