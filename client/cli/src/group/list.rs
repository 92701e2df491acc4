//! `group list`.

use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::output;

/// What `group list` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct ListArguments {
    #[command(flatten)]
    connect: Connect,
    /// Only groups in this state: stable, empty, …
    #[arg(long)]
    state: Option<String>,
    /// Only groups of this type: classic or consumer.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// An object for each group.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) async fn run(arguments: ListArguments) -> Result<(), Failed> {
    let is_wanted = |given: &Option<String>, own: &str| given.as_ref().is_none_or(|one| one.eq_ignore_ascii_case(own));
    let mut groups = arguments.connect.client().await?.admin().list_groups().await?;
    groups.retain(|group| is_wanted(&arguments.state, &group.state) && is_wanted(&arguments.kind, &group.kind));
    if arguments.json {
        return groups.iter().try_for_each(|group| {
            output::object(&json!({
                "group": group.group, "state": group.state, "type": group.kind, "protocol_type": group.protocol_type,
            }))
        });
    }
    let rows: Vec<_> =
        groups.into_iter().map(|group| vec![group.group, group.state, group.kind, group.protocol_type]).collect();
    output::table(&["GROUP", "STATE", "TYPE", "PROTOCOL"], &rows)
}
