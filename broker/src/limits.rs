//! The bounds of the shell that no configuration changes.

use std::time::Duration;

/// Requests of one connection that are in work at a time; the next frame is not read before one is answered.
pub(crate) const REQUESTS_IN_WORK: usize = 128;
/// The least that is read from a socket at a time.
pub(crate) const READ_BYTES: usize = 64 * 1024;
/// Response bytes of one connection that may wait to be written before its next request is looked at.
pub(crate) const RESPONSE_BYTES_WAITING: usize = 64 << 20;
/// A client that takes none of its response for that long is closed.
pub(crate) const WRITE_STALL: Duration = Duration::from_secs(30);
/// A frame has that long for its first bytes, and then must come at [`FRAME_BYTES_A_SECOND`].
pub(crate) const FRAME_GRACE: Duration = Duration::from_secs(5);
/// The slowest that a frame may come.
pub(crate) const FRAME_BYTES_A_SECOND: u64 = 8 * 1024;
/// A range of a file from this size on is sent by sendfile; below it a copy costs no more.
pub(crate) const SENDFILE_BYTES: usize = 16 * 1024;
/// A request waits that long for memory; whoever holds it may be waiting too.
pub(crate) const MEMORY_WAIT: Duration = Duration::from_secs(5);
/// The buffer of a connection that sends nothing is given back after that.
pub(crate) const BUFFER_KEPT: Duration = Duration::from_secs(1);
/// How long a graceful stop waits for requests in work.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(5);
/// Segment files that stay open at a time, at least and at most.
pub(crate) const LEAST_SEGMENT_FILES: usize = 64;
pub(crate) const MOST_SEGMENT_FILES: usize = 4096;
/// Indices of sealed segments that stay mapped at a time: the kernel gives a process 65,530 maps.
pub(crate) const INDEX_MAPS: usize = 4096;
/// Client software names that metrics tell apart.
pub(crate) const CLIENT_SOFTWARES: usize = 64;

const _: () = assert!(READ_BYTES >= SENDFILE_BYTES, "a read takes at least what a copy is worth");
