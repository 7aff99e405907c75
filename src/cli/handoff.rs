//! `orch handoff`: seal a stage's artifacts for the next agent; list, show, verify, reject.

use clap::Subcommand;

use super::Stop;
use super::claim::release;
use super::context::{Context, View};
use super::desk::Desk;
use super::handoffs::{List, Show};
use super::import::Import;
use super::ledger::{Writer, Writing};
use super::output::{complain, id, json, say};
use super::reject::Reject;
use super::seal::{digest_of, seal};
use super::task::word;
use crate::draft;
use crate::ledger::{Delivery, State};
use crate::policy::Stage;
use crate::record::kind::HandoffStatus;
use crate::render::Format;
use crate::source::{AgentName, ArtifactName, Digest, RepoPath, TaskId};
use crate::world::{self, Fact, Seen};

#[derive(Debug, Subcommand)]
pub(super) enum Handoff {
    /// Seal the active stage's artifacts and complete its run
    #[command(
        after_help = "Collects the artifacts from the stage's `produces`, seals them with the \
                            digest of Git's blobs,\nand stages them together with the \
                            entry.\nExample: orch handoff create strat-001 --message 'Ready for \
                            backtesting'"
    )]
    Create(Create),
    /// List handoffs
    #[command(after_help = "Example: orch handoff list strat-001")]
    List(List),
    /// Show the live handoff of a task
    #[command(after_help = "Example: orch handoff show strat-001")]
    Show(Show),
    /// Hold the artifacts of a task's live handoffs against their seals
    #[command(
        after_help = "Exit code 1 if one is not as it was sealed.\nExample: orch handoff verify strat-001"
    )]
    Verify(Verify),
    /// Say that a handoff's artifacts can't be used, and return the task
    #[command(after_help = "Example: orch handoff reject strat-001 --reason mismatch")]
    Reject(Reject),
    /// Read a handoff that was written elsewhere, and seal it as an entry
    Import(Import),
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
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
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
        }
    }
}

impl Create {
    /// Gives the handoff that follows from the stage alone.
    pub(super) fn plain(id: TaskId) -> Self {
        Create {
            id,
            to: None,
            message: None,
            artifact: Vec::new(),
            next_step: Vec::new(),
            resolves: Vec::new(),
            status: HandoffStatus::Complete,
            incident: None,
            writing: Writing::default(),
        }
    }

    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(incident) = &self.incident {
            let both = (&self.id, incident);
            return super::rollback::finish(context, both, self.message, self.writing);
        }
        let desk = Desk::of(context, &self.id)?;
        let (view, state) = (&desk.view, desk.state());
        let stage = desk.stage(None)?;
        if let Some(done) = already_sealed(state, stage) {
            still_holds(view, done, &self.id)?;
            release(&view.repository, &self.id, self.writing);
            return Ok(());
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
        let to = handoff.to.clone();
        let mut writer = Writer::new(context, view, author);
        for (artifact, node) in sealed {
            say(format!("seals {} as {}", artifact.path, artifact.name));
            writer.with_artifact(artifact.path, node);
        }
        writer.add(&desk.home(), handoff)?;
        writer.commit(self.writing)?;
        release(&view.repository, &self.id, self.writing);
        say(format!(
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

/// How one artifact stands against its seal.
#[derive(serde::Serialize)]
pub(super) struct Held {
    pub(super) stage: String,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) sealed: Digest,
    pub(super) found: Option<Digest>,
    pub(super) holds: bool,
    /// Whether it can be read as what its name says.
    #[serde(skip)]
    pub(super) readable: bool,
}

/// Tells whether a file's name says that it is JSON or YAML.
fn is_named(path: &RepoPath) -> bool {
    [".json", ".yaml", ".yml"].iter().any(|ending| path.as_bytes().ends_with(ending.as_bytes()))
}

/// Gives how the artifacts of a task's live handoffs stand against their seals, in order.
pub(super) fn held(view: &View, state: &State) -> Vec<Held> {
    let live = state.live_deliveries();
    live.flat_map(|delivery| delivery.artifacts.iter().map(move |artifact| (delivery, artifact)))
        .map(|(delivery, artifact)| {
            let fact = view.world.facts.get(Seen::Head, &artifact.path);
            Held {
                stage: delivery.stage.to_string(),
                name: artifact.name.to_string(),
                path: artifact.path.to_string(),
                sealed: artifact.checksum,
                found: fact.digest(),
                holds: fact.digest() == Some(artifact.checksum),
                readable: match fact {
                    Fact::File { document: Some(bytes), .. } if is_named(&artifact.path) => {
                        world::document(&artifact.path, bytes).is_some()
                    }
                    _ => true,
                },
            }
        })
        .collect()
}

/// Gives the artifacts that differ on disk from what is staged: nobody has judged those.
pub(super) fn unstaged(view: &View, held: &[Held]) -> Result<Vec<RepoPath>, Stop> {
    let mut arguments = vec!["diff", "--name-only", "-z", "--"];
    arguments.extend(held.iter().map(|held| held.path.as_str()));
    if held.is_empty() || view.repository.work_dir().is_none() {
        return Ok(Vec::new());
    }
    let listed = view.repository.run_git(&arguments)?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(RepoPath::from).collect())
}

impl Verify {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of(context, &[&self.id])?;
        let (_, state) = view.task(&self.id)?;
        let held = held(&view, state);
        let broken = held.iter().filter(|held| !held.holds).count();
        match self.format {
            Format::Json => json(&held),
            Format::Human => {
                for artifact in &held {
                    let word = match (artifact.holds, artifact.found) {
                        (true, _) => "holds",
                        (false, Some(_)) => "CHANGED",
                        (false, None) => "MISSING",
                    };
                    say(format!(
                        "{word}  {} ({}, stage {})",
                        artifact.path, artifact.name, artifact.stage
                    ));
                }
                say(format!("{} artifacts, {broken} not as sealed", held.len()));
            }
        }
        for path in unstaged(&view, &held)? {
            complain(format!(
                "{path} differs on disk from what is staged, which is what was judged"
            ));
        }
        if broken == 0 {
            return Ok(());
        }
        complain(format!("next: orch handoff reject {}", self.id));
        Err(Stop::Refused)
    }
}
