//! The tests that an audit or a gate did, as in-toto's own predicate for results of tests.

use serde::Serialize;

use super::statement::{Descriptor, Statement, subject};
use crate::policy::POLICY_PATH;
use crate::record::Record;
use crate::record::kind::{AuditReport, Gate, GateVerdict, Verdict};
use crate::source::RepoPath;

const TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestResult<'r> {
    result: &'static str,
    configuration: Vec<Descriptor>,
    passed_tests: Vec<&'r str>,
    failed_tests: Vec<&'r str>,
}

/// Gives how an audit's tests went; none if it names none, and passed: nothing was tested.
pub(super) fn by_audit(record: &Record, report: &AuditReport) -> Option<Statement> {
    let tests = report.tests.iter().map(|test| (test.name.as_str(), test.verdict == Verdict::Pass));
    let result = result(report.verdict == Verdict::Pass, tests.collect(), record)?;
    Some(Statement::about(subject(record, &report.covers), TYPE, &result))
}

/// Gives how a gate's conditions went; none if it asked nothing, and passed.
pub(super) fn by_gate(record: &Record, gate: &Gate) -> Option<Statement> {
    let asked = gate.conditions.iter();
    let asked = asked.map(|condition| (condition.expression.as_str(), condition.result));
    let result = result(gate.verdict == GateVerdict::Pass, asked.collect(), record)?;
    Some(Statement::about(subject(record, &gate.evidence), TYPE, &result))
}

fn result<'r>(
    passed: bool,
    tests: Vec<(&'r str, bool)>,
    record: &Record,
) -> Option<TestResult<'r>> {
    if passed && tests.is_empty() {
        return None;
    }
    let named = |wanted: bool| {
        tests.iter().filter(move |(_, held)| *held == wanted).map(|(name, _)| *name).collect()
    };
    // What was to be tested is told by the policy, and again, with what was seen, by the record.
    let policy = record.entry.policy;
    let policy = policy.map(|digest| Descriptor::file(&RepoPath::from(POLICY_PATH), digest));
    Some(TestResult {
        result: if passed { "PASSED" } else { "FAILED" },
        configuration: policy.into_iter().chain([Descriptor::record(record)]).collect(),
        passed_tests: named(true),
        failed_tests: named(false),
    })
}
