//! Changes of a coordinator's state as records of its log, in Apache Kafka's formats.

use bytes::{Bytes, BytesMut};
use highwater_protocol::coordinator_record::consumer_group_target_assignment_member_value::TopicPartition;
use highwater_protocol::coordinator_record::{
    ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataKey,
    ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataKey, ConsumerGroupMetadataValue,
    ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue, ConsumerGroupTargetAssignmentMemberKey,
    ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupTargetAssignmentMetadataKey,
    ConsumerGroupTargetAssignmentMetadataValue, GroupMetadataKey, GroupMetadataValue, Key, OffsetCommitKey,
    OffsetCommitValue, Value, kind, read_key, read_value, write_key, write_value,
};
use highwater_protocol::ids::{LeaderEpoch, Offset, Timestamp};
use highwater_protocol::records::batch::{Batch, BatchHeader, stamp};
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::{Record, records};

use super::consumer::{Member, Partitions, Resolved};

/// The version in which a group is written: older readers know it.
const GROUP_VERSION: i16 = 3;
/// The version that carries a topic's id.
const OFFSET_VERSION: i16 = 4;
/// The version that carries when an offset expires.
const EXPIRING_OFFSET_VERSION: i16 = 1;
/// There is one version of each record of a consumer group.
const CONSUMER_VERSION: i16 = 0;
/// No batch of ours is compressed, so that its records take no more than it has bytes.
const INFLATED_BYTES: usize = usize::MAX;

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
    ConsumerGroup(String, Option<ConsumerGroupMetadataValue>),
    ConsumerMember(ConsumerGroupMemberMetadataKey, Option<ConsumerGroupMemberMetadataValue>),
    Target(String, Option<ConsumerGroupTargetAssignmentMetadataValue>),
    TargetMember(ConsumerGroupTargetAssignmentMemberKey, Option<ConsumerGroupTargetAssignmentMemberValue>),
    Assignment(ConsumerGroupCurrentMemberAssignmentKey, Option<ConsumerGroupCurrentMemberAssignmentValue>),
    Regex(ConsumerGroupRegularExpressionKey, Option<ConsumerGroupRegularExpressionValue>),
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

    pub(super) fn consumer(group: &str) -> ConsumerChange<'_> {
        ConsumerChange(group)
    }

    pub(super) fn decode(&self) -> Decoded {
        match kind(&self.key) {
            Some(OffsetCommitKey::KIND) => Decoded::Offset(self.decoded_key(), self.decoded_value()),
            Some(GroupMetadataKey::KIND) => {
                Decoded::Group(self.decoded_key::<GroupMetadataKey>().group, self.decoded_value())
            }
            Some(ConsumerGroupMetadataKey::KIND) => {
                Decoded::ConsumerGroup(self.decoded_key::<ConsumerGroupMetadataKey>().group_id, self.decoded_value())
            }
            Some(ConsumerGroupMemberMetadataKey::KIND) => {
                Decoded::ConsumerMember(self.decoded_key(), self.decoded_value())
            }
            Some(ConsumerGroupTargetAssignmentMetadataKey::KIND) => {
                let key: ConsumerGroupTargetAssignmentMetadataKey = self.decoded_key();
                Decoded::Target(key.group_id, self.decoded_value())
            }
            Some(ConsumerGroupTargetAssignmentMemberKey::KIND) => {
                Decoded::TargetMember(self.decoded_key(), self.decoded_value())
            }
            Some(ConsumerGroupCurrentMemberAssignmentKey::KIND) => {
                Decoded::Assignment(self.decoded_key(), self.decoded_value())
            }
            Some(ConsumerGroupRegularExpressionKey::KIND) => Decoded::Regex(self.decoded_key(), self.decoded_value()),
            _ => Decoded::Other,
        }
    }

    fn decoded_key<K: Key>(&self) -> K {
        read_key(&self.key).expect("a key of ours, whose CRC was checked, decodes")
    }

    fn decoded_value<V: Value>(&self) -> Option<V> {
        self.value.as_ref().map(|value| read_value(value).expect("a value of ours, whose CRC was checked, decodes"))
    }
}

/// The records of a consumer group; nothing is a tombstone.
pub(super) struct ConsumerChange<'a>(&'a str);

impl ConsumerChange<'_> {
    /// Its epoch, and the hash of its topics.
    pub(super) fn metadata(&self, value: Option<(i32, i64)>) -> Change {
        let key = ConsumerGroupMetadataKey { group_id: self.0.to_owned() };
        let value = value.map(|(epoch, metadata_hash)| ConsumerGroupMetadataValue { epoch, metadata_hash });
        Change::new(&key, value.as_ref().map(|value| (value, CONSUMER_VERSION)))
    }

    /// What a member is, and subscribes to.
    pub(super) fn member(&self, id: &str, member: Option<&Member>) -> Change {
        let key = ConsumerGroupMemberMetadataKey { group_id: self.0.to_owned(), member_id: id.to_owned() };
        let value = member.map(Member::metadata);
        Change::new(&key, value.as_ref().map(|value| (value, CONSUMER_VERSION)))
    }

    /// The epoch of the target, and when it was computed.
    pub(super) fn target(&self, value: Option<(i32, i64)>) -> Change {
        let key = ConsumerGroupTargetAssignmentMetadataKey { group_id: self.0.to_owned() };
        let value = value.map(|(assignment_epoch, assignment_timestamp)| ConsumerGroupTargetAssignmentMetadataValue {
            assignment_epoch,
            assignment_timestamp,
        });
        Change::new(&key, value.as_ref().map(|value| (value, CONSUMER_VERSION)))
    }

    /// A member's part of the target.
    pub(super) fn target_member(&self, id: &str, target: Option<&Partitions>) -> Change {
        let key = ConsumerGroupTargetAssignmentMemberKey { group_id: self.0.to_owned(), member_id: id.to_owned() };
        let value = target.map(|target| {
            let topics = target.iter().map(|(topic_id, partitions)| TopicPartition {
                topic_id: *topic_id,
                partitions: partitions.iter().copied().collect(),
            });
            ConsumerGroupTargetAssignmentMemberValue { topic_partitions: topics.collect() }
        });
        Change::new(&key, value.as_ref().map(|value| (value, CONSUMER_VERSION)))
    }

    /// How far a member is, and what it has.
    pub(super) fn assignment(&self, id: &str, member: Option<&Member>) -> Change {
        let key = ConsumerGroupCurrentMemberAssignmentKey { group_id: self.0.to_owned(), member_id: id.to_owned() };
        let value = member.map(Member::assignment);
        Change::new(&key, value.as_ref().map(|value| (value, CONSUMER_VERSION)))
    }

    /// The topics that an expression matched.
    pub(super) fn regex(&self, regex: &str, resolved: Option<&Resolved>) -> Change {
        let key =
            ConsumerGroupRegularExpressionKey { group_id: self.0.to_owned(), regular_expression: regex.to_owned() };
        let value = resolved.map(|resolved| ConsumerGroupRegularExpressionValue {
            topics: resolved.topics.iter().cloned().collect(),
            version: resolved.version,
            timestamp: resolved.timestamp,
        });
        Change::new(&key, value.as_ref().map(|value| (value, CONSUMER_VERSION)))
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
