//! `group lag`.

use std::time::Duration;

use highwater_client::StartFrom;
use highwater_client::admin::Admin;
use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::{output, units};

/// What `group lag` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct LagArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which group.
    group: String,
    /// Shows it again and again, so often.
    #[arg(long, value_name = "EVERY", num_args = 0..=1, default_missing_value = "2s", value_parser = units::duration)]
    watch: Option<Duration>,
    /// An object for each partition.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) async fn run(arguments: LagArguments) -> Result<(), Failed> {
    let admin = arguments.connect.client().await?.admin();
    loop {
        show(&admin, &arguments).await?;
        let Some(every) = arguments.watch else { return Ok(()) };
        tokio::time::sleep(every).await;
        if !arguments.json {
            output::line("")?;
        }
    }
}

async fn show(admin: &Admin, arguments: &LagArguments) -> Result<(), Failed> {
    // A group that does not exist has no offsets either, and is not "0 records behind".
    admin.describe_group(&arguments.group).await?;
    let offsets = admin.group_offsets(&arguments.group).await?;
    let wanted: Vec<_> = offsets.iter().map(|one| (one.topic.clone(), one.partition, StartFrom::Latest)).collect();
    let ends = admin.list_offsets(&wanted).await?;
    let mut rows = Vec::new();
    let mut sum = 0;
    for (committed, end) in offsets.iter().zip(&ends) {
        let lag = (end.offset - committed.offset).max(0);
        sum += lag;
        if arguments.json {
            output::object(&json!({
                "group": arguments.group, "topic": committed.topic, "partition": committed.partition,
                "offset": committed.offset, "end_offset": end.offset, "lag": lag,
            }))?;
        }
        let numbers = [i64::from(committed.partition), committed.offset, end.offset, lag];
        rows.push([committed.topic.clone()].into_iter().chain(numbers.iter().map(ToString::to_string)).collect());
    }
    if arguments.json {
        return Ok(());
    }
    output::table(&["TOPIC", "PARTITION", "OFFSET", "END", "LAG"], &rows)?;
    output::line(&format!("{sum} records behind"))
}
