//! Reads a journal back after any stop, and tells a torn tail from damage.
//!
//! The newest record says from where on records count. Within a file they carry one lap and ascend by one; the next file goes
//! on with the next number. The last record of all may be torn: it was never acknowledged. A bad record in front of a good one
//! is damage: the good one names what it held, so that recovery sees which logs end too early; if more than one in a row is
//! missing nobody knows what they held, and every log is damaged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::EntryId;

use super::codec::{Decoded, decode};
use super::number_of;
use super::record::{Change, Checkpoint, HardState, LogId};
use crate::disk::{Disk, OpenMode};
use crate::error::{Context, StorageError};
use crate::limits::BLOCK;

/// What the journal says of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayedLog {
    /// The newest checkpoint.
    pub checkpoint: Checkpoint,
    /// Appends and truncations behind it, in order.
    pub changes: Vec<Change>,
    /// The newest hard state.
    pub hard_state: HardState,
    /// The last entry that was durable for sure.
    pub watermark: EntryId,
    /// The log is gone.
    pub is_dropped: bool,
}

/// A journal, read back.
#[derive(Debug, Default)]
pub struct Replay {
    /// By log.
    pub logs: BTreeMap<LogId, ReplayedLog>,
    /// Every log may have lost something: more than one record in a row is missing.
    pub all_damaged: bool,
    /// The highest sequence number seen.
    pub sequence: u64,
    /// The highest log id seen.
    pub highest_log: u64,
}

/// Reads all journal files of a directory.
pub fn replay(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Replay, StorageError> {
    let mut records = Vec::new();
    for entry in disk.list(dir).context("list", dir)? {
        if number_of(&entry.name).is_some() {
            records.extend(read_file(disk, &dir.join(&entry.name))?);
        }
    }
    records.sort_by_key(|record| record.header.sequence);
    let sequence = records.last().map_or(0, |record| record.header.sequence);
    let mut replay = Replay { sequence, ..Replay::default() };
    let needed_from = records.last().map_or(0, |record| record.header.needed_from);
    let mut expected = needed_from;
    for record in records.into_iter().filter(|record| record.header.sequence >= needed_from) {
        let missing = record.header.sequence.saturating_sub(expected);
        replay.all_damaged |= missing > 1;
        expected = record.header.sequence + 1;
        replay.fold(record);
    }
    Ok(replay)
}

impl Replay {
    fn fold(&mut self, record: Decoded) {
        for (log, last) in record.proven {
            let known = self.logs.entry(log).or_default();
            known.watermark = last;
        }
        for changed in record.logs {
            self.highest_log = self.highest_log.max(changed.log.0);
            let log = self.logs.entry(changed.log).or_default();
            for change in changed.changes {
                log.fold(change);
            }
        }
    }
}

impl ReplayedLog {
    fn fold(&mut self, change: Change) {
        match change {
            Change::Checkpoint(checkpoint) => {
                self.checkpoint = checkpoint;
                self.watermark = self.watermark.max(checkpoint.last);
                self.changes.clear();
            }
            Change::HardState(state) => self.hard_state = state,
            Change::Drop => self.is_dropped = true,
            change => self.changes.push(change),
        }
    }
}

/// The good records of one file's newest lap: from its start, and behind a bad one those that can only be of this lap.
fn read_file(disk: &Arc<dyn Disk>, path: &Path) -> Result<Vec<Decoded>, StorageError> {
    let file = disk.open(path, OpenMode::Read).context("open", path)?;
    let length = usize::try_from(file.length().context("measure", path)?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0).context("read", path)?;
    bytes.truncate(read);
    let bytes = Bytes::from(bytes);
    let mut records: Vec<Decoded> = Vec::new();
    let mut position = 0;
    let mut lap = None;
    while position < bytes.len() {
        let ascends =
            |record: &Decoded| records.last().is_none_or(|last| last.header.sequence < record.header.sequence);
        let found = decode(&bytes.slice(position..), lap).filter(ascends);
        match found {
            Some(record) => {
                position += usize::try_from(record.length).unwrap_or(BLOCK);
                lap = Some(record.header.lap);
                records.push(record);
            }
            None if lap.is_none() => break,
            None => position += BLOCK,
        }
    }
    Ok(records)
}
