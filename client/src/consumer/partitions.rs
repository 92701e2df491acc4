//! The partitions that a consumer reads, as it shares them with its tasks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use highwater_protocol::error_code::ErrorCode;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::StartFrom;
use crate::error::{Error, Kind, Result};
use crate::group::TopicPartition;
use crate::record::ConsumerRecord;

/// A partition that is read.
#[derive(Clone, Debug)]
pub(crate) struct Assigned {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    /// Where to begin, and to go on where an offset is gone. Without one, only the user says.
    pub(crate) start: Option<StartFrom>,
    /// What is fetched next; -1 until it is looked up.
    pub(crate) position: i64,
    /// What is handed to the user next.
    pub(crate) delivered: i64,
    /// The epoch of the last record that was handed over; -1 where there is none.
    pub(crate) leader_epoch: i32,
    /// What the user is done with, and its epoch: all that lies before the record in hand.
    pub(crate) done: (i64, i32),
    /// What is known to be committed.
    pub(crate) committed: i64,
    pub(crate) high_watermark: Option<i64>,
    pub(crate) is_paused: bool,
    /// Records are fetched and handed over.
    pub(crate) is_open: bool,
    /// It belongs to this consumer; while it is given up, it is so and no longer open.
    pub(crate) is_ours: bool,
    /// Counts moves: what was fetched before one is dropped.
    pub(crate) generation: u64,
    pub(crate) not_before: Option<Instant>,
    pub(crate) is_fetching: bool,
    /// The error that was told last, so that a lasting one is told once.
    pub(crate) told: Option<ErrorCode>,
}

impl Assigned {
    pub(crate) fn new(topic: &str, partition: i32, start: Option<StartFrom>, position: i64) -> Self {
        Self {
            topic: Arc::from(topic),
            partition,
            start,
            position,
            delivered: position,
            leader_epoch: -1,
            done: (position, -1),
            committed: -1,
            high_watermark: None,
            is_paused: false,
            is_open: true,
            is_ours: true,
            generation: 0,
            not_before: None,
            is_fetching: false,
            told: None,
        }
    }

    pub(crate) fn move_to(&mut self, offset: i64) {
        (self.position, self.delivered) = (offset, offset);
        self.generation = self.generation.wrapping_add(1);
    }

    /// A move that the user wants: all before it is done with.
    pub(crate) fn seek_to(&mut self, offset: i64) {
        self.move_to(offset);
        (self.leader_epoch, self.done, self.not_before) = (-1, (offset, -1), None);
    }

    /// Hands over nothing more, and forgets what was fetched.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
        self.move_to(self.delivered);
    }
}

/// What a consumer and its tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Partitions stay where they are in here: what is fetched names them by place.
    pub(crate) partitions: Mutex<Vec<Assigned>>,
    pub(crate) buffered: AtomicUsize,
    pub(crate) wake: Notify,
    pub(crate) user: Mutex<User>,
    /// Rung when the user asks, once it was too late.
    pub(crate) asked: Notify,
}

/// What the user does.
#[derive(Debug)]
pub(crate) struct User {
    /// When it asked, or was given something.
    pub(crate) seen: Instant,
    /// It waits for a record.
    pub(crate) is_waiting: bool,
    /// It stayed away for too long and did not ask since.
    pub(crate) is_late: bool,
}

/// What is found for the user.
#[derive(Debug)]
pub(crate) enum Found {
    Records(Records),
    Failed(Error),
    /// Nothing comes after it.
    Ended(Error),
}

#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) at: usize,
    pub(crate) generation: u64,
    pub(crate) next: i64,
    pub(crate) bytes: usize,
    pub(crate) records: VecDeque<ConsumerRecord>,
}

impl Shared {
    pub(crate) fn new(partitions: Vec<Assigned>) -> Self {
        Self {
            partitions: Mutex::new(partitions),
            buffered: AtomicUsize::new(0),
            wake: Notify::new(),
            user: Mutex::new(User { seen: Instant::now(), is_waiting: false, is_late: false }),
            asked: Notify::new(),
        }
    }

    /// The partitions that belong to this consumer.
    pub(crate) fn owned(&self) -> Vec<TopicPartition> {
        let partitions = self.partitions.lock();
        let ours = partitions.iter().filter(|one| one.is_ours);
        ours.map(|one| TopicPartition::new(&*one.topic, one.partition)).collect()
    }

    /// The next record, unless the partition was moved meanwhile. With the last one the position is behind all that was
    /// fetched, markers and gaps included; nothing means that all is taken.
    pub(crate) fn take(&self, found: &mut Records) -> Option<ConsumerRecord> {
        let mut partitions = self.partitions.lock();
        let one = partitions.get_mut(found.at).filter(|one| one.generation == found.generation)?;
        let record = found.records.pop_front();
        one.leader_epoch = record.as_ref().map_or(one.leader_epoch, |record| record.leader_epoch);
        one.delivered = match &record {
            Some(record) if !found.records.is_empty() => record.offset.saturating_add(1),
            _ => one.delivered.max(found.next),
        };
        record
    }

    /// The user is done with all that it was given.
    pub(crate) fn settle(&self, given: &mut Vec<usize>) {
        if given.is_empty() {
            return;
        }
        let mut partitions = self.partitions.lock();
        for at in given.drain(..) {
            if let Some(one) = partitions.get_mut(at).filter(|one| one.is_open) {
                one.done = (one.delivered, one.leader_epoch);
            }
        }
    }

    /// Changes a partition that is read.
    pub(crate) fn change(&self, topic: &str, partition: i32, change: impl FnOnce(&mut Assigned)) -> Result<()> {
        let mut partitions = self.partitions.lock();
        let is_it = |one: &&mut Assigned| &*one.topic == topic && one.partition == partition && one.is_ours;
        let missing = || Error::new(Kind::Config, format!("{topic}-{partition} is not assigned to this consumer"));
        change(partitions.iter_mut().find(is_it).ok_or_else(missing)?);
        drop(partitions);
        self.wake.notify_one();
        Ok(())
    }

    /// Makes room for what was taken.
    pub(crate) fn release(&self, found: &Records) {
        self.buffered.fetch_sub(found.bytes, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// The user asked; it waits, or has what it asked for.
    pub(crate) fn seen(&self, is_waiting: bool) {
        let mut user = self.user.lock();
        (user.seen, user.is_waiting) = (Instant::now(), is_waiting);
        if std::mem::take(&mut user.is_late) {
            self.asked.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64) -> ConsumerRecord {
        ConsumerRecord {
            topic: Arc::from("t"),
            partition: 0,
            leader_epoch: 3,
            offset,
            timestamp: 0,
            is_log_append_time: false,
            compression: highwater_protocol::records::compression::Compression::None,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    /// Records 10 to 12, and a marker behind them.
    fn stand() -> (Shared, Records) {
        let shared = Shared::new(vec![Assigned::new("t", 0, Some(StartFrom::Earliest), 10)]);
        shared.buffered.store(100, Ordering::Release);
        let records = [10, 11, 12].map(record).into();
        (shared, Records { at: 0, generation: 0, next: 14, bytes: 100, records })
    }

    #[test]
    fn what_was_fetched_before_a_move_is_dropped() {
        let (shared, mut found) = stand();
        shared.partitions.lock()[0].move_to(50);
        assert_eq!(shared.take(&mut found), None);
        assert_eq!(shared.partitions.lock()[0].delivered, 50);
        shared.release(&found);
        assert_eq!(shared.buffered.load(Ordering::Acquire), 0);
    }

    #[test]
    fn the_position_goes_behind_a_marker_with_the_record_before_it() {
        let (shared, mut found) = stand();
        let mut positions = Vec::new();
        while shared.take(&mut found).is_some() {
            positions.push(shared.partitions.lock()[0].delivered);
        }
        assert_eq!(positions, [11, 12, 14]);
    }

    #[test]
    fn the_record_in_hand_is_not_done_with() {
        let (shared, mut found) = stand();
        shared.take(&mut found);
        assert_eq!(shared.partitions.lock()[0].done, (10, -1));
        shared.settle(&mut vec![0]);
        shared.take(&mut found);
        assert_eq!(shared.partitions.lock()[0].done, (11, 3));
        // What is given up in between stays as it was.
        shared.partitions.lock()[0].close();
        shared.settle(&mut vec![0]);
        assert_eq!(shared.partitions.lock()[0].done, (11, 3));
    }
}
