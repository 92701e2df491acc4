//! Producer, consumer and admin in pure Rust.
