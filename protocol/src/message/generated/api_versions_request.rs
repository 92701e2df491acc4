// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `ApiVersionsRequest`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct ApiVersionsRequest {
    pub client_software_name: String,
    pub client_software_version: String,
    pub cluster_id: Option<String>,
    pub node_id: i32,
}

impl Default for ApiVersionsRequest {
    fn default() -> Self {
        Self {
            client_software_name: Default::default(),
            client_software_version: Default::default(),
            cluster_id: None,
            node_id: -1,
        }
    }
}

impl ApiVersionsRequest {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 3 {
            value.client_software_name = reader.string(flexible)?;
        }
        if version >= 3 {
            value.client_software_version = reader.string(flexible)?;
        }
        if version >= 5 {
            value.cluster_id = not_null(reader.nullable_string(flexible)?, version >= 5)?;
        }
        if version >= 5 {
            value.node_id = reader.i32()?;
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
        if version >= 3 {
            writer.string(&self.client_software_name, flexible)?;
        }
        if version >= 3 {
            writer.string(&self.client_software_version, flexible)?;
        }
        if version >= 5 {
            match &self.cluster_id {
                None => {
                    if !(version >= 5) {
                        return Err(EncodeError::null("cluster_id", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if version >= 5 {
            writer.i32(self.node_id);
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl ApiVersionsRequest {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 3 {
            value.client_software_name = chance.string();
        }
        if version >= 3 {
            value.client_software_version = chance.string();
        }
        if version >= 5 {
            value.cluster_id = chance.option(version >= 5, |chance| chance.string());
        }
        if version >= 5 {
            value.node_id = chance.i32();
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
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

impl Request for ApiVersionsRequest {
    type Response = super::ApiVersionsResponse;
}
