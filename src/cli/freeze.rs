//! What stops and moves a task by hand: block and unblock, pause and resume.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::Writing;
use super::output::{id, say};
use crate::ledger::State;
use crate::record::Payload;
use crate::record::kind::{
    Block, Pause as PausePayload, PauseCause, Resume as ResumePayload, Unblock,
};
use crate::source::{AgentName, TaskId};

/// A task, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Because {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    writing: Writing,
}

/// Stop a task until a person resumes it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch pause strat-001 --reason 'Waiting for the exchange'")]
pub(super) struct Pause {
    #[command(flatten)]
    because: Because,
}

/// Let a paused task move again, with a person's sign-off.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: orch resume strat-001 --sign-off 'Checked the logs' --agent founder"
)]
pub(super) struct Resume {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Your statement
    #[arg(long, value_name = "STATEMENT")]
    sign_off: String,
    #[command(flatten)]
    writing: Writing,
}

impl Because {
    pub(super) fn block(self, context: &Context) -> Result<(), Stop> {
        let Because { id, reason, writing } = self;
        let already = |state: &State| Some(format!("blocked already: {}", state.blocked.as_ref()?));
        record(context, &id, writing, already, |_, _| Block { reason }.into())
    }

    pub(super) fn unblock(self, context: &Context) -> Result<(), Stop> {
        let Because { id, reason, writing } = self;
        let already = |state: &State| state.blocked.is_none().then(|| "not blocked".to_owned());
        record(context, &id, writing, already, |_, _| Unblock { reason }.into())
    }
}

impl Pause {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let Because { id, reason, writing } = self.because;
        let already =
            |state: &State| Some(format!("paused already: {}", state.paused.as_ref()?.reason));
        let cause = PauseCause::Person;
        record(context, &id, writing, already, |_, _| PausePayload { cause, reason }.into())
    }
}

impl Resume {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        // A task that is not paused may be resumed too: that counts its attempts anew.
        let never = |_: &State| None;
        record(context, &self.id, self.writing, never, |_, actor| {
            let sign_off = self.sign_off.clone();
            ResumePayload { approver: actor.clone(), sign_off, incident: None }.into()
        })
    }
}

/// Adds one entry whose payload needs nothing but its words; adds none where the task stands so
/// already, and says so.
fn record(
    context: &Context,
    task: &TaskId,
    writing: Writing,
    already: impl Fn(&State) -> Option<String>,
    payload: impl FnOnce(&Desk, &AgentName) -> Payload,
) -> Result<(), Stop> {
    let desk = Desk::of(context, task)?;
    if let Some(stands) = already(desk.state()) {
        say(format!("`{task}` is {stands}"));
        return Ok(());
    }
    let author = desk.author(context)?;
    let payload = payload(&desk, &author.actor);
    desk.record(context, author, payload, writing)
}
