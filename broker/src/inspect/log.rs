//! One log: what the journal says of it, its segments with their indices, its snapshots, and what a start would make of it.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater_node::Membership;
use highwater_protocol::ids::{Index, Offset};
use highwater_storage::disk::Disk;
use highwater_storage::error::StorageError;
use highwater_storage::inspect::{self, EntryRead, IndexState, META, Recovered, ReplayedLog, SegmentRead};
use highwater_storage::journal::record::{LogId, Place};
use serde_json::{Value, json};

use super::entry::{self, checkpoint};
use super::finding::{Finding, Severity};
use super::line::{Line, Out};
use super::{Shown, Tally};

/// A log to be looked at.
pub(super) struct LogFolder<'a> {
    pub(super) disk: &'a Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    /// The topic, if it is known.
    pub(super) topic: Option<&'a str>,
    /// What the journal says, if there is one.
    pub(super) journal: Option<&'a inspect::Replay>,
    pub(super) is_used: bool,
}

/// What is known of the log while its files are looked at.
struct Judge<'a> {
    replayed: Option<&'a ReplayedLog>,
    recovered: Option<&'a Recovered>,
    is_used: bool,
}

impl LogFolder<'_> {
    /// Prints the log; adds what it finds.
    pub(super) fn look(&self, shown: &Shown, out: &mut Out, tally: &mut Tally) {
        let id = inspect::log_id(self.disk.as_ref(), &self.dir);
        let replayed = self.replayed(id.as_ref().ok().copied());
        let recovered = self.recovered(id.as_ref().ok().copied(), &replayed, tally);
        self.print(id.as_ref().ok(), &replayed, recovered.as_ref(), out);
        if let Err(error) = id {
            tally.findings.push(Finding::of(&error, &self.dir.join(META)));
        }
        if replayed.as_ref().is_some_and(|log| log.is_dropped) {
            tally.findings.push(Finding::new(Severity::Note, &self.dir, 0, "the log is dropped: a start removes it"));
            return;
        }
        let before = tally.damages();
        let judge = Judge { replayed: replayed.as_ref(), recovered: recovered.as_ref(), is_used: self.is_used };
        self.look_at_segments(&judge, shown, out, tally);
        self.look_at_snapshots(out, tally);
        // The files' own findings say more of where; this one is for what is gone without a trace.
        if let Some(damage) = recovered.and_then(|recovered| recovered.damage)
            && tally.damages() == before
        {
            let reason = format!(
                "{}; entries up to index {} were durable, {} is the last that is good",
                damage.reason, damage.durable.index.0, damage.good.index.0
            );
            tally.findings.push(Finding::damage(&damage.path, damage.position, reason));
        }
    }

    fn replayed(&self, id: Option<LogId>) -> Option<ReplayedLog> {
        let journal = self.journal?;
        Some(journal.logs.get(&id?).cloned().unwrap_or_default())
    }

    fn recovered(&self, id: Option<LogId>, replayed: &Option<ReplayedLog>, tally: &mut Tally) -> Option<Recovered> {
        let (journal, replayed) = (self.journal?, replayed.as_ref().filter(|log| !log.is_dropped)?);
        let all_damaged = journal.all_damaged || journal.sequence == 0;
        let id = id?;
        // Bytes whose CRC is good and which nobody here wrote may break what recovery takes for granted.
        let run = || inspect::recovered(self.disk, &self.dir, id, replayed, all_damaged);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(recovered)) => return Some(recovered),
            Ok(Err(error)) => self.failed(error, &self.dir, tally),
            Err(_) => tally.findings.push(Finding::damage(&self.dir, 0, "recovery cannot be run over it")),
        }
        None
    }

    fn print(&self, id: Option<&LogId>, replayed: &Option<ReplayedLog>, recovered: Option<&Recovered>, out: &mut Out) {
        let name = self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut line = Line::new("log", 0)
            .within("path", self.dir.display().to_string())
            .with("name", name)
            .with("topic", self.topic)
            .with("id", id.map(|id| id.0));
        if let Some(log) = replayed {
            let state = &log.state;
            line = line
                .with("term", state.hard_state.term)
                .with("vote", state.hard_state.vote)
                .with("commit", state.hard_state.commit)
                .with("checkpoint", checkpoint(&state.checkpoint))
                .with("durable", entry::id(log.durable()))
                .with("journalled", entry::id(state.last))
                .with("cuts", state.cut)
                .with("changes_to_replay", log.changes.len());
        }
        if let Some(Recovered { log, damage }) = recovered {
            let start =
                damage.as_ref().map_or_else(|| "good".to_owned(), |damage| format!("damaged: {}", damage.reason));
            line =
                line.with("start", start).with("last", entry::id(log.last())).with("next_offset", log.next_offset().0);
        }
        out.line(&line);
    }

    fn look_at_segments(&self, judge: &Judge<'_>, shown: &Shown, out: &mut Out, tally: &mut Tally) {
        let paths = match inspect::segments(self.disk.as_ref(), &self.dir) {
            Ok(paths) => paths,
            Err(error) => return self.failed(error, &self.dir, tally),
        };
        self.check_first(&paths, tally);
        let mut after: Option<SegmentRead> = None;
        for (place, path) in paths.iter().enumerate() {
            let behind = paths.get(place + 1).and_then(|next| inspect::base_offset(next));
            if out.is_closed() || !shown.has(inspect::base_offset(path), behind) {
                continue;
            }
            let before = after.take().filter(|before| match inspect::base_offset(path) {
                Some(base) if base != before.next_offset => {
                    let reason = format!(
                        "a segment does not follow the one before it: offset {} follows {}",
                        before.next_offset.0,
                        before.path.display()
                    );
                    tally.findings.push(judge.finding(path, 0, before.next_index, reason));
                    false
                }
                _ => true,
            });
            match look_at_segment(self.disk, path, before.as_ref(), shown, 1, out) {
                Ok(read) => {
                    tally.segment(&read);
                    judge.look_at(&read, &mut tally.findings);
                    // What follows a bad place cannot be held against it.
                    after = Some(read).filter(|read| read.bad.is_none());
                }
                Err(error) => self.failed(error, path, tally),
            }
        }
        if !shown.is_part() {
            self.check_checkpoint(judge, &paths, tally);
        }
    }

    /// The first segment goes on where the newest snapshot ends, or earlier.
    fn check_first(&self, paths: &[PathBuf], tally: &mut Tally) {
        let Some(path) = paths.first() else { return };
        let newest = inspect::newest_snapshot(self.disk.as_ref(), &self.dir).ok().flatten();
        let Ok(first) = inspect::first_index(self.disk.as_ref(), path) else { return };
        if newest.is_some_and(|newest| first.0 > newest.0.saturating_add(1)) {
            let reason = "entries between the newest snapshot and the first segment are gone";
            tally.findings.push(Finding::damage(path, 0, reason));
        }
    }

    /// The segment up to which all was synced is there.
    fn check_checkpoint(&self, judge: &Judge<'_>, paths: &[PathBuf], tally: &mut Tally) {
        let Some(end) = judge.replayed.map(|log| log.state.checkpoint.end) else { return };
        let path = inspect::segment_path(&self.dir, end.base_offset);
        if end.position.0 > 0 && !paths.contains(&path) {
            let reason = format!("the segment is not there; its first {} bytes were synced", end.position.0);
            tally.findings.push(Finding::damage(&path, 0, reason));
        }
    }

    fn look_at_snapshots(&self, out: &mut Out, tally: &mut Tally) {
        let paths = match inspect::snapshot_paths(self.disk.as_ref(), &self.dir) {
            Ok(paths) => paths,
            Err(error) => return self.failed(error, &self.dir, tally),
        };
        for path in &paths {
            if let Err(error) = print_snapshot(self.disk.as_ref(), path, 1, out) {
                self.failed(error, path, tally);
            }
        }
    }

    /// A file that a node has removed meanwhile is no finding.
    fn failed(&self, error: StorageError, path: &Path, tally: &mut Tally) {
        let is_gone = matches!(&error, StorageError::Io { source, .. } if source.kind() == ErrorKind::NotFound);
        if !(self.is_used && is_gone) {
            tally.findings.push(Finding::of(&error, path));
        }
    }
}

impl Judge<'_> {
    /// What the bad places of a segment and its index mean.
    fn look_at(&self, read: &SegmentRead, findings: &mut Vec<Finding>) {
        if let Some((position, reason)) = &read.bad {
            findings.push(self.finding(&read.path, *position, read.next_index, reason.clone()));
        } else if let Some(end) = self.checkpoint().filter(|end| end.base_offset == read.base_offset)
            && read.end < end.position.0
        {
            let reason = format!("the file is shorter than what was synced, {} bytes", end.position.0);
            findings.push(Finding::damage(&read.path, read.end, reason));
        }
        if let IndexState::Bad { position, reason } = &read.index {
            let reason = format!("{reason}; a start makes it anew from the segment");
            findings.push(Finding::new(Severity::Note, &read.path.with_extension("index"), *position, reason));
        }
    }

    /// How bad it is that an entry is not there, or is bad.
    fn finding(&self, path: &Path, position: u64, index: Index, reason: String) -> Finding {
        let base = inspect::base_offset(path).unwrap_or(Offset(0));
        let is_synced = self.checkpoint().is_some_and(|end| (base, position) < (end.base_offset, end.position.0));
        let Some(log) = self.replayed else {
            return Finding::damage(path, position, reason);
        };
        if is_synced || self.recovered.is_none_or(|recovered| recovered.damage.is_some()) {
            Finding::damage(path, position, reason)
        } else if index <= log.state.last.index {
            let reason = format!("{reason}; the journal holds what belongs here, and a start writes it");
            Finding::new(Severity::Note, path, position, reason)
        } else {
            let why = if self.is_used { "a node may be writing it" } else { "a start cuts it" };
            Finding::new(Severity::Torn, path, position, format!("{reason}; not acknowledged as durable: {why}"))
        }
    }

    /// Up to where all was synced, as the journal says.
    fn checkpoint(&self) -> Option<Place> {
        self.replayed.map(|log| log.state.checkpoint.end)
    }
}

/// Prints a segment and, if they are wanted, its entries.
pub(super) fn look_at_segment(
    disk: &Arc<dyn Disk>,
    path: &Path,
    after: Option<&SegmentRead>,
    shown: &Shown,
    depth: usize,
    out: &mut Out,
) -> Result<SegmentRead, StorageError> {
    let read = inspect::segment(disk, path, after, &mut |_| {})?;
    let terms: Vec<Value> = read.terms.iter().map(|(term, ..)| json!(term.0)).collect();
    let state = match &read.bad {
        None => "good".to_owned(),
        Some((position, reason)) => format!("bad from byte {position} on: {reason}"),
    };
    let index = match &read.index {
        IndexState::Absent => "none".to_owned(),
        IndexState::Agrees { covers, rows } => format!("agrees, {rows} rows for {covers} bytes"),
        IndexState::NotCompared { covers } => format!("not compared, covers {covers} bytes"),
        IndexState::Bad { position, reason } => format!("bad at byte {position}: {reason}"),
    };
    let line = Line::new("segment", depth)
        .with("path", path.display().to_string())
        .with("bytes", read.length)
        .with("base_offset", read.base_offset.0)
        .with("next_offset", read.next_offset.0)
        .with("first_index", read.first_index.0)
        .with("next_index", read.next_index.0)
        .with("terms", terms)
        .with("batches", read.batches)
        .with("records", read.records)
        .with("own_frames", read.own_frames)
        .with("max_timestamp", read.max_timestamp)
        .with("state", state)
        .with("index", index);
    out.line(&line);
    if shown.entries {
        inspect::segment(disk, path, after, &mut |found: EntryRead<'_>| {
            if shown.has_entry(&found) {
                entry::entry(path, &found, shown.records, depth + 1, out);
            }
        })?;
    }
    Ok(read)
}

/// Prints a snapshot.
pub(super) fn print_snapshot(disk: &dyn Disk, path: &Path, depth: usize, out: &mut Out) -> Result<(), StorageError> {
    let snapshot = inspect::snapshot(disk, path)?;
    let members = Membership::from_bytes(&snapshot.membership);
    let line = Line::new("snapshot", depth)
        .with("path", path.display().to_string())
        .with("index", snapshot.id.index.0)
        .with("term", snapshot.id.term.0)
        .with("next_offset", snapshot.next_offset.0)
        .with("voters", members.map_or(Value::Null, |members| json!(members.voters)))
        .with("machine_bytes", snapshot.machine.len());
    out.line(&line);
    Ok(())
}
