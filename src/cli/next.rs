//! `orch next`: what an agent should do now, as commands. It asks the checks, so that what it
//! suggests is what the guard accepts.

use serde::Serialize;

use super::Stop;
use super::context::{Context, View};
use super::output::{json, say};
use crate::checks;
use crate::diagnostic::Severity;
use crate::draft::{self, Author};
use crate::ledger::{Standing, State};
use crate::policy::{Policy, Stage, StageKind};
use crate::render::Format;
use crate::source::{AgentName, Moment};
use crate::world::{LedgerView, World};

/// Tell what an agent should do now, as commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch next --agent quant_engineer")]
pub(super) struct Next {
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

/// Something to do.
#[derive(Debug, Serialize)]
struct Suggestion {
    task_id: String,
    agent: Option<AgentName>,
    stage: String,
    /// What to type; none if something stands in the way.
    command: Option<String>,
    /// Why, or what stands in the way.
    why: String,
    /// What to do about what stands in the way.
    help: Option<String>,
}

impl Next {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, false)?;
        let policy = view.policy();
        let mine = match context.agent_word() {
            Some(_) => Some(context.agent(&policy)?),
            None => None,
        };
        let mut all = Vec::new();
        for ledger in view.world.ledgers.values() {
            let Some(state) = ledger.state().filter(|state| state.closed.is_none()) else {
                continue;
            };
            all.extend(suggest(&view.world, &policy, ledger, state, context.at()));
        }
        all.retain(|found| mine.is_none() || found.agent == mine);
        if self.json || self.format == Format::Json {
            json(&all);
            return Ok(());
        }
        if all.is_empty() {
            let whom = mine.as_ref().map(|agent| format!(" for {agent}")).unwrap_or_default();
            say(format!("nothing to do{whom}; the board: orch status"));
        }
        for found in &all {
            tell(found, mine.is_none());
        }
        Ok(())
    }
}

fn tell(found: &Suggestion, name_agents: bool) {
    let who = match &found.agent {
        Some(agent) if name_agents => format!("{agent}: "),
        _ => String::new(),
    };
    say(format!("{}  {who}{}", found.task_id, found.why));
    if let Some(command) = &found.command {
        say(format!("    {command}"));
    }
    if let Some(help) = &found.help {
        say(format!("    {help}"));
    }
}

/// Gives what could be done about a task now, and by whom.
fn suggest(
    world: &World,
    policy: &Policy,
    ledger: &LedgerView,
    state: &State,
    at: Moment,
) -> Vec<Suggestion> {
    let id = &state.task.task_id;
    let coordinator =
        policy.agents_who(|agent| agent.coordinator).first().map(|&name| name.clone());
    let found = |agent: Option<AgentName>, stage: &str, command: String, why: String| Suggestion {
        task_id: id.to_string(),
        agent,
        stage: stage.to_owned(),
        command: Some(command),
        why,
        help: None,
    };
    let Some(workflow) = policy.workflows.get(&state.task.workflow) else { return Vec::new() };
    if let Some(pause) = &state.paused {
        let person = policy.agents_who(|agent| agent.human).first().map(|&name| name.clone());
        let command = format!("orch resume {id} --sign-off …");
        return vec![found(person, "-", command, format!("paused: {}", pause.reason))];
    }
    if let Some(reason) = &state.blocked {
        let command = format!("orch task unblock {id} --reason …");
        return vec![found(coordinator, "-", command, format!("blocked: {reason}"))];
    }
    let stage = draft::next_stage(workflow, state);
    match (&state.standing, stage) {
        (Standing::Finished, _) => {
            let command = format!("orch task close {id} --outcome completed --reason …");
            vec![found(coordinator, "-", command, "every stage is done".into())]
        }
        (Standing::Delivered(name), _) => {
            let why = format!("stage {name} waits for its gate");
            vec![found(coordinator, name.as_str(), format!("orch gate {id}"), why)]
        }
        (Standing::Running(name), Some(stage)) => {
            let agent = state.active_run().map(|run| run.agent.clone());
            let branch = state.active_run().and_then(|run| run.branch.clone());
            let on = branch.map(|branch| format!(" on {branch}")).unwrap_or_default();
            let why = format!("stage {name} goes on{on}; when its work is done");
            vec![found(agent, name.as_str(), ending(stage, id.as_str()), why)]
        }
        (Standing::Ready(_), Some(stage)) => start(world, policy, ledger, state, stage, at),
        _ => Vec::new(),
    }
}

fn ending(stage: &Stage, id: &str) -> String {
    if stage.kind == StageKind::Audit {
        let tests = stage.tests.iter().map(|test| format!(" --test {test}=PASS"));
        return format!("orch audit report {id} --verdict PASS{}", tests.collect::<String>());
    }
    let globs = stage.produces.iter().filter(|(_, produce)| !produce.optional);
    let globs = globs.map(|(name, produce)| format!("{name} in {}", produce.glob.as_str()));
    let produced = globs.collect::<Vec<_>>().join(", ");
    let wanted = if produced.is_empty() { String::new() } else { format!("  # {produced}") };
    format!("orch handoff create {id}{wanted}")
}

/// Asks the checks whether a run may begin; if not, tells what stands in the way, and what a
/// person could do about it.
fn start(
    world: &World,
    policy: &Policy,
    ledger: &LedgerView,
    state: &State,
    stage: &Stage,
    at: Moment,
) -> Vec<Suggestion> {
    let id = &state.task.task_id;
    let mut run = draft::run(world, state, stage);
    run.branch = draft::branch(policy, state, &run, at);
    let agent = run.agent.clone();
    // Each agent has a context of its own; what it is called does not matter to a suggestion.
    let session = Some(format!("context of {agent}"));
    let author = Author { actor: agent.clone(), session, branch: run.branch.clone(), at };
    let suggestion = |command: Option<String>, why: String, help: Option<String>| Suggestion {
        task_id: id.to_string(),
        agent: Some(agent.clone()),
        stage: stage.name.to_string(),
        command,
        why,
        help,
    };
    let payload = run.into();
    let Ok((record, _)) =
        draft::record(Some(ledger), None, &ledger.home, &payload, policy, &author)
    else {
        return Vec::new();
    };
    let report = checks::judge(world, ledger, &record);
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let mut all: Vec<Suggestion> = errors
        .map(|finding| {
            let why = format!("stage {} can't start: {}", stage.name, finding.message);
            suggestion(None, why, Some(finding.help.clone()))
        })
        .collect();
    if all.is_empty() {
        let why = format!("stage {} is ready", stage.name);
        return vec![suggestion(Some(format!("orch run start {id}")), why, None)];
    }
    let owed = report.findings.iter().any(|finding| finding.check == "approval-missing");
    if let (true, Some(person)) = (owed, &stage.approval) {
        let command = format!("orch approve {id} --stage {} --statement …", stage.name);
        let why = format!("stage {} waits for your approval", stage.name);
        all.push(Suggestion {
            agent: Some(person.clone()),
            ..suggestion(Some(command), why, None)
        });
    }
    all
}
