// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `LeaveGroupRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct LeaveGroupRequest {
    pub group_id: String,
    pub member_id: String,
    pub members: Vec<MemberIdentity>,
}

impl Default for LeaveGroupRequest {
    fn default() -> Self {
        Self { group_id: Default::default(), member_id: Default::default(), members: Default::default() }
    }
}

impl LeaveGroupRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        if version <= 2 {
            value.member_id = reader.string(flexible)?;
        }
        if version >= 3 {
            value.members = reader.array(flexible, 1, |reader| MemberIdentity::read(reader, version))?;
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
        writer.string(&self.group_id, flexible)?;
        if version <= 2 {
            writer.string(&self.member_id, flexible)?;
        } else if !(self.member_id.is_empty()) {
            return Err(EncodeError::missing("member_id", version));
        }
        if version >= 3 {
            writer.array_length(self.members.len(), flexible)?;
            for element in &self.members {
                element.write(writer, version)?;
            }
        } else if !(self.members.is_empty()) {
            return Err(EncodeError::missing("members", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl LeaveGroupRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = chance.string();
        if version <= 2 {
            value.member_id = chance.string();
        }
        if version >= 3 {
            value.members = chance.array(|chance| MemberIdentity::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `MemberIdentity`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MemberIdentity {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub reason: Option<String>,
}

impl Default for MemberIdentity {
    fn default() -> Self {
        Self { member_id: Default::default(), group_instance_id: None, reason: None }
    }
}

impl MemberIdentity {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 3 {
            value.member_id = reader.string(flexible)?;
        }
        if version >= 3 {
            value.group_instance_id = not_null(reader.nullable_string(flexible)?, version >= 3)?;
        }
        if version >= 5 {
            value.reason = not_null(reader.nullable_string(flexible)?, version >= 5)?;
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
        if version >= 3 {
            writer.string(&self.member_id, flexible)?;
        } else if !(self.member_id.is_empty()) {
            return Err(EncodeError::missing("member_id", version));
        }
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
            match &self.reason {
                None => {
                    if !(version >= 5) {
                        return Err(EncodeError::null("reason", version));
                    }
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
impl MemberIdentity {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 3 {
            value.member_id = chance.string();
        }
        if version >= 3 {
            value.group_instance_id = chance.option(version >= 3, |chance| chance.string());
        }
        if version >= 5 {
            value.reason = chance.option(version >= 5, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
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

impl Request for LeaveGroupRequest {
    type Response = super::LeaveGroupResponse;
}
