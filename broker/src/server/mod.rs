//! Connections of clients.

pub(crate) mod connection;
pub(crate) mod listener;
pub(crate) mod memory;
pub(crate) mod response;
