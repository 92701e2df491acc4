//! A data directory: its logs, their one journal, and what runs beside the turns.
//!
//! ```text
//! journal/0000000000.journal …
//! logs/<name>/log.meta                      the log's id
//! logs/<name>/00000000000000000042.log      a segment, by its base offset
//! logs/<name>/00000000000000000042.index    its index, once it is sealed
//! logs/<name>/00000000000000000007.snapshot a machine's snapshot, by the index it is as of
//! logs/<name>.new, logs/<name>.gone         a log that is being made, or removed
//! ```

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use highwater_protocol::ids::EntryId;
use parking_lot::{Mutex, RwLock};

use crate::disk::Disk;
use crate::error::{Context, StorageError};
use crate::journal::record::{Boot, Change, HardState, LogChanges, LogId};
use crate::journal::{self, Journal, LogState};
use crate::limits::{FULL_JOURNAL_FILES, IDLE_SYNCS, SYNC_BYTES, SYNCED_TOGETHER_BYTES};
use crate::log::{Log, LogHandle, Snapshot, State};
use crate::log_folder;
use crate::open_files::OpenFiles;
use crate::opening::Opening;
use crate::recovery::Damage;
use crate::scrub::{Scrub, Scrubbed};

/// The bounds of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The length of a journal file.
    pub journal_file_bytes: u64,
    /// Bytes written and not synced, above which no more should be taken in.
    pub unsynced_limit_bytes: u64,
    /// Free space below which no more records are taken in.
    pub free_space_floor_bytes: u64,
    /// Segment files that stay open at a time.
    pub open_files: usize,
    /// Indices of sealed segments that stay mapped at a time.
    pub index_maps: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            journal_file_bytes: 64 << 20,
            unsynced_limit_bytes: 256 << 20,
            free_space_floor_bytes: 256 << 20,
            open_files: 512,
            index_maps: 4096,
        }
    }
}

/// A store and the logs that were in it.
pub struct Opened {
    /// The store.
    pub store: Arc<Store>,
    /// Its logs.
    pub logs: Vec<OpenedLog>,
    /// Logs that the journal knows and no folder holds, or only one that does not say whose it is. What the journal has of
    /// them is kept until [`Store::forget`] is called: a folder that is put back is whole again at the next start.
    pub lost: Vec<LogId>,
}

/// A log as recovery left it.
pub struct OpenedLog {
    /// The log.
    pub log: Log,
    /// Raft's hard state.
    pub hard_state: HardState,
    /// Where entries may have been acknowledged from the page cache alone: anywhere else they may be gone.
    pub open: Option<Boot>,
    /// Why it cannot be used, if so.
    pub damage: Option<Damage>,
}

/// What the disk has left, against the floor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpaceReport {
    /// Free bytes.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
    /// What has to be free.
    pub floor: u64,
}

impl SpaceReport {
    /// Whether records may be taken in.
    pub fn is_enough(&self) -> bool {
        self.free >= self.floor
    }
}

/// A data directory.
pub struct Store {
    disk: Arc<dyn Disk>,
    files: Arc<OpenFiles>,
    root: PathBuf,
    options: Options,
    journal: Mutex<Journal>,
    /// One record at a time is on its way to the disk.
    flushing: Mutex<()>,
    /// The first failure of the journal.
    journal_failure: OnceLock<String>,
    /// Journal files that wait for checkpoints.
    full_journal_files: AtomicUsize,
    logs: RwLock<BTreeMap<LogId, LogHandle>>,
    next_log: AtomicU64,
    unsynced: Arc<AtomicU64>,
    free: AtomicU64,
    total: AtomicU64,
    /// A record was written since upkeep last looked.
    is_busy: AtomicBool,
    scrub: Scrub,
    /// Logs that are to be synced because nobody writes to them.
    idle: Mutex<Vec<LogHandle>>,
}

impl Store {
    /// Recovers a directory, or lays out an empty one.
    pub fn open(
        disk: Arc<dyn Disk>,
        root: &Path,
        options: Options,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Opened, StorageError> {
        let (journal_dir, logs_dir) = (root.join("journal"), root.join("logs"));
        let mut is_new = false;
        for dir in [root, &journal_dir, &logs_dir] {
            match disk.create_dir(dir) {
                Ok(()) => is_new = true,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).context("create", dir),
            }
        }
        if is_new {
            disk.sync_dir(root).context("sync the directory", root)?;
            if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                disk.sync_dir(parent).context("sync the directory", parent)?;
            }
        }
        let files = OpenFiles::new(Arc::clone(&disk), options.open_files, options.index_maps);
        let mut replay = journal::replay(&disk, &journal_dir)?;
        // A log is made only once the journal has begun: where there are logs and not one record, it has lost them.
        replay.all_damaged |= replay.sequence == 0;
        let unsynced = Arc::new(AtomicU64::new(0));
        let mut opening = Opening::all(&files, &logs_dir, &unsynced, &mut replay)?;
        let (carried, logs) = (opening.carried(), opening.logs);
        let (mut seed, key) = (random(), random());
        let laps = Box::new(move || {
            // Laps only have to differ from each other and from what a client could guess.
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (seed ^ key).rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key
        });
        let journal =
            Journal::start(Arc::clone(&disk), &journal_dir, options.journal_file_bytes, &replay, &carried, laps)?;
        let handles = logs.iter().map(|opened| (opened.log.id(), opened.log.handle())).collect();
        let store = Arc::new(Self {
            disk,
            files,
            root: root.to_owned(),
            options,
            journal: Mutex::new(journal),
            flushing: Mutex::new(()),
            journal_failure: OnceLock::new(),
            full_journal_files: AtomicUsize::new(0),
            logs: RwLock::new(handles),
            next_log: AtomicU64::new(replay.highest_log + 1),
            unsynced,
            free: AtomicU64::new(u64::MAX),
            total: AtomicU64::new(u64::MAX),
            is_busy: AtomicBool::new(false),
            scrub: Scrub::default(),
            idle: Mutex::default(),
        });
        store.measure_space()?;
        Ok(Opened { store, logs, lost: carried.lost })
    }

    /// Makes a log, durable on return, with the snapshot that it begins from.
    pub fn create_log(&self, name: &str, first: &Snapshot) -> Result<Log, StorageError> {
        let id = LogId(self.next_log.fetch_add(1, Ordering::AcqRel));
        let logs = self.root.join("logs");
        log_folder::create(self.disk.as_ref(), &logs, name, id, first)?;
        let state = State { last: first.id, next_offset: first.next_offset, ..State::default() };
        Ok(self.add(id, name, state))
    }

    /// In place of a log that should be here and is not: out of use, with nothing on the disk.
    pub fn absent_log(&self, name: &str, reason: &str) -> OpenedLog {
        let id = LogId(self.next_log.fetch_add(1, Ordering::AcqRel));
        let log = self.add(id, name, State::default());
        let error = StorageError::corrupt(&log.shared.dir, 0, reason);
        let damage = Damage::unreadable(&log.shared.dir, error, EntryId::default());
        log.poison(&damage);
        OpenedLog { log, hard_state: HardState::default(), open: None, damage: Some(damage) }
    }

    fn add(&self, id: LogId, name: &str, state: State) -> Log {
        let log = Log::new(&self.files, id, &self.root.join("logs").join(name), name, &self.unsynced, state);
        self.logs.write().insert(id, log.handle());
        log
    }

    /// Lets the journal forget logs that have no folder.
    pub fn forget(&self, lost: &[LogId]) -> Result<(), StorageError> {
        let drops: Vec<LogChanges> =
            lost.iter().map(|log| LogChanges { log: *log, changes: vec![Change::Drop] }).collect();
        if drops.is_empty() { Ok(()) } else { self.commit(&drops) }
    }

    /// Drops a log: journalled first, then its files go. Its id is never used again.
    pub fn remove_log(&self, id: LogId) -> Result<(), StorageError> {
        let Some(handle) = self.logs.write().remove(&id) else {
            return Ok(());
        };
        self.commit(&[LogChanges { log: id, changes: vec![Change::Drop] }])?;
        let _no_sync = handle.0.syncing.lock();
        self.unsynced.fetch_sub(handle.unsynced_bytes(), Ordering::AcqRel);
        self.idle.lock().retain(|idle| idle.id() != id);
        handle.0.state.write().segments.clear();
        log_folder::put_aside_and_remove(self.disk.as_ref(), &self.root.join("logs"), &handle.0.name)
    }

    /// Writes one record and makes it durable. Once that has failed nothing is tried again: the process has to end. Of a log that
    /// was dropped nothing is said any more: a checkpoint that was under way would bring it back to life.
    pub fn commit(&self, changes: &[LogChanges]) -> Result<(), StorageError> {
        let _one_at_a_time = self.flushing.lock();
        let counts = |changed: &&LogChanges| {
            self.logs.read().contains_key(&changed.log) || changed.changes.contains(&Change::Drop)
        };
        if changes.iter().all(|changed| counts(&changed)) {
            return self.commit_alone(changes);
        }
        let counting: Vec<LogChanges> = changes.iter().filter(counts).cloned().collect();
        if counting.is_empty() { Ok(()) } else { self.commit_alone(&counting) }
    }

    /// As [`Store::commit`], by whoever holds the lock for it.
    fn commit_alone(&self, changes: &[LogChanges]) -> Result<(), StorageError> {
        if let Some(reason) = self.journal_failure.get() {
            return Err(StorageError::Poisoned { what: "the journal".to_owned(), reason: reason.clone() });
        }
        self.is_busy.store(true, Ordering::Release);
        self.write_record(changes).inspect_err(|error| drop(self.journal_failure.set(error.to_string())))?;
        for changed in changes {
            if let Some(log) = self.handle(changed.log) {
                log.journalled(&changed.changes);
            }
        }
        Ok(())
    }

    fn write_record(&self, changes: &[LogChanges]) -> Result<(), StorageError> {
        let (sequence, file, path) = {
            let mut journal = self.journal.lock();
            let sequence = journal.append(changes)?;
            self.full_journal_files.store(journal.full_files(), Ordering::Relaxed);
            (sequence, journal.file(), journal.path().to_owned())
        };
        if !planted!(RecordNotSynced) {
            file.sync_data().context("sync", &path)?;
        }
        self.journal.lock().synced(sequence);
        Ok(())
    }

    /// A log that is open.
    pub fn handle(&self, id: LogId) -> Option<LogHandle> {
        self.logs.read().get(&id).cloned()
    }

    /// Bytes written to segments and not synced.
    pub fn unsynced_bytes(&self) -> u64 {
        self.unsynced.load(Ordering::Acquire)
    }

    /// Whether so much is unsynced, or waits in the journal for a checkpoint, that no more should be taken in.
    pub fn above_unsynced_limit(&self) -> bool {
        self.unsynced_bytes() > self.options.unsynced_limit_bytes
            || (self.full_journal_files.load(Ordering::Relaxed) > FULL_JOURNAL_FILES && !planted!(FullFilesNotCounted))
    }

    /// What the disk had left when upkeep last looked.
    pub fn check_space(&self) -> SpaceReport {
        SpaceReport {
            free: self.free.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            floor: self.options.free_space_floor_bytes,
        }
    }

    /// One round of background work: syncs logs with much unsynced, frees journal files, prepares a spare one, and proves the
    /// last record durable. An error of the journal ends the process; an error of a segment is answered by its log's name.
    pub fn upkeep(&self) -> Result<Vec<(LogId, StorageError)>, StorageError> {
        self.measure_space()?;
        let mut failed = Vec::new();
        let mut due = self.logs_with_much_unsynced();
        due.extend({
            let mut idle = self.idle.lock();
            let kept = idle.len().saturating_sub(IDLE_SYNCS);
            idle.split_off(kept)
        });
        let holding_up = self.journal.lock().holding_up();
        due.extend(holding_up.iter().filter_map(|id| self.handle(*id)));
        due.sort_unstable_by_key(LogHandle::id);
        due.dedup_by_key(|log| log.id());
        self.checkpoint(&due, &mut failed)?;
        let is_stuck = |id: &LogId| self.handle(*id).is_none() || failed.iter().any(|(log, _)| log == id);
        holding_up.into_iter().filter(is_stuck).try_for_each(|log| self.say_anew(log))?;
        {
            let mut journal = self.journal.lock();
            journal.recycle()?;
            self.full_journal_files.store(journal.full_files(), Ordering::Relaxed);
        }
        self.prepare_spare()?;
        if !self.is_busy.swap(false, Ordering::AcqRel) && self.journal.lock().wants_proof() {
            self.commit(&[])?;
        }
        Ok(failed)
    }

    /// Marks logs to which nothing was written since the last call: the next rounds of [`Store::upkeep`] sync them, for an idle
    /// log holds no descriptor and no journal file.
    pub fn look_for_idle(&self) {
        let mut idle = self.logs_with_unsynced(1);
        idle.retain(LogHandle::is_idle);
        *self.idle.lock() = idle;
    }

    /// A log is synced once it has [`SYNC_BYTES`]. Where many have less, they are once half of what may be unsynced is: the
    /// fullest first, until a quarter is left. Whoever waited for the bound would have every producer wait for every log's sync.
    fn logs_with_much_unsynced(&self) -> Vec<LogHandle> {
        let (unsynced, limit) = (self.unsynced_bytes(), self.options.unsynced_limit_bytes);
        if self.above_unsynced_limit() {
            return self.logs_with_unsynced(1);
        }
        if unsynced <= limit / 2 {
            return if unsynced >= SYNC_BYTES { self.logs_with_unsynced(SYNC_BYTES) } else { Vec::new() };
        }
        let mut fullest: Vec<(u64, LogHandle)> =
            self.logs.read().values().map(|log| (log.unsynced_bytes(), log.clone())).collect();
        fullest.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let mut left = unsynced;
        let is_due = |(bytes, _): &(u64, LogHandle)| {
            let is_due = left > limit / 4;
            left = left.saturating_sub(*bytes);
            is_due && *bytes > 0
        };
        fullest.into_iter().take_while(is_due).map(|(_, log)| log).collect()
    }

    fn logs_with_unsynced(&self, least: u64) -> Vec<LogHandle> {
        self.logs.read().values().filter(|log| log.unsynced_bytes() >= least).cloned().collect()
    }

    /// Syncs logs, several at a time, and journals how far they are durable.
    fn checkpoint(&self, due: &[LogHandle], failed: &mut Vec<(LogId, StorageError)>) -> Result<(), StorageError> {
        let next = AtomicUsize::new(0);
        let sync_some = || {
            let next_log = || due.get(next.fetch_add(1, Ordering::Relaxed));
            std::iter::from_fn(next_log).map(|log| (log.id(), log.sync())).collect::<Vec<_>>()
        };
        let synced = std::thread::scope(|scope| {
            // Where no thread is to be had this one syncs them all.
            let begin = |_| std::thread::Builder::new().spawn_scoped(scope, sync_some).ok();
            let others: Vec<_> = (1..self.syncs_at_a_time(due)).filter_map(begin).collect();
            let mut synced = sync_some();
            for other in others {
                synced.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            synced
        });
        let mut record = Vec::new();
        for (log, done) in synced {
            match done {
                Ok(checkpoint) => record.push(LogChanges { log, changes: vec![Change::Checkpoint(checkpoint)] }),
                Err(error) => failed.push((log, error)),
            }
        }
        if record.is_empty() { Ok(()) } else { self.commit(&record) }
    }

    /// Small syncs wait for the device side by side; large ones would keep it from the journal for long.
    fn syncs_at_a_time(&self, due: &[LogHandle]) -> usize {
        let bytes: u64 = due.iter().map(LogHandle::unsynced_bytes).sum();
        let average = bytes / (due.len().max(1) as u64) + 1;
        let together = usize::try_from(SYNCED_TOGETHER_BYTES / average).unwrap_or(usize::MAX);
        together.min(self.disk.syncs_at_a_time()).min(due.len())
    }

    /// A log whose segments cannot be synced, or are not there, would need its journal files for ever, and with them hold up
    /// every other log. What they hold of it is journalled again, and then they are free.
    fn say_anew(&self, log: LogId) -> Result<(), StorageError> {
        // Nothing of the log may be journalled between the reading and the record.
        let _one_at_a_time = self.flushing.lock();
        let changes = self.journal.lock().said_anew(log)?;
        self.commit_alone(&[changes])?;
        self.journal.lock().release(log);
        Ok(())
    }

    /// Verifies about so many bytes more of the sealed segments. A log that is found bad is not looked at again.
    pub fn scrub(&self, budget: u64) -> Scrubbed {
        self.scrub.advance(budget, |from| {
            let logs = self.logs.read();
            logs.range(from..).map(|(_, log)| log).find(|log| !log.is_poisoned()).cloned()
        })
    }

    fn prepare_spare(&self) -> Result<(), StorageError> {
        let reserved = {
            let mut journal = self.journal.lock();
            journal.wants_spare().then(|| journal.reserve_spare())
        };
        if let Some((number, length)) = reserved {
            let file = journal::zeroed(self.disk.as_ref(), &self.root.join("journal"), number, length)?;
            self.journal.lock().add_spare(number, file, length);
        }
        Ok(())
    }

    fn measure_space(&self) -> Result<(), StorageError> {
        let space = self.disk.space(&self.root).context("measure the free space of", &self.root)?;
        self.free.store(space.free, Ordering::Relaxed);
        self.total.store(space.total, Ordering::Relaxed);
        Ok(())
    }

    /// What the journal knows of a log.
    pub fn journalled(&self, id: LogId) -> Option<LogState> {
        self.journal.lock().state(id)
    }
}
