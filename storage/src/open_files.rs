//! What a store keeps open: segment files and maps of their indices, at most so many of each. The one unused longest is closed
//! for the next.
//!
//! A file with unsynced bytes stays open whatever the bound says: their write-back error would be lost with the descriptor.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile, OpenMode};
use crate::error::{Context, StorageError};
use crate::index::file::MappedRows;

/// All that a store has open.
pub(crate) struct OpenFiles {
    disk: Arc<dyn Disk>,
    files: Clock<dyn DiskFile>,
    maps: Clock<MappedRows>,
}

/// Things of one kind that can be opened again at any time.
struct Clock<T: ?Sized> {
    limit: usize,
    /// In the order of a clock's hand: who was used since it last passed gets another round.
    hand: Mutex<VecDeque<Weak<Slot<T>>>>,
}

/// One of them, open or not.
pub(crate) struct Slot<T: ?Sized> {
    open: Mutex<Option<Arc<T>>>,
    is_used: AtomicBool,
    is_dirty: AtomicBool,
}

impl OpenFiles {
    pub(crate) fn new(disk: Arc<dyn Disk>, files: usize, maps: usize) -> Arc<Self> {
        Arc::new(Self { disk, files: Clock::new(files), maps: Clock::new(maps) })
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The file of a slot, opened if it is not.
    pub(crate) fn file(&self, slot: &Arc<Slot<dyn DiskFile>>, path: &Path) -> Result<Arc<dyn DiskFile>, StorageError> {
        self.files.get(slot, || self.disk.open(path, OpenMode::ReadWrite).context("open", path))
    }

    /// Puts an open file into a slot.
    pub(crate) fn put_file(&self, slot: &Arc<Slot<dyn DiskFile>>, file: Arc<dyn DiskFile>) {
        self.files.put(slot, file);
    }

    /// The rows of a slot, mapped by `open` if they are not.
    pub(crate) fn rows(
        &self,
        slot: &Arc<Slot<MappedRows>>,
        open: impl FnOnce() -> Option<MappedRows>,
    ) -> Option<Arc<MappedRows>> {
        self.maps.get(slot, || open().map(Arc::new).ok_or(())).ok()
    }

    /// Puts mapped rows into a slot.
    pub(crate) fn put_rows(&self, slot: &Arc<Slot<MappedRows>>, rows: MappedRows) {
        self.maps.put(slot, Arc::new(rows));
    }
}

impl<T: ?Sized> Clock<T> {
    fn new(limit: usize) -> Self {
        Self { limit, hand: Mutex::default() }
    }

    fn get<E>(&self, slot: &Arc<Slot<T>>, open: impl FnOnce() -> Result<Arc<T>, E>) -> Result<Arc<T>, E> {
        slot.is_used.store(true, Ordering::Relaxed);
        let mut place = slot.open.lock();
        if let Some(open) = place.as_ref() {
            return Ok(Arc::clone(open));
        }
        let opened = open()?;
        *place = Some(Arc::clone(&opened));
        drop(place);
        self.enrol(slot);
        Ok(opened)
    }

    fn put(&self, slot: &Arc<Slot<T>>, opened: Arc<T>) {
        *slot.open.lock() = Some(opened);
        self.enrol(slot);
    }

    fn enrol(&self, slot: &Arc<Slot<T>>) {
        let mut hand = self.hand.lock();
        hand.push_back(Arc::downgrade(slot));
        let mut passes = hand.len().saturating_mul(2);
        while hand.len() > self.limit && passes > 0 {
            passes -= 1;
            let Some(next) = hand.pop_front() else { return };
            if next.upgrade().is_some_and(|slot| !slot.close_if_idle()) {
                hand.push_back(next);
            }
        }
    }
}

impl<T: ?Sized> Default for Slot<T> {
    fn default() -> Self {
        Self { open: Mutex::new(None), is_used: AtomicBool::new(false), is_dirty: AtomicBool::new(false) }
    }
}

impl<T: ?Sized> Slot<T> {
    /// Bytes are about to be written that no sync covers.
    pub(crate) fn begin_writing(&self) {
        self.is_dirty.store(!planted!(ClosedUnsynced), Ordering::Release);
    }

    /// All bytes are synced.
    pub(crate) fn is_synced(&self) {
        self.is_dirty.store(false, Ordering::Release);
    }

    /// Gives it back, unless bytes behind it are not synced.
    pub(crate) fn close(&self) {
        if !self.is_dirty.load(Ordering::Acquire) {
            *self.open.lock() = None;
        }
    }

    /// Whether it is closed now.
    fn close_if_idle(&self) -> bool {
        // Whoever holds the lock is opening it: it is in use.
        let Some(mut open) = self.open.try_lock() else { return false };
        if open.is_some() && (self.is_used.swap(false, Ordering::Relaxed) || self.is_dirty.load(Ordering::Acquire)) {
            return false;
        }
        *open = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::disk::sim::SimDisk;

    const LIMIT: usize = 3;

    type Slots = Vec<(Arc<Slot<dyn DiskFile>>, PathBuf)>;

    fn files(count: usize) -> (Arc<OpenFiles>, Slots) {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
        let slots = (0..count)
            .map(|number| {
                let path = PathBuf::from(format!("/{number}"));
                drop(disk.open(&path, OpenMode::CreateNew).expect("creates"));
                (Arc::default(), path)
            })
            .collect();
        (OpenFiles::new(disk, LIMIT, LIMIT), slots)
    }

    fn open(slots: &[(Arc<Slot<dyn DiskFile>>, PathBuf)]) -> usize {
        slots.iter().filter(|(slot, _)| slot.open.lock().is_some()).count()
    }

    #[test]
    fn no_more_than_the_limit_stay_open() {
        let (files, slots) = files(20);
        for (slot, path) in slots.iter().chain(&slots) {
            files.file(slot, path).expect("opens");
            assert!(open(&slots) <= LIMIT, "{} are open", open(&slots));
        }
    }

    #[test]
    fn a_file_with_unsynced_bytes_stays_open() {
        let (files, slots) = files(20);
        for (slot, path) in &slots[..5] {
            slot.begin_writing();
            files.file(slot, path).expect("opens");
        }
        for (slot, path) in &slots {
            files.file(slot, path).expect("opens");
        }
        assert!(slots[..5].iter().all(|(slot, _)| slot.open.lock().is_some()), "unsynced files were closed");
        slots.iter().for_each(|(slot, _)| slot.is_synced());
        for (slot, path) in &slots {
            files.file(slot, path).expect("opens");
        }
        assert!(open(&slots) <= LIMIT, "{} are open after the sync", open(&slots));
    }
}
