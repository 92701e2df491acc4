// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `DescribeGroupsResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeGroupsResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
}

impl Default for DescribeGroupsResponse {
    fn default() -> Self {
        Self { throttle_time_ms: Default::default(), groups: Default::default() }
    }
}

impl DescribeGroupsResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.groups = reader.array(flexible, 7, |reader| DescribedGroup::read(reader, version))?;
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
        let flexible = version >= 5;
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        writer.array_length(self.groups.len(), flexible)?;
        for element in &self.groups {
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
impl DescribeGroupsResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = chance.i32();
        }
        value.groups = chance.array(|chance| DescribedGroup::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `DescribedGroup`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribedGroup {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub group_id: String,
    pub group_state: String,
    pub protocol_type: String,
    pub protocol_data: String,
    pub members: Vec<DescribedGroupMember>,
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: None,
            group_id: Default::default(),
            group_state: Default::default(),
            protocol_type: Default::default(),
            protocol_data: Default::default(),
            members: Default::default(),
            authorized_operations: -2147483648,
        }
    }
}

impl DescribedGroup {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        if version >= 6 {
            value.error_message = not_null(reader.nullable_string(flexible)?, version >= 6)?;
        }
        value.group_id = reader.string(flexible)?;
        value.group_state = reader.string(flexible)?;
        value.protocol_type = reader.string(flexible)?;
        value.protocol_data = reader.string(flexible)?;
        value.members = reader.array(flexible, 5, |reader| DescribedGroupMember::read(reader, version))?;
        if version >= 3 {
            value.authorized_operations = reader.i32()?;
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
        let flexible = version >= 5;
        writer.i16(self.error_code);
        if version >= 6 {
            match &self.error_message {
                None => {
                    if !(version >= 6) {
                        return Err(EncodeError::null("error_message", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.error_message.is_none()) {
            return Err(EncodeError::missing("error_message", version));
        }
        writer.string(&self.group_id, flexible)?;
        writer.string(&self.group_state, flexible)?;
        writer.string(&self.protocol_type, flexible)?;
        writer.string(&self.protocol_data, flexible)?;
        writer.array_length(self.members.len(), flexible)?;
        for element in &self.members {
            element.write(writer, version)?;
        }
        if version >= 3 {
            writer.i32(self.authorized_operations);
        } else if !(self.authorized_operations == -2147483648) {
            return Err(EncodeError::missing("authorized_operations", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribedGroup {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        if version >= 6 {
            value.error_message = chance.option(version >= 6, |chance| chance.string());
        }
        value.group_id = chance.string();
        value.group_state = chance.string();
        value.protocol_type = chance.string();
        value.protocol_data = chance.string();
        value.members = chance.array(|chance| DescribedGroupMember::draw(chance, version));
        if version >= 3 {
            value.authorized_operations = chance.i32();
        }
        let _ = (&chance, version);
        value
    }
}

/// `DescribedGroupMember`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribedGroupMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub member_metadata: Bytes,
    pub member_assignment: Bytes,
}

impl Default for DescribedGroupMember {
    fn default() -> Self {
        Self {
            member_id: Default::default(),
            group_instance_id: None,
            client_id: Default::default(),
            client_host: Default::default(),
            member_metadata: Default::default(),
            member_assignment: Default::default(),
        }
    }
}

impl DescribedGroupMember {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        if version >= 4 {
            value.group_instance_id = not_null(reader.nullable_string(flexible)?, version >= 4)?;
        }
        value.client_id = reader.string(flexible)?;
        value.client_host = reader.string(flexible)?;
        value.member_metadata = reader.bytes(flexible)?;
        value.member_assignment = reader.bytes(flexible)?;
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
        let flexible = version >= 5;
        writer.string(&self.member_id, flexible)?;
        if version >= 4 {
            match &self.group_instance_id {
                None => {
                    if !(version >= 4) {
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
        writer.bytes(&self.member_metadata, flexible)?;
        writer.bytes(&self.member_assignment, flexible)?;
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribedGroupMember {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.member_id = chance.string();
        if version >= 4 {
            value.group_instance_id = chance.option(version >= 4, |chance| chance.string());
        }
        value.client_id = chance.string();
        value.client_host = chance.string();
        value.member_metadata = chance.bytes();
        value.member_assignment = chance.bytes();
        let _ = (&chance, version);
        value
    }
}

impl Message for DescribeGroupsResponse {
    const KEY: ApiKey = ApiKey::DescribeGroups;
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
