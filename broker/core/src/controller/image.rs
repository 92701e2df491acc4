//! What the controller knows, as every broker sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::change::{
    BrokerChange, Change, ConfigChange, FeatureChange, Kind, ListenerChange, PartitionChange, ReplicaChange,
    TopicChange,
};
use crate::config::describe::{BrokerSettings, broker_value, topic_values};
use crate::config::topic::TopicConfig;
use crate::config::{Settings, find, table};

/// What a setting belongs to, by Kafka's numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ResourceType {
    /// A topic.
    Topic,
    /// A broker, or all of them by the empty name.
    Broker,
    /// A subscription of client metrics.
    ClientMetrics,
    /// A group.
    Group,
}

/// A broker that registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker {
    /// Its number.
    pub node_id: i32,
    /// The directory it came with.
    pub directory_id: Uuid,
    /// Where it stands.
    pub rack: Option<String>,
    /// Where clients reach it.
    pub listeners: Vec<Listener>,
}

/// An address that a broker told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id, which a topic of the same name made later does not have.
    pub id: Uuid,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}

/// A partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Its number.
    pub index: i32,
    /// Its replicas, the preferred leader first.
    pub replicas: Vec<ReplicaId>,
}

/// A replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicaId {
    /// Where it is.
    pub node_id: i32,
    /// What it votes under. Never used again.
    pub raft_id: u64,
}

/// The whole of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Image {
    /// The cluster's id.
    pub cluster_id: Uuid,
    /// Registered brokers.
    pub brokers: BTreeMap<i32, Broker>,
    /// Finalised feature levels.
    pub features: BTreeMap<String, i16>,
    /// Grows with each change of a feature level.
    pub features_epoch: i64,
    pub(super) next_producer_id: i64,
    pub(super) next_raft_id: u64,
    topics: BTreeMap<String, Arc<Topic>>,
    names: BTreeMap<Uuid, String>,
    configs: BTreeMap<(ResourceType, String), Settings>,
}

impl ResourceType {
    /// Its number on the wire.
    pub fn number(self) -> i8 {
        match self {
            Self::Topic => 2,
            Self::Broker => 4,
            Self::ClientMetrics => 16,
            Self::Group => 32,
        }
    }

    /// The type of a number.
    pub fn from_number(number: i8) -> Option<Self> {
        [Self::Topic, Self::Broker, Self::ClientMetrics, Self::Group].into_iter().find(|kind| kind.number() == number)
    }
}

impl Partition {
    /// The Raft id of the replica on a node.
    pub fn raft_id_on(&self, node_id: i32) -> Option<u64> {
        self.replicas.iter().find(|replica| replica.node_id == node_id).map(|replica| replica.raft_id)
    }
}

impl Image {
    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.values()
    }

    /// A topic by its name.
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(name)
    }

    /// A topic by its id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.names.get(&id).and_then(|name| self.topics.get(name))
    }

    /// The settings of a resource.
    pub fn settings(&self, kind: ResourceType, name: &str) -> &Settings {
        static NONE: Settings = Settings::new();
        self.configs.get(&(kind, name.to_owned())).unwrap_or(&NONE)
    }

    /// The names of the resources of a type that have settings.
    pub fn configured(&self, kind: ResourceType) -> impl Iterator<Item = &str> {
        self.configs.iter().filter(move |((of, _), _)| *of == kind).map(|((_, name), _)| name.as_str())
    }

    /// The settings of a broker, with those that its process was started with.
    pub fn broker_settings<'a>(&'a self, node_id: i32, fixed: &'a Settings) -> BrokerSettings<'a> {
        BrokerSettings {
            broker: self.settings(ResourceType::Broker, &node_id.to_string()),
            default_broker: self.settings(ResourceType::Broker, ""),
            fixed,
        }
    }

    /// What acts of a topic's configuration, on a broker.
    pub fn topic_config(&self, topic: &str, node_id: i32, fixed: &Settings) -> TopicConfig {
        let own = self.settings(ResourceType::Topic, topic);
        let broker = self.broker_settings(node_id, fixed);
        let value = |name: &str| {
            let described = find(table::TOPIC, name).map(|def| topic_values(def, own, &broker));
            described.and_then(|found| found.into_iter().next()).and_then(|first| first.value).unwrap_or_default()
        };
        let expiration = broker_value("producer.id.expiration.ms", &broker).parse().unwrap_or(86_400_000);
        TopicConfig::from_values(&value, expiration)
    }

    pub(super) fn fold(&mut self, change: Change) {
        match change.kind {
            Some(Kind::Cluster(id)) => self.cluster_id = uuid_of(&id),
            Some(Kind::Broker(broker)) => self.fold_broker(broker),
            Some(Kind::Topic(topic)) => self.fold_topic(topic),
            Some(Kind::TopicGone(id)) => {
                if let Some(name) = self.names.remove(&uuid_of(&id)) {
                    self.topics.remove(&name);
                    self.configs.remove(&(ResourceType::Topic, name));
                }
            }
            Some(Kind::Config(config)) => self.fold_config(config),
            Some(Kind::NextProducerId(id)) => self.next_producer_id = id,
            Some(Kind::NextRaftId(id)) => self.next_raft_id = id,
            Some(Kind::Feature(feature)) => {
                // Level 0 is the same as not finalised.
                match i16::try_from(feature.level).unwrap_or(i16::MAX) {
                    0 => self.features.remove(&feature.name),
                    level => self.features.insert(feature.name, level),
                };
                self.features_epoch += 1;
            }
            Some(Kind::FeaturesEpoch(epoch)) => self.features_epoch = epoch,
            None => {}
        }
    }

    /// The changes that make this image out of an empty one.
    pub(super) fn as_changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = vec![
            Kind::Cluster(self.cluster_id.as_bytes().to_vec()).into(),
            Kind::NextProducerId(self.next_producer_id).into(),
            Kind::NextRaftId(self.next_raft_id).into(),
        ];
        changes.extend(self.brokers.values().map(|broker| Kind::Broker(broker.as_change()).into()));
        changes.extend(self.topics.values().map(|topic| Kind::Topic(topic.as_change()).into()));
        for ((kind, resource), settings) in &self.configs {
            changes.extend(settings.iter().map(|(name, value)| {
                Kind::Config(ConfigChange {
                    resource_type: i32::from(kind.number()),
                    resource: resource.clone(),
                    name: name.clone(),
                    value: Some(value.clone()),
                })
                .into()
            }));
        }
        changes.extend(
            self.features.iter().map(|(name, level)| {
                Kind::Feature(FeatureChange { name: name.clone(), level: i32::from(*level) }).into()
            }),
        );
        changes.push(Kind::FeaturesEpoch(self.features_epoch).into());
        changes
    }

    fn fold_broker(&mut self, broker: BrokerChange) {
        let listener = |listener: ListenerChange| Listener {
            name: listener.name,
            host: listener.host,
            port: u16::try_from(listener.port).unwrap_or(0),
        };
        let known = Broker {
            node_id: broker.node_id,
            directory_id: uuid_of(&broker.directory_id),
            rack: broker.rack,
            listeners: broker.listeners.into_iter().map(listener).collect(),
        };
        self.brokers.insert(known.node_id, known);
    }

    fn fold_topic(&mut self, topic: TopicChange) {
        let replica = |replica: ReplicaChange| ReplicaId { node_id: replica.node_id, raft_id: replica.raft_id };
        let partition = |(index, partition): (i32, PartitionChange)| Partition {
            index,
            replicas: partition.replicas.into_iter().map(replica).collect(),
        };
        let id = uuid_of(&topic.id);
        let partitions = (0..).zip(topic.partitions).map(partition).collect();
        self.names.insert(id, topic.name.clone());
        self.topics.insert(topic.name.clone(), Arc::new(Topic { name: topic.name, id, partitions }));
    }

    fn fold_config(&mut self, config: ConfigChange) {
        let kind = i8::try_from(config.resource_type).ok().and_then(ResourceType::from_number);
        let Some(kind) = kind else { return };
        let place = (kind, config.resource);
        let settings = self.configs.entry(place.clone()).or_default();
        match config.value {
            Some(value) => settings.insert(config.name, value),
            None => settings.remove(&config.name),
        };
        if settings.is_empty() {
            self.configs.remove(&place);
        }
    }
}

impl Broker {
    pub(super) fn as_change(&self) -> BrokerChange {
        let listener = |listener: &Listener| ListenerChange {
            name: listener.name.clone(),
            host: listener.host.clone(),
            port: u32::from(listener.port),
        };
        BrokerChange {
            node_id: self.node_id,
            directory_id: self.directory_id.as_bytes().to_vec(),
            rack: self.rack.clone(),
            listeners: self.listeners.iter().map(listener).collect(),
        }
    }
}

impl Topic {
    pub(super) fn as_change(&self) -> TopicChange {
        let replica = |replica: &ReplicaId| ReplicaChange { node_id: replica.node_id, raft_id: replica.raft_id };
        let partition =
            |partition: &Partition| PartitionChange { replicas: partition.replicas.iter().map(replica).collect() };
        TopicChange {
            name: self.name.clone(),
            id: self.id.as_bytes().to_vec(),
            partitions: self.partitions.iter().map(partition).collect(),
        }
    }
}

fn uuid_of(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A snapshot repeated each level once, so the epoch fell to their number, and clients that keep the highest epoch they
    /// saw would not have looked again.
    #[test]
    fn the_epoch_of_feature_levels_survives_a_snapshot() {
        let mut image = Image::default();
        for (name, level) in [("group.version", 1), ("transaction.version", 1), ("transaction.version", 2)] {
            image.fold(Kind::Feature(FeatureChange { name: name.to_owned(), level }).into());
        }
        image.fold(Kind::Feature(FeatureChange { name: "group.version".to_owned(), level: 0 }).into());
        assert_eq!(image.features, [("transaction.version".to_owned(), 2)].into());
        assert_eq!(image.features_epoch, 4);
        let mut loaded = Image::default();
        image.as_changes().into_iter().for_each(|change| loaded.fold(change));
        assert_eq!(loaded, image);
    }
}
