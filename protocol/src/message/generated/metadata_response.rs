// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `MetadataResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MetadataResponse {
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    pub cluster_id: Option<String>,
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    pub cluster_authorized_operations: i32,
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            brokers: Default::default(),
            cluster_id: None,
            controller_id: -1,
            topics: Default::default(),
            cluster_authorized_operations: -2147483648,
            error_code: Default::default(),
        }
    }
}

impl MetadataResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version >= 3 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.brokers = reader.array(flexible, 9, |reader| MetadataResponseBroker::read(reader, version))?;
        if version >= 2 {
            value.cluster_id = not_null(reader.nullable_string(flexible)?, version >= 2)?;
        }
        if version >= 1 {
            value.controller_id = reader.i32()?;
        }
        value.topics = reader.array(flexible, 4, |reader| MetadataResponseTopic::read(reader, version))?;
        if (8..=10).contains(&version) {
            value.cluster_authorized_operations = reader.i32()?;
        }
        if version >= 13 {
            value.error_code = reader.i16()?;
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
        if version >= 3 {
            writer.i32(self.throttle_time_ms);
        }
        writer.array_length(self.brokers.len(), flexible)?;
        for element in &self.brokers {
            element.write(writer, version)?;
        }
        if version >= 2 {
            match &self.cluster_id {
                None => {
                    if !(version >= 2) {
                        return Err(EncodeError::null("cluster_id", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if version >= 1 {
            writer.i32(self.controller_id);
        }
        writer.array_length(self.topics.len(), flexible)?;
        for element in &self.topics {
            element.write(writer, version)?;
        }
        if (8..=10).contains(&version) {
            writer.i32(self.cluster_authorized_operations);
        } else if !(self.cluster_authorized_operations == -2147483648) {
            return Err(EncodeError::missing("cluster_authorized_operations", version));
        }
        if version >= 13 {
            writer.i16(self.error_code);
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl MetadataResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 3 {
            value.throttle_time_ms = chance.i32();
        }
        value.brokers = chance.array(|chance| MetadataResponseBroker::draw(chance, version));
        if version >= 2 {
            value.cluster_id = chance.option(version >= 2, |chance| chance.string());
        }
        if version >= 1 {
            value.controller_id = chance.i32();
        }
        value.topics = chance.array(|chance| MetadataResponseTopic::draw(chance, version));
        if (8..=10).contains(&version) {
            value.cluster_authorized_operations = chance.i32();
        }
        if version >= 13 {
            value.error_code = chance.i16();
        }
        let _ = (&chance, version);
        value
    }
}

/// `MetadataResponseBroker`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

impl Default for MetadataResponseBroker {
    fn default() -> Self {
        Self { node_id: Default::default(), host: Default::default(), port: Default::default(), rack: None }
    }
}

impl MetadataResponseBroker {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.node_id = reader.i32()?;
        value.host = reader.string(flexible)?;
        value.port = reader.i32()?;
        if version >= 1 {
            value.rack = not_null(reader.nullable_string(flexible)?, version >= 1)?;
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
        writer.i32(self.node_id);
        writer.string(&self.host, flexible)?;
        writer.i32(self.port);
        if version >= 1 {
            match &self.rack {
                None => {
                    if !(version >= 1) {
                        return Err(EncodeError::null("rack", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl MetadataResponseBroker {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.node_id = chance.i32();
        value.host = chance.string();
        value.port = chance.i32();
        if version >= 1 {
            value.rack = chance.option(version >= 1, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

/// `MetadataResponseTopic`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MetadataResponseTopic {
    pub error_code: i16,
    pub name: Option<String>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            name: Some(Default::default()),
            topic_id: Default::default(),
            is_internal: false,
            partitions: Default::default(),
            topic_authorized_operations: -2147483648,
        }
    }
}

impl MetadataResponseTopic {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.name = not_null(reader.nullable_string(flexible)?, version >= 12)?;
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        if version >= 1 {
            value.is_internal = reader.bool()?;
        }
        value.partitions = reader.array(flexible, 12, |reader| MetadataResponsePartition::read(reader, version))?;
        if version >= 8 {
            value.topic_authorized_operations = reader.i32()?;
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
        writer.i16(self.error_code);
        match &self.name {
            None => {
                if !(version >= 12) {
                    return Err(EncodeError::null("name", version));
                }
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        if version >= 10 {
            writer.uuid(self.topic_id);
        }
        if version >= 1 {
            writer.bool(self.is_internal);
        }
        writer.array_length(self.partitions.len(), flexible)?;
        for element in &self.partitions {
            element.write(writer, version)?;
        }
        if version >= 8 {
            writer.i32(self.topic_authorized_operations);
        } else if !(self.topic_authorized_operations == -2147483648) {
            return Err(EncodeError::missing("topic_authorized_operations", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl MetadataResponseTopic {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        value.name = chance.option(version >= 12, |chance| chance.string());
        if version >= 10 {
            value.topic_id = chance.uuid();
        }
        if version >= 1 {
            value.is_internal = chance.bool();
        }
        value.partitions = chance.array(|chance| MetadataResponsePartition::draw(chance, version));
        if version >= 8 {
            value.topic_authorized_operations = chance.i32();
        }
        let _ = (&chance, version);
        value
    }
}

/// `MetadataResponsePartition`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct MetadataResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            partition_index: Default::default(),
            leader_id: Default::default(),
            leader_epoch: -1,
            replica_nodes: Default::default(),
            isr_nodes: Default::default(),
            offline_replicas: Default::default(),
        }
    }
}

impl MetadataResponsePartition {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.partition_index = reader.i32()?;
        value.leader_id = reader.i32()?;
        if version >= 7 {
            value.leader_epoch = reader.i32()?;
        }
        value.replica_nodes = reader.array(flexible, 4, |reader| reader.i32())?;
        value.isr_nodes = reader.array(flexible, 4, |reader| reader.i32())?;
        if version >= 5 {
            value.offline_replicas = reader.array(flexible, 4, |reader| reader.i32())?;
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
        writer.i16(self.error_code);
        writer.i32(self.partition_index);
        writer.i32(self.leader_id);
        if version >= 7 {
            writer.i32(self.leader_epoch);
        }
        writer.array_length(self.replica_nodes.len(), flexible)?;
        for element in &self.replica_nodes {
            writer.i32(*element);
        }
        writer.array_length(self.isr_nodes.len(), flexible)?;
        for element in &self.isr_nodes {
            writer.i32(*element);
        }
        if version >= 5 {
            writer.array_length(self.offline_replicas.len(), flexible)?;
            for element in &self.offline_replicas {
                writer.i32(*element);
            }
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl MetadataResponsePartition {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.error_code = chance.i16();
        value.partition_index = chance.i32();
        value.leader_id = chance.i32();
        if version >= 7 {
            value.leader_epoch = chance.i32();
        }
        value.replica_nodes = chance.array(|chance| chance.i32());
        value.isr_nodes = chance.array(|chance| chance.i32());
        if version >= 5 {
            value.offline_replicas = chance.array(|chance| chance.i32());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for MetadataResponse {
    const KEY: ApiKey = ApiKey::Metadata;
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
