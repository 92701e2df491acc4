//! What readers see of a log that has offsets, whichever machine it is of.

use highwater_protocol::ids::Offset;

/// The offsets between which a log is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// The offset behind the last committed record: the high watermark.
    pub high_watermark: Offset,
    /// The offset below which every transaction is decided.
    pub last_stable_offset: Offset,
    /// The first offset that may be read.
    pub log_start: Offset,
}
