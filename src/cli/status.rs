//! `orch status`: the board, or one task's ledger as a story.

use std::path::PathBuf;

use serde_json::json;

use super::Stop;
use super::board;
use super::context::{Context, View};
use super::elsewhere::ahead;
use super::ledger::Writing;
use super::output::{id, json as print_json, say, say_each, table};
use super::suggest::{Suggestion, freezes, further_elsewhere, stalled, suggest};
use crate::draft;
use crate::ledger::{Standing, State, Summary};
use crate::policy::Stage;
use crate::render::Format;
use crate::report::{is_blocked, spelled, told, waits};
use crate::source::{Moment, TaskId};
use crate::world::World;

/// Show the board, or one task's ledger as a story.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What is written into a file has moments and no ages, so that it changes only when \
                        the ledgers do.\nExample: orch status strat-001\nExample: orch status --write \
                        CLAUDE.md"
)]
pub(super) struct Status {
    /// The task; without it, the board
    #[arg(value_parser = id::<TaskId>)]
    task: Option<TaskId>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
    /// Write the board into a file as Markdown, between marked lines, and leave the rest of it alone
    #[arg(long, value_name = "FILE", conflicts_with = "task")]
    write: Option<PathBuf>,
    #[command(flatten)]
    writing: Writing,
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match &self.task {
            Some(task) => story(context, task, self.format),
            None => match &self.write {
                Some(file) => board::write(context, file, self.writing),
                None => board::show(context, self.format),
            },
        }
    }
}

/// Prints every task, a line each, and every halt that stands.
pub(super) fn list(context: &Context, closed: bool, format: Format) -> Result<(), Stop> {
    let mut view = View::of_all(context, false)?;
    let mut ended = Some(Vec::new());
    if closed {
        ended = crate::world::ended(&view.repository, view.proposal.agreed, &view.world)?;
        if ended.is_none() {
            view = View::of_all(context, true)?;
        }
    }
    let rows = rows(&view.world, ended.unwrap_or_default(), closed, context.at());
    if format == Format::Json {
        let rows: Vec<_> = rows.iter().map(|(task, now)| summed_up(task, now)).collect();
        print_json(&rows);
        return Ok(());
    }
    super::freezes::freezes(&view, context.at());
    if rows.is_empty() {
        let which = if closed { "no tasks" } else { "no open tasks" };
        say(format!("{which}; open one: orch task open ID --workflow NAME --title TEXT"));
        return Ok(());
    }
    let heading =
        ["TASK", "WORKFLOW", "STAGE", "STANDS", "WHO", "LAST"].map(str::to_owned).to_vec();
    let rows = rows.into_iter().map(|(task, now)| {
        vec![
            task.task_id.to_string(),
            task.workflow.to_string(),
            now.stage,
            now.stands,
            now.who,
            task.last_at.to_string(),
        ]
    });
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    tell_rests(&view, context.at());
    Ok(())
}

/// Gives the tasks of a world and others that have ended, in the order of their ids.
fn rows(world: &World, ended: Vec<Summary>, closed: bool, at: Moment) -> Vec<(Summary, Now)> {
    let states = world.ledgers.values().filter_map(|ledger| ledger.state());
    let states = states.filter(|state| closed || state.closed.is_none());
    let mut rows: Vec<(Summary, Now)> =
        states.map(|state| (Summary::of(state), Now::of(world, state, at))).collect();
    rows.extend(ended.into_iter().map(|task| {
        let now = Now::ended(world, &task);
        (task, now)
    }));
    rows.sort_by(|(a, _), (b, _)| a.task_id.cmp(&b.task_id));
    rows
}

/// Tells below a list of tasks which are frozen and who lifts that, and which are stalled.
pub(super) fn tell_rests(view: &View, at: Moment) {
    let policy = view.policy();
    let ledgers = view.world.ledgers.values();
    let open = ledgers.filter_map(|ledger| Some((ledger, ledger.state()?)));
    let open: Vec<_> = open.filter(|(_, state)| state.closed.is_none()).collect();
    let frozen = open.iter().flat_map(|(_, state)| freezes(&view.world, &policy, state));
    say_each(frozen.flat_map(|found| on_board(&found)));
    say_each(
        open.iter()
            .filter_map(|(ledger, state)| Some((state, stalled(&policy, ledger, at)?)))
            .flat_map(|(state, why)| {
                let id = &state.task.task_id;
                [format!("{id} is stalled: {why}"), format!("    orch status {id}")]
            }),
    );
}

/// A freeze below the board: who lifts it, and what to type.
fn on_board(found: &Suggestion) -> [String; 2] {
    let who = found.agent.as_ref().map_or("nobody", |agent| agent.as_str());
    let command = found.command.as_deref().unwrap_or_default();
    [format!("{} is {}", found.task_id, found.why), format!("    {who} lifts it: {command}")]
}

/// Where a task stands, in words.
pub(super) struct Now {
    pub(super) stage: String,
    pub(super) stands: String,
    pub(super) who: String,
}

impl Now {
    /// Of a task that has ended, as it was when it did.
    fn ended(world: &World, task: &Summary) -> Self {
        let workflow = world.policy.workflows.get(&task.workflow);
        let stage = workflow.and_then(|workflow| draft::stage_at(workflow, &task.standing));
        let outcome = task.closed.map(|outcome| spelled(&outcome)).unwrap_or_default();
        Now {
            stage: stage.map_or("-".into(), |stage| stage.name.to_string()),
            stands: format!("closed: {outcome}"),
            who: "-".into(),
        }
    }

    pub(super) fn of(world: &World, state: &State, at: Moment) -> Self {
        let policy = &world.policy;
        let stage = draft::due_stage(policy, state);
        let coordinator =
            || policy.agents_who(|agent| agent.coordinator).first().map(ToString::to_string);
        let agent = || stage.map(|stage| draft::agent(policy, state, stage).clone());
        let waiting = match is_blocked(world, state) {
            true => None,
            false => waits(world, state, &|_| None),
        };
        let stands = match (&state.closed, &state.paused, &state.blocked, &state.standing) {
            (Some(outcome), ..) => format!("closed: {}", spelled(outcome)),
            (_, Some(pause), ..) => format!("paused: {}", pause.reason),
            (_, _, Some(reason), _) => format!("blocked: {reason}"),
            (.., Standing::Ready(_)) => {
                let waiting = waiting.as_ref().map(|waits| &*waits.words);
                ready(world, state, (stage, waiting), at)
            }
            (.., Standing::Running(_)) => "running".into(),
            (.., Standing::Delivered(_)) => "waits for its gate".into(),
            (.., Standing::Finished) => "finished, to be closed".into(),
        };
        let who = match &state.standing {
            _ if state.closed.is_some() => None,
            Standing::Ready(_) => match waiting {
                Some(waits) => waits.next.map(|agent| agent.to_string()),
                None => agent().map(|agent| agent.to_string()),
            },
            Standing::Running(_) => state.active_run().map(|run| run.agent.to_string()),
            Standing::Delivered(_) | Standing::Finished => coordinator(),
        };
        Now {
            stage: stage.map_or("-".into(), |stage| stage.name.to_string()),
            stands,
            who: who.unwrap_or_else(|| "-".into()),
        }
    }
}

/// What a task waits for that is ready by itself.
fn ready(
    world: &World,
    state: &State,
    (stage, waits): (Option<&Stage>, Option<&str>),
    at: Moment,
) -> String {
    let mut halts = world.survey.halts.iter();
    let halt = halts.find(|halt| halt.stands_at(at) && halt.concerns(&world.policy, state));
    match (world.unsettled(state).next(), halt) {
        (Some(escalated), _) => format!("escalated: {}", escalated.escalation.trigger),
        (_, Some(halt)) => format!("halted by {}", halt.id),
        _ if waits.is_some() => waits.unwrap_or_default().to_owned(),
        _ if stage.is_some_and(|stage| state.has_failed(&stage.name)) => "failed".into(),
        _ => "ready".into(),
    }
}

pub(super) fn as_json(world: &World, state: &State, at: Moment) -> serde_json::Value {
    summed_up(&Summary::of(state), &Now::of(world, state, at))
}

fn summed_up(task: &Summary, now: &Now) -> serde_json::Value {
    json!({
        "task_id": task.task_id,
        "title": task.title,
        "workflow": task.workflow,
        "priority": task.priority,
        "depends_on": task.depends_on,
        "stage": now.stage,
        "stands": now.stands,
        "who": now.who,
        "opened_at": task.opened_at,
        "last_at": task.last_at,
        "closed": task.closed,
        "run_id": task.run_id,
        "issues": task.issues,
        "escalated": task.escalated,
        "paused": task.paused,
        "blocked": task.blocked,
    })
}

/// Prints one task's ledger, an entry a line, and where it stands.
pub(super) fn story(context: &Context, id: &TaskId, format: Format) -> Result<(), Stop> {
    let view = View::of(context, &[id])?;
    let (ledger, state) = view.task(id)?;
    let policy = view.policy();
    if format == Format::Json {
        let entries = ledger.records.iter().map(|record| {
            json!({
                "path": record.repo_path(), "kind": record.payload.word(),
                "payload": record.payload, "entry": record.entry, "digest": record.digest,
            })
        });
        let mut task = as_json(&view.world, state, context.at());
        task["entries"] = entries.collect();
        task["next"] = json!(suggestions(context, &view, id)?);
        print_json(&task);
        return Ok(());
    }
    say(format!("{}: {} ({})", id, state.task.title, state.task.workflow));
    for record in &ledger.records {
        let when = record.entry.recorded_at;
        say(format!("{:04}  {when}  {}  {}", record.sequence(), record.entry.actor, told(record)));
        if let Some(settlement) = view.world.settled.get(&(id.clone(), record.sequence())) {
            say(format!("      settled by {}", settlement.path));
        }
    }
    let now = Now::of(&view.world, state, context.at());
    say(match state.closed.is_some() {
        true => format!("now: {}", now.stands),
        false => format!("now: stage {}, {} ({})", now.stage, now.stands, now.who),
    });
    if let Some(why) = stalled(&policy, ledger, context.at()) {
        say(format!("stalled: {why}"));
    }
    if view.world.survey.rolled_back.contains(id) {
        say("what it delivered was rolled back: orch incident list --all");
    }
    for issue in state.open_issues() {
        let word = match view.world.overturned(state).contains(issue.id.as_str()) {
            true => "overturned",
            false => "open",
        };
        say(format!(
            "{word}: {} {} {}: {}",
            issue.id,
            spelled(&issue.severity),
            issue.location,
            issue.description
        ));
    }
    for found in &suggestions(context, &view, id)? {
        tell(found);
    }
    Ok(())
}

/// Gives what could be done about a task, here or where it is further; nothing once it is closed.
fn suggestions(context: &Context, view: &View, id: &TaskId) -> Result<Vec<Suggestion>, Stop> {
    let (ledger, state) = view.task(id)?;
    let policy = view.policy();
    if state.closed.is_some() {
        return Ok(Vec::new());
    }
    Ok(match ahead(context, view, Some(id))?.get(id) {
        Some(ahead) => vec![further_elsewhere(&policy, id, ahead)],
        None => suggest(&view.world, &policy, ledger, state, context.asker(&policy)),
    })
}

/// One suggestion below a story: what for, whose, and what to type.
fn tell(found: &Suggestion) {
    let who = found.agent.as_ref().map(|agent| format!(" ({agent})")).unwrap_or_default();
    say(format!("next: {}{who}", found.why));
    for line in found.command.iter().chain(&found.help) {
        say(format!("    {line}"));
    }
}
