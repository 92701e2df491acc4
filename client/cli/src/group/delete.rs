//! `group delete`.

use crate::confirm;
use crate::connect::Connect;
use crate::failed::Failed;

/// What `group delete` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct DeleteArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which groups. Nobody may be in them.
    #[arg(required = true, value_name = "GROUP")]
    groups: Vec<String>,
    /// Does not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Runs it.
pub(super) async fn run(arguments: DeleteArguments) -> Result<(), Failed> {
    let list = arguments.groups.join(", ");
    confirm::destruction(&format!("deleting {list} with all offsets"), arguments.yes)?;
    let client = arguments.connect.client().await?;
    for group in &arguments.groups {
        client.admin().delete_group(group).await?;
        eprintln!("deleted {group}");
    }
    Ok(())
}
