//! ApiVersions: what is served, what software may be called, and versions that nobody knows.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::{ApiVersionsRequest, DescribeClusterRequest};

use super::Scenario;
use crate::side::{Side, raw_frame};

pub(super) const SCENARIOS: [Scenario; 2] = [
    Scenario { key: ApiKey::ApiVersions, name: "served", run: served },
    Scenario { key: ApiKey::ApiVersions, name: "future", run: future },
];

fn request(name: &str, version: &str) -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: name.to_owned(),
        client_software_version: version.to_owned(),
        ..ApiVersionsRequest::default()
    }
}

fn served(side: &mut Side) {
    side.case("all", &request("agreement", "1.0"));
    if side.version < 3 {
        return;
    }
    for (case, name, version) in [
        ("no-name", "", "1"),
        ("no-version", "a", ""),
        ("space", "a b", "1"),
        ("dash-in-front", "-a", "1"),
        ("dot-behind", "a", "1."),
        ("underscore", "a_b", "1"),
        ("one-letter", "a", "1"),
        ("dots-and-dashes", "a-b.c", "1.0-SNAPSHOT"),
    ] {
        side.case(case, &request(name, version));
    }
    let to = |cluster_id: Option<&str>, node_id| ApiVersionsRequest {
        cluster_id: cluster_id.map(str::to_owned),
        node_id,
        ..request("agreement", "1")
    };
    side.case("another-node", &to(None, 77));
    side.case("another-cluster", &to(Some("no-such-cluster"), -1));
    side.case("another-cluster-and-node", &to(Some("no-such-cluster"), 1));
    side.case("this-node", &to(None, 1));
    let here = side.setup(&DescribeClusterRequest { endpoint_type: 1, ..Default::default() }, 1).cluster_id;
    side.case("this-cluster-and-node", &to(Some(&here), 1));
    side.case("this-cluster-and-another-node", &to(Some(&here), 77));
    side.case("this-cluster-and-no-node", &to(Some(&here), -1));
    side.case("no-clusters-name", &to(Some(""), 1));
}

/// A version that does not exist is answered in version 0.
fn future(side: &mut Side) {
    if side.version != 0 {
        return;
    }
    for (case, version) in [("next", 6), ("far", 99), ("last", i16::MAX), ("negative", -1), ("first", i16::MIN)] {
        let frame = raw_frame(18, version, true, &[0, 1, 2, 3]);
        side.bytes::<ApiVersionsRequest>(case, &frame, 0);
    }
    let frame = raw_frame(18, 99, false, &[]);
    side.bytes::<ApiVersionsRequest>("without-a-body", &frame, 0);
}
