//! A blocked task waits until it is unblocked.
//!
//! From R000-48, R000-49.

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
unblock ID`. So does a task that was escalated, until a person has decided: `orch decide --resolves
TASK/SEQUENCE`.

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

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    if step.begun().is_none() && !matches!(step.record.payload, Payload::Gate(_)) {
        return Vec::new();
    }
    blocked(step).into_iter().chain(escalated(world, step)).collect()
}

/// A task in dispute waits for the decision (R000-48, R000-49). When it came is not in the ledger, so
/// a landed history is not judged by it.
fn escalated(world: &World, step: &Step<'_>) -> Option<Objection> {
    let (state, _) = (step.before?, step.policy?);
    let escalated = world.unsettled(state).next()?;
    let task = &state.task.task_id;
    let trigger = &escalated.escalation.trigger;
    let message = format!("`{task}` is escalated and waits for a decision: {trigger}");
    let help = format!("a person decides: `{}`", escalated.deciding(task));
    let place = Place::file(escalated.path.clone());
    Some(Objection::new(step.field("stage"), message, help).related(place, "both positions"))
}

fn blocked(step: &Step<'_>) -> Option<Objection> {
    let reason = step.before?.blocked.as_ref()?;
    let task = step.task_id().map(ToString::to_string).unwrap_or_default();
    let message = format!("`{task}` is blocked: {reason}");
    let help = format!("when that has changed: `orch task unblock {task} --reason R`");
    let objection = Objection::new(step.field("stage"), message, help);
    let blocked = step.earlier().find(|record| matches!(record.payload, Payload::Block(_)));
    match blocked {
        Some(record) => {
            let place = Place::at(record.repo_path().clone(), record.field("reason"));
            Some(objection.related(place, "why it was blocked"))
        }
        None => Some(objection),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const DISPUTE: &str = "
- done: {until: backtest}
- escalation:
    level: 1
    trigger: Two views of the costs
    positions:
      - {agent: quant_engineer, statement: Ten points}
      - {agent: strategy_developer, statement: Five points}
";

    /// Requirement R000-48: only a person's decision about this very entry lets it go on.
    #[test]
    fn an_escalated_task_waits_for_its_decision() {
        let run = "- propose: feature/strat-001-backtest\n- run: {}\n";
        let findings = story(&format!("{DISPUTE}{run}"));
        findings.expect(&["task-blocked"]);
        assert!(findings.report.findings[0].help.contains("strat-001/5"));
        let decided = |said: &str| story(&format!("{DISPUTE}- decision: {{{said}}}\n{run}"));
        decided("resolves: [strat-001/5]").expect(&[]);
        decided("title: Something else").expect(&["task-blocked"]);
        decided("resolves: [strat-001/5], status: rejected").expect(&["task-blocked"]);
        decided("resolves: [strat-001/5], entry: {actor: orchestrator}").expect(&["task-blocked"]);
    }

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
