//! Who this data directory belongs to: written once, when the directory is new.

use std::path::Path;

use highwater_storage::atomic_file;
use highwater_storage::disk::Disk;
use prost::Message;
use uuid::Uuid;

use crate::error::NodeError;

/// The file that holds it.
pub const IDENTITY_FILE: &str = "identity";

/// A node and its directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Kafka's node.id.
    pub node_id: i32,
    /// Drawn when the directory was new; a lost disk comes back with another.
    pub directory_id: Uuid,
    /// The cluster this directory is part of.
    pub cluster_id: Uuid,
}

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(int32, tag = "1")]
    node_id: i32,
    #[prost(bytes = "vec", tag = "2")]
    directory_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    cluster_id: Vec<u8>,
}

impl Identity {
    /// Reads the directory's identity, or gives it one. A directory of another node is refused.
    pub(crate) fn open(
        disk: &dyn Disk,
        root: &Path,
        node_id: i32,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Self, NodeError> {
        match Self::read(disk, root)? {
            Some(found) if found.node_id == node_id => Ok(found),
            Some(found) => Err(NodeError::Identity(format!(
                "the data directory {} belongs to node.id {}, and this node was started as node.id {node_id}: \
                 start it with the id of its directory, or give it an empty directory",
                root.display(),
                found.node_id
            ))),
            None => {
                let made = Self { node_id, directory_id: draw(random), cluster_id: draw(random) };
                atomic_file::write(disk, root, IDENTITY_FILE, &made.stored().encode_to_vec())?;
                Ok(made)
            }
        }
    }

    /// Reads the directory's identity, if it has one.
    pub fn read(disk: &dyn Disk, root: &Path) -> Result<Option<Self>, NodeError> {
        let Some(bytes) = atomic_file::read(disk, root, IDENTITY_FILE)? else { return Ok(None) };
        let damaged = || {
            NodeError::Identity(format!(
                "{} does not decode: restore it from a copy; the data beside it is untouched",
                root.join(IDENTITY_FILE).display()
            ))
        };
        let stored = Stored::decode(bytes.as_ref()).map_err(|_| damaged())?;
        let id = |bytes: &[u8]| Uuid::from_slice(bytes).map_err(|_| damaged());
        Ok(Some(Self {
            node_id: stored.node_id,
            directory_id: id(&stored.directory_id)?,
            cluster_id: id(&stored.cluster_id)?,
        }))
    }

    fn stored(&self) -> Stored {
        Stored {
            node_id: self.node_id,
            directory_id: self.directory_id.as_bytes().to_vec(),
            cluster_id: self.cluster_id.as_bytes().to_vec(),
        }
    }
}

/// A random (version 4) id from the node's source of chance.
pub(crate) fn draw(random: &mut dyn FnMut() -> u64) -> Uuid {
    let (high, low) = (random(), random());
    uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes()).into_uuid()
}
