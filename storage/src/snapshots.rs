//! Snapshots of a log's machine, one small file each, named by the index they are as of.

use std::path::Path;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Offset};

use crate::atomic_file;
use crate::disk::Disk;
use crate::error::{Context, StorageError};
use crate::segment::remove_if_there;

/// A machine as of an entry, with the members of its group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The last entry in it.
    pub id: EntryId,
    /// The offset of the next record.
    pub next_offset: Offset,
    /// Who votes, as the caller encodes it.
    pub membership: Bytes,
    /// What the machine saved.
    pub machine: Bytes,
}

pub(crate) fn file_name(index: Index) -> String {
    format!("{:020}.snapshot", index.0)
}

pub(crate) fn encode(snapshot: &Snapshot) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u64(snapshot.id.index.0);
    out.put_i32(snapshot.id.term.0);
    out.put_i64(snapshot.next_offset.0);
    out.put_u32(u32::try_from(snapshot.membership.len()).expect("a membership is small"));
    out.put_slice(&snapshot.membership);
    out.put_slice(&snapshot.machine);
    out.freeze()
}

/// Writes a snapshot durably, and removes all but the newest `kept`.
pub(crate) fn save(disk: &dyn Disk, dir: &Path, snapshot: &Snapshot, kept: usize) -> Result<(), StorageError> {
    atomic_file::write(disk, dir, &file_name(snapshot.id.index), &encode(snapshot))?;
    let all = indices(disk, dir)?;
    for index in all.iter().rev().skip(kept) {
        remove_if_there(disk, &dir.join(file_name(*index)))?;
    }
    Ok(())
}

/// The newest snapshot at or below an index.
pub(crate) fn load(disk: &Arc<dyn Disk>, dir: &Path, at_most: Index) -> Result<Option<Snapshot>, StorageError> {
    let Some(index) = indices(disk.as_ref(), dir)?.into_iter().rfind(|index| *index <= at_most) else {
        return Ok(None);
    };
    read(disk.as_ref(), dir, &file_name(index))
}

/// One snapshot, by its file's name; `None` where there is no such file.
pub(crate) fn read(disk: &dyn Disk, dir: &Path, name: &str) -> Result<Option<Snapshot>, StorageError> {
    let Some(mut bytes) = atomic_file::read(disk, dir, name)? else {
        return Ok(None);
    };
    let cut = || StorageError::corrupt(&dir.join(name), 0, "a snapshot is cut short");
    let fixed = 8 + 4 + 8 + 4;
    if bytes.len() < fixed {
        return Err(cut());
    }
    let id = EntryId { index: Index(bytes.get_u64()), term: LeaderEpoch(bytes.get_i32()) };
    let next_offset = Offset(bytes.get_i64());
    let length = usize::try_from(bytes.get_u32()).unwrap_or(usize::MAX);
    if bytes.len() < length {
        return Err(cut());
    }
    let membership = bytes.split_to(length);
    Ok(Some(Snapshot { id, next_offset, membership, machine: bytes }))
}

/// The newest snapshot, by its name.
pub(crate) fn newest(disk: &dyn Disk, dir: &Path) -> Result<Option<Index>, StorageError> {
    Ok(indices(disk, dir)?.into_iter().max())
}

fn indices(disk: &dyn Disk, dir: &Path) -> Result<Vec<Index>, StorageError> {
    let entries = disk.list(dir).context("list", dir)?;
    let index = |name: &str| name.strip_suffix(".snapshot").and_then(|digits| digits.parse().ok()).map(Index);
    Ok(entries.iter().filter_map(|entry| index(&entry.name)).collect())
}
