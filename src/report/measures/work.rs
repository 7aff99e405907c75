//! What was done: runs, failures, handovers, audits and deployments.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Histogram, Tasks};
use crate::ledger::{RunStanding, State};
use crate::policy::StageKind;
use crate::record::kind::{FailureClass, GateVerdict, RunStatus, Verdict};
use crate::record::{Home, Payload};
use crate::report::debts::awaits_audit;
use crate::report::metrics::ratio;
use crate::report::runs::{RunResult, ended};
use crate::source::{AgentName, LaneName, Moment, StageName, TaskId, WorkflowName};
use crate::world::World;

/// Runs of one stage in one lane that ended in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageRuns {
    /// The workflow of their tasks.
    pub workflow: WorkflowName,
    /// The stage.
    pub stage: StageName,
    /// The lane that they worked in.
    pub lane: LaneName,
    /// How they ended: delivered, failed, overtaken by a return of the task, or abandoned with it.
    pub result: RunResult,
    /// How long they took.
    pub durations: Histogram,
}

/// Runs of one agent that ended, however they did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentRuns {
    /// The agent.
    pub agent: AgentName,
    /// How long they took.
    pub durations: Histogram,
}

/// Failures, or retries, of one class in one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// The workflow.
    pub workflow: WorkflowName,
    /// The stage.
    pub stage: StageName,
    /// The class of the failure.
    pub class: FailureClass,
    /// How many.
    pub count: u64,
}

/// Ways from one stage to the run of the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handovers {
    /// The stage that handed over.
    pub from_stage: StageName,
    /// The stage that took over.
    pub to_stage: StageName,
    /// The lane that it came from.
    pub from_lane: LaneName,
    /// The lane that it went to.
    pub to_lane: LaneName,
    /// How long it lay between them.
    pub latency: Histogram,
}

/// How audits went, and how many are owed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audits {
    /// Reports that say PASS.
    pub passed: u64,
    /// Reports that say FAIL.
    pub failed: u64,
    /// Reports that say PASS, of all; none if there are none.
    pub pass_rate: Option<f64>,
    /// Open tasks that wait for an audit, by their ids: one was asked for and not given since, or a stage
    /// that is an audit is to be done (R000-55).
    pub pending: Vec<TaskId>,
}

/// How deployments went: handoffs and failures of stages whose kind is `deploy`, by today's policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deployments {
    /// Handoffs that passed their gate.
    pub succeeded: u64,
    /// Runs that failed, and handoffs that were sent back before their gate passed.
    pub failed: u64,
    /// Tasks that incidents took back, once for each time.
    pub rolled_back: u64,
    /// Those that succeeded, of those of which this is known; none if there are none.
    pub success_rate: Option<f64>,
}

/// Gives how long runs took, by stage and by agent.
pub(super) fn runs(world: &World, tasks: &Tasks<'_>) -> (Vec<StageRuns>, Vec<AgentRuns>) {
    let mut stages: BTreeMap<_, Histogram> = BTreeMap::new();
    let mut agents: BTreeMap<&AgentName, Histogram> = BTreeMap::new();
    let incidents =
        world.ledgers.values().filter(|ledger| tasks.whole && ledger.incident().is_some());
    for ledger in tasks.all.iter().map(|(ledger, _)| *ledger).chain(incidents) {
        for ended in ended(ledger) {
            let task = ended.run.task.as_ref().or(ledger.home.id());
            let Some(state) = task.and_then(|task| world.task(task)) else { continue };
            let (stage, lane) = (&ended.run.stage, &ended.run.lane);
            let key = (&state.task.workflow, stage, lane, ended.result);
            stages.entry(key).or_default().add(ended.seconds());
            agents.entry(&ended.run.agent).or_default().add(ended.seconds());
        }
    }
    let stages = stages.into_iter().map(|((workflow, stage, lane, result), durations)| {
        let (workflow, stage, lane) = (workflow.clone(), stage.clone(), lane.clone());
        StageRuns { workflow, stage, lane, result, durations }
    });
    let agents = agents.into_iter();
    let agents = agents.map(|(agent, durations)| AgentRuns { agent: agent.clone(), durations });
    (stages.collect(), agents.collect())
}

type Counted<'w> = BTreeMap<(&'w WorkflowName, &'w StageName, FailureClass), u64>;

/// Gives the runs that failed, and those that began again behind one that had, by class.
pub(super) fn failures(tasks: &Tasks<'_>) -> (Vec<Failures>, Vec<Failures>) {
    let (mut failed, mut retried) = (Counted::new(), Counted::new());
    for (_, state) in &tasks.all {
        for (index, run) in state.runs.iter().enumerate() {
            if let RunStanding::Failed(known) = &run.standing {
                let key = (&state.task.workflow, &run.stage, known.failure.class);
                *failed.entry(key).or_default() += 1;
            }
            let mut earlier = state.runs[..index].iter().rev();
            let before = earlier.find(|known| known.run_id == run.run_id);
            if let Some(RunStanding::Failed(known)) = before.map(|before| &before.standing) {
                let key = (&state.task.workflow, &run.stage, known.failure.class);
                *retried.entry(key).or_default() += 1;
            }
        }
    }
    (rows(failed), rows(retried))
}

fn rows(counted: Counted<'_>) -> Vec<Failures> {
    let rows = counted.into_iter().map(|((workflow, stage, class), count)| {
        let (workflow, stage) = (workflow.clone(), stage.clone());
        Failures { workflow, stage, class, count }
    });
    rows.collect()
}

/// What was handed over and has not been taken up.
struct Handed<'w> {
    stage: &'w StageName,
    lane: LaneName,
    at: Moment,
}

/// Gives how long it took from one stage to the next.
pub(super) fn handovers(tasks: &Tasks<'_>) -> Vec<Handovers> {
    let mut found: BTreeMap<_, Histogram> = BTreeMap::new();
    for (ledger, _) in &tasks.all {
        let mut handed: Option<Handed<'_>> = None;
        for (index, record) in ledger.records.iter().enumerate() {
            let at = record.entry.recorded_at;
            match &record.payload {
                Payload::Handoff(_) | Payload::AuditReport(_) => {
                    let run = ledger.before(index).and_then(State::active_run);
                    handed =
                        run.map(|run| Handed { stage: &run.stage, lane: run.lane.clone(), at });
                }
                Payload::Run(run) if run.status == RunStatus::InProgress => {
                    if let Some(from) = handed.take().filter(|from| *from.stage != run.stage) {
                        let key = (from.stage, &run.stage, from.lane, &run.lane);
                        let seconds = at.since(from.at).num_seconds().max(0);
                        found.entry(key).or_default().add(seconds);
                    }
                }
                Payload::Gate(gate) if gate.verdict == GateVerdict::Fail => handed = None,
                Payload::Rejection(_) | Payload::FailureResponse(_) => handed = None,
                _ => {}
            }
        }
    }
    let rows = found.into_iter().map(|((from_stage, to_stage, from_lane, to_lane), latency)| {
        let (from_stage, to_stage) = (from_stage.clone(), to_stage.clone());
        Handovers { from_stage, to_stage, from_lane, to_lane: to_lane.clone(), latency }
    });
    rows.collect()
}

/// Gives how audits went, and which are owed.
pub(super) fn audits(world: &World, tasks: &Tasks<'_>) -> Audits {
    let count = |verdict: Verdict| {
        let audits = tasks.all.iter().flat_map(|(_, state)| &state.audits);
        audits.filter(|audit| audit.verdict == verdict).count() as u64
    };
    let (passed, failed) = (count(Verdict::Pass), count(Verdict::Fail));
    let pending = tasks.open().filter(|(ledger, state)| awaits_audit(world, ledger, state));
    Audits {
        passed,
        failed,
        pass_rate: ratio(passed as f64, (passed + failed) as f64),
        pending: pending.map(|(_, state)| state.task.task_id.clone()).collect(),
    }
}

/// Gives how deployments went.
pub(super) fn deployments(world: &World, tasks: &Tasks<'_>) -> Deployments {
    let (mut succeeded, mut failed, mut rolled_back) = (0, 0, 0);
    for (_, state) in &tasks.all {
        let deploys = |stage: &StageName| {
            let stage = world.policy.stage(&state.task.workflow, stage);
            stage.is_some_and(|stage| stage.kind == StageKind::Deploy)
        };
        for delivery in state.deliveries.iter().filter(|delivery| deploys(&delivery.stage)) {
            succeeded += u64::from(delivery.passed);
            failed += u64::from(!delivery.passed && !delivery.live);
        }
        let runs = state.runs.iter().filter(|run| deploys(&run.stage));
        let lost = runs.filter(|run| matches!(run.standing, RunStanding::Failed(_)));
        failed += lost.count() as u64;
        rolled_back += times_taken_back(world, &state.task.task_id);
    }
    let success_rate = ratio(succeeded as f64, (succeeded + failed) as f64);
    Deployments { succeeded, failed, rolled_back, success_rate }
}

fn times_taken_back(world: &World, task: &TaskId) -> u64 {
    let ledgers = world.ledgers.iter().filter(|(home, _)| matches!(home, Home::Incident(_)));
    let incidents = ledgers.filter_map(|(_, ledger)| ledger.incident());
    incidents.flat_map(|state| &state.rolled_back).filter(|known| *known == task).count() as u64
}
