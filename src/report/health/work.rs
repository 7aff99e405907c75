//! What agents do, and how far the work gets.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{AgentStanding, Component, Reason, open, span, tasks};

use crate::ledger::{RunState, State};
use crate::policy::StageKind;
use crate::record::kind::{GateVerdict, RunStatus, Verdict};
use crate::record::{Payload, Record};
use crate::report::debts::awaits_audit;
use crate::report::queues;
use crate::source::{AgentName, Moment, StageName, TaskId, WorkflowName, many};
use crate::world::{LedgerView, World};

/// A run, and how long it took or takes.
struct Timed<'w> {
    task: &'w TaskId,
    run: &'w RunState,
    took: TimeDelta,
    /// Longer is too long: as long as its stage may take, else the policy's `response_time`.
    limit: TimeDelta,
    goes_on: bool,
}

/// Gives the runs that go on, and those that ended within `response_window`.
fn timed(world: &World) -> Vec<Timed<'_>> {
    let thresholds = &world.policy.health.thresholds;
    let mut found = Vec::new();
    for (ledger, state) in tasks(world) {
        let task = &state.task.task_id;
        let limit = |stage: &StageName| {
            let stage = world.policy.stage(&state.task.workflow, stage);
            stage.and_then(|stage| stage.timeout).unwrap_or(thresholds.response_time.0)
        };
        let active = state.active_run().filter(|_| state.closed.is_none());
        found.extend(active.map(|run| {
            let took = world.at.since(run.started);
            Timed { task, run, took, limit: limit(&run.stage), goes_on: true }
        }));
        for run in &state.runs {
            let ended = ended(ledger, run);
            let ended = ended.filter(|(at, _)| world.at.since(*at) <= thresholds.response_window.0);
            found.extend(ended.map(|(_, took)| Timed {
                task,
                run,
                took,
                limit: limit(&run.stage),
                goes_on: false,
            }));
        }
    }
    found
}

/// Gives when a run's work ended, and how long it took: as its entry measured it, else from its beginning.
fn ended(ledger: &LedgerView, run: &RunState) -> Option<(Moment, TimeDelta)> {
    let behind = ledger.records.iter().filter(|record| record.sequence() > run.sequence);
    let (at, measured) = behind.into_iter().find_map(|record| {
        let at = record.entry.recorded_at;
        match &record.payload {
            Payload::Run(said) if said.run_id == run.run_id && ends(said.status) => {
                Some((at, said.duration_seconds))
            }
            Payload::Handoff(said) if said.run_id == run.run_id => Some((at, None)),
            Payload::AuditReport(_) => Some((at, None)),
            _ => None,
        }
    })?;
    let seconds = measured.and_then(|seconds| i64::try_from(seconds).ok());
    let took = seconds.and_then(TimeDelta::try_seconds).unwrap_or_else(|| at.since(run.started));
    Some((at, took))
}

fn ends(status: RunStatus) -> bool {
    matches!(status, RunStatus::Failed | RunStatus::Succeeded)
}

/// Every invocation is answered in time (R000-54).
pub(super) fn agents_responsive(world: &World) -> Component {
    let timed = timed(world);
    let slow = timed.iter().filter(|timed| timed.took > timed.limit);
    let reasons = slow.map(|timed| {
        let Timed { task, run, took, limit, goes_on } = timed;
        let verb = if *goes_on { "goes on for" } else { "took" };
        let message = format!(
            "{} {verb} {} in stage {} of {task}, more than {}",
            run.agent,
            span(*took),
            run.stage,
            span(*limit)
        );
        let help = match goes_on {
            true => format!(
                "see `orch status {task}`; if it hangs: `orch run fail {task} --class transient \
                 --reason stalled`"
            ),
            false => format!("see `orch status {task}`"),
        };
        Reason::degraded(message, help)
    });
    let active = timed.iter().filter(|timed| timed.goes_on).count();
    let window = span(world.policy.health.thresholds.response_window.0);
    let told = {
        let go_on = if active == 1 { "goes on" } else { "go on" };
        let ended = timed.len() - active;
        format!("{} {go_on}, {ended} ended within {window}", many(active, "run"))
    };
    let reasons: Vec<Reason> = reasons.collect();
    let numbers = [
        ("active_runs", active),
        ("ended_runs", timed.len() - active),
        ("slow_runs", reasons.len()),
    ];
    Component::of("agents_responsive", told, reasons).with(numbers)
}

/// Gives how every agent of the policy does.
pub(super) fn agents(world: &World) -> BTreeMap<AgentName, AgentStanding> {
    let known = world.policy.agents.keys().map(|name| (name.clone(), AgentStanding::default()));
    let mut agents: BTreeMap<_, _> = known.collect();
    for timed in timed(world) {
        let standing = agents.entry(timed.run.agent.clone()).or_default();
        standing.active_runs += usize::from(timed.goes_on);
        standing.slow_runs += usize::from(timed.took > timed.limit);
    }
    agents
}

/// No open task rests too long (R000-58).
pub(super) fn tasks_progressing(world: &World) -> Component {
    let limit = world.policy.escalation.stalled_after;
    let all: Vec<&State> = open(world).map(|(_, state)| state).collect();
    let stalled = all.iter().filter(|state| world.at.since(state.last_at) > limit);
    let reasons = stalled.map(|state| {
        let id = &state.task.task_id;
        let rest = span(world.at.since(state.last_at));
        let message = format!("nothing was done about {id} for {rest}, more than {}", span(limit));
        Reason::degraded(
            message,
            format!("see what was done last, and what is next: `orch status {id}`"),
        )
    });
    let reasons: Vec<Reason> = reasons.collect();
    let numbers = [("open_tasks", all.len()), ("stalled_tasks", reasons.len())];
    Component::of("tasks_progressing", many(all.len(), "open task"), reasons).with(numbers)
}

/// Audits are given, and not too many fail (R000-55, R000-56).
pub(super) fn audits(world: &World) -> Component {
    let thresholds = &world.policy.health.thresholds;
    let pending: BTreeSet<&TaskId> = open(world)
        .filter(|(ledger, state)| awaits_audit(world, ledger, state))
        .map(|(_, state)| &state.task.task_id)
        .collect();
    let mut reasons = Vec::new();
    if pending.len() > thresholds.pending_audits {
        let names: Vec<&str> = pending.iter().map(|id| id.as_str()).collect();
        let (count, most) = (pending.len(), thresholds.pending_audits);
        let audits = if count == 1 { "1 audit is" } else { &format!("{count} audits are") };
        let message = format!("{audits} pending, more than {most}: {}", names.join(", "));
        reasons.push(Reason::degraded(message, "the auditor sees them all: `orch next --all`"));
    }
    let window = thresholds.audit_window.0;
    let given = tasks(world).flat_map(|(_, state)| &state.audits);
    let given: Vec<_> = given.filter(|audit| world.at.since(audit.date) <= window).collect();
    let failed = given.iter().filter(|audit| audit.verdict == Verdict::Fail).count();
    if failed as f64 > thresholds.failed_audit_ratio * given.len() as f64 {
        let message = format!(
            "{failed} of {} within {} failed, more than {} %",
            many(given.len(), "audit"),
            span(window),
            (thresholds.failed_audit_ratio * 100.0).round()
        );
        reasons.push(Reason::degraded(message, "read what they found: `orch audit list`"));
    }
    let told = format!(
        "{} pending, {failed} of {} failed within {}",
        pending.len(),
        given.len(),
        span(window)
    );
    let numbers = [("pending", pending.len()), ("given", given.len()), ("failed", failed)];
    Component::of("audits", told, reasons).with(numbers)
}

/// What goes live gets there (R000-57).
pub(super) fn deployments(world: &World) -> Component {
    let thresholds = &world.policy.health.thresholds;
    let window = thresholds.deployment_window.0;
    let (mut begun, mut failed) = (0, Vec::new());
    for (ledger, state) in tasks(world) {
        let recent = |record: &&Record| world.at.since(record.entry.recorded_at) <= window;
        for record in ledger.records.iter().filter(recent) {
            let deploys = |stage: &StageName| {
                let stage = world.policy.stage(&state.task.workflow, stage);
                stage.is_some_and(|stage| stage.kind == StageKind::Deploy)
            };
            let why = match &record.payload {
                Payload::Run(run) if deploys(&run.stage) => match run.status {
                    RunStatus::InProgress => {
                        begun += 1;
                        continue;
                    }
                    RunStatus::Failed => run.failure.as_ref().map(|why| why.reason.clone()),
                    _ => continue,
                },
                Payload::Gate(gate)
                    if deploys(&gate.stage) && gate.verdict == GateVerdict::Fail =>
                {
                    Some("its gate failed".to_owned())
                }
                _ => continue,
            };
            failed.push((&state.task.task_id, why.unwrap_or_default()));
        }
    }
    let (count, most) = (failed.len(), thresholds.failed_deployments);
    let mut reasons = Vec::new();
    if count > most {
        for (task, why) in &failed {
            let message = format!("a deployment of {task} failed within {}: {why}", span(window));
            reasons.push(Reason::failed(message, format!("see `orch status {task}`")));
        }
    }
    let told = format!("{begun} begun, {count} failed within {}; limit {most}", span(window));
    Component::of("deployments", told, reasons).with([("begun", begun), ("failed", count)])
}

/// No stage has too much before it (R001-27).
pub(super) fn backlog(world: &World) -> Component {
    let most = world.policy.health.thresholds.queue_depth;
    let queues = queues(world, open(world).map(|(_, state)| state));
    let mut depths: BTreeMap<(&WorkflowName, &StageName), usize> = BTreeMap::new();
    for queue in &queues {
        *depths.entry((&queue.workflow, &queue.stage)).or_default() += queue.depth as usize;
    }
    let deep = depths.iter().filter(|(_, depth)| **depth > most);
    let reasons = deep.map(|((workflow, stage), depth)| {
        let message = format!("{} for stage {stage} of {workflow}, more than {most}", wait(*depth));
        Reason::degraded(message, "see who could take them: `orch plan`")
    });
    let deepest = depths.values().max().copied().unwrap_or_default();
    let told = format!("at most {} for one stage", wait(deepest));
    let numbers = [("deepest", deepest), ("waiting", depths.values().sum())];
    Component::of("backlog", told, reasons.collect()).with(numbers)
}

fn wait(tasks: usize) -> String {
    format!("{} wait{}", many(tasks, "task"), if tasks == 1 { "s" } else { "" })
}
