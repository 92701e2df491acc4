//! What a comparison found, and the page that says it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use highwater_protocol::api::ApiKey;

use crate::accepted::ACCEPTED;
use crate::compare::{Difference, differences};
use crate::side::{Answer, CaseName};
use crate::transcript::Answers;

/// What a comparison found.
#[derive(Default)]
pub struct Report {
    /// Cases of each key: all, and those that differ by design.
    keys: BTreeMap<i16, Counts>,
    /// Cases that each accepted difference covers.
    covered: BTreeMap<usize, BTreeSet<CaseName>>,
    /// What is neither the same nor accepted.
    pub open: Vec<String>,
}

#[derive(Default)]
struct Counts {
    cases: usize,
    by_design: usize,
    open: usize,
    versions: BTreeSet<i16>,
}

impl Report {
    /// Holds Highwater's answers against Kafka's.
    pub fn new(kafka: &Answers, ours: &[(CaseName, Answer)]) -> Self {
        let mut report = Self::default();
        for (case, answer) in ours {
            match kafka.get(case) {
                Some(kafkas) => report.add(case, &differences(kafkas, answer)),
                None => report.open.push(format!("{}: Kafka was not asked", shown(case))),
            }
        }
        let asked: BTreeSet<&CaseName> = ours.iter().map(|(case, _)| case).collect();
        for case in kafka.keys().filter(|case| !asked.contains(case)) {
            report.open.push(format!("{}: only Kafka was asked", shown(case)));
        }
        for (number, accepted) in ACCEPTED.iter().enumerate() {
            if !report.covered.contains_key(&number) {
                report.open.push(format!(
                    "stale: no case shows the accepted difference {:?} {} {}: {} -> {}",
                    accepted.key, accepted.cases, accepted.path, accepted.kafka, accepted.ours
                ));
            }
        }
        report
    }

    fn add(&mut self, case: &CaseName, differences: &[Difference]) {
        let mut is_open = false;
        for difference in differences {
            match ACCEPTED.iter().position(|accepted| accepted.covers(case, difference)) {
                Some(number) => {
                    self.covered.entry(number).or_default().insert(case.clone());
                }
                None => {
                    is_open = true;
                    let Difference { path, kafka, ours } = difference;
                    self.open.push(format!("{}: {path}\n    kafka {kafka}\n    ours  {ours}", shown(case)));
                }
            }
        }
        let counts = self.keys.entry(case.key).or_default();
        counts.cases += 1;
        counts.open += usize::from(is_open);
        counts.by_design += usize::from(!is_open && !differences.is_empty());
        counts.versions.insert(case.version);
    }

    /// All cases.
    pub fn cases(&self) -> usize {
        self.keys.values().map(|counts| counts.cases).sum()
    }

    /// The page.
    pub fn page(&self) -> String {
        let sum = |of: fn(&Counts) -> usize| self.keys.values().map(of).sum::<usize>();
        let (cases, by_design, open) = (self.cases(), sum(|counts| counts.by_design), sum(|counts| counts.open));
        let same = cases - by_design - open;
        let mut page = INTRODUCTION.to_owned();
        write!(page, "\n| cases | same | different by design | open |\n|---|---|---|---|\n").expect("writes");
        writeln!(page, "| {cases} | {same} | {by_design} | {open} |").expect("writes");
        write!(
            page,
            "\n## Keys and versions\n\n| key | versions | cases | same | different by design |\n|---|---|---|---|---|\n"
        )
        .expect("writes");
        for (key, counts) in &self.keys {
            let name = ApiKey::from_number(*key).map_or("", ApiKey::name);
            let (first, last) = (counts.versions.first().unwrap_or(&0), counts.versions.last().unwrap_or(&0));
            let same = counts.cases - counts.by_design - counts.open;
            writeln!(page, "| {key} {name} | {first} to {last} | {} | {same} | {} |", counts.cases, counts.by_design)
                .expect("writes");
        }
        write!(page, "\n## Accepted differences\n\n{REASONS}\n| key | versions | where | Kafka | Highwater | cases | reason |\n|---|---|---|---|---|---|---|\n")
            .expect("writes");
        for (number, accepted) in ACCEPTED.iter().enumerate() {
            let key = accepted.key.map_or("all", ApiKey::name);
            let versions = match (*accepted.versions.start(), *accepted.versions.end()) {
                (i16::MIN, i16::MAX) => "all".to_owned(),
                (first, i16::MAX) => format!("{first} and up"),
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first} to {last}"),
            };
            let place = match (accepted.cases, accepted.path) {
                ("*", "") => "the answer".to_owned(),
                ("*", path) => format!("`{path}`"),
                (cases, "") => format!("cases `{cases}`"),
                (cases, path) => format!("`{path}` in cases `{cases}`"),
            };
            let count = self.covered.get(&number).map_or(0, BTreeSet::len);
            let (kafka, ours) = (value(accepted.kafka), value(accepted.ours));
            let (reason, words) = (accepted.reason.words(), accepted.words);
            writeln!(page, "| {key} | {versions} | {place} | {kafka} | {ours} | {count} | {reason}: {words} |")
                .expect("writes");
        }
        page
    }
}

fn value(pattern: &str) -> String {
    match pattern {
        "*" => "any".to_owned(),
        "{*" => "an answer".to_owned(),
        pattern => format!("`{}`", pattern.replace('|', "\\|")),
    }
}

fn shown(case: &CaseName) -> String {
    let name = ApiKey::from_number(case.key).map_or("", ApiKey::name);
    format!("{name} v{} {}", case.version, case.name)
}

/// Where the page lies.
pub fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md")
}

const INTRODUCTION: &str = "\
# Compatibility with Apache Kafka 4.4

Written by `tests/agreement`; do not edit. The same request bytes go to Apache Kafka 4.4.0 (one node, default configuration) and
to Highwater, and the decoded answers are compared field by field, and what becomes of the connection with them. A case is one
request in one version. Any difference that is not listed below fails `cargo test --workspace`.

What is not compared, because it differs from run to run or belongs to one broker:

- Topic ids, producer ids, session ids and leader epochs are named in the order in which they appear; that the same one comes
  back is compared.
- A time within two minutes of the clock is `now`. Hosts, ports, the cluster id, the log directory, disk sizes and throttle times
  are compared as present or absent.
- The words of error messages and of documentation: only that there are some. A message where Kafka has none is no difference.
- Where a broker listens, its node id, and the settings that the test gives Kafka at its start.
- The order of topics, partitions and settings in an answer: Kafka's own is that of its hash maps.
- Topics of other scenarios, and those that a broker keeps for itself, unless a request names them.

Not reached with one node that is never restarted: epochs that ended, leaders that moved, replicas that lag.
";

const REASONS: &str = "\
- old version: Kafka 4.0 dropped it; Highwater serves what Kafka 3.9 served.
- absent on purpose: a notion that Highwater does not have, such as the in-sync replica set or KRaft.
- by design: what Highwater promises, a bound that protects it, or a decision about what an answer is worth, asks for another.
- Kafka's defect: its handler fails inside (UNKNOWN_SERVER_ERROR), never answers, or does what its own rules forbid.
- not built yet: to be built; until then no client is told that it works.
";
