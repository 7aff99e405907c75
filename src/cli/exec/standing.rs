//! Where a task stands in front of `orch run exec`.

use super::program::{Ended, How};
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::ledger::{RunStanding, RunState, Standing, State};
use crate::policy::Ending;
use crate::record::kind::{Failure, FailureClass, Run};
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

/// Gives why a command failed, as the policy classifies it.
pub(super) fn failure(desk: &Desk, ended: &Ended) -> Failure {
    let told = |class, reason: &str, message| Failure { class, reason: reason.into(), message };
    let (exit_code, timed_out) = match &ended.how {
        How::Interrupted => {
            return told(FailureClass::Transient, "interrupted", ended.last_line());
        }
        How::NotStarted(error) => {
            return told(FailureClass::Spec, "not_started", Some(error.clone()));
        }
        How::Exited(code) => (*code, false),
        How::TimedOut => (None, true),
    };
    let took_long = || Some("it took longer than it may, and was ended".to_owned());
    let ending = Ending { exit_code, timed_out, output: &ended.output };
    let message = if timed_out { took_long() } else { ended.last_line() };
    Failure { message, ..desk.policy().classify(&ending) }
}

/// Refuses to record how a command ended on another branch than it began on: the command left it.
pub(super) fn must_be_where_it_began(desk: &Desk, run: &Run) -> Result<(), Stop> {
    match (&run.branch, &desk.view.proposal.branch) {
        (Some(due), here) if here.as_ref() != Some(due) => {
            let message = format!("the command left `{due}`, the branch of run {}", run.run_id);
            let help = format!("go back and say this again: `git switch {due}`");
            Err(Stop::denied(message, help))
        }
        _ => Ok(()),
    }
}
