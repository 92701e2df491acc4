//! What a group machine has to know of the cluster around it: which topics there are, and the settings for groups.

use std::sync::Arc;

use crate::config::Settings;
use crate::config::group::GroupConfig;
use crate::controller::image::Image;

/// The cluster, as of one image.
#[derive(Default)]
pub struct Cluster {
    /// The controller's committed image.
    pub image: Arc<Image>,
    /// The broker's settings for groups.
    pub groups: GroupConfig,
}

impl Cluster {
    /// What an image says to a broker that was started with `fixed`.
    pub fn new(image: Arc<Image>, node_id: i32, fixed: &Settings) -> Self {
        let groups = GroupConfig::of(&image.broker_settings(node_id, fixed));
        Self { image, groups }
    }
}
