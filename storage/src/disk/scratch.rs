//! A disk over another that is only read: what is written stays in memory, and is gone with it.
//!
//! So recovery itself can be run over a directory to learn what it would do, also on a read-only mount or beside a process
//! that uses the directory. Files are opened read-only, and nothing is mapped: a file that shrinks meanwhile does no harm.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{DirEntry, Disk, DiskFile, OpenMode, Space};
use crate::index::map::Map;

/// Pieces of this size are kept where a write changed them.
const PIECE: usize = 4096;

/// See the module.
pub struct ScratchDisk {
    below: Arc<dyn Disk>,
    /// Files that were opened, by path; `None` for those that were removed.
    files: Mutex<BTreeMap<PathBuf, Option<Arc<ScratchFile>>>>,
}

struct ScratchFile {
    /// The file that it began as, opened for each read: a directory has more files than a process may open.
    below: Option<(Arc<dyn Disk>, PathBuf)>,
    changed: Mutex<Changed>,
}

/// What a file is, other than the one below.
struct Changed {
    length: u64,
    /// What still counts of the file below.
    kept: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl ScratchDisk {
    /// A disk that shows what `below` holds.
    pub fn over(below: Arc<dyn Disk>) -> Self {
        Self { below, files: Mutex::default() }
    }
}

impl Disk for ScratchDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut files = self.files.lock();
        let found = match files.get(path) {
            Some(known) => known.clone(),
            None => match self.below.open(path, OpenMode::Read) {
                Ok(file) => Some(Arc::new(ScratchFile::over(&self.below, path, file.length()?))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
        };
        let file = match (found, mode) {
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(file), _) => file,
            (None, OpenMode::CreateNew) => Arc::new(ScratchFile::empty()),
            (None, _) => return Err(io::ErrorKind::NotFound.into()),
        };
        if mode != OpenMode::Read {
            files.insert(path.to_owned(), Some(Arc::clone(&file)));
        }
        Ok(file)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut files = self.files.lock();
        let is_there = match files.get(path) {
            Some(known) => known.is_some(),
            None => self.below.open(path, OpenMode::Read).map(|_| true)?,
        };
        files.insert(path.to_owned(), None);
        if is_there { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove_dir(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = self.below.list(path)?;
        for (file, state) in self.files.lock().iter().filter(|(file, _)| file.parent() == Some(path)) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            entries.retain(|entry| entry.name != name);
            if state.is_some() {
                entries.push(DirEntry { name, is_dir: false });
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn syncs_at_a_time(&self) -> usize {
        1
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.below.space(path)
    }
}

impl ScratchFile {
    fn empty() -> Self {
        Self { below: None, changed: Mutex::new(Changed { length: 0, kept: 0, pieces: BTreeMap::new() }) }
    }

    fn over(disk: &Arc<dyn Disk>, path: &Path, length: u64) -> Self {
        let changed = Changed { length, kept: length, pieces: BTreeMap::new() };
        Self { below: Some((Arc::clone(disk), path.to_owned())), changed: Mutex::new(changed) }
    }

    /// Fills a buffer that ends at or in front of the end of the file.
    fn fill(&self, changed: &Changed, buffer: &mut [u8], position: u64) -> io::Result<()> {
        buffer.fill(0);
        let kept = usize::try_from(changed.kept.saturating_sub(position)).unwrap_or(usize::MAX).min(buffer.len());
        if let (Some((disk, path)), Some(part)) = (&self.below, buffer.get_mut(..kept).filter(|part| !part.is_empty()))
        {
            // Fewer bytes than it had: another process cut it. They read as zeros, which no check takes for good.
            disk.open(path, OpenMode::Read)?.read_at(part, position)?;
        }
        let end = position.saturating_add(buffer.len() as u64);
        for (at, piece) in changed.pieces.range(position.saturating_sub(PIECE as u64)..end) {
            let from = at.max(&position);
            let to = at.saturating_add(piece.len() as u64).min(end);
            if *from < to {
                let inside = |from: u64, to: u64, start: u64| {
                    let at = |place: u64| usize::try_from(place - start).unwrap_or(usize::MAX);
                    at(from)..at(to)
                };
                let source = piece.get(inside(*from, to, *at)).unwrap_or_default();
                if let Some(target) = buffer.get_mut(inside(*from, to, position)) {
                    target.copy_from_slice(source);
                }
            }
        }
        Ok(())
    }

    fn write(&self, changed: &mut Changed, mut bytes: &[u8], mut position: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let at = position - position % PIECE as u64;
            let inside = usize::try_from(position - at).unwrap_or_default();
            let (here, rest) = bytes.split_at(bytes.len().min(PIECE - inside));
            let mut piece = vec![0; PIECE];
            self.fill(changed, &mut piece, at)?;
            if let Some(place) = piece.get_mut(inside..inside + here.len())
                && place != here
            {
                place.copy_from_slice(here);
                changed.pieces.insert(at, piece);
            }
            position = position.saturating_add(here.len() as u64);
            changed.length = changed.length.max(position);
            bytes = rest;
        }
        Ok(())
    }
}

impl DiskFile for ScratchFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.changed.lock().length)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let changed = self.changed.lock();
        let left = usize::try_from(changed.length.saturating_sub(position)).unwrap_or(usize::MAX);
        let read = left.min(buffer.len());
        if let Some(part) = buffer.get_mut(..read) {
            self.fill(&changed, part, position)?;
        }
        Ok(read)
    }

    fn write_at(&self, slices: &[&[u8]], mut position: u64) -> io::Result<()> {
        let mut changed = self.changed.lock();
        for slice in slices {
            self.write(&mut changed, slice, position)?;
            position = position.saturating_add(slice.len() as u64);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut changed = self.changed.lock();
        changed.length = length;
        changed.kept = changed.kept.min(length);
        changed.pieces.retain(|at, _| *at < length);
        for (at, piece) in &mut changed.pieces {
            let kept = usize::try_from(length - at).unwrap_or(PIECE).min(PIECE);
            piece.get_mut(kept..).unwrap_or_default().fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_resident(&self, _: u64, _: u64) -> bool {
        false
    }

    fn forget(&self, _: u64, _: u64) {}

    fn map(&self, length: usize) -> io::Result<Map> {
        let mut bytes = vec![0; length];
        let read = self.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(Map::Memory(bytes))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disk::os::OsDisk;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        Cut(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let write = (0..30_000_u64, proptest::collection::vec(any::<u8>(), 0..9000))
            .prop_map(|(at, bytes)| Step::Write(at, bytes));
        proptest::collection::vec(prop_oneof![write, (0..30_000_u64).prop_map(Step::Cut)], 0..8)
    }

    fn whole(file: &dyn DiskFile) -> Vec<u8> {
        let mut bytes = vec![0; 64 << 10];
        let read = file.read_at(&mut bytes, 0).unwrap();
        bytes.truncate(read);
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_shows_what_was_written_and_writes_nothing(first in proptest::collection::vec(1..u8::MAX, 0..12_000), steps in steps()) {
            let dir = tempfile::tempdir().unwrap();
            let (path, twin) = (dir.path().join("file"), dir.path().join("twin"));
            std::fs::write(&path, &first).unwrap();
            std::fs::write(&twin, &first).unwrap();
            let disk = ScratchDisk::over(Arc::new(OsDisk));
            let file = disk.open(&path, OpenMode::ReadWrite).unwrap();
            let twin = OsDisk.open(&twin, OpenMode::ReadWrite).unwrap();
            for step in steps {
                for file in [&file, &twin] {
                    match &step {
                        Step::Write(at, bytes) => file.write_at(&[bytes], *at).unwrap(),
                        Step::Cut(length) => file.set_len(*length).unwrap(),
                    }
                }
                prop_assert_eq!(whole(file.as_ref()), whole(twin.as_ref()));
            }
            prop_assert_eq!(std::fs::read(&path).unwrap(), first);
        }
    }

    #[test]
    fn names_come_and_go_in_memory_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (there, new) = (dir.path().join("there"), dir.path().join("new"));
        std::fs::write(&there, b"x").unwrap();
        let disk = ScratchDisk::over(Arc::new(OsDisk));
        disk.open(&new, OpenMode::CreateNew).unwrap();
        disk.remove_file(&there).unwrap();
        assert_eq!(disk.remove_file(&there).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(disk.open(&there, OpenMode::Read).is_err());
        let names: Vec<String> = disk.list(dir.path()).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["new"]);
        assert!(there.exists() && !new.exists());
    }
}
