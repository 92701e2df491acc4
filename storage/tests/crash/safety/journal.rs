//! Rule 5: what a journal file must not take with it when it is used again.

use super::*;

/// The vote of an idle partition lives only in a journal file that is used again: a restart would vote twice.
#[test]
pub(super) fn rule_5_an_idle_partition_keeps_its_vote() {
    let (disk, store, log) = fresh("idle");
    vote(&store, &log, 7, 3);
    let mut busy = store.create_log("busy", &Snapshot::default()).unwrap();
    let mut most = 0;
    for round in 1..200 {
        fill(&mut busy, 10 * round, 1);
        flush(&store, &mut busy);
        store.upkeep().unwrap();
        most = most.max(journal_files(&disk).len());
    }
    assert!(most < 10, "{most} journal files");
    for seed in 0..20 {
        let opened = open(&disk.after_power_cut(seed), 4).unwrap();
        let idle = opened.logs.iter().find(|found| found.log.name() == "idle").unwrap();
        assert_eq!(idle.hard_state, HardState { term: 7, vote: 3, commit: 0 });
    }
}

/// A cut lives only in a file that is used again: the next start would take the shorter file for damage.
#[test]
pub(super) fn rule_5_a_cut_is_kept_until_a_sync_covers_it() {
    let (disk, store, mut log) = fresh("idle");
    fill(&mut log, 60, 4);
    flush_by_sync(&store, &mut log);
    let plan = log.plan_truncation(Index(50)).unwrap();
    store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).unwrap();
    assert!(log.truncate(&plan).unwrap());
    let mut busy = store.create_log("busy", &Snapshot::default()).unwrap();
    for round in 1..60 {
        fill(&mut busy, 10 * round, 1);
        flush(&store, &mut busy);
        store.upkeep().unwrap();
        let opened = open(&disk.after_power_cut(round), 4).unwrap();
        let idle = opened.logs.iter().find(|found| found.log.name() == "idle").unwrap();
        assert_eq!(idle.damage, None, "round {round}");
        assert_eq!(runs(&idle.log), [(4, 1, 49)], "round {round}");
    }
}

/// A log is cut, goes on in a new segment, and the one in front is trimmed. The journal still holds appends into that segment and
/// the cuts behind them: replay makes the file anew with a hole in front, and all behind the hole is lost.
#[test]
pub(super) fn rule_5_a_segment_that_the_journal_speaks_of_is_not_trimmed() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 10, 1);
    flush_by_sync(&store, &mut log);
    fill(&mut log, 20, 1);
    flush(&store, &mut log);
    cut(&mut log, 11);
    append_own(&mut log, FrameKind::Roll, 2);
    fill(&mut log, 15, 2);
    flush(&store, &mut log);
    crate::common::save_snapshot(&log, Index(11));
    assert_eq!(log.trim(log.next_offset(), Index(11)).unwrap(), []);
    flush_by_sync(&store, &mut log);
    assert_eq!(log.trim(log.next_offset(), Index(11)).unwrap().len(), 1);
    for image in (0..CUTS).map(|seed| disk.after_power_cut(seed)).chain([disk.after_kill()]) {
        let (_, log, _) = reopened(&image);
        assert_eq!(runs(&log), [(2, 11, 15)]);
    }
}

/// Files fill up and no checkpoint comes: nothing may be recycled. The store says that it takes no more, and once upkeep has
/// run it takes again, in as few files as before.
#[test]
pub(super) fn rule_5_full_files_are_bounded_and_upkeep_frees_them() {
    let (disk, store, mut log) = fresh("one");
    let mut flushes = 0;
    while !store.above_unsynced_limit() {
        let to = log.last().index.0 + 20;
        fill(&mut log, to, 1);
        flush(&store, &mut log);
        flushes += 1;
        assert!(flushes < 200, "it never says that it is full");
    }
    let (_, whole, _) = reopened(&disk.after_power_cut(9));
    assert_eq!(whole.last(), log.last());
    for _ in 0..3 {
        assert_eq!(store.upkeep().unwrap().len(), 0);
        let to = log.last().index.0 + 1;
        fill(&mut log, to, 1);
        flush(&store, &mut log);
    }
    assert!(!store.above_unsynced_limit());
    assert!(journal_files(&disk).len() <= 6, "{:?}", journal_files(&disk));
    let (_, whole, _) = reopened(&disk.after_power_cut(10));
    assert_eq!(whole.last(), log.last());
}

/// A descriptor closed with unsynced bytes loses a write-back error: the reopened one says OK. And an fsync that failed says OK
/// when it is called again. Neither may become a checkpoint.
#[test]
pub(super) fn rule_5_a_sync_that_failed_is_never_tried_again() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 30, 1);
    let mut others: Vec<Log> =
        (0..12).map(|number| store.create_log(&format!("other-{number}"), &Snapshot::default()).unwrap()).collect();
    others.iter_mut().for_each(|other| fill(other, 5, 1));
    disk.fail_sync_of("/one/");
    let first = log.handle().sync().unwrap_err();
    assert!(matches!(&first, StorageError::Io { action: "sync", path, .. } if path.starts_with("/data/logs/one")));
    for _ in 0..2 {
        let error = log.handle().sync().unwrap_err().to_string();
        assert!(
            error.contains("log one is out of use since an earlier failure: cannot sync /data/logs/one"),
            "{error}"
        );
    }
    let (at, offset) = next(&log, 1);
    let entry = batch(at, offset, 1, 10, 0);
    assert!(matches!(log.append(&[entry]), Err(StorageError::Poisoned { .. })));
    assert!(others.iter().all(|other| other.handle().sync().is_ok()), "one log's failure is not another's");
}

/// The kernel fails to write unsynced bytes back and tells whoever has the file open. Were the file closed before, to keep few files
/// open, the sync of the file that is opened anew would say OK, and a checkpoint would stand over bytes that are nowhere.
#[test]
pub(super) fn rule_5_a_file_with_unsynced_bytes_keeps_its_descriptor() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 30, 1);
    let mut others: Vec<Log> =
        (0..12).map(|number| store.create_log(&format!("other-{number}"), &Snapshot::default()).unwrap()).collect();
    others.iter_mut().for_each(|other| fill(other, 5, 1));
    disk.lose_writeback_of("/one/");
    assert!(log.handle().sync().is_err());
    assert!(others.iter().all(|other| other.handle().sync().is_ok()), "one log's failure is not another's");
}

/// One log's segment cannot be synced, so no checkpoint will ever cover what the journal holds of it. Were its files kept for
/// it they would fill up, and one bad partition would stop every other. Were they used again without it, a restart would find
/// acknowledged entries neither in the segment nor in the journal.
#[test]
pub(super) fn rule_5_a_log_out_of_use_holds_nothing_up_and_loses_nothing() {
    let (disk, store, mut bad) = fresh("one");
    let mut good = store.create_log("two", &Snapshot::default()).unwrap();
    fill(&mut bad, 30, 1);
    flush(&store, &mut bad);
    fill(&mut good, 5, 1);
    flush(&store, &mut good);
    fill(&mut bad, 50, 1);
    flush(&store, &mut bad);
    disk.fail_sync_of("/one/");
    assert!(bad.handle().sync().is_err());
    for round in 0..60 {
        let to = good.last().index.0 + 20;
        fill(&mut good, to, 1);
        flush(&store, &mut good);
        store.upkeep().unwrap();
        assert!(!store.above_unsynced_limit(), "round {round}: a log out of use stops the others");
    }
    assert!(journal_files(&disk).len() <= 6, "{:?}", journal_files(&disk));
    for seed in 0..CUTS {
        let opened = open(&disk.after_power_cut(seed), 2).unwrap();
        let found: Vec<_> = opened.logs.iter().map(|log| (log.damage.is_none(), runs(&log.log))).collect();
        let all_good = vec![(1, 1, good.last().index.0)];
        assert_eq!(found, [(true, vec![(1, 1, 50)]), (true, all_good)], "power cut {seed}");
    }
}
