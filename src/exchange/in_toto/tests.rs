//! What a ledger attests, and what it does not.

use serde_json::{Value, json};

use super::*;
use crate::record::Home;
use crate::source::{Digest, Moment};
use crate::testing::world;

const COMMIT: &str = "1234567890123456789012345678901234567890";

/// Gives what `strat-001` attests behind a story, by name.
fn attested(story: &str) -> Vec<(String, Value)> {
    let world = world(story);
    let ledger = &world.ledgers[&Home::Task("strat-001".parse().expect("an id"))];
    let all = of_ledger(&ledger.records, ledger.state(), COMMIT);
    let told = all.into_iter().map(|one| {
        let name = one.name.rsplit('/').next().expect("a name").to_owned();
        (name, serde_json::to_value(&one.statement).expect("JSON"))
    });
    told.collect()
}

fn named<'a>(all: &'a [(String, Value)], name: &str) -> &'a Value {
    let found = all.iter().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("{name} is missing: {all:#?}")).1
}

fn sha256(text: &str) -> Value {
    json!({"sha256": Digest::of(text.as_bytes()).hex()})
}

/// Writes the schema of our own predicate, and fails if that changed anything.
#[test]
fn the_schema_is_current() {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<recorded::Recorded<'_>>();
    crate::testing::golden_schemas(&[("schemas/attestation.schema.json".into(), schema)]);
}

#[test]
fn a_life_is_attested_in_the_order_of_its_entries() {
    let all = attested("- done: {until: end}");
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let told = [
        "0003-handoff",
        "0006-handoff",
        "0007-gate.tests",
        "0009-audit_report",
        "0009-audit_report.tests",
        "0012-handoff",
        "0016-handoff",
    ];
    assert_eq!(names, told);
    for (name, statement) in &all {
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1", "{name}");
        for subject in statement["subject"].as_array().expect("a list") {
            let digest = subject["digest"]["sha256"].as_str().expect("a digest");
            assert!(Digest::from_hex(digest).is_some(), "{name}: {subject}");
        }
    }
}

/// The record is there whole, with the fields of its own schema, and its subjects are what it sealed.
#[test]
fn a_handoff_is_attested_whole() {
    let all = attested("- done: {until: audit}");
    let statement = named(&all, "0003-handoff");
    let files = [
        json!({"name": "docs/strategies/sma.md", "digest": sha256("about")}),
        json!({"name": "strategies/sma.py", "digest": sha256("code")}),
    ];
    assert_eq!(statement["subject"], json!(files));
    let predicate = &statement["predicate"];
    assert_eq!(predicate["handoff"]["to"], "quant_engineer");
    assert_eq!(predicate["handoff"]["artifacts"].as_array().map(Vec::len), Some(2));
    assert_eq!(predicate["entry"]["sequence"], 3);
    assert_eq!(predicate["stands"], true);
    assert_eq!(predicate["commit"]["digest"]["gitCommit"], COMMIT);
    assert_eq!(predicate["commit"]["uri"], format!("gitoid:commit:sha1:{COMMIT}"));
    let record = predicate["record"]["name"].as_str().expect("a path");
    assert!(record.starts_with(".orch/tasks/") && record.ends_with("/0003-handoff.yaml"));
}

/// What was sent back or taken out of use says so: nobody is to take it for a handoff that holds.
#[test]
fn what_became_of_a_handoff_is_told() {
    let sent_back = "- done: {until: backtest}\n- rejection: {handoff: 3, reason: mismatch}";
    let all = attested(sent_back);
    assert_eq!(named(&all, "0003-handoff")["predicate"]["stands"], false);

    let digest = Digest::of(b"code");
    let quarantine =
        format!("quarantine: {{name: strategy_code, checksum: '{digest}', reason: x}}");
    let all = attested(&format!("- done: {{until: backtest}}\n- {quarantine}"));
    let predicate = &named(&all, "0003-handoff")["predicate"];
    assert_eq!(predicate["quarantined"], json!(["strategy_code"]));
}

#[test]
fn tests_are_told_by_name_and_result() {
    let all = attested("- done: {until: end}");
    let gate = named(&all, "0007-gate.tests");
    assert_eq!(gate["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
    assert_eq!(gate["predicate"]["result"], "PASSED");
    let conditions = gate["predicate"]["passedTests"].as_array().expect("a list");
    assert!(conditions.contains(&json!("backtest_results.trades >= 30")), "{conditions:?}");
    let audit = named(&all, "0009-audit_report.tests");
    assert_eq!(audit["predicate"]["passedTests"], json!(["anti_bias", "full_audit"]));
    let names = audit["predicate"]["configuration"].as_array().expect("a list");
    let names: Vec<&Value> = names.iter().map(|one| &one["name"]).collect();
    assert_eq!(names[0], ".orch/policy.yaml");
    assert!(names[1].as_str().is_some_and(|name| name.ends_with("/0009-audit_report.yaml")));
}

#[test]
fn a_failure_is_attested_as_one() {
    let all = attested(
        "
- done: {until: backtest}
- run: {}
- write: {research/reports/sma.json: '{\"trades\": 2, \"max_drawdown\": 0.1}'}
- handoff: {}
- gate: {}
",
    );
    let predicate = &named(&all, "0007-gate.tests")["predicate"];
    assert_eq!(predicate["result"], "FAILED");
    assert_eq!(predicate["failedTests"], json!(["backtest_results.trades >= 30"]));
}

/// Only the test that failed is told as failed, and the verdict is the audit's.
#[test]
fn an_audit_that_fails_is_attested_as_one() {
    let tests = "[{name: anti_bias, verdict: PASS}, {name: full_audit, verdict: FAIL}]";
    let failed = format!("- audit_report: {{verdict: FAIL, tests: {tests}}}");
    let all = attested(&format!("- done: {{until: audit}}\n- run: {{}}\n{failed}"));
    let predicate = &named(&all, "0009-audit_report.tests")["predicate"];
    assert_eq!(predicate["result"], "FAILED");
    assert_eq!(predicate["passedTests"], json!(["anti_bias"]));
    assert_eq!(predicate["failedTests"], json!(["full_audit"]));
    assert_eq!(named(&all, "0009-audit_report")["predicate"]["audit_report"]["verdict"], "FAIL");
}

/// The work of an incident is attested, and nobody asks whether it stands. A handoff that seals nothing is
/// its own subject.
#[test]
fn a_rollback_is_attested_too() {
    let world = world(
        "
- done: {until: end}
- close: {outcome: completed, reason: Live}
- incident: {tasks: [strat-001]}
- run: {in: incidents/inc-001}
- remove: {deploy/paper/sma.json: ~}
- handoff: {in: incidents/inc-001}
",
    );
    let ledger = &world.ledgers[&Home::Incident("inc-001".parse().expect("an id"))];
    let all = of_ledger(&ledger.records, ledger.state(), COMMIT);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].name, "incidents/inc-001/0003-handoff");
    let statement = serde_json::to_value(&all[0].statement).expect("JSON");
    assert_eq!(statement["predicate"]["stands"], Value::Null);
    let record = &statement["predicate"]["record"];
    assert_eq!((&statement["subject"][0], record["digest"].is_object()), (record, true));
}

/// It claims nothing of SLSA's, and only what was looked at.
#[test]
fn a_summary_is_of_one_commit() {
    let at: Moment = "2026-11-21T14:30:00Z".parse().expect("a moment");
    let verified = Verified { commit: COMMIT, policy: Digest::of(b"policy"), resource: None, at };
    let statement = serde_json::to_value(summary(&verified).statement).expect("JSON");
    let address = format!("gitoid:commit:sha1:{COMMIT}");
    let told = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"uri": address, "digest": {"gitCommit": COMMIT}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "urn:uuid:448bec05-4e8b-4f49-a69a-6027ee5918cd#verify/v1"},
            "timeVerified": "2026-11-21T14:30:00Z",
            "resourceUri": address,
            "policy": {"uri": format!("{address}#.orch/policy.yaml"), "digest": sha256("policy")},
            "verificationResult": "PASSED",
            "verifiedLevels": ["ORCH_VERIFIED"],
        },
    });
    assert_eq!(statement, told);
    let resource = Some("git+https://example.org/lab.git@v1");
    let statement = summary(&Verified { resource, ..verified }).statement;
    let statement = serde_json::to_value(statement).expect("JSON");
    assert_eq!(statement["predicate"]["resourceUri"], "git+https://example.org/lab.git@v1");
}
