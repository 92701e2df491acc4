// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `OffsetCommitValue`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetCommitValue {
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: String,
    pub commit_timestamp: i64,
    pub expire_timestamp: i64,
    pub topic_id: Uuid,
}

impl Default for OffsetCommitValue {
    fn default() -> Self {
        Self {
            offset: Default::default(),
            leader_epoch: -1,
            metadata: Default::default(),
            commit_timestamp: Default::default(),
            expire_timestamp: -1,
            topic_id: Default::default(),
        }
    }
}

impl OffsetCommitValue {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.offset = reader.i64()?;
        if version >= 3 {
            value.leader_epoch = reader.i32()?;
        }
        value.metadata = reader.string(flexible)?;
        value.commit_timestamp = reader.i64()?;
        if version == 1 {
            value.expire_timestamp = reader.i64()?;
        }
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => value.topic_id = inner.uuid()?,
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.i64(self.offset);
        if version >= 3 {
            writer.i32(self.leader_epoch);
        }
        writer.string(&self.metadata, flexible)?;
        writer.i64(self.commit_timestamp);
        if version == 1 {
            writer.i64(self.expire_timestamp);
        }
        if flexible {
            let mut tags = Tags::default();
            if version >= 4 && !(self.topic_id.is_nil()) {
                tags.add(0, |inner| {
                    inner.uuid(self.topic_id);
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
impl OffsetCommitValue {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.offset = chance.i64();
        if version >= 3 {
            value.leader_epoch = chance.i32();
        }
        value.metadata = chance.string();
        value.commit_timestamp = chance.i64();
        if version == 1 {
            value.expire_timestamp = chance.i64();
        }
        if version >= 4 {
            value.topic_id = chance.uuid();
        }
        let _ = (&chance, version);
        value
    }
}

impl Value for OffsetCommitValue {
    const KIND: i16 = 1;
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
