//! DescribeLogDirs: how much lies where.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::DescribeLogDirsRequest;
use highwater_protocol::message::describe_log_dirs_request::DescribableLogDirTopic;

use super::records::{appended, five};
use super::{Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario { key: ApiKey::DescribeLogDirs, name: "sizes", run: sizes }];

fn request(topics: Option<&[(&str, &[i32])]>) -> DescribeLogDirsRequest {
    let topic = |(topic, partitions): &(&str, &[i32])| DescribableLogDirTopic {
        topic: (*topic).to_owned(),
        partitions: partitions.to_vec(),
    };
    DescribeLogDirsRequest { topics: topics.map(|topics| topics.iter().map(topic).collect()) }
}

fn sizes(side: &mut Side) {
    let a = side.make("a", 2, &[]);
    appended(side, &a, 0, five());
    side.case("all", &request(None));
    side.case("empty-list", &request(Some(&[])));
    side.case("one", &request(Some(&[(&a.name, &[0])])));
    side.case("an-empty-one", &request(Some(&[(&a.name, &[1])])));
    side.case("both", &request(Some(&[(&a.name, &[0, 1])])));
    side.case("no-partition", &request(Some(&[(&a.name, &[])])));
    side.case("wide", &request(Some(&[(&a.name, &[7])])));
    side.case("one-good-one-wide", &request(Some(&[(&a.name, &[0, 7, -1])])));
    side.case("unknown", &request(Some(&[(UNKNOWN, &[0])])));
    side.case("twice", &request(Some(&[(&a.name, &[0]), (&a.name, &[0, 0])])));
}
