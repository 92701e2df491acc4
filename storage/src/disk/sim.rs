//! A disk in memory that keeps what is durable apart from what is only written, and can be stopped at any operation.
//!
//! After a power cut every write, every length and every change of names that was not synced is kept or lost by the seed, each
//! for itself, so that later ones may be there without earlier ones; and a write may be torn at 512 bytes. A rename is kept or
//! lost as one. After a kill of the process all that was written is there; the write that was stopped is there by half.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{DirEntry, Disk, DiskFile, OpenMode, Space};
use crate::index::map::Map;

const SECTOR: usize = 512;

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
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
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

    /// Power cuts so far: what a kernel draws anew at each boot.
    pub fn power_cuts(&self) -> u128 {
        self.0.lock().power_cuts
    }

    /// The next sync of a file whose path holds `text` fails, and what it should have made durable is lost.
    pub fn fail_sync_of(&self, text: &str) {
        self.0.lock().fail_sync_of = Some(text.to_owned());
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
                if let Some(byte) = bytes.get_mut(position) {
                    *byte ^= 1;
                }
            }
        }
    }

    /// The file system after the process was killed: all that was written is there.
    pub fn after_kill(&self) -> Self {
        let world = self.0.lock();
        let copy = World {
            files: world.files.clone(),
            names: world.names.clone(),
            durable_names: world.durable_names.clone(),
            name_changes: world.name_changes.clone(),
            next: world.next,
            power_cuts: world.power_cuts,
            ..World::default()
        };
        Self(Arc::new(Mutex::new(copy)))
    }

    /// The file system after a power cut: what was synced is there, and of the rest what the seed lets through.
    pub fn after_power_cut(&self, seed: u64) -> Self {
        let world = self.0.lock();
        let mut chance = Chance(seed);
        let mut after = World { next: world.next, power_cuts: world.power_cuts + 1, ..World::default() };
        let mut names = world.durable_names.clone();
        for change in &world.name_changes {
            if chance.coin() {
                change.apply(&mut names);
            }
        }
        let known = names.clone();
        let is_there = |path: &Path| path == Path::new("/") || known.get(path) == Some(&Node::Directory);
        names.retain(|path, _| path.ancestors().skip(1).all(is_there));
        let kept: std::collections::BTreeSet<u64> = names.values().filter_map(Node::file).collect();
        for (id, content) in world.files.iter().filter(|(id, _)| kept.contains(id)) {
            let kept = content.after_power_cut(&mut chance);
            after.files.insert(*id, Content { seen: kept.clone(), durable: kept, pending: Vec::new() });
        }
        after.names = names.clone();
        after.durable_names = names;
        Self(Arc::new(Mutex::new(after)))
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

    fn touches(&self, directory: &Path) -> bool {
        let lies_in = |path: &PathBuf| path.parent() == Some(directory);
        match self {
            Self::Create(path, _) | Self::Remove(path) => lies_in(path),
            Self::Rename(from, to) => lies_in(from) || lies_in(to),
        }
    }
}

impl Content {
    fn sync(&mut self) {
        for pending in self.pending.drain(..) {
            match pending {
                Pending::Length(length) => self.durable.resize(length, 0),
                Pending::Write(position, written) => put(&mut self.durable, position, &written),
            }
        }
    }

    fn after_power_cut(&self, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for pending in &self.pending {
            match pending {
                Pending::Length(length) if chance.coin() => bytes.resize(*length, 0),
                Pending::Length(_) => {}
                Pending::Write(position, written) => match chance.below(3) {
                    0 => {}
                    1 => put(&mut bytes, *position, written),
                    _ => {
                        for (sector, piece) in written.chunks(SECTOR).enumerate() {
                            if chance.coin() {
                                put(&mut bytes, position + sector * SECTOR, piece);
                            }
                        }
                    }
                },
            }
        }
        bytes
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
    fn count(&mut self) -> io::Result<()> {
        self.operations += 1;
        if self.stop_at.is_some_and(|stop| self.operations >= stop) {
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
                world.count()?;
                world.check_parent(path)?;
                world.next += 1;
                let id = world.next;
                world.files.insert(id, Content::default());
                world.change_names(NameChange::Create(path.to_owned(), Node::File(id)));
                id
            }
            _ => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Arc::new(SimFile { world: Arc::clone(&self.0), id, path: path.to_owned() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.count()?;
        world.node(from)?;
        world.change_names(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.node(path)?;
        world.count()?;
        world.change_names(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        world.count()?;
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
        world.count()?;
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
        world.count()?;
        let changes = std::mem::take(&mut world.name_changes);
        let (now, later): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.touches(path));
        world.name_changes = later;
        now.iter().for_each(|change| change.apply(&mut world.durable_names));
        Ok(())
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
        if let Err(stopped) = world.count() {
            if Some(world.operations) == world.stop_at {
                let half = written.get(..written.len() / 2).unwrap_or_default();
                let content = world.files.entry(self.id).or_default();
                put(&mut content.seen, start, half);
                content.pending.push(Pending::Write(start, half.to_vec()));
            }
            return Err(stopped);
        }
        let grows = self.grows_by(&world, start + written.len());
        if world.capacity.is_some_and(|capacity| world.used() + grows > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let content = world.files.entry(self.id).or_default();
        put(&mut content.seen, start, &written);
        content.pending.push(Pending::Write(start, written));
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.world.lock().count()?;
        self.with(|content| {
            content.seen.resize(length, 0);
            content.pending.push(Pending::Length(length));
        });
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut world = self.world.lock();
        world.count()?;
        let fails = world.fail_sync_of.as_ref().is_some_and(|text| self.path.to_string_lossy().contains(text.as_str()));
        if fails {
            world.fail_sync_of = None;
        }
        let content = world.files.entry(self.id).or_default();
        if fails {
            content.pending.clear();
            return Err(io::Error::other("an injected failure of fsync"));
        }
        content.sync();
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

/// A splitmix64 generator.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
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
