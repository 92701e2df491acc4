// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `AddPartitionsToTxnTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AddPartitionsToTxnTopic {
    pub name: String,
    pub partitions: Vec<i32>,
}

impl Default for AddPartitionsToTxnTopic {
    fn default() -> Self {
        Self { name: Default::default(), partitions: Default::default() }
    }
}

impl AddPartitionsToTxnTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
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
        let flexible = version >= 3;
        writer.string(&self.name, flexible)?;
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
impl AddPartitionsToTxnTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.name = chance.string();
        value.partitions = chance.array(|chance| chance.i32());
        let _ = (&chance, version);
        value
    }
}

/// `AddPartitionsToTxnRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AddPartitionsToTxnRequest {
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    pub v3_and_below_transactional_id: String,
    pub v3_and_below_producer_id: i64,
    pub v3_and_below_producer_epoch: i16,
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Default for AddPartitionsToTxnRequest {
    fn default() -> Self {
        Self {
            transactions: Default::default(),
            v3_and_below_transactional_id: Default::default(),
            v3_and_below_producer_id: Default::default(),
            v3_and_below_producer_epoch: Default::default(),
            v3_and_below_topics: Default::default(),
        }
    }
}

impl AddPartitionsToTxnRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 4 {
            value.transactions =
                reader.array(flexible, 1, |reader| AddPartitionsToTxnTransaction::read(reader, version))?;
        }
        if version <= 3 {
            value.v3_and_below_transactional_id = reader.string(flexible)?;
        }
        if version <= 3 {
            value.v3_and_below_producer_id = reader.i64()?;
        }
        if version <= 3 {
            value.v3_and_below_producer_epoch = reader.i16()?;
        }
        if version <= 3 {
            value.v3_and_below_topics =
                reader.array(flexible, 2, |reader| AddPartitionsToTxnTopic::read(reader, version))?;
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
            writer.array_length(self.transactions.len(), flexible)?;
            for element in &self.transactions {
                element.write(writer, version)?;
            }
        } else if !(self.transactions.is_empty()) {
            return Err(EncodeError::missing("transactions", version));
        }
        if version <= 3 {
            writer.string(&self.v3_and_below_transactional_id, flexible)?;
        } else if !(self.v3_and_below_transactional_id.is_empty()) {
            return Err(EncodeError::missing("v3_and_below_transactional_id", version));
        }
        if version <= 3 {
            writer.i64(self.v3_and_below_producer_id);
        } else if !(self.v3_and_below_producer_id == Default::default()) {
            return Err(EncodeError::missing("v3_and_below_producer_id", version));
        }
        if version <= 3 {
            writer.i16(self.v3_and_below_producer_epoch);
        } else if !(self.v3_and_below_producer_epoch == Default::default()) {
            return Err(EncodeError::missing("v3_and_below_producer_epoch", version));
        }
        if version <= 3 {
            writer.array_length(self.v3_and_below_topics.len(), flexible)?;
            for element in &self.v3_and_below_topics {
                element.write(writer, version)?;
            }
        } else if !(self.v3_and_below_topics.is_empty()) {
            return Err(EncodeError::missing("v3_and_below_topics", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl AddPartitionsToTxnRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 4 {
            value.transactions = chance.array(|chance| AddPartitionsToTxnTransaction::draw(chance, version));
        }
        if version <= 3 {
            value.v3_and_below_transactional_id = chance.string();
        }
        if version <= 3 {
            value.v3_and_below_producer_id = chance.i64();
        }
        if version <= 3 {
            value.v3_and_below_producer_epoch = chance.i16();
        }
        if version <= 3 {
            value.v3_and_below_topics = chance.array(|chance| AddPartitionsToTxnTopic::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `AddPartitionsToTxnTransaction`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AddPartitionsToTxnTransaction {
    pub transactional_id: String,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Default for AddPartitionsToTxnTransaction {
    fn default() -> Self {
        Self {
            transactional_id: Default::default(),
            producer_id: Default::default(),
            producer_epoch: Default::default(),
            verify_only: false,
            topics: Default::default(),
        }
    }
}

impl AddPartitionsToTxnTransaction {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 4 {
            value.transactional_id = reader.string(flexible)?;
        }
        if version >= 4 {
            value.producer_id = reader.i64()?;
        }
        if version >= 4 {
            value.producer_epoch = reader.i16()?;
        }
        if version >= 4 {
            value.verify_only = reader.bool()?;
        }
        if version >= 4 {
            value.topics = reader.array(flexible, 2, |reader| AddPartitionsToTxnTopic::read(reader, version))?;
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
            writer.i64(self.producer_id);
        } else if !(self.producer_id == Default::default()) {
            return Err(EncodeError::missing("producer_id", version));
        }
        if version >= 4 {
            writer.i16(self.producer_epoch);
        } else if !(self.producer_epoch == Default::default()) {
            return Err(EncodeError::missing("producer_epoch", version));
        }
        if version >= 4 {
            writer.bool(self.verify_only);
        } else if !(!self.verify_only) {
            return Err(EncodeError::missing("verify_only", version));
        }
        if version >= 4 {
            writer.array_length(self.topics.len(), flexible)?;
            for element in &self.topics {
                element.write(writer, version)?;
            }
        } else if !(self.topics.is_empty()) {
            return Err(EncodeError::missing("topics", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl AddPartitionsToTxnTransaction {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 4 {
            value.transactional_id = chance.string();
        }
        if version >= 4 {
            value.producer_id = chance.i64();
        }
        if version >= 4 {
            value.producer_epoch = chance.i16();
        }
        if version >= 4 {
            value.verify_only = chance.bool();
        }
        if version >= 4 {
            value.topics = chance.array(|chance| AddPartitionsToTxnTopic::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for AddPartitionsToTxnRequest {
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

impl Request for AddPartitionsToTxnRequest {
    type Response = super::AddPartitionsToTxnResponse;
}
