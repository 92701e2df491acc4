//! What runs beside the turns: snapshots on their way to the disk, retention, and the store's own write-back.

use highwater_core::data;
use highwater_protocol::ids::{Offset, Timestamp};
use highwater_storage::log::SegmentInfo;

use crate::error::{Fatal, NodeError};
use crate::limits::SNAPSHOTS_KEPT;
use crate::node::{Clock, Node};
use crate::outbox::Outbox;
use crate::replica::Replica;

impl Node {
    /// One round of background work. From one thread only.
    pub fn upkeep(&self, outbox: &mut dyn Outbox) -> Result<(), Fatal> {
        self.save_snapshots();
        for (log, error) in self.store.upkeep()? {
            if let Some(target) = self.shared.target(log) {
                target.poisoned(error.to_string(), outbox);
            }
        }
        Ok(())
    }

    /// Asks every partition led here to forget what its retention no longer covers, and removes files that no reader can
    /// reach any more.
    pub fn retain(&self, clock: Clock, outbox: &mut dyn Outbox) -> Result<(), NodeError> {
        for replica in self.replicas() {
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

    /// Removes the files below every partition's committed log start.
    pub fn trim(&self) -> Result<(), NodeError> {
        for replica in self.replicas() {
            let Some(serving) = replica.serving() else { continue };
            replica.with_log(|storage| {
                let keep_from = storage.base().index.next();
                storage.log.trim(serving.view.log_start, keep_from)
            })?;
        }
        Ok(())
    }

    /// A snapshot that is durable moves Raft's first index. One that cannot be written is left out: the one before it and
    /// a longer fold do the same.
    fn save_snapshots(&self) {
        let waiting = std::mem::take(&mut *self.shared.snapshots.lock());
        for (log, snapshot) in waiting {
            let Some(handle) = self.store.handle(log) else { continue };
            match handle.save_snapshot(&snapshot, SNAPSHOTS_KEPT) {
                Ok(()) => self.compact(log, snapshot.id),
                Err(error) => tracing::warn!(%error, "cannot save a snapshot; the log before it is kept"),
            }
        }
    }

    fn compact(&self, log: highwater_storage::journal::record::LogId, base: highwater_protocol::ids::EntryId) {
        if self.controller().log_id() == log {
            self.controller().with_log(|storage| storage.compact(base));
        }
        if let Some(replica) = self.replicas().into_iter().find(|replica| replica.log_id() == log) {
            replica.with_log(|storage| storage.compact(base));
        }
    }
}

/// The log start that retention asks for, if it is above the one in force.
fn expired_below(replica: &Replica<data::DataMachine>, log_start: Offset, wall: Timestamp) -> Option<Offset> {
    let config = replica.config();
    if !config.deletes() {
        return None;
    }
    let segments = replica.with_log(|storage| storage.log.segments());
    let start = retained_from(&segments, config.retention_ms, config.retention_bytes, wall)?;
    (start > log_start).then_some(start)
}

/// The first offset that retention keeps: whole sealed segments go, oldest first. -1 means no limit, as in Kafka.
fn retained_from(segments: &[SegmentInfo], retention_ms: i64, retention_bytes: i64, wall: Timestamp) -> Option<Offset> {
    let mut left: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut start = None;
    for segment in segments.iter().filter(|segment| segment.sealed) {
        let newest = segment.max_timestamp.map_or(0, |newest| newest.0);
        let too_old = retention_ms >= 0 && wall.0.saturating_sub(newest) > retention_ms;
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
