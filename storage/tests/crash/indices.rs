//! Indices against the segments they speak of: every answer that comes through an index is compared with what the bytes of the
//! segment files say, and index files with those that are made anew.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use highwater_protocol::ids::{Index, LeaderEpoch, Offset, Timestamp};
use highwater_protocol::records::batch::Batch;
use highwater_protocol::records::record::records;
use highwater_storage::disk::Disk;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::entry::{Frame, parse};
use highwater_storage::log::Log;
use highwater_storage::store::Opened;

use crate::common::{content, files, open};

const LOGS: &str = "/data/logs";

/// A frame as it lies in a segment file, found without any index.
struct Raw {
    bytes: Bytes,
    index: Index,
    term: LeaderEpoch,
    /// The offset of the next record in front of it.
    offset: Offset,
    /// Of its records.
    timestamps: Vec<i64>,
}

/// Every entry and every record is found by each way to look for it, and nothing else is.
pub(crate) fn agree_with_segments(disk: &SimDisk, opened: &Opened) -> Result<(), String> {
    for found in &opened.logs {
        let raw = raw_frames(disk, &found.log)?;
        check_log(&found.log, &raw).map_err(|wrong| format!("{}: {wrong}", found.log.name()))?;
    }
    Ok(())
}

/// A start that finds no index file makes the same ones. An index of the segment that is written may be left over from before a
/// cut: it is true as far as it goes, and is not made anew.
pub(crate) fn are_made_anew(disk: &SimDisk) -> Result<(), String> {
    let anew = disk.after_kill();
    let before = index_files(disk);
    for (path, _) in &before {
        anew.remove_file(path).map_err(|error| error.to_string())?;
    }
    open(&anew, 55).map_err(|error| format!("does not open without its indices: {error}"))?;
    for (path, made) in index_files(&anew) {
        let is_same = before.iter().any(|(other, bytes)| *other == path && *bytes == made);
        ensure!(is_same, "{} is not what its segment says", path.display());
    }
    Ok(())
}

fn index_files(disk: &SimDisk) -> Vec<(PathBuf, Vec<u8>)> {
    let is_index = |(path, _): &(PathBuf, Vec<u8>)| path.extension().is_some_and(|ending| ending == "index");
    files(disk, LOGS).into_iter().filter(is_index).collect()
}

fn raw_frames(disk: &SimDisk, log: &Log) -> Result<Vec<Raw>, String> {
    let dir = Path::new(LOGS).join(log.name());
    let mut frames: Vec<Raw> = Vec::new();
    let mut reached: Option<(Index, Offset)> = None;
    for entry in disk.list(&dir).map_err(|error| error.to_string())? {
        if !entry.name.ends_with(".log") {
            continue;
        }
        let mut left = Bytes::from(content(disk, &dir.join(&entry.name)));
        while !left.is_empty() {
            let length = left.get(8..12).map_or(0, |field| u32::from_be_bytes(field.try_into().unwrap()));
            let total = 12 + usize::try_from(length).unwrap();
            ensure!(total <= left.len(), "{} ends inside a frame", entry.name);
            let bytes = left.split_to(total);
            let frame = parse(&bytes).map_err(|error| format!("{}: {error}", entry.name))?;
            let raw = raw(bytes.clone(), &frame, reached)?;
            reached = Some((raw.index.next(), Offset(raw.offset.0 + i64::try_from(raw.timestamps.len()).unwrap())));
            frames.push(raw);
        }
    }
    Ok(frames)
}

fn raw(bytes: Bytes, frame: &Frame<'_>, reached: Option<(Index, Offset)>) -> Result<Raw, String> {
    Ok(match frame {
        Frame::Own { id, next_offset, .. } => {
            Raw { bytes, index: id.index, term: id.term, offset: *next_offset, timestamps: Vec::new() }
        }
        Frame::Batch(header, _) => {
            let (index, _) = reached.ok_or("a log begins with a batch")?;
            let batch = Batch::split_off(&mut bytes.clone()).map_err(|error| error.to_string())?;
            let records = records(&batch, 1 << 20).map_err(|error| error.to_string())?;
            let timestamps = records.map(|record| record.unwrap().timestamp).collect();
            let (term, offset) = (LeaderEpoch(header.leader_epoch), Offset(header.base_offset));
            Raw { bytes, index, term, offset, timestamps }
        }
    })
}

fn check_log(log: &Log, raw: &[Raw]) -> Result<(), String> {
    let reader = log.reader();
    let Some((first, last)) = raw.first().zip(raw.last()) else { return Ok(()) };
    let end = log.next_offset();
    ensure!(reader.first_offset() == first.offset, "the first offset is {:?}", reader.first_offset());
    ensure!(log.last().index == last.index, "the last index is {:?}, and not {:?}", log.last(), last.index);
    for frame in raw {
        let index = frame.index;
        ensure!(log.term_at(index) == Some(frame.term), "{index:?} is of term {:?}", log.term_at(index));
        let by_index = log.entries(index, index.next(), u64::MAX).map_err(|error| error.to_string())?;
        ensure!(by_index.len() == 1 && by_index[0].frame == frame.bytes, "{index:?} is another entry by its index");
        if frame.timestamps.is_empty() {
            continue;
        }
        let behind = Offset(frame.offset.0 + i64::try_from(frame.timestamps.len()).unwrap());
        let slice = reader.read(Offset(behind.0 - 1), behind, 1, true).map_err(|error| error.to_string())?;
        let slice = slice.ok_or_else(|| format!("no record at {behind:?}"))?;
        let read = slice.read_verified().map_err(|error| error.to_string())?;
        ensure!(read == frame.bytes, "{index:?} is another entry by its offset");
        ensure!(reader.epoch_of(frame.offset) == Some(frame.term), "{:?} is of another term", frame.offset);
    }
    let timestamps: Vec<(i64, i64)> =
        raw.iter().flat_map(|frame| (frame.offset.0..).zip(frame.timestamps.iter().copied())).collect();
    for (_, wanted) in timestamps.iter().step_by(7) {
        let found = reader.find_timestamp(Timestamp(*wanted), first.offset, end).map_err(|error| error.to_string())?;
        let expected = timestamps.iter().find(|(_, timestamp)| timestamp >= wanted);
        let found = found.map(|found| (found.offset.0, found.timestamp.0));
        ensure!(found == expected.copied(), "timestamp {wanted} is at {found:?}, and not at {expected:?}");
    }
    Ok(())
}
