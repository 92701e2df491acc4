//! Changes of a coordinator's state as records of its log, in Apache Kafka's formats.

use bytes::{Bytes, BytesMut};
use highwater_protocol::coordinator_record::{
    GroupMetadataKey, GroupMetadataValue, Key, OffsetCommitKey, OffsetCommitValue, Value, kind, read_key, read_value,
    write_key, write_value,
};
use highwater_protocol::ids::{LeaderEpoch, Offset, Timestamp};
use highwater_protocol::records::batch::{Batch, BatchHeader, stamp};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::{Record, records};

/// The version in which a group is written: older readers know it.
const GROUP_VERSION: i16 = 3;
/// The version that carries a topic's id.
const OFFSET_VERSION: i16 = 4;
/// The version that carries when an offset expires.
const EXPIRING_OFFSET_VERSION: i16 = 1;
/// No batch of ours is compressed, so this bounds nothing but a batch that is not ours.
const INFLATED_BYTES: usize = 256 << 20;

/// One record: a tombstone where there is no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) key: Bytes,
    pub(super) value: Option<Bytes>,
}

/// A record of the log, decoded.
pub(super) enum Decoded {
    Offset(OffsetCommitKey, Option<OffsetCommitValue>),
    Group(String, Option<GroupMetadataValue>),
    /// Of a kind that this release does not know, or needs nothing of.
    Other,
}

impl Change {
    pub(super) fn group(group: &str, value: Option<&GroupMetadataValue>) -> Self {
        let key = GroupMetadataKey { group: group.to_owned() };
        Self::new(&key, value.map(|value| (value, GROUP_VERSION)))
    }

    pub(super) fn offset(key: &OffsetCommitKey, value: Option<&OffsetCommitValue>) -> Self {
        let version = |value: &OffsetCommitValue| match value.expire_timestamp {
            -1 => OFFSET_VERSION,
            _ => EXPIRING_OFFSET_VERSION,
        };
        Self::new(key, value.map(|value| (value, version(value))))
    }

    fn new<K: Key, V: Value>(key: &K, value: Option<(&V, i16)>) -> Self {
        let fits = "the parts came in through requests whose strings are no longer";
        let value = value.map(|(value, version)| write_value(value, version).expect(fits));
        Self { key: write_key(key).expect(fits), value }
    }

    pub(super) fn decode(&self) -> Decoded {
        let ours = "a record of ours, whose CRC was checked, decodes";
        match kind(&self.key) {
            Some(OffsetCommitKey::KIND) => {
                let value = self.value.as_ref().map(|value| read_value(value).expect(ours));
                Decoded::Offset(read_key(&self.key).expect(ours), value)
            }
            Some(GroupMetadataKey::KIND) => {
                let value = self.value.as_ref().map(|value| read_value(value).expect(ours));
                Decoded::Group(read_key::<GroupMetadataKey>(&self.key).expect(ours).group, value)
            }
            _ => Decoded::Other,
        }
    }
}

/// One batch of these records.
pub(super) fn batch(changes: Vec<Change>, base: Offset, epoch: LeaderEpoch, wall: Timestamp) -> BytesMut {
    let mut builder = BatchBuilder::new(Compression::None);
    for Change { key, value } in changes {
        builder.push(&Record { timestamp: wall.0, key: Some(key), value, ..Record::default() });
    }
    let mut batch = builder.build().expect("records that fit one entry make a batch");
    stamp(&mut batch, base, epoch);
    batch
}

/// The records of a batch.
pub(super) fn read(header: &BatchHeader, bytes: &[u8]) -> impl Iterator<Item = Change> {
    let batch = Batch { header: *header, bytes: Bytes::copy_from_slice(bytes) };
    let read = records(&batch, INFLATED_BYTES).expect("a batch of ours, whose CRC was checked, is read");
    read.map(|record| {
        let Record { key, value, .. } = record.expect("a record of ours, whose CRC was checked, is read");
        Change { key: key.unwrap_or_default(), value }
    })
}
