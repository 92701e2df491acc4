// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::coordinator_record::prelude::*;

/// `TopicPartitions`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
    pub assignment_epochs: Option<Vec<i32>>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self { topic_id: Default::default(), partitions: Default::default(), assignment_epochs: None }
    }
}

impl TopicPartitions {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(flexible, 4, |reader| reader.i32())?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => value.assignment_epochs = inner.nullable_array(flexible, 4, |reader| reader.i32())?,
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
        writer.uuid(self.topic_id);
        writer.array_length(self.partitions.len(), flexible)?;
        for element in &self.partitions {
            writer.i32(*element);
        }
        if flexible {
            let mut tags = Tags::default();
            if !(self.assignment_epochs.is_none()) {
                tags.add(0, |inner| {
                    match &self.assignment_epochs {
                        None => {
                            inner.null_array(flexible);
                        }
                        Some(elements) => {
                            inner.array_length(elements.len(), flexible)?;
                            for element in elements {
                                inner.i32(*element);
                            }
                        }
                    }
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        if !flexible && !(self.assignment_epochs.is_none()) {
            return Err(EncodeError::missing("assignment_epochs", version));
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl TopicPartitions {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topic_id = chance.uuid();
        value.partitions = chance.array(|chance| chance.i32());
        value.assignment_epochs = chance.option(true, |chance| chance.array(|chance| chance.i32()));
        let _ = (&chance, version);
        value
    }
}

/// `ConsumerGroupCurrentMemberAssignmentValue`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    pub state: i8,
    pub assigned_partitions: Vec<TopicPartitions>,
    pub partitions_pending_revocation: Vec<TopicPartitions>,
}

impl Default for ConsumerGroupCurrentMemberAssignmentValue {
    fn default() -> Self {
        Self {
            member_epoch: Default::default(),
            previous_member_epoch: Default::default(),
            state: Default::default(),
            assigned_partitions: Default::default(),
            partitions_pending_revocation: Default::default(),
        }
    }
}

impl ConsumerGroupCurrentMemberAssignmentValue {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.member_epoch = reader.i32()?;
        value.previous_member_epoch = reader.i32()?;
        value.state = reader.i8()?;
        value.assigned_partitions = reader.array(flexible, 17, |reader| TopicPartitions::read(reader, version))?;
        value.partitions_pending_revocation =
            reader.array(flexible, 17, |reader| TopicPartitions::read(reader, version))?;
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
        writer.i32(self.member_epoch);
        writer.i32(self.previous_member_epoch);
        writer.i8(self.state);
        writer.array_length(self.assigned_partitions.len(), flexible)?;
        for element in &self.assigned_partitions {
            element.write(writer, version)?;
        }
        writer.array_length(self.partitions_pending_revocation.len(), flexible)?;
        for element in &self.partitions_pending_revocation {
            element.write(writer, version)?;
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ConsumerGroupCurrentMemberAssignmentValue {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.member_epoch = chance.i32();
        value.previous_member_epoch = chance.i32();
        value.state = chance.i8();
        value.assigned_partitions = chance.array(|chance| TopicPartitions::draw(chance, version));
        value.partitions_pending_revocation = chance.array(|chance| TopicPartitions::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

impl Value for ConsumerGroupCurrentMemberAssignmentValue {
    const KIND: i16 = 8;
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
