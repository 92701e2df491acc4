//! `consume --group`: reads what the group gives, commits what was printed, and leaves when it is told to stop.

use highwater_client::{Client, Consumer, GroupProtocol, StartFrom};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::{ConsumeArguments, LOOK, MOST_AT_ONCE, Printer};
use crate::failed::Failed;
use crate::offsets::Place;
use crate::output;

/// What makes `consume` a member of a group.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Membership {
    /// Share the topics with a group, go on where it has committed, and commit what was printed.
    #[arg(short, long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// How the group's members agree on who reads what.
    #[arg(long, value_enum, default_value_t, requires = "group")]
    protocol: Protocol,
    /// The same after a restart: the member gets back what it had, and nobody else moves.
    #[arg(long, value_name = "ID", requires = "group")]
    instance_id: Option<String>,
    /// Topics are patterns; members read every topic that matches one.
    #[arg(long, requires = "group")]
    regex: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Protocol {
    /// A member distributes the partitions.
    #[default]
    Classic,
    /// The broker distributes them (KIP-848).
    Consumer,
}

/// Reads as a member.
pub(super) async fn run(
    group: &str,
    client: &Client,
    arguments: &ConsumeArguments,
    deadline: Option<Instant>,
) -> Result<(), Failed> {
    let left = arguments.num.unwrap_or(u64::MAX);
    if left == 0 {
        return Ok(());
    }
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let mut consumer = consumer(group, client, arguments).await?;
    let printer = Printer { format: arguments.format.clone(), output: arguments.output, count: 0 };
    let mut reader = Reader { printer, left, deadline };
    match reader.read(&mut consumer, &mut signals).await {
        Ok(()) => consumer.close().await?,
        Err(failed) => {
            // What could not be printed comes again.
            consumer.leave().await?;
            return Err(failed);
        }
    }
    let is_over = deadline.is_some_and(|deadline| deadline <= Instant::now());
    if arguments.num.is_some() && reader.left > 0 && is_over {
        return Err(Failed::TimedOut(format!("{} records came, {} did not", reader.printer.count, reader.left)));
    }
    Ok(())
}

async fn consumer(group: &str, client: &Client, arguments: &ConsumeArguments) -> Result<Consumer, Failed> {
    let membership = &arguments.membership;
    let start = match (arguments.offset.begin, &arguments.offset.end) {
        (Place::Start, None) => StartFrom::Earliest,
        (Place::End, None) => StartFrom::Latest,
        _ => return Err(Failed::Usage("a group goes on where it has committed: --offset is start or end".to_owned())),
    };
    let protocol = match membership.protocol {
        Protocol::Classic => GroupProtocol::Classic,
        Protocol::Consumer => GroupProtocol::Consumer,
    };
    let mut builder = client.consumer().group(group).protocol(protocol).start_from(start);
    if membership.regex {
        builder = builder.pattern(arguments.topics.join("|"));
    } else {
        builder = arguments.topics.iter().fold(builder, |builder, topic| builder.topic(topic));
    }
    if let Some(id) = &membership.instance_id {
        builder = builder.instance_id(id);
    }
    Ok(arguments.connect.consumer(builder)?.build().await?)
}

struct Reader {
    printer: Printer,
    left: u64,
    deadline: Option<Instant>,
}

impl Reader {
    /// Prints until it has enough, the time is over, or a signal says so.
    async fn read(&mut self, consumer: &mut Consumer, signals: &mut [Signal; 2]) -> Result<(), Failed> {
        while self.left > 0 {
            let now = Instant::now();
            let wait = self.deadline.map_or(LOOK, |deadline| LOOK.min(deadline.saturating_duration_since(now)));
            let most = MOST_AT_ONCE.min(usize::try_from(self.left).unwrap_or(usize::MAX));
            match consumer.poll(most, wait).await {
                Ok(records) => {
                    let mut out = Vec::new();
                    for record in records {
                        self.printer.print(record, &mut out)?;
                        self.left = self.left.saturating_sub(1);
                    }
                    output::write(&out)?;
                }
                Err(error) if consumer.is_ended() => return Err(error.into()),
                // The group goes on, and so does its member.
                Err(error) => eprintln!("highwater: {error}"),
            }
            // A poll takes a moment at most, and one that is given up would lose what it took.
            if is_told_to_stop(signals).await || self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                break;
            }
        }
        Ok(())
    }
}

async fn is_told_to_stop([interrupt, terminate]: &mut [Signal; 2]) -> bool {
    tokio::select! {
        biased;
        _ = interrupt.recv() => true,
        _ = terminate.recv() => true,
        () = std::future::ready(()) => false,
    }
}
