//! Transcripts: prose, then commands, `----`, and what they print, up to the next blank line. Every file begins with a
//! machine that is new. `REWRITE=1` writes what is printed into the files instead of comparing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What answers commands.
pub(crate) trait Script {
    /// Carries out one line, and prints.
    fn run(&mut self, command: &Command<'_>) -> String;
}

/// A line, split at its spaces.
pub(crate) struct Command<'a> {
    /// Its first word.
    pub(crate) name: &'a str,
    /// The others, in order.
    pub(crate) words: Vec<&'a str>,
}

impl<'a> Command<'a> {
    pub(crate) fn parse(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        Self { name: words.next().unwrap_or_default(), words: words.collect() }
    }

    /// The value behind `key=`.
    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        self.words.iter().find_map(|word| word.split_once('=').filter(|(name, _)| *name == key).map(|(_, value)| value))
    }

    /// The number behind `key=`.
    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.value(key).map(|value| value.parse().unwrap_or_else(|_| panic!("{key}={value} is not a number")))
    }

    /// Whether a word stands there alone.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

/// Runs all transcripts of a folder below `tests/testdata`; fails on the first that differs, with both outputs.
pub(crate) fn check<S: Script>(folder: &str, fresh: impl Fn() -> S) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testdata").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("lists").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no transcript in {}", folder.display());
    for file in files {
        check_file(&file, &mut fresh());
    }
}

#[expect(clippy::disallowed_methods, reason = "REWRITE writes the transcripts, not a machine")]
fn check_file(file: &Path, script: &mut impl Script) {
    let text = std::fs::read_to_string(file).expect("reads");
    let printed = replayed(&text, script);
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(file, printed).expect("writes");
        return;
    }
    let differs = text.lines().zip(printed.lines()).enumerate().find(|(_, (wanted, found))| wanted != found);
    if let Some((line, (wanted, found))) = differs {
        panic!("{}:{}\n  wanted: {wanted}\n  found:  {found}\n\nwhole output:\n{printed}", file.display(), line + 1);
    }
    assert!(text == printed, "{}: one output is longer:\n{printed}", file.display());
}

/// The text with every expectation replaced by what the commands print now.
fn replayed(text: &str, script: &mut impl Script) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(out, "{line}").expect("a string takes any text");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut commands = vec![line];
        for line in lines.by_ref() {
            writeln!(out, "{line}").expect("a string takes any text");
            if line == "----" {
                break;
            }
            commands.push(line);
        }
        while lines.peek().is_some_and(|line| !line.is_empty()) {
            lines.next();
        }
        let mut printed = String::new();
        for command in commands {
            printed += &script.run(&Command::parse(command));
        }
        assert!(!printed.contains("\n\n"), "an output with a blank line cannot be read back:\n{printed}");
        out += if printed.is_empty() { "ok\n" } else { &printed };
    }
    out
}
