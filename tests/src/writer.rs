//! A writer that remembers what the broker acknowledged, through any number of the broker's deaths.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut, BytesMut};
use highwater_protocol::message::ProduceRequest;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;

use crate::calls::{self, PRODUCE};
use crate::chance::Chance;
use crate::wire::Wire;

/// Requests that a writer has on the way at a time: fewer than a broker remembers batches of a producer.
const DEPTH: usize = 5;
/// The most that pads a record.
const PADDING: u64 = 2000;
/// The most records of a batch.
const RECORDS: u64 = 32;

/// Writes numbered records to all partitions of a topic in turn.
pub struct Writer {
    topic: String,
    acks: i16,
    producer_id: Option<i64>,
    partitions: Vec<Partition>,
    in_flight: VecDeque<usize>,
    turn: usize,
    chance: Chance,
    is_refusal_an_end: bool,
}

/// What is known of one partition.
#[derive(Default)]
struct Partition {
    next_number: u64,
    acknowledged: Vec<Acknowledged>,
    in_flight: VecDeque<Numbers>,
    checked: usize,
    end: i64,
    last_number: Option<u64>,
}

#[derive(Clone, Copy)]
struct Numbers {
    first: u64,
    count: u64,
}

#[derive(Clone, Copy)]
struct Acknowledged {
    base_offset: i64,
    numbers: Numbers,
}

impl Writer {
    /// A writer for a topic that exists. With a producer id it is idempotent, and sends again what it does not know of.
    pub fn new(topic: &str, partitions: usize, acks: i16, producer_id: Option<i64>, seed: u64) -> Self {
        Self {
            topic: topic.to_owned(),
            acks,
            producer_id,
            partitions: (0..partitions).map(|_| Partition::default()).collect(),
            in_flight: VecDeque::new(),
            turn: 0,
            chance: Chance::new(seed),
            is_refusal_an_end: false,
        }
    }

    /// A refused batch ends the writing as the broker's death does: its disk is gone.
    pub fn that_ends_when_refused(mut self) -> Self {
        self.is_refusal_an_end = true;
        self
    }

    /// Writes until the broker dies; counts what it acknowledges.
    pub fn write_until_it_dies(&mut self, address: SocketAddr, count: &AtomicU64) -> io::Error {
        match self.write(address, count) {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }

    fn write(&mut self, address: SocketAddr, count: &AtomicU64) -> io::Result<std::convert::Infallible> {
        let mut wire = Wire::connect(address)?;
        self.take_up(&mut wire)?;
        loop {
            while self.in_flight.len() < DEPTH {
                self.send_next(&mut wire)?;
            }
            self.receive_one(&mut wire)?;
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was on the way when the broker died: an idempotent writer sends it again, a plain one forgets it.
    fn take_up(&mut self, wire: &mut Wire) -> io::Result<()> {
        self.in_flight.clear();
        for index in 0..self.partitions.len() {
            if self.producer_id.is_none() {
                self.partitions[index].in_flight.clear();
            }
            for position in 0..self.partitions[index].in_flight.len() {
                let numbers = self.partitions[index].in_flight[position];
                wire.send(&self.request(index, numbers), PRODUCE)?;
                self.in_flight.push_back(index);
            }
        }
        Ok(())
    }

    fn send_next(&mut self, wire: &mut Wire) -> io::Result<()> {
        let index = self.turn % self.partitions.len();
        self.turn += 1;
        let count = 1 + self.chance.below(RECORDS);
        let partition = &mut self.partitions[index];
        let numbers = Numbers { first: partition.next_number, count };
        partition.next_number += count;
        partition.in_flight.push_back(numbers);
        self.in_flight.push_back(index);
        wire.send(&self.request(index, numbers), PRODUCE).map(drop)
    }

    fn receive_one(&mut self, wire: &mut Wire) -> io::Result<()> {
        let (_, response) = wire.receive::<ProduceRequest>(PRODUCE)?;
        let answer = &response.responses[0].partition_responses[0];
        let index = self.in_flight.pop_front().expect("an answer to something");
        assert_eq!(answer.index, as_partition(index), "the answer is for the oldest request");
        if self.is_refusal_an_end && answer.error_code != 0 {
            return Err(io::Error::other(format!("refused: {:?}", answer.error_message)));
        }
        assert_eq!(answer.error_code, 0, "{}-{index} is refused: {:?}", self.topic, answer.error_message);
        let partition = &mut self.partitions[index];
        let numbers = partition.in_flight.pop_front().expect("a batch on the way");
        partition.acknowledged.push(Acknowledged { base_offset: answer.base_offset, numbers });
        Ok(())
    }

    fn request(&self, index: usize, numbers: Numbers) -> ProduceRequest {
        let mut builder = BatchBuilder::new(Compression::None);
        if let Some(id) = self.producer_id {
            builder = builder.producer(id, 0, i32::try_from(numbers.first).expect("a test is shorter than that"));
        }
        for number in numbers.first..numbers.first + numbers.count {
            builder.push(&record(number));
        }
        let batch = builder.build().expect("a batch");
        calls::produce_request(&self.topic, as_partition(index), self.acks, batch)
    }

    /// Reads what is new since the last check, and holds it against what was acknowledged. Returns the acknowledged records.
    pub fn check(&mut self, wire: &mut Wire) -> io::Result<u64> {
        let mut records = 0;
        for index in 0..self.partitions.len() {
            records += self.check_partition(wire, index)?;
        }
        Ok(records)
    }

    /// Forgets what was checked: the next check reads everything.
    pub fn forget_checks(&mut self) {
        for partition in &mut self.partitions {
            (partition.checked, partition.end, partition.last_number) = (0, 0, None);
        }
    }

    fn check_partition(&mut self, wire: &mut Wire, index: usize) -> io::Result<u64> {
        let name = format!("{}-{index}", self.topic);
        let partition = &mut self.partitions[index];
        let read = calls::read_all(wire, &self.topic, as_partition(index), partition.end)?;
        let from = partition.end;
        for found in &read {
            let number = number_of(found);
            assert_eq!(found.offset, partition.end, "{name} has a gap in its offsets");
            assert_eq!(*found, Record { offset: found.offset, ..record(number) }, "{name} changed a record");
            match partition.last_number {
                Some(last) if self.producer_id.is_some() => {
                    assert_eq!(
                        number,
                        last + 1,
                        "{name} at {}: an idempotent writer's records, each once",
                        found.offset
                    );
                }
                Some(last) => assert!(number > last, "{name} at {}: {number} behind {last}", found.offset),
                None if self.producer_id.is_some() => assert_eq!(number, 0, "{name} begins with the first"),
                None => {}
            }
            partition.last_number = Some(number);
            partition.end += 1;
        }
        let mut records = 0;
        for acknowledged in &partition.acknowledged[partition.checked..] {
            for step in 0..acknowledged.numbers.count {
                let offset = acknowledged.base_offset + i64::try_from(step).expect("small");
                let number = acknowledged.numbers.first + step;
                records += 1;
                // Read before it was acknowledged: sent again after a kill, and already there.
                if offset < from {
                    assert!(self.producer_id.is_some(), "{name} acknowledged the old offset {offset}");
                    assert_eq!(u64::try_from(offset), Ok(number), "{name} acknowledged another batch's offset");
                    continue;
                }
                let place = usize::try_from(offset - from).expect("not below");
                let found = read.get(place).unwrap_or_else(|| panic!("{name} lost the acknowledged offset {offset}"));
                assert_eq!(number_of(found), number, "{name} at {offset} is another record");
            }
        }
        partition.checked = partition.acknowledged.len();
        Ok(records)
    }
}

/// The record of a number: its timestamp and its padding follow from it.
fn record(number: u64) -> Record {
    let mut value = BytesMut::new();
    value.put_u64(number);
    let padding = Chance::new(number).below(PADDING);
    value.put_bytes(b'a' + u8::try_from(number % 26).expect("a letter"), usize::try_from(padding).expect("small"));
    let timestamp = 1_700_000_000_000 + i64::try_from(number).expect("small");
    Record { value: Some(value.freeze()), timestamp, ..Record::default() }
}

fn number_of(record: &Record) -> u64 {
    let value = record.value.as_ref().expect("a value");
    u64::from_be_bytes(value[..8].try_into().expect("a number in front"))
}

fn as_partition(index: usize) -> i32 {
    i32::try_from(index).expect("few partitions")
}
