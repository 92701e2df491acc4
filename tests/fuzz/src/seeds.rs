//! Inputs to begin from, made by the code that writes such bytes.

use std::path::Path;

use bytes::Bytes;
use highwater_protocol::message::FetchResponse;
use highwater_protocol::message::Message;
use highwater_protocol::message::fetch_response::{FetchableTopicResponse, PartitionData};
use highwater_protocol::records::builder::{BatchBuilder, Marker};
use highwater_protocol::records::compression::{Compression, compress};
use highwater_protocol::records::record::{Header, Record};
use highwater_protocol::testing::Chance;
use highwater_protocol::wire::{Payload, Writer};

use crate::messages::{ALL, Entry};
use crate::{journal, machines, segment, store};

/// Each key in each version.
pub(crate) fn requests() -> Vec<Vec<u8>> {
    every_version(|entry, version, chance| {
        // Correlation id and client id; tags where the header has them.
        let mut rest = vec![0, 0, 0, 7, 0, 4, b't', b'e', b's', b't'];
        if entry.key.is_flexible(version) {
            rest.push(0);
        }
        rest.extend((entry.request.drawn)(chance, version));
        rest
    })
}

/// Each key in each version, and a fetch that brought records.
pub(crate) fn responses() -> Vec<Vec<u8>> {
    let header = |entry: &Entry, version| match entry.key.response_header_version(version) {
        0 => vec![0, 0, 0, 7],
        _ => vec![0, 0, 0, 7, 0],
    };
    let mut all = every_version(|entry, version, chance| {
        let mut rest = header(entry, version);
        rest.extend((entry.response.drawn)(chance, version));
        rest
    });
    all.extend(batches().into_iter().map(|batch| {
        let records = Payload::Bytes(Bytes::from(batch).slice(1..));
        let partition = PartitionData { records: Some(records), ..PartitionData::default() };
        let topic = FetchableTopicResponse { partitions: vec![partition], ..FetchableTopicResponse::default() };
        let response = FetchResponse { responses: vec![topic], ..FetchResponse::default() };
        let mut writer = Writer::new();
        response.encode(&mut writer, 12).expect("encodes");
        [&[1, 8, 0, 0, 0, 7, 0], &writer.into_bytes()[..]].concat()
    }));
    all
}

fn every_version(mut rest: impl FnMut(&Entry, i16, &mut Chance) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (place, entry) in (0u8..).zip(&ALL) {
        let (low, high) = entry.key.versions();
        for version in low..=high {
            let front = [place, u8::try_from(version - low).expect("few versions")];
            let mut chance = Chance::new(u64::from(place) << 8 | u64::from(front[1]));
            all.push([&front[..], &rest(entry, version, &mut chance)].concat());
        }
    }
    all
}

/// Batches of a few records in every codec, and a marker.
pub(crate) fn batches() -> Vec<Vec<u8>> {
    let header = |value| Header { key: Bytes::from_static(b"trace"), value };
    let records = [
        Record::new(Some("key"), Some("value"), 1_700_000_000_000),
        Record::new(None, Some(""), 1_700_000_000_005),
        Record {
            headers: vec![header(None), header(Some(Bytes::from_static(b"id")))],
            ..Record::new(Some(""), None, 1_699_999_999_000)
        },
    ];
    let built = |codec| {
        let mut builder = BatchBuilder::new(codec).producer(9, 1, 5);
        records.iter().for_each(|record| builder.push(record));
        builder.build().expect("builds").to_vec()
    };
    let marker = BatchBuilder::marker(9, 1, Marker::Abort, 3, 1_700_000_000_000).expect("builds").to_vec();
    let mut sets: Vec<Vec<u8>> = Compression::ALL.into_iter().map(built).collect();
    sets.push(sets.concat());
    sets.push(marker);
    sets.iter().flat_map(|set| [0, 3].map(|mode| [&[mode], &set[..]].concat())).collect()
}

/// Text, noise and zeros, in every codec.
pub(crate) fn inflate() -> Vec<Vec<u8>> {
    let mut chance = Chance::new(1);
    let noise: Vec<u8> = (0..600).map(|_| chance.bits().to_le_bytes()[0]).collect();
    let text = b"nothing below the high watermark is ever lost; ".repeat(6);
    let plain: [&[u8]; 5] = [b"", b"a", &text, &noise, &[0; 40_000]];
    let packed = |codec, bytes: &[u8]| compress(codec, None, bytes).expect("compresses").to_vec();
    let mut all = Vec::new();
    for bytes in plain {
        all.push([&[0], &packed(Compression::Gzip, bytes)[..]].concat());
        all.push([&[1], &snap::raw::Encoder::new().compress_vec(bytes).expect("compresses")[..]].concat());
        all.push([&[2], &packed(Compression::Snappy, bytes)[16..]].concat());
        all.push([&[3], &packed(Compression::Lz4, bytes)[..]].concat());
        all.push([&[4], &packed(Compression::Zstd, bytes)[..]].concat());
    }
    all
}

/// Real journals, in records and as files.
pub(crate) fn journal() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for mode in [0, 2, 4, 6] {
        for has_checkpoint in [false, true] {
            let disk = store::written(has_checkpoint);
            all.push([&[mode], &journal::disassembled(&disk)[..]].concat());
        }
    }
    all.push(
        [
            &[1],
            &store::content(&store::written(false), Path::new(store::JOURNAL).join("0000000000.journal").as_path())[..],
        ]
        .concat(),
    );
    all
}

/// Real segments, alone and with an index and a second one behind it.
pub(crate) fn segment() -> Vec<Vec<u8>> {
    let alone: Vec<u8> = store::sample().iter().flat_map(|entry| entry.frame.to_vec()).collect();
    let (one, index, base, two) = segment::rolled();
    let mut all = Vec::new();
    for mode in [0, 3, 4, 7] {
        all.push(segment::joined(mode, &alone, &[], 0, &[]));
        all.push(segment::joined(mode, &one, &[], base, &two));
        all.push(segment::joined(mode, &one, &index, base, &two));
    }
    all
}

/// Runs of requests to both machines, and a snapshot of each.
pub(crate) fn machines() -> Vec<Vec<u8>> {
    let mut chance = Chance::new(2);
    let mut all: Vec<Vec<u8>> =
        (0..20).map(|_| std::iter::once(2).chain((0..120).map(|_| chance.bits().to_le_bytes()[0])).collect()).collect();
    for round in 0..20 {
        let mut run = vec![3];
        for (kind, body) in machines::wanted(&mut Chance::new(round)) {
            run.push(kind);
            run.extend(u16::try_from(body.len()).expect("a small body").to_be_bytes());
            run.extend(body);
        }
        all.push(run);
    }
    all.extend(machines::snapshots());
    all
}
