//! How much memory a piece of work holds at a time, counted by the allocator on its own thread. What C allocates (zstd) is not
//! seen.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that may be held for a byte of input, beside a target's constant.
pub const FACTOR: u64 = 16;

/// The largest share of what was allowed that was ever held, in thousandths.
static WORST: AtomicU64 = AtomicU64::new(0);

/// Does the work, and holds the memory it took against the bound.
pub(crate) fn bounded<T>(input: usize, constant: u64, work: impl FnOnce() -> T) -> T {
    bounded_by(FACTOR, input, constant, work)
}

/// The same with another factor, for bytes that no stranger sends.
pub(crate) fn bounded_by<T>(factor: u64, input: usize, constant: u64, work: impl FnOnce() -> T) -> T {
    let mut done = None;
    let used = allocation_counter::measure(|| done = Some(work()));
    let allowed = factor * input as u64 + constant;
    let held = used.bytes_max;
    assert!(held <= allowed, "{held} bytes held for an input of {input}, and {allowed} are allowed");
    let share = held * 1000 / allowed;
    if share > WORST.fetch_max(share, Ordering::Relaxed) && cfg!(feature = "libfuzzer") {
        eprintln!("{held} bytes held for an input of {input}, of {allowed} allowed: {}.{} %", share / 10, share % 10);
    }
    done.expect("the work was done")
}
