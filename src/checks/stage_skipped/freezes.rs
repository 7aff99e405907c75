//! The order of entries in the ledgers of incidents and halts.

use crate::checks::Objection;
use crate::ledger::{IncidentState, State};
use crate::policy::{REPORT_STEP, ROLLBACK_STAGE, StageKind};
use crate::record::kind::IncidentStep;
use crate::record::{Home, Payload};
use crate::source::{StageName, TaskId};
use crate::world::{Step, World};

/// Judges an entry of a ledger that is no task's. That it begins with the right kind is the chain's
/// to say, and what a rollback may do has a check of its own.
pub(super) fn of_ledger(step: &Step<'_>) -> Option<Objection> {
    match &step.ledger.home {
        Home::Incident(id) => of_incident(step, id, step.incident?),
        Home::Halt(id) => of_halt(step, id),
        Home::Task(_) | Home::Decision => None,
    }
}

fn of_halt(step: &Step<'_>, id: &TaskId) -> Option<Objection> {
    step.earlier().find(|record| matches!(record.payload, Payload::Resume(_)))?;
    let message = format!("halt `{id}` is lifted, and nothing follows that");
    let help = "pull another: `orch halt --topic T --scope S --reason R`";
    Some(Objection::new(step.heading(), message, help))
}

fn of_incident(step: &Step<'_>, id: &TaskId, state: &IncidentState) -> Option<Objection> {
    match &step.record.payload {
        Payload::Run(_) | Payload::Handoff(_) => None,
        _ if state.closed.is_some() => {
            let message = format!("incident `{id}` is closed, and nothing follows a `close`");
            let help = "what happened since is another incident: `orch incident open --trigger T`";
            Some(Objection::new(step.heading(), message, help))
        }
        Payload::IncidentStep(taken) => of_step(step, id, state, taken),
        Payload::Postmortem(_) if state.postmortem_at.is_some() => {
            let message = format!("the post-mortem of `{id}` is on the record already");
            Some(Objection::new(step.heading(), message, show(id)))
        }
        Payload::Close(_) => {
            let lacking = lacking(state)?;
            let message = format!("`{id}` can't be closed: {lacking}");
            Some(Objection::new(step.field("outcome"), message, show(id)))
        }
        _ => None,
    }
}

fn of_step(
    step: &Step<'_>,
    id: &TaskId,
    state: &IncidentState,
    taken: &IncidentStep,
) -> Option<Objection> {
    let name = &taken.step;
    if state.is_settled(name) {
        let message = format!("step `{name}` of `{id}` is taken already");
        return Some(Objection::new(step.field("step"), message, show(id)));
    }
    let planned = state.incident.steps.iter().find(|planned| planned.step == *name);
    let spared = planned.and_then(|planned| planned.if_failed.as_ref());
    if let Some(before) = spared.filter(|before| !state.failed.contains(before)) {
        let message =
            format!("step `{name}` of `{id}` is for when `{before}` fails, and it did not");
        return Some(Objection::new(step.field("step"), message, show(id)));
    }
    let tasks = &state.incident.tasks;
    if let (true, true, Some(task)) =
        (name == ROLLBACK_STAGE, state.rolled_back.is_empty(), tasks.first())
    {
        let message = format!("nothing of `{task}` is rolled back by `{id}` yet");
        let help = format!(
            "do it first: `orch run start {task} --stage rollback --incident {id}`, then `orch \
             handoff create {task} --incident {id}`"
        );
        return Some(Objection::new(step.field("step"), message, help));
    }
    let next = &state.open_steps().next()?.step;
    if name == REPORT_STEP || name == next || planned.is_none() {
        return None;
    }
    let message = format!("step `{next}` of `{id}` comes before `{name}`");
    let help = format!("take it first: `orch incident step {id} --step {next} --outcome OUTCOME`");
    Some(Objection::new(step.field("step"), message, help))
}

/// Gives what an incident lacks before it may be closed (R000-51).
fn lacking(state: &IncidentState) -> Option<String> {
    if let Some(run) = state.active_run() {
        return Some(format!("rollback `{}` goes on", run.run_id));
    }
    if let Some(open) = state.open_steps().next() {
        return Some(format!("step `{}` is not taken", open.step));
    }
    let report = state.reported_at.is_none().then_some("its written report is owed");
    let postmortem = state.postmortem_at.is_none().then_some("its post-mortem is owed");
    report.or(postmortem).map(str::to_owned)
}

fn show(id: &TaskId) -> String {
    format!("`orch incident show {id}` tells what is done, and what is next")
}

/// What is live is taken back by an incident before a task can say so.
pub(super) fn of_rolled_back(world: &World, step: &Step<'_>, state: &State) -> Option<Objection> {
    let task = &state.task.task_id;
    let deploys =
        |name: &StageName| step.stage(name).is_some_and(|stage| stage.kind == StageKind::Deploy);
    let live = state.live_deliveries().find(|delivery| deploys(&delivery.stage))?;
    if world.survey.rolled_back.contains(task) {
        return None;
    }
    let message = format!("what `{}` of `{task}` delivered is live, not rolled back", live.stage);
    let help = format!(
        "roll it back: `orch incident open --task {task} --trigger T`, then `orch run start {task} \
         --stage rollback --incident INCIDENT`"
    );
    Some(Objection::new(step.field("outcome"), message, help))
}
