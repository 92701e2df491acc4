// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `DeleteTopicsRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DeleteTopicsRequest {
    pub topics: Vec<DeleteTopicState>,
    pub topic_names: Vec<String>,
    pub timeout_ms: i32,
}

impl Default for DeleteTopicsRequest {
    fn default() -> Self {
        Self { topics: Default::default(), topic_names: Default::default(), timeout_ms: Default::default() }
    }
}

impl DeleteTopicsRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 6 {
            value.topics = reader.array(flexible, 1, |reader| DeleteTopicState::read(reader, version))?;
        }
        if version <= 5 {
            value.topic_names = reader.array(flexible, 1, |reader| reader.string(flexible))?;
        }
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
        let flexible = version >= 4;
        if version >= 6 {
            writer.array_length(self.topics.len(), flexible)?;
            for element in &self.topics {
                element.write(writer, version)?;
            }
        } else if !(self.topics.is_empty()) {
            return Err(EncodeError::missing("topics", version));
        }
        if version <= 5 {
            writer.array_length(self.topic_names.len(), flexible)?;
            for element in &self.topic_names {
                writer.string(element, flexible)?;
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
impl DeleteTopicsRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 6 {
            value.topics = chance.array(|chance| DeleteTopicState::draw(chance, version));
        }
        if version <= 5 {
            value.topic_names = chance.array(|chance| chance.string());
        }
        value.timeout_ms = chance.i32();
        let _ = (&chance, version);
        value
    }
}

/// `DeleteTopicState`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DeleteTopicState {
    pub name: Option<String>,
    pub topic_id: Uuid,
}

impl Default for DeleteTopicState {
    fn default() -> Self {
        Self { name: None, topic_id: Default::default() }
    }
}

impl DeleteTopicState {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 6 {
            value.name = not_null(reader.nullable_string(flexible)?, version >= 6)?;
        }
        if version >= 6 {
            value.topic_id = reader.uuid()?;
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
        let flexible = version >= 4;
        if version >= 6 {
            match &self.name {
                None => {
                    if !(version >= 6) {
                        return Err(EncodeError::null("name", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.name.is_none()) {
            return Err(EncodeError::missing("name", version));
        }
        if version >= 6 {
            writer.uuid(self.topic_id);
        } else if !(self.topic_id.is_nil()) {
            return Err(EncodeError::missing("topic_id", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DeleteTopicState {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 6 {
            value.name = chance.option(version >= 6, |chance| chance.string());
        }
        if version >= 6 {
            value.topic_id = chance.uuid();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
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

impl Request for DeleteTopicsRequest {
    type Response = super::DeleteTopicsResponse;
}
