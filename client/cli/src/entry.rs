//! A record as the command line sees it: what `consume` prints, and what `produce` reads.

use std::sync::Arc;

use bytes::Bytes;
use highwater_client::{Compression, ConsumerRecord, Header, Record};

/// A record. What was read need not say all of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: Option<i32>,
    pub(crate) offset: Option<i64>,
    pub(crate) leader_epoch: Option<i32>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) is_log_append_time: bool,
    pub(crate) compression: Compression,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<Header>,
}

impl From<ConsumerRecord> for Entry {
    fn from(record: ConsumerRecord) -> Self {
        Self {
            topic: record.topic,
            partition: Some(record.partition),
            offset: Some(record.offset),
            leader_epoch: Some(record.leader_epoch),
            timestamp: Some(record.timestamp),
            is_log_append_time: record.is_log_append_time,
            compression: record.compression,
            key: record.key,
            value: record.value,
            headers: record.headers,
        }
    }
}

impl Entry {
    /// The record to be sent; offset and epoch are the broker's to give.
    pub(crate) fn into_record(self) -> Record {
        let mut record = Record::new(&*self.topic);
        if let Some(partition) = self.partition {
            record = record.partition(partition);
        }
        if let Some(timestamp) = self.timestamp {
            record = record.timestamp(timestamp);
        }
        if let Some(key) = self.key {
            record = record.key(key);
        }
        if let Some(value) = self.value {
            record = record.value(value);
        }
        for header in self.headers {
            record = match header.value {
                Some(value) => record.header(header.key, value),
                None => record.null_header(header.key),
            };
        }
        record
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Null, or any bytes.
    fn bytes() -> impl Strategy<Value = Option<Bytes>> {
        proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from))
    }

    fn header() -> impl Strategy<Value = Header> {
        (bytes(), bytes()).prop_map(|(key, value)| Header { key: key.unwrap_or_default(), value })
    }

    /// Anything that a record may be. What only a broker gives is left out.
    pub(crate) fn entries() -> impl Strategy<Value = Entry> {
        let numbers = (0..i32::MAX, 0..i64::MAX, 0..i64::MAX);
        let headers = proptest::collection::vec(header(), 0..4);
        ("[a-z]{1,9}", numbers, bytes(), bytes(), headers).prop_map(|(topic, numbers, key, value, headers)| Entry {
            topic: Arc::from(topic),
            partition: Some(numbers.0),
            offset: Some(numbers.1),
            timestamp: Some(numbers.2),
            key,
            value,
            headers,
            ..Entry::default()
        })
    }
}
