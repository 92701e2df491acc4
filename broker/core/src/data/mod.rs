//! The data machine: a partition of a user's topic.
//!
//! Its state is the fold of its log: the next offset, the log start, and for every idempotent producer the last batches.

mod admit;
mod command;
mod producers;

use bytes::BytesMut;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::ids::{EntryId, Monotonic, Offset, Timestamp};
use highwater_protocol::records::batch::BatchHeader;
use prost::Message;

use self::admit::Produced;
use self::command::{Command, Snapshot};
pub use self::producers::Producer;
use self::producers::Producers;
use crate::config::topic::FlushMode;
use crate::machine::{Append, Corrupt, Entry, Leading, Machine, Outcome, Token, Until, Wait};
use crate::view::View;

/// How long a leader waits between two looks for silent producers.
const EXPIRY_CHECK_MS: u64 = 600_000;
/// The same where producers crowd.
const CROWD_CHECK_MS: u64 = 10_000;
/// How long a producer has to be silent to be forgotten where producers crowd: longer than clients go on retrying (Java for 2
/// minutes, librdkafka for 5).
const SILENT_IN_A_CROWD_MS: u64 = 360_000;
/// Producers that one command lets expire: it stays far below what a frame may hold.
const EXPIRED_A_COMMAND: usize = 10_000;

/// When a produce is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    /// By the leader's own append; `acks=0` appends in the same way and is not answered at all.
    Leader,
    /// By commit, and `min.insync.replicas` durable copies.
    All,
}

/// What a partition is asked for.
pub enum Request {
    /// One batch, whose structure and CRC are checked.
    Produce {
        /// Its bytes, to be stamped.
        batch: BytesMut,
        /// Its header.
        header: BatchHeader,
        /// When to answer.
        acks: Acks,
        /// The numbers of its records whose timestamps the topic's settings refuse, as far as anybody looked.
        bad_times: Vec<i32>,
    },
    /// Forget everything below an offset, as DeleteRecords asks; -1 is the high watermark.
    DeleteRecords {
        /// The first offset kept.
        before: Offset,
        /// The high watermark that the client's node sees.
        high_watermark: Offset,
    },
    /// Forget everything below an offset, as retention asks.
    RetainFrom {
        /// The first offset kept.
        log_start: Offset,
    },
    /// The idempotent producers.
    DescribeProducers,
    /// The topic's configuration changed: what of it is state is to follow.
    FollowConfig,
}

/// What it answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// The batch is in the log.
    Appended {
        /// Its first offset.
        base_offset: Offset,
        /// The broker's stamp, or -1.
        log_append_time: Timestamp,
        /// Where the log starts.
        log_start: Offset,
    },
    /// It is not.
    Refused {
        /// Why.
        code: ErrorCode,
        /// In words.
        message: String,
        /// The numbers of the records that it is for, where it is not for the batch as a whole.
        records: Vec<i32>,
    },
    /// The log starts here now.
    LogStart(Offset),
    /// The producers.
    Producers(Vec<Producer>),
    /// The partition does as the topic's configuration says.
    FollowsConfig,
}

/// The machine.
#[derive(Default)]
pub struct DataMachine {
    next_offset: Offset,
    log_start: Offset,
    producers: Producers,
    flush_mode: FlushMode,
    next_expiry: Option<Monotonic>,
}

impl Machine for DataMachine {
    type Request = Request;
    type Reply = Reply;
    type View = View;

    fn decide(&mut self, at: &Leading<'_>, request: Request, token: Token, out: &mut Outcome<Reply>) {
        match request {
            Request::Produce { batch, header, acks, bad_times } => {
                self.produce(at, Produced { batch, header, acks, bad_times }, token, out);
            }
            Request::DeleteRecords { before, high_watermark } => {
                self.delete_records(before, high_watermark, token, out);
            }
            Request::RetainFrom { log_start } => self.move_log_start(log_start, token, out),
            Request::DescribeProducers => {
                out.replies.push((token, Until::Committed(Wait::Folded), Reply::Producers(self.producers.list())));
            }
            Request::FollowConfig => {
                self.follow_config(at, out);
                let wait = if out.append.is_some() { Wait::Own } else { Wait::Folded };
                out.replies.push((token, Until::Committed(wait), Reply::FollowsConfig));
            }
        }
    }

    fn expire(&mut self, at: &Leading<'_>, out: &mut Outcome<Reply>) {
        let is_crowded = self.producers.is_crowded();
        let (expiration_ms, check_ms) = if is_crowded {
            (at.config.producer_expiration_ms.min(SILENT_IN_A_CROWD_MS), CROWD_CHECK_MS)
        } else {
            (at.config.producer_expiration_ms, EXPIRY_CHECK_MS)
        };
        let silent = self.producers.silent_since(at.now, expiration_ms, EXPIRED_A_COMMAND);
        // With more than one command takes, the machine stays due.
        let pause_ms = if silent.len() == EXPIRED_A_COMMAND { 0 } else { check_ms.min(expiration_ms.max(1)) };
        self.next_expiry = Some(at.now.after_ms(pause_ms));
        if !silent.is_empty() {
            out.append = Some(Append::Command(Command::expire(silent).to_bytes()));
        }
    }

    fn elected(&mut self, at: &Leading<'_>, out: &mut Outcome<Reply>) {
        self.follow_config(at, out);
        self.producers.all_heard(at.now);
        self.next_expiry = Some(at.now.after_ms(EXPIRY_CHECK_MS.min(at.config.producer_expiration_ms.max(1))));
    }

    fn deposed(&mut self) {
        self.producers.forget_times();
        self.next_expiry = None;
    }

    fn deadline(&self) -> Option<Monotonic> {
        if self.producers.is_empty() { None } else { self.next_expiry }
    }

    fn fold(&mut self, at: EntryId, entry: Entry<'_>) -> Option<View> {
        match entry {
            Entry::Batch(header, _) => {
                self.next_offset = header.next_offset();
                self.producers.fold(at, header);
            }
            Entry::Command(bytes) => self.fold_command(bytes),
            Entry::Own => return None,
        }
        Some(self.view())
    }

    fn flush_mode(&self) -> FlushMode {
        self.flush_mode
    }

    fn view(&self) -> View {
        View { high_watermark: self.next_offset, last_stable_offset: self.next_offset, log_start: self.log_start }
    }

    fn save(&self, out: &mut Vec<u8>) {
        let snapshot = Snapshot {
            next_offset: self.next_offset.0,
            log_start: self.log_start.0,
            producers: self.producers.save(),
            flush_mode: command::number(self.flush_mode),
        };
        snapshot.encode(out).expect("a vector takes any number of bytes");
    }

    fn load(bytes: &[u8]) -> Result<Self, Corrupt> {
        let snapshot =
            Snapshot::decode(bytes).map_err(|error| Corrupt { machine: "data", reason: error.to_string() })?;
        Ok(Self {
            next_offset: Offset(snapshot.next_offset),
            log_start: Offset(snapshot.log_start),
            producers: Producers::load(snapshot.producers),
            flush_mode: command::flush_mode(snapshot.flush_mode),
            next_expiry: None,
        })
    }
}

impl DataMachine {
    /// Producers crowd: the next look for silent ones is soon.
    fn hurry_expiry(&mut self, now: Monotonic) {
        if self.producers.is_crowded() {
            let soon = now.after_ms(CROWD_CHECK_MS);
            self.next_expiry = Some(self.next_expiry.map_or(soon, |next| next.min(soon)));
        }
    }

    fn delete_records(&mut self, before: Offset, high_watermark: Offset, token: Token, out: &mut Outcome<Reply>) {
        let wanted = if before.0 == -1 { high_watermark } else { before };
        if wanted.0 < 0 || wanted > high_watermark {
            let message = format!("offset {} is not between 0 and the high watermark {}", wanted.0, high_watermark.0);
            let reply = Reply::Refused { code: ErrorCode::OffsetOutOfRange, message, records: Vec::new() };
            out.replies.push((token, Until::Committed(Wait::Folded), reply));
        } else {
            self.move_log_start(wanted, token, out);
        }
    }

    fn move_log_start(&mut self, to: Offset, token: Token, out: &mut Outcome<Reply>) {
        let to = to.min(self.next_offset);
        if to <= self.log_start {
            out.replies.push((token, Until::Committed(Wait::Folded), Reply::LogStart(self.log_start)));
        } else {
            out.append = Some(Append::Command(Command::move_log_start(to).to_bytes()));
            out.replies.push((token, Until::Committed(Wait::Own), Reply::LogStart(to)));
        }
    }

    /// The flush mode changes in the log, so that it is another from the same entry on for every replica.
    fn follow_config(&self, at: &Leading<'_>, out: &mut Outcome<Reply>) {
        if at.config.flush_mode != self.flush_mode {
            out.append = Some(Append::Command(Command::change_flush_mode(at.config.flush_mode).to_bytes()));
        }
    }

    fn fold_command(&mut self, bytes: &[u8]) {
        let command = Command::decode(bytes).expect("a command of ours, whose CRC was checked, decodes");
        if let Some(log_start) = command.log_start {
            self.log_start = self.log_start.max(Offset(log_start));
        }
        if let Some(mode) = command.flush_mode {
            self.flush_mode = command::flush_mode(mode);
        }
        for producer in command.expired_producers {
            self.producers.remove(producer);
        }
    }
}
