//! The logs of a directory at a start. Each is recovered by itself: one that cannot be keeps no other from being used, and
//! nothing that the journal has of it is given up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::error::{Context, StorageError};
use crate::journal::record::{Change, HardState, LogId};
use crate::journal::{LogState, Replay, ReplayedLog};
use crate::log::{Log, State};
use crate::log_folder::{self, Folder};
use crate::open_files::OpenFiles;
use crate::recovery::{self, Damage};
use crate::store::OpenedLog;

/// What a start has found so far.
pub(crate) struct Opening<'a> {
    files: &'a Arc<OpenFiles>,
    logs_dir: &'a Path,
    unsynced: &'a Arc<AtomicU64>,
    /// What the journal says of logs that were not recovered.
    replay: &'a mut Replay,
    pub(crate) logs: Vec<OpenedLog>,
    states: BTreeMap<LogId, LogState>,
}

/// What the journal begins with.
pub(crate) struct Carried {
    /// Of every log, the unusable ones among them.
    pub(crate) states: BTreeMap<LogId, LogState>,
    /// What only the journal has of logs that were not recovered.
    pub(crate) changes: BTreeMap<LogId, Vec<Change>>,
    /// Logs without a folder that says their id.
    pub(crate) lost: Vec<LogId>,
}

impl<'a> Opening<'a> {
    /// Recovers every log in `logs_dir`, and removes what was being made or removed.
    pub(crate) fn all(
        files: &'a Arc<OpenFiles>,
        logs_dir: &'a Path,
        unsynced: &'a Arc<AtomicU64>,
        replay: &'a mut Replay,
    ) -> Result<Self, StorageError> {
        let disk = files.disk().as_ref();
        let mut opening = Self { files, logs_dir, unsynced, replay, logs: Vec::new(), states: BTreeMap::new() };
        let mut unnamed = Vec::new();
        for entry in disk.list(logs_dir).context("list", logs_dir)?.into_iter().filter(|entry| entry.is_dir) {
            match log_folder::read(disk, logs_dir, &entry.name) {
                Ok(Folder::Log(id)) => opening.open(&entry.name, id)?,
                Ok(Folder::Leftover) => log_folder::remove(disk, &logs_dir.join(&entry.name))?,
                Err(error) => unnamed.push((entry.name, error)),
            }
        }
        for (name, error) in unnamed {
            opening.replay.highest_log += 1;
            let id = LogId(opening.replay.highest_log);
            opening.give_up(&name, id, error);
        }
        disk.sync_dir(logs_dir).context("sync the directory", logs_dir)?;
        Ok(opening)
    }

    fn open(&mut self, name: &str, id: LogId) -> Result<(), StorageError> {
        self.replay.highest_log = self.replay.highest_log.max(id.0);
        let replayed = self.replay.logs.get(&id).cloned().unwrap_or_default();
        if replayed.is_dropped {
            return log_folder::put_aside_and_remove(self.files.disk().as_ref(), self.logs_dir, name);
        }
        let dir = self.logs_dir.join(name);
        if self.logs.iter().any(|other| other.log.id() == id) {
            let reason = format!("it is a copy: another folder has the id {} too; move one of them away", id.0);
            self.give_up(name, id, StorageError::corrupt(&dir.join(log_folder::META), 0, reason));
            return Ok(());
        }
        let all_damaged = self.replay.all_damaged;
        match recovery::recover(self.files, &dir, id, name, &replayed, all_damaged, self.unsynced) {
            Ok(recovered) => {
                self.replay.logs.remove(&id);
                self.states.insert(id, recovered.state);
                let LogState { hard_state, open, .. } = recovered.state;
                self.logs.push(OpenedLog { log: recovered.log, hard_state, open, damage: recovered.damage });
            }
            Err(error) => self.give_up(name, id, error),
        }
        Ok(())
    }

    /// The log stays as it is, and out of use.
    fn give_up(&mut self, name: &str, id: LogId, error: StorageError) {
        let dir = self.logs_dir.join(name);
        let durable = self.replay.logs.get(&id).map(ReplayedLog::durable).unwrap_or_default();
        let damage = Damage::unreadable(&dir, error, durable);
        let log = Log::new(self.files, id, &dir, name, self.unsynced, State::default());
        log.poison(&damage);
        self.logs.push(OpenedLog { log, hard_state: HardState::default(), open: None, damage: Some(damage) });
    }

    /// What has to be said by the journal's first record, for nothing before it is read again.
    pub(crate) fn carried(&mut self) -> Carried {
        let mut carried =
            Carried { states: std::mem::take(&mut self.states), changes: BTreeMap::new(), lost: Vec::new() };
        let all_damaged = self.replay.all_damaged;
        for (id, replayed) in self.replay.logs.iter().filter(|(_, replayed)| !replayed.is_dropped) {
            let is_damaged = replayed.state.is_damaged || all_damaged;
            carried.states.insert(*id, LogState { last: replayed.durable(), is_damaged, ..replayed.state });
            if !replayed.changes.is_empty() {
                carried.changes.insert(*id, [&[Change::Anew], &replayed.changes[..]].concat());
            }
            if self.logs.iter().all(|found| found.log.id() != *id) {
                carried.lost.push(*id);
            }
        }
        carried
    }
}
