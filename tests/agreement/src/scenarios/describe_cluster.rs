//! DescribeCluster: brokers and the controller.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::DescribeClusterRequest;

use super::Scenario;
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario { key: ApiKey::DescribeCluster, name: "cluster", run: cluster }];

fn cluster(side: &mut Side) {
    for operations in [false, true] {
        for (name, endpoint_type) in [("brokers", 1), ("controllers", 2), ("type-0", 0), ("type-3", 3), ("type--1", -1)]
        {
            for fenced in [false, true] {
                let request = DescribeClusterRequest {
                    include_cluster_authorized_operations: operations,
                    endpoint_type,
                    include_fenced_brokers: fenced,
                };
                let operations = if operations { "-operations" } else { "" };
                let fenced = if fenced { "-fenced" } else { "" };
                side.case(&format!("{name}{operations}{fenced}"), &request);
            }
        }
    }
}
