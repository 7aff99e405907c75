//! `orch status`: the board, or one task's ledger as a story.

use serde_json::json;

use super::Stop;
use super::context::{Context, View};
use super::output::{id, json as print_json, say, table};
use crate::draft;
use crate::ledger::{Standing, State};
use crate::policy::Policy;
use crate::record::kind::{GateVerdict, Run, RunStatus, Verdict};
use crate::record::{Payload, Record};
use crate::render::Format;
use crate::source::TaskId;

/// Show the board, or one task's ledger as a story.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch status strat-001")]
pub(super) struct Status {
    /// The task; without it, the board
    #[arg(value_parser = id::<TaskId>)]
    task: Option<TaskId>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match &self.task {
            Some(task) => story(context, task, self.format),
            None => board(context, false, self.format),
        }
    }
}

/// Prints every task, a line each, and every halt that stands.
pub(super) fn board(context: &Context, closed: bool, format: Format) -> Result<(), Stop> {
    let view = View::of_all(context, closed)?;
    let policy = view.policy();
    let all = view.world.ledgers.values().filter_map(|ledger| ledger.state());
    let states: Vec<&State> = all.filter(|state| closed || state.closed.is_none()).collect();
    if format == Format::Json {
        let rows: Vec<_> = states.iter().map(|state| as_json(&policy, state)).collect();
        print_json(&rows);
        return Ok(());
    }
    for halt in &view.world.survey.halts {
        say(format!(
            "HALT {} ({}): {}\n  lift it: orch unhalt {} --sign-off …",
            halt.id, halt.scope, halt.reason, halt.id
        ));
    }
    if states.is_empty() {
        let which = if closed { "no tasks" } else { "no open tasks" };
        say(format!("{which}; open one: orch task open ID --workflow NAME --title TEXT"));
        return Ok(());
    }
    let heading =
        ["TASK", "WORKFLOW", "STAGE", "STANDS", "WHO", "LAST"].map(str::to_owned).to_vec();
    let rows = states.iter().map(|state| {
        let now = Now::of(&policy, state);
        vec![
            state.task.task_id.to_string(),
            state.task.workflow.to_string(),
            now.stage,
            now.stands,
            now.who,
            state.last_at.to_string(),
        ]
    });
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    Ok(())
}

/// Where a task stands, in words.
pub(super) struct Now {
    pub(super) stage: String,
    pub(super) stands: String,
    pub(super) who: String,
}

impl Now {
    pub(super) fn of(policy: &Policy, state: &State) -> Self {
        let stage = policy
            .workflows
            .get(&state.task.workflow)
            .and_then(|workflow| draft::next_stage(workflow, state));
        let coordinator =
            || policy.agents_who(|agent| agent.coordinator).first().map(ToString::to_string);
        let agent = || state.assigned.clone().or_else(|| stage.map(|stage| stage.agent.clone()));
        let stands = match (&state.closed, &state.paused, &state.blocked, &state.standing) {
            (Some(outcome), ..) => format!("closed: {}", spelled(outcome)),
            (_, Some(pause), ..) => format!("paused: {}", pause.reason),
            (_, _, Some(reason), _) => format!("blocked: {reason}"),
            (.., Standing::Ready(_)) => "ready".into(),
            (.., Standing::Running(_)) => "running".into(),
            (.., Standing::Delivered(_)) => "waits for its gate".into(),
            (.., Standing::Finished) => "finished, to be closed".into(),
        };
        let who = match &state.standing {
            _ if state.closed.is_some() => None,
            Standing::Ready(_) => agent().map(|agent| agent.to_string()),
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

fn as_json(policy: &Policy, state: &State) -> serde_json::Value {
    let now = Now::of(policy, state);
    json!({
        "task_id": state.task.task_id,
        "title": state.task.title,
        "workflow": state.task.workflow,
        "priority": state.task.priority,
        "depends_on": state.task.depends_on,
        "stage": now.stage,
        "stands": now.stands,
        "who": now.who,
        "opened_at": state.opened_at,
        "last_at": state.last_at,
        "closed": state.closed,
        "run_id": state.active_run().map(|run| run.run_id.clone()),
        "issues": state.issues,
    })
}

/// A word as records spell it.
fn spelled(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
        let mut task = as_json(&policy, state);
        task["entries"] = entries.collect();
        print_json(&task);
        return Ok(());
    }
    say(format!("{}: {} ({})", id, state.task.title, state.task.workflow));
    for record in &ledger.records {
        let when = record.entry.recorded_at;
        say(format!("{:04}  {when}  {}  {}", record.sequence(), record.entry.actor, told(record)));
    }
    let now = Now::of(&policy, state);
    say(format!("now: stage {}, {} ({})", now.stage, now.stands, now.who));
    for issue in state.issues.iter().filter(|issue| !state.answered.contains(&issue.id)) {
        say(format!(
            "open: {} {} {}: {}",
            issue.id,
            spelled(&issue.severity),
            issue.location,
            issue.description
        ));
    }
    Ok(())
}

/// What became of a run, in a few words.
fn ran(run: &Run) -> String {
    let stage = &run.stage;
    match run.status {
        RunStatus::InProgress => {
            format!("began stage {stage}, attempt {} ({})", run.attempt, run.run_id)
        }
        RunStatus::Checkpoint => {
            let name = run.checkpoint.as_ref().map(|reached| reached.name.as_str());
            format!("stage {stage} reached `{}`", name.unwrap_or_default())
        }
        RunStatus::Succeeded => format!("the command of stage {stage} succeeded"),
        RunStatus::Failed => {
            let class =
                run.failure.as_ref().map(|f| format!("{} ({})", spelled(&f.class), f.reason));
            let after = run.retry_after.map(|after| format!(", again from {after} on"));
            let (class, after) = (class.unwrap_or_default(), after.unwrap_or_default());
            format!("stage {stage} failed, attempt {}: {class}{after}", run.attempt)
        }
    }
}

/// One entry in a few words.
fn told(record: &Record) -> String {
    match &record.payload {
        Payload::Task(task) => format!("opened it: {}", task.title),
        Payload::Update(_) => "changed its terms".into(),
        Payload::Assignment(assignment) => format!("gave it to {}", assignment.agent),
        Payload::Run(run) => ran(run),
        Payload::Handoff(handoff) => {
            let count = match handoff.artifacts.len() {
                1 => "one artifact".into(),
                count => format!("{count} artifacts"),
            };
            format!("handed {count} of {} to {}: {}", handoff.stage, handoff.to, handoff.message)
        }
        Payload::Rejection(rejection) => {
            format!("rejected handoff {:04}: {}", rejection.handoff, spelled(&rejection.reason))
        }
        Payload::Message(message) => format!("told {}: {}", message.to, spelled(&message.kind)),
        Payload::Gate(gate) if gate.verdict == GateVerdict::Pass => {
            let next = gate.next_stage.as_ref().map_or("the end".into(), ToString::to_string);
            format!("gate behind {} passed, on to {next}", gate.stage)
        }
        Payload::Gate(gate) => {
            format!("gate behind {} failed: {}", gate.stage, gate.reasons.join("; "))
        }
        Payload::AuditRequest(request) => format!("asked for an audit of {}", request.version),
        Payload::AuditReport(report) => {
            let issues = if report.verdict == Verdict::Fail {
                format!(", {} issues", report.issues.len())
            } else {
                String::new()
            };
            format!("audited version {}: {}{issues}", report.version, spelled(&report.verdict))
        }
        Payload::FailureResponse(response) => format!("returned it to {}", response.returns_to),
        Payload::Approval(approval) => {
            format!("approved {}: {}", approval.stage, approval.statement)
        }
        Payload::Block(block) => format!("blocked it: {}", block.reason),
        Payload::Unblock(unblock) => format!("unblocked it: {}", unblock.reason),
        Payload::Pause(pause) => format!("paused it: {}", pause.reason),
        Payload::Resume(resume) => format!("resumed it: {}", resume.sign_off),
        Payload::Close(close) => {
            format!("closed it as {}: {}", spelled(&close.outcome), close.reason)
        }
        other => other.word().replace('_', " "),
    }
}
