//! Work that may be handed to a scheduler: one run of a stage, and where its fruits go.

use chrono::TimeDelta;

use crate::policy::Retry;
use crate::source::{AgentName, LaneName, RunId, StageName, TaskId, WorkflowName};

/// One run of a task's stage, as a plan sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The task; `candidateId` in manifests.
    pub task_id: TaskId,
    /// What the task is about.
    pub title: String,
    /// The workflow that it travels through.
    pub workflow: WorkflowName,
    /// The stage to be run.
    pub stage: StageName,
    /// Who runs it.
    pub agent: AgentName,
    /// The lane whose files it may change.
    pub lane: LaneName,
    /// The run (R001-13).
    pub run_id: RunId,
    /// The branch that it works on, where a pattern gives one.
    pub branch: Option<String>,
    /// When it may run: behind all jobs of smaller waves.
    pub wave: usize,
    /// The tasks of the same plan that it waits for.
    pub depends_on: Vec<TaskId>,
    /// What its agent is asked to do.
    pub prompt: String,
    /// What must be true at the end (R002-27).
    pub success_criteria: Vec<String>,
    /// Globs of the files it is about.
    pub scope: Vec<String>,
    /// Where its artifact will lie.
    pub artifact_path: Option<String>,
    /// How long an attempt may take.
    pub timeout: Option<TimeDelta>,
    /// How transient failures are retried (R001-15).
    pub retry: Retry,
    /// Its agent's command, a word each.
    pub command: Vec<String>,
}

/// Where jobs run and where their work goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The repository, as `owner/name` or as something that `git clone` takes.
    pub repository: String,
    /// The branch that work is merged into.
    pub base: String,
    /// The branch that work goes to where a job names none.
    pub head: Option<String>,
    /// The project's name.
    pub project: String,
    /// The ImplementationSpec that a cluster has already (R001-35).
    pub implementation_spec: Option<String>,
    /// How many jobs may run at once.
    pub max_parallel: Option<usize>,
}
