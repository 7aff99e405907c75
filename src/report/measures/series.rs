//! What happened when, by day and by week, for charts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Tasks;
use crate::ledger::State;
use crate::record::Payload;
use crate::record::kind::{Outcome, RunStatus, Verdict};
use crate::report::runs::closed_at;
use crate::source::Moment;
use crate::world::LedgerView;

/// The same events, by day and by week, in order. Days and weeks are UTC's; those in which nothing
/// happened are left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series {
    /// By day, `2026-11-21`.
    pub days: Vec<Point>,
    /// By week of ISO 8601, `2026-W47`.
    pub weeks: Vec<Point>,
}

/// What happened in a day, or in a week.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Point {
    /// The day, or the week.
    pub when: String,
    /// Tasks that were opened.
    pub opened: u64,
    /// Tasks that were closed, whatever the outcome.
    pub closed: u64,
    /// Tasks that were closed as completed.
    pub completed: u64,
    /// Runs that began.
    pub runs: u64,
    /// Runs that failed.
    pub failed_runs: u64,
    /// Handoffs.
    pub handoffs: u64,
    /// Audit reports that say PASS.
    pub audits_passed: u64,
    /// Audit reports that say FAIL.
    pub audits_failed: u64,
    /// Of the completed tasks that had a run: from opening to close, added up, in seconds.
    pub lead_seconds: i64,
    /// How many those are.
    pub timed: u64,
    /// The mean of those lead times, in seconds; none if there are none.
    pub mean_lead_seconds: Option<f64>,
}

/// Gives what happened to tasks, by when.
pub(super) fn series(tasks: &Tasks<'_>) -> Series {
    let (mut days, mut weeks) = (BTreeMap::new(), BTreeMap::new());
    for (ledger, state) in &tasks.all {
        let mut add = |at: Moment, count: &dyn Fn(&mut Point)| {
            count(days.entry(at.day()).or_default());
            count(weeks.entry(at.week()).or_default());
        };
        entries(ledger, &mut add);
        ends(ledger, state, &mut add);
    }
    Series { days: points(days), weeks: points(weeks) }
}

type Add<'a> = dyn FnMut(Moment, &dyn Fn(&mut Point)) + 'a;

fn entries(ledger: &LedgerView, add: &mut Add<'_>) {
    for record in &ledger.records {
        let at = record.entry.recorded_at;
        match &record.payload {
            Payload::Task(_) => add(at, &|point| point.opened += 1),
            Payload::Run(run) => match run.status {
                RunStatus::InProgress => add(at, &|point| point.runs += 1),
                RunStatus::Failed => add(at, &|point| point.failed_runs += 1),
                RunStatus::Checkpoint | RunStatus::Succeeded => {}
            },
            Payload::Handoff(_) => add(at, &|point| point.handoffs += 1),
            Payload::AuditReport(report) => match report.verdict {
                Verdict::Pass => add(at, &|point| point.audits_passed += 1),
                Verdict::Fail => add(at, &|point| point.audits_failed += 1),
            },
            _ => {}
        }
    }
}

fn ends(ledger: &LedgerView, state: &State, add: &mut Add<'_>) {
    let Some(at) = closed_at(ledger) else { return };
    let completed = state.closed == Some(Outcome::Completed);
    let timed = completed && !state.runs.is_empty();
    let lead = if timed { at.since(state.opened_at).num_seconds() } else { 0 };
    add(at, &|point| {
        point.closed += 1;
        point.completed += u64::from(completed);
        point.timed += u64::from(timed);
        point.lead_seconds += lead;
    });
}

fn points(found: BTreeMap<String, Point>) -> Vec<Point> {
    let points = found.into_iter().map(|(when, point)| {
        let mean = (point.timed > 0).then(|| point.lead_seconds as f64 / point.timed as f64);
        Point { when, mean_lead_seconds: mean, ..point }
    });
    points.collect()
}
