//! Standard output holds data and nothing else; a closed pipe ends a verb quietly.

use std::io::{IsTerminal, Write};

use serde_json::Value;

use crate::failed::Failed;

/// Writes one line of data.
pub(crate) fn line(text: &str) -> Result<(), Failed> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(b'\n');
    write(&bytes)
}

/// Writes data, and flushes it.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

/// Whether a person reads it.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Writes an object on one line, for a person on several.
pub(crate) fn object(object: &Value) -> Result<(), Failed> {
    line(&if is_terminal() { format!("{object:#}") } else { object.to_string() })
}

/// Writes rows below their names, in columns.
pub(crate) fn table(names: &[&str], rows: &[Vec<String>]) -> Result<(), Failed> {
    line(&columns(names, rows))
}

/// Numbers, with commas between them.
pub(crate) fn numbers(numbers: &[i32]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn columns(names: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let width = |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..names.len()).map(|at| width(at).unwrap_or(0)).collect();
    let padded = |line: &&Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(padded).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["orders".to_owned(), "3".to_owned()], vec!["é".to_owned(), "12".to_owned()]];
        assert_eq!(columns(&["TOPIC", "PARTITIONS"], &rows), "TOPIC   PARTITIONS\norders  3\né       12");
        assert_eq!(columns(&["TOPIC"], &[]), "TOPIC");
    }
}
