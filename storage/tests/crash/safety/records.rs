//! Rule 6: which records are believed, and what a bad one damages.

use super::*;

/// A flush of the journal failed and left a vote in the page cache. The restart believes it; a later power cut would forget it.
#[test]
pub(super) fn rule_6_what_a_start_has_believed_stays() {
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
pub(super) fn rule_6_a_torn_record_of_an_earlier_life_is_no_damage() {
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
pub(super) fn rule_6_a_bad_record_before_a_good_one_damages_the_logs_it_held() {
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
pub(super) fn rule_6_two_bad_records_damage_every_log() {
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
pub(super) fn rule_6_a_file_without_its_first_record_damages_every_log() {
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
pub(super) fn rule_6_a_payload_that_imitates_a_record_is_none() {
    let (other, store, log) = fresh("one");
    // So many records that the imitation comes behind what it is written into.
    (1..=99).for_each(|term| vote(&store, &log, term, term));
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
