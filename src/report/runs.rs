//! When runs ended, and how: the one place that says which of them count as durations.

use serde::Serialize;

use crate::ledger::{RunStanding, RunState};
use crate::source::Moment;
use crate::world::LedgerView;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// It handed off, or reported its audit.
    Delivered,
    /// It ended without a result, and says why.
    Failed,
    /// The task returned while it went on: nobody waits for it any more.
    Overtaken,
    /// Its task, or its incident, was closed while it went on.
    Abandoned,
}

/// A run that ended. One that goes on is none of these: it has no duration yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<'w> {
    /// The run, as it stood while it went on.
    pub(super) run: &'w RunState,
    /// When it ended.
    pub(super) at: Moment,
    /// How.
    pub(super) result: RunResult,
}

impl Ended<'_> {
    /// Gives how long it went on, in seconds; none of them if the records' clocks disagree.
    pub(super) fn seconds(&self) -> i64 {
        self.at.since(self.run.started).num_seconds().max(0)
    }
}

/// Gives the runs of a ledger that ended, of a task or of an incident, by when they did. A ledger that is
/// closed ends its run.
pub(super) fn ended(ledger: &LedgerView) -> Vec<Ended<'_>> {
    let mut found = Vec::new();
    for (index, record) in ledger.records.iter().enumerate() {
        let closes = is_closed(ledger, index + 1) && !is_closed(ledger, index);
        for (before, after) in runs(ledger, index).iter().zip(runs(ledger, index + 1)) {
            let result = match after.standing {
                _ if before.standing != RunStanding::Active => continue,
                RunStanding::Delivered => RunResult::Delivered,
                RunStanding::Failed(_) => RunResult::Failed,
                RunStanding::Overtaken => RunResult::Overtaken,
                RunStanding::Active if closes => RunResult::Abandoned,
                RunStanding::Active => continue,
            };
            found.push(Ended { run: before, at: record.entry.recorded_at, result });
        }
    }
    found
}

/// Gives when a task or an incident was closed.
pub(super) fn closed_at(ledger: &LedgerView) -> Option<Moment> {
    let closing = (0..ledger.records.len()).find(|index| is_closed(ledger, index + 1))?;
    Some(ledger.records[closing].entry.recorded_at)
}

/// Gives how long at least one interval lasted, in seconds.
pub(super) fn union(mut intervals: Vec<(Moment, Moment)>) -> i64 {
    intervals.sort();
    let mut seconds = 0;
    let mut until: Option<Moment> = None;
    for (began, ended) in intervals {
        let from = until.map_or(began, |until| began.max(until));
        seconds += ended.since(from).num_seconds().max(0);
        until = Some(until.map_or(ended, |until| until.max(ended)));
    }
    seconds
}

fn runs(ledger: &LedgerView, index: usize) -> &[RunState] {
    let of_task = ledger.before(index).map(|state| &state.runs[..]);
    let of_incident = || ledger.incident_before(index).map(|state| &state.runs[..]);
    of_task.or_else(of_incident).unwrap_or_default()
}

fn is_closed(ledger: &LedgerView, index: usize) -> bool {
    let of_task = ledger.before(index).is_some_and(|state| state.closed.is_some());
    of_task || ledger.incident_before(index).is_some_and(|state| state.closed.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Intervals may overlap, touch, repeat, lie in each other, and last no time.
    #[test]
    fn time_is_counted_once() {
        let at = |minute: u32| -> Moment {
            format!("2026-11-21T10:{minute:02}:00Z").parse().expect("a moment")
        };
        let minutes = |intervals: &[(u32, u32)]| {
            union(intervals.iter().map(|(from, to)| (at(*from), at(*to))).collect()) / 60
        };
        assert_eq!(minutes(&[]), 0);
        assert_eq!(minutes(&[(5, 5)]), 0);
        assert_eq!(minutes(&[(0, 10), (10, 20)]), 20);
        assert_eq!(minutes(&[(5, 15), (0, 10), (0, 10)]), 15);
        assert_eq!(minutes(&[(0, 30), (5, 10), (40, 50), (45, 46)]), 40);
    }
}
