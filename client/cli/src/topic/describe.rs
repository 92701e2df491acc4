//! `topic describe`.

use highwater_client::admin::{Admin, ConfigEntry, ConfigResource};
use highwater_client::{Partition, Topic};
use serde_json::{Value, json};

use super::list::replicas;
use super::offsets::{Ends, ends};
use crate::connect::Connect;
use crate::failed::Failed;
use crate::output;

/// What `topic describe` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct DescribeArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Only the partitions.
    #[arg(short, long)]
    partitions: bool,
    /// Only the settings, those that nobody set included.
    #[arg(short, long)]
    configs: bool,
    /// An object for each topic.
    #[arg(long)]
    json: bool,
}

/// What is to be said of a topic. Without being asked it tells of the settings that somebody made.
struct Described {
    topic: Topic,
    partitions: Option<Vec<Ends>>,
    configs: Option<Vec<ConfigEntry>>,
}

/// Runs it.
pub(super) async fn run(arguments: DescribeArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    for (at, name) in arguments.topics.iter().enumerate() {
        let described = describe(&client.admin(), name, &arguments).await?;
        if arguments.json {
            output::object(&described.json())?;
        } else {
            if at > 0 {
                output::line("")?;
            }
            described.print()?;
        }
    }
    Ok(())
}

async fn describe(admin: &Admin, name: &str, arguments: &DescribeArguments) -> Result<Described, Failed> {
    let topic = admin.describe_topic(name).await?;
    let is_all = arguments.partitions == arguments.configs;
    let indices: Vec<i32> = topic.partitions.iter().map(|partition| partition.index).collect();
    let partitions = if is_all || arguments.partitions { Some(ends(admin, name, &indices).await?) } else { None };
    let configs = if is_all || arguments.configs {
        let mut configs = admin.describe_configs(&ConfigResource::Topic(name.to_owned()), None, false).await?;
        configs.retain(|config| arguments.configs || config.source == "topic");
        Some(configs)
    } else {
        None
    };
    Ok(Described { topic, partitions, configs })
}

impl Described {
    fn rows(&self) -> impl Iterator<Item = (&Partition, &Ends)> {
        self.topic.partitions.iter().zip(self.partitions.iter().flatten())
    }

    fn json(&self) -> Value {
        let partition = |(partition, ends): (&Partition, &Ends)| {
            json!({
                "partition": partition.index, "leader": partition.leader, "leader_epoch": partition.leader_epoch,
                "replicas": partition.replicas, "isr": partition.isr, "offline": partition.offline,
                "log_start_offset": ends.log_start, "end_offset": ends.end,
            })
        };
        let config = |config: &ConfigEntry| {
            json!({
                "name": config.name, "value": config.value, "source": config.source,
                "is_default": config.is_default, "is_read_only": config.is_read_only, "is_sensitive": config.is_sensitive,
            })
        };
        let mut object = json!({
            "topic": self.topic.name, "id": self.topic.id.to_string(), "is_internal": self.topic.is_internal,
            "replication_factor": replicas(&self.topic),
        });
        if self.partitions.is_some() {
            object["partitions"] = self.rows().map(partition).collect();
        }
        if let Some(configs) = &self.configs {
            object["configs"] = configs.iter().map(config).collect();
        }
        object
    }

    fn print(&self) -> Result<(), Failed> {
        let count = self.topic.partitions.len();
        output::line(&format!("{}: {count} partitions, {} replicas", self.topic.name, replicas(&self.topic)))?;
        if self.partitions.is_some() {
            let row = |(partition, ends): (&Partition, &Ends)| {
                vec![
                    partition.index.to_string(),
                    partition.leader.to_string(),
                    partition.leader_epoch.to_string(),
                    output::numbers(&partition.replicas),
                    output::numbers(&partition.isr),
                    ends.log_start.to_string(),
                    ends.end.to_string(),
                ]
            };
            let names = ["PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "LOG-START", "END"];
            output::table(&names, &self.rows().map(row).collect::<Vec<_>>())?;
        }
        if let Some(configs) = self.configs.as_ref().filter(|configs| !configs.is_empty()) {
            let row = |config: &ConfigEntry| {
                let value = config.value.clone().unwrap_or_else(|| "(secret)".to_owned());
                vec![config.name.clone(), value, config.source.to_owned()]
            };
            output::table(&["SETTING", "VALUE", "SOURCE"], &configs.iter().map(row).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}
