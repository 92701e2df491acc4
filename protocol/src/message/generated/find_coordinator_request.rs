// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `FindCoordinatorRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FindCoordinatorRequest {
    pub key: String,
    pub key_type: i8,
    pub coordinator_keys: Vec<String>,
}

impl Default for FindCoordinatorRequest {
    fn default() -> Self {
        Self { key: Default::default(), key_type: 0, coordinator_keys: Default::default() }
    }
}

impl FindCoordinatorRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version <= 3 {
            value.key = reader.string(flexible)?;
        }
        if version >= 1 {
            value.key_type = reader.i8()?;
        }
        if version >= 4 {
            value.coordinator_keys = reader.array(flexible, 1, |reader| reader.string(flexible))?;
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
        if version <= 3 {
            writer.string(&self.key, flexible)?;
        } else if !(self.key.is_empty()) {
            return Err(EncodeError::missing("key", version));
        }
        if version >= 1 {
            writer.i8(self.key_type);
        } else if !(self.key_type == 0) {
            return Err(EncodeError::missing("key_type", version));
        }
        if version >= 4 {
            writer.array_length(self.coordinator_keys.len(), flexible)?;
            for element in &self.coordinator_keys {
                writer.string(element, flexible)?;
            }
        } else if !(self.coordinator_keys.is_empty()) {
            return Err(EncodeError::missing("coordinator_keys", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl FindCoordinatorRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 3 {
            value.key = chance.string();
        }
        if version >= 1 {
            value.key_type = chance.i8();
        }
        if version >= 4 {
            value.coordinator_keys = chance.array(|chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
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

impl Request for FindCoordinatorRequest {
    type Response = super::FindCoordinatorResponse;
}
