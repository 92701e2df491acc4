//! A setting with where it comes from: the nearest source wins, and the others are its synonyms.

use super::topic::{behind, synonyms};
use super::{ConfigDef, Settings, find, table};

/// Where a value comes from, nearest first; the numbers are those of DescribeConfigs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    /// Set on the topic.
    Topic,
    /// Set on this broker, while it runs.
    Broker,
    /// Set on all brokers, while they run.
    DefaultBroker,
    /// Set at the start of the process.
    Static,
    /// Set by nobody.
    Default,
    /// Set on the group.
    Group,
}

/// One value, and its source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// What it is called there; nothing where Kafka tells of no synonym.
    pub name: Option<String>,
    /// `None` is null.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: Source,
}

/// The broker's side of a configuration: three sources.
#[derive(Clone, Copy)]
pub struct BrokerSettings<'a> {
    /// Of this broker.
    pub broker: &'a Settings,
    /// Of all brokers.
    pub default_broker: &'a Settings,
    /// Of the process.
    pub fixed: &'a Settings,
}

impl Source {
    /// Its number in DescribeConfigs.
    pub fn number(self) -> i8 {
        match self {
            Self::Topic => 1,
            Self::Broker => 2,
            Self::DefaultBroker => 3,
            Self::Static => 4,
            Self::Default => 5,
            Self::Group => 8,
        }
    }
}

/// All values of a topic's setting, the one in force first.
pub fn topic_values(def: &ConfigDef, topic: &Settings, broker: &BrokerSettings<'_>) -> Vec<Described> {
    let mut found = Vec::new();
    if let Some(value) = topic.get(def.name) {
        found.push(Described { name: Some(def.name.to_owned()), value: Some(value.clone()), source: Source::Topic });
    }
    for (source, settings) in broker.sources() {
        if let Some((name, value)) = behind(def.name, settings) {
            found.push(Described { name: Some(name.to_owned()), value: Some(value), source });
        }
    }
    // The first of a broker's synonyms alone, and only if it has a default of its own.
    let name = synonyms(def.name).first().map(|(name, _)| *name);
    let name = name.filter(|name| find(table::BROKER, name).is_some_and(|behind| behind.default.is_some()));
    let (name, value) = (name.map(str::to_owned), def.default.map(str::to_owned));
    found.push(Described { name, value, source: Source::Default });
    found
}

/// All values of a broker's setting, the one in force first.
pub fn broker_values(def: &ConfigDef, broker: &BrokerSettings<'_>) -> Vec<Described> {
    let mut found: Vec<Described> = broker
        .sources()
        .into_iter()
        .filter_map(|(source, settings)| {
            let value = settings.get(def.name)?.clone();
            Some(Described { name: Some(def.name.to_owned()), value: Some(value), source })
        })
        .collect();
    let name = def.default.map(|_| def.name.to_owned());
    found.push(Described { name, value: def.default.map(str::to_owned), source: Source::Default });
    found
}

/// All values of a group's setting, which begins with the broker's, or of a subscription's to client metrics, the one in force first.
pub fn group_values(def: &ConfigDef, own: &Settings, broker: &BrokerSettings<'_>) -> Vec<Described> {
    let set = own.get(def.name).map(|value| Described {
        name: Some(def.name.to_owned()),
        value: Some(value.clone()),
        source: Source::Group,
    });
    let synonym = group_synonym(def.name);
    let default = Described { name: synonym.clone(), value: def.default.map(str::to_owned), source: Source::Default };
    let of_broker = |(source, settings): (Source, &Settings)| {
        let value = settings.get(synonym.as_deref()?)?.clone();
        Some(Described { name: synonym.clone(), value: Some(value), source })
    };
    set.into_iter().chain(broker.sources().into_iter().filter_map(of_broker)).chain([default]).collect()
}

/// The broker's name for what a group that sets nothing does.
fn group_synonym(name: &str) -> Option<String> {
    find(table::GROUP, name)?;
    let behind = match name {
        "streams.assignor.name" => "group.streams.assignors".to_owned(),
        name => format!("group.{name}"),
    };
    Some(if find(table::BROKER, &behind).is_some() { behind } else { name.to_owned() })
}

/// The value of a broker's setting that is in force.
pub fn broker_value(name: &str, broker: &BrokerSettings<'_>) -> String {
    let first = find(table::BROKER, name).and_then(|def| broker_values(def, broker).into_iter().next());
    first.and_then(|described| described.value).unwrap_or_default()
}

impl<'a> BrokerSettings<'a> {
    fn sources(&self) -> [(Source, &'a Settings); 3] {
        [(Source::Broker, self.broker), (Source::DefaultBroker, self.default_broker), (Source::Static, self.fixed)]
    }
}
