// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `InitProducerIdRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<String>,
    pub transaction_timeout_ms: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: Some(Default::default()),
            transaction_timeout_ms: Default::default(),
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl InitProducerIdRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.transactional_id = reader.nullable_string(flexible)?;
        value.transaction_timeout_ms = reader.i32()?;
        if version >= 3 {
            value.producer_id = reader.i64()?;
        }
        if version >= 3 {
            value.producer_epoch = reader.i16()?;
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
        let flexible = version >= 2;
        match &self.transactional_id {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        writer.i32(self.transaction_timeout_ms);
        if version >= 3 {
            writer.i64(self.producer_id);
        } else if !(self.producer_id == -1) {
            return Err(EncodeError::missing("producer_id", version));
        }
        if version >= 3 {
            writer.i16(self.producer_epoch);
        } else if !(self.producer_epoch == -1) {
            return Err(EncodeError::missing("producer_epoch", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl InitProducerIdRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.transactional_id = chance.option(true, |chance| chance.string());
        value.transaction_timeout_ms = chance.i32();
        if version >= 3 {
            value.producer_id = chance.i64();
        }
        if version >= 3 {
            value.producer_epoch = chance.i16();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;
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

impl Request for InitProducerIdRequest {
    type Response = super::InitProducerIdResponse;
}
