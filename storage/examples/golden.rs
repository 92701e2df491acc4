//! Writes the data directory that `tests/golden.rs` reads: `cargo run -p highwater-storage --example golden DIR`.
//!
//! Three logs, as a power cut leaves them: segments end where they were synced, and the journal holds the rest. `first` has two
//! sealed segments and one that is written, and behind its checkpoint entries, a cut of one of them, and what came instead.
//! `second` has a hard state and entries of which nothing is in a segment. `third` has nothing but its first snapshot.
//!
//! `DIR/data` is the directory. Journal files are 64 KiB long so that it is small, and are stored without the zeros at their end;
//! `DIR/lengths` says how long they were. A directory that is committed is never made anew: it stands for every broker that wrote
//! that version of the format.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};
use highwater_protocol::records::batch::stamp;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_storage::disk::os::OsDisk;
use highwater_storage::entry::{FrameKind, LogEntry, own_frame};
use highwater_storage::journal::record::{Change, HardState, LogChanges};
use highwater_storage::log::{Log, Snapshot};
use highwater_storage::store::{Options, Store};

/// Journal files of this length.
const JOURNAL_FILE_BYTES: u64 = 64 << 10;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let to = PathBuf::from(std::env::args().nth(1).ok_or("usage: golden DIR")?);
    let dir = to.join("data");
    fs::create_dir_all(&to)?;
    let options = Options { journal_file_bytes: JOURNAL_FILE_BYTES, ..Options::default() };
    let mut drawn = 0_u64;
    let mut random = || {
        drawn = drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        drawn
    };
    let store = Store::open(Arc::new(OsDisk), &dir, options, &mut random)?.store;
    let synced = first(&store)?;
    second(&store)?;
    store.create_log("third", &snapshot(0, 0, 0))?;
    drop(store);
    cut(&dir.join("logs/first/00000000000000000067.log"), synced)?;
    cut(&dir.join("logs/second/00000000000000000000.log"), 0)?;
    strip(&dir, &to.join("lengths"))
}

fn cut(path: &Path, length: u64) -> Done {
    fs::OpenOptions::new().write(true).open(path)?.set_len(length)?;
    Ok(())
}

/// Takes the zeros off the end of the journal's files.
fn strip(dir: &Path, lengths: &Path) -> Done {
    let mut told = String::new();
    for entry in fs::read_dir(dir.join("journal"))? {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        told.push_str(&format!("{} {}\n", path.strip_prefix(dir)?.display(), bytes.len()));
        cut(&path, used as u64)?;
    }
    fs::write(lengths, told)?;
    Ok(())
}

/// Gives back how long its last segment was when it was synced.
fn first(store: &Store) -> Result<u64, Box<dyn Error>> {
    let mut log = store.create_log("first", &snapshot(0, 0, 0))?;
    own(&mut log, FrameKind::Noop, 1, b"")?;
    for number in 0..20 {
        batch(&mut log, 1 + number / 15, 3, Compression::None)?;
    }
    own(&mut log, FrameKind::Command, 2, b"a command")?;
    own(&mut log, FrameKind::Roll, 2, b"")?;
    batch(&mut log, 2, 5, Compression::Gzip)?;
    own(&mut log, FrameKind::Membership, 3, b"members")?;
    batch(&mut log, 3, 2, Compression::None)?;
    own(&mut log, FrameKind::Roll, 3, b"")?;
    batch(&mut log, 3, 4, Compression::Lz4)?;
    let mut changes = log.take_changes();
    changes.retain(|change| !matches!(change, Change::Append(_)));
    changes.push(Change::Checkpoint(log.handle().sync()?));
    changes.push(Change::HardState(HardState { term: 3, vote: 1, commit: 27 }));
    store.commit(&[LogChanges { log: log.id(), changes }])?;
    let synced = log.active_segment_bytes();
    log.handle().save_snapshot(&snapshot(23, 2, 60), 2)?;
    batch(&mut log, 3, 1, Compression::None)?;
    batch(&mut log, 3, 1, Compression::None)?;
    flush(store, &mut log)?;
    let plan = log.plan_truncation(Index(29))?;
    assert!(log.truncate(&plan)?, "nothing else uses the log");
    batch(&mut log, 4, 2, Compression::Snappy)?;
    flush(store, &mut log)?;
    Ok(synced)
}

fn second(store: &Store) -> Done {
    let mut log = store.create_log("second", &snapshot(0, 0, 0))?;
    own(&mut log, FrameKind::Noop, 7, b"")?;
    batch(&mut log, 7, 2, Compression::Zstd)?;
    let mut changes = log.take_changes();
    changes.push(Change::HardState(HardState { term: 9, vote: 3, commit: 2 }));
    store.commit(&[LogChanges { log: log.id(), changes }])?;
    Ok(())
}

fn snapshot(index: u64, term: i32, next_offset: i64) -> Snapshot {
    Snapshot {
        id: EntryId { index: Index(index), term: LeaderEpoch(term) },
        next_offset: Offset(next_offset),
        membership: Bytes::from_static(b"members"),
        machine: Bytes::from(format!("the machine as of {index}")),
    }
}

fn flush(store: &Store, log: &mut Log) -> Done {
    let changes = log.take_changes();
    store.commit(&[LogChanges { log: log.id(), changes }])?;
    Ok(())
}

fn next(log: &Log, term: i32) -> EntryId {
    EntryId { index: log.last().index.next(), term: LeaderEpoch(term) }
}

fn own(log: &mut Log, kind: FrameKind, term: i32, payload: &[u8]) -> Done {
    let id = next(log, term);
    let frame = own_frame(kind, id, log.next_offset(), payload);
    log.append(&[LogEntry { id, frame }])?;
    Ok(())
}

/// Records whose key is their offset and whose timestamp is a thousand times that.
fn batch(log: &mut Log, term: i32, count: i64, codec: Compression) -> Done {
    let (id, offset) = (next(log, term), log.next_offset());
    let mut builder = BatchBuilder::new(codec);
    for record in offset.0..offset.0 + count {
        builder.push(&Record::new(Some(&format!("{record}")), Some(&"value ".repeat(20)), record * 1000));
    }
    let mut frame = builder.build()?;
    stamp(&mut frame, offset, id.term);
    log.append(&[LogEntry { id, frame: frame.freeze() }])?;
    Ok(())
}
