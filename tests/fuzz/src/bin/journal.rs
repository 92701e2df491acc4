//! libFuzzer over [`highwater_fuzz::journal`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_fuzz::journal::run(bytes));
