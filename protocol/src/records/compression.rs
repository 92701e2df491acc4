//! The four codecs, as Kafka's clients write and read them. Inflating stops at a bound, and can be read as it goes.

use std::io::{Read, Write};

use bytes::Bytes;

use super::batch::RecordsError;

/// The magic bytes of xerial's snappy framing, which Java and others put around blocks.
const XERIAL: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// Two version numbers behind the magic bytes.
const XERIAL_HEADER: usize = 16;
/// What a byte of snappy comes to at most: an element of three copies 64.
const SNAPPY_RATIO: usize = 22;
/// Bytes of a snappy block.
const SNAPPY_BLOCK: usize = 32 * 1024;
/// The magic bytes of an LZ4 frame, and the flag behind them of blocks that are read each for itself.
const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const LZ4_INDEPENDENT: u8 = 0x20;
/// The largest window that a zstd frame may ask for, as a power of two.
const ZSTD_WINDOW_LOG: u32 = 27;
const INFLATE_STEP: usize = 16 * 1024;

/// How the records of a batch are compressed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Gzip.
    Gzip,
    /// Snappy, raw or in xerial's framing.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// Its number in a batch's attributes.
    pub fn number(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The codec of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.number() == number)
    }

    /// As `compression.type` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// The codec of a name; `uncompressed` is Kafka's other word for none.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "uncompressed" {
            return Some(Self::None);
        }
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }
}

/// Compresses. `level` counts for gzip and zstd; -1 and `None` are their defaults.
pub fn compress(codec: Compression, level: Option<i32>, bytes: &[u8]) -> Result<Bytes, RecordsError> {
    compress_from(codec, level, bytes, usize::MAX)
}

/// Compresses what a source gives, to at most `limit` bytes. Neither side is held as a whole, but for what comes out.
pub(super) fn compress_from(
    codec: Compression,
    level: Option<i32>,
    mut source: impl Read,
    limit: usize,
) -> Result<Bytes, RecordsError> {
    let packed = Packed { bytes: Vec::new(), limit };
    let packed = match codec {
        Compression::None => copied(&mut source, packed),
        Compression::Gzip => {
            let level = level.and_then(|level| u32::try_from(level).ok()).filter(|level| *level <= 9);
            let level = level.map_or_else(flate2::Compression::default, flate2::Compression::new);
            copied(&mut source, flate2::write::GzEncoder::new(packed, level)).and_then(|encoder| encoder.finish())
        }
        Compression::Snappy => xerial(source, packed),
        Compression::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new()
                .block_mode(lz4_flex::frame::BlockMode::Independent)
                .block_size(lz4_flex::frame::BlockSize::Max64KB);
            let encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, packed);
            copied(&mut source, encoder).and_then(|encoder| encoder.finish().map_err(std::io::Error::from))
        }
        Compression::Zstd => {
            let level = level.filter(|level| *level != -1).unwrap_or(3);
            let encoder = zstd::Encoder::new(packed, level);
            encoder.and_then(|encoder| copied(&mut source, encoder)).and_then(|encoder| encoder.finish())
        }
    };
    packed.map(|packed| Bytes::from(packed.bytes)).map_err(reason)
}

/// Compressed bytes, up to a bound.
struct Packed {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > self.limit {
            return Err(std::io::Error::other(RecordsError::TooLong(self.limit)));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn copied<W: Write>(source: &mut impl Read, mut to: W) -> std::io::Result<W> {
    std::io::copy(source, &mut to)?;
    Ok(to)
}

/// What went wrong, where it is ours; else what the codec says.
pub(super) fn reason(error: std::io::Error) -> RecordsError {
    let text = error.to_string();
    error.downcast::<RecordsError>().unwrap_or(RecordsError::Decompression(text))
}

/// Inflates, to at most `limit` bytes.
pub fn decompress(codec: Compression, bytes: &Bytes, limit: usize) -> Result<Bytes, RecordsError> {
    match codec {
        Compression::None if bytes.len() > limit => Err(RecordsError::TooLarge(limit)),
        Compression::None => Ok(bytes.clone()),
        codec => {
            let mut inflated = Vec::new();
            let mut source = Inflating::new(codec, bytes, limit)?;
            let mut step = vec![0; INFLATE_STEP];
            loop {
                match source.read(&mut step).map_err(reason)? {
                    0 => return Ok(Bytes::from(inflated)),
                    count => inflated.extend_from_slice(step.get(..count).unwrap_or_default()),
                }
            }
        }
    }
}

/// Inflates as it is read, and fails once more than `limit` bytes come out.
pub(super) struct Inflating<'a> {
    source: Box<dyn Read + 'a>,
    left: usize,
    limit: usize,
}

impl<'a> Inflating<'a> {
    pub(super) fn new(codec: Compression, bytes: &'a [u8], limit: usize) -> Result<Self, RecordsError> {
        let source: Box<dyn Read + 'a> = match codec {
            Compression::None => Box::new(bytes),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
            Compression::Snappy => Box::new(Unsnappy::new(bytes, limit)?),
            Compression::Lz4 => {
                check_lz4(bytes)?;
                Box::new(lz4_flex::frame::FrameDecoder::new(bytes))
            }
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::new(bytes).map_err(reason)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(reason)?;
                Box::new(decoder)
            }
        };
        Ok(Self { source, left: limit, limit })
    }
}

impl Read for Inflating<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(to)?;
        self.left =
            self.left.checked_sub(count).ok_or_else(|| std::io::Error::other(RecordsError::TooLarge(self.limit)))?;
        Ok(count)
    }
}

/// Java refuses other frames: the legacy format, and blocks that need the one in front of them. Reading either takes up to
/// 16 MiB for the few bytes of a header.
fn check_lz4(bytes: &[u8]) -> Result<(), RecordsError> {
    let is_ours = bytes.starts_with(&LZ4_MAGIC) && bytes.get(4).is_some_and(|flags| flags & LZ4_INDEPENDENT != 0);
    let reason = "not an LZ4 frame with independent blocks";
    if is_ours { Ok(()) } else { Err(RecordsError::Decompression(reason.to_owned())) }
}

fn xerial(mut source: impl Read, mut packed: Packed) -> std::io::Result<Packed> {
    packed.write_all(&XERIAL)?;
    packed.write_all(&1u32.to_be_bytes())?;
    packed.write_all(&1u32.to_be_bytes())?;
    let mut encoder = snap::raw::Encoder::new();
    let mut block = Vec::with_capacity(SNAPPY_BLOCK);
    loop {
        block.clear();
        source.by_ref().take(SNAPPY_BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(packed);
        }
        let squeezed = encoder.compress_vec(&block).map_err(std::io::Error::other)?;
        packed.write_all(&u32::try_from(squeezed.len()).unwrap_or(u32::MAX).to_be_bytes())?;
        packed.write_all(&squeezed)?;
    }
}

/// Snappy, block by block: those of xerial's framing, or one that is all there is.
struct Unsnappy<'a> {
    left: &'a [u8],
    is_framed: bool,
    block: Vec<u8>,
    given: usize,
    limit: usize,
}

impl<'a> Unsnappy<'a> {
    fn new(bytes: &'a [u8], limit: usize) -> Result<Self, RecordsError> {
        let is_framed = bytes.starts_with(&XERIAL);
        let left = if is_framed { bytes.get(XERIAL_HEADER..).ok_or_else(cut_frame)? } else { bytes };
        let mut source = Self { left, is_framed, block: Vec::new(), given: 0, limit };
        if !is_framed {
            // Empty bytes are no block, as an empty block has a length.
            source.inflate(bytes)?;
            source.left = &[];
        }
        Ok(source)
    }

    /// The length that a block announces is held against what its bytes can come to before any memory is taken for it.
    fn inflate(&mut self, block: &[u8]) -> Result<(), RecordsError> {
        let failed = |error: snap::Error| RecordsError::Decompression(error.to_string());
        let length = snap::raw::decompress_len(block).map_err(failed)?;
        if length > self.limit {
            return Err(RecordsError::TooLarge(self.limit));
        }
        if length > block.len().saturating_mul(SNAPPY_RATIO) {
            return Err(RecordsError::Decompression("a snappy block announces more than its bytes can say".to_owned()));
        }
        self.block.clear();
        self.block.resize(length, 0);
        self.given = 0;
        snap::raw::Decoder::new().decompress(block, &mut self.block).map_err(failed)?;
        Ok(())
    }

    fn next_block(&mut self) -> Result<(), RecordsError> {
        let (length, rest) = self.left.split_first_chunk::<4>().ok_or_else(cut_frame)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (block, rest) = rest.split_at_checked(length).ok_or_else(cut_frame)?;
        self.left = rest;
        self.inflate(block)
    }
}

impl Read for Unsnappy<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.block.len() && self.is_framed && !self.left.is_empty() {
            self.next_block().map_err(std::io::Error::other)?;
        }
        let count = self.block.get(self.given..).unwrap_or_default().read(to)?;
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}

fn cut_frame() -> RecordsError {
    RecordsError::Decompression("a snappy frame is cut short".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chance;

    #[test]
    fn every_codec_gives_back_what_it_took() {
        let mut chance = Chance::new(1);
        for length in [0, 1, 100, 33_000, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|_| chance.below(7) as u8).collect();
            for codec in Compression::ALL {
                let packed = compress(codec, None, &bytes).expect("compresses");
                let inflated = decompress(codec, &packed, bytes.len()).expect("inflates");
                assert_eq!(inflated, bytes, "{codec:?}, {length} bytes");
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let zeros = vec![0; 4 << 20];
        for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
            let packed = compress(codec, None, &zeros).expect("compresses");
            assert_eq!(decompress(codec, &packed, 1 << 20), Err(RecordsError::TooLarge(1 << 20)), "{codec:?}");
        }
    }

    #[test]
    fn raw_snappy_is_read_as_well() {
        let packed = snap::raw::Encoder::new().compress_vec(b"as Go writes it").expect("compresses");
        let inflated = decompress(Compression::Snappy, &Bytes::from(packed), 100).expect("inflates");
        assert_eq!(&inflated[..], b"as Go writes it");
    }

    #[test]
    fn noise_is_refused_without_a_panic() {
        let mut chance = Chance::new(2);
        for round in 0..2000 {
            let mut noise: Vec<u8> = (0..chance.below(200)).map(|_| chance.bits() as u8).collect();
            if round % 2 == 0 {
                noise.splice(0..0, XERIAL);
            }
            for codec in Compression::ALL {
                if let Ok(inflated) = decompress(codec, &Bytes::from(noise.clone()), 1000) {
                    assert!(inflated.len() <= 1000);
                }
            }
        }
    }

    /// Nine bytes of the legacy frame format made the reader hold 16 MiB, and a header that announces linked blocks 12 MiB. No
    /// Kafka client reads either, so neither is inflated.
    #[test]
    fn lz4_frames_of_other_kinds_are_refused() {
        let legacy = Bytes::from_static(&[0x02, 0x21, 0x4c, 0x18, 0x5b, 0x22, 0x4d, 0, 0]);
        let info = lz4_flex::frame::FrameInfo::new().block_mode(lz4_flex::frame::BlockMode::Linked);
        let info = info.block_size(lz4_flex::frame::BlockSize::Max4MB);
        let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(b"text").expect("compresses");
        let mut linked = encoder.finish().expect("compresses");
        linked[4] &= !LZ4_INDEPENDENT;
        for bytes in [legacy, Bytes::from(linked)] {
            let mut refused = Ok(Bytes::new());
            let used = allocation_counter::measure(|| refused = decompress(Compression::Lz4, &bytes, 100));
            assert!(matches!(refused, Err(RecordsError::Decompression(_))), "{refused:?}");
            assert!(used.bytes_max < 1000, "{} bytes held", used.bytes_max);
        }
    }

    #[test]
    fn lz4_frames_have_independent_blocks_as_java_demands() {
        let packed = compress(Compression::Lz4, None, b"text").expect("compresses");
        assert_eq!(packed.get(4).map(|flags| flags & 0x60), Some(0x60));
    }
}
