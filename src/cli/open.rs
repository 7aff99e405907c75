//! `orch task open`: a task, or a whole list of them.

use std::collections::BTreeSet;

use super::Stop;
use super::context::{Context, View};
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::output::{id, say};
use super::run::near_or_all;
use super::task::{time, word};
use crate::policy::{AUDIT_PASS, Policy, Workflow};
use crate::record::Home;
use crate::record::kind::{self, Priority};
use crate::source::{AgentName, ArtifactName, RepoPath, StageName, TaskId, WorkflowName};
use crate::world::World;

/// Open a task.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes .orch/tasks/YYYY-MM/ID/0001-task.yaml and stages it.\nExample: orch task open \
                  strat-001 --workflow new_strategy --title 'SMA sweep'"
)]
pub(super) struct Open {
    /// The new task's id, such as strat-001
    #[arg(value_parser = id::<TaskId>, required_unless_present = "from")]
    id: Option<TaskId>,
    /// Open a whole list: YAML, JSON, or a Markdown table with a column `Task ID`; `-` is standard
    /// input
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    from: Option<String>,
    /// The workflow it travels through; of a list, those of its tasks that name none. By
    /// default the one that the policy's selection gives
    #[arg(long, value_parser = id::<WorkflowName>)]
    workflow: Option<WorkflowName>,
    /// What it is about, in a few words
    #[arg(long, required_unless_present = "from")]
    title: Option<String>,
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
    /// The week of a larger plan, from 1
    #[arg(long)]
    week: Option<u32>,
    /// How long its work is expected to take, such as 30m
    #[arg(long, value_name = "TIME", value_parser = time)]
    estimate: Option<String>,
    /// What must be true at the end; may be given several times
    #[arg(long, value_name = "TEXT")]
    success_criterion: Vec<String>,
    /// The day it is due, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    deadline: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

impl Open {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(file) = &self.from {
            let list = (self.workflow.as_ref(), self.writing);
            return super::tasks::open(context, file, list.0, list.1);
        }
        let (id, title) = self.named()?;
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let view = View::within(context, repository, &[&id])?;
        let policy = view.policy();
        let author = context.author(&policy, view.proposal.branch.clone())?;
        let workflow = workflow_of(&policy, &self.travels(&policy, &id, &title)?)?;
        let writing = self.writing;
        let task = self.task((id.clone(), workflow.0, title), workflow.1, author.actor.clone());
        if is_there(&view, &task)? {
            say(format!("the task `{id}` is open already"));
            return Ok(());
        }
        let alone = task.depends_on.is_empty();
        let unlisted = super::phases::unlisted(&policy, task.phase.as_deref());
        let mut writer = Writer::new(context, &view, author);
        writer.add(&Home::Task(id.clone()), task)?;
        let written = writer.commit(writing)?;
        if let Some(note) = unlisted {
            say(note);
        }
        for (stage, name) in from_elsewhere(workflow.1).into_iter().filter(|_| alone) {
            say(format!(
                "note: stage {stage} requires {name}, which this workflow does not produce; name \
                 the task that does: orch task update {id} --depends-on ID"
            ));
        }
        if !written.is_foreseen() {
            say(format!("next: orch run start {id}"));
        }
        Ok(())
    }

    /// Gives what a single task can't do without.
    fn named(&self) -> Result<(TaskId, String), Stop> {
        let missing = |what: &str| {
            let help = "orch task open ID --workflow NAME --title TEXT; a whole list: --from FILE";
            Stop::fault(format!("a task needs {what}"), help)
        };
        let id = self.id.clone().ok_or_else(|| missing("an id"))?;
        let title = self.title.clone().ok_or_else(|| missing("a `--title`"))?;
        Ok((id, title))
    }

    /// Gives the workflow that is named, or that the policy selects for such a task.
    fn travels(&self, policy: &Policy, id: &TaskId, title: &str) -> Result<WorkflowName, Stop> {
        let rule = policy.fleet.select(id, title);
        let selected = rule.and_then(|rule| rule.workflow.as_ref());
        self.workflow.as_ref().or(selected).cloned().ok_or_else(|| {
            let names: Vec<&str> = policy.workflows.keys().map(WorkflowName::as_str).collect();
            let help = format!("say `--workflow NAME`: {}", names.join(", "));
            Stop::fault(format!("the policy selects no workflow for `{id}`"), help)
        })
    }

    fn task(
        self,
        (task_id, name, title): (TaskId, &WorkflowName, String),
        workflow: &Workflow,
        requestor: AgentName,
    ) -> kind::Task {
        let scope = match self.scope.is_empty() {
            true => workflow.scope_of(&task_id),
            false => self.scope,
        };
        kind::Task {
            task_id,
            title,
            workflow: name.clone(),
            version: self.of_version,
            requestor,
            priority: self.priority,
            depends_on: each_once(self.depends_on),
            scope,
            phase: self.phase,
            week: self.week,
            estimate: self.estimate,
            success_criteria: self.success_criterion,
            deadline: self.deadline,
        }
    }
}

/// Gives ids in their order, each once.
pub(super) fn each_once(ids: Vec<TaskId>) -> Vec<TaskId> {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

/// Gives a workflow of the policy, with its name; refuses one that is not there.
pub(super) fn workflow_of<'p>(
    policy: &'p Policy,
    name: &WorkflowName,
) -> Result<(&'p WorkflowName, &'p Workflow), Stop> {
    policy.workflows.get_key_value(name).ok_or_else(|| {
        let names = || policy.workflows.keys().map(WorkflowName::as_str);
        let message = format!("the policy has no workflow `{name}`");
        Stop::fault(message, near_or_all(name.as_str(), names))
    })
}

/// Tells whether a task is open already, just as it is wanted; refuses another one of that id.
pub(super) fn is_there(view: &View, task: &kind::Task) -> Result<bool, Stop> {
    let id = &task.task_id;
    let Some(folder) = folder_of(&view.world, id) else { return Ok(false) };
    let opened = view.task(id).ok().and_then(|(ledger, _)| ledger.records.first());
    if opened.is_some_and(|record| record.payload == task.clone().into()) {
        return Ok(true);
    }
    let help = format!("see it: `orch status {}`; or choose another id", folder.file_name());
    Err(Stop::denied(format!("the task `{id}` is there already"), help))
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
fn folder_of(world: &World, id: &TaskId) -> Option<RepoPath> {
    let same = |home: &Home| match home {
        Home::Task(known) => known.as_str().eq_ignore_ascii_case(id.as_str()),
        _ => false,
    };
    let staged = world.ledgers.iter().find(|(home, _)| same(home));
    let agreed = world.survey.folders.get(id.as_str());
    agreed.or_else(|| staged.map(|(_, ledger)| ledger.folder.clone()))
}
