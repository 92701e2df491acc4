// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `ConsumerGroupTargetAssignmentMetadataValue`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    pub assignment_epoch: i32,
    pub assignment_timestamp: i64,
}

impl Default for ConsumerGroupTargetAssignmentMetadataValue {
    fn default() -> Self {
        Self { assignment_epoch: Default::default(), assignment_timestamp: Default::default() }
    }
}

impl ConsumerGroupTargetAssignmentMetadataValue {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.assignment_epoch = reader.i32()?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => value.assignment_timestamp = inner.i64()?,
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
        writer.i32(self.assignment_epoch);
        if flexible {
            let mut tags = Tags::default();
            if !(self.assignment_timestamp == Default::default()) {
                tags.add(0, |inner| {
                    inner.i64(self.assignment_timestamp);
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ConsumerGroupTargetAssignmentMetadataValue {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.assignment_epoch = chance.i32();
        value.assignment_timestamp = chance.i64();
        let _ = (&chance, version);
        value
    }
}

impl Value for ConsumerGroupTargetAssignmentMetadataValue {
    const KIND: i16 = 6;
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
