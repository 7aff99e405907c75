//! `orch approve`: a person's word that a stage may run.

use super::Stop;
use super::context::{Context, View};
use super::ledger::{Lock, Writer, Writing};
use super::output::{id, say};
use super::run::{stage_of, workflow_of};
use crate::draft;
use crate::source::{StageName, TaskId};

/// Approve a stage, as a person.
#[derive(Debug, clap::Args)]
#[command(after_help = "Covers exactly the evidence that the stage would consume; a change of it \
                        voids the approval.\nExample: orch approve strat-001 --stage deploy_live \
                        --statement 'Paper looks right' --agent founder")]
pub(super) struct Approve {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The stage it opens
    #[arg(long, value_parser = id::<StageName>)]
    stage: StageName,
    /// What you say
    #[arg(long)]
    statement: String,
    #[command(flatten)]
    writing: Writing,
}

impl Approve {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let view = View::within(context, repository, &[&self.id])?;
        let policy = view.policy();
        let ledger = view.ledger(&self.id)?;
        let state = ledger.state().expect("a ledger of a task has a state");
        let stage = stage_of(workflow_of(&policy, state)?, state, Some(&self.stage))?;
        let author = context.author(&policy, view.proposal.branch.clone())?;
        let actor = author.actor.clone();
        let approval = draft::approval(&view.world, state, stage, actor, self.statement);
        let mut writer = Writer::new(context, author);
        writer.add(&view, &self.id, Some(ledger), &approval.into())?;
        writer.commit(&view, self.writing)?;
        say(format!("next: git commit, then orch run start {}", self.id));
        Ok(())
    }
}
