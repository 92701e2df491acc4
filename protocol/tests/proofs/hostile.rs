//! A hostile peer: cut, flipped, swollen and padded bodies give an error or another value, never a panic, and never more
//! memory than the bound. Memory is what the decoder allocates in sum, freed or not, counted by the allocator.

use bytes::BytesMut;
use highwater_protocol::error::DecodeError;
use highwater_protocol::frame::{self, RequestHeader};
use highwater_protocol::testing::Chance;
use highwater_protocol::wire::Reader;

use crate::messages::{ALL, Entry};
use crate::wire::{Drawer, Shape, uvarint};

/// What decoding may allocate: this many bytes for a byte of the message, and a constant.
const FACTOR: u64 = 16;
const CONSTANT: u64 = 64 * 1024 + 4096;
/// A drawn body of more bytes than this is cut to so many and tried as it is.
const MOST_BYTES: usize = 400;

/// Decodes, and holds the memory against the bound.
fn decode(entry: &Entry, bytes: &[u8], version: i16) -> Result<(), DecodeError> {
    let input = BytesMut::from(bytes);
    let mut found = Ok(());
    let used = allocation_counter::measure(|| found = (entry.decode)(input, version));
    let most = FACTOR * bytes.len() as u64 + CONSTANT;
    assert!(used.bytes_total <= most, "{}: {} bytes for {}", entry.at(version), used.bytes_total, bytes.len());
    found
}

fn for_each_body(rounds: u64, mut check: impl FnMut(&Entry, i16, Vec<u8>)) {
    for entry in ALL.iter() {
        for version in entry.versions() {
            for seed in 0..rounds {
                check(entry, version, Drawer::new(entry.spec, version, Shape::Any, seed).body());
            }
        }
    }
}

#[test]
fn a_body_cut_anywhere_is_refused() {
    let mut cuts = 0;
    for_each_body(2, |entry, version, body| {
        for cut in 0..body.len().min(MOST_BYTES) {
            assert!(decode(entry, &body[..cut], version).is_err(), "{} cut at {cut}", entry.at(version));
            cuts += 1;
        }
    });
    println!("{cuts} cuts refused");
    assert!(cuts > 50_000, "{cuts}");
}

#[test]
fn a_body_with_more_behind_it_is_refused() {
    for_each_body(2, |entry, version, mut body| {
        body.push(0);
        assert_eq!(decode(entry, &body, version), Err(DecodeError::Trailing(1)), "{}", entry.at(version));
    });
}

#[test]
fn flipped_bytes_never_panic() {
    let (mut flips, mut refused) = (0, 0);
    let mut chance = Chance::new(5);
    for_each_body(2, |entry, version, body| {
        for place in 0..body.len().min(MOST_BYTES) {
            let mut bad = body.clone();
            bad[place] ^= 1 << chance.below(8);
            flips += 1;
            refused += usize::from(decode(entry, &bad, version).is_err());
        }
    });
    println!("{flips} flips, {refused} refused");
    assert!(flips > 50_000 && refused > flips / 8, "{flips}, {refused}");
}

/// At each place what a length there could be at worst: 2 GiB, below -1, the most that a compact length says, and a
/// variable-length integer without an end.
#[test]
fn enormous_lengths_take_no_memory() {
    let swollen: [&[u8]; 6] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x80, 0, 0, 0],
        &[0x7f, 0xff],
        &[0x80, 0x80, 0x80, 0x80, 0x08],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff; 10],
    ];
    let (mut tries, mut refused) = (0, 0);
    for_each_body(1, |entry, version, body| {
        for place in 0..body.len().min(MOST_BYTES) {
            for length in swollen {
                let mut bad = body.clone();
                bad.truncate(place);
                bad.extend(length);
                bad.extend(body.iter().skip(place + length.len()));
                tries += 1;
                refused += usize::from(decode(entry, &bad, version).is_err());
            }
        }
    });
    println!("{tries} swollen bodies, {refused} refused");
    assert!(tries > 100_000 && refused > tries / 4, "{tries}, {refused}");
}

/// Kilobytes of equal bytes: the longest arrays that the bytes left allow, of the cheapest elements.
#[test]
fn arrays_as_long_as_the_bytes_allow_stay_within_the_bound() {
    let (mut tries, mut over) = (0, 0);
    for entry in ALL.iter() {
        for version in entry.versions() {
            for fill in [0, 1, 2, 0x40] {
                let mut body = vec![fill; 100_000];
                // A count in front, where the message begins with an array.
                let mut count = Vec::new();
                if entry.key.is_flexible(version) {
                    uvarint(90_000, &mut count)
                } else {
                    count.extend([0, 0, 0xc0, 0])
                }
                body.splice(..count.len(), count);
                tries += 1;
                over += usize::from(matches!(decode(entry, &body, version), Err(DecodeError::OverBudget(_))));
            }
        }
    }
    println!("{tries} fillings, {over} of them over the budget");
    assert!(over > 0, "no filling reached the budget");
}

/// The count is held against the bytes left before anything is read or allocated.
#[test]
fn more_elements_than_the_bytes_left_can_hold_are_refused_at_once() {
    let classic = |count: i32| [&count.to_be_bytes()[..], &[0; 12]].concat();
    let compact = |count: usize| {
        let mut bytes = Vec::new();
        uvarint(count + 1, &mut bytes);
        [&bytes[..], &[0; 12]].concat()
    };
    for (bytes, flexible, minimum, count) in [
        (classic(13), false, 1, 13),
        (classic(4), false, 4, 4),
        (classic(i32::MAX), false, 0, 0x7fff_ffff),
        (compact(13), true, 1, 13),
        (compact(0xffff_fffe), true, 1, 0xffff_fffe),
    ] {
        let mut read = 0;
        let element = |reader: &mut Reader| {
            read += 1;
            reader.i8()
        };
        let found = Reader::new(BytesMut::from(&bytes[..])).array(flexible, minimum, element);
        let most = 12 / minimum.max(1);
        assert_eq!((found, read), (Err(DecodeError::TooManyElements { count, left: 12, most }), 0));
    }
    let mut reader = Reader::new(BytesMut::from(&classic(3)[..]));
    assert_eq!(reader.array(false, 4, Reader::i32), Ok(vec![0; 3]));
}

/// A null is written where the version forbids one: in the place of each string, of each bytes, of each array.
#[test]
fn a_null_where_none_is_allowed_is_refused() {
    let mut nulls = 0;
    for entry in ALL.iter() {
        for version in entry.versions() {
            for seed in 0..3 {
                let draw = || Drawer::new(entry.spec, version, Shape::Any, seed);
                let mut drawer = draw();
                drawer.body();
                for place in 0..drawer.never_null().min(60) {
                    let bad = draw().with_forbidden_null(place).body();
                    assert!(decode(entry, &bad, version).is_err(), "{} null at {place}", entry.at(version));
                    nulls += 1;
                }
            }
        }
    }
    println!("{nulls} nulls refused");
    assert!(nulls > 3000, "{nulls}");
}

#[test]
fn at_most_64_tags_go_into_a_section_and_in_order() {
    let mut sections = 0;
    for entry in ALL.iter() {
        for version in entry.versions().filter(|version| entry.key.is_flexible(*version)) {
            let body = Drawer::new(entry.spec, version, Shape::Defaults, 0).body();
            let (last, front) = body.split_last().expect("tags at least");
            assert_eq!(*last, 0, "the tags of the message end its body");
            let with = |ids: &[usize]| {
                let mut bad = front.to_vec();
                uvarint(ids.len(), &mut bad);
                for id in ids {
                    uvarint(*id, &mut bad);
                    bad.push(0);
                }
                decode(entry, &bad, version)
            };
            let ascending = |count| (0..count).map(|id| 1000 + id).collect::<Vec<_>>();
            assert_eq!(with(&ascending(64)), Ok(()), "{}", entry.at(version));
            assert_eq!(with(&ascending(65)), Err(DecodeError::BadTag { tag: 65 }), "{}", entry.at(version));
            assert_eq!(with(&[1001, 1001]), Err(DecodeError::BadTag { tag: 1001 }), "{}", entry.at(version));
            assert_eq!(with(&[1002, 1001]), Err(DecodeError::BadTag { tag: 1001 }), "{}", entry.at(version));
            sections += 1;
        }
    }
    assert!(sections > 200, "{sections}");
}

/// Bytes behind a known tag's value, inside the length that it says, are no padding.
#[test]
fn a_tagged_field_is_as_long_as_it_says() {
    let entry = ALL.iter().find(|entry| entry.spec.name == "FetchRequest").expect("known");
    let body = Drawer::new(entry.spec, 12, Shape::Defaults, 0).body();
    let front = &body[..body.len() - 1];
    let cluster = |tag: &[u8]| decode(entry, &[front, tag].concat(), 12);
    assert_eq!(cluster(&[1, 0, 2, 2, b'c']), Ok(()));
    assert_eq!(cluster(&[1, 0, 3, 2, b'c', 0]), Err(DecodeError::Trailing(1)));
    assert_eq!(cluster(&[1, 0, 1, 2, b'c']), Err(DecodeError::Short { wanted: 1, left: 0 }));
}

#[test]
fn hostile_headers_never_panic() {
    let mut chance = Chance::new(6);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..50_000 {
        let mut bytes: Vec<u8> = (0..chance.below(40)).map(|_| chance.bits() as u8).collect();
        if chance.below(2) == 0 {
            let (key, version, length) = (chance.below(93) as u8, chance.below(19) as u8, chance.below(9) as u8);
            bytes.splice(..0, [0, key, 0, version, 0, 0, 0, 1, 0, length]);
        }
        let input = BytesMut::from(&bytes[..]);
        let mut found = Ok(());
        let used = allocation_counter::measure(|| found = RequestHeader::decode(&mut Reader::new(input)).map(drop));
        assert!(used.bytes_total <= FACTOR * bytes.len() as u64 + CONSTANT, "{} bytes", used.bytes_total);
        if found.is_ok() { read += 1 } else { refused += 1 }
    }
    assert!(read > 100 && refused > 10_000, "{read} read, {refused} refused");
}

#[test]
fn frame_lengths_are_held_against_the_bound() {
    for (length, wanted) in
        [(0, Some(0)), (100, Some(100)), (101, None), (-1, None), (i32::MIN, None), (i32::MAX, None)]
    {
        assert_eq!(frame::checked_length(length, 100).ok(), wanted, "{length}");
    }
}
