//! What `produce` reads: lines, JSON objects, whole files, or a format.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bytes::Bytes;

use crate::entry::Entry;
use crate::failed::Failed;
use crate::format::Reading;
use crate::json::Object;

/// The most that one line or one raw file may have.
const MOST_BYTES: u64 = 256 << 20;

/// How records are told apart.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    Lines,
    Json,
    Raw,
    Format(Reading),
}

/// One file, or standard input.
pub(crate) struct Input {
    name: String,
    layout: Layout,
    source: Box<dyn BufRead>,
    count: u64,
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub(crate) fn open(path: &Path, layout: &Layout) -> Result<Self, Failed> {
        let (name, source): (String, Box<dyn BufRead>) = if path.as_os_str() == "-" {
            ("stdin".to_owned(), Box::new(std::io::stdin().lock()))
        } else {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| missing(&name, &error))?;
            (name, Box::new(BufReader::new(file)))
        };
        Ok(Self { name, layout: layout.clone(), source, count: 0 })
    }

    /// What the last record is called in messages.
    pub(crate) fn place(&self) -> String {
        format!("record {} of {}", self.count, self.name)
    }

    /// The next record.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Failed> {
        self.count = self.count.saturating_add(1);
        let read = match &self.layout {
            Layout::Lines => line(&mut self.source),
            Layout::Json => object(&mut self.source),
            Layout::Raw if self.count == 1 => whole(&mut self.source).map(Some),
            Layout::Raw => Ok(None),
            Layout::Format(format) => format.read(&mut self.source),
        };
        read.map_err(|why| Failed::Error(format!("{}: {why}", self.place())))
    }
}

fn missing(name: &str, error: &std::io::Error) -> Failed {
    let text = format!("{name}: {error}");
    if error.kind() == std::io::ErrorKind::NotFound { Failed::NotFound(text) } else { Failed::Error(text) }
}

fn value(bytes: Vec<u8>) -> Entry {
    Entry { value: Some(Bytes::from(bytes)), ..Entry::default() }
}

fn line(source: &mut impl BufRead) -> Result<Option<Entry>, String> {
    let mut bytes = Vec::new();
    let read = source.by_ref().take(MOST_BYTES).read_until(b'\n', &mut bytes).map_err(|error| error.to_string())?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if u64::try_from(read).unwrap_or(u64::MAX) >= MOST_BYTES {
        return Err(format!("no end of the line within {MOST_BYTES} bytes"));
    }
    Ok(Some(value(bytes)))
}

fn whole(source: &mut impl BufRead) -> Result<Entry, String> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) >= MOST_BYTES {
        return Err(format!("more than {MOST_BYTES} bytes, which is the most"));
    }
    Ok(value(bytes))
}

/// The next object, after any space.
fn object(source: &mut impl BufRead) -> Result<Option<Entry>, String> {
    loop {
        match source.fill_buf().map_err(|error| error.to_string())?.first() {
            None => return Ok(None),
            Some(byte) if byte.is_ascii_whitespace() => source.consume(1),
            // An object ends itself, so that nothing behind it is taken.
            Some(b'{') => break,
            Some(byte) => return Err(format!("wanted is a JSON object, found {:?}", char::from(*byte))),
        }
    }
    let mut reader = serde_json::Deserializer::from_reader(source);
    let object: Object = serde::Deserialize::deserialize(&mut reader).map_err(|error| error.to_string())?;
    object.entry().map(Some)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn check(layout: Layout, text: &str, expected: &[&str]) {
        let source = Box::new(Cursor::new(text.as_bytes().to_vec()));
        let mut input = Input { name: "test".to_owned(), layout, source, count: 0 };
        let mut found = Vec::new();
        while let Some(entry) = input.next().expect("reads") {
            found.push(String::from_utf8(entry.value.expect("a value").to_vec()).expect("text"));
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn records_are_told_apart_by_the_layout() {
        check(Layout::Lines, "a\n\nb\r\nlast", &["a", "", "b\r", "last"]);
        check(Layout::Lines, "", &[]);
        check(Layout::Raw, "a\nb\n", &["a\nb\n"]);
        check(Layout::Raw, "", &[""]);
        check(Layout::Json, "{\"value\":\"a\"}\n{\n \"value\": \"b\"}{\"value\":\"c\"}  ", &["a", "b", "c"]);
    }

    #[test]
    fn an_error_names_the_record() {
        let source = Box::new(Cursor::new(b"{\"value\":\"a\"}\n[]".to_vec()));
        let mut input = Input { name: "test".to_owned(), layout: Layout::Json, source, count: 0 };
        assert!(input.next().expect("reads").is_some());
        let error = input.next().expect_err("an array");
        assert_eq!(error.to_string(), "record 2 of test: wanted is a JSON object, found '['");
    }
}
