// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ListTransactionsRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ListTransactionsRequest {
    pub state_filters: Vec<String>,
    pub producer_id_filters: Vec<i64>,
    pub duration_filter: i64,
    pub transactional_id_pattern: Option<String>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Default::default(),
            producer_id_filters: Default::default(),
            duration_filter: -1,
            transactional_id_pattern: None,
        }
    }
}

impl ListTransactionsRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.state_filters = reader.array(flexible, 1, |reader| reader.string(flexible))?;
        value.producer_id_filters = reader.array(flexible, 8, |reader| reader.i64())?;
        if version >= 1 {
            value.duration_filter = reader.i64()?;
        }
        if version >= 2 {
            value.transactional_id_pattern = not_null(reader.nullable_string(flexible)?, version >= 2)?;
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
        let flexible = true;
        writer.array_length(self.state_filters.len(), flexible)?;
        for element in &self.state_filters {
            writer.string(element, flexible)?;
        }
        writer.array_length(self.producer_id_filters.len(), flexible)?;
        for element in &self.producer_id_filters {
            writer.i64(*element);
        }
        if version >= 1 {
            writer.i64(self.duration_filter);
        } else if !(self.duration_filter == -1) {
            return Err(EncodeError::missing("duration_filter", version));
        }
        if version >= 2 {
            match &self.transactional_id_pattern {
                None => {
                    if !(version >= 2) {
                        return Err(EncodeError::null("transactional_id_pattern", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.transactional_id_pattern.is_none()) {
            return Err(EncodeError::missing("transactional_id_pattern", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ListTransactionsRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.state_filters = chance.array(|chance| chance.string());
        value.producer_id_filters = chance.array(|chance| chance.i64());
        if version >= 1 {
            value.duration_filter = chance.i64();
        }
        if version >= 2 {
            value.transactional_id_pattern = chance.option(version >= 2, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
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

impl Request for ListTransactionsRequest {
    type Response = super::ListTransactionsResponse;
}
