//! A run's id follows from what it consumes, and its handoff and gate name it.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::Severity;
use crate::ledger::{self, RunStanding, Standing, State};
use crate::record::Payload;
use crate::record::kind::{Run, RunStatus};
use crate::source::{RunId, StageName};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "run-id-mismatch",
    group: Group::Branches,
    title: "A run's id follows from what it consumes, and its handoff and gate name it",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::EachStep(run),
};

const EXPLAIN: &str = "\
The same work on the same evidence is the same run (R001-13, R001-18): its id is computed from the
task, the stage, what it consumes and how often the task has come there. With an id of its own
choice a run could be submitted twice. A failure, a handoff and a gate name the run that they end or
judge.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy, run_id: r0123456789}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(state) = step.before else { return Vec::new() };
    let (said, due) = match &step.record.payload {
        Payload::Run(run) if run.status == RunStatus::InProgress => {
            let unknown = step.policy.is_some() && step.stage(&run.stage).is_none();
            (&run.run_id, Some(derived(state, run)).filter(|_| !unknown))
        }
        Payload::Run(run) => (&run.run_id, active(state, &run.stage)),
        Payload::Handoff(handoff) => (&handoff.run_id, active(state, &handoff.stage)),
        Payload::Gate(gate) => (&gate.run_id, delivered(state, &gate.stage)),
        _ => return Vec::new(),
    };
    let Some(due) = due.filter(|due| due != said) else { return Vec::new() };
    let message = match &step.record.payload {
        Payload::Run(run) if run.status == RunStatus::InProgress => {
            format!("the id of a run of this stage on this evidence is `{due}`")
        }
        _ => format!("the run in question is `{due}`"),
    };
    vec![Objection::new(step.field("run_id"), message, HELP)]
}

const HELP: &str = "let orch derive it: `orch run start`, `orch handoff create`, `orch gate`";

fn derived(state: &State, run: &Run) -> RunId {
    let entered = state.times_entered(&run.stage);
    ledger::run_id(&state.task.task_id, &run.stage, &run.inputs, entered)
}

/// The run that goes on, if it is one of this stage; if not, another check speaks.
fn active(state: &State, stage: &StageName) -> Option<RunId> {
    let run = state.active_run().filter(|run| run.stage == *stage);
    run.map(|run| run.run_id.clone())
}

/// The run that waits for the gate of this stage, if one does.
fn delivered(state: &State, stage: &StageName) -> Option<RunId> {
    if state.standing != Standing::Delivered(stage.clone()) {
        return None;
    }
    let mut runs = state.runs.iter().rev();
    let run = runs.find(|run| run.stage == *stage && run.standing == RunStanding::Delivered);
    run.map(|run| run.run_id.clone())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Findings, story};

    fn after_the_run(rest: &str) -> Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{strategies/sma.py: code, docs/strategies/sma.md: about}}
{rest}
"
        ))
    }

    /// Attack 87: an id that was not derived from the evidence is none.
    #[test]
    fn the_id_is_underlined_wherever_it_stands() {
        for rest in [
            "- handoff: {run_id: r0123456789}",
            "- handoff: {}\n- gate: {run_id: r0123456789}",
            "- run: {run_id: r0123456789, status: failed, failure: {class: spec, reason: unclear}}",
        ] {
            let findings = after_the_run(rest);
            assert_eq!(findings.underlined(0), "r0123456789", "{rest}");
            assert_eq!(findings.report.findings[0].check, "run-id-mismatch", "{rest}");
        }
        after_the_run("- handoff: {}\n- gate: {}").expect(&[]);
    }

    /// A return to a stage is a new run of it, even on the same evidence.
    #[test]
    fn coming_back_changes_the_id() {
        story(
            "
- done: {until: backtest}
- run: {}
- write: {research/reports/sma.json: '{\"trades\": 3, \"max_drawdown\": 0.1}'}
- handoff: {}
- gate: {}
- propose: feature/strat-001-strategy-2
- run: {stage: strategy}
",
        )
        .expect(&[]);
    }
}
