//! What tests of the whole share: a broker as a real process, a blocking connection to it, and seeded chance.

pub mod calls;
pub mod chance;
pub mod http;
pub mod librdkafka;
pub mod loop_disk;
pub mod process;
pub mod wire;
pub mod writer;
