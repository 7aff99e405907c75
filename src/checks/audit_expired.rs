//! A run relies only on an audit that is young enough.
//!
//! From R000-16.

use super::{Check, Group, Objection, Run, reliance};
use crate::diagnostic::Severity;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "audit-expired",
    group: Group::Audit,
    title: "A run relies only on an audit that is young enough",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
What was true of a strategy a month ago may not be true today, so an audit holds for the policy's
`audit.max_age`, 30 days by default. Its age counts from the report's `date`, or from when the
report was recorded if that was earlier, to the second: at exactly 30 days it still holds. When it
has expired, have the task audited again.

```yaml bad
- done: {until: deploy_paper}
- wait: 31d
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
```

```yaml good
- done: {until: deploy_paper}
- wait: 29d
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Some(relied), Some(policy)) = (reliance::relied_on(step), step.policy) else {
        return Vec::new();
    };
    let age = step.at.since(relied.audit.date);
    if age <= policy.audit_max_age {
        return Vec::new();
    }
    let message = format!(
        "stage `{}` relies on an audit of {}, which held until {}",
        relied.run.stage,
        relied.audit.date,
        relied.audit.date.plus(policy.audit_max_age)
    );
    let help = reliance::audit_again(relied.state);
    vec![relied.objection(step, "date", message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// The gate and the run come a minute each behind the report.
    fn deployed_after(days_hours_minutes_seconds: [&str; 4]) -> crate::testing::Findings {
        let waits: Vec<String> =
            days_hours_minutes_seconds.iter().map(|wait| format!("- wait: {wait}")).collect();
        story(&format!(
            "
- done: {{until: deploy_paper}}
{}
- propose: feature/strat-001-deploy_paper
- run: {{stage: deploy_paper}}
",
            waits.join("\n")
        ))
    }

    /// R000-16, attack 99: the boundary, to the second.
    #[test]
    fn thirty_days_pass_and_one_second_more_does_not() {
        deployed_after(["29d", "23h", "58m", "0s"]).expect(&[]);
        let late = deployed_after(["29d", "23h", "58m", "1s"]);
        late.expect(&["audit-expired"]);
        assert_eq!(late.underlined(0), "deploy_paper");
        assert!(late.report.findings[0].related[0].place.path.to_string().contains("audit_report"));
    }

    /// Attack 100: a date ahead of its recording makes no audit younger.
    #[test]
    fn a_date_in_the_future_does_not_help() {
        story(
            "
- done: {until: audit}
- run: {stage: audit}
- audit_report: {date: 2027-06-01T00:00:00Z}
- gate: {}
- wait: 31d
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
",
        )
        .expect(&["audit-expired"]);
    }

    /// Attack 101: an old report is old, whatever moment the run claims for itself.
    #[test]
    fn a_backdated_run_is_judged_now() {
        story(
            "
- done: {until: deploy_paper}
- wait: 31d
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper, entry: {recorded_at: 2026-11-22T10:00:00Z}}
",
        )
        .expect(&["audit-expired"]);
    }
}
