// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ListGroupsRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ListGroupsRequest {
    pub states_filter: Vec<String>,
    pub types_filter: Vec<String>,
}

impl Default for ListGroupsRequest {
    fn default() -> Self {
        Self { states_filter: Default::default(), types_filter: Default::default() }
    }
}

impl ListGroupsRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 4 {
            value.states_filter = reader.array(flexible, 1, |reader| reader.string(flexible))?;
        }
        if version >= 5 {
            value.types_filter = reader.array(flexible, 1, |reader| reader.string(flexible))?;
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
        let flexible = version >= 3;
        if version >= 4 {
            writer.array_length(self.states_filter.len(), flexible)?;
            for element in &self.states_filter {
                writer.string(element, flexible)?;
            }
        } else if !(self.states_filter.is_empty()) {
            return Err(EncodeError::missing("states_filter", version));
        }
        if version >= 5 {
            writer.array_length(self.types_filter.len(), flexible)?;
            for element in &self.types_filter {
                writer.string(element, flexible)?;
            }
        } else if !(self.types_filter.is_empty()) {
            return Err(EncodeError::missing("types_filter", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ListGroupsRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 4 {
            value.states_filter = chance.array(|chance| chance.string());
        }
        if version >= 5 {
            value.types_filter = chance.array(|chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
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

impl Request for ListGroupsRequest {
    type Response = super::ListGroupsResponse;
}
