//! A PASS names every test that the policy demands, as passed.

use super::{Check, Group, Objection, Run, reliance};
use crate::diagnostic::Severity;
use crate::record::kind::{AuditReport, Verdict};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "audit-incomplete",
    group: Group::Audit,
    title: "A PASS names every test that the policy demands, as passed",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
An audit stage lists in `tests` what an auditor must have done. A report may say PASS only if each
of them stands in its `tests` with verdict PASS. A run that relies on the report asks again, by the
policy of today.

```yaml bad
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {tests: [{name: anti_bias, verdict: PASS}]}
```

```yaml good
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {tests: [{name: anti_bias, verdict: PASS}, {name: full_audit, verdict: PASS}]}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    [of_report(step), of_run(step)].into_iter().flatten().collect()
}

fn of_report(step: &Step<'_>) -> Option<Objection> {
    let reported = reliance::reported(step)?;
    if reported.report.verdict != Verdict::Pass {
        return None;
    }
    let demanded = &step.stage(reported.stage)?.tests;
    let missing = missing(demanded, |test| passed(reported.report, test))?;
    let message = format!("this audit says PASS without {missing}");
    let task = &reported.state.task.task_id;
    let help = format!("test it, and say so: `orch audit report {task} --test NAME=PASS`");
    let field = if reported.report.tests.is_empty() { "verdict" } else { "tests" };
    Some(Objection::new(step.field(field), message, help))
}

fn of_run(step: &Step<'_>) -> Option<Objection> {
    let relied = reliance::relied_on(step)?;
    let demanded = &step.stage(relied.audit.stage.as_ref()?)?.tests;
    let missing = missing(demanded, |test| relied.audit.tests_passed.iter().any(|t| t == test))?;
    let message =
        format!("stage `{}` relies on an audit that passed without {missing}", relied.run.stage);
    Some(relied.objection(step, "tests", message, reliance::audit_again(relied.state)))
}

/// A test that passed and failed has not passed.
fn passed(report: &AuditReport, name: &str) -> bool {
    let mut verdicts =
        report.tests.iter().filter(|test| test.name == name).map(|test| test.verdict).peekable();
    verdicts.peek().is_some() && verdicts.all(|verdict| verdict == Verdict::Pass)
}

fn missing(demanded: &[String], passed: impl Fn(&str) -> bool) -> Option<String> {
    let names: Vec<String> =
        demanded.iter().filter(|name| !passed(name)).map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn audited(tests: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: audit}}
- propose: feature/strat-001-audit
- run: {{stage: audit}}
- audit_report: {{tests: {tests}}}
"
        ))
    }

    #[test]
    fn every_test_must_have_passed() {
        let anti_bias = "{name: anti_bias, verdict: PASS}";
        audited("[]").expect(&["audit-incomplete"]);
        for second in ["verdict: FAIL}", "verdict: PASS}, {name: full_audit, verdict: FAIL}"] {
            let findings = audited(&format!("[{anti_bias}, {{name: full_audit, {second}]"));
            findings.expect(&["audit-incomplete"]);
            let message = &findings.report.findings[0].message;
            assert_eq!(message, "this audit says PASS without `full_audit`");
        }
    }

    /// Attack 90: a deploy stage asks for the tests of today's policy.
    #[test]
    fn a_deploy_stage_does_not_rely_on_a_part() {
        let findings = story(
            "
- done: {until: deploy_paper}
- policy: ['tests: [anti_bias, full_audit]', 'tests: [anti_bias, full_audit, liquidity]']
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
",
        );
        findings.expect(&["audit-incomplete"]);
        assert!(findings.report.findings[0].message.ends_with("passed without `liquidity`"));
    }

    /// A FAIL owes no test: one flaw is enough.
    #[test]
    fn a_failed_audit_may_stop_at_the_first_flaw() {
        story(
            "
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report:
    verdict: FAIL
    tests: []
    issues:
      - {id: issue-001, severity: critical, category: lookahead, description: Sees tomorrow,
         location: 'strategies/sma.py:1', remediation: Shift the signal}
",
        )
        .expect(&[]);
    }
}
