//! What an agent would say next: everything that can be derived is derived (design, principle 4).
//!
//! A draft is a proposal like any other. It is judged by the same checks before it is written.

mod emergency;
mod entry;

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{self, RunState, State};
use crate::policy::{BranchParts, Policy, Stage, Workflow};
use crate::record::kind::{
    Approval, Artifact, AuditReport, AuditTest, Failure, FailureResponse, Gate, GateVerdict,
    Handoff, HandoffStatus, Issue, Pause, PauseCause, Run, RunStatus, Verdict,
};
use crate::source::{
    AgentName, ArtifactName, Digest, LaneName, Moment, RepoPath, RunId, StageName, TaskId,
};
use crate::world::{self, Seen, World};

pub use emergency::{incident, rollback, rollback_branch, rollback_handoff, snapshot, stamp};
pub use entry::{envelope, record, renumbered, unwritten};

/// Who writes, when and where.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who says it.
    pub actor: AgentName,
    /// From which context.
    pub session: Option<String>,
    /// On which branch.
    pub branch: Option<String>,
    /// When.
    pub at: Moment,
}

/// Gives the stage that a task would run next; none if it is finished or its workflow is unknown.
pub fn next_stage<'p>(workflow: &'p Workflow, state: &State) -> Option<&'p Stage> {
    stage_at(workflow, &state.standing)
}

/// Gives the stage that a task would run next that stands so.
pub fn stage_at<'p>(workflow: &'p Workflow, standing: &ledger::Standing) -> Option<&'p Stage> {
    match standing {
        ledger::Standing::Ready(None) => Some(workflow.first()),
        ledger::Standing::Ready(Some(stage))
        | ledger::Standing::Running(stage)
        | ledger::Standing::Delivered(stage) => workflow.stage(stage),
        ledger::Standing::Finished => None,
    }
}

/// Gives the stage that a task would run next by a policy; none if it is finished or the policy does
/// not know its workflow.
pub fn due_stage<'p>(policy: &'p Policy, state: &State) -> Option<&'p Stage> {
    next_stage(policy.workflows.get(&state.task.workflow)?, state)
}

/// Gives a run of a stage: its inputs, and the id that follows from them.
pub fn run(world: &World, state: &State, stage: &Stage) -> Run {
    let inputs = world::inputs_of(world, state, stage);
    let entered = state.times_entered(&stage.name);
    let run_id = ledger::run_id(&state.task.task_id, &stage.name, &inputs, entered);
    let attempt = state.attempts(&run_id) + 1;
    let agent = agent(&world.policy, state, stage).clone();
    Run {
        checkpoint: state.checkpoint(&run_id).cloned(),
        inputs,
        ..begun(stage.name.clone(), run_id, attempt, agent, stage.lane.clone())
    }
}

/// Gives who does a stage of a task: whom it was assigned to, else whom the policy names.
pub fn agent<'a>(policy: &'a Policy, state: &'a State, stage: &'a Stage) -> &'a AgentName {
    state.assigned.as_ref().unwrap_or_else(|| policy.agent_for(&state.task, stage))
}

/// Gives a run that begins, of which no more is known than this.
fn begun(stage: StageName, run_id: RunId, attempt: u32, agent: AgentName, lane: LaneName) -> Run {
    Run {
        stage,
        run_id,
        attempt,
        agent,
        lane,
        branch: None,
        status: RunStatus::InProgress,
        inputs: Vec::new(),
        checkpoint: None,
        task_id: None,
        failure: None,
        exit_code: None,
        log: None,
        duration_seconds: None,
        retry_after: None,
        lane_state: None,
        took_over: None,
    }
}

/// Gives an entry about a run that goes on: that it reached a checkpoint, succeeded or failed.
pub fn of_run(run: &RunState, status: RunStatus) -> Run {
    let (stage, agent, lane) = (run.stage.clone(), run.agent.clone(), run.lane.clone());
    Run {
        branch: run.branch.clone(),
        status,
        task_id: run.task.clone(),
        ..begun(stage, run.run_id.clone(), run.attempt, agent, lane)
    }
}

/// Gives the entries that end a run as failed: the failure, with when it may be tried again (R001-15)
/// or, if it may not be, what its lane held; and the pause that so many failures in a row call for
/// (R001-17).
pub fn failure(
    policy: &Policy,
    state: &State,
    run: &RunState,
    failure: Failure,
    at: Moment,
    lane_state: Digest,
) -> (Run, Option<Pause>) {
    let retry = policy.retry(policy.stage(&state.task.workflow, &run.stage), failure.class);
    let attempts = state.attempts(&run.run_id);
    let again = attempts < retry.maximum_attempts;
    let in_a_row = state.failures_in_a_row(&run.stage, failure.class) + 1;
    let pause = retry.pause_after.filter(|limit| in_a_row >= *limit).map(|_| Pause {
        cause: PauseCause::RepeatedFailures,
        reason: format!("stage {} failed, {in_a_row} in a row: {}", run.stage, failure.reason),
    });
    let failed = Run {
        retry_after: again.then(|| at.plus(retry.wait(&run.run_id, attempts))),
        lane_state: (!again).then_some(lane_state),
        failure: Some(failure),
        duration_seconds: Some(at.since(run.started).num_seconds().try_into().unwrap_or_default()),
        ..of_run(run, RunStatus::Failed)
    };
    (failed, pause)
}

/// Gives the name of the branch that a run would be done on: the policy's first pattern whose
/// parts are all known. Later runs of a stage get `-2`, `-3` behind the stage's name.
pub fn branch(policy: &Policy, state: &State, run: &Run, at: Moment) -> Option<String> {
    let times = state.times_entered(&run.stage);
    let slug = if times > 1 { format!("{}-{times}", run.stage) } else { run.stage.to_string() };
    branch_of(policy, &state.task.task_id, run, &slug, at)
}

/// Writes the policy's first branch pattern whose parts are all known of a run in `id`'s ledger.
fn branch_of(policy: &Policy, id: &TaskId, run: &Run, slug: &str, at: Moment) -> Option<String> {
    let parts = BranchParts {
        lane: Some(run.lane.as_str()),
        date: Some(at),
        run_id: Some(run.run_id.as_str()),
        task_id: Some(id.as_str()),
        slug: Some(slug),
    };
    policy.branches.iter().find_map(|pattern| pattern.write(&parts))
}

/// Why the artifacts of a stage can't be told from the files alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The evidence's name.
    pub name: ArtifactName,
    /// The files that match its glob; empty if none does.
    pub matches: Vec<RepoPath>,
}

/// Chooses the files of a stage's `produces`, by name.
///
/// `chosen` wins; then the files that this branch changed; then what the task handed over before;
/// then the only match. A name of which several files remain is undecided; an optional one of
/// which none is there is left out.
pub fn collect(
    stage: &Stage,
    state: &State,
    files: &[RepoPath],
    changed: &BTreeSet<RepoPath>,
    chosen: &BTreeMap<ArtifactName, Vec<RepoPath>>,
) -> Result<Vec<(ArtifactName, RepoPath)>, Vec<Undecided>> {
    let mut collected = Vec::new();
    let mut undecided = Vec::new();
    for (name, produce) in &stage.produces {
        if let Some(paths) = chosen.get(name) {
            collected.extend(paths.iter().map(|path| (name.clone(), path.clone())));
            continue;
        }
        let matches: Vec<&RepoPath> =
            files.iter().filter(|path| produce.glob.matches(path)).collect();
        let here: Vec<&RepoPath> =
            matches.iter().copied().filter(|path| changed.contains(path)).collect();
        let before: Vec<&RepoPath> =
            matches.iter().copied().filter(|path| handed_over(state, name, path)).collect();
        let taken = [here, before].into_iter().find(|paths| !paths.is_empty()).unwrap_or(matches);
        if taken.len() == 1 || taken.iter().all(|path| changed.contains(*path)) && !taken.is_empty()
        {
            collected.extend(taken.into_iter().map(|path| (name.clone(), path.clone())));
        } else if !produce.optional {
            let matches = taken.into_iter().cloned().collect();
            undecided.push(Undecided { name: name.clone(), matches });
        }
    }
    if undecided.is_empty() { Ok(collected) } else { Err(undecided) }
}

fn handed_over(state: &State, name: &ArtifactName, path: &RepoPath) -> bool {
    let last = state
        .deliveries
        .iter()
        .rev()
        .find(|delivery| delivery.artifacts.iter().any(|artifact| artifact.name == *name));
    last.is_some_and(|delivery| {
        delivery.artifacts.iter().any(|artifact| artifact.name == *name && artifact.path == *path)
    })
}

/// Gives the run that a handoff ends: the one that goes on; else the one that should have begun,
/// so that the checks can say what is missing.
pub fn run_to_end(world: &World, state: &State, stage: &Stage) -> RunId {
    match state.active_run() {
        Some(active) => active.run_id.clone(),
        None => run(world, state, stage).run_id,
    }
}

/// Gives the handoff that completes a run.
pub fn handoff(
    policy: &Policy,
    state: &State,
    stage: &Stage,
    run_id: RunId,
    from: AgentName,
    artifacts: Vec<Artifact>,
) -> Handoff {
    let receiver = policy.receiver(&state.task, stage);
    Handoff {
        from,
        message: format!("{} is ready for {receiver}", stage.name),
        to: receiver,
        task_id: state.task.task_id.clone(),
        stage: stage.name.clone(),
        run_id,
        status: HandoffStatus::Complete,
        artifacts,
        next_steps: Vec::new(),
        resolves: Vec::new(),
        deliverables: None,
        context: None,
        changes: None,
        bundle: None,
        notes: Vec::new(),
    }
}

/// Gives the gate behind a stage, evaluated over what head holds. `next` chooses among the places
/// that a pass may lead to.
pub fn gate(
    world: &World,
    state: &State,
    stage: &Stage,
    evaluated_by: AgentName,
    next: Option<StageName>,
) -> Gate {
    let evaluation = world::evaluate(world, state, stage, Seen::Head);
    let passed = evaluation.verdict == GateVerdict::Pass;
    let delivered = state.live_delivery(&stage.name).map(|delivery| delivery.run_id.clone());
    let ran = state.runs.iter().rev().find(|run| run.stage == stage.name);
    let run_id = delivered.or(ran.map(|run| run.run_id.clone()));
    let unknown = || ledger::run_id(&state.task.task_id, &stage.name, &[], 0);
    Gate {
        stage: stage.name.clone(),
        next_stage: next.or_else(|| stage.next.first().cloned()).filter(|_| passed),
        returns_to: (!passed).then(|| stage.on_fail.clone()),
        run_id: run_id.unwrap_or_else(unknown),
        verdict: evaluation.verdict,
        evaluated_by,
        evidence: evaluation.evidence,
        conditions: evaluation.conditions,
        reasons: evaluation.reasons,
    }
}

/// Gives an audit report over everything that must be covered; a PASS names every test that the
/// stage demands, as passed, unless `tests` says otherwise.
pub fn audit_report(
    policy: &Policy,
    state: &State,
    stage: &Stage,
    author: &Author,
    verdict: Verdict,
    tests: Vec<AuditTest>,
    issues: Vec<Issue>,
) -> AuditReport {
    AuditReport {
        name: state.task.title.clone(),
        version: state.task.version.clone().unwrap_or_else(|| "1".into()),
        auditor: author.actor.clone(),
        verdict,
        date: author.at,
        covers: world::to_be_covered(policy, state, &stage.name),
        tests,
        issues,
    }
}

/// Gives the entry that returns a task whose audit failed, issues worst first (R000-42, R000-47).
pub fn failure_response(state: &State, stage: &Stage, report: &AuditReport) -> FailureResponse {
    let mut issues = report.issues.clone();
    issues.sort_by_key(|issue| issue.severity);
    let next_steps = issues.iter().map(|issue| format!("{}: {}", issue.id, issue.remediation));
    FailureResponse {
        task_id: state.task.task_id.clone(),
        verdict: Verdict::Fail,
        returns_to: stage.on_fail.clone(),
        next_steps: next_steps.chain(["Submit for audit again".to_owned()]).collect(),
        issues,
    }
}

/// Gives a person's approval of a stage, over the evidence that it would consume.
pub fn approval(
    world: &World,
    state: &State,
    stage: &Stage,
    approver: AgentName,
    statement: String,
) -> Approval {
    let covers = to_be_approved(world, state, stage);
    Approval { stage: stage.name.clone(), approver, statement, covers }
}

/// Gives what people look at before a stage begins, of the evidence that it would consume.
pub fn to_be_approved(world: &World, state: &State, stage: &Stage) -> Vec<Artifact> {
    let inputs = world::inputs_of(world, state, stage);
    world::seen_by_a_person(&inputs).into_iter().cloned().collect()
}
