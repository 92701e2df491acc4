//! Writes the generated modules: `cargo run -p highwater-codegen` from anywhere in the workspace.

use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(count) => {
            println!("wrote {count} files");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<usize, String> {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no parent folder")?;
    let files = highwater_codegen::generate(&protocol.join("specs/messages"))?;
    let target = protocol.join("src/message/generated");
    std::fs::create_dir_all(&target).map_err(|error| error.to_string())?;
    let mut paths = Vec::new();
    for (name, text) in &files {
        let path = target.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        paths.push(path);
    }
    let formatted = Command::new("rustfmt").args(["--edition", "2024"]).args(&paths).status();
    match formatted {
        Ok(status) if status.success() => Ok(files.len()),
        other => Err(format!("rustfmt: {other:?}")),
    }
}
