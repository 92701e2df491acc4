//! What the controller writes into its log. A snapshot is the list of changes that makes the image out of nothing. Fields are
//! only ever added.

use prost::{Message, Oneof};

/// Changes that happen together.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Command {
    #[prost(message, repeated, tag = "1")]
    pub(super) changes: Vec<Change>,
}

/// One change.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Change {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    pub(super) kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Kind {
    #[prost(bytes, tag = "1")]
    Cluster(Vec<u8>),
    #[prost(message, tag = "2")]
    Broker(BrokerChange),
    #[prost(message, tag = "3")]
    Topic(TopicChange),
    #[prost(bytes, tag = "4")]
    TopicGone(Vec<u8>),
    #[prost(message, tag = "5")]
    Config(ConfigChange),
    #[prost(int64, tag = "6")]
    NextProducerId(i64),
    #[prost(uint64, tag = "7")]
    NextRaftId(u64),
    #[prost(message, tag = "8")]
    Feature(FeatureChange),
    /// Snapshots only: levels that came one after the other count more than once.
    #[prost(int64, tag = "9")]
    FeaturesEpoch(i64),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BrokerChange {
    #[prost(int32, tag = "1")]
    pub(super) node_id: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) directory_id: Vec<u8>,
    #[prost(string, optional, tag = "3")]
    pub(super) rack: Option<String>,
    #[prost(message, repeated, tag = "4")]
    pub(super) listeners: Vec<ListenerChange>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ListenerChange {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) host: String,
    #[prost(uint32, tag = "3")]
    pub(super) port: u32,
}

/// A topic as it is from now on.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TopicChange {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) id: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    pub(super) partitions: Vec<PartitionChange>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PartitionChange {
    #[prost(message, repeated, tag = "1")]
    pub(super) replicas: Vec<ReplicaChange>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReplicaChange {
    #[prost(int32, tag = "1")]
    pub(super) node_id: i32,
    #[prost(uint64, tag = "2")]
    pub(super) raft_id: u64,
}

/// A setting; without a value it is set no more.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigChange {
    #[prost(int32, tag = "1")]
    pub(super) resource_type: i32,
    #[prost(string, tag = "2")]
    pub(super) resource: String,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, optional, tag = "4")]
    pub(super) value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FeatureChange {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int32, tag = "2")]
    pub(super) level: i32,
}

impl From<Kind> for Change {
    fn from(kind: Kind) -> Self {
        Self { kind: Some(kind) }
    }
}

impl Change {
    pub(super) fn next_producer_id(id: i64) -> Self {
        Kind::NextProducerId(id).into()
    }
}
