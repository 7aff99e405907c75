//! A run begins only when everything its stage requires has been delivered.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::{Payload, kind::RunStatus};
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
A stage names in `requires` what it consumes (R000-22 to R000-26). Its run may begin when the task
itself, or one it depends on, has delivered each of them through a gate, and the run must list
exactly that evidence in `inputs`.

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
    let Payload::Run(run) = &step.record.payload else { return Vec::new() };
    let (Some(state), Some(stage)) = (step.before, step.stage(&run.stage)) else {
        return Vec::new();
    };
    if run.status == RunStatus::Failed {
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
        let help = "finish the stage that produces it, or name the task that does: `orch task open … --depends-on ID`";
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
