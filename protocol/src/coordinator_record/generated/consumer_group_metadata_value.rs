// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `ConsumerGroupMetadataValue`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ConsumerGroupMetadataValue {
    pub epoch: i32,
    pub metadata_hash: i64,
}

impl Default for ConsumerGroupMetadataValue {
    fn default() -> Self {
        Self { epoch: Default::default(), metadata_hash: Default::default() }
    }
}

impl ConsumerGroupMetadataValue {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.epoch = reader.i32()?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => value.metadata_hash = inner.i64()?,
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
        writer.i32(self.epoch);
        if flexible {
            let mut tags = Tags::default();
            if !(self.metadata_hash == Default::default()) {
                tags.add(0, |inner| {
                    inner.i64(self.metadata_hash);
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        if !flexible && !(self.metadata_hash == Default::default()) {
            return Err(EncodeError::missing("metadata_hash", version));
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ConsumerGroupMetadataValue {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.epoch = chance.i32();
        value.metadata_hash = chance.i64();
        let _ = (&chance, version);
        value
    }
}

impl Value for ConsumerGroupMetadataValue {
    const KIND: i16 = 3;
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
