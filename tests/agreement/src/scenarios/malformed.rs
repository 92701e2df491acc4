//! Bodies that are none: of every key, in every version.

use highwater_protocol::api::ApiKey;
use highwater_protocol::frame::concatenated;
use highwater_protocol::message::*;
use highwater_protocol::wire::Writer;

use super::Scenario;
use crate::side::{Side, raw_frame};

pub(super) const SCENARIOS: [Scenario; 32] = [
    malformed::<ProduceRequest>(),
    malformed::<FetchRequest>(),
    malformed::<ListOffsetsRequest>(),
    malformed::<MetadataRequest>(),
    malformed::<ApiVersionsRequest>(),
    malformed::<CreateTopicsRequest>(),
    malformed::<DeleteTopicsRequest>(),
    malformed::<DeleteRecordsRequest>(),
    malformed::<InitProducerIdRequest>(),
    malformed::<OffsetForLeaderEpochRequest>(),
    malformed::<DescribeConfigsRequest>(),
    malformed::<AlterConfigsRequest>(),
    malformed::<DescribeLogDirsRequest>(),
    malformed::<CreatePartitionsRequest>(),
    malformed::<IncrementalAlterConfigsRequest>(),
    malformed::<DescribeClusterRequest>(),
    malformed::<DescribeProducersRequest>(),
    malformed::<ListConfigResourcesRequest>(),
    malformed::<DescribeTopicPartitionsRequest>(),
    malformed::<OffsetCommitRequest>(),
    malformed::<OffsetFetchRequest>(),
    malformed::<FindCoordinatorRequest>(),
    malformed::<JoinGroupRequest>(),
    malformed::<HeartbeatRequest>(),
    malformed::<LeaveGroupRequest>(),
    malformed::<SyncGroupRequest>(),
    malformed::<DescribeGroupsRequest>(),
    malformed::<ListGroupsRequest>(),
    malformed::<DeleteGroupsRequest>(),
    malformed::<OffsetDeleteRequest>(),
    malformed::<ConsumerGroupHeartbeatRequest>(),
    malformed::<ConsumerGroupDescribeRequest>(),
];

const fn malformed<R: Request>() -> Scenario {
    Scenario { key: R::KEY, name: "malformed", run: run::<R> }
}

fn run<R: Request>(side: &mut Side) {
    let version = side.version;
    let mut writer = Writer::new();
    if R::KEY == ApiKey::Produce {
        // With acks=0 there would be no answer to any of it.
        ProduceRequest { acks: 1, ..ProduceRequest::default() }.encode(&mut writer, version).expect("encodes");
    } else {
        // A message whose every field is at its default, which the version carries.
        R::default().encode(&mut writer, version).expect("a default encodes");
    }
    let whole = concatenated(&writer.finish());
    side.raw::<R>("nothing", &[]);
    if let Some((_, short)) = whole.split_last() {
        side.raw::<R>("cut-short", short);
    }
    side.raw::<R>("ones", &[0xff; 40]);
    side.raw::<R>("highest", &[0x7f; 40]);
    side.raw::<R>("a-byte-behind", &[&whole[..], &[0]].concat());
    if R::KEY.is_flexible(version)
        && let Some((_, without_tags)) = whole.split_last()
    {
        let mut tagged = |case: &str, tags: &[u8]| side.raw::<R>(case, &[without_tags, tags].concat());
        // One tag, number 99, of three bytes.
        tagged("unknown-tag", &[1, 99, 3, 1, 2, 3]);
        tagged("unknown-tag-cut-short", &[1, 99, 3, 1]);
        tagged("tag-twice", &[2, 99, 1, 1, 99, 1, 1]);
        tagged("tags-out-of-order", &[2, 99, 1, 1, 98, 1, 1]);
    }
    let (low, high) = R::KEY.versions();
    if version == low && R::KEY != ApiKey::ApiVersions {
        for (case, version) in [("version-too-high", high + 1), ("version-negative", -1), ("version-last", i16::MAX)] {
            let frame = raw_frame(R::KEY.number(), version, R::KEY.is_flexible(version), &whole);
            side.bytes::<R>(case, &frame, high);
        }
    }
}
