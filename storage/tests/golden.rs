//! Directories that earlier versions wrote are read for ever: `golden/v1` holds one as an unclean stop left it, and every record,
//! offset, term, hard state and snapshot of it is known. `examples/golden.rs` says how it was made.
//!
//! The journal's files are mostly zeros: they are committed without the zeros at their end, and `lengths` says how long they
//! were. Nothing else is changed.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater_protocol::ids::{Index, LeaderEpoch, Offset, Timestamp};
use highwater_protocol::records::batch::Batch;
use highwater_protocol::records::record::records;
use highwater_storage::disk::os::OsDisk;
use highwater_storage::entry::{Frame, FrameKind, parse};
use highwater_storage::journal::record::HardState;
use highwater_storage::log::Log;
use highwater_storage::store::{Opened, Options, Store};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

/// A copy of the committed directory, with the zeros back.
fn copy(to: &Path) {
    copy_dir(&golden().join("data"), to);
    for line in fs::read_to_string(golden().join("lengths")).unwrap().lines() {
        let (name, length) = line.split_once(' ').unwrap();
        let file = fs::OpenOptions::new().write(true).open(to.join(name)).unwrap();
        file.set_len(length.parse().unwrap()).unwrap();
    }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn open(dir: &Path, seed: u64) -> Opened {
    let mut chance = common::Chance(seed);
    let options = Options { journal_file_bytes: 64 << 10, ..Options::default() };
    Store::open(Arc::new(OsDisk), dir, options, &mut || chance.draw()).unwrap()
}

/// One line an entry: index, term, offset, and what it is.
fn told(log: &Log) -> Vec<String> {
    let tell = |entry: &highwater_storage::entry::LogEntry| {
        let (index, term) = (entry.id.index.0, entry.id.term.0);
        match parse(&entry.frame).unwrap() {
            Frame::Own { kind, next_offset, payload, .. } => {
                format!("{index} t{term} {} {kind:?} {:?}", next_offset.0, String::from_utf8_lossy(payload))
            }
            Frame::Batch(header, _) => {
                let codec = header.compression().unwrap().name();
                format!("{index} t{term} {} {} records, {codec}", header.base_offset, header.count)
            }
        }
    };
    common::entries(log).iter().map(tell).collect()
}

fn check_records(log: &Log) {
    let reader = log.reader();
    for offset in 0..log.next_offset().0 {
        let slice = reader.read(Offset(offset), Offset(offset + 1), 1, true).unwrap().expect("a record");
        let mut bytes = slice.read_verified().unwrap();
        let batch = Batch::split_off(&mut bytes).unwrap();
        let record =
            records(&batch, 1 << 20).unwrap().map(|record| record.unwrap()).find(|record| record.offset == offset);
        let record = record.expect("the record of that offset");
        assert_eq!(record.timestamp, offset * 1000);
        assert_eq!(record.key.as_deref(), Some(offset.to_string().as_bytes()));
        assert_eq!(record.value.as_deref(), Some("value ".repeat(20).as_bytes()));
        let found = reader.find_timestamp(Timestamp(offset * 1000), Offset(0), log.next_offset()).unwrap();
        assert_eq!(found.map(|found| found.offset.0), Some(offset));
    }
}

fn check(opened: &Opened) {
    let names: Vec<&str> = opened.logs.iter().map(|found| found.log.name()).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert!(opened.logs.iter().all(|found| found.damage.is_none()));
    let [first, second, third] = &opened.logs[..] else { panic!("three logs") };

    let mut expected = vec!["1 t1 0 Noop \"\"".to_owned()];
    expected.extend((0..20).map(|n| format!("{} t{} {} 3 records, none", n + 2, 1 + n / 15, 3 * n)));
    expected.extend(
        [
            "22 t2 60 Command \"a command\"",
            "23 t2 60 Roll \"\"",
            "24 t2 60 5 records, gzip",
            "25 t3 65 Membership \"members\"",
            "26 t3 65 2 records, none",
            "27 t3 67 Roll \"\"",
            "28 t3 67 4 records, lz4",
            "29 t4 71 2 records, snappy",
        ]
        .map(str::to_owned),
    );
    assert_eq!(told(&first.log), expected);
    assert_eq!(first.hard_state, HardState { term: 3, vote: 1, commit: 27 });
    let bases: Vec<i64> = first.log.segments().iter().map(|segment| segment.base_offset.0).collect();
    assert_eq!(bases, [0, 60, 67]);
    let snapshot = first.log.load_snapshot(Index(1000)).unwrap().expect("a snapshot");
    assert_eq!((snapshot.id.index, snapshot.id.term, snapshot.next_offset), (Index(23), LeaderEpoch(2), Offset(60)));
    assert_eq!((&snapshot.membership[..], &snapshot.machine[..]), (&b"members"[..], &b"the machine as of 23"[..]));
    assert_eq!(first.log.load_snapshot(Index(22)).unwrap().map(|snapshot| snapshot.id.index), Some(Index(0)));
    let terms = [(1, 45), (2, 65), (3, 71), (4, 73)];
    for (term, end) in terms {
        let found = first.log.reader().epoch_end(LeaderEpoch(term), Offset(73));
        assert_eq!(found, Some((LeaderEpoch(term), Offset(end))));
    }
    check_records(&first.log);

    assert_eq!(told(&second.log), ["1 t7 0 Noop \"\"", "2 t7 0 2 records, zstd"]);
    assert_eq!(second.hard_state, HardState { term: 9, vote: 3, commit: 2 });
    check_records(&second.log);

    assert_eq!(told(&third.log), [""; 0]);
    assert_eq!((third.log.last().index, third.hard_state), (Index(0), HardState::default()));
    assert_eq!(third.log.load_snapshot(Index(0)).unwrap().map(|snapshot| snapshot.machine.len()), Some(19));
}

#[test]
fn version_1_is_read() {
    let dir = tempfile::tempdir().unwrap();
    copy(dir.path());
    // What the unclean stop left to the journal alone: the segment of `second` and the last entries of `first`.
    for (name, length) in [("second/00000000000000000000.log", 0), ("first/00000000000000000067.log", 300)] {
        let segment = dir.path().join("logs").join(name);
        assert!(fs::metadata(&segment).unwrap().len() <= length, "{name} is short of what was flushed");
    }
    check(&open(dir.path(), 1));
    check(&open(dir.path(), 2));
}

#[test]
fn version_1_is_written_on() {
    let dir = tempfile::tempdir().unwrap();
    copy(dir.path());
    let Opened { store, mut logs, .. } = open(dir.path(), 3);
    for found in &mut logs {
        let term = found.log.last().term.0.max(1);
        common::append_own(&mut found.log, FrameKind::Noop, term);
        common::append_batch(&mut found.log, term, 2, 20, 0);
        common::flush(&store, &mut found.log);
    }
    let last: Vec<_> = logs.iter().map(|found| found.log.last()).collect();
    drop((store, logs));
    let again: Vec<_> = open(dir.path(), 4).logs.iter().map(|found| found.log.last()).collect();
    assert_eq!(again, last);
}

#[test]
fn the_directory_is_small() {
    let mut sizes = Vec::new();
    let mut waiting = vec![golden()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path())
            } else {
                sizes.push(entry.metadata().unwrap().len())
            }
        }
    }
    assert!(sizes.iter().sum::<u64>() < 128 << 10, "{sizes:?}");
}
