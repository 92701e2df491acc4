//! The cases. A scenario is about one key, and runs once in each version of it; what one version cannot carry is left out there.

mod api_versions;
mod configs;
mod create_partitions;
mod create_topics;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_log_dirs;
mod describe_producers;
mod describe_topic_partitions;
mod fetch;
mod groups;
mod init_producer_id;
mod list_config_resources;
mod list_offsets;
mod malformed;
mod metadata;
mod offset_for_leader_epoch;
mod produce;
mod records;

use highwater_protocol::api::ApiKey;
use uuid::Uuid;

use crate::side::Side;

/// One story, told in each version.
pub struct Scenario {
    /// What it is about.
    pub key: ApiKey,
    /// What it is called.
    pub name: &'static str,
    /// The story.
    pub run: fn(&mut Side),
}

/// A name that no topic has.
const UNKNOWN: &str = "no-such-topic";
/// Names that no topic may have.
const ILLEGAL: [(&str, &str); 6] =
    [("empty", ""), ("dot", "."), ("two-dots", ".."), ("slash", "a/b"), ("space", "a b"), ("umlaut", "\u{e4}")];

/// An id that no topic has.
fn unknown_id() -> Uuid {
    Uuid::from_bytes([0x77; 16])
}

/// A name of a length.
fn long_name(length: usize) -> String {
    "x".repeat(length)
}

/// Runs all scenarios against one broker.
pub fn run(side: &mut Side) {
    let only = std::env::var("AGREEMENT_ONLY").unwrap_or_default();
    let is_wanted = |scenario: &Scenario| only.split(',').any(|begin| scenario.key.name().starts_with(begin));
    side.producer();
    for scenario in all().into_iter().filter(is_wanted) {
        let (low, high) = scenario.key.versions();
        for version in low..=high {
            side.begin(scenario.key, scenario.name, version);
            (scenario.run)(side);
        }
    }
    side.clean_up();
}

fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    all.extend(api_versions::SCENARIOS);
    all.extend(metadata::SCENARIOS);
    all.extend(describe_cluster::SCENARIOS);
    all.extend(create_topics::SCENARIOS);
    all.extend(create_partitions::SCENARIOS);
    all.extend(delete_topics::SCENARIOS);
    all.extend(produce::SCENARIOS);
    all.extend(records::SCENARIOS);
    all.extend(fetch::SCENARIOS);
    all.extend(list_offsets::SCENARIOS);
    all.extend(offset_for_leader_epoch::SCENARIOS);
    all.extend(delete_records::SCENARIOS);
    all.extend(describe_producers::SCENARIOS);
    all.extend(describe_topic_partitions::SCENARIOS);
    all.extend(describe_log_dirs::SCENARIOS);
    all.extend(describe_configs::SCENARIOS);
    all.extend(configs::SCENARIOS);
    all.extend(list_config_resources::SCENARIOS);
    all.extend(groups::all());
    all.extend(malformed::SCENARIOS);
    // Last, because with a transactional id Kafka makes a topic of its own.
    all.extend(init_producer_id::SCENARIOS);
    all
}
