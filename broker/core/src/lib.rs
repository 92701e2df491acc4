//! The machines and the configuration tables: pure decisions and folds.
//!
//! No clock, no I/O, no threads, no chance, and no iteration over a map whose order is random: what time it is and which ids
//! are new comes in with the request.

pub mod cluster;
pub mod config;
pub mod controller;
pub mod data;
pub mod group;
pub mod machine;
pub mod view;
