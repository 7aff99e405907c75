//! `orch incident list` and `show`; what an incident asks for next, and what it owes.

use serde_json::{Value, json};

use super::Stop;
use super::context::{Context, View};
use super::incident::incident_in;
use super::output::{id, json as print_json, say, table};
use super::suggest::Suggestion;
use crate::ledger::IncidentState;
use crate::policy::{Policy, ROLLBACK_STAGE};
use crate::record::Home;
use crate::record::kind::PlannedStep;
use crate::render::Format;
use crate::report::incident_debts;
use crate::source::{AgentName, Moment, TaskId};
use crate::world::Focus;

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Closed ones, too
    #[arg(long)]
    all: bool,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The incident
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

/// What an incident asks for next.
#[derive(Debug, serde::Serialize)]
pub(super) struct Next {
    /// What is to be done.
    what: String,
    /// By whom, in words.
    who: String,
    /// The command that does it, or records it.
    command: String,
    /// The command that records it afterwards, if that is another.
    then: Option<String>,
    /// Whom to ask first.
    #[serde(skip)]
    asked: Option<AgentName>,
}

impl Next {
    /// Gives it in one sentence.
    pub(super) fn told(&self) -> String {
        let then = self.then.as_ref().map(|then| format!("; when it is done, {then}"));
        let (what, who, command) = (&self.what, &self.who, &self.command);
        format!("{what} ({who}): {command}{}", then.unwrap_or_default())
    }

    /// Gives it as a suggestion to the one who is asked first.
    pub(super) fn suggested(self, id: &TaskId) -> Suggestion {
        let why = format!("incident: {}", self.what);
        let help = self.then.map(|then| format!("when it is done, {then}"));
        Suggestion { help, ..Suggestion::to(self.asked, id, "-", self.command, why) }
    }
}

/// Gives what is next for an incident: its steps in their order, then what every incident owes, then
/// its end; none behind that.
pub(super) fn next(policy: &Policy, id: &TaskId, state: &IncidentState) -> Option<Next> {
    if state.closed.is_some() {
        return None;
    }
    let names = |pick: &dyn Fn(&crate::policy::Agent) -> bool| {
        let names = policy.agents_who(pick).into_iter();
        names.cloned().collect::<Vec<AgentName>>()
    };
    let anyone = || (names(&|agent| agent.coordinator), "anyone".to_owned());
    let one_of = |all: Vec<AgentName>| {
        let words: Vec<&str> = all.iter().map(|name| name.as_str()).collect();
        let words = words.join(" or ");
        (all, words)
    };
    let next = |what: &str, (asked, who): (Vec<AgentName>, String), command: String| {
        let (what, asked) = (what.to_owned(), asked.into_iter().next());
        Some(Next { what, who, command, then: None, asked })
    };
    if let Some(run) = state.active_run() {
        let task = run.task.as_ref().map_or("TASK", |task| task.as_str());
        let command = format!("orch handoff create {task} --incident {id}");
        return next("the rollback goes on", one_of(vec![run.agent.clone()]), command);
    }
    if let Some(step) = state.open_steps().next() {
        let who = match &step.owner {
            Some(owner) => one_of(vec![owner.clone()]),
            None if step.person => one_of(names(&|agent| agent.human)),
            None => anyone(),
        };
        let what = step.description.as_deref().unwrap_or(&step.step);
        let (command, then) = step_commands(id, state, step);
        return next(what, who, command).map(|next| Next { then, ..next });
    }
    if state.reported_at.is_none() {
        let command = format!("orch incident report {id} --summary S");
        return next("the written report is owed", anyone(), command);
    }
    if state.postmortem_at.is_none() {
        let command =
            format!("orch incident postmortem {id} --summary S --root-cause R --action A");
        return next("the post-mortem is owed", anyone(), command);
    }
    let who = one_of(names(&|agent| agent.human || agent.coordinator));
    next("it can be closed", who, format!("orch incident close {id} --reason R"))
}

/// Gives the command that takes a step: one that has a command of its own is walked; for a rollback that is yet to be done, the run that does it,
/// and what records it then.
fn step_commands(
    id: &TaskId,
    state: &IncidentState,
    step: &PlannedStep,
) -> (String, Option<String>) {
    if !step.command.is_empty() {
        return (format!("orch procedure walk {id}"), None);
    }
    let evidence = if step.evidence { " --evidence E" } else { "" };
    let record =
        format!("orch incident step {id} --step {} --outcome OUTCOME{evidence}", step.step);
    let open = state.incident.tasks.iter().find(|task| !state.rolled_back.contains(task));
    match open.filter(|_| step.step == ROLLBACK_STAGE) {
        Some(task) => (
            format!("orch run start {task} --stage {ROLLBACK_STAGE} --incident {id}"),
            Some(record),
        ),
        None => (record, None),
    }
}

/// Gives the steps that stand in for one that did not fail.
fn not_needed(state: &IncidentState) -> impl Iterator<Item = &String> {
    let steps = state.incident.steps.iter();
    steps.filter(|step| state.is_not_needed(step)).map(|step| &step.step)
}

/// Gives the debts in words, as of a moment.
pub(super) fn debts_in_words(policy: &Policy, state: &IncidentState, at: Moment) -> Vec<String> {
    let debts = incident_debts(policy, state).into_iter();
    let told = debts.map(|(what, due)| match at > due {
        true => format!("{what} OVERDUE since {due}"),
        false => format!("{what} due by {due}"),
    });
    told.collect()
}

/// Gives an incident as JSON.
pub(super) fn as_json(policy: &Policy, id: &TaskId, state: &IncidentState) -> Value {
    let debts: Vec<Value> = incident_debts(policy, state)
        .into_iter()
        .map(|(what, due)| json!({ "what": what.to_string(), "due_at": due }))
        .collect();
    json!({
        "id": id,
        "trigger": state.incident.trigger,
        "class": state.incident.class,
        "severity": state.incident.severity,
        "procedure": state.incident.procedure,
        "tasks": state.incident.tasks,
        "opened_by": state.opened_by,
        "opened_at": state.opened_at,
        "done": state.done,
        "failed": state.failed,
        "not_needed": not_needed(state).collect::<Vec<_>>(),
        "open_steps": state.open_steps().map(|step| &step.step).collect::<Vec<_>>(),
        "reported_at": state.reported_at,
        "postmortem_at": state.postmortem_at,
        "rolled_back": state.rolled_back,
        "closed": state.closed,
        "next": next(policy, id, state),
        "debts": debts,
    })
}

impl List {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of(context, &[])?;
        let known = view.world.survey.known_incidents.iter().cloned();
        let focus = Focus::Ledgers(known.map(Home::Incident).collect());
        let view = View::beside(context, context.repository()?, focus)?;
        let policy = view.policy();
        let mut all = Vec::new();
        for id in &view.world.survey.known_incidents {
            let state = incident_in(&view, id)?;
            if self.all || state.closed.is_none() {
                all.push((id, state));
            }
        }
        if self.format == Format::Json {
            let all: Vec<Value> =
                all.iter().map(|(id, state)| as_json(&policy, id, state)).collect();
            print_json(&all);
            return Ok(());
        }
        if all.is_empty() {
            say("no open incidents; open one: orch incident open --trigger T");
            return Ok(());
        }
        let heading = ["INCIDENT", "SEVERITY", "CLASS", "OPENED", "NEXT"].map(str::to_owned);
        let rows = all.iter().map(|(id, state)| {
            let next = next(&policy, id, state).map_or("closed".into(), |next| next.command);
            let incident = &state.incident;
            let opened = state.opened_at.to_string();
            vec![id.to_string(), incident.severity.clone(), incident.class.clone(), opened, next]
        });
        table(&std::iter::once(heading.to_vec()).chain(rows).collect::<Vec<_>>());
        Ok(())
    }
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let focus = Focus::Ledgers(vec![Home::Incident(self.id.clone())]);
        let view = View::beside(context, context.repository()?, focus)?;
        let (policy, id) = (view.policy(), &self.id);
        let state = incident_in(&view, id)?;
        if self.format == Format::Json {
            print_json(&as_json(&policy, id, state));
            return Ok(());
        }
        let incident = &state.incident;
        say(format!("{id}: {} ({}, {})", incident.trigger, incident.class, incident.severity));
        say(format!("opened at {} by {}", state.opened_at, state.opened_by));
        if !incident.tasks.is_empty() {
            let tasks: Vec<&str> = incident.tasks.iter().map(TaskId::as_str).collect();
            say(format!("tasks: {}", tasks.join(", ")));
        }
        for step in &state.done {
            say(format!("done: {step}"));
        }
        for step in &state.failed {
            let instead = state.stand_in(step).map(|instead| format!(", so {}", instead.step));
            say(format!("failed: {step}{}", instead.unwrap_or_default()));
        }
        for step in not_needed(state) {
            say(format!("not needed: {step}"));
        }
        for step in state.open_steps() {
            let command = step.command.join(" ");
            let told = if command.is_empty() { String::new() } else { format!(": {command}") };
            say(format!("open: {}{told}", step.step));
        }
        for debt in debts_in_words(&policy, state, context.at()) {
            say(format!("owed: {debt}"));
        }
        match next(&policy, id, state) {
            Some(next) => say(format!("next: {}", next.told())),
            None => say("closed"),
        }
        Ok(())
    }
}
