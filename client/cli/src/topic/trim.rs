//! `topic trim`: Kafka's DeleteRecords.

use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::offsets::Place;
use crate::partitions::Partitions;
use crate::{confirm, consume, now_ms, output};

/// What `topic trim` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct TrimArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which topic.
    topic: String,
    /// The first record to be kept: an offset, -N from the end, @time, or end.
    #[arg(short, long, value_name = "OFFSET", allow_hyphen_values = true, value_parser = place)]
    offset: Place,
    /// Partitions, as in 0,2,4-6; all without.
    #[arg(short, long, value_name = "LIST", value_parser = Partitions::parse)]
    partitions: Option<Partitions>,
    /// Does not ask.
    #[arg(short, long)]
    yes: bool,
    /// An object for each partition.
    #[arg(long)]
    json: bool,
}

fn place(text: &str) -> Result<Place, String> {
    Place::parse(text, now_ms())
}

/// Runs it.
pub(super) async fn run(arguments: TrimArguments) -> Result<(), Failed> {
    let name = &arguments.topic;
    confirm::destruction(&format!("deleting the oldest records of {name}"), arguments.yes)?;
    let client = arguments.connect.client().await?;
    let topic = client.admin().describe_topic(name).await?;
    let all = || topic.partitions.iter().map(|partition| partition.index).collect();
    let partitions = arguments.partitions.map_or_else(all, |chosen| chosen.0);
    let offsets = consume::places(&client, name, &partitions, arguments.offset).await?;
    let before: Vec<(i32, i64)> = partitions.into_iter().zip(offsets).collect();
    let starts = client.admin().delete_records(name, &before).await?;
    if arguments.json {
        return starts.iter().try_for_each(|(partition, start)| {
            output::object(&json!({ "topic": name, "partition": partition, "log_start_offset": start }))
        });
    }
    let rows: Vec<Vec<String>> = starts.iter().map(|(one, start)| vec![one.to_string(), start.to_string()]).collect();
    output::table(&["PARTITION", "LOG-START"], &rows)
}
