//! The calls that most tests make. An I/O error is the broker's death, which some tests want; an error code is returned.

use std::io;

use bytes::{Bytes, BytesMut};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use highwater_protocol::message::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use highwater_protocol::message::delete_topics_request::DeleteTopicState;
use highwater_protocol::message::fetch_request::{FetchPartition, FetchTopic};
use highwater_protocol::message::fetch_response::PartitionData;
use highwater_protocol::message::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use highwater_protocol::message::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use highwater_protocol::message::list_offsets_response::ListOffsetsPartitionResponse;
use highwater_protocol::message::metadata_request::MetadataRequestTopic;
use highwater_protocol::message::metadata_response::MetadataResponseTopic;
use highwater_protocol::message::produce_request::{PartitionProduceData, TopicProduceData};
use highwater_protocol::message::produce_response::PartitionProduceResponse;
use highwater_protocol::message::{
    CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest, FetchRequest, IncrementalAlterConfigsRequest,
    InitProducerIdRequest, ListOffsetsRequest, MetadataRequest, ProduceRequest,
};
use highwater_protocol::records::batch::Batch;
use highwater_protocol::records::record::{Record, records};

use crate::wire::Wire;

/// The version of Produce that carries names.
pub const PRODUCE: i16 = 12;
/// The version of Fetch that carries names.
pub const FETCH: i16 = 12;
/// What one fetch asks for.
const FETCH_BYTES: i32 = 16 << 20;

/// Creates a topic.
pub fn create_topic(
    wire: &mut Wire,
    name: &str,
    partitions: i32,
    configs: &[(&str, &str)],
) -> io::Result<Result<(), ErrorCode>> {
    let configs = configs
        .iter()
        .map(|(name, value)| CreatableTopicConfig { name: (*name).to_owned(), value: Some((*value).to_owned()) });
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.collect(),
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, validate_only: false };
    let response = wire.call(&request, 7)?;
    Ok(outcome(response.topics[0].error_code))
}

/// Deletes a topic.
pub fn delete_topic(wire: &mut Wire, name: &str) -> io::Result<Result<(), ErrorCode>> {
    let topics = vec![DeleteTopicState { name: Some(name.to_owned()), ..DeleteTopicState::default() }];
    let request = DeleteTopicsRequest { topics, timeout_ms: 10_000, ..DeleteTopicsRequest::default() };
    Ok(outcome(wire.call(&request, 6)?.responses[0].error_code))
}

/// What the broker says of topics; of all where none is named. Creates none.
pub fn metadata(wire: &mut Wire, names: Option<&[&str]>) -> io::Result<Vec<MetadataResponseTopic>> {
    let named = |name: &&str| MetadataRequestTopic { name: Some((*name).to_owned()), ..Default::default() };
    let topics = names.map(|names| names.iter().map(named).collect());
    let request = MetadataRequest { topics, allow_auto_topic_creation: false, ..MetadataRequest::default() };
    Ok(wire.call(&request, 12)?.topics)
}

/// A new producer id.
pub fn init_producer_id(wire: &mut Wire) -> io::Result<i64> {
    let request =
        InitProducerIdRequest { transactional_id: None, transaction_timeout_ms: i32::MAX, ..Default::default() };
    let response = wire.call(&request, 4)?;
    assert_eq!(code(response.error_code), ErrorCode::None, "InitProducerId is refused");
    Ok(response.producer_id)
}

/// A Produce of one batch for one partition.
pub fn produce_request(topic: &str, partition: i32, acks: i16, batch: BytesMut) -> ProduceRequest {
    let data = PartitionProduceData { index: partition, records: Some(batch) };
    let topic_data =
        vec![TopicProduceData { name: topic.to_owned(), partition_data: vec![data], ..TopicProduceData::default() }];
    ProduceRequest { acks, timeout_ms: 10_000, topic_data, ..ProduceRequest::default() }
}

/// Produces one batch and waits for the answer.
pub fn produce(
    wire: &mut Wire,
    topic: &str,
    partition: i32,
    acks: i16,
    batch: BytesMut,
) -> io::Result<PartitionProduceResponse> {
    let mut response = wire.call(&produce_request(topic, partition, acks, batch), PRODUCE)?;
    Ok(response.responses.remove(0).partition_responses.remove(0))
}

/// One fetch that does not wait.
pub fn fetch(wire: &mut Wire, topic: &str, partition: i32, from: i64) -> io::Result<PartitionData> {
    let partitions = vec![FetchPartition {
        partition,
        current_leader_epoch: -1,
        fetch_offset: from,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: FETCH_BYTES,
        ..FetchPartition::default()
    }];
    let topics = vec![FetchTopic { topic: topic.to_owned(), partitions, ..FetchTopic::default() }];
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: 0,
        min_bytes: 0,
        max_bytes: FETCH_BYTES,
        session_epoch: -1,
        topics,
        ..FetchRequest::default()
    };
    let mut response = wire.call(&request, FETCH)?;
    assert_eq!(response.error_code, 0, "the fetch as a whole is refused");
    Ok(response.responses.remove(0).partitions.remove(0))
}

/// All batches from an offset to the end of a partition.
pub fn batches(wire: &mut Wire, topic: &str, partition: i32, mut from: i64) -> io::Result<Vec<Batch>> {
    let mut all = Vec::new();
    loop {
        let data = fetch(wire, topic, partition, from)?;
        assert_eq!(data.error_code, 0, "fetch of {topic}-{partition} from {from}: {}", code(data.error_code));
        let bytes = data.records.and_then(|records| records.bytes().cloned()).unwrap_or_default();
        let found = Batch::all(bytes).unwrap_or_else(|error| panic!("{topic}-{partition} from {from}: {error}"));
        let Some(last) = found.last() else {
            assert!(from >= data.high_watermark, "{topic}-{partition} sends nothing from {from}, below its end");
            return Ok(all);
        };
        from = last.header.next_offset().0;
        all.extend(found);
    }
}

/// All records from an offset to the end of a partition.
pub fn read_all(wire: &mut Wire, topic: &str, partition: i32, from: i64) -> io::Result<Vec<Record>> {
    let batches = batches(wire, topic, partition, from)?;
    let read = batches.iter().flat_map(|batch| records(batch, 256 << 20).expect("a batch that inflates"));
    Ok(read.map(|record| record.expect("a record")).filter(|record| record.offset >= from).collect())
}

/// What ListOffsets says of a timestamp: -1 is the end, -2 the start, -3 the record with the highest one.
pub fn list_offset(
    wire: &mut Wire,
    topic: &str,
    partition: i32,
    timestamp: i64,
) -> io::Result<ListOffsetsPartitionResponse> {
    let partitions = vec![ListOffsetsPartition {
        partition_index: partition,
        current_leader_epoch: -1,
        timestamp,
        ..ListOffsetsPartition::default()
    }];
    let topics = vec![ListOffsetsTopic { name: topic.to_owned(), partitions }];
    let mut response = wire.call(&ListOffsetsRequest { replica_id: -1, topics, ..Default::default() }, 9)?;
    Ok(response.topics.remove(0).partitions.remove(0))
}

/// Moves the start of a partition.
pub fn delete_records(wire: &mut Wire, topic: &str, partition: i32, offset: i64) -> io::Result<Result<i64, ErrorCode>> {
    let partitions = vec![DeleteRecordsPartition { partition_index: partition, offset }];
    let topics = vec![DeleteRecordsTopic { name: topic.to_owned(), partitions }];
    let response = wire.call(&DeleteRecordsRequest { topics, timeout_ms: 10_000 }, 2)?;
    let result = &response.topics[0].partitions[0];
    Ok(outcome(result.error_code).map(|()| result.low_watermark))
}

/// Sets one setting of a topic.
pub fn set_config(wire: &mut Wire, topic: &str, name: &str, value: &str) -> io::Result<Result<(), ErrorCode>> {
    const TOPIC_RESOURCE: i8 = 2;
    const SET: i8 = 0;
    let config = AlterableConfig { name: name.to_owned(), config_operation: SET, value: Some(value.to_owned()) };
    let resource =
        AlterConfigsResource { resource_type: TOPIC_RESOURCE, resource_name: topic.to_owned(), configs: vec![config] };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    Ok(outcome(wire.call(&request, 1)?.responses[0].error_code))
}

/// The bytes of a text.
pub fn text(text: &str) -> Option<Bytes> {
    Some(Bytes::copy_from_slice(text.as_bytes()))
}

fn code(number: i16) -> ErrorCode {
    ErrorCode::from_number(number)
}

fn outcome(number: i16) -> Result<(), ErrorCode> {
    if number == 0 { Ok(()) } else { Err(code(number)) }
}
