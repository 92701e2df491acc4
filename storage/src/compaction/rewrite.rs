//! A sealed segment is written anew without what later records have superseded.
//!
//! What goes leaves a gap: one frame of our own in place of any number of entries, which says where index and offset go on. The
//! new file is written aside and synced; then the old index goes, the new file takes the old one's name, and the index is made
//! anew, so that at every moment a start finds either of the two whole, and no index of the other.

use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{EntryId, Offset};
use highwater_protocol::records::batch::Batch;
use highwater_protocol::records::filter::{Filtered, delete_horizon, filtered};
use highwater_protocol::records::record::Record;

use super::key_map::KeyMap;
use super::{Bounds, Throttle};
use crate::disk::{DiskFile, OpenMode};
use crate::entry::{Frame, FrameKind, own_frame, parse_stamped};
use crate::error::{Context, StorageError};
use crate::log::Shared;
use crate::segment::{Known, Segment, index_path, remove_if_there};

/// Written at a time.
const WRITE_BYTES: usize = 1 << 20;
const ASIDE: &str = "log.clean";

/// A segment's new file, not in its place yet.
pub(super) struct Rewritten {
    segment: Segment,
}

/// Writes what stays of a segment aside. `None`: all of it stays.
pub(super) fn rewrite(
    old: &Segment,
    newest: &KeyMap,
    until: Offset,
    bounds: &Bounds,
    throttle: Throttle<'_>,
) -> Result<Option<Rewritten>, StorageError> {
    let disk = Arc::clone(old.files().disk());
    let aside = old.path.with_extension(ASIDE);
    remove_if_there(disk.as_ref(), &aside)?;
    let file = disk.open(&aside, OpenMode::CreateNew).context("create", &aside)?;
    let segment = old.emptied(Arc::clone(&file));
    let end = old.known.read().end;
    let mut writing =
        Writing { file: file.as_ref(), known: segment.known.write(), frames: Vec::new(), bytes: 0, gap: None };
    let mut is_changed = false;
    let written = old.walk(old.start(), end, 0, &mut |found, shown| {
        throttle(found.total as u64)?;
        let kept = match found.frame {
            // It explains the segment.
            Frame::Own { .. } if found.position == 0 => Some(Bytes::copy_from_slice(shown)),
            Frame::Own { .. } => None,
            Frame::Batch(header, _) if header.is_control() || Offset(header.base_offset) >= until => {
                Some(Bytes::copy_from_slice(shown))
            }
            Frame::Batch(header, _) => {
                let batch = Batch { header, bytes: Bytes::copy_from_slice(shown) };
                let left = left_of(&batch, newest, until, bounds);
                is_changed |= left != Filtered::Unchanged;
                match left {
                    Filtered::Unchanged => Some(batch.bytes),
                    Filtered::Nothing => None,
                    Filtered::Batch(bytes) => Some(bytes.freeze()),
                }
            }
        };
        let done = match kept {
            Some(frame) => writing.keep(found.id, frame),
            None => {
                writing.gap = Some((found.id, found.behind.offset));
                Ok(())
            }
        };
        done.context("write", &aside).map(|()| true)
    });
    let written = written.and_then(|()| writing.finish().context("write", &aside));
    let bytes = writing.known.end;
    drop(writing);
    if !is_changed || written.is_err() {
        remove_if_there(disk.as_ref(), &aside)?;
        return written.map(|()| None);
    }
    throttle(bytes)?;
    if !planted!(CleanedNotSynced) {
        file.sync_data().context("sync", &aside)?;
    }
    {
        let mut known = segment.known.write();
        // Terms whose entries are all gone are told of all the same.
        known.epochs = old.known.read().epochs.clone();
        (known.synced, known.is_sealed) = (bytes, true);
        known.trust(0, bytes);
    }
    Ok(Some(Rewritten { segment }))
}

/// A batch that cannot be read stays: the producer's bytes are not ours to judge.
fn left_of(batch: &Batch, newest: &KeyMap, until: Offset, bounds: &Bounds) -> Filtered {
    let is_over = delete_horizon(batch).is_some_and(|horizon| horizon <= bounds.wall.0);
    let horizon = bounds.wall.0.saturating_add(bounds.delete_retention_ms);
    let mut kept = |record: &Record| {
        if record.offset >= until.0 {
            return true;
        }
        let Some(key) = &record.key else { return false };
        let is_gone = record.value.is_none() && (is_over || planted!(TombstoneGoesAtOnce));
        !newest.supersedes(key, record.offset) && !is_gone
    };
    filtered(batch, bounds.inflated_bytes, horizon, &mut kept).unwrap_or(Filtered::Unchanged)
}

struct Writing<'a> {
    file: &'a dyn DiskFile,
    known: parking_lot::RwLockWriteGuard<'a, Known>,
    /// Noted, and not written yet.
    frames: Vec<Bytes>,
    bytes: usize,
    /// The last entry that went, and the offset behind it.
    gap: Option<(EntryId, Offset)>,
}

impl Writing<'_> {
    fn keep(&mut self, id: EntryId, frame: Bytes) -> std::io::Result<()> {
        self.close_gap()?;
        self.put(id, frame)
    }

    fn close_gap(&mut self) -> std::io::Result<()> {
        match self.gap.take() {
            None => Ok(()),
            Some((id, behind)) => self.put(id, own_frame(FrameKind::Gap, id, behind, &[])),
        }
    }

    fn put(&mut self, id: EntryId, frame: Bytes) -> std::io::Result<()> {
        let position = self.known.end;
        let parsed = parse_stamped(&frame).map_err(std::io::Error::other)?;
        self.known.note(position, frame.len(), id, &parsed);
        self.bytes += frame.len();
        self.frames.push(frame);
        if self.bytes >= WRITE_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> std::io::Result<()> {
        let start = self.known.end - self.bytes as u64;
        let frames: Vec<&[u8]> = self.frames.iter().map(|frame| &frame[..]).collect();
        self.file.write_at(&frames, start)?;
        self.frames.clear();
        self.bytes = 0;
        Ok(())
    }

    fn finish(&mut self) -> std::io::Result<()> {
        self.close_gap()?;
        self.write()
    }
}

impl Rewritten {
    pub(super) fn bytes(&self) -> u64 {
        self.segment.known.read().end
    }

    /// Puts the new file into the old one's place, unless the old one is gone meanwhile.
    pub(super) fn replace(self, shared: &Shared, old: &Arc<Segment>) -> Result<bool, StorageError> {
        let disk = old.files().disk().as_ref();
        let aside = old.path.with_extension(ASIDE);
        let _alone = shared.rewriting.lock();
        if !shared.state.read().segments.iter().any(|segment| Arc::ptr_eq(segment, old)) {
            remove_if_there(disk, &aside)?;
            return Ok(false);
        }
        // Whoever reads the old one goes on with it.
        old.outlive_its_name()?;
        if !planted!(OldIndexBelieved) {
            remove_if_there(disk, &index_path(&old.path))?;
            // The index must not come back beside the new file.
            disk.sync_dir(&shared.dir).context("sync the directory", &shared.dir)?;
        }
        disk.rename(&aside, &old.path).context("rename", &aside)?;
        disk.sync_dir(&shared.dir).context("sync the directory", &shared.dir)?;
        let new = Arc::new(self.segment);
        {
            let mut state = shared.state.write();
            if let Some(place) = state.segments.iter_mut().find(|segment| Arc::ptr_eq(segment, old)) {
                *place = Arc::clone(&new);
            }
        }
        new.write_index();
        new.close();
        Ok(true)
    }
}
