// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `MemberMetadata`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MemberMetadata {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub rebalance_timeout: i32,
    pub session_timeout: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        Self {
            member_id: Default::default(),
            group_instance_id: None,
            client_id: Default::default(),
            client_host: Default::default(),
            rebalance_timeout: -1,
            session_timeout: Default::default(),
            subscription: Default::default(),
            assignment: Default::default(),
        }
    }
}

impl MemberMetadata {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        if version >= 3 {
            value.group_instance_id = not_null(reader.nullable_string(flexible)?, version >= 3)?;
        }
        value.client_id = reader.string(flexible)?;
        value.client_host = reader.string(flexible)?;
        if version >= 1 {
            value.rebalance_timeout = reader.i32()?;
        }
        value.session_timeout = reader.i32()?;
        value.subscription = reader.bytes(flexible)?;
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
        }
        writer.string(&self.client_id, flexible)?;
        writer.string(&self.client_host, flexible)?;
        if version >= 1 {
            writer.i32(self.rebalance_timeout);
        }
        writer.i32(self.session_timeout);
        writer.bytes(&self.subscription, flexible)?;
        writer.bytes(&self.assignment, flexible)?;
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl MemberMetadata {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.member_id = chance.string();
        if version >= 3 {
            value.group_instance_id = chance.option(version >= 3, |chance| chance.string());
        }
        value.client_id = chance.string();
        value.client_host = chance.string();
        if version >= 1 {
            value.rebalance_timeout = chance.i32();
        }
        value.session_timeout = chance.i32();
        value.subscription = chance.bytes();
        value.assignment = chance.bytes();
        let _ = (&chance, version);
        value
    }
}

/// `GroupMetadataValue`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct GroupMetadataValue {
    pub protocol_type: String,
    pub generation: i32,
    pub protocol: Option<String>,
    pub leader: Option<String>,
    pub current_state_timestamp: i64,
    pub members: Vec<MemberMetadata>,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        Self {
            protocol_type: Default::default(),
            generation: Default::default(),
            protocol: Some(Default::default()),
            leader: Some(Default::default()),
            current_state_timestamp: -1,
            members: Default::default(),
        }
    }
}

impl GroupMetadataValue {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.protocol_type = reader.string(flexible)?;
        value.generation = reader.i32()?;
        value.protocol = reader.nullable_string(flexible)?;
        value.leader = reader.nullable_string(flexible)?;
        if version >= 2 {
            value.current_state_timestamp = reader.i64()?;
        }
        value.members = reader.array(flexible, 9, |reader| MemberMetadata::read(reader, version))?;
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
        writer.string(&self.protocol_type, flexible)?;
        writer.i32(self.generation);
        match &self.protocol {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        match &self.leader {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        if version >= 2 {
            writer.i64(self.current_state_timestamp);
        }
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
impl GroupMetadataValue {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.protocol_type = chance.string();
        value.generation = chance.i32();
        value.protocol = chance.option(true, |chance| chance.string());
        value.leader = chance.option(true, |chance| chance.string());
        if version >= 2 {
            value.current_state_timestamp = chance.i64();
        }
        value.members = chance.array(|chance| MemberMetadata::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

impl Value for GroupMetadataValue {
    const KIND: i16 = 2;
    const VERSIONS: (i16, i16) = (0, 4);
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        Self::read(reader, version)
    }
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        self.write(writer, version)
    }
    #[cfg(any(test, feature = "testing"))]
    fn sample(chance: &mut crate::testing::Chance, version: i16) -> Self {
        Self::draw(chance, version)
    }
}
