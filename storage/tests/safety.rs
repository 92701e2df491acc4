//! The rules for journal and recovery that look too strict until one sees what happens without them: each test opens with the
//! schedule that loses data.

mod common;

use std::path::{Path, PathBuf};

use highwater_protocol::ids::{Index, Offset};
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::disk::{Disk, OpenMode};
use highwater_storage::entry::{FrameKind, LogEntry};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::{Change, HardState, LogChanges};
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::{Options, Store};

use common::{
    append_batch, append_own, batch, content, flush, flush_by_sync, fresh, id, indices, next, only, open, open_with,
    own, small, vote,
};

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
    assert!(!plan.is_below_checkpoint);
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
    let files = common::files(disk, "/data/journal");
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

/// A follower has 50..60 of term 4, journalled. A leader of term 6 sends 50..70; the turn cuts and writes to the page cache;
/// the process is killed before the flush. Replay puts 50..60 of term 4 back. The tail 61..70 looks contiguous with a rising
/// term: kept, it would match the leader's probe at 70, and the replica would hold foreign records for ever.
#[test]
fn rule_1_a_tail_behind_replayed_bytes_is_of_another_history() {
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
fn rule_1_segments_behind_replayed_bytes_go_too() {
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
fn rule_1_an_old_tail_behind_newer_bytes_is_cut() {
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
fn rule_1_replay_that_is_stopped_cuts_again() {
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

/// The journal holds 41..60 of term 4. 50..200 of term 6 are flushed by a sync of the segment. Were that no checkpoint, replay of
/// the old record would overwrite the only copy of 50..60 of term 6.
#[test]
fn rule_4_a_segment_that_was_synced_is_a_checkpoint() {
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
fn rule_4_a_cut_below_the_checkpoint_waits_for_its_record() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    flush_by_sync(&store, &mut log);
    let plan = log.plan_truncation(Index(50)).unwrap();
    assert!(plan.is_below_checkpoint);
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
fn rule_4_a_late_checkpoint_says_nothing_of_what_came_after_it() {
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
fn rule_4_the_checkpoint_behind_a_cut_covers_the_directory() {
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
fn rule_4_a_plan_that_a_checkpoint_has_overtaken_is_refused() {
    let (_, _, mut log) = fresh("one");
    fill(&mut log, 60, 4);
    let plan = log.plan_truncation(Index(50)).unwrap();
    assert!(!plan.is_below_checkpoint);
    log.handle().sync().unwrap();
    assert!(!log.truncate(&plan).unwrap());
    assert_eq!(runs(&log), [(4, 1, 60)]);
    assert!(log.plan_truncation(Index(50)).unwrap().is_below_checkpoint);
}

/// The vote of an idle partition lives only in a journal file that is used again: a restart would vote twice.
#[test]
fn rule_5_an_idle_partition_keeps_its_vote() {
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
fn rule_5_a_cut_is_kept_until_a_sync_covers_it() {
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
fn rule_5_a_segment_that_the_journal_speaks_of_is_not_trimmed() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 10, 1);
    flush_by_sync(&store, &mut log);
    fill(&mut log, 20, 1);
    flush(&store, &mut log);
    cut(&mut log, 11);
    append_own(&mut log, FrameKind::Roll, 2);
    fill(&mut log, 15, 2);
    flush(&store, &mut log);
    common::save_snapshot(&log, Index(11));
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
fn rule_5_full_files_are_bounded_and_upkeep_frees_them() {
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
fn rule_5_a_sync_that_failed_is_never_tried_again() {
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

/// One log's segment cannot be synced, so no checkpoint will ever cover what the journal holds of it. Were its files kept for
/// it they would fill up, and one bad partition would stop every other. Were they used again without it, a restart would find
/// acknowledged entries neither in the segment nor in the journal.
#[test]
fn rule_5_a_log_out_of_use_holds_nothing_up_and_loses_nothing() {
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

/// A flush of the journal failed and left a vote in the page cache. The restart believes it; a later power cut would forget it.
#[test]
fn rule_6_what_a_start_has_believed_stays() {
    let (disk, store, log) = fresh("one");
    vote(&store, &log, 1, 1);
    disk.fail_sync_of(".journal");
    let change = vec![Change::HardState(HardState { term: 2, vote: 2, commit: 0 })];
    let record = [LogChanges { log: log.id(), changes: change }];
    assert!(matches!(store.commit(&record), Err(StorageError::Io { .. })));
    assert!(matches!(store.commit(&record), Err(StorageError::Poisoned { .. })), "nothing tries a flush again");
    let image = disk.after_kill();
    let (_, _, believed) = reopened(&image);
    assert_eq!(believed, HardState { term: 2, vote: 2, commit: 0 });
    for seed in 0..CUTS {
        let (_, _, found) = reopened(&image.after_power_cut(seed));
        assert_eq!(found, believed, "power cut {seed}");
    }
}

/// A torn last record, recovery, more records, a second crash: the bad record now lies in front of valid ones, on a healthy node.
#[test]
fn rule_6_a_torn_record_of_an_earlier_life_is_no_damage() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 10, 1);
    flush(&store, &mut log);
    fill(&mut log, 20, 1);
    flush(&store, &mut log);
    drop((store, log));
    let (path, at) = record(&disk, 0);
    disk.flip_bit(&path, at + 100);
    disk.flip_bit(Path::new("/data/logs/one/00000000000000000000.log"), 3_000);
    for life in 0..4 {
        let (store, mut log, _) = only(open(&disk, 100 + life).unwrap());
        let to = log.last().index.0 + 5;
        fill(&mut log, to, 1);
        flush(&store, &mut log);
        assert!(log.last().index.0 >= 15, "life {life}");
    }
}

/// A record rots in front of a valid one. The valid one names what it held: these logs are damaged, and no other; they stay so
/// over every further start, until they are repaired.
#[test]
fn rule_6_a_bad_record_before_a_good_one_damages_the_logs_it_held() {
    let disk = SimDisk::new();
    let store = open_with(&disk, 1, long_journal()).unwrap().store;
    let mut one = store.create_log("one", &Snapshot::default()).unwrap();
    let mut two = store.create_log("two", &Snapshot::default()).unwrap();
    fill(&mut one, 10, 1);
    fill(&mut two, 10, 1);
    flush(&store, &mut one);
    flush(&store, &mut two);
    vote(&store, &one, 9, 9);
    flush(&store, &mut two);
    flush(&store, &mut two);
    drop((store, one, two));
    let (path, at) = record(&disk, 2);
    disk.flip_bit(&path, at + 70);
    for start in 0..3 {
        let opened = open(&disk, 50 + start).unwrap();
        for found in &opened.logs {
            let damage = found.damage.as_ref().map(|damage| damage.to_string());
            assert_eq!(damage.is_some(), found.log.name() == "one", "start {start}: {damage:?}");
        }
    }
    let mut opened = open(&disk, 60).unwrap();
    let one = opened.logs.iter_mut().find(|found| found.log.name() == "one").unwrap();
    assert_eq!(runs(&one.log), [(1, 1, 10)], "what is good of it can be read");
    let entry = own(FrameKind::Noop, id(11, 1), one.log.next_offset(), b"");
    assert!(one.log.append(&[entry]).is_err(), "and nothing is written to it");
}

/// Two records in a row rot: nobody knows what they held.
#[test]
fn rule_6_two_bad_records_damage_every_log() {
    let disk = SimDisk::new();
    let store = open_with(&disk, 1, long_journal()).unwrap().store;
    let mut one = store.create_log("one", &Snapshot::default()).unwrap();
    let two = store.create_log("two", &Snapshot::default()).unwrap();
    for round in 1..5 {
        fill(&mut one, 10 * round, 1);
        flush(&store, &mut one);
    }
    drop((store, one, two));
    for age in [1, 2] {
        let (path, at) = record(&disk, age);
        disk.flip_bit(&path, at + 70);
    }
    for start in 0..3 {
        let opened = open(&disk, 50 + start).unwrap();
        assert!(opened.logs.iter().all(|found| found.damage.is_some()), "start {start}");
    }
}

/// The first record of a file rots, and with it the lap of all behind it: what was acknowledged since would vanish without a word.
#[test]
fn rule_6_a_file_without_its_first_record_damages_every_log() {
    for flushes in [2, 9] {
        let (disk, store, mut log) = fresh("one");
        vote(&store, &log, 3, 1);
        for _ in 0..flushes {
            let to = log.last().index.0 + 1;
            fill(&mut log, to, 1);
            flush(&store, &mut log);
        }
        drop((store, log));
        let (path, at) = record(&disk, 0);
        assert!(at > 0, "records lie behind the first one");
        disk.flip_bit(&path, 20);
        for start in 0..3 {
            let opened = open(&disk, 5 + start).unwrap();
            assert!(opened.logs.iter().all(|found| found.damage.is_some()), "{flushes} flushes, start {start}");
        }
    }
}

/// A client writes a payload that looks like a journal record, aligned as one. The record around it is torn, so the search for
/// records behind it comes across the imitation: its lap gives it away.
#[test]
fn rule_6_a_payload_that_imitates_a_record_is_none() {
    let (other, store, log) = fresh("one");
    vote(&store, &log, 99, 99);
    let (path, at) = record(&other, 0);
    let forged = content(&other, &path)[at..at + 4096].to_vec();
    drop((store, log));
    let disk = SimDisk::new();
    let store = open(&disk, 12345).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    fill(&mut log, 5, 1);
    flush(&store, &mut log);
    let (at, offset) = next(&log, 1);
    // As many copies as there are bytes in a block, each shifted by one: one of them is aligned.
    let mut payload = Vec::new();
    for _ in 0..16 {
        payload.extend_from_slice(&forged);
    }
    let entry = with_payload(at, offset, &payload);
    log.append(&[entry]).unwrap();
    let changes = log.take_changes();
    store.commit(&[LogChanges { log: log.id(), changes }]).unwrap();
    drop((store, log));
    let (path, at) = record(&disk, 0);
    let bytes = content(&disk, &path);
    let shift = bytes[at..].windows(8).position(|window| window == &forged[..8]).unwrap() % 4096;
    // Written once more so that the copies lie at the beginning of a block.
    let disk = SimDisk::new();
    let store = open(&disk, 12345).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    fill(&mut log, 5, 1);
    flush(&store, &mut log);
    let (at, offset) = next(&log, 1);
    let mut aligned = vec![0; 4096 - shift];
    aligned.extend_from_slice(&payload);
    log.append(&[with_payload(at, offset, &aligned)]).unwrap();
    let changes = log.take_changes();
    store.commit(&[LogChanges { log: log.id(), changes }]).unwrap();
    drop((store, log));
    let newest = |disk: &SimDisk| {
        let path = journal_files(disk).into_iter().max_by_key(|path| content(disk, path).len()).unwrap();
        (records_in(disk, &path), path)
    };
    let (records, path) = newest(&disk);
    assert!(records.len() > 10, "the copies are aligned: {records:?}");
    let around = records.iter().rposition(|(at, _)| content(&disk, &path)[at + 8..at + 16] != forged[8..16]).unwrap();
    disk.flip_bit(&path, records[around].0 + 60);
    let segment = Path::new("/data/logs/one/00000000000000000000.log");
    disk.open(segment, OpenMode::ReadWrite).unwrap().set_len(300).unwrap();
    let (_, log, state) = reopened(&disk);
    assert_eq!(state, HardState::default());
    assert_eq!(runs(&log), [(1, 1, 5)]);
}

fn with_payload(id: highwater_protocol::ids::EntryId, offset: Offset, payload: &[u8]) -> LogEntry {
    use highwater_protocol::records::batch::stamp;
    use highwater_protocol::records::builder::BatchBuilder;
    use highwater_protocol::records::compression::Compression;
    use highwater_protocol::records::record::Record;
    let mut builder = BatchBuilder::new(Compression::None);
    builder.push(&Record { value: Some(bytes::Bytes::copy_from_slice(payload)), ..Record::default() });
    let mut frame = builder.build().unwrap();
    stamp(&mut frame, offset, id.term);
    LogEntry { id, frame: frame.freeze() }
}

/// A cut below the checkpoint was journalled, and the process killed before the flush returned: only the page cache holds the record.
/// Recovery cuts because of it and is stopped, the power fails, and the record is gone: the short file looks like damage. So what
/// recovery acts on is made durable first.
#[test]
fn rule_7_a_record_is_durable_before_recovery_acts_on_it() {
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
fn rule_7_a_cut_that_only_the_page_cache_knows_does_not_come_undone() {
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

/// A journal of a later version looks like a torn one to a version that does not know it: it would be thrown away.
#[test]
fn a_journal_of_a_later_version_is_refused() {
    let (disk, store, log) = fresh("one");
    vote(&store, &log, 3, 1);
    drop((store, log));
    // Version 1 becomes 3 at byte 52 of the first record.
    let path = record(&disk, 0).0;
    let file = disk.open(&path, OpenMode::ReadWrite).unwrap();
    file.write_at(&[&[3]], 52).unwrap();
    let error = open(&disk, 2).err().expect("it is refused").to_string();
    assert_eq!(error, format!("{} has format version 3; this version reads up to 1", path.display()));
}

/// Records that were only in the page cache are found after a kill and given to Raft, which takes them for persisted and lets
/// others count on them. A power cut must not take them back.
#[test]
fn rule_7_a_tail_that_was_kept_is_durable() {
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
fn rule_7_a_log_does_not_begin_behind_a_hole() {
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
fn rule_7_bytes_that_a_failed_fsync_lost_are_written_anew() {
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

/// The last checkpoint stands in for the journal: a start after a clean stop changes no segment.
#[test]
fn rule_7_a_start_after_all_is_checkpointed_writes_no_segment() {
    let (disk, store, mut log) = fresh("one");
    fill(&mut log, 40, 1);
    flush_by_sync(&store, &mut log);
    drop((store, log));
    let before = common::files(&disk, "/data/logs");
    let opened = open_with(&disk, 6, small()).unwrap();
    assert_eq!(opened.logs.len(), 1);
    assert_eq!(common::files(&disk, "/data/logs"), before);
}
