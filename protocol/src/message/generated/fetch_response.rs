// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `FetchResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Default for FetchResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            session_id: 0,
            responses: Default::default(),
            node_endpoints: Default::default(),
        }
    }
}

impl FetchResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        if version >= 7 {
            value.error_code = reader.i16()?;
        }
        if version >= 7 {
            value.session_id = reader.i32()?;
        }
        value.responses = reader.array(flexible, 1, |reader| FetchableTopicResponse::read(reader, version))?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 if version >= 16 => {
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
        let flexible = version >= 12;
        writer.i32(self.throttle_time_ms);
        if version >= 7 {
            writer.i16(self.error_code);
        }
        if version >= 7 {
            writer.i32(self.session_id);
        } else if !(self.session_id == 0) {
            return Err(EncodeError::missing("session_id", version));
        }
        writer.array_length(self.responses.len(), flexible)?;
        for element in &self.responses {
            element.write(writer, version)?;
        }
        if flexible {
            let mut tags = Tags::default();
            if version >= 16 && !(self.node_endpoints.is_empty()) {
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
        if !(flexible && version >= 16) && !(self.node_endpoints.is_empty()) {
            return Err(EncodeError::missing("node_endpoints", version));
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl FetchResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.throttle_time_ms = chance.i32();
        if version >= 7 {
            value.error_code = chance.i16();
        }
        if version >= 7 {
            value.session_id = chance.i32();
        }
        value.responses = chance.array(|chance| FetchableTopicResponse::draw(chance, version));
        if version >= 16 {
            value.node_endpoints = chance.array(|chance| NodeEndpoint::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `FetchableTopicResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FetchableTopicResponse {
    pub topic: String,
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
}

impl Default for FetchableTopicResponse {
    fn default() -> Self {
        Self { topic: Default::default(), topic_id: Default::default(), partitions: Default::default() }
    }
}

impl FetchableTopicResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if version <= 12 {
            value.topic = reader.string(flexible)?;
        }
        if version >= 13 {
            value.topic_id = reader.uuid()?;
        }
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
impl FetchableTopicResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version <= 12 {
            value.topic = chance.string();
        }
        if version >= 13 {
            value.topic_id = chance.uuid();
        }
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
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub diverging_epoch: EpochEndOffset,
    pub current_leader: LeaderIdAndEpoch,
    pub snapshot_id: SnapshotId,
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    pub preferred_read_replica: i32,
    pub records: Option<Payload>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            error_code: Default::default(),
            high_watermark: Default::default(),
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: Default::default(),
            current_leader: Default::default(),
            snapshot_id: Default::default(),
            aborted_transactions: Some(Default::default()),
            preferred_read_replica: -1,
            records: Some(Default::default()),
        }
    }
}

impl PartitionData {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.high_watermark = reader.i64()?;
        value.last_stable_offset = reader.i64()?;
        if version >= 5 {
            value.log_start_offset = reader.i64()?;
        }
        value.aborted_transactions =
            reader.nullable_array(flexible, 16, |reader| AbortedTransaction::read(reader, version))?;
        if version >= 11 {
            value.preferred_read_replica = reader.i32()?;
        }
        value.records = reader.nullable_payload(flexible)?;
        if flexible {
            let mut tags = reader.tags()?;
            while let Some((tag, mut inner)) = tags.next(reader)? {
                match tag {
                    0 => value.diverging_epoch = EpochEndOffset::read(&mut inner, version)?,
                    1 => value.current_leader = LeaderIdAndEpoch::read(&mut inner, version)?,
                    2 => value.snapshot_id = SnapshotId::read(&mut inner, version)?,
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
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        writer.i64(self.high_watermark);
        writer.i64(self.last_stable_offset);
        if version >= 5 {
            writer.i64(self.log_start_offset);
        }
        match &self.aborted_transactions {
            None => {
                writer.null_array(flexible);
            }
            Some(elements) => {
                writer.array_length(elements.len(), flexible)?;
                for element in elements {
                    element.write(writer, version)?;
                }
            }
        }
        if version >= 11 {
            writer.i32(self.preferred_read_replica);
        } else if !(self.preferred_read_replica == -1) {
            return Err(EncodeError::missing("preferred_read_replica", version));
        }
        match &self.records {
            None => {
                writer.null_bytes(flexible);
            }
            Some(inside) => {
                writer.payload(inside, flexible)?;
            }
        }
        if flexible {
            let mut tags = Tags::default();
            if version >= 12 && !(self.diverging_epoch == Default::default()) {
                tags.add(0, |inner| {
                    self.diverging_epoch.write(inner, version)?;
                    Ok(())
                })?;
            }
            if version >= 12 && !(self.current_leader == Default::default()) {
                tags.add(1, |inner| {
                    self.current_leader.write(inner, version)?;
                    Ok(())
                })?;
            }
            if version >= 12 && !(self.snapshot_id == Default::default()) {
                tags.add(2, |inner| {
                    self.snapshot_id.write(inner, version)?;
                    Ok(())
                })?;
            }
            tags.write(writer);
        }
        if !flexible && !(self.diverging_epoch == Default::default()) {
            return Err(EncodeError::missing("diverging_epoch", version));
        }
        if !flexible && !(self.current_leader == Default::default()) {
            return Err(EncodeError::missing("current_leader", version));
        }
        if !flexible && !(self.snapshot_id == Default::default()) {
            return Err(EncodeError::missing("snapshot_id", version));
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
        value.high_watermark = chance.i64();
        value.last_stable_offset = chance.i64();
        if version >= 5 {
            value.log_start_offset = chance.i64();
        }
        if version >= 12 {
            value.diverging_epoch = EpochEndOffset::draw(chance, version);
        }
        if version >= 12 {
            value.current_leader = LeaderIdAndEpoch::draw(chance, version);
        }
        if version >= 12 {
            value.snapshot_id = SnapshotId::draw(chance, version);
        }
        value.aborted_transactions =
            chance.option(true, |chance| chance.array(|chance| AbortedTransaction::draw(chance, version)));
        if version >= 11 {
            value.preferred_read_replica = chance.i32();
        }
        value.records = chance.option(true, |chance| chance.payload());
        let _ = (&chance, version);
        value
    }
}

/// `EpochEndOffset`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct EpochEndOffset {
    pub epoch: i32,
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self { epoch: -1, end_offset: -1 }
    }
}

impl EpochEndOffset {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if version >= 12 {
            value.epoch = reader.i32()?;
        }
        if version >= 12 {
            value.end_offset = reader.i64()?;
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
        if version >= 12 {
            writer.i32(self.epoch);
        } else if !(self.epoch == -1) {
            return Err(EncodeError::missing("epoch", version));
        }
        if version >= 12 {
            writer.i64(self.end_offset);
        } else if !(self.end_offset == -1) {
            return Err(EncodeError::missing("end_offset", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl EpochEndOffset {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 12 {
            value.epoch = chance.i32();
        }
        if version >= 12 {
            value.end_offset = chance.i64();
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
        let flexible = version >= 12;
        let mut value = Self::default();
        if version >= 12 {
            value.leader_id = reader.i32()?;
        }
        if version >= 12 {
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
        let flexible = version >= 12;
        if version >= 12 {
            writer.i32(self.leader_id);
        } else if !(self.leader_id == -1) {
            return Err(EncodeError::missing("leader_id", version));
        }
        if version >= 12 {
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
        if version >= 12 {
            value.leader_id = chance.i32();
        }
        if version >= 12 {
            value.leader_epoch = chance.i32();
        }
        let _ = (&chance, version);
        value
    }
}

/// `SnapshotId`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self { end_offset: -1, epoch: -1 }
    }
}

impl SnapshotId {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.end_offset = reader.i64()?;
        value.epoch = reader.i32()?;
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
        writer.i64(self.end_offset);
        writer.i32(self.epoch);
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl SnapshotId {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.end_offset = chance.i64();
        value.epoch = chance.i32();
        let _ = (&chance, version);
        value
    }
}

/// `AbortedTransaction`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

impl Default for AbortedTransaction {
    fn default() -> Self {
        Self { producer_id: Default::default(), first_offset: Default::default() }
    }
}

impl AbortedTransaction {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.first_offset = reader.i64()?;
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
        writer.i64(self.producer_id);
        writer.i64(self.first_offset);
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl AbortedTransaction {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.producer_id = chance.i64();
        value.first_offset = chance.i64();
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
        let flexible = version >= 12;
        let mut value = Self::default();
        if version >= 16 {
            value.node_id = reader.i32()?;
        }
        if version >= 16 {
            value.host = reader.string(flexible)?;
        }
        if version >= 16 {
            value.port = reader.i32()?;
        }
        if version >= 16 {
            value.rack = not_null(reader.nullable_string(flexible)?, version >= 16)?;
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
        if version >= 16 {
            writer.i32(self.node_id);
        } else if !(self.node_id == Default::default()) {
            return Err(EncodeError::missing("node_id", version));
        }
        if version >= 16 {
            writer.string(&self.host, flexible)?;
        } else if !(self.host.is_empty()) {
            return Err(EncodeError::missing("host", version));
        }
        if version >= 16 {
            writer.i32(self.port);
        } else if !(self.port == Default::default()) {
            return Err(EncodeError::missing("port", version));
        }
        if version >= 16 {
            match &self.rack {
                None => {
                    if !(version >= 16) {
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
        if version >= 16 {
            value.node_id = chance.i32();
        }
        if version >= 16 {
            value.host = chance.string();
        }
        if version >= 16 {
            value.port = chance.i32();
        }
        if version >= 16 {
            value.rack = chance.option(version >= 16, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for FetchResponse {
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
