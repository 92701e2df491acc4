//! Message specs to Rust: [`spec`] reads the compact format of `protocol/specs/messages`, [`emit`] writes the modules of
//! `protocol/src/message/generated`.
//!
//! Deliberately not a build script: the generated files are committed, read in reviews, and compared with the specs by a test.

pub mod emit;
pub mod spec;

use std::collections::BTreeMap;
use std::path::Path;

/// All generated files by name: one per message, `mod.rs`, and the version table.
pub fn generate(specs: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut messages = Vec::new();
    let mut names: Vec<_> = std::fs::read_dir(specs)
        .map_err(|error| format!("{}: {error}", specs.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "spec"))
        .collect();
    names.sort();
    for path in names {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        messages.push(spec::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    let mut files = BTreeMap::new();
    for message in &messages {
        files.insert(format!("{}.rs", emit::snake(&message.name)), emit::message(message));
    }
    files.insert("mod.rs".to_owned(), emit::module(&messages));
    files.insert("api_key.rs".to_owned(), emit::api_keys(&messages)?);
    Ok(files)
}
