// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `ConsumerGroupRegularExpressionValue`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ConsumerGroupRegularExpressionValue {
    pub topics: Vec<String>,
    pub version: i64,
    pub timestamp: i64,
}

impl Default for ConsumerGroupRegularExpressionValue {
    fn default() -> Self {
        Self { topics: Default::default(), version: Default::default(), timestamp: Default::default() }
    }
}

impl ConsumerGroupRegularExpressionValue {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.topics = reader.array(flexible, 1, |reader| reader.string(flexible))?;
        value.version = reader.i64()?;
        value.timestamp = reader.i64()?;
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
        writer.array_length(self.topics.len(), flexible)?;
        for element in &self.topics {
            writer.string(element, flexible)?;
        }
        writer.i64(self.version);
        writer.i64(self.timestamp);
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ConsumerGroupRegularExpressionValue {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topics = chance.array(|chance| chance.string());
        value.version = chance.i64();
        value.timestamp = chance.i64();
        let _ = (&chance, version);
        value
    }
}

impl Value for ConsumerGroupRegularExpressionValue {
    const KIND: i16 = 16;
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
