//! The audit that a run relies on: what the gatekeeper's checks share.
//!
//! Each of them judges twice: the report when it is recorded, and every run that relies on it,
//! because what it relies on may have changed since.

use super::Objection;
use crate::diagnostic::Place;
use crate::ledger::{Audited, RunState, Standing, State};
use crate::policy::AUDIT_PASS;
use crate::record::kind::{Artifact, AuditReport, Run};
use crate::record::{Payload, Record};
use crate::source::StageName;
use crate::world::Step;

/// A run that may not begin without an audit.
pub(super) struct Relying<'w> {
    pub(super) state: &'w State,
    pub(super) run: &'w Run,
}

/// A run with the audit that it relies on.
pub(super) struct Reliance<'w> {
    pub(super) state: &'w State,
    pub(super) run: &'w Run,
    pub(super) audit: &'w Audited,
    report: Option<&'w Record>,
}

/// A new audit report, with the stage whose run it completes.
pub(super) struct Reported<'w> {
    pub(super) state: &'w State,
    pub(super) report: &'w AuditReport,
    pub(super) stage: &'w StageName,
}

/// Gives the run that an entry begins, if it needs an audit: by the policy, or, where a landed
/// history is replayed, because it says that it consumed one.
pub(super) fn relying<'w>(step: &Step<'w>) -> Option<Relying<'w>> {
    let (state, run) = (step.before?, step.begun()?);
    let demanded = step.stage(&run.stage).is_some_and(|stage| stage.needs_audit());
    let consumed = run.inputs.iter().any(|input| input.name == AUDIT_PASS);
    (demanded || consumed).then_some(Relying { state, run })
}

/// Gives the audit that the run of an entry relies on. That there is none is an offence of its
/// own, and the gatekeeper's to tell.
pub(super) fn relied_on<'w>(step: &Step<'w>) -> Option<Reliance<'w>> {
    let Relying { state, run } = relying(step)?;
    let audit = state.live_audit()?;
    let report = step.earlier().find(|record| record.sequence() == audit.sequence);
    Some(Reliance { state, run, audit, report })
}

/// Gives the audit report that an entry is, if it completes a run.
pub(super) fn reported<'w>(step: &Step<'w>) -> Option<Reported<'w>> {
    let (Payload::AuditReport(report), Some(state)) = (&step.record.payload, step.before) else {
        return None;
    };
    let Standing::Running(stage) = &state.standing else { return None };
    Some(Reported { state, report, stage })
}

impl Reliance<'_> {
    /// Points at the run's stage, and at a field of the report that it relies on.
    pub(super) fn objection(
        &self,
        step: &Step<'_>,
        field: &str,
        message: String,
        help: String,
    ) -> Objection {
        let objection = Objection::new(step.field("stage"), message, help);
        let place = |report: &Record| Place::at(report.repo_path().clone(), report.field(field));
        self.explained(objection, place, "the audit that it relies on")
    }

    /// Points at the run's stage, and at the session of the report that it relies on.
    pub(super) fn session_objection(
        &self,
        step: &Step<'_>,
        message: String,
        help: String,
    ) -> Objection {
        let objection = Objection::new(step.field("stage"), message, help);
        let place = |report: &Record| {
            Place::at(report.repo_path().clone(), report.envelope_field("session"))
        };
        self.explained(objection, place, "the session that the audit was recorded from")
    }

    fn explained(
        &self,
        objection: Objection,
        place: impl Fn(&Record) -> Place,
        message: &str,
    ) -> Objection {
        match self.report {
            Some(report) => objection.related(place(report), message),
            None => objection,
        }
    }
}

impl<'w> Reported<'w> {
    /// Gives every run that made what is audited: all but those of the audit itself.
    pub(super) fn workers(&self) -> impl Iterator<Item = &'w RunState> {
        workers(self.state, self.stage)
    }
}

/// Gives every run of work, `audit` being the stage that audits it.
pub(super) fn workers<'w>(
    state: &'w State,
    audit: &'w StageName,
) -> impl Iterator<Item = &'w RunState> {
    state.workers().filter(move |run| run.stage != *audit)
}

/// Gives what to type for another audit.
pub(super) fn audit_again(state: &State) -> String {
    let task = &state.task.task_id;
    format!(
        "have it audited again: `orch handoff reject {task} --reason mismatch` returns the task, \
         and `orch next` leads on"
    )
}

/// Gives the files of some artifacts in words.
pub(super) fn files(artifacts: &[&Artifact]) -> String {
    let mut words: Vec<String> =
        artifacts.iter().map(|artifact| format!("`{}`", artifact.path)).collect();
    words.dedup();
    words.join(", ")
}
