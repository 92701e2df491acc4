//! `highwater cluster`: who is there, and whether all is well.

use highwater_client::{Client, Reached, Topic};
use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::output;

/// What can be asked of a cluster.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Cluster {
    /// Shows the brokers.
    Info(ClusterArguments),
    /// Tells what is not well; the exit code is 4 then.
    Health(ClusterArguments),
}

/// What the verbs take.
#[derive(clap::Args, Clone, Debug)]
pub struct ClusterArguments {
    #[command(flatten)]
    connect: Connect,
    /// Objects.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) async fn run(cluster: Cluster) -> Result<(), Failed> {
    match cluster {
        Cluster::Info(arguments) => info(arguments).await,
        Cluster::Health(arguments) => health(arguments).await,
    }
}

async fn info(arguments: ClusterArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    let cluster = client.admin().describe_cluster().await?;
    if arguments.json {
        let brokers = cluster
            .brokers
            .iter()
            .map(|broker| json!({ "id": broker.id, "host": broker.host, "port": broker.port, "rack": broker.rack }));
        return output::object(&json!({
            "cluster_id": cluster.cluster_id, "controller": cluster.controller, "brokers": brokers.collect::<Vec<_>>(),
        }));
    }
    let row = |broker: &highwater_client::Broker| {
        let role = if broker.id == cluster.controller { "controller" } else { "" };
        vec![broker.id.to_string(), broker.address(), broker.rack.clone().unwrap_or_default(), role.to_owned()]
    };
    output::line(&format!("cluster {}", cluster.cluster_id))?;
    output::table(&["BROKER", "ADDRESS", "RACK", "ROLE"], &cluster.brokers.iter().map(row).collect::<Vec<_>>())
}

async fn health(arguments: ClusterArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    let troubles = troubles(&client).await?;
    if arguments.json {
        output::object(&json!({ "is_healthy": troubles.is_empty(), "troubles": troubles }))?;
    } else if troubles.is_empty() {
        output::line("healthy")?;
    } else {
        output::line(&troubles.join("\n"))?;
    }
    if troubles.is_empty() { Ok(()) } else { Err(Failed::Unhealthy(format!("{} troubles", troubles.len()))) }
}

async fn troubles(client: &Client) -> Result<Vec<String>, Failed> {
    let topics = client.admin().list_topics().await?;
    Ok(unreached(&client.diagnose().await).into_iter().chain(topics.iter().flat_map(badly_kept)).collect())
}

fn unreached(reached: &[Reached]) -> Vec<String> {
    let trouble = |one: &Reached| one.error.as_ref().map(|error| format!("broker {}: {error}", one.broker.id));
    reached.iter().filter_map(trouble).collect()
}

/// What is wrong with a topic's partitions.
fn badly_kept(topic: &Topic) -> Vec<String> {
    let trouble = |partition: &highwater_client::Partition| {
        let place = format!("{}-{}", topic.name, partition.index);
        if partition.leader < 0 {
            Some(format!("{place} has no leader"))
        } else if partition.isr.len() < partition.replicas.len() {
            Some(format!("{place} has {} of {} replicas in sync", partition.isr.len(), partition.replicas.len()))
        } else {
            None
        }
    };
    topic.partitions.iter().filter_map(trouble).collect()
}

#[cfg(test)]
mod tests {
    use highwater_client::Partition;

    use super::*;

    #[test]
    fn a_partition_without_leader_or_replicas_is_a_trouble() {
        let partition = |index, leader, isr: &[i32]| Partition {
            index,
            leader,
            leader_epoch: 0,
            replicas: vec![1, 2],
            isr: isr.to_vec(),
            offline: Vec::new(),
        };
        let partitions = vec![partition(0, 1, &[1, 2]), partition(1, -1, &[1]), partition(2, 1, &[1])];
        let topic = Topic { name: "t".to_owned(), id: uuid::Uuid::nil(), is_internal: false, partitions };
        assert_eq!(badly_kept(&topic), ["t-1 has no leader", "t-2 has 1 of 2 replicas in sync"]);
    }
}
