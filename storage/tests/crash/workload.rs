//! A workload: one seed that decides what is done to a few logs, one step after the other, and what has to be true of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use highwater_protocol::ids::{Index, Offset};
use highwater_storage::disk::Disk;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::entry::{Frame, FrameKind, LogEntry, parse};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, Checkpoint, HardState, LogChanges, LogId};
use highwater_storage::log::{Log, Snapshot, Truncation};
use highwater_storage::store::{Opened, OpenedLog, Store};

use crate::common::{Chance, ROOT, batch, id, open, own};
use crate::model::{Crash, Model, Models, Presence, check};

/// What a workload may do, for the proof that all of it is done.
pub(crate) const DEEDS: [&str; 24] = [
    "append, acks=all",
    "append, flush.mode=os",
    "change of flush.mode",
    "checkpoint, journalled late",
    "create a log",
    "cut",
    "cut behind its record",
    "delete records",
    "disk full",
    "failed fsync",
    "flush by segment sync",
    "flush of what no record holds",
    "flush through the journal",
    "hard state",
    "kill",
    "power cut",
    "remove a log",
    "restart",
    "retention",
    "roll",
    "segment trimmed",
    "snapshot",
    "sync",
    "upkeep",
];

/// One log and who uses it.
struct Owner {
    log: Log,
    queued: Vec<Change>,
    /// A cut whose record is on its way: until it is carried out the log takes no input.
    cutting: Option<Truncation>,
    term: i32,
    hard_state: HardState,
    /// `flush.mode=os`: its entries are not journalled.
    is_os: bool,
    /// It has entries that no record holds.
    is_unjournalled: bool,
    /// A write or sync of it has failed.
    is_out_of_use: bool,
}

impl Owner {
    fn new(found: OpenedLog) -> Self {
        let term = found.log.last().term.0.max(1) + 1;
        let is_os = found.log.id().0.is_multiple_of(3);
        Self {
            log: found.log,
            queued: Vec::new(),
            cutting: None,
            term,
            hard_state: found.hard_state,
            is_os,
            is_unjournalled: false,
            is_out_of_use: false,
        }
    }

    fn takes_input(&self) -> bool {
        self.cutting.is_none() && !self.is_out_of_use
    }

    /// Queues what was done for the next flush, as a replica does it at the end of a turn.
    fn queue(&mut self) {
        let mut changes = self.log.take_changes();
        if self.is_os {
            self.is_unjournalled |= !changes.is_empty();
            changes.retain(|change| !matches!(change, Change::Append(_)));
        }
        self.queued.extend(changes);
    }

    /// Syncs its segments instead of journalling its entries.
    fn sync(&mut self) -> Result<Checkpoint, StorageError> {
        let checkpoint = self.log.handle().sync()?;
        self.is_unjournalled = false;
        self.queued.retain(|change| !matches!(change, Change::Append(_)));
        self.queued.push(Change::Checkpoint(checkpoint));
        Ok(checkpoint)
    }
}

/// Who carries a workload out.
pub(crate) struct Driver {
    disk: SimDisk,
    /// The operation that ends the workload.
    end: Option<u64>,
    store: Arc<Store>,
    owners: BTreeMap<String, Owner>,
    pub(crate) models: Models,
    /// Checkpoints that were taken and not journalled yet.
    late: Vec<(LogId, Checkpoint)>,
    names: u64,
    is_journal_heavy: bool,
    chance: Chance,
    clock: i64,
    /// What was done how often.
    pub(crate) deeds: BTreeMap<&'static str, u64>,
}

impl Driver {
    pub(crate) fn new(disk: &SimDisk, end: Option<u64>, opened: Opened, models: Models, seed: u64) -> Self {
        Self {
            disk: disk.clone(),
            end,
            names: models.len() as u64,
            is_journal_heavy: seed.is_multiple_of(2),
            owners: owners(opened.logs),
            store: opened.store,
            models,
            late: Vec::new(),
            chance: Chance(seed),
            clock: 1_000,
            deeds: BTreeMap::new(),
        }
    }

    pub(crate) fn run(&mut self, steps: u64) -> Result<(), StorageError> {
        (0..steps).try_for_each(|_| match self.step() {
            Err(_) if self.is_to_go_on() => self.rise(),
            done => done,
        })
    }

    /// The disk has stopped, but not for good.
    fn is_to_go_on(&self) -> bool {
        self.disk.stopped_at().is_some() && self.end.is_none_or(|end| self.disk.operations() < end)
    }

    fn step(&mut self) -> Result<(), StorageError> {
        if self.owners.len() < 3 {
            return self.create();
        }
        let place = usize::try_from(self.chance.below(self.owners.len() as u64)).unwrap();
        let name = self.owners.keys().nth(place).unwrap().clone();
        let mut step = self.chance.below(110);
        // Half of the workloads have few checkpoints and many cuts: what the journal holds decides there.
        if self.is_journal_heavy && matches!(step, 48..56 | 82..88 | 92..95) && self.chance.below(4) > 0 {
            step = 62;
        }
        match step {
            0..30 => self.append(&name),
            30..48 => self.flush(),
            48..56 => self.flush_by_sync(&name),
            56..62 => self.roll(&name),
            62..72 => self.cut(&name),
            72..74 => self.retain(&name),
            74..78 => self.delete_records(&name),
            78..82 => self.vote(&name),
            82..88 => self.snapshot(&name),
            88..90 => self.create(),
            90..92 => self.remove(&name),
            92..95 => self.take_checkpoint(&name),
            95..98 => self.journal_checkpoints(),
            98..100 => self.change_mode(&name),
            100..101 => self.fail_sync(&name),
            101..102 => self.fill_disk(&name),
            102..104 => self.restart(),
            104..106 => self.die(),
            _ => self.upkeep(),
        }
    }

    fn did(&mut self, deed: &'static str) {
        assert!(DEEDS.contains(&deed), "{deed} is listed");
        *self.deeds.entry(deed).or_default() += 1;
    }

    fn owner(&mut self, name: &str) -> &mut Owner {
        self.owners.get_mut(name).unwrap()
    }

    fn model(&mut self, name: &str) -> &mut Model {
        self.models.get_mut(name).unwrap()
    }

    /// An error that is no end of the disk puts the log out of use.
    fn settle<T>(&mut self, name: &str, done: Result<T, StorageError>) -> Result<Option<T>, StorageError> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error) if self.disk.stopped_at().is_some() => Err(error),
            Err(_) => {
                self.owner(name).is_out_of_use = true;
                Ok(None)
            }
        }
    }

    fn create(&mut self) -> Result<(), StorageError> {
        self.names += 1;
        let name = format!("log-{}", self.names);
        self.models.insert(name.clone(), Model::being_made());
        let log = self.store.create_log(&name, &Snapshot::default())?;
        self.model(&name).presence = Presence::Here;
        self.owners
            .insert(name, Owner::new(OpenedLog { log, hard_state: HardState::default(), open: None, damage: None }));
        self.did("create a log");
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.remove(name).unwrap();
        self.model(name).presence = Presence::BeingRemoved;
        self.late.retain(|(log, _)| *log != owner.log.id());
        self.store.remove_log(owner.log.id())?;
        self.model(name).presence = Presence::Gone;
        self.did("remove a log");
        Ok(())
    }

    fn append(&mut self, name: &str) -> Result<(), StorageError> {
        for _ in 0..=self.chance.below(3) {
            if !self.owner(name).takes_input() {
                return Ok(());
            }
            if self.chance.below(8) == 0 {
                self.owner(name).term += 1;
            }
            let entry = self.entry(name);
            self.put(name, entry)?;
            self.did(if self.owners[name].is_os { "append, flush.mode=os" } else { "append, acks=all" });
        }
        Ok(())
    }

    /// What comes next in a log: mostly small, so that what is not durable is of few pieces.
    fn entry(&mut self, name: &str) -> LogEntry {
        let owner = &self.owners[name];
        let (at, offset) = (id(owner.log.last().index.0 + 1, owner.term), owner.log.next_offset());
        self.clock += 7;
        let timestamp = self.clock - i64::try_from(self.chance.below(30)).unwrap();
        match self.chance.below(20) {
            _ if at.index.0 == 1 => own(FrameKind::Noop, at, offset, b""),
            0..4 => own(FrameKind::Command, at, offset, b"a command"),
            4..6 => own(FrameKind::Noop, at, offset, b""),
            6..8 => batch(at, offset, 3, 700, timestamp),
            8 => batch(at, offset, 1, 5_000, timestamp),
            _ => batch(at, offset, 1 + usize::try_from(self.chance.below(4)).unwrap(), 40, timestamp),
        }
    }

    fn put(&mut self, name: &str, entry: LogEntry) -> Result<(), StorageError> {
        self.model(name).content.push(entry.clone());
        let done = self.owner(name).log.append(std::slice::from_ref(&entry));
        if self.settle(name, done)?.is_none() {
            return Ok(());
        }
        let model = self.model(name);
        if model.written + 1 == entry.id.index.0 && !model.is_cut {
            model.written += 1;
        }
        if self.chance.below(3) == 0 {
            self.owner(name).queue();
        }
        Ok(())
    }

    fn roll(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = &self.owners[name];
        if !owner.takes_input() || !owner.log.active_segment_has_records() {
            return Ok(());
        }
        let at = id(owner.log.last().index.0 + 1, owner.term);
        let entry = own(FrameKind::Roll, at, owner.log.next_offset(), b"");
        self.did("roll");
        self.put(name, entry)
    }

    /// One record with what all logs queued, as the flusher does it.
    fn flush(&mut self) -> Result<(), StorageError> {
        let names: Vec<String> = self.owners.keys().cloned().collect();
        let mut record = Vec::new();
        let mut reached = Vec::new();
        for name in names {
            let owner = self.owner(&name);
            owner.queue();
            let is_synced = owner.is_unjournalled && !owner.is_os && owner.cutting.is_none();
            if is_synced {
                let done = owner.sync();
                self.did("flush of what no record holds");
                if self.settle(&name, done)?.is_none() {
                    self.owner(&name).queued.clear();
                    continue;
                }
            }
            let owner = self.owner(&name);
            if !owner.queued.is_empty() {
                record.push(LogChanges { log: owner.log.id(), changes: std::mem::take(&mut owner.queued) });
            }
            let holds_all = is_synced || !(owner.is_os || owner.is_unjournalled);
            let last = owner.log.last().index.0;
            reached.push((name, holds_all, is_synced, last));
        }
        self.store.commit(&record)?;
        self.did("flush through the journal");
        for (name, holds_all, is_synced, last) in reached {
            let hard_state = self.owners[&name].hard_state;
            self.model(&name).journalled(hard_state);
            if holds_all {
                self.model(&name).flushed_up_to(last);
            }
            if is_synced {
                self.model(&name).checkpointed();
            }
            self.carry_out_cut(&name)?;
        }
        Ok(())
    }

    /// A cut that waited, once its record is durable.
    fn carry_out_cut(&mut self, name: &str) -> Result<(), StorageError> {
        let Some(plan) = self.owner(name).cutting.take() else { return Ok(()) };
        let done = self.owner(name).log.truncate(&plan);
        if let Some(is_done) = self.settle(name, done)? {
            assert!(is_done, "its record is durable, and nothing came in between");
        }
        Ok(())
    }

    /// One log's segments are synced instead, and everything of it is durable with its checkpoint.
    fn flush_by_sync(&mut self, name: &str) -> Result<(), StorageError> {
        if !self.owner(name).takes_input() {
            return Ok(());
        }
        self.owner(name).queue();
        let done = self.owner(name).sync();
        if self.settle(name, done)?.is_none() {
            return Ok(());
        }
        let owner = self.owner(name);
        let (hard_state, last) = (owner.hard_state, owner.log.last().index.0);
        let changes = std::mem::take(&mut owner.queued);
        let record = [LogChanges { log: owner.log.id(), changes }];
        self.store.commit(&record)?;
        self.did("flush by segment sync");
        let model = self.model(name);
        model.journalled(hard_state);
        model.flushed_up_to(last);
        model.checkpointed();
        Ok(())
    }

    fn change_mode(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owner(name);
        owner.queue();
        owner.is_os = !owner.is_os;
        self.did("change of flush.mode");
        Ok(())
    }

    fn cut(&mut self, name: &str) -> Result<(), StorageError> {
        let depth = 1 + self.chance.below(6);
        let takes_input = self.owner(name).takes_input();
        let model = &self.models[name];
        let last = model.content.len() as u64;
        // What a snapshot holds is committed: nobody cuts it.
        let kept = model.first.max(model.snapshots.last().unwrap().0);
        if !takes_input || last <= depth || last - depth < kept {
            return Ok(());
        }
        let from = last - depth + 1;
        let plan = self.owner(name).log.plan_truncation(Index(from))?;
        self.model(name).cut(from);
        let owner = self.owner(name);
        // A new leader's entries differ from those that were cut.
        owner.term += 1;
        if plan.waits_for_record {
            owner.queue();
            owner.queued.push(plan.change());
            owner.cutting = Some(plan);
            self.did("cut behind its record");
            return Ok(());
        }
        let done = owner.log.truncate(&plan);
        if let Some(is_done) = self.settle(name, done)? {
            assert!(is_done, "nothing came in between");
        }
        self.did("cut");
        if self.chance.below(2) == 0 {
            self.owner(name).queue();
        }
        Ok(())
    }

    /// The oldest segments have had their time.
    fn retain(&mut self, name: &str) -> Result<(), StorageError> {
        let sealed = self.owners[name].log.segments();
        let count = self.chance.below(sealed.len().max(1) as u64);
        let Some(keep) = sealed.get(usize::try_from(count).unwrap()) else { return Ok(()) };
        self.did("retention");
        self.trim(name, keep.base_offset)
    }

    /// The log start moves to any record.
    fn delete_records(&mut self, name: &str) -> Result<(), StorageError> {
        let end = self.owners[name].log.next_offset().0;
        let start = Offset(i64::try_from(self.chance.below(end.unsigned_abs() + 1)).unwrap());
        self.did("delete records");
        self.trim(name, start)
    }

    /// A snapshot holds what goes, and it counts: it is of flushed entries.
    fn trim(&mut self, name: &str, log_start: Offset) -> Result<(), StorageError> {
        if !self.owner(name).takes_input() {
            return Ok(());
        }
        let segments = self.owners[name].log.segments();
        let keep_from = self.models[name].snapshots.last().unwrap().next();
        let goes = |pair: &&[highwater_storage::log::SegmentInfo]| {
            pair[0].next_offset <= log_start && pair[1].first_index <= keep_from
        };
        if let Some(last) = segments.windows(2).take_while(goes).last() {
            let model = self.model(name);
            model.first = model.first.max(last[1].first_index.0);
        }
        let removed = self.owner(name).log.trim(log_start, keep_from)?.len();
        (0..removed).for_each(|_| self.did("segment trimmed"));
        Ok(())
    }

    fn vote(&mut self, name: &str) -> Result<(), StorageError> {
        let vote = 1 + self.chance.below(3);
        let owner = self.owner(name);
        let state = HardState { term: owner.hard_state.term + 1, vote, commit: owner.log.last().index.0 };
        owner.hard_state = state;
        owner.queued.push(Change::HardState(state));
        self.model(name).hard_states.push(state);
        self.did("hard state");
        Ok(())
    }

    fn snapshot(&mut self, name: &str) -> Result<(), StorageError> {
        let model = self.model(name);
        if model.flushed <= model.snapshots.last().unwrap().0 {
            return Ok(());
        }
        let last = &model.content[usize::try_from(model.flushed).unwrap() - 1];
        let at = last.id;
        let next_offset = match parse(&last.frame).unwrap() {
            Frame::Batch(header, _) => header.next_offset(),
            Frame::Own { next_offset, .. } => next_offset,
        };
        let is_last_deed = self.chance.below(6) == 0;
        if is_last_deed {
            self.die()?;
        }
        let machine = format!("the machine at {}", at.index.0).into();
        let snapshot = Snapshot { id: at, next_offset, membership: "who".into(), machine };
        self.model(name).snapshots.push(at.index);
        self.owner(name).log.handle().save_snapshot(&snapshot, 2)?;
        self.model(name).snapshots = vec![at.index];
        self.did("snapshot");
        Ok(())
    }

    /// Upkeep syncs a log …
    fn take_checkpoint(&mut self, name: &str) -> Result<(), StorageError> {
        let done = self.owner(name).log.handle().sync();
        let Some(checkpoint) = self.settle(name, done)? else { return Ok(()) };
        self.late.push((self.owners[name].log.id(), checkpoint));
        self.did("sync");
        Ok(())
    }

    /// … and journals it some time later.
    fn journal_checkpoints(&mut self) -> Result<(), StorageError> {
        let changes = |(log, checkpoint)| LogChanges { log, changes: vec![Change::Checkpoint(checkpoint)] };
        let record: Vec<LogChanges> = self.late.drain(..).map(changes).collect();
        self.store.commit(&record)?;
        (0..record.len()).for_each(|_| self.did("checkpoint, journalled late"));
        Ok(())
    }

    fn upkeep(&mut self) -> Result<(), StorageError> {
        for (log, error) in self.store.upkeep()? {
            let name = self.owners.iter().find(|(_, owner)| owner.log.id() == log).map(|(name, _)| name.clone());
            self.settle::<()>(&name.expect("it is open"), Err(error))?;
        }
        self.did("upkeep");
        Ok(())
    }

    /// The device fails to store a segment.
    fn fail_sync(&mut self, name: &str) -> Result<(), StorageError> {
        let handle = self.owners[name].log.handle();
        if !self.owner(name).takes_input() || handle.unsynced_bytes() == 0 {
            return Ok(());
        }
        self.disk.fail_sync_of(&format!("/{name}/"));
        let done = handle.sync();
        assert!(done.is_err(), "a sync that fails says so");
        self.settle(name, done)?;
        self.did("failed fsync");
        Ok(())
    }

    /// The disk has room for half an entry.
    fn fill_disk(&mut self, name: &str) -> Result<(), StorageError> {
        if !self.owner(name).takes_input() || self.owners[name].log.last().index.0 == 0 {
            return Ok(());
        }
        let space = self.disk.space(Path::new(ROOT)).unwrap();
        let (at, offset) = (self.owners[name].log.last().index.0 + 1, self.owners[name].log.next_offset());
        let entry = batch(id(at, self.owners[name].term), offset, 1, 3_000, self.clock);
        self.disk.set_capacity(space.total - space.free + 1_500);
        let done = self.put(name, entry);
        self.disk.set_capacity(u64::MAX);
        self.did("disk full");
        done
    }

    /// The process ends and starts again.
    fn restart(&mut self) -> Result<(), StorageError> {
        self.did("restart");
        self.start(Crash::Kill)
    }

    /// The machine stops within the next operations.
    fn die(&mut self) -> Result<(), StorageError> {
        let last = self.disk.operations() + 1 + self.chance.below(12);
        self.disk.stop_at(last.min(self.end.unwrap_or(u64::MAX)));
        Ok(())
    }

    /// It starts again on what is left, and may stop in that.
    fn rise(&mut self) -> Result<(), StorageError> {
        loop {
            let crash = if self.chance.below(2) == 0 { Crash::Kill } else { Crash::Power };
            let image = match crash {
                Crash::Kill => self.disk.after_kill(),
                Crash::Power => self.disk.after_power_cut(self.chance.draw()),
            };
            self.did(if crash == Crash::Kill { "kill" } else { "power cut" });
            if crash == Crash::Power {
                self.models.values_mut().for_each(Model::power_failed);
            }
            self.disk.go_on_as(&image);
            if let Some(end) = self.end {
                self.disk.stop_at(end);
            }
            if self.chance.below(3) == 0 {
                self.die()?;
            }
            match self.start(crash) {
                Err(_) if self.is_to_go_on() => {}
                done => return done,
            }
        }
    }

    fn start(&mut self, crash: Crash) -> Result<(), StorageError> {
        self.owners.clear();
        self.late.clear();
        let opened = open(&self.disk, self.chance.draw())?;
        self.models = check(&opened, &self.models, crash).unwrap_or_else(|wrong| panic!("a start: {wrong}"));
        self.store = opened.store;
        self.owners = owners(opened.logs);
        Ok(())
    }
}

fn owners(logs: Vec<OpenedLog>) -> BTreeMap<String, Owner> {
    logs.into_iter().map(|found| (found.log.name().to_owned(), Owner::new(found))).collect()
}
