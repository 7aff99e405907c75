//! Nothing is deployed without an audit that passed.
//!
//! From R000-1, R000-13, R000-15.

use super::{Check, Group, Objection, Run, reliance};
use crate::diagnostic::Severity;
use crate::record::kind::Verdict;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "gatekeeper-missing",
    group: Group::Audit,
    title: "Nothing is deployed without an audit that passed",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
The independent auditor approves before any deployment, without exception. A run of a deploy stage,
or of one that requires `audit_pass`, may begin only while the task's latest audit report says PASS.
A report that says FAIL, or one from before the task returned to an earlier stage, counts for
nothing. No setting turns this off.

```yaml bad
# A gate led past the audit, and nobody noticed.
- done: {until: backtest}
- run: {stage: backtest}
- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}
- handoff: {}
- gate: {next_stage: deploy_paper}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
```

```yaml good
- done: {until: deploy_paper}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(reliance::Relying { state, run }) = reliance::relying(step) else {
        return Vec::new();
    };
    if state.live_audit().is_some() {
        return Vec::new();
    }
    let latest = state.audits.last();
    let why = match latest {
        None => "nobody has audited this task",
        Some(audit) if audit.verdict == Verdict::Fail => "its latest audit says FAIL",
        Some(_) => "the task has returned to an earlier stage since its audit",
    };
    let message = format!("stage `{}` needs an audit that passed, and {why}", run.stage);
    let task = &state.task.task_id;
    let help = format!("bring it through its audit first: `orch status {task}` tells what is open");
    vec![Objection::new(step.field("stage"), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::record::{RecordPath, parse};
    use crate::source::RepoPath;
    use crate::testing::story;

    /// R000-14: a report that says FAIL opens nothing, whatever a gate said about it.
    #[test]
    fn a_failed_audit_opens_nothing() {
        let findings = story(
            "
- done: {until: audit}
- run: {stage: audit}
- audit_report: {verdict: FAIL}
- gate: {verdict: pass, next_stage: deploy_paper, returns_to: null, reasons: null}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
",
        );
        findings.expect(&["gatekeeper-missing"]);
        assert_eq!(findings.underlined(0), "deploy_paper");
        assert!(findings.report.findings[0].message.ends_with("its latest audit says FAIL"));
    }

    /// R000-6: behind a return, the audit from before it is worth nothing.
    #[test]
    fn an_audit_from_before_a_return_opens_nothing() {
        story(
            "
- done: {until: deploy_paper}
- rejection: {handoff: 3, reason: mismatch}
- run: {stage: strategy}
- write: {strategies/sma.py: better, docs/strategies/sma.md: about}
- handoff: {}
- gate: {next_stage: deploy_paper}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
",
        )
        .expect(&["gatekeeper-missing"]);
    }

    /// The live stage asks again: what an auditor finds after the paper stage still counts.
    #[test]
    fn every_deploy_stage_asks() {
        story(
            "
- done: {until: deploy_live}
- audit_report: {verdict: FAIL}
- approval: {}
- propose: feature/strat-001-deploy_live
- run: {stage: deploy_live}
",
        )
        .expect(&["gatekeeper-missing"]);
    }

    /// R000-15: there is no third word, and no other spelling.
    #[test]
    fn only_the_whole_word_is_a_verdict() {
        let path = RepoPath::from(".orch/tasks/2026-11/strat-001/0009-audit_report.yaml");
        let path = RecordPath::parse(&path).expect("well placed");
        let report = |verdict: &str| {
            let text = format!(
                "
audit_report:
  name: A strategy
  version: '1.0'
  auditor: independent_auditor
  verdict: {verdict}
  date: 2026-11-21T10:00:00Z
  covers: []
entry:
  sequence: 9
  recorded_at: 2026-11-21T10:00:00Z
  actor: independent_auditor
"
            );
            parse(&path, text.as_bytes())
        };
        assert!(report("PASS").is_ok() && report("FAIL").is_ok());
        for verdict in ["PASS+FIX", "pass", "Pass", "PASS ", "PASSED", "'PASS\n'", "true", ""] {
            let problems = match report(&format!("{verdict:?}")) {
                Ok(_) => panic!("{verdict:?} was read as a verdict"),
                Err(problems) => problems,
            };
            assert_eq!(problems[0].check, "record-invalid", "{verdict:?}");
        }
    }
}
