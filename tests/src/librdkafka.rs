//! A producer that is not ours: librdkafka's, idempotent, in a process of its own that writes through the broker's deaths.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::calls;
use crate::process::lines;
use crate::wire::Wire;

/// A process that produces until it is told to stop.
pub struct Librdkafka {
    child: Child,
    acknowledgements: mpsc::Receiver<String>,
    topic: String,
    partitions: Vec<Partition>,
}

/// Number `n` of a partition belongs at offset `n`.
#[derive(Clone, Default)]
struct Partition {
    /// Behind the highest acknowledged offset.
    acknowledged: i64,
    /// Acknowledged records.
    count: u64,
    /// How far it was read.
    end: i64,
}

impl Librdkafka {
    /// Begins to write to a topic that exists and is empty.
    pub fn start(address: SocketAddr, topic: &str, partitions: usize) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("../target/tools/bin/python3");
        let mut command = Command::new(&python);
        command.arg("-B").arg(root.join("power/producer.py")).arg(address.to_string()).arg(topic);
        command.arg(partitions.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let started = command.spawn();
        let mut child = started
            .unwrap_or_else(|error| panic!("{} does not run ({error}): run tests/tools first", python.display()));
        let acknowledgements = lines(child.stdout.take().expect("piped"));
        Self { child, acknowledgements, topic: topic.to_owned(), partitions: vec![Partition::default(); partitions] }
    }

    /// Takes in what was acknowledged so far, then reads what is new, and holds one against the other. Returns how many records
    /// were acknowledged in all.
    pub fn check(&mut self, wire: &mut Wire) -> io::Result<u64> {
        self.acknowledged();
        for index in 0..self.partitions.len() {
            self.read(wire, index)?;
        }
        Ok(self.acknowledged())
    }

    /// How many records were acknowledged so far.
    pub fn acknowledged(&mut self) -> u64 {
        while let Ok(line) = self.acknowledgements.try_recv() {
            self.acknowledge(&line);
        }
        self.partitions.iter().map(|partition| partition.count).sum()
    }

    /// Lets it end, and checks all that it wrote.
    pub fn finish(mut self, wire: &mut Wire) -> u64 {
        drop(self.child.stdin.take());
        while let Ok(line) = self.acknowledgements.recv() {
            self.acknowledge(&line);
        }
        let status = self.child.wait().expect("waits");
        assert!(status.success(), "librdkafka had every record acknowledged: {status}");
        let records = self.check(wire).expect("reads");
        for (index, partition) in self.partitions.iter().enumerate() {
            assert_eq!(partition.acknowledged, partition.end, "{}-{index} holds what was sent, once", self.topic);
        }
        records
    }

    fn acknowledge(&mut self, line: &str) {
        let mut words = line.split(' ').map(|word| word.parse::<i64>().expect("a number"));
        let mut next = || words.next().expect("partition, offset, number");
        let (index, offset, number) = (next(), next(), next());
        assert_eq!(offset, number, "{}-{index} acknowledged a record at the offset of another", self.topic);
        let partition = &mut self.partitions[usize::try_from(index).expect("a partition")];
        partition.acknowledged = partition.acknowledged.max(offset + 1);
        partition.count += 1;
    }

    fn read(&mut self, wire: &mut Wire, index: usize) -> io::Result<()> {
        let name = format!("{}-{index}", self.topic);
        let partition = &mut self.partitions[index];
        let number = i32::try_from(index).expect("few partitions");
        for record in calls::read_all(wire, &self.topic, number, partition.end)? {
            let value = record.value.as_deref().unwrap_or_default();
            let number = value.split(|byte| *byte == b' ').next().and_then(|digits| std::str::from_utf8(digits).ok());
            assert_eq!(record.offset, partition.end, "{name} has a gap in its offsets");
            let expected = partition.end.to_string();
            assert_eq!(number, Some(expected.as_str()), "{name}: each record once and in order");
            partition.end += 1;
        }
        let (acknowledged, end) = (partition.acknowledged, partition.end);
        assert!(acknowledged <= end, "{name} ends at {end}; acknowledged were records below {acknowledged}");
        Ok(())
    }
}

impl Drop for Librdkafka {
    fn drop(&mut self) {
        // It has ended already where all went well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
