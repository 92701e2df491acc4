//! The cluster as a client knows it: its brokers, who leads what, and a connection to each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::Request;
use highwater_protocol::message::metadata_request::{MetadataRequest, MetadataRequestTopic};
use highwater_protocol::message::metadata_response::{MetadataResponse, MetadataResponseTopic};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::admin::Admin;
use crate::connection::{Connection, Settings};
use crate::consumer::ConsumerBuilder;
use crate::error::{Error, Kind, Result, checked};
use crate::producer::ProducerBuilder;
use crate::property;

/// Between two tries of what may succeed later.
pub(crate) const RETRY_BACKOFF: Duration = Duration::from_millis(100);

const KEYS: &[&str] = &["bootstrap.servers", "client.id", "request.timeout.ms", "socket.connection.setup.timeout.ms"];

/// A broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker {
    /// Kafka's `node.id`.
    pub id: i32,
    /// Where it says that it is.
    pub host: String,
    /// On which port.
    pub port: i32,
    /// Where it stands.
    pub rack: Option<String>,
}

impl Broker {
    /// `host:port`.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// A partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Its number.
    pub index: i32,
    /// Who leads it; -1 is nobody.
    pub leader: i32,
    /// The leader's epoch.
    pub leader_epoch: i32,
    /// All replicas.
    pub replicas: Vec<i32>,
    /// Those in sync.
    pub isr: Vec<i32>,
    /// Those on brokers that are down.
    pub offline: Vec<i32>,
}

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id, nil where the broker has none.
    pub id: Uuid,
    /// Whether the cluster keeps its own things there.
    pub is_internal: bool,
    /// By number.
    pub partitions: Vec<Partition>,
}

/// What the cluster said about itself.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// Its id.
    pub cluster_id: Option<String>,
    /// Who decides; -1 is nobody.
    pub controller: i32,
    /// By id.
    pub brokers: Vec<Broker>,
    /// The topics that were asked for.
    pub topics: HashMap<String, Topic>,
}

/// Whether an advertised address can be reached from here.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Which.
    pub broker: Broker,
    /// Nothing, or why it cannot.
    pub error: Option<Error>,
}

/// A cluster to talk to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bootstrap: Vec<String>,
    settings: Settings,
    metadata: Mutex<Metadata>,
    connections: Mutex<HashMap<i32, Arc<Connection>>>,
    /// Held while a broker is dialled, so that it is dialled once.
    dialling: tokio::sync::Mutex<()>,
}

/// Says how to reach a cluster.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    bootstrap: String,
    settings: Settings,
}

impl ClientBuilder {
    /// What brokers log as who asked.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.settings.client_id = id.into();
        self
    }

    /// How long a request may take.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.settings.request_timeout = timeout;
        self
    }

    /// How long a connection may take to be made.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// A property by Kafka's name.
    pub fn set(mut self, key: &str, value: &str) -> Result<Self> {
        match key {
            "bootstrap.servers" => value.clone_into(&mut self.bootstrap),
            "client.id" => value.clone_into(&mut self.settings.client_id),
            "request.timeout.ms" => self.settings.request_timeout = property::milliseconds(key, value)?,
            "socket.connection.setup.timeout.ms" => {
                self.settings.connect_timeout = property::milliseconds(key, value)?;
            }
            _ => return Err(property::unknown(key, KEYS)),
        }
        Ok(self)
    }

    /// Connects: asks a bootstrap broker for the others, and dials each under the address that it advertises.
    /// One of them must answer; the error says of each why it did not.
    pub async fn connect(self) -> Result<Client> {
        let bootstrap: Vec<String> =
            self.bootstrap.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if bootstrap.is_empty() {
            return Err(Error::new(Kind::Config, "no bootstrap address: write host:port, with commas between several"));
        }
        let client = Client {
            shared: Arc::new(Shared {
                bootstrap,
                settings: self.settings,
                metadata: Mutex::default(),
                connections: Mutex::default(),
                dialling: tokio::sync::Mutex::default(),
            }),
        };
        client.refresh(Some(&[]), false).await?;
        client.check_addresses().await?;
        Ok(client)
    }
}

impl Client {
    /// Begins with the addresses of some brokers, with commas between them.
    pub fn builder(bootstrap: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            bootstrap: bootstrap.into(),
            settings: Settings {
                client_id: "highwater".to_owned(),
                connect_timeout: Duration::from_secs(10),
                request_timeout: Duration::from_secs(30),
            },
        }
    }

    /// The names that [`ClientBuilder::set`] knows.
    pub fn properties() -> &'static [&'static str] {
        KEYS
    }

    /// A producer.
    pub fn producer(&self) -> ProducerBuilder {
        ProducerBuilder::new(self.clone())
    }

    /// A consumer.
    pub fn consumer(&self) -> ConsumerBuilder {
        ConsumerBuilder::new(self.clone())
    }

    /// What administers.
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }

    /// Asks for these topics, or for all of them.
    pub async fn metadata(&self, topics: Option<&[&str]>) -> Result<Metadata> {
        let (metadata, errors) = self.refresh(topics, false).await?;
        match errors.into_iter().next() {
            Some((name, code)) => Err(Error::broker(code, &format!("topic {name}"), None)),
            None => Ok(metadata),
        }
    }

    /// Dials every broker under the address that it advertises.
    pub async fn diagnose(&self) -> Vec<Reached> {
        let dialled = self.dial_all().await.into_iter();
        dialled.map(|(broker, connection)| Reached { broker, error: connection.err() }).collect()
    }

    async fn dial_all(&self) -> Vec<(Broker, Result<Connection>)> {
        let brokers = self.shared.metadata.lock().brokers.clone();
        let dials: Vec<_> = brokers
            .into_iter()
            .map(|broker| {
                let settings = self.shared.settings.clone();
                tokio::spawn(async move {
                    let connection = Connection::connect(&broker.address(), &settings).await;
                    (broker, connection)
                })
            })
            .collect();
        let mut dialled = Vec::new();
        for dial in dials {
            dialled.extend(dial.await);
        }
        dialled
    }

    async fn check_addresses(&self) -> Result<()> {
        let dialled = self.dial_all().await;
        let (count, mut failed) = (dialled.len(), Vec::new());
        for (broker, connection) in dialled {
            match connection {
                Ok(connection) => drop(self.shared.connections.lock().insert(broker.id, Arc::new(connection))),
                Err(error) => failed.push(format!("  broker {}: {error}", broker.id)),
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        let list = failed.join("\n");
        if failed.len() < count {
            tracing::warn!("some brokers cannot be reached under the addresses that they advertise:\n{list}");
            return Ok(());
        }
        Err(Error::new(
            Kind::Connect,
            format!(
                "{} answers, but no broker can be reached under the address that it advertises:\n{list}\n\
                 Set each broker's advertised address to one that this machine can reach.",
                self.shared.bootstrap.join(",")
            ),
        ))
    }

    /// What is known of a topic, without asking.
    pub(crate) fn known(&self, topic: &str) -> Option<Topic> {
        self.shared.metadata.lock().topics.get(topic).cloned()
    }

    /// How many partitions a topic is known to have.
    pub(crate) fn known_partitions(&self, topic: &str) -> Option<i32> {
        let metadata = self.shared.metadata.lock();
        metadata.topics.get(topic).and_then(|topic| i32::try_from(topic.partitions.len()).ok())
    }

    /// Who leads a partition, as far as is known, and in which epoch.
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Option<(i32, i32)> {
        let metadata = self.shared.metadata.lock();
        let found = metadata.topics.get(topic)?.partitions.iter().find(|known| known.index == partition)?;
        (found.leader >= 0).then_some((found.leader, found.leader_epoch))
    }

    /// Asks for a topic until it is there or the time is over.
    pub(crate) async fn topic(&self, name: &str, create: bool, within: Duration) -> Result<Topic> {
        if let Some(topic) = self.known(name) {
            return Ok(topic);
        }
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let (metadata, errors) = self.refresh(Some(&[name]), create).await?;
            if let Some(topic) = metadata.topics.get(name) {
                return Ok(topic.clone());
            }
            let code = errors.first().map_or(ErrorCode::UnknownTopicOrPartition, |(_, code)| *code);
            let is_missing = code == ErrorCode::UnknownTopicOrPartition && !create;
            if is_missing || !code.is_retriable() || tokio::time::Instant::now() >= deadline {
                return Err(Error::broker(code, &format!("topic {name}"), None));
            }
            tokio::time::sleep(RETRY_BACKOFF).await;
        }
    }

    /// Asks for metadata and keeps it. What a topic's error was comes back beside it.
    pub(crate) async fn refresh(
        &self,
        topics: Option<&[&str]>,
        create: bool,
    ) -> Result<(Metadata, Vec<(String, ErrorCode)>)> {
        let named = |name: &&str| MetadataRequestTopic { topic_id: Uuid::nil(), name: Some((*name).to_owned()) };
        let request = MetadataRequest {
            topics: topics.map(|topics| topics.iter().map(named).collect()),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        let response = self.call_any(&request).await?;
        checked(response.error_code, || "metadata".to_owned(), None)?;
        let (metadata, errors) = read(response);
        let mut kept = self.shared.metadata.lock();
        for (name, code) in &errors {
            if *code == ErrorCode::UnknownTopicOrPartition {
                kept.topics.remove(name);
            }
        }
        kept.topics.extend(metadata.topics.iter().map(|(name, topic)| (name.clone(), topic.clone())));
        kept.brokers.clone_from(&metadata.brokers);
        kept.cluster_id.clone_from(&metadata.cluster_id);
        kept.controller = metadata.controller;
        drop(kept);
        Ok((metadata, errors))
    }

    /// Sends a request to whichever broker answers.
    pub(crate) async fn call_any<R: Request>(&self, request: &R) -> Result<R::Response> {
        let mut failures = Vec::new();
        let brokers: Vec<i32> = self.shared.metadata.lock().brokers.iter().map(|broker| broker.id).collect();
        for id in brokers {
            match self.call(id, request).await {
                Err(error) if error.code().is_none() && error.is_retriable() => failures.push(error.to_string()),
                done => return done,
            }
        }
        for address in &self.shared.bootstrap {
            let done = match Connection::connect(address, &self.shared.settings).await {
                Ok(connection) => connection.call(request).await,
                Err(error) => Err(error),
            };
            match done {
                Err(error) if error.is_retriable() => failures.push(error.to_string()),
                done => return done,
            }
        }
        failures.dedup();
        Err(Error::new(Kind::Connect, failures.join("; ")))
    }

    /// Sends a request to one broker.
    pub(crate) async fn call<R: Request>(&self, broker: i32, request: &R) -> Result<R::Response> {
        self.connection(broker).await?.call(request).await
    }

    /// Sends a request to the controller.
    pub(crate) async fn call_controller<R: Request>(&self, request: &R) -> Result<R::Response> {
        let controller = self.shared.metadata.lock().controller;
        if controller >= 0 { self.call(controller, request).await } else { self.call_any(request).await }
    }

    /// The connection to a broker, if one is open.
    pub(crate) fn open_connection(&self, broker: i32) -> Option<Arc<Connection>> {
        self.shared.connections.lock().get(&broker).filter(|connection| !connection.is_closed()).cloned()
    }

    /// A connection of its own to a broker.
    pub(crate) async fn dial(&self, broker: &Broker) -> Result<Connection> {
        Connection::connect(&broker.address(), &self.shared.settings).await
    }

    /// The connection to a broker, made if there is none.
    pub(crate) async fn connection(&self, broker: i32) -> Result<Arc<Connection>> {
        if let Some(connection) = self.open_connection(broker) {
            return Ok(connection);
        }
        let _one_at_a_time = self.shared.dialling.lock().await;
        if let Some(connection) = self.open_connection(broker) {
            return Ok(connection);
        }
        let address = {
            let metadata = self.shared.metadata.lock();
            metadata.brokers.iter().find(|known| known.id == broker).map(Broker::address)
        };
        let unknown = || Error::new(Kind::Connect, format!("broker {broker} is not known"));
        let made = Arc::new(Connection::connect(&address.ok_or_else(unknown)?, &self.shared.settings).await?);
        self.shared.connections.lock().insert(broker, Arc::clone(&made));
        Ok(made)
    }
}

fn read(response: MetadataResponse) -> (Metadata, Vec<(String, ErrorCode)>) {
    let mut brokers: Vec<Broker> = response
        .brokers
        .into_iter()
        .map(|broker| Broker { id: broker.node_id, host: broker.host, port: broker.port, rack: broker.rack })
        .collect();
    brokers.sort_by_key(|broker| broker.id);
    let mut metadata = Metadata {
        cluster_id: response.cluster_id,
        controller: response.controller_id,
        brokers,
        topics: HashMap::new(),
    };
    let mut errors = Vec::new();
    for topic in response.topics {
        let name = topic.name.clone().unwrap_or_default();
        let code = ErrorCode::from_number(topic.error_code);
        if code.is_none() {
            metadata.topics.insert(name.clone(), read_topic(name, topic));
        } else {
            errors.push((name, code));
        }
    }
    (metadata, errors)
}

fn read_topic(name: String, topic: MetadataResponseTopic) -> Topic {
    let mut partitions: Vec<Partition> = topic
        .partitions
        .into_iter()
        .map(|partition| Partition {
            index: partition.partition_index,
            leader: partition.leader_id,
            leader_epoch: partition.leader_epoch,
            replicas: partition.replica_nodes,
            isr: partition.isr_nodes,
            offline: partition.offline_replicas,
        })
        .collect();
    partitions.sort_by_key(|partition| partition.index);
    Topic { name, id: topic.topic_id, is_internal: topic.is_internal, partitions }
}
