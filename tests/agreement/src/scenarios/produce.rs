//! Produce: where to, with which acks, and how often in one request. What may be wrong with the batch itself is in `records`.

use bytes::BytesMut;
use highwater_protocol::api::ApiKey;
use highwater_protocol::message::ProduceRequest;
use highwater_protocol::message::produce_request::{PartitionProduceData, TopicProduceData};
use uuid::Uuid;

use super::records::{batch, five};
use super::{ILLEGAL, Scenario, UNKNOWN, unknown_id};
use crate::side::{Made, Side};

pub(super) const SCENARIOS: [Scenario; 4] = [
    Scenario { key: ApiKey::Produce, name: "places", run: places },
    Scenario { key: ApiKey::Produce, name: "acks", run: acks },
    Scenario { key: ApiKey::Produce, name: "several", run: several },
    Scenario { key: ApiKey::Produce, name: "by-id", run: by_id },
];

/// Topics go by id from here on.
pub(super) const BY_ID: i16 = 13;

/// One partition of a request.
pub(super) fn part(index: i32, records: Option<BytesMut>) -> PartitionProduceData {
    PartitionProduceData { index, records }
}

/// One topic of a request, as the version names it.
pub(super) fn into(version: i16, topic: &Made, partition_data: Vec<PartitionProduceData>) -> TopicProduceData {
    if version < BY_ID {
        TopicProduceData { name: topic.name.clone(), topic_id: Uuid::nil(), partition_data }
    } else {
        TopicProduceData { name: String::new(), topic_id: topic.id, partition_data }
    }
}

/// A request with acks of all.
pub(super) fn request(topic_data: Vec<TopicProduceData>) -> ProduceRequest {
    ProduceRequest { acks: -1, timeout_ms: 10_000, topic_data, ..ProduceRequest::default() }
}

fn missing(version: i16, name: &str) -> Made {
    let id = if version < BY_ID { Uuid::nil() } else { unknown_id() };
    Made { name: name.to_owned(), id, epoch: 0 }
}

fn places(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 2, &[]);
    let to = |topic: &Made, partition| request(vec![into(version, topic, vec![part(partition, Some(five()))])]);
    side.case("none", &request(Vec::new()));
    side.case("no-partition", &request(vec![into(version, &a, Vec::new())]));
    side.case("good", &to(&a, 0));
    side.case("good-again", &to(&a, 0));
    side.case("the-other", &to(&a, 1));
    for partition in [2, -1, i32::MAX, i32::MIN] {
        side.case(&format!("partition-{partition}"), &to(&a, partition));
    }
    side.case("unknown", &to(&missing(version, UNKNOWN), 0));
    if version < BY_ID {
        for (case, name) in ILLEGAL {
            side.case(&format!("illegal-{case}"), &to(&missing(version, name), 0));
        }
        side.case("internal", &to(&missing(version, "__cluster_metadata"), 0));
    }
    let mut patient = to(&a, 0);
    patient.timeout_ms = i32::MAX;
    side.case("longest-timeout", &patient);
    patient.acks = 1;
    patient.timeout_ms = -1;
    side.case("negative-timeout", &patient);
}

fn acks(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 1, &[]);
    let scarce = side.make("scarce", 1, &[("min.insync.replicas", "2")]);
    let with = |acks, topic: &Made, records: BytesMut| ProduceRequest {
        acks,
        ..request(vec![into(version, topic, vec![part(0, Some(records))])])
    };
    for acks in [1, -1, 2, -2, i16::MAX, i16::MIN] {
        side.case(&format!("acks-{acks}"), &with(acks, &a, five()));
    }
    for acks in [1, -1] {
        side.case(&format!("scarce-acks-{acks}"), &with(acks, &scarce, five()));
    }
    for acks in [1, -1] {
        let none = ProduceRequest { acks, ..request(Vec::new()) };
        side.case(&format!("nothing-acks-{acks}"), &none);
    }
    side.case("nothing-acks-2", &ProduceRequest { acks: 2, ..request(Vec::new()) });
    // With acks=0 there is no answer; whether the connection goes on is what tells.
    side.unanswered("acks-0", &with(0, &a, five()));
    side.unanswered("acks-0-nothing", &ProduceRequest { acks: 0, ..request(Vec::new()) });
    side.unanswered("acks-0-unknown-topic", &with(0, &missing(version, UNKNOWN), five()));
    let mut bad = five();
    *bad.last_mut().expect("bytes") ^= 1;
    side.unanswered("acks-0-bad-crc", &with(0, &a, bad));
    side.unanswered("acks-0-scarce", &with(0, &scarce, five()));
    let wide = request(vec![into(version, &a, vec![part(7, Some(five()))])]);
    side.unanswered("acks-0-unknown-partition", &ProduceRequest { acks: 0, ..wide });
    let empty = request(vec![into(version, &a, vec![part(0, Some(BytesMut::new()))])]);
    side.unanswered("acks-0-no-batch", &ProduceRequest { acks: 0, ..empty });
    side.case("how-many-came", &with(1, &a, five()));
}

fn several(side: &mut Side) {
    let version = side.version;
    let (a, b) = (side.make("a", 2, &[]), side.make("b", 1, &[]));
    let good = |topic: &Made, partition| into(version, topic, vec![part(partition, Some(five()))]);
    side.case("two-topics", &request(vec![good(&a, 0), good(&b, 0)]));
    side.case("two-partitions", &request(vec![into(version, &a, vec![part(1, Some(five())), part(0, Some(five()))])]));
    side.case("one-good-one-unknown", &request(vec![good(&a, 0), good(&missing(version, UNKNOWN), 0)]));
    side.case(
        "one-good-one-wide",
        &request(vec![into(version, &a, vec![part(0, Some(five())), part(9, Some(five()))])]),
    );
    let mut bad = five();
    *bad.last_mut().expect("bytes") ^= 1;
    side.case("one-good-one-bad", &request(vec![into(version, &a, vec![part(0, Some(five())), part(1, Some(bad))])]));
    side.case("topic-twice", &request(vec![good(&a, 0), good(&a, 1)]));
    side.case(
        "partition-twice",
        &request(vec![into(version, &a, vec![part(0, Some(five())), part(0, Some(batch(&[1])))])]),
    );
    side.case("all-of-it-twice", &request(vec![good(&a, 0), good(&a, 0)]));
    side.case("how-many-came", &request(vec![good(&a, 0)]));
}

fn by_id(side: &mut Side) {
    if side.version < BY_ID {
        return;
    }
    let (a, gone) = (side.make("a", 1, &[]), side.make("gone", 1, &[]));
    let one = |name: &str, topic_id| {
        request(vec![TopicProduceData { name: name.to_owned(), topic_id, partition_data: vec![part(0, Some(five()))] }])
    };
    side.case("nil", &one("", Uuid::nil()));
    side.case("unknown", &one("", unknown_id()));
    let delete = highwater_tests::calls::delete_topic(side.wire(), &gone.name).expect("answers");
    assert_eq!(delete, Ok(()));
    side.gone(&gone.name);
    side.case("gone", &one("", gone.id));
    side.case("good", &one("", a.id));
}
