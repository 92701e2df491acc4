//! A log against a plain model: what is appended is found by offset, by timestamp and by index, at every boundary, while rows lie
//! in memory and when they lie in a mapped file; what is cut or trimmed is not; and bytes that are not what was written are
//! never served.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{Index, LeaderEpoch, Offset, Timestamp};
use highwater_storage::disk::os::OsDisk;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::disk::{Disk, OpenMode};
use highwater_storage::entry::{FrameKind, LogEntry};
use highwater_storage::error::StorageError;
use highwater_storage::journal::record::LogChanges;
use highwater_storage::log::{Batches, Log, Snapshot};
use highwater_storage::store::{Options, Store};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use common::{
    Chance, append_batch, append_own, assert_same, batch, content, entries, flush, flush_by_sync, fresh, id, next,
    only, open, own, save_snapshot, small,
};

/// One thing done to a log.
#[derive(Clone, Debug)]
enum Step {
    Batch { records: usize, bytes: usize, timestamp: i64 },
    Own,
    Roll,
    NewTerm,
    Cut { back: u64 },
    Trim { segments: usize },
    Flush,
    Sync,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..5_usize, prop_oneof![Just(40_usize), Just(700), Just(6_000)], 0..200_i64)
            .prop_map(|(records, bytes, timestamp)| Step::Batch { records, bytes, timestamp }),
        2 => Just(Step::Own),
        2 => Just(Step::Roll),
        1 => Just(Step::NewTerm),
        2 => (1..8_u64).prop_map(|back| Step::Cut { back }),
        1 => (1..3_usize).prop_map(|segments| Step::Trim { segments }),
        1 => Just(Step::Flush),
        2 => Just(Step::Sync),
        2 => Just(Step::Reopen),
    ]
}

/// An entry as the model keeps it.
#[derive(Clone, Debug)]
struct Known {
    entry: LogEntry,
    /// The offset of the next record in front of it.
    offset: i64,
    /// The timestamps of its records; none for an entry of our own.
    timestamps: Vec<i64>,
    opens: bool,
}

struct Subject {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    store: Arc<Store>,
    log: Log,
    term: i32,
    known: Vec<Known>,
    opened: u64,
    /// A cut is not durable: a start would bring back what it removed.
    is_cut: bool,
}

impl Subject {
    fn new(disk: Arc<dyn Disk>, root: PathBuf) -> Self {
        let store = start(&disk, &root, 1).store;
        let log = store.create_log("one", &Snapshot::default()).unwrap();
        let mut subject = Self { disk, root, store, log, term: 1, known: Vec::new(), opened: 1, is_cut: false };
        subject.own(FrameKind::Noop);
        subject
    }

    fn carry_out(&mut self, step: &Step) {
        match step {
            Step::Batch { records, bytes, timestamp } => self.batch(*records, *bytes, *timestamp),
            Step::Own => self.own(FrameKind::Command),
            Step::Roll if self.log.active_segment_has_records() => self.own(FrameKind::Roll),
            Step::Roll => {}
            Step::NewTerm => self.term += 1,
            Step::Cut { back } => self.cut(*back),
            Step::Trim { segments } => self.trim(*segments),
            Step::Flush => flush(&self.store, &mut self.log),
            Step::Sync => flush_by_sync(&self.store, &mut self.log),
            Step::Reopen => self.reopen(),
        }
    }

    fn batch(&mut self, records: usize, bytes: usize, timestamp: i64) {
        let (id, offset) = next(&self.log, self.term);
        let entry = batch(id, offset, records, bytes, timestamp);
        self.log.append(std::slice::from_ref(&entry)).unwrap();
        let timestamps = (0..records).map(|number| timestamp + i64::try_from(number).unwrap()).collect();
        self.known.push(Known { entry, offset: offset.0, timestamps, opens: false });
    }

    fn own(&mut self, kind: FrameKind) {
        let (id, offset) = next(&self.log, self.term);
        let entry = own(kind, id, offset, b"payload");
        self.log.append(std::slice::from_ref(&entry)).unwrap();
        let opens = kind == FrameKind::Roll || self.known.is_empty();
        self.known.push(Known { entry, offset: offset.0, timestamps: Vec::new(), opens });
    }

    fn cut(&mut self, back: u64) {
        let last = self.log.last().index.0;
        let first = self.known[0].entry.id.index.0;
        if last < first + back {
            return;
        }
        let plan = self.log.plan_truncation(Index(last - back + 1)).unwrap();
        if plan.waits_for_record {
            flush(&self.store, &mut self.log);
            self.store.commit(&[LogChanges { log: self.log.id(), changes: vec![plan.change()] }]).unwrap();
        }
        assert!(self.log.truncate(&plan).unwrap());
        self.known.truncate(self.known.len() - usize::try_from(back).unwrap());
        self.term += 1;
        self.is_cut = true;
    }

    fn trim(&mut self, segments: usize) {
        let infos = self.log.segments();
        let Some(keep) = infos.get(segments.min(infos.len() - 1)) else { return };
        save_snapshot(&self.log, keep.first_index);
        for gone in self.log.trim(keep.base_offset, keep.first_index).unwrap() {
            let next = self.known.iter().skip(1).position(|known| known.opens).unwrap() + 1;
            assert_eq!(gone.first_index, self.known[0].entry.id.index);
            self.known.drain(..next);
        }
    }

    fn reopen(&mut self) {
        if std::mem::take(&mut self.is_cut) {
            flush(&self.store, &mut self.log);
        }
        self.opened += 1;
        let (store, log, _) = only(start(&self.disk, &self.root, self.opened));
        (self.store, self.log) = (store, log);
    }

    fn check(&self) {
        self.check_entries();
        self.check_offsets();
        self.check_timestamps();
        self.check_terms();
    }

    fn check_entries(&self) {
        let all: Vec<LogEntry> = self.known.iter().map(|known| known.entry.clone()).collect();
        assert_same(&entries(&self.log), &all, "all");
        for (place, known) in self.known.iter().enumerate() {
            let from = known.entry.id.index;
            let two = self.log.entries(from, Index(from.0 + 2), u64::MAX).unwrap();
            assert_same(&two, &all[place..all.len().min(place + 2)], "by index");
            let mut seen = Vec::new();
            self.log.scan(from, from, Batches::Headers, &mut |id, _| seen.push(id)).unwrap();
            assert_eq!(seen, [known.entry.id]);
            assert_eq!(self.log.term_at(from), Some(known.entry.id.term));
        }
        let starts: Vec<Index> =
            self.known.iter().filter(|known| known.opens).map(|known| known.entry.id.index).collect();
        let found: Vec<Index> = self.log.segments().iter().map(|segment| segment.first_index).collect();
        assert_eq!(found, starts);
    }

    /// Whole batches from the one that holds `from` on, up to a bound, a size, a frame of our own or the end of the segment.
    fn expected(&self, from: i64, below: i64, most: usize) -> Option<Vec<u8>> {
        let next = |known: &Known| known.offset + i64::try_from(known.timestamps.len()).unwrap();
        let segment = self.known.iter().rposition(|known| known.opens && known.offset <= from).unwrap_or(0);
        let inside = || self.known.iter().skip(segment + 1).take_while(|known| !known.opens);
        let skipped = inside().position(|known| !known.timestamps.is_empty() && next(known) > from)?;
        let mut bytes: Vec<u8> = Vec::new();
        for known in inside().skip(skipped) {
            let fits = bytes.len() + known.entry.frame.len() <= most && next(known) <= below;
            if known.timestamps.is_empty() || !(fits || bytes.is_empty()) {
                break;
            }
            bytes.extend_from_slice(&known.entry.frame);
        }
        Some(bytes)
    }

    fn check_offsets(&self) {
        let reader = self.log.reader();
        let end = self.log.next_offset().0;
        let first = reader.first_offset().0;
        assert_eq!(first, self.known[0].offset);
        for from in first..end {
            for below in [from, from + 1, from + 3, end] {
                for most in [1, 1_500, 20_000] {
                    let found = reader.read(Offset(from), Offset(below), most, true).unwrap();
                    let found = found.map(|slice| slice.read_verified().unwrap().to_vec());
                    let expected = if from < below { self.expected(from, below, most) } else { None };
                    let lengths = (found.as_ref().map(Vec::len), expected.as_ref().map(Vec::len));
                    assert!(found == expected, "from {from} below {below} at most {most}: {lengths:?}");
                }
            }
            let none = reader.read(Offset(from), Offset(end), 1, false).unwrap();
            assert!(none.is_none(), "one byte holds no batch");
        }
        assert!(reader.read(Offset(end), Offset(end + 1), 100, true).unwrap().is_none());
    }

    fn check_timestamps(&self) {
        let reader = self.log.reader();
        let records: Vec<(i64, i64, LeaderEpoch)> = self
            .known
            .iter()
            .flat_map(|known| {
                let record = |(offset, timestamp): (i64, &i64)| (offset, *timestamp, known.entry.id.term);
                (known.offset..).zip(&known.timestamps).map(record)
            })
            .collect();
        let (first, end) = (reader.first_offset().0, self.log.next_offset().0);
        let bounds = |known: &Known| known.offset;
        for below in [end].into_iter().chain(self.known.iter().map(bounds).filter(|bound| *bound > first).step_by(5)) {
            let within = |record: &&(i64, i64, LeaderEpoch)| record.0 < below;
            for wanted in (-1..206).step_by(3) {
                let found = reader.find_timestamp(Timestamp(wanted), Offset(first), Offset(below)).unwrap();
                let found = found.map(|timed| (timed.offset.0, timed.timestamp.0, timed.epoch));
                let expected = records.iter().filter(within).find(|record| record.1 >= wanted).copied();
                assert_eq!(found, expected, "timestamp {wanted} below {below}");
            }
            let newest = records.iter().filter(within).map(|record| record.1).max();
            let expected = records.iter().filter(within).find(|record| Some(record.1) == newest).map(|record| record.0);
            let found = reader.max_timestamp(Offset(first), Offset(below)).unwrap().map(|timed| timed.offset.0);
            assert_eq!(found, expected, "the newest below {below}");
        }
    }

    fn check_terms(&self) {
        let reader = self.log.reader();
        for known in self.known.iter().filter(|known| !known.timestamps.is_empty()) {
            assert_eq!(reader.epoch_of(Offset(known.offset)), Some(known.entry.id.term));
        }
        let end = self.log.next_offset();
        for epoch in 0..=self.term + 1 {
            let is_up_to = |known: &&Known| known.entry.id.term.0 <= epoch;
            let newest = self.known.iter().rfind(is_up_to);
            let behind = self.known.iter().find(|known| known.entry.id.term.0 > epoch);
            let expected =
                newest.map(|known| (known.entry.id.term, behind.map_or(end, |behind| Offset(behind.offset))));
            assert_eq!(reader.epoch_end(LeaderEpoch(epoch), end), expected, "the end of term {epoch}");
        }
    }
}

fn start(disk: &Arc<dyn Disk>, root: &Path, seed: u64) -> highwater_storage::store::Opened {
    let mut chance = Chance(seed);
    Store::open(Arc::clone(disk), root, small(), &mut || chance.draw()).unwrap()
}

fn agree(mut subject: Subject, steps: &[Step]) {
    for (place, step) in steps.iter().enumerate() {
        subject.carry_out(step);
        if place % 16 == 15 {
            subject.check();
        }
    }
    subject.check();
    subject.reopen();
    subject.check();
}

/// The same cases in every run; `PROPTEST_CASES` has no say, a larger number or another seed here has.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_log_agrees_with_a_plain_model(steps in proptest::collection::vec(step(), 1..70)) {
        agree(Subject::new(Arc::new(SimDisk::new()), PathBuf::from(common::ROOT)), &steps);
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn a_log_on_the_real_disk_agrees_with_a_plain_model(steps in proptest::collection::vec(step(), 1..70)) {
        let dir = tempfile::tempdir().unwrap();
        agree(Subject::new(Arc::new(OsDisk), dir.path().join("data")), &steps);
    }
}

/// Three segments, the first two sealed and indexed, all checkpointed, in terms 1 to 4.
fn three_segments() -> (SimDisk, Vec<LogEntry>) {
    let (disk, store, mut log) = fresh("one");
    append_own(&mut log, FrameKind::Noop, 1);
    for segment in 0..3 {
        for number in 0..12 {
            append_batch(&mut log, 1 + segment + i32::from(number > 5), 3, 300, 100 * i64::from(segment) + number);
            if number > 5 {
                append_own(&mut log, FrameKind::Command, 2 + segment);
            }
        }
        if segment < 2 {
            append_own(&mut log, FrameKind::Roll, 2 + segment);
        }
    }
    flush_by_sync(&store, &mut log);
    (disk, entries(&log))
}

/// All that a log serves, by records: what is readable, and where it stops being so.
fn served(log: &Log) -> (Bytes, Vec<StorageError>) {
    let reader = log.reader();
    let end = log.next_offset();
    let (mut bytes, mut errors) = (Vec::new(), Vec::new());
    let mut from = reader.first_offset();
    while from < end {
        let slice =
            reader.read(from, end, 1, true).and_then(|slice| slice.map(|slice| slice.read_verified()).transpose());
        match slice {
            Ok(Some(batch)) => {
                let header = highwater_protocol::records::batch::BatchHeader::decode(&batch).unwrap();
                assert!(header.base_offset <= from.0 && from < header.next_offset(), "the batch that was asked for");
                from = header.next_offset();
                bytes.extend_from_slice(&batch);
            }
            Ok(None) => from = Offset(from.0 + 1),
            Err(error) => {
                errors.push(error);
                from = Offset(from.0 + 1);
            }
        }
    }
    (Bytes::from(bytes), errors)
}

#[test]
fn terms_inside_a_sealed_segment_survive_a_start() {
    let (disk, written) = three_segments();
    let (_, log, _) = only(open(&disk, 3).unwrap());
    assert_eq!(log.segments().len(), 3);
    for entry in written {
        assert_eq!(log.term_at(entry.id.index), Some(entry.id.term), "{:?}", entry.id);
    }
}

/// Every bit that rots below the checkpoint is found, by the start or by the read, and named by file and place.
#[test]
fn rotten_bytes_are_never_served() {
    let (disk, written) = three_segments();
    let records: Vec<&LogEntry> = written.iter().filter(|entry| entry.frame[16] == 2).collect();
    let whole: Vec<u8> = records.iter().flat_map(|entry| entry.frame.to_vec()).collect();
    let mut flips = 0;
    for (path, bytes) in common::files(&disk, "/data/logs/one").into_iter().filter(|(path, _)| path.ends_with_log()) {
        for position in (0..bytes.len()).filter(|position| position % 53 == 0 || *position < 200) {
            flips += 1;
            let frame_at = frame_start(&bytes, position);
            let rotten = disk.after_kill();
            rotten.flip_bit(&path, position);
            let case = format!("{}, byte {position}", path.display());
            let mut opened = open(&rotten, 5).unwrap();
            let found = opened.logs.remove(0);
            if let Some(damage) = found.damage {
                assert_eq!(damage.path, path, "{case}: {damage}");
                assert!(damage.position >= frame_at, "{case}: {damage}");
                continue;
            }
            let (served, errors) = served(&found.log);
            let is_part = records_of(&served).iter().all(|frame| records.iter().any(|entry| entry.frame == *frame));
            assert!(is_part, "{case}: what was served was never written");
            let by_index = found.log.entries(written[0].id.index, found.log.last().index.next(), u64::MAX);
            let errors: Vec<StorageError> = errors.into_iter().chain(by_index.err()).collect();
            assert!(!errors.is_empty() && served.len() < whole.len(), "{case}: nobody noticed");
            for error in errors {
                let StorageError::Corrupt { path: named, position: at, .. } = &error else { panic!("{case}: {error}") };
                assert!(*named == path && *at >= frame_at, "{case}: {error}");
            }
        }
    }
    println!("{flips} flipped bits");
    assert!(flips > 500);
}

/// A producer said gzip and sent something else, under a good CRC. The look for a timestamp took it for damage of ours.
#[test]
fn records_that_cannot_be_read_count_as_one() {
    let (_, store, mut log) = fresh("one");
    append_own(&mut log, FrameKind::Noop, 1);
    append_batch(&mut log, 1, 3, 100, 1_000);
    let (at, offset) = next(&log, 1);
    let mut frame = batch(at, offset, 3, 100, 2_000).frame.to_vec();
    frame[22] = 1;
    highwater_protocol::records::batch::stamp_crc(&mut frame);
    log.append(&[LogEntry { id: at, frame: frame.into() }]).unwrap();
    flush(&store, &mut log);
    let found = log.reader().find_timestamp(Timestamp(2_001), Offset(0), Offset(6)).unwrap().expect("found");
    assert_eq!((found.offset, found.timestamp), (Offset(3), Timestamp(2_002)));
    assert_eq!(log.reader().max_timestamp(Offset(0), Offset(6)).unwrap().expect("found").offset, Offset(3));
}

/// Where the frame begins that holds a byte: a rotten length is noticed at the next.
fn frame_start(bytes: &[u8], position: usize) -> u64 {
    let mut at = 0;
    loop {
        let length = u32::from_be_bytes(bytes[at + 8..at + 12].try_into().unwrap());
        let end = at + 12 + usize::try_from(length).unwrap();
        if end > position {
            return at as u64;
        }
        at = end;
    }
}

trait EndsWithLog {
    fn ends_with_log(&self) -> bool;
}

impl EndsWithLog for PathBuf {
    fn ends_with_log(&self) -> bool {
        self.extension().is_some_and(|extension| extension == "log")
    }
}

fn records_of(bytes: &Bytes) -> Vec<Bytes> {
    let batches = highwater_protocol::records::batch::Batch::all(bytes.clone()).unwrap();
    batches.into_iter().map(|batch| batch.bytes).collect()
}

/// An index of which a page is broken, cut short, or that is of another segment, is made anew; and the new one is the old one.
#[test]
fn a_broken_index_is_made_anew() {
    let (disk, written) = three_segments();
    let index = Path::new("/data/logs/one/00000000000000000000.index");
    let good = content(&disk, index);
    assert_eq!(good.len() % 4096, 0);
    let check = |disk: &SimDisk, case: &str| {
        let (_, log, _) = only(open(disk, 6).unwrap());
        assert_same(&entries(&log), &written, case);
        assert!(content(disk, index) == good, "{case}");
    };
    for position in (0..good.len()).step_by(997) {
        let broken = disk.after_kill();
        broken.flip_bit(index, position);
        check(&broken, &format!("byte {position}"));
    }
    for length in [0, 100, 4096] {
        let broken = disk.after_kill();
        broken.open(index, OpenMode::ReadWrite).unwrap().set_len(length).unwrap();
        check(&broken, &format!("length {length}"));
    }
    let broken = disk.after_kill();
    broken.rename(Path::new("/data/logs/one/00000000000000000050.index"), index).unwrap_or_default();
    broken.remove_file(index).unwrap();
    check(&broken, "not there");
}

#[test]
fn entries_that_do_not_follow_are_refused_and_change_nothing() {
    let (_, _, mut log) = fresh("one");
    let first = batch(id(1, 1), Offset(0), 1, 10, 0);
    assert!(
        matches!(log.append(&[first]), Err(StorageError::Misplaced { .. })),
        "a log begins with an entry of our own"
    );
    append_own(&mut log, FrameKind::Noop, 2);
    append_batch(&mut log, 2, 2, 10, 0);
    let good = batch(id(3, 2), Offset(2), 1, 10, 0);
    let mut short = good.clone();
    short.frame = short.frame.slice(..short.frame.len() - 1);
    let wrong = [
        batch(id(4, 2), Offset(2), 1, 10, 0),
        batch(id(3, 1), Offset(2), 1, 10, 0),
        batch(id(3, 2), Offset(3), 1, 10, 0),
        LogEntry { id: id(3, 3), frame: good.frame.clone() },
        LogEntry { id: id(3, 2), frame: own(FrameKind::Noop, id(4, 2), Offset(2), b"").frame },
        own(FrameKind::Noop, id(3, 2), Offset(1), b""),
        short,
    ];
    for entry in wrong {
        let error = log.append(std::slice::from_ref(&entry)).unwrap_err();
        assert!(matches!(&error, StorageError::Misplaced { .. }), "{error}");
        assert_eq!((log.last(), log.next_offset()), (id(2, 2), Offset(2)));
    }
    log.append(&[good]).unwrap();
}

/// A full disk is said so, and loses nothing: neither what was flushed nor the log.
#[test]
fn a_full_disk_loses_nothing() {
    let (disk, store, mut log) = fresh("one");
    append_own(&mut log, FrameKind::Noop, 1);
    let used = store.check_space();
    assert!(used.is_enough());
    disk.set_capacity(400_000);
    let mut flushed = log.last();
    let error = loop {
        let (at, offset) = next(&log, 1);
        if let Err(error) = log.append(&[batch(at, offset, 1, 5_000, 0)]) {
            break error;
        }
        let changes = log.take_changes();
        if let Err(error) = store.commit(&[LogChanges { log: log.id(), changes }]) {
            break error;
        }
        flushed = log.last();
    };
    let StorageError::Io { action, path, source } = &error else { panic!("{error}") };
    assert_eq!((*action, source.kind()), ("write", std::io::ErrorKind::StorageFull));
    assert!(error.to_string().starts_with(&format!("cannot write {}", path.display())), "{error}");
    for seed in 0..20 {
        let (_, log, _) = only(open(&disk.after_power_cut(seed), 7).unwrap());
        assert!(log.last() >= flushed, "power cut {seed}: {:?} of {flushed:?}", log.last());
    }
}

/// Below the floor the store says so before the disk is full.
#[test]
fn free_space_below_the_floor_is_reported() {
    let disk = SimDisk::new();
    disk.set_capacity(200_000);
    let options = Options { free_space_floor_bytes: 100_000, ..small() };
    let store = common::open_with(&disk, 1, options).unwrap().store;
    let mut log = store.create_log("one", &Snapshot::default()).unwrap();
    assert!(store.check_space().is_enough());
    append_own(&mut log, FrameKind::Noop, 1);
    while disk.space(Path::new("/")).unwrap().free > 100_000 {
        append_batch(&mut log, 1, 1, 5_000, 0);
    }
    store.upkeep().unwrap();
    let report = store.check_space();
    assert!(!report.is_enough() && report.free < 100_000 && report.floor == 100_000, "{report:?}");
}

/// Four files may be open, and there are twelve logs of three segments: what was closed is opened again where it is read.
#[test]
fn a_log_whose_files_were_closed_still_reads() {
    let disk = SimDisk::new();
    let store = open(&disk, 1).unwrap().store;
    let mut logs = Vec::new();
    for number in 0..12 {
        let mut log = store.create_log(&format!("log-{number}"), &Snapshot::default()).unwrap();
        append_own(&mut log, FrameKind::Noop, 1);
        for _ in 0..2 {
            append_batch(&mut log, 1, 4, 500, number);
            append_own(&mut log, FrameKind::Roll, 1);
        }
        append_batch(&mut log, 1, 4, 500, number);
        flush_by_sync(&store, &mut log);
        logs.push((entries(&log), log));
    }
    for _ in 0..2 {
        for (written, log) in &mut logs {
            assert_same(&entries(log), written, log.name());
            let slice = log.reader().read(Offset(4), Offset(8), 10_000, true).unwrap().expect("records");
            written.push(append_batch(log, 1, 1, 10, 0));
            assert_eq!(slice.read_verified().unwrap(), written[3].frame);
        }
    }
    for (written, log) in &mut logs {
        flush(&store, log);
        assert_same(&entries(log), written, log.name());
    }
}

/// Two indices may be mapped, and there are six: one that was closed is mapped again where it is needed, and where its file is
/// gone its segment is walked.
#[test]
fn no_more_indices_stay_mapped_than_may() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("data");
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let mut log = start(&disk, &root, 1).store.create_log("one", &Snapshot::default()).unwrap();
    append_own(&mut log, FrameKind::Noop, 1);
    for number in 0..24 {
        append_batch(&mut log, 1, 4, 2_000, number);
        if number % 4 == 3 {
            append_own(&mut log, FrameKind::Roll, 1);
        }
    }
    log.handle().sync().unwrap();
    let mapped = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let of_ours = |line: &&str| line.ends_with(".index") && line.contains(root.to_str().unwrap());
        maps.lines().filter(of_ours).count()
    };
    let written = entries(&log);
    assert_eq!(log.segments().len(), 7);
    assert!(mapped() <= 2, "{} indices are mapped", mapped());
    let read_backwards = |case: &str| {
        for number in (0..24).rev() {
            let slice = log.reader().read(Offset(4 * number), Offset(96), 1, true).unwrap().expect(case);
            assert!(slice.read_verified().unwrap().len() > 2_000);
            assert!((1..=2).contains(&mapped()), "{case}: {} indices are mapped", mapped());
        }
    };
    read_backwards("all there");
    std::fs::remove_file(root.join("logs/one/00000000000000000016.index")).unwrap();
    read_backwards("one is gone");
    assert_same(&entries(&log), &written, "one is gone");
}

/// Bytes that were cut are not counted as waiting for a sync for ever: sockets would not be read any more.
#[test]
fn cut_bytes_do_not_wait_for_a_sync() {
    let (_, store, mut log) = fresh("one");
    append_own(&mut log, FrameKind::Noop, 1);
    for term in 1..20 {
        append_batch(&mut log, term, 1, 5_000, 0);
        let plan = log.plan_truncation(Index(2)).unwrap();
        assert!(log.truncate(&plan).unwrap());
        flush(&store, &mut log);
    }
    assert!(store.unsynced_bytes() < 100, "{}", store.unsynced_bytes());
    append_batch(&mut log, 20, 1, 100, 0);
    flush_by_sync(&store, &mut log);
    assert_eq!(store.unsynced_bytes(), 0);
}

/// A log that was written to once and then not for a while kept its descriptor and the journal's file for ever.
#[test]
fn an_idle_log_is_synced_after_a_while() {
    let (_disk, store, mut log) = fresh("one");
    append_own(&mut log, FrameKind::Noop, 1);
    flush(&store, &mut log);
    store.look_for_idle();
    store.upkeep().unwrap();
    assert!(store.unsynced_bytes() > 0, "it may go on at once");
    append_batch(&mut log, 1, 1, 10, 0);
    store.look_for_idle();
    store.upkeep().unwrap();
    assert!(store.unsynced_bytes() > 0, "it did go on");
    store.look_for_idle();
    store.upkeep().unwrap();
    assert_eq!(store.unsynced_bytes(), 0);
    assert_eq!(store.journalled(log.id()).unwrap().checkpoint.last, log.last());
}
