//! The data machine by transcripts, and the law of its snapshots as a property.

mod transcript;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use highwater_core::cluster::Cluster;
use highwater_core::config::topic::TopicConfig;
use highwater_core::config::{find, table};
use highwater_core::data::{Acks, DataMachine, Reply, Request};
use highwater_core::machine::{Append, Entry, Leading, Machine, Outcome, Token, Until, Wait};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{EntryId, Index, LeaderEpoch, Monotonic, Offset, Timestamp};
use highwater_protocol::records::batch::{BatchHeader, stamp_crc, validate, verify_crc};
use highwater_protocol::records::builder::{BatchBuilder, Marker};
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use proptest::prelude::*;

use transcript::{Command, Script};

/// The wall clock at the start of every transcript.
const WALL: i64 = 1_000_000;

/// An entry as the log would hold it.
#[derive(Clone, Debug)]
enum Logged {
    Batch(BatchHeader),
    Command(Bytes),
    Own,
}

/// A machine with what a replica would hold around it: the log, the clock, the configuration.
struct Bench {
    machine: DataMachine,
    log: Vec<(EntryId, Logged)>,
    term: i32,
    now: u64,
    wall: i64,
    voters: usize,
    caught_up: usize,
    settings: BTreeMap<String, String>,
    expiration_ms: u64,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            machine: DataMachine::default(),
            log: Vec::new(),
            term: 0,
            now: 0,
            wall: WALL,
            voters: 1,
            caught_up: 1,
            settings: BTreeMap::new(),
            expiration_ms: 86_400_000,
        };
        bench.elect();
        bench
    }

    fn config(&self) -> TopicConfig {
        let default = |name: &str| find(table::TOPIC, name).and_then(|def| def.default).unwrap_or_default().to_owned();
        let value = |name: &str| self.settings.get(name).cloned().unwrap_or_else(|| default(name));
        TopicConfig::from_values(&value, self.expiration_ms)
    }

    fn last(&self) -> EntryId {
        self.log.last().map_or_else(EntryId::default, |(id, _)| *id)
    }

    fn elect(&mut self) -> String {
        self.machine.deposed();
        self.term += 1;
        let mut out = self.append(Logged::Own);
        let mut outcome = Outcome::default();
        self.ask(|machine, at, _| machine.elected(at, &mut outcome), 0);
        out.insert_str(0, &format!("leads in term {}\n", self.term));
        out + &self.settle(outcome)
    }

    fn ask(&mut self, act: impl FnOnce(&mut DataMachine, &Leading<'_>, Token), token: u64) {
        let config = self.config();
        let at = Leading {
            now: Monotonic(self.now),
            wall: Timestamp(self.wall),
            epoch: LeaderEpoch(self.term),
            folded: self.last(),
            caught_up: self.caught_up,
            voters: self.voters,
            config: &config,
            cluster: &Cluster::default(),
        };
        act(&mut self.machine, &at, Token(token));
    }

    fn decide(&mut self, request: Request) -> String {
        let mut outcome = Outcome::default();
        self.ask(|machine, at, token| machine.decide(at, request, token, &mut outcome), 7);
        self.settle(outcome)
    }

    /// Appends what a decision asks for, and prints it with its replies.
    fn settle(&mut self, outcome: Outcome<Reply>) -> String {
        let before = self.last();
        let mut out = match outcome.append {
            None => String::new(),
            Some(Append::Command(bytes)) => self.append(Logged::Command(bytes)),
            Some(Append::Batch(bytes)) => {
                verify_crc(&bytes).expect("a batch keeps a good CRC");
                let header = validate(&bytes).expect("a batch stays valid");
                assert_eq!(header.leader_epoch, self.term, "stamped with the term");
                self.append(Logged::Batch(header))
            }
        };
        for (token, until, reply) in outcome.replies {
            assert_eq!(token, Token(7), "a reply names the request that it answers");
            writeln!(out, "{}: {}", until_text(until, before), reply_text(&reply)).expect("prints");
        }
        out
    }

    fn append(&mut self, entry: Logged) -> String {
        let id = EntryId { index: self.last().index.next(), term: LeaderEpoch(self.term) };
        let view = fold(&mut self.machine, id, &entry);
        let what = match &entry {
            Logged::Own => "own".to_owned(),
            Logged::Command(_) => "command".to_owned(),
            Logged::Batch(header) => {
                let time =
                    if header.is_log_append_time() { format!(" at {}", header.max_timestamp) } else { String::new() };
                format!("batch {}..{}{time}", header.base_offset, header.next_offset().0 - 1)
            }
        };
        self.log.push((id, entry));
        self.check_snapshot();
        match view {
            None => format!("#{} {what}\n", id.index.0),
            Some(view) => {
                assert_eq!(view, self.machine.view(), "the view that a fold yields is the view as of it");
                assert_eq!(view.last_stable_offset, view.high_watermark, "without transactions");
                format!("#{} {what} | log {}..{}\n", id.index.0, view.log_start.0, view.high_watermark.0)
            }
        }
    }

    /// What is loaded from a snapshot saves the same bytes, shows the same view, and knows the same producers.
    fn check_snapshot(&self) {
        let saved = saved(&self.machine);
        let loaded = DataMachine::load(&saved).expect("a snapshot loads");
        assert_eq!(self::saved(&loaded), saved);
        assert_eq!(loaded.view(), self.machine.view());
    }

    fn batch(command: &Command<'_>) -> (BytesMut, BatchHeader) {
        let number = |key, default| command.number(key).unwrap_or(default);
        if command.has("control") {
            let marker = BatchBuilder::marker(number("producer", 0), 0, Marker::Abort, 0, WALL).expect("builds");
            let header = BatchHeader::decode(&marker).expect("decodes");
            return (marker, header);
        }
        let mut builder = BatchBuilder::new(Compression::None);
        if let Some(id) = command.number("producer") {
            let epoch = i16::try_from(number("epoch", 0)).expect("an epoch");
            builder = builder.producer(id, epoch, i32::try_from(number("seq", 0)).expect("a sequence"));
        }
        if command.has("transactional") {
            builder = builder.transactional();
        }
        let value = "v".repeat(usize::try_from(number("bytes", 1)).expect("a size"));
        let times: Vec<i64> = match command.value("times") {
            Some(times) => times.split(',').map(|time| time.parse().expect("a time")).collect(),
            None => vec![WALL; usize::try_from(number("records", 1)).expect("a count")],
        };
        for time in times {
            builder.push(&Record::new(None, Some(value.as_str()), time));
        }
        let mut bytes = builder.build().expect("builds");
        for (flag, bit) in [("log-append-time", 1 << 3), ("delete-horizon", 1 << 6)] {
            if command.has(flag) {
                bytes[22] |= bit;
                stamp_crc(&mut bytes);
            }
        }
        let header = validate(&bytes).expect("a batch of ours is valid");
        (bytes, header)
    }
}

impl Script for Bench {
    fn run(&mut self, command: &Command<'_>) -> String {
        let number = |key, default| command.number(key).unwrap_or(default);
        match command.name {
            "produce" => {
                let (batch, header) = Self::batch(command);
                let acks = if command.value("acks") == Some("1") { Acks::Leader } else { Acks::All };
                self.decide(Request::Produce { batch, header, acks, bad_times: Vec::new() })
            }
            "delete-records" => {
                let high_watermark = Offset(number("high-watermark", self.machine.view().high_watermark.0));
                self.decide(Request::DeleteRecords { before: Offset(number("before", 0)), high_watermark })
            }
            "retain" => self.decide(Request::RetainFrom { log_start: Offset(number("from", 0)) }),
            "producers" => self.decide(Request::DescribeProducers),
            "follow-config" => self.decide(Request::FollowConfig),
            "flush-mode" => format!("{:?}\n", self.machine.flush_mode()),
            "elect" => self.elect(),
            "own" => self.append(Logged::Own),
            "wait" => {
                self.now += u64::try_from(number("ms", 0)).expect("forwards");
                self.wall += number("ms", 0);
                String::new()
            }
            "deadline" => format!("{:?}\n", self.machine.deadline().map(|at| at.0)),
            "expire" => {
                let mut outcome = Outcome::default();
                self.ask(|machine, at, _| machine.expire(at, &mut outcome), 0);
                self.settle(outcome)
            }
            "marker" => {
                let (id, epoch) = (number("producer", 0), i16::try_from(number("epoch", 0)).expect("an epoch"));
                let mut bytes = BatchBuilder::marker(id, epoch, Marker::Commit, 0, WALL).expect("builds");
                highwater_protocol::records::batch::stamp(
                    &mut bytes,
                    self.machine.view().high_watermark,
                    LeaderEpoch(self.term),
                );
                self.append(Logged::Batch(BatchHeader::decode(&bytes).expect("decodes")))
            }
            "reload" => {
                self.machine = DataMachine::load(&saved(&self.machine)).expect("loads");
                String::new()
            }
            "replicas" => {
                self.voters = usize::try_from(number("voters", 1)).expect("a count");
                self.caught_up = usize::try_from(number("caught-up", 1)).expect("a count");
                String::new()
            }
            "config" => {
                for word in &command.words {
                    let (name, value) = word.split_once('=').expect("name=value");
                    match name {
                        "producer.id.expiration.ms" => self.expiration_ms = value.parse().expect("a number"),
                        name => drop(self.settings.insert(name.to_owned(), value.to_owned())),
                    }
                }
                String::new()
            }
            other => panic!("no command {other}"),
        }
    }
}

fn saved(machine: &DataMachine) -> Vec<u8> {
    let mut bytes = Vec::new();
    machine.save(&mut bytes);
    bytes
}

fn fold(machine: &mut DataMachine, id: EntryId, entry: &Logged) -> Option<highwater_core::view::View> {
    match entry {
        Logged::Batch(header) => machine.fold(id, Entry::Batch(header, &[])),
        Logged::Command(bytes) => machine.fold(id, Entry::Command(bytes)),
        Logged::Own => machine.fold(id, Entry::Own),
    }
}

fn until_text(until: Until, folded: EntryId) -> String {
    let entry = |wait| match wait {
        Wait::Own => folded.index.next(),
        Wait::Folded => folded.index,
        Wait::Entry(entry) => entry.index,
    };
    match until {
        Until::Appended(_) => "at once".to_owned(),
        Until::Committed(wait) => format!("when #{} is committed", entry(wait).0),
        Until::Copies(wait, 1) => format!("when #{} is committed", entry(wait).0),
        Until::Copies(wait, copies) => format!("when #{} is committed and on {copies}", entry(wait).0),
    }
}

fn reply_text(reply: &Reply) -> String {
    match reply {
        Reply::Appended { base_offset, log_append_time: Timestamp(-1), log_start } => {
            format!("appended at {}, log starts at {}", base_offset.0, log_start.0)
        }
        Reply::Appended { base_offset, log_append_time, log_start } => {
            format!("appended at {}, stamped {}, log starts at {}", base_offset.0, log_append_time.0, log_start.0)
        }
        Reply::Refused { code, message, .. } => format!("{code:?}: {message}"),
        Reply::FollowsConfig => "follows the configuration".to_owned(),
        Reply::LogStart(offset) => format!("log starts at {}", offset.0),
        Reply::Producers(producers) if producers.is_empty() => "no producers".to_owned(),
        Reply::Producers(producers) => producers
            .iter()
            .map(|one| {
                let (id, epoch, sequence, time) = (one.id, one.epoch, one.last_sequence, one.last_timestamp.0);
                format!("producer {id} epoch {epoch} last sequence {sequence} at {time}")
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}

#[test]
fn transcripts() {
    transcript::check("data", Bench::new);
}

/// The last entry's index is 0 in a log that holds nothing: the bench begins with an election, as a replica does.
#[test]
fn a_log_begins_with_the_leaders_own_entry() {
    let bench = Bench::new();
    assert_eq!(bench.last(), EntryId { index: Index(1), term: LeaderEpoch(1) });
}

/// Batches under numbers that no broker gave out, one number each, took memory without end, for a producer is forgotten after a
/// day of silence only. Now a partition knows a bounded number; one more is refused, which no retry can mistake, and those that
/// were silent for longer than clients retry make room.
#[test]
fn a_spray_of_producer_ids_ends_at_a_bound() {
    const MOST: i64 = 20_000;
    let mut bench = Bench::new();
    let mut send = |machine: &mut DataMachine, now: u64, id: i64| {
        let mut builder = BatchBuilder::new(Compression::None).producer(id, 0, 0);
        builder.push(&Record { timestamp: WALL, ..Record::default() });
        let batch = builder.build().expect("builds");
        let header = validate(&batch).expect("valid");
        let mut out = Outcome::default();
        bench.now = now;
        std::mem::swap(&mut bench.machine, machine);
        bench.ask(
            |machine, at, token| {
                machine.decide(
                    at,
                    Request::Produce { batch, header, acks: Acks::All, bad_times: Vec::new() },
                    token,
                    &mut out,
                );
                if let Some(Append::Batch(taken)) = &out.append {
                    let header = BatchHeader::decode(taken).expect("decodes");
                    machine.fold(EntryId::default(), Entry::Batch(&header, taken));
                }
            },
            7,
        );
        std::mem::swap(&mut bench.machine, machine);
        match out.replies.pop() {
            Some((_, _, Reply::Refused { code, .. })) => Some(code),
            _ => None,
        }
    };
    let mut machine = DataMachine::default();
    for id in 0..MOST {
        assert_eq!(send(&mut machine, 1_000, id), None, "producer {id}");
    }
    assert_eq!(send(&mut machine, 2_000, MOST), Some(ErrorCode::PolicyViolation));
    assert_eq!(send(&mut machine, 400_000, 3), None, "a retry of a known one is known");
    let due = machine.deadline().expect("a crowd is looked at");
    assert!(due.0 <= 12_000, "soon: {due:?}");

    let mut out = Outcome::default();
    bench.now = 400_000;
    std::mem::swap(&mut bench.machine, &mut machine);
    bench.ask(|machine, at, _| machine.expire(at, &mut out), 0);
    let Some(Append::Command(command)) = out.append else { panic!("the silent ones are let go") };
    bench.machine.fold(EntryId::default(), Entry::Command(&command));
    let left = bench.decide(Request::DescribeProducers).matches("producer ").count();
    assert_eq!(left, 10_000, "as many as one command holds are gone");
}

/// One line of a random history.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0..4_i64, 0..2_i16, 0..6_i32, 1..4_usize)
            .prop_map(|(id, epoch, seq, records)| format!("produce producer={id} epoch={epoch} seq={seq} records={records}")),
        2 => (0..3_i64, (i32::MAX - 3)..=i32::MAX, 1..4_usize)
            .prop_map(|(id, seq, records)| format!("produce producer={id} seq={seq} records={records}")),
        3 => (1..4_usize).prop_map(|records| format!("produce records={records}")),
        1 => (0..3_i64, 0..3_i16).prop_map(|(id, epoch)| format!("marker producer={id} epoch={epoch}")),
        1 => (-1..12_i64).prop_map(|before| format!("delete-records before={before}")),
        1 => (0..20_i64).prop_map(|from| format!("retain from={from}")),
        1 => Just("wait ms=50000000".to_owned()),
        1 => Just("expire".to_owned()),
        1 => Just("elect".to_owned()),
        1 => Just("own".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The fold of a log is what a snapshot of any prefix and the fold of the rest make, and a machine that was loaded
    /// decides as one that was not.
    #[test]
    fn a_snapshot_anywhere_and_the_rest_make_the_whole(lines in proptest::collection::vec(line(), 1..60), cut in 0..200_usize) {
        let mut bench = Bench::new();
        for line in &lines {
            bench.run(&Command::parse(line));
        }
        let cut = cut % (bench.log.len() + 1);
        let mut machine = DataMachine::default();
        for (place, (id, entry)) in bench.log.iter().enumerate() {
            if place == cut {
                machine = DataMachine::load(&saved(&machine)).expect("loads");
            }
            fold(&mut machine, *id, entry);
        }
        prop_assert_eq!(saved(&machine), saved(&bench.machine));
        prop_assert_eq!(machine.view(), bench.machine.view());
        let next = "produce producer=1 epoch=1 seq=3 records=2";
        let length = bench.log.len();
        let decided = bench.run(&Command::parse(next));
        bench.log.truncate(length);
        let mut again = Bench { machine, ..bench };
        prop_assert_eq!(again.run(&Command::parse(next)), decided);
    }

    /// Whatever is asked, offsets have no gap, no sequence number of an epoch is in the log twice, and the log start never
    /// falls nor passes the end.
    #[test]
    fn no_batch_is_in_the_log_twice(lines in proptest::collection::vec(line(), 1..80)) {
        let mut bench = Bench::new();
        let mut start = Offset(0);
        for line in lines.iter().filter(|line| !line.starts_with("marker") && !line.starts_with("wait")) {
            bench.run(&Command::parse(line));
            let view = bench.machine.view();
            prop_assert!(start <= view.log_start && view.log_start <= view.high_watermark);
            start = view.log_start;
        }
        let mut expected = 0;
        let mut last = BTreeMap::new();
        for (_, entry) in &bench.log {
            let Logged::Batch(header) = entry else { continue };
            prop_assert_eq!(header.base_offset, expected);
            expected = header.next_offset().0;
            if header.is_idempotent() {
                let known = last.insert(header.producer_id, (header.producer_epoch, header.last_sequence()));
                if let Some((epoch, sequence)) = known {
                    let follows = header.producer_epoch == epoch
                        && header.base_sequence == highwater_protocol::records::batch::sequence_after(sequence, 1);
                    let begins = header.producer_epoch > epoch && header.base_sequence == 0;
                    prop_assert!(follows || begins, "{:?} behind epoch {} sequence {}", header, epoch, sequence);
                }
            }
        }
    }
}
