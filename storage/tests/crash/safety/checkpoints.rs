//! Rule 4: what a checkpoint covers, and what a cut below it waits for.

use super::*;

/// The journal holds 41..60 of term 4. 50..200 of term 6 are flushed by a sync of the segment. Were that no checkpoint, replay of
/// the old record would overwrite the only copy of 50..60 of term 6.
#[test]
pub(super) fn rule_4_a_segment_that_was_synced_is_a_checkpoint() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 40, 4);
    flush_by_sync(&store, &mut log);
    fill(&mut log, 60, 4);
    flush(&store, &mut log);
    cut(&mut log, 50);
    fill(&mut log, 120, 6);
    append_own(&mut log, FrameKind::Roll, 6);
    fill(&mut log, 200, 6);
    flush_by_sync(&store, &mut log);
    for image in (0..CUTS).map(|seed| disk.after_power_cut(seed)).chain([disk.after_kill()]) {
        let (_, log, _) = reopened(&image);
        assert_eq!(runs(&log), [(4, 1, 49), (6, 50, 200)]);
    }
}

/// A cut below the checkpoint, and a kill before its record: a healthy node would read its own short file as damage. So the cut
/// waits for the record; and where the record is durable and the cut was not made, recovery makes it.
#[test]
pub(super) fn rule_4_a_cut_below_the_checkpoint_waits_for_its_record() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush_by_sync(&store, &mut log);
    let plan = log.plan_truncation(Index(50)).unwrap();
    assert!(plan.waits_for_record);
    let (_, kept, _) = reopened(&disk.after_kill());
    assert_eq!(runs(&kept), [(4, 1, 60)]);
    store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).unwrap();
    for image in [disk.after_power_cut(1), disk.after_kill()] {
        let (_, cut, _) = reopened(&image);
        assert_eq!(runs(&cut), [(4, 1, 49)]);
    }
    assert!(log.truncate(&plan).unwrap());
    fill(&mut log, 55, 6);
    flush(&store, &mut log);
    for seed in 0..CUTS {
        let (_, log, _) = reopened(&disk.after_power_cut(seed));
        assert_eq!(runs(&log), [(4, 1, 49), (6, 50, 55)], "power cut {seed}");
    }
}

/// Upkeep syncs a log and is slow to journal the checkpoint. Meanwhile entries are flushed, or the log is cut: the late checkpoint
/// must neither throw away the younger entries nor call the cut ones durable.
#[test]
pub(super) fn rule_4_a_late_checkpoint_says_nothing_of_what_came_after_it() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 40, 4);
    flush(&store, &mut log);
    let late = log.handle().sync().unwrap();
    let one = log.id();
    let journal_late = || {
        store.commit(&[LogChanges { log: one, changes: vec![Change::Checkpoint(late)] }]).unwrap();
    };
    fill(&mut log, 60, 4);
    let changes = log.take_changes();
    store.commit(&[LogChanges { log: log.id(), changes }]).unwrap();
    journal_late();
    for seed in 0..CUTS {
        let (_, log, _) = reopened(&disk.after_power_cut(seed));
        assert_eq!(runs(&log), [(4, 1, 60)], "power cut {seed}");
    }
    let plan = log.plan_truncation(Index(30)).unwrap();
    store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).unwrap();
    journal_late();
    assert!(log.truncate(&plan).unwrap());
    for image in (0..CUTS).map(|seed| disk.after_power_cut(seed)).chain([disk.after_kill()]) {
        let (_, log, _) = reopened(&image);
        assert_eq!(runs(&log), [(4, 1, 29)]);
    }
}

/// A cut removes a whole segment, a sync follows, and its checkpoint makes the cut's record needless. If the directory is not part
/// of that sync, a power cut brings the segment's name back, and with it entries that were cut.
#[test]
pub(super) fn rule_4_the_checkpoint_behind_a_cut_covers_the_directory() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 20, 4);
    append_own(&mut log, FrameKind::Roll, 4);
    fill(&mut log, 30, 4);
    flush_by_sync(&store, &mut log);
    let plan = log.plan_truncation(Index(21)).unwrap();
    store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).unwrap();
    assert!(log.truncate(&plan).unwrap());
    flush_by_sync(&store, &mut log);
    for image in (0..CUTS).map(|seed| disk.after_power_cut(seed)).chain([disk.after_kill()]) {
        let (_, log, _) = reopened(&image);
        assert_eq!(runs(&log), [(4, 1, 20)]);
    }
}

/// A cut was planned above the checkpoint, and a sync in between has moved that.
#[test]
pub(super) fn rule_4_a_plan_that_a_checkpoint_has_overtaken_is_refused() {
    let (_, _, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    let plan = log.plan_truncation(Index(50)).unwrap();
    assert!(!plan.waits_for_record);
    log.handle().sync().unwrap();
    assert!(!log.truncate(&plan).unwrap());
    assert_eq!(runs(&log), [(4, 1, 60)]);
    assert!(log.plan_truncation(Index(50)).unwrap().waits_for_record);
}

/// A sealed segment was cut and written on, and a sync made a checkpoint of it. An index from before the cut lies below that
/// checkpoint, so a start would believe it: terms and places of bytes that are others now.
#[test]
pub(super) fn rule_4_an_index_does_not_outlive_a_cut() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 1);
    append_own(&mut log, FrameKind::Roll, 1);
    flush_by_sync(&store, &mut log);
    let plan = log.plan_truncation(Index(50)).unwrap();
    store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).unwrap();
    assert!(log.truncate(&plan).unwrap());
    fill(&mut log, 80, 2);
    flush_by_sync(&store, &mut log);
    let (_, log, _) = reopened(&disk.after_kill());
    assert_eq!(runs(&log), [(1, 1, 49), (2, 50, 80)]);
    assert_eq!(log.term_at(Index(55)).map(|term| term.0), Some(2));
}
