//! The predicate of our own: a handoff or an audit report, whole, as it stands in its record, and what became
//! of it by a commit.

use serde::Serialize;

use super::own;
use super::statement::{Descriptor, Statement, subject};
use crate::ledger::State;
use crate::record::kind::{Artifact, AuditReport, Handoff};
use crate::record::{Envelope, Payload, Record};
use crate::source::ArtifactName;

const TYPE: &str = own!("record/v1");

/// A handoff or an audit report, whole, and what became of it by a commit.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "orch attestation"))]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded<'r> {
    /// The record's file.
    record: Descriptor,
    /// As of which commit the rest is told.
    commit: Descriptor,
    /// Whether nothing later has replaced, rejected or returned it; of an incident's work nobody asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    stands: Option<bool>,
    /// What of it is out of use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quarantined: Vec<&'r ArtifactName>,
    /// What it says, if it is a handoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    handoff: Option<&'r Handoff>,
    /// What it says, if it is an audit report.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_report: Option<&'r AuditReport>,
    /// Who said it, when, and behind which entry.
    entry: &'r Envelope,
}

/// Gives the statement of a handoff or an audit report; none of any other record.
pub(super) fn of(record: &Record, state: Option<&State>, commit: &str) -> Option<Statement> {
    let (handoff, audit_report, artifacts) = match &record.payload {
        Payload::Handoff(handoff) => (Some(handoff), None, &handoff.artifacts),
        Payload::AuditReport(report) => (None, Some(report), &report.covers),
        _ => return None,
    };
    let out_of_use = |artifact: &&Artifact| {
        let evidence = (artifact.name.clone(), artifact.checksum);
        state.is_some_and(|state| state.quarantined.contains(&evidence))
    };
    let predicate = Recorded {
        record: Descriptor::record(record),
        commit: Descriptor::commit(commit),
        stands: state.map(|state| state.stands(record.sequence())),
        quarantined: artifacts.iter().filter(out_of_use).map(|artifact| &artifact.name).collect(),
        handoff,
        audit_report,
        entry: &record.entry,
    };
    Some(Statement::about(subject(record, artifacts), TYPE, &predicate))
}
