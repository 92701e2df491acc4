//! `topic alter`.

use highwater_client::admin::{ConfigChange, ConfigResource};

use super::pair;
use crate::connect::Connect;
use crate::failed::Failed;

/// What `topic alter` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct AlterArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    changes: Changes,
    /// Only checks whether it could be changed.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args, Clone, Debug)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Gives a setting a value.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Returns a setting to its default.
    #[arg(short, long, value_name = "KEY")]
    unset: Vec<String>,
    /// Adds to a setting that is a list.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    append: Vec<(String, String)>,
    /// Takes from a setting that is a list.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    subtract: Vec<(String, String)>,
}

/// Runs it: all changes of a topic, or none of them.
pub(super) async fn run(arguments: AlterArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    let changes = arguments.changes.list();
    for name in &arguments.topics {
        let resource = ConfigResource::Topic(name.clone());
        client.admin().alter_configs(&resource, &changes, arguments.dry_run).await?;
        eprintln!("{} {name}", if arguments.dry_run { "could change" } else { "changed" });
    }
    Ok(())
}

impl Changes {
    fn list(self) -> Vec<ConfigChange> {
        let set = self.set.into_iter().map(|(key, value)| ConfigChange::Set(key, value));
        let unset = self.unset.into_iter().map(ConfigChange::Unset);
        let append = self.append.into_iter().map(|(key, value)| ConfigChange::Append(key, value));
        let subtract = self.subtract.into_iter().map(|(key, value)| ConfigChange::Subtract(key, value));
        set.chain(unset).chain(append).chain(subtract).collect()
    }
}
