// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `DescribeClusterResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeClusterResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub endpoint_type: i8,
    pub cluster_id: String,
    pub controller_id: i32,
    pub brokers: Vec<DescribeClusterBroker>,
    pub cluster_authorized_operations: i32,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: None,
            endpoint_type: 1,
            cluster_id: Default::default(),
            controller_id: -1,
            brokers: Default::default(),
            cluster_authorized_operations: -2147483648,
        }
    }
}

impl DescribeClusterResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible)?;
        if version >= 1 {
            value.endpoint_type = reader.i8()?;
        }
        value.cluster_id = reader.string(flexible)?;
        value.controller_id = reader.i32()?;
        value.brokers = reader.array(flexible, 10, |reader| DescribeClusterBroker::read(reader, version))?;
        value.cluster_authorized_operations = reader.i32()?;
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
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        match &self.error_message {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        if version >= 1 {
            writer.i8(self.endpoint_type);
        } else if !(self.endpoint_type == 1) {
            return Err(EncodeError::missing("endpoint_type", version));
        }
        writer.string(&self.cluster_id, flexible)?;
        writer.i32(self.controller_id);
        writer.array_length(self.brokers.len(), flexible)?;
        for element in &self.brokers {
            element.write(writer, version)?;
        }
        writer.i32(self.cluster_authorized_operations);
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribeClusterResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.throttle_time_ms = chance.i32();
        value.error_code = chance.i16();
        value.error_message = chance.option(true, |chance| chance.string());
        if version >= 1 {
            value.endpoint_type = chance.i8();
        }
        value.cluster_id = chance.string();
        value.controller_id = chance.i32();
        value.brokers = chance.array(|chance| DescribeClusterBroker::draw(chance, version));
        value.cluster_authorized_operations = chance.i32();
        let _ = (&chance, version);
        value
    }
}

/// `DescribeClusterBroker`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeClusterBroker {
    pub broker_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    pub is_fenced: bool,
}

impl Default for DescribeClusterBroker {
    fn default() -> Self {
        Self {
            broker_id: Default::default(),
            host: Default::default(),
            port: Default::default(),
            rack: None,
            is_fenced: Default::default(),
        }
    }
}

impl DescribeClusterBroker {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.host = reader.string(flexible)?;
        value.port = reader.i32()?;
        value.rack = reader.nullable_string(flexible)?;
        if version >= 2 {
            value.is_fenced = reader.bool()?;
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
        writer.i32(self.broker_id);
        writer.string(&self.host, flexible)?;
        writer.i32(self.port);
        match &self.rack {
            None => {
                writer.null_string(flexible);
            }
            Some(inside) => {
                writer.string(inside, flexible)?;
            }
        }
        if version >= 2 {
            writer.bool(self.is_fenced);
        } else if !(!self.is_fenced) {
            return Err(EncodeError::missing("is_fenced", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribeClusterBroker {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.broker_id = chance.i32();
        value.host = chance.string();
        value.port = chance.i32();
        value.rack = chance.option(true, |chance| chance.string());
        if version >= 2 {
            value.is_fenced = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for DescribeClusterResponse {
    const KEY: ApiKey = ApiKey::DescribeCluster;
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
