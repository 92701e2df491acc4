//! A request as a client may send it: the first two bytes choose key and version, what follows them in the header and the body
//! is the input's.

use bytes::BytesMut;
use highwater_protocol::error::DecodeError;
use highwater_protocol::frame::RequestHeader;
use highwater_protocol::wire::Reader;

use crate::memory::bounded;
use crate::messages::{Entry, assert_comes_back, request_header};

/// A reader's budget has a constant of 64 KiB for structures; the rest is for what a `BytesMut` needs to be split.
const CONSTANT: u64 = 64 * 1024 + 4096;

/// Takes one input.
pub fn run(bytes: &[u8]) {
    let [key, version, rest @ ..] = bytes else { return };
    let (entry, version) = Entry::chosen(*key, *version);
    let mut frame = request_header(entry, version);
    frame.extend(rest);
    let whole = BytesMut::from(&frame[..]);
    let decoded = bounded(frame.len(), CONSTANT, || {
        let reader = after_header(whole, version)?;
        (entry.request.decode)(reader, version)
    });
    if decoded.is_ok() {
        let reader = after_header(BytesMut::from(&frame[..]), version).expect("it was read before");
        assert_comes_back(&entry.request, reader, version);
    }
}

fn after_header(frame: BytesMut, version: i16) -> Result<Reader, DecodeError> {
    let mut reader = Reader::new(frame);
    let header = RequestHeader::decode(&mut reader)?;
    assert_eq!(header.version, version, "the header says what was put into it");
    Ok(reader)
}
