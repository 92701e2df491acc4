// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `JoinGroupResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct JoinGroupResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub generation_id: i32,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub leader: String,
    pub skip_assignment: bool,
    pub member_id: String,
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(Default::default()),
            leader: Default::default(),
            skip_assignment: false,
            member_id: Default::default(),
            members: Default::default(),
        }
    }
}

impl JoinGroupResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 2 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.error_code = reader.i16()?;
        value.generation_id = reader.i32()?;
        if version >= 7 {
            value.protocol_type = not_null(reader.nullable_string(flexible)?, version >= 7)?;
        }
        value.protocol_name = not_null(reader.nullable_string(flexible)?, version >= 7)?;
        value.leader = reader.string(flexible)?;
        if version >= 9 {
            value.skip_assignment = reader.bool()?;
        }
        value.member_id = reader.string(flexible)?;
        value.members = reader.array(flexible, 2, |reader| JoinGroupResponseMember::read(reader, version))?;
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
        let flexible = version >= 6;
        if version >= 2 {
            writer.i32(self.throttle_time_ms);
        }
        writer.i16(self.error_code);
        writer.i32(self.generation_id);
        if version >= 7 {
            match &self.protocol_type {
                None => {
                    if !(version >= 7) {
                        return Err(EncodeError::null("protocol_type", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        match &self.protocol_name {
            None => {
                if !(version >= 7) {
                    return Err(EncodeError::null("protocol_name", version));
                }
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        writer.string(&self.leader, flexible)?;
        if version >= 9 {
            writer.bool(self.skip_assignment);
        } else if !(!self.skip_assignment) {
            return Err(EncodeError::missing("skip_assignment", version));
        }
        writer.string(&self.member_id, flexible)?;
        writer.array_length(self.members.len(), flexible)?;
        for element in &self.members {
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
impl JoinGroupResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 2 {
            value.throttle_time_ms = chance.i32();
        }
        value.error_code = chance.i16();
        value.generation_id = chance.i32();
        if version >= 7 {
            value.protocol_type = chance.option(version >= 7, |chance| chance.string());
        }
        value.protocol_name = chance.option(version >= 7, |chance| chance.string());
        value.leader = chance.string();
        if version >= 9 {
            value.skip_assignment = chance.bool();
        }
        value.member_id = chance.string();
        value.members = chance.array(|chance| JoinGroupResponseMember::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `JoinGroupResponseMember`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct JoinGroupResponseMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub metadata: Bytes,
}

impl Default for JoinGroupResponseMember {
    fn default() -> Self {
        Self { member_id: Default::default(), group_instance_id: None, metadata: Default::default() }
    }
}

impl JoinGroupResponseMember {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        if version >= 5 {
            value.group_instance_id = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        value.metadata = reader.bytes(flexible)?;
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
        let flexible = version >= 6;
        writer.string(&self.member_id, flexible)?;
        if version >= 5 {
            match &self.group_instance_id {
                None => {
                    if !(version >= 5) {
                        return Err(EncodeError::null("group_instance_id", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        writer.bytes(&self.metadata, flexible)?;
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl JoinGroupResponseMember {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.member_id = chance.string();
        if version >= 5 {
            value.group_instance_id = chance.option(version >= 5, |chance| chance.string());
        }
        value.metadata = chance.bytes();
        let _ = (&chance, version);
        value
    }
}

impl Message for JoinGroupResponse {
    const KEY: ApiKey = ApiKey::JoinGroup;
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
