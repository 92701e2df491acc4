//! Writes the generated modules: `cargo run -p highwater-codegen` from anywhere in the workspace.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match write(&protocol) {
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

fn write(protocol: &Path) -> Result<usize, String> {
    let config = protocol.join("../rustfmt.toml");
    let messages = highwater_codegen::generate(&protocol.join("specs/messages"))?;
    let records = highwater_codegen::generate_records(&protocol.join("specs/coordinator_records"))?;
    Ok(highwater_codegen::write(&messages, &protocol.join("src/message/generated"), &config)?
        + highwater_codegen::write(&records, &protocol.join("src/coordinator_record/generated"), &config)?)
}
