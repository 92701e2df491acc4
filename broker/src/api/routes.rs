//! From key to handler. A key is served when it is here, and advertised because it is served.

use highwater_protocol::api::ApiKey;
use highwater_protocol::error::DecodeError;
use highwater_protocol::message::{
    AlterConfigsRequest, ApiVersionsRequest, ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    DescribeClusterRequest, DescribeConfigsRequest, DescribeGroupsRequest, DescribeLogDirsRequest,
    DescribeProducersRequest, DescribeTopicPartitionsRequest, FetchRequest, FindCoordinatorRequest, HeartbeatRequest,
    IncrementalAlterConfigsRequest, InitProducerIdRequest, JoinGroupRequest, LeaveGroupRequest,
    ListConfigResourcesRequest, ListGroupsRequest, ListOffsetsRequest, Message, MetadataRequest, OffsetCommitRequest,
    OffsetDeleteRequest, OffsetFetchRequest, OffsetForLeaderEpochRequest, ProduceRequest, SyncGroupRequest,
};
use highwater_protocol::wire::Reader;

use super::{
    Answer, Asked, admin, api_versions, configs, describe, fetch, groups, list_offsets, metadata,
    offset_for_leader_epoch, produce, producers,
};
use crate::turn::Turn;

/// The keys that are served.
pub(crate) const SERVED: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::ApiVersions,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeConfigs,
    ApiKey::AlterConfigs,
    ApiKey::DescribeLogDirs,
    ApiKey::CreatePartitions,
    ApiKey::DeleteGroups,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::OffsetDelete,
    ApiKey::DescribeCluster,
    ApiKey::DescribeProducers,
    ApiKey::ConsumerGroupHeartbeat,
    ApiKey::ConsumerGroupDescribe,
    ApiKey::ListConfigResources,
    ApiKey::DescribeTopicPartitions,
];

pub(crate) fn is_served(key: ApiKey) -> bool {
    SERVED.contains(&key)
}

/// Decodes the body and calls the handler.
pub(crate) fn route(asked: &Asked, key: ApiKey, reader: Reader, turn: &mut Turn) -> Result<Answer, DecodeError> {
    let version = asked.version;
    Ok(match key {
        ApiKey::Produce => produce::handle(asked, body::<ProduceRequest>(reader, version)?, turn),
        ApiKey::Fetch => fetch::handle(asked, body::<FetchRequest>(reader, version)?),
        ApiKey::ListOffsets => list_offsets::handle(asked, body::<ListOffsetsRequest>(reader, version)?),
        ApiKey::Metadata => metadata::handle(asked, body::<MetadataRequest>(reader, version)?, turn),
        ApiKey::ApiVersions => api_versions::handle(asked, &body::<ApiVersionsRequest>(reader, version)?),
        ApiKey::FindCoordinator => groups::find(asked, body::<FindCoordinatorRequest>(reader, version)?),
        ApiKey::OffsetCommit => groups::commit(asked, body::<OffsetCommitRequest>(reader, version)?, turn),
        ApiKey::OffsetFetch => groups::fetch(asked, body::<OffsetFetchRequest>(reader, version)?, turn),
        ApiKey::OffsetDelete => groups::delete_offsets(asked, body::<OffsetDeleteRequest>(reader, version)?, turn),
        ApiKey::JoinGroup => groups::join(asked, body::<JoinGroupRequest>(reader, version)?, turn),
        ApiKey::SyncGroup => groups::sync(asked, body::<SyncGroupRequest>(reader, version)?, turn),
        ApiKey::Heartbeat => groups::heartbeat(asked, body::<HeartbeatRequest>(reader, version)?, turn),
        ApiKey::LeaveGroup => groups::leave(asked, body::<LeaveGroupRequest>(reader, version)?, turn),
        ApiKey::DescribeGroups => groups::describe(asked, body::<DescribeGroupsRequest>(reader, version)?, turn),
        ApiKey::ListGroups => groups::list(asked, &body::<ListGroupsRequest>(reader, version)?, turn),
        ApiKey::DeleteGroups => groups::delete(asked, body::<DeleteGroupsRequest>(reader, version)?, turn),
        ApiKey::ConsumerGroupHeartbeat => {
            groups::consumer_heartbeat(asked, body::<ConsumerGroupHeartbeatRequest>(reader, version)?, turn)
        }
        ApiKey::ConsumerGroupDescribe => {
            groups::describe_consumer(asked, body::<ConsumerGroupDescribeRequest>(reader, version)?, turn)
        }
        ApiKey::CreateTopics => admin::create_topics(asked, body::<CreateTopicsRequest>(reader, version)?, turn),
        ApiKey::DeleteTopics => admin::delete_topics(asked, body::<DeleteTopicsRequest>(reader, version)?, turn),
        ApiKey::CreatePartitions => {
            admin::create_partitions(asked, body::<CreatePartitionsRequest>(reader, version)?, turn)
        }
        ApiKey::DeleteRecords => admin::delete_records(asked, body::<DeleteRecordsRequest>(reader, version)?, turn),
        ApiKey::InitProducerId => producers::init(asked, body::<InitProducerIdRequest>(reader, version)?),
        ApiKey::DescribeProducers => {
            producers::describe(asked, body::<DescribeProducersRequest>(reader, version)?, turn)
        }
        ApiKey::OffsetForLeaderEpoch => {
            offset_for_leader_epoch::handle(asked, &body::<OffsetForLeaderEpochRequest>(reader, version)?)
        }
        ApiKey::DescribeConfigs => configs::describe(asked, &body::<DescribeConfigsRequest>(reader, version)?),
        ApiKey::AlterConfigs => configs::alter(asked, body::<AlterConfigsRequest>(reader, version)?, turn),
        ApiKey::IncrementalAlterConfigs => {
            configs::incremental(asked, body::<IncrementalAlterConfigsRequest>(reader, version)?, turn)
        }
        ApiKey::ListConfigResources => configs::list(asked, &body::<ListConfigResourcesRequest>(reader, version)?),
        ApiKey::DescribeCluster => describe::cluster(asked, &body::<DescribeClusterRequest>(reader, version)?),
        ApiKey::DescribeLogDirs => describe::log_dirs(asked, &body::<DescribeLogDirsRequest>(reader, version)?),
        ApiKey::DescribeTopicPartitions => {
            describe::topic_partitions(asked, &body::<DescribeTopicPartitionsRequest>(reader, version)?)
        }
        other => return Err(DecodeError::UnknownKey(other.number())),
    })
}

fn body<M: Message>(mut reader: Reader, version: i16) -> Result<M, DecodeError> {
    let body = M::decode(&mut reader, version)?;
    reader.finish()?;
    Ok(body)
}
