//! What is done about each kind of incident, step by step (R003-7 to R003-15, R000-58, R000-59).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::Deserialize;

use super::model::Model;
use super::stages::unknown_agent;
use super::terms::{DURATION_HELP, Problems, duration, not_a_duration};
use crate::record::kind::PlannedStep;
use crate::source::LaneName;

/// The step that every incident owes, beside those of its procedure.
pub const REPORT_STEP: &str = "report";

/// What stands in a step's command for the first task that its incident is about.
pub const TASK_WORD: &str = "{task}";

/// What is done about one kind of incident (R003-7 to R003-12).
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// What it is for.
    pub title: String,
    /// How bad such an incident is, if nobody says otherwise.
    #[serde(default)]
    pub severity: Option<String>,
    /// The lanes whose files an incident's entries may bring along.
    #[serde(default)]
    pub lanes: Vec<LaneName>,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
}

impl Procedure {
    /// Tells whether a step's command is about the incident's task, so that one must be named.
    pub fn is_about_task(&self) -> bool {
        let mut words = self.steps.iter().flat_map(|step| &step.command);
        words.any(|word| word.contains(TASK_WORD))
    }
}

/// Adds everything that is wrong with them.
pub(super) fn problems(model: &Model, problems: &mut Problems<'_>) {
    for (name, procedure) in &model.procedures {
        procedure_problems(model, &format!("procedures.{name}"), procedure, problems);
    }
}

fn procedure_problems(
    model: &Model,
    field: &str,
    procedure: &Procedure,
    problems: &mut Problems<'_>,
) {
    if procedure.steps.is_empty() {
        problems.at(field, "a procedure has steps".into(), "list what is done, in order");
    }
    for (index, lane) in procedure.lanes.iter().enumerate() {
        if !model.lanes.contains_key(lane) {
            let message = format!("there is no lane `{lane}`");
            problems.at(&format!("{field}.lanes.{index}"), message, "add it to `lanes`");
        }
    }
    let mut known = BTreeSet::from([REPORT_STEP]);
    for (index, step) in procedure.steps.iter().enumerate() {
        let place = format!("{field}.steps.{index}");
        if step.step.trim().is_empty() || !known.insert(&step.step) {
            let message = format!("`{}` names no step of its own", step.step);
            let help = format!("each step has another name, and `{REPORT_STEP}` is always owed");
            problems.at(&format!("{place}.step"), message, help);
        }
        step_problems(&procedure.steps[..index], step, &place, problems);
        if let Some(owner) = step.owner.as_ref().filter(|owner| !model.agents.contains_key(*owner))
        {
            unknown_agent(model, owner, &format!("{place}.owner"), problems);
        }
    }
}

fn step_problems(
    before: &[PlannedStep],
    step: &PlannedStep,
    place: &str,
    problems: &mut Problems<'_>,
) {
    if step.command.is_empty() && (step.retry.is_some() || !step.accept.is_empty()) {
        let help = "`retry` and `accept` are about a `command`";
        problems.at(place, "this step runs nothing that could be tried again".into(), help);
    }
    if step.person && !step.command.is_empty() {
        let help = "drop one of them: what a person must do can't be run for them";
        problems.at(place, "this step is a person's and has a command".into(), help);
    }
    if let Some(retry) = &step.retry {
        if !(1..=100).contains(&retry.maximum_attempts) {
            let message = "so many attempts make no sense".to_owned();
            let help = "write 1 to 100; 1 means no retry";
            problems.at(&format!("{place}.retry.maximum_attempts"), message, help);
        }
        let interval = retry.initial_interval.as_ref();
        if let Some(text) = interval.filter(|text| duration(text).is_none()) {
            let field = format!("{place}.retry.initial_interval");
            problems.at(&field, not_a_duration(text), DURATION_HELP);
        }
    }
    let timeout = step.timeout.as_ref();
    let wrong = |text: &&String| duration(text).is_none_or(|time| time <= TimeDelta::zero());
    if let Some(text) = timeout.filter(wrong) {
        problems.at(&format!("{place}.timeout"), not_a_duration(text), DURATION_HELP);
    }
    if let Some(named) = &step.if_failed {
        let known = before.iter().find(|known| known.step == *named);
        if known.is_none_or(|known| known.command.is_empty()) {
            let message = format!("no step before this one that could fail is called `{named}`");
            let help = "name a step before it that has a command";
            problems.at(&format!("{place}.if_failed"), message, help);
        }
    }
}
