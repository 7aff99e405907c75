//! Where an incident stands: the fold over its ledger.

use super::run_id::run_id;
use super::state::{RunStanding, RunState};
use super::trouble::Failed;
use crate::policy::REPORT_STEP;
use crate::record::kind::{
    Incident, IncidentStep, Outcome, PlannedStep, Run, RunStatus, StepStatus,
};
use crate::record::{Payload, Record};
use crate::source::{AgentName, Moment, RunId, StageName, TaskId};

/// An incident, after some of its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentState {
    /// What it is.
    pub incident: Incident,
    /// Who opened it.
    pub opened_by: AgentName,
    /// When it was opened: what it owes counts from here.
    pub opened_at: Moment,
    /// When its last entry was recorded.
    pub last_at: Moment,
    /// The steps that did what they should, in order; the report is one of them.
    pub done: Vec<String>,
    /// The steps that failed for good when they were last taken, in order.
    pub failed: Vec<String>,
    /// When its written report was recorded.
    pub reported_at: Option<Moment>,
    /// When its post-mortem was recorded.
    pub postmortem_at: Option<Moment>,
    /// Its rollbacks, in order.
    pub runs: Vec<RunState>,
    /// The tasks that were rolled back.
    pub rolled_back: Vec<TaskId>,
    /// How it ended, if it has.
    pub closed: Option<Outcome>,
}

impl IncidentState {
    /// Gives the state behind an entry. Before the `incident` entry there is none, and entries
    /// without one change nothing.
    pub fn after(before: Option<IncidentState>, record: &Record) -> Option<IncidentState> {
        let mut state = match (&record.payload, before) {
            (Payload::Incident(incident), None) => return Some(open(incident, record)),
            (_, before) => before?,
        };
        state.last_at = record.entry.recorded_at;
        match &record.payload {
            Payload::IncidentStep(step) => state.take(step, record),
            Payload::Postmortem(_) => state.postmortem_at = Some(record.entry.recorded_at),
            Payload::Run(run) => state.run(run, record),
            Payload::Handoff(handoff) => {
                for run in state.runs.iter_mut().filter(|run| run.run_id == handoff.run_id) {
                    run.standing = RunStanding::Delivered;
                }
                state.rolled_back.push(handoff.task_id.clone());
            }
            Payload::Close(close) => state.closed = Some(close.outcome),
            _ => {}
        }
        Some(state)
    }

    /// Gives the steps of the procedure that are yet to be taken, in order. One that stands in for
    /// another is taken only if that failed; one that failed, and that none stands in for, is taken
    /// again (R003-7, R003-11).
    pub fn open_steps(&self) -> impl Iterator<Item = &PlannedStep> {
        let due = |planned: &&PlannedStep| {
            let asked =
                planned.if_failed.as_ref().is_none_or(|before| self.failed.contains(before));
            asked && !self.is_settled(&planned.step)
        };
        self.incident.steps.iter().filter(due)
    }

    /// Tells whether a step has been taken and owes nothing more: it did what it should, or another
    /// stands in for it.
    pub fn is_settled(&self, step: &str) -> bool {
        self.done.iter().any(|done| done == step)
            || self.failed.iter().any(|failed| failed == step) && self.stand_in(step).is_some()
    }

    /// Gives the step that is taken if this one fails.
    pub fn stand_in(&self, step: &str) -> Option<&PlannedStep> {
        self.incident.steps.iter().find(|planned| planned.if_failed.as_deref() == Some(step))
    }

    /// Tells whether a step will never be taken: what it stands in for did not fail.
    pub fn is_not_needed(&self, planned: &PlannedStep) -> bool {
        let Some(before) = &planned.if_failed else { return false };
        let known = self.incident.steps.iter().find(|known| known.step == *before);
        self.done.contains(before) || known.is_some_and(|known| self.is_not_needed(known))
    }

    /// Gives the rollback that goes on, if one does.
    pub fn active_run(&self) -> Option<&RunState> {
        self.runs.iter().rev().find(|run| run.standing == RunStanding::Active)
    }

    /// Gives the id that the incident's next rollback must have: a failed one is tried again under
    /// its id, and behind a handoff comes another run.
    pub fn next_run_id(&self, id: &TaskId, stage: &StageName) -> RunId {
        let done = self.runs.iter().filter(|run| run.standing == RunStanding::Delivered).count();
        run_id(id, stage, &[], u32::try_from(done).unwrap_or(u32::MAX).saturating_add(1))
    }

    fn take(&mut self, taken: &IncidentStep, record: &Record) {
        self.failed.retain(|failed| *failed != taken.step);
        if taken.status == StepStatus::Failed {
            self.failed.push(taken.step.clone());
            return;
        }
        if taken.step == REPORT_STEP {
            self.reported_at.get_or_insert(record.entry.recorded_at);
        }
        self.done.push(taken.step.clone());
    }

    fn run(&mut self, run: &Run, record: &Record) {
        let known = self.runs.iter_mut().rev().find(|known| known.run_id == run.run_id);
        match (run.status, known) {
            (RunStatus::InProgress, _) => self.runs.push(RunState::begun(run, record)),
            (RunStatus::Failed, Some(known)) => {
                known.standing = RunStanding::Failed(Failed::of(run, record));
            }
            _ => {}
        }
    }
}

fn open(incident: &Incident, record: &Record) -> IncidentState {
    IncidentState {
        incident: incident.clone(),
        opened_by: record.entry.actor.clone(),
        opened_at: record.entry.recorded_at,
        last_at: record.entry.recorded_at,
        done: Vec::new(),
        failed: Vec::new(),
        reported_at: None,
        postmortem_at: None,
        runs: Vec::new(),
        rolled_back: Vec::new(),
        closed: None,
    }
}
