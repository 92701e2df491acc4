// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `OffsetCommitKey`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetCommitKey {
    pub group: String,
    pub topic: String,
    pub partition: i32,
}

impl Default for OffsetCommitKey {
    fn default() -> Self {
        Self { group: Default::default(), topic: Default::default(), partition: Default::default() }
    }
}

impl OffsetCommitKey {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut value = Self::default();
        value.group = reader.string(flexible)?;
        value.topic = reader.string(flexible)?;
        value.partition = reader.i32()?;
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = false;
        writer.string(&self.group, flexible)?;
        writer.string(&self.topic, flexible)?;
        writer.i32(self.partition);
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetCommitKey {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.group = chance.string();
        value.topic = chance.string();
        value.partition = chance.i32();
        let _ = (&chance, version);
        value
    }
}

impl Key for OffsetCommitKey {
    const KIND: i16 = 1;
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
