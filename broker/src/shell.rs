//! What every connection shares.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use highwater_core::config::describe::broker_value;
use highwater_core::controller::image::Image;
use highwater_core::data::DataMachine;
use highwater_node::{Clock, Node, Partition, Replica};
use highwater_protocol::error_code::ErrorCode;
use highwater_storage::error::StorageError;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::api::fetch::session::Sessions;
use crate::config::Config;
use crate::drivers::{Clocks, Nudges};
use crate::metrics::Metrics;
use crate::server::memory::Memory;
use crate::turn::Turn;

/// The node and what stands around it.
pub(crate) struct Shell {
    pub(crate) node: Arc<Node>,
    pub(crate) nudges: Arc<Nudges>,
    pub(crate) clocks: Clocks,
    pub(crate) config: Config,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) per_address: Mutex<BTreeMap<std::net::IpAddr, usize>>,
}

impl Shell {
    pub(crate) fn clock(&self) -> Clock {
        self.clocks.read()
    }

    pub(crate) fn image(&self) -> Arc<Image> {
        self.node.image()
    }

    /// The replica of a partition of a user's topic, which takes records.
    pub(crate) fn replica(
        &self,
        image: &Image,
        name: &str,
        id: Uuid,
        partition: i32,
    ) -> Result<Arc<Replica<DataMachine>>, ErrorCode> {
        let topic = named(image, name, id, partition)?;
        self.node.data(topic, partition).ok_or_else(|| match self.node.group(topic, partition) {
            Some(_) => ErrorCode::InvalidTopicException,
            None => ErrorCode::NotLeaderOrFollower,
        })
    }

    /// A partition of any topic, to be read.
    pub(crate) fn partition(
        &self,
        image: &Image,
        name: &str,
        id: Uuid,
        partition: i32,
    ) -> Result<Arc<dyn Partition>, ErrorCode> {
        let topic = named(image, name, id, partition)?;
        self.node.partition(topic, partition).ok_or(ErrorCode::NotLeaderOrFollower)
    }

    /// Makes the replicas here what the newest image asks for: a change that was answered acts from then on.
    pub(crate) async fn carry_out_image(self: &Arc<Self>) {
        let shell = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let mut turn = Turn::default();
            let done = shell.node.reconcile(shell.clock(), &mut turn);
            turn.finish(&shell.nudges);
            done
        });
        if let Ok(Err(error)) = done.await {
            tracing::error!(%error, "cannot host what the controller put here");
        }
    }

    /// A read of a partition failed: what that means for the partition, and for the client.
    pub(crate) fn read_failed(&self, partition: &Arc<dyn Partition>, error: &StorageError) -> ErrorCode {
        let mut turn = Turn::default();
        Arc::clone(partition).read_failed(error, &mut turn);
        turn.finish(&self.nudges);
        ErrorCode::KafkaStorageError
    }

    /// A broker's setting in force.
    pub(crate) fn setting(&self, name: &str) -> String {
        let image = self.image();
        let broker = image.broker_settings(self.node.identity().node_id, self.node.static_config());
        broker_value(name, &broker)
    }
}

/// The id of the topic that a request names, by its name or by its id where there is one, if it has that partition.
fn named(image: &Image, name: &str, id: Uuid, partition: i32) -> Result<Uuid, ErrorCode> {
    let by_id = !id.is_nil();
    let topic = if by_id { image.topic_by_id(id) } else { image.topic(name) };
    let topic = topic.ok_or(if by_id { ErrorCode::UnknownTopicId } else { ErrorCode::UnknownTopicOrPartition })?;
    let is_known = usize::try_from(partition).is_ok_and(|partition| partition < topic.partitions.len());
    is_known.then_some(topic.id).ok_or(ErrorCode::UnknownTopicOrPartition)
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);
