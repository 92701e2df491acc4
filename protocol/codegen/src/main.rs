//! Writes the generated modules: `cargo run -p highwater-codegen` from anywhere in the workspace.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (specs, target) = (protocol.join("specs/messages"), protocol.join("src/message/generated"));
    match highwater_codegen::write(&specs, &target, &protocol.join("../rustfmt.toml")) {
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
