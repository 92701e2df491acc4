//! `highwater inspect`: what lies in a data directory or in a file of it, whether it is good, and where it stops being so.
//!
//! It opens files read-only, takes no lock, creates nothing. What it shows was read by the code that a start reads with, and
//! every byte of it was checked. Recovery itself is run in memory to say what a start would make of each log.

mod entry;
mod finding;
mod journal;
mod line;
mod log;
mod topics;
mod usage;

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use highwater_node::{IDENTITY_FILE, Identity, NodeError};
use highwater_protocol::ids::Offset;
use highwater_storage::disk::Disk;
use highwater_storage::disk::os::OsDisk;
use highwater_storage::entry::Frame;
use highwater_storage::error::StorageError;
use highwater_storage::inspect::{self, EntryRead, META, Replay, ScratchDisk, SegmentRead};

use self::finding::{Finding, Severity};
use self::line::{Line, Out};
use self::log::LogFolder;
use self::topics::Topics;
use self::usage::{Usage, usage};

/// The exit status for bytes that were durable and are bad or gone.
const DAMAGED: u8 = 4;
/// The exit status for a log or path that is not there.
const NOT_FOUND: u8 = 3;

/// What `inspect` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct InspectArguments {
    /// A data directory, a log's folder or the journal's, or a file of them.
    path: PathBuf,
    /// Only this log of a data directory, by its folder or as TOPIC-PARTITION.
    #[arg(long, value_name = "NAME")]
    log: Option<String>,
    /// Only entries with records from this offset on.
    #[arg(long, value_name = "OFFSET")]
    from: Option<i64>,
    /// Only entries with records below this offset.
    #[arg(long, value_name = "OFFSET")]
    to: Option<i64>,
    /// Each batch and frame of our own, each record of the journal.
    #[arg(long)]
    entries: bool,
    /// The records in the batches, too.
    #[arg(long)]
    records: bool,
    /// Checks everything, and prints only what is wrong and a summary.
    #[arg(long)]
    verify: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// What is to be shown.
pub(crate) struct Shown {
    entries: bool,
    records: bool,
    from: Option<i64>,
    to: Option<i64>,
}

/// What was looked at, and what was found.
#[derive(Default)]
pub(crate) struct Tally {
    findings: Vec<Finding>,
    logs: u64,
    segments: u64,
    bytes: u64,
    batches: u64,
    records: u64,
    is_part: bool,
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Unreadable(String),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs the verb.
pub fn run(arguments: &InspectArguments) -> ExitCode {
    // A panic is told below, in one line, as any other failure.
    set_hook(Box::new(|_| {}));
    let done = catch_unwind(AssertUnwindSafe(|| inspected(arguments)));
    let failed = match done {
        Ok(Ok(None)) => return ExitCode::SUCCESS,
        Ok(Ok(Some(damage))) => {
            eprintln!("highwater: {} is damaged at byte {}: {}", damage.path.display(), damage.position, damage.reason);
            return ExitCode::from(DAMAGED);
        }
        Ok(Err(failed)) => failed,
        Err(_) => Failed::Unreadable(format!("{} holds what inspect cannot read", arguments.path.display())),
    };
    eprintln!("highwater: {failed}");
    match failed {
        Failed::NotFound(_) => ExitCode::from(NOT_FOUND),
        Failed::Unreadable(_) | Failed::Output(_) => ExitCode::FAILURE,
    }
}

/// Prints all of it, and gives back the first damage.
fn inspected(arguments: &InspectArguments) -> Result<Option<Finding>, Failed> {
    let disk: Arc<dyn Disk> = Arc::new(ScratchDisk::over(Arc::new(OsDisk)));
    let mut out = Out::new(arguments.json, arguments.verify);
    let mut tally = Tally { is_part: arguments.from.is_some() || arguments.to.is_some(), ..Tally::default() };
    look(&disk, arguments, &mut out, &mut tally)?;
    tally.print(&mut out);
    out.finish()?;
    Ok(tally.findings.into_iter().find(|finding| finding.severity == Severity::Damage))
}

fn look(disk: &Arc<dyn Disk>, arguments: &InspectArguments, out: &mut Out, tally: &mut Tally) -> Result<(), Failed> {
    let path = &arguments.path;
    let is_dir = match fs::metadata(path) {
        Ok(found) => found.is_dir(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failed::NotFound(format!("{} is not there", path.display())));
        }
        Err(error) => return Err(Failed::Unreadable(format!("cannot look at {}: {error}", path.display()))),
    };
    let shown = Shown {
        entries: arguments.entries || arguments.records || tally.is_part || !is_dir,
        records: arguments.records,
        from: arguments.from,
        to: arguments.to,
    };
    if is_dir {
        let has = |name: &str| path.join(name).exists();
        if has("logs") || has("journal") || has(IDENTITY_FILE) {
            return DataDirectory::read(disk, path, out, tally)?.look(arguments.log.as_deref(), &shown, out, tally);
        }
        if let Some(log) = &arguments.log {
            return Err(Failed::NotFound(format!("{} is no data directory, and so has no log {log}", path.display())));
        }
        if has(META) || !inspect::segments(disk.as_ref(), path).map_err(unreadable)?.is_empty() {
            return look_at_folder(disk, path, &shown, out, tally);
        }
        return look_at_journal(disk, path, &shown, out, tally);
    }
    look_at_file(disk, path, &shown, out, tally)
}

fn unreadable(error: StorageError) -> Failed {
    Failed::Unreadable(error.to_string())
}

/// A log's folder; with the journal of the data directory that it lies in, where it does.
fn look_at_folder(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    shown: &Shown,
    out: &mut Out,
    tally: &mut Tally,
) -> Result<(), Failed> {
    let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let root = dir.parent().and_then(Path::parent).filter(|root| root.join("journal").is_dir());
    let is_used = root.is_some_and(|root| usage(root) != Usage::Free);
    let replay = match root {
        Some(root) => Some(journal::read(disk, &root.join("journal"), is_used).map_err(unreadable)?.replay),
        None => None,
    };
    tally.is_part = true;
    tally.logs += 1;
    LogFolder { disk, dir, topic: None, journal: replay.as_ref(), is_used }.look(shown, out, tally);
    Ok(())
}

fn look_at_journal(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    shown: &Shown,
    out: &mut Out,
    tally: &mut Tally,
) -> Result<(), Failed> {
    let is_used = dir.parent().is_some_and(|root| usage(root) != Usage::Free);
    let read = journal::read(disk, dir, is_used).map_err(unreadable)?;
    if read.files.is_empty() && read.failed.is_empty() {
        let what = "neither a data directory, nor a log's folder, nor the journal's";
        return Err(Failed::Unreadable(format!("{} is {what}: give one of them, or a file of them", dir.display())));
    }
    journal::print(&read, dir, shown, out);
    journal::findings(&read, dir, 0, &mut tally.findings);
    Ok(())
}

fn look_at_file(
    disk: &Arc<dyn Disk>,
    path: &Path,
    shown: &Shown,
    out: &mut Out,
    tally: &mut Tally,
) -> Result<(), Failed> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let looked = match name.rsplit_once('.').map_or(name, |(_, kind)| kind) {
        "log" => log::look_at_segment(disk, path, None, shown, 0, out).map(|read| {
            tally.segment(&read);
            if let Some((position, reason)) = &read.bad {
                tally.findings.push(Finding::damage(path, *position, reason.clone()));
            }
        }),
        "index" => inspect::index(disk.as_ref(), path).map(|index| {
            out.line(&index_line(path, &index));
            entry::rows(&index, 1, out);
        }),
        "journal" => inspect::journal_file(disk, path).map(|file| {
            journal::print_file(&file, 0, true, out);
            if let Some(position) = file.torn {
                let reason = "a record that is not whole: never finished, or damaged if a later file goes on behind it";
                tally.findings.push(Finding::new(Severity::Torn, path, position, reason));
            }
        }),
        "snapshot" => log::print_snapshot(disk.as_ref(), path, 0, out),
        "meta" => {
            let dir = path.parent().unwrap_or(Path::new(""));
            inspect::log_id(disk.as_ref(), dir).map(|id| out.line(&Line::new("log", 0).with("id", id.0)))
        }
        IDENTITY_FILE => {
            let dir = path.parent().unwrap_or(Path::new(""));
            identity(disk, dir, Line::new("identity", 0), tally).map(|line| out.line(&line)).unwrap_or_default();
            Ok(())
        }
        _ => {
            let kinds = "a segment (.log), an index, a journal file, a snapshot, log.meta or identity";
            return Err(Failed::Unreadable(format!("{} is none of ours: give {kinds}", path.display())));
        }
    };
    if let Err(error) = looked {
        tally.findings.push(Finding::of(&error, path));
    }
    Ok(())
}

fn index_line(path: &Path, index: &inspect::IndexRead) -> Line {
    Line::new("index", 0)
        .with("path", path.display().to_string())
        .with("covers", index.covers)
        .with("first_index", index.first_index.0)
        .with("next_index", index.next_index.0)
        .with("base_offset", index.base_offset.0)
        .with("next_offset", index.next_offset.0)
        .with("max_timestamp", index.max_timestamp)
        .with("rows", index.rows.len())
        .with("own_frames", index.own_frames.len())
        .with("terms", index.terms.len())
}

/// Adds the identity of a data directory.
fn identity(disk: &Arc<dyn Disk>, root: &Path, line: Line, tally: &mut Tally) -> Option<Line> {
    let path = root.join(IDENTITY_FILE);
    match inspect::atomic(disk.as_ref(), &path)
        .map_err(NodeError::Storage)
        .and_then(|_| Identity::read(disk.as_ref(), root))
    {
        Ok(Some(identity)) => Some(
            line.with("node_id", identity.node_id)
                .with("directory_id", identity.directory_id.to_string())
                .with("cluster_id", identity.cluster_id.to_string()),
        ),
        Ok(None) => Some(line),
        Err(NodeError::Storage(error)) => {
            tally.findings.push(Finding::of(&error, &path));
            None
        }
        Err(error) => {
            tally.findings.push(Finding::damage(&path, 0, error.to_string()));
            None
        }
    }
}

/// A data directory.
struct DataDirectory<'a> {
    disk: &'a Arc<dyn Disk>,
    root: PathBuf,
    usage: Usage,
    journal: Option<inspect::JournalRead>,
}

impl<'a> DataDirectory<'a> {
    fn read(disk: &'a Arc<dyn Disk>, root: &Path, out: &mut Out, tally: &mut Tally) -> Result<Self, Failed> {
        let usage = usage(root);
        let line = Line::new("directory", 0).with("path", root.display().to_string());
        let line = match usage {
            Usage::Free => line.with("in_use", false),
            Usage::By(process) => line.with("in_use", true).with("used_by_process", process),
            Usage::Unknown => line,
        };
        if let Usage::By(process) = usage {
            eprintln!(
                "highwater: {} is in use by process {process}: parts are read at different moments",
                root.display()
            );
        }
        let bare = Line::new("directory", 0).with("path", root.display().to_string());
        let line = identity(disk, root, line, tally).unwrap_or(bare);
        out.line(&line);
        let dir = root.join("journal");
        let journal = match journal::read(disk, &dir, usage != Usage::Free) {
            Ok(journal) => Some(journal),
            Err(error) => {
                tally.findings.push(Finding::of(&error, &dir));
                None
            }
        };
        Ok(Self { disk, root: root.to_owned(), usage, journal })
    }

    fn look(&self, only: Option<&str>, shown: &Shown, out: &mut Out, tally: &mut Tally) -> Result<(), Failed> {
        let logs = self.root.join("logs");
        let nothing = Replay::default();
        let replay = self.journal.as_ref().map_or(&nothing, |journal| &journal.replay);
        let names = self.folders(&logs, tally);
        let topics = Topics::read(self.disk, &logs, replay);
        if let (Some(journal), None) = (&self.journal, only) {
            let dir = self.root.join("journal");
            journal::print(journal, &dir, shown, out);
            journal::findings(journal, &dir, names.len(), &mut tally.findings);
        }
        let mut known = Vec::new();
        for name in &names {
            let topic = topics.name(name);
            if only.is_some_and(|only| only != name && topic.as_deref() != Some(only)) {
                continue;
            }
            tally.logs += 1;
            let dir = logs.join(name);
            if let Ok(id) = inspect::log_id(self.disk.as_ref(), &dir) {
                if known.contains(&id) {
                    let reason = format!("it is a copy: another folder has the id {} too", id.0);
                    tally.findings.push(Finding::damage(&dir.join(META), 0, reason));
                }
                known.push(id);
            }
            self.look_at_log(dir, topic.as_deref(), replay, shown, out, tally);
        }
        match only {
            Some(only) if known.is_empty() && tally.logs == 0 => {
                return Err(Failed::NotFound(format!(
                    "{} has no log {only}: `highwater inspect {}` lists them",
                    logs.display(),
                    self.root.display()
                )));
            }
            Some(_) => tally.is_part = true,
            None => {
                for (id, _) in replay.logs.iter().filter(|(id, log)| !log.is_dropped && !known.contains(id)) {
                    let reason =
                        format!("the folder of log {} is gone, and the journal does not say that it was dropped", id.0);
                    // A log.meta that is bad was found already, and may be this one's.
                    if known.len() == names.len() && self.usage == Usage::Free {
                        tally.findings.push(Finding::damage(&logs, 0, reason));
                    }
                }
            }
        }
        Ok(())
    }

    /// A log; beside a node that runs, a damage counts if it is found twice.
    fn look_at_log(
        &self,
        dir: PathBuf,
        topic: Option<&str>,
        replay: &Replay,
        shown: &Shown,
        out: &mut Out,
        tally: &mut Tally,
    ) {
        let is_used = self.usage != Usage::Free;
        let before = tally.findings.len();
        let damages = tally.damages();
        let folder = LogFolder { disk: self.disk, dir: dir.clone(), topic, journal: Some(replay), is_used };
        folder.look(shown, out, tally);
        if !is_used || tally.damages() == damages {
            return;
        }
        let Ok(again) = journal::read(self.disk, &self.root.join("journal"), is_used) else { return };
        let mut second = Tally::default();
        let folder = LogFolder { disk: self.disk, dir, topic, journal: Some(&again.replay), is_used };
        folder.look(shown, &mut Out::new(false, true), &mut second);
        let found = tally.findings.split_off(before);
        let is_there = |finding: &Finding| {
            second.findings.iter().any(|other| (&other.path, other.position) == (&finding.path, finding.position))
        };
        tally
            .findings
            .extend(found.into_iter().filter(|finding| finding.severity != Severity::Damage || is_there(finding)));
    }

    /// The folders of logs. What a start removes is told.
    fn folders(&self, logs: &Path, tally: &mut Tally) -> Vec<String> {
        let entries = match self.disk.list(logs) {
            Ok(entries) => entries,
            Err(error) => {
                tally.findings.push(Finding::damage(logs, 0, format!("cannot list it: {error}")));
                return Vec::new();
            }
        };
        let folders = entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name);
        let (left, names) = folders.partition::<Vec<_>, _>(|name| inspect::is_leftover(name));
        for name in left {
            let reason = "a log that was being made or removed: a start removes it";
            tally.findings.push(Finding::new(Severity::Note, &logs.join(name), 0, reason));
        }
        names
    }
}

impl Shown {
    /// Whether only a part of each log is looked at.
    pub(crate) fn is_part(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    /// Whether a segment may hold offsets that are wanted; `behind` is where the next one begins.
    pub(crate) fn has(&self, base: Option<Offset>, behind: Option<Offset>) -> bool {
        let (first, end) = (base.unwrap_or(Offset(0)).0, behind.map_or(i64::MAX, |behind| behind.0));
        self.from.is_none_or(|from| end > from) && self.to.is_none_or(|to| first < to)
    }

    /// Whether an entry is wanted: one with records in the range, or a frame of our own that lies in it.
    pub(crate) fn has_entry(&self, entry: &EntryRead<'_>) -> bool {
        let (first, end) = match entry.frame {
            Frame::Batch(header, _) => (header.base_offset, header.next_offset().0),
            Frame::Own { next_offset, .. } => (next_offset.0, next_offset.0.saturating_add(1)),
        };
        self.from.is_none_or(|from| end > from) && self.to.is_none_or(|to| first < to)
    }
}

impl Tally {
    pub(crate) fn segment(&mut self, read: &SegmentRead) {
        self.segments += 1;
        self.bytes += read.length;
        self.batches += read.batches;
        self.records += read.records;
    }

    pub(crate) fn damages(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Damage).count()
    }

    /// Prints what was found, each once, and how much was looked at.
    fn print(&mut self, out: &mut Out) {
        let mut told: Vec<Finding> = Vec::new();
        for finding in self.findings.drain(..) {
            if !told.contains(&finding) {
                out.always(&finding.line());
                told.push(finding);
            }
        }
        self.findings = told;
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let line = Line::new("summary", 0)
            .with("state", if self.damages() == 0 { "good" } else { "damaged" })
            .with("checked", if self.is_part { "a part" } else { "all" })
            .with("logs", self.logs)
            .with("segments", self.segments)
            .with("segment_bytes", self.bytes)
            .with("batches", self.batches)
            .with("records", self.records)
            .with("damages", count(Severity::Damage))
            .with("torn", count(Severity::Torn))
            .with("notes", count(Severity::Note));
        out.always(&line);
    }
}
