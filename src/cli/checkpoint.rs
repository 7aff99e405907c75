//! `orch run checkpoint`: record how far a run came, so that the next attempt can go on from there.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::handoff::named_path;
use super::ledger::{Writer, Writing};
use super::output::{id, say};
use super::run::active_run;
use super::seal::sealed;
use crate::draft;
use crate::record::kind::{self, RunStatus};
use crate::source::{ArtifactName, RepoPath, TaskId};

/// Record a point that the active run can go on from after a failure.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes a `run` entry that names the point and seals the files that hold it, \
                        and stages both;\nthe next attempt carries it on. The same point twice is \
                        recorded once.\nExample: orch run checkpoint strat-001 --name fold-3 \
                        --artifact progress=research/folds.json"
)]
pub(super) struct Checkpoint {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// What was reached, in a word that the stage's command understands
    #[arg(long)]
    name: String,
    /// A file that holds what was reached; may be given several times
    #[arg(long, value_name = "NAME=PATH", value_parser = named_path)]
    artifact: Vec<(ArtifactName, RepoPath)>,
    #[command(flatten)]
    writing: Writing,
}

impl Checkpoint {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        let active = active_run(desk.state())?;
        if self.name.trim().is_empty() {
            return Err(Stop::fault("a checkpoint has a name", "give it one: `--name fold-3`"));
        }
        let author = desk.author(context)?;
        let sealed = sealed(&desk.view.repository, self.artifact)?;
        let artifacts = sealed.iter().map(|(artifact, _)| artifact.clone()).collect();
        let reached = kind::Checkpoint { name: self.name, artifacts };
        if active.checkpoint.as_ref() == Some(&reached) {
            say(format!("stage {} has reached `{}` already", active.stage, reached.name));
            return Ok(());
        }
        let told = format!("stage {} reached `{}`", active.stage, reached.name);
        let mut writer = Writer::new(context, &desk.view, author);
        writer.seal(sealed, self.writing);
        let run = draft::of_run(active, RunStatus::Checkpoint);
        writer.add(&desk.home(), kind::Run { checkpoint: Some(reached), ..run })?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        say(told);
        say(format!("next: go on; after a failure: orch run retry {}", self.id));
        Ok(())
    }
}
