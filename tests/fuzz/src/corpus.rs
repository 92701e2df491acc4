//! The corpus of a target in one file: each input behind its length in four bytes. Thousands of files would be a nuisance to
//! whoever clones the repository.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Target;

impl Target {
    /// The inputs that the fuzzer found worth keeping.
    pub fn corpus(&self) -> io::Result<Vec<Vec<u8>>> {
        let path = self.corpus_path();
        let packed = match fs::read(&path) {
            Ok(packed) => packed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let cut = || io::Error::other(format!("{} is cut short", path.display()));
        let mut inputs = Vec::new();
        let mut left = &packed[..];
        while !left.is_empty() {
            let (length, rest) = left.split_first_chunk().ok_or_else(cut)?;
            let length = u32::from_be_bytes(*length) as usize;
            let (input, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
            inputs.push(input.to_vec());
            left = rest;
        }
        Ok(inputs)
    }

    /// Writes the inputs in a folder as the corpus.
    pub fn pack(&self, folder: &Path) -> io::Result<usize> {
        let mut inputs = Vec::new();
        for (_, input) in files(folder)? {
            inputs.push(input);
        }
        inputs.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
        let mut packed = Vec::new();
        for input in &inputs {
            let length = u32::try_from(input.len()).map_err(io::Error::other)?;
            packed.extend(length.to_be_bytes());
            packed.extend(input);
        }
        fs::write(self.corpus_path(), packed)?;
        Ok(inputs.len())
    }

    /// Writes the corpus and the seeds as files into a folder.
    pub fn unpack(&self, folder: &Path) -> io::Result<usize> {
        let seeds = (self.seeds)();
        let corpus = self.corpus()?;
        for (kind, inputs) in [("seed", &seeds), ("corpus", &corpus)] {
            for (number, input) in inputs.iter().enumerate() {
                fs::write(folder.join(format!("{kind}-{number:05}")), input)?;
            }
        }
        Ok(seeds.len() + corpus.len())
    }

    /// Inputs that showed a fault, by the story that is their name.
    pub fn findings(&self) -> io::Result<Vec<(String, Vec<u8>)>> {
        match files(&root().join("findings").join(self.name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            found => found,
        }
    }

    fn corpus_path(&self) -> PathBuf {
        root().join("corpus").join(format!("{}.bin", self.name))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder, by name.
fn files(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        found.push((name, fs::read(&path)?));
    }
    found.sort();
    Ok(found)
}
