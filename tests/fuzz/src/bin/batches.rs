//! libFuzzer over [`highwater_fuzz::batches`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_fuzz::batches::run(bytes));
