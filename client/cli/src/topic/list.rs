//! `topic list`.

use highwater_client::Topic;
use regex::Regex;
use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::output;

/// What `topic list` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct ListArguments {
    #[command(flatten)]
    connect: Connect,
    /// Only names in which this is found.
    #[arg(value_name = "REGEX", value_parser = Regex::new)]
    filter: Option<Regex>,
    /// The cluster's own topics as well.
    #[arg(short, long)]
    internal: bool,
    /// An object for each topic.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) async fn run(arguments: ListArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    let mut topics = client.admin().list_topics().await?;
    topics.retain(|topic| {
        let is_wanted = arguments.filter.as_ref().is_none_or(|filter| filter.is_match(&topic.name));
        is_wanted && (arguments.internal || !topic.is_internal)
    });
    if arguments.json {
        return topics.iter().try_for_each(|topic| {
            output::object(&json!({
                "topic": topic.name, "id": topic.id.to_string(), "partitions": topic.partitions.len(),
                "replication_factor": replicas(topic), "is_internal": topic.is_internal,
            }))
        });
    }
    let row = |topic: &Topic| vec![topic.name.clone(), topic.partitions.len().to_string(), replicas(topic).to_string()];
    output::table(&["TOPIC", "PARTITIONS", "REPLICAS"], &topics.iter().map(row).collect::<Vec<_>>())
}

/// How many replicas each partition has.
pub(super) fn replicas(topic: &Topic) -> usize {
    topic.partitions.iter().map(|partition| partition.replicas.len()).max().unwrap_or(0)
}
