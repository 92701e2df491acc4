//! CreatePartitions: topics grow, or do not.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::CreatePartitionsRequest;
use highwater_protocol::message::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};

use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario { key: ApiKey::CreatePartitions, name: "grown", run: grown }];

/// A topic, how many partitions it is to have, and the brokers of each new one.
type Growth<'a> = (&'a str, i32, Option<&'a [&'a [i32]]>);

fn request(topics: &[Growth<'_>], validate_only: bool) -> CreatePartitionsRequest {
    let one = |(name, count, assignments): &Growth<'_>| CreatePartitionsTopic {
        name: (*name).to_owned(),
        count: *count,
        assignments: assignments
            .map(|all| all.iter().map(|brokers| CreatePartitionsAssignment { broker_ids: brokers.to_vec() }).collect()),
    };
    CreatePartitionsRequest { topics: topics.iter().map(one).collect(), timeout_ms: 10_000, validate_only }
}

fn grown(side: &mut Side) {
    let (a, b) = (side.make("a", 2, &[]).name, side.make("b", 1, &[]).name);
    side.case("none", &request(&[], false));
    for count in [2, 1, 0, -1, i32::MIN, 3, 10_003, i32::MAX] {
        side.case(&format!("to-{count}-validated"), &request(&[(&a, count, None)], true));
    }
    let assignments: &[(&str, &[&[i32]])] = &[
        ("good", &[&[1]]),
        ("empty-list", &[]),
        ("too-many", &[&[1], &[1]]),
        ("no-broker", &[&[]]),
        ("unknown-broker", &[&[7]]),
        ("negative-broker", &[&[-1]]),
        ("broker-twice", &[&[1, 1]]),
        ("more-brokers-than-the-others", &[&[1, 7]]),
    ];
    for (case, brokers) in assignments {
        side.case(&format!("assigned-{case}"), &request(&[(&a, 3, Some(brokers))], true));
    }
    side.case("assigned-to-the-same-count", &request(&[(&a, 2, Some(&[]))], true));
    side.case("unknown", &request(&[(UNKNOWN, 3, None)], false));
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &request(&[(name, 3, None)], false));
    }
    side.case("twice", &request(&[(&a, 3, None), (&a, 4, None)], false));
    side.case("twice-and-another", &request(&[(&a, 3, None), (&b, 2, None), (&a, 4, None)], false));
    for timeout_ms in [-1, 0] {
        let impatient = CreatePartitionsRequest { timeout_ms, ..request(&[(&a, 4, None), (UNKNOWN, 4, None)], true) };
        side.case(&format!("timeout-{timeout_ms}"), &impatient);
    }
    side.case("to-4", &request(&[(&a, 4, None)], false));
    side.served(&a, 4);
    side.case("to-4-again", &request(&[(&a, 4, None)], false));
    side.case("to-5-assigned", &request(&[(&a, 5, Some(&[&[1]]))], false));
    side.served(&a, 5);
    side.case("one-good-one-unknown", &request(&[(&b, 3, None), (UNKNOWN, 3, None)], false));
}
