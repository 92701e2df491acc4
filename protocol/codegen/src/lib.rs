//! Message specs to Rust: [`spec`] reads the compact format of `protocol/specs`, [`emit`] writes the modules of
//! `protocol/src/message/generated` and of `protocol/src/coordinator_record/generated`.
//!
//! Deliberately not a build script: the generated files are committed, read in reviews, and compared with the specs by a test.

pub mod emit;
pub mod spec;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use spec::Message;

/// The messages of a folder of specs, by file name.
pub fn messages(specs: &Path) -> Result<Vec<Message>, String> {
    let mut paths: Vec<_> = std::fs::read_dir(specs)
        .map_err(|error| format!("{}: {error}", specs.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "spec"))
        .collect();
    paths.sort();
    let parsed = |path: &Path| spec::parse(&std::fs::read_to_string(path).map_err(|error| error.to_string())?);
    paths.iter().map(|path| parsed(path).map_err(|error| format!("{}: {error}", path.display()))).collect()
}

/// All generated files by name: one per message, `mod.rs`, and the version table.
pub fn generate(specs: &Path) -> Result<BTreeMap<String, String>, String> {
    let messages = messages(specs)?;
    let mut files = BTreeMap::new();
    for message in &messages {
        files.insert(format!("{}.rs", emit::snake(&message.name)), emit::message(message));
    }
    files.insert("mod.rs".to_owned(), emit::module(&messages));
    files.insert("api_key.rs".to_owned(), emit::api_keys(&messages)?);
    Ok(files)
}

/// All generated files of a folder of records.
pub fn generate_records(specs: &Path) -> Result<BTreeMap<String, String>, String> {
    let records = messages(specs)?;
    let named = |record: &Message| (format!("{}.rs", emit::snake(&record.name)), emit::record(record));
    let mut files: BTreeMap<String, String> = records.iter().map(named).collect();
    files.insert("mod.rs".to_owned(), emit::record_module(&records));
    Ok(files)
}

/// Writes generated files into a folder, formatted as `rustfmt.toml` of the workspace says, and returns how many.
pub fn write(files: &BTreeMap<String, String>, target: &Path, config: &Path) -> Result<usize, String> {
    std::fs::create_dir_all(target).map_err(|error| format!("{}: {error}", target.display()))?;
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = target.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        paths.push(path);
    }
    let status = Command::new("rustfmt").args(["--edition", "2024", "--config-path"]).arg(config).args(&paths).status();
    match status {
        Ok(status) if status.success() => Ok(files.len()),
        other => Err(format!("rustfmt: {other:?}")),
    }
}
