// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `DescribeConfigsResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeConfigsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult>,
}

impl Default for DescribeConfigsResponse {
    fn default() -> Self {
        Self { throttle_time_ms: Default::default(), results: Default::default() }
    }
}

impl DescribeConfigsResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.results = reader.array(flexible, 6, |reader| DescribeConfigsResult::read(reader, version))?;
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
        writer.i32(self.throttle_time_ms);
        writer.array_length(self.results.len(), flexible)?;
        for element in &self.results {
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
impl DescribeConfigsResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.throttle_time_ms = chance.i32();
        value.results = chance.array(|chance| DescribeConfigsResult::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `DescribeConfigsResult`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeConfigsResult {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub resource_type: i8,
    pub resource_name: String,
    pub configs: Vec<DescribeConfigsResourceResult>,
}

impl Default for DescribeConfigsResult {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            resource_type: Default::default(),
            resource_name: Default::default(),
            configs: Default::default(),
        }
    }
}

impl DescribeConfigsResult {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible)?;
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.configs = reader.array(flexible, 4, |reader| DescribeConfigsResourceResult::read(reader, version))?;
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
        writer.i16(self.error_code);
        match &self.error_message {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        writer.i8(self.resource_type);
        writer.string(&self.resource_name, flexible)?;
        writer.array_length(self.configs.len(), flexible)?;
        for element in &self.configs {
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
impl DescribeConfigsResult {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        value.error_message = chance.option(true, |chance| chance.string());
        value.resource_type = chance.i8();
        value.resource_name = chance.string();
        value.configs = chance.array(|chance| DescribeConfigsResourceResult::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `DescribeConfigsResourceResult`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeConfigsResourceResult {
    pub name: String,
    pub value: Option<String>,
    pub read_only: bool,
    pub is_default: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
    pub synonyms: Vec<DescribeConfigsSynonym>,
    pub config_type: i8,
    pub documentation: Option<String>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: Default::default(),
            value: Some(Default::default()),
            read_only: Default::default(),
            is_default: Default::default(),
            config_source: -1,
            is_sensitive: Default::default(),
            synonyms: Default::default(),
            config_type: 0,
            documentation: Some(Default::default()),
        }
    }
}

impl DescribeConfigsResourceResult {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.value = reader.nullable_string(flexible)?;
        value.read_only = reader.bool()?;
        if version <= 0 {
            value.is_default = reader.bool()?;
        }
        if version >= 1 {
            value.config_source = reader.i8()?;
        }
        value.is_sensitive = reader.bool()?;
        if version >= 1 {
            value.synonyms = reader.array(flexible, 1, |reader| DescribeConfigsSynonym::read(reader, version))?;
        }
        if version >= 3 {
            value.config_type = reader.i8()?;
        }
        if version >= 3 {
            value.documentation = reader.nullable_string(flexible)?;
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
        writer.string(&self.name, flexible)?;
        match &self.value {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        writer.bool(self.read_only);
        if version <= 0 {
            writer.bool(self.is_default);
        } else if !(!self.is_default) {
            return Err(EncodeError::missing("is_default", version));
        }
        if version >= 1 {
            writer.i8(self.config_source);
        }
        writer.bool(self.is_sensitive);
        if version >= 1 {
            writer.array_length(self.synonyms.len(), flexible)?;
            for element in &self.synonyms {
                element.write(writer, version)?;
            }
        }
        if version >= 3 {
            writer.i8(self.config_type);
        }
        if version >= 3 {
            match &self.documentation {
                None => {
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
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
impl DescribeConfigsResourceResult {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.name = chance.string();
        value.value = chance.option(true, |chance| chance.string());
        value.read_only = chance.bool();
        if version <= 0 {
            value.is_default = chance.bool();
        }
        if version >= 1 {
            value.config_source = chance.i8();
        }
        value.is_sensitive = chance.bool();
        if version >= 1 {
            value.synonyms = chance.array(|chance| DescribeConfigsSynonym::draw(chance, version));
        }
        if version >= 3 {
            value.config_type = chance.i8();
        }
        if version >= 3 {
            value.documentation = chance.option(true, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

/// `DescribeConfigsSynonym`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeConfigsSynonym {
    pub name: String,
    pub value: Option<String>,
    pub source: i8,
}

impl Default for DescribeConfigsSynonym {
    fn default() -> Self {
        Self { name: Default::default(), value: Some(Default::default()), source: Default::default() }
    }
}

impl DescribeConfigsSynonym {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 1 {
            value.name = reader.string(flexible)?;
        }
        if version >= 1 {
            value.value = reader.nullable_string(flexible)?;
        }
        if version >= 1 {
            value.source = reader.i8()?;
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
        if version >= 1 {
            writer.string(&self.name, flexible)?;
        } else if !(self.name.is_empty()) {
            return Err(EncodeError::missing("name", version));
        }
        if version >= 1 {
            match &self.value {
                None => {
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.value == Some(Default::default())) {
            return Err(EncodeError::missing("value", version));
        }
        if version >= 1 {
            writer.i8(self.source);
        } else if !(self.source == Default::default()) {
            return Err(EncodeError::missing("source", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribeConfigsSynonym {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 1 {
            value.name = chance.string();
        }
        if version >= 1 {
            value.value = chance.option(true, |chance| chance.string());
        }
        if version >= 1 {
            value.source = chance.i8();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for DescribeConfigsResponse {
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
