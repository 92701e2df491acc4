//! Rules 7 and 13: what recovery keeps is written anew, and what the page cache alone had is not called durable.

use super::*;

/// A cut below the checkpoint was journalled, and the process killed before the flush returned: only the page cache holds the record.
/// Recovery cuts because of it and is stopped, the power fails, and the record is gone: the short file looks like damage. So what
/// recovery acts on is made durable first.
#[test]
pub(super) fn rule_7_a_record_is_durable_before_recovery_acts_on_it() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush_by_sync(&store, &mut log);
    let plan = log.plan_truncation(Index(50)).unwrap();
    disk.fail_sync_of(".journal");
    assert!(store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).is_err());
    let image = disk.after_kill();
    let mut stops = 0;
    loop {
        let stopped = image.after_kill();
        stopped.stop_at(stops + 1);
        if open(&stopped, 3).is_ok() {
            break;
        }
        stops += 1;
        for seed in 0..10 {
            let (_, log, _) = reopened(&stopped.after_power_cut(seed));
            let found = runs(&log);
            assert!(found == [(4, 1, 49)] || found == [(4, 1, 60)], "stopped at {stops}, power cut {seed}: {found:?}");
        }
    }
    assert!(stops > 5, "recovery does something: {stops}");
}

/// The process cut a file and was killed before it was synced. Recovery finds the file as short as it should be, has nothing to
/// write, and does not sync it; a power cut brings back what was cut.
#[test]
pub(super) fn rule_7_a_cut_that_only_the_page_cache_knows_does_not_come_undone() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush_by_sync(&store, &mut log);
    let plan = log.plan_truncation(Index(50)).unwrap();
    store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).unwrap();
    let segment = Path::new("/data/logs/one/00000000000000000000.log");
    let file = disk.open(segment, OpenMode::ReadWrite).unwrap();
    let whole = file.length().unwrap();
    assert!(log.truncate(&plan).unwrap());
    let short = file.length().unwrap();
    let uncut = disk.after_kill();
    // As the kill leaves it: the file is cut, and its length is not synced.
    let file = uncut.open(segment, OpenMode::ReadWrite).unwrap();
    file.write_at(&[&vec![7; usize::try_from(whole - short).unwrap()]], short).unwrap();
    file.sync_data().unwrap();
    file.set_len(short).unwrap();
    let (_, found, _) = reopened(&uncut);
    assert_eq!(runs(&found), [(4, 1, 49)]);
    for seed in 0..CUTS {
        let after = uncut.after_power_cut(seed);
        assert_eq!(content(&after, segment).len() as u64, short, "power cut {seed}");
    }
}

/// Records that were only in the page cache are found after a kill and given to Raft, which takes them for persisted and lets
/// others count on them. A power cut must not take them back.
#[test]
pub(super) fn rule_7_a_tail_that_was_kept_is_durable() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 10, 1);
    flush(&store, &mut log);
    fill(&mut log, 40, 1);
    append_own(&mut log, FrameKind::Roll, 1);
    append_batch(&mut log, 2, 3, 9_000, 5);
    let image = disk.after_kill();
    let (_, kept, _) = reopened(&image);
    assert_eq!(runs(&kept), [(1, 1, 41), (2, 42, 42)]);
    for seed in 0..CUTS {
        let (_, log, _) = reopened(&image.after_power_cut(seed));
        assert_eq!(runs(&log), [(1, 1, 41), (2, 42, 42)], "power cut {seed}");
    }
}

/// Nothing was flushed, and of two segments the power cut keeps the second: a log that began there would have a hole in front.
#[test]
pub(super) fn rule_7_a_log_does_not_begin_behind_a_hole() {
    let (disk, _store, mut log) = fresh("one");
    fill(&mut log, 20, 1);
    append_own(&mut log, FrameKind::Roll, 1);
    fill(&mut log, 30, 1);
    let mut found = std::collections::BTreeSet::new();
    for seed in 0..CUTS {
        let (_, log, _) = reopened(&disk.after_power_cut(seed));
        let runs = runs(&log);
        assert!(runs.is_empty() || runs[0].1 == 1, "power cut {seed}: {runs:?}");
        found.insert(log.last().index);
    }
    assert!(found.len() > 3, "power cuts that leave this and that: {found:?}");
}

/// The same after an fsync that failed: the page cache shows bytes that it calls clean and the disk never got. A sync alone would
/// say OK; so what is kept is written anew.
#[test]
pub(super) fn rule_7_bytes_that_a_failed_fsync_lost_are_written_anew() {
    let (disk, _store, mut log) = fresh("one");
    fill(&mut log, 40, 1);
    disk.fail_sync_of("/one/");
    assert!(log.handle().sync().is_err());
    let image = disk.after_kill();
    let (_, kept, _) = reopened(&image);
    assert_eq!(runs(&kept), [(1, 1, 40)]);
    for seed in 0..CUTS {
        let (_, log, _) = reopened(&image.after_power_cut(seed));
        assert_eq!(runs(&log), [(1, 1, 40)], "power cut {seed}");
    }
}

/// The last checkpoint stands in for the journal: a start after a clean stop writes no segment.
#[test]
pub(super) fn rule_7_a_start_after_all_is_checkpointed_writes_no_segment() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 40, 1);
    flush_by_sync(&store, &mut log);
    drop((store, log));
    let operations = operations_of_start(&disk);
    assert!(operations.len() > 3, "a start begins the journal anew: {operations:?}");
    let changes = |operation: &&Operation| {
        let is_change = matches!(operation.kind, OperationKind::Write | OperationKind::SetLength);
        is_change && operation.path.starts_with("/data/logs")
    };
    assert_eq!(operations.iter().find(changes), None);
}

/// What a start asks of the disk.
fn operations_of_start(disk: &SimDisk) -> Vec<Operation> {
    let stopped_at = |operation: u64| {
        let stopped = disk.after_kill();
        stopped.stop_at(operation);
        drop(open(&stopped, 6));
        stopped.stopped_at()
    };
    (1..).map_while(stopped_at).collect()
}

/// What a log did in `flush.mode=os`: its entries are in the page cache alone, its cuts are journalled.
fn flush_without_entries(store: &Store, log: &mut Log) {
    let mut changes = log.take_changes();
    changes.retain(|change| !matches!(change, Change::Append(_)));
    store.commit(&[LogChanges { log: log.id(), changes }]).unwrap();
}

/// Entries of a log in `flush.mode=os` are cut, and the cut's record said that the entry in front of it is durable. The power
/// fails, and what the mode may lose is lost: the log was taken for a damaged one and went offline.
#[test]
pub(super) fn rule_13_a_cut_does_not_call_durable_what_no_record_holds() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 30, 4);
    append_own(&mut log, FrameKind::Roll, 4);
    fill(&mut log, 60, 4);
    cut(&mut log, 50);
    flush_without_entries(&store, &mut log);
    vote(&store, &log, 5, 1);
    let mut found = std::collections::BTreeSet::new();
    for seed in 0..CUTS {
        let (_, log, state) = reopened(&disk.after_power_cut(seed));
        assert_eq!(state.term, 5, "the hard state is journalled in every mode");
        assert!(log.last().index.0 < 50, "power cut {seed}: {:?}", log.last());
        found.insert(log.last().index);
    }
    assert!(found.len() > 3, "power cuts that leave this and that: {found:?}");
    let (_, log, _) = reopened(&disk.after_kill());
    assert_eq!(runs(&log), [(4, 1, 49)]);
}

/// An index lay beside a segment that it did not describe, and reached behind the checkpoint: the start did not believe it and
/// read the segment instead. Then the checkpoint moved, the index lay below it, and the next start took its terms for the log's.
#[test]
fn an_index_that_a_start_did_not_believe_is_gone_for_the_next() {
    let (other, store, mut log) = fresh("t");
    fill(&mut log, 4, 1);
    append_own(&mut log, FrameKind::Roll, 1);
    flush_by_sync(&store, &mut log);
    let files = crate::common::files(&other, "/data/logs");
    let (path, index) = files.into_iter().find(|(path, _)| path.extension() == Some("index".as_ref())).unwrap();

    let (disk, _store, mut log) = fresh("t");
    fill(&mut log, 4, 2);
    let file = disk.open(&path, OpenMode::CreateNew).unwrap();
    file.write_at(&[&index], 0).unwrap();
    let mut image = disk;
    for seed in 2..5 {
        image = image.after_kill();
        let (_, log, _) = only(open(&image, seed).unwrap());
        assert_eq!(runs(&log), [(2, 1, 4)]);
        assert_eq!(log.term_at(Index(4)).map(|term| term.0), Some(2));
    }
}
