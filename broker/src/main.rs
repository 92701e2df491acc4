//! The binary: `serve` and `dev`, and the verbs of the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use highwater::config::{Config, ConfigError, Given};
use highwater::inspect::{self, InspectArguments};
use highwater::{Running, StartError, start};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A distributed commit log that speaks the Kafka protocol.
#[derive(Parser)]
#[command(name = "highwater", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs a broker.
    Serve(ServeArguments),
    /// Runs a throw-away broker on a temporary directory, and prints lines to paste.
    Dev(ServeArguments),
    /// Shows what lies in a data directory, and names the first bad byte. Reads only.
    Inspect(InspectArguments),
    #[command(flatten)]
    Client(highwater_cli::Verb),
}

#[derive(Args)]
struct ServeArguments {
    /// A configuration file in TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where Kafka's clients connect; port 0 picks one.
    #[arg(long, value_name = "HOST:PORT")]
    kafka: Option<String>,
    /// Where HTTP is served; port 0 picks one.
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// The address that clients are told, where it is another.
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// Kafka's node.id.
    #[arg(long, value_name = "NUMBER")]
    id: Option<i32>,
    /// One of Kafka's broker settings.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    define: Vec<String>,
    /// One JSON line on stdout once the broker is ready, and logs as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Stop(#[from] highwater_node::Fatal),
    #[error("-D {0} is not KEY=VALUE")]
    Define(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.verb {
        Verb::Serve(arguments) => serve(&arguments, false),
        Verb::Dev(arguments) => serve(&arguments, true),
        Verb::Inspect(arguments) => return inspect::run(&arguments),
        Verb::Client(verb) => return verb.run(Arguments::command()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("highwater: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &ServeArguments, is_dev: bool) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // In place before anything slow, so that a stop is heard while the log is recovered.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let throw_away = if is_dev && arguments.dir.is_none() { Some(tempfile::tempdir()?) } else { None };
        let mut given = given(arguments)?;
        if let Some(dir) = &throw_away {
            given.own.insert("node.dir".to_owned(), dir.path().display().to_string());
        }
        let config = Config::resolve(given)?;
        log_to_stderr(&config);
        raise_open_files();
        let running = start(config).await?;
        announce(&running, arguments.json, is_dev);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::select! {
            stopped = running.stop() => Ok(stopped?),
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    })
}

fn given(arguments: &ServeArguments) -> Result<Given, Failed> {
    let file = arguments.config.as_deref().map(Given::from_file).transpose()?.unwrap_or_default();
    let mut flags = Given::default();
    let own = [
        ("node.dir", arguments.dir.as_ref().map(|dir| dir.display().to_string())),
        ("node.kafka", arguments.kafka.clone()),
        ("node.http", arguments.http.clone()),
        ("node.advertise", arguments.advertise.clone()),
        ("node.id", arguments.id.map(|id| id.to_string())),
        ("log.format", arguments.json.then(|| "json".to_owned())),
    ];
    flags.own.extend(own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    for define in &arguments.define {
        let (key, value) = define.split_once('=').ok_or_else(|| Failed::Define(define.clone()))?;
        flags.kafka.insert(key.to_owned(), value.to_owned());
    }
    Ok(file.overlaid(Given::from_environment(std::env::vars())).overlaid(flags))
}

fn announce(running: &Running, json: bool, is_dev: bool) {
    let banner = running.banner();
    eprint!("{}", banner.text());
    if is_dev {
        eprint!("{}", banner.lines_to_paste());
    }
    if json {
        println!("{}", banner.json());
    }
}

fn log_to_stderr(config: &Config) {
    let filter = EnvFilter::try_new(&config.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.json_logs { builder.json().init() } else { builder.init() }
}

/// Every partition has a file or two open.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}
