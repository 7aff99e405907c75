//! One entry's effect on a task: a match with one arm a kind.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{Approved, Audited, Delivery, RunStanding, RunState, Standing, State};
use super::trouble::{Escalated, Failed};
use crate::policy::AUDIT_PASS;
use crate::record::kind::{
    Approval, Artifact, AuditReport, FailureResponse, Gate, GateVerdict, Handoff, Quarantine,
    Rejection, Run, RunStatus, Task, Update, Verdict,
};
use crate::record::{Payload, Record};
use crate::source::StageName;

impl State {
    /// Gives the state behind an entry. Before the `task` entry there is none, and entries
    /// without one change nothing.
    pub fn after(before: Option<State>, record: &Record) -> Option<State> {
        let mut state = match (&record.payload, before) {
            (Payload::Task(task), None) => return Some(open(task, record)),
            (_, None) => return None,
            (_, Some(state)) => state,
        };
        state.last_at = record.entry.recorded_at;
        state.apply(record);
        Some(state)
    }

    fn apply(&mut self, record: &Record) {
        match &record.payload {
            Payload::Update(update) => self.update(update),
            Payload::Assignment(assignment) => self.assigned = Some(assignment.agent.clone()),
            Payload::Run(run) => self.run_entry(run, record),
            Payload::Handoff(handoff) => self.handoff(handoff, record),
            Payload::Rejection(rejection) => self.rejection(rejection),
            Payload::Gate(gate) => self.gate(gate),
            Payload::AuditReport(report) => self.audit(report, record),
            Payload::FailureResponse(response) => self.failure_response(response),
            Payload::Approval(approval) => self.approval(approval, record),
            Payload::Block(block) => self.blocked = Some(block.reason.clone()),
            Payload::Unblock(_) => self.blocked = None,
            Payload::Quarantine(quarantine) => self.quarantine(quarantine),
            Payload::Escalation(escalation) => self.escalations.push(Escalated {
                sequence: record.sequence(),
                path: record.repo_path().clone(),
                escalation: escalation.clone(),
                at: record.entry.recorded_at,
            }),
            Payload::Pause(pause) => self.paused = Some(pause.clone()),
            Payload::Resume(_) => {
                self.paused = None;
                self.resumed = record.sequence();
            }
            Payload::Close(close) => self.closed = Some(close.outcome),
            Payload::Task(_)
            | Payload::Message(_)
            | Payload::AuditRequest(_)
            | Payload::Incident(_)
            | Payload::IncidentStep(_)
            | Payload::Postmortem(_)
            | Payload::Halt(_)
            | Payload::Decision(_) => {}
        }
    }

    fn update(&mut self, update: &Update) {
        let task = &mut self.task;
        let update = update.clone();
        task.title = update.title.unwrap_or_else(|| task.title.clone());
        task.priority = update.priority.unwrap_or(task.priority);
        task.depends_on = update.depends_on.unwrap_or_else(|| task.depends_on.clone());
        task.scope = update.scope.unwrap_or_else(|| task.scope.clone());
        task.deadline = update.deadline.or_else(|| task.deadline.clone());
        task.version = update.version.or_else(|| task.version.clone());
        task.phase = update.phase.or_else(|| task.phase.clone());
        task.estimate = update.estimate.or_else(|| task.estimate.clone());
    }

    fn run_entry(&mut self, run: &Run, record: &Record) {
        if run.status == RunStatus::InProgress {
            self.entered.entry(run.stage.clone()).or_insert(1);
            self.standing = Standing::Running(run.stage.clone());
            self.runs.push(RunState::begun(run, record));
            return;
        }
        let known = self.runs.iter_mut().rev().find(|known| known.run_id == run.run_id);
        match (run.status, known) {
            (RunStatus::Checkpoint, Some(known)) => known.checkpoint.clone_from(&run.checkpoint),
            (RunStatus::Succeeded, Some(known)) => known.executed = true,
            (RunStatus::Failed, known) => {
                if let Some(known) = known {
                    known.standing = RunStanding::Failed(Failed::of(run, record));
                }
                self.standing = Standing::Ready(Some(run.stage.clone()));
            }
            _ => {}
        }
    }

    fn handoff(&mut self, handoff: &Handoff, record: &Record) {
        self.deliver(&handoff.stage, record);
        for known in &mut self.deliveries {
            known.live &= known.stage != handoff.stage;
        }
        self.answered.extend(handoff.resolves.iter().cloned());
        self.deliveries.push(Delivery {
            sequence: record.sequence(),
            path: record.repo_path().clone(),
            stage: handoff.stage.clone(),
            run_id: handoff.run_id.clone(),
            from: handoff.from.clone(),
            to: handoff.to.clone(),
            status: handoff.status,
            artifacts: handoff.artifacts.clone(),
            at: record.entry.recorded_at,
            live: true,
            passed: false,
        });
    }

    /// Ends the active run with a result, and waits for the stage's gate.
    fn deliver(&mut self, stage: &StageName, record: &Record) {
        for run in &mut self.runs {
            if run.standing == RunStanding::Active {
                run.standing = RunStanding::Delivered;
                run.ended_from = record.entry.session.clone();
            }
        }
        self.standing = Standing::Delivered(stage.clone());
    }

    /// Returns the task to the stage whose handoff, or whose audit report, can't be used.
    fn rejection(&mut self, rejection: &Rejection) {
        let sequence = rejection.handoff;
        let handoff = self.deliveries.iter().find(|known| known.sequence == sequence);
        let report = self.audits.iter().find(|known| known.sequence == sequence);
        let stage = handoff.map(|known| &known.stage).or(report.and_then(|r| r.stage.as_ref()));
        if let Some(stage) = stage.cloned() {
            self.enter(stage);
        }
    }

    fn gate(&mut self, gate: &Gate) {
        match gate.verdict {
            GateVerdict::Pass => {
                self.pass(&gate.stage);
                match &gate.next_stage {
                    Some(next) => self.enter(next.clone()),
                    None => self.standing = Standing::Finished,
                }
            }
            GateVerdict::Fail => {
                self.enter(gate.returns_to.clone().unwrap_or_else(|| gate.stage.clone()));
            }
        }
    }

    fn pass(&mut self, stage: &StageName) {
        for delivery in &mut self.deliveries {
            delivery.passed |= delivery.live && delivery.stage == *stage;
        }
        for audit in &mut self.audits {
            audit.passed |= audit.live && audit.stage.as_ref() == Some(stage);
        }
    }

    /// Makes a stage the next to run. What the task had delivered from that stage on no longer
    /// stands: going there again is a return.
    fn enter(&mut self, stage: StageName) {
        let delivered = self.live_delivery(&stage).map(|delivery| delivery.sequence);
        let audited =
            self.audits.iter().find(|audit| audit.live && audit.stage.as_ref() == Some(&stage));
        let from = delivered.or(audited.map(|audit| audit.sequence));
        if let Some(from) = from {
            for delivery in &mut self.deliveries {
                delivery.live &= delivery.sequence < from;
            }
            for audit in &mut self.audits {
                audit.live &= audit.sequence < from;
            }
            for approval in &mut self.approvals {
                approval.live &= approval.sequence < from;
            }
        }
        for run in &mut self.runs {
            if run.standing == RunStanding::Active {
                run.standing = RunStanding::Overtaken;
            }
        }
        *self.entered.entry(stage.clone()).or_default() += 1;
        self.assigned = None;
        self.standing = Standing::Ready(Some(stage));
    }

    fn audit(&mut self, report: &AuditReport, record: &Record) {
        let stage = match &self.standing {
            Standing::Running(stage) => Some(stage.clone()),
            _ => None,
        };
        let run_id = self.active_run().map(|run| run.run_id.clone());
        if let Some(stage) = &stage {
            self.deliver(stage, record);
        }
        for known in &mut self.audits {
            known.live = false;
        }
        let passed = |test: &&crate::record::kind::AuditTest| test.verdict == Verdict::Pass;
        self.audits.push(Audited {
            sequence: record.sequence(),
            stage,
            run_id,
            evidence: Artifact {
                name: AUDIT_PASS.parse().expect("a word that is a name"),
                path: record.repo_path().clone(),
                checksum: record.digest,
            },
            version: report.version.clone(),
            auditor: report.auditor.clone(),
            session: record.entry.session.clone(),
            verdict: report.verdict,
            date: report.date.min(record.entry.recorded_at),
            covers: report.covers.clone(),
            tests_passed: report
                .tests
                .iter()
                .filter(passed)
                .map(|test| test.name.clone())
                .collect(),
            live: true,
            passed: false,
        });
        self.answered.clear();
        self.issues = match report.verdict {
            Verdict::Pass => Vec::new(),
            Verdict::Fail => report.issues.clone(),
        };
    }

    fn failure_response(&mut self, response: &FailureResponse) {
        self.issues = response.issues.clone();
        self.answered.clear();
        self.enter(response.returns_to.clone());
    }

    fn approval(&mut self, approval: &Approval, record: &Record) {
        self.approvals.push(Approved {
            sequence: record.sequence(),
            stage: approval.stage.clone(),
            approver: approval.approver.clone(),
            covers: approval.covers.clone(),
            live: true,
        });
    }

    fn quarantine(&mut self, quarantine: &Quarantine) {
        let evidence = (quarantine.name.clone(), quarantine.checksum);
        if quarantine.released {
            self.quarantined.remove(&evidence);
        } else {
            self.quarantined.insert(evidence);
        }
    }
}

fn open(task: &Task, record: &Record) -> State {
    State {
        task: task.clone(),
        opened_at: record.entry.recorded_at,
        last_at: record.entry.recorded_at,
        opened_by: record.entry.actor.clone(),
        standing: Standing::Ready(None),
        runs: Vec::new(),
        deliveries: Vec::new(),
        audits: Vec::new(),
        approvals: Vec::new(),
        issues: Vec::new(),
        answered: BTreeSet::new(),
        entered: BTreeMap::new(),
        assigned: None,
        blocked: None,
        paused: None,
        resumed: 0,
        escalations: Vec::new(),
        quarantined: BTreeSet::new(),
        closed: None,
    }
}
