//! The policy as its file spells it. `validate` turns it into what the house asks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Override;
use super::alerts::Alerts;
pub(super) use super::failure::FailureRetry;
use super::health::{Health, OnCall};
use super::modeline::Schemas;
use super::procedure::Procedure;
use super::process::Process;
use super::schedule::Schedule;
use crate::record::kind::FailureClass;
use crate::source::{AgentName, LaneName, RepoPath, StageName, WorkflowName};

/// The policy of a repository: who may act, what belongs to whom, and what must hold before work goes on.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "orch policy"))]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    /// Always 1.
    pub(super) version: u32,
    /// The project's name.
    pub(super) project: String,
    /// The ImplementationSpec that runs in a cluster name, by its name there (R001-35).
    #[serde(default)]
    pub(super) implementation_spec: Option<String>,
    /// Everyone who may act.
    pub(super) agents: BTreeMap<AgentName, Agent>,
    /// The parts of the tree.
    #[serde(default)]
    pub(super) lanes: BTreeMap<LaneName, Lane>,
    /// Globs of files that belong to no lane and that anyone may change.
    #[serde(default)]
    pub(super) shared_paths: Vec<String>,
    /// Patterns of branch names, with `{lane} {date} {run_id} {task_id} {slug}`.
    pub(super) branches: Vec<String>,
    /// Branches that take only merges.
    pub(super) protected: Vec<String>,
    /// The workflows.
    pub(super) workflows: BTreeMap<WorkflowName, Workflow>,
    /// Rules in words, checked against the stages (R000-12).
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    /// How audits are judged.
    #[serde(default)]
    pub(super) audit: Audit,
    /// How failures of each class are retried.
    #[serde(default)]
    pub(super) retry: BTreeMap<FailureClass, FailureRetry>,
    /// What class a failed command's failure has; the first rule that fits counts.
    #[serde(default)]
    pub(super) failures: Vec<FailureRule>,
    /// When disputes and incidents are overdue.
    #[serde(default)]
    pub(super) escalation: Escalation,
    /// What is done about each kind of incident, step by step.
    #[serde(default)]
    pub(super) procedures: BTreeMap<String, Procedure>,
    /// What is told where the way people work changes (R003-42, R003-43).
    #[serde(default)]
    pub(super) process: Process,
    /// Where the rendered log of decisions is committed, if it is.
    #[serde(default)]
    pub(super) decisions_log: Option<RepoPath>,
    /// Where editors find the schemas: a folder of the repository, or an address. Every record that is written
    /// begins with a line that leads there.
    #[serde(default)]
    pub(super) schemas: Option<Schemas>,
    /// Globs of files that guard the others, such as CI's workflows and the configuration of hooks:
    /// they change by a person's decision, whatever lane they lie in.
    #[serde(default)]
    pub(super) guarded: Vec<String>,
    /// Which records must be signed.
    #[serde(default)]
    pub(super) signatures: Signatures,
    /// The oldest orch that may judge by this policy, such as `0.2.0`.
    #[serde(default)]
    pub(super) min_version: Option<String>,
    /// Who does which task, before anybody is asked: the first rule that fits counts (R002-3).
    #[serde(default)]
    pub(super) selection: Vec<Selection>,
    /// How many tasks of one kind may run at once, by the kinds' names (R002-44).
    #[serde(default)]
    pub(super) groups: BTreeMap<String, Group>,
    /// The phases of a larger plan, in order: a task without prerequisites waits for the phase before
    /// its own.
    #[serde(default)]
    pub(super) phases: Vec<String>,
    /// How `orch dispatch` runs a plan.
    #[serde(default)]
    pub(super) dispatch: Dispatch,
    /// What is due when (R003-2, R003-3).
    #[serde(default)]
    pub(super) schedule: Schedule,
    /// What is looked at to tell how things stand (R003-34).
    #[serde(default)]
    pub(super) health: Health,
    /// Who is called, and in which order (R003-4, R003-5).
    #[serde(default)]
    pub(super) on_call: Option<OnCall>,
    /// Who hears of what (R003-25).
    #[serde(default)]
    pub(super) alerts: Alerts,
    /// Severities of checks that are not mandatory.
    #[serde(default)]
    pub(super) checks: BTreeMap<String, Override>,
}

/// Someone who may act.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    /// The lanes whose files it may change.
    #[serde(default)]
    pub(super) lanes: Vec<LaneName>,
    /// A person.
    #[serde(default)]
    pub(super) human: bool,
    /// An independent auditor.
    #[serde(default)]
    pub(super) auditor: bool,
    /// A coordinator.
    #[serde(default)]
    pub(super) coordinator: bool,
    /// What proves that a commit or a record is its own: e-mail addresses, SSH keys (`ssh-ed25519
    /// AAAA…` or `SHA256:…`), OpenPGP fingerprints (`openpgp:` and 40 hex digits). Agents that share
    /// one are one principal.
    #[serde(default)]
    pub(super) identities: Vec<String>,
    /// Who stands behind it. Agents of one principal don't audit each other, and approve as one.
    #[serde(default)]
    pub(super) principal: Option<String>,
    /// Who takes over what it does not finish in time (R002-35).
    #[serde(default)]
    pub(super) backup: Option<AgentName>,
    /// The program that `orch dispatch` starts for it, and its arguments; no shell reads them.
    #[serde(default)]
    pub(super) command: Vec<String>,
    /// How many tasks it may have at once; one if it is not said.
    #[serde(default)]
    pub(super) limit: Option<usize>,
    /// How many tasks of one stage one call of its command may do together; one if it is not said.
    #[serde(default)]
    pub(super) batch: Option<usize>,
}

/// Who does the tasks whose id, or whose title in snake case, a glob matches.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// The glob, such as `find_*` or `TEST-*`.
    pub(super) task: String,
    /// Who does them, in every work stage of a lane in which that agent works.
    pub(super) primary: AgentName,
    /// Who does them when the first is busy, or did not finish in time.
    #[serde(default)]
    pub(super) backup: Option<AgentName>,
    /// The kind of task, one of `groups`.
    #[serde(default)]
    pub(super) group: Option<String>,
    /// The workflow of such tasks in lists that name none.
    #[serde(default)]
    pub(super) workflow: Option<WorkflowName>,
}

/// Tasks of one kind.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    /// How many of them may run at once.
    pub(super) limit: usize,
}

/// How `orch dispatch` runs a plan.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dispatch {
    /// The program of agents that have none of their own, and its arguments.
    pub(super) command: Vec<String>,
    /// How many agents may work at once on one machine; by default as many as it has cores.
    pub(super) parallel: Option<usize>,
}

/// Which records must be signed.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Signatures {
    /// All records of these agents.
    pub(super) agents: Vec<AgentName>,
    /// All records of these kinds, such as `approval`.
    pub(super) kinds: Vec<String>,
    /// All records of a task while it is in one of these stages.
    pub(super) stages: Vec<StageName>,
}

/// Several people, so many of whom must approve.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Approvers {
    /// Who may approve.
    pub(super) of: Vec<AgentName>,
    /// How many of them must, counted by their principals.
    pub(super) threshold: usize,
}

/// A part of the tree.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Lane {
    /// What it is.
    pub(super) title: String,
    /// Globs of the files it owns.
    pub(super) owns: Vec<String>,
}

/// An order of stages.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Workflow {
    /// What it is for.
    #[serde(default)]
    pub(super) title: String,
    /// The stages, in order.
    pub(super) stages: Vec<Stage>,
    /// Who takes back what went live, in an emergency.
    #[serde(default)]
    pub(super) rollback: Option<Rollback>,
    /// The scope of tasks that are opened without one; `{task_id}` stands for the task's id.
    #[serde(default)]
    pub(super) scope: Vec<String>,
}

/// How a workflow's work is taken back: a stage outside of the order, which only an open incident
/// opens (R000-51).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Who does it.
    pub agent: AgentName,
    /// The lane whose files it brings back.
    pub lane: LaneName,
}

/// One rule that tells failures apart; every condition that it names must hold.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct FailureRule {
    /// The class that it gives.
    pub(super) class: FailureClass,
    /// The word that it gives, for statistics.
    pub(super) reason: String,
    /// Exit codes, one of which the command ended with.
    #[serde(default)]
    pub(super) exit_codes: Vec<i32>,
    /// Regular expressions, one of which fits a line of the command's output.
    #[serde(default)]
    pub(super) output: Vec<String>,
}

/// When disputes and incidents are overdue (R000-48, R000-51, R000-58).
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Escalation {
    /// How long a person may take to decide.
    pub(super) decision_due: String,
    /// How long an incident's written report may take.
    pub(super) report_due: String,
    /// How long an incident's post-mortem may take.
    pub(super) postmortem_due: String,
    /// How long an open task may rest before it counts as stalled.
    pub(super) stalled_after: String,
}

impl Default for Escalation {
    fn default() -> Self {
        let [decision_due, report_due, postmortem_due, stalled_after] =
            ["24h", "1h", "24h", "24h"].map(str::to_owned);
        Escalation { decision_due, report_due, postmortem_due, stalled_after }
    }
}

/// One stage of a workflow.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Stage {
    /// Its name.
    pub(super) name: StageName,
    /// Who does it.
    pub(super) agent: AgentName,
    /// The lane whose files it may change.
    pub(super) lane: LaneName,
    /// What kind of stage it is.
    #[serde(default)]
    pub(super) kind: StageKind,
    /// Evidence that must be there; a `?` behind a name makes it optional.
    #[serde(default)]
    pub(super) requires: Vec<String>,
    /// Evidence it makes: name to glob; a `?` behind a name makes it optional.
    #[serde(default)]
    pub(super) produces: BTreeMap<String, String>,
    /// CEL expressions over the evidence; all must hold.
    #[serde(default)]
    pub(super) gate: Vec<String>,
    /// The person who must approve it before it starts.
    #[serde(default)]
    pub(super) approval: Option<AgentName>,
    /// Several people, so many of whom must approve it before it starts.
    #[serde(default)]
    pub(super) approvers: Option<Approvers>,
    /// Where a pass may lead; the first is the rule. By default the stage behind it.
    #[serde(default)]
    pub(super) next: Option<Vec<StageName>>,
    /// Where a fail leads back to; by default the stage itself.
    #[serde(default)]
    pub(super) on_fail: Option<StageName>,
    /// How long a run may take, such as `30m`.
    #[serde(default)]
    pub(super) timeout: Option<String>,
    /// Tests that an audit must name.
    #[serde(default)]
    pub(super) tests: Vec<String>,
    /// Retries that differ from the policy's.
    #[serde(default)]
    pub(super) retry: BTreeMap<FailureClass, FailureRetry>,
}

/// What kind of stage it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// Makes something.
    #[default]
    Work,
    /// Judges what was made, independently.
    Audit,
    /// Puts it where it counts; always behind the gatekeeper (R000-1, R000-13).
    Deploy,
}

/// A rule in words; the three known ids are always enforced.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Its id.
    pub(super) rule: String,
    /// What it asks, in words.
    pub(super) description: String,
    /// How it is enforced, in words.
    #[serde(default)]
    pub(super) enforcement: Vec<String>,
    /// What each stage requires; must agree with the stages.
    #[serde(default)]
    pub(super) dependencies: BTreeMap<StageName, Vec<String>>,
}

/// How audits are judged.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    /// How long one holds (R000-16).
    #[serde(default = "thirty_days")]
    pub(super) max_age: String,
}

impl Default for Audit {
    fn default() -> Self {
        Audit { max_age: thirty_days() }
    }
}

fn thirty_days() -> String {
    "30d".into()
}
