//! The real disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Advice, FlockOperation, fadvise, fdatasync, flock, statvfs};
use rustix::io::ReadWriteFlags;

use super::{DirEntry, Disk, DiskFile, OpenMode, Space};
use crate::index::map::Map;

/// How far apart the bytes lie that are asked for when a range is probed for residence: the kernel reads ahead by as much.
const PROBE_STEP: u64 = 64 * 1024;

/// Syncs of several files share the commits of the file system's own journal.
const SYNCS_AT_A_TIME: usize = 8;

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

/// Held while a process uses a data directory.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of a directory, which is created if it is not there.
    pub fn take(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let path = dir.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            io::Error::other(format!(
                "{} is locked: another process uses this data directory; stop it, or give this one a directory of its own",
                path.display()
            ))
        })?;
        Ok(Self { _file: file })
    }
}

impl Disk for OsDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        match mode {
            OpenMode::Read => options.read(true),
            OpenMode::ReadWrite => options.read(true).write(true),
            OpenMode::CreateNew => options.read(true).write(true).create_new(true),
        };
        Ok(Arc::new(OsFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(DirEntry { name, is_dir: entry.file_type()?.is_dir() });
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn syncs_at_a_time(&self) -> usize {
        SYNCS_AT_A_TIME
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let found = statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Space { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
    }
}

struct OsFile(File);

impl DiskFile for OsFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, position + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, slices: &[&[u8]], mut position: u64) -> io::Result<()> {
        let mut vectors: Vec<io::IoSlice<'_>> = slices.iter().map(|slice| io::IoSlice::new(slice)).collect();
        let mut left = &mut vectors[..];
        io::IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            let most = left.len().min(1024);
            match rustix::io::pwritev(&self.0, left.get(..most).unwrap_or_default(), position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    position += count as u64;
                    io::IoSlice::advance_slices(&mut left, count);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(fdatasync(&self.0)?)
    }

    fn is_resident(&self, position: u64, length: u64) -> bool {
        let mut byte = [0];
        let end = position + length;
        let mut at = position;
        while at < end {
            let vector = &mut [io::IoSliceMut::new(&mut byte)];
            if rustix::io::preadv2(&self.0, vector, at, ReadWriteFlags::NOWAIT) != Ok(1) {
                return false;
            }
            at += PROBE_STEP;
        }
        true
    }

    fn forget(&self, position: u64, length: u64) {
        // Advice: where it is not taken nothing is lost but room.
        let _ = fadvise(&self.0, position, NonZeroU64::new(length), Advice::DontNeed);
    }

    fn map(&self, length: usize) -> io::Result<Map> {
        Map::of(&self.0, length)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}
