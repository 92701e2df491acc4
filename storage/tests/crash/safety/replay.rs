//! Rule 1: what lies behind bytes that replay changed is of another history.

use super::*;

/// A follower has 50..60 of term 4, journalled. A leader of term 6 sends 50..70; the turn cuts and writes to the page cache;
/// the process is killed before the flush. Replay puts 50..60 of term 4 back. The tail 61..70 looks contiguous with a rising
/// term: kept, it would match the leader's probe at 70, and the replica would hold foreign records for ever.
#[test]
pub(super) fn rule_1_a_tail_behind_replayed_bytes_is_of_another_history() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush(&store, &mut log);
    cut(&mut log, 50);
    fill(&mut log, 70, 6);
    let (_, log, _) = reopened(&disk.after_kill());
    assert_eq!(runs(&log), [(4, 1, 60)]);
    for seed in 0..CUTS {
        let (_, log, _) = reopened(&disk.after_power_cut(seed));
        assert_eq!(runs(&log), [(4, 1, 60)], "power cut {seed}");
    }
}

/// The same, and the new leader's entries went on into further segments: these go too, from the last backwards.
#[test]
pub(super) fn rule_1_segments_behind_replayed_bytes_go_too() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush(&store, &mut log);
    cut(&mut log, 50);
    for to in [60, 65, 70] {
        fill(&mut log, to, 6);
        append_own(&mut log, FrameKind::Roll, 6);
    }
    for image in (0..CUTS).map(|seed| disk.after_power_cut(seed)).chain([disk.after_kill()]) {
        let (_, log, _) = reopened(&image);
        assert_eq!(runs(&log), [(4, 1, 60)]);
        assert_eq!(log.segments().len(), 1);
    }
}

/// The power cut's twin: 50..60 of term 4 and an unflushed tail up to 80 lie in the file. 50..52 of term 6 are flushed, and the
/// cut never reaches the disk: behind the newer bytes lies an old tail of a lower term.
#[test]
pub(super) fn rule_1_an_old_tail_behind_newer_bytes_is_cut() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush(&store, &mut log);
    fill(&mut log, 80, 4);
    log.take_changes();
    cut(&mut log, 50);
    fill(&mut log, 52, 6);
    flush(&store, &mut log);
    for image in (0..CUTS).map(|seed| disk.after_power_cut(seed)).chain([disk.after_kill()]) {
        let (_, log, _) = reopened(&image);
        assert_eq!(runs(&log), [(4, 1, 49), (6, 50, 52)]);
    }
}

/// Replay that writes before it cuts is stopped in between. The second replay finds its bytes in place, takes the tail behind
/// them for its own, and keeps foreign records.
#[test]
pub(super) fn rule_1_replay_that_is_stopped_cuts_again() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush(&store, &mut log);
    cut(&mut log, 50);
    fill(&mut log, 70, 6);
    let image = disk.after_kill();
    let mut stops = 0;
    loop {
        let stopped = image.after_kill();
        stopped.stop_at(stops + 1);
        if open(&stopped, 3).is_ok() {
            break;
        }
        stops += 1;
        for again in [stopped.after_kill(), stopped.after_power_cut(stops)] {
            let (_, log, _) = reopened(&again);
            assert_eq!(runs(&log), [(4, 1, 60)], "stopped at {stops}");
        }
    }
    assert!(stops > 8, "recovery does something: {stops}");
}

/// The journal holds a roll, the first entry of its segment. A new leader cuts it, the segment goes, and its own entries follow in the
/// segment before; the process is killed before the flush. Replay brings the segment back, and in front of it now lie entries of
/// another history: the log counted as damaged. So the record of such a cut comes first.
#[test]
pub(super) fn rule_1_a_whole_segment_is_cut_once_its_record_is_durable() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 20, 4);
    append_own(&mut log, FrameKind::Roll, 4);
    flush(&store, &mut log);
    let plan = log.plan_truncation(Index(21)).unwrap();
    if plan.waits_for_record {
        store.commit(&[LogChanges { log: log.id(), changes: vec![plan.change()] }]).unwrap();
    }
    assert!(log.truncate(&plan).unwrap());
    fill(&mut log, 25, 6);
    for image in (0..CUTS).map(|seed| disk.after_power_cut(seed)).chain([disk.after_kill()]) {
        let (_, log, _) = reopened(&image);
        let runs = runs(&log);
        assert_eq!(runs[0], (4, 1, 20));
        assert!(runs.get(1).is_none_or(|next| next.0 == 6 && next.1 == 21), "{runs:?}");
    }
}
