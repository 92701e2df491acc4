//! Decoding and encoding undo each other, for every message in every version.

use bytes::{Bytes, BytesMut};
use highwater_protocol::error::{DecodeError, EncodeError};
use highwater_protocol::frame;
use highwater_protocol::message::fetch_request::ReplicaState;
use highwater_protocol::message::fetch_response::{FetchableTopicResponse, PartitionData};
use highwater_protocol::message::{
    FetchRequest, FetchResponse, HeartbeatRequest, Message, OffsetFetchRequest, ProduceRequest,
};
use highwater_protocol::testing::Chance;
use highwater_protocol::wire::{Chunk, Payload, Reader, Writer};

use crate::messages::ALL;
use crate::wire::{Drawer, Shape};

const ROUNDS: u64 = 20;

#[test]
fn bytes_drawn_from_the_specs_come_back_as_they_were() {
    let (mut bodies, mut bytes) = (0, 0);
    for entry in ALL.iter() {
        for version in entry.versions() {
            for seed in 0..ROUNDS {
                let wanted = Drawer::new(entry.spec, version, Shape::Any, seed).body();
                let found = (entry.recode)(&wanted, version);
                assert_eq!(found.as_deref(), Ok(&wanted[..]), "{} seed {seed}", entry.at(version));
                bodies += 1;
                bytes += wanted.len();
            }
        }
    }
    println!("{bodies} bodies of {bytes} bytes came back");
    assert!(bodies > 4000 && bytes > 1 << 20, "{bodies} bodies of {bytes} bytes prove little");
}

#[test]
fn defaults_come_back_without_tags() {
    for entry in ALL.iter() {
        for version in entry.versions() {
            let wanted = Drawer::new(entry.spec, version, Shape::Defaults, 0).body();
            assert_eq!((entry.recode)(&wanted, version).as_deref(), Ok(&wanted[..]), "{}", entry.at(version));
        }
    }
}

#[test]
fn unknown_tags_are_passed_over_and_dropped() {
    let mut longer = 0;
    for entry in ALL.iter() {
        for version in entry.versions().filter(|version| entry.key.is_flexible(*version)) {
            for seed in 0..4 {
                let plain = Drawer::new(entry.spec, version, Shape::Any, seed).body();
                let tagged = Drawer::new(entry.spec, version, Shape::Any, seed).with_unknown_tags(seed).body();
                longer += usize::from(tagged.len() > plain.len());
                assert_eq!((entry.recode)(&tagged, version).as_deref(), Ok(&plain[..]), "{}", entry.at(version));
            }
        }
    }
    assert!(longer > 500, "{longer} bodies had an unknown tag");
}

#[test]
fn values_come_back_as_they_were() {
    let (mut values, mut bytes) = (0, 0);
    for entry in ALL.iter() {
        for version in entry.versions() {
            for seed in 0..ROUNDS {
                let (same, size) = (entry.comes_back)(&mut Chance::new(seed), version);
                assert!(same, "{} seed {seed}", entry.at(version));
                values += 1;
                bytes += size;
            }
        }
    }
    println!("{values} values of {bytes} bytes came back");
    assert!(values > 4000 && bytes > 1 << 20, "{values} values of {bytes} bytes prove little");
}

/// The memory that decoding may take is a multiple of a message's bytes: whatever an honest peer sends has to fit in.
#[test]
fn large_honest_messages_stay_within_the_budget() {
    for entry in ALL.iter() {
        for version in entry.versions() {
            let body = Drawer::new(entry.spec, version, Shape::Dense(20_000), 0).body();
            let found = (entry.recode)(&body, version);
            assert_eq!(found.as_deref().map(<[u8]>::len), Ok(body.len()), "{}", entry.at(version));
        }
    }
}

/// The broker sends records straight from its files: a hole takes their place, and all around it stays.
#[test]
fn a_hole_in_a_response_has_the_length_of_its_bytes() {
    for version in 4..=18 {
        for length in [0, 1, 5000] {
            let with = |records| {
                let partition = PartitionData { records: Some(records), ..PartitionData::default() };
                let topic = FetchableTopicResponse { partitions: vec![partition], ..FetchableTopicResponse::default() };
                frame::response(7, &FetchResponse { responses: vec![topic], ..FetchResponse::default() }, version)
                    .expect("encodes")
            };
            let holed = with(Payload::Hole { id: 3, length });
            let filled = with(Payload::Bytes(Bytes::from(vec![0; length])));
            assert!(holed.contains(&Chunk::Hole { id: 3, length }), "version {version}");
            assert_eq!(frame::concatenated(&holed), frame::concatenated(&filled), "version {version}");
            let prefix = frame::concatenated(&holed).slice(..4);
            let said = u32::from_be_bytes(prefix[..].try_into().expect("four bytes"));
            assert_eq!(said as usize, frame::concatenated(&holed).len() - 4, "the length in front");
        }
    }
}

fn encoded<M: Message>(value: &M, version: i16) -> Result<usize, EncodeError> {
    let mut writer = Writer::new();
    value.encode(&mut writer, version)?;
    Ok(writer.total_len())
}

/// A value that matters is never dropped in silence; one that the schema calls ignorable is.
#[test]
fn a_version_that_lacks_a_field_refuses_its_value_or_ignores_it() {
    let missing = |field, version| Err(EncodeError::Missing { field, version });
    let null = |field, version| Err(EncodeError::Null { field, version });
    let replica =
        FetchRequest { replica_state: ReplicaState { replica_id: 3, replica_epoch: 1 }, ..FetchRequest::default() };
    for version in 4..15 {
        assert_eq!(encoded(&replica, version), missing("replica_state", version), "a tagged field");
    }
    assert!(encoded(&replica, 15).expect("carried") > encoded(&FetchRequest::default(), 15).expect("carried"));
    let stable = OffsetFetchRequest { require_stable: true, ..OffsetFetchRequest::default() };
    assert_eq!(encoded(&stable, 6), missing("require_stable", 6));
    let every = OffsetFetchRequest { topics: None, ..OffsetFetchRequest::default() };
    assert_eq!(encoded(&every, 1), null("topics", 1));
    let rack = FetchRequest { rack_id: "r1".to_owned(), ..FetchRequest::default() };
    assert_eq!(encoded(&rack, 10), encoded(&FetchRequest::default(), 10), "ignorable");
    assert!(encoded(&ProduceRequest::default(), 2).is_err() && encoded(&ProduceRequest::default(), 14).is_err());
}

/// Kafka's strings have at most 32,767 bytes. The compact form could say more, and Java refuses it on either side.
#[test]
fn strings_are_as_long_as_kafkas() {
    let named = |length| HeartbeatRequest { group_id: "g".repeat(length), ..HeartbeatRequest::default() };
    let longest = 32_767;
    for version in 0..=4 {
        assert!(encoded(&named(longest), version).is_ok(), "version {version}");
        let refused = Err(EncodeError::TooLong { length: longest + 1 });
        assert_eq!(encoded(&named(longest + 1), version), refused, "version {version}");
    }
    let compact = |length: usize| {
        let mut bytes = BytesMut::from(&[0x80, 0x80, 2][..]);
        bytes[0] |= ((length + 1) & 0x7f) as u8;
        bytes[1] |= (((length + 1) >> 7) & 0x7f) as u8;
        bytes[2] = ((length + 1) >> 14) as u8;
        bytes.extend(std::iter::repeat_n(b'g', length));
        Reader::new(bytes).string(true).map(|text| text.len())
    };
    assert_eq!(compact(longest), Ok(longest));
    assert_eq!(compact(longest + 1), Err(DecodeError::BadLength(32_768)));
}
