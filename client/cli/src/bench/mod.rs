//! `highwater bench`: load that costs little to make, and latencies that do not flatter.

mod consume;
mod e2e;
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
    /// Sends records at a rate and reads them, and tells how long each took.
    E2e(e2e::E2eArguments),
}

/// Runs it.
pub(crate) fn run(bench: &Bench) -> Result<(), Failed> {
    match bench {
        Bench::Produce(arguments) => produce::run(arguments),
        Bench::Consume(arguments) => consume::run(arguments),
        Bench::E2e(arguments) => e2e::run(arguments),
    }
}
