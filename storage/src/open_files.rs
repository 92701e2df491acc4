//! The segment files that are open, at most so many: the one unused longest is closed for the next.
//!
//! A file with unsynced bytes stays open whatever the bound says: their write-back error would be lost with the descriptor.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile, OpenMode};
use crate::error::{Context, StorageError};

/// All segment files of a store.
pub(crate) struct OpenFiles {
    disk: Arc<dyn Disk>,
    limit: usize,
    /// In the order of a clock's hand: who was used since it last passed gets another round.
    clock: Mutex<VecDeque<Weak<Slot>>>,
}

/// One file, open or not.
#[derive(Default)]
pub(crate) struct Slot {
    file: Mutex<Option<Arc<dyn DiskFile>>>,
    is_used: AtomicBool,
    is_dirty: AtomicBool,
}

impl OpenFiles {
    pub(crate) fn new(disk: Arc<dyn Disk>, limit: usize) -> Arc<Self> {
        Arc::new(Self { disk, limit, clock: Mutex::default() })
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The file of a slot, opened if it is not.
    pub(crate) fn get(&self, slot: &Arc<Slot>, path: &Path) -> Result<Arc<dyn DiskFile>, StorageError> {
        slot.is_used.store(true, Ordering::Relaxed);
        let mut file = slot.file.lock();
        if let Some(file) = file.as_ref() {
            return Ok(Arc::clone(file));
        }
        let opened = self.disk.open(path, OpenMode::ReadWrite).context("open", path)?;
        *file = Some(Arc::clone(&opened));
        drop(file);
        self.enrol(slot);
        Ok(opened)
    }

    /// Puts an open file into a slot.
    pub(crate) fn put(&self, slot: &Arc<Slot>, file: Arc<dyn DiskFile>) {
        *slot.file.lock() = Some(file);
        self.enrol(slot);
    }

    fn enrol(&self, slot: &Arc<Slot>) {
        let mut clock = self.clock.lock();
        clock.push_back(Arc::downgrade(slot));
        let mut passes = clock.len().saturating_mul(2);
        while clock.len() > self.limit && passes > 0 {
            passes -= 1;
            let Some(next) = clock.pop_front() else { return };
            if next.upgrade().is_some_and(|slot| !slot.close_if_idle()) {
                clock.push_back(next);
            }
        }
    }
}

impl Slot {
    /// Bytes are about to be written that no sync covers.
    pub(crate) fn begin_writing(&self) {
        self.is_dirty.store(true, Ordering::Release);
    }

    /// All bytes are synced.
    pub(crate) fn is_synced(&self) {
        self.is_dirty.store(false, Ordering::Release);
    }

    /// Gives the descriptor back, unless bytes behind it are not synced.
    pub(crate) fn close(&self) {
        if !self.is_dirty.load(Ordering::Acquire) {
            *self.file.lock() = None;
        }
    }

    /// Whether it is closed now.
    fn close_if_idle(&self) -> bool {
        // Whoever holds the lock is opening the file: it is in use.
        let Some(mut file) = self.file.try_lock() else { return false };
        if file.is_some() && (self.is_used.swap(false, Ordering::Relaxed) || self.is_dirty.load(Ordering::Acquire)) {
            return false;
        }
        *file = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::disk::sim::SimDisk;

    const LIMIT: usize = 3;

    fn files(count: usize) -> (Arc<OpenFiles>, Vec<(Arc<Slot>, PathBuf)>) {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
        let slots = (0..count)
            .map(|number| {
                let path = PathBuf::from(format!("/{number}"));
                drop(disk.open(&path, OpenMode::CreateNew).expect("creates"));
                (Arc::new(Slot::default()), path)
            })
            .collect();
        (OpenFiles::new(disk, LIMIT), slots)
    }

    fn open(slots: &[(Arc<Slot>, PathBuf)]) -> usize {
        slots.iter().filter(|(slot, _)| slot.file.lock().is_some()).count()
    }

    #[test]
    fn no_more_than_the_limit_stay_open() {
        let (files, slots) = files(20);
        for (slot, path) in slots.iter().chain(&slots) {
            files.get(slot, path).expect("opens");
            assert!(open(&slots) <= LIMIT, "{} are open", open(&slots));
        }
    }

    #[test]
    fn a_file_with_unsynced_bytes_stays_open() {
        let (files, slots) = files(20);
        for (slot, path) in &slots[..5] {
            slot.begin_writing();
            files.get(slot, path).expect("opens");
        }
        for (slot, path) in &slots {
            files.get(slot, path).expect("opens");
        }
        assert!(slots[..5].iter().all(|(slot, _)| slot.file.lock().is_some()), "unsynced files were closed");
        slots.iter().for_each(|(slot, _)| slot.is_synced());
        for (slot, path) in &slots {
            files.get(slot, path).expect("opens");
        }
        assert!(open(&slots) <= LIMIT, "{} are open after the sync", open(&slots));
    }
}
