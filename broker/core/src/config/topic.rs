//! The settings of a topic that act, parsed once.

use std::collections::BTreeSet;

use highwater_protocol::records::compression::Compression;

use super::{Settings, find, table};

/// When an entry counts as durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FlushMode {
    /// When it is on stable storage.
    #[default]
    Fsync,
    /// When it is in the page cache.
    Os,
}

/// What acts of a topic's configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicConfig {
    /// `flush.mode`
    pub flush_mode: FlushMode,
    /// `retention.ms`, -1 for no limit.
    pub retention_ms: i64,
    /// `retention.bytes`, -1 for no limit.
    pub retention_bytes: i64,
    /// `segment.bytes`
    pub segment_bytes: u64,
    /// `segment.ms`
    pub segment_ms: i64,
    /// `max.message.bytes`
    pub max_message_bytes: usize,
    /// `max.decompressed.message.bytes`
    pub max_decompressed_bytes: usize,
    /// `min.insync.replicas`
    pub min_insync_replicas: usize,
    /// `compression.type`; `None` is producer.
    pub compression: Option<Compression>,
    /// `compression.gzip.level`
    pub gzip_level: i32,
    /// `compression.zstd.level`
    pub zstd_level: i32,
    /// `message.timestamp.type` is LogAppendTime.
    pub log_append_time: bool,
    /// `message.timestamp.before.max.ms`
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`
    pub timestamp_after_max_ms: i64,
    /// `cleanup.policy`
    pub cleanup_policy: BTreeSet<String>,
    /// `min.cleanable.dirty.ratio`
    pub min_dirty_ratio: f64,
    /// `min.compaction.lag.ms`
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`
    pub max_compaction_lag_ms: i64,
    /// `delete.retention.ms`
    pub delete_retention_ms: i64,
    /// `producer.id.expiration.ms` of the broker.
    pub producer_expiration_ms: u64,
}

impl Default for TopicConfig {
    fn default() -> Self {
        Self::from_values(
            &|name| find(table::TOPIC, name).and_then(|def| def.default).unwrap_or_default().to_owned(),
            86_400_000,
        )
    }
}

impl TopicConfig {
    /// Parses values that passed their checks.
    pub fn from_values(value: &dyn Fn(&str) -> String, producer_expiration_ms: u64) -> Self {
        let number = |name: &str| value(name).trim().parse::<i64>().unwrap_or(-1);
        let size = |name: &str| usize::try_from(number(name)).unwrap_or(usize::MAX);
        Self {
            flush_mode: if value("flush.mode") == "os" { FlushMode::Os } else { FlushMode::Fsync },
            retention_ms: number("retention.ms"),
            retention_bytes: number("retention.bytes"),
            segment_bytes: u64::try_from(number("segment.bytes")).unwrap_or(u64::MAX),
            segment_ms: number("segment.ms"),
            max_message_bytes: size("max.message.bytes"),
            max_decompressed_bytes: size("max.decompressed.message.bytes"),
            min_insync_replicas: size("min.insync.replicas"),
            compression: Compression::from_name(&value("compression.type")),
            gzip_level: i32::try_from(number("compression.gzip.level")).unwrap_or(-1),
            zstd_level: i32::try_from(number("compression.zstd.level")).unwrap_or(3),
            log_append_time: value("message.timestamp.type") == "LogAppendTime",
            timestamp_before_max_ms: number("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: number("message.timestamp.after.max.ms"),
            cleanup_policy: value("cleanup.policy").split(',').map(|word| word.trim().to_owned()).collect(),
            min_dirty_ratio: value("min.cleanable.dirty.ratio").trim().parse().unwrap_or(0.5),
            min_compaction_lag_ms: number("min.compaction.lag.ms"),
            max_compaction_lag_ms: number("max.compaction.lag.ms"),
            delete_retention_ms: number("delete.retention.ms"),
            producer_expiration_ms,
        }
    }

    /// Whether retention removes old segments. A topic that is compacted is never trimmed unless it also says delete.
    pub fn deletes(&self) -> bool {
        self.cleanup_policy.contains("delete")
    }

    /// Whether only the newest record of each key has to be kept.
    pub fn compacts(&self) -> bool {
        self.cleanup_policy.contains("compact")
    }

    /// The level for a codec.
    pub fn level(&self, codec: Compression) -> Option<i32> {
        match codec {
            Compression::Gzip => Some(self.gzip_level),
            Compression::Zstd => Some(self.zstd_level),
            _ => None,
        }
    }
}

/// The broker's settings that stand behind a topic's, the first that is set wins, with what its unit is in milliseconds.
pub(crate) fn synonyms(topic: &str) -> &'static [(&'static str, i64)] {
    match topic {
        "cleanup.policy" => &[("log.cleanup.policy", 1)],
        "compression.gzip.level" => &[("compression.gzip.level", 1)],
        "compression.lz4.level" => &[("compression.lz4.level", 1)],
        "compression.type" => &[("compression.type", 1)],
        "compression.zstd.level" => &[("compression.zstd.level", 1)],
        "delete.retention.ms" => &[("log.cleaner.delete.retention.ms", 1)],
        "file.delete.delay.ms" => &[("log.segment.delete.delay.ms", 1)],
        "flush.messages" => &[("log.flush.interval.messages", 1)],
        "flush.mode" => &[("log.flush.mode", 1)],
        "flush.ms" => &[("log.flush.interval.ms", 1), ("log.flush.scheduler.interval.ms", 1)],
        "index.interval.bytes" => &[("log.index.interval.bytes", 1)],
        "local.retention.bytes" => &[("log.local.retention.bytes", 1)],
        "local.retention.ms" => &[("log.local.retention.ms", 1)],
        "max.compaction.lag.ms" => &[("log.cleaner.max.compaction.lag.ms", 1)],
        "max.decompressed.message.bytes" => &[("max.decompressed.message.bytes", 1)],
        "max.message.bytes" => &[("message.max.bytes", 1)],
        "message.timestamp.after.max.ms" => &[("log.message.timestamp.after.max.ms", 1)],
        "message.timestamp.before.max.ms" => &[("log.message.timestamp.before.max.ms", 1)],
        "message.timestamp.type" => &[("log.message.timestamp.type", 1)],
        "min.cleanable.dirty.ratio" => &[("log.cleaner.min.cleanable.ratio", 1)],
        "min.compaction.lag.ms" => &[("log.cleaner.min.compaction.lag.ms", 1)],
        "min.insync.replicas" => &[("min.insync.replicas", 1)],
        "preallocate" => &[("log.preallocate", 1)],
        "remote.copy.lag.bytes" => &[("log.remote.copy.lag.bytes", 1)],
        "remote.copy.lag.ms" => &[("log.remote.copy.lag.ms", 1)],
        "retention.bytes" => &[("log.retention.bytes", 1)],
        "retention.ms" => {
            &[("log.retention.ms", 1), ("log.retention.minutes", 60_000), ("log.retention.hours", 3_600_000)]
        }
        "segment.bytes" => &[("log.segment.bytes", 1)],
        "segment.index.bytes" => &[("log.index.size.max.bytes", 1)],
        "segment.jitter.ms" => &[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", 3_600_000)],
        "segment.ms" => &[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)],
        "unclean.leader.election.enable" => &[("unclean.leader.election.enable", 1)],
        _ => &[],
    }
}

/// A setting in the unit of the topic's own.
pub(crate) fn scaled(value: &str, unit: i64) -> String {
    match value.trim().parse::<i64>() {
        Ok(number) if unit != 1 && number >= 0 => number.saturating_mul(unit).to_string(),
        _ => value.to_owned(),
    }
}

/// Finds a setting by its synonyms in one source.
pub(crate) fn behind(topic: &str, source: &Settings) -> Option<(&'static str, String)> {
    synonyms(topic).iter().find_map(|(name, unit)| Some((*name, scaled(source.get(*name)?, *unit))))
}
