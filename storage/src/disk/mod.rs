//! The seam to the disk: blocking calls that the real disk and the simulated one both answer.
//!
//! What a write promises: its bytes are visible to every later read, and durable only after `sync_data` of that file
//! returned `Ok`. A created, renamed or removed name is durable only after `sync_dir` of its directory. After a failed
//! `sync_data` or write the file's content is unknown: nobody retries, the caller poisons.

pub mod os;
pub mod scratch;
pub mod sim;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::index::map::Map;

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    /// It must exist.
    Read,
    /// It must exist.
    ReadWrite,
    /// It must not exist.
    CreateNew,
}

/// One name in a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirEntry {
    /// The last part of the path.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// What the file system has left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// Bytes free to us.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A file system.
pub trait Disk: Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;
    /// Renames a file or directory, replacing a file of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Creates one directory; it must not exist.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// How many files are best synced at a time.
    fn syncs_at_a_time(&self) -> usize;
    /// Free and total space of the file system that holds `path`.
    fn space(&self, path: &Path) -> io::Result<Space>;
}

/// An open file. Positions count bytes.
pub trait DiskFile: Send + Sync {
    /// The file's length.
    fn length(&self) -> io::Result<u64>;
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Writes all slices, one behind the other, into the page cache.
    fn write_at(&self, slices: &[&[u8]], position: u64) -> io::Result<()>;
    /// Cuts or extends (with zeros) the file.
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// Makes content and length durable (fdatasync).
    fn sync_data(&self) -> io::Result<()>;
    /// Whether a range is in memory, so that reading it does not wait for the device.
    fn is_resident(&self, position: u64, length: u64) -> bool;
    /// The page cache need not keep a range whose bytes are durable.
    fn forget(&self, position: u64, length: u64);
    /// The first `length` bytes as read-only memory. For index files, which are never cut while mapped.
    fn map(&self, length: usize) -> io::Result<Map>;
    /// The descriptor, where there is one: for `sendfile`.
    fn descriptor(&self) -> Option<std::os::fd::BorrowedFd<'_>>;
}
