//! Counters, and their text for Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use highwater_core::group::GroupReport;
use highwater_node::{Cleaned, FlushReport, Partition};
use highwater_protocol::api::ApiKey;
use highwater_storage::compaction::Compacted;
use parking_lot::Mutex;

use crate::lag;
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
    scrubbed_bytes: AtomicU64,
    compactions: AtomicU64,
    compacted_bytes: AtomicU64,
    freed_bytes: AtomicU64,
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

    fn write(&self, page: &mut Page, name: &str, label: &str) {
        let mut count = 0;
        let comma = if label.is_empty() { "" } else { "," };
        for (bound, bucket) in BUCKETS_US.iter().zip(&self.buckets) {
            count += bucket.load(Ordering::Relaxed);
            let bound = if *bound == u64::MAX { "+Inf".to_owned() } else { seconds(*bound) };
            page.sample(&format!("{name}_bucket"), &format!("{label}{comma}le=\"{bound}\""), count);
        }
        page.sample(&format!("{name}_sum"), label, seconds(self.sum_us.load(Ordering::Relaxed)));
        page.sample(&format!("{name}_count"), label, count);
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
            scrubbed_bytes: AtomicU64::new(0),
            compactions: AtomicU64::new(0),
            compacted_bytes: AtomicU64::new(0),
            freed_bytes: AtomicU64::new(0),
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

    pub(crate) fn scrubbed(&self, bytes: u64) {
        self.scrubbed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn cleaned(&self, cleaned: &Cleaned) {
        let Compacted { bytes_before, bytes_after, .. } = cleaned.done;
        self.compactions.fetch_add(1, Ordering::Relaxed);
        self.compacted_bytes.fetch_add(bytes_before, Ordering::Relaxed);
        self.freed_bytes.fetch_add(bytes_before.saturating_sub(bytes_after), Ordering::Relaxed);
    }

    pub(crate) fn saw_software(&self, name: &str, version: &str) {
        let mut known = self.software.lock();
        if known.len() < CLIENT_SOFTWARES {
            known.insert((name.to_owned(), version.to_owned()));
        }
    }

    /// Everything, for a scrape.
    pub(crate) fn text(&self, shell: &Shell, groups: &[GroupReport]) -> String {
        let mut page = Page::default();
        self.write_shell(&mut page, shell);
        self.write_requests(&mut page);
        write_partitions(&mut page, shell);
        lag::write(&mut page, shell, groups);
        page.0
    }

    fn write_shell(&self, page: &mut Page, shell: &Shell) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let store = shell.node.store();
        page.gauge("highwater_connections", "Open connections of clients.", self.connections.load(Ordering::Relaxed));
        page.counter(
            "highwater_connections_closed_by_broker_total",
            "Connections that the broker closed for a reason that is in its log.",
            load(&self.connections_closed),
        );
        page.counter("highwater_request_bytes_total", "Bytes of requests.", load(&self.bytes_in));
        page.counter("highwater_response_bytes_total", "Bytes of responses.", load(&self.bytes_out));
        page.counter(
            "highwater_cold_reads_total",
            "Ranges read from the disk and checked before they were served.",
            load(&self.cold_reads),
        );
        page.counter(
            "highwater_scrubbed_bytes_total",
            "Bytes of sealed segments that were verified in the background.",
            load(&self.scrubbed_bytes),
        );
        page.counter("highwater_compactions_total", "Passes of compaction over a log.", load(&self.compactions));
        page.counter(
            "highwater_compacted_bytes_total",
            "Bytes of segments that compaction wrote anew, before it did.",
            load(&self.compacted_bytes),
        );
        page.counter(
            "highwater_compaction_freed_bytes_total",
            "Bytes that compaction gave back.",
            load(&self.freed_bytes),
        );
        page.counter("highwater_flushes_total", "Flushes, each for all partitions together.", load(&self.flushes));
        page.counter("highwater_flushed_bytes_total", "Bytes of entries made durable.", load(&self.flushed_bytes));
        page.counter(
            "highwater_flushed_segments_total",
            "Segments synced by a flush, because they had much to flush, instead of journalled.",
            load(&self.flushed_segments),
        );
        page.gauge(
            "highwater_unflushed_bytes",
            "Bytes of entries that wait for a flush.",
            shell.node.unflushed_bytes(),
        );
        page.gauge(
            "highwater_unsynced_segment_bytes",
            "Bytes of segments that the page cache has and the disk may not.",
            store.unsynced_bytes(),
        );
        page.gauge("highwater_disk_free_bytes", "Free space in the data directory.", store.check_space().free);
        page.gauge("highwater_fetch_sessions", "Fetch sessions (KIP-227).", shell.sessions.lock().len());
        page.family("highwater_flush_seconds", "histogram", "How long a flush took.");
        self.flush_seconds.write(page, "highwater_flush_seconds", "");
    }

    fn write_requests(&self, page: &mut Page) {
        page.family("highwater_requests_total", "counter", "Requests by Kafka's name of their key.");
        for (key, (count, _)) in &self.requests {
            let label = format!("api=\"{}\"", key.name());
            page.sample("highwater_requests_total", &label, count.load(Ordering::Relaxed));
        }
        page.family(
            "highwater_request_seconds",
            "histogram",
            "From a request to its response, for requests that wait.",
        );
        for (key, (_, histogram)) in &self.requests {
            histogram.write(page, "highwater_request_seconds", &format!("api=\"{}\"", key.name()));
        }
        page.family("highwater_client_software", "gauge", "What clients call themselves in ApiVersions (KIP-511).");
        for (name, version) in self.software.lock().iter() {
            page.sample("highwater_client_software", &format!("name=\"{name}\",version=\"{version}\""), 1);
        }
    }
}

/// Partitions by the names that kafka_exporter gives them, and what is only ours.
fn write_partitions(page: &mut Page, shell: &Shell) {
    let image = shell.image();
    page.gauge("kafka_brokers", "Brokers of the cluster.", image.brokers.len());
    page.family("kafka_topic_partitions", "gauge", "Partitions of a topic.");
    for topic in image.topics() {
        page.sample("kafka_topic_partitions", &format!("topic=\"{}\"", topic.name), topic.partitions.len());
    }
    let partitions = shell.node.partitions();
    let mut each = |name: &str, help: &str, value: &dyn Fn(&Arc<dyn Partition>) -> Option<i64>| {
        page.family(name, "gauge", help);
        for partition in &partitions {
            let key = partition.key();
            if let Some(value) = value(partition) {
                page.sample(name, &format!("topic=\"{}\",partition=\"{}\"", key.topic, key.partition), value);
            }
        }
    };
    each("kafka_topic_partition_current_offset", "The high watermark.", &|partition| {
        Some(partition.serving()?.view.high_watermark.0)
    });
    each("kafka_topic_partition_oldest_offset", "The log start.", &|partition| {
        Some(partition.serving()?.view.log_start.0)
    });
    let node_id = i64::from(shell.node.identity().node_id);
    each("kafka_topic_partition_leader", "The node that leads.", &|partition| partition.serving().map(|_| node_id));
    each("highwater_partition_serving", "1 where the partition is served, 0 where it is offline.", &|partition| {
        Some(i64::from(partition.serving().is_some()))
    });
    each(
        "highwater_partition_lost_page_cache",
        "1 where the start found that records acknowledged from the page cache (flush.mode=os) are lost.",
        &|partition| Some(i64::from(Arc::clone(partition).state().has_lost)),
    );
    each("highwater_log_bytes", "Bytes in a partition's segments.", &|partition| {
        i64::try_from(partition.reader().bytes()).ok()
    });
}

/// A page in Prometheus' text format.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("writes to a string");
    }

    pub(crate) fn sample(&mut self, name: &str, label: &str, value: impl std::fmt::Display) {
        let label = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
        writeln!(self.0, "{name}{label} {value}").expect("writes to a string");
    }

    fn counter(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, "counter", help);
        self.sample(name, "", value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }
}

fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}
