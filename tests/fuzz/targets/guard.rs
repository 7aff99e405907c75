//! Judges what is done to a ledger, and shows the report.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orch_fuzz::guard(data));
