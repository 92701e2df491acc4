//! The Kafka wire: bytes in, values out. No I/O, no clock, and no panic on any input.
//!
//! Messages are generated from `specs/`; what is written by hand is the primitives under them ([`wire`]), frames and
//! headers ([`frame`]), the table of keys ([`api`]), error codes, and record batches ([`records`]).

pub mod api;
pub mod coordinator_record;
pub mod error;
pub mod error_code;
pub mod frame;
pub mod ids;
pub mod message;
pub mod records;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wire;
