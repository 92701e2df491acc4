//! Producer, consumer and admin in pure Rust, for any cluster that speaks the Kafka protocol.
//!
//! A [`Client`] is connected once and cloned freely. [`Client::producer`], [`Client::consumer`] and [`Client::admin`] hand
//! out what works with it. Nothing here blocks a thread, and dropping anything does no I/O.
//!
//! Deliberately absent so far: transactions, TLS and SASL.

#![forbid(unsafe_code)]

pub mod admin;
pub mod cluster;
mod connection;
pub mod consumer;
mod coordinator;
mod error;
pub mod group;
pub mod producer;
mod property;
mod record;

pub use cluster::{Broker, Client, ClientBuilder, Metadata, Partition, Reached, Topic};
pub use consumer::{Consumer, ConsumerBuilder, StartFrom};
pub use error::{Error, Kind, Result};
pub use group::{Assignor, Commit, GroupProtocol, OffsetAndMetadata, TopicPartition};
pub use highwater_protocol::error_code::ErrorCode;
pub use highwater_protocol::records::compression::Compression;
pub use highwater_protocol::records::record::Header;
pub use producer::{Acks, Delivery, Producer, ProducerBuilder, TryEnqueue};
pub use record::{ConsumerRecord, Record, RecordMeta};

/// The guide's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/client.md")]
mod guide {}
