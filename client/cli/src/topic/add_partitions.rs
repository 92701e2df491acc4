//! `topic add-partitions`.

use crate::connect::Connect;
use crate::failed::Failed;

/// What `topic add-partitions` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct AddPartitionsArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which topic.
    topic: String,
    #[command(flatten)]
    count: Count,
    /// Only checks whether they could be added.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
struct Count {
    /// How many more.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    num: Option<i32>,
    /// How many in all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    to: Option<i32>,
}

/// Runs it.
pub(super) async fn run(arguments: AddPartitionsArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    let name = &arguments.topic;
    let count = client.admin().describe_topic(name).await?.partitions.len();
    let more = |more: i32| i32::try_from(count).unwrap_or(i32::MAX).saturating_add(more);
    let total = arguments.count.to.unwrap_or_else(|| more(arguments.count.num.unwrap_or(0)));
    client.admin().create_partitions(name, total, arguments.dry_run).await?;
    eprintln!("{name} {} {total} partitions", if arguments.dry_run { "could have" } else { "has" });
    Ok(())
}
