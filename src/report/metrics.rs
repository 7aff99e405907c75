//! How the work goes, in numbers, from the ledgers alone (R002-22).

use serde::Serialize;

use super::{is_blocked, runs};
use crate::ledger::State;
use crate::record::Payload;
use crate::record::kind::Outcome;
use crate::source::Moment;
use crate::world::{LedgerView, World};

/// The metrics of R002-22, and what each is computed from. One whose divisor is zero is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// How many runs went on at once while any did: the durations of all runs that ended, added up,
    /// divided by the time in which at least one of them went on. 1 is one after the other, 3 is three
    /// side by side all the time.
    pub parallel_efficiency: Option<f64>,
    /// Handoffs that were accepted, of those that were judged. One whose gate passed is accepted,
    /// whatever comes later: that a workflow leads back to a stage is no fault of what it handed over.
    /// One that was rejected, or whose gate failed, or that a failure response left behind before its
    /// gate, is returned.
    pub handoff_success_rate: Option<f64>,
    /// Tasks closed as completed, of all.
    pub task_completion_rate: Option<f64>,
    /// How long a task took that was closed as completed, from the beginning of its first run to its
    /// close, in seconds, on average (R002-20).
    pub average_task_duration: Option<f64>,
    /// Tasks that don't move until somebody says that they may, of all.
    pub blocked_task_ratio: Option<f64>,
    /// What they are computed from. Records have whole seconds, and so have these.
    pub inputs: Inputs,
}

/// What the metrics are computed from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// Runs that ended: delivered, failed, or overtaken by a return of the task.
    pub runs: usize,
    /// Their durations, added up.
    pub run_seconds: i64,
    /// The length of the time in which at least one of them went on.
    pub busy_seconds: i64,
    /// Runs that go on, which count nowhere yet.
    pub active_runs: usize,
    /// Handoffs in all.
    pub handoffs: usize,
    /// Those that were accepted or returned.
    pub handoffs_judged: usize,
    /// Those that were accepted.
    pub handoffs_accepted: usize,
    /// Tasks in all.
    pub tasks: usize,
    /// Those closed as completed.
    pub completed: usize,
    /// Those closed, whatever the outcome.
    pub closed: usize,
    /// Those closed as completed that had a run.
    pub timed: usize,
    /// From the beginning of their first runs to their close, added up.
    pub timed_seconds: i64,
    /// Their lead time: from their opening to their close, added up.
    pub lead_seconds: i64,
    /// Those that don't move until somebody says that they may.
    pub blocked: usize,
}

/// Computes the metrics of the tasks that a world holds; of one phase, if one is named.
pub fn metrics(world: &World, phase: Option<&str>) -> Metrics {
    let mut inputs = Inputs::default();
    let mut intervals: Vec<(Moment, Moment)> = Vec::new();
    for ledger in world.ledgers.values() {
        let Some(state) = ledger.state() else { continue };
        if phase.is_some_and(|phase| state.task.phase.as_deref() != Some(phase)) {
            continue;
        }
        intervals.extend(runs::ended(ledger).iter().map(|ended| (ended.run.started, ended.at)));
        inputs.add(world, ledger, state);
    }
    inputs.runs = intervals.len();
    inputs.run_seconds =
        intervals.iter().map(|(began, ended)| ended.since(*began).num_seconds().max(0)).sum();
    inputs.busy_seconds = runs::union(intervals);
    let count = |count: usize| count as f64;
    Metrics {
        parallel_efficiency: ratio(inputs.run_seconds as f64, inputs.busy_seconds as f64),
        handoff_success_rate: ratio(count(inputs.handoffs_accepted), count(inputs.handoffs_judged)),
        task_completion_rate: ratio(count(inputs.completed), count(inputs.tasks)),
        average_task_duration: ratio(inputs.timed_seconds as f64, count(inputs.timed)),
        blocked_task_ratio: ratio(count(inputs.blocked), count(inputs.tasks)),
        inputs,
    }
}

impl Inputs {
    fn add(&mut self, world: &World, ledger: &LedgerView, state: &State) {
        self.tasks += 1;
        self.completed += usize::from(state.closed == Some(Outcome::Completed));
        self.blocked += usize::from(is_blocked(world, state));
        self.closed += usize::from(state.closed.is_some());
        let begun = state.runs.first().filter(|_| state.closed == Some(Outcome::Completed));
        if let (Some(first), Some(closed)) = (begun, runs::closed_at(ledger)) {
            self.timed += 1;
            self.timed_seconds += closed.since(first.started).num_seconds();
            self.lead_seconds += closed.since(state.opened_at).num_seconds();
        }
        self.active_runs += usize::from(state.active_run().is_some() && state.closed.is_none());
        self.handoffs += state.deliveries.len();
        let rejected = |sequence: u32| {
            let mut payloads = ledger.records.iter().map(|record| &record.payload);
            payloads.any(|said| matches!(said, Payload::Rejection(no) if no.handoff == sequence))
        };
        for delivery in &state.deliveries {
            self.handoffs_judged += usize::from(delivery.passed || !delivery.live);
            self.handoffs_accepted += usize::from(delivery.passed && !rejected(delivery.sequence));
        }
    }
}

pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    /// Five tasks, with every moment written out.
    const FIVE: &str = "
- write: {data/manifests/a.json: '{}'}
- task: {task_id: data-001, workflow: data_refresh, phase: '1', entry: {recorded_at: '2026-11-21T09:50:00Z'}}
- run: {task: data-001, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- handoff: {task: data-001, entry: {recorded_at: '2026-11-21T10:30:00Z'}}
- gate: {task: data-001, entry: {recorded_at: '2026-11-21T10:40:00Z'}}
- close: {task: data-001, outcome: completed, reason: x, entry: {recorded_at: '2026-11-21T10:40:00Z'}}
- task: {task_id: data-002, workflow: data_refresh, phase: '1', entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- run: {task: data-002, entry: {recorded_at: '2026-11-21T10:10:00Z'}}
- handoff: {task: data-002, entry: {recorded_at: '2026-11-21T10:50:00Z'}}
- task: {task_id: data-003, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- run: {task: data-003, entry: {recorded_at: '2026-11-21T11:00:00Z'}}
- run: {task: data-003, status: failed, failure: {class: transient, reason: network}, entry: {recorded_at: '2026-11-21T11:10:00Z'}}
- run: {task: data-003, entry: {recorded_at: '2026-11-21T11:20:00Z'}}
- task: {task_id: data-004, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- block: {task: data-004, reason: x, entry: {recorded_at: '2026-11-21T10:05:00Z'}}
- task: {task_id: data-005, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- run: {task: data-005, entry: {recorded_at: '2026-11-21T12:00:00Z'}}
- handoff: {task: data-005, entry: {recorded_at: '2026-11-21T12:10:00Z'}}
- rejection: {task: data-005, handoff: 3, reason: mismatch, entry: {recorded_at: '2026-11-21T12:20:00Z'}}
- close: {task: data-005, outcome: abandoned, reason: x, entry: {recorded_at: '2026-11-21T12:30:00Z'}}
";

    /// R002-22, counted by hand: runs of 30, 40, 10 and 10 minutes, in 50 and 10 and 10 of the clock;
    /// of three handoffs one was accepted and one rejected; of two closed tasks one was completed, 40
    /// minutes after its first run began and 50 after it was opened; the other was given up.
    #[test]
    fn metrics_are_what_a_reader_counts() {
        let inputs = Inputs {
            runs: 4,
            run_seconds: 90 * 60,
            busy_seconds: 70 * 60,
            active_runs: 1,
            handoffs: 3,
            handoffs_judged: 2,
            handoffs_accepted: 1,
            tasks: 5,
            completed: 1,
            closed: 2,
            timed: 1,
            timed_seconds: 40 * 60,
            lead_seconds: 50 * 60,
            blocked: 1,
        };
        let expected = Metrics {
            parallel_efficiency: Some(90.0 / 70.0),
            handoff_success_rate: Some(0.5),
            task_completion_rate: Some(0.2),
            average_task_duration: Some(2400.0),
            blocked_task_ratio: Some(0.2),
            inputs,
        };
        assert_eq!(metrics(&world(FIVE), None), expected);
    }

    /// Two tasks of the first phase: 70 minutes of runs in 50, one of two completed.
    #[test]
    fn a_phase_is_counted_alone() {
        let found = metrics(&world(FIVE), Some("1"));
        assert_eq!(found.parallel_efficiency, Some(70.0 / 50.0));
        assert_eq!((found.task_completion_rate, found.blocked_task_ratio), (Some(0.5), Some(0.0)));
        assert_eq!(found.handoff_success_rate, Some(1.0));
        let none = metrics(&world(FIVE), Some("2"));
        assert_eq!(none.inputs, Inputs::default());
        assert_eq!((none.parallel_efficiency, none.task_completion_rate), (None, None));
    }

    /// R002-22: a gate that passed is a success, though an audit sends the task back behind it; a
    /// rejection and a failed gate are none.
    #[test]
    fn what_had_passed_stays_a_success() {
        let issue = "{id: issue-001, severity: critical, category: lookahead, description: x, \
                     location: general, remediation: y}";
        let found = metrics(
            &world(&format!(
                "- data: {{}}\n- done: {{until: audit}}\n- run: {{}}\n- audit_report: {{verdict: FAIL, \
                 issues: [{issue}]}}\n- failure_response: {{}}\n"
            )),
            None,
        );
        let Inputs { handoffs, handoffs_judged, handoffs_accepted, runs, .. } = found.inputs;
        assert_eq!((handoffs, handoffs_judged, handoffs_accepted, runs), (3, 3, 3, 4));
        let judged = |last: &str| {
            let write = "- write: {data/manifests/a.json: '{}'}\n";
            let task = "- task: {task_id: data-001, workflow: data_refresh}\n- run: {task: data-001}\n\
                        - handoff: {task: data-001}\n";
            let inputs = metrics(&world(&[write, task, last].concat()), None).inputs;
            (inputs.handoffs_accepted, inputs.handoffs_judged)
        };
        assert_eq!(judged(""), (0, 0));
        assert_eq!(judged("- gate: {task: data-001}\n"), (1, 1));
        let failed = "- gate: {task: data-001, verdict: fail, next_stage: ~, returns_to: validate, \
                      reasons: [x]}\n";
        assert_eq!(judged(failed), (0, 1));
        let rejection = "- rejection: {task: data-001, handoff: 3, reason: mismatch}\n";
        assert_eq!(judged(rejection), (0, 1));
        // Who received it may find out behind the gate that it can't be used.
        assert_eq!(judged(&format!("- gate: {{task: data-001}}\n{rejection}")), (0, 1));
    }
}
