//! What an audit found, its verdict and the answers to it agree.
//!
//! From R000-44, R000-47.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::State;
use crate::record::Payload;
use crate::record::kind::{
    AuditReport, FailureResponse, Handoff, HandoffStatus, Issue, IssueSeverity, Verdict,
};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "audit-contradictory",
    group: Group::Audit,
    title: "What an audit found, its verdict and the answers to it agree",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A critical issue blocks progress, so no report says PASS beside one, and a FAIL says what is wrong.
The response to a FAIL returns every issue as the report has it, and the work comes back only when a
handoff answers each critical one by its id: `orch handoff create ID --resolves issue-001`. Whether
the answer is good enough is the next audit's to say.

```yaml bad
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report:
    verdict: PASS
    issues:
      - {id: issue-001, severity: critical, category: lookahead, description: Sees tomorrow,
         location: 'strategies/sma.py:1', remediation: Shift the signal}
```

```yaml good
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report:
    verdict: PASS
    issues:
      - {id: issue-001, severity: minor, category: documentation, description: No example,
         location: general, remediation: Add one}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    match (&step.record.payload, step.before) {
        (Payload::AuditReport(report), _) => of_report(step, report),
        (Payload::FailureResponse(response), Some(state)) => of_response(step, state, response),
        (Payload::Handoff(handoff), Some(state)) => of_handoff(world, step, state, handoff),
        _ => Vec::new(),
    }
}

fn of_report(step: &Step<'_>, report: &AuditReport) -> Vec<Objection> {
    let critical = report.issues.iter().enumerate().find(|(_, issue)| is_critical(issue));
    match (report.verdict, critical) {
        (Verdict::Pass, Some((index, issue))) => {
            let message = format!("this audit says PASS beside `{}`, which is critical", issue.id);
            let help = "record what was found as FAIL: `orch audit report … --verdict FAIL`";
            let place = step.field(&format!("issues.{index}.severity"));
            vec![Objection::new(place, message, help)]
        }
        (Verdict::Fail, None) if report.issues.is_empty() => {
            let message = "this audit says FAIL and names no issue";
            let help = "say what must be mended: `orch audit report … --issue \
                        'critical:lookahead:FILE:LINE:what:remedy'`";
            vec![Objection::new(step.field("verdict"), message, help)]
        }
        _ => Vec::new(),
    }
}

/// Otherwise a response without issues would make the work free of them.
fn of_response(step: &Step<'_>, state: &State, response: &FailureResponse) -> Vec<Objection> {
    let dropped: Vec<&str> = state
        .issues
        .iter()
        .filter(|issue| !response.issues.contains(issue))
        .map(|issue| issue.id.as_str())
        .collect();
    if dropped.is_empty() {
        return Vec::new();
    }
    let message = format!("this leaves out or rewords {}, which the audit found", ids(&dropped));
    let help = "return every issue as the report has it; `orch audit report` writes this entry";
    vec![Objection::new(step.field("issues"), message, help)]
}

fn of_handoff(world: &World, step: &Step<'_>, state: &State, handoff: &Handoff) -> Vec<Objection> {
    let overturned = world.overturned(state);
    let open: Vec<&str> = state
        .open_issues()
        .filter(|issue| is_critical(issue))
        .map(|issue| issue.id.as_str())
        .filter(|id| !overturned.contains(id))
        .filter(|id| !handoff.resolves.iter().any(|resolved| resolved == id))
        .collect();
    // A handoff that does not call the work done can't pass its gate anyway.
    if open.is_empty() || handoff.status != HandoffStatus::Complete {
        return Vec::new();
    }
    let message = format!("this handoff leaves {} of the failed audit unanswered", ids(&open));
    let help = format!(
        "mend it, and say so: `orch handoff create {}{}`",
        handoff.task_id,
        open.iter().map(|id| format!(" --resolves {id}")).collect::<String>()
    );
    let field = if handoff.resolves.is_empty() { "status" } else { "resolves" };
    vec![Objection::new(step.field(field), message, help)]
}

fn is_critical(issue: &Issue) -> bool {
    issue.severity == IssueSeverity::Critical
}

fn ids(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const FAILED: &str = "
- done: {until: audit}
- run: {stage: audit}
- audit_report:
    verdict: FAIL
    issues:
      - {id: issue-001, severity: critical, category: lookahead, description: Sees tomorrow,
         location: 'strategies/sma.py:1', remediation: Shift the signal}
      - {id: issue-002, severity: minor, category: documentation, description: No example,
         location: general, remediation: Add one}
";

    const MENDED: &str = "
- failure_response: {}
- propose: feature/strat-001-strategy-2
- run: {stage: strategy}
- write: {strategies/sma.py: mended}
";

    #[test]
    fn a_fail_names_what_is_wrong() {
        let findings = story(
            "
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {verdict: FAIL}
",
        );
        findings.expect(&["audit-contradictory"]);
        assert_eq!(findings.underlined(0), "FAIL");
    }

    /// R000-47: every critical issue is answered by its id; a minor one may wait.
    #[test]
    fn a_handoff_answers_critical_issues() {
        let handoff = |said: &str| story(&format!("{FAILED}{MENDED}- handoff: {{{said}}}\n"));
        handoff("").expect(&["audit-contradictory"]);
        let other = handoff("resolves: [issue-002]");
        other.expect(&["audit-contradictory"]);
        let help = &other.report.findings[0].help;
        assert!(help.ends_with("`orch handoff create strat-001 --resolves issue-001`"), "{help}");
        handoff("resolves: [issue-001]").expect(&[]);
        handoff("status: partial").expect(&[]);
    }

    /// What one stage has answered, the stages behind it need not answer again.
    #[test]
    fn an_answer_holds_until_the_next_audit() {
        story(&format!(
            "{FAILED}{MENDED}- handoff: {{resolves: [issue-001]}}
- gate: {{}}
- run: {{stage: backtest}}
- write: {{research/reports/sma.json: {{trades: 50, max_drawdown: 0.1}}}}
- handoff: {{}}
- gate: {{}}
"
        ))
        .expect(&[]);
    }

    #[test]
    fn a_response_drops_no_issue() {
        for issues in [
            "[]",
            "[{id: issue-001, severity: minor, category: lookahead, description: Sees tomorrow, \
             location: 'strategies/sma.py:1', remediation: Shift the signal}]",
        ] {
            let response = format!("- failure_response: {{issues: {issues}}}\n");
            story(&format!("{FAILED}- propose: feature/strat-001-audit\n{response}"))
                .expect(&["audit-contradictory"]);
        }
    }
}
