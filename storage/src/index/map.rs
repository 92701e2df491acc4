//! Read-only memory over the first bytes of a file: the only unsafe code of the workspace.
#![allow(unsafe_code, reason = "mapping a file cannot be said in safe Rust; this file is its one address")]

use std::fs::File;
use std::io;
use std::ops::Deref;

/// Mapped, or copied where there is nothing to map.
#[derive(Debug)]
pub enum Map {
    /// Of a real file.
    Mapped(memmap2::Mmap),
    /// Of a simulated one.
    Memory(Vec<u8>),
}

impl Map {
    /// Maps the first `length` bytes of a file that is never cut nor written below `length` while the map lives.
    pub fn of(file: &File, length: usize) -> io::Result<Self> {
        if length == 0 {
            return Ok(Self::Memory(Vec::new()));
        }
        // SAFETY: the map is read-only, and the caller promises that the file keeps these bytes: index files are only
        // created whole and removed, and a removed file keeps its bytes until the last map of it is gone.
        let map = unsafe { memmap2::MmapOptions::new().len(length).map(file) }?;
        Ok(Self::Mapped(map))
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Memory(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_map_shows_the_file_also_after_its_removal() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        File::create(&path).and_then(|mut file| file.write_all(b"mapped bytes")).expect("writes");
        let map = Map::of(&File::open(&path).expect("opens"), 6).expect("maps");
        std::fs::remove_file(&path).expect("removes");
        assert_eq!(&*map, b"mapped");
    }
}
