//! `orch run fail`: record that a run came to nothing, and what may come next.

use super::Stop;
use super::claim::release;
use super::context::Context;
use super::desk::Desk;
use super::fix::Fix;
use super::ledger::{Writer, Writing, Written};
use super::output::{id, say};
use super::run::active_run;
use super::task::word;
use crate::draft::{self, Author};
use crate::ledger::{RunStanding, RunState, State};
use crate::record::kind::{self, Failure, FailureClass, Pause};
use crate::snapshot::Side;
use crate::source::TaskId;
use crate::world;

#[derive(Debug, clap::Args)]
pub(super) struct Fail {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// transient, deterministic, spec or policy
    #[arg(long, value_parser = word::<FailureClass>)]
    class: FailureClass,
    /// One word, such as network
    #[arg(long)]
    reason: String,
    /// What happened
    #[arg(long)]
    message: Option<String>,
    /// The incident whose rollback of the task failed
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    incident: Option<TaskId>,
    #[command(flatten)]
    fix: Fix,
    #[command(flatten)]
    writing: Writing,
}

impl Fail {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(incident) = &self.incident {
            let Fail { class, reason, message, .. } = &self;
            let (reason, message) = (reason.clone(), message.clone());
            let failure = Failure { class: *class, reason, message };
            return super::rollback::fail(context, (&self.id, incident), failure, self.writing);
        }
        let desk = Desk::of(context, &self.id)?;
        let state = desk.state();
        let failure = Failure { class: self.class, reason: self.reason, message: self.message };
        if let Some(known) = failed_already(state, &failure) {
            say(format!("run {} of stage {} has failed already", known.run_id, known.stage));
            return Ok(());
        }
        let active = active_run(state)?;
        let author = desk.author(context)?;
        let lane =
            world::lane_state(&desk.view.repository, Side::Index, desk.policy(), &active.lane)?;
        let drafted = draft::failure(desk.policy(), state, active, failure, author.at, lane);
        record_failure(context, &desk, author, drafted, &self.fix, self.writing)
    }
}

/// Gives the last run, if it failed in just this way and no other has begun: telling it again is the
/// same submission (R001-18).
fn failed_already<'s>(state: &'s State, failure: &Failure) -> Option<&'s RunState> {
    let last = state.runs.last()?;
    let RunStanding::Failed(failed) = &last.standing else { return None };
    let same = |known: &Failure| (known.class, &known.reason) == (failure.class, &failure.reason);
    same(&failed.failure).then_some(last)
}

/// Writes what ends a run as failed, and tells what may come next.
fn record_failure(
    context: &Context,
    desk: &Desk,
    author: Author,
    (failed, pause): (kind::Run, Option<Pause>),
    fix: &Fix,
    writing: Writing,
) -> Result<(), Stop> {
    let id = &desk.state().task.task_id;
    let after = failed.retry_after;
    let paused = pause.is_some();
    let class = failed.failure.as_ref().map(|failure| failure.class);
    if write_failure(context, desk, author, (failed, pause), fix, writing)?.is_foreseen() {
        return Ok(());
    }
    match (paused, after) {
        (true, _) => say(format!(
            "the task is paused: a person looks, then `orch resume {id} --sign-off STATEMENT`"
        )),
        (false, Some(after)) => {
            say(format!("next: git commit; from {after} on: orch run retry {id}"));
        }
        (false, None) => {
            let mend = match class {
                Some(FailureClass::Spec) => format!("change the task, `orch task update {id}`"),
                Some(FailureClass::Policy) => "have the rule changed by a person".to_owned(),
                _ => "mend it in the lane, `git add` it".to_owned(),
            };
            say(format!("this is not retried: git commit, {mend}, then orch run retry {id}"));
        }
    }
    Ok(())
}

/// Writes what ends a run as failed, the pause that it calls for, and the task that mends it, if one
/// is asked for.
pub(super) fn write_failure(
    context: &Context,
    desk: &Desk,
    author: Author,
    (failed, pause): (kind::Run, Option<Pause>),
    fix: &Fix,
    writing: Writing,
) -> Result<Written, Stop> {
    let paused = pause.is_some();
    let mut writer = Writer::new(context, &desk.view, author.clone());
    writer.add(&desk.home(), failed.clone())?;
    if let Some(pause) = pause {
        writer.add(&desk.home(), pause)?;
    }
    let opened = match &failed.failure {
        Some(failure) => fix.add(&mut writer, desk, &author, &failed.stage, failure)?,
        None => None,
    };
    let again = failed.retry_after.is_some() && !paused;
    let written = writer.commit(writing)?;
    if written.is_foreseen() {
        return Ok(written);
    }
    if !again {
        release(&desk.view.repository, &desk.state().task.task_id, writing);
    }
    if let Some(fix) = opened {
        let id = &desk.state().task.task_id;
        say(format!("`{id}` waits for `{fix}`, which mends it: orch run start {fix}"));
    }
    Ok(written)
}
