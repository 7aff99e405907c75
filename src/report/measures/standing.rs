//! Where tasks stand, what waits for whom, and for how long.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Tasks;
use crate::draft;
use crate::ledger::{Standing, State};
use crate::report::runs::{closed_at, union};
use crate::report::{is_blocked, unanswered};
use crate::source::{AgentName, LaneName, Moment, StageName, WorkflowName};
use crate::world::{LedgerView, World};

/// Open tasks that wait for one stage to be taken up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// The workflow.
    pub workflow: WorkflowName,
    /// The stage that they stand before.
    pub stage: StageName,
    /// Its lane.
    pub lane: LaneName,
    /// Who does it: whom they were assigned to, else whom the policy names.
    pub agent: AgentName,
    /// How many: those that wait for other tasks too, those that are blocked, paused or in dispute not.
    pub depth: u64,
}

/// What was said to somebody in open tasks, and waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bus {
    /// Messages that wait for an answer.
    pub messages: u64,
    /// Handoffs and reports that wait for their gate.
    pub handoffs: u64,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// A stage is to be taken up.
    Ready,
    /// A run goes on.
    Running,
    /// A handoff, or a report, waits for its gate.
    Gate,
    /// Nothing moves until somebody says that it may: blocked, paused, or in dispute.
    Blocked,
    /// Every stage is done, and the task is yet to be closed.
    Finished,
    /// It ended.
    Closed,
}

impl Stand {
    /// Every one of them, in the order of a task's life.
    pub const ALL: [Stand; 6] =
        [Stand::Ready, Stand::Running, Stand::Gate, Stand::Blocked, Stand::Finished, Stand::Closed];

    fn of(state: &State) -> Self {
        match &state.standing {
            _ if state.closed.is_some() => Stand::Closed,
            _ if state.blocked.is_some() || state.paused.is_some() => Stand::Blocked,
            Standing::Ready(_) => Stand::Ready,
            Standing::Running(_) => Stand::Running,
            Standing::Delivered(_) => Stand::Gate,
            Standing::Finished => Stand::Finished,
        }
    }
}

/// Tasks in one state, and the time that tasks were in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InState {
    /// The state.
    pub state: Stand,
    /// How many tasks are in it.
    pub tasks: u64,
    /// How long all tasks together were in it so far, in seconds; nothing for what is closed.
    pub seconds: i64,
}

/// Gives how many tasks wait for each stage.
pub fn queues<'w>(world: &World, open: impl Iterator<Item = &'w State>) -> Vec<Queue> {
    let mut depths = BTreeMap::new();
    for (workflow, known) in &world.policy.workflows {
        for stage in &known.stages {
            depths.insert((workflow, &stage.name, &stage.lane, &stage.agent), 0);
        }
    }
    for state in open {
        let waits = matches!(state.standing, Standing::Ready(_)) && !is_blocked(world, state);
        if let Some(stage) = draft::due_stage(&world.policy, state).filter(|_| waits) {
            let agent = draft::agent(&world.policy, state, stage);
            let key = (&state.task.workflow, &stage.name, &stage.lane, agent);
            *depths.entry(key).or_default() += 1;
        }
    }
    let rows = depths.into_iter().map(|((workflow, stage, lane, agent), depth)| Queue {
        workflow: workflow.clone(),
        stage: stage.clone(),
        lane: lane.clone(),
        agent: agent.clone(),
        depth,
    });
    rows.collect()
}

/// Gives what waits for somebody to take it up.
pub(super) fn bus(world: &World, tasks: &Tasks<'_>) -> Bus {
    let messages = tasks.open().map(|(ledger, _)| unanswered(&world.policy, ledger).len() as u64);
    let delivered = |state: &State| matches!(state.standing, Standing::Delivered(_));
    let handoffs = tasks.open().filter(|(_, state)| delivered(state));
    Bus { messages: messages.sum(), handoffs: handoffs.count() as u64 }
}

/// Gives where tasks stand, and how long they stood there.
pub(super) fn states(world: &World, tasks: &Tasks<'_>) -> Vec<InState> {
    let mut found = BTreeMap::from(Stand::ALL.map(|state| (state, (0, 0))));
    for (ledger, state) in &tasks.all {
        let now = if is_blocked(world, state) { Stand::Blocked } else { Stand::of(state) };
        found.entry(now).or_default().0 += 1;
        for (stand, seconds) in stood(world, ledger, state) {
            found.entry(stand).or_default().1 += seconds;
        }
    }
    let rows = found.into_iter();
    rows.map(|(state, (tasks, seconds))| InState { state, tasks, seconds }).collect()
}

/// Gives how long a task stood where, piece by piece.
fn stood(world: &World, ledger: &LedgerView, last: &State) -> Vec<(Stand, i64)> {
    let end = closed_at(ledger).unwrap_or(world.at);
    let disputes = disputes(world, last, end);
    let mut pieces = Vec::new();
    for (index, record) in ledger.records.iter().enumerate() {
        let Some(state) = ledger.before(index + 1).filter(|state| state.closed.is_none()) else {
            continue;
        };
        let from = record.entry.recorded_at;
        let next = ledger.records.get(index + 1).map_or(end, |next| next.entry.recorded_at);
        let whole = next.since(from).num_seconds().max(0);
        let stand = Stand::of(state);
        let clip = |(since, until): &(Moment, Moment)| (from.max(*since), next.min(*until));
        let disputed = disputes.iter().map(clip).filter(|(since, until)| since < until);
        let disputed = if stand == Stand::Blocked { 0 } else { union(disputed.collect()) };
        pieces.extend([(stand, whole - disputed), (Stand::Blocked, disputed)]);
    }
    pieces
}

/// Gives from when to when a task was in dispute.
fn disputes(world: &World, state: &State, end: Moment) -> Vec<(Moment, Moment)> {
    let all = state.escalations.iter().map(|escalated| {
        let name = (state.task.task_id.clone(), escalated.sequence);
        (escalated.at, world.settled.get(&name).map_or(end, |settled| settled.at))
    });
    all.collect()
}
