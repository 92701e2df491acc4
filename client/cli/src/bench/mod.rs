//! `highwater bench`: load that costs little to make, and latencies that do not flatter.

mod consume;
mod produce;
mod report;
mod wire;

use crate::failed::Failed;

/// What can be measured.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Bench {
    /// Sends batches that were built beforehand.
    Produce(produce::ProduceArguments),
    /// Reads a topic over and over.
    Consume(consume::ConsumeArguments),
}

/// Runs it.
pub(crate) fn run(bench: &Bench) -> Result<(), Failed> {
    match bench {
        Bench::Produce(arguments) => produce::run(arguments),
        Bench::Consume(arguments) => consume::run(arguments),
    }
}
