//! Draws arbitrary values for round-trip tests. The same seed draws the same values.

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::wire::Payload;

/// A splitmix64 generator with the wire's types on top.
#[derive(Debug)]
pub struct Chance {
    state: u64,
    depth: u32,
}

impl Chance {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, depth: 0 }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits().checked_rem(bound).unwrap_or(0)
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn i8(&mut self) -> i8 {
        self.bits().to_le_bytes()[0] as i8
    }

    pub(crate) fn i16(&mut self) -> i16 {
        self.bits() as i16
    }

    pub(crate) fn u16(&mut self) -> u16 {
        self.bits() as u16
    }

    pub(crate) fn i32(&mut self) -> i32 {
        self.bits() as i32
    }

    pub(crate) fn i64(&mut self) -> i64 {
        self.bits() as i64
    }

    pub(crate) fn f64(&mut self) -> f64 {
        f64::from(self.i32()) / 8.0
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.bits(), self.bits())
    }

    pub(crate) fn string(&mut self) -> String {
        (0..self.below(12)).map(|_| char::from(b'a' + (self.below(26) as u8))).chain(Some('é')).collect()
    }

    pub(crate) fn bytes(&mut self) -> Bytes {
        self.records().freeze()
    }

    pub(crate) fn records(&mut self) -> BytesMut {
        let length = if self.below(8) == 0 { 2000 } else { self.below(20) };
        (0..length).map(|_| self.bits() as u8).collect()
    }

    pub(crate) fn payload(&mut self) -> Payload {
        Payload::Bytes(self.bytes())
    }

    pub(crate) fn array<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        if self.depth > 4 {
            return Vec::new();
        }
        self.depth += 1;
        let elements = (0..self.below(4)).map(|_| element(self)).collect();
        self.depth -= 1;
        elements
    }

    pub(crate) fn option<T>(&mut self, nullable: bool, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if nullable && self.below(4) == 0 { None } else { Some(some(self)) }
    }
}
