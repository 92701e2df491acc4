//! `highwater produce`: sends what it reads, many records at a time.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use highwater_client::{Acks, Compression, Delivery, Error, ErrorCode, Header, Producer};
use tokio::sync::mpsc;

use crate::connect::Connect;
use crate::entry::Entry;
use crate::failed::Failed;
use crate::format::{Format, Reading};
use crate::input::{Input, Layout};

/// Records that wait for their acknowledgements, at most; the producer bounds their bytes.
const MOST_WAITING: usize = 100_000;
/// Failures that are told one by one.
const MOST_TOLD: u64 = 10;
/// The topic that stands for each record's own.
const OWN_TOPIC: &str = "-";

/// What `produce` takes.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = crate::format::HELP)]
pub struct ProduceArguments {
    #[command(flatten)]
    connect: Connect,
    /// Where records go; - is the topic that each record names.
    topic: String,
    /// What to read; - is standard input, which is read without any.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The key of every record that has none.
    #[arg(short, long)]
    key: Option<String>,
    /// One more header of every record; kcat's KEY=VALUE where there is no colon.
    #[arg(short = 'H', long = "header", value_name = "KEY:VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// What a record looks like, as in '%k %v\n'.
    #[arg(short, long, value_parser = reading, allow_hyphen_values = true, conflicts_with = "input")]
    format: Option<Reading>,
    /// How records are told apart.
    #[arg(long, value_enum, default_value_t)]
    input: InputKind,
    /// none, gzip, snappy, lz4 or zstd; lz4 without.
    #[arg(short = 'z', long, value_name = "CODEC", value_parser = codec)]
    compression: Option<Compression>,
    /// The partition of every record; -1 is by key, whatever partition a record names.
    #[arg(short, long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-1..))]
    partition: Option<i32>,
    /// Who must have a record: nobody (0), the leader (1), or all.
    #[arg(long, value_parser = acks)]
    acks: Option<Acks>,
    /// An empty value is null, which deletes the key where the topic is compacted.
    #[arg(short = 'Z', long)]
    tombstone: bool,
    /// Let the broker create a topic that does not exist.
    #[arg(long)]
    create: bool,
    /// Say nothing of what was sent.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
enum InputKind {
    /// Each line is a value.
    #[default]
    Lines,
    /// Objects as `consume` prints them.
    Json,
    /// Each file is a value.
    Raw,
}

fn reading(text: &str) -> Result<Reading, String> {
    let format = Format::parse(text)?;
    crate::format::hint(&format);
    format.for_reading()
}

fn header(text: &str) -> Result<(String, String), String> {
    let pair =
        text.split_once(':').or_else(|| text.split_once('=')).ok_or_else(|| format!("{text} is not KEY:VALUE"))?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

fn codec(text: &str) -> Result<Compression, String> {
    Compression::from_name(text).ok_or_else(|| format!("codec {text}: write none, gzip, snappy, lz4 or zstd"))
}

fn acks(text: &str) -> Result<Acks, String> {
    match text {
        "0" => Ok(Acks::None),
        "1" => Ok(Acks::Leader),
        "all" | "-1" => Ok(Acks::All),
        _ => Err(format!("acks {text}: write 0, 1 or all")),
    }
}

/// Runs it.
pub(crate) async fn run(arguments: ProduceArguments) -> Result<(), Failed> {
    let client = arguments.connect.client().await?;
    if arguments.topic != OWN_TOPIC && !arguments.create {
        client.admin().describe_topic(&arguments.topic).await?;
    }
    let mut builder = arguments.connect.producer(client.producer())?;
    if let Some(compression) = arguments.compression {
        builder = builder.compression(compression);
    }
    if let Some(acks) = arguments.acks {
        builder = builder.acks(acks);
    }
    let producer = builder.build();
    let (sent, waiting) = mpsc::channel(MOST_WAITING);
    let report = tokio::spawn(watch(waiting));
    let read = send_all(&arguments, &producer, sent).await;
    producer.close().await;
    let report = report.await.map_err(|error| Failed::Error(error.to_string()))?;
    if !arguments.quiet {
        eprintln!("{}", report.text(&arguments.topic));
    }
    read?;
    report.result()
}

/// A record on its way, and what it is called.
struct Sent {
    place: String,
    delivery: Result<Delivery, Error>,
}

async fn send_all(arguments: &ProduceArguments, producer: &Producer, sent: mpsc::Sender<Sent>) -> Result<(), Failed> {
    let layout = match (&arguments.format, arguments.input) {
        (Some(format), _) => Layout::Format(format.clone()),
        (None, InputKind::Lines) => Layout::Lines,
        (None, InputKind::Json) => Layout::Json,
        (None, InputKind::Raw) => Layout::Raw,
    };
    let stdin = [PathBuf::from("-")];
    let files: &[PathBuf] = if arguments.files.is_empty() { &stdin } else { &arguments.files };
    for file in files {
        send_file(arguments, producer, &sent, file, &layout).await?;
    }
    Ok(())
}

/// Reads on this thread, which blocks; the producer works on others.
async fn send_file(
    arguments: &ProduceArguments,
    producer: &Producer,
    sent: &mpsc::Sender<Sent>,
    file: &Path,
    layout: &Layout,
) -> Result<(), Failed> {
    let mut input = Input::open(file, layout)?;
    while let Some(entry) = input.next()? {
        let place = input.place();
        let record = completed(arguments, entry).into_record();
        let delivery = producer.enqueue(record).await;
        if sent.send(Sent { place, delivery }).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// The record with what the arguments say of all records.
fn completed(arguments: &ProduceArguments, mut entry: Entry) -> Entry {
    if arguments.topic != OWN_TOPIC {
        entry.topic = arguments.topic.as_str().into();
    }
    if entry.key.is_none() {
        entry.key = arguments.key.clone().map(Bytes::from);
    }
    if let Some(partition) = arguments.partition {
        entry.partition = (partition >= 0).then_some(partition);
    }
    if arguments.tombstone {
        entry.value = entry.value.filter(|value| !value.is_empty());
    }
    let header = |(key, value): &(String, String)| Header {
        key: Bytes::from(key.clone()),
        value: Some(Bytes::from(value.clone())),
    };
    entry.headers.extend(arguments.headers.iter().map(header));
    entry
}

/// What became of all records.
#[derive(Default)]
struct Report {
    written: u64,
    failed: u64,
    /// The first failure.
    first: Option<Error>,
}

impl Report {
    fn text(&self, topic: &str) -> String {
        let where_to = if topic == OWN_TOPIC { String::new() } else { format!(" to {topic}") };
        format!("produced {} records{where_to}", self.written)
    }

    /// The arguments made sense, so that a record's failure is no usage error.
    fn result(self) -> Result<(), Failed> {
        let text = format!("{} records failed", self.failed);
        match self.first.map(|error| error.code()) {
            None => Ok(()),
            Some(Some(ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId)) => Err(Failed::NotFound(text)),
            Some(_) => Err(Failed::Error(text)),
        }
    }
}

async fn watch(mut waiting: mpsc::Receiver<Sent>) -> Report {
    let mut report = Report::default();
    while let Some(Sent { place, delivery }) = waiting.recv().await {
        let done = match delivery {
            Ok(delivery) => delivery.await.map(drop),
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => report.written = report.written.saturating_add(1),
            Err(error) => {
                report.failed = report.failed.saturating_add(1);
                if report.failed <= MOST_TOLD {
                    let maybe = if error.possibly_written() { " (it may have been written)" } else { "" };
                    eprintln!("highwater: {place}: {error}{maybe}");
                }
                report.first.get_or_insert(error);
            }
        }
    }
    report
}
