// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `OffsetDeleteResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetDeleteResponse {
    pub error_code: i16,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl Default for OffsetDeleteResponse {
    fn default() -> Self {
        Self { error_code: Default::default(), throttle_time_ms: Default::default(), topics: Default::default() }
    }
}

impl OffsetDeleteResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.throttle_time_ms = reader.i32()?;
        value.topics = reader.array(flexible, 2, |reader| OffsetDeleteResponseTopic::read(reader, version))?;
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = false;
        writer.i16(self.error_code);
        writer.i32(self.throttle_time_ms);
        writer.array_length(self.topics.len(), flexible)?;
        for element in &self.topics {
            element.write(writer, version)?;
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetDeleteResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        value.throttle_time_ms = chance.i32();
        value.topics = chance.array(|chance| OffsetDeleteResponseTopic::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `OffsetDeleteResponseTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetDeleteResponseTopic {
    pub name: String,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl Default for OffsetDeleteResponseTopic {
    fn default() -> Self {
        Self { name: Default::default(), partitions: Default::default() }
    }
}

impl OffsetDeleteResponseTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.partitions = reader.array(flexible, 6, |reader| OffsetDeleteResponsePartition::read(reader, version))?;
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = false;
        writer.string(&self.name, flexible)?;
        writer.array_length(self.partitions.len(), flexible)?;
        for element in &self.partitions {
            element.write(writer, version)?;
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetDeleteResponseTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.name = chance.string();
        value.partitions = chance.array(|chance| OffsetDeleteResponsePartition::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `OffsetDeleteResponsePartition`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}

impl Default for OffsetDeleteResponsePartition {
    fn default() -> Self {
        Self { partition_index: Default::default(), error_code: Default::default() }
    }
}

impl OffsetDeleteResponsePartition {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = false;
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetDeleteResponsePartition {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.partition_index = chance.i32();
        value.error_code = chance.i16();
        let _ = (&chance, version);
        value
    }
}

impl Message for OffsetDeleteResponse {
    const KEY: ApiKey = ApiKey::OffsetDelete;
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
