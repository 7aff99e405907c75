//! The policy: who may do what, in which order; parsed strictly, validated, compiled once.
//!
//! A policy that has any problem is no policy: it is never used in part (attack 26).

mod branch;
mod compile;
mod condition;
mod failure;
mod glob;
mod model;
#[cfg(test)]
mod schemas;
mod stages;
mod terms;
mod trouble;
mod validate;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use branch::{BranchParts, BranchPattern};
pub use condition::{Condition, Observed};
pub use failure::{Ending, Retry};
pub use glob::{NamedGlob, Owners, PathSet};
pub use model::{Procedure, Rollback, StageKind};
pub use terms::duration;
pub use trouble::{REPORT_STEP, ROLLBACK_STAGE};
pub use workflow::{Produce, Requirement, Stage, Workflow};

use chrono::TimeDelta;

use crate::diagnostic::Severity;
use crate::record::kind::{Failure, FailureClass};
use crate::record::{self, Problem};
use crate::source::{AgentName, Digest, LaneName, RepoPath, StageName, WorkflowName};

/// Where a repository keeps its policy.
pub const POLICY_PATH: &str = ".orch/policy.yaml";
/// Where a repository keeps the keys of those who sign.
pub const SIGNERS_PATH: &str = ".orch/allowed_signers";
/// The name that `to` takes when a handoff goes to no agent (R000-28).
pub const ORCHESTRATOR: &str = "orchestrator";
/// What an audit that passed is called in a stage's `requires` (R000-25).
pub const AUDIT_PASS: &str = "audit_pass";

/// A policy, ready to be asked.
#[derive(Debug)]
pub struct Policy {
    /// Digest of the file's bytes.
    pub digest: Digest,
    /// The project's name.
    pub project: String,
    /// Everyone who may act, by name.
    pub agents: BTreeMap<AgentName, Agent>,
    /// The parts of the tree and who owns them.
    pub lanes: BTreeMap<LaneName, Lane>,
    /// The workflows, by name.
    pub workflows: BTreeMap<WorkflowName, Workflow>,
    /// The names that branches may have.
    pub branches: Vec<BranchPattern>,
    /// How long an audit holds.
    pub audit_max_age: TimeDelta,
    /// What is done about each kind of incident.
    pub procedures: BTreeMap<String, Procedure>,
    /// When disputes and incidents are overdue.
    pub escalation: Escalation,
    /// Where the rendered log of decisions is committed, if it is.
    pub decisions_log: Option<RepoPath>,
    retry: BTreeMap<FailureClass, Retry>,
    failures: Vec<failure::FailureRule>,
    severities: BTreeMap<String, Override>,
    owners: Owners<LaneName>,
    shared: PathSet,
    protected: PathSet,
}

/// When disputes and incidents are overdue (R000-48, R000-51, R000-58).
#[derive(Debug, Clone, Copy)]
pub struct Escalation {
    /// How long a person may take to decide.
    pub decision_due: TimeDelta,
    /// How long an incident's written report may take.
    pub report_due: TimeDelta,
    /// How long an incident's post-mortem may take.
    pub postmortem_due: TimeDelta,
    /// How long an open task may rest before it counts as stalled.
    pub stalled_after: TimeDelta,
}

/// Someone who may act.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The lanes whose files it may change.
    pub lanes: BTreeSet<LaneName>,
    /// A person, who may approve, decide and sign off.
    pub human: bool,
    /// An independent auditor.
    pub auditor: bool,
    /// A coordinator, who opens tasks and records gates (R001-3).
    pub coordinator: bool,
    /// The e-mail addresses that it commits with, in lower case; none binds it to nothing.
    pub identities: BTreeSet<String>,
}

/// A part of the tree.
#[derive(Debug)]
pub struct Lane {
    /// What it is, in a few words.
    pub title: String,
    /// The globs of the files it owns, as the policy writes them.
    pub owns: Vec<String>,
}

/// A check's severity as a policy may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Override {
    /// Refuses.
    Error,
    /// Passes, and says so.
    Warning,
    /// Tells.
    Note,
    /// Says nothing.
    Off,
}

impl Policy {
    /// Reads a policy; gives it, or every problem that was found, as `policy-invalid`.
    ///
    /// `checks` lists the checks a policy may name, and whether they are mandatory.
    pub fn parse(bytes: &[u8], checks: &[(&'static str, bool)]) -> Result<Self, Vec<Problem>> {
        let parsed = record::document::<model::Model>(bytes);
        let (model, tree) = parsed.map_err(as_policy_problems)?;
        let conditions = conditions(&model);
        let (failures, faults) = failure::rules(&model.failures);
        let problems = validate::problems(&model, &tree, &conditions, &faults, checks);
        if !problems.is_empty() {
            return Err(as_policy_problems(problems));
        }
        Ok(compile::compile(model, &conditions, failures, Digest::of(bytes)))
    }

    /// Gives the lanes that own a path, in order of their names.
    pub fn lanes_of(&self, path: &RepoPath) -> Vec<&LaneName> {
        self.owners.of(path)
    }

    /// Tells whether anyone may change a path.
    pub fn is_shared(&self, path: &RepoPath) -> bool {
        self.shared.contains(path)
    }

    /// Tells whether a branch takes only merges.
    pub fn is_protected(&self, branch: &str) -> bool {
        self.protected.contains(&RepoPath::from(branch))
    }

    /// Gives a workflow's stage.
    pub fn stage(&self, workflow: &WorkflowName, stage: &StageName) -> Option<&Stage> {
        self.workflows.get(workflow)?.stage(stage)
    }

    /// Gives how failures of a class are retried in a stage: as the stage says, else as the policy
    /// does for all, else not at all.
    pub fn retry<'p>(&'p self, stage: Option<&'p Stage>, class: FailureClass) -> &'p Retry {
        let own = stage.and_then(|stage| stage.retry.get(&class));
        own.or_else(|| self.retry.get(&class)).unwrap_or(&Retry::NONE)
    }

    /// Gives a failed command's failure its class and reason, by the policy's rules.
    pub fn classify(&self, ending: &Ending<'_>) -> Failure {
        failure::classify(&self.failures, ending)
    }

    /// Tells whether a name is a person's.
    pub fn is_person(&self, name: &AgentName) -> bool {
        self.agents.get(name).is_some_and(|agent| agent.human)
    }

    /// Tells whether two names are one principal's: the same, or bound to a common address.
    pub fn is_same(&self, one: &AgentName, other: &AgentName) -> bool {
        let bound = |name| self.agents.get(name).map(|agent| &agent.identities);
        let shared = bound(one).zip(bound(other)).is_some_and(|(a, b)| !a.is_disjoint(b));
        one == other || shared
    }

    /// Tells whether a name is a coordinator's or a person's: those who direct the work of others.
    pub fn directs(&self, name: &AgentName) -> bool {
        self.agents.get(name).is_some_and(|agent| agent.human || agent.coordinator)
    }

    /// Gives the names of agents that `pick` holds for.
    pub fn agents_who(&self, pick: impl Fn(&Agent) -> bool) -> Vec<&AgentName> {
        self.agents.iter().filter(|(_, agent)| pick(agent)).map(|(name, _)| name).collect()
    }

    /// Gives a check's severity: what the policy says, else `default`; none if it is off.
    pub fn severity(&self, check: &str, default: Severity) -> Option<Severity> {
        match self.severities.get(check) {
            None => Some(default),
            Some(Override::Error) => Some(Severity::Error),
            Some(Override::Warning) => Some(Severity::Warning),
            Some(Override::Note) => Some(Severity::Note),
            Some(Override::Off) => None,
        }
    }
}

/// Every expression of the policy, compiled once: that is the costliest part of reading it.
type Conditions = BTreeMap<String, Result<Arc<Condition>, String>>;

fn conditions(model: &model::Model) -> Conditions {
    let stages = model.workflows.values().flat_map(|workflow| &workflow.stages);
    let expressions = stages.flat_map(|stage| &stage.gate);
    expressions.map(|text| (text.clone(), Condition::new(text).map(Arc::new))).collect()
}

/// In a policy, every problem is the policy's.
fn as_policy_problems(problems: Vec<Problem>) -> Vec<Problem> {
    problems.into_iter().map(|problem| Problem { check: "policy-invalid", ..problem }).collect()
}
