// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `AddPartitionsToTxnTopicResult`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AddPartitionsToTxnTopicResult {
    pub name: String,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Default for AddPartitionsToTxnTopicResult {
    fn default() -> Self {
        Self { name: Default::default(), results_by_partition: Default::default() }
    }
}

impl AddPartitionsToTxnTopicResult {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.results_by_partition =
            reader.array(flexible, 6, |reader| AddPartitionsToTxnPartitionResult::read(reader, version))?;
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
        writer.string(&self.name, flexible)?;
        writer.array_length(self.results_by_partition.len(), flexible)?;
        for element in &self.results_by_partition {
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
impl AddPartitionsToTxnTopicResult {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.name = chance.string();
        value.results_by_partition = chance.array(|chance| AddPartitionsToTxnPartitionResult::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `AddPartitionsToTxnPartitionResult`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
}

impl Default for AddPartitionsToTxnPartitionResult {
    fn default() -> Self {
        Self { partition_index: Default::default(), partition_error_code: Default::default() }
    }
}

impl AddPartitionsToTxnPartitionResult {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.partition_error_code = reader.i16()?;
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
        writer.i16(self.partition_error_code);
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl AddPartitionsToTxnPartitionResult {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.partition_index = chance.i32();
        value.partition_error_code = chance.i16();
        let _ = (&chance, version);
        value
    }
}

/// `AddPartitionsToTxnResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AddPartitionsToTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Default for AddPartitionsToTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            results_by_transaction: Default::default(),
            results_by_topic_v3_and_below: Default::default(),
        }
    }
}

impl AddPartitionsToTxnResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        if version >= 4 {
            value.error_code = reader.i16()?;
        }
        if version >= 4 {
            value.results_by_transaction =
                reader.array(flexible, 1, |reader| AddPartitionsToTxnResult::read(reader, version))?;
        }
        if version <= 3 {
            value.results_by_topic_v3_and_below =
                reader.array(flexible, 2, |reader| AddPartitionsToTxnTopicResult::read(reader, version))?;
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
        let flexible = version >= 3;
        writer.i32(self.throttle_time_ms);
        if version >= 4 {
            writer.i16(self.error_code);
        }
        if version >= 4 {
            writer.array_length(self.results_by_transaction.len(), flexible)?;
            for element in &self.results_by_transaction {
                element.write(writer, version)?;
            }
        } else if !(self.results_by_transaction.is_empty()) {
            return Err(EncodeError::missing("results_by_transaction", version));
        }
        if version <= 3 {
            writer.array_length(self.results_by_topic_v3_and_below.len(), flexible)?;
            for element in &self.results_by_topic_v3_and_below {
                element.write(writer, version)?;
            }
        } else if !(self.results_by_topic_v3_and_below.is_empty()) {
            return Err(EncodeError::missing("results_by_topic_v3_and_below", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl AddPartitionsToTxnResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.throttle_time_ms = chance.i32();
        if version >= 4 {
            value.error_code = chance.i16();
        }
        if version >= 4 {
            value.results_by_transaction = chance.array(|chance| AddPartitionsToTxnResult::draw(chance, version));
        }
        if version <= 3 {
            value.results_by_topic_v3_and_below =
                chance.array(|chance| AddPartitionsToTxnTopicResult::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `AddPartitionsToTxnResult`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AddPartitionsToTxnResult {
    pub transactional_id: String,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Default for AddPartitionsToTxnResult {
    fn default() -> Self {
        Self { transactional_id: Default::default(), topic_results: Default::default() }
    }
}

impl AddPartitionsToTxnResult {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 4 {
            value.transactional_id = reader.string(flexible)?;
        }
        if version >= 4 {
            value.topic_results =
                reader.array(flexible, 2, |reader| AddPartitionsToTxnTopicResult::read(reader, version))?;
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
        let flexible = version >= 3;
        if version >= 4 {
            writer.string(&self.transactional_id, flexible)?;
        } else if !(self.transactional_id.is_empty()) {
            return Err(EncodeError::missing("transactional_id", version));
        }
        if version >= 4 {
            writer.array_length(self.topic_results.len(), flexible)?;
            for element in &self.topic_results {
                element.write(writer, version)?;
            }
        } else if !(self.topic_results.is_empty()) {
            return Err(EncodeError::missing("topic_results", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl AddPartitionsToTxnResult {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 4 {
            value.transactional_id = chance.string();
        }
        if version >= 4 {
            value.topic_results = chance.array(|chance| AddPartitionsToTxnTopicResult::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for AddPartitionsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
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
