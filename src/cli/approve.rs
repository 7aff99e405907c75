//! `orch approve`: a person's word that a stage may run.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::{Writer, Writing};
use super::output::{id, say};
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
        let desk = Desk::of(context, &self.id)?;
        let stage = desk.stage(Some(&self.stage))?;
        let author = desk.author(context)?;
        let actor = author.actor.clone();
        let world = &desk.view.world;
        let approval = draft::approval(world, desk.state(), stage, actor, self.statement);
        if desk.state().approvals.iter().any(|known| {
            (known.live, &known.stage, &known.approver, &known.covers)
                == (true, &self.stage, &approval.approver, &approval.covers)
        }) {
            say(format!("`{}` has approved stage {} already", approval.approver, self.stage));
            return Ok(());
        }
        let unseen = approval.covers.is_empty();
        let mut writer = Writer::new(context, &desk.view, author);
        writer.add(&desk.home(), approval)?;
        let written = writer.commit(self.writing)?;
        if unseen {
            say(
                "note: there is no evidence to see yet, so this covers none, and opens nothing that has some",
            );
        }
        if !written.is_foreseen() {
            say(format!("next: git commit, then orch run start {}", self.id));
        }
        Ok(())
    }
}
