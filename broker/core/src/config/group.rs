//! The broker's settings for groups that act, parsed once.

use std::str::FromStr;

use super::describe::{BrokerSettings, broker_value};
use super::{Settings, find, table};

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
    /// `group.consumer.*`
    pub consumer: ConsumerConfig,
}

/// What acts of the settings for consumer groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerConfig {
    session_timeout_ms: Bounded,
    heartbeat_interval_ms: Bounded,
    assignment_interval_ms: Bounded,
    /// `group.consumer.max.size`
    pub max_size: usize,
    /// `group.consumer.assignors`; the first is the one of a group that asks for none.
    pub assignors: Vec<Assignor>,
    /// `group.consumer.migration.policy`
    pub migration: MigrationPolicy,
}

/// A setting of the broker that a group may have for itself, between bounds of the broker.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Bounded {
    value: i32,
    least: i32,
    most: i32,
}

/// What acts of a consumer group's own settings, and of the broker's behind them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsumerSettings {
    /// `consumer.session.timeout.ms`
    pub session_timeout_ms: u64,
    /// `consumer.heartbeat.interval.ms`
    pub heartbeat_interval_ms: i32,
    /// `consumer.assignment.interval.ms`
    pub assignment_interval_ms: i64,
}

/// An assignor of consumer groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assignor {
    /// As even as can be over all topics, and each keeps as much as it can.
    Uniform,
    /// Each topic's partitions in runs, so that partitions of the same number go together.
    Range,
}

/// Which way a group with members may go between the protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MigrationPolicy {
    /// Both ways.
    Bidirectional,
    /// From classic to consumer.
    Upgrade,
    /// From consumer to classic.
    Downgrade,
    /// Neither.
    Disabled,
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
            consumer: ConsumerConfig::from_values(value),
        }
    }
}

impl ConsumerConfig {
    fn from_values(value: &dyn Fn(&str) -> String) -> Self {
        let bounded = |name: &str| Bounded {
            value: number(value, &format!("group.consumer.{name}")),
            least: number(value, &format!("group.consumer.min.{name}")),
            most: number(value, &format!("group.consumer.max.{name}")),
        };
        let listed = value("group.consumer.assignors");
        let assignors = listed.split(',').filter_map(|name| Assignor::from_name(name.trim())).collect();
        Self {
            session_timeout_ms: bounded("session.timeout.ms"),
            heartbeat_interval_ms: bounded("heartbeat.interval.ms"),
            assignment_interval_ms: bounded("assignment.interval.ms"),
            max_size: number(value, "group.consumer.max.size"),
            assignors,
            migration: MigrationPolicy::from_name(&value("group.consumer.migration.policy")),
        }
    }

    /// What holds for a group with these settings of its own.
    pub fn of_group(&self, own: &Settings) -> ConsumerSettings {
        let session = self.session_timeout_ms.of(own.get("consumer.session.timeout.ms"));
        ConsumerSettings {
            session_timeout_ms: u64::try_from(session).unwrap_or(0),
            heartbeat_interval_ms: self.heartbeat_interval_ms.of(own.get("consumer.heartbeat.interval.ms")),
            assignment_interval_ms: self.assignment_interval_ms.of(own.get("consumer.assignment.interval.ms")).into(),
        }
    }

    /// The assignor of a group that asks for none.
    pub fn default_assignor(&self) -> Assignor {
        self.assignors.first().copied().unwrap_or(Assignor::Uniform)
    }
}

impl Bounded {
    fn of(&self, own: Option<&String>) -> i32 {
        let own = own.and_then(|own| own.trim().parse::<i32>().ok());
        own.map_or(self.value, |own| own.min(self.most).max(self.least))
    }
}

impl Assignor {
    const ALL: [Self; 2] = [Self::Uniform, Self::Range];

    /// As Kafka says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The assignor of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }
}

impl MigrationPolicy {
    fn from_name(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "upgrade" => Self::Upgrade,
            "downgrade" => Self::Downgrade,
            "disabled" => Self::Disabled,
            _ => Self::Bidirectional,
        }
    }

    /// Whether a classic group may become a consumer group.
    pub fn upgrades(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Upgrade)
    }

    /// Whether a consumer group may become a classic group.
    pub fn downgrades(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Downgrade)
    }
}

/// A setting that passed its checks, so that it parses; else the table's default.
fn number<T: FromStr + Default>(value: &dyn Fn(&str) -> String, name: &str) -> T {
    let default = || find(table::BROKER, name).and_then(|def| def.default?.parse().ok()).unwrap_or_default();
    value(name).trim().parse().unwrap_or_else(|_| default())
}
