//! The differences that stay, each with its reason. One that no case shows any more is stale, and fails the run.

use std::ops::RangeInclusive;

use highwater_protocol::api::ApiKey;

use crate::compare::Difference;
use crate::side::CaseName;

/// Why a difference stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// Kafka 4.4 dropped the version, Kafka 3.9 had it.
    OldVersion,
    /// Highwater lacks the notion on purpose.
    Absent,
    /// A promise of Highwater's, a bound that protects it, or a decision about what an answer is worth.
    Design,
    /// Kafka's handler fails inside, says UNKNOWN_SERVER_ERROR or nothing at all, or does what its own rules forbid.
    Defect,
    /// Not built yet.
    NotYet,
}

/// A kind of difference. `*` in a pattern stands for any text.
pub struct Accepted {
    /// The key, or all.
    pub key: Option<ApiKey>,
    /// In these versions.
    pub versions: RangeInclusive<i16>,
    /// In these cases.
    pub cases: &'static str,
    /// Where in the answer.
    pub path: &'static str,
    /// What Kafka says.
    pub kafka: &'static str,
    /// What Highwater says.
    pub ours: &'static str,
    /// Why.
    pub reason: Reason,
    /// Why, in words.
    pub words: &'static str,
}

impl Reason {
    /// As the documentation says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::OldVersion => "old version",
            Self::Absent => "absent on purpose",
            Self::Design => "by design",
            Self::Defect => "Kafka's defect",
            Self::NotYet => "not built yet",
        }
    }
}

impl Accepted {
    /// Whether it is this difference.
    pub fn covers(&self, case: &CaseName, difference: &Difference) -> bool {
        self.key.is_none_or(|key| key.number() == case.key)
            && self.versions.contains(&case.version)
            && matches(self.cases, &case.name)
            && matches(self.path, &difference.path)
            && matches(self.kafka, &difference.kafka)
            && matches(self.ours, &difference.ours)
    }
}

/// Whether a text fits a pattern with `*`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// A version below Kafka 4.4's lowest: it closes the connection, and Highwater answers.
const fn dropped(key: ApiKey, below: i16) -> Accepted {
    Accepted {
        key: Some(key),
        versions: 0..=below - 1,
        cases: "*",
        path: "",
        kafka: "closed",
        ours: "{*",
        reason: Reason::OldVersion,
        words: "Apache Kafka 4.4 ends the connection; clients of the time of Kafka 3.9 and before still send it.",
    }
}

/// One that is not about versions.
const fn stays(
    key: Option<ApiKey>,
    cases: &'static str,
    path: &'static str,
    says: (&'static str, &'static str),
    reason: Reason,
    words: &'static str,
) -> Accepted {
    Accepted { key, versions: ALL, cases, path, kafka: says.0, ours: says.1, reason, words }
}

const ALL: RangeInclusive<i16> = i16::MIN..=i16::MAX;
const ONCE: &str =
    "A group is described once however often a request names it: a short one would else take any amount of memory.";
const STRICT: &str = "A frame is its message to the last byte, and its tags rise, as the protocol has them: what is behind is \
    not guessed at.";
const UNSERVED: &str = "A key is advertised when it is served.";
const INSIDE: &str = "Kafka's handler fails with an exception; here the request is refused or taken by rule.";
const HEADER: &str = "A batch is checked by its header and CRC and not opened, unless a setting of the topic is about records: \
    what is inside is the producer's word.";
const ELR: &str = "Kafka's eligible leader replicas set min.insync.replicas for the cluster, and forbid it to be unset or set for \
    one broker.";
const LOGGERS: &str = "There are no Java loggers whose level could be set.";

/// All of them.
pub const ACCEPTED: &[Accepted] = &[
    dropped(ApiKey::ListOffsets, 1),
    dropped(ApiKey::CreateTopics, 2),
    dropped(ApiKey::DeleteTopics, 1),
    dropped(ApiKey::OffsetForLeaderEpoch, 2),
    dropped(ApiKey::OffsetCommit, 2),
    dropped(ApiKey::DescribeConfigs, 1),
    dropped(ApiKey::DescribeLogDirs, 1),
    stays(None, "malformed/a-byte-behind", "", ("{*", "closed"), Reason::Design, STRICT),
    stays(None, "malformed/tag-twice", "", ("{*", "closed"), Reason::Design, STRICT),
    stays(None, "malformed/tags-out-of-order", "", ("{*", "closed"), Reason::Design, STRICT),
    stays(None, "malformed/highest", "", ("{*", "closed"), Reason::Design, STRICT),
    stays(None, "malformed/ones", "", ("{*", "closed"), Reason::Design, STRICT),
    stays(Some(ApiKey::ApiVersions), "*", "api_keys[*]", ("{*", "absent"), Reason::NotYet, UNSERVED),
    stays(
        Some(ApiKey::ApiVersions),
        "*",
        "api_keys[*].min_version",
        ("*", "0"),
        Reason::OldVersion,
        "Kafka 3.9 served these versions.",
    ),
    stays(
        Some(ApiKey::ApiVersions),
        "*",
        "api_keys[*].min_version",
        ("2", "1"),
        Reason::OldVersion,
        "Kafka 3.9 served these versions.",
    ),
    stays(
        Some(ApiKey::ApiVersions),
        "*",
        "supported_features",
        ("*", "0 elements"),
        Reason::NotYet,
        "No feature that Kafka counts in levels is here yet.",
    ),
    stays(
        Some(ApiKey::ApiVersions),
        "*",
        "finalized_features[*]",
        ("{*", "absent"),
        Reason::NotYet,
        "Of the features that Kafka counts in levels group.version alone is here yet.",
    ),
    stays(
        Some(ApiKey::ApiVersions),
        "*",
        "supported_features[*]",
        ("{*", "absent"),
        Reason::NotYet,
        "Of the features that Kafka counts in levels group.version alone is here yet.",
    ),
    stays(
        Some(ApiKey::Metadata),
        "made/*",
        "topics[*].error_code",
        ("UnknownTopicOrPartition", "0"),
        Reason::Design,
        "A topic that is made by asking is answered when it serves; Kafka answers at once that it is unknown.",
    ),
    stays(
        Some(ApiKey::Metadata),
        "made/*",
        "topics[*].partitions",
        ("0 elements", "1 elements"),
        Reason::Design,
        "A topic that is made by asking is answered when it serves; Kafka answers at once that it is unknown.",
    ),
    stays(
        Some(ApiKey::Metadata),
        "made/*",
        "topics[*].topic_id",
        ("0000*", "id:*"),
        Reason::Design,
        "A topic that is made by asking is answered when it serves; Kafka answers at once that it is unknown.",
    ),
    stays(
        Some(ApiKey::Metadata),
        "by-id/nil",
        "topics[*].error_code",
        ("UnknownServerError", "UnknownTopicId"),
        Reason::Defect,
        INSIDE,
    ),
    stays(Some(ApiKey::Metadata), "by-id/nil", "topics[*].name", ("*", "null"), Reason::Defect, INSIDE),
    stays(Some(ApiKey::Metadata), "by-id/nil", "error_code", ("UnknownServerError", "0"), Reason::Defect, INSIDE),
    stays(Some(ApiKey::Metadata), "by-id/nil", "brokers", ("*", "*"), Reason::Defect, INSIDE),
    stays(Some(ApiKey::Metadata), "by-id/nil", "cluster_id", ("*", "*"), Reason::Defect, INSIDE),
    stays(Some(ApiKey::Metadata), "by-id/nil", "controller_id", ("*", "*"), Reason::Defect, INSIDE),
    stays(None, "*/*", "*configs[min.insync.replicas].config_source", ("3", "5"), Reason::Absent, ELR),
    stays(
        Some(ApiKey::DescribeConfigs),
        "*",
        "*configs[min.insync.replicas].synonyms*",
        ("*", "*"),
        Reason::Absent,
        ELR,
    ),
    stays(
        Some(ApiKey::DescribeConfigs),
        "brokers/default*",
        "results[*].configs",
        ("1 elements", "0 elements"),
        Reason::Absent,
        ELR,
    ),
    stays(
        None,
        "*",
        "*configs[flush.mode]",
        ("absent", "{*"),
        Reason::Design,
        "Which records wait for the disk is a setting of the topic, and is shown.",
    ),
    stays(
        Some(ApiKey::DescribeConfigs),
        "brokers/*",
        "results[*].configs[log.flush.mode]",
        ("absent", "{*"),
        Reason::Design,
        "A setting of Highwater alone.",
    ),
    stays(
        Some(ApiKey::DescribeConfigs),
        "brokers/*",
        "results[*].configs[log.free.space.floor.bytes]",
        ("absent", "{*"),
        Reason::Design,
        "A setting of Highwater alone.",
    ),
    stays(
        Some(ApiKey::DescribeConfigs),
        "brokers/*",
        "results[*].configs[log.journal.file.bytes]",
        ("absent", "{*"),
        Reason::Design,
        "A setting of Highwater alone.",
    ),
    stays(
        Some(ApiKey::DescribeConfigs),
        "brokers/*",
        "results[*].configs[log.unsynced.max.bytes]",
        ("absent", "{*"),
        Reason::Design,
        "A setting of Highwater alone.",
    ),
    stays(
        Some(ApiKey::DescribeConfigs),
        "brokers/*",
        "results[*].configs[log.scrub.bytes.per.second]",
        ("absent", "{*"),
        Reason::Design,
        "A setting of Highwater alone.",
    ),
    stays(
        Some(ApiKey::CreateTopics),
        "names/__*",
        "topics[*]*",
        ("*", "*"),
        Reason::Design,
        "The names of the topics that the broker keeps for itself are taken.",
    ),
    stays(
        Some(ApiKey::Produce),
        "batches/null",
        "",
        ("silent", "{*"),
        Reason::Defect,
        "Kafka never answers, and the client waits until it gives up.",
    ),
    stays(
        Some(ApiKey::AlterConfigs),
        "topics/twice*",
        "",
        ("silent", "{*"),
        Reason::Defect,
        "Kafka never answers, and the client waits until it gives up.",
    ),
    stays(Some(ApiKey::ListOffsets), "times/isolation-2", "topics[*]*", ("*", "*"), Reason::Defect, INSIDE),
    stays(Some(ApiKey::Fetch), "offsets/isolation-*", "*", ("*", "*"), Reason::Defect, INSIDE),
    stays(Some(ApiKey::Fetch), "limits/negative*", "responses*", ("*", "*"), Reason::Defect, INSIDE),
    stays(
        Some(ApiKey::IncrementalAlterConfigs),
        "topics/operation-*",
        "responses[*].error_code",
        ("UnknownServerError", "*"),
        Reason::Defect,
        INSIDE,
    ),
    stays(
        Some(ApiKey::IncrementalAlterConfigs),
        "others/logger*",
        "responses[*].error_code",
        ("*", "InvalidRequest"),
        Reason::Absent,
        LOGGERS,
    ),
    stays(
        Some(ApiKey::ListConfigResources),
        "list/all",
        "config_resources[*]",
        ("{resource_name: \"1\", resource_type: 8}", "absent"),
        Reason::Absent,
        LOGGERS,
    ),
    stays(
        Some(ApiKey::ListConfigResources),
        "malformed/unknown-tag",
        "config_resources[*]",
        ("{resource_name: \"1\", resource_type: 8}", "absent"),
        Reason::Absent,
        LOGGERS,
    ),
    stays(Some(ApiKey::ListConfigResources), "list/type-8", "*", ("*", "*"), Reason::Absent, LOGGERS),
    stays(
        Some(ApiKey::IncrementalAlterConfigs),
        "others/broker-min-isr-of-one",
        "responses[*]*",
        ("*", "*"),
        Reason::Absent,
        ELR,
    ),
    stays(
        Some(ApiKey::ListOffsets),
        "times/highest-after*",
        "topics[*]*",
        ("*", "*"),
        Reason::Design,
        "Kafka tells of a record that DeleteRecords removed; nothing below the log start is told of here.",
    ),
    stays(
        Some(ApiKey::DescribeLogDirs),
        "sizes/*",
        "*.partition_size",
        ("*", "*"),
        Reason::Design,
        "A segment begins with an entry that tells its format, which takes 31 bytes.",
    ),
    stays(
        Some(ApiKey::DescribeTopicPartitions),
        "pages/illegal-empty",
        "topics[*]*",
        ("*", "*"),
        Reason::Defect,
        INSIDE,
    ),
    stays(
        Some(ApiKey::Fetch),
        "limits/a-batch-and-a-half",
        "*",
        ("{cut: *", "absent"),
        Reason::Design,
        "Only whole batches are sent; Kafka sends the beginning of the next one, which every client throws away.",
    ),
    stays(
        Some(ApiKey::Produce),
        "batches/length-highest",
        "responses[*].error_code",
        ("UnknownServerError", "*"),
        Reason::Defect,
        INSIDE,
    ),
    stays(Some(ApiKey::Produce), "batches/codec-5", "responses[*]*", ("*", "*"), Reason::Defect, INSIDE),
    stays(Some(ApiKey::Produce), "batches/codec-7", "responses[*]*", ("*", "*"), Reason::Defect, INSIDE),
    stays(
        Some(ApiKey::Produce),
        "settings/recompressed-that-is-none",
        "responses[*]*",
        ("*", "*"),
        Reason::Defect,
        INSIDE,
    ),
    stays(Some(ApiKey::Produce), "contents/*-that-is-none", "responses[*]*", ("*", "*"), Reason::Design, HEADER),
    stays(Some(ApiKey::Produce), "contents/count-*", "responses[*]*", ("*", "*"), Reason::Design, HEADER),
    stays(Some(ApiKey::Produce), "contents/record-*", "responses[*]*", ("*", "*"), Reason::Design, HEADER),
    stays(
        Some(ApiKey::Produce),
        "contents/delete-horizon",
        "responses[*].*",
        ("*", "*"),
        Reason::Design,
        "Only compaction says when a tombstone may go: a producer that did would lose deletions.",
    ),
    stays(
        Some(ApiKey::Produce),
        "transactions/*-with-an*-id",
        "responses[*].error_code",
        ("NotEnoughReplicas", "TransactionalIdNotFound"),
        Reason::NotYet,
        "Transactions are not served yet.",
    ),
    stays(Some(ApiKey::AlterConfigs), "others/broker-*", "responses[*]*", ("InvalidConfig", "0"), Reason::Absent, ELR),
    stays(
        Some(ApiKey::AlterConfigs),
        "others/broker-*",
        "responses[*].error_message",
        ("*", "null"),
        Reason::Absent,
        ELR,
    ),
    stays(
        Some(ApiKey::DeleteTopics),
        "by-id/by-name-twice-and-by-id",
        "responses[*]",
        ("{*", "absent"),
        Reason::Defect,
        "Kafka deletes the topic although the request is ambiguous, and says so beside the refusal.",
    ),
    stays(
        Some(ApiKey::OffsetFetch),
        "consumer/no-member-with-*",
        "groups[*].error_code",
        ("UnknownServerError", "UnknownMemberId"),
        Reason::Defect,
        INSIDE,
    ),
    stays(Some(ApiKey::DescribeGroups), "described/twice", "groups[*#2]", ("{*", "absent"), Reason::Design, ONCE),
    stays(
        Some(ApiKey::ConsumerGroupDescribe),
        "described/twice",
        "groups[*#2]",
        ("{*", "absent"),
        Reason::Design,
        ONCE,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_a_whole() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("topics[*].error_code", "topics[~a].error_code", true),
            ("topics[*].error_code", "topics[~a].name", false),
            ("a*b*a", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} and {text}");
        }
    }
}
