// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `OffsetFetchRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchRequest {
    pub group_id: String,
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    pub groups: Vec<OffsetFetchRequestGroup>,
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            topics: Some(Default::default()),
            groups: Default::default(),
            require_stable: false,
        }
    }
}

impl OffsetFetchRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version <= 7 {
            value.group_id = reader.string(flexible)?;
        }
        if version <= 7 {
            value.topics = not_null(
                reader.nullable_array(flexible, 1, |reader| OffsetFetchRequestTopic::read(reader, version))?,
                (2..=7).contains(&version),
            )?;
        }
        if version >= 8 {
            value.groups = reader.array(flexible, 1, |reader| OffsetFetchRequestGroup::read(reader, version))?;
        }
        if version >= 7 {
            value.require_stable = reader.bool()?;
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
        let flexible = version >= 6;
        if version <= 7 {
            writer.string(&self.group_id, flexible)?;
        } else if !(self.group_id.is_empty()) {
            return Err(EncodeError::missing("group_id", version));
        }
        if version <= 7 {
            match &self.topics {
                None => {
                    if !((2..=7).contains(&version)) {
                        return Err(EncodeError::null("topics", version));
                    }
                    writer.null_array(flexible);
                }
                Some(elements) => {
                    writer.array_length(elements.len(), flexible)?;
                    for element in elements {
                        element.write(writer, version)?;
                    }
                }
            }
        } else if !(self.topics == Some(Default::default())) {
            return Err(EncodeError::missing("topics", version));
        }
        if version >= 8 {
            writer.array_length(self.groups.len(), flexible)?;
            for element in &self.groups {
                element.write(writer, version)?;
            }
        } else if !(self.groups.is_empty()) {
            return Err(EncodeError::missing("groups", version));
        }
        if version >= 7 {
            writer.bool(self.require_stable);
        } else if !(!self.require_stable) {
            return Err(EncodeError::missing("require_stable", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 7 {
            value.group_id = chance.string();
        }
        if version <= 7 {
            value.topics = chance.option((2..=7).contains(&version), |chance| {
                chance.array(|chance| OffsetFetchRequestTopic::draw(chance, version))
            });
        }
        if version >= 8 {
            value.groups = chance.array(|chance| OffsetFetchRequestGroup::draw(chance, version));
        }
        if version >= 7 {
            value.require_stable = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchRequestTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchRequestTopic {
    pub name: String,
    pub partition_indexes: Vec<i32>,
}

impl Default for OffsetFetchRequestTopic {
    fn default() -> Self {
        Self { name: Default::default(), partition_indexes: Default::default() }
    }
}

impl OffsetFetchRequestTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version <= 7 {
            value.name = reader.string(flexible)?;
        }
        if version <= 7 {
            value.partition_indexes = reader.array(flexible, 4, |reader| reader.i32())?;
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
        let flexible = version >= 6;
        if version <= 7 {
            writer.string(&self.name, flexible)?;
        } else if !(self.name.is_empty()) {
            return Err(EncodeError::missing("name", version));
        }
        if version <= 7 {
            writer.array_length(self.partition_indexes.len(), flexible)?;
            for element in &self.partition_indexes {
                writer.i32(*element);
            }
        } else if !(self.partition_indexes.is_empty()) {
            return Err(EncodeError::missing("partition_indexes", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchRequestTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 7 {
            value.name = chance.string();
        }
        if version <= 7 {
            value.partition_indexes = chance.array(|chance| chance.i32());
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchRequestGroup`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchRequestGroup {
    pub group_id: String,
    pub member_id: Option<String>,
    pub member_epoch: i32,
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self { group_id: Default::default(), member_id: None, member_epoch: -1, topics: Some(Default::default()) }
    }
}

impl OffsetFetchRequestGroup {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 8 {
            value.group_id = reader.string(flexible)?;
        }
        if version >= 9 {
            value.member_id = not_null(reader.nullable_string(flexible)?, version >= 9)?;
        }
        if version >= 9 {
            value.member_epoch = reader.i32()?;
        }
        if version >= 8 {
            value.topics = not_null(
                reader.nullable_array(flexible, 1, |reader| OffsetFetchRequestTopics::read(reader, version))?,
                version >= 8,
            )?;
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
        let flexible = version >= 6;
        if version >= 8 {
            writer.string(&self.group_id, flexible)?;
        } else if !(self.group_id.is_empty()) {
            return Err(EncodeError::missing("group_id", version));
        }
        if version >= 9 {
            match &self.member_id {
                None => {
                    if !(version >= 9) {
                        return Err(EncodeError::null("member_id", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if version >= 9 {
            writer.i32(self.member_epoch);
        }
        if version >= 8 {
            match &self.topics {
                None => {
                    if !(version >= 8) {
                        return Err(EncodeError::null("topics", version));
                    }
                    writer.null_array(flexible);
                }
                Some(elements) => {
                    writer.array_length(elements.len(), flexible)?;
                    for element in elements {
                        element.write(writer, version)?;
                    }
                }
            }
        } else if !(self.topics == Some(Default::default())) {
            return Err(EncodeError::missing("topics", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchRequestGroup {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 8 {
            value.group_id = chance.string();
        }
        if version >= 9 {
            value.member_id = chance.option(version >= 9, |chance| chance.string());
        }
        if version >= 9 {
            value.member_epoch = chance.i32();
        }
        if version >= 8 {
            value.topics = chance
                .option(version >= 8, |chance| chance.array(|chance| OffsetFetchRequestTopics::draw(chance, version)));
        }
        let _ = (&chance, version);
        value
    }
}

/// `OffsetFetchRequestTopics`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OffsetFetchRequestTopics {
    pub name: String,
    pub topic_id: Uuid,
    pub partition_indexes: Vec<i32>,
}

impl Default for OffsetFetchRequestTopics {
    fn default() -> Self {
        Self { name: Default::default(), topic_id: Default::default(), partition_indexes: Default::default() }
    }
}

impl OffsetFetchRequestTopics {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if (8..=9).contains(&version) {
            value.name = reader.string(flexible)?;
        }
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        if version >= 8 {
            value.partition_indexes = reader.array(flexible, 4, |reader| reader.i32())?;
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
        let flexible = version >= 6;
        if (8..=9).contains(&version) {
            writer.string(&self.name, flexible)?;
        }
        if version >= 10 {
            writer.uuid(self.topic_id);
        }
        if version >= 8 {
            writer.array_length(self.partition_indexes.len(), flexible)?;
            for element in &self.partition_indexes {
                writer.i32(*element);
            }
        } else if !(self.partition_indexes.is_empty()) {
            return Err(EncodeError::missing("partition_indexes", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl OffsetFetchRequestTopics {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if (8..=9).contains(&version) {
            value.name = chance.string();
        }
        if version >= 10 {
            value.topic_id = chance.uuid();
        }
        if version >= 8 {
            value.partition_indexes = chance.array(|chance| chance.i32());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
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

impl Request for OffsetFetchRequest {
    type Response = super::OffsetFetchResponse;
}
