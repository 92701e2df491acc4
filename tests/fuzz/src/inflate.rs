//! Compressed bytes: the first byte chooses gzip, raw snappy, snappy in xerial's framing, LZ4 or zstd.

use bytes::Bytes;
use highwater_protocol::records::batch::RecordsError;
use highwater_protocol::records::compression::{Compression, compress, decompress};

use crate::memory::bounded;

/// What inflating may come to here.
const LIMIT: usize = 64 * 1024;
/// What a codec holds for itself. LZ4 needs most: a frame may announce blocks of 4 MiB, of which one is held as it came and
/// one as it is.
pub(crate) const CODEC_BYTES: u64 = (8 << 20) + (256 << 10);
/// The codec, and the inflated bytes in a vector that grows by moving.
const CONSTANT: u64 = CODEC_BYTES + 4 * LIMIT as u64;

/// In front of xerial's blocks.
pub(crate) const XERIAL: [u8; 16] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];

/// Takes one input.
pub fn run(bytes: &[u8]) {
    let Some((chosen, rest)) = bytes.split_first() else { return };
    let (codec, packed) = match chosen % 5 {
        0 => (Compression::Gzip, Bytes::copy_from_slice(rest)),
        1 => (Compression::Snappy, Bytes::copy_from_slice(rest)),
        2 => (Compression::Snappy, Bytes::from([&XERIAL[..], rest].concat())),
        3 => (Compression::Lz4, Bytes::copy_from_slice(rest)),
        _ => (Compression::Zstd, Bytes::copy_from_slice(rest)),
    };
    let Ok(inflated) = bounded(packed.len(), CONSTANT, || decompress(codec, &packed, LIMIT)) else { return };
    let length = inflated.len();
    assert!(length <= LIMIT, "{length} bytes");
    assert_eq!(decompress(codec, &packed, length).as_ref(), Ok(&inflated), "so many were allowed");
    if let Some(less) = length.checked_sub(1) {
        assert_eq!(decompress(codec, &packed, less), Err(RecordsError::TooLarge(less)), "one less was allowed");
    }
    let again = compress(codec, None, &inflated).expect("compresses");
    assert_eq!(decompress(codec, &again, length), Ok(inflated), "what was compressed inflates to the same");
}
