// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ProduceResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Default for ProduceResponse {
    fn default() -> Self {
        Self { responses: Default::default(), throttle_time_ms: 0, node_endpoints: Default::default() }
    }
}

impl ProduceResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.responses = reader.array(flexible, 1, |reader| TopicProduceResponse::read(reader, version))?;
        value.throttle_time_ms = reader.i32()?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 if version >= 10 => {
                        value.node_endpoints = inner.array(flexible, 1, |reader| NodeEndpoint::read(reader, version))?
                    }
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.array_length(self.responses.len(), flexible)?;
        for element in &self.responses {
            element.write(writer, version)?;
        }
        writer.i32(self.throttle_time_ms);
        if flexible {
            let mut tags = Tags::default();
            if version >= 10 && !(self.node_endpoints.is_empty()) {
                tags.add(0, |inner| {
                    inner.array_length(self.node_endpoints.len(), flexible)?;
                    for element in &self.node_endpoints {
                        element.write(inner, version)?;
                    }
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        if !(flexible && version >= 10) && !(self.node_endpoints.is_empty()) {
            return Err(EncodeError::missing("node_endpoints", version));
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ProduceResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.responses = chance.array(|chance| TopicProduceResponse::draw(chance, version));
        value.throttle_time_ms = chance.i32();
        if version >= 10 {
            value.node_endpoints = chance.array(|chance| NodeEndpoint::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `TopicProduceResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct TopicProduceResponse {
    pub name: String,
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl Default for TopicProduceResponse {
    fn default() -> Self {
        Self { name: Default::default(), topic_id: Default::default(), partition_responses: Default::default() }
    }
}

impl TopicProduceResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version <= 12 {
            value.name = reader.string(flexible)?;
        }
        if version >= 13 {
            value.topic_id = reader.uuid()?;
        }
        value.partition_responses =
            reader.array(flexible, 22, |reader| PartitionProduceResponse::read(reader, version))?;
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
        let flexible = version >= 9;
        if version <= 12 {
            writer.string(&self.name, flexible)?;
        }
        if version >= 13 {
            writer.uuid(self.topic_id);
        }
        writer.array_length(self.partition_responses.len(), flexible)?;
        for element in &self.partition_responses {
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
impl TopicProduceResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 12 {
            value.name = chance.string();
        }
        if version >= 13 {
            value.topic_id = chance.uuid();
        }
        value.partition_responses = chance.array(|chance| PartitionProduceResponse::draw(chance, version));
        let _ = (&chance, version);
        value
    }
}

/// `PartitionProduceResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    pub error_message: Option<String>,
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: Default::default(),
            error_code: Default::default(),
            base_offset: Default::default(),
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Default::default(),
            error_message: None,
            current_leader: Default::default(),
        }
    }
}

impl PartitionProduceResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.base_offset = reader.i64()?;
        value.log_append_time_ms = reader.i64()?;
        if version >= 5 {
            value.log_start_offset = reader.i64()?;
        }
        if version >= 8 {
            value.record_errors =
                reader.array(flexible, 1, |reader| BatchIndexAndErrorMessage::read(reader, version))?;
        }
        if version >= 8 {
            value.error_message = not_null(reader.nullable_string(flexible)?, version >= 8)?;
        }
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 if version >= 10 => value.current_leader = LeaderIdAndEpoch::read(&mut inner, version)?,
                    _ => inner.skip_rest(),
                }
                tags.done(reader, inner)?;
            }
        }
        let _ = (flexible, version);
        Ok(value)
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.i32(self.index);
        writer.i16(self.error_code);
        writer.i64(self.base_offset);
        writer.i64(self.log_append_time_ms);
        if version >= 5 {
            writer.i64(self.log_start_offset);
        }
        if version >= 8 {
            writer.array_length(self.record_errors.len(), flexible)?;
            for element in &self.record_errors {
                element.write(writer, version)?;
            }
        }
        if version >= 8 {
            match &self.error_message {
                None => {
                    if !(version >= 8) {
                        return Err(EncodeError::null("error_message", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if flexible {
            let mut tags = Tags::default();
            if version >= 10 && !(self.current_leader == Default::default()) {
                tags.add(0, |inner| {
                    self.current_leader.write(inner, version)?;
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        if !(flexible && version >= 10) && !(self.current_leader == Default::default()) {
            return Err(EncodeError::missing("current_leader", version));
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl PartitionProduceResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.index = chance.i32();
        value.error_code = chance.i16();
        value.base_offset = chance.i64();
        value.log_append_time_ms = chance.i64();
        if version >= 5 {
            value.log_start_offset = chance.i64();
        }
        if version >= 8 {
            value.record_errors = chance.array(|chance| BatchIndexAndErrorMessage::draw(chance, version));
        }
        if version >= 8 {
            value.error_message = chance.option(version >= 8, |chance| chance.string());
        }
        if version >= 10 {
            value.current_leader = LeaderIdAndEpoch::draw(chance, version);
        }
        let _ = (&chance, version);
        value
    }
}

/// `BatchIndexAndErrorMessage`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct BatchIndexAndErrorMessage {
    pub batch_index: i32,
    pub batch_index_error_message: Option<String>,
}

impl Default for BatchIndexAndErrorMessage {
    fn default() -> Self {
        Self { batch_index: Default::default(), batch_index_error_message: None }
    }
}

impl BatchIndexAndErrorMessage {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version >= 8 {
            value.batch_index = reader.i32()?;
        }
        if version >= 8 {
            value.batch_index_error_message = not_null(reader.nullable_string(flexible)?, version >= 8)?;
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
        let flexible = version >= 9;
        if version >= 8 {
            writer.i32(self.batch_index);
        } else if !(self.batch_index == Default::default()) {
            return Err(EncodeError::missing("batch_index", version));
        }
        if version >= 8 {
            match &self.batch_index_error_message {
                None => {
                    if !(version >= 8) {
                        return Err(EncodeError::null("batch_index_error_message", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.batch_index_error_message.is_none()) {
            return Err(EncodeError::missing("batch_index_error_message", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl BatchIndexAndErrorMessage {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 8 {
            value.batch_index = chance.i32();
        }
        if version >= 8 {
            value.batch_index_error_message = chance.option(version >= 8, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

/// `LeaderIdAndEpoch`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self { leader_id: -1, leader_epoch: -1 }
    }
}

impl LeaderIdAndEpoch {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version >= 10 {
            value.leader_id = reader.i32()?;
        }
        if version >= 10 {
            value.leader_epoch = reader.i32()?;
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
        let flexible = version >= 9;
        if version >= 10 {
            writer.i32(self.leader_id);
        } else if !(self.leader_id == -1) {
            return Err(EncodeError::missing("leader_id", version));
        }
        if version >= 10 {
            writer.i32(self.leader_epoch);
        } else if !(self.leader_epoch == -1) {
            return Err(EncodeError::missing("leader_epoch", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl LeaderIdAndEpoch {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 10 {
            value.leader_id = chance.i32();
        }
        if version >= 10 {
            value.leader_epoch = chance.i32();
        }
        let _ = (&chance, version);
        value
    }
}

/// `NodeEndpoint`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

impl Default for NodeEndpoint {
    fn default() -> Self {
        Self { node_id: Default::default(), host: Default::default(), port: Default::default(), rack: None }
    }
}

impl NodeEndpoint {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version >= 10 {
            value.node_id = reader.i32()?;
        }
        if version >= 10 {
            value.host = reader.string(flexible)?;
        }
        if version >= 10 {
            value.port = reader.i32()?;
        }
        if version >= 10 {
            value.rack = not_null(reader.nullable_string(flexible)?, version >= 10)?;
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
        let flexible = version >= 9;
        if version >= 10 {
            writer.i32(self.node_id);
        } else if !(self.node_id == Default::default()) {
            return Err(EncodeError::missing("node_id", version));
        }
        if version >= 10 {
            writer.string(&self.host, flexible)?;
        } else if !(self.host.is_empty()) {
            return Err(EncodeError::missing("host", version));
        }
        if version >= 10 {
            writer.i32(self.port);
        } else if !(self.port == Default::default()) {
            return Err(EncodeError::missing("port", version));
        }
        if version >= 10 {
            match &self.rack {
                None => {
                    if !(version >= 10) {
                        return Err(EncodeError::null("rack", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        } else if !(self.rack.is_none()) {
            return Err(EncodeError::missing("rack", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl NodeEndpoint {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 10 {
            value.node_id = chance.i32();
        }
        if version >= 10 {
            value.host = chance.string();
        }
        if version >= 10 {
            value.port = chance.i32();
        }
        if version >= 10 {
            value.rack = chance.option(version >= 10, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;
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
