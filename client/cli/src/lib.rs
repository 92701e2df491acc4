//! The verbs of the command line, without the ones that need a disk: the binary adds those.

#![forbid(unsafe_code)]

mod bench;
mod cluster;
mod completion;
mod confirm;
mod connect;
mod consume;
mod entry;
mod failed;
mod format;
mod group;
mod input;
mod json;
mod offsets;
mod output;
mod partitions;
mod produce;
mod topic;
mod units;
mod version;

use std::future::Future;
use std::process::ExitCode;

use failed::Failed;

/// Threads for the client's tasks, beside the one that reads and writes files.
const WORKERS: usize = 2;

/// A verb.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Verb {
    /// Lists, shows, creates, changes and deletes topics.
    #[command(subcommand)]
    Topic(topic::Topic),
    /// Lists topics, as `topic list` does.
    Topics(topic::ListArguments),
    /// Sends records: lines, JSON objects, files, or what a format says.
    Produce(produce::ProduceArguments),
    /// Prints records.
    Consume(consume::ConsumeArguments),
    /// Lists, shows, resets and deletes consumer groups.
    #[command(subcommand)]
    Group(group::Group),
    /// Shows a cluster's brokers and its health.
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// Measures a cluster.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Prints a script that completes verbs and options in a shell.
    Completion(completion::CompletionArguments),
    /// Prints the version.
    Version(version::VersionArguments),
}

impl Verb {
    /// Runs it and says how it went. `command` is the whole command line, for its completion.
    pub fn run(self, command: clap::Command) -> ExitCode {
        match self.done(command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => {
                if !matches!(failed, Failed::OutputClosed) {
                    eprintln!("highwater: {failed}");
                }
                failed.code()
            }
        }
    }

    fn done(self, command: clap::Command) -> Result<(), Failed> {
        match self {
            Self::Topic(topic) => wait(topic::run(topic)),
            Self::Topics(arguments) => wait(topic::list(arguments)),
            Self::Produce(arguments) => wait(produce::run(arguments)),
            Self::Consume(arguments) => wait(consume::run(arguments)),
            Self::Group(group) => wait(group::run(group)),
            Self::Cluster(cluster) => wait(cluster::run(cluster)),
            Self::Bench(bench) => bench::run(&bench),
            Self::Completion(arguments) => completion::run(arguments, command),
            Self::Version(arguments) => version::run(arguments),
        }
    }
}

/// Runs a verb that talks to a cluster.
pub(crate) fn wait(verb: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let done = runtime.block_on(verb);
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    done
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
