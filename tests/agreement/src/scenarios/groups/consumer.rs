//! ConsumerGroupHeartbeat, ConsumerGroupDescribe: a member of a consumer group joins, takes and gives up partitions, and goes.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::consumer_group_heartbeat_request::TopicPartitions;
use highwater_protocol::message::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::administered::simple;
use super::{coordinated, stable};
use crate::scenarios::{Scenario, UNKNOWN, unknown_id};
use crate::side::{Made, Side};

pub(super) const SCENARIOS: [Scenario; 8] = [
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "refused", run: refused },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "joined", run: joined },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "epochs", run: epochs },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "three", run: three },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "changes", run: changes },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "static", run: with_instance },
    Scenario { key: ApiKey::ConsumerGroupHeartbeat, name: "regex", run: by_regex },
    Scenario { key: ApiKey::ConsumerGroupDescribe, name: "described", run: described },
];

/// The highest version, to prepare with.
pub(super) const BEAT: i16 = 1;
/// Leaves.
const LEFT: i32 = -1;
/// Is away, and comes back.
const AWAY: i32 = -2;

/// What a member says when it joins. With range it is known who gets what.
pub(super) fn first(group: &str, id: &str, topics: &[&str]) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: group.to_owned(),
        member_id: id.to_owned(),
        rebalance_timeout_ms: 30_000,
        subscribed_topic_names: Some(topics.iter().map(|topic| (*topic).to_owned()).collect()),
        server_assignor: Some("range".to_owned()),
        topic_partitions: Some(Vec::new()),
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

/// What it says from then on, as long as nothing changes.
pub(super) fn beat(group: &str, id: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: group.to_owned(),
        member_id: id.to_owned(),
        member_epoch: epoch,
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

/// What it says when it has other partitions than before.
pub(super) fn owning(
    group: &str,
    id: &str,
    epoch: i32,
    topic: &Made,
    partitions: &[i32],
) -> ConsumerGroupHeartbeatRequest {
    let owned = TopicPartitions { topic_id: topic.id, partitions: partitions.to_vec() };
    let topic_partitions = if partitions.is_empty() { Vec::new() } else { vec![owned] };
    ConsumerGroupHeartbeatRequest { topic_partitions: Some(topic_partitions), ..beat(group, id, epoch) }
}

fn of_instance(request: ConsumerGroupHeartbeatRequest, instance: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest { instance_id: Some(instance.to_owned()), ..request }
}

fn by(request: ConsumerGroupHeartbeatRequest, regex: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some(regex.to_owned()),
        ..request
    }
}

/// Asks for what only prepares a case.
pub(super) fn prepared(side: &mut Side, request: &ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatResponse {
    side.know_member(&request.member_id);
    let answer = side.setup(request, BEAT);
    assert_eq!(answer.error_code, 0, "{request:?}: {:?}", answer.error_message);
    answer
}

/// A topic that the coordinator knows: Kafka's learns of it later than whoever answers Metadata.
pub(super) fn known(side: &mut Side, name: &str, partitions: i32) -> Made {
    let topic = side.make(name, partitions, &[]);
    let group = side.name(&format!("knows-{name}"));
    coordinated(side, &group);
    side.until("the coordinator knows a topic", |wire| {
        let answer = wire.call(&first(&group, "m-k", &[&topic.name]), BEAT).expect("answers");
        answer.assignment.is_some_and(|assignment| !assignment.topic_partitions.is_empty())
    });
    prepared(side, &beat(&group, "m-k", LEFT));
    topic
}

/// A group of one, which has all partitions of a topic.
pub(super) fn alone(side: &mut Side, name: &str, topic: &Made) -> String {
    let group = side.name(name);
    coordinated(side, &group);
    prepared(side, &first(&group, "m-a", &[&topic.name]));
    group
}

/// A group whose second member waits for what the first has.
pub(super) fn reconciling(side: &mut Side, name: &str, topic: &Made) -> String {
    let group = alone(side, name, topic);
    prepared(side, &first(&group, "m-b", &[&topic.name]));
    prepared(side, &beat(&group, "m-a", 2));
    group
}

fn refused(side: &mut Side) {
    let topic = known(side, "t", 2);
    let group = side.name("g");
    coordinated(side, &group);
    let join = first(&group, "m-a", &[&topic.name]);
    let text = |text: &str| Some(text.to_owned());
    side.case("group-without-name", &first("", "m-a", &[&topic.name]));
    side.case("group-of-spaces", &first("  ", "m-a", &[&topic.name]));
    side.case("member-of-spaces", &first(&group, " ", &[&topic.name]));
    side.case("member-without-id-heartbeats", &beat(&group, "", 1));
    side.case("member-without-id-leaves", &beat(&group, "", LEFT));
    side.case("member-without-id-is-away", &of_instance(beat(&group, "", AWAY), "i"));
    side.case("instance-without-name", &of_instance(join.clone(), ""));
    side.case("instance-of-spaces", &of_instance(join.clone(), " "));
    for (name, rack) in [("rack-without-name", ""), ("rack-of-spaces", "  ")] {
        side.case(name, &ConsumerGroupHeartbeatRequest { rack_id: text(rack), ..join.clone() });
    }
    side.case("no-rebalance-timeout", &ConsumerGroupHeartbeatRequest { rebalance_timeout_ms: -1, ..join.clone() });
    side.case("no-partitions", &ConsumerGroupHeartbeatRequest { topic_partitions: None, ..join.clone() });
    let owns = ConsumerGroupHeartbeatRequest { member_epoch: 0, ..owning(&group, "m-a", 0, &topic, &[0]) };
    let owns = ConsumerGroupHeartbeatRequest { topic_partitions: owns.topic_partitions, ..join.clone() };
    side.case("partitions-of-a-new-member", &owns);
    side.case("no-subscription", &ConsumerGroupHeartbeatRequest { subscribed_topic_names: None, ..join.clone() });
    for epoch in [AWAY, -3, i32::MIN] {
        side.case(&format!("epoch-{epoch}"), &beat(&group, "m-a", epoch));
    }
    for epoch in [-3, i32::MIN] {
        side.case(&format!("epoch-{epoch}-of-an-instance"), &of_instance(beat(&group, "m-a", epoch), "i"));
    }
    for (name, assignor) in
        [("unknown-assignor", "sticky"), ("assignor-without-name", ""), ("assignor-in-capitals", "RANGE")]
    {
        side.case(name, &ConsumerGroupHeartbeatRequest { server_assignor: text(assignor), ..join.clone() });
    }
    for epoch in [1, LEFT, i32::MAX] {
        side.case(&format!("unknown-group-epoch-{epoch}"), &beat(&group, "m-a", epoch));
    }
    for epoch in [1, LEFT, AWAY] {
        side.case(
            &format!("unknown-group-epoch-{epoch}-of-an-instance"),
            &of_instance(beat(&group, "m-a", epoch), "i"),
        );
    }
    side.case("regex-that-is-none", &by(join.clone(), "a["));
    side.case("regex-that-is-none-of-a-group", &by(join.clone(), "(a"));
    side.case(
        "names-and-regex-that-is-none",
        &ConsumerGroupHeartbeatRequest { subscribed_topic_regex: text("*"), ..join },
    );
    let stable = alone(side, "stable", &topic);
    for epoch in [1, LEFT] {
        side.case(&format!("unknown-member-epoch-{epoch}"), &beat(&stable, "m-z", epoch));
    }
    for epoch in [1, LEFT, AWAY] {
        side.case(&format!("unknown-instance-epoch-{epoch}"), &of_instance(beat(&stable, "m-z", epoch), "i"));
    }
    side.case("instance-of-a-dynamic-member", &of_instance(beat(&stable, "m-a", 2), "i"));
    let other = ConsumerGroupHeartbeatRequest { server_assignor: text("sticky"), ..beat(&stable, "m-a", 2) };
    side.case("unknown-assignor-of-a-member", &other);
    side.case("regex-that-is-none-of-a-member", &by(beat(&stable, "m-a", 2), "[z-a]"));
}

fn joined(side: &mut Side) {
    let (t, u) = (known(side, "t", 3), known(side, "u", 1));
    let begin = |side: &mut Side, name: &str| {
        let group = side.name(name);
        coordinated(side, &group);
        group
    };
    for (name, topics) in [
        ("one-topic", vec![t.name.as_str()]),
        ("two-topics", vec![&t.name, &u.name]),
        ("topic-twice", vec![&t.name, &t.name]),
        ("no-topic", vec![]),
        ("unknown-topic", vec![UNKNOWN]),
        ("one-known-one-unknown", vec![UNKNOWN, &u.name]),
        ("illegal-topic", vec!["a/b"]),
        ("topic-without-name", vec![""]),
    ] {
        let group = begin(side, name);
        side.know_member("m-a");
        side.case(name, &first(&group, "m-a", &topics));
    }
    for (name, assignor) in [("default-assignor", None), ("uniform", Some("uniform"))] {
        let group = begin(side, name);
        let server_assignor = assignor.map(str::to_owned);
        side.case(name, &ConsumerGroupHeartbeatRequest { server_assignor, ..first(&group, "m-a", &[&t.name]) });
    }
    for timeout in [-2, 0, 1, i32::MAX] {
        let group = begin(side, &format!("timeout{timeout}"));
        let request =
            ConsumerGroupHeartbeatRequest { rebalance_timeout_ms: timeout, ..first(&group, "m-a", &[&t.name]) };
        side.case(&format!("rebalance-timeout-{timeout}"), &request);
    }
    let group = begin(side, "racked");
    let racked = ConsumerGroupHeartbeatRequest { rack_id: Some("r".to_owned()), ..first(&group, "m-a", &[&t.name]) };
    side.case("rack", &racked);
    let group = begin(side, "unnamed");
    side.case("without-id", &first(&group, "", &[&t.name]));
    let group = begin(side, "long-id");
    side.case("id-of-64", &first(&group, &"m".repeat(64), &[&u.name]));
    let group = begin(side, "instance");
    side.case("instance", &of_instance(first(&group, "m-a", &[&t.name]), "i"));
}

/// One member, and the epochs that it might name.
fn epochs(side: &mut Side) {
    let topic = known(side, "t", 2);
    let group = alone(side, "g", &topic);
    let names = [topic.name.as_str()];
    side.case("heartbeat", &beat(&group, "m-a", 2));
    side.case("with-its-partitions", &owning(&group, "m-a", 2, &topic, &[0, 1]));
    side.case("with-fewer-partitions", &owning(&group, "m-a", 2, &topic, &[0]));
    side.case("with-none", &owning(&group, "m-a", 2, &topic, &[]));
    side.case("with-anothers", &owning(&group, "m-a", 2, &topic, &[0, 1, 7]));
    let unknown = Made { id: unknown_id(), ..topic.clone() };
    side.case("with-an-unknown-topics", &owning(&group, "m-a", 2, &unknown, &[0]));
    let whole = ConsumerGroupHeartbeatRequest { member_epoch: 2, ..first(&group, "m-a", &names) };
    side.case("with-everything", &whole);
    for epoch in [3, i32::MAX] {
        side.case(&format!("greater-{epoch}"), &beat(&group, "m-a", epoch));
    }
    side.case("again", &first(&group, "m-a", &names));
    side.case("after-that", &beat(&group, "m-a", 2));
    prepared(side, &first(&group, "m-b", &names));
    side.case("asked-to-give-up", &beat(&group, "m-a", 2));
    side.case("asked-to-give-up-and-silent", &beat(&group, "m-a", 2));
    side.case("gives-up", &owning(&group, "m-a", 2, &topic, &[0]));
    side.case("former-epoch", &beat(&group, "m-a", 2));
    side.case("former-epoch-with-its-partitions", &owning(&group, "m-a", 2, &topic, &[0]));
    side.case("former-epoch-with-more", &owning(&group, "m-a", 2, &topic, &[0, 1]));
    side.case("epoch-before-it-joined", &beat(&group, "m-b", 2));
    side.case("joins-again-among-two", &first(&group, "m-a", &names));
    side.case("leaves", &beat(&group, "m-a", LEFT));
    side.case("leaves-again", &beat(&group, "m-a", LEFT));
    side.case("heartbeats-all-the-same", &beat(&group, "m-a", 3));
    side.case("who-stays", &beat(&group, "m-b", 3));
    side.case("last-leaves", &beat(&group, "m-b", LEFT));
    side.case("heartbeats-where-nobody-is", &beat(&group, "m-b", 4));
    side.case("joins-where-nobody-is", &first(&group, "m-c", &names));
}

/// Partitions go from hand to hand, step by step.
fn three(side: &mut Side) {
    let topic = known(side, "t", 6);
    let group = side.name("g");
    coordinated(side, &group);
    for id in ["m-a", "m-b", "m-c"] {
        side.know_member(id);
    }
    let names = [topic.name.as_str()];
    side.case("a-joins", &first(&group, "m-a", &names));
    side.case("b-joins", &first(&group, "m-b", &names));
    side.case("b-waits", &beat(&group, "m-b", 3));
    side.case("a-learns-of-b", &beat(&group, "m-a", 2));
    side.case("a-still-has-all", &owning(&group, "m-a", 2, &topic, &[0, 1, 2, 3, 4, 5]));
    side.case("b-waits-still", &beat(&group, "m-b", 3));
    side.case("a-gives-half-up", &owning(&group, "m-a", 2, &topic, &[0, 1, 2]));
    side.case("b-has-half", &beat(&group, "m-b", 3));
    side.case("b-says-so", &owning(&group, "m-b", 3, &topic, &[3, 4, 5]));
    side.case("c-joins", &first(&group, "m-c", &names));
    side.case("a-learns-of-c", &beat(&group, "m-a", 3));
    side.case("b-learns-of-c", &beat(&group, "m-b", 3));
    side.case("b-gives-up", &owning(&group, "m-b", 3, &topic, &[3]));
    side.case("b-waits-for-a", &beat(&group, "m-b", 4));
    side.case("c-has-what-b-gave", &beat(&group, "m-c", 4));
    side.case("a-gives-up", &owning(&group, "m-a", 3, &topic, &[0, 1]));
    side.case("b-has-what-a-gave", &beat(&group, "m-b", 4));
    side.case("c-is-done", &beat(&group, "m-c", 4));
    side.case("a-leaves", &beat(&group, "m-a", LEFT));
    side.case("b-learns-that-a-left", &beat(&group, "m-b", 4));
    side.case("c-learns-that-a-left", &beat(&group, "m-c", 4));
    side.case("b-gives-to-c", &owning(&group, "m-b", 4, &topic, &[2]));
    side.case("c-after-that", &beat(&group, "m-c", 5));
    side.case("b-after-that", &beat(&group, "m-b", 5));
    side.case("b-leaves-in-the-middle", &beat(&group, "m-b", LEFT));
    side.case("c-has-all", &beat(&group, "m-c", 5));
    side.case("a-is-back", &first(&group, "m-a", &names));
    side.case("c-leaves", &beat(&group, "m-c", LEFT));
    side.case("a-has-all", &beat(&group, "m-a", 7));
}

/// A member says what is new.
fn changes(side: &mut Side) {
    let (t, u) = (known(side, "t", 2), known(side, "u", 2));
    let group = alone(side, "g", &t);
    let subscribed = |epoch, topics: &[&str]| ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(topics.iter().map(|topic| (*topic).to_owned()).collect()),
        ..beat(&group, "m-a", epoch)
    };
    side.case("the-same-topic", &subscribed(2, &[&t.name]));
    side.case("a-second-topic", &subscribed(2, &[&t.name, &u.name]));
    side.case("after-that", &beat(&group, "m-a", 3));
    side.case("the-other-topic", &subscribed(3, &[&u.name]));
    side.case("has-both-still", &beat(&group, "m-a", 3));
    side.case("gives-up", &owning(&group, "m-a", 3, &u, &[0, 1]));
    side.case("no-topic", &subscribed(4, &[]));
    side.case("gives-up-all", &owning(&group, "m-a", 4, &u, &[]));
    side.case("unknown-topic", &subscribed(5, &[UNKNOWN]));
    side.case("the-first-topic", &subscribed(6, &[&t.name]));
    let text = |text: &str| Some(text.to_owned());
    let uniform = ConsumerGroupHeartbeatRequest { server_assignor: text("uniform"), ..beat(&group, "m-a", 7) };
    side.case("assignor", &uniform);
    side.case("after-the-assignor", &beat(&group, "m-a", 8));
    side.case("rack", &ConsumerGroupHeartbeatRequest { rack_id: text("r"), ..beat(&group, "m-a", 8) });
    let timeout = ConsumerGroupHeartbeatRequest { rebalance_timeout_ms: 10_000, ..beat(&group, "m-a", 8) };
    side.case("rebalance-timeout", &timeout);
    side.case("regex-without-match", &by(beat(&group, "m-a", 8), "no-such-.*"));
}

fn with_instance(side: &mut Side) {
    let topic = known(side, "t", 2);
    let group = side.name("g");
    coordinated(side, &group);
    for id in ["m-a", "m-b", "m-c"] {
        side.know_member(id);
    }
    let names = [topic.name.as_str()];
    let i = |request| of_instance(request, "i");
    side.case("first", &i(first(&group, "m-a", &names)));
    side.case("heartbeat", &i(beat(&group, "m-a", 2)));
    side.case("without-its-instance", &beat(&group, "m-a", 2));
    side.case("with-another-instance", &of_instance(beat(&group, "m-a", 2), "j"));
    side.case("another-id-while-it-lives", &i(first(&group, "m-b", &names)));
    side.case("another-id-heartbeats", &i(beat(&group, "m-b", 2)));
    side.case("another-id-leaves", &i(beat(&group, "m-b", LEFT)));
    side.case("another-id-is-away", &i(beat(&group, "m-b", AWAY)));
    side.case("joins-again", &i(first(&group, "m-a", &names)));
    side.case("away", &i(beat(&group, "m-a", AWAY)));
    side.case("away-again", &i(beat(&group, "m-a", AWAY)));
    side.case("heartbeats-while-away", &i(beat(&group, "m-a", 2)));
    side.case("a-second-member-meanwhile", &first(&group, "m-c", &names));
    side.case("back-under-another-id", &i(first(&group, "m-b", &names)));
    side.case("the-old-id", &i(beat(&group, "m-a", 2)));
    side.case("the-new-id", &i(beat(&group, "m-b", 3)));
    side.case("the-second-member", &beat(&group, "m-c", 3));
    side.case("is-away-before-it-leaves", &i(beat(&group, "m-b", AWAY)));
    side.case("the-second-member-still", &beat(&group, "m-c", 3));
    side.case("leaves-while-away", &i(beat(&group, "m-b", LEFT)));
    side.case("leaves-again", &i(beat(&group, "m-b", LEFT)));
    side.case("the-second-member-alone", &beat(&group, "m-c", 3));
    side.case("the-instance-anew", &i(first(&group, "m-a", &names)));
}

/// From version 1 on topics are known by a regular expression.
fn by_regex(side: &mut Side) {
    if side.version < BEAT {
        return;
    }
    let topic = known(side, "t-one", 2);
    let group = side.name("g");
    coordinated(side, &group);
    side.know_member("m-a");
    let pattern = side.name("t-.*");
    assert!(side.case("first", &by(first(&group, "m-a", &[]), &pattern)).is_some());
    let mut epoch = 0;
    // Kafka looks for the topics beside.
    side.until("the topics are found", |wire| {
        let answer = wire.call(&by(first(&group, "m-a", &[]), &pattern), BEAT).expect("answers");
        epoch = answer.member_epoch;
        answer.assignment.is_some_and(|assignment| !assignment.topic_partitions.is_empty())
    });
    side.case("found", &owning(&group, "m-a", epoch, &topic, &[0, 1]));
    side.case("the-same-again", &by(beat(&group, "m-a", epoch), &pattern));
    side.case("empty", &by(first(&group, "m-b", &[]), ""));
    side.case("regex-that-is-none", &by(beat(&group, "m-a", epoch), "a{2,1}"));
    side.case("leaves", &beat(&group, "m-a", LEFT));
}

fn described(side: &mut Side) {
    let of = |groups: &[&str]| ConsumerGroupDescribeRequest {
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..ConsumerGroupDescribeRequest::default()
    };
    let (t, u) = (known(side, "t", 3), known(side, "u", 1));
    let absent = side.name("absent");
    coordinated(side, &absent);
    side.case("none", &of(&[]));
    side.case("absent", &of(&[&absent]));
    side.case("without-name", &of(&[""]));
    let classic = stable(side, "classic", None).group;
    side.case("classic", &of(&[&classic]));
    let offsets = simple(side, "simple");
    side.case("offsets-alone", &of(&[&offsets]));
    let one = alone(side, "one", &t);
    side.case("one", &of(&[&one]));
    side.case("twice", &of(&[&one, &one]));
    side.case("one-and-absent-and-classic", &of(&[&one, &absent, &classic]));
    let allowed = ConsumerGroupDescribeRequest { include_authorized_operations: true, ..of(&[&one, &absent]) };
    side.case("with-operations", &allowed);
    let two = reconciling(side, "two", &t);
    side.case("two-before-one-gave-up", &of(&[&two]));
    prepared(side, &owning(&two, "m-a", 2, &t, &[0, 1]));
    side.case("two-before-the-other-took", &of(&[&two]));
    prepared(side, &beat(&two, "m-b", 3));
    side.case("two", &of(&[&two]));
    let subscribed =
        ConsumerGroupHeartbeatRequest { subscribed_topic_names: Some(vec![u.name.clone()]), ..beat(&two, "m-b", 3) };
    prepared(side, &subscribed);
    side.case("two-of-two-topics", &of(&[&two]));
    prepared(side, &beat(&two, "m-a", LEFT));
    side.case("one-of-two-left", &of(&[&two]));
    prepared(side, &beat(&two, "m-b", LEFT));
    side.case("everybody-left", &of(&[&two]));
    let nothing = side.name("nothing");
    coordinated(side, &nothing);
    prepared(side, &first(&nothing, "m-a", &[UNKNOWN]));
    side.case("unknown-topic", &of(&[&nothing]));
    let fixed = side.name("static");
    coordinated(side, &fixed);
    let racked = ConsumerGroupHeartbeatRequest {
        rack_id: Some("r".to_owned()),
        server_assignor: Some("uniform".to_owned()),
        ..of_instance(first(&fixed, "m-a", &[&t.name]), "i")
    };
    prepared(side, &racked);
    side.case("static", &of(&[&fixed]));
    prepared(side, &of_instance(beat(&fixed, "m-a", AWAY), "i"));
    side.case("static-away", &of(&[&fixed]));
}
