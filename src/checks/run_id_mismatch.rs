//! A run's id follows from what it consumes, and its handoff and gate name it.
//!
//! From R001-13, R001-18, R000-58.

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
The same work on the same evidence is the same run: its id is computed from the task, the stage,
what it consumes and how often the task has come there. With an id of its own choice a run could be
submitted twice. A failure, a handoff and a gate name the run that they end or judge. A run that is
tried again counts its attempts, from 1 again once a person has resumed the task, and goes on from
the checkpoint that it reached last, or from none.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy, run_id: r0123456789}
```

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy, checkpoint: {name: half}}
```

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy, attempt: 2}
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
    let Some(due) = due.filter(|due| due != said) else { return miscounted(step, state) };
    let message = match &step.record.payload {
        Payload::Run(run) if run.status == RunStatus::InProgress => {
            format!("the id of a run of this stage on this evidence is `{due}`")
        }
        _ => format!("the run in question is `{due}`"),
    };
    vec![Objection::new(step.field("run_id"), message, HELP)]
}

/// What a run says of the tries before it: how many they were, and how far they came.
fn miscounted(step: &Step<'_>, state: &State) -> Vec<Objection> {
    let Some(run) = step.begun() else { return Vec::new() };
    let task = &state.task.task_id;
    let help = format!("let orch count and carry it on: `orch run retry {task}`");
    let due = state.attempts(&run.run_id) + 1;
    let reached = state.checkpoint(&run.run_id);
    let mut objections = Vec::new();
    if run.attempt != due {
        let message = format!("the next attempt of this run is number {due}");
        objections.push(Objection::new(step.field("attempt"), message, help.as_str()));
    }
    if let Some(claimed) = run.checkpoint.as_ref().filter(|claimed| reached != Some(claimed)) {
        let message = match reached {
            Some(reached) => format!("this run reached `{}` last, not this", reached.name),
            None => format!("this run never reached `{}`", claimed.name),
        };
        objections.push(Objection::new(step.field("checkpoint"), message, help.as_str()));
    }
    objections
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

    const FAILED: &str = "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- run: {status: checkpoint, inputs: [], checkpoint: {name: half}}
- run: {status: failed, inputs: [], failure: {class: transient, reason: network}}
- wait: 1h
";

    fn tried_again(said: &str) -> Findings {
        story(&format!("{FAILED}- run: {said}\n"))
    }

    /// Requirement R000-58: a retry carries on what the run reached, or begins anew.
    #[test]
    fn a_retry_counts_and_claims_only_what_was_reached() {
        tried_again("{}").expect(&[]);
        tried_again("{checkpoint: ~}").expect(&[]);
        for (said, place) in [
            ("{attempt: 1}", "1"),
            ("{attempt: 3}", "3"),
            ("{checkpoint: {name: all}}", "name: all"),
        ] {
            let findings = tried_again(said);
            findings.expect(&["run-id-mismatch"]);
            assert!(findings.underlined(0).contains(place), "{said}: {}", findings.underlined(0));
        }
        let never = story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {checkpoint: {name: half}}
",
        );
        assert!(never.of("run-id-mismatch")[0].message.contains("never reached `half`"));
    }

    /// A person's word resets the count.
    #[test]
    fn attempts_count_from_one_behind_a_resume() {
        let resumed = format!(
            "{FAILED}- pause: {{cause: person, reason: R}}
- resume: {{approver: founder, sign_off: S}}
"
        );
        story(&format!("{resumed}- run: {{}}\n")).expect(&[]);
        story(&format!("{resumed}- run: {{attempt: 2}}\n")).expect(&["run-id-mismatch"]);
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
