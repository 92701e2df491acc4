//! Metadata: brokers and topics, by name, by id, all, none, and those that are made by asking.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::MetadataRequest;
use highwater_protocol::message::metadata_request::MetadataRequestTopic;
use uuid::Uuid;

use super::{ILLEGAL, Scenario, UNKNOWN, long_name, unknown_id};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 4] = [
    Scenario { key: ApiKey::Metadata, name: "all", run: all },
    Scenario { key: ApiKey::Metadata, name: "named", run: named },
    Scenario { key: ApiKey::Metadata, name: "by-id", run: by_id },
    Scenario { key: ApiKey::Metadata, name: "made", run: made },
];

fn by_name(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic { name: Some(name.to_owned()), ..MetadataRequestTopic::default() }
}

fn request(version: i16, names: &[&str]) -> MetadataRequest {
    MetadataRequest {
        topics: Some(names.iter().map(|name| by_name(name)).collect()),
        allow_auto_topic_creation: version < 4,
        ..MetadataRequest::default()
    }
}

fn all(side: &mut Side) {
    let version = side.version;
    side.case("no-topic-yet", &MetadataRequest { topics: None, ..request(version, &[]) });
    side.case("empty-list", &request(version, &[]));
    side.make("a", 1, &[]);
    side.make("b", 3, &[]);
    side.case("two", &MetadataRequest { topics: None, ..request(version, &[]) });
    side.case("empty-list-with-two", &request(version, &[]));
    side.case(
        "authorized-operations",
        &MetadataRequest {
            topics: None,
            include_cluster_authorized_operations: true,
            include_topic_authorized_operations: true,
            ..request(version, &[])
        },
    );
    side.case(
        "authorized-operations-of-the-cluster",
        &MetadataRequest { include_cluster_authorized_operations: true, ..request(version, &[]) },
    );
}

fn named(side: &mut Side) {
    let version = side.version;
    let (a, b) = (side.make("a", 2, &[]), side.make("b", 1, &[]));
    side.case("one", &request(version, &[&a.name]));
    side.case("two", &request(version, &[&b.name, &a.name]));
    side.case("twice", &request(version, &[&a.name, &a.name]));
    side.case(
        "authorized-operations",
        &MetadataRequest { include_topic_authorized_operations: true, ..request(version, &[&a.name]) },
    );
    if version >= 4 {
        side.case("unknown", &request(version, &[UNKNOWN]));
        side.case("unknown-twice", &request(version, &[UNKNOWN, UNKNOWN]));
        side.case("known-and-unknown", &request(version, &[UNKNOWN, &b.name]));
        side.case("colliding", &request(version, &[&a.name.replace('-', "_").replace('_', "."), &a.name]));
    }
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(version, &[name]));
    }
    side.case("long-249", &MetadataRequest { ..request(version.max(4), &[&long_name(249)]) });
    side.case("long-250", &request(version, &[&long_name(250)]));
    side.case("known-and-illegal", &request(version, &["a/b", &b.name]));
}

fn by_id(side: &mut Side) {
    let a = side.make("a", 2, &[]);
    let version = side.version;
    let one = |topic_id, name: Option<&str>| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { topic_id, name: name.map(str::to_owned) }]),
        ..request(version, &[])
    };
    side.case("known", &one(a.id, None));
    side.case("unknown", &one(unknown_id(), None));
    side.case("nil", &one(Uuid::nil(), None));
    side.case("id-and-name", &one(a.id, Some(&a.name)));
    side.case("unknown-id-and-name", &one(unknown_id(), Some(&a.name)));
    let mut two = one(a.id, None);
    two.topics.as_mut().expect("topics").push(MetadataRequestTopic { topic_id: unknown_id(), name: None });
    side.case("known-and-unknown", &two);
    let mut mixed = one(a.id, None);
    mixed.topics.as_mut().expect("topics").push(by_name(&a.name));
    side.case("by-id-and-by-name", &mixed);
}

fn made(side: &mut Side) {
    let name = side.will_make("auto");
    let other = side.will_make("other");
    let version = side.version;
    if version >= 4 {
        side.case("not-allowed", &request(version, &[&name]));
    }
    let allowed = |names: &[&str]| MetadataRequest { allow_auto_topic_creation: true, ..request(version, names) };
    side.case("allowed", &allowed(&[&name]));
    side.served(&name, 1);
    side.case("there", &allowed(&[&name]));
    side.case("one-there-and-one-illegal", &allowed(&[&name, "a/b"]));
    side.case("one-there-and-one-new", &allowed(&[&name, &other]));
    side.served(&other, 1);
    side.case("internal", &allowed(&["__cluster_metadata"]));
}
