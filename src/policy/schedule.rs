//! What is due when: jobs by the calendar of an exchange, and windows of maintenance (R003-2, R003-3,
//! R003-16 to R003-21).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::model::Model;
use super::procedure::{Procedure, TASK_WORD};
use super::stages::unknown_agent;
use super::terms::{Lasting, Problems};
use crate::calendar::{Clock, Date, Days, TimeOfDay, Zone};
use crate::record::did_you_mean;
use crate::source::{AgentName, JobName};

/// The calendar that every orch knows: the New York Stock Exchange's.
pub const NYSE: &str = "NYSE";

/// The day's jobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// The time zone of every job and window that names none, such as `America/New_York`; UTC if it
    /// is not said.
    pub time_zone: Option<Zone>,
    /// The calendar of every job that names none: `NYSE`, or one of `calendars`.
    pub calendar: Option<String>,
    /// Calendars of your own.
    pub calendars: BTreeMap<String, OwnCalendar>,
    /// The jobs.
    pub jobs: BTreeMap<JobName, Job>,
    /// Times in which nothing else is expected (R003-16, R003-17).
    pub windows: BTreeMap<String, Window>,
}

/// A calendar of your own: days of the week, or another calendar, and what differs.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OwnCalendar {
    /// The calendar it follows, `NYSE`; without one it is open on working days.
    pub extends: Option<String>,
    /// Days on which it is closed, such as a day of mourning.
    pub closed: BTreeSet<Date>,
    /// Days on which it closes early, and when.
    pub early_close: BTreeMap<Date, Clock>,
    /// When it opens; as the calendar it follows, else 09:00.
    pub open: Option<Clock>,
    /// When it closes; as the calendar it follows, else 17:00.
    pub close: Option<Clock>,
}

/// One job.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What it is for.
    pub title: String,
    /// When in the day: `08:15`, `open`, `close+30m`. A job of a window begins with it if it says no
    /// other time.
    #[serde(default)]
    pub at: Option<TimeOfDay>,
    /// On which days: `daily`, `weekdays`, `trading`, `saturday`, `first saturday`.
    #[serde(default)]
    pub days: Option<Days>,
    /// The window it belongs to, instead of `days`.
    #[serde(default)]
    pub window: Option<String>,
    /// The time zone, if not the schedule's.
    #[serde(default)]
    pub time_zone: Option<Zone>,
    /// The calendar, if not the schedule's.
    #[serde(default)]
    pub calendar: Option<String>,
    /// Who answers for it; the first is asked first.
    pub owners: Vec<AgentName>,
    /// The program that does it and its arguments; no shell reads them.
    #[serde(default)]
    pub command: Vec<String>,
    /// The procedure that does it, instead of a command.
    #[serde(default)]
    pub procedure: Option<String>,
    /// How long it may take.
    #[serde(default)]
    pub timeout: Option<Lasting>,
    /// How often it is tried.
    #[serde(default)]
    pub retry: Option<Attempts>,
    /// The procedure that is started when it has failed for good.
    #[serde(default)]
    pub on_failure: Option<String>,
}

/// How often something is tried before it has failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    /// How often in all; 1 means no retry.
    pub maximum_attempts: u32,
    /// How long to wait before the second attempt; each later wait is twice as long.
    #[serde(default)]
    pub initial_interval: Option<Lasting>,
}

/// A time of maintenance.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// What it is for.
    pub title: String,
    /// On which days: `saturday`, `first saturday`.
    pub days: Days,
    /// When it begins.
    pub from: Clock,
    /// When it ends, on the same day.
    pub until: Clock,
    /// The time zone, if not the schedule's.
    #[serde(default)]
    pub time_zone: Option<Zone>,
}

/// Adds everything that is wrong with it.
pub(super) fn problems(model: &Model, problems: &mut Problems<'_>) {
    let schedule = &model.schedule;
    for (name, own) in &schedule.calendars {
        let field = format!("schedule.calendars.{name}");
        if name == NYSE {
            let help = "give your own another name, with `extends: NYSE`";
            problems.at(&field, "the calendar `NYSE` is known already".into(), help);
        }
        if let Some(base) = own.extends.as_ref().filter(|base| *base != NYSE) {
            let message = format!("no calendar `{base}` can be followed");
            problems.at(&format!("{field}.extends"), message, "write `NYSE`, or leave it out");
        }
    }
    calendar_known(schedule, schedule.calendar.as_ref(), "schedule.calendar", problems);
    for (name, window) in &schedule.windows {
        if window.until <= window.from {
            let message = format!("this window ends at {}, before it begins", window.until);
            let help = "a window ends on the day on which it begins";
            problems.at(&format!("schedule.windows.{name}.until"), message, help);
        }
    }
    for (name, job) in &schedule.jobs {
        job_problems(model, &format!("schedule.jobs.{name}"), job, problems);
    }
}

fn calendar_known(
    schedule: &Schedule,
    named: Option<&String>,
    field: &str,
    problems: &mut Problems<'_>,
) {
    let known = |name: &String| name == NYSE || schedule.calendars.contains_key(name);
    if let Some(name) = named.filter(|name| !known(name)) {
        let help = "write `NYSE`, or add it to `schedule.calendars`";
        problems.at(field, format!("there is no calendar `{name}`"), help);
    }
}

fn job_problems(model: &Model, field: &str, job: &Job, problems: &mut Problems<'_>) {
    let schedule = &model.schedule;
    calendar_known(schedule, job.calendar.as_ref(), &format!("{field}.calendar"), problems);
    agents(model, &job.owners, &format!("{field}.owners"), problems);
    if job.owners.is_empty() {
        let help = "name who answers for it";
        problems.at(&format!("{field}.owners"), "this job has no owner".into(), help);
    }
    match (&job.window, &job.days, &job.at) {
        (Some(_), Some(_), _) => {
            let help = "a window says the days";
            problems.at(field, "this job has `days` and a `window`".into(), help);
        }
        (None, None, _) | (None, _, None) => {
            let help = "give it `at` and `days`, or a `window`";
            problems.at(field, "nothing says when this job is due".into(), help);
        }
        _ => {}
    }
    if let Some(window) = job.window.as_ref().filter(|w| !schedule.windows.contains_key(*w)) {
        let near = did_you_mean(window, schedule.windows.keys().map(String::as_str));
        let help = near.map_or("add it to `schedule.windows`".into(), |near| {
            format!("did you mean `{near}`?")
        });
        problems.at(&format!("{field}.window"), format!("there is no window `{window}`"), help);
    }
    if job.command.is_empty() == job.procedure.is_none() {
        let help = "give it `command`, or `procedure`, and not both";
        problems.at(field, "a job is done by one thing".into(), help);
    }
    let trading = job.days == Some(Days::Trading)
        || matches!(job.at, Some(TimeOfDay::Open(_) | TimeOfDay::Close(_)));
    if trading && job.calendar.is_none() && schedule.calendar.is_none() {
        let help = "name one: `calendar: NYSE`";
        problems.at(field, "this job follows a calendar, and none is named".into(), help);
    }
    let window = job.window.as_ref().and_then(|name| schedule.windows.get(name));
    let days = job.days.as_ref().or(window.map(|window| &window.days));
    let beside = matches!(job.at, Some(TimeOfDay::Open(_) | TimeOfDay::Close(_)));
    if beside && days.is_some_and(Days::never_trade) {
        let help = "no calendar opens at a weekend: give it a time, such as `10:00`";
        problems.at(field, "this job is never due".into(), help);
    }
    attempts(job.retry, field, problems);
    for (key, named) in [("procedure", &job.procedure), ("on_failure", &job.on_failure)] {
        procedure(model, named.as_ref(), &format!("{field}.{key}"), problems);
        let planned = named.as_ref().and_then(|name| model.procedures.get(name));
        if planned.is_some_and(Procedure::is_about_task) {
            let message =
                format!("this procedure is about a task (`{TASK_WORD}`), and a job names none");
            let help = "name one whose commands ask for no task";
            problems.at(&format!("{field}.{key}"), message, help);
        }
    }
}

/// Adds that something is not tried even once.
pub(super) fn attempts(retry: Option<Attempts>, field: &str, problems: &mut Problems<'_>) {
    if retry.is_some_and(|retry| !(1..=100).contains(&retry.maximum_attempts)) {
        let help = "write 1 to 100; 1 means no retry";
        problems.at(&format!("{field}.retry"), "so many attempts make no sense".into(), help);
    }
}

/// Adds the agents that the policy does not know.
pub(super) fn agents(model: &Model, named: &[AgentName], field: &str, problems: &mut Problems<'_>) {
    for (index, name) in named.iter().enumerate() {
        if !model.agents.contains_key(name) {
            unknown_agent(model, name, &format!("{field}.{index}"), problems);
        }
    }
}

/// Adds that a procedure is not known.
pub(super) fn procedure(
    model: &Model,
    named: Option<&String>,
    field: &str,
    problems: &mut Problems<'_>,
) {
    if let Some(name) = named.filter(|name| !model.procedures.contains_key(*name)) {
        let near = did_you_mean(name, model.procedures.keys().map(String::as_str));
        let help =
            near.map_or("add it to `procedures`".into(), |near| format!("did you mean `{near}`?"));
        problems.at(field, format!("there is no procedure `{name}`"), help);
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;

    /// Gives what is wrong with the hedge template after one replacement.
    fn problems_of(from: &str, to: &str) -> Vec<String> {
        let template = include_str!("../../templates/hedge.yaml");
        assert!(template.contains(from), "{from}");
        let text = template.replacen(from, to, 1);
        let found = Policy::parse(text.as_bytes(), &crate::checks::names()).err();
        let told =
            |problem: crate::record::Problem| format!("{} {}", problem.message, problem.help);
        found.unwrap_or_default().into_iter().map(told).collect()
    }

    /// R003-2, R003-3, R003-16: a word that names nothing is told with the nearest that does.
    #[test]
    fn what_an_operator_mistypes_is_told() {
        for (from, to, told) in [
            ("calendar: NYSE", "calendar: NYSX", "there is no calendar `NYSX`"),
            ("America/New_York", "New York", "`New York` is no time zone"),
            ("at: \"08:00\"", "at: \"8:00\"", "`8:00` is no time of day"),
            ("days: trading", "days: trade", "`trade` names no days"),
            ("window: weekly", "window: wekly", "did you mean `weekly`?"),
            ("owners: [data, ops]", "owners: [data, opps]", "did you mean `ops`?"),
            ("on_failure: health_failure", "on_failure: health", "there is no procedure"),
            (
                "command: [orch, health, --page, --component, data_sources, --component, keys, --component, agents, --component, portfolio], retry",
                "retry",
                "a job is done by one thing",
            ),
            ("at: \"08:15\", days: trading,", "at: \"08:15\",", "nothing says when"),
            ("until: \"14:00\"", "until: \"10:00\"", "before it begins"),
            ("at: open, days: trading", "at: open, days: last sunday", "this job is never due"),
            ("timeout: 15m", "timeout: 0m", "`0m` is no duration"),
            ("maximum_attempts: 3, initial_interval: 60s", "maximum_attempts: 0", "attempts"),
            ("on_call:\n", "on_call:\n  reviewed: last week\n", "`last week` is no day"),
            ("agents: [director, sponsor]", "agents: [director]", "no person is called"),
            ("failed_audit_ratio: 0.5", "failed_audit_ratio: 50", "no part of a whole"),
            ("page: {action: health_failure", "page: {action: halth", "there is no action"),
            (
                "url_env: ALERT_WEBHOOK_URL",
                "url_env: \"https://x.example/hook\"",
                "keep the address",
            ),
            ("kind: slack", "kind: email", "goes to somebody"),
            ("to: [ops@example.com]", "to: [\"Ops <ops>\"]", "is no address of a mail"),
            ("from: orch@example.com", "from: \"a@example.com, b\"", "is no address of a mail"),
            ("procedure: compliance_veto}", "procedure: veto}", "there is no procedure `veto`"),
            ("if_failed: retry", "if_failed: root_cause", "no step before this one"),
            (
                "command: [orch, health], accept",
                "command: [a, \"{task}\"], accept",
                "a job names none",
            ),
            (
                "description: Confirm that all agents are at rest",
                "command: [orch, status, \"x-{task}\"]",
                "a job names none",
            ),
            ("owner: safety_officer, person: true", "person: true, command: [x]", "is a person's"),
        ] {
            let found = problems_of(from, to);
            assert!(found.iter().any(|line| line.contains(told)), "{to}: {found:?}");
        }
    }
}
