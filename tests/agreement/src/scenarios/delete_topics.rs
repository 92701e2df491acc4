//! DeleteTopics: by name, by id, and by both.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::DeleteTopicsRequest;
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use uuid::Uuid;

use super::{ILLEGAL, Scenario, UNKNOWN, unknown_id};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 2] = [
    Scenario { key: ApiKey::DeleteTopics, name: "by-name", run: by_name },
    Scenario { key: ApiKey::DeleteTopics, name: "by-id", run: by_id },
];

fn named(version: i16, names: &[&str]) -> DeleteTopicsRequest {
    let mut request = DeleteTopicsRequest { timeout_ms: 10_000, ..DeleteTopicsRequest::default() };
    let names = names.iter().map(|name| (*name).to_owned());
    if version < 6 {
        request.topic_names = names.collect();
    } else {
        request.topics = names.map(|name| DeleteTopicState { name: Some(name), ..Default::default() }).collect();
    }
    request
}

fn by_name(side: &mut Side) {
    let version = side.version;
    let (a, b, c) = (side.make("a", 2, &[]).name, side.make("b", 1, &[]).name, side.make("c", 1, &[]).name);
    side.case("none", &named(version, &[]));
    side.case("unknown", &named(version, &[UNKNOWN]));
    side.case("unknown-twice", &named(version, &[UNKNOWN, UNKNOWN]));
    side.case("twice", &named(version, &[&a, &a]));
    side.case("thrice-and-another", &named(version, &[&a, &b, &a, &a]));
    side.gone(&b);
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &named(version, &[name]));
    }
    side.case("internal", &named(version, &["__cluster_metadata"]));
    for timeout_ms in [-1, 0] {
        let impatient = DeleteTopicsRequest { timeout_ms, ..named(version, &[UNKNOWN]) };
        side.case(&format!("timeout-{timeout_ms}"), &impatient);
    }
    side.case("one", &named(version, &[&a]));
    side.gone(&a);
    side.case("again", &named(version, &[&a]));
    side.case("one-good-one-unknown", &named(version, &[&c, UNKNOWN]));
}

fn by_id(side: &mut Side) {
    if side.version < 6 {
        return;
    }
    let (a, b, c) = (side.make("a", 1, &[]), side.make("b", 1, &[]), side.make("c", 1, &[]));
    let request = |topics: &[(Option<&str>, Uuid)]| DeleteTopicsRequest {
        topics: topics
            .iter()
            .map(|(name, topic_id)| DeleteTopicState { name: name.map(str::to_owned), topic_id: *topic_id })
            .collect(),
        timeout_ms: 10_000,
        ..DeleteTopicsRequest::default()
    };
    side.case("unknown", &request(&[(None, unknown_id())]));
    side.case("unknown-twice", &request(&[(None, unknown_id()), (None, unknown_id())]));
    side.case("nil", &request(&[(None, Uuid::nil())]));
    side.case("nil-twice", &request(&[(None, Uuid::nil()), (None, Uuid::nil())]));
    side.case("name-and-id", &request(&[(Some(&a.name), a.id)]));
    side.case("name-and-unknown-id", &request(&[(Some(&a.name), unknown_id())]));
    side.case("twice", &request(&[(None, a.id), (None, a.id)]));
    side.case("by-name-and-by-id", &request(&[(Some(&a.name), Uuid::nil()), (None, a.id)]));
    side.case("by-id-and-by-name", &request(&[(None, a.id), (Some(&a.name), Uuid::nil())]));
    let d = side.make("d", 1, &[]);
    side.case(
        "by-name-twice-and-by-id",
        &request(&[(Some(&d.name), Uuid::nil()), (None, d.id), (Some(&d.name), Uuid::nil())]),
    );
    side.case("unknown-name-and-unknown-id", &request(&[(Some(UNKNOWN), Uuid::nil()), (None, unknown_id())]));
    side.case("one", &request(&[(None, a.id)]));
    side.gone(&a.name);
    side.case("again", &request(&[(None, a.id)]));
    side.case("two", &request(&[(None, b.id), (Some(&c.name), Uuid::nil())]));
}
