//! `topic offsets`.

use highwater_client::StartFrom;
use highwater_client::admin::Admin;
use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::offsets::Place;
use crate::partitions::Partitions;
use crate::{consume, now_ms, output};

/// What `topic offsets` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct OffsetsArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Partitions, as in 0,2,4-6; all without.
    #[arg(short, long, value_name = "LIST", value_parser = Partitions::parse)]
    partitions: Option<Partitions>,
    /// Shows the offset of this place as well, as in @-1h.
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true, value_parser = place)]
    at: Option<Place>,
    /// An object for each partition.
    #[arg(long)]
    json: bool,
}

fn place(text: &str) -> Result<Place, String> {
    Place::parse(text, now_ms())
}

/// Where a partition's log begins and ends.
pub(super) struct Ends {
    pub(super) log_start: i64,
    pub(super) end: i64,
}

/// Of each of these partitions.
pub(super) async fn ends(admin: &Admin, topic: &str, partitions: &[i32]) -> Result<Vec<Ends>, Failed> {
    let ask = |start| move |partition: &i32| (topic.to_owned(), *partition, start);
    let (first, last) = (ask(StartFrom::Earliest), ask(StartFrom::Latest));
    let wanted: Vec<_> = partitions.iter().map(first).chain(partitions.iter().map(last)).collect();
    let listed = admin.list_offsets(&wanted).await?;
    let (first, last) = listed.split_at(partitions.len());
    Ok(first.iter().zip(last).map(|(first, last)| Ends { log_start: first.offset, end: last.offset }).collect())
}

/// Runs it.
pub(super) async fn run(arguments: OffsetsArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    let mut rows = Vec::new();
    for name in &arguments.topics {
        let topic = client.admin().describe_topic(name).await?;
        let all = || topic.partitions.iter().map(|partition| partition.index).collect();
        let partitions: Vec<i32> = arguments.partitions.as_ref().map_or_else(all, |chosen| chosen.0.clone());
        let ends = ends(&client.admin(), name, &partitions).await?;
        let at = match arguments.at {
            Some(place) => consume::places(&client, name, &partitions, place).await?,
            None => Vec::new(),
        };
        for (index, (partition, ends)) in partitions.iter().zip(&ends).enumerate() {
            let offset = at.get(index);
            if arguments.json {
                let mut object = json!({
                    "topic": name, "partition": partition, "log_start_offset": ends.log_start, "end_offset": ends.end,
                });
                if let Some(offset) = offset {
                    object["offset"] = json!(offset);
                }
                output::object(&object)?;
            }
            let numbers = [i64::from(*partition), ends.log_start, ends.end];
            let mut row = vec![name.clone()];
            row.extend(numbers.iter().chain(offset).map(ToString::to_string));
            rows.push(row);
        }
    }
    if arguments.json {
        return Ok(());
    }
    let names = ["TOPIC", "PARTITION", "LOG-START", "END", "AT"];
    let shown = if arguments.at.is_some() { names.len() } else { 4 };
    output::table(names.get(..shown).unwrap_or(&names), &rows)
}
