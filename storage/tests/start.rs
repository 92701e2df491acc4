//! One log that cannot be opened keeps no other from being used, and loses nothing: once its folder can be read again it is
//! whole, whatever was started and written in between.

mod common;

use std::path::{Path, PathBuf};

use highwater_protocol::ids::Index;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::disk::{Disk, OpenMode};
use highwater_storage::entry::{FrameKind, LogEntry, own_frame};
use highwater_storage::journal::record::{Change, HardState, LogChanges, LogId};
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::{Opened, OpenedLog};

use common::{append_batch, append_own, assert_same, content, entries, flush, next, open, vote};

const SEGMENT: &str = "/data/logs/two/00000000000000000000.log";

/// Three logs whose entries only the journal holds for sure: of the second one's segment the power left nothing.
fn three_logs() -> (SimDisk, Vec<LogEntry>) {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut written = Vec::new();
    for name in ["one", "two", "three"] {
        let mut log = store.create_log(name, &Snapshot::default()).unwrap();
        append_own(&mut log, FrameKind::Noop, 3);
        flush(&store, &mut log);
        vote(&store, &log, 3, 7);
        append_batch(&mut log, 3, 4, 200, 0);
        flush(&store, &mut log);
        if name == "two" {
            written = entries(&log);
        }
    }
    let image = disk.after_kill();
    image.open(Path::new(SEGMENT), OpenMode::ReadWrite).unwrap().set_len(0).unwrap();
    (image, written)
}

fn named<'a>(opened: &'a Opened, name: &str) -> Option<&'a OpenedLog> {
    opened.logs.iter().find(|found| found.log.name() == name)
}

fn check_whole(found: &OpenedLog, written: &[LogEntry], case: &str) {
    assert_eq!(found.damage, None, "{case}");
    assert_same(&entries(&found.log), written, case);
    assert_eq!(found.hard_state, HardState { term: 3, vote: 7, commit: 0 }, "{case}");
}

/// Starts four times with the second log out of use, each time writing so much that every journal file is used again; then
/// repairs it and starts once more.
fn out_of_use(case: &str, spoil: impl Fn(&SimDisk), says: &str, repair: impl Fn(&SimDisk)) {
    let (mut disk, written) = three_logs();
    spoil(&disk);
    for start in 0..4 {
        let mut opened = open(&disk, 10 + start).unwrap();
        match named(&opened, "two") {
            Some(two) => {
                let damage = two.damage.as_ref().expect(case).to_string();
                assert!(damage.contains(says), "{case}, start {start}: {damage}");
            }
            None => assert_eq!(opened.lost, [LogId(2)], "{case}, start {start}"),
        }
        let store = std::sync::Arc::clone(&opened.store);
        for found in opened.logs.iter_mut().filter(|found| found.log.name() != "two") {
            assert_eq!(found.damage, None, "{case}, start {start}");
            assert_eq!(found.hard_state.vote, 7, "{case}, start {start}");
            write_much(&store, &mut found.log);
        }
        disk = disk.after_kill();
    }
    repair(&disk);
    let opened = open(&disk, 20).unwrap();
    assert!(opened.lost.is_empty(), "{case}");
    check_whole(named(&opened, "two").expect(case), &written, case);
}

fn write_much(store: &highwater_storage::store::Store, log: &mut Log) {
    for number in 0..40 {
        append_batch(log, 3, 1, 3_000, number);
        flush(store, log);
        store.upkeep().unwrap();
    }
}

#[test]
fn a_log_whose_id_cannot_be_read() {
    let meta = Path::new("/data/logs/two/log.meta");
    let flip = |disk: &SimDisk| disk.flip_bit(meta, 12);
    out_of_use("a flipped bit", flip, "log.meta is damaged", flip);
    let (aside, there) = (PathBuf::from("/data/aside"), meta.to_owned());
    out_of_use(
        "no log.meta",
        |disk| disk.rename(&there, &aside).unwrap(),
        "restore it",
        |disk| disk.rename(&aside, &there).unwrap(),
    );
}

#[test]
fn a_log_whose_folder_is_gone() {
    let (there, aside) = (Path::new("/data/logs/two"), Path::new("/data/aside"));
    out_of_use("moved away", |disk| disk.rename(there, aside).unwrap(), "", |disk| disk.rename(aside, there).unwrap());
}

#[test]
fn a_log_that_is_lost_for_good_is_forgotten() {
    let (disk, _) = three_logs();
    disk.rename(Path::new("/data/logs/two"), Path::new("/data/aside")).unwrap();
    let opened = open(&disk, 2).unwrap();
    opened.store.forget(&opened.lost).unwrap();
    assert!(open(&disk.after_kill(), 3).unwrap().lost.is_empty());
}

/// A sync was under way while its log was dropped, and its checkpoint was journalled behind the drop: once the drop's file was
/// used again, the journal knew a log that had no folder.
#[test]
fn a_checkpoint_behind_a_drop_does_not_bring_the_log_back() {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut gone = store.create_log("gone", &Snapshot::default()).unwrap();
    append_own(&mut gone, FrameKind::Noop, 3);
    flush(&store, &mut gone);
    let mut other = store.create_log("other", &Snapshot::default()).unwrap();
    append_own(&mut other, FrameKind::Noop, 3);
    let checkpoint = gone.handle().sync().unwrap();
    store.remove_log(gone.id()).unwrap();
    store.commit(&[LogChanges { log: gone.id(), changes: vec![Change::Checkpoint(checkpoint)] }]).unwrap();
    write_much(&store, &mut other);
    let opened = open(&disk.after_kill(), 2).unwrap();
    assert!(opened.lost.is_empty(), "{:?}", opened.lost);
}

/// A disk that fails while one log is recovered: what the journal has of it must outlive the fresh start of the journal.
#[test]
fn a_log_that_fails_to_recover() {
    let (disk, written) = three_logs();
    disk.fail_sync_of("/two/");
    let opened = open(&disk, 2).unwrap();
    let damage = named(&opened, "two").unwrap().damage.as_ref().unwrap().to_string();
    assert!(damage.contains("cannot sync"), "{damage}");
    assert!(opened.logs.iter().all(|found| found.damage.is_some() == (found.log.name() == "two")));
    drop(opened);
    for seed in 0..50 {
        let image = disk.after_power_cut(seed);
        let opened = open(&image, 3).unwrap();
        check_whole(named(&opened, "two").unwrap(), &written, &format!("power cut {seed}"));
    }
}

/// A downgrade: the last frame is of a version that this one does not know, and whole. It was cut as if it were torn.
#[test]
fn a_frame_of_a_later_version_is_not_cut() {
    for (place, number, says) in [(21, 2, "a frame of version 2"), (22, 9, "a frame of kind 9")] {
        let disk = SimDisk::new();
        let store = open(&disk, 1).unwrap().store;
        let mut log = store.create_log("two", &Snapshot::default()).unwrap();
        append_own(&mut log, FrameKind::Noop, 3);
        flush(&store, &mut log);
        let (id, offset) = next(&log, 3);
        let mut frame = own_frame(FrameKind::Command, id, offset, b"of tomorrow").to_vec();
        frame[place] = number;
        let crc = crc32fast::hash(&[&frame[..17], &frame[21..]].concat()).to_be_bytes();
        frame[17..21].copy_from_slice(&crc);
        let file = disk.open(Path::new(SEGMENT), OpenMode::ReadWrite).unwrap();
        file.write_at(&[&frame], file.length().unwrap()).unwrap();
        let before = content(&disk, Path::new(SEGMENT));
        let opened = open(&disk, 2).unwrap();
        let damage = named(&opened, "two").unwrap().damage.as_ref().unwrap().to_string();
        assert!(damage.contains(says), "{damage}");
        assert_eq!(content(&disk, Path::new(SEGMENT)), before);

        let torn = disk.after_kill();
        torn.flip_bit(Path::new(SEGMENT), before.len() - 1);
        let opened = open(&torn, 2).unwrap();
        let two = named(&opened, "two").unwrap();
        assert_eq!((two.damage.as_ref(), two.log.last().index), (None, Index(1)), "a torn one is cut");
    }
}

#[test]
fn a_copy_of_a_log_is_told_and_not_used() {
    let (disk, _) = three_logs();
    disk.create_dir(Path::new("/data/logs/zwei")).unwrap();
    for name in ["log.meta", "00000000000000000000.snapshot"] {
        let bytes = content(&disk, &Path::new("/data/logs/two").join(name));
        let copy = disk.open(&Path::new("/data/logs/zwei").join(name), OpenMode::CreateNew).unwrap();
        copy.write_at(&[&bytes], 0).unwrap();
    }
    let opened = open(&disk, 2).unwrap();
    assert_eq!(named(&opened, "two").unwrap().damage, None);
    let damage = named(&opened, "zwei").unwrap().damage.as_ref().unwrap().to_string();
    assert!(damage.contains("another folder has the id 2 too"), "{damage}");
}
