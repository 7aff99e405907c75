//! Where a task stands in front of `orch run exec`.

use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::ledger::{RunStanding, RunState, Standing, State};
use crate::record::kind::Run;
use crate::source::{Moment, StageName};

/// Gives the stage in question if it has handed off, or reported, and nothing came after.
pub(super) fn handed_off<'s>(
    state: &'s State,
    named: Option<&'s StageName>,
) -> Option<&'s StageName> {
    match (&state.standing, named) {
        (Standing::Delivered(stage), None) => Some(stage),
        (_, Some(stage)) => {
            let last = state.runs.iter().rev().find(|run| run.stage == *stage)?;
            (last.standing == RunStanding::Delivered && state.run_stands(&last.run_id))
                .then_some(stage)
        }
        _ => None,
    }
}

/// Gives when the next attempt of a run may begin, if the last one failed and the task may move.
pub(super) fn due(state: &State, next: &Run) -> Option<Moment> {
    let (run, failed) = state.failures(&next.stage).next()?;
    failed.retry_after.filter(|_| run.run_id == next.run_id && state.paused.is_none())
}

/// Refuses to take up a run that is somebody else's, or goes on elsewhere.
pub(super) fn may_be_taken_up(
    context: &Context,
    desk: &Desk,
    active: &RunState,
) -> Result<(), Stop> {
    let agent = context.agent(desk.policy())?;
    if agent != active.agent {
        let message = format!("run {} is done by {}, not by {agent}", active.run_id, active.agent);
        let help = format!("wait for it, or end it: `orch run fail {}`", desk.state().task.task_id);
        return Err(Stop::denied(message, help));
    }
    match (&active.branch, &desk.view.proposal.branch) {
        (Some(branch), Some(here)) if branch != here => {
            let message = format!("run {} goes on on `{branch}`", active.run_id);
            Err(Stop::denied(message, format!("go there first: `git switch {branch}`")))
        }
        _ => Ok(()),
    }
}
