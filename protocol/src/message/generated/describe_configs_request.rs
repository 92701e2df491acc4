// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `DescribeConfigsRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeConfigsRequest {
    pub resources: Vec<DescribeConfigsResource>,
    pub include_synonyms: bool,
    pub include_documentation: bool,
}

impl Default for DescribeConfigsRequest {
    fn default() -> Self {
        Self { resources: Default::default(), include_synonyms: false, include_documentation: false }
    }
}

impl DescribeConfigsRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.resources = reader.array(flexible, 3, |reader| DescribeConfigsResource::read(reader, version))?;
        if version >= 1 {
            value.include_synonyms = reader.bool()?;
        }
        if version >= 3 {
            value.include_documentation = reader.bool()?;
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
        writer.array_length(self.resources.len(), flexible)?;
        for element in &self.resources {
            element.write(writer, version)?;
        }
        if version >= 1 {
            writer.bool(self.include_synonyms);
        } else if !(!self.include_synonyms) {
            return Err(EncodeError::missing("include_synonyms", version));
        }
        if version >= 3 {
            writer.bool(self.include_documentation);
        } else if !(!self.include_documentation) {
            return Err(EncodeError::missing("include_documentation", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribeConfigsRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.resources = chance.array(|chance| DescribeConfigsResource::draw(chance, version));
        if version >= 1 {
            value.include_synonyms = chance.bool();
        }
        if version >= 3 {
            value.include_documentation = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

/// `DescribeConfigsResource`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeConfigsResource {
    pub resource_type: i8,
    pub resource_name: String,
    pub configuration_keys: Option<Vec<String>>,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: Default::default(),
            resource_name: Default::default(),
            configuration_keys: Some(Default::default()),
        }
    }
}

impl DescribeConfigsResource {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.configuration_keys = reader.nullable_array(flexible, 1, |reader| reader.string(flexible))?;
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
        writer.i8(self.resource_type);
        writer.string(&self.resource_name, flexible)?;
        match &self.configuration_keys {
            None => {
                writer.null_array(flexible);
            }
            Some(elements) => {
                writer.array_length(elements.len(), flexible)?;
                for element in elements {
                    writer.string(element, flexible)?;
                }
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
impl DescribeConfigsResource {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.resource_type = chance.i8();
        value.resource_name = chance.string();
        value.configuration_keys = chance.option(true, |chance| chance.array(|chance| chance.string()));
        let _ = (&chance, version);
        value
    }
}

impl Message for DescribeConfigsRequest {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
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

impl Request for DescribeConfigsRequest {
    type Response = super::DescribeConfigsResponse;
}
