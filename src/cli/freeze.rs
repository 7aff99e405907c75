//! What stops and moves a task by hand: block and unblock, pause and resume, assign.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::Writing;
use super::output::id;
use crate::record::Payload;
use crate::record::kind::{
    Assignment, AssignmentReason, Block, Pause as PausePayload, PauseCause,
    Resume as ResumePayload, Unblock,
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

/// Give a task's current stage to an agent.
#[derive(Debug, clap::Args)]
pub(super) struct Assign {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Who shall do it
    #[arg(long, value_name = "AGENT", value_parser = id::<AgentName>)]
    to: AgentName,
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
        let reason = self.reason.clone();
        record(context, &self.id, self.writing, |_| Block { reason }.into())
    }

    pub(super) fn unblock(self, context: &Context) -> Result<(), Stop> {
        let reason = self.reason.clone();
        record(context, &self.id, self.writing, |_| Unblock { reason }.into())
    }
}

impl Assign {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        record(context, &self.id, self.writing, |_| {
            let reason = AssignmentReason::Person;
            Assignment { agent: self.to.clone(), previous_agent: None, reason }.into()
        })
    }
}

impl Pause {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let Because { id, reason, writing } = self.because;
        record(context, &id, writing, |_| PausePayload { cause: PauseCause::Person, reason }.into())
    }
}

impl Resume {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        record(context, &self.id, self.writing, |actor| {
            let sign_off = self.sign_off.clone();
            ResumePayload { approver: actor.clone(), sign_off, incident: None }.into()
        })
    }
}

/// Adds one entry whose payload needs nothing but its words.
fn record(
    context: &Context,
    task: &TaskId,
    writing: Writing,
    payload: impl FnOnce(&AgentName) -> Payload,
) -> Result<(), Stop> {
    let desk = Desk::of(context, task)?;
    let author = desk.author(context)?;
    let payload = payload(&author.actor);
    desk.record(context, author, payload, writing)
}
