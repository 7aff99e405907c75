//! A plan as work that can be handed to a scheduler.

use super::{Briefing, Job, Placed, Plan, Stands, prompt};
use crate::draft;
use crate::policy::Stage;
use crate::record::Home;
use crate::record::kind::FailureClass;
use crate::source::{Moment, TaskId};
use crate::world::World;

/// Gives a job for the next stage of each task that may run now, or once others are done. What runs
/// already, or waits for the coordinator, is no work to hand out.
///
/// The run of a task that waits is named as it would be if it began now; when it begins, what it
/// consumes names it (R001-13).
pub fn jobs(world: &World, plan: &Plan<'_>, at: Moment) -> Vec<Job> {
    let waves = plan.waves.iter().zip(1..);
    let placed = waves.flat_map(|(wave, number)| wave.tasks.iter().map(move |one| (one, number)));
    let open = |placed: &Placed<'_>| matches!(placed.item.stands, Stands::Ready | Stands::Waits);
    let handed_out: Vec<(&Placed<'_>, usize)> = placed.filter(|(placed, _)| open(placed)).collect();
    let tasks: Vec<&TaskId> =
        handed_out.iter().map(|(placed, _)| &placed.item.task.task_id).collect();
    handed_out.iter().filter_map(|(placed, wave)| job(world, placed, *wave, &tasks, at)).collect()
}

fn job(
    world: &World,
    placed: &Placed<'_>,
    wave: usize,
    planned: &[&TaskId],
    at: Moment,
) -> Option<Job> {
    let policy = &*world.policy;
    let task = &placed.item.task;
    let ledger = world.ledgers.get(&Home::Task(task.task_id.clone()))?;
    let state = ledger.state()?;
    let stage = policy.stage(&task.workflow, placed.item.stage.as_ref()?)?;
    let mut run = draft::run(world, state, stage);
    run.agent = placed.agent.clone()?;
    let text = prompt(&Briefing { policy, ledger, state, stage, run: &run });
    Some(Job {
        task_id: task.task_id.clone(),
        title: task.title.clone(),
        workflow: task.workflow.clone(),
        stage: stage.name.clone(),
        lane: stage.lane.clone(),
        branch: draft::branch(policy, state, &run, at),
        depends_on: task.depends_on.iter().filter(|id| planned.contains(id)).cloned().collect(),
        prompt: text,
        success_criteria: task.success_criteria.clone(),
        scope: policy.scope_in(&task.scope, &stage.lane),
        artifact_path: artifact_path(stage),
        timeout: stage.timeout,
        retry: policy.retry(Some(stage), FailureClass::Transient).clone(),
        command: policy.command_of(&run.agent).to_vec(),
        agent: run.agent,
        run_id: run.run_id,
        wave,
    })
}

/// Gives the folder that the first artifact of a stage lies in, as far as its glob says.
fn artifact_path(stage: &Stage) -> Option<String> {
    let first = stage.produces.values().find(|produce| !produce.optional)?;
    Some(first.glob.folder().to_string()).filter(|folder| !folder.is_empty())
}
