// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `TxnOffsetCommitRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TxnOffsetCommitRequest {
    pub transactional_id: String,
    pub group_id: String,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub generation_id_or_member_epoch: i32,
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: Default::default(),
            group_id: Default::default(),
            producer_id: Default::default(),
            producer_epoch: Default::default(),
            generation_id_or_member_epoch: -1,
            member_id: Default::default(),
            group_instance_id: None,
            topics: Default::default(),
        }
    }
}

impl TxnOffsetCommitRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.transactional_id = reader.string(flexible)?;
        value.group_id = reader.string(flexible)?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        if version >= 3 {
            value.generation_id_or_member_epoch = reader.i32()?;
        }
        if version >= 3 {
            value.member_id = reader.string(flexible)?;
        }
        if version >= 3 {
            value.group_instance_id = not_null(reader.nullable_string(flexible)?, version >= 3)?;
        }
        value.topics = reader.array(flexible, 1, |reader| TxnOffsetCommitRequestTopic::read(reader, version))?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                let _ = tag;
                inner.skip_rest();
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.string(&self.transactional_id, flexible)?;
        writer.string(&self.group_id, flexible)?;
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        if version >= 3 {
            writer.i32(self.generation_id_or_member_epoch);
        } else if !(self.generation_id_or_member_epoch == -1) {
            return Err(EncodeError::missing("generation_id_or_member_epoch", version));
        }
        if version >= 3 {
            writer.string(&self.member_id, flexible)?;
        } else if !(self.member_id.is_empty()) {
            return Err(EncodeError::missing("member_id", version));
        }
        if version >= 3 {
            match &self.group_instance_id {
                None => {
                    if !(version >= 3) {
                        return Err(EncodeError::null("group_instance_id", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.group_instance_id.is_none()) {
            return Err(EncodeError::missing("group_instance_id", version));
        }
        writer.array_length(self.topics.len(), flexible)?;
        for element in &self.topics {
            element.write(writer, version)?;
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl TxnOffsetCommitRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.transactional_id = chance.string();
        value.group_id = chance.string();
        value.producer_id = chance.i64();
        value.producer_epoch = chance.i16();
        if version >= 3 {
            value.generation_id_or_member_epoch = chance.i32();
        }
        if version >= 3 {
            value.member_id = chance.string();
        }
        if version >= 3 {
            value.group_instance_id = chance.option(version >= 3, |chance| chance.string());
        }
        value.topics = chance.array(|chance| TxnOffsetCommitRequestTopic::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `TxnOffsetCommitRequestTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TxnOffsetCommitRequestTopic {
    pub name: String,
    pub topic_id: Uuid,
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

impl Default for TxnOffsetCommitRequestTopic {
    fn default() -> Self {
        Self { name: Default::default(), topic_id: Default::default(), partitions: Default::default() }
    }
}

impl TxnOffsetCommitRequestTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version <= 5 {
            value.name = reader.string(flexible)?;
        }
        if version >= 6 {
            value.topic_id = reader.uuid()?;
        }
        value.partitions =
            reader.array(flexible, 13, |reader| TxnOffsetCommitRequestPartition::read(reader, version))?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                let _ = tag;
                inner.skip_rest();
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version <= 5 {
            writer.string(&self.name, flexible)?;
        }
        if version >= 6 {
            writer.uuid(self.topic_id);
        }
        writer.array_length(self.partitions.len(), flexible)?;
        for element in &self.partitions {
            element.write(writer, version)?;
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl TxnOffsetCommitRequestTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 5 {
            value.name = chance.string();
        }
        if version >= 6 {
            value.topic_id = chance.uuid();
        }
        value.partitions = chance.array(|chance| TxnOffsetCommitRequestPartition::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `TxnOffsetCommitRequestPartition`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TxnOffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<String>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            committed_metadata: Some(Default::default()),
        }
    }
}

impl TxnOffsetCommitRequestPartition {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.committed_offset = reader.i64()?;
        if version >= 2 {
            value.committed_leader_epoch = reader.i32()?;
        }
        value.committed_metadata = reader.nullable_string(flexible)?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                let _ = tag;
                inner.skip_rest();
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.i32(self.partition_index);
        writer.i64(self.committed_offset);
        if version >= 2 {
            writer.i32(self.committed_leader_epoch);
        }
        match &self.committed_metadata {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl TxnOffsetCommitRequestPartition {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.partition_index = chance.i32();
        value.committed_offset = chance.i64();
        if version >= 2 {
            value.committed_leader_epoch = chance.i32();
        }
        value.committed_metadata = chance.option(true, |chance| chance.string());
        let _ = (&chance, version);
        value
    }
}

impl Message for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        version_is_known(Self::KEY, version).map_err(DecodeError::from)?;
        Self::read(reader, version)
    }
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        version_is_known(Self::KEY, version).map_err(EncodeError::from)?;
        self.write(writer, version)
    }
    #[cfg(any(test, feature = "testing"))]
    fn sample(chance: &mut crate::testing::Chance, version: i16) -> Self {
        Self::draw(chance, version)
    }
}

impl Request for TxnOffsetCommitRequest {
    type Response = super::TxnOffsetCommitResponse;
}
