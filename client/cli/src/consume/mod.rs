//! `highwater consume`: prints records of partitions, from a place to a place, or as a member of a group.

mod membership;

use std::collections::BTreeMap;
use std::time::Duration;

use highwater_client::{Client, Consumer, ConsumerRecord, Error, ErrorCode, StartFrom};
use tokio::time::Instant;

use crate::connect::Connect;
use crate::entry::Entry;
use crate::failed::Failed;
use crate::format::Format;
use crate::offsets::{Place, Range};
use crate::partitions::Partitions;
use crate::{json, now_ms, output, units};
use membership::Membership;

/// Records that are written at once, at most.
const MOST_AT_ONCE: usize = 1000;
/// How often the positions are looked at while nothing comes: the last offset of a range may be a marker's.
const LOOK: Duration = Duration::from_millis(100);

/// What `consume` takes.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = crate::format::HELP)]
pub struct ConsumeArguments {
    #[command(flatten)]
    connect: Connect,
    /// What to read.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    membership: Membership,
    /// Where to begin, and where to end: start, end, 42, +5, -10, 10:20, @-1h, @2026-11-01:1h, …
    #[arg(short, long, value_name = "RANGE", default_value = "start", allow_hyphen_values = true, value_parser = range)]
    offset: Range,
    /// Partitions, as in 0,2,4-6; all without.
    #[arg(short, long, value_name = "LIST", value_parser = Partitions::parse, conflicts_with = "group")]
    partitions: Option<Partitions>,
    /// Stop after so many records.
    #[arg(short, long, value_name = "N")]
    num: Option<u64>,
    /// Stop at the end, as it is at the start.
    #[arg(short, long, conflicts_with = "group")]
    exit: bool,
    /// Stop after this time; with --num it is an error that so many records did not come.
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration)]
    duration: Option<Duration>,
    /// What to print of each record, as in '%k %v\n'.
    #[arg(short, long, value_parser = Format::parse, allow_hyphen_values = true, conflicts_with = "output")]
    format: Option<Format>,
    /// How to print records.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Output {
    /// An object for each record.
    #[default]
    Json,
    /// Values, each with a line feed.
    Lines,
    /// Values, with nothing between them.
    Raw,
}

fn range(text: &str) -> Result<Range, String> {
    Range::parse(text, now_ms())
}

/// Runs it.
pub(crate) async fn run(arguments: ConsumeArguments) -> Result<(), Failed> {
    if let Some(format) = &arguments.format {
        crate::format::hint(format);
    }
    let deadline = arguments.duration.map(|duration| Instant::now() + duration);
    let client = arguments.connect.client().await?;
    if let Some(group) = &arguments.membership.group {
        return membership::run(group, &client, &arguments, deadline).await;
    }
    let spans = spans(&client, &arguments).await?;
    let mut reader = Reader {
        printer: Printer { format: arguments.format, output: arguments.output, count: 0 },
        left: arguments.num.unwrap_or(u64::MAX),
        ends: ends(&spans),
        deadline,
    };
    let builder = spans.iter().filter(|span| !span.is_empty()).fold(client.consumer(), |builder, span| {
        let builder = builder.assign(&span.topic, [span.partition]);
        builder.start_partition_from(&span.topic, span.partition, StartFrom::Offset(span.begin))
    });
    if reader.left == 0 || spans.iter().all(Span::is_empty) {
        return Ok(());
    }
    let mut consumer = arguments.connect.consumer(builder)?.build().await?;
    reader.read(&mut consumer).await?;
    if arguments.num.is_some() && reader.left > 0 && !reader.is_at_end() {
        return Err(Failed::TimedOut(format!("{} records came, {} did not", reader.printer.count, reader.left)));
    }
    Ok(())
}

/// What is read of one partition.
struct Span {
    topic: String,
    partition: i32,
    begin: i64,
    /// Without one, on and on.
    end: Option<i64>,
}

impl Span {
    fn is_empty(&self) -> bool {
        self.end.is_some_and(|end| self.begin >= end)
    }
}

fn ends(spans: &[Span]) -> BTreeMap<String, BTreeMap<i32, i64>> {
    let mut ends: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
    for span in spans.iter().filter(|span| !span.is_empty()) {
        ends.entry(span.topic.clone()).or_default().insert(span.partition, span.end.unwrap_or(i64::MAX));
    }
    ends
}

async fn spans(client: &Client, arguments: &ConsumeArguments) -> Result<Vec<Span>, Failed> {
    let mut topics = arguments.topics.clone();
    topics.sort_unstable();
    topics.dedup();
    let mut spans = Vec::new();
    for topic in &topics {
        let described = client.admin().describe_topic(topic).await?;
        let all = || described.partitions.iter().map(|partition| partition.index).collect();
        let chosen = arguments.partitions.as_ref().map_or_else(all, |chosen| chosen.0.clone());
        let begins = places(client, topic, &chosen, arguments.offset.begin).await?;
        let ends = match arguments.offset.end {
            Some(end) => Some(places(client, topic, &chosen, end).await?),
            None => None,
        };
        let latest = places(client, topic, &chosen, Place::End).await?;
        for (at, partition) in chosen.into_iter().enumerate() {
            let of = |offsets: &[i64]| offsets.get(at).copied();
            let exit = arguments.exit.then(|| of(&latest)).flatten();
            let end = ends.as_deref().and_then(of).into_iter().chain(exit).min();
            let begin = of(&begins).unwrap_or(0);
            spans.push(Span { topic: topic.clone(), partition, begin, end });
        }
    }
    Ok(spans)
}

/// The offset of a place in each partition. What lies outside of the log is at its nearer end, but an end may be still to come.
pub(crate) async fn places(client: &Client, topic: &str, partitions: &[i32], place: Place) -> Result<Vec<i64>, Failed> {
    let ask = async |start| {
        let wanted: Vec<_> = partitions.iter().map(|partition| (topic.to_owned(), *partition, start)).collect();
        let listed = client.admin().list_offsets(&wanted).await?;
        Ok::<Vec<i64>, Error>(listed.into_iter().map(|one| one.offset).collect())
    };
    let (first, last) = (ask(StartFrom::Earliest).await?, ask(StartFrom::Latest).await?);
    let at = match place {
        Place::Time(time) => ask(StartFrom::Timestamp(time)).await?,
        _ => Vec::new(),
    };
    let resolved = first.iter().zip(&last).enumerate().map(|(index, (first, last))| match place {
        Place::Start => *first,
        Place::End => *last,
        Place::At(offset) => offset.max(*first),
        Place::FromStart(count) => first.saturating_add(count).min(*last),
        Place::FromEnd(count) => last.saturating_sub(count).max(*first),
        // No record is as late as that.
        Place::Time(_) => at.get(index).copied().filter(|offset| *offset >= 0).unwrap_or(*last),
    });
    Ok(resolved.collect())
}

struct Reader {
    printer: Printer,
    left: u64,
    /// Where each partition ends that is still read.
    ends: BTreeMap<String, BTreeMap<i32, i64>>,
    deadline: Option<Instant>,
}

impl Reader {
    fn is_at_end(&self) -> bool {
        self.ends.is_empty()
    }

    async fn read(&mut self, consumer: &mut Consumer) -> Result<(), Failed> {
        while self.left > 0 && !self.is_at_end() {
            let now = Instant::now();
            let wait = self.deadline.map_or(LOOK, |deadline| LOOK.min(deadline.saturating_duration_since(now)));
            let most = MOST_AT_ONCE.min(usize::try_from(self.left).unwrap_or(usize::MAX));
            match consumer.poll(most, wait).await {
                Ok(records) => self.print(consumer, records)?,
                Err(error) => told(error)?,
            }
            self.look(consumer)?;
            if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                break;
            }
        }
        Ok(())
    }

    fn print(&mut self, consumer: &mut Consumer, records: Vec<ConsumerRecord>) -> Result<(), Failed> {
        let mut out = Vec::new();
        for record in records {
            let end = self.ends.get(&*record.topic).and_then(|ends| ends.get(&record.partition));
            // What lies behind the end was fetched along with what lies before it.
            if end.is_some_and(|end| record.offset < *end) {
                self.printer.print(record, &mut out)?;
                self.left = self.left.saturating_sub(1);
            }
        }
        self.look(consumer)?;
        output::write(&out)
    }

    /// Reads no more of partitions that are at their ends.
    fn look(&mut self, consumer: &mut Consumer) -> Result<(), Failed> {
        for (topic, partition, position) in consumer.positions() {
            let Some(ends) = self.ends.get_mut(&topic) else { continue };
            if ends.get(&partition).is_some_and(|end| position >= *end) {
                ends.remove(&partition);
                consumer.pause(&topic, partition)?;
            }
        }
        self.ends.retain(|_, ends| !ends.is_empty());
        Ok(())
    }
}

/// What passes is a note on standard error, what lasts is the end.
fn told(error: Error) -> Result<(), Failed> {
    let passes = error.code() == Some(ErrorCode::OffsetOutOfRange);
    if passes || error.is_retriable() && error.code().is_none() {
        eprintln!("highwater: {error}");
        return Ok(());
    }
    Err(error.into())
}

struct Printer {
    format: Option<Format>,
    output: Output,
    count: i64,
}

impl Printer {
    fn print(&mut self, record: ConsumerRecord, out: &mut Vec<u8>) -> Result<(), Failed> {
        self.count = self.count.saturating_add(1);
        let entry = Entry::from(record);
        let place = || {
            let (partition, offset) = (entry.partition.unwrap_or(-1), entry.offset.unwrap_or(-1));
            format!("{}-{partition} at {offset}", entry.topic)
        };
        let value = entry.value.as_deref().unwrap_or_default();
        let written = match (&self.format, self.output) {
            (Some(format), _) => format.write(&entry, self.count, out),
            (None, Output::Json) => json::write(&entry, output::is_terminal(), out),
            (None, Output::Lines) => {
                out.extend_from_slice(value);
                out.push(b'\n');
                Ok(())
            }
            (None, Output::Raw) => {
                out.extend_from_slice(value);
                Ok(())
            }
        };
        written.map_err(|why| Failed::Error(format!("{}: {why}", place())))
    }
}
