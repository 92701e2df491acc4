//! What administers: topics, offsets, configuration, the cluster itself.

mod cluster;
mod configs;
mod groups;
mod offsets;
mod topics;

pub use cluster::ClusterDescription;
pub use configs::{ConfigChange, ConfigEntry, ConfigResource};
pub use groups::{CommittedOffset, GroupDescription, GroupListing, MemberDescription, MemberTarget};
pub use offsets::ListedOffset;
pub use topics::NewTopic;

use crate::cluster::Client;

/// How long a broker may take for what it is asked.
const TIMEOUT_MS: i32 = 30_000;

/// Administers a cluster. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admin {
    client: Client,
}

impl Admin {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
