//! Work outside the order of stages only takes back, and only for an open incident.
//!
//! From R000-51.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::{Place, Severity};
use crate::ledger::{IncidentState, RunStanding};
use crate::policy::{ROLLBACK_STAGE, Rollback};
use crate::record::kind::{Handoff, Run, RunStatus};
use crate::record::{Home, Payload};
use crate::snapshot::Change;
use crate::source::{Digest, RepoPath, StageName, TaskId};
use crate::world::{Fact, Seen, Step, World};

pub(super) static CHECK: Check = Check {
    name: "emergency-unjustified",
    group: Group::Governance,
    title: "Work outside the order of stages only takes back, and only for an open incident",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::World(run),
};

const EXPLAIN: &str = "\
In an emergency what is live is taken back at once, without an audit, even while a halt stands.
Nothing else is: the run stands in the ledger of an open incident that names the task, its stage is
`rollback`, its agent and lane are those of the workflow's `rollback`, and a file of that lane is
deleted or becomes exactly what a handoff of the task sealed there before. Anything new goes through
the gatekeeper. `orch run start TASK --stage rollback --incident INCIDENT` begins it.

```yaml bad
- done: {until: end}
- incident: {tasks: [strat-001]}
- propose: feature/inc-001-rollback
- run: {in: incidents/inc-001}
- write: {deploy/paper/sma.json: '{\"untested\": true}'}
```

```yaml bad
# The incident does not name the task.
- done: {until: end}
- incident: {}
- propose: feature/inc-001-rollback
- run: {in: incidents/inc-001}
```

```yaml good
- done: {until: end}
- incident: {tasks: [strat-001]}
- propose: feature/inc-001-rollback
- run: {in: incidents/inc-001}
- remove: {deploy/paper/sma.json: ~}
- handoff: {in: incidents/inc-001}
```
";

fn run(world: &World) -> Vec<Objection> {
    let mut objections: Vec<Objection> = Vec::new();
    for step in world.steps().filter(|step| step.policy.is_some()) {
        let Home::Incident(id) = &step.ledger.home else { continue };
        let (without, work) = match &step.record.payload {
            Payload::Run(run) => (of_incident(&step, id), of_run(world, &step, id, run)),
            Payload::Handoff(handoff) => {
                (of_incident(&step, id), of_handoff(world, &step, id, handoff))
            }
            _ => continue,
        };
        objections.extend(without.or(work));
    }
    let changes = world.changes.iter().filter(|change| world.only_goes_back(&change.path));
    objections.extend(changes.filter_map(|change| of_change(world, change)));
    objections
}

/// Every run and handoff belongs to an incident that is open.
fn of_incident(step: &Step<'_>, id: &TaskId) -> Option<Objection> {
    let message = match step.incident {
        Some(state) if state.closed.is_none() => return None,
        Some(_) => format!("incident `{id}` is closed"),
        None => format!("no incident `{id}` is open before this"),
    };
    let help = "open one that names the task: `orch incident open --task TASK --trigger T`";
    Some(Objection::new(step.heading(), message, help))
}

/// Judges what both a run and its handoff say: the stage, and a task that the incident is about.
fn of_work(
    step: &Step<'_>,
    state: &IncidentState,
    stage: &StageName,
    task: Option<&TaskId>,
) -> Option<Objection> {
    if *stage != ROLLBACK_STAGE {
        let message = format!("an incident takes back, and runs no stage `{stage}`");
        let help = "other stages are the task's own: `orch run start TASK`, past the gatekeeper";
        return Some(Objection::new(step.field("stage"), message, help));
    }
    let tasks = &state.incident.tasks;
    let message = match task {
        Some(task) if tasks.contains(task) => return None,
        Some(task) => format!("this incident is not about `{task}`"),
        None => "this does not say which task it takes back".to_owned(),
    };
    let help = "open an incident that names the task: `orch incident open --task TASK --trigger T`";
    Some(Objection::new(step.field("task_id"), message, help))
}

/// Gives who takes back a task's work, if its workflow says.
fn rollback_of<'w>(world: &'w World, task: &TaskId) -> Option<&'w Rollback> {
    world.policy.workflows.get(&world.task(task)?.task.workflow)?.rollback.as_ref()
}

fn of_run(world: &World, step: &Step<'_>, id: &TaskId, run: &Run) -> Option<Objection> {
    let state = step.incident?;
    if let Some(objection) = of_work(step, state, &run.stage, run.task_id.as_ref()) {
        return Some(objection);
    }
    let (task, active) = (run.task_id.as_ref()?, state.active_run());
    if run.status != RunStatus::InProgress {
        let same = active.is_some_and(|active| {
            (&active.run_id, &active.lane, &active.agent) == (&run.run_id, &run.lane, &run.agent)
        });
        let message = format!("no rollback `{}` of this agent goes on in its lane", run.run_id);
        return (!same).then(|| Objection::new(step.field("run_id"), message, start(task, id)));
    }
    if let Some(active) = active {
        let message = format!("rollback `{}` of this incident goes on", active.run_id);
        let help = format!("end it first: `orch handoff create {task} --incident {id}`");
        return Some(Objection::new(step.field("run_id"), message, help));
    }
    let Some(by) = rollback_of(world, task) else {
        let message = format!("the workflow of `{task}` says nothing of a rollback");
        let help = "add `rollback: {agent: …, lane: …}` to it: `orch decide --changes \
                    .orch/policy.yaml`";
        return Some(Objection::new(step.field("task_id"), message, help));
    };
    let due = state.next_run_id(id, &run.stage);
    let (field, message) = if run.agent != by.agent {
        ("agent", format!("`{task}` is taken back by `{}`, not by `{}`", by.agent, run.agent))
    } else if run.lane != by.lane {
        ("lane", format!("`{task}` is taken back in lane {}, not in {}", by.lane, run.lane))
    } else if run.run_id != due {
        ("run_id", format!("the id of this rollback is `{due}`"))
    } else {
        return None;
    };
    Some(Objection::new(step.field(field), message, start(task, id)))
}

fn start(task: &TaskId, incident: &TaskId) -> String {
    format!(
        "`orch run start {task} --stage {ROLLBACK_STAGE} --incident {incident}` begins it right"
    )
}

fn of_handoff(world: &World, step: &Step<'_>, id: &TaskId, handoff: &Handoff) -> Option<Objection> {
    let state = step.incident?;
    let task = &handoff.task_id;
    if let Some(objection) = of_work(step, state, &handoff.stage, Some(task)) {
        return Some(objection);
    }
    let known = state.runs.iter().rev().find(|run| run.run_id == handoff.run_id);
    // The same rollback handed off twice is a duplicate.
    if known.is_some_and(|run| run.standing == RunStanding::Delivered) {
        return None;
    }
    let active = known.filter(|run| run.standing == RunStanding::Active);
    let Some(run) = active.filter(|run| run.task.as_ref() == Some(task)) else {
        let message = format!("no rollback `{}` of `{task}` goes on", handoff.run_id);
        return Some(Objection::new(step.field("run_id"), message, start(task, id)));
    };
    if run.agent != handoff.from || handoff.from != step.record.entry.actor {
        let message = format!("`{}` did this rollback, and hands it off itself", run.agent);
        let help = format!("`orch handoff create {task} --incident {id} --agent {}`", run.agent);
        return Some(Objection::new(step.field("from"), message, help));
    }
    let forged = handoff
        .artifacts
        .iter()
        .position(|artifact| !sealed_before(world, task, &artifact.path, artifact.checksum))?;
    let message = format!("no handoff of `{task}` sealed this before");
    Some(Objection::new(step.field(&format!("artifacts.{forged}.checksum")), message, HELP))
}

fn sealed_before(world: &World, task: &TaskId, path: &RepoPath, digest: Digest) -> bool {
    let deliveries = world.task(task).into_iter().flat_map(|state| &state.deliveries);
    let mut sealed = deliveries.flat_map(|delivery| &delivery.artifacts);
    sealed.any(|artifact| artifact.path == *path && artifact.checksum == digest)
}

/// What only a rollback lets this branch change goes back, to nothing or to what was sealed.
fn of_change(world: &World, change: &Change) -> Option<Objection> {
    let path = &change.path;
    change.new?;
    let tasks = world.runs_here().iter().filter_map(|run| run.takes_back.as_ref());
    if let Fact::File { digest, .. } = world.facts.get(Seen::Head, path)
        && tasks.into_iter().any(|task| sealed_before(world, task, path, *digest))
    {
        return None;
    }
    let message = format!("a rollback takes back, and no handoff before it sealed this `{path}`");
    Some(Objection::new(Place::file(path.clone()), message, HELP))
}

const HELP: &str = "delete the file, or bring back what was sealed: `git restore --source=REV PATH`; \
                    what is new goes through its stages and the audit";

#[cfg(test)]
mod tests;
