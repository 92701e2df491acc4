//! Standard output holds data and nothing else; a closed pipe ends a verb quietly.

use std::io::Write;

use crate::failed::Failed;

/// Writes one line of data.
pub(crate) fn line(text: &str) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}
