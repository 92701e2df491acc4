// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ReplicaState`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_directory_id: Uuid,
    pub log_end_offset: i64,
    pub last_fetch_timestamp: i64,
    pub last_caught_up_timestamp: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: Default::default(),
            replica_directory_id: Default::default(),
            log_end_offset: Default::default(),
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
        }
    }
}

impl ReplicaState {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.replica_id = reader.i32()?;
        if version >= 2 {
            value.replica_directory_id = reader.uuid()?;
        }
        value.log_end_offset = reader.i64()?;
        if version >= 1 {
            value.last_fetch_timestamp = reader.i64()?;
        }
        if version >= 1 {
            value.last_caught_up_timestamp = reader.i64()?;
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
        writer.i32(self.replica_id);
        if version >= 2 {
            writer.uuid(self.replica_directory_id);
        } else if !(self.replica_directory_id.is_nil()) {
            return Err(EncodeError::missing("replica_directory_id", version));
        }
        writer.i64(self.log_end_offset);
        if version >= 1 {
            writer.i64(self.last_fetch_timestamp);
        }
        if version >= 1 {
            writer.i64(self.last_caught_up_timestamp);
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
        value.replica_id = chance.i32();
        if version >= 2 {
            value.replica_directory_id = chance.uuid();
        }
        value.log_end_offset = chance.i64();
        if version >= 1 {
            value.last_fetch_timestamp = chance.i64();
        }
        if version >= 1 {
            value.last_caught_up_timestamp = chance.i64();
        }
        let _ = (&chance, version);
        value
    }
}

/// `DescribeQuorumResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeQuorumResponse {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub topics: Vec<TopicData>,
    pub nodes: Vec<Node>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            topics: Default::default(),
            nodes: Default::default(),
        }
    }
}

impl DescribeQuorumResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        if version >= 2 {
            value.error_message = not_null(reader.nullable_string(flexible)?, version >= 2)?;
        }
        value.topics = reader.array(flexible, 2, |reader| TopicData::read(reader, version))?;
        if version >= 2 {
            value.nodes = reader.array(flexible, 1, |reader| Node::read(reader, version))?;
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
        writer.i16(self.error_code);
        if version >= 2 {
            match &self.error_message {
                None => {
                    if !(version >= 2) {
                        return Err(EncodeError::null("error_message", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        writer.array_length(self.topics.len(), flexible)?;
        for element in &self.topics {
            element.write(writer, version)?;
        }
        if version >= 2 {
            writer.array_length(self.nodes.len(), flexible)?;
            for element in &self.nodes {
                element.write(writer, version)?;
            }
        } else if !(self.nodes.is_empty()) {
            return Err(EncodeError::missing("nodes", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribeQuorumResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        if version >= 2 {
            value.error_message = chance.option(version >= 2, |chance| chance.string());
        }
        value.topics = chance.array(|chance| TopicData::draw(chance, version));
        if version >= 2 {
            value.nodes = chance.array(|chance| Node::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `TopicData`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TopicData {
    pub topic_name: String,
    pub partitions: Vec<PartitionData>,
}

impl Default for TopicData {
    fn default() -> Self {
        Self { topic_name: Default::default(), partitions: Default::default() }
    }
}

impl TopicData {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.topic_name = reader.string(flexible)?;
        value.partitions = reader.array(flexible, 24, |reader| PartitionData::read(reader, version))?;
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
        writer.string(&self.topic_name, flexible)?;
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
impl TopicData {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.topic_name = chance.string();
        value.partitions = chance.array(|chance| PartitionData::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `PartitionData`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    pub current_voters: Vec<ReplicaState>,
    pub observers: Vec<ReplicaState>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            leader_id: Default::default(),
            leader_epoch: Default::default(),
            high_watermark: Default::default(),
            current_voters: Default::default(),
            observers: Default::default(),
        }
    }
}

impl PartitionData {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        if version >= 2 {
            value.error_message = not_null(reader.nullable_string(flexible)?, version >= 2)?;
        }
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.high_watermark = reader.i64()?;
        value.current_voters = reader.array(flexible, 12, |reader| ReplicaState::read(reader, version))?;
        value.observers = reader.array(flexible, 12, |reader| ReplicaState::read(reader, version))?;
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
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        if version >= 2 {
            match &self.error_message {
                None => {
                    if !(version >= 2) {
                        return Err(EncodeError::null("error_message", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        writer.i32(self.leader_id);
        writer.i32(self.leader_epoch);
        writer.i64(self.high_watermark);
        writer.array_length(self.current_voters.len(), flexible)?;
        for element in &self.current_voters {
            element.write(writer, version)?;
        }
        writer.array_length(self.observers.len(), flexible)?;
        for element in &self.observers {
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
impl PartitionData {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.partition_index = chance.i32();
        value.error_code = chance.i16();
        if version >= 2 {
            value.error_message = chance.option(version >= 2, |chance| chance.string());
        }
        value.leader_id = chance.i32();
        value.leader_epoch = chance.i32();
        value.high_watermark = chance.i64();
        value.current_voters = chance.array(|chance| ReplicaState::draw(chance, version));
        value.observers = chance.array(|chance| ReplicaState::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `Node`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct Node {
    pub node_id: i32,
    pub listeners: Vec<Listener>,
}

impl Default for Node {
    fn default() -> Self {
        Self { node_id: Default::default(), listeners: Default::default() }
    }
}

impl Node {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        if version >= 2 {
            value.node_id = reader.i32()?;
        }
        if version >= 2 {
            value.listeners = reader.array(flexible, 1, |reader| Listener::read(reader, version))?;
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
        if version >= 2 {
            writer.i32(self.node_id);
        } else if !(self.node_id == Default::default()) {
            return Err(EncodeError::missing("node_id", version));
        }
        if version >= 2 {
            writer.array_length(self.listeners.len(), flexible)?;
            for element in &self.listeners {
                element.write(writer, version)?;
            }
        } else if !(self.listeners.is_empty()) {
            return Err(EncodeError::missing("listeners", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl Node {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 2 {
            value.node_id = chance.i32();
        }
        if version >= 2 {
            value.listeners = chance.array(|chance| Listener::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `Listener`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct Listener {
    pub name: String,
    pub host: String,
    pub port: u16,
}

impl Default for Listener {
    fn default() -> Self {
        Self { name: Default::default(), host: Default::default(), port: Default::default() }
    }
}

impl Listener {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        if version >= 2 {
            value.name = reader.string(flexible)?;
        }
        if version >= 2 {
            value.host = reader.string(flexible)?;
        }
        if version >= 2 {
            value.port = reader.u16()?;
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
        if version >= 2 {
            writer.string(&self.name, flexible)?;
        } else if !(self.name.is_empty()) {
            return Err(EncodeError::missing("name", version));
        }
        if version >= 2 {
            writer.string(&self.host, flexible)?;
        } else if !(self.host.is_empty()) {
            return Err(EncodeError::missing("host", version));
        }
        if version >= 2 {
            writer.u16(self.port);
        } else if !(self.port == Default::default()) {
            return Err(EncodeError::missing("port", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl Listener {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 2 {
            value.name = chance.string();
        }
        if version >= 2 {
            value.host = chance.string();
        }
        if version >= 2 {
            value.port = chance.u16();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for DescribeQuorumResponse {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
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
