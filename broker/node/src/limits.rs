//! The bounds of a node, each with a name.

/// A log with this many unflushed bytes has its segment synced instead of its bytes journalled: measured on ext4, the
/// journal's second copy costs more than the segment's own sync from about here on.
pub const SEGMENT_SYNC_BYTES: usize = 256 * 1024;

/// Bytes appended but not yet flushed, in all logs together; above it sockets are not read.
pub const UNFLUSHED_BYTES: usize = 64 * 1024 * 1024;

/// Raft's largest message, in bytes of entries.
pub const RAFT_MESSAGE_BYTES: u64 = 1024 * 1024;

/// Raft's messages under way to one peer.
pub const RAFT_INFLIGHT_MESSAGES: usize = 64;

/// The least that is verified of sealed segments at a time, unless less is allowed a second.
pub const SCRUB_BYTES: u64 = 256 * 1024;

/// Snapshots of a machine that are kept: the newest counts, the one before serves while it is being replaced.
pub const SNAPSHOTS_KEPT: usize = 2;

const _: () =
    assert!(SEGMENT_SYNC_BYTES < UNFLUSHED_BYTES, "one log must be able to ask for a segment sync below the bound");
