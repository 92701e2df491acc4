//! `highwater topic`: what there is, and what is changed about it.

mod add_partitions;
mod alter;
mod create;
mod delete;
mod describe;
mod list;
mod offsets;
mod trim;

pub(crate) use list::{ListArguments, run as list};

use crate::failed::Failed;

/// What can be done with topics.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Topic {
    /// Lists topics.
    #[command(visible_alias = "ls")]
    List(list::ListArguments),
    /// Shows partitions and settings of topics.
    #[command(visible_alias = "get")]
    Describe(describe::DescribeArguments),
    /// Creates topics.
    Create(create::CreateArguments),
    /// Changes settings of topics.
    Alter(alter::AlterArguments),
    /// Gives a topic more partitions.
    AddPartitions(add_partitions::AddPartitionsArguments),
    /// Deletes topics with all their records.
    #[command(visible_alias = "rm")]
    Delete(delete::DeleteArguments),
    /// Deletes the oldest records of a topic.
    Trim(trim::TrimArguments),
    /// Shows the offsets of topics.
    Offsets(offsets::OffsetsArguments),
}

/// Runs it.
pub(crate) async fn run(topic: Topic) -> Result<(), Failed> {
    match topic {
        Topic::List(arguments) => list::run(arguments).await,
        Topic::Describe(arguments) => describe::run(arguments).await,
        Topic::Create(arguments) => create::run(arguments).await,
        Topic::Alter(arguments) => alter::run(arguments).await,
        Topic::AddPartitions(arguments) => add_partitions::run(arguments).await,
        Topic::Delete(arguments) => delete::run(arguments).await,
        Topic::Trim(arguments) => trim::run(arguments).await,
        Topic::Offsets(arguments) => offsets::run(arguments).await,
    }
}

/// `key=value`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text} is not KEY=VALUE"))?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
