//! The broker's settings for compaction, parsed once.

use super::describe::{BrokerSettings, broker_value};

/// What acts of them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CleanerConfig {
    /// `log.cleaner.enable`
    pub is_enabled: bool,
    /// `log.cleaner.backoff.ms`: between two looks when nothing was to be done.
    pub backoff_ms: u64,
    /// `log.cleaner.dedupe.buffer.size`, as far as `log.cleaner.io.buffer.load.factor` lets it fill.
    pub map_bytes: usize,
    /// `log.cleaner.io.max.bytes.per.second`, read and written together.
    pub bytes_per_second: f64,
}

impl CleanerConfig {
    /// Those in force at a broker.
    pub fn of(broker: &BrokerSettings<'_>) -> Self {
        let value = |name: &str| broker_value(name, broker);
        let number = |name: &str, default: f64| value(name).trim().parse().unwrap_or(default);
        let bytes = number("log.cleaner.dedupe.buffer.size", 134_217_728.0);
        let load = number("log.cleaner.io.buffer.load.factor", 0.9).clamp(0.1, 1.0);
        Self {
            is_enabled: value("log.cleaner.enable") != "false",
            backoff_ms: value("log.cleaner.backoff.ms").trim().parse().unwrap_or(15_000),
            map_bytes: (bytes * load) as usize,
            bytes_per_second: number("log.cleaner.io.max.bytes.per.second", f64::MAX),
        }
    }
}
