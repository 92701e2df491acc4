// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ApiVersionsResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ApiVersionsResponse {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    pub throttle_time_ms: i32,
    pub supported_features: Vec<SupportedFeatureKey>,
    pub finalized_features_epoch: i64,
    pub finalized_features: Vec<FinalizedFeatureKey>,
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            api_keys: Default::default(),
            throttle_time_ms: Default::default(),
            supported_features: Default::default(),
            finalized_features_epoch: -1,
            finalized_features: Default::default(),
            zk_migration_ready: false,
        }
    }
}

impl ApiVersionsResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.api_keys = reader.array(flexible, 6, |reader| ApiVersion::read(reader, version))?;
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => {
                        value.supported_features =
                            inner.array(flexible, 1, |reader| SupportedFeatureKey::read(reader, version))?
                    }
                    1 => value.finalized_features_epoch = inner.i64()?,
                    2 => {
                        value.finalized_features =
                            inner.array(flexible, 1, |reader| FinalizedFeatureKey::read(reader, version))?
                    }
                    3 => value.zk_migration_ready = inner.bool()?,
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.i16(self.error_code);
        writer.array_length(self.api_keys.len(), flexible)?;
        for element in &self.api_keys {
            element.write(writer, version)?;
        }
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        if flexible {
            let mut tags = Tags::default();
            if version >= 3 && !(self.supported_features.is_empty()) {
                tags.add(0, |inner| {
                    inner.array_length(self.supported_features.len(), flexible)?;
                    for element in &self.supported_features {
                        element.write(inner, version)?;
                    }
                    Ok(())
                })?;
            }
            if version >= 3 && !(self.finalized_features_epoch == -1) {
                tags.add(1, |inner| {
                    inner.i64(self.finalized_features_epoch);
                    Ok(())
                })?;
            }
            if version >= 3 && !(self.finalized_features.is_empty()) {
                tags.add(2, |inner| {
                    inner.array_length(self.finalized_features.len(), flexible)?;
                    for element in &self.finalized_features {
                        element.write(inner, version)?;
                    }
                    Ok(())
                })?;
            }
            if version >= 3 && !(!self.zk_migration_ready) {
                tags.add(3, |inner| {
                    inner.bool(self.zk_migration_ready);
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
impl ApiVersionsResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        value.api_keys = chance.array(|chance| ApiVersion::draw(chance, version));
        if version >= 1 {
            value.throttle_time_ms = chance.i32();
        }
        if version >= 3 {
            value.supported_features = chance.array(|chance| SupportedFeatureKey::draw(chance, version));
        }
        if version >= 3 {
            value.finalized_features_epoch = chance.i64();
        }
        if version >= 3 {
            value.finalized_features = chance.array(|chance| FinalizedFeatureKey::draw(chance, version));
        }
        if version >= 3 {
            value.zk_migration_ready = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

/// `ApiVersion`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self { api_key: Default::default(), min_version: Default::default(), max_version: Default::default() }
    }
}

impl ApiVersion {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.api_key = reader.i16()?;
        value.min_version = reader.i16()?;
        value.max_version = reader.i16()?;
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
        writer.i16(self.api_key);
        writer.i16(self.min_version);
        writer.i16(self.max_version);
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ApiVersion {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.api_key = chance.i16();
        value.min_version = chance.i16();
        value.max_version = chance.i16();
        let _ = (&chance, version);
        value
    }
}

/// `SupportedFeatureKey`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct SupportedFeatureKey {
    pub name: String,
    pub min_version: i16,
    pub max_version: i16,
}

impl Default for SupportedFeatureKey {
    fn default() -> Self {
        Self { name: Default::default(), min_version: Default::default(), max_version: Default::default() }
    }
}

impl SupportedFeatureKey {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 3 {
            value.name = reader.string(flexible)?;
        }
        if version >= 3 {
            value.min_version = reader.i16()?;
        }
        if version >= 3 {
            value.max_version = reader.i16()?;
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
        if version >= 3 {
            writer.string(&self.name, flexible)?;
        } else if !(self.name.is_empty()) {
            return Err(EncodeError::missing("name", version));
        }
        if version >= 3 {
            writer.i16(self.min_version);
        } else if !(self.min_version == Default::default()) {
            return Err(EncodeError::missing("min_version", version));
        }
        if version >= 3 {
            writer.i16(self.max_version);
        } else if !(self.max_version == Default::default()) {
            return Err(EncodeError::missing("max_version", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl SupportedFeatureKey {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 3 {
            value.name = chance.string();
        }
        if version >= 3 {
            value.min_version = chance.i16();
        }
        if version >= 3 {
            value.max_version = chance.i16();
        }
        let _ = (&chance, version);
        value
    }
}

/// `FinalizedFeatureKey`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FinalizedFeatureKey {
    pub name: String,
    pub max_version_level: i16,
    pub min_version_level: i16,
}

impl Default for FinalizedFeatureKey {
    fn default() -> Self {
        Self { name: Default::default(), max_version_level: Default::default(), min_version_level: Default::default() }
    }
}

impl FinalizedFeatureKey {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 3 {
            value.name = reader.string(flexible)?;
        }
        if version >= 3 {
            value.max_version_level = reader.i16()?;
        }
        if version >= 3 {
            value.min_version_level = reader.i16()?;
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
        if version >= 3 {
            writer.string(&self.name, flexible)?;
        } else if !(self.name.is_empty()) {
            return Err(EncodeError::missing("name", version));
        }
        if version >= 3 {
            writer.i16(self.max_version_level);
        } else if !(self.max_version_level == Default::default()) {
            return Err(EncodeError::missing("max_version_level", version));
        }
        if version >= 3 {
            writer.i16(self.min_version_level);
        } else if !(self.min_version_level == Default::default()) {
            return Err(EncodeError::missing("min_version_level", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl FinalizedFeatureKey {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 3 {
            value.name = chance.string();
        }
        if version >= 3 {
            value.max_version_level = chance.i16();
        }
        if version >= 3 {
            value.min_version_level = chance.i16();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for ApiVersionsResponse {
    const KEY: ApiKey = ApiKey::ApiVersions;
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
