//! The board: every open task in the section that says what it needs, and those that ended last
//! (R002-19, R002-20, R002-27).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Handed, Waits, is_blocked, spelled, waits};
use crate::checks::each;
use crate::diagnostic::Severity;
use crate::draft;
use crate::ledger::{Standing, State};
use crate::plan::may_start;
use crate::policy::{Policy, Stage};
use crate::record::kind::{Outcome, Priority};
use crate::record::{Payload, Record};
use crate::source::{AgentName, Moment, RunId, StageName, TaskId, WorkflowName};
use crate::world::{LedgerView, World};

/// How many tasks that ended are told.
const LAST: usize = 5;

/// Every open task, by what it needs; the most urgent first, and the longest waiting among equals.
#[derive(Debug, Default, Serialize)]
pub struct Board {
    /// A run goes on.
    pub active: Vec<Row>,
    /// A run may begin.
    pub ready: Vec<Row>,
    /// Something must happen first: a gate, another task, an approval.
    pub waiting: Vec<Row>,
    /// Nothing moves until somebody says that it may.
    pub blocked: Vec<Row>,
    /// The last few that ended, latest first.
    pub done: Vec<Row>,
    /// How many more ended that `done` does not show.
    pub done_not_shown: usize,
    /// How many there are of each.
    pub counts: Counts,
}

/// How many tasks each section has; of those that ended, all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// A run goes on.
    pub active: usize,
    /// A run may begin.
    pub ready: usize,
    /// Something must happen first.
    pub waiting: usize,
    /// Nothing moves until somebody says that it may.
    pub blocked: usize,
    /// Closed.
    pub done: usize,
}

/// One task.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its id.
    pub task_id: TaskId,
    /// What it is about.
    pub title: String,
    /// The workflow it travels through.
    pub workflow: WorkflowName,
    /// How urgent it is.
    pub priority: Priority,
    /// What must be true at the end.
    pub success_criteria: Vec<String>,
    /// The stage it stands in or before.
    pub stage: Option<StageName>,
    /// Who does that stage.
    pub agent: Option<AgentName>,
    /// Since when it stands so; of one that ended, when it did.
    pub since: Moment,
    /// The run that goes on.
    pub run_id: Option<RunId>,
    /// Where it goes on, if that is not here: a branch, or a worktree.
    pub place: Option<String>,
    /// What it waits for, in words.
    pub waits_for: Option<String>,
    /// Who is next: to take over from a run, to begin one, or to give what it waits for.
    pub next: Option<AgentName>,
    /// What its last handoff says.
    pub handed: Option<Handed>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How long it took, of one that ended, in seconds.
    pub duration_seconds: Option<i64>,
}

/// A task as it stands on another branch or in another worktree, further than here.
#[derive(Debug)]
pub struct Elsewhere {
    /// Where, in words.
    pub place: String,
    /// How it stands there.
    pub state: State,
}

impl Board {
    /// Sorts the tasks of a world into sections, those that are further elsewhere as they stand there.
    pub fn of(world: &World, elsewhere: &BTreeMap<TaskId, Elsewhere>) -> Self {
        let mut board = Board::default();
        let open: BTreeSet<&TaskId> = world.survey.open.iter().collect();
        let further = |id: &TaskId| elsewhere.get(id).map(|known| &known.state);
        let ledgers = world.ledgers.values();
        let all: Vec<_> = ledgers.filter_map(|ledger| Some((ledger, ledger.state()?))).collect();
        // Each task is asked about by itself, and the answers put together.
        let parts = each(&all, |(ledger, state)| {
            let mut part = Board::default();
            match elsewhere.get(&state.task.task_id) {
                Some(known) => part.add(world, None, &known.state, Some(known), &further),
                None => part.add(world, Some(ledger), state, None, &further),
            }
            part
        });
        for part in parts {
            board.active.extend(part.active);
            board.ready.extend(part.ready);
            board.waiting.extend(part.waiting);
            board.blocked.extend(part.blocked);
            board.done.extend(part.done);
        }
        let mut closed_here = 0;
        for (_, state) in all {
            let known = world.survey.folders.contains(state.task.task_id.as_str());
            let landed = known && !open.contains(&state.task.task_id);
            closed_here += usize::from(state.closed.is_some() && !landed);
        }
        for rows in [&mut board.active, &mut board.ready, &mut board.waiting, &mut board.blocked] {
            rows.sort_by_key(|row| (row.priority, row.since, row.task_id.clone()));
        }
        board.done.sort_by_key(|row| (std::cmp::Reverse(row.since), row.task_id.clone()));
        board.done.truncate(LAST);
        board.counts = Counts {
            active: board.active.len(),
            ready: board.ready.len(),
            waiting: board.waiting.len(),
            blocked: board.blocked.len(),
            done: world.survey.folders.len() - world.survey.open.len() + closed_here,
        };
        board.done_not_shown = board.counts.done.saturating_sub(board.done.len());
        board
    }

    fn add<'w>(
        &mut self,
        world: &'w World,
        ledger: Option<&LedgerView>,
        state: &'w State,
        place: Option<&Elsewhere>,
        further: &dyn Fn(&TaskId) -> Option<&'w State>,
    ) {
        let row = Row::of(world, state, place.map(|known| &*known.place));
        let row = Row { handed: ledger.and_then(Handed::of), ..row };
        if state.closed.is_some() {
            self.done.push(ended(row, state));
        } else if is_blocked(world, state) {
            self.blocked.push(rests(row, world, ledger, state));
        } else {
            match &state.standing {
                Standing::Running(_) => self.active.push(goes_on(row, world, state)),
                Standing::Ready(_) => match obstacle(world, ledger, state, further) {
                    None => self.ready.push(Row { next: row.agent.clone(), ..row }),
                    Some((why, who)) => {
                        self.waiting.push(Row { waits_for: Some(why), next: who, ..row });
                    }
                },
                Standing::Delivered(stage) => {
                    let why = format!("the gate behind {stage}");
                    let next = coordinator(&world.policy);
                    self.waiting.push(Row { waits_for: Some(why), next, ..row });
                }
                Standing::Finished => {
                    let next = coordinator(&world.policy);
                    let why = "its end: every stage is done".to_owned();
                    self.waiting.push(Row { waits_for: Some(why), next, ..row });
                }
            }
        }
    }
}

impl Row {
    fn of(world: &World, state: &State, place: Option<&str>) -> Self {
        let stage = stage_of(&world.policy, state);
        let agent = stage.map(|stage| draft::agent(&world.policy, state, stage).clone());
        let task = &state.task;
        Row {
            task_id: task.task_id.clone(),
            title: task.title.clone(),
            workflow: task.workflow.clone(),
            priority: task.priority,
            success_criteria: task.success_criteria.clone(),
            stage: stage.map(|stage| stage.name.clone()),
            agent,
            since: state.last_at,
            run_id: None,
            place: place.map(str::to_owned),
            waits_for: None,
            next: None,
            handed: None,
            outcome: None,
            duration_seconds: None,
        }
    }
}

fn stage_of<'p>(policy: &'p Policy, state: &State) -> Option<&'p Stage> {
    draft::next_stage(policy.workflows.get(&state.task.workflow)?, state)
}

fn coordinator(policy: &Policy) -> Option<AgentName> {
    policy.agents_who(|agent| agent.coordinator).first().map(|&name| name.clone())
}

fn person(policy: &Policy) -> Option<AgentName> {
    policy.agents_who(|agent| agent.human).first().map(|&name| name.clone())
}

fn ended(row: Row, state: &State) -> Row {
    let seconds = state.last_at.since(state.opened_at).num_seconds();
    Row { outcome: state.closed, duration_seconds: Some(seconds), stage: None, agent: None, ..row }
}

fn goes_on(row: Row, world: &World, state: &State) -> Row {
    let Some(run) = state.active_run() else { return row };
    let stage = world.policy.stage(&state.task.workflow, &run.stage);
    let next = stage.map(|stage| world.policy.receiver(&state.task, stage));
    Row {
        stage: Some(run.stage.clone()),
        agent: Some(run.agent.clone()),
        since: run.started,
        run_id: Some(run.run_id.clone()),
        place: row.place.or_else(|| run.branch.as_ref().map(|name| format!("branch `{name}`"))),
        next,
        ..row
    }
}

/// Tells why a task rests, since when, and who lets it go on.
fn rests(row: Row, world: &World, ledger: Option<&LedgerView>, state: &State) -> Row {
    let dispute = world.unsettled(state).next();
    let said = |pick: fn(&Payload) -> bool| {
        let mut records = ledger?.records.iter().rev();
        records.find(|record| pick(&record.payload)).map(|record: &Record| record.entry.recorded_at)
    };
    let policy = &world.policy;
    let (why, since, next) = if let Some(pause) = &state.paused {
        let since = said(|payload| matches!(payload, Payload::Pause(_)));
        (format!("paused ({}): {}", spelled(&pause.cause), pause.reason), since, person(policy))
    } else if let Some(reason) = &state.blocked {
        let since = said(|payload| matches!(payload, Payload::Block(_)));
        (format!("blocked: {reason}"), since, coordinator(policy))
    } else {
        let trigger = dispute.map(|known| known.escalation.trigger.as_str()).unwrap_or_default();
        (format!("escalated: {trigger}"), dispute.map(|known| known.at), person(policy))
    };
    Row { waits_for: Some(why), since: since.unwrap_or(row.since), next, ..row }
}

/// Gives what keeps the next run of a task from beginning, and who can do something about it, as far
/// as that is one agent; none if nothing does, or if nobody here can tell.
fn obstacle<'w>(
    world: &'w World,
    ledger: Option<&LedgerView>,
    state: &'w State,
    further: &dyn Fn(&TaskId) -> Option<&'w State>,
) -> Option<(String, Option<AgentName>)> {
    if let Some(Waits { words, next }) = waits(world, state, further) {
        return Some((words, next));
    }
    let ledger = ledger?;
    let Some(stage) = stage_of(&world.policy, state) else {
        let why = format!("its workflow `{}`, which the policy has no more", state.task.workflow);
        return Some((why, person(&world.policy)));
    };
    let (run, report) = may_start(world, ledger, state, stage, None);
    let mut errors = report.findings.iter().filter(|found| found.severity == Severity::Error);
    let first = errors.next()?;
    let who = match first.check {
        "approval-missing" => stage.approvers.iter().flat_map(|known| &known.of).next().cloned(),
        "retry-too-soon" => Some(run.agent),
        "halt-standing" => person(&world.policy),
        _ => None,
    };
    Some((first.message.clone(), who))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    fn ids(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| row.task_id.as_str()).collect()
    }

    const ALL: &str = "
- data: {}
- task: {}
- run: {}
- task: {task_id: strat-002, depends_on: [strat-001]}
- task: {task_id: data-002, workflow: data_refresh, success_criteria: [Whole]}
- task: {task_id: data-003, workflow: data_refresh, priority: high}
- task: {task_id: data-004, workflow: data_refresh}
- block: {task: data-004, reason: No vendor}
- task: {task_id: data-005, workflow: data_refresh}
- pause: {task: data-005, cause: person, reason: Look first}
- task: {task_id: data-006, workflow: data_refresh}
- run: {task: data-006}
- handoff: {task: data-006}
- task: {task_id: data-007, workflow: data_refresh}
- escalation: {task: data-007, level: 1, trigger: What it costs, positions: [{agent: data_engineer, statement: a}, {agent: quant_engineer, statement: b}]}
- task: {task_id: data-008, workflow: data_refresh}
- close: {task: data-008, outcome: abandoned, reason: x}
";

    /// R002-19, R002-20: every task stands in one section, which tells since when, and who is next.
    #[test]
    fn every_task_stands_in_one_section() {
        let board = Board::of(&world(ALL), &BTreeMap::new());
        assert_eq!(ids(&board.active), ["strat-001"]);
        assert_eq!(ids(&board.ready), ["data-003", "data-002"], "the urgent first");
        assert_eq!(ids(&board.waiting), ["strat-002", "data-006"]);
        assert_eq!(ids(&board.blocked), ["data-004", "data-005", "data-007"]);
        assert_eq!(ids(&board.done)[..1], ["data-008"], "the last first");
        let done = board.counts.done;
        assert_eq!(board.counts, Counts { active: 1, ready: 2, waiting: 2, blocked: 3, done });
        assert_eq!(done, board.done.len());
        let next = |rows: &[Row]| -> Vec<String> {
            let names = rows.iter().map(|row| row.next.as_ref().map(ToString::to_string));
            names.map(Option::unwrap_or_default).collect()
        };
        assert_eq!(next(&board.active), ["quant_engineer"]);
        assert_eq!(next(&board.ready), ["data_engineer", "data_engineer"]);
        assert_eq!(next(&board.waiting), ["strategy_developer", "orchestrator"]);
        assert_eq!(next(&board.blocked), ["orchestrator", "founder", "founder"]);
        let why = |row: &Row| row.waits_for.clone().unwrap_or_default();
        assert_eq!(why(&board.waiting[0]), "waits for strat-001");
        assert_eq!(why(&board.waiting[1]), "the gate behind validate");
        assert_eq!(why(&board.blocked[0]), "blocked: No vendor");
        assert_eq!(why(&board.blocked[1]), "paused (person): Look first");
        assert_eq!(why(&board.blocked[2]), "escalated: What it costs");
        assert_eq!(board.done[0].outcome, Some(Outcome::Abandoned));
        assert_eq!(board.done[0].duration_seconds, Some(60));
    }

    /// A task that is further elsewhere stands where it is there.
    #[test]
    fn what_goes_on_elsewhere_is_told() {
        let here = world("- data: {}\n- task: {}\n");
        let there = world("- data: {}\n- task: {}\n- run: {}\n");
        let id: TaskId = "strat-001".parse().expect("an id");
        let state = there.task(&id).expect("it was opened").clone();
        let known = Elsewhere { place: "branch `feature/x`".into(), state };
        let board = Board::of(&here, &BTreeMap::from([(id, known)]));
        assert_eq!((ids(&board.active), ids(&board.ready)), (vec!["strat-001"], vec![]));
        assert_eq!(board.active[0].place.as_deref(), Some("branch `feature/x`"));
    }
}
