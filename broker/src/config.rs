//! What a broker is started with: a file, the environment, and flags, in that order of precedence from the lowest; unknown keys
//! are refused with a suggestion.
//!
//! Kafka's broker configuration goes by Kafka's names: in the file under `[kafka]`, in the environment as
//! `HIGHWATER_KAFKA__NUM_PARTITIONS`, on the command line as `-D num.partitions=3`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use highwater_core::config::{Settings, check, find, table};
use serde::Deserialize;

/// Our own keys, as they are written in the file; the environment has them with `__` for the dot.
const KEYS: &[&str] =
    &["node.id", "node.dir", "node.kafka", "node.http", "node.advertise", "node.rack", "log.format", "log.level"];

/// Kafka's names of what has one of ours.
const ALIASES: &[(&str, &str)] = &[
    ("node.id", "node.id"),
    ("broker.id", "node.id"),
    ("broker.rack", "node.rack"),
    ("listeners", "node.kafka"),
    ("advertised.listeners", "node.advertise"),
    ("log.dir", "node.dir"),
    ("log.dirs", "node.dir"),
];

/// Everything that the start of a broker needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Kafka's node.id.
    pub node_id: i32,
    /// The data directory.
    pub dir: PathBuf,
    /// Where Kafka's clients connect, as HOST:PORT; port 0 picks one.
    pub kafka: String,
    /// Where HTTP is served, as HOST:PORT; port 0 picks one.
    pub http: String,
    /// The HOST:PORT that clients are told, where it is not the one that is listened on.
    pub advertise: Option<String>,
    /// Where the broker stands.
    pub rack: Option<String>,
    /// Log lines as JSON.
    pub json_logs: bool,
    /// What is logged: error, warn, info, debug, trace.
    pub log_level: String,
    /// Kafka's names and values.
    pub kafka_settings: Settings,
    /// `max.connections`
    pub max_connections: usize,
    /// `max.connections.per.ip`
    pub max_connections_per_ip: usize,
    /// `connections.max.idle.ms`
    pub max_idle: Duration,
    /// `socket.request.max.bytes`
    pub max_request_bytes: usize,
    /// `queued.max.request.bytes`; 256 MiB where it is -1.
    pub request_memory_bytes: usize,
    /// `fetch.max.bytes`
    pub fetch_max_bytes: usize,
    /// `max.incremental.fetch.session.cache.slots`
    pub fetch_sessions: usize,
    /// `log.retention.check.interval.ms`
    pub retention_check: Duration,
    /// `log.free.space.floor.bytes`
    pub free_space_floor_bytes: u64,
    /// `log.unsynced.max.bytes`
    pub unsynced_max_bytes: u64,
    /// `log.journal.file.bytes`
    pub journal_file_bytes: u64,
    /// `log.scrub.bytes.per.second`
    pub scrub_bytes_per_second: u64,
}

/// What somebody set, by key.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Our own keys.
    pub own: BTreeMap<String, String>,
    /// Kafka's.
    pub kafka: Settings,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML of the right shape.
    #[error("{}: {reason}", path.display())]
    NotToml {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A key that does not exist.
    #[error("unknown configuration key {key}{}", suggestion.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownKey {
        /// Which.
        key: String,
        /// The nearest one.
        suggestion: Option<String>,
    },
    /// A value that its key does not take.
    #[error("{0}")]
    BadValue(String),
}

#[derive(Deserialize)]
struct File {
    #[serde(flatten)]
    sections: BTreeMap<String, BTreeMap<String, toml::Value>>,
}

impl Given {
    /// Reads a file.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let file: File = toml::from_str(&text)
            .map_err(|error| ConfigError::NotToml { path: path.to_owned(), reason: error.to_string() })?;
        let mut given = Self::default();
        for (section, keys) in file.sections {
            for (key, value) in keys {
                let text = match value {
                    toml::Value::String(text) => text,
                    other => other.to_string(),
                };
                if section == "kafka" {
                    given.kafka.insert(key, text)
                } else {
                    given.own.insert(format!("{section}.{key}"), text)
                };
            }
        }
        Ok(given)
    }

    /// Takes `HIGHWATER_NODE__DIR`, `HIGHWATER_KAFKA__NUM_PARTITIONS` and the like out of the environment.
    pub fn from_environment(variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut given = Self::default();
        for (name, value) in variables {
            let Some((section, key)) = name.strip_prefix("HIGHWATER_").and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let (section, key) = (section.to_lowercase(), key.to_lowercase().replace('_', "."));
            if section == "kafka" {
                given.kafka.insert(key, value)
            } else {
                given.own.insert(format!("{section}.{key}"), value)
            };
        }
        given
    }

    /// Kafka's names of what has one of ours; ours wins where one place sets both.
    fn take_kafkas_names(&mut self) -> Result<(), ConfigError> {
        let set = |key: &str| self.kafka.get(key).filter(|value| !value.trim().is_empty());
        let mut found = Vec::new();
        for (kafkas, ours) in [("listeners", "node.kafka"), ("advertised.listeners", "node.advertise")] {
            if let Some(value) = set(kafkas) {
                found.push((ours, listener(kafkas, value)?));
            }
        }
        for kafkas in ["log.dir", "log.dirs"] {
            match set(kafkas) {
                Some(value) if value.contains(',') => {
                    return Err(ConfigError::BadValue(format!(
                        "{kafkas} {value}: one data directory is used, name one"
                    )));
                }
                Some(value) => found.push(("node.dir", value.trim().to_owned())),
                None => {}
            }
        }
        for (ours, value) in found {
            self.own.entry(ours.to_owned()).or_insert(value);
        }
        Ok(())
    }

    /// What the other sets wins, by whichever of its two names.
    pub fn overlaid(mut self, other: Self) -> Self {
        for (_, ours) in ALIASES.iter().filter(|(kafkas, _)| other.kafka.contains_key(*kafkas)) {
            self.own.remove(*ours);
        }
        self.own.extend(other.own);
        self.kafka.extend(other.kafka);
        self
    }
}

impl Config {
    /// Checks every key and value.
    pub fn resolve(given: Given) -> Result<Self, ConfigError> {
        for key in given.own.keys() {
            if !KEYS.contains(&key.as_str()) {
                return Err(unknown(key, KEYS.iter().copied()));
            }
        }
        for (key, value) in &given.kafka {
            let def = find(table::BROKER, key).ok_or_else(|| unknown(key, table::BROKER.iter().map(|def| def.name)))?;
            check(def, value).map_err(ConfigError::BadValue)?;
        }
        let mut given = given;
        given.take_kafkas_names()?;
        let own = |key: &str| given.own.get(key).cloned();
        let setting = |key: &str| {
            let default = find(table::BROKER, key).and_then(|def| def.default).unwrap_or_default();
            given.kafka.get(key).map_or(default, String::as_str).trim().to_owned()
        };
        let number = |key: &str| setting(key).parse::<i64>().unwrap_or(-1);
        let size = |key: &str| usize::try_from(number(key)).unwrap_or(usize::MAX);
        let long = |key: &str| u64::try_from(number(key)).unwrap_or(u64::MAX);
        let is_set = |key: &&str| given.kafka.contains_key(*key);
        let kafkas_id = ["node.id", "broker.id"].into_iter().find(is_set).unwrap_or("node.id");
        let node_id = own("node.id").unwrap_or_else(|| setting(kafkas_id));
        let request_memory_bytes =
            if number("queued.max.request.bytes") < 0 { 256 << 20 } else { size("queued.max.request.bytes") };
        Ok(Self {
            node_id: node_id
                .parse()
                .map_err(|_| ConfigError::BadValue(format!("node.id {node_id} is not a number")))?,
            dir: own("node.dir").unwrap_or_else(|| "highwater-data".to_owned()).into(),
            kafka: own("node.kafka").unwrap_or_else(|| "127.0.0.1:9092".to_owned()),
            http: own("node.http").unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            advertise: own("node.advertise"),
            rack: own("node.rack").or_else(|| given.kafka.get("broker.rack").cloned()),
            json_logs: own("log.format").is_some_and(|format| format == "json"),
            log_level: own("log.level").unwrap_or_else(|| "info".to_owned()),
            max_connections: size("max.connections"),
            max_connections_per_ip: size("max.connections.per.ip"),
            max_idle: Duration::from_millis(long("connections.max.idle.ms").min(u64::from(u32::MAX))),
            max_request_bytes: size("socket.request.max.bytes"),
            request_memory_bytes,
            fetch_max_bytes: size("fetch.max.bytes"),
            fetch_sessions: size("max.incremental.fetch.session.cache.slots"),
            retention_check: Duration::from_millis(long("log.retention.check.interval.ms")),
            free_space_floor_bytes: long("log.free.space.floor.bytes"),
            unsynced_max_bytes: long("log.unsynced.max.bytes"),
            journal_file_bytes: long("log.journal.file.bytes"),
            scrub_bytes_per_second: long("log.scrub.bytes.per.second"),
            kafka_settings: given.kafka,
        })
    }
}

/// HOST:PORT of a listener as Kafka writes it. An empty host is every address.
fn listener(key: &str, value: &str) -> Result<String, ConfigError> {
    let wrong = |reason: &str| ConfigError::BadValue(format!("{key} {value}: {reason}; write PLAINTEXT://HOST:PORT"));
    if value.contains(',') {
        return Err(wrong("there is one listener"));
    }
    let (name, address) = value.trim().split_once("://").ok_or_else(|| wrong("no protocol"))?;
    if name != "PLAINTEXT" {
        return Err(wrong("only PLAINTEXT is served"));
    }
    match address.split_once(':') {
        Some(("", port)) if key == "listeners" => Ok(format!("0.0.0.0:{port}")),
        Some((host, port)) if !host.is_empty() && !port.is_empty() => Ok(address.to_owned()),
        _ => Err(wrong("no host and port")),
    }
}

fn unknown<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> ConfigError {
    let nearest = known.map(|name| (strsim::damerau_levenshtein(key, name), name)).min();
    let suggestion = nearest.filter(|(distance, _)| *distance <= key.len() / 3 + 1).map(|(_, name)| name.to_owned());
    ConfigError::UnknownKey { key: key.to_owned(), suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kafka(key: &str, value: &str) -> Given {
        Given { kafka: Settings::from([(key.to_owned(), value.to_owned())]), ..Given::default() }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let error = Config::resolve(kafka("num.partition", "3")).expect_err("unknown");
        assert_eq!(error.to_string(), "unknown configuration key num.partition; did you mean num.partitions?");
        let own = Given { own: BTreeMap::from([("node.dri".to_owned(), "x".to_owned())]), ..Given::default() };
        assert!(Config::resolve(own).expect_err("unknown").to_string().contains("node.dir"));
    }

    #[test]
    fn a_bad_value_names_key_and_value() {
        let error = Config::resolve(kafka("num.partitions", "many")).expect_err("not a number").to_string();
        assert!(error.contains("num.partitions") && error.contains("many"), "{error}");
    }

    #[test]
    fn kafkas_names_of_addresses_and_directories_act() {
        let mut given = kafka("listeners", "PLAINTEXT://:9099");
        given.kafka.insert("advertised.listeners".to_owned(), "PLAINTEXT://broker.example:9099".to_owned());
        given.kafka.insert("log.dirs".to_owned(), "/kafka".to_owned());
        let config = Config::resolve(given).expect("good");
        assert_eq!(config.kafka, "0.0.0.0:9099");
        assert_eq!(config.advertise.as_deref(), Some("broker.example:9099"));
        assert_eq!(config.dir.to_str(), Some("/kafka"));
        for (key, value) in [
            ("listeners", "PLAINTEXT://:1,PLAINTEXT://:2"),
            ("listeners", "SSL://:1"),
            ("advertised.listeners", "PLAINTEXT://:1"),
            ("log.dirs", "/a,/b"),
        ] {
            let error = Config::resolve(kafka(key, value)).expect_err(value).to_string();
            assert!(error.contains(key) && error.contains(value), "{error}");
        }
    }

    /// `-D log.dirs=…` lost to a `node.dir` of the file: ours won wherever either was set.
    #[test]
    fn the_later_place_wins_by_either_name() {
        let own = |key: &str, value: &str| Given {
            own: BTreeMap::from([(key.to_owned(), value.to_owned())]),
            ..Given::default()
        };
        let dir = |given: Given| Config::resolve(given).expect("good").dir;
        assert_eq!(dir(own("node.dir", "/file").overlaid(kafka("log.dirs", "/flag"))), Path::new("/flag"));
        assert_eq!(dir(kafka("log.dirs", "/file").overlaid(own("node.dir", "/flag"))), Path::new("/flag"));
        let both = Given { kafka: kafka("log.dirs", "/kafkas").kafka, ..own("node.dir", "/ours") };
        assert_eq!(dir(both), Path::new("/ours"));
        let id = own("node.id", "7").overlaid(kafka("node.id", "8"));
        assert_eq!(Config::resolve(id).expect("good").node_id, 8);
        assert_eq!(Config::resolve(kafka("broker.id", "9")).expect("good").node_id, 9);
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("highwater.toml");
        std::fs::write(&path, "[node]\nid = 7\ndir = \"/file\"\n[kafka]\n\"num.partitions\" = 2\n").expect("writes");
        let file = Given::from_file(&path).expect("reads");
        let environment = [("HIGHWATER_NODE__DIR", "/env"), ("HIGHWATER_KAFKA__NUM_PARTITIONS", "3"), ("HOME", "/")];
        let environment =
            Given::from_environment(environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let config = Config::resolve(file.overlaid(environment).overlaid(kafka("num.partitions", "4"))).expect("good");
        assert_eq!((config.node_id, config.dir.to_str()), (7, Some("/env")));
        assert_eq!(config.kafka_settings.get("num.partitions").map(String::as_str), Some("4"));
    }
}
