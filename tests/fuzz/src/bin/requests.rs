//! libFuzzer over [`highwater_fuzz::requests`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_fuzz::requests::run(bytes));
