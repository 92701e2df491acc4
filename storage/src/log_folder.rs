//! The folder of a log: made and removed so that it never looks like a log that has lost something.

use std::path::Path;

use crate::atomic_file;
use crate::disk::Disk;
use crate::error::{Context, StorageError};
use crate::journal::record::LogId;
use crate::snapshots::{self, Snapshot};

/// Holds the log's id.
pub const META: &str = "log.meta";
const NEW: &str = ".new";
const GONE: &str = ".gone";

/// What a folder is.
pub(crate) enum Folder {
    /// A log.
    Log(LogId),
    /// One that was being made or removed.
    Leftover,
}

/// What the folder of that name is.
pub(crate) fn read(disk: &dyn Disk, logs: &Path, name: &str) -> Result<Folder, StorageError> {
    if is_leftover(name) {
        return Ok(Folder::Leftover);
    }
    let dir = logs.join(name);
    let corrupt = |reason: &str| StorageError::corrupt(&dir.join(META), 0, reason);
    let bytes = atomic_file::read(disk, &dir, META)?
        .ok_or_else(|| corrupt("it is not there: restore it, or delete the topic"))?;
    let number = <[u8; 8]>::try_from(&bytes[..]).map_err(|_| corrupt("not an id"))?;
    Ok(Folder::Log(LogId(u64::from_be_bytes(number))))
}

/// Whether a folder of that name was being made or removed.
pub(crate) fn is_leftover(name: &str) -> bool {
    name.ends_with(NEW) || name.ends_with(GONE)
}

/// Makes the folder of a log, durable on return, with the snapshot that it begins from.
pub(crate) fn create(
    disk: &dyn Disk,
    logs: &Path,
    name: &str,
    id: LogId,
    first: &Snapshot,
) -> Result<(), StorageError> {
    let aside = logs.join(format!("{name}{NEW}"));
    match disk.create_dir(&aside) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            // Left behind by an attempt that failed.
            remove(disk, &aside)?;
            disk.create_dir(&aside).context("create", &aside)?;
        }
        Err(error) => return Err(error).context("create", &aside),
    }
    atomic_file::write(disk, &aside, META, &id.0.to_be_bytes())?;
    snapshots::save(disk, &aside, first, usize::MAX)?;
    disk.rename(&aside, &logs.join(name)).context("rename", &aside)?;
    if planted!(LogNameNotSynced) {
        return Ok(());
    }
    disk.sync_dir(logs).context("sync the directory", logs)
}

/// Removes the folder of a log in two steps: while its files go it must not look like a log that has lost some.
pub(crate) fn put_aside_and_remove(disk: &dyn Disk, logs: &Path, name: &str) -> Result<(), StorageError> {
    let (dir, aside) = (logs.join(name), logs.join(format!("{name}{GONE}")));
    if planted!(RemovedInPlace) {
        return remove(disk, &dir);
    }
    match disk.rename(&dir, &aside) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed.context("rename", &dir)?,
    }
    disk.sync_dir(logs).context("sync the directory", logs)?;
    remove(disk, &aside)
}

/// Removes a folder of files.
pub(crate) fn remove(disk: &dyn Disk, dir: &Path) -> Result<(), StorageError> {
    for entry in disk.list(dir).context("list", dir)? {
        let path = dir.join(&entry.name);
        disk.remove_file(&path).context("remove", &path)?;
    }
    disk.remove_dir(dir).context("remove", dir)
}
