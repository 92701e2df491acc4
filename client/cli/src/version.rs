//! `highwater version`.

use serde_json::json;

use crate::failed::Failed;
use crate::output;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `version` takes.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct VersionArguments {
    /// An object.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(arguments: VersionArguments) -> Result<(), Failed> {
    let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    if arguments.json {
        return output::object(&json!({ "version": VERSION, "os": os, "architecture": architecture }));
    }
    output::line(&format!("highwater {VERSION} ({os}, {architecture})"))
}
