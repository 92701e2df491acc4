// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `OffsetFetchResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetFetchResponseTopic>,
    pub error_code: i16,
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl Default for OffsetFetchResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            topics: Default::default(),
            error_code: 0,
            groups: Default::default(),
        }
    }
}

impl OffsetFetchResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 3 {
            value.throttle_time_ms = reader.i32()?;
        }
        if version <= 7 {
            value.topics = reader.array(flexible, 1, |reader| OffsetFetchResponseTopic::read(reader, version))?;
        }
        if (2..=7).contains(&version) {
            value.error_code = reader.i16()?;
        }
        if version >= 8 {
            value.groups = reader.array(flexible, 1, |reader| OffsetFetchResponseGroup::read(reader, version))?;
        }
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
        let flexible = version >= 6;
        if version >= 3 {
            writer.i32(self.throttle_time_ms);
        }
        if version <= 7 {
            writer.array_length(self.topics.len(), flexible)?;
            for element in &self.topics {
                element.write(writer, version)?;
            }
        } else if !(self.topics.is_empty()) {
            return Err(EncodeError::missing("topics", version));
        }
        if (2..=7).contains(&version) {
            writer.i16(self.error_code);
        }
        if version >= 8 {
            writer.array_length(self.groups.len(), flexible)?;
            for element in &self.groups {
                element.write(writer, version)?;
            }
        } else if !(self.groups.is_empty()) {
            return Err(EncodeError::missing("groups", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 3 {
            value.throttle_time_ms = chance.i32();
        }
        if version <= 7 {
            value.topics = chance.array(|chance| OffsetFetchResponseTopic::draw(chance, version));
        }
        if (2..=7).contains(&version) {
            value.error_code = chance.i16();
        }
        if version >= 8 {
            value.groups = chance.array(|chance| OffsetFetchResponseGroup::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchResponseTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchResponseTopic {
    pub name: String,
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl Default for OffsetFetchResponseTopic {
    fn default() -> Self {
        Self { name: Default::default(), partitions: Default::default() }
    }
}

impl OffsetFetchResponseTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version <= 7 {
            value.name = reader.string(flexible)?;
        }
        if version <= 7 {
            value.partitions =
                reader.array(flexible, 1, |reader| OffsetFetchResponsePartition::read(reader, version))?;
        }
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
        let flexible = version >= 6;
        if version <= 7 {
            writer.string(&self.name, flexible)?;
        } else if !(self.name.is_empty()) {
            return Err(EncodeError::missing("name", version));
        }
        if version <= 7 {
            writer.array_length(self.partitions.len(), flexible)?;
            for element in &self.partitions {
                element.write(writer, version)?;
            }
        } else if !(self.partitions.is_empty()) {
            return Err(EncodeError::missing("partitions", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchResponseTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 7 {
            value.name = chance.string();
        }
        if version <= 7 {
            value.partitions = chance.array(|chance| OffsetFetchResponsePartition::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchResponsePartition`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchResponsePartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub metadata: Option<String>,
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            metadata: Some(Default::default()),
            error_code: Default::default(),
        }
    }
}

impl OffsetFetchResponsePartition {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version <= 7 {
            value.partition_index = reader.i32()?;
        }
        if version <= 7 {
            value.committed_offset = reader.i64()?;
        }
        if (5..=7).contains(&version) {
            value.committed_leader_epoch = reader.i32()?;
        }
        if version <= 7 {
            value.metadata = not_null(reader.nullable_string(flexible)?, version <= 7)?;
        }
        if version <= 7 {
            value.error_code = reader.i16()?;
        }
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
        let flexible = version >= 6;
        if version <= 7 {
            writer.i32(self.partition_index);
        } else if !(self.partition_index == Default::default()) {
            return Err(EncodeError::missing("partition_index", version));
        }
        if version <= 7 {
            writer.i64(self.committed_offset);
        } else if !(self.committed_offset == Default::default()) {
            return Err(EncodeError::missing("committed_offset", version));
        }
        if (5..=7).contains(&version) {
            writer.i32(self.committed_leader_epoch);
        }
        if version <= 7 {
            match &self.metadata {
                None => {
                    if !(version <= 7) {
                        return Err(EncodeError::null("metadata", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.metadata == Some(Default::default())) {
            return Err(EncodeError::missing("metadata", version));
        }
        if version <= 7 {
            writer.i16(self.error_code);
        } else if !(self.error_code == Default::default()) {
            return Err(EncodeError::missing("error_code", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchResponsePartition {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 7 {
            value.partition_index = chance.i32();
        }
        if version <= 7 {
            value.committed_offset = chance.i64();
        }
        if (5..=7).contains(&version) {
            value.committed_leader_epoch = chance.i32();
        }
        if version <= 7 {
            value.metadata = chance.option(version <= 7, |chance| chance.string());
        }
        if version <= 7 {
            value.error_code = chance.i16();
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchResponseGroup`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchResponseGroup {
    pub group_id: String,
    pub topics: Vec<OffsetFetchResponseTopics>,
    pub error_code: i16,
}

impl Default for OffsetFetchResponseGroup {
    fn default() -> Self {
        Self { group_id: Default::default(), topics: Default::default(), error_code: 0 }
    }
}

impl OffsetFetchResponseGroup {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 8 {
            value.group_id = reader.string(flexible)?;
        }
        if version >= 8 {
            value.topics = reader.array(flexible, 1, |reader| OffsetFetchResponseTopics::read(reader, version))?;
        }
        if version >= 8 {
            value.error_code = reader.i16()?;
        }
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
        let flexible = version >= 6;
        if version >= 8 {
            writer.string(&self.group_id, flexible)?;
        } else if !(self.group_id.is_empty()) {
            return Err(EncodeError::missing("group_id", version));
        }
        if version >= 8 {
            writer.array_length(self.topics.len(), flexible)?;
            for element in &self.topics {
                element.write(writer, version)?;
            }
        } else if !(self.topics.is_empty()) {
            return Err(EncodeError::missing("topics", version));
        }
        if version >= 8 {
            writer.i16(self.error_code);
        } else if !(self.error_code == 0) {
            return Err(EncodeError::missing("error_code", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchResponseGroup {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 8 {
            value.group_id = chance.string();
        }
        if version >= 8 {
            value.topics = chance.array(|chance| OffsetFetchResponseTopics::draw(chance, version));
        }
        if version >= 8 {
            value.error_code = chance.i16();
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchResponseTopics`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchResponseTopics {
    pub name: String,
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl Default for OffsetFetchResponseTopics {
    fn default() -> Self {
        Self { name: Default::default(), topic_id: Default::default(), partitions: Default::default() }
    }
}

impl OffsetFetchResponseTopics {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if (8..=9).contains(&version) {
            value.name = reader.string(flexible)?;
        }
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        if version >= 8 {
            value.partitions =
                reader.array(flexible, 1, |reader| OffsetFetchResponsePartitions::read(reader, version))?;
        }
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
        let flexible = version >= 6;
        if (8..=9).contains(&version) {
            writer.string(&self.name, flexible)?;
        }
        if version >= 10 {
            writer.uuid(self.topic_id);
        }
        if version >= 8 {
            writer.array_length(self.partitions.len(), flexible)?;
            for element in &self.partitions {
                element.write(writer, version)?;
            }
        } else if !(self.partitions.is_empty()) {
            return Err(EncodeError::missing("partitions", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchResponseTopics {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if (8..=9).contains(&version) {
            value.name = chance.string();
        }
        if version >= 10 {
            value.topic_id = chance.uuid();
        }
        if version >= 8 {
            value.partitions = chance.array(|chance| OffsetFetchResponsePartitions::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchResponsePartitions`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchResponsePartitions {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub metadata: Option<String>,
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            metadata: Some(Default::default()),
            error_code: Default::default(),
        }
    }
}

impl OffsetFetchResponsePartitions {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 8 {
            value.partition_index = reader.i32()?;
        }
        if version >= 8 {
            value.committed_offset = reader.i64()?;
        }
        if version >= 8 {
            value.committed_leader_epoch = reader.i32()?;
        }
        if version >= 8 {
            value.metadata = not_null(reader.nullable_string(flexible)?, version >= 8)?;
        }
        if version >= 8 {
            value.error_code = reader.i16()?;
        }
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
        let flexible = version >= 6;
        if version >= 8 {
            writer.i32(self.partition_index);
        } else if !(self.partition_index == Default::default()) {
            return Err(EncodeError::missing("partition_index", version));
        }
        if version >= 8 {
            writer.i64(self.committed_offset);
        } else if !(self.committed_offset == Default::default()) {
            return Err(EncodeError::missing("committed_offset", version));
        }
        if version >= 8 {
            writer.i32(self.committed_leader_epoch);
        }
        if version >= 8 {
            match &self.metadata {
                None => {
                    if !(version >= 8) {
                        return Err(EncodeError::null("metadata", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.metadata == Some(Default::default())) {
            return Err(EncodeError::missing("metadata", version));
        }
        if version >= 8 {
            writer.i16(self.error_code);
        } else if !(self.error_code == Default::default()) {
            return Err(EncodeError::missing("error_code", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchResponsePartitions {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 8 {
            value.partition_index = chance.i32();
        }
        if version >= 8 {
            value.committed_offset = chance.i64();
        }
        if version >= 8 {
            value.committed_leader_epoch = chance.i32();
        }
        if version >= 8 {
            value.metadata = chance.option(version >= 8, |chance| chance.string());
        }
        if version >= 8 {
            value.error_code = chance.i16();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for OffsetFetchResponse {
    const KEY: ApiKey = ApiKey::OffsetFetch;
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
