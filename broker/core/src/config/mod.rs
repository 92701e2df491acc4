//! Configuration by Kafka's names: what exists, what a value may be, and which of several sources wins.

pub mod cleaner;
pub mod describe;
pub mod group;
pub mod table;
pub mod topic;

use std::collections::BTreeMap;

/// Names and values, as somebody set them.
pub type Settings = BTreeMap<String, String>;

/// The type of a value, by Kafka's names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigType {
    /// true or false.
    Boolean,
    /// Any text.
    Text,
    /// 32 bits.
    Int,
    /// 16 bits.
    Short,
    /// 64 bits.
    Long,
    /// A fraction.
    Double,
    /// Texts with commas between.
    List,
    /// The name of a class.
    Class,
    /// A text that is not shown.
    Password,
}

/// One configuration name.
#[derive(Clone, Copy, Debug)]
pub struct ConfigDef {
    /// As Kafka spells it.
    pub name: &'static str,
    /// Its type.
    pub kind: ConfigType,
    /// What it is when nobody sets it; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// Only the start of the process sets it.
    pub read_only: bool,
    /// Never shown.
    pub sensitive: bool,
    /// What it does here.
    pub doc: &'static str,
}

impl ConfigType {
    /// Its number in DescribeConfigs.
    pub fn number(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::Text => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }
}

/// Finds a name in a table.
pub fn find(table: &'static [ConfigDef], name: &str) -> Option<&'static ConfigDef> {
    table.iter().find(|def| def.name == name)
}

/// Checks a value: its type, and for names that act here its range. The message names key, value, and what is allowed.
pub fn check(def: &ConfigDef, value: &str) -> Result<(), String> {
    let wrong = |wanted: &str| Err(format!("Invalid value {value} for configuration {}: {wanted}", def.name));
    let number = |low: i64, high: i64| match value.trim().parse::<i64>() {
        Ok(number) if number < low => wrong(&format!("Value must be at least {low}")),
        Ok(number) if number > high => wrong(&format!("Value must be at most {high}")),
        Ok(_) => Ok(()),
        Err(_) => wrong("Not a number"),
    };
    match def.kind {
        ConfigType::Boolean if !matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "false") => {
            return wrong("Expected value to be either true or false");
        }
        ConfigType::Int => number(i64::from(i32::MIN), i64::from(i32::MAX))?,
        ConfigType::Short => number(i64::from(i16::MIN), i64::from(i16::MAX))?,
        ConfigType::Long => number(i64::MIN, i64::MAX)?,
        ConfigType::Double if value.trim().parse::<f64>().is_err() => return wrong("Not a number"),
        _ => {}
    }
    if let Some(low) = lowest(def.name) {
        number(low, i64::MAX)?;
    }
    if let Some((low, high)) = between(def.name) {
        number(low, high)?;
    }
    match allowed(def.name) {
        Some(words) if def.kind == ConfigType::List => {
            let all_known =
                value.trim().is_empty() || value.split(',').map(str::trim).all(|word| words.contains(&word));
            if all_known { Ok(()) } else { wrong(&format!("String must be one of: {}", words.join(", "))) }
        }
        Some(words) if !words.contains(&value) => wrong(&format!("String must be one of: {}", words.join(", "))),
        _ if def.name == "compression.gzip.level" && value.trim() == "0" => {
            wrong("Value must be -1, or between 1 and 9")
        }
        _ if def.name.ends_with(".replication.throttled.replicas") && !is_throttled(value) => {
            wrong("Value must be *, or partition:broker with commas between")
        }
        _ if def.name == "remote.storage.enable" && value.trim().eq_ignore_ascii_case("true") => {
            wrong("there is no tiered storage here")
        }
        _ if def.name == "min.cleanable.dirty.ratio" && !(0.0..=1.0).contains(&value.parse().unwrap_or(-1.0)) => {
            wrong("Value must be between 0 and 1")
        }
        _ => Ok(()),
    }
}

/// Whether it names replicas: `*`, or pairs of partition and broker.
fn is_throttled(value: &str) -> bool {
    let is_pair = |pair: &str| {
        let numbers = pair.trim().split_once(':');
        numbers.is_some_and(|(partition, broker)| partition.parse::<u32>().is_ok() && broker.parse::<u32>().is_ok())
    };
    matches!(value.trim(), "" | "*") || value.split(',').all(is_pair)
}

/// What no single value shows: a topic's settings held against each other.
pub fn check_topic(settings: &Settings) -> Result<(), String> {
    let value = |name: &str| {
        let default = find(table::TOPIC, name).and_then(|def| def.default).unwrap_or_default();
        settings.get(name).map_or(default, String::as_str).trim().parse::<i64>().unwrap_or(0)
    };
    let (least, most) = (value("min.compaction.lag.ms"), value("max.compaction.lag.ms"));
    if least > most {
        return Err(format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"
        ));
    }
    Ok(())
}

/// The bounds of levels of compression.
fn between(name: &str) -> Option<(i64, i64)> {
    Some(match name {
        "compression.gzip.level" => (-1, 9),
        "compression.lz4.level" => (1, 17),
        "compression.zstd.level" => (-131_072, 22),
        _ => return None,
    })
}

fn lowest(name: &str) -> Option<i64> {
    Some(match name {
        "segment.bytes" | "log.segment.bytes" => 1024 * 1024,
        "max.connections" | "max.connections.per.ip" => 0,
        "segment.ms" | "min.insync.replicas" | "flush.messages" | "log.roll.ms" | "num.partitions" => 1,
        "max.compaction.lag.ms" | "default.replication.factor" => 1,
        "retention.ms" => -1,
        "segment.index.bytes" => 4,
        "max.message.bytes" | "message.max.bytes" | "segment.jitter.ms" | "flush.ms" | "index.interval.bytes" => 0,
        "delete.retention.ms" | "min.compaction.lag.ms" | "file.delete.delay.ms" => 0,
        "message.timestamp.before.max.ms" | "message.timestamp.after.max.ms" => 0,
        "local.retention.ms" | "local.retention.bytes" => -2,
        _ => return None,
    })
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "cleanup.policy" | "log.cleanup.policy" => &["compact", "delete"],
        "compression.type" => &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"],
        "message.timestamp.type" | "log.message.timestamp.type" => &["CreateTime", "LogAppendTime"],
        "flush.mode" | "log.flush.mode" => &["fsync", "os"],
        "share.isolation.level" => &["read_committed", "read_uncommitted"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, value: &str) -> bool {
        check(find(table::TOPIC, name).expect("a topic's name"), value).is_ok()
    }

    #[test]
    fn values_are_held_against_type_and_range() {
        for (name, good, bad) in [
            ("retention.ms", "-1", "-2"),
            ("retention.ms", "1000", "soon"),
            ("segment.bytes", "1048576", "1048575"),
            ("cleanup.policy", "compact,delete", "shrink"),
            ("compression.type", "zstd", "brotli"),
            ("min.insync.replicas", "1", "0"),
            ("min.cleanable.dirty.ratio", "0.5", "1.5"),
            ("unclean.leader.election.enable", "false", "maybe"),
            ("flush.mode", "os", "never"),
            ("compression.gzip.level", "-1", "0"),
            ("compression.lz4.level", "17", "18"),
            ("compression.zstd.level", "-131072", "23"),
        ] {
            assert!(verdict(name, good), "{name}={good}");
            assert!(!verdict(name, bad), "{name}={bad}");
        }
    }

    #[test]
    fn every_default_passes_its_own_check() {
        for def in table::TOPIC.iter().chain(table::BROKER).chain(table::GROUP) {
            if let Some(default) = def.default {
                assert_eq!(check(def, default), Ok(()), "{}", def.name);
            }
        }
    }
}
