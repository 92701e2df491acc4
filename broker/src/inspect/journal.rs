//! The journal: its files, its records, and where it stops being good.

use std::path::Path;
use std::sync::Arc;

use highwater_storage::disk::Disk;
use highwater_storage::error::StorageError;
use highwater_storage::inspect::{self, JournalFile, JournalRead};

use super::Shown;
use super::entry::journal_record;
use super::finding::{Finding, Severity};
use super::line::{Line, Out};

/// Reads of a journal that another process writes meanwhile, until one of them hangs together.
const READS: usize = 5;

/// Reads the journal of a directory; while a node writes it, until what was read hangs together.
pub(super) fn read(disk: &Arc<dyn Disk>, dir: &Path, is_used: bool) -> Result<JournalRead, StorageError> {
    let mut journal = inspect::journal(disk, dir)?;
    for _ in 1..READS {
        if !is_used || is_whole(&journal) {
            break;
        }
        journal = inspect::journal(disk, dir)?;
    }
    Ok(journal)
}

fn is_whole(journal: &JournalRead) -> bool {
    let is_any_damaged = journal.replay.logs.values().any(|log| log.state.is_damaged);
    journal.failed.is_empty() && journal.replay.gaps.is_empty() && !journal.replay.all_damaged && !is_any_damaged
}

/// Prints a journal, its files, and their records if they are wanted.
pub(super) fn print(journal: &JournalRead, dir: &Path, shown: &Shown, out: &mut Out) {
    let replay = &journal.replay;
    let records: usize = journal.files.iter().map(|file| file.records.len()).sum();
    let newest = journal.files.iter().flat_map(|file| &file.records).max_by_key(|record| record.sequence);
    let line = Line::new("journal", 0)
        .with("path", dir.display().to_string())
        .with("files", journal.files.len())
        .with("records", records)
        .with("newest_sequence", newest.map(|record| record.sequence))
        .with("needed_from", newest.map(|record| record.needed_from))
        .with("next_lap", replay.next_lap.map(|lap| format!("{lap:#018x}")))
        .with("newest_log", replay.highest_log)
        .with("logs", replay.logs.len());
    out.line(&line);
    for file in &journal.files {
        print_file(file, 1, shown.entries, out);
    }
}

/// Prints one file.
pub(super) fn print_file(file: &JournalFile, depth: usize, with_records: bool, out: &mut Out) {
    let (first, last) = (file.records.first(), file.records.last());
    let line = Line::new("journal_file", depth)
        .with("path", file.path.display().to_string())
        .with("bytes", file.length)
        .with("used_bytes", last.map_or(0, |record| record.position + record.length))
        .with("lap", first.map(|record| format!("{:#018x}", record.lap)))
        .with("records", file.records.len())
        .with("first_sequence", first.map(|record| record.sequence))
        .with("last_sequence", last.map(|record| record.sequence))
        .with("unfinished_at", file.torn);
    out.line(&line);
    if with_records {
        file.records.iter().for_each(|record| out.line(&journal_record(&file.path, record, depth + 1)));
    }
}

/// What is wrong with a journal, beside that many logs.
pub(super) fn findings(journal: &JournalRead, dir: &Path, logs: usize, findings: &mut Vec<Finding>) {
    for gap in &journal.replay.gaps {
        let reason = match gap.missing {
            Some(1) => "a record is missing here in front of a good one: the logs that it held may have lost something"
                .to_owned(),
            Some(missing) => format!(
                "{missing} records are missing here in front of a good one: nobody knows what they held, every log may have lost something"
            ),
            None => "the first record of the newest file is bad: every log may have lost something".to_owned(),
        };
        findings.push(Finding::damage(&gap.path, gap.position, reason));
    }
    let newest = journal.files.iter().max_by_key(|file| file.records.last().map(|record| record.sequence));
    if let Some((path, position)) = newest.and_then(|file| Some((&file.path, file.torn?))) {
        let reason = "the last record was never finished, and so never acknowledged: a start ignores it";
        findings.push(Finding::new(Severity::Torn, path, position, reason));
    }
    if journal.replay.sequence == 0 && logs > 0 {
        let path = journal.files.first().map_or(dir, |file| &file.path);
        findings.push(Finding::damage(path, 0, "the journal has not one good record, and there are logs"));
    }
    findings.extend(journal.failed.iter().map(|error| Finding::of(error, dir)));
}
