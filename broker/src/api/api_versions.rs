//! ApiVersions (key 18), versions 0 to 5: what is served, before anything else is asked.
//!
//! An unknown version is answered in version 0 with this key alone (KIP-511). From version 3 on the client names its software;
//! from 5 on it says which node and cluster it believes to talk to (KIP-1242).

use highwater_core::controller::registration::FEATURES;
use highwater_protocol::api::ApiKey;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use highwater_protocol::message::{ApiVersionsRequest, ApiVersionsResponse};

use super::routes::SERVED;
use super::{Answer, Asked};
use crate::server::response::Response;

/// From this version on a feature may begin at level 0.
const KNOWS_LEVEL_0: i16 = 4;

pub(crate) fn handle(asked: &Asked, request: &ApiVersionsRequest) -> Answer {
    if asked.version >= 3 {
        let (name, version) = (&request.client_software_name, &request.client_software_version);
        if !is_software(name) || !is_software(version) {
            return asked.now(&failed(ErrorCode::InvalidRequest));
        }
        asked.shell.metrics.saw_software(name, version);
    }
    if let Some(code) = is_elsewhere(asked, request) {
        return asked.now(&failed(code));
    }
    let image = asked.shell.image();
    let finalized = |(name, level): (&String, &i16)| FinalizedFeatureKey {
        name: name.clone(),
        max_version_level: *level,
        min_version_level: *level,
    };
    let body = ApiVersionsResponse {
        api_keys: SERVED.iter().map(|key| advertised(*key)).collect(),
        supported_features: supported_features(asked.version),
        finalized_features_epoch: image.features_epoch,
        finalized_features: image.features.iter().map(finalized).collect(),
        ..ApiVersionsResponse::default()
    };
    asked.now(&body)
}

/// The features of this release. Below version 4 those whose lowest level is 0 are left out: old Java clients refuse it
/// (KAFKA-17011).
fn supported_features(version: i16) -> Vec<SupportedFeatureKey> {
    if version < KNOWS_LEVEL_0 {
        return Vec::new();
    }
    let supported = |(name, level): &(&str, i16)| SupportedFeatureKey {
        name: (*name).to_owned(),
        min_version: 0,
        max_version: *level,
    };
    FEATURES.iter().map(supported).collect()
}

/// Why the client is not where it believes to be. It names the cluster and the node, or neither.
fn is_elsewhere(asked: &Asked, request: &ApiVersionsRequest) -> Option<ErrorCode> {
    match (&request.cluster_id, request.node_id) {
        _ if asked.version < 5 => None,
        (None, -1) => None,
        (None, _) | (Some(_), -1) => Some(ErrorCode::InvalidRequest),
        (Some(cluster), node) => {
            let shell = &asked.shell;
            let is_here = *cluster == shell.image().cluster_id.to_string() && node == shell.node.identity().node_id;
            (!is_here).then_some(ErrorCode::RebootstrapRequired)
        }
    }
}

/// The answer to a version that nobody knows, in the version that everybody reads.
pub(crate) fn unsupported(asked: &Asked) -> Response {
    let body = ApiVersionsResponse {
        api_keys: vec![advertised(ApiKey::ApiVersions)],
        ..failed(ErrorCode::UnsupportedVersion)
    };
    let oldest = Asked { version: 0, ..asked.clone() };
    oldest.encoded(&body, Vec::new())
}

fn failed(code: ErrorCode) -> ApiVersionsResponse {
    ApiVersionsResponse { error_code: code.number(), ..ApiVersionsResponse::default() }
}

fn advertised(key: ApiKey) -> ApiVersion {
    let (min_version, max_version) = key.advertised();
    ApiVersion { api_key: key.number(), min_version, max_version }
}

/// Letters, digits, '-' and '.', with a letter or digit at both ends.
fn is_software(text: &str) -> bool {
    let ends_well = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
    ends_well(text.chars().next()) && ends_well(text.chars().last()) && text.chars().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_checked() {
        for (text, good) in
            [("librdkafka", true), ("v2.16.1", true), ("a", true), ("", false), ("-a", false), ("a b", false)]
        {
            assert_eq!(is_software(text), good, "{text:?}");
        }
    }
}
