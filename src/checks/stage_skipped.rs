//! A task takes the steps of its workflow one after the other.
//!
//! From R000-1, R000-6, R001-12, R000-51.

mod freezes;

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::{RunStanding, Standing, State};
use crate::policy::{ROLLBACK_STAGE, Stage, StageKind};
use crate::record::Payload;
use crate::record::kind::{self, Close, FailureResponse, Gate, GateVerdict, Handoff};
use crate::record::kind::{Outcome, Rejection, RunStatus, Verdict};
use crate::source::StageName;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "stage-skipped",
    group: Group::Flow,
    title: "A task takes the steps of its workflow one after the other",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
Each stage is a run, then its handoff (for an audit: its report), then its gate, and the gate says
which stage is next. An entry that does not continue from where the task stands is refused: a run of
another stage, a handoff without a run, a gate that leads elsewhere than the workflow, a return that
nothing calls for, anything behind `close` but a quarantine of what was delivered. `orch next` tells
what is next. An incident takes the steps of its procedure in their order, each once, and is closed
when all of them, the written report and the post-mortem are there; a halt is lifted once.

```yaml bad
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}
- handoff: {}
- gate: {next_stage: deploy_paper}
```

```yaml good
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}
- handoff: {}
- gate: {next_stage: audit}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let objection = match (&step.record.payload, step.before) {
        (Payload::Task(task), None) => of_task(step, task),
        (_, None) => freezes::of_ledger(step),
        // Evidence can turn out to be wrong at any time, and others may rely on it.
        (Payload::Quarantine(_), _) => None,
        (_, Some(state)) if state.closed.is_some() => Some(behind_the_end(step, state)),
        (Payload::Run(run), Some(state)) if run.status != RunStatus::InProgress => {
            of_what_follows(step, state, run)
        }
        (Payload::Run(run), Some(state)) => of_run(step, state, run),
        (Payload::Handoff(handoff), Some(state)) => of_handoff(step, state, handoff),
        (Payload::AuditReport(_), Some(state)) => of_report(step, state),
        (Payload::Gate(gate), Some(state)) => of_gate(step, state, gate),
        (Payload::FailureResponse(response), Some(state)) => of_response(step, state, response),
        (Payload::Rejection(rejection), Some(state)) => of_rejection(step, state, rejection),
        (Payload::Close(close), Some(state)) => of_close(world, step, state, close),
        _ => None,
    };
    objection.into_iter().collect()
}

/// A task of an unknown workflow could be opened and never begun.
fn of_task(step: &Step<'_>, task: &kind::Task) -> Option<Objection> {
    let workflows = &step.policy?.workflows;
    if workflows.contains_key(&task.workflow) {
        return None;
    }
    let known: Vec<&str> = workflows.keys().map(|name| name.as_str()).collect();
    let message = format!("the policy has no workflow `{}`", task.workflow);
    let help = format!("its workflows are {}", known.join(", "));
    Some(Objection::new(step.field("workflow"), message, help))
}

fn behind_the_end(step: &Step<'_>, state: &State) -> Objection {
    let message = format!("`{}` is closed, and nothing follows a `close`", state.task.task_id);
    let help = "later work is a new task: `orch task open ID --workflow NAME --title TITLE`";
    Objection::new(step.heading(), message, help)
}

fn of_run(step: &Step<'_>, state: &State, run: &kind::Run) -> Option<Objection> {
    if let Some(objection) = of_unknown_stage(step, state, &run.stage) {
        return Some(objection);
    }
    // The same submission again is a duplicate, whatever stage the task has reached since.
    let known = state.run(&run.run_id).filter(|known| known.stage == run.stage);
    let standing = known.map(|known| &known.standing);
    if matches!(standing, Some(RunStanding::Active | RunStanding::Delivered)) {
        return None;
    }
    let expected = match &state.standing {
        Standing::Ready(Some(stage)) => Some(stage),
        Standing::Ready(None) => {
            Some(&step.policy?.workflows.get(&state.task.workflow)?.first().name)
        }
        Standing::Finished => None,
        // Another run goes on, or a gate is open: checks of their own speak of these.
        Standing::Running(_) | Standing::Delivered(_) => return None,
    };
    if expected == Some(&run.stage) {
        return None;
    }
    let task = &state.task.task_id;
    let message = format!("`{task}` is {}, not for `{}`", state.standing, run.stage);
    let help = match expected {
        Some(stage) => format!("run that one first: `orch run start {task} --stage {stage}`"),
        None => format!("close it: `orch task close {task} --outcome completed`"),
    };
    Some(Objection::new(step.field("stage"), message, help))
}

fn of_unknown_stage(step: &Step<'_>, state: &State, stage: &StageName) -> Option<Objection> {
    let policy = step.policy?;
    let workflow = &state.task.workflow;
    let Some(known) = policy.workflows.get(workflow) else {
        let message = format!("the policy has no workflow `{workflow}`, which this task follows");
        let help = "close the task and open one that follows a workflow of the policy";
        return Some(Objection::new(step.field("stage"), message, help));
    };
    if known.stage(stage).is_some() {
        return None;
    }
    let names: Vec<&str> = known.stages.iter().map(|stage| stage.name.as_str()).collect();
    let message = format!("workflow `{workflow}` has no stage `{stage}`");
    let task = &state.task.task_id;
    let help = match *stage == ROLLBACK_STAGE {
        true => format!(
            "a rollback belongs to an incident: `orch run start {task} --stage {stage} --incident \
             INCIDENT`"
        ),
        false => format!("its stages are {}", names.join(", ")),
    };
    Some(Objection::new(step.field("stage"), message, help))
}

/// Only a run that goes on reaches a checkpoint, succeeds or fails: otherwise a failure of any stage
/// would make the task ready for that stage.
fn of_what_follows(step: &Step<'_>, state: &State, run: &kind::Run) -> Option<Objection> {
    let active = state.active_run();
    if active.is_some_and(|active| active.run_id == run.run_id && active.stage == run.stage) {
        return None;
    }
    let message = format!("no run `{}` of stage `{}` goes on", run.run_id, run.stage);
    Some(Objection::new(step.field("run_id"), message, status(state)))
}

fn of_handoff(step: &Step<'_>, state: &State, handoff: &Handoff) -> Option<Objection> {
    let stage = &handoff.stage;
    if step.stage(stage).is_some_and(|stage| stage.kind == StageKind::Audit) {
        let message = format!("stage `{stage}` is an audit, which ends with its report");
        let help = format!("report instead: `orch audit report {}`", handoff.task_id);
        return Some(Objection::new(step.field("stage"), message, help));
    }
    let mut known = state.deliveries.iter().filter(|known| known.stage == *stage);
    // One run handed off twice is a duplicate.
    if known.any(|known| known.run_id == handoff.run_id)
        || state.standing == Standing::Running(stage.clone())
    {
        return None;
    }
    let message = format!("no run of stage `{stage}` goes on that could be handed off");
    let help = format!("start it: `orch run start {} --stage {stage}`", handoff.task_id);
    Some(Objection::new(step.field("stage"), message, help))
}

fn of_report(step: &Step<'_>, state: &State) -> Option<Objection> {
    let task = &state.task.task_id;
    let message = match &state.standing {
        Standing::Running(stage) => {
            if step.stage(stage).is_none_or(|stage| stage.kind == StageKind::Audit) {
                return None;
            }
            format!("stage `{stage}`, which goes on, is no audit")
        }
        standing => format!("no audit of `{task}` goes on: it is {standing}"),
    };
    let help = format!("bring the task to its audit: `orch status {task}` tells what is open");
    Some(Objection::new(step.heading(), message, help))
}

fn of_gate(step: &Step<'_>, state: &State, gate: &Gate) -> Option<Objection> {
    if state.standing != Standing::Delivered(gate.stage.clone()) {
        // One run judged twice is a duplicate.
        let same = |known: &Gate| known.stage == gate.stage && known.run_id == gate.run_id;
        if step.earlier().any(|r| matches!(&r.payload, Payload::Gate(known) if same(known))) {
            return None;
        }
        let message = format!("stage `{}` has nothing for a gate to judge", gate.stage);
        return Some(Objection::new(step.field("stage"), message, status(state)));
    }
    if let Some(objection) = of_unknown_stage(step, state, &gate.stage) {
        return Some(objection);
    }
    of_way(step, state, gate, step.stage(&gate.stage)?)
}

/// Judges where a gate leads.
fn of_way(step: &Step<'_>, state: &State, gate: &Gate, stage: &Stage) -> Option<Objection> {
    let name = &stage.name;
    let back = gate.returns_to.as_ref().unwrap_or(name);
    let (field, message) = match (gate.verdict, &gate.next_stage) {
        (GateVerdict::Fail, _) if *back == stage.on_fail => return None,
        (GateVerdict::Fail, _) => {
            ("returns_to", format!("a fail of stage `{name}` returns to `{}`", stage.on_fail))
        }
        (GateVerdict::Pass, Some(next)) if stage.next.contains(next) => return None,
        (GateVerdict::Pass, Some(next)) => {
            ("next_stage", format!("stage `{name}` does not lead to `{next}`"))
        }
        (GateVerdict::Pass, None) if stage.next.is_empty() => return None,
        (GateVerdict::Pass, None) => {
            ("stage", format!("this passes stage `{name}`, and does not say which is next"))
        }
    };
    let task = &state.task.task_id;
    let help = format!("record it with `orch gate {task}`, which knows the workflow");
    Some(Objection::new(step.field(field), message, help))
}

fn of_response(step: &Step<'_>, state: &State, response: &FailureResponse) -> Option<Objection> {
    let failed = state.audits.iter().rev().find(|audit| audit.live);
    let failed = failed.filter(|audit| audit.verdict == Verdict::Fail);
    let stage = failed.and_then(|audit| audit.stage.as_ref());
    let waits = |stage: &&StageName| state.standing == Standing::Delivered((*stage).clone());
    let Some(stage) = stage.filter(waits) else {
        let message = "no audit that failed stands before this response";
        return Some(Objection::new(step.field("verdict"), message, status(state)));
    };
    let on_fail = &step.stage(stage)?.on_fail;
    if response.returns_to == *on_fail {
        return None;
    }
    let message = format!("a failed `{stage}` returns to `{on_fail}`");
    let help = format!("`orch audit report {} --verdict FAIL` writes it", response.task_id);
    Some(Objection::new(step.field("returns_to"), message, help))
}

/// Otherwise the rejection of what is long replaced would lead the task forward again, and that
/// of a failed audit would lead past its response.
fn of_rejection(step: &Step<'_>, state: &State, rejection: &Rejection) -> Option<Objection> {
    let sequence = rejection.handoff;
    let handoff = state.live_deliveries().any(|delivery| delivery.sequence == sequence);
    let audit = state.live_audit().is_some_and(|audit| audit.sequence == sequence);
    if handoff || audit {
        return None;
    }
    let message = format!("entry {sequence} is no handoff that still stands");
    Some(Objection::new(step.field("handoff"), message, status(state)))
}

fn of_close(world: &World, step: &Step<'_>, state: &State, close: &Close) -> Option<Objection> {
    if close.outcome == Outcome::RolledBack {
        return freezes::of_rolled_back(world, step, state);
    }
    if close.outcome == Outcome::Completed
        && step.policy.is_some()
        && world.survey.rolled_back.contains(&state.task.task_id)
    {
        let message = format!("what `{}` delivered was rolled back", state.task.task_id);
        let help = "close it as what became of it: `--outcome rolled_back`";
        return Some(Objection::new(step.field("outcome"), message, help));
    }
    if close.outcome != Outcome::Completed || state.standing == Standing::Finished {
        return None;
    }
    let message = format!("`{}` is {}, not completed", state.task.task_id, state.standing);
    let help = "finish it (`orch next`), or close it as what it is: `--outcome abandoned`";
    Some(Objection::new(step.field("outcome"), message, help))
}

fn status(state: &State) -> String {
    let task = &state.task.task_id;
    format!("`{task}` is {}: `orch status {task}` tells its story", state.standing)
}

#[cfg(test)]
mod tests;
