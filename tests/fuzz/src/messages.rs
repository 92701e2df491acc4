//! The table of all messages: what a target does with each of them without naming its type.

use bytes::{Bytes, BytesMut};
use highwater_protocol::api::ApiKey;
use highwater_protocol::error::DecodeError;
use highwater_protocol::frame;
use highwater_protocol::message::{self, Message, Request};
use highwater_protocol::testing::Chance;
use highwater_protocol::wire::{Reader, Writer};

/// A request and its response, with their types erased.
pub(crate) struct Entry {
    pub(crate) key: ApiKey,
    pub(crate) request: Body,
    pub(crate) response: Body,
}

/// One of the two.
pub(crate) struct Body {
    /// Decodes a body and lets it go, as whoever has to hold it against a bound wants it.
    pub(crate) decode: fn(Reader, i16) -> Result<(), DecodeError>,
    /// Decodes a body and encodes it again.
    pub(crate) recode: fn(Reader, i16) -> Result<Bytes, DecodeError>,
    /// A body drawn by chance.
    pub(crate) drawn: fn(&mut Chance, i16) -> Bytes,
}

impl Entry {
    /// The entry and the version that two bytes choose.
    pub(crate) fn chosen(key: u8, version: u8) -> (&'static Self, i16) {
        let entry = &ALL[usize::from(key) % ALL.len()];
        let (low, high) = entry.key.versions();
        (entry, low + i16::from(version) % (high - low + 1))
    }
}

macro_rules! entries {
    ($($request:ident,)*) => {
        [$(Entry {
            key: message::$request::KEY,
            request: body::<message::$request>(),
            response: body::<<message::$request as Request>::Response>(),
        },)*]
    };
}

/// Every key, by its number.
pub(crate) static ALL: [Entry; 60] = entries! {
    ProduceRequest,
    FetchRequest,
    ListOffsetsRequest,
    MetadataRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
    FindCoordinatorRequest,
    JoinGroupRequest,
    HeartbeatRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    SaslHandshakeRequest,
    ApiVersionsRequest,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DeleteRecordsRequest,
    InitProducerIdRequest,
    OffsetForLeaderEpochRequest,
    AddPartitionsToTxnRequest,
    AddOffsetsToTxnRequest,
    EndTxnRequest,
    TxnOffsetCommitRequest,
    DescribeAclsRequest,
    CreateAclsRequest,
    DeleteAclsRequest,
    DescribeConfigsRequest,
    AlterConfigsRequest,
    DescribeLogDirsRequest,
    SaslAuthenticateRequest,
    CreatePartitionsRequest,
    DeleteGroupsRequest,
    ElectLeadersRequest,
    IncrementalAlterConfigsRequest,
    AlterPartitionReassignmentsRequest,
    ListPartitionReassignmentsRequest,
    OffsetDeleteRequest,
    DescribeClientQuotasRequest,
    AlterClientQuotasRequest,
    DescribeUserScramCredentialsRequest,
    AlterUserScramCredentialsRequest,
    DescribeQuorumRequest,
    UpdateFeaturesRequest,
    DescribeClusterRequest,
    DescribeProducersRequest,
    UnregisterBrokerRequest,
    DescribeTransactionsRequest,
    ListTransactionsRequest,
    ConsumerGroupHeartbeatRequest,
    ConsumerGroupDescribeRequest,
    ListConfigResourcesRequest,
    DescribeTopicPartitionsRequest,
    ShareGroupHeartbeatRequest,
    ShareGroupDescribeRequest,
    ShareFetchRequest,
    ShareAcknowledgeRequest,
    DescribeShareGroupOffsetsRequest,
    AlterShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsRequest,
};

const fn body<M: Message>() -> Body {
    Body {
        decode: |reader, version| decode::<M>(reader, version).map(drop),
        recode: |reader, version| Ok(encode(&decode::<M>(reader, version)?, version)),
        drawn: |chance, version| encode(&M::sample(chance, version), version),
    }
}

fn decode<M: Message>(mut reader: Reader, version: i16) -> Result<M, DecodeError> {
    let value = M::decode(&mut reader, version)?;
    reader.finish()?;
    Ok(value)
}

fn encode<M: Message>(value: &M, version: i16) -> Bytes {
    let mut writer = Writer::new();
    value.encode(&mut writer, version).expect("what a version can say, it can say again");
    let length = writer.total_len();
    let bytes = writer.into_bytes();
    assert_eq!(bytes.len(), length, "the length that goes in front of a frame");
    bytes
}

/// What decodes is encoded, and that decodes to the same: only unknown tags and spare forms may go.
pub(crate) fn assert_comes_back(body: &Body, reader: Reader, version: i16) {
    let Ok(once) = (body.recode)(reader, version) else { return };
    let twice = (body.recode)(Reader::new(BytesMut::from(&once[..])), version);
    assert_eq!(twice.as_ref(), Ok(&once), "what was encoded decodes to the same");
}

/// The header of a request in the version that its key wants.
pub(crate) fn request_header(entry: &Entry, version: i16) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(entry.key.number().to_be_bytes());
    header.extend(version.to_be_bytes());
    header
}

/// Reads the header of a response off.
pub(crate) fn after_response_header(entry: &Entry, version: i16, bytes: BytesMut) -> Result<Reader, DecodeError> {
    let mut reader = Reader::new(bytes);
    frame::response_header(&mut reader, entry.key, version)?;
    Ok(reader)
}
