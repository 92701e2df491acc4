//! A response as our client takes it from a broker: the first two bytes choose key and version, header and body are the
//! input's. Records of a fetch are read to their end, as a consumer would.

use bytes::{Bytes, BytesMut};
use highwater_protocol::api::ApiKey;
use highwater_protocol::message::{FetchResponse, Message};
use highwater_protocol::records::batch::{Batch, RecordsError};
use highwater_protocol::records::record::records;
use highwater_protocol::wire::Payload;

use crate::memory::bounded;
use crate::messages::{Entry, after_response_header, assert_comes_back};

/// As for requests: the constant of a reader's budget, and what a `BytesMut` needs to be split.
const CONSTANT: u64 = 64 * 1024 + 4096;
/// What a consumer would inflate.
const INFLATED: usize = 64 * 1024;

/// Takes one input.
pub fn run(bytes: &[u8]) {
    let [key, version, frame @ ..] = bytes else { return };
    let (entry, version) = Entry::chosen(*key, *version);
    let whole = BytesMut::from(frame);
    let decoded = bounded(frame.len(), CONSTANT, || {
        let reader = after_response_header(entry, version, whole)?;
        (entry.response.decode)(reader, version)
    });
    if decoded.is_ok() {
        let again = || after_response_header(entry, version, BytesMut::from(frame)).expect("it was read before");
        assert_comes_back(&entry.response, again(), version);
        if entry.key == ApiKey::Fetch {
            let response = FetchResponse::decode(&mut again(), version).expect("it was read before");
            read_fetched(&response);
        }
    }
}

fn read_fetched(response: &FetchResponse) {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    for set in partitions.filter_map(|partition| partition.records.as_ref().and_then(Payload::bytes)) {
        // Bytes that are no batches are the broker's fault, and end that fetch.
        drop(read_set(set.clone()));
    }
}

fn read_set(set: Bytes) -> Result<(), RecordsError> {
    for batch in Batch::all(set)? {
        for record in records(&batch, INFLATED)? {
            record?;
        }
    }
    Ok(())
}
