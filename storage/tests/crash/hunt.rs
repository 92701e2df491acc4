//! Whether mistakes are noticed: each one that is planted in the store is switched on, and the crash harness and the schedules
//! have to fail.

use std::fmt::Write as _;

use highwater_storage::planted::{Bug, current, plant};

use crate::explore::{Effort, Report, explore, guarded, in_parallel};
use crate::safety::SCHEDULES;
use crate::say;

/// Workloads that the harness tries for one mistake.
const SEEDS: std::ops::Range<u64> = 0..16;
/// Images of each.
const IMAGES: u64 = 600;
/// Few outcomes of many moments find more than many of few.
const EFFORT: Effort = Effort { cuts: 8, cuts_in_recovery: 3, recoveries: 20, lives: 4 };

/// What became of one mistake.
struct Hunted {
    bug: Bug,
    /// After how many images the harness failed, and how.
    by_harness: Option<(u64, String)>,
    /// Which schedules failed.
    by_schedules: Vec<&'static str>,
}

#[test]
fn every_planted_mistake_is_caught() {
    std::panic::set_hook(quiet(std::panic::take_hook()));
    let mut hunted = in_parallel(Bug::ALL, |bug| {
        plant(Some(*bug));
        let by_harness = harness();
        let by_schedules = SCHEDULES.iter().filter(|(_, schedule)| fails(*schedule)).map(|(name, _)| *name).collect();
        plant(None);
        Hunted { bug: *bug, by_harness, by_schedules }
    });
    hunted.sort_by_key(|hunted| hunted.bug);
    say(&table(&hunted));
    let missed = |hunted: &&Hunted| hunted.by_harness.is_none() && hunted.by_schedules.is_empty();
    let missed: Vec<Bug> = hunted.iter().filter(missed).map(|hunted| hunted.bug).collect();
    assert_eq!(missed, [], "mistakes that nothing notices");
    let catches = |name: &&str| hunted.iter().any(|hunted| hunted.by_schedules.contains(name));
    let idle: Vec<&str> = SCHEDULES.iter().map(|(name, _)| *name).filter(|name| !catches(name)).collect();
    assert_eq!(idle, [""; 0], "schedules that no mistake makes fail");
}

/// After how many images the harness fails, and how.
fn harness() -> Option<(u64, String)> {
    let mut report = Report::default();
    for seed in SEEDS {
        let until = report.crashes + IMAGES;
        if let Err(wrong) = explore(seed, EFFORT, &mut report, until) {
            return Some((report.crashes, wrong));
        }
    }
    None
}

fn fails(schedule: fn()) -> bool {
    guarded(|| {
        schedule();
        Ok(())
    })
    .is_err()
}

/// Panics behind a planted mistake are what is asked for.
fn quiet(
    usual: Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync>,
) -> Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync> {
    Box::new(move |panic| {
        if current().is_none() {
            usual(panic);
        }
    })
}

fn table(hunted: &[Hunted]) -> String {
    let mut text = format!("{:<27} {:>7}  caught by\n", "planted mistake", "images");
    for Hunted { bug, by_harness, by_schedules } in hunted {
        let images = by_harness.as_ref().map_or("-".to_owned(), |(images, _)| images.to_string());
        let said = by_harness.as_ref().map(|(_, wrong)| wrong.chars().take(150).collect::<String>());
        let more = by_schedules.len().saturating_sub(1);
        let first = by_schedules.first().map(|first| match more {
            0 => (*first).to_owned(),
            _ => format!("{first} and {more} more"),
        });
        let by: Vec<String> = first.into_iter().chain(said).collect();
        let name = format!("{bug:?}");
        writeln!(text, "{name:<27} {images:>7}  {}", by.join("; ")).unwrap();
    }
    let caught = |by: fn(&Hunted) -> bool| hunted.iter().filter(|hunted| by(hunted)).count();
    let by_harness = caught(|hunted| hunted.by_harness.is_some());
    let by_schedules = caught(|hunted| !hunted.by_schedules.is_empty());
    writeln!(text, "{} mistakes: {by_harness} caught by the harness, {by_schedules} by schedules", hunted.len())
        .unwrap();
    text
}
