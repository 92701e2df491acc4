//! DescribeProducers: what a partition remembers of its writers.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::DescribeProducersRequest;
use highwater_protocol::message::describe_producers_request::TopicRequest;

use super::records::{appended, five, numbered};
use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] =
    [Scenario { key: ApiKey::DescribeProducers, name: "producers", run: producers }];

fn request(topics: &[(&str, &[i32])]) -> DescribeProducersRequest {
    let topic = |(name, partitions): &(&str, &[i32])| TopicRequest {
        name: (*name).to_owned(),
        partition_indexes: partitions.to_vec(),
    };
    DescribeProducersRequest { topics: topics.iter().map(topic).collect() }
}

fn producers(side: &mut Side) {
    let (a, b) = (side.make("a", 2, &[]), side.make("b", 1, &[]));
    let (p, q) = (side.producer(), side.producer());
    side.case("nobody-yet", &request(&[(&a.name, &[0])]));
    appended(side, &a, 0, five());
    side.case("a-plain-writer", &request(&[(&a.name, &[0])]));
    appended(side, &a, 0, numbered(p, 0, 0, 3));
    side.case("one", &request(&[(&a.name, &[0])]));
    appended(side, &a, 0, numbered(p, 0, 3, 1));
    appended(side, &a, 0, numbered(q, 2, 0, 1));
    side.case("two", &request(&[(&a.name, &[0])]));
    appended(side, &a, 0, numbered(p, 1, 0, 1));
    side.case("with-a-new-epoch", &request(&[(&a.name, &[0])]));
    side.case("all-partitions", &request(&[(&a.name, &[0, 1]), (&b.name, &[0])]));
    side.case("none", &request(&[]));
    side.case("no-partition", &request(&[(&a.name, &[])]));
    for index in [2, -1, i32::MAX] {
        side.case(&format!("partition-{index}"), &request(&[(&a.name, &[index])]));
    }
    side.case("partition-twice", &request(&[(&a.name, &[1, 1])]));
    side.case("topic-twice", &request(&[(&a.name, &[1]), (&a.name, &[1])]));
    side.case("unknown", &request(&[(UNKNOWN, &[0])]));
    side.case("one-good-one-unknown", &request(&[(&b.name, &[0]), (UNKNOWN, &[0])]));
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(&[(name, &[0])]));
    }
}
