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
                let partitions: serde_json::Map<_, _> =
                    member.partitions.iter().map(|(topic, numbers)| (topic.clone(), json!(numbers))).collect();
                json!({
                    "member": member.member, "instance": member.instance, "client": member.client,
                    "host": member.host, "partitions": partitions,
                })
            })
            .collect();
        return output::object(&json!({
            "group": group.group, "state": group.state, "protocol_type": group.protocol_type,
            "protocol": group.protocol, "coordinator": group.coordinator, "members": members,
        }));
    }
    let protocol = if group.protocol.is_empty() { "-" } else { &group.protocol };
    output::line(&format!(
        "{}: {}, {protocol}, coordinated by broker {}",
        group.group, group.state, group.coordinator
    ))?;
    let rows: Vec<_> = group
        .members
        .into_iter()
        .map(|member| {
            let partitions: Vec<String> = member
                .partitions
                .iter()
                .map(|(topic, numbers)| format!("{topic}[{}]", output::numbers(numbers)))
                .collect();
            vec![member.member, member.instance.unwrap_or_default(), member.client, member.host, partitions.join(" ")]
        })
        .collect();
    output::table(&["MEMBER", "INSTANCE", "CLIENT", "HOST", "PARTITIONS"], &rows)
}
