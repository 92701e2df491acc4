//! What Apache Kafka answered, as committed text: one file for each key, and in it one block for each case, with a line for each
//! range of versions that got the same answer.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use highwater_protocol::api::ApiKey;

use crate::side::{Answer, CaseName};

/// Answers by case.
pub type Answers = BTreeMap<CaseName, Answer>;

/// Writes one file for each key.
pub fn write(answers: &[(CaseName, Answer)]) {
    let mut files: BTreeMap<i16, Vec<&(CaseName, Answer)>> = BTreeMap::new();
    for answer in answers {
        files.entry(answer.0.key).or_default().push(answer);
    }
    for (key, answers) in files {
        std::fs::write(file(key), text(&answers)).expect("writes");
    }
}

/// Reads all files.
pub fn read() -> Answers {
    let mut answers = Answers::new();
    let files = std::fs::read_dir(directory()).expect("the directory of transcripts");
    for path in files.map(|file| file.expect("a file").path()).filter(|path| path.extension().is_some()) {
        let text = std::fs::read_to_string(&path).expect("reads");
        parse(&path, &text, &mut answers);
    }
    answers
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

fn file(key: i16) -> PathBuf {
    let name = ApiKey::from_number(key).expect("a key").name();
    directory().join(format!("{key:02}-{name}.txt"))
}

fn text(answers: &[&(CaseName, Answer)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut by_name: BTreeMap<&str, Vec<(i16, &Answer)>> = BTreeMap::new();
    for (case, answer) in answers {
        if !by_name.contains_key(case.name.as_str()) {
            names.push(&case.name);
        }
        by_name.entry(&case.name).or_default().push((case.version, answer));
    }
    let mut text = String::new();
    for name in names {
        writeln!(text, "== {name}").expect("writes");
        for (versions, answer) in ranges(&by_name[name]) {
            writeln!(text, "{versions} {}", answer.text()).expect("writes");
        }
    }
    text
}

/// Neighbours with the same answer together.
fn ranges<'a>(answers: &[(i16, &'a Answer)]) -> Vec<(String, &'a Answer)> {
    let mut ranges: Vec<(i16, i16, &Answer)> = Vec::new();
    for (version, answer) in answers {
        match ranges.last_mut() {
            Some((_, last, same)) if same == answer && *last + 1 == *version => *last = *version,
            _ => ranges.push((*version, *version, answer)),
        }
    }
    let shown = |(first, last, answer): (i16, i16, _)| {
        (if first == last { format!("v{first}") } else { format!("v{first}-{last}") }, answer)
    };
    ranges.into_iter().map(shown).collect()
}

fn parse(path: &Path, text: &str, answers: &mut Answers) {
    let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('-').next()?.parse().ok());
    let key: i16 = number.unwrap_or_else(|| panic!("{} begins with no key's number", path.display()));
    for block in text.split("== ").skip(1) {
        let (name, body) = block.split_once('\n').expect("a name on a line of its own");
        for entry in entries(body) {
            let (versions, answer) = entry.split_once(' ').expect("versions, and an answer");
            let (first, last) = versions[1..].split_once('-').unwrap_or((&versions[1..], &versions[1..]));
            let answer =
                Answer::parse(answer.trim_end()).unwrap_or_else(|error| panic!("{}: {name}: {error}", path.display()));
            let number = |text: &str| text.parse::<i16>().expect("a version");
            for version in number(first)..=number(last) {
                answers.insert(CaseName { key, name: name.to_owned(), version }, answer.clone());
            }
        }
    }
}

/// The parts of a block that begin with a version at the front of a line.
fn entries(body: &str) -> Vec<&str> {
    let mut begins: Vec<usize> = vec![0];
    begins.extend(body.match_indices("\nv").map(|(at, _)| at + 1));
    begins.push(body.len());
    begins.windows(2).map(|pair| &body[pair[0]..pair[1]]).filter(|entry| !entry.trim().is_empty()).collect()
}
