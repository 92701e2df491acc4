// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `DescribeTransactionsResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeTransactionsResponse {
    pub throttle_time_ms: i32,
    pub transaction_states: Vec<TransactionState>,
}

impl Default for DescribeTransactionsResponse {
    fn default() -> Self {
        Self { throttle_time_ms: Default::default(), transaction_states: Default::default() }
    }
}

impl DescribeTransactionsResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.transaction_states = reader.array(flexible, 27, |reader| TransactionState::read(reader, version))?;
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
        writer.i32(self.throttle_time_ms);
        writer.array_length(self.transaction_states.len(), flexible)?;
        for element in &self.transaction_states {
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
impl DescribeTransactionsResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.throttle_time_ms = chance.i32();
        value.transaction_states = chance.array(|chance| TransactionState::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `TransactionState`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TransactionState {
    pub error_code: i16,
    pub transactional_id: String,
    pub transaction_state: String,
    pub transaction_timeout_ms: i32,
    pub transaction_start_time_ms: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub topics: Vec<TopicData>,
}

impl Default for TransactionState {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            transactional_id: Default::default(),
            transaction_state: Default::default(),
            transaction_timeout_ms: Default::default(),
            transaction_start_time_ms: Default::default(),
            producer_id: Default::default(),
            producer_epoch: Default::default(),
            topics: Default::default(),
        }
    }
}

impl TransactionState {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.transactional_id = reader.string(flexible)?;
        value.transaction_state = reader.string(flexible)?;
        value.transaction_timeout_ms = reader.i32()?;
        value.transaction_start_time_ms = reader.i64()?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        value.topics = reader.array(flexible, 2, |reader| TopicData::read(reader, version))?;
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
        writer.i16(self.error_code);
        writer.string(&self.transactional_id, flexible)?;
        writer.string(&self.transaction_state, flexible)?;
        writer.i32(self.transaction_timeout_ms);
        writer.i64(self.transaction_start_time_ms);
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
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
impl TransactionState {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        value.transactional_id = chance.string();
        value.transaction_state = chance.string();
        value.transaction_timeout_ms = chance.i32();
        value.transaction_start_time_ms = chance.i64();
        value.producer_id = chance.i64();
        value.producer_epoch = chance.i16();
        value.topics = chance.array(|chance| TopicData::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `TopicData`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TopicData {
    pub topic: String,
    pub partitions: Vec<i32>,
}

impl Default for TopicData {
    fn default() -> Self {
        Self { topic: Default::default(), partitions: Default::default() }
    }
}

impl TopicData {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.topic = reader.string(flexible)?;
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
        writer.string(&self.topic, flexible)?;
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
impl TopicData {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topic = chance.string();
        value.partitions = chance.array(|chance| chance.i32());
        let _ = (&chance, version);
        value
    }
}

impl Message for DescribeTransactionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
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
