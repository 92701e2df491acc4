//! The index of a sealed segment as a file: pages of 4 KiB, each with a CRC-32 in its last 4 bytes.
//!
//! ```text
//! page 0   "HWIX", version (1) u8, 3 bytes zero, segment bytes u64, first index u64, next index u64, base offset i64,
//!          next offset i64, newest timestamp i64, its offset i64, first term i32, last term i32, rows u32, own frames u32
//! rows     127 a page, 32 bytes each: position u64, offset i64, Raft index u64, newest timestamp in front i64
//! own      338 a page, 12 bytes each: position u64, length u32
//! ```
//!
//! A file whose header page fails its check, or does not fit its segment, is thrown away and made anew from the segment.

use std::path::Path;

use bytes::{Buf, BufMut, BytesMut};
use highwater_protocol::ids::{Index, LeaderEpoch, Offset};

use super::map::Map;
use super::row::{OwnFrame, ROW_BYTES, Row};
use crate::disk::{Disk, OpenMode};
use crate::error::{Context, StorageError};

const PAGE: usize = 4096;
const MAGIC: &[u8; 4] = b"HWIX";
const VERSION: u8 = 1;
const ROWS_A_PAGE: usize = 127;
const OWN_BYTES: usize = 12;
const OWN_A_PAGE: usize = 338;

const _: () = assert!(ROWS_A_PAGE * ROW_BYTES + 4 <= PAGE, "a page of rows has room for its CRC");
const _: () = assert!(OWN_A_PAGE * OWN_BYTES + 4 <= PAGE, "a page of own frames has room for its CRC");

/// What the header says of the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    pub(crate) bytes: u64,
    pub(crate) first_index: Index,
    pub(crate) next_index: Index,
    pub(crate) base_offset: Offset,
    pub(crate) next_offset: Offset,
    pub(crate) newest: i64,
    pub(crate) newest_offset: Offset,
    pub(crate) first_term: LeaderEpoch,
    pub(crate) last_term: LeaderEpoch,
}

/// Rows in a mapped file.
pub(crate) struct MappedRows {
    map: Map,
    rows: usize,
}

impl MappedRows {
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// A row; `None` where its page fails its check.
    pub(crate) fn get(&self, place: usize) -> Option<Row> {
        let page = self.map.chunks_exact(PAGE).nth(1 + place / ROWS_A_PAGE)?;
        let start = (place % ROWS_A_PAGE) * ROW_BYTES;
        Row::decode(page.get(start..start + ROW_BYTES)?)
    }
}

/// Writes the index of a sealed segment. It is not synced: a file that a power cut tears is made anew.
pub(crate) fn write(
    disk: &dyn Disk,
    path: &Path,
    summary: &Summary,
    rows: &[Row],
    own: &[OwnFrame],
) -> Result<(), StorageError> {
    let mut pages = BytesMut::new();
    put_page(&mut pages, |page| {
        page.put_slice(MAGIC);
        page.put_u32(u32::from(VERSION) << 24);
        page.put_u64(summary.bytes);
        page.put_u64(summary.first_index.0);
        page.put_u64(summary.next_index.0);
        page.put_i64(summary.base_offset.0);
        page.put_i64(summary.next_offset.0);
        page.put_i64(summary.newest);
        page.put_i64(summary.newest_offset.0);
        page.put_i32(summary.first_term.0);
        page.put_i32(summary.last_term.0);
        page.put_u32(u32::try_from(rows.len()).unwrap_or(0));
        page.put_u32(u32::try_from(own.len()).unwrap_or(0));
    });
    for rows in rows.chunks(ROWS_A_PAGE) {
        put_page(&mut pages, |page| rows.iter().for_each(|row| page.put_slice(&row.encode())));
    }
    for own in own.chunks(OWN_A_PAGE) {
        put_page(&mut pages, |page| {
            for frame in own {
                page.put_u64(frame.position);
                page.put_u32(frame.length);
            }
        });
    }
    match disk.remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).context("remove", path),
    }
    let file = disk.open(path, OpenMode::CreateNew).context("create", path)?;
    file.write_at(&[&pages], 0).context("write", path)
}

/// Maps an index file, if there is one that fits and whose pages are all good.
pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Option<(Summary, MappedRows, Vec<OwnFrame>)> {
    let file = disk.open(path, OpenMode::Read).ok()?;
    let length = usize::try_from(file.length().ok()?).ok()?;
    let map = file.map(length).ok()?;
    let mut pages = map.chunks_exact(PAGE);
    if !map.len().is_multiple_of(PAGE) || !pages.clone().all(page_is_good) {
        return None;
    }
    let mut header = pages.next()?;
    if !header.starts_with(MAGIC) || header.get(4) != Some(&VERSION) {
        return None;
    }
    header.advance(8);
    let summary = Summary {
        bytes: header.get_u64(),
        first_index: Index(header.get_u64()),
        next_index: Index(header.get_u64()),
        base_offset: Offset(header.get_i64()),
        next_offset: Offset(header.get_i64()),
        newest: header.get_i64(),
        newest_offset: Offset(header.get_i64()),
        first_term: LeaderEpoch(header.get_i32()),
        last_term: LeaderEpoch(header.get_i32()),
    };
    let rows = usize::try_from(header.get_u32()).ok()?;
    let own_count = usize::try_from(header.get_u32()).ok()?;
    let mut own = Vec::new();
    for page in pages.skip(rows.div_ceil(ROWS_A_PAGE)) {
        for mut frame in page.chunks_exact(OWN_BYTES).take(OWN_A_PAGE.min(own_count - own.len())) {
            own.push(OwnFrame { position: frame.get_u64(), length: frame.get_u32() });
        }
    }
    (own.len() == own_count).then_some(())?;
    Some((summary, MappedRows { map, rows }, own))
}

fn put_page(pages: &mut BytesMut, fill: impl FnOnce(&mut BytesMut)) {
    let mut page = BytesMut::with_capacity(PAGE);
    fill(&mut page);
    page.resize(PAGE - 4, 0);
    page.put_u32(crc32fast::hash(&page));
    pages.put_slice(&page);
}

fn page_is_good(page: &[u8]) -> bool {
    let (content, crc) = page.split_at(PAGE - 4);
    crc == crc32fast::hash(content).to_be_bytes()
}
