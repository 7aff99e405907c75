//! A blocked task waits until it is unblocked.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::Payload;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "task-blocked",
    group: Group::Flow,
    title: "A blocked task waits until it is unblocked",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A task that waits for something outside of its workflow is blocked, with a reason that everybody can
read. No run begins and no gate is recorded until that has changed, and somebody says so: `orch task
unblock ID`.

```yaml bad
- done: {until: backtest}
- block: {reason: Waiting for the licence}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```

```yaml good
- done: {until: backtest}
- block: {reason: Waiting for the licence}
- unblock: {reason: The licence is here}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(reason) = step.before.and_then(|state| state.blocked.as_ref()) else {
        return Vec::new();
    };
    if step.begun().is_none() && !matches!(step.record.payload, Payload::Gate(_)) {
        return Vec::new();
    }
    let task = step.task_id().map(ToString::to_string).unwrap_or_default();
    let message = format!("`{task}` is blocked: {reason}");
    let help = format!("when that has changed: `orch task unblock {task} --reason R`");
    let objection = Objection::new(step.field("stage"), message, help);
    let blocked = step.earlier().find(|record| matches!(record.payload, Payload::Block(_)));
    match blocked {
        Some(record) => {
            let place = Place::at(record.repo_path().clone(), record.field("reason"));
            vec![objection.related(place, "why it was blocked")]
        }
        None => vec![objection],
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    #[test]
    fn a_gate_waits_like_a_run() {
        let findings = story(
            "
- done: {until: audit}
- run: {}
- audit_report: {}
- block: {reason: The auditor asks for one more day}
- propose: feature/strat-001-audit
- gate: {}
",
        );
        findings.expect(&["task-blocked"]);
        assert_eq!(findings.underlined(0), "audit");
    }
}
