//! What comes from outside as bytes, each kind as one function that takes any bytes: a target. libFuzzer draws them
//! (`tests/fuzz/run TARGET SECONDS`), and an ordinary test replays those it found worth keeping (`tests/fuzz/corpus`,
//! `tests/fuzz/findings`).
//!
//! A target panics on what must not happen: a panic of the code it calls, a property that does not hold, or more memory at a
//! time than [`FACTOR`] bytes for a byte of input and the target's constant.

pub mod batches;
mod corpus;
pub mod inflate;
pub mod journal;
pub mod machines;
mod memory;
mod messages;
pub mod requests;
pub mod responses;
mod seeds;
pub mod segment;
mod store;

pub use memory::FACTOR;

/// A kind of input.
pub struct Target {
    /// Its name: of its binary, and of its folders.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
    /// Inputs to begin from, which reach what chance would not.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target { name: "requests", run: requests::run, seeds: seeds::requests },
    Target { name: "responses", run: responses::run, seeds: seeds::responses },
    Target { name: "batches", run: batches::run, seeds: seeds::batches },
    Target { name: "inflate", run: inflate::run, seeds: seeds::inflate },
    Target { name: "journal", run: journal::run, seeds: seeds::journal },
    Target { name: "segment", run: segment::run, seeds: seeds::segment },
    Target { name: "machines", run: machines::run, seeds: seeds::machines },
];
