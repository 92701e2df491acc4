// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `UpdateFeaturesRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct UpdateFeaturesRequest {
    pub timeout_ms: i32,
    pub feature_updates: Vec<FeatureUpdateKey>,
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self { timeout_ms: 60000, feature_updates: Default::default(), validate_only: false }
    }
}

impl UpdateFeaturesRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.timeout_ms = reader.i32()?;
        value.feature_updates = reader.array(flexible, 3, |reader| FeatureUpdateKey::read(reader, version))?;
        if version >= 1 {
            value.validate_only = reader.bool()?;
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
        let flexible = true;
        writer.i32(self.timeout_ms);
        writer.array_length(self.feature_updates.len(), flexible)?;
        for element in &self.feature_updates {
            element.write(writer, version)?;
        }
        if version >= 1 {
            writer.bool(self.validate_only);
        } else if !(!self.validate_only) {
            return Err(EncodeError::missing("validate_only", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl UpdateFeaturesRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.timeout_ms = chance.i32();
        value.feature_updates = chance.array(|chance| FeatureUpdateKey::draw(chance, version));
        if version >= 1 {
            value.validate_only = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

/// `FeatureUpdateKey`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FeatureUpdateKey {
    pub feature: String,
    pub max_version_level: i16,
    pub allow_downgrade: bool,
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: Default::default(),
            max_version_level: Default::default(),
            allow_downgrade: Default::default(),
            upgrade_type: 1,
        }
    }
}

impl FeatureUpdateKey {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.feature = reader.string(flexible)?;
        value.max_version_level = reader.i16()?;
        if version <= 0 {
            value.allow_downgrade = reader.bool()?;
        }
        if version >= 1 {
            value.upgrade_type = reader.i8()?;
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
        let flexible = true;
        writer.string(&self.feature, flexible)?;
        writer.i16(self.max_version_level);
        if version <= 0 {
            writer.bool(self.allow_downgrade);
        } else if !(!self.allow_downgrade) {
            return Err(EncodeError::missing("allow_downgrade", version));
        }
        if version >= 1 {
            writer.i8(self.upgrade_type);
        } else if !(self.upgrade_type == 1) {
            return Err(EncodeError::missing("upgrade_type", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl FeatureUpdateKey {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.feature = chance.string();
        value.max_version_level = chance.i16();
        if version <= 0 {
            value.allow_downgrade = chance.bool();
        }
        if version >= 1 {
            value.upgrade_type = chance.i8();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for UpdateFeaturesRequest {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
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

impl Request for UpdateFeaturesRequest {
    type Response = super::UpdateFeaturesResponse;
}
