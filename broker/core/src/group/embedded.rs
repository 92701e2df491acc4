//! What consumers of the classic protocol put into a join, and are given in a sync: Apache Kafka's embedded consumer protocol,
//! versions 0 to 3. A later version is read as the last one that is known.

use bytes::{BufMut, Bytes, BytesMut};
use highwater_protocol::error::DecodeError;
use highwater_protocol::wire::Reader;

const LATEST: i16 = 3;

/// Partitions by a topic's name.
pub(super) type ByName = Vec<(String, Vec<i32>)>;

/// What a consumer wants, and has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Subscription {
    pub(super) topics: Vec<String>,
    pub(super) owned: ByName,
    pub(super) rack_id: Option<String>,
}

/// What a consumer is given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Assignment {
    pub(super) partitions: ByName,
    /// Its assignor added something of its own.
    pub(super) has_user_data: bool,
}

/// The version of either.
pub(super) fn version(bytes: &[u8]) -> i16 {
    bytes.first_chunk().map_or(0, |version| i16::from_be_bytes(*version))
}

pub(super) fn read_subscription(bytes: &[u8]) -> Result<Subscription, DecodeError> {
    let mut reader = Reader::new(BytesMut::from(bytes));
    let version = read_version(&mut reader)?;
    let topics = reader.array(false, 2, |reader| reader.string(false))?;
    reader.nullable_bytes(false)?;
    let owned = if version >= 1 { read_partitions(&mut reader)? } else { ByName::new() };
    if version >= 2 {
        // The generation that it was in.
        reader.i32()?;
    }
    let rack_id = if version >= 3 { reader.nullable_string(false)? } else { None };
    Ok(Subscription { topics, owned, rack_id: rack_id.filter(|rack| !rack.is_empty()) })
}

pub(super) fn read_assignment(bytes: &[u8]) -> Result<Assignment, DecodeError> {
    let mut reader = Reader::new(BytesMut::from(bytes));
    read_version(&mut reader)?;
    let partitions = read_partitions(&mut reader)?;
    let user_data = reader.nullable_bytes(false)?;
    Ok(Assignment { partitions, has_user_data: user_data.is_some_and(|data| !data.is_empty()) })
}

pub(super) fn write_assignment(partitions: &ByName, version: i16) -> Bytes {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let mut bytes = BytesMut::new();
    bytes.put_i16(version.clamp(0, LATEST));
    bytes.put_i32(count(partitions.len()));
    for (topic, partitions) in partitions {
        // A topic's name has at most 249 bytes.
        bytes.put_i16(i16::try_from(topic.len()).unwrap_or(i16::MAX));
        bytes.put_slice(topic.as_bytes());
        bytes.put_i32(count(partitions.len()));
        partitions.iter().for_each(|partition| bytes.put_i32(*partition));
    }
    // No data of its own.
    bytes.put_i32(-1);
    bytes.freeze()
}

fn read_version(reader: &mut Reader) -> Result<i16, DecodeError> {
    match reader.i16()? {
        version if version < 0 => Err(DecodeError::BadLength(version.into())),
        version => Ok(version.min(LATEST)),
    }
}

fn read_partitions(reader: &mut Reader) -> Result<ByName, DecodeError> {
    reader.array(false, 6, |reader| {
        let topic = reader.string(false)?;
        Ok((topic, reader.array(false, 4, |reader| reader.i32())?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Vec<u8> {
        // Two topics, and user data of one byte.
        [&[0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'c'][..], &[0, 0, 0, 1, 7]].concat()
    }

    fn owned() -> Vec<u8> {
        vec![0, 0, 0, 1, 0, 1, b'a', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5]
    }

    #[test]
    fn every_version_of_a_subscription_is_read() {
        let topics_of = |version: u8| [&[0, version][..], &topics()].concat();
        let v1 = [topics_of(1), owned()].concat();
        let v2 = [topics_of(2), owned(), vec![0, 0, 0, 9]].concat();
        let v3 = [topics_of(3), owned(), vec![0, 0, 0, 9, 0, 1, b'r']].concat();
        let v9 = [topics_of(9), owned(), vec![0, 0, 0, 9, 0, 1, b'r', b'?']].concat();
        for (bytes, has_owned, rack) in [
            (topics_of(0), false, None),
            (v1, true, None),
            (v2, true, None),
            (v3, true, Some("r")),
            (v9, true, Some("r")),
        ] {
            let owned = if has_owned { vec![("a".to_owned(), vec![0, 5])] } else { Vec::new() };
            let topics = vec!["a".to_owned(), "bc".to_owned()];
            let wanted = Subscription { topics, owned, rack_id: rack.map(str::to_owned) };
            assert_eq!(read_subscription(&bytes), Ok(wanted), "{bytes:?}");
            for length in 0..bytes.len().min(15) {
                assert!(read_subscription(&bytes[..length]).is_err(), "cut after {length}");
            }
        }
        assert!(read_subscription(&[0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).is_err(), "a version below 0");
        assert!(read_subscription(&[0, 0, 0x7f, 0xff, 0xff, 0xff]).is_err(), "more topics than there are bytes");
    }

    #[test]
    fn an_assignment_is_read_as_it_was_written() {
        for partitions in [ByName::new(), vec![("a".to_owned(), vec![0, 5]), ("bc".to_owned(), Vec::new())]] {
            for version in [0, 3] {
                let bytes = write_assignment(&partitions, version);
                assert_eq!(super::version(&bytes), version);
                let read = read_assignment(&bytes).expect("reads");
                assert_eq!(read, Assignment { partitions: partitions.clone(), has_user_data: false });
            }
        }
        let custom = [&write_assignment(&ByName::new(), 1)[..6], &[0, 0, 0, 1, 7]].concat();
        assert!(read_assignment(&custom).expect("reads").has_user_data);
    }
}
