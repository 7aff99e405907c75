//! The policy: who may do what, in which order; parsed strictly, validated, compiled once.
//!
//! A policy that has any problem is no policy: it is never used in part (attack 26).

mod alerts;
mod branch;
mod compile;
mod condition;
mod failure;
mod fleet;
mod glob;
mod health;
mod identity;
mod model;
mod modeline;
mod overlap;
mod procedure;
mod process;
mod schedule;
#[cfg(test)]
mod schemas;
mod stages;
mod terms;
mod trouble;
mod validate;
mod version;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use alerts::{Action, AlertSeverity, Alerts, Channel, ChannelKind};
pub use branch::{BranchParts, BranchPattern};
pub use condition::{Condition, Observed};
pub use failure::{Ending, Retry, TIMED_OUT};
pub use fleet::{Fleet, Selection};
pub use glob::{NamedGlob, Owners, PathSet};
pub use health::{Document, Health, Hours, Level, OnCall, Page, Probe, Thresholds};
pub use identity::{Identities, SignatureRule};
pub use model::{Rollback, StageKind};
pub use modeline::{Schemas, write};
pub use overlap::Scope;
pub use procedure::{Procedure, REPORT_STEP, TASK_WORD};
pub use process::Process;
pub use schedule::{Attempts, Job, NYSE, OwnCalendar, Schedule, Window};
pub use terms::{Lasting, duration};
pub use trouble::ROLLBACK_STAGE;
pub use version::Version;
pub use workflow::{Approvers, Produce, Requirement, Stage, Workflow};

use chrono::TimeDelta;

use crate::diagnostic::Severity;
use crate::keys::Signers;
use crate::record::kind::{Failure, FailureClass};
use crate::record::{self, Problem};
use crate::source::{AgentName, Digest, LaneName, RepoPath, StageName, WorkflowName};

/// Where a repository keeps its policy.
pub const POLICY_PATH: &str = ".orch/policy.yaml";
/// Where a repository keeps the keys of those who sign.
pub const SIGNERS_PATH: &str = ".orch/allowed_signers";
/// Where a repository keeps the keys that are not to be believed any more.
pub const REVOKED_PATH: &str = ".orch/revoked_keys";
/// The files that say what holds, and so are never a lane's.
const AUTHORITY: [&str; 3] = [POLICY_PATH, SIGNERS_PATH, REVOKED_PATH];

/// Gives the one of the files that say what holds that a path is.
pub fn authority_of(path: &RepoPath) -> Option<&'static str> {
    AUTHORITY.into_iter().find(|file| path.as_bytes() == file.as_bytes())
}

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
    /// The ImplementationSpec that runs in a cluster name, by its name there (R001-35).
    pub implementation_spec: Option<String>,
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
    /// What is due when.
    pub schedule: Schedule,
    /// What is looked at to tell how things stand.
    pub health: Health,
    /// Who is called, and in which order.
    pub on_call: Option<OnCall>,
    /// Who hears of what.
    pub alerts: Alerts,
    /// What is told where the way people work changes.
    pub process: Process,
    /// Where the rendered log of decisions is committed, if it is.
    pub decisions_log: Option<RepoPath>,
    /// Where editors find the schemas of what is written.
    pub schemas: Option<Schemas>,
    /// Which records must be signed.
    pub signatures: SignatureRule,
    /// Who does which task, how many at once, and with what program.
    pub fleet: Fleet,
    /// The oldest orch that may judge by this policy.
    pub min_version: Option<Version>,
    retry: BTreeMap<FailureClass, Retry>,
    failures: Vec<failure::FailureRule>,
    severities: BTreeMap<String, Override>,
    owners: Owners<LaneName>,
    shared: PathSet,
    protected: PathSet,
    guarded: PathSet,
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
#[derive(Debug, Clone, Default)]
pub struct Agent {
    /// The lanes whose files it may change.
    pub lanes: BTreeSet<LaneName>,
    /// A person, who may approve, decide and sign off.
    pub human: bool,
    /// An independent auditor.
    pub auditor: bool,
    /// A coordinator, who opens tasks and records gates (R001-3).
    pub coordinator: bool,
    /// What proves a commit or a record to be its own; nothing leaves it unbound.
    pub identities: Identities,
    /// Who stands behind it, if that is not the agent itself.
    pub principal: Option<String>,
    /// Who takes over what it does not finish in time (R002-35).
    pub backup: Option<AgentName>,
    /// Its own program with its arguments; empty if it has none.
    pub command: Vec<String>,
    /// How many tasks it may have at once, at least one.
    pub limit: usize,
    /// How many tasks of one stage one call of its program may do together, at least one.
    pub batch: usize,
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
        let conditions = Conditions::of(&model);
        let faults = failure::faults(&model.failures);
        let problems = validate::problems(&model, &tree, &conditions, &faults, checks);
        if !problems.is_empty() {
            return Err(as_policy_problems(problems));
        }
        Ok(compile::compile(model, &conditions, Digest::of(bytes)))
    }

    /// Reads a policy that [`Policy::parse`] took before, without asking again whether it holds: most of
    /// what it says is compiled when it is first asked. None if it can't be read.
    pub fn parse_again(bytes: &[u8]) -> Option<Self> {
        let (model, _) = record::document::<model::Model>(bytes).ok()?;
        Some(compile::compile(model, &Conditions::default(), Digest::of(bytes)))
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

    /// Gives the globs of the branches that take only merges.
    pub fn protected_branches(&self) -> &[String] {
        &self.protected.globs
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

    /// Tells whether a file guards the others, under any spelling that differs by case alone.
    pub fn is_guarded(&self, path: &RepoPath) -> bool {
        let lower = || String::from_utf8_lossy(path.as_bytes()).to_lowercase();
        authority_of(path).is_some() || self.guarded.contains(&RepoPath::from(lower().as_str()))
    }

    /// Tells whether two names are one principal's: the same, grouped as one, or bound to a common
    /// address or key (attacks 91 and 98).
    pub fn is_same(&self, one: &AgentName, other: &AgentName) -> bool {
        let known = self.agents.get(one).zip(self.agents.get(other));
        one == other
            || known.is_some_and(|(a, b)| {
                let grouped = a.principal.is_some() && a.principal == b.principal;
                grouped || a.identities.meets(&b.identities)
            })
    }

    /// Gives the names by which files of keys may call an agent: its own, and its addresses.
    pub fn names_of<'p>(&'p self, agent: &'p AgentName) -> Vec<&'p str> {
        let known = self.agents.get(agent);
        let addresses = known.into_iter().flat_map(|known| &known.identities.emails);
        std::iter::once(agent.as_str()).chain(addresses.map(String::as_str)).collect()
    }

    /// Tells whether any key is agreed to be an agent's.
    pub fn has_key(&self, agent: &AgentName, signers: &Signers) -> bool {
        let known = self.agents.get(agent);
        known.is_some_and(|known| !known.identities.keys.is_empty())
            || !signers.keys_of(&self.names_of(agent)).is_empty()
    }

    /// Tells whether a name is a coordinator's or a person's: those who direct the work of others.
    pub fn directs(&self, name: &AgentName) -> bool {
        self.agents.get(name).is_some_and(|agent| agent.human || agent.coordinator)
    }

    /// Gives the coordinator who acts where nobody does, such as when a clock starts a procedure: the
    /// first by name who is no person; none if the policy has none.
    pub fn stand_in(&self) -> Option<&AgentName> {
        self.agents_who(|agent| agent.coordinator && !agent.human).into_iter().next()
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
#[derive(Default)]
struct Conditions(BTreeMap<String, Result<Arc<Condition>, String>>);

impl Conditions {
    fn of(model: &model::Model) -> Self {
        let stages = model.workflows.values().flat_map(|workflow| &workflow.stages);
        let expressions = stages.flat_map(|stage| &stage.gate);
        let compiled =
            expressions.map(|text| (text.clone(), Condition::new(text).map(Arc::new))).collect();
        Conditions(compiled)
    }

    /// Gives an expression that is known to be one.
    fn of_valid(&self, text: &str) -> Arc<Condition> {
        let known = self.0.get(text).and_then(|known| known.clone().ok());
        known.unwrap_or_else(|| Arc::new(Condition::of_valid(text)))
    }
}

/// In a policy, every problem is the policy's.
fn as_policy_problems(problems: Vec<Problem>) -> Vec<Problem> {
    problems.into_iter().map(|problem| Problem { check: "policy-invalid", ..problem }).collect()
}
