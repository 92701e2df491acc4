//! `highwater group`: who reads, how far, and where from next.

mod delete;
mod describe;
mod lag;
mod list;
mod reset;

use crate::failed::Failed;

/// What can be done with consumer groups.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Group {
    /// Lists groups.
    #[command(visible_alias = "ls")]
    List(list::ListArguments),
    /// Shows a group's members and what each has.
    #[command(visible_alias = "get")]
    Describe(describe::DescribeArguments),
    /// Shows how far a group is behind.
    Lag(lag::LagArguments),
    /// Sets where a group goes on.
    Reset(reset::ResetArguments),
    /// Deletes groups with their offsets.
    #[command(visible_alias = "rm")]
    Delete(delete::DeleteArguments),
}

/// Runs it.
pub(crate) async fn run(group: Group) -> Result<(), Failed> {
    match group {
        Group::List(arguments) => list::run(arguments).await,
        Group::Describe(arguments) => describe::run(arguments).await,
        Group::Lag(arguments) => lag::run(arguments).await,
        Group::Reset(arguments) => reset::run(arguments).await,
        Group::Delete(arguments) => delete::run(arguments).await,
    }
}
