// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ElectLeadersRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ElectLeadersRequest {
    pub election_type: i8,
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    pub timeout_ms: i32,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        Self { election_type: Default::default(), topic_partitions: Some(Default::default()), timeout_ms: 60000 }
    }
}

impl ElectLeadersRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        if version >= 1 {
            value.election_type = reader.i8()?;
        }
        value.topic_partitions = reader.nullable_array(flexible, 2, |reader| TopicPartitions::read(reader, version))?;
        value.timeout_ms = reader.i32()?;
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
        let flexible = version >= 2;
        if version >= 1 {
            writer.i8(self.election_type);
        } else if !(self.election_type == Default::default()) {
            return Err(EncodeError::missing("election_type", version));
        }
        match &self.topic_partitions {
            None => {
                writer.null_array(flexible);
            }
            Some(elements) => {
                writer.array_length(elements.len(), flexible)?;
                for element in elements {
                    element.write(writer, version)?;
                }
            }
        }
        writer.i32(self.timeout_ms);
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ElectLeadersRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 1 {
            value.election_type = chance.i8();
        }
        value.topic_partitions =
            chance.option(true, |chance| chance.array(|chance| TopicPartitions::draw(chance, version)));
        value.timeout_ms = chance.i32();
        let _ = (&chance, version);
        value
    }
}

/// `TopicPartitions`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TopicPartitions {
    pub topic: String,
    pub partitions: Vec<i32>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self { topic: Default::default(), partitions: Default::default() }
    }
}

impl TopicPartitions {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
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
        let flexible = version >= 2;
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
impl TopicPartitions {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topic = chance.string();
        value.partitions = chance.array(|chance| chance.i32());
        let _ = (&chance, version);
        value
    }
}

impl Message for ElectLeadersRequest {
    const KEY: ApiKey = ApiKey::ElectLeaders;
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

impl Request for ElectLeadersRequest {
    type Response = super::ElectLeadersResponse;
}
