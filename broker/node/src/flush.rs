//! Entries that are appended but not yet durable, and the one call that makes them so for all replicas together.
//!
//! At most one flush is under way; what arrives meanwhile goes with the next. The flusher waits for no replica's lock:
//! it leaves the number of the Ready that became durable with the replica, and tries the lock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, LogChanges, LogId};
use highwater_storage::log::LogHandle;
use highwater_storage::store::Store;
use parking_lot::Mutex;

use crate::error::{Fatal, Refusal};
use crate::limits::{SEGMENT_SYNC_BYTES, UNFLUSHED_BYTES};
use crate::outbox::Outbox;

/// Who waits for a flush.
pub(crate) trait Flushed: Send + Sync {
    /// All Readys up to this number are durable.
    fn flushed(self: Arc<Self>, ready: u64, outbox: &mut dyn Outbox);
    /// The log's segments could not be synced: nothing of it may be believed.
    fn poisoned(self: Arc<Self>, reason: String, outbox: &mut dyn Outbox);
}

/// What one Ready of one replica wants durable.
pub(crate) struct Unflushed {
    pub(crate) target: Arc<dyn Flushed>,
    pub(crate) log: LogHandle,
    pub(crate) changes: Vec<Change>,
    pub(crate) ready: u64,
    /// Bytes of the entries among the changes.
    pub(crate) bytes: usize,
    /// The log has entries that no journal record holds: its segments have to be synced.
    pub(crate) sync_segments: bool,
}

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// Logs that had something to flush.
    pub logs: usize,
    /// Bytes of entries made durable.
    pub bytes: usize,
    /// Logs whose segment was synced instead of journalled.
    pub segments_synced: usize,
}

/// The queue in front of the flusher.
#[derive(Default)]
pub(crate) struct FlushQueue {
    waiting: Mutex<Vec<Unflushed>>,
    bytes: AtomicUsize,
    /// Held while a flush runs.
    running: Mutex<()>,
    /// The journal failed. Nothing is flushed, taken in or acknowledged any more.
    has_failed: AtomicBool,
}

impl FlushQueue {
    pub(crate) fn push(&self, unflushed: Unflushed) {
        self.bytes.fetch_add(unflushed.bytes, Ordering::AcqRel);
        self.waiting.lock().push(unflushed);
    }

    /// Whether so much is unflushed that no more should be taken in.
    pub(crate) fn is_congested(&self) -> bool {
        self.bytes.load(Ordering::Acquire) > UNFLUSHED_BYTES
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    /// Why nothing is taken in any more, if so.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let reason = || "the journal failed, and the process ends".to_owned();
        self.has_failed.load(Ordering::Acquire).then(|| Refusal::Offline { reason: reason() })
    }

    /// The journal failed: final, whatever a later try would say.
    pub(crate) fn fail(&self, error: StorageError) -> Fatal {
        self.has_failed.store(true, Ordering::Release);
        Fatal(error)
    }

    /// Forgets what waits of a log that goes, and waits for a flush that may hold some of it: nothing of the log comes into
    /// the journal behind its end.
    pub(crate) fn purge(&self, log: LogId) {
        self.waiting.lock().retain(|unflushed| {
            let stays = unflushed.log.id() != log;
            if !stays {
                self.bytes.fetch_sub(unflushed.bytes, Ordering::AcqRel);
            }
            stays
        });
        drop(self.running.lock());
    }

    /// Makes durable all that waits. `None`: nothing waited.
    pub(crate) fn flush(&self, store: &Store, outbox: &mut dyn Outbox) -> Result<Option<FlushReport>, Fatal> {
        let _running = self.running.lock();
        if self.has_failed.load(Ordering::Acquire) {
            return Err(failed_before());
        }
        let taken = std::mem::take(&mut *self.waiting.lock());
        if taken.is_empty() {
            return Ok(None);
        }
        let bytes = taken.iter().map(|unflushed| unflushed.bytes).sum();
        let mut report = FlushReport { bytes, ..FlushReport::default() };
        let mut record = Vec::new();
        let mut durable = Vec::new();
        for (id, group) in by_log(taken) {
            report.logs += 1;
            if let Some(group) = make_ready(id, group, &mut record, &mut report, outbox) {
                durable.push(group);
            }
        }
        if !record.is_empty() {
            store.commit(&record).map_err(|error| self.fail(error))?;
        }
        drop(record);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        for (target, ready) in durable {
            target.flushed(ready, outbox);
        }
        Ok(Some(report))
    }
}

fn failed_before() -> Fatal {
    Fatal(StorageError::Io {
        action: "flush",
        path: "journal".into(),
        source: std::io::Error::other("it failed before, and no failed flush is tried again"),
    })
}

/// Everything that one log wants durable in this flush.
struct Group {
    target: Arc<dyn Flushed>,
    log: LogHandle,
    changes: Vec<Change>,
    ready: u64,
    bytes: usize,
    sync_segments: bool,
}

fn by_log(taken: Vec<Unflushed>) -> BTreeMap<LogId, Group> {
    let mut groups: BTreeMap<LogId, Group> = BTreeMap::new();
    for unflushed in taken {
        let Unflushed { target, log, changes, ready, bytes, sync_segments } = unflushed;
        let group = groups.entry(log.id()).or_insert_with(|| Group {
            target,
            log,
            changes: Vec::new(),
            ready: 0,
            bytes: 0,
            sync_segments: false,
        });
        group.changes.extend(changes);
        group.ready = group.ready.max(ready);
        group.bytes += bytes;
        group.sync_segments |= sync_segments;
    }
    groups
}

/// Syncs the segments of a log where that is cheaper, and puts the rest of its changes into the record.
fn make_ready(
    id: LogId,
    mut group: Group,
    record: &mut Vec<LogChanges>,
    report: &mut FlushReport,
    outbox: &mut dyn Outbox,
) -> Option<(Arc<dyn Flushed>, u64)> {
    if group.sync_segments || group.bytes >= SEGMENT_SYNC_BYTES {
        match group.log.sync() {
            Ok(checkpoint) => {
                report.segments_synced += 1;
                group.changes.retain(|change| !matches!(change, Change::Append(_)));
                group.changes.push(Change::Checkpoint(checkpoint));
            }
            Err(error) => {
                group.target.poisoned(error.to_string(), outbox);
                return None;
            }
        }
    }
    if !group.changes.is_empty() {
        record.push(LogChanges { log: id, changes: group.changes });
    }
    Some((group.target, group.ready))
}
