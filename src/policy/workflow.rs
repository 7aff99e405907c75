//! Workflows and stages, compiled.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::{AUDIT_PASS, Condition, NamedGlob, Retry, Rollback, StageKind};
use crate::record::kind::FailureClass;
use crate::source::{AgentName, ArtifactName, LaneName, StageName};

/// An order of stages.
#[derive(Debug)]
pub struct Workflow {
    /// What it is for.
    pub title: String,
    /// The stages, in order; never empty.
    pub stages: Vec<Stage>,
    /// Who takes back what went live, in an emergency.
    pub rollback: Option<Rollback>,
    /// The scope of tasks that are opened without one; `{task_id}` stands for the task's id.
    pub scope: Vec<String>,
}

/// One stage of a workflow.
#[derive(Debug)]
pub struct Stage {
    /// Its name.
    pub name: StageName,
    /// Who does it.
    pub agent: AgentName,
    /// The lane whose files it may change.
    pub lane: LaneName,
    /// What kind of stage it is.
    pub kind: StageKind,
    /// Evidence that it consumes.
    pub requires: Vec<Requirement>,
    /// Evidence that it makes, by name.
    pub produces: BTreeMap<ArtifactName, Produce>,
    /// What must hold of the evidence before the task moves on.
    pub gate: Vec<Arc<Condition>>,
    /// The people who must approve it before it starts.
    pub approvers: Option<Approvers>,
    /// Where a pass may lead, the rule first; empty behind the last stage.
    pub next: Vec<StageName>,
    /// Where a fail leads back to.
    pub on_fail: StageName,
    /// How long a run may take.
    pub timeout: Option<TimeDelta>,
    /// Tests that an audit must name.
    pub tests: Vec<String>,
    /// Retries that differ from the policy's.
    pub retry: BTreeMap<FailureClass, Retry>,
}

/// Evidence that a stage consumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Its name.
    pub name: ArtifactName,
    /// Taken where it is there, never demanded.
    pub optional: bool,
}

/// Evidence that a stage makes.
#[derive(Debug)]
pub struct Produce {
    /// Where its files are.
    pub glob: NamedGlob,
    /// Sealed where it is there, never demanded.
    pub optional: bool,
}

impl Workflow {
    /// Gives a stage by its name.
    pub fn stage(&self, name: &StageName) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == *name)
    }

    /// Gives the stage that a task begins with.
    pub fn first(&self) -> &Stage {
        &self.stages[0]
    }

    /// Gives the stages that stand before one in the workflow's order.
    pub fn before(&self, name: &StageName) -> &[Stage] {
        let end = self.stages.iter().position(|stage| stage.name == *name);
        &self.stages[..end.unwrap_or_default()]
    }
}

impl Stage {
    /// Tells whether it may not start without an audit that passed: every deploy stage, and those
    /// that ask for it.
    pub fn needs_audit(&self) -> bool {
        self.kind == StageKind::Deploy
            || self.requires.iter().any(|needed| needed.name == AUDIT_PASS && !needed.optional)
    }
}

/// The people who may approve a stage, and how many of them must.
#[derive(Debug, Clone)]
pub struct Approvers {
    /// Who may.
    pub of: Vec<AgentName>,
    /// How many principals must, at least one.
    pub threshold: usize,
}
