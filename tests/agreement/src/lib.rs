//! The same requests to Apache Kafka 4.4 and to Highwater, and whether the answers agree.
//!
//! A scenario runs once in each version of its key, against each of the two. What Kafka answers is kept as a transcript, so that
//! the comparison needs no Kafka; `tests/agreement/run` takes a new one. A difference that is not in `accepted.rs` is a bug of
//! Highwater's.

pub mod accepted;
pub mod compare;
pub mod normal;
pub mod report;
pub mod scenarios;
pub mod side;
pub mod transcript;
pub mod value;
