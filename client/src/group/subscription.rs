//! What members of a classic group of consumers tell each other, in the bytes of Kafka's `consumer` protocol:
//!
//! - subscription: version i16, topics \[string\], user data bytes?, from 1 on owned \[topic, partitions \[i32\]\], from 2 on
//!   generation i32, from 3 on rack string?;
//! - assignment: version i16, assigned \[topic, partitions \[i32\]\], user data bytes?.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use highwater_protocol::error::{DecodeError, EncodeError};
use highwater_protocol::wire::{Reader, Writer};

use super::{Owned, TopicPartition};

const VERSION: i16 = 3;

/// What a member wants, and what it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Subscription {
    pub(crate) topics: Vec<String>,
    pub(crate) user_data: Option<Bytes>,
    pub(crate) owned: Owned,
    /// The generation in which it was given what it has; -1 where there is none.
    pub(crate) generation: i32,
    pub(crate) rack: Option<String>,
}

impl Subscription {
    /// Of a member that wants nothing.
    pub(crate) fn none() -> Self {
        Self { topics: Vec::new(), user_data: None, owned: Owned::new(), generation: -1, rack: None }
    }

    pub(crate) fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        writer.i16(VERSION);
        writer.array_length(self.topics.len(), false)?;
        for topic in &self.topics {
            writer.string(topic, false)?;
        }
        user_data(&mut writer, self.user_data.as_ref())?;
        partitions(&mut writer, &self.owned)?;
        writer.i32(self.generation);
        match &self.rack {
            Some(rack) => writer.string(rack, false)?,
            None => writer.null_string(false),
        }
        Ok(writer.into_bytes())
    }

    /// Whatever a later version has behind what is known here is passed over.
    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(BytesMut::from(&bytes[..]));
        let version = reader.i16()?;
        let topics = reader.array(false, 2, |reader| reader.string(false))?;
        let user_data = reader.nullable_bytes(false)?;
        let owned = if version >= 1 { read_partitions(&mut reader)? } else { Owned::new() };
        let told = if version >= 2 { reader.i32()? } else { -1 };
        let rack = if version >= 3 { reader.nullable_string(false)? } else { None };
        reader.skip_rest();
        // Older members of the cooperative assignor tell it as their user data.
        let in_user_data = user_data.as_ref().and_then(|data| <[u8; 4]>::try_from(&data[..]).ok());
        let generation = if version >= 2 { told } else { in_user_data.map_or(-1, i32::from_be_bytes) };
        Ok(Self { topics, user_data, owned, generation, rack })
    }
}

/// What a member is given.
pub(crate) fn encode_assignment(assigned: &Owned) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    writer.i16(VERSION);
    partitions(&mut writer, assigned)?;
    user_data(&mut writer, None)?;
    Ok(writer.into_bytes())
}

/// What this member is given. No bytes at all are no partitions.
pub(crate) fn decode_assignment(bytes: &Bytes) -> Result<Owned, DecodeError> {
    if bytes.is_empty() {
        return Ok(Owned::new());
    }
    let mut reader = Reader::new(BytesMut::from(&bytes[..]));
    let _version = reader.i16()?;
    let assigned = read_partitions(&mut reader)?;
    reader.skip_rest();
    Ok(assigned)
}

fn user_data(writer: &mut Writer, data: Option<&Bytes>) -> Result<(), EncodeError> {
    match data {
        Some(data) => writer.bytes(data, false),
        None => {
            writer.null_bytes(false);
            Ok(())
        }
    }
}

fn partitions(writer: &mut Writer, owned: &Owned) -> Result<(), EncodeError> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for one in owned {
        topics.entry(&one.topic).or_default().push(one.partition);
    }
    writer.array_length(topics.len(), false)?;
    for (topic, partitions) in topics {
        writer.string(topic, false)?;
        writer.array_length(partitions.len(), false)?;
        partitions.into_iter().for_each(|partition| writer.i32(partition));
    }
    Ok(())
}

fn read_partitions(reader: &mut Reader) -> Result<Owned, DecodeError> {
    let topics = reader.array(false, 6, |reader| Ok((reader.string(false)?, reader.array(false, 4, Reader::i32)?)))?;
    let of = |(topic, partitions): (String, Vec<i32>)| {
        partitions.into_iter().map(move |partition| TopicPartition::new(topic.clone(), partition))
    };
    Ok(topics.into_iter().flat_map(of).collect())
}
