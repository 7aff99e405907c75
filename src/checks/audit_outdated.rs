//! An audit covers exactly what would be deployed.
//!
//! From R000-17.

use super::{Check, Group, Objection, Run, reliance};
use crate::diagnostic::Severity;
use crate::record::kind::Artifact;
use crate::world::{Fact, Step, World, to_be_covered};

pub(super) static CHECK: Check = Check {
    name: "audit-outdated",
    group: Group::Audit,
    title: "An audit covers exactly what would be deployed",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
An audit speaks of certain bytes, not of a name. Its `covers` must list the live evidence of every
stage before it, and what those consumed from other tasks, each with its checksum, and its version
must be the task's. A run that relies on it is refused as soon as any covered file holds something
else. When the work has moved on, so must the audit.

```yaml bad
- done: {until: deploy_paper}
- write: {strategies/sma.py: one small change}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
```

```yaml good
- done: {until: deploy_paper}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    [of_report(step), of_run(world, step)].into_iter().flatten().collect()
}

/// A report is refused at once if nothing could ever rely on it.
fn of_report(step: &Step<'_>) -> Option<Objection> {
    let (reported, policy) = (reliance::reported(step)?, step.policy?);
    let task = &reported.state.task;
    let help = format!("record it with `orch audit report {}`, which covers it all", task.task_id);
    let needed = to_be_covered(policy, reported.state, reported.stage);
    let missing = lacking(&needed, &reported.report.covers);
    if !missing.is_empty() {
        let message =
            format!("this audit does not cover {} as it is now", reliance::files(&missing));
        return Some(Objection::new(step.field("covers"), message, help));
    }
    let version = task.version.as_ref().filter(|version| **version != reported.report.version)?;
    let message = format!("this audits version {}, not {version}", reported.report.version);
    Some(Objection::new(step.field("version"), message, help))
}

/// A run judges again: much may have changed since the report.
fn of_run(world: &World, step: &Step<'_>) -> Option<Objection> {
    let (relied, policy) = (reliance::relied_on(step)?, step.policy?);
    let (state, audit) = (relied.state, relied.audit);
    let object = |field: &str, message: String| {
        Some(relied.objection(step, field, message, reliance::audit_again(state)))
    };
    // A report that completed no audit's run covers nothing in particular: all is needed then.
    let stage = audit.stage.as_ref().unwrap_or(&relied.run.stage);
    let needed = to_be_covered(policy, state, stage);
    let missing = lacking(&needed, &audit.covers);
    if !missing.is_empty() {
        let files = reliance::files(&missing);
        return object("covers", format!("the audit does not cover {files} as it is now"));
    }
    let changed: Vec<&Artifact> =
        audit.covers.iter().filter(|covered| differs(world, step, covered)).collect();
    if !changed.is_empty() {
        let files = reliance::files(&changed);
        return object("covers", format!("{files} changed after the audit"));
    }
    let version = state.task.version.as_ref().filter(|version| **version != audit.version)?;
    object("version", format!("the audit is of version {}, not {version}", audit.version))
}

fn lacking<'a>(needed: &'a [Artifact], covers: &[Artifact]) -> Vec<&'a Artifact> {
    needed.iter().filter(|artifact| !covers.contains(artifact)).collect()
}

fn differs(world: &World, step: &Step<'_>, covered: &Artifact) -> bool {
    let fact = world.fact(step, &covered.path);
    *fact != Fact::Unseen && fact.digest() != Some(covered.checksum)
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 90: the audit leaves out a part of what would be deployed.
    #[test]
    fn a_report_covers_every_stage_before_it() {
        let findings = story(
            "
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report:
    covers:
      - name: strategy_code
        path: strategies/sma.py
        checksum: sha256:5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b
",
        );
        findings.expect(&["audit-outdated"]);
        let message = &findings.report.findings[0].message;
        // What the backtest consumed from the data's own task counts too.
        for file in ["data/manifests/btc.json", "docs/strategies/sma.md", "research/reports/sma"] {
            assert!(message.contains(file), "{message}");
        }
        assert!(!message.contains("strategies/sma.py"), "{message}");
    }

    /// Attack 89: a PASS of another candidate, copied.
    #[test]
    fn the_audit_of_another_task_covers_nothing_here() {
        let copied = "
- done: {until: audit}
- run: {stage: audit}
- audit_report:
    name: Another strategy
    covers:
      - name: strategy_code
        path: strategies/other.py
        checksum: sha256:5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b
- gate: {}
- write: {strategies/other.py: code}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
";
        story(copied).expect(&["audit-outdated"]);
    }

    /// A covered file that is gone, or has become a link, is not what was audited.
    #[test]
    fn every_covered_file_is_looked_at_again() {
        for change in ["remove: {data/manifests/btc.json: x}", "link: {strategies/sma.py: x}"] {
            story(&format!(
                "
- done: {{until: deploy_paper}}
- {change}
- propose: feature/strat-001-deploy_paper
- run: {{stage: deploy_paper}}
"
            ))
            .expect(&["audit-outdated"]);
        }
    }

    /// Work that was handed off again behind the audit's back is not covered.
    #[test]
    fn an_older_version_of_the_work_is_not_enough() {
        story(
            "
- done: {until: deploy_paper}
- write: {strategies/sma.py: better}
- handoff: {stage: backtest}
- gate: {stage: backtest, next_stage: deploy_paper}
- handoff: {stage: strategy, run_id: r0000000001}
- gate: {stage: strategy, next_stage: deploy_paper}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
",
        )
        .expect(&["audit-outdated"]);
    }

    /// R000-17: the version that the task is at, not one before.
    #[test]
    fn a_new_version_of_the_task_needs_a_new_audit() {
        let findings = story(
            "
- done: {until: deploy_paper}
- update: {version: '2.0'}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
",
        );
        findings.expect(&["audit-outdated"]);
        assert_eq!(findings.report.findings[0].message, "the audit is of version 1.0, not 2.0");
        let report = story(
            "
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {version: '0.9'}
",
        );
        report.expect(&["audit-outdated"]);
        assert_eq!(report.underlined(0), "\"0.9\"");
    }
}
