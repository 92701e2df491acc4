//! libFuzzer over [`highwater_fuzz::machines`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_fuzz::machines::run(bytes));
