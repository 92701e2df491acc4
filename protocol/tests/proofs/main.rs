//! What is promised of the wire, proved against three witnesses: the specs read by a second, far simpler codec
//! ([`wire`]), the published `kafka-protocol` crate ([`agreement`], [`records`]), and a hostile peer ([`hostile`]).
//!
//! One binary for all of them, because they share the table of messages ([`messages`]) and link once.

mod agreement;
mod coordinator_records;
mod coverage;
mod hostile;
mod messages;
mod records;
mod roundtrip;
mod wire;
