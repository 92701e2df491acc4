//! How far groups are behind, in records and in seconds, by the names that kafka_exporter gives it.

use std::collections::BTreeMap;
use std::sync::Arc;

use highwater_core::group::{GroupReport, Reply, Request};
use highwater_protocol::ids::Offset;

use crate::metrics::Page;
use crate::shell::Shell;
use crate::turn::Turn;

/// What the coordinators here know of their groups, as far as they serve.
pub(crate) async fn reports(shell: &Arc<Shell>) -> Vec<GroupReport> {
    let mut turn = Turn::default();
    let serving = shell.node.groups().into_iter().filter(|coordinator| coordinator.serving().is_some());
    let waiting: Vec<_> =
        serving.map(|coordinator| coordinator.submit(Request::Report, shell.clock(), &mut turn)).collect();
    turn.finish(&shell.nudges);
    let mut reports = Vec::new();
    for waiting in waiting {
        if let Ok(Reply::Report(groups)) = waiting.await {
            reports.extend(groups);
        }
    }
    reports
}

/// One group's offset in one partition.
struct Behind {
    labels: String,
    committed: i64,
    records: i64,
    seconds: f64,
}

pub(crate) fn write(page: &mut Page, shell: &Shell, reports: &[GroupReport]) {
    page.family("kafka_consumergroup_members", "gauge", "Members of a consumer group.");
    for group in reports {
        page.sample("kafka_consumergroup_members", &format!("consumergroup=\"{}\"", escaped(&group.id)), group.members);
    }
    let (mut behind, mut sums) = (Vec::new(), BTreeMap::new());
    for group in reports {
        for offset in &group.offsets {
            let labels = format!("consumergroup=\"{}\",topic=\"{}\"", escaped(&group.id), escaped(&offset.topic));
            let Some((records, seconds)) = lag(shell, &offset.topic, offset.partition, offset.committed) else {
                continue;
            };
            let sum: &mut (i64, i64) = sums.entry(labels.clone()).or_default();
            *sum = (sum.0 + offset.committed, sum.1 + records);
            let labels = format!("{labels},partition=\"{}\"", offset.partition);
            behind.push(Behind { labels, committed: offset.committed, records, seconds });
        }
    }
    let mut each = |name: &str, help: &str, value: &dyn Fn(&Behind) -> String| {
        page.family(name, "gauge", help);
        behind.iter().for_each(|one| page.sample(name, &one.labels, value(one)));
    };
    each("kafka_consumergroup_current_offset", "The offset that a group has committed.", &|one| {
        one.committed.to_string()
    });
    each("kafka_consumergroup_lag", "Records between that and the high watermark.", &|one| one.records.to_string());
    each(
        "highwater_consumergroup_lag_seconds",
        "The age of the first record that the group has not committed; 0 where it has all.",
        &|one| format!("{:.3}", one.seconds),
    );
    page.family(
        "kafka_consumergroup_current_offset_sum",
        "gauge",
        "Committed offsets of a topic's partitions together.",
    );
    for (labels, (committed, _)) in &sums {
        page.sample("kafka_consumergroup_current_offset_sum", labels, committed);
    }
    page.family("kafka_consumergroup_lag_sum", "gauge", "The lag in a topic's partitions together.");
    for (labels, (_, records)) in &sums {
        page.sample("kafka_consumergroup_lag_sum", labels, records);
    }
}

/// Records and seconds behind. `None`: the partition does not serve here.
fn lag(shell: &Shell, topic: &str, partition: i32, committed: i64) -> Option<(i64, f64)> {
    let topic = shell.image().topic(topic)?.id;
    let partition = shell.node.partition(topic, partition)?;
    let view = partition.serving()?.view;
    let from = Offset(committed).max(view.log_start);
    let records = view.high_watermark.0.saturating_sub(from.0).max(0);
    // A read that fails here is told by whoever reads the records.
    let time = partition.reader().time_at(from, view.high_watermark).ok().flatten();
    let age = time.map_or(0, |time| shell.clock().wall.0.saturating_sub(time.0).max(0));
    Some((records, age as f64 / 1000.0))
}

/// A label's value as Prometheus wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
