//! What a consumer has from its group: what it was assigned, and commits.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::Consumer;
use super::partitions::{Found, Shared};
use crate::cluster::Client;
use crate::error::{Error, Kind, Result};
use crate::group::{Group, GroupSettings, Member, OffsetAndMetadata, TopicPartition, watch};
use crate::record::ConsumerRecord;

/// A consumer's membership.
#[derive(Debug)]
pub(super) struct Grouped {
    group: Arc<Group>,
    leave: oneshot::Sender<oneshot::Sender<Result<()>>>,
    tasks: Vec<tokio::task::AbortHandle>,
}

impl Drop for Grouped {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

impl Grouped {
    pub(super) fn begin(
        client: Client,
        settings: GroupSettings,
        shared: Arc<Shared>,
        found: mpsc::UnboundedSender<Found>,
    ) -> Result<Self> {
        let group = Arc::new(Group::new(client, settings, shared, found));
        let (leave, leaving) = oneshot::channel();
        let member = tokio::spawn(Member::new(Arc::clone(&group))?.run(leaving));
        let committer = tokio::spawn(Arc::clone(&group).commit_by_interval());
        let mut tasks = vec![member.abort_handle(), committer.abort_handle()];
        tasks.push(tokio::spawn(watch(Arc::clone(&group), member)).abort_handle());
        Ok(Self { group, leave, tasks })
    }
}

impl Consumer {
    /// What the group has assigned to this consumer; without a group, what it was told to read.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        let partitions = self.shared.partitions.lock();
        let ours = partitions.iter().filter(|one| one.is_ours);
        ours.map(|one| TopicPartition::new(&*one.topic, one.partition)).collect()
    }

    /// The offset that is read next in a partition; `None` where it is not assigned or not looked up yet.
    pub fn position(&self, topic: &str, partition: i32) -> Option<i64> {
        let partitions = self.shared.partitions.lock();
        let found = partitions.iter().find(|one| one.is_ours && &*one.topic == topic && one.partition == partition);
        found.map(|one| one.delivered).filter(|offset| *offset >= 0)
    }

    /// Commits all that was handed over, and waits for it.
    pub async fn commit(&self) -> Result<()> {
        let group = self.group()?;
        group.commit(group.delivered(), false).await
    }

    /// Commits some offsets, and waits for it. [`OffsetAndMetadata::after`] is what is due when a record is done with.
    pub async fn commit_offsets(&self, offsets: BTreeMap<TopicPartition, OffsetAndMetadata>) -> Result<()> {
        self.group()?.commit(offsets, false).await
    }

    /// Commits a record and all before it in its partition, and waits for it.
    pub async fn commit_record(&self, record: &ConsumerRecord) -> Result<()> {
        let partition = TopicPartition::new(&*record.topic, record.partition);
        self.commit_offsets(BTreeMap::from([(partition, OffsetAndMetadata::after(record))])).await
    }

    /// Begins to commit some offsets. What is returned tells how it went, and need not be waited for.
    pub fn commit_async(
        &self,
        offsets: BTreeMap<TopicPartition, OffsetAndMetadata>,
    ) -> Result<impl Future<Output = Result<()>> + Send + use<>> {
        let group = Arc::clone(self.group()?);
        let task = tokio::spawn(async move { group.commit(offsets, false).await });
        let gone = |_| Err(Error::new(Kind::Closed, "the runtime ended before the commit did"));
        Ok(async move { task.await.unwrap_or_else(gone) })
    }

    /// What the group has committed of some partitions. What was never committed is left out.
    pub async fn committed(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, OffsetAndMetadata>> {
        self.group()?.committed(partitions).await
    }

    /// All that was handed over is done with: commits it, unless commits are manual, and leaves the group. A static member
    /// stays, to be restarted. An error says that the commit failed; the group is left all the same.
    pub async fn close(mut self) -> Result<()> {
        self.shared.settle(&mut self.given);
        self.leave().await
    }

    /// As [`Consumer::close`], but what was handed over last comes again, here or elsewhere.
    pub async fn leave(mut self) -> Result<()> {
        let Some(mut group) = self.group.take() else { return Ok(()) };
        let (tell, left) = oneshot::channel();
        let (leave, _) = oneshot::channel();
        // A member that was refused has ended already.
        if std::mem::replace(&mut group.leave, leave).send(tell).is_err() {
            return Ok(());
        }
        let gone = |_| Err(Error::new(Kind::Closed, "the membership ended before it could leave the group"));
        left.await.unwrap_or_else(gone)
    }

    fn group(&self) -> Result<&Arc<Group>> {
        let missing = || Error::new(Kind::Config, "this consumer has no group: name one with group()");
        self.group.as_ref().map(|grouped| &grouped.group).ok_or_else(missing)
    }
}
