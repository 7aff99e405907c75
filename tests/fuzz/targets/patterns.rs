//! Reads globs, patterns of branches and paths.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orch_fuzz::patterns(data));
