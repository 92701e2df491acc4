// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `DescribeClusterRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    pub endpoint_type: i8,
    pub include_fenced_brokers: bool,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: Default::default(),
            endpoint_type: 1,
            include_fenced_brokers: Default::default(),
        }
    }
}

impl DescribeClusterRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut value = Self::default();
        value.include_cluster_authorized_operations = reader.bool()?;
        if version >= 1 {
            value.endpoint_type = reader.i8()?;
        }
        if version >= 2 {
            value.include_fenced_brokers = reader.bool()?;
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
        writer.bool(self.include_cluster_authorized_operations);
        if version >= 1 {
            writer.i8(self.endpoint_type);
        } else if !(self.endpoint_type == 1) {
            return Err(EncodeError::missing("endpoint_type", version));
        }
        if version >= 2 {
            writer.bool(self.include_fenced_brokers);
        } else if !(!self.include_fenced_brokers) {
            return Err(EncodeError::missing("include_fenced_brokers", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl DescribeClusterRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        value.include_cluster_authorized_operations = chance.bool();
        if version >= 1 {
            value.endpoint_type = chance.i8();
        }
        if version >= 2 {
            value.include_fenced_brokers = chance.bool();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for DescribeClusterRequest {
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

impl Request for DescribeClusterRequest {
    type Response = super::DescribeClusterResponse;
}
