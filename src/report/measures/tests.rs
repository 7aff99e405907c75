//! What a reader counts by hand.

use super::*;
use crate::record::kind::{FailureClass, HaltTopic};
use crate::report::RunResult;
use crate::testing::world;

/// Tasks with every moment written out: one that went through, one that failed once and goes on, one that
/// was closed while it ran, one that is blocked for an hour and then waits.
const FOUR: &str = "
- write: {data/manifests/a.json: '{}'}
- task: {task_id: data-001, workflow: data_refresh, phase: '1', entry: {recorded_at: '2026-11-20T23:50:00Z'}}
- run: {task: data-001, entry: {recorded_at: '2026-11-20T23:55:00Z'}}
- handoff: {task: data-001, entry: {recorded_at: '2026-11-21T00:25:00Z'}}
- gate: {task: data-001, entry: {recorded_at: '2026-11-21T00:35:00Z'}}
- close: {task: data-001, outcome: completed, reason: x, entry: {recorded_at: '2026-11-21T00:40:00Z'}}
- task: {task_id: data-002, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- run: {task: data-002, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- run: {task: data-002, status: failed, failure: {class: transient, reason: network}, entry: {recorded_at: '2026-11-21T10:05:00Z'}}
- run: {task: data-002, entry: {recorded_at: '2026-11-21T10:20:00Z'}}
- task: {task_id: data-003, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:20:00Z'}}
- run: {task: data-003, entry: {recorded_at: '2026-11-21T10:25:00Z'}}
- close: {task: data-003, outcome: abandoned, reason: x, entry: {recorded_at: '2026-11-21T10:30:00Z'}}
- task: {task_id: data-004, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:30:00Z'}}
- block: {task: data-004, reason: x, entry: {recorded_at: '2026-11-21T10:30:00Z'}}
- unblock: {task: data-004, reason: x, entry: {recorded_at: '2026-11-21T11:30:00Z'}}
";

fn measured(text: &str, at: &str) -> Measures {
    let mut world = world(text);
    world.at = at.parse().expect("a moment");
    measures(&world, None)
}

/// R001-24: a run that goes on has no duration; how the others ended is told apart.
#[test]
fn stages_are_timed_by_how_they_ended() {
    let found = measured(FOUR, "2026-11-21T12:00:00Z");
    let told: Vec<_> = found
        .stages
        .iter()
        .map(|row| (row.stage.as_str(), row.lane.as_str(), row.result, row.durations.sum_seconds))
        .collect();
    assert_eq!(
        told,
        [
            ("validate", "A", RunResult::Delivered, 30 * 60),
            ("validate", "A", RunResult::Failed, 5 * 60),
            ("validate", "A", RunResult::Abandoned, 5 * 60),
        ]
    );
    assert_eq!(found.metrics.inputs.run_seconds, 40 * 60, "the same runs as the metrics'");
    assert_eq!((found.agents.len(), found.agents[0].durations.count), (1, 3));
}

/// R001-25, R001-26: a failure, and the run that began again behind it.
#[test]
fn failures_and_retries_have_a_class() {
    let found = measured(FOUR, "2026-11-21T12:00:00Z");
    let rows = |all: &[Failures]| -> Vec<(FailureClass, u64)> {
        all.iter().map(|row| (row.class, row.count)).collect()
    };
    assert_eq!(rows(&found.failures), [(FailureClass::Transient, 1)]);
    assert_eq!(rows(&found.retries), [(FailureClass::Transient, 1)]);
}

/// R001-27: what is blocked waits for no agent; a stage that nobody waits for is told, too.
#[test]
fn queues_hold_what_could_be_taken_up() {
    let depth = |text: &str| {
        let found = measured(text, "2026-11-21T12:00:00Z");
        let queue = found.queues.iter().find(|queue| queue.stage == "validate");
        queue.map(|queue| (queue.agent.to_string(), queue.depth))
    };
    assert_eq!(depth(FOUR), Some(("data_engineer".into(), 1)));
    let blocked = FOUR.rfind("- unblock").map(|end| &FOUR[..end]).expect("it is there");
    assert_eq!(depth(blocked), Some(("data_engineer".into(), 0)));
    let all = measured("[]", "2026-11-21T12:00:00Z").queues;
    assert!(all.len() > 5 && all.iter().all(|queue| queue.depth == 0), "{all:?}");
}

/// Time is told where it went: five minutes ready, half an hour of a run, ten before the gate, five
/// finished, for the first task alone.
#[test]
fn time_is_spent_in_states() {
    let found = measured(FOUR, "2026-11-21T12:00:00Z");
    let told = found.states.iter().map(|row| (row.state, row.tasks, row.seconds / 60));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (Stand::Ready, 1, 5 + 15 + 5 + 30),
            (Stand::Running, 1, 30 + 5 + 100 + 5),
            (Stand::Gate, 0, 10),
            (Stand::Blocked, 0, 60),
            (Stand::Finished, 0, 5),
            (Stand::Closed, 2, 0),
        ]
    );
}

/// A dispute blocks a task until it is decided, whatever else goes on.
#[test]
fn a_dispute_is_time_blocked() {
    let text = "
- task: {task_id: data-005, workflow: data_refresh, entry: {recorded_at: '2026-11-21T10:00:00Z'}}
- escalation: {task: data-005, level: 1, trigger: x, positions: [{agent: data_engineer, statement: a}, {agent: quant_engineer, statement: b}], entry: {recorded_at: '2026-11-21T10:10:00Z'}}
";
    let found = measured(text, "2026-11-21T11:00:00Z");
    let minutes = |stand| {
        let row = found.states.iter().find(|row| row.state == stand);
        row.map(|row| (row.tasks, row.seconds / 60))
    };
    assert_eq!(minutes(Stand::Ready), Some((0, 10)));
    assert_eq!(minutes(Stand::Blocked), Some((1, 50)));
    assert_eq!(found.debts.decisions, 0);
    assert_eq!(measured(text, "2026-11-23T11:00:00Z").debts.decisions, 1, "R000-48: in a day");
}

/// R001-28: from a handoff to the run of the next stage, across lanes; one that came back is none.
#[test]
fn handovers_are_timed_between_stages() {
    let done = "- data: {}\n- done: {until: audit}\n- run: {}\n";
    let found = measured(done, "2026-11-21T12:00:00Z");
    let told = found.handovers.iter().map(|row| {
        let lanes = (row.from_lane.as_str(), row.to_lane.as_str());
        ((row.from_stage.as_str(), row.to_stage.as_str()), lanes, row.latency.count)
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(("backtest", "audit"), ("C", "D"), 1), (("strategy", "backtest"), ("B", "C"), 1)]
    );
    // A minute passes before every entry of a story: the gate, then the run.
    assert_eq!(found.handovers[0].latency.sum_seconds, 120);
    // One that came back, and one whose own source was called back behind it, were taken over by nobody.
    let handed = "- data: {}\n- done: {until: backtest}\n- run: {}\n- handoff: {}\n";
    for (handoff, stage) in [(6, "backtest"), (3, "strategy")] {
        let back = format!(
            "{handed}- rejection: {{handoff: {handoff}, reason: mismatch}}\n- run: {{stage: {stage}}}\n"
        );
        let found = measured(&back, "2026-11-21T12:00:00Z");
        assert_eq!(found.handovers.len(), 1, "{:?}", found.handovers);
    }
}

/// R000-55, R000-56: an audit that is due or was asked for is owed; its verdict is counted.
#[test]
fn audits_are_owed_until_they_are_given() {
    let audits = |text: &str| {
        let found = measured(text, "2026-11-21T12:00:00Z").audits;
        (found.pending.len(), found.passed, found.failed, found.pass_rate)
    };
    let due = "- data: {}\n- done: {until: audit}\n";
    assert_eq!(audits(due), (1, 0, 0, None));
    let passed = format!("{due}- run: {{}}\n- audit_report: {{}}\n");
    assert_eq!(audits(&passed), (0, 1, 0, Some(1.0)));
    let asked = "- data: {}\n- task: {}\n- audit_request: {name: x, version: '1', artifacts: {}, requestor: founder}\n";
    assert_eq!(audits(asked), (1, 0, 0, None));
}

/// What was said to somebody waits until it is answered, a handoff until its gate.
#[test]
fn the_bus_holds_what_waits() {
    let said = |rest: &str| {
        let whole = "task_id: strat-001, payload: {}, timestamp: '2026-11-21T10:00:00Z'";
        format!("- message: {{{whole}, {rest}}}\n")
    };
    let message =
        said("from: strategy_developer, to: quant_engineer, type: request, status: pending");
    let bus = |text: &str| {
        let found = measured(text, "2026-11-21T12:00:00Z").bus;
        (found.messages, found.handoffs)
    };
    let task = "- data: {}\n- task: {}\n";
    assert_eq!(bus(&format!("{task}{message}")), (1, 0));
    let answer =
        said("from: quant_engineer, to: strategy_developer, type: response, status: completed");
    assert_eq!(bus(&format!("{task}{message}{answer}")), (0, 0));
    assert_eq!(bus(&format!("{task}- run: {{}}\n- handoff: {{}}\n")), (0, 1));
}

/// R000-51, R003-12: what stops everybody is counted, and what it owes.
#[test]
fn incidents_and_halts_are_counted() {
    let text = "- incident: {severity: critical}\n- halt: {topic: risk.kill_switch}\n";
    let found = measured(text, "2026-11-23T12:00:00Z");
    assert_eq!((found.incidents.opened, found.incidents.closed), (1, 0));
    assert_eq!(found.incidents.open, [Severe { severity: "critical".into(), count: 1 }]);
    let risk = Pulled { topic: Some(HaltTopic::Risk), count: 1 };
    assert_eq!((found.halts.pulled, &found.halts.standing[..]), (1, &[risk][..]));
    assert_eq!((found.debts.reports, found.debts.postmortems), (1, 1));
}

/// Days are UTC's, and a quiet one is left out.
#[test]
fn series_tell_when() {
    let series = measured(FOUR, "2026-11-21T12:00:00Z").series;
    let days: Vec<_> = series
        .days
        .iter()
        .map(|point| (point.when.as_str(), point.opened, point.closed, point.failed_runs))
        .collect();
    assert_eq!(days, [("2026-11-20", 1, 0, 0), ("2026-11-21", 3, 2, 1)]);
    assert_eq!(series.days[1].mean_lead_seconds, Some(50.0 * 60.0));
    assert_eq!(series.weeks.len(), 1);
    let week = &series.weeks[0];
    assert_eq!((&*week.when, week.runs, week.completed, week.handoffs), ("2026-W47", 4, 1, 1));
}

/// A phase is measured alone.
#[test]
fn a_phase_has_its_own_measures() {
    let mut world = world(FOUR);
    world.at = "2026-11-21T12:00:00Z".parse().expect("a moment");
    let found = measures(&world, Some("1"));
    assert_eq!((found.stages.len(), found.series.days.len()), (1, 2));
    assert_eq!(found.failures, []);
}
