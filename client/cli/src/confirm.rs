//! A verb that destroys asks first.

use std::io::{BufRead, IsTerminal};

use crate::failed::Failed;

/// Goes on with `--yes` or with a yes at the terminal.
pub(crate) fn destruction(what: &str, yes: bool) -> Result<(), Failed> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failed::Usage(format!("{what}: say --yes to do it without being asked")));
    }
    eprint!("{what}? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Failed::error("nothing was done")) }
}
