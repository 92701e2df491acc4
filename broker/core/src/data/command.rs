//! What a data machine writes into its log and its snapshots. Fields are only ever added.

use bytes::Bytes;
use highwater_protocol::ids::Offset;
use prost::Message;

use crate::config::topic::FlushMode;

/// A change without records.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Command {
    #[prost(int64, optional, tag = "1")]
    pub(super) log_start: Option<i64>,
    #[prost(int64, repeated, tag = "2")]
    pub(super) expired_producers: Vec<i64>,
    /// From this entry on: 0 fsync, 1 os.
    #[prost(int32, optional, tag = "3")]
    pub(super) flush_mode: Option<i32>,
}

/// The whole state.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Snapshot {
    #[prost(int64, tag = "1")]
    pub(super) next_offset: i64,
    #[prost(int64, tag = "2")]
    pub(super) log_start: i64,
    #[prost(message, repeated, tag = "3")]
    pub(super) producers: Vec<SavedProducer>,
    /// 0 fsync, 1 os.
    #[prost(int32, tag = "4")]
    pub(super) flush_mode: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SavedProducer {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(int32, tag = "2")]
    pub(super) epoch: i32,
    #[prost(message, repeated, tag = "3")]
    pub(super) batches: Vec<SavedBatch>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SavedBatch {
    #[prost(int32, tag = "1")]
    pub(super) base_sequence: i32,
    #[prost(int32, tag = "2")]
    pub(super) last_sequence: i32,
    #[prost(int64, tag = "3")]
    pub(super) base_offset: i64,
    #[prost(int64, tag = "4")]
    pub(super) timestamp: i64,
    #[prost(uint64, tag = "5")]
    pub(super) index: u64,
    #[prost(int32, tag = "6")]
    pub(super) term: i32,
}

impl Command {
    pub(super) fn move_log_start(offset: Offset) -> Self {
        Self { log_start: Some(offset.0), ..Self::default() }
    }

    pub(super) fn expire(producers: Vec<i64>) -> Self {
        Self { expired_producers: producers, ..Self::default() }
    }

    pub(super) fn change_flush_mode(mode: FlushMode) -> Self {
        Self { flush_mode: Some(number(mode)), ..Self::default() }
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        Bytes::from(self.encode_to_vec())
    }
}

/// A flush mode as it is written.
pub(super) fn number(mode: FlushMode) -> i32 {
    match mode {
        FlushMode::Fsync => 0,
        FlushMode::Os => 1,
    }
}

/// A flush mode as it was written. What a later version added is the safe one.
pub(super) fn flush_mode(number: i32) -> FlushMode {
    if number == 1 { FlushMode::Os } else { FlushMode::Fsync }
}
