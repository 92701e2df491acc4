//! Brokers that come up.

use uuid::Uuid;

use super::change::{Change, FeatureChange, Kind};
use super::image::{Broker, Image, Listener};

/// Features that Kafka counts in levels, at the level that this release has, which is also the one that a cluster begins with.
pub const FEATURES: &[(&str, i16)] = &[("group.version", 1)];

/// What a broker says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Registration {
    /// Its number.
    pub node_id: i32,
    /// Its directory.
    pub directory_id: Uuid,
    /// The cluster its directory belongs to: that of the first broker becomes the cluster's.
    pub cluster_id: Uuid,
    /// Where it stands.
    pub rack: Option<String>,
    /// Where clients reach it.
    pub listeners: Vec<Listener>,
}

pub(super) fn changes(image: &Image, registration: &Registration) -> Vec<Change> {
    let mut changes = Vec::new();
    if image.cluster_id.is_nil() {
        changes.push(Kind::Cluster(registration.cluster_id.as_bytes().to_vec()).into());
    }
    let broker = Broker {
        node_id: registration.node_id,
        directory_id: registration.directory_id,
        rack: registration.rack.clone(),
        listeners: registration.listeners.clone(),
    };
    if image.brokers.get(&broker.node_id) != Some(&broker) {
        changes.push(Kind::Broker(broker.as_change()).into());
    }
    for (name, level) in FEATURES {
        if !image.features.contains_key(*name) {
            changes.push(Kind::Feature(FeatureChange { name: (*name).to_owned(), level: i32::from(*level) }).into());
        }
    }
    changes
}
