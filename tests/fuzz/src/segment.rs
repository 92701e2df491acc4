//! Segment files and an index as a stop may leave them, or as a disk may damage them.
//!
//! The first byte says what is put right, so that what lies behind a check is reached: bit 0 the CRCs of frames, bit 1 those of
//! the index's pages. With bit 2 the journal says that six entries of the log are durable, else it says nothing of it. Behind it
//! come the lengths of the first segment and of the index, and the base offset of a second segment, which is what is left over.

use std::path::Path;
use std::sync::LazyLock;

use highwater_protocol::records::batch::{HEADER_BYTES, stamp_crc};
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::entry::{OWN_HEADER, OWN_MAGIC};
use highwater_storage::limits::BLOCK;

use crate::memory::bounded;
use crate::store::{self, LOG};

/// As for journals: the simulated disk three times, and 256 KiB of a walk over each segment.
const CONSTANT: u64 = 2 << 20;
const CRC_AT: usize = 17;
const CRC_END: usize = 21;

/// Without a word on the log in the journal, and with its checkpoint.
static WORLDS: LazyLock<[SimDisk; 2]> = LazyLock::new(|| [store::empty(), store::written(true)]);

/// Takes one input.
pub fn run(bytes: &[u8]) {
    let Some(([mode, one_high, one_low, index_high, index_low, base], rest)) = bytes.split_first_chunk() else {
        return;
    };
    let cut = |rest: &[u8], high: u8, low: u8| usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    let (one, rest) = rest.split_at(cut(rest, *one_high, *one_low));
    let (index, two) = rest.split_at(cut(rest, *index_high, *index_low));
    let (mut one, mut index, mut two) = (one.to_vec(), index.to_vec(), two.to_vec());
    if mode & 1 != 0 {
        stamp_frames(&mut one);
        stamp_frames(&mut two);
    }
    if mode & 2 != 0 {
        stamp_pages(&mut index);
    }
    let [silent, durable] = &*WORLDS;
    let is_durable = mode & 4 != 0;
    let disk = if is_durable { durable.after_kill() } else { silent.after_kill() };
    store::replace(&disk, &path(0, "log"), &one);
    if !index.is_empty() {
        store::replace(&disk, &path(0, "index"), &index);
    }
    if !two.is_empty() {
        store::replace(&disk, &path(1 + i64::from(*base), "log"), &two);
    }
    let disk = store::settled(&disk);
    let length = one.len() + index.len() + two.len();
    let Ok(found) = bounded(length, CONSTANT, || store::open(&disk, 1)) else { return };
    store::assert_not_invented(&found, &[&one, &two]);
    // Below a checkpoint a start believes headers and the index: what is wrong there one start may see and another not.
    let durable_bytes: Vec<u8> = store::sample().iter().flat_map(|entry| entry.frame.to_vec()).collect();
    if !is_durable || (one.starts_with(&durable_bytes) && mode & 2 == 0) {
        store::assert_settled(&disk, &found);
    }
    let durable = store::sample().last().expect("six").id;
    for log in found.iter().filter(|_| is_durable) {
        let has_it = log.last.index >= durable.index;
        assert!(has_it || log.is_damaged, "entries that were durable went in silence: {:?} is the last", log.last);
    }
}

fn path(base_offset: i64, kind: &str) -> String {
    format!("{LOG}/{base_offset:020}.{kind}")
}

/// Gives each frame that the lengths lead to its CRC.
fn stamp_frames(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + CRC_AT) {
        let behind = u32::from_be_bytes(head[8..12].try_into().expect("four bytes")) as usize;
        let is_own = head[16] == OWN_MAGIC.to_be_bytes()[0];
        let end = at.saturating_add(12).saturating_add(behind);
        let least = if is_own { OWN_HEADER } else { HEADER_BYTES };
        let Some(frame) = bytes.get_mut(at..end).filter(|frame| frame.len() >= least) else { return };
        if is_own {
            let mut crc = crc32fast::Hasher::new();
            crc.update(&frame[..CRC_AT]);
            crc.update(&frame[CRC_END..]);
            frame[CRC_AT..CRC_END].copy_from_slice(&crc.finalize().to_be_bytes());
        } else {
            stamp_crc(frame);
        }
        at = end;
    }
}

/// Gives each page of an index its CRC.
fn stamp_pages(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    for page in bytes.chunks_exact_mut(BLOCK) {
        let crc = crc32fast::hash(&page[..BLOCK - 4]).to_be_bytes();
        page[BLOCK - 4..].copy_from_slice(&crc);
    }
}

/// The files of a log in the form that [`run`] takes.
pub(crate) fn joined(mode: u8, one: &[u8], index: &[u8], base: u8, two: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).expect("a small file").to_be_bytes();
    [&[mode][..], &length(one), &length(index), &[base], one, index, two].concat()
}

/// A log of two segments, the first with its index: both segments, and the base offset of the second.
pub(crate) fn rolled() -> (Vec<u8>, Vec<u8>, u8, Vec<u8>) {
    let disk = store::rolled();
    let file = |base, kind| store::content(&disk, Path::new(&path(base, kind)));
    let base = store::ROLLED_AT;
    (file(0, "log"), file(0, "index"), u8::try_from(base - 1).expect("small"), file(base, "log"))
}
