//! `orch handoff`: seal a stage's artifacts for the next agent; list, show, verify, reject.

use clap::Subcommand;

use super::Stop;
use super::context::{Context, View};
use super::desk::Desk;
use super::export::Export;
use super::handoff_verify::Verify;
use super::handoffs::{List, Show};
use super::import::Import;
use super::ledger::{Writer, Writing};
use super::output::{id, say, say_lines};
use super::reject::Reject;
use super::seal::{digest_of, seal};
use super::task::word;
use super::told::{Told, made, must_be_there};
use crate::draft;
use crate::ledger::{Delivery, State};
use crate::policy::Stage;
use crate::record::kind::HandoffStatus;
use crate::source::{AgentName, ArtifactName, RepoPath, TaskId};

#[derive(Debug, Subcommand)]
pub(super) enum Handoff {
    /// Seal the active stage's artifacts and complete its run
    #[command(
        after_help = "Collects the artifacts from the stage's `produces`, seals them with the \
                            digest of Git's blobs,\nand stages them together with the \
                            entry.\nExample: orch handoff create strat-001 --message 'Ready for \
                            backtesting'"
    )]
    Create(Box<Create>),
    /// List handoffs
    #[command(after_help = "Example: orch handoff list strat-001")]
    List(List),
    /// Show the live handoff of a task
    #[command(after_help = "Example: orch handoff show strat-001")]
    Show(Show),
    /// Hold the artifacts of a task's live handoffs, or those of a file, against Git
    Verify(Verify),
    /// Say that a handoff's artifacts can't be used, and return the task
    #[command(after_help = "Example: orch handoff reject strat-001 --reason mismatch")]
    Reject(Reject),
    /// Read a handoff that was written elsewhere, and seal it as an entry
    Import(Import),
    /// Print a task's live handoff in the form of another tool
    Export(Export),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    pub(super) id: TaskId,
    /// Who takes over; by default the agent of the next stage
    #[arg(long, value_name = "AGENT", value_parser = id::<AgentName>)]
    pub(super) to: Option<AgentName>,
    /// A sentence for the receiver
    #[arg(long)]
    pub(super) message: Option<String>,
    /// The file of an artifact, if the policy's glob does not say; may be given several times
    #[arg(long, value_name = "NAME=PATH", value_parser = named_path)]
    pub(super) artifact: Vec<(ArtifactName, RepoPath)>,
    /// What the receiver should do; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub(super) next_step: Vec<String>,
    /// An issue of the failed audit that this answers; may be given several times
    #[arg(long, value_name = "ISSUE")]
    pub(super) resolves: Vec<String>,
    /// complete, blocked or partial
    #[arg(long, default_value = "complete", value_parser = word::<HandoffStatus>)]
    pub(super) status: HandoffStatus,
    /// The incident whose rollback of the task this completes
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    pub(super) incident: Option<TaskId>,
    #[command(flatten)]
    pub(super) writing: Writing,
    #[command(flatten)]
    told: Told,
}

/// Reads `NAME=PATH`.
pub(super) fn named_path(text: &str) -> Result<(ArtifactName, RepoPath), String> {
    let (name, path) = text.split_once('=').ok_or("write NAME=PATH")?;
    let name = id(name)?;
    RepoPath::canonical(path).map(|path| (name, path)).map_err(|fault| fault.to_string())
}

impl Handoff {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Handoff::Create(command) => command.run(context),
            Handoff::List(command) => command.run(context),
            Handoff::Show(command) => command.run(context),
            Handoff::Verify(command) => command.run(context),
            Handoff::Reject(command) => command.run(context),
            Handoff::Import(command) => command.run(context),
            Handoff::Export(command) => command.run(context),
        }
    }
}

impl Create {
    /// Gives the handoff that follows from the stage alone.
    pub(super) fn plain(id: TaskId, writing: Writing) -> Self {
        Create {
            id,
            to: None,
            message: None,
            artifact: Vec::new(),
            next_step: Vec::new(),
            resolves: Vec::new(),
            status: HandoffStatus::Complete,
            incident: None,
            told: Told::default(),
            writing,
        }
    }

    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(incident) = &self.incident {
            if self.told != Told::default() {
                let message = "a rollback tells its receiver no more than a message";
                return Err(Stop::fault(message, "say it with `--message`"));
            }
            let both = (&self.id, incident);
            return super::rollback::finish(context, both, self.message, self.writing);
        }
        let desk = Desk::of(context, &self.id)?;
        let (view, state) = (&desk.view, desk.state());
        let stage = desk.stage(None)?;
        if let Some(done) = already_sealed(state, stage) {
            return still_holds(view, done, &self.id);
        }
        if let Some(run) = state.active_run().filter(|run| !context.is_within(&run.run_id)) {
            super::exec::must_rest(&view.repository, &self.id, run)?;
        }
        let author = desk.author(context)?;
        let sealed = seal(view, desk.policy(), state, stage, &self.artifact)?;
        let run_id = draft::run_to_end(&view.world, state, stage);
        let artifacts = sealed.iter().map(|(artifact, _)| artifact.clone()).collect();
        let from = author.actor.clone();
        let mut handoff = draft::handoff(desk.policy(), state, stage, run_id, from, artifacts);
        handoff.to = self.to.unwrap_or(handoff.to);
        handoff.message = self.message.unwrap_or(handoff.message);
        handoff.next_steps = self.next_step;
        handoff.resolves = self.resolves;
        handoff.status = self.status;
        self.told.into(&mut handoff);
        must_be_there(&view.repository, made(&handoff), &sealed)?;
        let to = handoff.to.clone();
        let mut writer = Writer::new(context, view, author);
        writer.seal(sealed, self.writing);
        writer.add(&desk.home(), handoff)?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        say_lines(format!(
            "handed off to {to}\nnext: git commit, then orch gate {} by a coordinator",
            self.id
        ));
        Ok(())
    }
}

/// The same submission twice gives one record (R001-18): a stage that waits for its gate has
/// handed off, and no run of it goes on.
pub(super) fn already_sealed<'s>(state: &'s State, stage: &Stage) -> Option<&'s Delivery> {
    let waits =
        matches!(&state.standing, crate::ledger::Standing::Delivered(name) if *name == stage.name);
    state.live_delivery(&stage.name).filter(|_| waits)
}

/// Tells that there is nothing to do; refuses if the files are no longer what was sealed.
fn still_holds(view: &View, done: &Delivery, id: &TaskId) -> Result<(), Stop> {
    for artifact in &done.artifacts {
        if digest_of(&view.repository, &artifact.path)? == artifact.checksum {
            continue;
        }
        let message = format!("`{}` changed after it was handed off", artifact.path);
        let help = format!(
            "restore the file; or take it back: `git add` what changed, `orch handoff reject {id}`, \
             then `orch run start {id}`"
        );
        return Err(Stop::denied(message, help));
    }
    say(format!("stage {} is handed off already, to {}", done.stage, done.to));
    Ok(())
}
