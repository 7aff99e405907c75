//! Verdicts: gates, audits and their failures, approvals, quarantine, escalation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Artifact;
use crate::source::{AgentName, ArtifactName, Digest, Moment, RepoPath, RunId, StageName, TaskId};

/// The evaluated condition between two stages (R001-3, R001-12).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The stage that ends here.
    pub stage: StageName,
    /// Where a pass leads; absent behind the last stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_stage: Option<StageName>,
    /// Where a fail leads back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns_to: Option<StageName>,
    /// The run it judges.
    pub run_id: RunId,
    /// The result.
    pub verdict: GateVerdict,
    /// The coordinator who evaluated it.
    pub evaluated_by: AgentName,
    /// What was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Artifact>,
    /// What was asked and answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Why it failed, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// A gate's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum GateVerdict {
    /// The task moves on.
    Pass,
    /// The task goes back.
    Fail,
}

/// One condition of a gate, with what it saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The CEL expression, as the policy has it.
    pub expression: String,
    /// The values it read, in words: `backtest_results.trades = 42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// Whether it held.
    pub result: bool,
}

/// Asks for an audit (R000-39).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditRequest {
    /// What shall be audited.
    #[serde(alias = "strategy_name", alias = "model_name")]
    pub name: String,
    /// Its version.
    pub version: String,
    /// The files, by their evidence's name (R000-40).
    pub artifacts: BTreeMap<ArtifactName, RepoPath>,
    /// Who asks.
    pub requestor: AgentName,
    /// How urgent it is (R000-41).
    #[serde(default)]
    pub priority: Urgency,
    /// The day it is due, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
}

/// How urgent an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// In its turn.
    #[default]
    Normal,
    /// First.
    Urgent,
}

/// An independent agent's verdict on named, checksummed evidence (R000-13 to R000-21).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditReport {
    /// What was audited.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who audited it.
    pub auditor: AgentName,
    /// The verdict, whole: there is no third word (R000-15).
    pub verdict: Verdict,
    /// When the audit was done; its age counts from here (R000-16).
    pub date: Moment,
    /// Exactly what it covers (R000-17).
    pub covers: Vec<Artifact>,
    /// The tests that were done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<AuditTest>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
}

/// PASS or FAIL, in capitals, compared whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Verdict {
    /// Nothing stands against it.
    #[serde(rename = "PASS")]
    Pass,
    /// Something does.
    #[serde(rename = "FAIL")]
    Fail,
}

/// One test of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditTest {
    /// The test's name, as the policy demands it.
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// Something that an audit found (R000-43).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// `issue-001` and on.
    pub id: String,
    /// How bad it is (R000-44).
    pub severity: IssueSeverity,
    /// What kind of flaw it is (R000-45).
    pub category: Category,
    /// What is wrong.
    pub description: String,
    /// `file:line`, or `general` (R000-46).
    pub location: String,
    /// What would mend it.
    pub remediation: String,
}

/// How bad an issue is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum IssueSeverity {
    /// Blocks progress.
    Critical,
    /// Must be mended.
    Major,
    /// Should be mended.
    Minor,
}

/// What kind of flaw an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Uses what was not known yet.
    Lookahead,
    /// Lets test data into training.
    Leakage,
    /// Fits noise.
    Overfitting,
    /// Is not written down.
    Documentation,
    /// Anything else.
    Other,
}

/// Returns a task whose audit failed (R000-42).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FailureResponse {
    /// The task.
    pub task_id: TaskId,
    /// Always FAIL.
    pub verdict: Verdict,
    /// The stage it returns to (R000-6).
    pub returns_to: StageName,
    /// What must be answered, worst first.
    pub issues: Vec<Issue>,
    /// What to do, in order (R000-47).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_steps: Vec<String>,
}

/// A person's word that a stage may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The stage it opens.
    pub stage: StageName,
    /// The person.
    pub approver: AgentName,
    /// What they say.
    pub statement: String,
    /// The evidence they saw; a change of it voids the approval.
    pub covers: Vec<Artifact>,
}

/// Takes evidence out of use until it is released (R003-8).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// The evidence's name.
    pub name: ArtifactName,
    /// What it held.
    pub checksum: Digest,
    /// Why it can't be used.
    pub reason: String,
    /// What to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute: Option<RepoPath>,
    /// True in the entry that releases it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
}

/// Asks a person to decide between positions (R000-48, R000-49, R000-51).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// 1 agent conflict, 2 audit dispute, 3 live emergency.
    pub level: u8,
    /// What set it off.
    pub trigger: String,
    /// The entry in dispute, by its sequence in this ledger; of an audit, its report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<u32>,
    /// The issues of that report in dispute; all of them if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<String>,
    /// Who says what.
    pub positions: Vec<Position>,
    /// When the decision is due.
    pub due_at: Moment,
}

/// One side of a dispute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Whose side.
    pub agent: AgentName,
    /// What they say.
    pub statement: String,
    /// What they show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}
