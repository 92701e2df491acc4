//! One line of what `inspect` prints: an object of JSON, or names and values for a person.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// A kind and its fields, in order.
pub(super) struct Line {
    kind: &'static str,
    depth: usize,
    fields: Vec<(&'static str, Value)>,
    /// Where it belongs, which a person has read in a line above.
    hidden: Option<(&'static str, Value)>,
}

impl Line {
    pub(super) fn new(kind: &'static str, depth: usize) -> Self {
        Self { kind, depth, fields: Vec::new(), hidden: None }
    }

    /// Adds a field.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds a field that a person has read in a line above.
    pub(super) fn within(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.hidden = Some((name, value.into()));
        self
    }

    fn text(&self) -> String {
        let mut text = format!("{}{}", "  ".repeat(self.depth), self.kind);
        for (name, value) in self.fields.iter().filter(|(_, value)| !value.is_null()) {
            match value {
                Value::String(value) => text.push_str(&format!(" {name}: {}", printable(value))),
                value => text.push_str(&format!(" {name}: {value}")),
            }
        }
        text
    }
}

/// A text without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.kind)?;
        for (name, value) in self.hidden.iter().chain(&self.fields) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Standard output. Once it is closed nothing more is written.
pub(super) struct Out {
    out: BufWriter<StdoutLock<'static>>,
    is_json: bool,
    /// Only findings and the summary are wanted.
    is_brief: bool,
    failure: Option<io::Error>,
}

impl Out {
    pub(super) fn new(is_json: bool, is_brief: bool) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), is_json, is_brief, failure: None }
    }

    /// Writes a line, unless only findings are wanted.
    pub(super) fn line(&mut self, line: &Line) {
        if !self.is_brief {
            self.always(line);
        }
    }

    /// Writes a line.
    pub(super) fn always(&mut self, line: &Line) {
        if self.failure.is_some() {
            return;
        }
        let written = if self.is_json {
            serde_json::to_writer(&mut self.out, line).map_err(io::Error::from).and_then(|()| self.out.write_all(b"\n"))
        } else {
            writeln!(self.out, "{}", line.text())
        };
        if let Err(error) = written {
            self.failure = Some(error);
        }
    }

    /// Whether nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.failure.is_some()
    }

    /// Writes what waits. A reader that went away is no failure: so a pipe ends.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let failed = self.failure.take().map_or_else(|| self.out.flush(), Err);
        match failed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }
}
