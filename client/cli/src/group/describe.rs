//! `group describe`.

use serde_json::json;

use crate::connect::Connect;
use crate::failed::Failed;
use crate::output;

/// What `group describe` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct DescribeArguments {
    #[command(flatten)]
    connect: Connect,
    /// Which group.
    group: String,
    /// One object.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) async fn run(arguments: DescribeArguments) -> Result<(), Failed> {
    let group = arguments.connect.client().await?.admin().describe_group(&arguments.group).await?;
    if arguments.json {
        let members: Vec<_> = group
            .members
            .iter()
            .map(|member| {
                let target = member.target.as_ref();
                json!({
                    "member": member.member, "instance": member.instance, "client": member.client,
                    "host": member.host, "partitions": by_topic(&member.partitions),
                    "epoch": target.map(|target| target.epoch),
                    "target": target.map(|target| by_topic(&target.partitions)),
                })
            })
            .collect();
        return output::object(&json!({
            "group": group.group, "state": group.state, "type": group.kind, "protocol_type": group.protocol_type,
            "protocol": group.protocol, "epoch": group.epochs.map(|(epoch, _)| epoch),
            "assignment_epoch": group.epochs.map(|(_, epoch)| epoch),
            "coordinator": group.coordinator, "members": members,
        }));
    }
    let protocol = if group.protocol.is_empty() { "-" } else { &group.protocol };
    let epochs = group.epochs.map(|(epoch, assigned)| format!(", epoch {epoch}, assigned {assigned}"));
    output::line(&format!(
        "{}: {}, {}, {protocol}{}, coordinated by broker {}",
        group.group,
        group.state,
        group.kind,
        epochs.unwrap_or_default(),
        group.coordinator
    ))?;
    let rows: Vec<_> = group
        .members
        .into_iter()
        .map(|member| {
            let instance = member.instance.unwrap_or_default();
            let mut row = vec![member.member, instance, member.client, member.host, listed(&member.partitions)];
            if let Some(target) = member.target {
                row.extend([target.epoch.to_string(), listed(&target.partitions)]);
            }
            row
        })
        .collect();
    let names = ["MEMBER", "INSTANCE", "CLIENT", "HOST", "PARTITIONS", "EPOCH", "TARGET"];
    output::table(if group.epochs.is_some() { &names } else { &names[..5] }, &rows)
}

fn by_topic(partitions: &[(String, Vec<i32>)]) -> serde_json::Map<String, serde_json::Value> {
    partitions.iter().map(|(topic, numbers)| (topic.clone(), json!(numbers))).collect()
}

fn listed(partitions: &[(String, Vec<i32>)]) -> String {
    let each = partitions.iter().map(|(topic, numbers)| format!("{topic}[{}]", output::numbers(numbers)));
    each.collect::<Vec<_>>().join(" ")
}
