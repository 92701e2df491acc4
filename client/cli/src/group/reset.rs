//! `group reset`.

use highwater_client::ErrorCode;
use highwater_client::admin::{Admin, CommittedOffset};
use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::offsets::Place;
use crate::partitions::Partitions;
use crate::{confirm, consume, now_ms, output};

/// What `group reset` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct ResetArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which group. Nobody may be in it.
    group: String,
    /// Which topic.
    #[arg(short, long)]
    topic: String,
    /// Partitions, as in 0,2,4-6; all without.
    #[arg(short, long, value_name = "LIST", value_parser = Partitions::parse)]
    partitions: Option<Partitions>,
    /// Where the group goes on: start, end, an offset, +N from the start, -N from the end, @-1h ago, @2026-11-24.
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true, value_parser = place)]
    to: Place,
    /// Shows what would be set, and sets nothing.
    #[arg(long)]
    dry_run: bool,
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

/// A group with members goes on from where they are, whatever is set. One that is not there yet has none.
async fn nobody_is_in(admin: &Admin, group: &str) -> Result<(), Failed> {
    match admin.describe_group(group).await {
        Ok(found) if !found.members.is_empty() => {
            let count = found.members.len();
            Err(Failed::error(format!("group {group} is {} with {count} members: stop them first", found.state)))
        }
        Err(error) if error.code() != Some(ErrorCode::GroupIdNotFound) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Runs it.
pub(super) async fn run(arguments: ResetArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    let admin = client.admin();
    if !arguments.dry_run {
        nobody_is_in(&admin, &arguments.group).await?;
    }
    let topic = admin.describe_topic(&arguments.topic).await?;
    let all = || topic.partitions.iter().map(|partition| partition.index).collect();
    let partitions: Vec<i32> = arguments.partitions.as_ref().map_or_else(all, |chosen| chosen.0.clone());
    let before = admin.group_offsets(&arguments.group).await?;
    let places = consume::places(&client, &arguments.topic, &partitions, arguments.to).await?;
    let after: Vec<CommittedOffset> = partitions
        .iter()
        .zip(places)
        .map(|(partition, offset)| CommittedOffset { topic: arguments.topic.clone(), partition: *partition, offset })
        .collect();
    let mut rows = Vec::new();
    for one in &after {
        let was = before.iter().find(|was| (&was.topic, was.partition) == (&one.topic, one.partition));
        let was = was.map(|was| was.offset);
        if arguments.json {
            output::object(&json!({
                "group": arguments.group, "topic": one.topic, "partition": one.partition, "offset": was,
                "new_offset": one.offset,
            }))?;
        }
        let was = was.map_or_else(|| "-".to_owned(), |was| was.to_string());
        rows.push(vec![one.topic.clone(), one.partition.to_string(), was, one.offset.to_string()]);
    }
    if !arguments.json {
        output::table(&["TOPIC", "PARTITION", "OFFSET", "NEW"], &rows)?;
    }
    if arguments.dry_run {
        return Ok(());
    }
    confirm::destruction(&format!("setting these offsets of group {}", arguments.group), arguments.yes)?;
    admin.alter_group_offsets(&arguments.group, &after).await?;
    eprintln!("group {} goes on there", arguments.group);
    Ok(())
}
