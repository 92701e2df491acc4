//! What has to be true of the logs whatever happens to the disk, and the comparison with what is there.
//!
//! What was acknowledged with `acks=all` and `flush.mode=fsync` is there after any crash. What was acknowledged from the page
//! cache (`acks=1`, `flush.mode=os`) is there after a kill; of it a power cut may take a suffix, and nothing but a suffix. What
//! is there belongs to one history of the log, the one with or the one without a cut that was not durable.

use std::collections::BTreeMap;

use highwater_protocol::ids::Index;
use highwater_storage::entry::LogEntry;
use highwater_storage::journal::record::HardState;
use highwater_storage::log::Log;
use highwater_storage::store::{Opened, OpenedLog};

use crate::common::entries;

/// All logs that there were, by name.
pub(crate) type Models = BTreeMap<String, Model>;

/// How a machine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process is killed.
    Kill,
    /// The power fails.
    Power,
}

/// Whether a log is there.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    #[default]
    BeingMade,
    Here,
    BeingRemoved,
    Gone,
}

/// What has to be true of a log.
#[derive(Clone, Default)]
pub(crate) struct Model {
    /// What it holds, or will hold once the step under way is done; from index 1 on, also what was trimmed since.
    pub(crate) content: Vec<LogEntry>,
    /// What it may hold instead, while a cut is not durable.
    before_cuts: Vec<Vec<LogEntry>>,
    /// The last index that is durable.
    pub(crate) flushed: u64,
    /// The last index whose append has returned, and that no cut has touched since the last checkpoint.
    pub(crate) written: u64,
    /// A cut came after the last checkpoint: replay removes what lies behind it.
    pub(crate) is_cut: bool,
    /// It may begin here, or in front of it.
    pub(crate) first: u64,
    pub(crate) hard_states: Vec<HardState>,
    pub(crate) snapshots: Vec<Index>,
    pub(crate) presence: Presence,
}

impl Model {
    pub(crate) fn being_made() -> Self {
        Self { hard_states: vec![HardState::default()], snapshots: vec![Index(0)], ..Self::default() }
    }

    /// A record with all changes of the log but its entries is durable.
    pub(crate) fn journalled(&mut self, hard_state: HardState) {
        self.before_cuts.clear();
        self.hard_states = vec![hard_state];
    }

    pub(crate) fn flushed_up_to(&mut self, index: u64) {
        self.flushed = self.flushed.max(index.min(self.content.len() as u64));
    }

    /// A checkpoint of all that is flushed is durable.
    pub(crate) fn checkpointed(&mut self) {
        self.written = self.written.max(self.flushed);
        self.is_cut = false;
    }

    pub(crate) fn cut(&mut self, from: u64) {
        self.before_cuts.push(self.content.clone());
        self.content.truncate(usize::try_from(from - 1).unwrap());
        self.flushed = self.flushed.min(from - 1);
        self.written = self.written.min(from - 1);
        self.is_cut = true;
    }

    /// A start that is killed finds no more than the power cut before it has left.
    pub(crate) fn power_failed(&mut self) {
        self.written = self.written.min(self.flushed);
    }

    /// What is true of a log that was found so.
    fn of(opened: &OpenedLog, content: Vec<LogEntry>, snapshot: Index) -> Self {
        let length = content.len() as u64;
        Self {
            flushed: length,
            written: length,
            content,
            first: opened.log.segments().first().map_or(snapshot.next(), |segment| segment.first_index).0,
            hard_states: vec![opened.hard_state],
            snapshots: vec![snapshot],
            presence: Presence::Here,
            ..Self::default()
        }
    }
}

/// Compares what was opened with what has to be true, and says what is true from now on.
pub(crate) fn check(opened: &Opened, models: &Models, crash: Crash) -> Result<Models, String> {
    let mut found: BTreeMap<&str, &OpenedLog> = opened.logs.iter().map(|found| (found.log.name(), found)).collect();
    let mut after = BTreeMap::new();
    for (name, model) in models {
        let model = match found.remove(name.as_str()) {
            None => {
                ensure!(model.presence != Presence::Here, "{name}: it is gone");
                Model { presence: Presence::Gone, ..Model::default() }
            }
            Some(found) => check_log(found, model, crash).map_err(|wrong| format!("{name}: {wrong}"))?,
        };
        after.insert(name.clone(), model);
    }
    ensure!(found.is_empty(), "logs that nobody made: {:?}", found.keys());
    Ok(after)
}

/// Entries that were acknowledged from the page cache and that a power cut took.
pub(crate) fn lost(before: &Models, after: &Models) -> u64 {
    let lost = |(name, model): (&String, &Model)| {
        let written = model.written.max(model.flushed);
        after.get(name).map_or(0, |after| written.saturating_sub(after.content.len() as u64))
    };
    before.iter().filter(|(_, model)| model.presence == Presence::Here).map(lost).sum()
}

fn check_log(found: &OpenedLog, model: &Model, crash: Crash) -> Result<Model, String> {
    ensure!(model.presence != Presence::Gone, "it has come back");
    if let Some(damage) = &found.damage {
        return Err(format!("a healthy log counts as damaged: {damage}"));
    }
    let content = check_entries(&found.log, model, crash)?;
    let (states, state) = (&model.hard_states, found.hard_state);
    ensure!(states.contains(&state), "hard state {state:?} is none of {states:?}");
    let snapshot = found.log.load_snapshot(Index(u64::MAX)).map_err(|error| error.to_string())?;
    let snapshot = snapshot.ok_or("it has no snapshot")?.id.index;
    ensure!(model.snapshots.contains(&snapshot), "snapshot {snapshot:?} is none of {:?}", model.snapshots);
    Ok(Model::of(found, content, snapshot))
}

/// The entries are those of one history: nothing acknowledged is lost, nothing is invented.
fn check_entries(log: &Log, model: &Model, crash: Crash) -> Result<Vec<LogEntry>, String> {
    let entries = entries(log);
    let first = entries.first().map_or(1, |entry| entry.id.index.0);
    ensure!(first <= model.first.max(1), "it begins at {first}, and not at {} or in front", model.first);
    let last = log.last().index.0;
    ensure!(last >= model.flushed, "it ends at {last}, and {} was flushed", model.flushed);
    let survives_kill = crash == Crash::Power || last >= model.written;
    ensure!(survives_kill, "it ends at {last} after a kill, and {} was written", model.written);
    let is_of = |history: &&Vec<LogEntry>| {
        let from = usize::try_from(first - 1).unwrap();
        history.get(from..from + entries.len()) == Some(&entries[..])
    };
    let Some(history) = std::iter::once(&model.content).chain(&model.before_cuts).find(is_of) else {
        let show = |entries: &[LogEntry]| -> Vec<_> { entries.iter().map(|e| (e.id.index.0, e.id.term.0)).collect() };
        let known: Vec<_> = model.before_cuts.iter().map(|history| show(history)).collect();
        return Err(format!("{:?} is no history of {:?} {known:?}", show(&entries), show(&model.content)));
    };
    Ok(history[..usize::try_from(last).unwrap()].to_vec())
}
