// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `SyncGroupResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct SyncGroupResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub assignment: Bytes,
}

impl Default for SyncGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            protocol_type: None,
            protocol_name: None,
            assignment: Default::default(),
        }
    }
}

impl SyncGroupResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.error_code = reader.i16()?;
        if version >= 5 {
            value.protocol_type = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        if version >= 5 {
            value.protocol_name = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        value.assignment = reader.bytes(flexible)?;
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
            writer.i32(self.throttle_time_ms);
        }
        writer.i16(self.error_code);
        if version >= 5 {
            match &self.protocol_type {
                None => {
                    if !(version >= 5) {
                        return Err(EncodeError::null("protocol_type", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if version >= 5 {
            match &self.protocol_name {
                None => {
                    if !(version >= 5) {
                        return Err(EncodeError::null("protocol_name", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        writer.bytes(&self.assignment, flexible)?;
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl SyncGroupResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = chance.i32();
        }
        value.error_code = chance.i16();
        if version >= 5 {
            value.protocol_type = chance.option(version >= 5, |chance| chance.string());
        }
        if version >= 5 {
            value.protocol_name = chance.option(version >= 5, |chance| chance.string());
        }
        value.assignment = chance.bytes();
        let _ = (&chance, version);
        value
    }
}

impl Message for SyncGroupResponse {
    const KEY: ApiKey = ApiKey::SyncGroup;
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
