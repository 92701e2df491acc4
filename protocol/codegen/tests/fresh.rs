//! The committed Rust is what the specs say: no hand has touched it, and no spec has changed behind it.

use std::collections::BTreeMap;
use std::path::Path;

fn texts(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("text"))
        })
        .collect()
}

fn is_fresh(files: &BTreeMap<String, String>, committed: &str) {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(committed);
    let _ = std::fs::remove_dir_all(&target);
    let count = highwater_codegen::write(files, &target, &protocol.join("../rustfmt.toml")).expect("generates");
    let (fresh, committed) = (texts(&target), texts(&protocol.join(committed)));
    assert_eq!(count, fresh.len());
    assert_eq!(fresh.keys().collect::<Vec<_>>(), committed.keys().collect::<Vec<_>>(), "files that come or go");
    for (name, text) in &fresh {
        assert!(committed.get(name) == Some(text), "{name} is stale: run `cargo run -p highwater-codegen`");
    }
}

#[test]
fn the_committed_files_are_those_that_the_specs_give() {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let messages = highwater_codegen::generate(&specs.join("messages")).expect("specs parse");
    is_fresh(&messages, "src/message/generated");
    let records = highwater_codegen::generate_records(&specs.join("coordinator_records")).expect("specs parse");
    is_fresh(&records, "src/coordinator_record/generated");
}
