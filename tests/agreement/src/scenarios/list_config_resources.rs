//! ListConfigResources: what has a configuration.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::ListConfigResourcesRequest;

use super::Scenario;
use super::describe_configs::{BROKER, CLIENT_METRICS, GROUP, LOGGER, TOPIC};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario { key: ApiKey::ListConfigResources, name: "list", run: list }];

fn list(side: &mut Side) {
    side.make("a", 1, &[]);
    side.make("b", 1, &[("retention.ms", "1000")]);
    let of = |kinds: &[i8]| ListConfigResourcesRequest { resource_types: kinds.to_vec() };
    side.case("all", &of(&[]));
    for kind in [TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP, 0, 1, 77, -1] {
        side.case(&format!("type-{kind}"), &of(&[kind]));
    }
    side.case("two", &of(&[TOPIC, BROKER]));
    side.case("twice", &of(&[TOPIC, TOPIC]));
    side.case("one-good-one-unknown", &of(&[TOPIC, 77]));
}
