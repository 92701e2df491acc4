//! Which log is compacted next: the one with the largest share of what came since it last was.

use std::sync::Arc;

use highwater_core::config::cleaner::CleanerConfig;
use highwater_core::config::topic::TopicConfig;
use highwater_protocol::ids::{Index, Timestamp};
use highwater_storage::compaction::{Bounds, Compacted, Dirtiness, Throttle};
use highwater_storage::error::StorageError;

use crate::node::Node;
use crate::outbox::Outbox;
use crate::partition::Partition;

/// A pass over one log.
#[derive(Debug)]
pub struct Cleaned {
    /// What it has done.
    pub done: Compacted,
    /// The share of dirty bytes that it began with.
    pub ratio: f64,
}

struct Candidate {
    partition: Arc<dyn Partition>,
    bounds: Bounds,
    dirtiness: Dirtiness,
    is_overdue: bool,
}

impl Node {
    /// The settings for compaction.
    pub fn cleaner_config(&self) -> CleanerConfig {
        let image = self.image();
        CleanerConfig::of(&image.broker_settings(self.identity.node_id, &self.options.static_config))
    }

    /// Compacts the log that needs it most. `None`: none does. From one thread only.
    pub fn clean(&self, wall: Timestamp, throttle: Throttle<'_>, outbox: &mut dyn Outbox) -> Option<Cleaned> {
        let cleaner = self.cleaner_config();
        let next =
            self.partitions().into_iter().filter_map(|partition| self.candidate(partition, &cleaner, wall)).max_by(
                |one, other| {
                    let key = |candidate: &Candidate| (candidate.is_overdue, candidate.dirtiness.ratio());
                    key(one).partial_cmp(&key(other)).unwrap_or(std::cmp::Ordering::Equal)
                },
            )?;
        let key = next.partition.key().clone();
        let handle = self.store.handle(next.partition.log_id())?;
        match handle.compact(&next.bounds, throttle) {
            Ok(done) if done.is_stuck => {
                tracing::warn!(replica = %key, "cannot compact: one batch has more keys than log.cleaner.dedupe.buffer.size has room for; raise it");
                None
            }
            Ok(done) => {
                tracing::debug!(replica = %key, ?done, "compacted");
                Some(Cleaned { done, ratio: next.dirtiness.ratio() })
            }
            Err(StorageError::Interrupted) => None,
            Err(error @ StorageError::Corrupt { .. }) => {
                next.partition.read_failed(&error, outbox);
                None
            }
            Err(error) => {
                tracing::warn!(replica = %key, %error, "cannot compact; the log stays as it is");
                None
            }
        }
    }

    fn candidate(&self, partition: Arc<dyn Partition>, cleaner: &CleanerConfig, wall: Timestamp) -> Option<Candidate> {
        let (config, settled) = Arc::clone(&partition).cleaning()?;
        let bounds = bounds(&config, cleaner, settled, wall);
        let dirtiness = self.store.handle(partition.log_id())?.dirtiness(&bounds);
        let is_overdue =
            dirtiness.oldest.is_some_and(|oldest| wall.0.saturating_sub(oldest.0) > config.max_compaction_lag_ms);
        let is_due = dirtiness.dirty_bytes > 0 && (is_overdue || dirtiness.ratio() >= config.min_dirty_ratio);
        is_due.then_some(Candidate { partition, bounds, dirtiness, is_overdue })
    }
}

fn bounds(config: &TopicConfig, cleaner: &CleanerConfig, settled: Index, wall: Timestamp) -> Bounds {
    Bounds {
        settled,
        wall,
        min_lag_ms: config.min_compaction_lag_ms,
        delete_retention_ms: config.delete_retention_ms,
        map_bytes: cleaner.map_bytes,
        inflated_bytes: config.max_decompressed_bytes,
    }
}
