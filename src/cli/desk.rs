//! One task in front of a command that writes: the lock is held, and what is staged is looked at.

use super::Stop;
use super::context::{Context, View};
use super::elsewhere::landed_ahead;
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::output::say;
use crate::draft::Author;
use crate::ledger::State;
use crate::policy::{Policy, Stage, Workflow};
use crate::record::{Home, Payload};
use crate::report::told;
use crate::source::{StageName, TaskId};
use crate::world::LedgerView;

/// A task, looked at under the lock, which is held until this is dropped.
pub(super) struct Desk {
    id: TaskId,
    /// What is staged, seen through the task.
    pub(super) view: View,
    _lock: Lock,
}

impl Desk {
    /// Takes the lock and looks; refuses if there is no such task, while files conflict, and if the
    /// task is further where it has landed, as far as that is known here.
    pub(super) fn of(context: &Context, id: &TaskId) -> Result<Self, Stop> {
        let repository = context.repository()?;
        let lock = Lock::take(&repository)?;
        let view = View::within(context, repository, &[id])?;
        view.task(id)?;
        if let Some(ahead) = landed_ahead(&view, id)? {
            let message = format!("`{id}` is further on {}: {}", ahead.place, told(&ahead.last));
            let help = format!("bring that here first: `{}`", ahead.command);
            return Err(Stop::denied(message, help));
        }
        Ok(Desk { id: id.clone(), view, _lock: lock })
    }

    /// Gives the task's ledger.
    pub(super) fn ledger(&self) -> &LedgerView {
        self.view.task(&self.id).expect("asked for when this was made").0
    }

    /// Gives where the task stands.
    pub(super) fn state(&self) -> &State {
        self.view.task(&self.id).expect("asked for when this was made").1
    }

    /// Gives the agreed policy.
    pub(super) fn policy(&self) -> &Policy {
        &self.view.world.policy
    }

    /// Gives the task's workflow; refuses if the policy no longer has it.
    pub(super) fn workflow(&self) -> Result<&Workflow, Stop> {
        super::run::workflow_of(self.policy(), self.state())
    }

    /// Gives a stage by its name, or the one the task stands before or in.
    pub(super) fn stage(&self, named: Option<&StageName>) -> Result<&Stage, Stop> {
        super::run::stage_of(self.workflow()?, self.state(), named)
    }

    /// Gives who writes, on the current branch.
    pub(super) fn author(&self, context: &Context) -> Result<Author, Stop> {
        context.author(self.policy(), self.view.proposal.branch.clone())
    }

    /// Gives the ledger that entries about the task go to.
    pub(super) fn home(&self) -> Home {
        Home::Task(self.id.clone())
    }

    /// Writes one entry, and tells to commit it.
    pub(super) fn record(
        &self,
        context: &Context,
        author: Author,
        payload: impl Into<Payload>,
        writing: Writing,
    ) -> Result<(), Stop> {
        let mut writer = Writer::new(context, &self.view, author);
        writer.add(&self.home(), payload)?;
        if writer.commit(writing)?.is_foreseen() {
            return Ok(());
        }
        say("next: git commit");
        Ok(())
    }
}
