// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `JoinGroupRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct JoinGroupRequest {
    pub group_id: String,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub protocol_type: String,
    pub protocols: Vec<JoinGroupRequestProtocol>,
    pub reason: Option<String>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            session_timeout_ms: Default::default(),
            rebalance_timeout_ms: -1,
            member_id: Default::default(),
            group_instance_id: None,
            protocol_type: Default::default(),
            protocols: Default::default(),
            reason: None,
        }
    }
}

impl JoinGroupRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.session_timeout_ms = reader.i32()?;
        if version >= 1 {
            value.rebalance_timeout_ms = reader.i32()?;
        }
        value.member_id = reader.string(flexible)?;
        if version >= 5 {
            value.group_instance_id = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        value.protocol_type = reader.string(flexible)?;
        value.protocols = reader.array(flexible, 2, |reader| JoinGroupRequestProtocol::read(reader, version))?;
        if version >= 8 {
            value.reason = not_null(reader.nullable_string(flexible)?, version >= 8)?;
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
        let flexible = version >= 6;
        writer.string(&self.group_id, flexible)?;
        writer.i32(self.session_timeout_ms);
        if version >= 1 {
            writer.i32(self.rebalance_timeout_ms);
        }
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
        } else if !(self.group_instance_id.is_none()) {
            return Err(EncodeError::missing("group_instance_id", version));
        }
        writer.string(&self.protocol_type, flexible)?;
        writer.array_length(self.protocols.len(), flexible)?;
        for element in &self.protocols {
            element.write(writer, version)?;
        }
        if version >= 8 {
            match &self.reason {
                None => {
                    if !(version >= 8) {
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
impl JoinGroupRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = chance.string();
        value.session_timeout_ms = chance.i32();
        if version >= 1 {
            value.rebalance_timeout_ms = chance.i32();
        }
        value.member_id = chance.string();
        if version >= 5 {
            value.group_instance_id = chance.option(version >= 5, |chance| chance.string());
        }
        value.protocol_type = chance.string();
        value.protocols = chance.array(|chance| JoinGroupRequestProtocol::draw(chance, version));
        if version >= 8 {
            value.reason = chance.option(version >= 8, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

/// `JoinGroupRequestProtocol`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct JoinGroupRequestProtocol {
    pub name: String,
    pub metadata: Bytes,
}

impl Default for JoinGroupRequestProtocol {
    fn default() -> Self {
        Self { name: Default::default(), metadata: Default::default() }
    }
}

impl JoinGroupRequestProtocol {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
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
        writer.string(&self.name, flexible)?;
        writer.bytes(&self.metadata, flexible)?;
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl JoinGroupRequestProtocol {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.name = chance.string();
        value.metadata = chance.bytes();
        let _ = (&chance, version);
        value
    }
}

impl Message for JoinGroupRequest {
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

impl Request for JoinGroupRequest {
    type Response = super::JoinGroupResponse;
}
