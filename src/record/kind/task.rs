//! A task's own entries: opening, change, pauses and the end.

use serde::{Deserialize, Serialize};

use crate::source::{AgentName, StageName, TaskId, WorkflowName};

/// Opens a task; always the first entry of its ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The task's id, the same as its folder's name.
    pub task_id: TaskId,
    /// What it is about, in a few words.
    pub title: String,
    /// The workflow it travels through.
    pub workflow: WorkflowName,
    /// The version of the work that an audit must cover (R000-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who asked for it.
    pub requestor: AgentName,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Tasks that must have completed, or delivered what is required, first (R000-22).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<TaskId>,
    /// Globs of the files it is about: its runs change no others, and plans keep tasks apart whose
    /// globs can match the same path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// The phase of a larger plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The week of a larger plan, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<u32>,
    /// How long its work is expected to take, such as `30m`, for planning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<String>,
    /// What must be true at the end (R002-27).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_criteria: Vec<String>,
    /// The day it is due, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
}

/// How urgent a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before everything else.
    Emergency,
    /// Before other work.
    Critical,
    /// Soon.
    High,
    /// In its turn.
    #[default]
    Normal,
    /// When there is time.
    Low,
}

impl Priority {
    fn is_normal(&self) -> bool {
        *self == Priority::Normal
    }
}

/// Changes what may change later, on the record.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The new title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The new priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The new dependencies, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<TaskId>>,
    /// The new scope, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// The new deadline, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// The new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The new phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The new estimate, such as `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<String>,
}

/// Gives the task's current stage to an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Who shall do it.
    pub agent: AgentName,
    /// Who had it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_agent: Option<AgentName>,
    /// Why it changed hands.
    pub reason: AssignmentReason,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why a task was assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AssignmentReason {
    /// The policy's selection named the agent.
    Selection,
    /// The agent before did not answer (R002-35).
    Timeout,
    /// A person decided.
    Person,
}

/// Keeps a task from moving.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// What it waits for.
    pub reason: String,
}

/// Lets a blocked task move again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unblock {
    /// What changed.
    pub reason: String,
}

/// Stops a task until a person resumes it (R001-17).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// What made it stop.
    pub cause: PauseCause,
    /// Why, in words.
    pub reason: String,
}

/// What made a task stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// Failures in a row on one stage.
    RepeatedFailures,
    /// A person's word.
    Person,
    /// An incident.
    Incident,
}

/// Ends a pause or a halt, with a person's sign-off (R003-14).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The person who takes responsibility.
    pub approver: AgentName,
    /// Their statement.
    pub sign_off: String,
    /// The incident that a halt belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<TaskId>,
}

/// Ends a ledger for good; later work is a new task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// The stage it stood in, for a reader of the file alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every stage passed its gate.
    Completed,
    /// The work was not wanted.
    Rejected,
    /// It was live and was taken back.
    RolledBack,
    /// Nobody goes on with it.
    Abandoned,
}
