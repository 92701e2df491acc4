//! libFuzzer over [`highwater_fuzz::responses`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_fuzz::responses::run(bytes));
