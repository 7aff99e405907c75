//! `orch run fail --open-fix`: a failure's own task, which the failed one waits for (R002-26).

use super::Stop;
use super::desk::Desk;
use super::ledger::Writer;
use super::output::id;
use crate::draft::Author;
use crate::record::Home;
use crate::record::kind::{Failure, Priority, Task, Update};
use crate::source::{StageName, TaskId, WorkflowName};

/// How a failure's own task is opened, if it is.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Fix {
    /// Open a task that mends it, for this one to wait for; its id follows from this one's unless
    /// it is named
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", value_parser = name)]
    open_fix: Option<Name>,
    /// The workflow that the new task travels through; by default the same
    #[arg(long, value_name = "NAME", requires = "open_fix", value_parser = id::<WorkflowName>)]
    fix_workflow: Option<WorkflowName>,
}

/// The new task's id, or none if it is to be made.
#[derive(Debug, Clone)]
struct Name(Option<TaskId>);

fn name(text: &str) -> Result<Name, String> {
    match text {
        "" => Ok(Name(None)),
        text => id(text).map(|id| Name(Some(id))),
    }
}

impl Fix {
    /// Adds the entries that open the task and make the failed one wait for it; gives its id. Adds
    /// nothing if it was not asked for.
    pub(super) fn add(
        &self,
        writer: &mut Writer<'_>,
        desk: &Desk,
        author: &Author,
        stage: &StageName,
        failure: &Failure,
    ) -> Result<Option<TaskId>, Stop> {
        let Some(Name(named)) = &self.open_fix else { return Ok(None) };
        let state = desk.state();
        let fix = match named {
            Some(id) => id.clone(),
            None => free_id(desk, &state.task.task_id)?,
        };
        let why = failure.message.as_ref().unwrap_or(&failure.reason);
        let task = Task {
            task_id: fix.clone(),
            title: format!("Mend stage {stage} of {}: {why}", state.task.task_id),
            workflow: self.fix_workflow.clone().unwrap_or_else(|| state.task.workflow.clone()),
            version: None,
            requestor: author.actor.clone(),
            priority: state.task.priority.min(Priority::High),
            depends_on: Vec::new(),
            scope: state.task.scope.clone(),
            week: None,
            estimate: None,
            phase: state.task.phase.clone(),
            success_criteria: vec![format!(
                "stage {stage} of {} comes through",
                state.task.task_id
            )],
            deadline: None,
        };
        let mut depends_on = state.task.depends_on.clone();
        depends_on.push(fix.clone());
        let update = Update { depends_on: Some(depends_on), ..Update::default() };
        writer.add(&Home::Task(fix.clone()), task)?;
        writer.add(&desk.home(), update)?;
        Ok(Some(fix))
    }
}

/// Gives the first id made from the failed task's that no task has.
fn free_id(desk: &Desk, failed: &TaskId) -> Result<TaskId, Stop> {
    let world = &desk.view.world;
    let taken = |id: &TaskId| {
        let known = world.ledgers.contains_key(&Home::Task(id.clone()));
        known || world.survey.folders.contains(id.as_str())
    };
    let ids = (1..).map_while(|number| format!("{failed}-fix-{number}").parse().ok());
    ids.into_iter().find(|id| !taken(id)).ok_or_else(|| {
        let message = format!("no id can be made from `{failed}`, which is too long");
        Stop::fault(message, "name one: `--open-fix ID`")
    })
}
