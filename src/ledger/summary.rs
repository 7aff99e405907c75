//! What a list tells of a task: a few of the fields of where it stands.

use serde::{Deserialize, Serialize};

use super::{Standing, State};
use crate::record::kind::{Issue, Outcome, Pause, Priority};
use crate::source::{Moment, RunId, TaskId, WorkflowName};

/// Where a task stands, as far as a list tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Its id.
    pub task_id: TaskId,
    /// What it is about.
    pub title: String,
    /// The workflow it travels through.
    pub workflow: WorkflowName,
    /// How urgent it is.
    pub priority: Priority,
    /// The tasks that it depends on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<TaskId>,
    /// Where it stands in its workflow.
    pub standing: Standing,
    /// When it was opened.
    pub opened_at: Moment,
    /// When its last entry was recorded.
    pub last_at: Moment,
    /// How it ended, if it has.
    pub closed: Option<Outcome>,
    /// The run that goes on, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Issues of the last failed audit that no audit has closed yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// Where its escalations stand in its ledger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalated: Vec<u32>,
    /// Why it waits for a person, if it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Why it may not move, if it is blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

impl Summary {
    /// Sums up where a task stands.
    pub fn of(state: &State) -> Self {
        let task = &state.task;
        Summary {
            task_id: task.task_id.clone(),
            title: task.title.clone(),
            workflow: task.workflow.clone(),
            priority: task.priority,
            depends_on: task.depends_on.clone(),
            standing: state.standing.clone(),
            opened_at: state.opened_at,
            last_at: state.last_at,
            closed: state.closed,
            run_id: state.active_run().map(|run| run.run_id.clone()),
            issues: state.issues.clone(),
            escalated: state.escalations.iter().map(|known| known.sequence).collect(),
            paused: state.paused.clone(),
            blocked: state.blocked.clone(),
        }
    }
}
