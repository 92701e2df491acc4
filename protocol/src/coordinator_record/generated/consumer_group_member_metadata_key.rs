// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `ConsumerGroupMemberMetadataKey`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ConsumerGroupMemberMetadataKey {
    pub group_id: String,
    pub member_id: String,
}

impl Default for ConsumerGroupMemberMetadataKey {
    fn default() -> Self {
        Self { group_id: Default::default(), member_id: Default::default() }
    }
}

impl ConsumerGroupMemberMetadataKey {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.member_id = reader.string(flexible)?;
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = false;
        writer.string(&self.group_id, flexible)?;
        writer.string(&self.member_id, flexible)?;
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ConsumerGroupMemberMetadataKey {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.group_id = chance.string();
        value.member_id = chance.string();
        let _ = (&chance, version);
        value
    }
}

impl Key for ConsumerGroupMemberMetadataKey {
    const KIND: i16 = 5;
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
