//! Takes out of an answer what differs from run to run and from broker to broker: ids, clocks, addresses, words of messages.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::records::batch::{Batch, verify_crc};
use uuid::Uuid;

use crate::value::Value;

/// How far from the clock a time may be and is still called `now`.
const NOW_MS: i64 = 120_000;
/// Fields that say which element of a list one is, in the order in which they are looked at.
const IDENTITY: [&str; 17] = [
    "name",
    "group_id",
    "member_id",
    "topic",
    "topic_name",
    "topic_id",
    "resource_type",
    "resource_name",
    "partition_index",
    "partition",
    "index",
    "broker_id",
    "node_id",
    "api_key",
    "producer_id",
    "log_dir",
    "config_source",
];
/// Settings that say where a broker runs, or that the test's own start of Kafka sets.
const OF_THE_HOST: [&str; 17] = [
    "advertised.listeners",
    "broker.id",
    "controller.listener.names",
    "controller.quorum.voters",
    "group.consumer.assignment.interval.ms",
    "group.initial.rebalance.delay.ms",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dirs",
    "node.id",
    "offsets.topic.replication.factor",
    "process.roles",
    "share.coordinator.state.topic.min.isr",
    "share.coordinator.state.topic.replication.factor",
    "transaction.state.log.min.isr",
    "transaction.state.log.replication.factor",
];
/// In front of the names of all topics that a run makes.
pub const OWN: &str = "ag-";

/// What one scenario has seen so far.
pub struct Normal {
    prefix: String,
    /// The bytes of the request that is answered.
    asked: Vec<u8>,
    labels: BTreeMap<String, String>,
}

impl Normal {
    /// For a scenario whose topics have that prefix.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), asked: Vec::new(), labels: BTreeMap::new() }
    }

    /// Which request will be answered.
    pub fn asks(&mut self, frame: &[u8]) {
        self.asked = frame.to_vec();
    }

    fn was_asked_for(&self, name: &str) -> bool {
        self.asked.windows(name.len()).any(|bytes| bytes == name.as_bytes())
    }

    /// What a topic's id is called.
    pub fn know_topic(&mut self, id: Uuid, name: &str) {
        self.labels.insert(id.to_string(), format!("id:{}", name.replace(&self.prefix, "~")));
    }

    /// What a producer's id is called.
    pub fn know_producer(&mut self, id: i64) {
        self.label("producer_id", &id.to_string(), "producer");
    }

    /// What a member's id is called.
    pub fn know_member(&mut self, id: &str) {
        self.label("member", id, "member");
    }

    /// What the epoch of a new leader is called.
    pub fn know_epoch(&mut self, epoch: i32) {
        self.label("epoch", &epoch.to_string(), "epoch");
    }

    /// An answer, without what may differ.
    pub fn normal(&mut self, value: Value) -> Value {
        match value {
            Value::Fields(fields) => self.fields(fields),
            Value::List(list) => {
                let list = list.into_iter().filter(|value| !self.is_foreign(value)).collect::<Vec<_>>();
                let mut list: Vec<Value> = list.into_iter().map(|value| self.normal(value)).collect();
                if list.iter().all(|value| matches!(value, Value::Fields(_))) {
                    list.sort_by_cached_key(identity);
                }
                Value::List(list)
            }
            Value::Text(text) => Value::Text(text.replace(&self.prefix, "~")),
            other => other,
        }
    }

    fn fields(&mut self, fields: Vec<(String, Value)>) -> Value {
        let name = ["name", "topic"].iter().find_map(|wanted| {
            fields.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| match value {
                Value::Text(text) if !text.is_empty() => Some(text.clone()),
                _ => None,
            })
        });
        if let (Some(name), Some((_, Value::Word(id)))) =
            (name, fields.iter().find(|(name, value)| name == "topic_id" && !is_fixed_id(value)))
        {
            let label = format!("id:{}", name.replace(&self.prefix, "~"));
            self.labels.entry(id.clone()).or_insert(label);
        }
        let is_of_the_host = fields.iter().any(|(name, value)| {
            name == "name" && matches!(value, Value::Text(text) if OF_THE_HOST.contains(&text.as_str()))
        });
        let hidden = |name: &str| is_of_the_host && ["value", "config_source", "source", "synonyms"].contains(&name);
        let kept = fields.into_iter().filter(|(name, _)| name != "throttle_time_ms" && !hidden(name));
        Value::Fields(kept.map(|(name, value)| self.field(name, value)).collect())
    }

    fn field(&mut self, name: String, value: Value) -> (String, Value) {
        let word = match &value {
            Value::Word(word) => Some(word.as_str()),
            _ => None,
        };
        let normal = match (name.as_str(), word) {
            ("error_code" | "top_level_error_code" | "topic_config_error_code", Some(code)) => {
                Value::Word(error_name(code))
            }
            ("error_message" | "batch_index_error_message" | "documentation", _) if !is_empty(&value) => {
                Value::word("*")
            }
            ("host" | "log_dir" | "cluster_id", _) if !is_empty(&value) => Value::word("*"),
            ("finalized_features_epoch", Some(epoch)) if epoch != "-1" => Value::word("*"),
            ("total_bytes" | "usable_bytes" | "port", Some(number)) if number.parse().is_ok_and(|n: i64| n > 0) => {
                Value::word("*")
            }
            ("session_id", Some(id)) if id != "0" => Value::Word(self.label("session", id, "session")),
            ("producer_id", Some(id)) if !id.starts_with('-') => Value::Word(self.label("producer_id", id, "producer")),
            ("leader_epoch" | "epoch", Some(epoch)) if !epoch.starts_with('-') => {
                Value::Word(self.label("epoch", epoch, "epoch"))
            }
            (name, Some(time)) if name.contains("time") && is_now(time) => Value::word("now"),
            ("topic_id", Some(id)) => Value::Word(self.id(id)),
            ("member_id" | "leader", _) => match value {
                Value::Text(id) if !id.is_empty() => Value::Text(self.member(&id)),
                other => other,
            },
            ("records", _) => match value {
                Value::Bytes(bytes) => self.records(Bytes::from(bytes)),
                other => other,
            },
            _ => self.normal(value),
        };
        (name, normal)
    }

    fn id(&mut self, id: &str) -> String {
        if is_fixed_id(&Value::word(id)) { id.to_owned() } else { self.label("", id, "id") }
    }

    /// A member's id that a broker made up; one that a request makes up stays.
    fn member(&mut self, id: &str) -> String {
        if self.labels.contains_key(&format!("member{id}")) || !self.was_asked_for(id) {
            self.label("member", id, "member")
        } else {
            id.to_owned()
        }
    }

    /// The first that is seen is the first of its kind.
    fn label(&mut self, kind: &str, id: &str, word: &str) -> String {
        let key = format!("{kind}{id}");
        let next = 1 + self.labels.values().filter(|label| label.starts_with(&format!("{word}-"))).count();
        self.labels.entry(key).or_insert_with(|| format!("{word}-{next}")).clone()
    }

    /// The batches of a set, by what their headers say.
    fn records(&mut self, mut set: Bytes) -> Value {
        let mut batches = Vec::new();
        while !set.is_empty() {
            let Ok(batch) = Batch::split_off(&mut set) else {
                batches.push(Value::Fields(vec![("cut".to_owned(), Value::word(set.len()))]));
                break;
            };
            batches.push(self.batch(&batch));
        }
        Value::List(batches)
    }

    fn batch(&mut self, batch: &Batch) -> Value {
        let header = &batch.header;
        // With the broker's time or an id of its own in it, a batch has another CRC in every run.
        let is_fixed = header.producer_id == -1 && !header.is_log_append_time();
        let crc = match verify_crc(&batch.bytes) {
            Err(_) => "wrong".to_owned(),
            Ok(()) if is_fixed => format!("{:08x}", header.crc),
            Ok(()) => "right".to_owned(),
        };
        let fields = [
            ("base_offset", header.base_offset.to_string()),
            ("length", header.length.to_string()),
            ("leader_epoch", header.leader_epoch.to_string()),
            ("crc", crc),
            ("attributes", header.attributes.to_string()),
            ("last_offset_delta", header.last_offset_delta.to_string()),
            ("base_timestamp", header.base_timestamp.to_string()),
            ("max_timestamp", header.max_timestamp.to_string()),
            ("producer_id", header.producer_id.to_string()),
            ("producer_epoch", header.producer_epoch.to_string()),
            ("base_sequence", header.base_sequence.to_string()),
            ("count", header.count.to_string()),
        ];
        let field = |(name, value): (&str, String)| self.field(name.to_owned(), Value::Word(value));
        Value::Fields(fields.into_iter().map(field).collect())
    }

    /// Whether it tells of a topic that another scenario made, or of one that the broker keeps for itself.
    fn is_foreign(&self, value: &Value) -> bool {
        let name =
            ["name", "topic", "topic_name", "resource_name", "group_id"].iter().find_map(|name| value.field(name));
        match name {
            Some(Value::Text(name)) => {
                let is_anothers = name.starts_with(OWN) && !name.starts_with(&self.prefix);
                (is_anothers || name.starts_with("__")) && !self.was_asked_for(name)
            }
            _ => false,
        }
    }
}

fn identity(value: &Value) -> (Vec<String>, String) {
    let of = |name: &&str| value.field(name).map(Value::flat);
    (IDENTITY.iter().map(|name| of(name).unwrap_or_default()).collect(), value.flat())
}

fn error_name(code: &str) -> String {
    match code.parse() {
        Ok(0) | Err(_) => code.to_owned(),
        Ok(code) => format!("{:?}", ErrorCode::from_number(code)),
    }
}

/// What an element of a list is called.
pub fn identity_of(value: &Value) -> String {
    let shown = |name: &str| match value.field(name)? {
        Value::Null => None,
        Value::Text(text) if text.is_empty() => None,
        Value::Text(text) => Some(text.clone()),
        other => Some(other.flat()),
    };
    match value {
        Value::Fields(_) => IDENTITY.iter().find_map(|name| shown(name)).unwrap_or_default(),
        other => other.flat(),
    }
}

/// Ids that requests make up: nil, and those that repeat one byte.
fn is_fixed_id(value: &Value) -> bool {
    let Value::Word(id) = value else { return true };
    Uuid::parse_str(id).is_ok_and(|id| id.as_bytes().iter().all(|byte| *byte == id.as_bytes()[0]))
}

fn is_empty(value: &Value) -> bool {
    *value == Value::Null || *value == Value::Text(String::new())
}

fn is_now(time: &str) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64);
    time.parse::<i64>().is_ok_and(|time| (time - now).abs() < NOW_MS)
}

/// The milliseconds of the wall clock.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}
