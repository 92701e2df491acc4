//! `topic delete`.

use crate::confirm;
use crate::connect::Connect;
use crate::failed::Failed;

/// What `topic delete` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct DeleteArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Does not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Runs it.
pub(super) async fn run(arguments: DeleteArguments) -> Result<(), Failed> {
    let list = arguments.topics.join(", ");
    confirm::destruction(&format!("deleting {list} with all records"), arguments.yes)?;
    let client = arguments.connect.client().await?;
    for name in &arguments.topics {
        client.admin().delete_topic(name).await?;
        eprintln!("deleted {name}");
    }
    Ok(())
}
