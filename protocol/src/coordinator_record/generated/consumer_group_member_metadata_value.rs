// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `ConsumerGroupMemberMetadataValue`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ConsumerGroupMemberMetadataValue {
    pub instance_id: Option<String>,
    pub rack_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub subscribed_topic_names: Vec<String>,
    pub subscribed_topic_regex: Option<String>,
    pub rebalance_timeout_ms: i32,
    pub server_assignor: Option<String>,
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
}

impl Default for ConsumerGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            instance_id: Some(Default::default()),
            rack_id: Some(Default::default()),
            client_id: Default::default(),
            client_host: Default::default(),
            subscribed_topic_names: Default::default(),
            subscribed_topic_regex: Some(Default::default()),
            rebalance_timeout_ms: -1,
            server_assignor: Some(Default::default()),
            classic_member_metadata: None,
        }
    }
}

impl ConsumerGroupMemberMetadataValue {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.instance_id = reader.nullable_string(flexible)?;
        value.rack_id = reader.nullable_string(flexible)?;
        value.client_id = reader.string(flexible)?;
        value.client_host = reader.string(flexible)?;
        value.subscribed_topic_names = reader.array(flexible, 1, |reader| reader.string(flexible))?;
        value.subscribed_topic_regex = reader.nullable_string(flexible)?;
        value.rebalance_timeout_ms = reader.i32()?;
        value.server_assignor = reader.nullable_string(flexible)?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => {
                        value.classic_member_metadata =
                            if inner.i8()? < 0 { None } else { Some(ClassicMemberMetadata::read(&mut inner, version)?) }
                    }
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = true;
        match &self.instance_id {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        match &self.rack_id {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        writer.string(&self.client_id, flexible)?;
        writer.string(&self.client_host, flexible)?;
        writer.array_length(self.subscribed_topic_names.len(), flexible)?;
        for element in &self.subscribed_topic_names {
            writer.string(element, flexible)?;
        }
        match &self.subscribed_topic_regex {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        writer.i32(self.rebalance_timeout_ms);
        match &self.server_assignor {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        if flexible {
            let mut tags = Tags::default();
            if !(self.classic_member_metadata.is_none()) {
                tags.add(0, |inner| {
                    match &self.classic_member_metadata {
                        None => {
                            inner.i8(-1);
                        }
                        Some(inside) => {
                            inner.i8(1);
                            inside.write(inner, version)?;
                        }
                    }
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        if !flexible && !(self.classic_member_metadata.is_none()) {
            return Err(EncodeError::missing("classic_member_metadata", version));
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ConsumerGroupMemberMetadataValue {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.instance_id = chance.option(true, |chance| chance.string());
        value.rack_id = chance.option(true, |chance| chance.string());
        value.client_id = chance.string();
        value.client_host = chance.string();
        value.subscribed_topic_names = chance.array(|chance| chance.string());
        value.subscribed_topic_regex = chance.option(true, |chance| chance.string());
        value.rebalance_timeout_ms = chance.i32();
        value.server_assignor = chance.option(true, |chance| chance.string());
        value.classic_member_metadata = chance.option(true, |chance| ClassicMemberMetadata::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `ClassicMemberMetadata`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ClassicMemberMetadata {
    pub session_timeout_ms: i32,
    pub supported_protocols: Vec<ClassicProtocol>,
}

impl Default for ClassicMemberMetadata {
    fn default() -> Self {
        Self { session_timeout_ms: Default::default(), supported_protocols: Default::default() }
    }
}

impl ClassicMemberMetadata {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.session_timeout_ms = reader.i32()?;
        value.supported_protocols = reader.array(flexible, 2, |reader| ClassicProtocol::read(reader, version))?;
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
        writer.i32(self.session_timeout_ms);
        writer.array_length(self.supported_protocols.len(), flexible)?;
        for element in &self.supported_protocols {
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
impl ClassicMemberMetadata {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.session_timeout_ms = chance.i32();
        value.supported_protocols = chance.array(|chance| ClassicProtocol::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `ClassicProtocol`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ClassicProtocol {
    pub name: String,
    pub metadata: Bytes,
}

impl Default for ClassicProtocol {
    fn default() -> Self {
        Self { name: Default::default(), metadata: Default::default() }
    }
}

impl ClassicProtocol {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
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
        let flexible = true;
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
impl ClassicProtocol {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.name = chance.string();
        value.metadata = chance.bytes();
        let _ = (&chance, version);
        value
    }
}

impl Value for ConsumerGroupMemberMetadataValue {
    const KIND: i16 = 5;
    const VERSIONS: (i16, i16) = (0, 0);
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
