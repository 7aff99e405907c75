//! When something is wrong: incidents with their steps, and halts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::source::{AgentName, Digest, LaneName, Moment, TaskId};

/// Opens an incident (R000-51, R003-7 to R003-11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// What set it off.
    pub trigger: String,
    /// What kind of incident it is, as the policy's procedures name it.
    pub class: String,
    /// How bad it is, in the policy's words.
    pub severity: String,
    /// The procedure that is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// The tasks it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
    /// The lanes whose files its entries may bring along, as the procedure names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<LaneName>,
    /// The steps to be taken, in order, as the procedure had them when it was opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<PlannedStep>,
}

/// One step that an incident's procedure asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// Its name.
    pub step: String,
    /// What is to be done, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who takes it; anybody who directs work may too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AgentName>,
    /// Whether only a person takes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub person: bool,
    /// Whether it must show evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub evidence: bool,
    /// The program that takes it and its arguments; no shell reads them. `{incident}` stands for the
    /// incident's id, `{task}` for the first task that it is about; `orch` is this very program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The exit codes with which the command has done its work; 0 alone if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<i32>,
    /// How often the command is tried; once if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<StepRetry>,
    /// How long one attempt may take, such as `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// It is taken only if this earlier step failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_failed: Option<String>,
}

/// How often a step's command is tried before it has failed for good (R003-7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StepRetry {
    /// How often in all; 1 means no retry.
    pub maximum_attempts: u32,
    /// How long to wait before the second attempt, such as `30s`; each later wait is twice as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_interval: Option<String>,
}

/// One step of an incident's procedure, done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IncidentStep {
    /// The step, as the procedure names it; `report` is the written report that every incident
    /// owes (R000-51).
    pub step: String,
    /// How it went.
    pub outcome: String,
    /// What shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Whether it did what it should.
    #[serde(default, skip_serializing_if = "StepStatus::is_completed")]
    pub status: StepStatus,
    /// How often its command was tried, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
}

/// Whether a step did what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    /// It did.
    #[default]
    Completed,
    /// Its command failed as often as it was tried.
    Failed,
}

impl StepStatus {
    fn is_completed(&self) -> bool {
        *self == StepStatus::Completed
    }
}

/// What was learnt from an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Postmortem {
    /// What happened.
    pub summary: String,
    /// Why.
    pub root_cause: String,
    /// What is done so that it does not happen again.
    pub actions: Vec<String>,
    /// Whether the audit should have caught it (R000-51).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_gap: Option<String>,
}

/// The kill switch: while it stands, no transition passes in its scope (R003-12, R003-15).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Halt {
    /// Who pulled it.
    pub topic: HaltTopic,
    /// `all`, or `workflow:NAME`, `lane:NAME`, `stage:NAME`, `task:ID`, `schedule:JOB`,
    /// `schedule:*`.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// The numbers behind it (R003-13).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, String>,
    /// Digest of the state of everything in scope when it was pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Digest>,
    /// The incident that looks into it (R003-13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<TaskId>,
    /// When it ends by itself, for a degraded day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// The three topics that halt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum HaltTopic {
    /// Risk pulled it.
    #[serde(rename = "risk.kill_switch")]
    Risk,
    /// Compliance pulled it.
    #[serde(rename = "compliance.kill_switch")]
    Compliance,
    /// The runtime pulled it.
    #[serde(rename = "runtime.kill_switch")]
    Runtime,
}
