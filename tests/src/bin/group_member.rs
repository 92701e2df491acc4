//! One member of a group, on our own client: `group_member VARIANT BOOTSTRAP GROUP TOPIC NAME [INSTANCE]`.
//!
//! VARIANT is classic (range), cooperative, or consumer. What it says on stdout is told in `tests/interop/python/member.py`; it
//! leaves when its stdin ends.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use highwater_client::group::{Heard, Rebalance, RebalanceListener};
use highwater_client::{Assignor, Client, Commit, Consumer, GroupProtocol, StartFrom, TopicPartition};

const SESSION: Duration = Duration::from_secs(6);
const HEARTBEAT: Duration = Duration::from_millis(500);

/// The partitions that the member has.
#[derive(Clone, Default)]
struct Owned(Arc<Mutex<BTreeSet<i32>>>);

impl Owned {
    fn change(&self, partitions: &[TopicPartition], comes: bool) {
        let mut owned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for one in partitions {
            if comes {
                owned.insert(one.partition)
            } else {
                owned.remove(&one.partition)
            };
        }
        let numbers: Vec<String> = owned.iter().map(ToString::to_string).collect();
        println!("assigned {}", numbers.join(","));
    }
}

impl RebalanceListener for Owned {
    fn assigned<'a>(&'a self, _: &'a Rebalance, partitions: &'a [TopicPartition]) -> Heard<'a> {
        Box::pin(async move { self.change(partitions, true) })
    }

    fn revoked<'a>(&'a self, _: &'a Rebalance, partitions: &'a [TopicPartition]) -> Heard<'a> {
        Box::pin(async move { self.change(partitions, false) })
    }

    fn lost<'a>(&'a self, partitions: &'a [TopicPartition]) -> Heard<'a> {
        Box::pin(async move { self.change(partitions, false) })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [variant, bootstrap, group, topic, name, instance @ ..] = &arguments[..] else {
        return Err("usage: group_member VARIANT BOOTSTRAP GROUP TOPIC NAME [INSTANCE]".into());
    };
    let client = Client::builder(bootstrap).client_id(name).connect().await?;
    let builder = client.consumer().group(group).topic(topic).start_from(StartFrom::Earliest);
    let builder = builder.commit(Commit::Manual).listener(Owned::default()).set("metadata.max.age.ms", "1000")?;
    let builder = match variant.as_str() {
        // Of the consumer protocol's sessions the broker says how long they are.
        "consumer" => builder.protocol(GroupProtocol::Consumer),
        variant => {
            let assignor = if variant == "cooperative" { Assignor::CooperativeSticky } else { Assignor::Range };
            builder.assignors([assignor]).session_timeout(SESSION).heartbeat_interval(HEARTBEAT)
        }
    };
    let builder = instance.iter().fold(builder, |builder, id| builder.instance_id(id));
    let mut consumer = builder.build().await?;
    let leaving = Arc::new(AtomicBool::new(false));
    let stdin_ended = Arc::clone(&leaving);
    std::thread::spawn(move || {
        let _ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stdin_ended.store(true, Ordering::Release);
    });
    while !leaving.load(Ordering::Acquire) && !consumer.is_ended() {
        process(&mut consumer).await;
    }
    consumer.close().await?;
    Ok(())
}

/// Processes some records, and commits them.
async fn process(consumer: &mut Consumer) {
    match consumer.poll(100, Duration::from_millis(200)).await {
        Ok(records) if records.is_empty() => {}
        Ok(records) => {
            for record in records {
                let value = record.value.as_deref().unwrap_or_default();
                println!("got {} {} {}", record.partition, record.offset, String::from_utf8_lossy(value));
            }
            match consumer.commit().await {
                Ok(()) => println!("committed"),
                Err(error) => println!("commit-failed {error}"),
            }
        }
        Err(error) => eprintln!("{error}"),
    }
}
