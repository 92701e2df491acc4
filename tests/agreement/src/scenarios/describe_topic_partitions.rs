//! DescribeTopicPartitions: in pages.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::DescribeTopicPartitionsRequest;
use highwater_protocol::message::describe_topic_partitions_request::{Cursor, TopicRequest};

use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] =
    [Scenario { key: ApiKey::DescribeTopicPartitions, name: "pages", run: pages }];

fn request(names: &[&str], limit: i32, cursor: Option<(&str, i32)>) -> DescribeTopicPartitionsRequest {
    DescribeTopicPartitionsRequest {
        topics: names.iter().map(|name| TopicRequest { name: (*name).to_owned() }).collect(),
        response_partition_limit: limit,
        cursor: cursor.map(|(name, partition_index)| Cursor { topic_name: name.to_owned(), partition_index }),
    }
}

fn pages(side: &mut Side) {
    let (a, b, c) = (side.make("a", 3, &[]).name, side.make("b", 4, &[]).name, side.make("c", 1, &[]).name);
    let all = [a.as_str(), b.as_str(), c.as_str()];
    for limit in [2000, 100_000, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, i32::MAX, i32::MIN] {
        side.case(&format!("limit-{limit}"), &request(&all, limit, None));
    }
    side.case("all-there-are", &request(&[], 2000, None));
    side.case("out-of-order", &request(&[&c, &a, &b], 2000, None));
    side.case("twice", &request(&[&a, &a], 2000, None));
    side.case("unknown", &request(&[UNKNOWN], 2000, None));
    side.case("one-good-one-unknown", &request(&[&a, UNKNOWN], 2000, None));
    side.case("unknown-with-little-room", &request(&[&a, UNKNOWN, "zz"], 3, None));
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(&[name], 2000, None));
    }
    for (case, cursor) in [
        ("first", (a.as_str(), 0)),
        ("in-the-first", (a.as_str(), 2)),
        ("behind-the-first", (a.as_str(), 3)),
        ("far-behind-the-first", (a.as_str(), 99)),
        ("second", (b.as_str(), 0)),
        ("in-the-second", (b.as_str(), 1)),
        ("last", (c.as_str(), 0)),
        ("negative", (b.as_str(), -1)),
        ("unknown", (UNKNOWN, 0)),
        ("before-all", ("A", 0)),
        ("behind-all", ("zz", 0)),
        ("empty", ("", 0)),
    ] {
        side.case(&format!("from-{case}"), &request(&all, 2000, Some(cursor)));
        side.case(&format!("from-{case}-two"), &request(&all, 2, Some(cursor)));
    }
    side.case("from-one-that-is-not-asked-for", &request(&[&a, &c], 2000, Some((&b, 1))));
    side.case("from-one-that-is-unknown", &request(&[&a, UNKNOWN], 2000, Some((UNKNOWN, 1))));
    side.case("all-from-one-that-is-unknown", &request(&[], 2000, Some((&format!("{a}a"), 1))));
    side.case("all-from-one-that-is-known", &request(&[], 2000, Some((&b, 1))));
    side.case("all-from-a-negative-one", &request(&[], 2000, Some((&b, -1))));
    side.case("internal", &request(&["__cluster_metadata"], 2000, None));
}
