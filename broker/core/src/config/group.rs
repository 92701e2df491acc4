//! The broker's settings for groups that act, parsed once.

use std::str::FromStr;

use super::describe::{BrokerSettings, broker_value};
use super::{find, table};

/// What acts of the settings for groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// `offsets.topic.num.partitions`
    pub offsets_partitions: i32,
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
        Self { offsets_partitions: number(value, "offsets.topic.num.partitions") }
    }
}

/// A setting that passed its checks, so that it parses; else the table's default.
fn number<T: FromStr + Default>(value: &dyn Fn(&str) -> String, name: &str) -> T {
    let default = || find(table::BROKER, name).and_then(|def| def.default?.parse().ok()).unwrap_or_default();
    value(name).trim().parse().unwrap_or_else(|_| default())
}
