//! Records of groups: what is written is read back, in every version, and what Apache Kafka 4.4 wrote is read.

use bytes::Bytes;
use highwater_protocol::coordinator_record::consumer_group_member_metadata_value::{
    ClassicMemberMetadata, ClassicProtocol,
};
use highwater_protocol::coordinator_record::{self as record, *};
use highwater_protocol::error::DecodeError;
use highwater_protocol::testing::Chance;

const TIMES: u64 = 200;

fn key_comes_back<K: Key>() {
    for seed in 0..TIMES {
        let key = K::sample(&mut Chance::new(seed), 0);
        let bytes = record::write_key(&key).expect("encodes");
        assert_eq!(record::kind(&bytes), Some(K::KIND));
        assert_eq!(record::read_key::<K>(&bytes).expect("decodes"), key);
    }
}

fn value_comes_back<V: Value>() {
    for version in V::VERSIONS.0..=V::VERSIONS.1 {
        for seed in 0..TIMES {
            let value = V::sample(&mut Chance::new(seed), version);
            let bytes = record::write_value(&value, version).expect("encodes");
            assert_eq!(record::read_value::<V>(&bytes).expect("decodes"), value, "version {version}");
        }
    }
    let later = Bytes::from((V::VERSIONS.1 + 1).to_be_bytes().to_vec());
    let wrong = DecodeError::UnknownRecordVersion { kind: V::KIND, version: V::VERSIONS.1 + 1 };
    assert_eq!(record::read_value::<V>(&later), Err(wrong));
}

#[test]
fn records_come_back() {
    key_comes_back::<OffsetCommitKey>();
    value_comes_back::<OffsetCommitValue>();
    key_comes_back::<GroupMetadataKey>();
    value_comes_back::<GroupMetadataValue>();
    key_comes_back::<ConsumerGroupMetadataKey>();
    value_comes_back::<ConsumerGroupMetadataValue>();
    key_comes_back::<ConsumerGroupMemberMetadataKey>();
    value_comes_back::<ConsumerGroupMemberMetadataValue>();
    key_comes_back::<ConsumerGroupTargetAssignmentMetadataKey>();
    value_comes_back::<ConsumerGroupTargetAssignmentMetadataValue>();
    key_comes_back::<ConsumerGroupTargetAssignmentMemberKey>();
    value_comes_back::<ConsumerGroupTargetAssignmentMemberValue>();
    key_comes_back::<ConsumerGroupCurrentMemberAssignmentKey>();
    value_comes_back::<ConsumerGroupCurrentMemberAssignmentValue>();
    key_comes_back::<ConsumerGroupRegularExpressionKey>();
    value_comes_back::<ConsumerGroupRegularExpressionValue>();
}

/// It is many times as large in memory as in bytes, and was written by us.
#[test]
fn a_record_of_many_small_parts_comes_back() {
    let classic = ClassicMemberMetadata {
        supported_protocols: vec![ClassicProtocol::default(); 10_000],
        ..ClassicMemberMetadata::default()
    };
    let value = ConsumerGroupMemberMetadataValue {
        classic_member_metadata: Some(classic),
        ..ConsumerGroupMemberMetadataValue::default()
    };
    let bytes = record::write_value(&value, 0).expect("encodes");
    assert_eq!(record::read_value(&bytes), Ok(value));
}
