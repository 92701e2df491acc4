//! Fetch: from where, how much, in which epoch, and sessions.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::FetchRequest;
use highwater_protocol::message::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use uuid::Uuid;

use super::records::{THEN, appended, batch, five, numbered};
use super::{ILLEGAL, Scenario, UNKNOWN, unknown_id};
use crate::side::{Made, Side};

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario { key: ApiKey::Fetch, name: "offsets", run: offsets },
    Scenario { key: ApiKey::Fetch, name: "limits", run: limits },
    Scenario { key: ApiKey::Fetch, name: "epochs", run: epochs },
    Scenario { key: ApiKey::Fetch, name: "places", run: places },
    Scenario { key: ApiKey::Fetch, name: "sessions", run: sessions },
];

/// Topics go by id from here on.
const BY_ID: i16 = 13;

fn partition(partition: i32, fetch_offset: i64) -> FetchPartition {
    FetchPartition {
        partition,
        current_leader_epoch: -1,
        fetch_offset,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    }
}

fn from(version: i16, topic: &Made, partitions: Vec<FetchPartition>) -> FetchTopic {
    if version < BY_ID {
        FetchTopic { topic: topic.name.clone(), partitions, ..FetchTopic::default() }
    } else {
        FetchTopic { topic_id: topic.id, partitions, ..FetchTopic::default() }
    }
}

fn request(version: i16, topics: Vec<FetchTopic>) -> FetchRequest {
    FetchRequest {
        replica_id: -1,
        max_wait_ms: 0,
        min_bytes: 0,
        max_bytes: 1 << 20,
        session_id: 0,
        session_epoch: if version < 7 { FetchRequest::default().session_epoch } else { -1 },
        topics,
        ..FetchRequest::default()
    }
}

fn missing(version: i16, name: &str) -> Made {
    let id = if version < BY_ID { Uuid::nil() } else { unknown_id() };
    Made { name: name.to_owned(), id, epoch: 0 }
}

fn offsets(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 2, &[]);
    appended(side, &a, 0, five());
    appended(side, &a, 0, batch(&[THEN + 100]));
    let p = side.producer();
    appended(side, &a, 0, numbered(p, 0, 0, 2));
    let at =
        |partition_index, offset| request(version, vec![from(version, &a, vec![partition(partition_index, offset)])]);
    for (case, offset) in [
        ("start", 0),
        ("in-the-middle", 3),
        ("second", 5),
        ("third", 6),
        ("end", 8),
        ("beyond", 9),
        ("far-beyond", i64::MAX),
        ("negative", -1),
        ("lowest", i64::MIN),
    ] {
        side.case(case, &at(0, offset));
        side.case(&format!("{case}-committed"), &FetchRequest { isolation_level: 1, ..at(0, offset) });
    }
    side.case("empty-partition", &at(1, 0));
    side.case("beyond-an-empty-partition", &at(1, 1));
    side.case("isolation-2", &FetchRequest { isolation_level: 2, ..at(0, 0) });
    side.case("isolation--1", &FetchRequest { isolation_level: -1, ..at(0, 0) });
    let moved = highwater_tests::calls::delete_records(side.wire(), &a.name, 0, 3).expect("answers");
    assert_eq!(moved, Ok(3));
    side.case("below-the-start", &at(0, 2));
    side.case("at-the-start", &at(0, 3));
}

fn limits(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 2, &[]);
    for _ in 0..3 {
        appended(side, &a, 0, five());
        appended(side, &a, 1, five());
    }
    let sized = |index, bytes| FetchPartition { partition_max_bytes: bytes, ..partition(index, 0) };
    let both = |max_bytes, first, second| FetchRequest {
        max_bytes,
        ..request(version, vec![from(version, &a, vec![sized(0, first), sized(1, second)])])
    };
    let size = i32::try_from(five().len()).expect("small");
    let all = 1 << 20;
    for (case, max_bytes, first, second) in [
        ("all", all, all, all),
        ("one-byte", 1, all, all),
        ("no-byte", 0, all, all),
        ("negative", -1, all, all),
        ("one-batch", size, all, all),
        ("a-batch-and-a-half", size + size / 2, all, all),
        ("one-byte-of-the-first", all, 1, all),
        ("no-byte-of-the-first", all, 0, all),
        ("negative-of-the-first", all, -1, all),
        ("two-batches-of-each", all, 2 * size, 2 * size),
        ("one-byte-of-each", all, 1, 1),
        ("four-batches", 4 * size, all, all),
    ] {
        side.case(case, &both(max_bytes, first, second));
    }
    let end = |max_wait_ms, min_bytes| FetchRequest {
        max_wait_ms,
        min_bytes,
        ..request(version, vec![from(version, &a, vec![partition(0, 15)])])
    };
    side.case("waits-in-vain", &end(50, 1));
    side.case("does-not-wait", &end(0, 1));
    side.case("negative-wait", &end(-1, 1));
    side.case("wants-nothing", &end(5000, 0));
    side.case("wants-less-than-nothing", &end(5000, -1));
    side.case(
        "wants-nothing-of-nowhere",
        &FetchRequest { max_wait_ms: 50, min_bytes: 1, ..request(version, Vec::new()) },
    );
}

fn epochs(side: &mut Side) {
    let version = side.version;
    let a = side.make("a", 1, &[]);
    appended(side, &a, 0, five());
    let with = |current_leader_epoch, last_fetched_epoch, offset| {
        let partition = FetchPartition { current_leader_epoch, last_fetched_epoch, ..partition(0, offset) };
        request(version, vec![from(version, &a, vec![partition])])
    };
    side.case("current", &with(a.epoch, -1, 0));
    side.case("future", &with(a.epoch + 1, -1, 0));
    side.case("far-future", &with(i32::MAX, -1, 0));
    side.case("negative", &with(-2, -1, 0));
    side.case("fetched-in-the-current", &with(a.epoch, a.epoch, 5));
    side.case("fetched-in-the-future", &with(a.epoch, a.epoch + 1, 5));
    side.case("fetched-in-the-future-in-the-middle", &with(a.epoch, a.epoch + 1, 2));
    side.case("fetched-beyond-in-the-current", &with(a.epoch, a.epoch, 9));
    side.case("future-beyond", &with(a.epoch + 1, -1, 9));
}

fn places(side: &mut Side) {
    let version = side.version;
    let (a, b) = (side.make("a", 1, &[]), side.make("b", 1, &[]));
    appended(side, &a, 0, five());
    let one = |topic: &Made, index| from(version, topic, vec![partition(index, 0)]);
    side.case("none", &request(version, Vec::new()));
    side.case("no-partition", &request(version, vec![from(version, &a, Vec::new())]));
    for index in [1, -1, i32::MAX] {
        side.case(&format!("partition-{index}"), &request(version, vec![one(&a, index)]));
    }
    side.case("unknown", &request(version, vec![one(&missing(version, UNKNOWN), 0)]));
    side.case("one-good-one-unknown", &request(version, vec![one(&a, 0), one(&missing(version, UNKNOWN), 0)]));
    side.case("one-good-one-wide", &request(version, vec![from(version, &a, vec![partition(0, 0), partition(9, 0)])]));
    side.case("two", &request(version, vec![one(&b, 0), one(&a, 0)]));
    side.case("twice", &request(version, vec![one(&a, 0), one(&a, 0)]));
    if version < BY_ID {
        for (case, name) in ILLEGAL {
            side.case(&format!("illegal-{case}"), &request(version, vec![one(&missing(version, name), 0)]));
        }
    } else {
        let nil = Made { id: Uuid::nil(), ..a.clone() };
        side.case("nil", &request(version, vec![one(&nil, 0)]));
    }
    side.case("of-another-replica", &FetchRequest { replica_id: 7, ..request(version, vec![one(&a, 0)]) });
    side.case("of-a-debugger", &FetchRequest { replica_id: -2, ..request(version, vec![one(&a, 0)]) });
    side.case("with-a-rack", &FetchRequest { rack_id: "r".to_owned(), ..request(version, vec![one(&a, 0)]) });
}

fn sessions(side: &mut Side) {
    let version = side.version;
    if version < 7 {
        return;
    }
    let (a, b) = (side.make("a", 2, &[]), side.make("b", 1, &[]));
    appended(side, &a, 0, five());
    let with =
        |session_id, session_epoch, topics| FetchRequest { session_id, session_epoch, ..request(version, topics) };
    let of = |topic: &Made, parts: &[(i32, i64)]| {
        from(version, topic, parts.iter().map(|(index, offset)| partition(*index, *offset)).collect())
    };
    let forgotten = |topic: &Made, partitions: &[i32]| {
        let (topic, topic_id) =
            if version < BY_ID { (topic.name.clone(), Uuid::nil()) } else { (String::new(), topic.id) };
        vec![ForgottenTopic { topic, topic_id, partitions: partitions.to_vec() }]
    };
    side.case("unknown-id", &with(4711, 1, Vec::new()));
    side.case("unknown-id-to-end", &with(4711, -1, vec![of(&a, &[(0, 0)])]));
    side.case("unknown-id-to-begin", &with(4711, 0, vec![of(&a, &[(0, 0)])]));
    side.case("no-id-but-an-epoch", &with(0, 1, vec![of(&a, &[(0, 0)])]));
    side.case("negative-epoch", &with(0, -2, vec![of(&a, &[(0, 0)])]));
    side.case("begin-with-nothing", &with(0, 0, Vec::new()));
    let begun = side.case("begin", &with(0, 0, vec![of(&a, &[(0, 0), (1, 0)])]));
    let id = begun.map_or(0, |begun| begun.session_id);
    side.case("nothing-new", &with(id, 1, vec![of(&a, &[(0, 5)])]));
    side.case("nothing-new-again", &with(id, 2, Vec::new()));
    side.case("wrong-epoch", &with(id, 2, Vec::new()));
    side.case("far-epoch", &with(id, 9, Vec::new()));
    appended(side, &a, 1, five());
    side.case("news", &with(id, 3, Vec::new()));
    side.case("news-again", &with(id, 4, Vec::new()));
    side.case("one-more", &with(id, 5, vec![of(&b, &[(0, 0)])]));
    side.case("one-less", &FetchRequest { forgotten_topics_data: forgotten(&a, &[1]), ..with(id, 6, Vec::new()) });
    side.case("unknown-is-told-once", &with(id, 7, vec![of(&missing(version, UNKNOWN), &[(0, 0)])]));
    side.case("unknown-is-told-again", &with(id, 8, Vec::new()));
    side.case("out-of-range-is-told", &with(id, 9, vec![of(&a, &[(0, 99)])]));
    side.case("out-of-range-is-told-again", &with(id, 10, Vec::new()));
    let all = FetchRequest { forgotten_topics_data: forgotten(&a, &[0]), ..with(id, 11, Vec::new()) };
    side.case("forget-another", &all);
    let forget_unknown = FetchRequest { forgotten_topics_data: forgotten(&a, &[0, 7]), ..with(id, 12, Vec::new()) };
    side.case("forget-what-is-not-there", &forget_unknown);
    side.case("end", &with(id, -1, vec![of(&a, &[(0, 5)])]));
    side.case("ended", &with(id, 13, Vec::new()));
    let begun = side.case("begin-anew", &with(0, 0, vec![of(&a, &[(0, 5)])]));
    let id = begun.map_or(0, |begun| begun.session_id);
    let begun = side.case("begin-over", &with(id, 0, vec![of(&b, &[(0, 0)])]));
    side.case("the-one-before", &with(id, 1, Vec::new()));
    let id = begun.map_or(0, |begun| begun.session_id);
    side.case("the-one-after", &with(id, 1, Vec::new()));
    let empty = FetchRequest { forgotten_topics_data: forgotten(&b, &[0]), ..with(id, 2, Vec::new()) };
    side.case("left-with-nothing", &empty);
    side.case("after-left-with-nothing", &with(id, 3, Vec::new()));
}
