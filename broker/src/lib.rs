//! The shell around a node: sockets, threads, the Kafka API, HTTP. It decides nothing that a machine could decide.

mod api;
pub mod banner;
pub mod config;
mod drivers;
mod http;
pub mod inspect;
mod lag;
mod limits;
mod metrics;
mod server;
mod shell;
mod start;
mod turn;

pub use start::{Running, StartError, start};
