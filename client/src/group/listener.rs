//! Who hears of partitions that come and go.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Group, OffsetAndMetadata, TopicPartition};
use crate::error::Result;

/// What a listener does, to be waited for.
pub type Heard<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Hears of partitions that come and go, on the task of the membership, which heartbeats meanwhile.
pub trait RebalanceListener: Send + Sync + 'static {
    /// These come; no record of them was handed over yet, and a seek says where they begin.
    fn assigned<'a>(&'a self, rebalance: &'a Rebalance, partitions: &'a [TopicPartition]) -> Heard<'a> {
        let _ignored = (rebalance, partitions);
        Box::pin(std::future::ready(()))
    }

    /// These go to others once this returns; no record of them is handed over any more, and commits still count.
    fn revoked<'a>(&'a self, rebalance: &'a Rebalance, partitions: &'a [TopicPartition]) -> Heard<'a> {
        let _ignored = (rebalance, partitions);
        Box::pin(std::future::ready(()))
    }

    /// These are gone, and others may have them already.
    fn lost<'a>(&'a self, partitions: &'a [TopicPartition]) -> Heard<'a> {
        let _ignored = partitions;
        Box::pin(std::future::ready(()))
    }
}

/// What a listener can do while partitions come or go.
#[derive(Debug)]
pub struct Rebalance {
    pub(super) group: Arc<Group>,
}

impl Rebalance {
    /// Commits offsets.
    pub async fn commit(&self, offsets: BTreeMap<TopicPartition, OffsetAndMetadata>) -> Result<()> {
        self.group.commit(offsets, false).await
    }

    /// Where a partition that came begins.
    pub fn seek(&self, topic: &str, partition: i32, offset: i64) -> Result<()> {
        self.group.shared.change(topic, partition, |one| one.seek_to(offset))
    }

    /// The offset behind what was handed over of a partition; `None` where it is not assigned or not looked up yet.
    pub fn position(&self, topic: &str, partition: i32) -> Option<i64> {
        let wanted = TopicPartition::new(topic, partition);
        self.group.delivered().get(&wanted).map(|position| position.offset)
    }
}
