//! No stage begins while the gate of the one before it is open.
//!
//! From R001-12.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::{RunStanding, Standing};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "gate-missing",
    group: Group::Flow,
    title: "No stage begins while the gate of the one before it is open",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A handoff or a report ends a run, and a gate decides whether the task moves on. Every stage ends
with one, with conditions or without, and a coordinator records it: by hand or in CI, with `orch
gate`.

```yaml bad
- done: {until: strategy}
- run: {stage: strategy}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```

```yaml good
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Some(run), Some(state)) = (step.begun(), step.before) else { return Vec::new() };
    let Standing::Delivered(stage) = &state.standing else { return Vec::new() };
    // The run whose result waits here, submitted again, is a duplicate and is told as one.
    let again = state.run(&run.run_id).is_some_and(|run| run.standing == RunStanding::Delivered);
    if again || state.closed.is_some() {
        return Vec::new();
    }
    let task = &state.task.task_id;
    let message = format!("stage `{stage}` of `{task}` still waits for its gate");
    let help = format!("have a coordinator evaluate it: `orch gate {task}`");
    vec![Objection::new(step.field("stage"), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// R000-13: a report alone opens no deploy stage; its gate must be recorded, too.
    #[test]
    fn an_audit_ends_with_a_gate_like_any_stage() {
        let findings = story(
            "
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {}
- run: {stage: deploy_paper}
",
        );
        findings.expect(&["gate-missing"]);
        assert_eq!(findings.underlined(0), "deploy_paper");
    }
}
