//! The keys of the Kafka protocol, their versions, and what headers each uses.

pub use crate::message::generated::api_key::ApiKey;

/// A version outside the range that this crate knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} version {version} is unknown; {low} to {high} are known", key.name())]
pub struct UnknownVersion {
    /// Which request.
    pub key: ApiKey,
    /// Asked for.
    pub version: i16,
    /// The lowest known.
    pub low: i16,
    /// The highest known.
    pub high: i16,
}

impl ApiKey {
    /// Its number on the wire.
    pub fn number(self) -> i16 {
        self as i16
    }

    /// Whether a version has compact lengths and tagged fields (KIP-482).
    pub fn is_flexible(self, version: i16) -> bool {
        self.flexible_from().is_some_and(|from| version >= from)
    }

    /// The version of the header in front of a request.
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// The version of the header in front of a response. ApiVersions keeps the oldest, because a client reads that
    /// response before it knows what the broker speaks.
    pub fn response_header_version(self, version: i16) -> i16 {
        if self != Self::ApiVersions && self.is_flexible(version) { 1 } else { 0 }
    }

    /// The range that ApiVersions advertises. Produce is advertised from 0 although 0 to 2 are refused: librdkafka takes
    /// the low end for its features.
    pub fn advertised(self) -> (i16, i16) {
        let (low, high) = self.versions();
        if self == Self::Produce { (0, high) } else { (low, high) }
    }
}

pub(crate) fn version_is_known(key: ApiKey, version: i16) -> Result<(), UnknownVersion> {
    let (low, high) = key.versions();
    if (low..=high).contains(&version) { Ok(()) } else { Err(UnknownVersion { key, version, low, high }) }
}
