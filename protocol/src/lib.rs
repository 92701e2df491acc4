//! The Kafka wire: bytes in, values out. No I/O, no clock, and no panic on any input.

pub mod ids;
