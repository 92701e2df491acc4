//! Record batches of format version 2: headers, records, builders, compression.
//!
//! ```text
//!  0  base offset            i64   outside the CRC
//!  8  length behind here     i32   outside the CRC
//! 12  leader epoch           i32   outside the CRC
//! 16  magic (2)              i8    outside the CRC
//! 17  CRC-32C of what follows u32
//! 21  attributes             i16   codec (3 bits), timestamp type, transactional, control, delete horizon
//! 23  last offset delta      i32
//! 27  base timestamp         i64
//! 35  max timestamp          i64
//! 43  producer id            i64
//! 51  producer epoch         i16
//! 53  base sequence          i32
//! 57  record count           i32
//! 61  records, compressed as the attributes say
//! ```

pub mod batch;
pub mod builder;
pub mod compression;
pub mod filter;
pub mod outline;
pub mod record;
