//! The verification of a whole commit as SLSA's summary (VSA). It claims no level of SLSA, because nothing
//! here tells how anything was built.

use serde::Serialize;

use super::statement::{Descriptor, Statement, gitoid};
use super::{Attestation, own};
use crate::policy::POLICY_PATH;
use crate::source::{Digest, Moment};

const TYPE: &str = "https://slsa.dev/verification_summary/v1";
/// Who verifies: this program, in the hands of whoever signs.
const VERIFIER: &str = own!("verify/v1");
/// What holds: every ledger was replayed, every checksum and every commit looked at, and nothing refused.
const LEVEL: &str = "ORCH_VERIFIED";

/// A commit of which `orch verify` refused nothing.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'v> {
    /// Its hex name.
    pub commit: &'v str,
    /// What its policy holds.
    pub policy: Digest,
    /// Where it may be had, if somebody says so.
    pub resource: Option<&'v str>,
    /// As of when.
    pub at: Moment,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    verifier: Verifier,
    time_verified: Moment,
    resource_uri: String,
    policy: Descriptor,
    verification_result: &'static str,
    verified_levels: [&'static str; 1],
}

#[derive(Serialize)]
struct Verifier {
    id: &'static str,
}

/// Gives the summary of a verification that passed.
pub fn summary(verified: &Verified<'_>) -> Attestation {
    let address = gitoid(verified.commit);
    let predicate = Summary {
        verifier: Verifier { id: VERIFIER },
        time_verified: verified.at,
        resource_uri: verified.resource.map_or_else(|| address.clone(), str::to_owned),
        policy: Descriptor::at(format!("{address}#{POLICY_PATH}"), verified.policy),
        verification_result: "PASSED",
        verified_levels: [LEVEL],
    };
    let subject = vec![Descriptor::commit(verified.commit)];
    let statement = Statement::about(subject, TYPE, &predicate);
    Attestation { name: "verification_summary".into(), statement }
}
