//! The table of all messages: what a test does with each of them without naming its type.

use std::path::Path;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use highwater_codegen::spec::Message as Spec;
use highwater_protocol::api::ApiKey;
use highwater_protocol::error::DecodeError;
use highwater_protocol::message::{self, Message, Request};
use highwater_protocol::testing::Chance;
use highwater_protocol::wire::{Reader, Writer};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message as TheirMessage};

/// A request or a response, with its type erased.
pub(crate) struct Entry {
    pub(crate) key: ApiKey,
    pub(crate) is_request: bool,
    /// As the spec says it.
    pub(crate) spec: &'static Spec,
    /// Our decoder over a whole body, nothing kept.
    pub(crate) decode: fn(BytesMut, i16) -> Result<(), DecodeError>,
    /// Our decoder, then our encoder.
    pub(crate) recode: fn(&[u8], i16) -> Result<Bytes, DecodeError>,
    /// Draws a value, encodes it, decodes it: whether it came back, and its size on the wire.
    pub(crate) comes_back: fn(&mut Chance, i16) -> (bool, usize),
    /// The versions that the other crate knows.
    pub(crate) their_versions: (i16, i16),
    /// Their decoder, then their encoder.
    pub(crate) their_recode: fn(&[u8], i16) -> Result<Bytes, String>,
    /// The header version that they put in front.
    pub(crate) their_header: fn(i16) -> i16,
    /// Their encoder over their default value.
    pub(crate) their_default: fn(i16) -> Result<Bytes, String>,
}

impl Entry {
    /// For the message of a failed assertion.
    pub(crate) fn at(&self, version: i16) -> String {
        format!("{} version {version}", self.spec.name)
    }

    /// All versions that we know.
    pub(crate) fn versions(&self) -> std::ops::RangeInclusive<i16> {
        let (low, high) = self.key.versions();
        low..=high
    }
}

macro_rules! entries {
    ($($request:ident, $response:ident;)*) => {
        vec![$(
            entry::<message::$request, theirs::$request>(true),
            entry::<<message::$request as Request>::Response, theirs::$response>(false),
        )*]
    };
}

/// Every message, requests in front of their responses, by key.
pub(crate) static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    entries! {
        ProduceRequest, ProduceResponse;
        FetchRequest, FetchResponse;
        ListOffsetsRequest, ListOffsetsResponse;
        MetadataRequest, MetadataResponse;
        OffsetCommitRequest, OffsetCommitResponse;
        OffsetFetchRequest, OffsetFetchResponse;
        FindCoordinatorRequest, FindCoordinatorResponse;
        JoinGroupRequest, JoinGroupResponse;
        HeartbeatRequest, HeartbeatResponse;
        LeaveGroupRequest, LeaveGroupResponse;
        SyncGroupRequest, SyncGroupResponse;
        DescribeGroupsRequest, DescribeGroupsResponse;
        ListGroupsRequest, ListGroupsResponse;
        SaslHandshakeRequest, SaslHandshakeResponse;
        ApiVersionsRequest, ApiVersionsResponse;
        CreateTopicsRequest, CreateTopicsResponse;
        DeleteTopicsRequest, DeleteTopicsResponse;
        DeleteRecordsRequest, DeleteRecordsResponse;
        InitProducerIdRequest, InitProducerIdResponse;
        OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
        AddPartitionsToTxnRequest, AddPartitionsToTxnResponse;
        AddOffsetsToTxnRequest, AddOffsetsToTxnResponse;
        EndTxnRequest, EndTxnResponse;
        TxnOffsetCommitRequest, TxnOffsetCommitResponse;
        DescribeAclsRequest, DescribeAclsResponse;
        CreateAclsRequest, CreateAclsResponse;
        DeleteAclsRequest, DeleteAclsResponse;
        DescribeConfigsRequest, DescribeConfigsResponse;
        AlterConfigsRequest, AlterConfigsResponse;
        DescribeLogDirsRequest, DescribeLogDirsResponse;
        SaslAuthenticateRequest, SaslAuthenticateResponse;
        CreatePartitionsRequest, CreatePartitionsResponse;
        DeleteGroupsRequest, DeleteGroupsResponse;
        ElectLeadersRequest, ElectLeadersResponse;
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
        AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse;
        ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse;
        OffsetDeleteRequest, OffsetDeleteResponse;
        DescribeClientQuotasRequest, DescribeClientQuotasResponse;
        AlterClientQuotasRequest, AlterClientQuotasResponse;
        DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse;
        AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse;
        DescribeQuorumRequest, DescribeQuorumResponse;
        UpdateFeaturesRequest, UpdateFeaturesResponse;
        DescribeClusterRequest, DescribeClusterResponse;
        DescribeProducersRequest, DescribeProducersResponse;
        UnregisterBrokerRequest, UnregisterBrokerResponse;
        DescribeTransactionsRequest, DescribeTransactionsResponse;
        ListTransactionsRequest, ListTransactionsResponse;
        ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
        ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
        ListConfigResourcesRequest, ListConfigResourcesResponse;
        DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
        ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse;
        ShareGroupDescribeRequest, ShareGroupDescribeResponse;
        ShareFetchRequest, ShareFetchResponse;
        ShareAcknowledgeRequest, ShareAcknowledgeResponse;
        DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse;
        AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse;
        DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse;
    }
});

static SPECS: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/messages");
    highwater_codegen::messages(&folder).expect("specs parse")
});

fn entry<M: Message, T: TheirMessage + HeaderVersion + Decodable + Encodable + Default>(is_request: bool) -> Entry {
    let spec = SPECS.iter().find(|spec| spec.key == M::KEY.number() && spec.is_request == is_request);
    Entry {
        key: M::KEY,
        is_request,
        spec: spec.expect("each message has a spec"),
        decode: |bytes, version| decode::<M>(bytes, version).map(drop),
        recode: |bytes, version| {
            let value = decode::<M>(BytesMut::from(bytes), version)?;
            Ok(encode(&value, version))
        },
        comes_back: |chance, version| {
            let value = M::sample(chance, version);
            let bytes = encode(&value, version);
            let size = bytes.len();
            (decode::<M>(BytesMut::from(&bytes[..]), version).as_ref() == Ok(&value), size)
        },
        their_versions: (T::VERSIONS.min, T::VERSIONS.max),
        their_recode: |bytes, version| {
            let mut left = Bytes::copy_from_slice(bytes);
            let value = T::decode(&mut left, version).map_err(|error| error.to_string())?;
            if !left.is_empty() {
                return Err(format!("{} bytes left", left.len()));
            }
            their_bytes(&value, version)
        },
        their_header: T::header_version,
        their_default: |version| their_bytes(&T::default(), version),
    }
}

fn decode<M: Message>(bytes: BytesMut, version: i16) -> Result<M, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = M::decode(&mut reader, version)?;
    reader.finish()?;
    Ok(value)
}

fn encode<M: Message>(value: &M, version: i16) -> Bytes {
    let mut writer = Writer::new();
    value.encode(&mut writer, version).expect("a value that the version carries");
    let length = writer.total_len();
    let bytes = writer.into_bytes();
    assert_eq!(bytes.len(), length, "the length that goes in front of a frame");
    bytes
}

fn their_bytes<T: Encodable>(value: &T, version: i16) -> Result<Bytes, String> {
    let mut out = BytesMut::new();
    value.encode(&mut out, version).map_err(|error| error.to_string())?;
    Ok(out.freeze())
}
