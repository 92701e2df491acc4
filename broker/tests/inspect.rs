//! `highwater inspect` over the directory of format version 1 that the storage crate keeps: what it shows, and that it names the
//! exact place of every kind of damage and changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use highwater_storage::disk::os::OsDisk;
use highwater_storage::store::{Options, Store};
use serde_json::Value;

const DAMAGED: Option<i32> = Some(4);
const JOURNAL: &str = "journal/0000000000.journal";
const FIRST: &str = "logs/first/00000000000000000000.log";
const SECOND: &str = "logs/first/00000000000000000060.log";
const LAST: &str = "logs/first/00000000000000000067.log";

/// A copy of the committed directory, with the zeros of its journal back.
struct Copied(tempfile::TempDir);

impl Copied {
    fn new() -> Self {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../storage/tests/golden/v1");
        let dir = tempfile::tempdir().expect("a directory");
        copy(&golden.join("data"), dir.path());
        for line in fs::read_to_string(golden.join("lengths")).expect("lengths").lines() {
            let (name, length) = line.split_once(' ').expect("a name and a length");
            cut(&dir.path().join(name), length.parse().expect("a length"));
        }
        Self(dir)
    }

    /// As a start leaves it: nothing waits in the journal.
    fn started() -> Self {
        let copied = Self::new();
        let options = Options { journal_file_bytes: 64 << 10, ..Options::default() };
        let mut lap = 7;
        let opened = Store::open(Arc::new(OsDisk), copied.0.path(), options, &mut || {
            lap += 1;
            lap
        });
        drop(opened.expect("opens"));
        copied
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn flip(&self, name: &str, position: usize) {
        let mut bytes = fs::read(self.path(name)).expect("reads");
        bytes[position] ^= 0x10;
        fs::write(self.path(name), bytes).expect("writes");
    }

    /// All bytes and times of the directory.
    fn state(&self) -> BTreeMap<PathBuf, (i64, i64, Vec<u8>)> {
        let mut state = BTreeMap::new();
        let mut waiting = vec![self.0.path().to_owned()];
        while let Some(path) = waiting.pop() {
            let found = fs::metadata(&path).expect("there");
            let bytes = if found.is_dir() { Vec::new() } else { fs::read(&path).expect("reads") };
            if found.is_dir() {
                waiting.extend(fs::read_dir(&path).expect("lists").map(|entry| entry.expect("an entry").path()));
            }
            state.insert(path, (found.mtime(), found.mtime_nsec(), bytes));
        }
        state
    }

    /// Runs `inspect` on a part of it, which changes nothing.
    fn inspect(&self, name: &str, more: &[&str]) -> Output {
        let before = self.state();
        let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
        let output = command.arg("inspect").arg(self.path(name)).args(more).env_clear().output().expect("runs");
        assert!(self.state() == before, "inspect changed the directory");
        output
    }

    fn lines(&self, name: &str, more: &[&str]) -> (Option<i32>, Vec<Value>) {
        let output = self.inspect(name, &[&["--json"], more].concat());
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (output.status.code(), lines)
    }

    /// What is found: how bad, in which file, and from which byte on.
    fn found(&self) -> (Option<i32>, Vec<(String, String, u64)>) {
        let (code, lines) = self.lines("", &["--verify"]);
        let told = |line: &Value| {
            let path = Path::new(line["path"].as_str()?).strip_prefix(self.0.path()).ok()?;
            Some((line["kind"].as_str()?.to_owned(), path.display().to_string(), line["position"].as_u64()?))
        };
        (code, lines.iter().filter_map(told).collect())
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("makes");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(target, fs::read(entry.path()).expect("reads")).expect("writes");
        }
    }
}

fn cut(path: &Path, length: u64) {
    fs::OpenOptions::new().write(true).open(path).expect("opens").set_len(length).expect("cuts");
}

fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

fn check(damage: impl FnOnce(&Copied), expected: &(&str, &str, u64)) {
    let copied = Copied::started();
    damage(&copied);
    let (code, found) = copied.found();
    let (kind, path, position) = *expected;
    assert_eq!(found, [(kind.to_owned(), path.to_owned(), position)]);
    assert_eq!(code, if kind == "damage" { DAMAGED } else { Some(0) }, "{found:?}");
    if kind == "damage" {
        let output = copied.inspect("", &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let words = format!("{} is damaged at byte {position}: ", copied.path(path).display());
        assert!(said.contains(&words), "{words:?} is not in {said:?}");
        assert_eq!(output.status.code(), DAMAGED);
    }
}

#[test]
fn a_directory_is_shown_whole() {
    let copied = Copied::new();
    let (code, lines) = copied.lines("", &[]);
    assert_eq!(code, Some(0));
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    let first = ["log", "segment", "segment", "segment", "snapshot", "snapshot"];
    let others = ["log", "segment", "snapshot", "log", "snapshot", "note", "summary"];
    assert_eq!(kinds, [&["directory", "journal", "journal_file"][..], &first, &others].concat());
    let log = of_kind(&lines, "log")[0];
    assert_eq!((&log["name"], &log["id"], &log["start"]), (&"first".into(), &1.into(), &"good".into()));
    assert_eq!((&log["term"], &log["vote"], &log["commit"]), (&3.into(), &1.into(), &27.into()));
    assert_eq!((&log["checkpoint"]["last"]["index"], &log["durable"]["index"]), (&28.into(), &29.into()));
    assert_eq!((&log["last"]["index"], &log["last"]["term"], &log["next_offset"]), (&29.into(), &4.into(), &73.into()));
    let segment = of_kind(&lines, "segment")[0];
    assert_eq!((&segment["batches"], &segment["records"], &segment["own_frames"]), (&20.into(), &60.into(), &2.into()));
    assert_eq!((&segment["terms"], &segment["state"]), (&serde_json::json!([1, 2]), &"good".into()));
    assert_eq!(segment["index"], "agrees, 3 rows for 9181 bytes");
    let summary = of_kind(&lines, "summary")[0];
    assert_eq!((&summary["state"], &summary["records"], &summary["notes"]), (&"good".into(), &71.into(), &1.into()));
}

#[test]
fn a_person_reads_names_and_values() {
    let output = Copied::new().inspect(SECOND, &["--records", "--to", "61"]);
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1],
        "  frame position: 0 bytes: 31 index: 23 term: 2 frame: roll next_offset: 60 payload_bytes: 0"
    );
    assert!(lines[2].starts_with(
        "  batch position: 31 bytes: 154 index: 24 term: 2 base_offset: 60 last_offset: 64 count: 5 codec: gzip"
    ));
    assert!(lines[3].starts_with("    record offset: 60 timestamp: 60000 key: 60 value: value value"), "{}", lines[3]);
    assert!(lines.last().expect("a summary").starts_with("summary state: good checked: a part"));
}

#[test]
fn entries_are_those_between_two_offsets_of_one_log() {
    let (code, lines) = Copied::new().lines("", &["--log", "first", "--records", "--from", "58", "--to", "66"]);
    assert_eq!(code, Some(0));
    let batches: Vec<_> = of_kind(&lines, "batch").iter().map(|batch| batch["base_offset"].clone()).collect();
    assert_eq!(batches, [57, 60, 65]);
    let frames: Vec<_> = of_kind(&lines, "frame").iter().map(|frame| frame["frame"].clone()).collect();
    assert_eq!(frames, ["command", "roll", "membership"]);
    let records = of_kind(&lines, "record");
    assert_eq!(records.len(), 3 + 5 + 2);
    assert_eq!((&records[0]["offset"], &records[0]["key"]), (&57.into(), &"57".into()));
}

#[test]
fn every_file_is_shown_alone() {
    let copied = Copied::new();
    let journal = copied.lines(JOURNAL, &[]).1;
    let sequences: Vec<_> =
        of_kind(&journal, "journal_record").iter().map(|record| record["sequence"].clone()).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5]);
    assert_eq!(of_kind(&journal, "journal_record")[4]["made_durable"][0]["index"], 29);
    let index = copied.lines("logs/first/00000000000000000000.index", &[]).1;
    assert_eq!((&index[0]["covers"], of_kind(&index, "row").len()), (&9181.into(), 3));
    let snapshot = copied.lines("logs/first/00000000000000000023.snapshot", &[]).1;
    assert_eq!((&snapshot[0]["index"], &snapshot[0]["next_offset"]), (&23.into(), &60.into()));
    assert_eq!(copied.lines("logs/second/log.meta", &[]).1[0]["id"], 2);
    let folder = copied.lines("logs/first", &["--entries"]).1;
    assert_eq!((&folder[0]["kind"], of_kind(&folder, "batch").len()), (&"log".into(), 23));
}

#[test]
fn a_flipped_bit_is_named_by_the_entry_that_it_is_in() {
    check(|copied| copied.flip(FIRST, 300), &("damage", FIRST, 31));
    check(|copied| copied.flip(FIRST, 31 + 3), &("damage", FIRST, 31));
    // A term that is too high shows by the lower one behind it: no CRC covers it.
    check(|copied| copied.flip(FIRST, 31 + 14), &("damage", FIRST, 484));
    check(|copied| copied.flip(FIRST, 9141 + 35), &("damage", FIRST, 9141));
    check(|copied| copied.flip(LAST, 40), &("damage", LAST, 31));
}

#[test]
fn a_file_that_is_cut_short_is_named_by_where_it_ends() {
    check(|copied| cut(&copied.path(FIRST), 9000), &("damage", FIRST, 8685));
    check(|copied| cut(&copied.path(LAST), 100), &("damage", LAST, 31));
    check(|copied| cut(&copied.path(LAST), 169), &("damage", LAST, 169));
}

#[test]
fn what_is_gone_is_named() {
    let remove = |name: &'static str| move |copied: &Copied| fs::remove_file(copied.path(name)).expect("removes");
    check(remove(SECOND), &("damage", LAST, 0));
    check(remove(LAST), &("damage", LAST, 0));
    check(remove("logs/first/log.meta"), &("damage", "logs/first/log.meta", 0));
    check(|copied| fs::remove_dir_all(copied.path("logs/third")).expect("removes"), &("damage", "logs", 0));
    check(
        |copied| copy(&copied.path("logs/first"), &copied.path("logs/second-copy")),
        &("damage", "logs/second-copy/log.meta", 0),
    );
    // The snapshot is as of entry 23, and the segment in front of it begins there: nothing is missing yet.
    let copied = Copied::started();
    fs::remove_file(copied.path(FIRST)).expect("removes");
    assert_eq!(copied.found().0, Some(0));
    check(
        |copied| {
            fs::remove_file(copied.path(FIRST)).expect("removes");
            fs::remove_file(copied.path(SECOND)).expect("removes");
        },
        &("damage", LAST, 0),
    );
}

#[test]
fn small_files_are_named() {
    let snapshot = "logs/first/00000000000000000023.snapshot";
    check(|copied| copied.flip(snapshot, 20), &("damage", snapshot, 0));
    check(|copied| copied.flip("logs/first/log.meta", 12), &("damage", "logs/first/log.meta", 0));
    let index = "logs/first/00000000000000000000.index";
    check(|copied| copied.flip(index, 4096 + 50), &("note", index, 4096));
    check(|copied| cut(&copied.path(index), 5000), &("note", index, 4096));
}

/// The journal tells which of its records was the last: that one was never acknowledged, any other was.
#[test]
fn a_torn_record_of_the_journal_is_told_from_a_damaged_one() {
    let copied = Copied::new();
    copied.flip(JOURNAL, 16384 + 200);
    let (code, found) = copied.found();
    assert_eq!(found[0], ("torn".to_owned(), JOURNAL.to_owned(), 16384));
    assert_eq!(code, Some(0), "{found:?}");
    let copied = Copied::new();
    copied.flip(JOURNAL, 8192 + 200);
    let (code, found) = copied.found();
    assert_eq!(found[0], ("damage".to_owned(), JOURNAL.to_owned(), 8192));
    assert_eq!(code, DAMAGED);
    let copied = Copied::new();
    copied.flip(JOURNAL, 20);
    let (code, found) = copied.found();
    assert_eq!((&found[0], code), (&("damage".to_owned(), JOURNAL.to_owned(), 0), DAMAGED));
}

#[test]
fn a_torn_tail_is_told_from_damage() {
    let begun = |copied: &Copied| {
        let mut bytes = fs::read(copied.path(LAST)).expect("reads");
        let end = bytes.len();
        bytes.extend_from_within(169..169 + 20);
        fs::write(copied.path(LAST), bytes).expect("writes");
        end as u64
    };
    check(|copied| assert_eq!(begun(copied), 292), &("torn", LAST, 292));
    // What the journal still holds is no loss either.
    let copied = Copied::new();
    let mut bytes = fs::read(copied.path(LAST)).expect("reads");
    bytes.extend([0; 7]);
    fs::write(copied.path(LAST), bytes).expect("writes");
    let (code, found) = copied.found();
    assert_eq!((&found[0], code), (&("note".to_owned(), LAST.to_owned(), 169), Some(0)));
}

/// Bytes are flipped and files cut all over the directory: whatever comes of it, `inspect` ends by itself and says what it saw.
#[test]
fn no_damage_makes_it_fail() {
    let mut number = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        usize::try_from(number >> 33).expect("31 bits") % below.max(1)
    };
    for _ in 0..60 {
        let copied = Copied::new();
        let files: Vec<PathBuf> = copied.state().into_keys().filter(|path| path.is_file()).collect();
        for _ in 0..1 + draw(3) {
            let path = &files[draw(files.len())];
            let mut bytes = fs::read(path).expect("reads");
            if draw(4) == 0 {
                bytes.truncate(draw(bytes.len()));
            } else if !bytes.is_empty() {
                let position = draw(bytes.len());
                bytes[position] ^= 1 << draw(8);
            }
            fs::write(path, bytes).expect("writes");
        }
        for more in [&["--verify"][..], &["--records"]] {
            let output = copied.inspect("", more);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(matches!(output.status.code(), Some(0 | 4)), "{output:?}");
            assert!(text.lines().last().is_some_and(|line| line.starts_with("summary state: ")), "{text}");
        }
    }
}

#[test]
fn what_is_none_of_ours_is_refused() {
    let copied = Copied::new();
    let said = |name: &str, more: &[&str]| {
        let output = copied.inspect(name, more);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = said("nowhere", &[]);
    assert!(code == Some(3) && text.contains("nowhere is not there"), "{text}");
    let (code, text) = said("", &["--log", "orders-0"]);
    assert!(code == Some(3) && text.contains("has no log orders-0"), "{text}");
    fs::write(copied.path("logs/first/notes.txt"), b"x").expect("writes");
    let (code, text) = said("logs/first/notes.txt", &[]);
    assert!(code == Some(1) && text.contains("notes.txt is none of ours"), "{text}");
    fs::create_dir(copied.path("empty")).expect("makes");
    let (code, text) = said("empty", &[]);
    assert!(code == Some(1) && text.contains("neither a data directory"), "{text}");
}
