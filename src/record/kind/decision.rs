//! A choice by a person, in the terms of MADR 4.

use serde::{Deserialize, Serialize};

use super::Position;
use crate::source::{AgentName, Digest, RepoPath, TaskId};

/// An immutable record of a choice (R000-48 to R000-50).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The file's name without its ending.
    pub id: String,
    /// What was decided, in a few words.
    pub title: String,
    /// `accepted`, `rejected`, `deprecated` or `superseded`.
    pub status: DecisionStatus,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// The people who decided.
    pub decision_makers: Vec<AgentName>,
    /// Who was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consulted: Vec<AgentName>,
    /// Who was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub informed: Vec<AgentName>,
    /// What made it necessary.
    pub context: String,
    /// What mattered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drivers: Vec<String>,
    /// What was possible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Who said what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<Position>,
    /// What was chosen, and why.
    pub outcome: String,
    /// What follows from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consequences: Vec<String>,
    /// How it will be seen to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    /// What became of a disputed finding of an audit (R000-50).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// The entries it settles, `task/sequence`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolves: Vec<String>,
    /// The decisions it replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
    /// What the runbooks then hold that the policy names, where it changes how people work (R003-43).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runbooks: Vec<Runbook>,
    /// The guarded files that it lets change, with what they then hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<PathChange>,
    /// The task it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
}

/// What became of a disputed finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// It is valid, and is to be mended; nobody is blamed for the dispute.
    Upheld,
    /// It is not valid: it need not be mended, and a new report is owed. It never makes a PASS.
    Overturned,
}

/// Where a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DecisionStatus {
    /// It holds.
    Accepted,
    /// It was turned down.
    Rejected,
    /// It no longer matters.
    Deprecated,
    /// Another one replaced it.
    Superseded,
}

/// One guarded file that a decision lets change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PathChange {
    /// The file.
    pub path: RepoPath,
    /// What it then holds; absent if it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Digest>,
    /// What it held before, where that was agreed; absent if it is new. The decision decides nothing
    /// about a file that holds anything else by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
}

/// A runbook as it is when the way people work changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// The file.
    pub path: RepoPath,
    /// What it holds.
    pub checksum: Digest,
}
