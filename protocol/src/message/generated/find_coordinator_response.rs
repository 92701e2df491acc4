// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.

use crate::message::prelude::*;

/// `FindCoordinatorResponse`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct FindCoordinatorResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            node_id: Default::default(),
            host: Default::default(),
            port: Default::default(),
            coordinators: Default::default(),
        }
    }
}

impl FindCoordinatorResponse {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        if version <= 3 {
            value.error_code = reader.i16()?;
        }
        if (1..=3).contains(&version) {
            value.error_message = not_null(reader.nullable_string(flexible)?, (1..=3).contains(&version))?;
        }
        if version <= 3 {
            value.node_id = reader.i32()?;
        }
        if version <= 3 {
            value.host = reader.string(flexible)?;
        }
        if version <= 3 {
            value.port = reader.i32()?;
        }
        if version >= 4 {
            value.coordinators = reader.array(flexible, 1, |reader| Coordinator::read(reader, version))?;
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
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        if version <= 3 {
            writer.i16(self.error_code);
        } else if !(self.error_code == Default::default()) {
            return Err(EncodeError::missing("error_code", version));
        }
        if (1..=3).contains(&version) {
            match &self.error_message {
                None => {
                    if !((1..=3).contains(&version)) {
                        return Err(EncodeError::null("error_message", version));
                    }
                    writer.null_string(flexible);
                }
                Some(inside) => {
                    writer.string(inside, flexible)?;
                }
            }
        }
        if version <= 3 {
            writer.i32(self.node_id);
        } else if !(self.node_id == Default::default()) {
            return Err(EncodeError::missing("node_id", version));
        }
        if version <= 3 {
            writer.string(&self.host, flexible)?;
        } else if !(self.host.is_empty()) {
            return Err(EncodeError::missing("host", version));
        }
        if version <= 3 {
            writer.i32(self.port);
        } else if !(self.port == Default::default()) {
            return Err(EncodeError::missing("port", version));
        }
        if version >= 4 {
            writer.array_length(self.coordinators.len(), flexible)?;
            for element in &self.coordinators {
                element.write(writer, version)?;
            }
        } else if !(self.coordinators.is_empty()) {
            return Err(EncodeError::missing("coordinators", version));
        }
        if flexible {
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl FindCoordinatorResponse {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = chance.i32();
        }
        if version <= 3 {
            value.error_code = chance.i16();
        }
        if (1..=3).contains(&version) {
            value.error_message = chance.option((1..=3).contains(&version), |chance| chance.string());
        }
        if version <= 3 {
            value.node_id = chance.i32();
        }
        if version <= 3 {
            value.host = chance.string();
        }
        if version <= 3 {
            value.port = chance.i32();
        }
        if version >= 4 {
            value.coordinators = chance.array(|chance| Coordinator::draw(chance, version));
        }
        let _ = (&chance, version);
        value
    }
}

/// `Coordinator`, fields as in the spec.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct Coordinator {
    pub key: String,
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: Default::default(),
            node_id: Default::default(),
            host: Default::default(),
            port: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
        }
    }
}

impl Coordinator {
    pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 4 {
            value.key = reader.string(flexible)?;
        }
        if version >= 4 {
            value.node_id = reader.i32()?;
        }
        if version >= 4 {
            value.host = reader.string(flexible)?;
        }
        if version >= 4 {
            value.port = reader.i32()?;
        }
        if version >= 4 {
            value.error_code = reader.i16()?;
        }
        if version >= 4 {
            value.error_message = not_null(reader.nullable_string(flexible)?, version >= 4)?;
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
        if version >= 4 {
            writer.string(&self.key, flexible)?;
        } else if !(self.key.is_empty()) {
            return Err(EncodeError::missing("key", version));
        }
        if version >= 4 {
            writer.i32(self.node_id);
        } else if !(self.node_id == Default::default()) {
            return Err(EncodeError::missing("node_id", version));
        }
        if version >= 4 {
            writer.string(&self.host, flexible)?;
        } else if !(self.host.is_empty()) {
            return Err(EncodeError::missing("host", version));
        }
        if version >= 4 {
            writer.i32(self.port);
        } else if !(self.port == Default::default()) {
            return Err(EncodeError::missing("port", version));
        }
        if version >= 4 {
            writer.i16(self.error_code);
        } else if !(self.error_code == Default::default()) {
            return Err(EncodeError::missing("error_code", version));
        }
        if version >= 4 {
            match &self.error_message {
                None => {
                    if !(version >= 4) {
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
            writer.uvarint(0);
        }
        let _ = (flexible, version);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl Coordinator {
    pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {
        let mut value = Self::default();
        if version >= 4 {
            value.key = chance.string();
        }
        if version >= 4 {
            value.node_id = chance.i32();
        }
        if version >= 4 {
            value.host = chance.string();
        }
        if version >= 4 {
            value.port = chance.i32();
        }
        if version >= 4 {
            value.error_code = chance.i16();
        }
        if version >= 4 {
            value.error_message = chance.option(version >= 4, |chance| chance.string());
        }
        let _ = (&chance, version);
        value
    }
}

impl Message for FindCoordinatorResponse {
    const KEY: ApiKey = ApiKey::FindCoordinator;
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
