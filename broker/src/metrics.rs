//! Counters, and their text for Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use highwater_node::FlushReport;
use highwater_protocol::api::ApiKey;
use parking_lot::Mutex;

use crate::limits::CLIENT_SOFTWARES;
use crate::shell::Shell;

/// Upper bounds of latency buckets, in microseconds.
const BUCKETS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 1_000_000, u64::MAX];

/// Counts of latencies by bucket.
#[derive(Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS_US.len()],
    sum_us: AtomicU64,
}

/// All counters of a node's shell.
pub(crate) struct Metrics {
    pub(crate) connections: AtomicI64,
    pub(crate) connections_closed: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) cold_reads: AtomicU64,
    flushes: AtomicU64,
    flushed_bytes: AtomicU64,
    flushed_segments: AtomicU64,
    flush_seconds: Histogram,
    requests: BTreeMap<ApiKey, (AtomicU64, Histogram)>,
    software: Mutex<BTreeSet<(String, String)>>,
}

impl Histogram {
    fn add(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BUCKETS_US.iter().position(|bound| us <= *bound).unwrap_or(0);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    fn write(&self, text: &mut String, name: &str, label: &str) {
        let mut count = 0;
        let comma = if label.is_empty() { "" } else { "," };
        for (bound, bucket) in BUCKETS_US.iter().zip(&self.buckets) {
            count += bucket.load(Ordering::Relaxed);
            let bound = if *bound == u64::MAX { "+Inf".to_owned() } else { seconds(*bound) };
            line(text, &format!("{name}_bucket{{{label}{comma}le=\"{bound}\"}}"), count);
        }
        line(text, &format!("{name}_sum{{{label}}}"), seconds(self.sum_us.load(Ordering::Relaxed)));
        line(text, &format!("{name}_count{{{label}}}"), count);
    }
}

impl Metrics {
    pub(crate) fn new(keys: &[ApiKey]) -> Self {
        Self {
            connections: AtomicI64::new(0),
            connections_closed: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            cold_reads: AtomicU64::new(0),
            flushes: AtomicU64::new(0),
            flushed_bytes: AtomicU64::new(0),
            flushed_segments: AtomicU64::new(0),
            flush_seconds: Histogram::default(),
            requests: keys.iter().map(|key| (*key, Default::default())).collect(),
            software: Mutex::default(),
        }
    }

    pub(crate) fn requested(&self, key: ApiKey) {
        if let Some((count, _)) = self.requests.get(&key) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn answered(&self, key: ApiKey, took: Duration) {
        if let Some((_, histogram)) = self.requests.get(&key) {
            histogram.add(took);
        }
    }

    pub(crate) fn flushed(&self, report: &FlushReport, took: Duration) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        self.flushed_bytes.fetch_add(report.bytes as u64, Ordering::Relaxed);
        self.flushed_segments.fetch_add(report.segments_synced as u64, Ordering::Relaxed);
        self.flush_seconds.add(took);
    }

    pub(crate) fn saw_software(&self, name: &str, version: &str) {
        let mut known = self.software.lock();
        if known.len() < CLIENT_SOFTWARES {
            known.insert((name.to_owned(), version.to_owned()));
        }
    }

    /// Everything, for a scrape.
    pub(crate) fn text(&self, shell: &Shell) -> String {
        let mut text = String::new();
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        line(&mut text, "highwater_connections", self.connections.load(Ordering::Relaxed));
        line(&mut text, "highwater_connections_closed_by_broker_total", load(&self.connections_closed));
        line(&mut text, "highwater_request_bytes_total", load(&self.bytes_in));
        line(&mut text, "highwater_response_bytes_total", load(&self.bytes_out));
        line(&mut text, "highwater_cold_reads_total", load(&self.cold_reads));
        line(&mut text, "highwater_flushes_total", load(&self.flushes));
        line(&mut text, "highwater_flushed_bytes_total", load(&self.flushed_bytes));
        line(&mut text, "highwater_flushed_segments_total", load(&self.flushed_segments));
        line(&mut text, "highwater_unflushed_bytes", shell.node.unflushed_bytes());
        line(&mut text, "highwater_unsynced_segment_bytes", shell.node.store().unsynced_bytes());
        line(&mut text, "highwater_disk_free_bytes", shell.node.store().check_space().free);
        line(&mut text, "highwater_fetch_sessions", shell.sessions.lock().len());
        self.flush_seconds.write(&mut text, "highwater_flush_seconds", "");
        for (key, (count, histogram)) in &self.requests {
            let label = format!("api=\"{}\"", key.name());
            line(&mut text, &format!("highwater_requests_total{{{label}}}"), load(count));
            histogram.write(&mut text, "highwater_request_seconds", &label);
        }
        for (name, version) in self.software.lock().iter() {
            line(&mut text, &format!("highwater_client_software{{name=\"{name}\",version=\"{version}\"}}"), 1);
        }
        for replica in shell.node.replicas() {
            let key = replica.key();
            let label = format!("topic=\"{}\",partition=\"{}\"", key.topic, key.partition);
            line(&mut text, &format!("highwater_log_bytes{{{label}}}"), replica.reader().bytes());
            let serving = replica.serving();
            line(&mut text, &format!("highwater_partition_serving{{{label}}}"), i32::from(serving.is_some()));
            if let Some(serving) = serving {
                line(&mut text, &format!("highwater_high_watermark{{{label}}}"), serving.view.high_watermark.0);
                line(&mut text, &format!("highwater_log_start_offset{{{label}}}"), serving.view.log_start.0);
            }
        }
        text
    }
}

fn line(text: &mut String, name: &str, value: impl std::fmt::Display) {
    writeln!(text, "{} {value}", name.trim_end_matches("{}")).expect("writes to a string");
}

fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}
