//! Records as users see them.

use bytes::Bytes;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Header;

/// A record to be sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[must_use]
pub struct Record {
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<Header>,
}

impl Record {
    /// A record for a topic: no key, and a null value until one is given.
    pub fn new(topic: impl Into<String>) -> Self {
        Self { topic: topic.into(), ..Self::default() }
    }

    /// Its key.
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Its value.
    pub fn value(mut self, value: impl Into<Bytes>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// One more header.
    pub fn header(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.headers.push(Header { key: key.into(), value: Some(value.into()) });
        self
    }

    /// One more header, whose value is null.
    pub fn null_header(mut self, key: impl Into<Bytes>) -> Self {
        self.headers.push(Header { key: key.into(), value: None });
        self
    }

    /// Where it goes, instead of where the partitioner would send it.
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Milliseconds since the epoch, instead of now.
    pub fn timestamp(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// About what it takes in a batch before compression; never less than what it really takes.
    pub(crate) fn size(&self) -> usize {
        /// Lengths, deltas and attributes of a record, and lengths of a header, at their longest.
        const OVERHEAD: usize = 48;
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let headers = self.headers.iter().map(|header| header.key.len() + length(&header.value) + OVERHEAD);
        headers.sum::<usize>() + length(&self.key) + length(&self.value) + OVERHEAD
    }
}

/// Where a record went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordMeta {
    /// Which topic.
    pub topic: String,
    /// Which partition.
    pub partition: i32,
    /// Its offset; -1 where the producer does not wait for the broker.
    pub offset: i64,
    /// Its timestamp, the broker's where the topic says so.
    pub timestamp: i64,
}

/// A record that was read. It shares memory with the response that brought it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerRecord {
    /// From which topic.
    pub topic: std::sync::Arc<str>,
    /// From which partition.
    pub partition: i32,
    /// The epoch of the leader that took it.
    pub leader_epoch: i32,
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// Whether the timestamp is when the broker took it, and not when it was made.
    pub is_log_append_time: bool,
    /// How its batch was compressed.
    pub compression: Compression,
    /// May be null.
    pub key: Option<Bytes>,
    /// Null is a tombstone.
    pub value: Option<Bytes>,
    /// In order, duplicates kept.
    pub headers: Vec<Header>,
}
