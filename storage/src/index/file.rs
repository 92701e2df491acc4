//! The index of a sealed segment as a file: pages of 4 KiB, each with a CRC-32 in its last 4 bytes.
//!
//! ```text
//! page 0   "HWIX", version (1) u8, 3 bytes zero, segment bytes u64, first index u64, next index u64, base offset i64,
//!          next offset i64, newest timestamp i64, rows u32, own frames u32, terms u32
//! rows     127 a page, 32 bytes each: position u64, offset i64, Raft index u64, newest timestamp in front i64
//! own      340 a page, 12 bytes each: position u64, length u32
//! terms    204 a page, 20 bytes each: term i32, first index u64, first offset i64
//! ```
//!
//! A file of which a page fails its check, or that does not fit its segment, is thrown away and made anew from the segment.

use std::path::Path;

use bytes::{Buf, BufMut, BytesMut};
use highwater_protocol::ids::{Index, LeaderEpoch, Offset};

use super::map::Map;
use super::row::{OwnFrame, ROW_BYTES, Row};
use crate::disk::{Disk, OpenMode};
use crate::epochs::Term;
use crate::error::{Context, StorageError};
use crate::segment::remove_if_there;

const PAGE: usize = 4096;
const MAGIC: &[u8; 4] = b"HWIX";
const VERSION: u8 = 1;
const ROWS_A_PAGE: usize = 127;
const OWN_BYTES: usize = 12;
const OWN_A_PAGE: usize = 340;
const TERM_BYTES: usize = 20;
const TERMS_A_PAGE: usize = 204;

const _: () = assert!(ROWS_A_PAGE * ROW_BYTES + 4 <= PAGE, "a page of rows has room for its CRC");
const _: () = assert!(OWN_A_PAGE * OWN_BYTES + 4 <= PAGE, "a page of own frames has room for its CRC");
const _: () = assert!(TERMS_A_PAGE * TERM_BYTES + 4 <= PAGE, "a page of terms has room for its CRC");

/// What the header says of the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    pub(crate) bytes: u64,
    pub(crate) first_index: Index,
    pub(crate) next_index: Index,
    pub(crate) base_offset: Offset,
    pub(crate) next_offset: Offset,
    pub(crate) newest: i64,
}

impl Summary {
    /// Whether a segment can be so. A CRC says that a page is as it was written, not that it was written of a segment.
    pub(crate) fn is_sound(&self) -> bool {
        self.bytes > 0
            && self.first_index < self.next_index
            && self.next_index.0 < 1 << 63
            && self.base_offset <= self.next_offset
    }
}

/// What an index file holds.
pub(crate) struct IndexFile {
    pub(crate) summary: Summary,
    pub(crate) rows: MappedRows,
    pub(crate) own: Vec<OwnFrame>,
    pub(crate) terms: Vec<Term>,
}

/// Rows in a mapped file.
pub(crate) struct MappedRows {
    map: Map,
    rows: usize,
}

impl MappedRows {
    /// All rows, as they are kept of a segment that is written.
    pub(crate) fn to_vec(&self) -> Vec<Row> {
        (0..self.rows).filter_map(|place| self.get(place)).collect()
    }

    /// The last row for which `is_before` holds; it holds up to one row, and for none behind it.
    pub(crate) fn last_before(&self, is_before: impl Fn(&Row) -> bool) -> Option<Row> {
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(&self.get(middle)?) { low = middle + 1 } else { high = middle }
        }
        self.get(low.checked_sub(1)?)
    }

    /// A row. Its page was checked when the file was opened.
    fn get(&self, place: usize) -> Option<Row> {
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
    terms: &[Term],
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
        for count in [rows.len(), own.len(), terms.len()] {
            page.put_u32(u32::try_from(count).expect("a segment has fewer frames than 2^32"));
        }
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
    for terms in terms.chunks(TERMS_A_PAGE) {
        put_page(&mut pages, |page| {
            for term in terms {
                page.put_i32(term.epoch.0);
                page.put_u64(term.from_index.0);
                page.put_i64(term.from_offset.0);
            }
        });
    }
    remove_if_there(disk, path)?;
    let file = disk.open(path, OpenMode::CreateNew).context("create", path)?;
    file.write_at(&[&pages], 0).context("write", path)
}

/// Maps an index file, if there is one whose pages are all good.
pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Option<IndexFile> {
    read(disk, path).ok()
}

/// Maps an index file, or says what is wrong with it.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<IndexFile, StorageError> {
    let corrupt = |position: usize, reason: &str| StorageError::corrupt(path, position as u64, reason);
    let file = disk.open(path, OpenMode::Read).context("open", path)?;
    let length = file.length().context("measure", path)?;
    let length = usize::try_from(length).map_err(|_| corrupt(0, "longer than memory"))?;
    let map = file.map(length).context("map", path)?;
    let pages = map.chunks_exact(PAGE);
    if !map.len().is_multiple_of(PAGE) {
        return Err(corrupt(map.len() - map.len() % PAGE, "a page is cut short"));
    }
    if let Some(bad) = pages.clone().position(|page| !page_is_good(page)) {
        return Err(corrupt(bad * PAGE, "the CRC of the page does not match"));
    }
    let mut header = pages.clone().next().ok_or_else(|| corrupt(0, "no page"))?;
    if !header.starts_with(MAGIC) {
        return Err(corrupt(0, "not an index"));
    }
    let version = header.get(4).copied().unwrap_or_default();
    if version != VERSION {
        return Err(StorageError::Version { path: path.to_owned(), found: version, known: VERSION });
    }
    header.advance(8);
    let summary = Summary {
        bytes: header.get_u64(),
        first_index: Index(header.get_u64()),
        next_index: Index(header.get_u64()),
        base_offset: Offset(header.get_i64()),
        next_offset: Offset(header.get_i64()),
        newest: header.get_i64(),
    };
    let mut count = || usize::try_from(header.get_u32()).unwrap_or(usize::MAX);
    let (rows, own_count, term_count) = (count(), count(), count());
    let row_pages = rows.div_ceil(ROWS_A_PAGE);
    let own_pages = own_count.div_ceil(OWN_A_PAGE);
    if pages.len() != 1 + row_pages + own_pages + term_count.div_ceil(TERMS_A_PAGE) {
        return Err(corrupt(0, "its counts do not fit its pages"));
    }
    let own = items(pages.clone().skip(1 + row_pages), OWN_A_PAGE, OWN_BYTES)
        .take(own_count)
        .map(|mut frame| OwnFrame { position: frame.get_u64(), length: frame.get_u32() })
        .collect();
    let terms = items(pages.skip(1 + row_pages + own_pages), TERMS_A_PAGE, TERM_BYTES)
        .take(term_count)
        .map(|mut term| Term {
            epoch: LeaderEpoch(term.get_i32()),
            from_index: Index(term.get_u64()),
            from_offset: Offset(term.get_i64()),
        })
        .collect();
    Ok(IndexFile { summary, rows: MappedRows { map, rows }, own, terms })
}

fn items<'a>(pages: impl Iterator<Item = &'a [u8]>, a_page: usize, bytes: usize) -> impl Iterator<Item = &'a [u8]> {
    pages.flat_map(move |page| page.chunks_exact(bytes).take(a_page))
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
    crc == crc32fast::hash(content).to_be_bytes() || planted!(IndexNotChecked)
}
