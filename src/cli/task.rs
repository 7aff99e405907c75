//! `orch task`: open, list, show and close.

use clap::Subcommand;

use super::Stop;
use super::context::{Context, View};
use super::desk::Desk;
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::output::{id, say};
use super::quarantine::Quarantine;
use super::rebase::Rebase;
use super::run::near_or_all;
use super::update::{Deps, Update};
use super::{freeze, status};
use crate::policy::{AUDIT_PASS, Workflow};
use crate::record::Home;
use crate::record::kind::{self, Outcome, Priority};
use crate::render::Format;
use crate::source::{ArtifactName, RepoPath, StageName, TaskId, WorkflowName};
use crate::world::World;

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Open a task
    #[command(
        after_help = "Writes .orch/tasks/YYYY-MM/ID/0001-task.yaml and stages it.\nExample: \
                            orch task open strat-001 --workflow new_strategy --title 'SMA sweep'"
    )]
    Open(Open),
    /// List open tasks
    #[command(after_help = "Example: orch task list --all")]
    List(List),
    /// Show one task's ledger as a story
    #[command(after_help = "Example: orch task show strat-001")]
    Show(Show),
    /// Change what may change of a task, on the record
    Update(Update),
    /// Tell what a task waits for
    Deps(Deps),
    /// Give a task's current stage to an agent
    #[command(after_help = "Example: orch task assign strat-001 --to ml_engineer")]
    Assign(freeze::Assign),
    /// Keep a task from moving
    #[command(after_help = "Example: orch task block strat-001 --reason 'No data yet'")]
    Block(freeze::Because),
    /// Let a blocked task move again
    #[command(after_help = "Example: orch task unblock strat-001 --reason 'The data is there'")]
    Unblock(freeze::Because),
    /// Take evidence out of use, with all that was made from it
    Quarantine(Quarantine),
    /// Put your own entries behind those that landed, while you merge them
    Rebase(Rebase),
    /// Close a task for good
    #[command(
        after_help = "Example: orch task close strat-001 --outcome completed --reason 'Live'"
    )]
    Close(Close),
}

#[derive(Debug, clap::Args)]
pub(super) struct Open {
    /// The new task's id, such as strat-001
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The workflow it travels through
    #[arg(long, value_parser = id::<WorkflowName>)]
    workflow: WorkflowName,
    /// What it is about, in a few words
    #[arg(long)]
    title: String,
    /// The version that an audit must cover
    #[arg(long = "version", value_name = "VERSION")]
    of_version: Option<String>,
    /// A task that must be done first; may be given several times
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    depends_on: Vec<TaskId>,
    /// A glob of the files it is about; may be given several times
    #[arg(long, value_name = "GLOB")]
    scope: Vec<String>,
    /// How urgent it is: emergency, critical, high, normal, low
    #[arg(long, default_value = "normal", value_parser = word::<Priority>)]
    priority: Priority,
    /// The phase of a larger plan
    #[arg(long)]
    phase: Option<String>,
    /// What must be true at the end; may be given several times
    #[arg(long, value_name = "TEXT")]
    success_criterion: Vec<String>,
    /// The day it is due, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    deadline: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Close {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// completed, rejected, rolled_back or abandoned
    #[arg(long, value_parser = word::<Outcome>)]
    outcome: Outcome,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    writing: Writing,
}

/// Parses a word as records spell it.
pub(super) fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

impl Task {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Task::Open(command) => command.run(context),
            Task::List(command) => status::board(context, command.all, command.format),
            Task::Show(command) => status::story(context, &command.id, command.format),
            Task::Update(command) => command.run(context),
            Task::Deps(command) => command.run(context),
            Task::Assign(command) => command.run(context),
            Task::Block(command) => command.block(context),
            Task::Unblock(command) => command.unblock(context),
            Task::Quarantine(command) => command.run(context),
            Task::Rebase(command) => command.run(context),
            Task::Close(command) => command.run(context),
        }
    }
}

impl Open {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let view = View::within(context, repository, &[&self.id])?;
        let policy = view.policy();
        let Some(workflow) = policy.workflows.get(&self.workflow) else {
            let names = || policy.workflows.keys().map(WorkflowName::as_str);
            let message = format!("the policy has no workflow `{}`", self.workflow);
            return Err(Stop::fault(message, near_or_all(self.workflow.as_str(), names)));
        };
        let alone = self.depends_on.is_empty();
        let author = context.author(&policy, view.proposal.branch.clone())?;
        let task = kind::Task {
            task_id: self.id.clone(),
            title: self.title,
            workflow: self.workflow,
            version: self.of_version,
            requestor: author.actor.clone(),
            priority: self.priority,
            depends_on: self.depends_on,
            scope: self.scope,
            phase: self.phase,
            success_criteria: self.success_criterion,
            deadline: self.deadline,
        };
        if let Some(folder) = folder_of(&view.world, &self.id) {
            let opened = view.task(&self.id).ok().and_then(|(ledger, _)| ledger.records.first());
            if opened.is_some_and(|record| record.payload == task.clone().into()) {
                say(format!("the task `{}` is open already", self.id));
                return Ok(());
            }
            let help =
                format!("see it: `orch status {}`; or choose another id", folder.file_name());
            return Err(Stop::denied(format!("the task `{}` is there already", self.id), help));
        }
        let mut writer = Writer::new(context, &view, author);
        writer.add(&Home::Task(self.id.clone()), task)?;
        writer.commit(self.writing)?;
        for (stage, name) in from_elsewhere(workflow).into_iter().filter(|_| alone) {
            say(format!(
                "note: stage {stage} requires {name}, which this workflow does not produce; name \
                 the task that does: orch task update {} --depends-on ID",
                self.id
            ));
        }
        say(format!("next: orch run start {}", self.id));
        Ok(())
    }
}

/// Gives what stages of a workflow demand and none of its stages makes: another task must.
fn from_elsewhere(workflow: &Workflow) -> Vec<(&StageName, &ArtifactName)> {
    let made = |name: &ArtifactName| {
        *name == AUDIT_PASS || workflow.stages.iter().any(|stage| stage.produces.contains_key(name))
    };
    let demanded = workflow.stages.iter().flat_map(|stage| {
        let needed = stage.requires.iter().filter(|needed| !needed.optional);
        needed.map(|needed| (&stage.name, &needed.name))
    });
    demanded.filter(|(_, name)| !made(name)).collect()
}

/// Gives the folder of a task that is agreed or staged, whatever the case of its id.
fn folder_of<'w>(world: &'w World, id: &TaskId) -> Option<&'w RepoPath> {
    let same = |home: &Home| match home {
        Home::Task(known) => known.as_str().eq_ignore_ascii_case(id.as_str()),
        _ => false,
    };
    let staged = world.ledgers.iter().find(|(home, _)| same(home));
    let agreed = world.survey.folders.get(&id.as_str().to_lowercase());
    agreed.or(staged.map(|(_, ledger)| &ledger.folder))
}

impl Close {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        if desk.state().closed == Some(self.outcome) {
            say(format!("`{}` is closed already, with that outcome", self.id));
            return Ok(());
        }
        let author = desk.author(context)?;
        let close = kind::Close { outcome: self.outcome, reason: self.reason, stage: None };
        desk.record(context, author, close, self.writing)
    }
}
