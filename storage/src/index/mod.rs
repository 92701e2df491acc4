//! Where entries lie in a segment: sparse rows that answer for offsets, timestamps and Raft indices, and the places of our
//! own frames. In memory while the segment is written, in a mapped file once it is sealed and synced.

pub mod file;
pub mod map;
pub mod row;
