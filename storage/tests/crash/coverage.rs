//! Which operations of the disk were crashed at, by their kind and by the file they are done to.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::Path;

use highwater_storage::disk::sim::{Operation, OperationKind};

use OperationKind::{Create, CreateDir, Remove, RemoveDir, Rename, SetLength, Sync, SyncDir, Write};

/// All that the store asks of a disk. A new kind of operation, or a file that had none of it before, belongs here; the harness
/// fails until it is listed, and until it crashes there.
pub(crate) const OPERATIONS: [(OperationKind, &str); 36] = [
    (Create, "journal"),
    (Create, "segment"),
    (Create, "index"),
    (Create, "log.meta, aside"),
    (Create, "snapshot, aside"),
    (Write, "journal"),
    (Write, "segment"),
    (Write, "index"),
    (Write, "log.meta, aside"),
    (Write, "snapshot, aside"),
    (SetLength, "segment"),
    (Sync, "journal"),
    (Sync, "segment"),
    (Sync, "log.meta, aside"),
    (Sync, "snapshot, aside"),
    (Rename, "log.meta"),
    (Rename, "snapshot"),
    (Rename, "a log's directory"),
    (Rename, "a log put aside"),
    (Remove, "journal"),
    (Remove, "segment"),
    (Remove, "index"),
    (Remove, "snapshot"),
    (Remove, "snapshot, aside"),
    (Remove, "file of a log put aside"),
    (CreateDir, "root"),
    (CreateDir, "journal's directory"),
    (CreateDir, "logs' directory"),
    (CreateDir, "a log put aside"),
    (RemoveDir, "a log put aside"),
    (SyncDir, "parent of the root"),
    (SyncDir, "root"),
    (SyncDir, "journal's directory"),
    (SyncDir, "logs' directory"),
    (SyncDir, "a log's directory"),
    (SyncDir, "a log put aside"),
];

/// Crashes by operation.
#[derive(Default)]
pub(crate) struct Coverage(BTreeMap<(OperationKind, &'static str), Crashes>);

#[derive(Clone, Copy, Default)]
struct Crashes {
    in_work: u64,
    in_recovery: u64,
}

impl Coverage {
    pub(crate) fn note(&mut self, operation: &Operation, is_recovery: bool) {
        let crashes = self.0.entry((operation.kind, class(operation.kind, &operation.path))).or_default();
        *if is_recovery { &mut crashes.in_recovery } else { &mut crashes.in_work } += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (operation, crashes) in &other.0 {
            let sum = self.0.entry(*operation).or_default();
            sum.in_work += crashes.in_work;
            sum.in_recovery += crashes.in_recovery;
        }
    }

    /// Operations that no crash came upon.
    pub(crate) fn missing(&self) -> Vec<(OperationKind, &'static str)> {
        OPERATIONS.into_iter().filter(|operation| !self.0.contains_key(operation)).collect()
    }

    /// Operations that are not listed.
    pub(crate) fn unlisted(&self) -> Vec<(OperationKind, &'static str)> {
        self.0.keys().copied().filter(|operation| !OPERATIONS.contains(operation)).collect()
    }
}

impl Display for Coverage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<10} {:<24} {:>16} {:>20}", "operation", "of", "crashes at work", "crashes in recovery")?;
        for ((kind, class), crashes) in &self.0 {
            let (kind, Crashes { in_work, in_recovery }) = (format!("{kind:?}"), crashes);
            writeln!(out, "{kind:<10} {class:<24} {in_work:>16} {in_recovery:>20}")?;
        }
        Ok(())
    }
}

/// What a path belongs to.
fn class(kind: OperationKind, path: &Path) -> &'static str {
    let text = path.to_string_lossy();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_aside = |text: &str| text.ends_with(".new") || text.ends_with(".gone");
    match &*text {
        "/" => return "parent of the root",
        "/data" => return "root",
        "/data/journal" => return "journal's directory",
        "/data/logs" => return "logs' directory",
        _ => {}
    }
    let parent = path.parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
    match &*name {
        _ if is_aside(&name) => "a log put aside",
        _ if parent == "/data/logs" => "a log's directory",
        _ if is_aside(&parent) && kind == Remove => "file of a log put aside",
        "log.meta" => "log.meta",
        "log.meta.tmp" => "log.meta, aside",
        name if name.ends_with(".snapshot.tmp") => "snapshot, aside",
        name if name.ends_with(".snapshot") => "snapshot",
        name if name.ends_with(".journal") => "journal",
        name if name.ends_with(".log") => "segment",
        name if name.ends_with(".index") => "index",
        _ => "of nothing that is known",
    }
}
