//! The bounds of a store, each with a name.

/// The journal pads its records to this, so that a write into a page that is not cached needs no read.
pub const BLOCK: usize = 4096;
/// The first journal file of a directory: small, so that a start takes milliseconds.
pub const FIRST_JOURNAL_BYTES: u64 = 1 << 20;
/// Journal files that wait to be used again; more are removed.
pub const FREE_JOURNAL_FILES: usize = 3;
/// Full journal files above which no more records should be taken in: what they hold waits for a checkpoint.
pub const FULL_JOURNAL_FILES: usize = 8;
/// The first read of a file that has to be walked.
pub const WALK_BYTES: usize = 256 * 1024;
/// A log with this many unsynced bytes is synced in the background.
pub const SYNC_BYTES: u64 = 64 << 20;
/// Logs whose unsynced bytes are fewer than this together are synced side by side in the background.
pub const SYNCED_TOGETHER_BYTES: u64 = 4 << 20;
/// Idle logs that are synced in one round of upkeep: each costs a flush of its own.
pub const IDLE_SYNCS: usize = 16;
/// Bytes of a log are written anew in pieces of this size when they are made durable after a stop.
pub const REWRITE_BYTES: usize = 4 << 20;
/// What a frame of our own may hold: a walk reads it whole.
pub const OWN_FRAME_BYTES: usize = 64 << 20;

const _: () = assert!(FIRST_JOURNAL_BYTES.is_multiple_of(BLOCK as u64), "journal files consist of whole blocks");
