// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `SyncGroupRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct SyncGroupRequest {
    pub group_id: String,
    pub generation_id: i32,
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

impl Default for SyncGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            generation_id: Default::default(),
            member_id: Default::default(),
            group_instance_id: None,
            protocol_type: None,
            protocol_name: None,
            assignments: Default::default(),
        }
    }
}

impl SyncGroupRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.generation_id = reader.i32()?;
        value.member_id = reader.string(flexible)?;
        if version >= 3 {
            value.group_instance_id = not_null(reader.nullable_string(flexible)?, version >= 3)?;
        }
        if version >= 5 {
            value.protocol_type = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        if version >= 5 {
            value.protocol_name = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        value.assignments = reader.array(flexible, 2, |reader| SyncGroupRequestAssignment::read(reader, version))?;
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
        writer.string(&self.group_id, flexible)?;
        writer.i32(self.generation_id);
        writer.string(&self.member_id, flexible)?;
        if version >= 3 {
            match &self.group_instance_id {
                None => {
                    if !(version >= 3) {
                        return Err(EncodeError::null("group_instance_id", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.group_instance_id.is_none()) {
            return Err(EncodeError::missing("group_instance_id", version));
        }
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
        writer.array_length(self.assignments.len(), flexible)?;
        for element in &self.assignments {
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
impl SyncGroupRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = chance.string();
        value.generation_id = chance.i32();
        value.member_id = chance.string();
        if version >= 3 {
            value.group_instance_id = chance.option(version >= 3, |chance| chance.string());
        }
        if version >= 5 {
            value.protocol_type = chance.option(version >= 5, |chance| chance.string());
        }
        if version >= 5 {
            value.protocol_name = chance.option(version >= 5, |chance| chance.string());
        }
        value.assignments = chance.array(|chance| SyncGroupRequestAssignment::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `SyncGroupRequestAssignment`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct SyncGroupRequestAssignment {
    pub member_id: String,
    pub assignment: Bytes,
}

impl Default for SyncGroupRequestAssignment {
    fn default() -> Self {
        Self { member_id: Default::default(), assignment: Default::default() }
    }
}

impl SyncGroupRequestAssignment {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
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
        writer.string(&self.member_id, flexible)?;
        writer.bytes(&self.assignment, flexible)?;
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl SyncGroupRequestAssignment {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.member_id = chance.string();
        value.assignment = chance.bytes();
        let _ = (&chance, version);
        value
    }
}

impl Message for SyncGroupRequest {
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

impl Request for SyncGroupRequest {
    type Response = super::SyncGroupResponse;
}
