//! One directory of logs: segments of wire bytes, mmap indices, one journal for all of them, and recovery.
//!
//! Knows neither topics nor leaders: a log has a name and a `LogId`, an entry has an index and a term.
//! No clock, no threads, no async; the disk is an argument.

pub mod disk;
pub mod journal;
