//! Small files that are replaced as a whole: write aside, sync, rename, sync the directory.
//!
//! ```text
//! 0  "HWAF"        4 bytes
//! 4  version (1)   u8
//! 5  CRC-32        u32   of what follows
//! 9  content
//! ```

use std::io;
use std::path::Path;

use bytes::Bytes;

use crate::disk::{Disk, OpenMode};
use crate::error::{Context, StorageError};

const MAGIC: &[u8; 4] = b"HWAF";
const VERSION: u8 = 1;
const HEADER: usize = 9;
const ASIDE: &str = ".tmp";

/// Replaces `dir/name` by `content`, durably.
pub fn write(disk: &dyn Disk, dir: &Path, name: &str, content: &[u8]) -> Result<(), StorageError> {
    let aside = dir.join(format!("{name}{ASIDE}"));
    match disk.remove_file(&aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).context("remove", &aside),
    }
    let file = disk.open(&aside, OpenMode::CreateNew).context("create", &aside)?;
    let crc = crc32fast::hash(content).to_be_bytes();
    file.write_at(&[MAGIC, &[VERSION], &crc, content], 0).context("write", &aside)?;
    if !planted!(RenamedBeforeSync) {
        file.sync_data().context("sync", &aside)?;
    }
    let path = dir.join(name);
    disk.rename(&aside, &path).context("rename", &aside)?;
    if planted!(RenameNotSynced) {
        return Ok(());
    }
    disk.sync_dir(dir).context("sync the directory", dir)
}

/// The content of `dir/name`, or `None` where there is no such file.
pub fn read(disk: &dyn Disk, dir: &Path, name: &str) -> Result<Option<Bytes>, StorageError> {
    let path = dir.join(name);
    let file = match disk.open(&path, OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("open", &path),
    };
    let length = usize::try_from(file.length().context("measure", &path)?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0).context("read", &path)?;
    bytes.truncate(read);
    let bytes = Bytes::from(bytes);
    let corrupt = |reason: &str| StorageError::corrupt(&path, 0, reason);
    let header = bytes.get(..HEADER).ok_or_else(|| corrupt("shorter than its header"))?;
    if !header.starts_with(MAGIC) {
        return Err(corrupt("not a file of ours"));
    }
    let version = header.get(4).copied().unwrap_or_default();
    if version != VERSION {
        return Err(StorageError::Version { path, found: version, known: VERSION });
    }
    let content = bytes.slice(HEADER..);
    let stored = header.get(5..HEADER).unwrap_or_default();
    if stored != crc32fast::hash(&content).to_be_bytes() {
        return Err(corrupt("its CRC does not match"));
    }
    Ok(Some(content))
}
