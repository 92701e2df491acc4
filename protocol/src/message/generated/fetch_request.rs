// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `FetchRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FetchRequest {
    pub cluster_id: Option<String>,
    pub replica_id: i32,
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    pub rack_id: String,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: Default::default(),
            max_wait_ms: Default::default(),
            min_bytes: Default::default(),
            max_bytes: 2147483647,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Default::default(),
            forgotten_topics_data: Default::default(),
            rack_id: Default::default(),
        }
    }
}

impl FetchRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if version <= 14 {
            value.replica_id = reader.i32()?;
        }
        value.max_wait_ms = reader.i32()?;
        value.min_bytes = reader.i32()?;
        value.max_bytes = reader.i32()?;
        value.isolation_level = reader.i8()?;
        if version >= 7 {
            value.session_id = reader.i32()?;
        }
        if version >= 7 {
            value.session_epoch = reader.i32()?;
        }
        value.topics = reader.array(flexible, 1, |reader| FetchTopic::read(reader, version))?;
        if version >= 7 {
            value.forgotten_topics_data = reader.array(flexible, 1, |reader| ForgottenTopic::read(reader, version))?;
        }
        if version >= 11 {
            value.rack_id = reader.string(flexible)?;
        }
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => value.cluster_id = not_null(inner.nullable_string(flexible)?, version >= 12)?,
                    1 if version >= 15 => value.replica_state = ReplicaState::read(&mut inner, version)?,
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        if version <= 14 {
            writer.i32(self.replica_id);
        } else if !(self.replica_id == -1) {
            return Err(EncodeError::missing("replica_id", version));
        }
        writer.i32(self.max_wait_ms);
        writer.i32(self.min_bytes);
        writer.i32(self.max_bytes);
        writer.i8(self.isolation_level);
        if version >= 7 {
            writer.i32(self.session_id);
        }
        if version >= 7 {
            writer.i32(self.session_epoch);
        }
        writer.array_length(self.topics.len(), flexible)?;
        for element in &self.topics {
            element.write(writer, version)?;
        }
        if version >= 7 {
            writer.array_length(self.forgotten_topics_data.len(), flexible)?;
            for element in &self.forgotten_topics_data {
                element.write(writer, version)?;
            }
        } else if !(self.forgotten_topics_data.is_empty()) {
            return Err(EncodeError::missing("forgotten_topics_data", version));
        }
        if version >= 11 {
            writer.string(&self.rack_id, flexible)?;
        }
        if flexible {
            let mut tags = Tags::default();
            if version >= 12 && !(self.cluster_id.is_none()) {
                tags.add(0, |inner| {
                    match &self.cluster_id {
                        None => {
                            inner.null_string(flexible);
                        }
                        Some(inside) => {
                            inner.string(inside, flexible)?;
                        }
                    }
                    Ok(())
                })?;
            }
            if version >= 15 && !(self.replica_state == Default::default()) {
                tags.add(1, |inner| {
                    self.replica_state.write(inner, version)?;
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        if !(flexible && version >= 15) && !(self.replica_state == Default::default()) {
            return Err(EncodeError::missing("replica_state", version));
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl FetchRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 12 {
            value.cluster_id = chance.option(version >= 12, |chance| chance.string());
        }
        if version <= 14 {
            value.replica_id = chance.i32();
        }
        if version >= 15 {
            value.replica_state = ReplicaState::draw(chance, version);
        }
        value.max_wait_ms = chance.i32();
        value.min_bytes = chance.i32();
        value.max_bytes = chance.i32();
        value.isolation_level = chance.i8();
        if version >= 7 {
            value.session_id = chance.i32();
        }
        if version >= 7 {
            value.session_epoch = chance.i32();
        }
        value.topics = chance.array(|chance| FetchTopic::draw(chance, version));
        if version >= 7 {
            value.forgotten_topics_data = chance.array(|chance| ForgottenTopic::draw(chance, version));
        }
        if version >= 11 {
            value.rack_id = chance.string();
        }
        let _ = (&chance, version);
        value
    }
}

/// `ReplicaState`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self { replica_id: -1, replica_epoch: -1 }
    }
}

impl ReplicaState {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if version >= 15 {
            value.replica_id = reader.i32()?;
        }
        if version >= 15 {
            value.replica_epoch = reader.i64()?;
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
        let flexible = version >= 12;
        if version >= 15 {
            writer.i32(self.replica_id);
        } else if !(self.replica_id == -1) {
            return Err(EncodeError::missing("replica_id", version));
        }
        if version >= 15 {
            writer.i64(self.replica_epoch);
        } else if !(self.replica_epoch == -1) {
            return Err(EncodeError::missing("replica_epoch", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ReplicaState {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 15 {
            value.replica_id = chance.i32();
        }
        if version >= 15 {
            value.replica_epoch = chance.i64();
        }
        let _ = (&chance, version);
        value
    }
}

/// `FetchTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FetchTopic {
    pub topic: String,
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
}

impl Default for FetchTopic {
    fn default() -> Self {
        Self { topic: Default::default(), topic_id: Default::default(), partitions: Default::default() }
    }
}

impl FetchTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if version <= 12 {
            value.topic = reader.string(flexible)?;
        }
        if version >= 13 {
            value.topic_id = reader.uuid()?;
        }
        value.partitions = reader.array(flexible, 16, |reader| FetchPartition::read(reader, version))?;
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
        let flexible = version >= 12;
        if version <= 12 {
            writer.string(&self.topic, flexible)?;
        }
        if version >= 13 {
            writer.uuid(self.topic_id);
        }
        writer.array_length(self.partitions.len(), flexible)?;
        for element in &self.partitions {
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
impl FetchTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 12 {
            value.topic = chance.string();
        }
        if version >= 13 {
            value.topic_id = chance.uuid();
        }
        value.partitions = chance.array(|chance| FetchPartition::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `FetchPartition`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FetchPartition {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    pub last_fetched_epoch: i32,
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    pub replica_directory_id: Uuid,
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: Default::default(),
            current_leader_epoch: -1,
            fetch_offset: Default::default(),
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: Default::default(),
            replica_directory_id: Default::default(),
            high_watermark: 9223372036854775807,
        }
    }
}

impl FetchPartition {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.partition = reader.i32()?;
        if version >= 9 {
            value.current_leader_epoch = reader.i32()?;
        }
        value.fetch_offset = reader.i64()?;
        if version >= 12 {
            value.last_fetched_epoch = reader.i32()?;
        }
        if version >= 5 {
            value.log_start_offset = reader.i64()?;
        }
        value.partition_max_bytes = reader.i32()?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 if version >= 17 => value.replica_directory_id = inner.uuid()?,
                    1 if version >= 18 => value.high_watermark = inner.i64()?,
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        writer.i32(self.partition);
        if version >= 9 {
            writer.i32(self.current_leader_epoch);
        }
        writer.i64(self.fetch_offset);
        if version >= 12 {
            writer.i32(self.last_fetched_epoch);
        } else if !(self.last_fetched_epoch == -1) {
            return Err(EncodeError::missing("last_fetched_epoch", version));
        }
        if version >= 5 {
            writer.i64(self.log_start_offset);
        }
        writer.i32(self.partition_max_bytes);
        if flexible {
            let mut tags = Tags::default();
            if version >= 17 && !(self.replica_directory_id.is_nil()) {
                tags.add(0, |inner| {
                    inner.uuid(self.replica_directory_id);
                    Ok(())
                })?;
            }
            if version >= 18 && !(self.high_watermark == 9223372036854775807) {
                tags.add(1, |inner| {
                    inner.i64(self.high_watermark);
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
impl FetchPartition {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.partition = chance.i32();
        if version >= 9 {
            value.current_leader_epoch = chance.i32();
        }
        value.fetch_offset = chance.i64();
        if version >= 12 {
            value.last_fetched_epoch = chance.i32();
        }
        if version >= 5 {
            value.log_start_offset = chance.i64();
        }
        value.partition_max_bytes = chance.i32();
        if version >= 17 {
            value.replica_directory_id = chance.uuid();
        }
        if version >= 18 {
            value.high_watermark = chance.i64();
        }
        let _ = (&chance, version);
        value
    }
}

/// `ForgottenTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ForgottenTopic {
    pub topic: String,
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl Default for ForgottenTopic {
    fn default() -> Self {
        Self { topic: Default::default(), topic_id: Default::default(), partitions: Default::default() }
    }
}

impl ForgottenTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if (7..=12).contains(&version) {
            value.topic = reader.string(flexible)?;
        }
        if version >= 13 {
            value.topic_id = reader.uuid()?;
        }
        if version >= 7 {
            value.partitions = reader.array(flexible, 4, |reader| reader.i32())?;
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
        let flexible = version >= 12;
        if (7..=12).contains(&version) {
            writer.string(&self.topic, flexible)?;
        }
        if version >= 13 {
            writer.uuid(self.topic_id);
        }
        if version >= 7 {
            writer.array_length(self.partitions.len(), flexible)?;
            for element in &self.partitions {
                writer.i32(*element);
            }
        } else if !(self.partitions.is_empty()) {
            return Err(EncodeError::missing("partitions", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ForgottenTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if (7..=12).contains(&version) {
            value.topic = chance.string();
        }
        if version >= 13 {
            value.topic_id = chance.uuid();
        }
        if version >= 7 {
            value.partitions = chance.array(|chance| chance.i32());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
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

impl Request for FetchRequest {
    type Response = super::FetchResponse;
}
