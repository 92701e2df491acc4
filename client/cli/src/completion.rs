//! `highwater completion`.

use crate::failed::Failed;
use crate::output;

/// What `completion` takes.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct CompletionArguments {
    /// For which shell.
    shell: clap_complete::Shell,
}

/// Writes a script for the shell.
pub(crate) fn run(arguments: CompletionArguments, mut command: clap::Command) -> Result<(), Failed> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    output::write(&script)
}
