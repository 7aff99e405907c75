//! Reads a record, and writes what it understood.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orch_fuzz::record(data));
