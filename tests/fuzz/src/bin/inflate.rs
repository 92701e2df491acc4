//! libFuzzer over [`highwater_fuzz::inflate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_fuzz::inflate::run(bytes));
