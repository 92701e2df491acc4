//! A disk in memory that keeps what is durable apart from what is only written, and can be stopped at any operation.
//!
//! After a power cut every write, every length and every change of names that was not synced is kept or lost, each for itself,
//! so that later ones may be there without earlier ones; and a write may be torn at 512 bytes ([`power`] says how). A rename
//! is kept or lost as one. After a kill of the process all that was written is there; the write that was stopped is there by
//! half. Copies of a disk share the bytes that neither has changed.

mod operation;
mod power;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

pub use self::operation::{Operation, OperationKind};
use self::power::Questions;
use super::{DirEntry, Disk, DiskFile, OpenMode, Space};
use crate::index::map::Map;

/// A simulated file system. Clones share it.
#[derive(Clone, Default)]
pub struct SimDisk(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    files: BTreeMap<u64, Content>,
    names: BTreeMap<PathBuf, Node>,
    durable_names: BTreeMap<PathBuf, Node>,
    /// What happened to names and is not durable, in order.
    name_changes: Vec<NameChange>,
    next: u64,
    power_cuts: u128,
    operations: u64,
    stop_at: Option<u64>,
    stopped_at: Option<Operation>,
    fail_sync_of: Option<String>,
    capacity: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Directory,
    File(u64),
}

#[derive(Clone)]
enum NameChange {
    Create(PathBuf, Node),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

#[derive(Clone, Default)]
struct Content {
    seen: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    pending: Vec<Pending>,
    /// A failed sync has lost bytes: what is seen may never become durable.
    is_split: bool,
    /// Failures of a write-back that nobody waited for.
    failures: u64,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Arc<[u8]>),
    Length(usize),
}

/// What power cuts may leave of one moment.
pub struct PowerCuts {
    /// The disks.
    pub images: Vec<SimDisk>,
    /// They are all there may be.
    pub is_complete: bool,
}

impl SimDisk {
    /// An empty file system.
    pub fn new() -> Self {
        Self::default()
    }

    /// Operations so far: writes, syncs, and changes of names and lengths.
    pub fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// From that operation on, that one included, everything fails.
    pub fn stop_at(&self, operation: u64) {
        self.0.lock().stop_at = Some(operation);
    }

    /// The operation that it stopped at, if it did.
    pub fn stopped_at(&self) -> Option<Operation> {
        self.0.lock().stopped_at.clone()
    }

    /// The machine runs again: the disk is as an image of it, and counts its operations on.
    pub fn go_on_as(&self, image: &Self) {
        let image = image.0.lock().crashed();
        let mut world = self.0.lock();
        *world = World { operations: world.operations, ..image };
    }

    /// Power cuts so far: what a kernel draws anew at each boot.
    pub fn boots(&self) -> u128 {
        self.0.lock().power_cuts
    }

    /// The next sync of a file whose path holds `text` fails, and what it should have made durable is lost.
    pub fn fail_sync_of(&self, text: &str) {
        self.0.lock().fail_sync_of = Some(text.to_owned());
    }

    /// The kernel writes the files whose path holds `text` back on its own, and fails: their unsynced bytes are lost. The next
    /// sync says so to whoever had the file open then; to a descriptor that is opened later it says nothing.
    pub fn lose_writeback_of(&self, text: &str) {
        let mut world = self.0.lock();
        let World { files, names, .. } = &mut *world;
        for (_, node) in names.iter().filter(|(path, _)| path.to_string_lossy().contains(text)) {
            if let Some(content) = node.file().and_then(|id| files.get_mut(&id)) {
                content.lose_pending();
                content.failures += 1;
            }
        }
    }

    /// Bounds what all files together may hold.
    pub fn set_capacity(&self, bytes: u64) {
        self.0.lock().capacity = Some(bytes);
    }

    /// Flips a bit of a file, durably.
    pub fn flip_bit(&self, path: &Path, position: usize) {
        let mut world = self.0.lock();
        if let Some(Node::File(id)) = world.names.get(path).copied()
            && let Some(content) = world.files.get_mut(&id)
        {
            for bytes in [&mut content.seen, &mut content.durable] {
                if let Some(byte) = Arc::make_mut(bytes).get_mut(position) {
                    *byte ^= 1;
                }
            }
        }
    }

    /// The file system after the process was killed: all that was written is there.
    pub fn after_kill(&self) -> Self {
        Self::of(self.0.lock().crashed())
    }

    /// The file system after a power cut: what was synced is there, and of the rest what the seed lets through.
    pub fn after_power_cut(&self, seed: u64) -> Self {
        Self::of(Questions::of(&self.0.lock()).drawn(seed))
    }

    /// All that a power cut may leave, if that is no more than `most`; else nothing of what is not durable, all of it, and what
    /// the seed draws.
    pub fn power_cuts(&self, most: u64, seed: u64) -> PowerCuts {
        let world = self.0.lock();
        let questions = Questions::of(&world);
        let is_complete = questions.ways() <= most;
        let images = if is_complete {
            (0..questions.ways()).map(|number| Self::of(questions.nth(number))).collect()
        } else {
            let drawn = (2..most).map(|draw| questions.drawn(seed.wrapping_mul(most).wrapping_add(draw)));
            [questions.nothing(), questions.everything()].into_iter().chain(drawn).map(Self::of).collect()
        };
        PowerCuts { images, is_complete }
    }

    /// Tells disks that show the same files with the same bytes below a directory from others.
    pub fn fingerprint(&self, dir: &Path) -> u64 {
        let world = self.0.lock();
        let mut print = Fingerprint::default();
        for (path, node) in world.names.iter().filter(|(path, _)| path.starts_with(dir)) {
            print.add(path.as_os_str().as_encoded_bytes());
            let bytes = node.file().and_then(|id| world.files.get(&id)).map(|content| content.seen.as_slice());
            print.add(bytes.unwrap_or(b"a directory"));
        }
        print.0
    }

    fn of(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }
}

/// A hash that is the same in every run.
#[derive(Default)]
struct Fingerprint(u64);

impl Fingerprint {
    fn add(&mut self, bytes: &[u8]) {
        self.mix(bytes.len() as u64);
        let words = bytes.chunks_exact(8);
        let rest = words.remainder();
        words.filter_map(|word| word.try_into().ok()).for_each(|word| self.mix(u64::from_le_bytes(word)));
        rest.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    fn mix(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}

impl Node {
    fn file(&self) -> Option<u64> {
        match self {
            Self::Directory => None,
            Self::File(id) => Some(*id),
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Create(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                let moved: Vec<PathBuf> = names.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in moved {
                    let rest = path.strip_prefix(from).unwrap_or(Path::new(""));
                    let target = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                    if let Some(node) = names.remove(&path) {
                        names.insert(target, node);
                    }
                }
            }
        }
    }

    /// What it gives a name to that had none.
    fn creates(&self) -> Option<&Node> {
        match self {
            Self::Create(_, node) => Some(node),
            Self::Remove(_) | Self::Rename(..) => None,
        }
    }

    fn touches(&self, directory: &Path) -> bool {
        let lies_in = |path: &PathBuf| path.parent() == Some(directory);
        match self {
            Self::Create(path, _) | Self::Remove(path) => lies_in(path),
            Self::Rename(from, to) => lies_in(from) || lies_in(to),
        }
    }
}

impl Content {
    fn write(&mut self, position: usize, written: &[u8]) {
        if written.is_empty() {
            return;
        }
        put(Arc::make_mut(&mut self.seen), position, written);
        self.pending.push(Pending::Write(position, written.into()));
    }

    fn set_len(&mut self, length: usize) {
        Arc::make_mut(&mut self.seen).resize(length, 0);
        self.pending.push(Pending::Length(length));
    }

    fn sync(&mut self) {
        if !self.is_split {
            self.pending.clear();
            self.durable = Arc::clone(&self.seen);
            return;
        }
        let durable = Arc::make_mut(&mut self.durable);
        for pending in self.pending.drain(..) {
            match pending {
                Pending::Length(length) => durable.resize(length, 0),
                Pending::Write(position, written) => put(durable, position, &written),
            }
        }
    }

    fn lose_pending(&mut self) {
        self.is_split |= !self.pending.is_empty();
        self.pending.clear();
    }
}

fn put(bytes: &mut Vec<u8>, position: usize, written: &[u8]) {
    let end = position + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(position..end) {
        place.copy_from_slice(written);
    }
}

impl World {
    /// What it holds, seen and durable, and nothing that was ordered for it.
    fn crashed(&self) -> Self {
        Self {
            files: self.files.clone(),
            names: self.names.clone(),
            durable_names: self.durable_names.clone(),
            name_changes: self.name_changes.clone(),
            next: self.next,
            power_cuts: self.power_cuts,
            ..Self::default()
        }
    }

    fn count(&mut self, kind: OperationKind, path: &Path) -> io::Result<()> {
        self.operations += 1;
        if self.stop_at.is_some_and(|stop| self.operations >= stop) {
            if self.stopped_at.is_none() {
                self.stopped_at = Some(Operation { kind, path: path.to_owned() });
            }
            return Err(io::Error::other("the simulated disk has stopped"));
        }
        Ok(())
    }

    fn used(&self) -> u64 {
        let named = self.names.values().filter_map(Node::file).filter_map(|id| self.files.get(&id));
        named.map(|content| content.seen.len() as u64).sum()
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    fn node(&self, path: &Path) -> io::Result<Node> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn check_parent(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(parent) if parent != Path::new("/") => match self.node(parent)? {
                Node::Directory => Ok(()),
                Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
            },
            _ => Ok(()),
        }
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.0.lock();
        let id = match (world.names.get(path).copied(), mode) {
            (Some(Node::File(id)), OpenMode::Read | OpenMode::ReadWrite) => id,
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (None, OpenMode::CreateNew) => {
                world.count(OperationKind::Create, path)?;
                world.check_parent(path)?;
                world.next += 1;
                let id = world.next;
                world.files.insert(id, Content::default());
                world.change_names(NameChange::Create(path.to_owned(), Node::File(id)));
                id
            }
            _ => return Err(io::ErrorKind::NotFound.into()),
        };
        let known_failures = AtomicU64::new(world.files.get(&id).map_or(0, |content| content.failures));
        Ok(Arc::new(SimFile { world: Arc::clone(&self.0), id, path: path.to_owned(), known_failures }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.count(OperationKind::Rename, to)?;
        world.node(from)?;
        world.change_names(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.node(path)?;
        world.count(OperationKind::Remove, path)?;
        world.change_names(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        world.count(OperationKind::CreateDir, path)?;
        world.check_parent(path)?;
        world.change_names(NameChange::Create(path.to_owned(), Node::Directory));
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.node(path)?;
        if world.names.keys().any(|name| name.parent() == Some(path)) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        world.count(OperationKind::RemoveDir, path)?;
        world.change_names(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let world = self.0.lock();
        if world.node(path)? != Node::Directory {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let entries = world.names.iter().filter(|(name, _)| name.parent() == Some(path)).map(|(name, node)| DirEntry {
            name: name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            is_dir: *node == Node::Directory,
        });
        Ok(entries.collect())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.count(OperationKind::SyncDir, path)?;
        let changes = std::mem::take(&mut world.name_changes);
        let (now, later): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.touches(path));
        world.name_changes = later;
        now.iter().for_each(|change| change.apply(&mut world.durable_names));
        Ok(())
    }

    fn syncs_at_a_time(&self) -> usize {
        1
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        let world = self.0.lock();
        let total = world.capacity.unwrap_or(u64::MAX / 2);
        Ok(Space { free: total.saturating_sub(world.used()), total })
    }
}

struct SimFile {
    world: Arc<Mutex<World>>,
    id: u64,
    path: PathBuf,
    /// Failed write-backs that this descriptor knows of.
    known_failures: AtomicU64,
}

impl SimFile {
    fn with<T>(&self, act: impl FnOnce(&mut Content) -> T) -> T {
        act(self.world.lock().files.entry(self.id).or_default())
    }
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.with(|content| content.seen.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.with(|content| {
            let start = usize::try_from(position).unwrap_or(usize::MAX).min(content.seen.len());
            let from = content.seen.get(start..).unwrap_or_default();
            let count = from.len().min(buffer.len());
            for (place, byte) in buffer.iter_mut().zip(from) {
                *place = *byte;
            }
            Ok(count)
        })
    }

    fn write_at(&self, slices: &[&[u8]], position: u64) -> io::Result<()> {
        let written = slices.concat();
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        let mut world = self.world.lock();
        if let Err(stopped) = world.count(OperationKind::Write, &self.path) {
            if Some(world.operations) == world.stop_at {
                let half = written.get(..written.len() / 2).unwrap_or_default();
                world.files.entry(self.id).or_default().write(start, half);
            }
            return Err(stopped);
        }
        let grows = self.grows_by(&world, start + written.len());
        let free = world.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(world.used()));
        let content = world.files.entry(self.id).or_default();
        if grows > free {
            let lacking = usize::try_from(grows - free).unwrap_or(usize::MAX);
            content.write(start, written.get(..written.len().saturating_sub(lacking)).unwrap_or_default());
            return Err(io::ErrorKind::StorageFull.into());
        }
        content.write(start, &written);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.world.lock().count(OperationKind::SetLength, &self.path)?;
        self.with(|content| content.set_len(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut world = self.world.lock();
        world.count(OperationKind::Sync, &self.path)?;
        let fails = world.fail_sync_of.as_ref().is_some_and(|text| self.path.to_string_lossy().contains(text.as_str()));
        if fails {
            world.fail_sync_of = None;
        }
        let content = world.files.entry(self.id).or_default();
        if fails {
            content.lose_pending();
            return Err(io::Error::other("an injected failure of fsync"));
        }
        content.sync();
        if self.known_failures.swap(content.failures, Ordering::Relaxed) != content.failures {
            return Err(io::Error::other("an injected failure of write-back"));
        }
        Ok(())
    }

    fn is_resident(&self, _: u64, _: u64) -> bool {
        true
    }

    fn forget(&self, _: u64, _: u64) {}

    fn map(&self, length: usize) -> io::Result<Map> {
        Ok(Map::Memory(self.with(|content| content.seen.get(..length).unwrap_or(&content.seen).to_vec())))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl SimFile {
    fn grows_by(&self, world: &World, end: usize) -> u64 {
        let length = world.files.get(&self.id).map_or(0, |content| content.seen.len());
        end.saturating_sub(length) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(disk: &SimDisk, name: &str) -> Arc<dyn DiskFile> {
        disk.open(Path::new(name), OpenMode::CreateNew).expect("creates")
    }

    #[test]
    fn a_power_cut_keeps_what_was_synced_and_a_kill_keeps_all() {
        let disk = SimDisk::new();
        let one = file(&disk, "/one");
        one.write_at(&[b"synced"], 0).expect("writes");
        one.sync_data().expect("syncs");
        disk.sync_dir(Path::new("/")).expect("syncs");
        one.write_at(&[b"later!"], 0).expect("writes");
        let mut outcomes = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let after = disk.after_power_cut(seed);
            let mut bytes = [0; 6];
            after.open(Path::new("/one"), OpenMode::Read).and_then(|file| file.read_at(&mut bytes, 0)).expect("reads");
            outcomes.insert(bytes);
        }
        assert_eq!(outcomes, [*b"synced", *b"later!"].into());
        let mut bytes = [0; 6];
        let killed = disk.after_kill();
        killed.open(Path::new("/one"), OpenMode::Read).and_then(|file| file.read_at(&mut bytes, 0)).expect("reads");
        assert_eq!(&bytes, b"later!");
    }

    #[test]
    fn every_way_in_which_a_few_pieces_survive_is_found() {
        let disk = SimDisk::new();
        let one = file(&disk, "/one");
        one.write_at(&[&[1; 1024]], 0).expect("writes");
        one.sync_data().expect("syncs");
        disk.sync_dir(Path::new("/")).expect("syncs");
        one.write_at(&[&[2; 700]], 0).expect("writes");
        one.write_at(&[&[3; 100]], 600).expect("writes");
        let cuts = disk.power_cuts(10, 1);
        assert!(cuts.is_complete);
        let found: std::collections::BTreeSet<u64> =
            cuts.images.iter().map(|disk| disk.fingerprint(Path::new("/"))).collect();
        assert_eq!(found.len(), 2 * 3, "the first sector has two states, the second three");
        one.write_at(&[&[4; 1]], 1024).expect("writes");
        let cuts = disk.power_cuts(24, 1);
        assert!(cuts.is_complete);
        let found: std::collections::BTreeSet<u64> =
            cuts.images.iter().map(|disk| disk.fingerprint(Path::new("/"))).collect();
        assert_eq!(found.len(), 2 * 3 * 3, "the third is not there, or is zero, or is written");
        assert!(!disk.power_cuts(23, 1).is_complete);
    }

    #[test]
    fn a_failed_write_back_is_told_to_those_who_had_the_file_open_and_to_no_other() {
        let disk = SimDisk::new();
        let before = file(&disk, "/one");
        before.write_at(&[b"lost"], 0).expect("writes");
        disk.lose_writeback_of("/one");
        let after = disk.open(Path::new("/one"), OpenMode::ReadWrite).expect("opens");
        assert!(after.sync_data().is_ok());
        assert!(before.sync_data().is_err());
    }

    #[test]
    fn an_unsynced_name_may_be_lost() {
        let disk = SimDisk::new();
        file(&disk, "/name").sync_data().expect("syncs");
        let kept = (0..20).filter(|seed| disk.after_power_cut(*seed).open(Path::new("/name"), OpenMode::Read).is_ok());
        let kept = kept.count();
        assert!(kept > 0 && kept < 20, "{kept}");
    }

    #[test]
    fn a_failed_sync_loses_its_bytes_and_the_next_one_says_ok() {
        let disk = SimDisk::new();
        let one = file(&disk, "/one");
        disk.sync_dir(Path::new("/")).expect("syncs");
        one.write_at(&[b"lost"], 0).expect("writes");
        disk.fail_sync_of("one");
        assert!(one.sync_data().is_err());
        assert_eq!(one.length().expect("measures"), 4);
        let after = disk.after_power_cut(1).open(Path::new("/one"), OpenMode::Read).expect("opens");
        assert_eq!(after.length().expect("measures"), 0);
    }
}
