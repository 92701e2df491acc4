//! Journal files as a stop may leave them, or as a disk may damage them, over a log whose segment is there.
//!
//! The first byte says what the input is. With bit 0 it is the files themselves; else a list of records, each put into the
//! blocks, header and CRC that make it one, for no chance finds a CRC-32 and 4 KiB of padding.

use std::path::Path;
use std::sync::LazyLock;

use highwater_storage::disk::Disk;
use highwater_storage::disk::sim::SimDisk;
use highwater_storage::limits::BLOCK;

use crate::memory::bounded;
use crate::store::{self, JOURNAL, LOG};

/// What recovery holds whatever it is given: what the simulated disk may grow to, three times (seen, durable and pending), and
/// 256 KiB of a walk over the segment.
const CONSTANT: u64 = 2 << 20;
/// More records than that teach nothing new.
const MOST_RECORDS: usize = 24;
const HEADER: usize = 56;
/// The lap that records carry unless they say another.
const LAP: u64 = 7;

static WORLDS: LazyLock<[SimDisk; 2]> = LazyLock::new(|| [store::written(false), store::written(true)]);

/// Takes one input.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let files = if mode & 1 == 0 { assembled(rest) } else { halves(rest) };
    let [without, with] = &*WORLDS;
    let disk = if mode & 2 == 0 { without.after_kill() } else { with.after_kill() };
    // With a segment that is there the records meet bytes; without one they have to bring them back.
    let segment = store::content(&disk, Path::new(&segment_path()));
    if mode & 4 != 0 {
        store::remove(&disk, Path::new(&segment_path()));
    }
    for entry in disk.list(Path::new(JOURNAL)).expect("a folder") {
        store::remove(&disk, &Path::new(JOURNAL).join(entry.name));
    }
    let mut length = 0;
    for (number, file) in files.iter().enumerate() {
        store::replace(&disk, &format!("{JOURNAL}/{number:010}.journal"), file);
        length += file.len();
    }
    let disk = store::settled(&disk);
    let Ok(found) = bounded(length, CONSTANT, || store::open(&disk, 1)) else { return };
    let mut sources: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    sources.push(&segment);
    store::assert_not_invented(&found, &sources);
    store::assert_settled(&disk, &found);
}

fn segment_path() -> String {
    format!("{LOG}/{:020}.log", 0)
}

fn halves(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (one, two) = bytes.split_at(bytes.len() / 2);
    [one, two].iter().filter(|half| !half.is_empty()).map(|half| half.to_vec()).collect()
}

/// Records, each as a kind, the length of its body in two bytes, and the body. Bits of the kind: 0 the header's five numbers
/// stand in front of the body, 1 the CRC is wrong, 2 a new file begins, 3 the last numbers count on from the record before.
fn assembled(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut files = vec![Vec::new()];
    let mut numbers = [LAP, 1, 1, LAP + 1, 1];
    let mut left = bytes;
    for _ in 0..MOST_RECORDS {
        let Some(([kind, high, low], rest)) = left.split_first_chunk() else { break };
        left = rest;
        if kind & 4 != 0 {
            files.push(Vec::new());
        }
        if kind & 1 != 0 {
            let Some((given, rest)) = left.split_first_chunk::<40>() else { break };
            left = rest;
            for (number, given) in numbers.iter_mut().zip(given.chunks_exact(8)) {
                *number = u64::from_be_bytes(given.try_into().expect("eight bytes"));
            }
        }
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(left.len());
        let (body, rest) = left.split_at(length);
        left = rest;
        let file = files.last_mut().expect("at least one");
        file.extend(record(numbers, body, kind & 2 != 0));
        numbers[1] = numbers[1].wrapping_add(1);
    }
    files
}

/// A record in its blocks.
fn record(numbers: [u64; 5], body: &[u8], is_bad: bool) -> Vec<u8> {
    let mut rest: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    rest.extend(u32::try_from(body.len()).expect("an input is small").to_be_bytes());
    rest.extend([1, 0, 0, 0]);
    rest.extend(body);
    let crc = crc32fast::hash(&rest) ^ u32::from(is_bad);
    let mut out = [&b"HWJR"[..], &crc.to_be_bytes(), &rest].concat();
    out.resize(out.len().next_multiple_of(BLOCK), 0);
    out
}

/// The records of real files in the form that [`assembled`] takes.
pub(crate) fn disassembled(disk: &SimDisk) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in disk.list(Path::new(JOURNAL)).expect("a folder") {
        let bytes = store::content(disk, &Path::new(JOURNAL).join(entry.name));
        let mut at = 0;
        let mut begins = true;
        while bytes.get(at..at + 4) == Some(b"HWJR") {
            let length = u32::from_be_bytes(bytes[at + 48..at + 52].try_into().expect("four bytes")) as usize;
            out.push(if begins && !out.is_empty() { 1 | 4 } else { 1 });
            out.extend(u16::try_from(length).expect("a small record").to_be_bytes());
            out.extend(&bytes[at + 8..at + 48]);
            out.extend(&bytes[at + HEADER..at + HEADER + length]);
            at += (HEADER + length).next_multiple_of(BLOCK);
            begins = false;
        }
    }
    out
}
