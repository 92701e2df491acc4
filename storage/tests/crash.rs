//! Stops a store at every operation of its disk, lets the disk crash, opens it again and compares with a model.
//!
//! A workload is one seed: several logs, appends small and large, flushes through the journal and by segment sync, rolls,
//! cuts above and below the checkpoint, trims, votes, snapshots, logs that come and go, in journal files so small that they
//! are recycled all the time. It is run up to one operation after the other; each time the disk is left once as a kill
//! leaves it and several times as a power cut may. A failing case names its seed, its operation and its way to crash: put
//! these three into `PINNED` to have it run first.

mod common;

use std::collections::BTreeMap;

use highwater_protocol::ids::{Index, Offset};
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::entry::{Frame, FrameKind, LogEntry, parse};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, Checkpoint, HardState, LogChanges, LogId};
use highwater_storage::log::{Log, Snapshot, Truncation};
use highwater_storage::store::{Opened, OpenedLog, Store};
use std::sync::Arc;

use common::{Chance, batch, id, open, own};

/// Steps of one workload.
const STEPS: u64 = 90;
/// Power cuts that are tried for each operation at which the disk stops.
const CUTS: u64 = 2;
/// Every so many crashes recovery itself is stopped at each of its operations.
const RECOVERIES_STOPPED_EVERY: u64 = 61;

/// Cases that failed once: seed, operation, way to crash. A change of the workload makes them others; what they found is told as
/// a scenario in `safety.rs`.
const PINNED: &[(u64, u64, Crash)] = &[(2, 175, Crash::Kill), (2, 245, Crash::Kill)];

/// How the disk crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    /// The process is killed.
    Kill,
    /// The power fails, and a seed says what is left.
    Power(u64),
}

impl Crash {
    fn image(self, disk: &SimDisk) -> SimDisk {
        match self {
            Self::Kill => disk.after_kill(),
            Self::Power(seed) => disk.after_power_cut(seed),
        }
    }
}

/// What has to be true of a log.
#[derive(Clone, Default)]
struct Model {
    /// What it holds, or will hold once the step under way is done; from index 1 on, also what was trimmed since.
    content: Vec<LogEntry>,
    /// What it may hold instead, while a cut is not durable.
    before_cuts: Vec<Vec<LogEntry>>,
    /// The last index that was flushed.
    flushed: u64,
    /// The last index whose append has returned, and that no cut has touched since the last checkpoint.
    written: u64,
    /// A cut came after the last checkpoint: replay removes what lies behind it.
    is_cut: bool,
    /// It may begin here, or in front of it.
    first: u64,
    hard_states: Vec<HardState>,
    snapshots: Vec<Index>,
    presence: Presence,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Presence {
    #[default]
    BeingMade,
    Here,
    BeingRemoved,
    Gone,
}

/// One log and who uses it.
struct Owner {
    log: Log,
    queued: Vec<Change>,
    /// A cut whose record is on its way: until it is carried out the log takes no input.
    cutting: Option<Truncation>,
    term: i32,
    hard_state: HardState,
}

struct Driver {
    store: Arc<Store>,
    owners: BTreeMap<String, Owner>,
    models: BTreeMap<String, Model>,
    /// Checkpoints that were taken and not journalled yet.
    late: Vec<(LogId, Checkpoint)>,
    names: u64,
    chance: Chance,
    clock: i64,
    /// Segments trimmed, cuts above and below the checkpoint: what a workload has to contain.
    trimmed: usize,
    cuts_above: usize,
    cuts_below: usize,
}

impl Driver {
    fn new(opened: Opened, models: BTreeMap<String, Model>, seed: u64) -> Self {
        let owners = opened.logs.into_iter().map(|found| (found.log.name().to_owned(), Owner::new(found))).collect();
        let names = models.len() as u64;
        Self {
            store: opened.store,
            owners,
            models,
            late: Vec::new(),
            names,
            chance: Chance(seed),
            clock: 1_000,
            trimmed: 0,
            cuts_above: 0,
            cuts_below: 0,
        }
    }

    fn run(&mut self, steps: u64) -> Result<(), StorageError> {
        for _ in 0..steps {
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), StorageError> {
        if self.owners.len() < 2 {
            return self.create();
        }
        let place = usize::try_from(self.chance.below(self.owners.len() as u64)).unwrap();
        let name = self.owners.keys().nth(place).unwrap().clone();
        match self.chance.below(100) {
            0..30 => self.append(&name),
            30..50 => self.flush(),
            50..56 => self.flush_by_sync(&name),
            56..62 => self.roll(&name),
            62..72 => self.cut(&name),
            72..76 => self.trim(&name),
            76..80 => self.vote(&name),
            80..86 => self.snapshot(&name),
            86..88 => self.create(),
            88..90 => self.remove(&name),
            90..93 => self.take_checkpoint(&name),
            93..96 => self.journal_checkpoints(),
            _ => self.store.upkeep()?.into_iter().map(|(_, error)| error).next().map_or(Ok(()), Err),
        }
    }

    fn create(&mut self) -> Result<(), StorageError> {
        self.names += 1;
        let name = format!("log-{}", self.names);
        let model = Model { hard_states: vec![HardState::default()], snapshots: vec![Index(0)], ..Model::default() };
        self.models.insert(name.clone(), model);
        let log = self.store.create_log(&name, &Snapshot::default())?;
        self.models.get_mut(&name).unwrap().presence = Presence::Here;
        self.owners
            .insert(name, Owner::new(OpenedLog { log, hard_state: HardState::default(), open: None, damage: None }));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.remove(name).unwrap();
        self.models.get_mut(name).unwrap().presence = Presence::BeingRemoved;
        self.late.retain(|(log, _)| *log != owner.log.id());
        self.store.remove_log(owner.log.id())?;
        self.models.get_mut(name).unwrap().presence = Presence::Gone;
        Ok(())
    }

    fn append(&mut self, name: &str) -> Result<(), StorageError> {
        let count = 1 + self.chance.below(3);
        for _ in 0..count {
            let owner = self.owners.get_mut(name).unwrap();
            if owner.cutting.is_some() {
                return Ok(());
            }
            if self.chance.below(8) == 0 {
                owner.term += 1;
            }
            let (at, offset) = (id(owner.log.last().index.0 + 1, owner.term), owner.log.next_offset());
            self.clock += 7;
            let timestamp = self.clock - i64::try_from(self.chance.below(30)).unwrap();
            let entry = match self.chance.below(10) {
                _ if at.index.0 == 1 => own(FrameKind::Noop, at, offset, b""),
                0 | 1 => own(FrameKind::Command, at, offset, b"a command"),
                2 => own(FrameKind::Noop, at, offset, b""),
                3 => batch(at, offset, 3, 2_500, timestamp),
                4 => batch(at, offset, 1, 9_000, timestamp),
                _ => batch(at, offset, 1 + usize::try_from(self.chance.below(4)).unwrap(), 60, timestamp),
            };
            self.put(name, entry)?;
        }
        Ok(())
    }

    fn put(&mut self, name: &str, entry: LogEntry) -> Result<(), StorageError> {
        let owner = self.owners.get_mut(name).unwrap();
        let model = self.models.get_mut(name).unwrap();
        model.content.push(entry.clone());
        owner.log.append(std::slice::from_ref(&entry))?;
        if model.written + 1 == entry.id.index.0 && !model.is_cut {
            model.written += 1;
        }
        if self.chance.below(3) == 0 {
            owner.queued.extend(owner.log.take_changes());
        }
        Ok(())
    }

    fn roll(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.get_mut(name).unwrap();
        if owner.cutting.is_some() || !owner.log.active_segment_has_records() {
            return Ok(());
        }
        let at = id(owner.log.last().index.0 + 1, owner.term);
        let entry = own(FrameKind::Roll, at, owner.log.next_offset(), b"");
        self.put(name, entry)
    }

    /// One record with what all logs queued, as the flusher does it.
    fn flush(&mut self) -> Result<(), StorageError> {
        let mut record = Vec::new();
        for owner in self.owners.values_mut() {
            owner.queued.extend(owner.log.take_changes());
            if !owner.queued.is_empty() {
                record.push(LogChanges { log: owner.log.id(), changes: std::mem::take(&mut owner.queued) });
            }
        }
        self.store.commit(&record)?;
        for (name, owner) in &mut self.owners {
            let model = self.models.get_mut(name).unwrap();
            model.flushed = model.content.len() as u64;
            model.before_cuts.clear();
            model.hard_states = vec![owner.hard_state];
            if let Some(plan) = owner.cutting.take() {
                assert!(owner.log.truncate(&plan)?, "its record is durable, and nothing came in between");
            }
        }
        Ok(())
    }

    /// One log's segments are synced instead, and everything of it is durable with its checkpoint.
    fn flush_by_sync(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.get_mut(name).unwrap();
        if owner.cutting.is_some() {
            return Ok(());
        }
        owner.queued.extend(owner.log.take_changes());
        let mut changes = std::mem::take(&mut owner.queued);
        let checkpoint = owner.log.handle().sync()?;
        changes.retain(|change| !matches!(change, Change::Append(_)));
        changes.push(Change::Checkpoint(checkpoint));
        self.store.commit(&[LogChanges { log: owner.log.id(), changes }])?;
        let model = self.models.get_mut(name).unwrap();
        model.flushed = model.content.len() as u64;
        model.written = model.flushed;
        model.is_cut = false;
        model.before_cuts.clear();
        model.hard_states = vec![owner.hard_state];
        Ok(())
    }

    fn cut(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.get_mut(name).unwrap();
        let model = self.models.get_mut(name).unwrap();
        let last = model.content.len() as u64;
        let depth = 1 + self.chance.below(6);
        // What a snapshot holds is committed: nobody cuts it.
        let kept = model.first.max(model.snapshots.last().unwrap().0);
        if owner.cutting.is_some() || last <= depth || last - depth < kept {
            return Ok(());
        }
        let from = last - depth + 1;
        let plan = owner.log.plan_truncation(Index(from))?;
        model.before_cuts.push(model.content.clone());
        model.content.truncate(usize::try_from(from - 1).unwrap());
        model.flushed = model.flushed.min(from - 1);
        model.written = model.written.min(from - 1);
        model.is_cut = true;
        // A new leader's entries differ from those that were cut.
        owner.term += 1;
        if plan.is_below_checkpoint {
            owner.queued.extend(owner.log.take_changes());
            owner.queued.push(plan.change());
            owner.cutting = Some(plan);
            self.cuts_below += 1;
            return Ok(());
        }
        assert!(owner.log.truncate(&plan)?, "nothing came in between");
        self.cuts_above += 1;
        if self.chance.below(2) == 0 {
            owner.queued.extend(owner.log.take_changes());
        }
        Ok(())
    }

    fn trim(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.get_mut(name).unwrap();
        let model = self.models.get_mut(name).unwrap();
        let segments = owner.log.segments();
        if segments.len() < 2 || owner.cutting.is_some() {
            return Ok(());
        }
        // A snapshot holds what goes, and it counts: it is of flushed entries.
        let snapshot = model.snapshots.last().unwrap().0;
        let Some(keep) = segments.iter().rfind(|segment| segment.first_index.0 <= snapshot + 1) else { return Ok(()) };
        model.first = model.first.max(keep.first_index.0);
        self.trimmed += owner.log.trim(keep.base_offset, keep.first_index)?.len();
        Ok(())
    }

    fn vote(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.get_mut(name).unwrap();
        let state = HardState {
            term: owner.hard_state.term + 1,
            vote: 1 + self.chance.below(3),
            commit: owner.log.last().index.0,
        };
        owner.hard_state = state;
        owner.queued.push(Change::HardState(state));
        self.models.get_mut(name).unwrap().hard_states.push(state);
        Ok(())
    }

    fn snapshot(&mut self, name: &str) -> Result<(), StorageError> {
        let owner = self.owners.get_mut(name).unwrap();
        let model = self.models.get_mut(name).unwrap();
        if model.flushed <= model.snapshots.last().unwrap().0 {
            return Ok(());
        }
        let last = &model.content[usize::try_from(model.flushed).unwrap() - 1];
        let at = last.id;
        let next_offset = match parse(&last.frame).unwrap() {
            Frame::Batch(header, _) => header.next_offset(),
            Frame::Own { next_offset, .. } => next_offset,
        };
        let machine = format!("the machine at {}", at.index.0).into();
        let snapshot = Snapshot { id: at, next_offset, membership: "who".into(), machine };
        model.snapshots.push(at.index);
        owner.log.handle().save_snapshot(&snapshot, 2)?;
        model.snapshots = vec![at.index];
        Ok(())
    }

    /// Upkeep syncs a log …
    fn take_checkpoint(&mut self, name: &str) -> Result<(), StorageError> {
        let log = &self.owners[name].log;
        self.late.push((log.id(), log.handle().sync()?));
        Ok(())
    }

    /// … and journals it some time later.
    fn journal_checkpoints(&mut self) -> Result<(), StorageError> {
        let changes = |(log, checkpoint)| LogChanges { log, changes: vec![Change::Checkpoint(checkpoint)] };
        let record: Vec<LogChanges> = self.late.drain(..).map(changes).collect();
        self.store.commit(&record)
    }
}

impl Owner {
    fn new(found: OpenedLog) -> Self {
        let term = found.log.last().term.0.max(1) + 1;
        Self { log: found.log, queued: Vec::new(), cutting: None, term, hard_state: found.hard_state }
    }
}

/// Runs a workload until it is done or the disk stops, and gives back what has to be true.
fn live(disk: &SimDisk, seed: u64) -> BTreeMap<String, Model> {
    let Ok(opened) = open(disk, seed) else { return BTreeMap::new() };
    let mut driver = Driver::new(opened, BTreeMap::new(), seed);
    drop(driver.run(STEPS));
    driver.models
}

/// Compares what was opened with the model, and makes the model what was found.
fn check(opened: &Opened, models: &BTreeMap<String, Model>, crash: Crash, case: &str) -> BTreeMap<String, Model> {
    let mut found: BTreeMap<&str, &OpenedLog> = opened.logs.iter().map(|found| (found.log.name(), found)).collect();
    let mut after = BTreeMap::new();
    for (name, model) in models {
        let case = format!("{case}, {name}");
        let Some(opened) = found.remove(name.as_str()) else {
            assert!(model.presence != Presence::Here, "{case}: it is gone");
            after.insert(name.clone(), Model { presence: Presence::Gone, ..Model::default() });
            continue;
        };
        assert!(model.presence != Presence::Gone, "{case}: it has come back");
        assert_eq!(opened.damage, None, "{case}");
        let content = check_entries(&opened.log, model, crash, &case);
        assert!(
            model.hard_states.contains(&opened.hard_state),
            "{case}: {:?} is none of {:?}",
            opened.hard_state,
            model.hard_states
        );
        let snapshot = opened.log.load_snapshot(Index(u64::MAX)).unwrap().expect("a log has a snapshot").id.index;
        assert!(model.snapshots.contains(&snapshot), "{case}: snapshot {snapshot:?} is none of {:?}", model.snapshots);
        check_indices(&opened.log, &case);
        after.insert(
            name.clone(),
            Model {
                flushed: content.len() as u64,
                written: content.len() as u64,
                is_cut: false,
                content,
                before_cuts: Vec::new(),
                first: opened.log.segments().first().map_or(snapshot.next(), |segment| segment.first_index).0,
                hard_states: vec![opened.hard_state],
                snapshots: vec![snapshot],
                presence: Presence::Here,
            },
        );
    }
    assert!(found.is_empty(), "{case}: logs that nobody made: {:?}", found.keys());
    after
}

/// The entries are those of one history: nothing flushed is lost, nothing is invented.
fn check_entries(log: &Log, model: &Model, crash: Crash, case: &str) -> Vec<LogEntry> {
    let entries = common::entries(log);
    let first = entries.first().map_or(1, |entry| entry.id.index.0);
    assert!(first <= model.first.max(1), "{case}: begins at {first}, and not at {} or in front", model.first);
    let last = log.last().index.0;
    assert!(last >= model.flushed, "{case}: ends at {last}, and {} was flushed", model.flushed);
    if crash == Crash::Kill {
        assert!(last >= model.written, "{case}: ends at {last} after a kill, and {} was written", model.written);
    }
    let is_of = |history: &&Vec<LogEntry>| {
        let from = usize::try_from(first - 1).unwrap();
        history.get(from..from + entries.len()) == Some(&entries[..])
    };
    let history = std::iter::once(&model.content).chain(&model.before_cuts).find(is_of);
    let history = history.unwrap_or_else(|| {
        let show = |entries: &[LogEntry]| -> Vec<_> { entries.iter().map(|e| (e.id.index.0, e.id.term.0)).collect() };
        let known: Vec<_> = model.before_cuts.iter().map(|history| show(history)).collect();
        panic!("{case}: {:?} is no history of {:?} {known:?}", show(&entries), show(&model.content))
    });
    history[..usize::try_from(last).unwrap()].to_vec()
}

/// Every entry and every record is found by each way of looking for it.
fn check_indices(log: &Log, case: &str) {
    let reader = log.reader();
    let mut offset = log.segments().first().map_or(log.next_offset(), |segment| segment.base_offset);
    assert_eq!(reader.first_offset(), offset, "{case}");
    for entry in common::entries(log) {
        assert_eq!(log.term_at(entry.id.index), Some(entry.id.term), "{case}: {:?}", entry.id);
        let alone = log.entries(entry.id.index, entry.id.index.next(), u64::MAX).unwrap();
        common::assert_same(&alone, std::slice::from_ref(&entry), case);
        match parse(&entry.frame).unwrap() {
            Frame::Own { next_offset, .. } => assert_eq!(next_offset, offset, "{case}: {:?}", entry.id),
            Frame::Batch(header, _) => {
                assert_eq!(Offset(header.base_offset), offset, "{case}: {:?}", entry.id);
                offset = header.next_offset();
                let last = Offset(offset.0 - 1);
                let slice = reader.read(last, offset, 1, true).unwrap().expect("a record");
                assert!(slice.read_verified().unwrap() == entry.frame, "{case}: {:?}", entry.id);
                assert_eq!(reader.epoch_of(last), Some(entry.id.term), "{case}: {:?}", entry.id);
            }
        }
    }
    assert_eq!(log.next_offset(), offset, "{case}");
}

/// Opens what a crash left, checks it, opens it again, and goes on for a while up to the next crash.
fn reopen(image: &SimDisk, models: &BTreeMap<String, Model>, crash: Crash, case: &str) {
    let opened = open(image, 77).unwrap_or_else(|error| panic!("{case}: does not open: {error}"));
    let found = check(&opened, models, crash, case);
    let segments = common::files(image, "/data/logs");
    let durable = image.after_power_cut(5);
    drop(opened);
    let again = open(image, 78).unwrap_or_else(|error| panic!("{case}: does not open again: {error}"));
    check(&again, &found, Crash::Kill, &format!("{case}, opened again"));
    let is_same = common::files(image, "/data/logs") == segments;
    assert!(is_same, "{case}: recovery changes what it has recovered");
    drop(again);
    let case = format!("{case}, second life");
    let opened = open(&durable, 79).unwrap_or_else(|error| panic!("{case}: does not open: {error}"));
    let found = check(&opened, &found, Crash::Power(5), &case);
    let mut driver = Driver::new(opened, found, 80);
    driver.run(12).unwrap_or_else(|error| panic!("{case}: {error}"));
    let after = durable.after_power_cut(6);
    let opened = open(&after, 81).unwrap_or_else(|error| panic!("{case}: does not open at its end: {error}"));
    check(&opened, &driver.models, Crash::Power(6), &case);
}

/// Stops recovery at each of its operations, crashes again, and recovers for good.
fn stop_recovery(image: &SimDisk, models: &BTreeMap<String, Model>, crash: Crash, case: &str) -> u64 {
    let mut stop = 1;
    loop {
        let stopped = image.after_kill();
        stopped.stop_at(stop);
        if open(&stopped, 90).is_ok() {
            return stop - 1;
        }
        for again in [Crash::Kill, Crash::Power(stop)] {
            let case = format!("{case}, recovery stopped at {stop} by {again:?}");
            let after = again.image(&stopped);
            let opened = open(&after, 91).unwrap_or_else(|error| panic!("{case}: does not open: {error}"));
            let worst = if crash == Crash::Kill && again == Crash::Kill { Crash::Kill } else { Crash::Power(0) };
            check(&opened, models, worst, &case);
        }
        stop += 1;
    }
}

fn run_case(seed: u64, stop: u64, crash: Crash) {
    let disk = SimDisk::new();
    disk.stop_at(stop);
    let models = live(&disk, seed);
    let case = format!("seed {seed}, operation {stop}, {crash:?}");
    let image = crash.image(&disk);
    stop_recovery(&image, &models, crash, &case);
    reopen(&image, &models, crash, &case);
}

/// Crashes one workload at every operation.
fn crash_everywhere(seed: u64) {
    let whole = SimDisk::new();
    let mut driver = Driver::new(open(&whole, seed).unwrap(), BTreeMap::new(), seed);
    driver.run(STEPS).unwrap();
    let (trimmed, above, below) = (driver.trimmed, driver.cuts_above, driver.cuts_below);
    let operations = whole.operations();
    let (mut crashes, mut recoveries) = (0, 0);
    for stop in 1..=operations {
        let disk = SimDisk::new();
        disk.stop_at(stop);
        let models = live(&disk, seed);
        let ways = (0..CUTS).map(|cut| Crash::Power(stop * CUTS + cut));
        for crash in std::iter::once(Crash::Kill).chain(ways) {
            let case = format!("seed {seed}, operation {stop}, {crash:?}");
            let image = crash.image(&disk);
            if crashes % RECOVERIES_STOPPED_EVERY == 0 {
                recoveries += stop_recovery(&image, &models, crash, &case);
            }
            reopen(&image, &models, crash, &case);
            crashes += 1;
        }
    }
    println!(
        "seed {seed}: {operations} operations with {trimmed} trims, {above} cuts above and {below} below the checkpoint; \
         {crashes} crashes, {recoveries} stops of recovery"
    );
    assert!(trimmed > 0 && above > 0 && below > 0, "a workload that cuts and trims");
    assert!(operations > 200, "a workload that does something");
    assert!(recoveries > 50, "recoveries that were stopped");
}

#[test]
fn cases_that_failed_once() {
    for (seed, stop, crash) in PINNED {
        run_case(*seed, *stop, *crash);
    }
    let run = || {
        let disk = SimDisk::new();
        disk.stop_at(150);
        live(&disk, 1);
        common::files(&disk.after_power_cut(3), "/data")
    };
    assert!(run() == run(), "the same case twice gives the same bytes");
}

#[test]
fn crash_everywhere_in_workload_2() {
    crash_everywhere(2);
}

#[test]
fn crash_everywhere_in_workload_65() {
    crash_everywhere(65);
}

#[test]
fn crash_everywhere_in_workload_163() {
    crash_everywhere(163);
}
