//! One directory of logs: segments, indices, the journal, recovery.
