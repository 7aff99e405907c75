//! What became of each task when: its runs, what was said of them, and the times in which it rested.

use std::cmp::Reverse;

use serde::Serialize;

use crate::ledger::{RunStanding, RunState, State};
use crate::record::kind::{FailureClass, GateVerdict, Outcome, Verdict};
use crate::record::{Payload, Record};
use crate::report::runs::{self, RunResult};
use crate::report::told;
use crate::source::{AgentName, LaneName, Moment, RunId, StageName, TaskId, WorkflowName};
use crate::world::{LedgerView, World};

/// How many open tasks are told, those that were touched last.
const OPEN: usize = 200;

/// How many entries of a task are told, the last ones.
const ENTRIES: usize = 30;

/// The lives of tasks: of every open one that has begun, and of those that ended last.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Lives {
    /// Open ones, the last touched first; then closed ones, the last ended first.
    pub told: Vec<Life>,
    /// Open tasks in which nothing has happened yet.
    pub not_begun: usize,
    /// Open tasks that are left out, those that were touched first.
    pub open_not_shown: usize,
    /// Closed tasks that are left out.
    pub not_shown: usize,
}

/// What became of one task when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Life {
    /// Its id.
    pub task_id: TaskId,
    /// What it is about.
    pub title: String,
    /// The workflow it travels through.
    pub workflow: WorkflowName,
    /// When it was opened.
    pub opened_at: Moment,
    /// Until when its line goes: its end, else the moment of the overview.
    pub until: Moment,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Its runs, in order.
    pub bars: Vec<Bar>,
    /// The times in which it was paused or blocked.
    pub rests: Vec<Rest>,
    /// What was said of it, in order.
    pub marks: Vec<Mark>,
    /// Its last entries, in order.
    pub entries: Vec<Entry>,
    /// How many entries stand before those.
    pub entries_before: usize,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// The stage.
    pub stage: StageName,
    /// Its id.
    pub run_id: RunId,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// Who did it.
    pub agent: AgentName,
    /// In which lane.
    pub lane: LaneName,
    /// When it began.
    pub began: Moment,
    /// When it ended; none if it goes on.
    pub ended: Option<Moment>,
    /// How it ended; none if it goes on.
    pub result: Option<RunResult>,
    /// Of which class its failure was.
    pub failure: Option<FailureClass>,
}

/// A time in which a task was paused or blocked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rest {
    /// What kept it: `paused` or `blocked`.
    pub what: &'static str,
    /// Since when.
    pub from: Moment,
    /// Until when; none if it still is.
    pub to: Option<Moment>,
}

/// Something that was said of a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// What kind of thing.
    pub kind: MarkKind,
    /// When.
    pub at: Moment,
    /// In words.
    pub words: String,
}

/// The kinds of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A gate passed.
    GatePassed,
    /// A gate failed.
    GateFailed,
    /// An audit said PASS.
    AuditPassed,
    /// An audit said FAIL.
    AuditFailed,
    /// A person approved.
    Approved,
    /// A handoff was rejected, or the task went back.
    Returned,
    /// It stopped: paused, blocked, or escalated.
    Stopped,
    /// It goes on.
    Resumed,
    /// It was closed.
    Closed,
}

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its place in the ledger.
    pub sequence: u32,
    /// When it was written.
    pub at: Moment,
    /// Who wrote it.
    pub actor: AgentName,
    /// What it says, in a few words.
    pub words: String,
}

impl Lives {
    /// Tells of every open task that has begun, and of so many closed ones.
    pub(super) fn of(world: &World, closed: usize) -> Self {
        let mut lives = Lives::default();
        let mut ended = Vec::new();
        for ledger in world.ledgers.values() {
            let Some(state) = ledger.state() else { continue };
            match state.closed {
                Some(_) => ended.push((ledger, state)),
                None if ledger.records.len() > 1 => lives.told.push(Life::of(world, ledger, state)),
                None => lives.not_begun += 1,
            }
        }
        lives.told.sort_by_key(|life| {
            (Reverse(life.entries.last().map(|entry| entry.at)), life.task_id.clone())
        });
        lives.open_not_shown = lives.told.len().saturating_sub(OPEN);
        lives.told.truncate(OPEN);
        ended.sort_by_key(|(_, state)| (Reverse(state.last_at), state.task.task_id.clone()));
        lives.not_shown = ended.len().saturating_sub(closed);
        ended.truncate(closed);
        lives.told.extend(ended.into_iter().map(|(ledger, state)| Life::of(world, ledger, state)));
        lives
    }
}

impl Life {
    fn of(world: &World, ledger: &LedgerView, state: &State) -> Self {
        let records = &ledger.records;
        let until = match state.closed {
            Some(_) => state.last_at,
            None => world.at.max(state.last_at),
        };
        let first = records.len().saturating_sub(ENTRIES);
        Life {
            task_id: state.task.task_id.clone(),
            title: state.task.title.clone(),
            workflow: state.task.workflow.clone(),
            opened_at: state.opened_at,
            until,
            outcome: state.closed,
            bars: bars(ledger, state),
            rests: rests(records),
            marks: records.iter().filter_map(mark).collect(),
            entries: records[first..].iter().map(Entry::of).collect(),
            entries_before: first,
        }
    }
}

fn bars(ledger: &LedgerView, state: &State) -> Vec<Bar> {
    let ended = runs::ended(ledger);
    let bar = |run: &RunState| {
        let end = ended.iter().find(|end| end.run.sequence == run.sequence);
        let failure = match &run.standing {
            RunStanding::Failed(failed) => Some(failed.failure.class),
            _ => None,
        };
        Bar {
            stage: run.stage.clone(),
            run_id: run.run_id.clone(),
            attempt: run.attempt,
            agent: run.agent.clone(),
            lane: run.lane.clone(),
            began: run.started,
            ended: end.map(|end| end.at),
            result: end.map(|end| end.result),
            failure,
        }
    };
    state.runs.iter().map(bar).collect()
}

/// Pauses end with a `resume`, blocks with an `unblock`, and both with the task.
fn rests(records: &[Record]) -> Vec<Rest> {
    let mut rests: Vec<Rest> = Vec::new();
    for record in records {
        let at = record.entry.recorded_at;
        let ends: &[&str] = match &record.payload {
            Payload::Pause(_) => {
                rests.push(Rest { what: "paused", from: at, to: None });
                continue;
            }
            Payload::Block(_) => {
                rests.push(Rest { what: "blocked", from: at, to: None });
                continue;
            }
            Payload::Resume(_) => &["paused"],
            Payload::Unblock(_) => &["blocked"],
            Payload::Close(_) => &["paused", "blocked"],
            _ => continue,
        };
        for rest in rests.iter_mut().filter(|rest| rest.to.is_none() && ends.contains(&rest.what)) {
            rest.to = Some(at);
        }
    }
    rests
}

fn mark(record: &Record) -> Option<Mark> {
    let kind = match &record.payload {
        Payload::Gate(gate) if gate.verdict == GateVerdict::Pass => MarkKind::GatePassed,
        Payload::Gate(_) => MarkKind::GateFailed,
        Payload::AuditReport(report) if report.verdict == Verdict::Pass => MarkKind::AuditPassed,
        Payload::AuditReport(_) => MarkKind::AuditFailed,
        Payload::Approval(_) => MarkKind::Approved,
        Payload::Rejection(_) | Payload::FailureResponse(_) => MarkKind::Returned,
        Payload::Pause(_) | Payload::Block(_) | Payload::Escalation(_) => MarkKind::Stopped,
        Payload::Resume(_) | Payload::Unblock(_) => MarkKind::Resumed,
        Payload::Close(_) => MarkKind::Closed,
        _ => return None,
    };
    Some(Mark { kind, at: record.entry.recorded_at, words: told(record) })
}

impl Entry {
    fn of(record: &Record) -> Self {
        Entry {
            sequence: record.sequence(),
            at: record.entry.recorded_at,
            actor: record.entry.actor.clone(),
            words: told(record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    fn at(minute: u32) -> Moment {
        format!("2026-11-21T10:{minute:02}:00Z").parse().expect("a moment")
    }

    /// Runs from their beginning to their end, a time of rest, and what was said, each at its moment.
    #[test]
    fn a_life_is_what_a_reader_of_the_ledger_sees() {
        let world = world(
            "
- write: {data/manifests/a.json: '{}'}
- task: {task_id: data-001, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- run: {task: data-001, entry: {recorded_at: '2026-11-21T10:05:00Z'}}
- run: {task: data-001, status: failed, failure: {class: transient, reason: network}, entry: {recorded_at: '2026-11-21T10:10:00Z'}}
- block: {task: data-001, reason: x, entry: {recorded_at: '2026-11-21T10:12:00Z'}}
- unblock: {task: data-001, reason: x, entry: {recorded_at: '2026-11-21T10:14:00Z'}}
- run: {task: data-001, entry: {recorded_at: '2026-11-21T10:15:00Z'}}
- handoff: {task: data-001, entry: {recorded_at: '2026-11-21T10:30:00Z'}}
- gate: {task: data-001, entry: {recorded_at: '2026-11-21T10:40:00Z'}}
- close: {task: data-001, outcome: completed, reason: x, entry: {recorded_at: '2026-11-21T10:41:00Z'}}
",
        );
        let lives = Lives::of(&world, 50);
        let life = &lives.told[0];
        let bars: Vec<_> = life.bars.iter().map(|bar| (bar.began, bar.ended, bar.result)).collect();
        assert_eq!(
            bars,
            [
                (at(5), Some(at(10)), Some(RunResult::Failed)),
                (at(15), Some(at(30)), Some(RunResult::Delivered)),
            ]
        );
        assert_eq!(life.bars[0].failure, Some(FailureClass::Transient));
        assert_eq!(life.rests, [Rest { what: "blocked", from: at(12), to: Some(at(14)) }]);
        let marks: Vec<_> = life.marks.iter().map(|mark| (mark.kind, mark.at)).collect();
        assert_eq!(
            marks,
            [
                (MarkKind::Stopped, at(12)),
                (MarkKind::Resumed, at(14)),
                (MarkKind::GatePassed, at(40)),
                (MarkKind::Closed, at(41)),
            ]
        );
        assert_eq!((life.opened_at, life.until), (at(0), at(41)));
        assert_eq!((life.entries.len(), life.entries_before), (9, 0));
    }

    /// Only so many closed tasks are told, and the rest is counted, never dropped in silence.
    #[test]
    fn what_is_left_out_is_counted() {
        let mut text = String::from("- task: {task_id: data-000, workflow: data_refresh}\n");
        for number in 1..=4 {
            text += &format!(
                "- task: {{task_id: data-00{number}, workflow: data_refresh}}\n- close: {{task: \
                 data-00{number}, outcome: abandoned, reason: x}}\n"
            );
        }
        let lives = Lives::of(&world(&text), 2);
        let ids: Vec<&str> = lives.told.iter().map(|life| life.task_id.as_str()).collect();
        assert_eq!((ids, lives.not_shown, lives.not_begun), (vec!["data-004", "data-003"], 2, 1));
    }
}
