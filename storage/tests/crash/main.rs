//! Every crash point: stops a store at every operation of its disk, lets the disk crash in every way, opens it again and compares
//! with a model; and the schedules that lose data without a rule, each told for itself.
//!
//! A workload ([`workload`]) is one seed. It is run up to one operation after the other; each time the disk is left once as a
//! kill leaves it, and as a power cut may leave it: in all ways where they are few, in drawn ones where they are many. What a
//! start makes of each image is compared with what has to be true ([`model`]) and its indices with its segments ([`indices`]);
//! it is opened again, and once more after a power cut behind recovery; some images have their recovery stopped at each
//! operation. A failing case names its seed, its operation and its image: put these three into `PINNED` to have it run alone and
//! first. `CRASH_SEEDS=100..200` runs other workloads than the usual ones.

/// Says what is wrong, unless it holds.
macro_rules! ensure {
    ($holds:expr, $($wrong:tt)+) => {
        if !$holds {
            return Err(format!($($wrong)+));
        }
    };
}

#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod explore;
mod hunt;
mod indices;
mod model;
mod safety;
mod workload;

use std::io::Write as _;

use explore::{Case, Effort, Report, explore, explore_one, in_parallel};
use workload::DEEDS;

/// The workloads of a usual run.
const SEEDS: std::ops::Range<u64> = 0..12;
/// What a usual run has to see.
const DISTINCT_IMAGES: usize = 50_000;
const EFFORT: Effort = Effort { cuts: 32, cuts_in_recovery: 5, recoveries: 60, lives: 16 };

/// Cases that failed once. A change of the workload makes them others; what they found is told as a scenario in `safety.rs`.
const PINNED: &[Case] = &[];

#[test]
fn cases_that_failed_once() {
    for case in PINNED {
        explore_one(*case, EFFORT, &mut Report::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

#[test]
fn every_crash_point() {
    let seeds: Vec<u64> = seeds().collect();
    let mut report = Report::default();
    let mut failed = Vec::new();
    for result in in_parallel(&seeds, |seed| {
        let mut report = Report::default();
        explore(*seed, EFFORT, &mut report, u64::MAX).map(|()| report)
    }) {
        match result {
            Ok(of_seed) => report.add(of_seed),
            Err(wrong) => failed.push(wrong),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    say(&format!(
        "{} crashes in {} workloads, {} distinct images, {} starts stopped; {} moments with all outcomes of a power cut and {} \
         with drawn ones; power cuts took {} entries that only a page cache had acknowledged\n{}{:?}\n",
        report.crashes,
        seeds.len(),
        report.distinct.len(),
        report.recoveries,
        report.complete,
        report.drawn,
        report.lost,
        report.coverage,
        report.deeds,
    ));
    assert_eq!(report.coverage.missing(), [], "operations that no crash came upon");
    assert_eq!(report.coverage.unlisted(), [], "operations that are not listed");
    assert!(DEEDS.iter().all(|deed| report.deeds.contains_key(deed)), "a workload does all it can: {:?}", report.deeds);
    assert!(report.lost > 0, "power cuts take what only a page cache had");
    assert!(report.distinct.len() >= DISTINCT_IMAGES, "{} distinct images", report.distinct.len());
}

/// The workloads to run.
fn seeds() -> std::ops::Range<u64> {
    let Ok(wanted) = std::env::var("CRASH_SEEDS") else { return SEEDS };
    let bounds = wanted.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds.unwrap_or_else(|| panic!("CRASH_SEEDS={wanted} is no range: write it as 100..200"))
}

/// Prints also where a test's output is captured.
fn say(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}
