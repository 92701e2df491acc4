//! FindCoordinator.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::FindCoordinatorRequest;

use super::coordinated;
use crate::scenarios::Scenario;
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario { key: ApiKey::FindCoordinator, name: "found", run: found }];

/// From this version on a request names many.
const BATCHED: i16 = 4;

fn request(version: i16, key_type: i8, keys: &[&str]) -> FindCoordinatorRequest {
    if version < BATCHED {
        return FindCoordinatorRequest { key: keys.join(","), key_type, ..FindCoordinatorRequest::default() };
    }
    let coordinator_keys = keys.iter().map(|key| (*key).to_owned()).collect();
    FindCoordinatorRequest { key_type, coordinator_keys, ..FindCoordinatorRequest::default() }
}

fn found(side: &mut Side) {
    let version = side.version;
    let group = side.name("g");
    coordinated(side, &group);
    side.case("one", &request(version, 0, &[&group]));
    side.case("without-a-name", &request(version, 0, &[""]));
    side.case("two", &request(version, 0, &[&group, "another"]));
    side.case("twice", &request(version, 0, &[&group, &group]));
    side.case("none", &request(version, 0, &[]));
    for kind in [-1, 3, 127] {
        side.case(&format!("kind-{kind}"), &request(version, kind, &[&group]));
    }
}
