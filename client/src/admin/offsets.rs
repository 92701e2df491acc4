//! Offsets by place or by time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use highwater_protocol::message::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};

use super::{Admin, TIMEOUT_MS};
use crate::consumer::StartFrom;
use crate::error::{Result, checked};

/// What the protocol asks for in place of a timestamp.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// An offset that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedOffset {
    /// Of which topic.
    pub topic: String,
    /// Of which partition.
    pub partition: i32,
    /// -1 where no record is as late as was asked.
    pub offset: i64,
    /// The record's, where it was asked by time.
    pub timestamp: i64,
}

impl Admin {
    /// Looks up offsets, in the order of `wanted`.
    pub async fn list_offsets(&self, wanted: &[(String, i32, StartFrom)]) -> Result<Vec<ListedOffset>> {
        let mut leaders: BTreeMap<i32, Vec<(usize, i64)>> = BTreeMap::new();
        let mut names: Vec<&str> = wanted.iter().map(|(topic, ..)| topic.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let metadata = self.client.metadata(Some(&names)).await?;
        let mut found: Vec<ListedOffset> = Vec::with_capacity(wanted.len());
        for (at, (topic, partition, start)) in wanted.iter().enumerate() {
            let timestamp = match start {
                StartFrom::Earliest => Some(EARLIEST),
                StartFrom::Latest => Some(LATEST),
                StartFrom::Timestamp(timestamp) => Some((*timestamp).max(0)),
                StartFrom::Offset(_) => None,
            };
            let offset = if let StartFrom::Offset(offset) = start { *offset } else { -1 };
            found.push(ListedOffset { topic: topic.clone(), partition: *partition, offset, timestamp: -1 });
            if let (Some(timestamp), Some(topic)) = (timestamp, metadata.topics.get(topic)) {
                leaders.entry(topic.leader_of(*partition)?).or_default().push((at, timestamp));
            }
        }
        for (leader, asks) in leaders {
            self.ask_offsets(leader, &asks, &mut found).await?;
        }
        Ok(found)
    }

    /// A partition may be asked for only once in a request, so what is asked twice goes in a request of its own.
    async fn ask_offsets(&self, leader: i32, asks: &[(usize, i64)], found: &mut [ListedOffset]) -> Result<()> {
        let mut left = asks.to_vec();
        while !left.is_empty() {
            let mut topics: BTreeMap<String, BTreeMap<i32, (usize, i64)>> = BTreeMap::new();
            let mut later = Vec::new();
            for (at, timestamp) in left {
                let Some(one) = found.get(at) else { continue };
                match topics.entry(one.topic.clone()).or_default().entry(one.partition) {
                    Entry::Vacant(vacant) => {
                        vacant.insert((at, timestamp));
                    }
                    Entry::Occupied(_) => later.push((at, timestamp)),
                }
            }
            self.ask_once(leader, &topics, found).await?;
            left = later;
        }
        Ok(())
    }

    async fn ask_once(
        &self,
        leader: i32,
        asks: &BTreeMap<String, BTreeMap<i32, (usize, i64)>>,
        found: &mut [ListedOffset],
    ) -> Result<()> {
        let partition = |(index, (_, timestamp)): (&i32, &(usize, i64))| ListOffsetsPartition {
            partition_index: *index,
            current_leader_epoch: -1,
            timestamp: *timestamp,
            ..ListOffsetsPartition::default()
        };
        let topic = |(name, partitions): (&String, &BTreeMap<i32, (usize, i64)>)| ListOffsetsTopic {
            name: name.clone(),
            partitions: partitions.iter().map(partition).collect(),
        };
        let request = ListOffsetsRequest {
            replica_id: -1,
            isolation_level: 0,
            topics: asks.iter().map(topic).collect(),
            timeout_ms: TIMEOUT_MS,
        };
        let response = self.client.call(leader, &request).await?;
        for topic in response.topics {
            for answer in topic.partitions {
                let index = answer.partition_index;
                checked(answer.error_code, || format!("listing offsets of {}-{index}", topic.name), None)?;
                let at = asks.get(&topic.name).and_then(|partitions| partitions.get(&index)).map(|(at, _)| *at);
                if let Some(one) = at.and_then(|at| found.get_mut(at)) {
                    (one.offset, one.timestamp) = (answer.offset, answer.timestamp);
                }
            }
        }
        Ok(())
    }

    /// Where to begin reading: a time later than every record is the end.
    pub(crate) async fn start_offsets(&self, wanted: &[(String, i32, StartFrom)]) -> Result<Vec<i64>> {
        let mut listed = self.list_offsets(wanted).await?;
        let late = |(one, (_, _, start)): (&ListedOffset, &(String, i32, StartFrom))| {
            one.offset < 0 && !matches!(start, StartFrom::Offset(_))
        };
        let too_late: Vec<usize> =
            listed.iter().zip(wanted).enumerate().filter(|(_, pair)| late(*pair)).map(|(at, _)| at).collect();
        if !too_late.is_empty() {
            let ends: Vec<(String, i32, StartFrom)> = too_late
                .iter()
                .filter_map(|at| listed.get(*at))
                .map(|one| (one.topic.clone(), one.partition, StartFrom::Latest))
                .collect();
            for (at, end) in too_late.iter().zip(self.list_offsets(&ends).await?) {
                if let Some(one) = listed.get_mut(*at) {
                    one.offset = end.offset;
                }
            }
        }
        Ok(listed.into_iter().map(|one| one.offset).collect())
    }
}
