// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ShareFetchRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ShareFetchRequest {
    pub group_id: Option<String>,
    pub member_id: Option<String>,
    pub share_session_epoch: i32,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub max_records: i32,
    pub batch_size: i32,
    pub share_acquire_mode: i8,
    pub is_renew_ack: bool,
    pub topics: Vec<FetchTopic>,
    pub forgotten_topics_data: Vec<ForgottenTopic>,
}

impl Default for ShareFetchRequest {
    fn default() -> Self {
        Self {
            group_id: None,
            member_id: Some(Default::default()),
            share_session_epoch: Default::default(),
            max_wait_ms: Default::default(),
            min_bytes: Default::default(),
            max_bytes: 2147483647,
            max_records: Default::default(),
            batch_size: Default::default(),
            share_acquire_mode: 0,
            is_renew_ack: false,
            topics: Default::default(),
            forgotten_topics_data: Default::default(),
        }
    }
}

impl ShareFetchRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.group_id = reader.nullable_string(flexible)?;
        value.member_id = reader.nullable_string(flexible)?;
        value.share_session_epoch = reader.i32()?;
        value.max_wait_ms = reader.i32()?;
        value.min_bytes = reader.i32()?;
        value.max_bytes = reader.i32()?;
        if version >= 1 {
            value.max_records = reader.i32()?;
        }
        if version >= 1 {
            value.batch_size = reader.i32()?;
        }
        if version >= 2 {
            value.share_acquire_mode = reader.i8()?;
        }
        if version >= 2 {
            value.is_renew_ack = reader.bool()?;
        }
        value.topics = reader.array(flexible, 17, |reader| FetchTopic::read(reader, version))?;
        value.forgotten_topics_data = reader.array(flexible, 17, |reader| ForgottenTopic::read(reader, version))?;
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
        let flexible = true;
        match &self.group_id {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        match &self.member_id {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        writer.i32(self.share_session_epoch);
        writer.i32(self.max_wait_ms);
        writer.i32(self.min_bytes);
        writer.i32(self.max_bytes);
        if version >= 1 {
            writer.i32(self.max_records);
        } else if !(self.max_records == Default::default()) {
            return Err(EncodeError::missing("max_records", version));
        }
        if version >= 1 {
            writer.i32(self.batch_size);
        } else if !(self.batch_size == Default::default()) {
            return Err(EncodeError::missing("batch_size", version));
        }
        if version >= 2 {
            writer.i8(self.share_acquire_mode);
        }
        if version >= 2 {
            writer.bool(self.is_renew_ack);
        } else if !(!self.is_renew_ack) {
            return Err(EncodeError::missing("is_renew_ack", version));
        }
        writer.array_length(self.topics.len(), flexible)?;
        for element in &self.topics {
            element.write(writer, version)?;
        }
        writer.array_length(self.forgotten_topics_data.len(), flexible)?;
        for element in &self.forgotten_topics_data {
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
impl ShareFetchRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = chance.option(true, |chance| chance.string());
        value.member_id = chance.option(true, |chance| chance.string());
        value.share_session_epoch = chance.i32();
        value.max_wait_ms = chance.i32();
        value.min_bytes = chance.i32();
        value.max_bytes = chance.i32();
        if version >= 1 {
            value.max_records = chance.i32();
        }
        if version >= 1 {
            value.batch_size = chance.i32();
        }
        if version >= 2 {
            value.share_acquire_mode = chance.i8();
        }
        if version >= 2 {
            value.is_renew_ack = chance.bool();
        }
        value.topics = chance.array(|chance| FetchTopic::draw(chance, version));
        value.forgotten_topics_data = chance.array(|chance| ForgottenTopic::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `FetchTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FetchTopic {
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
}

impl Default for FetchTopic {
    fn default() -> Self {
        Self { topic_id: Default::default(), partitions: Default::default() }
    }
}

impl FetchTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(flexible, 5, |reader| FetchPartition::read(reader, version))?;
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
        let flexible = true;
        writer.uuid(self.topic_id);
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
impl FetchTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = chance.uuid();
        value.partitions = chance.array(|chance| FetchPartition::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `FetchPartition`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FetchPartition {
    pub partition_index: i32,
    pub partition_max_bytes: i32,
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            partition_max_bytes: Default::default(),
            acknowledgement_batches: Default::default(),
        }
    }
}

impl FetchPartition {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        if version <= 0 {
            value.partition_max_bytes = reader.i32()?;
        }
        value.acknowledgement_batches =
            reader.array(flexible, 17, |reader| AcknowledgementBatch::read(reader, version))?;
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
        let flexible = true;
        writer.i32(self.partition_index);
        if version <= 0 {
            writer.i32(self.partition_max_bytes);
        } else if !(self.partition_max_bytes == Default::default()) {
            return Err(EncodeError::missing("partition_max_bytes", version));
        }
        writer.array_length(self.acknowledgement_batches.len(), flexible)?;
        for element in &self.acknowledgement_batches {
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
impl FetchPartition {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.partition_index = chance.i32();
        if version <= 0 {
            value.partition_max_bytes = chance.i32();
        }
        value.acknowledgement_batches = chance.array(|chance| AcknowledgementBatch::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `AcknowledgementBatch`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AcknowledgementBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub acknowledge_types: Vec<i8>,
}

impl Default for AcknowledgementBatch {
    fn default() -> Self {
        Self {
            first_offset: Default::default(),
            last_offset: Default::default(),
            acknowledge_types: Default::default(),
        }
    }
}

impl AcknowledgementBatch {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.first_offset = reader.i64()?;
        value.last_offset = reader.i64()?;
        value.acknowledge_types = reader.array(flexible, 1, |reader| reader.i8())?;
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
        let flexible = true;
        writer.i64(self.first_offset);
        writer.i64(self.last_offset);
        writer.array_length(self.acknowledge_types.len(), flexible)?;
        for element in &self.acknowledge_types {
            writer.i8(*element);
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl AcknowledgementBatch {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.first_offset = chance.i64();
        value.last_offset = chance.i64();
        value.acknowledge_types = chance.array(|chance| chance.i8());
        let _ = (&chance, version);
        value
    }
}

/// `ForgottenTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ForgottenTopic {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl Default for ForgottenTopic {
    fn default() -> Self {
        Self { topic_id: Default::default(), partitions: Default::default() }
    }
}

impl ForgottenTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(flexible, 4, |reader| reader.i32())?;
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
        let flexible = true;
        writer.uuid(self.topic_id);
        writer.array_length(self.partitions.len(), flexible)?;
        for element in &self.partitions {
            writer.i32(*element);
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ForgottenTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = chance.uuid();
        value.partitions = chance.array(|chance| chance.i32());
        let _ = (&chance, version);
        value
    }
}

impl Message for ShareFetchRequest {
    const KEY: ApiKey = ApiKey::ShareFetch;
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

impl Request for ShareFetchRequest {
    type Response = super::ShareFetchResponse;
}
