//! The rules for journal and recovery that look too strict until one sees what happens without them: each test opens with the
//! schedule that loses data.

use std::path::{Path, PathBuf};

use highwater_protocol::ids::{Index, Offset};
use highwater_storage::disk::sim::{Operation, OperationKind, SimDisk};
use highwater_storage::disk::{Disk, OpenMode};
use highwater_storage::entry::{FrameKind, LogEntry};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, HardState, LogChanges};
use highwater_storage::log::{Batches, Log, Snapshot};
use highwater_storage::store::{Options, Store};

use crate::common::{
    append_batch, append_own, batch, content, flush, flush_by_sync, fresh, id, indices, next, only, open, open_with,
    own, small, vote,
};

mod checkpoints;
mod compaction;
mod journal;
mod records;
mod replay;
mod tail;

macro_rules! schedules {
    ($($name:path),* $(,)?) => {
        /// The schedules by name, for the proof that each of them can fail.
        pub(crate) const SCHEDULES: &[(&str, fn())] = &[$((stringify!($name), $name)),*];
    };
}

schedules![
    replay::rule_1_a_tail_behind_replayed_bytes_is_of_another_history,
    replay::rule_1_segments_behind_replayed_bytes_go_too,
    replay::rule_1_an_old_tail_behind_newer_bytes_is_cut,
    replay::rule_1_replay_that_is_stopped_cuts_again,
    replay::rule_1_a_whole_segment_is_cut_once_its_record_is_durable,
    checkpoints::rule_4_a_segment_that_was_synced_is_a_checkpoint,
    checkpoints::rule_4_a_cut_below_the_checkpoint_waits_for_its_record,
    checkpoints::rule_4_a_late_checkpoint_says_nothing_of_what_came_after_it,
    checkpoints::rule_4_the_checkpoint_behind_a_cut_covers_the_directory,
    checkpoints::rule_4_a_plan_that_a_checkpoint_has_overtaken_is_refused,
    checkpoints::rule_4_an_index_does_not_outlive_a_cut,
    journal::rule_5_an_idle_partition_keeps_its_vote,
    journal::rule_5_a_cut_is_kept_until_a_sync_covers_it,
    journal::rule_5_a_segment_that_the_journal_speaks_of_is_not_trimmed,
    journal::rule_5_full_files_are_bounded_and_upkeep_frees_them,
    journal::rule_5_a_sync_that_failed_is_never_tried_again,
    journal::rule_5_a_file_with_unsynced_bytes_keeps_its_descriptor,
    journal::rule_5_a_log_out_of_use_holds_nothing_up_and_loses_nothing,
    records::rule_6_what_a_start_has_believed_stays,
    records::rule_6_a_torn_record_of_an_earlier_life_is_no_damage,
    records::rule_6_a_bad_record_before_a_good_one_damages_the_logs_it_held,
    records::rule_6_two_bad_records_damage_every_log,
    records::rule_6_a_file_without_its_first_record_damages_every_log,
    records::rule_6_a_payload_that_imitates_a_record_is_none,
    tail::rule_7_a_record_is_durable_before_recovery_acts_on_it,
    tail::rule_7_a_cut_that_only_the_page_cache_knows_does_not_come_undone,
    tail::rule_7_a_tail_that_was_kept_is_durable,
    tail::rule_7_a_log_does_not_begin_behind_a_hole,
    tail::rule_7_bytes_that_a_failed_fsync_lost_are_written_anew,
    tail::rule_7_a_start_after_all_is_checkpointed_writes_no_segment,
    compaction::rule_compaction_the_new_file_is_durable_before_it_has_the_name,
    compaction::rule_compaction_no_index_speaks_of_the_other_file,
    compaction::rule_compaction_a_tombstone_stays_for_its_time,
    tail::rule_13_a_cut_does_not_call_durable_what_no_record_holds,
];

/// Power cuts that are tried where a schedule leaves bytes unsynced.
const CUTS: u64 = 200;

/// Entries up to an index, each of one record and of the same size.
fn fill(log: &mut Log, to: u64, term: i32) {
    while log.last().index.0 < to {
        let (id, offset) = next(log, term);
        let entry =
            if id.index.0 == 1 { own(FrameKind::Noop, id, offset, b"") } else { batch(id, offset, 1, 100, 1_000) };
        log.append(std::slice::from_ref(&entry)).unwrap();
    }
}

fn cut(log: &mut Log, from: u64) {
    let plan = log.plan_truncation(Index(from)).unwrap();
    assert!(!plan.waits_for_record);
    assert!(log.truncate(&plan).unwrap());
}

fn reopened(image: &SimDisk) -> (std::sync::Arc<Store>, Log, HardState) {
    only(open(image, 2).unwrap())
}

/// All records of a test in one file.
fn long_journal() -> Options {
    Options { journal_file_bytes: 1 << 20, ..small() }
}

/// What a log holds, as runs of (term, first index, last index).
fn runs(log: &Log) -> Vec<(i32, u64, u64)> {
    let mut runs: Vec<(i32, u64, u64)> = Vec::new();
    for (index, term) in indices(log) {
        match runs.last_mut() {
            Some(last) if last.0 == term => last.2 = index,
            _ => runs.push((term, index, index)),
        }
    }
    runs
}

/// The files of the journal, oldest record first.
fn journal_files(disk: &SimDisk) -> Vec<PathBuf> {
    let files = crate::common::files(disk, "/data/journal");
    files.into_iter().map(|(path, _)| path).collect()
}

/// Where the records of a journal file begin, and their sequence numbers.
fn records_in(disk: &SimDisk, path: &Path) -> Vec<(usize, u64)> {
    let bytes = content(disk, path);
    let blocks = bytes.chunks(4096).enumerate().filter(|(_, block)| block.starts_with(b"HWJR"));
    blocks.map(|(place, block)| (place * 4096, u64::from_be_bytes(block[16..24].try_into().unwrap()))).collect()
}

/// The place of a record by its age: 0 is the newest.
fn record(disk: &SimDisk, age: usize) -> (PathBuf, usize) {
    let mut all: Vec<(u64, PathBuf, usize)> = Vec::new();
    for path in journal_files(disk) {
        all.extend(records_in(disk, &path).into_iter().map(|(at, sequence)| (sequence, path.clone(), at)));
    }
    all.sort();
    let (_, path, at) = all.swap_remove(all.len() - 1 - age);
    (path, at)
}

#[test]
fn every_schedule_is_listed() {
    let rules = [
        include_str!("checkpoints.rs"),
        include_str!("compaction.rs"),
        include_str!("journal.rs"),
        include_str!("records.rs"),
        include_str!("replay.rs"),
        include_str!("tail.rs"),
    ];
    let told: usize = rules.iter().map(|file| file.matches("\npub(super) fn rule_").count()).sum();
    assert_eq!(told, SCHEDULES.len());
}
