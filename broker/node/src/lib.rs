//! A whole node without sockets, threads or clock.
