//! Where each open task stands, as a plan sees it. It asks the checks, so that what it calls ready is
//! what the guard accepts.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::Expected;
use crate::checks;
use crate::diagnostic::{Report, Severity};
use crate::draft::{self, Author};
use crate::ledger::{Standing, State};
use crate::policy::{Policy, Scope, Stage};
use crate::record::Payload;
use crate::record::kind::{Outcome, Priority, Run, Task};
use crate::source::{AgentName, LaneName, StageName, TaskId};
use crate::world::{LedgerView, World};

/// An open task, before its next stage or in it.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is, with every `update` applied.
    pub task: Task,
    /// The stage that it stands before or in; none behind the last.
    pub stage: Option<StageName>,
    /// The lane of that stage.
    pub lane: Option<LaneName>,
    /// Who does that stage.
    pub agent: Option<AgentName>,
    /// Whether somebody was named for it on the record; then no backup takes it unasked.
    pub assigned: bool,
    /// The kind of task, as the policy's selection says.
    pub group: Option<String>,
    /// The files that the stage may change: what the task's own scope says of the lane, else all that
    /// the lane owns.
    pub scope: Scope,
    /// The branch of its run, or the one that its next run would be done on.
    pub branch: Option<String>,
    /// Where it stands.
    pub stands: Stands,
    /// The tasks that it depends on and that are not closed as completed.
    pub waits_for: Vec<TaskId>,
    /// The open tasks of earlier phases, which it waits for because it depends on none.
    pub behind: Vec<TaskId>,
    /// How long its remaining stages are expected to take.
    pub expected: TimeDelta,
}

/// Where an open task stands, as a plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// A run of its stage may begin.
    Ready,
    /// A run of its stage goes on.
    Running,
    /// Its stage has handed off or reported, and the coordinator's gate is next.
    Delivered,
    /// Every stage is done, and the coordinator closes it.
    Finished,
    /// Tasks that it depends on are not done.
    Waits,
    /// Something else stands in the way.
    Held(Vec<Obstacle>),
}

/// What stands in the way of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The check that says so.
    pub check: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Gives every open task of a world, in order of the ids. `elsewhere` has the states of tasks that
/// are further on another branch or in another worktree.
pub fn agenda(world: &World, elsewhere: &BTreeMap<TaskId, State>) -> Vec<Item> {
    let expected = Expected::of(world);
    let ledgers = world.ledgers.values();
    let open = ledgers.filter_map(|ledger| Some((ledger, ledger.state()?)));
    let open = open.filter(|(_, state)| state.closed.is_none());
    let items = open.map(|(ledger, state)| {
        let further = elsewhere.get(&state.task.task_id);
        item(world, ledger, further.unwrap_or(state), further.is_some(), &expected)
    });
    let mut items: Vec<Item> = items.collect();
    order_phases(&world.policy, &mut items);
    items
}

/// Puts tasks that depend on none behind those of earlier phases, in the policy's order: phases overlap
/// only where it is said what is needed, and an emergency waits for none (R002-18, R002-32).
pub(super) fn order_phases(policy: &Policy, items: &mut [Item]) {
    let order = |item: &Item| item.task.phase.as_deref().and_then(|name| policy.fleet.phase(name));
    let all: Vec<(usize, TaskId)> =
        items.iter().filter_map(|item| Some((order(item)?, item.task.task_id.clone()))).collect();
    let waits = |item: &&mut Item| {
        item.task.depends_on.is_empty() && item.task.priority != Priority::Emergency
    };
    for item in items.iter_mut().filter(waits) {
        let Some(own) = order(item) else { continue };
        let earlier = all.iter().filter(|(phase, _)| *phase < own);
        item.behind = earlier.map(|(_, id)| id.clone()).collect();
    }
}

fn item(
    world: &World,
    ledger: &LedgerView,
    state: &State,
    elsewhere: bool,
    expected: &Expected,
) -> Item {
    let policy = &*world.policy;
    let task = &state.task;
    let workflow = policy.workflows.get(&task.workflow);
    let stage = workflow.and_then(|workflow| draft::next_stage(workflow, state));
    let completed =
        |id: &TaskId| world.task(id).is_some_and(|other| other.closed == Some(Outcome::Completed));
    let waits_for: Vec<TaskId> =
        task.depends_on.iter().filter(|id| !completed(id)).cloned().collect();
    let mut next = None;
    let stands = match (&state.standing, stage) {
        _ if workflow.is_none() => Stands::Held(vec![no_workflow(state)]),
        (Standing::Ready(_), Some(_)) if elsewhere => Stands::Held(vec![is_elsewhere(state)]),
        (Standing::Ready(_), Some(stage)) => {
            let (run, report) = may_start(world, ledger, state, stage, None);
            next = run.branch;
            // What was closed, but not as completed, will never be done.
            let may_come = |id: &TaskId| world.task(id).is_some_and(|task| task.closed.is_none());
            ready(&report, !waits_for.is_empty() && waits_for.iter().all(may_come))
        }
        (Standing::Running(_), _) => Stands::Running,
        (Standing::Delivered(_), _) => Stands::Delivered,
        _ => Stands::Finished,
    };
    let agent = match state.active_run() {
        Some(run) => Some(run.agent.clone()),
        None => stage.map(|stage| draft::agent(policy, state, stage).clone()),
    };
    let lane = stage.map(|stage| stage.lane.clone());
    let globs = lane.as_ref().map(|lane| policy.scope_in(&task.scope, lane));
    Item {
        scope: Scope::new(&globs.unwrap_or_default())
            .unwrap_or_else(|_| Scope::new(&["**".to_owned()]).expect("a glob")),
        group: policy.fleet.select(&task.task_id, &task.title).and_then(|rule| rule.group.clone()),
        expected: expected.rest_of(policy, state),
        stage: stage.map(|stage| stage.name.clone()),
        assigned: state.assigned.is_some(),
        task: task.clone(),
        behind: Vec::new(),
        branch: next.or_else(|| state.runs.last().and_then(|run| run.branch.clone())),
        lane,
        agent,
        stands,
        waits_for,
    }
}

/// An agent that asks what may begin, and the session it asks from.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The agent.
    pub agent: &'a AgentName,
    /// The context it works from.
    pub session: &'a str,
}

/// Gives the run of a stage that could begin now, and what the checks say of it: begun by whoever asks in the
/// session at hand (R000-21), by any other agent in a context of its own.
pub fn may_start(
    world: &World,
    ledger: &LedgerView,
    state: &State,
    stage: &Stage,
    asker: Option<Asker<'_>>,
) -> (Run, Report) {
    let policy: &Policy = &world.policy;
    let mut run = draft::run(world, state, stage);
    run.branch = draft::branch(policy, state, &run, world.at);
    let agent = run.agent.clone();
    let own = asker.filter(|asker| *asker.agent == agent).map(|asker| asker.session.to_owned());
    let session = Some(own.unwrap_or_else(|| format!("context of {agent}")));
    let author = Author { actor: agent, session, branch: run.branch.clone(), at: world.at };
    let report = judged(world, ledger, run.clone().into(), &author);
    (run, report.unwrap_or_default())
}

/// Asks the checks about an entry that nobody has written; gives none if it can't be written at all.
pub fn judged(
    world: &World,
    ledger: &LedgerView,
    payload: Payload,
    author: &Author,
) -> Option<Report> {
    let drafted = draft::unwritten(ledger, payload, &world.policy, author);
    drafted.ok().map(|record| checks::judge(world, ledger, &record))
}

fn ready(report: &Report, waits: bool) -> Stands {
    let errors = || report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let of_others = |check| matches!(check, "dependency-open" | "evidence-missing");
    match errors().next() {
        None => Stands::Ready,
        Some(_) if waits && errors().any(|finding| of_others(finding.check)) => Stands::Waits,
        Some(_) => Stands::Held(
            errors()
                .map(|finding| Obstacle {
                    check: finding.check,
                    message: finding.message.clone(),
                    help: finding.help.clone(),
                })
                .collect(),
        ),
    }
}

fn no_workflow(state: &State) -> Obstacle {
    Obstacle {
        check: "stage-skipped",
        message: format!("the policy has no workflow `{}` any more", state.task.workflow),
        help: format!(
            "restore it in .orch/policy.yaml, or close the task: `orch task close {} --outcome \
             abandoned --reason …`",
            state.task.task_id
        ),
    }
}

fn is_elsewhere(state: &State) -> Obstacle {
    let id = &state.task.task_id;
    Obstacle {
        check: "chain-forked",
        message: format!("`{id}` is further on another branch, where it is {}", state.standing),
        help: format!(
            "merge that branch first; `orch next` names it, and `orch status {id}` tells more"
        ),
    }
}
