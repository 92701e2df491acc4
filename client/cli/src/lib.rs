//! The verbs of the command line, without the ones that need a disk: the binary adds those.

#![forbid(unsafe_code)]

mod bench;
mod connect;
mod failed;
mod output;
mod units;

use std::process::ExitCode;

use failed::Failed;

/// A verb.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Verb {
    /// Measures a cluster.
    #[command(subcommand)]
    Bench(bench::Bench),
}

impl Verb {
    /// Runs it and says how it went.
    pub fn run(self) -> ExitCode {
        match self.done() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => {
                if !matches!(failed, Failed::OutputClosed) {
                    eprintln!("highwater: {failed}");
                }
                failed.code()
            }
        }
    }

    fn done(self) -> Result<(), Failed> {
        match self {
            Self::Bench(bench) => bench::run(&bench),
        }
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
