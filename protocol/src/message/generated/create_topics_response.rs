// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `CreateTopicsResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
}

impl Default for CreateTopicsResponse {
    fn default() -> Self {
        Self { throttle_time_ms: Default::default(), topics: Default::default() }
    }
}

impl CreateTopicsResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        if version >= 2 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.topics = reader.array(flexible, 3, |reader| CreatableTopicResult::read(reader, version))?;
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
        let flexible = version >= 5;
        if version >= 2 {
            writer.i32(self.throttle_time_ms);
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
impl CreateTopicsResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 2 {
            value.throttle_time_ms = chance.i32();
        }
        value.topics = chance.array(|chance| CreatableTopicResult::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `CreatableTopicResult`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct CreatableTopicResult {
    pub name: String,
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub topic_config_error_code: i16,
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: Default::default(),
            topic_id: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            topic_config_error_code: Default::default(),
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Default::default()),
        }
    }
}

impl CreatableTopicResult {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        if version >= 7 {
            value.topic_id = reader.uuid()?;
        }
        value.error_code = reader.i16()?;
        if version >= 1 {
            value.error_message = reader.nullable_string(flexible)?;
        }
        if version >= 5 {
            value.num_partitions = reader.i32()?;
        }
        if version >= 5 {
            value.replication_factor = reader.i16()?;
        }
        if version >= 5 {
            value.configs = not_null(
                reader.nullable_array(flexible, 1, |reader| CreatableTopicConfigs::read(reader, version))?,
                version >= 5,
            )?;
        }
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => value.topic_config_error_code = inner.i16()?,
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        writer.string(&self.name, flexible)?;
        if version >= 7 {
            writer.uuid(self.topic_id);
        }
        writer.i16(self.error_code);
        if version >= 1 {
            match &self.error_message {
                None => {
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if version >= 5 {
            writer.i32(self.num_partitions);
        }
        if version >= 5 {
            writer.i16(self.replication_factor);
        }
        if version >= 5 {
            match &self.configs {
                None => {
                    if !(version >= 5) {
                        return Err(EncodeError::null("configs", version));
                    }
                    writer.null_array(flexible);
                }
                Some(elements) => {
                    writer.array_length(elements.len(), flexible)?;
                    for element in elements {
                        element.write(writer, version)?;
                    }
                }
            }
        }
        if flexible {
            let mut tags = Tags::default();
            if version >= 5 && !(self.topic_config_error_code == Default::default()) {
                tags.add(0, |inner| {
                    inner.i16(self.topic_config_error_code);
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl CreatableTopicResult {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.name = chance.string();
        if version >= 7 {
            value.topic_id = chance.uuid();
        }
        value.error_code = chance.i16();
        if version >= 1 {
            value.error_message = chance.option(true, |chance| chance.string());
        }
        if version >= 5 {
            value.topic_config_error_code = chance.i16();
        }
        if version >= 5 {
            value.num_partitions = chance.i32();
        }
        if version >= 5 {
            value.replication_factor = chance.i16();
        }
        if version >= 5 {
            value.configs = chance
                .option(version >= 5, |chance| chance.array(|chance| CreatableTopicConfigs::draw(chance, version)));
        }
        let _ = (&chance, version);
        value
    }
}

/// `CreatableTopicConfigs`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct CreatableTopicConfigs {
    pub name: String,
    pub value: Option<String>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: Default::default(),
            value: Some(Default::default()),
            read_only: Default::default(),
            config_source: -1,
            is_sensitive: Default::default(),
        }
    }
}

impl CreatableTopicConfigs {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        if version >= 5 {
            value.name = reader.string(flexible)?;
        }
        if version >= 5 {
            value.value = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        if version >= 5 {
            value.read_only = reader.bool()?;
        }
        if version >= 5 {
            value.config_source = reader.i8()?;
        }
        if version >= 5 {
            value.is_sensitive = reader.bool()?;
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
        let flexible = version >= 5;
        if version >= 5 {
            writer.string(&self.name, flexible)?;
        } else if !(self.name.is_empty()) {
            return Err(EncodeError::missing("name", version));
        }
        if version >= 5 {
            match &self.value {
                None => {
                    if !(version >= 5) {
                        return Err(EncodeError::null("value", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.value == Some(Default::default())) {
            return Err(EncodeError::missing("value", version));
        }
        if version >= 5 {
            writer.bool(self.read_only);
        } else if !(!self.read_only) {
            return Err(EncodeError::missing("read_only", version));
        }
        if version >= 5 {
            writer.i8(self.config_source);
        }
        if version >= 5 {
            writer.bool(self.is_sensitive);
        } else if !(!self.is_sensitive) {
            return Err(EncodeError::missing("is_sensitive", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl CreatableTopicConfigs {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 5 {
            value.name = chance.string();
        }
        if version >= 5 {
            value.value = chance.option(version >= 5, |chance| chance.string());
        }
        if version >= 5 {
            value.read_only = chance.bool();
        }
        if version >= 5 {
            value.config_source = chance.i8();
        }
        if version >= 5 {
            value.is_sensitive = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for CreateTopicsResponse {
    const KEY: ApiKey = ApiKey::CreateTopics;
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
