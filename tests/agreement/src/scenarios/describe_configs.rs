//! DescribeConfigs: what is set where, and what may be asked for.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::DescribeConfigsRequest;
use highwater_protocol::message::describe_configs_request::DescribeConfigsResource;

use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 4] = [
    Scenario { key: ApiKey::DescribeConfigs, name: "topics", run: topics },
    Scenario { key: ApiKey::DescribeConfigs, name: "brokers", run: brokers },
    Scenario { key: ApiKey::DescribeConfigs, name: "groups", run: groups },
    Scenario { key: ApiKey::DescribeConfigs, name: "resources", run: resources },
];

pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const LOGGER: i8 = 8;
pub(super) const CLIENT_METRICS: i8 = 16;
pub(super) const GROUP: i8 = 32;

fn resource(resource_type: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsResource {
    DescribeConfigsResource {
        resource_type,
        resource_name: name.to_owned(),
        configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
    }
}

fn request(resources: Vec<DescribeConfigsResource>) -> DescribeConfigsRequest {
    DescribeConfigsRequest { resources, ..DescribeConfigsRequest::default() }
}

fn explained(resources: Vec<DescribeConfigsResource>) -> DescribeConfigsRequest {
    DescribeConfigsRequest { resources, include_synonyms: true, include_documentation: true }
}

fn topics(side: &mut Side) {
    let configs = [("segment.bytes", "2000000"), ("cleanup.policy", "compact"), ("retention.ms", "-1")];
    let (a, plain) = (side.make("a", 1, &configs).name, side.make("plain", 1, &[]).name);
    side.case("all", &request(vec![resource(TOPIC, &a, None)]));
    side.case("all-of-a-plain-one", &request(vec![resource(TOPIC, &plain, None)]));
    side.case(
        "all-with-synonyms",
        &DescribeConfigsRequest { include_synonyms: true, ..request(vec![resource(TOPIC, &a, None)]) },
    );
    side.case("all-explained", &explained(vec![resource(TOPIC, &a, None)]));
    side.case("no-name", &request(vec![resource(TOPIC, &a, Some(&[]))]));
    side.case("one-name", &request(vec![resource(TOPIC, &a, Some(&["retention.ms"]))]));
    side.case("one-name-explained", &explained(vec![resource(TOPIC, &a, Some(&["retention.ms"]))]));
    side.case("two-names", &request(vec![resource(TOPIC, &a, Some(&["segment.bytes", "preallocate"]))]));
    side.case("name-twice", &request(vec![resource(TOPIC, &a, Some(&["segment.bytes", "segment.bytes"]))]));
    side.case("unknown-name", &request(vec![resource(TOPIC, &a, Some(&["no.such", "retention.ms"]))]));
    side.case("a-brokers-name", &request(vec![resource(TOPIC, &a, Some(&["log.retention.ms"]))]));
    side.case("unknown", &request(vec![resource(TOPIC, UNKNOWN, None)]));
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(vec![resource(TOPIC, name, None)]));
    }
    let some: Option<&[&str]> = Some(&["retention.ms"]);
    side.case("two", &request(vec![resource(TOPIC, &a, some), resource(TOPIC, &plain, some)]));
    side.case("twice", &request(vec![resource(TOPIC, &a, some), resource(TOPIC, &a, some)]));
    side.case("one-good-one-unknown", &request(vec![resource(TOPIC, &a, some), resource(TOPIC, UNKNOWN, some)]));
    side.case("internal", &request(vec![resource(TOPIC, "__cluster_metadata", some)]));
}

fn brokers(side: &mut Side) {
    side.case("all", &request(vec![resource(BROKER, "1", None)]));
    side.case("all-explained", &explained(vec![resource(BROKER, "1", None)]));
    side.case("one-name", &explained(vec![resource(BROKER, "1", Some(&["log.retention.ms"]))]));
    side.case("one-name-of-the-default", &explained(vec![resource(BROKER, "", Some(&["log.retention.ms"]))]));
    side.case("default", &request(vec![resource(BROKER, "", None)]));
    side.case("default-explained", &explained(vec![resource(BROKER, "", None)]));
    for name in ["7", "-1", "x", "01", " 1", "1.0", "99999999999"] {
        side.case(&format!("broker-{name}"), &request(vec![resource(BROKER, name, Some(&["num.partitions"]))]));
    }
    side.case("unknown-name", &request(vec![resource(BROKER, "1", Some(&["no.such"]))]));
    side.case("logger", &request(vec![resource(LOGGER, "7", None)]));
    side.case("default-logger", &request(vec![resource(LOGGER, "", None)]));
}

fn groups(side: &mut Side) {
    side.case("all", &request(vec![resource(GROUP, "g", None)]));
    side.case("all-explained", &explained(vec![resource(GROUP, "g", None)]));
    side.case("one-name", &request(vec![resource(GROUP, "g", Some(&["consumer.session.timeout.ms"]))]));
    side.case("no-group", &request(vec![resource(GROUP, "", None)]));
    side.case("metrics", &request(vec![resource(CLIENT_METRICS, "m", None)]));
    side.case("metrics-explained", &explained(vec![resource(CLIENT_METRICS, "m", None)]));
    side.case("no-metrics", &request(vec![resource(CLIENT_METRICS, "", None)]));
}

fn resources(side: &mut Side) {
    side.case("none", &request(Vec::new()));
    for kind in [0, 1, 3, 5, 64, i8::MAX, -1, i8::MIN] {
        side.case(&format!("type-{kind}"), &request(vec![resource(kind, "x", None)]));
    }
    let good = resource(BROKER, "1", Some(&["num.partitions"]));
    side.case("one-good-one-of-no-type", &request(vec![good, resource(77, "x", None)]));
}
