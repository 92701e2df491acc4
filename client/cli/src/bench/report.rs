//! What a bench measured, as text or as one JSON line.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use crate::failed::Failed;

/// Latencies are kept in microseconds, to three digits, up to ten minutes.
const LONGEST_MICROSECONDS: u64 = 600_000_000;
const DIGITS: u8 = 3;

/// A histogram of latencies.
pub(super) fn histogram() -> Result<Histogram<u64>, Failed> {
    Histogram::new_with_bounds(1, LONGEST_MICROSECONDS, DIGITS).map_err(|error| Failed::error(error.to_string()))
}

/// Notes one latency.
pub(super) fn note(histogram: &mut Histogram<u64>, latency: Duration) {
    histogram.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1));
}

/// What was counted.
pub(super) struct Tally {
    /// Requests answered.
    pub(super) requests: u64,
    /// Records in them; 0 where they were not counted.
    pub(super) records: u64,
    /// Bytes of record batches.
    pub(super) bytes: u64,
    /// When the first was sent.
    pub(super) begun: Option<Instant>,
    /// When the last was answered.
    pub(super) ended: Option<Instant>,
    /// How long each took.
    pub(super) latency: Histogram<u64>,
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new() -> Result<Self, Failed> {
        Ok(Self { requests: 0, records: 0, bytes: 0, begun: None, ended: None, latency: histogram()? })
    }

    /// Adds what another connection counted.
    pub(super) fn add(&mut self, other: &Self) -> Result<(), Failed> {
        self.requests = self.requests.saturating_add(other.requests);
        self.records = self.records.saturating_add(other.records);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.begun = [self.begun, other.begun].into_iter().flatten().min();
        self.ended = [self.ended, other.ended].into_iter().flatten().max();
        self.latency.add(&other.latency).map_err(|error| Failed::error(error.to_string()))
    }

    fn seconds(&self) -> f64 {
        match (self.begun, self.ended) {
            (Some(begun), Some(ended)) => ended.saturating_duration_since(begun).as_secs_f64(),
            _ => 0.0,
        }
    }
}

/// Prints a report: `settings` first, then the numbers.
pub(super) fn print(bench: &str, settings: Map<String, Value>, tally: &Tally, as_json: bool) -> Result<(), Failed> {
    let mut report = Map::new();
    report.insert("bench".to_owned(), json!(bench));
    report.extend(settings);
    report.extend(numbers(tally));
    crate::output::line(&if as_json { Value::Object(report).to_string() } else { text(bench, &report) })
}

#[expect(clippy::cast_precision_loss, reason = "a report of measured numbers, not of exact ones")]
fn numbers(tally: &Tally) -> Map<String, Value> {
    let seconds = tally.seconds();
    let per_second = |count: f64| if seconds > 0.0 { rounded(count / seconds) } else { 0.0 };
    let mut numbers = Map::new();
    let mut put = |key: &str, value: Value| numbers.insert(key.to_owned(), value);
    put("seconds", json!(rounded(seconds)));
    put("requests", json!(tally.requests));
    if tally.records > 0 {
        put("records", json!(tally.records));
        put("records_per_second", json!(per_second(tally.records as f64)));
    }
    put("bytes", json!(tally.bytes));
    put("mb_per_second", json!(per_second(tally.bytes as f64 / 1e6)));
    put("requests_per_second", json!(per_second(tally.requests as f64)));
    if !tally.latency.is_empty() {
        let milliseconds = |microseconds: u64| json!(rounded(microseconds as f64 / 1000.0));
        for (key, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)] {
            put(&format!("latency_ms_{key}"), milliseconds(tally.latency.value_at_quantile(quantile)));
        }
        put("latency_ms_max", milliseconds(tally.latency.max()));
        put("latency_ms_mean", json!(rounded(tally.latency.mean() / 1000.0)));
    }
    put("client_cpu_seconds", json!(rounded(cpu_seconds())));
    numbers
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// What this process has used of the CPU, from its start.
fn cpu_seconds() -> f64 {
    /// The kernel reports in hundredths of a second, whatever its own tick is.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The command's name is in brackets and may hold spaces; user and system time are the 12th and 13th field behind it.
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    behind_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>()
        / TICKS_PER_SECOND
}

fn text(bench: &str, report: &Map<String, Value>) -> String {
    let width = report.keys().map(String::len).max().unwrap_or(0);
    let rows = report.iter().filter(|(key, _)| *key != "bench").map(|(key, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("  {key:<width$}  {value}")
    });
    std::iter::once(format!("bench {bench}")).chain(rows).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tallies_of_two_connections_add_up() {
        let now = Instant::now();
        let mut one = Tally::new().expect("bounds");
        (one.requests, one.bytes, one.begun, one.ended) = (1, 1_000_000, Some(now), Some(now + Duration::from_secs(1)));
        note(&mut one.latency, Duration::from_millis(2));
        let mut two = Tally::new().expect("bounds");
        (two.requests, two.bytes, two.begun) = (3, 3_000_000, Some(now));
        two.ended = Some(now + Duration::from_secs(2));
        note(&mut two.latency, Duration::from_millis(8));
        one.add(&two).expect("same bounds");
        let numbers = numbers(&one);
        assert_eq!((&numbers["requests"], &numbers["mb_per_second"]), (&json!(4), &json!(2.0)));
        let max = numbers["latency_ms_max"].as_f64().expect("a number");
        assert!((7.9..8.1).contains(&max), "{max}");
    }

    #[test]
    fn a_latency_beyond_the_bound_counts_as_the_bound() {
        let mut histogram = histogram().expect("bounds");
        note(&mut histogram, Duration::from_secs(100_000));
        note(&mut histogram, Duration::ZERO);
        assert_eq!(histogram.len(), 2);
    }
}
