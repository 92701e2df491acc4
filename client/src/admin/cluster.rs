//! The cluster as a whole.

use highwater_protocol::message::DescribeClusterRequest;

use super::Admin;
use crate::cluster::Broker;
use crate::error::{Result, checked};

/// Endpoints that clients use, as opposed to controllers.
const BROKERS: i8 = 1;

/// A cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterDescription {
    /// Its id.
    pub cluster_id: String,
    /// Who decides; -1 is nobody.
    pub controller: i32,
    /// By id.
    pub brokers: Vec<Broker>,
}

impl Admin {
    /// Describes the cluster.
    pub async fn describe_cluster(&self) -> Result<ClusterDescription> {
        let request = DescribeClusterRequest { endpoint_type: BROKERS, ..DescribeClusterRequest::default() };
        let response = self.client.call_any(&request).await?;
        checked(response.error_code, || "describing the cluster".to_owned(), response.error_message.as_deref())?;
        let mut brokers: Vec<Broker> = response
            .brokers
            .into_iter()
            .map(|one| Broker { id: one.broker_id, host: one.host, port: one.port, rack: one.rack })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        Ok(ClusterDescription { cluster_id: response.cluster_id, controller: response.controller_id, brokers })
    }
}
