//! CreateTopics: every way to get a topic, and to be refused one.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::CreateTopicsRequest;
use highwater_protocol::message::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};

use super::{ILLEGAL, Scenario, long_name};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario { key: ApiKey::CreateTopics, name: "made", run: made },
    Scenario { key: ApiKey::CreateTopics, name: "names", run: names },
    Scenario { key: ApiKey::CreateTopics, name: "counts", run: counts },
    Scenario { key: ApiKey::CreateTopics, name: "assignments", run: assignments },
    Scenario { key: ApiKey::CreateTopics, name: "configs", run: configs },
];

/// Settings with values, good and bad, one topic each.
pub(super) const SETTINGS: &[(&str, Option<&str>)] = &[
    ("retention.ms", Some("1000")),
    ("retention.ms", Some("-1")),
    ("retention.ms", Some("-2")),
    ("retention.ms", Some("soon")),
    ("retention.ms", Some("")),
    ("retention.ms", None),
    ("retention.ms", Some("9223372036854775808")),
    ("retention.bytes", Some("-2")),
    ("segment.bytes", Some("1048576")),
    ("segment.bytes", Some("1048575")),
    ("segment.bytes", Some("2147483648")),
    ("segment.bytes", Some("1.5")),
    ("segment.ms", Some("0")),
    ("cleanup.policy", Some("compact")),
    ("cleanup.policy", Some("compact,delete")),
    ("cleanup.policy", Some("compact,compact")),
    ("cleanup.policy", Some("shred")),
    ("cleanup.policy", Some("")),
    ("compression.type", Some("zstd")),
    ("compression.type", Some("brotli")),
    ("compression.type", Some("none")),
    ("compression.gzip.level", Some("0")),
    ("compression.gzip.level", Some("10")),
    ("compression.lz4.level", Some("18")),
    ("compression.zstd.level", Some("23")),
    ("min.insync.replicas", Some("0")),
    ("min.insync.replicas", Some("2")),
    ("max.message.bytes", Some("-1")),
    ("message.timestamp.type", Some("LogAppendTime")),
    ("message.timestamp.type", Some("logappendtime")),
    ("message.timestamp.before.max.ms", Some("-1")),
    ("min.cleanable.dirty.ratio", Some("0.5")),
    ("min.cleanable.dirty.ratio", Some("1.1")),
    ("min.cleanable.dirty.ratio", Some("half")),
    ("preallocate", Some("true")),
    ("preallocate", Some("TRUE")),
    ("preallocate", Some("yes")),
    ("unclean.leader.election.enable", Some("maybe")),
    ("flush.messages", Some("0")),
    ("flush.ms", Some("-1")),
    ("index.interval.bytes", Some("-1")),
    ("segment.index.bytes", Some("3")),
    ("file.delete.delay.ms", Some("-1")),
    ("delete.retention.ms", Some("-1")),
    ("min.compaction.lag.ms", Some("-1")),
    ("max.compaction.lag.ms", Some("0")),
    ("local.retention.ms", Some("-3")),
    ("local.retention.bytes", Some("-3")),
    ("local.retention.ms", Some("99999999999")),
    ("leader.replication.throttled.replicas", Some("0:1")),
    ("leader.replication.throttled.replicas", Some("rubbish")),
    ("remote.storage.enable", Some("true")),
    ("remote.log.copy.disable", Some("true")),
    ("no.such.setting", Some("1")),
    ("", Some("1")),
    ("log.retention.ms", Some("1")),
    ("message.format.version", Some("3.0")),
];

/// A partition, and its brokers.
type Assigned<'a> = (i32, &'a [i32]);

fn topic(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic { name: name.to_owned(), num_partitions, replication_factor, ..CreatableTopic::default() }
}

fn request(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest { topics, timeout_ms: 10_000, validate_only: false }
}

fn validated(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest { validate_only: true, ..request(topics) }
}

fn made(side: &mut Side) {
    let (a, b, c, d) = (side.will_make("a"), side.will_make("b"), side.will_make("c"), side.will_make("d"));
    side.case("none", &request(Vec::new()));
    side.case("one", &request(vec![topic(&a, 2, 1)]));
    side.case("again", &request(vec![topic(&a, 2, 1)]));
    side.case("again-validated", &validated(vec![topic(&a, 2, 1)]));
    side.case("validated", &validated(vec![topic(&b, 2, 1)]));
    side.case("two-and-one-is-there", &request(vec![topic(&a, 1, 1), topic(&b, 1, 1)]));
    side.case("twice", &request(vec![topic(&c, 1, 1), topic(&c, 1, 1)]));
    side.case("twice-and-another", &request(vec![topic(&c, 1, 1), topic(&d, 1, 1), topic(&c, 2, 1)]));
    side.case("twice-with-an-illegal-name", &request(vec![topic("a/b", 1, 1), topic("a/b", 1, 1)]));
    let mut impatient = request(vec![topic(&side.will_make("impatient"), 1, 1)]);
    impatient.validate_only = true;
    for timeout_ms in [-1, 0] {
        impatient.timeout_ms = timeout_ms;
        side.case(&format!("timeout-{timeout_ms}-validated"), &impatient);
    }
}

fn names(side: &mut Side) {
    for (case, name) in ILLEGAL {
        side.case(case, &request(vec![topic(name, 1, 1)]));
        side.case(&format!("{case}-validated"), &validated(vec![topic(name, 1, 1)]));
    }
    side.case("long-249", &validated(vec![topic(&long_name(249), 1, 1)]));
    side.case("long-250", &request(vec![topic(&long_name(250), 1, 1)]));
    for internal in ["__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"] {
        side.case(internal, &validated(vec![topic(internal, 1, 1)]));
    }
    let dotted = side.make("dot.ted", 1, &[]).name;
    side.case("colliding", &request(vec![topic(&dotted.replace('.', "_"), 1, 1)]));
    let pair = (side.name("p.q"), side.name("p_q"));
    side.case("colliding-in-one-request", &validated(vec![topic(&pair.0, 1, 1), topic(&pair.1, 1, 1)]));
}

fn counts(side: &mut Side) {
    let name = side.name("t");
    for (partitions, copies) in [
        (0, 1),
        (-1, 1),
        (-2, 1),
        (i32::MIN, 1),
        (1, 0),
        (1, -1),
        (1, -2),
        (1, i16::MIN),
        (1, 2),
        (1, i16::MAX),
        (-1, -1),
        (0, 0),
        (10_001, 1),
        (1_000_000, 1),
        (i32::MAX, 1),
        (3, 1),
    ] {
        side.case(&format!("{partitions}-x-{copies}"), &validated(vec![topic(&name, partitions, copies)]));
    }
    let (defaults, five) = (side.will_make("defaults"), side.will_make("five"));
    if side.version >= 4 {
        side.case("by-default", &request(vec![topic(&defaults, -1, -1)]));
    }
    side.case("five", &request(vec![topic(&five, 5, 1)]));
}

fn assignments(side: &mut Side) {
    let name = side.name("t");
    let assigned = |brokers: &[Assigned<'_>]| {
        let one = |(partition_index, broker_ids): &Assigned<'_>| CreatableReplicaAssignment {
            partition_index: *partition_index,
            broker_ids: broker_ids.to_vec(),
        };
        CreatableTopic { assignments: brokers.iter().map(one).collect(), ..topic(&name, -1, -1) }
    };
    let cases: &[(&str, &[Assigned<'_>])] = &[
        ("good", &[(0, &[1])]),
        ("good-two", &[(0, &[1]), (1, &[1])]),
        ("good-out-of-order", &[(1, &[1]), (0, &[1])]),
        ("partition-twice", &[(0, &[1]), (0, &[1])]),
        ("gap", &[(0, &[1]), (2, &[1])]),
        ("begins-at-one", &[(1, &[1])]),
        ("negative-partition", &[(-1, &[1])]),
        ("no-broker", &[(0, &[])]),
        ("unknown-broker", &[(0, &[7])]),
        ("negative-broker", &[(0, &[-1])]),
        ("broker-twice", &[(0, &[1, 1])]),
        ("known-and-unknown-broker", &[(0, &[1, 7])]),
        ("unequal", &[(0, &[1]), (1, &[1, 1])]),
        ("unequal-with-empty", &[(0, &[1]), (1, &[])]),
    ];
    for (case, brokers) in cases {
        side.case(case, &validated(vec![assigned(brokers)]));
    }
    let good = assigned(&[(0, &[1])]);
    side.case("with-a-count", &validated(vec![CreatableTopic { num_partitions: 1, ..good.clone() }]));
    side.case("with-a-factor", &validated(vec![CreatableTopic { replication_factor: 1, ..good.clone() }]));
    let both = CreatableTopic { num_partitions: 2, replication_factor: 2, ..good };
    side.case("with-both", &validated(vec![both]));
    let real = CreatableTopic { name: side.will_make("real"), ..assigned(&[(0, &[1]), (1, &[1])]) };
    side.case("real", &request(vec![real]));
}

fn configs(side: &mut Side) {
    let name = side.name("t");
    let with = |configs: &[(&str, Option<&str>)]| {
        let one = |(name, value): &(&str, Option<&str>)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: value.map(str::to_owned),
        };
        CreatableTopic { configs: configs.iter().map(one).collect(), ..topic(&name, 1, 1) }
    };
    for (setting, value) in SETTINGS {
        let shown = value.unwrap_or("null");
        side.case(&format!("{setting}={shown}"), &validated(vec![with(&[(setting, *value)])]));
    }
    let twice = [("retention.ms", Some("1000")), ("retention.ms", Some("2000"))];
    side.case("twice", &validated(vec![with(&twice)]));
    let lags = [("min.compaction.lag.ms", Some("20")), ("max.compaction.lag.ms", Some("10"))];
    side.case("lags-that-conflict", &validated(vec![with(&lags)]));
    let local = [("retention.ms", Some("10")), ("local.retention.ms", Some("20"))];
    side.case("local-retention-above-retention", &validated(vec![with(&local)]));
    side.case(
        "bad-count-and-bad-setting",
        &validated(vec![CreatableTopic { num_partitions: 0, ..with(&[("retention.ms", Some("soon"))]) }]),
    );
    side.case(
        "one-good-one-bad",
        &validated(vec![with(&[("retention.ms", Some("soon"))]), topic(&side.name("u"), 1, 1)]),
    );
}
