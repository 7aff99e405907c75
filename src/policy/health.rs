//! How things stand: probes, thresholds, and who is on call (R000-54 to R000-57, R002-33, R003-2,
//! R003-4 to R003-6, R003-34, R003-35, R003-44).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Deserialize;

use super::alerts::AlertSeverity;
use super::model::Model;
use super::schedule::{agents, procedure};
use super::terms::{Lasting, Problems};
use crate::calendar::Date;
use crate::source::{ActionName, AgentName, ProbeName, RepoPath};

/// What is looked at to tell how things stand.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Programs of your own that look at what orch can't know.
    pub probes: BTreeMap<ProbeName, Probe>,
    /// From where on a number is bad.
    pub thresholds: Thresholds,
    /// Documents that are brought up to date again and again (R002-33).
    pub documents: Vec<Document>,
    /// What is done when it is not healthy.
    pub page: Option<Page>,
}

/// A program that tells whether something of yours is well: exit code 0 is healthy.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What it looks at.
    pub title: String,
    /// The part of the whole it belongs to, such as `data_sources`.
    pub component: String,
    /// The program and its arguments; no shell reads them. Without one nobody looks, and what it is about is
    /// unknown.
    #[serde(default)]
    pub command: Vec<String>,
    /// How long it may take; 10 seconds if it is not said.
    #[serde(default)]
    pub timeout: Option<Lasting>,
    /// How often it is tried before it counts as failed; once if it is not said (R003-7).
    #[serde(default)]
    pub attempts: Option<u32>,
    /// How bad it is when it fails; an error if it is not said.
    #[serde(default)]
    pub severity: Option<AlertSeverity>,
}

/// From where on a number is bad.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// A run that takes longer is slow (R000-54).
    pub response_time: Lasting,
    /// How far back runs are looked at.
    pub response_window: Lasting,
    /// More audits than these that were asked for and not given are a backlog (R000-55).
    pub pending_audits: usize,
    /// A larger part of failed audits is bad, 0 to 1 (R000-56).
    pub failed_audit_ratio: f64,
    /// How far back audits are looked at.
    pub audit_window: Lasting,
    /// More failed deployments than these are bad (R000-57).
    pub failed_deployments: usize,
    /// How far back deployments are looked at.
    pub deployment_window: Lasting,
    /// More tasks than these that wait for one stage are a backlog (R001-27).
    pub queue_depth: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            response_time: Lasting(TimeDelta::minutes(5)),
            response_window: Lasting(TimeDelta::days(1)),
            pending_audits: 3,
            failed_audit_ratio: 0.5,
            audit_window: Lasting(TimeDelta::days(7)),
            failed_deployments: 0,
            deployment_window: Lasting(TimeDelta::days(1)),
            queue_depth: 10,
        }
    }
}

/// A document that is brought up to date again and again.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Where it lies.
    pub path: RepoPath,
    /// The longest time since a commit last changed it.
    pub max_age: Lasting,
}

/// What is done when it is not healthy (R003-35).
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The alert that is sent, one of `alerts.actions`.
    pub action: ActionName,
    /// The procedure that is named in it.
    #[serde(default)]
    pub procedure: Option<String>,
}

/// Who is called, and in which order (R003-4, R003-5).
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OnCall {
    /// The day on which somebody last looked whether it is right (R003-44); unknown if it is not said.
    #[serde(default)]
    pub reviewed: Option<Date>,
    /// How long that holds.
    pub review_every: Lasting,
    /// When they are on call: `always`, or `trading` for the hours of the schedule's calendar.
    #[serde(default)]
    pub hours: Hours,
    /// Who is called, the first first.
    pub levels: Vec<Level>,
}

/// When somebody is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Hours {
    /// At any time.
    #[default]
    Always,
    /// While the schedule's calendar is open.
    Trading,
}

/// Those who are called together.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its name, such as `primary`.
    pub name: String,
    /// Who they are, agents and people.
    pub agents: Vec<AgentName>,
    /// What they are called for, in words.
    #[serde(default, rename = "for")]
    pub reason: String,
}

/// Adds everything that is wrong with it.
pub(super) fn problems(model: &Model, problems: &mut Problems<'_>) {
    let health = &model.health;
    for (name, probe) in &health.probes {
        let field = format!("health.probes.{name}");
        if probe.attempts.is_some_and(|attempts| !(1..=100).contains(&attempts)) {
            let message = "so many attempts make no sense".to_owned();
            problems.at(&format!("{field}.attempts"), message, "write 1 to 100");
        }
    }
    if !(0.0..=1.0).contains(&health.thresholds.failed_audit_ratio) {
        let message = "this is no part of a whole".to_owned();
        problems.at("health.thresholds.failed_audit_ratio", message, "write 0 to 1");
    }
    if let Some(page) = &health.page {
        if !model.alerts.actions.contains_key(&page.action) {
            let message = format!("there is no action `{}`", page.action);
            problems.at("health.page.action", message, "add it to `alerts.actions`");
        }
        procedure(model, page.procedure.as_ref(), "health.page.procedure", problems);
    }
    let Some(on_call) = &model.on_call else { return };
    if on_call.hours == Hours::Trading && model.schedule.calendar.is_none() {
        let help = "name one: `schedule: {calendar: NYSE}`";
        problems.at("on_call.hours", "no calendar says when trade goes on".into(), help);
    }
    for (index, level) in on_call.levels.iter().enumerate() {
        agents(model, &level.agents, &format!("on_call.levels.{index}.agents"), problems);
        if !level.agents.iter().any(|name| model.agents.get(name).is_some_and(|known| known.human))
        {
            let message = format!("no person is called at level `{}`", level.name);
            problems.at(&format!("on_call.levels.{index}.agents"), message, "name a person, too");
        }
    }
}
