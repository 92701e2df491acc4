//! A whole node of one voter on a simulated disk, with a clock that stands until a test moves it, and nothing beside it: no
//! sockets, no threads.

mod bench;
mod crash;
mod faults;
mod flush_mode;
mod retention;
mod same_seed;
mod serving;
