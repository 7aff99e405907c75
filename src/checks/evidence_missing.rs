//! A run begins only when everything its stage requires has been delivered.
//!
//! From R000-22, R000-26.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::Standing;
use crate::world::{Step, World, inputs_of, missing_inputs};

pub(super) static CHECK: Check = Check {
    name: "evidence-missing",
    group: Group::Flow,
    title: "A run begins only when everything its stage requires has been delivered",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A stage names in `requires` what it consumes. Its run may begin when the task itself, or one it
depends on, has delivered each of them through a gate, and the run must list exactly that evidence
in `inputs`.

```yaml bad
- task: {}
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```

```yaml good
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(run) = step.begun() else { return Vec::new() };
    let (Some(state), Some(stage)) = (step.before, step.stage(&run.stage)) else {
        return Vec::new();
    };
    // Evidence counts once its gate has passed; while that is open, `gate-missing` speaks.
    if matches!(state.standing, Standing::Delivered(_)) {
        return Vec::new();
    }
    let missing = missing_inputs(world, state, stage);
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|name| name.as_str()).collect();
        let message = format!(
            "stage `{}` requires {}, which nobody has delivered",
            stage.name,
            names.join(" and ")
        );
        let help = "finish the stage that produces it, or name the task that does: `orch task update TASK --depends-on ID`";
        return vec![Objection::new(step.field("stage"), message, help)];
    }
    if inputs_of(world, state, stage) != run.inputs {
        let message = "these inputs are not the evidence that the task has delivered";
        return vec![Objection::new(
            step.field("inputs"),
            message,
            "start the run with `orch run start`",
        )];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// R000-23: the audit's own inputs, named one by one.
    #[test]
    fn every_missing_name_is_told() {
        let findings = story(
            "
- task: {}
- gate: {stage: backtest, next_stage: audit, verdict: pass, returns_to: null, reasons: null}
- propose: feature/strat-001-audit
- run: {stage: audit}
",
        );
        findings.expect(&["evidence-missing"]);
        assert_eq!(findings.underlined(0), "audit");
        assert_eq!(
            findings.report.findings[0].message,
            "stage `audit` requires backtest_results and documentation, which nobody has delivered"
        );
    }

    /// A run that leaves out what it consumes seals a lie, though its id follows from that lie.
    #[test]
    fn the_inputs_are_exactly_what_was_delivered() {
        story(
            "
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest, inputs: [], run_id: rb74674a920}
",
        )
        .expect(&["evidence-missing"]);
    }
}
