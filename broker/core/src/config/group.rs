//! The broker's settings for groups that act, parsed once.

use std::str::FromStr;

use super::describe::{BrokerSettings, broker_value};
use super::{find, table};

/// What acts of the settings for groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: u64,
    /// `group.max.size`
    pub max_size: usize,
    /// `offset.metadata.max.bytes`
    pub offset_metadata_max_bytes: usize,
    /// `offsets.retention.minutes`
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub offsets_check_interval_ms: u64,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self::from_values(&|name| find(table::BROKER, name).and_then(|def| def.default).unwrap_or_default().to_owned())
    }
}

impl GroupConfig {
    /// Those in force at a broker.
    pub fn of(broker: &BrokerSettings<'_>) -> Self {
        Self::from_values(&|name| broker_value(name, broker))
    }

    fn from_values(value: &dyn Fn(&str) -> String) -> Self {
        Self {
            min_session_timeout_ms: number(value, "group.min.session.timeout.ms"),
            max_session_timeout_ms: number(value, "group.max.session.timeout.ms"),
            initial_rebalance_delay_ms: number(value, "group.initial.rebalance.delay.ms"),
            max_size: number(value, "group.max.size"),
            offset_metadata_max_bytes: number(value, "offset.metadata.max.bytes"),
            offsets_retention_ms: number::<i64>(value, "offsets.retention.minutes").saturating_mul(60_000),
            offsets_check_interval_ms: number(value, "offsets.retention.check.interval.ms"),
        }
    }
}

/// A setting that passed its checks, so that it parses; else the table's default.
fn number<T: FromStr + Default>(value: &dyn Fn(&str) -> String, name: &str) -> T {
    let default = || find(table::BROKER, name).and_then(|def| def.default?.parse().ok()).unwrap_or_default();
    value(name).trim().parse().unwrap_or_else(|_| default())
}
