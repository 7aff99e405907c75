//! What the targets hold to be true, shared with the main package's tests.

#[path = "../../it/properties/mod.rs"]
mod properties;

/// Reads a record, and writes what was understood.
pub fn record(data: &[u8]) {
    properties::record(data);
}

/// Reads a policy, and asks it whatever it can be asked.
pub fn policy(data: &[u8]) {
    properties::policy(data);
}

/// Reads globs, patterns of branches and paths.
pub fn patterns(data: &[u8]) {
    properties::patterns(data);
}

/// Judges what is done to a ledger, and shows the report.
pub fn guard(data: &[u8]) {
    properties::guard(data);
}
