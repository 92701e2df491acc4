//! Stops a workload at each operation of its disk, lets the disk crash in every way, and looks at what a start makes of it.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use highwater_storage::disk::sim::SimDisk;
use parking_lot::Mutex;

use crate::common::{ROOT, open};
use crate::coverage::Coverage;
use crate::indices;
use crate::model::{Crash, Models, check, lost};
use crate::workload::Driver;

/// Threads that share the work.
const THREADS: usize = 2;
/// Steps of a workload.
const STEPS: u64 = 150;
/// Steps of the life behind a crash.
const STEPS_AFTER: u64 = 12;

/// How much is tried.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Power cuts of one moment: all there are, or as many drawn ones.
    pub(crate) cuts: u64,
    /// The same in recovery.
    pub(crate) cuts_in_recovery: u64,
    /// One image in so many has its recovery stopped at each operation.
    pub(crate) recoveries: u64,
    /// One image in so many gets a life behind the crash, or its indices made anew.
    pub(crate) lives: u64,
}

/// One image: a workload, the operation it was stopped at, and which of the ways to crash there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) operation: u64,
    /// 0 is the kill, all others are power cuts.
    pub(crate) image: u64,
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Report {
    /// Crashes, each of them recovered from.
    pub(crate) crashes: u64,
    /// Different bytes or names on the disk.
    pub(crate) distinct: HashSet<u64>,
    /// Starts that were stopped.
    pub(crate) recoveries: u64,
    /// Moments at which all that a power cut may leave was tried.
    pub(crate) complete: u64,
    /// Moments of which there were too many outcomes.
    pub(crate) drawn: u64,
    /// Entries acknowledged from the page cache that a power cut took.
    pub(crate) lost: u64,
    pub(crate) coverage: Coverage,
    pub(crate) deeds: BTreeMap<&'static str, u64>,
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.distinct.extend(other.distinct);
        self.recoveries += other.recoveries;
        self.complete += other.complete;
        self.drawn += other.drawn;
        self.lost += other.lost;
        self.coverage.add(&other.coverage);
        other.deeds.into_iter().for_each(|(deed, count)| *self.deeds.entry(deed).or_default() += count);
    }
}

/// Does jobs on two threads, in any order.
pub(crate) fn in_parallel<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(job);
                    done.lock().push(result);
                }
            });
        }
    });
    done.into_inner()
}

/// Crashes a workload at every operation, in an order that meets all kinds of moments early, until `report` says otherwise.
pub(crate) fn explore(seed: u64, effort: Effort, report: &mut Report, until: u64) -> Result<(), String> {
    let whole = SimDisk::new();
    let mut driver = Driver::new(&whole, None, open(&whole, seed).unwrap(), Models::new(), seed);
    guarded(|| driver.run(STEPS).map_err(|error| error.to_string()))
        .map_err(|wrong| format!("seed {seed}: {wrong}"))?;
    for (deed, count) in driver.deeds {
        *report.deeds.entry(deed).or_default() += count;
    }
    let operations = whole.operations();
    for step in 0..operations {
        if report.crashes >= until {
            break;
        }
        let operation = 1 + scattered(step, operations);
        crash_at(seed, operation, None, effort, report)?;
    }
    Ok(())
}

/// Looks at one image alone.
pub(crate) fn explore_one(case: Case, effort: Effort, report: &mut Report) -> Result<(), String> {
    crash_at(case.seed, case.operation, Some(case.image), effort, report)
}

/// Visits all numbers below a bound, neighbours far from each other.
fn scattered(step: u64, bound: u64) -> u64 {
    let coprime = |stride: &u64| {
        let (mut one, mut other) = (*stride, bound);
        while other > 0 {
            (one, other) = (other, one % other);
        }
        one == 1
    };
    let stride = (bound * 5 / 8 + 1..).find(coprime).unwrap();
    step * stride % bound
}

/// Runs a workload until it is done or the disk stops, and gives back what has to be true.
fn live(disk: &SimDisk, end: u64, seed: u64) -> Models {
    disk.stop_at(end);
    let Ok(opened) = open(disk, seed) else { return Models::new() };
    let mut driver = Driver::new(disk, Some(end), opened, Models::new(), seed);
    drop(driver.run(STEPS));
    driver.models
}

fn crash_at(seed: u64, operation: u64, only: Option<u64>, effort: Effort, report: &mut Report) -> Result<(), String> {
    let named = |image: Option<u64>, wrong: String| {
        let image = image.map_or("none".to_owned(), |image| image.to_string());
        format!("seed {seed}, operation {operation}, image {image}: {wrong}")
    };
    let disk = SimDisk::new();
    let models = guarded(|| Ok(live(&disk, operation, seed))).map_err(|wrong| named(None, wrong))?;
    let stopped_at = disk.stopped_at().expect("a workload has as many operations in every run");
    let cuts = disk.power_cuts(effort.cuts, seed ^ operation << 20);
    *if cuts.is_complete { &mut report.complete } else { &mut report.drawn } += 1;
    let mut seen = HashSet::new();
    let images = std::iter::once((Crash::Kill, disk.after_kill()));
    let images = images.chain(cuts.images.into_iter().map(|image| (Crash::Power, image)));
    for ((crash, image), number) in images.zip(0..) {
        let print = image.fingerprint(Path::new("/"));
        if !seen.insert(print) && crash == Crash::Power || only.is_some_and(|only| only != number) {
            continue;
        }
        report.crashes += 1;
        report.distinct.insert(print);
        report.coverage.note(&stopped_at, false);
        let mut looked = || -> Result<(), String> {
            survive(&image, print, &models, crash, effort, report)?;
            if print % effort.recoveries == 0 || only.is_some() {
                stop_recovery(&image, &models, crash, effort, report)?;
            }
            Ok(())
        };
        guarded(&mut looked).map_err(|wrong| named(Some(number), format!("{crash:?} at {stopped_at:?}: {wrong}")))?;
    }
    Ok(())
}

/// A panic is an answer like any other.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    })
}

/// Opens what a crash left and checks it, opens it again, and again as a power cut behind recovery leaves it; some live on.
fn survive(
    image: &SimDisk,
    print: u64,
    models: &Models,
    crash: Crash,
    effort: Effort,
    report: &mut Report,
) -> Result<(), String> {
    let image = image.after_kill();
    let logs = Path::new(ROOT).join("logs");
    let opened = open(&image, 77).map_err(|error| format!("it does not open: {error}"))?;
    let found = check(&opened, models, crash)?;
    indices::agree_with_segments(&image, &opened)?;
    report.lost += if crash == Crash::Power { lost(models, &found) } else { 0 };
    let left = image.fingerprint(&logs);
    let durable = image.power_cuts(2, 0).images.swap_remove(0);
    drop(opened);
    let again = open(&image, 78).map_err(|error| format!("it does not open again: {error}"))?;
    check(&again, &found, Crash::Kill).map_err(|wrong| format!("opened again: {wrong}"))?;
    ensure!(image.fingerprint(&logs) == left, "recovery changes what it has recovered");
    drop(again);
    let in_second_life = |wrong: String| format!("in the second life: {wrong}");
    let opened = open(&durable, 79).map_err(|error| in_second_life(format!("it does not open: {error}")))?;
    let found = check(&opened, &found, Crash::Power).map_err(in_second_life)?;
    if print % effort.lives == 1 {
        drop(opened);
        return indices::are_made_anew(&durable);
    }
    if print % effort.lives == 2 {
        let mut driver = Driver::new(&durable, None, opened, found, print);
        driver.run(STEPS_AFTER).map_err(|error| in_second_life(error.to_string()))?;
        let after = durable.after_power_cut(print);
        let opened = open(&after, 81).map_err(|error| format!("its end does not open: {error}"))?;
        check(&opened, &driver.models, Crash::Power).map_err(|wrong| format!("at its end: {wrong}"))?;
    }
    Ok(())
}

/// Stops recovery at each of its operations, crashes again, and recovers for good.
fn stop_recovery(
    image: &SimDisk,
    models: &Models,
    crash: Crash,
    effort: Effort,
    report: &mut Report,
) -> Result<(), String> {
    for operation in 1.. {
        let stopped = image.after_kill();
        stopped.stop_at(operation);
        if open(&stopped, 90).is_ok() {
            break;
        }
        let Some(stopped_at) = stopped.stopped_at() else { return Err("it does not open".to_owned()) };
        let cuts = stopped.power_cuts(effort.cuts_in_recovery, operation).images;
        let images = std::iter::once((Crash::Kill, stopped.after_kill()));
        for (again, image) in images.chain(cuts.into_iter().map(|image| (Crash::Power, image))) {
            report.crashes += 1;
            report.recoveries += 1;
            report.distinct.insert(image.fingerprint(Path::new("/")));
            report.coverage.note(&stopped_at, true);
            let named =
                |wrong: String| format!("recovery stopped by {again:?} at {operation}, {stopped_at:?}: {wrong}");
            let opened = open(&image, 91).map_err(|error| named(format!("it does not open: {error}")))?;
            let worst = if crash == Crash::Kill && again == Crash::Kill { Crash::Kill } else { Crash::Power };
            check(&opened, models, worst).map_err(named)?;
        }
    }
    Ok(())
}
