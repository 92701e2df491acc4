// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `MetadataRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MetadataRequest {
    pub topics: Option<Vec<MetadataRequestTopic>>,
    pub allow_auto_topic_creation: bool,
    pub include_cluster_authorized_operations: bool,
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Default::default()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: Default::default(),
            include_topic_authorized_operations: Default::default(),
        }
    }
}

impl MetadataRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.topics = not_null(
            reader.nullable_array(flexible, 1, |reader| MetadataRequestTopic::read(reader, version))?,
            version >= 1,
        )?;
        if version >= 4 {
            value.allow_auto_topic_creation = reader.bool()?;
        }
        if (8..=10).contains(&version) {
            value.include_cluster_authorized_operations = reader.bool()?;
        }
        if version >= 8 {
            value.include_topic_authorized_operations = reader.bool()?;
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
        let flexible = version >= 9;
        match &self.topics {
            None => {
                if !(version >= 1) {
                    return Err(EncodeError::null("topics", version));
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
        if version >= 4 {
            writer.bool(self.allow_auto_topic_creation);
        } else if !(self.allow_auto_topic_creation) {
            return Err(EncodeError::missing("allow_auto_topic_creation", version));
        }
        if (8..=10).contains(&version) {
            writer.bool(self.include_cluster_authorized_operations);
        } else if !(!self.include_cluster_authorized_operations) {
            return Err(EncodeError::missing("include_cluster_authorized_operations", version));
        }
        if version >= 8 {
            writer.bool(self.include_topic_authorized_operations);
        } else if !(!self.include_topic_authorized_operations) {
            return Err(EncodeError::missing("include_topic_authorized_operations", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl MetadataRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topics =
            chance.option(version >= 1, |chance| chance.array(|chance| MetadataRequestTopic::draw(chance, version)));
        if version >= 4 {
            value.allow_auto_topic_creation = chance.bool();
        }
        if (8..=10).contains(&version) {
            value.include_cluster_authorized_operations = chance.bool();
        }
        if version >= 8 {
            value.include_topic_authorized_operations = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

/// `MetadataRequestTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MetadataRequestTopic {
    pub topic_id: Uuid,
    pub name: Option<String>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self { topic_id: Default::default(), name: Some(Default::default()) }
    }
}

impl MetadataRequestTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        value.name = not_null(reader.nullable_string(flexible)?, version >= 10)?;
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
        let flexible = version >= 9;
        if version >= 10 {
            writer.uuid(self.topic_id);
        }
        match &self.name {
            None => {
                if !(version >= 10) {
                    return Err(EncodeError::null("name", version));
                }
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
impl MetadataRequestTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 10 {
            value.topic_id = chance.uuid();
        }
        value.name = chance.option(version >= 10, |chance| chance.string());
        let _ = (&chance, version);
        value
    }
}

impl Message for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
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

impl Request for MetadataRequest {
    type Response = super::MetadataResponse;
}
