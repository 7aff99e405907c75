//! Reads a policy, and asks it whatever it can be asked.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orch_fuzz::policy(data));
