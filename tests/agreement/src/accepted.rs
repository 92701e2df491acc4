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
    /// A promise of Highwater's, or a bound that protects it.
    Promise,
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
            Self::Promise => "promise",
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

/// All of them.
pub const ACCEPTED: &[Accepted] = &[
    dropped(ApiKey::ListOffsets, 1),
    dropped(ApiKey::CreateTopics, 2),
    dropped(ApiKey::DeleteTopics, 1),
    dropped(ApiKey::OffsetForLeaderEpoch, 2),
    dropped(ApiKey::DescribeConfigs, 1),
    dropped(ApiKey::DescribeLogDirs, 1),
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
