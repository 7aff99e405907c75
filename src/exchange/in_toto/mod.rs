//! What is on the record as in-toto attestations, for readers that know nothing of us: a statement for each
//! handoff and audit, one for the tests that each audit and gate did, and one for a whole commit that
//! was verified; bare, or signed in an envelope.

mod envelope;
mod recorded;
mod statement;
mod summary;
mod tested;

pub use envelope::Envelope;
pub use statement::Statement;
pub use summary::{Verified, summary};

use crate::ledger::State;
use crate::record::{Payload, Record};

/// The product's own place for names. No domain is ours to name types in, and a UUID is nobody else's.
macro_rules! own {
    ($name:literal) => {
        concat!("urn:uuid:448bec05-4e8b-4f49-a69a-6027ee5918cd#", $name)
    };
}
use own;

/// A statement, and what it is kept as.
#[derive(Debug)]
pub struct Attestation {
    /// A path for it, without an ending: that of the record it is made of, without `.orch/`.
    pub name: String,
    /// What it says.
    pub statement: Statement,
}

/// Gives what the entries of a ledger attest, in their order, as they stand at a commit; `state` is where
/// its task stands there.
pub fn of_ledger(records: &[Record], state: Option<&State>, commit: &str) -> Vec<Attestation> {
    let mut all = Vec::new();
    for record in records {
        let path = record.repo_path().to_string();
        let name = path.strip_prefix(".orch/").unwrap_or(&path);
        let name = name.strip_suffix(".yaml").unwrap_or(name).to_owned();
        let tested = match &record.payload {
            Payload::AuditReport(report) => tested::by_audit(record, report),
            Payload::Gate(gate) => tested::by_gate(record, gate),
            _ => None,
        };
        let tests = format!("{name}.tests");
        let recorded = recorded::of(record, state, commit);
        all.extend(recorded.map(|statement| Attestation { name, statement }));
        all.extend(tested.map(|statement| Attestation { name: tests, statement }));
    }
    all
}

#[cfg(test)]
mod tests;
