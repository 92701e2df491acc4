//! The broker: sockets, threads, the Kafka API, HTTP.
