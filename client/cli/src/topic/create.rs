//! `topic create`.

use highwater_client::ErrorCode;
use highwater_client::admin::NewTopic;

use super::pair;
use crate::connect::Connect;
use crate::failed::Failed;

/// What `topic create` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct CreateArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// How many partitions; the broker's default without.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// How many replicas of each; the broker's default without.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    replicas: Option<i16>,
    /// A setting.
    #[arg(short, long = "config", value_name = "KEY=VALUE", value_parser = pair)]
    configs: Vec<(String, String)>,
    /// A topic that is there already is no failure.
    #[arg(long)]
    if_not_exists: bool,
    /// Only checks whether it could be created.
    #[arg(long)]
    dry_run: bool,
}

/// Runs it.
pub(super) async fn run(arguments: CreateArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    for name in &arguments.topics {
        let mut topic = NewTopic::new(name);
        if let Some(partitions) = arguments.partitions {
            topic = topic.partitions(partitions);
        }
        if let Some(replicas) = arguments.replicas {
            topic = topic.replication(replicas);
        }
        topic = arguments.configs.iter().fold(topic, |topic, (key, value)| topic.config(key, value));
        match client.admin().create_topic(topic, arguments.dry_run).await {
            Err(error) if error.code() == Some(ErrorCode::TopicAlreadyExists) && arguments.if_not_exists => {
                eprintln!("{name} exists");
            }
            Err(error) => return Err(error.into()),
            Ok(()) if arguments.dry_run => eprintln!("{name} could be created"),
            Ok(()) => eprintln!("created {name}"),
        }
    }
    Ok(())
}
