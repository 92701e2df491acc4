//! AlterConfigs and IncrementalAlterConfigs: every setting, good and bad, of every kind of resource.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::describe_configs_request::DescribeConfigsResource;
use highwater_protocol::message::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest, alter_configs_request,
    incremental_alter_configs_request,
};

use super::create_topics::SETTINGS;
use super::describe_configs::{BROKER, CLIENT_METRICS, GROUP, LOGGER, TOPIC};
use super::{ILLEGAL, Scenario, UNKNOWN};
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario { key: ApiKey::AlterConfigs, name: "topics", run: replaced_topics },
    Scenario { key: ApiKey::AlterConfigs, name: "others", run: replaced_others },
    Scenario { key: ApiKey::IncrementalAlterConfigs, name: "topics", run: topics },
    Scenario { key: ApiKey::IncrementalAlterConfigs, name: "lists", run: lists },
    Scenario { key: ApiKey::IncrementalAlterConfigs, name: "brokers", run: brokers },
    Scenario { key: ApiKey::IncrementalAlterConfigs, name: "others", run: others },
];

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

type Replaced<'a> = (i8, &'a str, &'a [(&'a str, Option<&'a str>)]);
type Changed<'a> = (i8, &'a str, &'a [(&'a str, i8, Option<&'a str>)]);

fn replace(resources: &[Replaced<'_>], validate_only: bool) -> AlterConfigsRequest {
    let config = |(name, value): &(&str, Option<&str>)| alter_configs_request::AlterableConfig {
        name: (*name).to_owned(),
        value: value.map(str::to_owned),
    };
    let resource = |(kind, name, configs): &Replaced<'_>| alter_configs_request::AlterConfigsResource {
        resource_type: *kind,
        resource_name: (*name).to_owned(),
        configs: configs.iter().map(config).collect(),
    };
    AlterConfigsRequest { resources: resources.iter().map(resource).collect(), validate_only }
}

fn change(resources: &[Changed<'_>], validate_only: bool) -> IncrementalAlterConfigsRequest {
    let config =
        |(name, operation, value): &(&str, i8, Option<&str>)| incremental_alter_configs_request::AlterableConfig {
            name: (*name).to_owned(),
            config_operation: *operation,
            value: value.map(str::to_owned),
        };
    let resource = |(kind, name, configs): &Changed<'_>| incremental_alter_configs_request::AlterConfigsResource {
        resource_type: *kind,
        resource_name: (*name).to_owned(),
        configs: configs.iter().map(config).collect(),
    };
    IncrementalAlterConfigsRequest { resources: resources.iter().map(resource).collect(), validate_only }
}

/// Waits until a topic's setting is what it should be, everywhere.
fn is_set(side: &mut Side, topic: &str, setting: &str, value: &str) {
    if !side.was_answered() {
        return;
    }
    let resource = DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: topic.to_owned(),
        configuration_keys: Some(vec![setting.to_owned()]),
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() };
    side.until(&format!("{setting} of {topic} is {value}"), |wire| {
        let answer = wire.call(&request, 4).expect("answers");
        answer.results[0].configs[0].value.as_deref() == Some(value)
    });
}

fn replaced_topics(side: &mut Side) {
    let a = side.make("a", 1, &[("retention.ms", "5000")]).name;
    let b = side.make("b", 1, &[]).name;
    for (setting, value) in SETTINGS {
        let shown = value.unwrap_or("null");
        side.case(&format!("{setting}={shown}"), &replace(&[(TOPIC, &a, &[(setting, *value)])], true));
    }
    side.case("nothing-validated", &replace(&[(TOPIC, &a, &[])], true));
    side.case("no-resource", &replace(&[], false));
    side.case("unknown", &replace(&[(TOPIC, UNKNOWN, &[("retention.ms", Some("1"))])], false));
    side.case("unknown-and-nothing", &replace(&[(TOPIC, UNKNOWN, &[])], false));
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &replace(&[(TOPIC, name, &[("retention.ms", Some("1"))])], true));
    }
    let one: &[(&str, Option<&str>)] = &[("segment.bytes", Some("3000000"))];
    side.case("twice", &replace(&[(TOPIC, &a, one), (TOPIC, &a, one)], true));
    side.case("twice-and-another", &replace(&[(TOPIC, &a, one), (TOPIC, &b, one), (TOPIC, &a, one)], true));
    let doubled: &[(&str, Option<&str>)] = &[("segment.bytes", Some("3000000")), ("segment.bytes", Some("4000000"))];
    side.case("key-twice", &replace(&[(TOPIC, &a, doubled)], true));
    let lags: &[(&str, Option<&str>)] = &[("min.compaction.lag.ms", Some("20")), ("max.compaction.lag.ms", Some("10"))];
    side.case("lags-that-conflict", &replace(&[(TOPIC, &a, lags)], true));
    side.case("one-good-one-unknown", &replace(&[(TOPIC, &b, one), (TOPIC, UNKNOWN, one)], true));
    side.case("real", &replace(&[(TOPIC, &a, one)], false));
    is_set(side, &a, "segment.bytes", "3000000");
    is_set(side, &a, "retention.ms", "604800000");
    side.case("nothing", &replace(&[(TOPIC, &a, &[])], false));
    is_set(side, &a, "segment.bytes", "1073741824");
    side.case("internal", &replace(&[(TOPIC, "__cluster_metadata", one)], true));
}

fn replaced_others(side: &mut Side) {
    for (case, kind, name, setting, value) in OTHERS {
        side.case(case, &replace(&[(*kind, name, &[(setting, *value)])], true));
    }
}

/// Resources that are no topics, with a setting each.
const OTHERS: &[(&str, i8, &str, &str, Option<&str>)] = &[
    ("broker", BROKER, "1", "log.retention.ms", Some("1000")),
    ("broker-default", BROKER, "", "log.retention.ms", Some("1000")),
    ("broker-unknown", BROKER, "7", "log.retention.ms", Some("1000")),
    ("broker-negative", BROKER, "-1", "log.retention.ms", Some("1000")),
    ("broker-word", BROKER, "x", "log.retention.ms", Some("1000")),
    ("broker-bad-value", BROKER, "1", "log.retention.ms", Some("soon")),
    ("broker-low-value", BROKER, "1", "log.retention.ms", Some("-2")),
    ("broker-null-value", BROKER, "1", "log.retention.ms", None),
    ("broker-read-only", BROKER, "1", "broker.id", Some("2")),
    ("broker-read-only-log-dirs", BROKER, "1", "log.dirs", Some("/x")),
    ("broker-read-only-num-partitions", BROKER, "1", "num.partitions", Some("3")),
    ("broker-unknown-name", BROKER, "1", "no.such", Some("1")),
    ("broker-topics-name", BROKER, "1", "retention.ms", Some("1")),
    ("broker-listeners-per-broker", BROKER, "", "listeners", Some("PLAINTEXT://:1")),
    ("broker-threads", BROKER, "", "num.io.threads", Some("9")),
    ("broker-threads-of-one", BROKER, "1", "num.io.threads", Some("9")),
    ("broker-threads-too-many", BROKER, "1", "num.io.threads", Some("1000")),
    ("broker-threads-none", BROKER, "1", "num.io.threads", Some("0")),
    ("broker-message-size", BROKER, "", "message.max.bytes", Some("2000000")),
    ("broker-message-size-negative", BROKER, "", "message.max.bytes", Some("-1")),
    ("broker-cleaner-threads", BROKER, "", "log.cleaner.threads", Some("2")),
    ("broker-compression", BROKER, "", "compression.type", Some("zstd")),
    ("broker-compression-unknown", BROKER, "", "compression.type", Some("brotli")),
    ("broker-max-connections", BROKER, "1", "max.connections", Some("100")),
    ("broker-max-connections-negative", BROKER, "1", "max.connections", Some("-1")),
    ("broker-password", BROKER, "1", "ssl.keystore.password", Some("x")),
    ("broker-auto-create", BROKER, "1", "auto.create.topics.enable", Some("false")),
    ("broker-background-threads", BROKER, "", "background.threads", Some("11")),
    ("broker-unclean", BROKER, "", "unclean.leader.election.enable", Some("true")),
    ("broker-min-isr", BROKER, "", "min.insync.replicas", Some("2")),
    ("broker-min-isr-of-one", BROKER, "1", "min.insync.replicas", Some("2")),
    ("broker-retention-hours", BROKER, "1", "log.retention.hours", Some("2")),
    ("broker-retention-minutes", BROKER, "1", "log.retention.minutes", Some("2")),
    ("broker-segment", BROKER, "1", "log.segment.bytes", Some("14")),
    ("broker-roll", BROKER, "1", "log.roll.ms", Some("0")),
    ("broker-cleanup", BROKER, "1", "log.cleanup.policy", Some("compact,delete")),
    ("broker-cleanup-unknown", BROKER, "1", "log.cleanup.policy", Some("shred")),
    ("logger", LOGGER, "1", "kafka.server", Some("INFO")),
    ("logger-unknown-level", LOGGER, "1", "kafka.server", Some("LOUD")),
    ("logger-default", LOGGER, "", "kafka.server", Some("INFO")),
    ("group", GROUP, "g", "consumer.session.timeout.ms", Some("50000")),
    ("group-too-low", GROUP, "g", "consumer.session.timeout.ms", Some("1")),
    ("group-too-high", GROUP, "g", "consumer.session.timeout.ms", Some("99999999")),
    ("group-word", GROUP, "g", "consumer.session.timeout.ms", Some("soon")),
    ("group-null", GROUP, "g", "consumer.session.timeout.ms", None),
    ("group-heartbeat", GROUP, "g", "consumer.heartbeat.interval.ms", Some("6000")),
    ("group-share-lock", GROUP, "g", "share.record.lock.duration.ms", Some("20000")),
    ("group-share-lock-too-low", GROUP, "g", "share.record.lock.duration.ms", Some("1")),
    ("group-share-reset", GROUP, "g", "share.auto.offset.reset", Some("earliest")),
    ("group-share-reset-unknown", GROUP, "g", "share.auto.offset.reset", Some("middle")),
    ("group-share-isolation", GROUP, "g", "share.isolation.level", Some("read_committed")),
    ("group-share-isolation-unknown", GROUP, "g", "share.isolation.level", Some("loud")),
    ("group-streams-standby", GROUP, "g", "streams.num.standby.replicas", Some("1")),
    ("group-streams-standby-too-many", GROUP, "g", "streams.num.standby.replicas", Some("99")),
    ("group-unknown-name", GROUP, "g", "no.such", Some("1")),
    ("group-empty-name", GROUP, "", "consumer.session.timeout.ms", Some("50000")),
    ("metrics", CLIENT_METRICS, "m", "interval.ms", Some("1000")),
    ("metrics-too-low", CLIENT_METRICS, "m", "interval.ms", Some("99")),
    ("metrics-too-high", CLIENT_METRICS, "m", "interval.ms", Some("3600001")),
    ("metrics-word", CLIENT_METRICS, "m", "interval.ms", Some("soon")),
    ("metrics-list", CLIENT_METRICS, "m", "metrics", Some("org.apache")),
    ("metrics-match", CLIENT_METRICS, "m", "match", Some("client_id=.*")),
    ("metrics-match-unknown", CLIENT_METRICS, "m", "match", Some("shoe_size=.*")),
    ("metrics-match-no-pattern", CLIENT_METRICS, "m", "match", Some("client_id")),
    ("metrics-match-bad-pattern", CLIENT_METRICS, "m", "match", Some("client_id=[")),
    ("metrics-unknown-name", CLIENT_METRICS, "m", "no.such", Some("1")),
    ("metrics-empty-name", CLIENT_METRICS, "", "interval.ms", Some("1000")),
    ("type-0", 0, "x", "a", Some("1")),
    ("type-1", 1, "x", "a", Some("1")),
    ("type-3", 3, "x", "a", Some("1")),
    ("type-77", 77, "x", "a", Some("1")),
    ("type--1", -1, "x", "a", Some("1")),
];

fn topics(side: &mut Side) {
    let a = side.make("a", 1, &[("retention.ms", "5000")]).name;
    let b = side.make("b", 1, &[]).name;
    for (setting, value) in SETTINGS {
        let shown = value.unwrap_or("null");
        side.case(&format!("{setting}={shown}"), &change(&[(TOPIC, &a, &[(setting, SET, *value)])], true));
    }
    for (case, setting, operation, value) in [
        ("delete", "retention.ms", DELETE, None),
        ("delete-with-a-value", "retention.ms", DELETE, Some("5")),
        ("delete-what-is-not-set", "segment.bytes", DELETE, None),
        ("delete-what-is-unknown", "no.such", DELETE, None),
        ("append-to-a-number", "retention.ms", APPEND, Some("5")),
        ("subtract-from-a-number", "retention.ms", SUBTRACT, Some("5")),
        ("append-null", "cleanup.policy", APPEND, None),
        ("subtract-null", "cleanup.policy", SUBTRACT, None),
        ("append-to-what-is-unknown", "no.such", APPEND, Some("5")),
        ("operation-4", "retention.ms", 4, Some("5")),
        ("operation--1", "retention.ms", -1, Some("5")),
        ("operation-4-on-what-is-unknown", "no.such", 4, Some("5")),
        ("operation-4-null", "retention.ms", 4, None),
    ] {
        side.case(case, &change(&[(TOPIC, &a, &[(setting, operation, value)])], true));
    }
    let long = "x".repeat(32_768);
    side.case("too-long", &change(&[(TOPIC, &a, &[("retention.ms", SET, Some(&long))])], true));
    side.case("nothing", &change(&[(TOPIC, &a, &[])], false));
    side.case("no-resource", &change(&[], false));
    let one: &[(&str, i8, Option<&str>)] = &[("segment.bytes", SET, Some("3000000"))];
    side.case("unknown", &change(&[(TOPIC, UNKNOWN, one)], false));
    side.case("unknown-and-nothing", &change(&[(TOPIC, UNKNOWN, &[])], false));
    side.case("unknown-with-a-bad-value", &change(&[(TOPIC, UNKNOWN, &[("segment.bytes", SET, Some("x"))])], false));
    for (case, name) in ILLEGAL {
        side.case(&format!("illegal-{case}"), &change(&[(TOPIC, name, one)], true));
    }
    side.case("twice", &change(&[(TOPIC, &a, one), (TOPIC, &a, one)], true));
    side.case("twice-and-another", &change(&[(TOPIC, &a, one), (TOPIC, &b, one), (TOPIC, &a, one)], true));
    let doubled: &[(&str, i8, Option<&str>)] =
        &[("segment.bytes", SET, Some("3000000")), ("segment.bytes", DELETE, None)];
    side.case("key-twice", &change(&[(TOPIC, &a, doubled)], true));
    let lags: &[(&str, i8, Option<&str>)] =
        &[("min.compaction.lag.ms", SET, Some("20")), ("max.compaction.lag.ms", SET, Some("10"))];
    side.case("lags-that-conflict", &change(&[(TOPIC, &a, lags)], true));
    let good_and_bad: &[(&str, i8, Option<&str>)] =
        &[("segment.bytes", SET, Some("3000000")), ("retention.ms", SET, Some("x"))];
    side.case("key-good-key-bad", &change(&[(TOPIC, &a, good_and_bad)], false));
    side.case("one-good-one-unknown", &change(&[(TOPIC, &b, one), (TOPIC, UNKNOWN, one)], false));
    is_set(side, &b, "segment.bytes", "3000000");
    side.case("real", &change(&[(TOPIC, &a, one)], false));
    is_set(side, &a, "segment.bytes", "3000000");
    is_set(side, &a, "retention.ms", "5000");
    side.case("real-deletion", &change(&[(TOPIC, &a, &[("retention.ms", DELETE, None)])], false));
    is_set(side, &a, "retention.ms", "604800000");
    side.case("internal", &change(&[(TOPIC, "__cluster_metadata", one)], true));
}

/// Each step finds what the one before left.
fn lists(side: &mut Side) {
    let a = side.make("a", 1, &[]).name;
    for (case, operation, value, after) in [
        ("append-what-is-there", APPEND, "delete", "delete"),
        ("append", APPEND, "compact", "delete,compact"),
        ("append-unknown", APPEND, "shred", "delete,compact"),
        ("subtract", SUBTRACT, "delete", "compact"),
        ("subtract-what-is-not-there", SUBTRACT, "delete", "compact"),
        ("append-two", APPEND, "delete,compact", "compact,delete"),
        ("subtract-unknown", SUBTRACT, "shred", "compact,delete"),
        ("set", SET, "delete", "delete"),
        ("append-nothing", APPEND, "", "delete"),
    ] {
        side.case(case, &change(&[(TOPIC, &a, &[("cleanup.policy", operation, Some(value))])], false));
        is_set(side, &a, "cleanup.policy", after);
    }
    for (case, operation, value) in [
        ("set-an-empty-one", SET, ""),
        ("set-with-spaces", SET, "compact , delete"),
        ("set-twice-the-same", SET, "delete,delete"),
        ("subtract-all", SUBTRACT, "delete"),
        ("append-with-spaces", APPEND, " compact , delete "),
    ] {
        side.case(case, &change(&[(TOPIC, &a, &[("cleanup.policy", operation, Some(value))])], true));
    }
}

fn brokers(side: &mut Side) {
    for (case, setting, operation, value) in [
        ("delete", "log.retention.ms", DELETE, None),
        ("delete-read-only", "broker.id", DELETE, None),
        ("delete-unknown", "no.such", DELETE, None),
        ("append", "log.cleanup.policy", APPEND, Some("compact")),
        ("append-unknown", "log.cleanup.policy", APPEND, Some("shred")),
        ("subtract", "log.cleanup.policy", SUBTRACT, Some("delete")),
        ("append-to-a-number", "log.retention.ms", APPEND, Some("1")),
        ("operation-9", "log.retention.ms", 9, Some("1")),
    ] {
        side.case(case, &change(&[(BROKER, "1", &[(setting, operation, value)])], true));
        side.case(&format!("{case}-of-the-default"), &change(&[(BROKER, "", &[(setting, operation, value)])], true));
    }
    let one: &[(&str, i8, Option<&str>)] = &[("log.retention.ms", SET, Some("1000"))];
    side.case("both", &change(&[(BROKER, "1", one), (BROKER, "", one)], true));
    side.case("twice", &change(&[(BROKER, "1", one), (BROKER, "1", one)], true));
}

fn others(side: &mut Side) {
    for (case, kind, name, setting, value) in OTHERS {
        side.case(case, &change(&[(*kind, name, &[(setting, SET, *value)])], true));
    }
}
