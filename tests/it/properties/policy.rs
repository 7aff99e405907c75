//! A policy: the bytes are the file.

use std::collections::BTreeMap;

use orch::checks;
use orch::diagnostic::Severity;
use orch::policy::{Ending, Policy, Stage};
use orch::record::kind::FailureClass;
use orch::source::{Digest, RepoPath, RunId};

use super::record::points_into;

/// Holds that a policy is refused for reasons that can be told, and that one which is accepted
/// answers whatever it is asked.
pub(crate) fn policy(data: &[u8]) {
    match Policy::parse(data, &checks::names()) {
        Err(problems) => {
            points_into(data, &problems);
            assert!(problems.iter().all(|problem| problem.check == "policy-invalid"));
        }
        Ok(policy) => {
            assert_eq!(policy.digest, Digest::of(data));
            answers_of_paths(&policy);
            answers_of_checks(&policy);
            answers_of_people(&policy);
            let stages = policy.workflows.values().flat_map(|workflow| &workflow.stages);
            stages.for_each(|stage| answers_of_stage(&policy, stage));
            answers_of_failures(&policy, None);
        }
    }
}

const PATHS: [&str; 5] =
    ["src/lib.rs", "strategies/pine_v6/new_strategy.pine", "README.md", ".orch/policy.yaml", "a"];

fn paths(policy: &Policy) -> Vec<RepoPath> {
    let globs = policy.lanes.values().flat_map(|lane| &lane.owns);
    let filled = globs.map(|glob| glob.replace("**", "a/b").replace('*', "c"));
    let odd = [&b"\xff/\n\xe2\x80\xae"[..], b""].map(RepoPath::from_git);
    let known = PATHS.into_iter().map(RepoPath::from);
    known.chain(odd).chain(filled.map(|path| RepoPath::from(path.as_str()))).collect()
}

fn answers_of_paths(policy: &Policy) {
    for path in paths(policy) {
        for lane in policy.lanes_of(&path) {
            assert!(policy.lanes.contains_key(lane), "{lane} owns {path}, and is no lane");
        }
        let _ = policy.is_shared(&path);
    }
    for branch in ["main", "feature/strat-001-strategy", "", "orch/x", "ü/\n"] {
        let _ = policy.is_protected(branch);
        for pattern in &policy.branches {
            let _ = pattern.fits(branch, &orch::policy::BranchParts::default());
        }
    }
}

/// A policy may lower what is not mandatory, and nothing else.
fn answers_of_checks(policy: &Policy) {
    for (check, mandatory) in checks::names() {
        let severity = policy.severity(check, Severity::Error);
        assert!(!mandatory || severity == Some(Severity::Error), "{check} was lowered");
    }
}

fn answers_of_people(policy: &Policy) {
    for name in policy.agents.keys() {
        assert!(policy.is_same(name, name));
        assert!(!policy.is_person(name) || policy.directs(name));
    }
    assert!(policy.agents_who(|_| true).len() == policy.agents.len());
}

fn answers_of_stage(policy: &Policy, stage: &Stage) {
    assert!(policy.agents.contains_key(&stage.agent) && policy.lanes.contains_key(&stage.lane));
    for produce in stage.produces.values() {
        for path in paths(policy) {
            super::patterns::glob_agrees_with_itself(&produce.glob, &path);
        }
    }
    for condition in &stage.gate {
        let document = serde_json::json!({"trades": 42, "sharpe": 1.5, "status": "ok", "list": []});
        let named = condition.names().into_iter().map(|name| (name, document.clone()));
        let evidence: BTreeMap<String, serde_json::Value> = named.collect();
        assert_eq!(condition.evaluate(&evidence), condition.evaluate(&evidence));
        let _ = condition.evaluate(&BTreeMap::new());
    }
    answers_of_failures(policy, Some(stage));
}

fn answers_of_failures(policy: &Policy, stage: Option<&Stage>) {
    let run: RunId = "r3f9c2a71b0".parse().expect("a run's id");
    let classes = [
        FailureClass::Transient,
        FailureClass::Deterministic,
        FailureClass::Spec,
        FailureClass::Policy,
    ];
    for class in classes {
        let retry = policy.retry(stage, class);
        assert!(retry.maximum_attempts > 0, "at least one attempt is made");
        for attempt in [0, 1, 2, 64, u32::MAX] {
            assert!(retry.wait(&run, attempt).num_seconds() >= 0, "a wait goes forward");
        }
    }
    for (exit_code, timed_out) in [(Some(1), false), (None, false), (None, true)] {
        let output = "connection reset by peer\nTimeoutError: 503\n";
        let _ = policy.classify(&Ending { exit_code, timed_out, output });
    }
}
