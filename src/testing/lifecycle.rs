//! Every kind of entry in every state a task can be in: what is allowed, and what refuses the rest.
//! `docs/lifecycle.md` is this table, written from what the guard says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::story::{Teller, told};
use crate::diagnostic::Severity;
use crate::ledger::State;
use crate::record::yaml;

/// The states, and how a task comes there.
const STATES: &[(&str, &str)] = &[
    ("opened", "- data: {}\n- task: {depends_on: [data-001]}\n"),
    ("ready", "- done: {until: backtest}\n"),
    ("running", "- done: {until: backtest}\n- run: {}\n"),
    (
        "failed, to be retried",
        "- done: {until: backtest}\n- run: {}\n- run: {status: failed, failure: {class: transient, reason: network}}\n- wait: 10m\n",
    ),
    (
        "failed for good",
        "- done: {until: backtest}\n- run: {}\n- run: {status: failed, failure: {class: deterministic, reason: bug}}\n",
    ),
    (
        "delivered",
        "- done: {until: backtest}\n- run: {}\n- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}\n- handoff: {}\n",
    ),
    ("in audit", "- done: {until: audit}\n- run: {}\n"),
    (
        "audit failed",
        "- done: {until: audit}\n- run: {}\n- audit_report: {verdict: FAIL, issues: [{id: issue-001, severity: major, category: other, description: d, location: general, remediation: r}]}\n",
    ),
    ("paused", "- done: {until: backtest}\n- pause: {cause: person, reason: Hold on}\n"),
    ("blocked", "- done: {until: backtest}\n- block: {reason: No licence}\n"),
    (
        "escalated",
        "- done: {until: backtest}\n- escalation: {level: 1, trigger: t, positions: [{agent: quant_engineer, statement: a}, {agent: strategy_developer, statement: b}]}\n",
    ),
    (
        "halted",
        "- done: {until: backtest}\n- write:\n    .orch/halts/h-001/0001-halt.yaml:\n      halt: {topic: runtime.kill_switch, scope: all, reason: Stop}\n      entry: {sequence: 1, recorded_at: '2026-11-21T09:00:00Z', actor: founder}\n",
    ),
    ("finished", "- done: {until: end}\n"),
    ("closed", "- done: {until: end}\n- close: {outcome: completed, reason: Live}\n"),
];

/// The entries, in the order of a life, and what a story says of them.
const EVENTS: &[(&str, &str, &str)] = &[
    ("`task`", "task", "{}"),
    ("`run` of the stage that is due", "run", "{}"),
    ("`run` of another stage", "run", "{stage: deploy_live}"),
    ("`run`: checkpoint", "run", "{status: checkpoint, checkpoint: {name: half}}"),
    ("`run`: succeeded", "run", "{status: succeeded, exit_code: 0}"),
    ("`run`: failed", "run", "{status: failed, failure: {class: transient, reason: network}}"),
    ("`handoff`", "handoff", "{}"),
    ("`rejection` of the first handoff", "rejection", "{handoff: 3, reason: format}"),
    ("`gate`", "gate", "{}"),
    (
        "`audit_request`",
        "audit_request",
        "{name: x, version: '1.0', artifacts: {}, requestor: orchestrator}",
    ),
    ("`audit_report`: PASS", "audit_report", "{}"),
    ("`failure_response`", "failure_response", "{}"),
    ("`approval` by the founder", "approval", "{stage: deploy_live}"),
    ("`update`", "update", "{title: Another}"),
    ("`assignment`", "assignment", "{agent: quant_engineer, reason: person}"),
    (
        "`message`",
        "message",
        "{from: orchestrator, to: founder, type: request, task_id: strat-001, payload: {}, status: pending, timestamp: '2026-11-21T10:00:00Z'}",
    ),
    ("`block`", "block", "{reason: No licence}"),
    ("`unblock`", "unblock", "{reason: Here it is}"),
    ("`pause`", "pause", "{cause: person, reason: Hold on}"),
    ("`resume` by the founder", "resume", "{approver: founder, sign_off: I looked}"),
    ("`resume` by an agent", "resume", "{approver: orchestrator, sign_off: I looked}"),
    (
        "`quarantine`",
        "quarantine",
        "{name: x, reason: y, checksum: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}",
    ),
    (
        "`escalation`",
        "escalation",
        "{level: 3, trigger: t, positions: [{agent: founder, statement: a}]}",
    ),
    ("`close` as completed", "close", "{outcome: completed, reason: Done}"),
    ("`close` as abandoned", "close", "{outcome: abandoned, reason: Not wanted}"),
];

/// What came of an entry: where the task stands then, or the checks that refused it.
enum Outcome {
    Allowed(String),
    Refused(Vec<&'static str>),
}

fn outcome(before: &Teller, kind: &str, said: &str) -> Outcome {
    let mut teller = before.clone();
    teller.tell("propose", "feature/strat-001-x".into());
    let running = before.state().is_some_and(|state| state.active_run().is_some());
    if kind == "handoff" && running {
        let files = r#"{"research/reports/sma.json": "{\"trades\": 42, \"max_drawdown\": 0.1}"}"#;
        teller.tell("write", serde_json::from_str(files).expect("JSON"));
    }
    let said = yaml::read(said.as_bytes()).expect("a story's words");
    teller.tell(kind, said.to_json());
    let report = teller.judge().expect("a world to judge");
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let mut checks: Vec<&'static str> = errors.map(|finding| finding.check).collect();
    checks.sort_unstable();
    checks.dedup();
    match checks.is_empty() {
        true => {
            let (now, then) = (before.state(), teller.state());
            let changed = then.filter(|then| now.is_none_or(|now| stands(&now) != stands(then)));
            Outcome::Allowed(changed.map_or(String::new(), |state| stands(&state)))
        }
        false => Outcome::Refused(checks),
    }
}

fn stands(state: &State) -> String {
    let extra = [
        state.closed.map(|_| "closed"),
        state.paused.as_ref().map(|_| "paused"),
        state.blocked.as_ref().map(|_| "blocked"),
    ];
    match extra.into_iter().flatten().next() {
        Some(word) => word.to_owned(),
        None => state
            .standing
            .to_string()
            .replace("waits for the gate of stage", "gate of")
            .replace("stage ", ""),
    }
}

fn table() -> String {
    let before: Vec<Teller> = STATES.iter().map(|(_, story)| told(story)).collect();
    let mut names: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (title, kind, said) in EVENTS {
        let row: Vec<Outcome> = before.iter().map(|teller| outcome(teller, kind, said)).collect();
        for outcome in &row {
            if let Outcome::Refused(checks) = outcome {
                for check in checks {
                    names.entry(check).or_default();
                }
            }
        }
        rows.push((title, row));
    }
    for (number, (_, known)) in names.iter_mut().enumerate() {
        *known = number + 1;
    }
    let mut text = String::from(HEADING);
    let heading: Vec<&str> = STATES.iter().map(|(state, _)| *state).collect();
    let put = |text: &mut String, line: String| writeln!(text, "{line}").expect("memory");
    put(&mut text, format!("| entry | {} |", heading.join(" | ")));
    put(&mut text, format!("|---|{}", "---|".repeat(heading.len())));
    for (title, row) in rows {
        let cells: Vec<String> = row.iter().map(|outcome| cell(outcome, &names)).collect();
        put(&mut text, format!("| {title} | {} |", cells.join(" | ")));
    }
    put(&mut text, "\nRefused by:\n".into());
    for (check, number) in names {
        put(&mut text, format!("- {number}: `{check}`"));
    }
    text
}

fn cell(outcome: &Outcome, names: &BTreeMap<&'static str, usize>) -> String {
    match outcome {
        Outcome::Allowed(stands) if stands.is_empty() => "✓".into(),
        Outcome::Allowed(stands) => format!("✓ {stands}"),
        Outcome::Refused(checks) => {
            let numbers: Vec<String> =
                checks.iter().map(|check| names[check].to_string()).collect();
            format!("✗ {}", numbers.join(" "))
        }
    }
}

const HEADING: &str = "\
# The life of a task

Each row is an entry that somebody proposes, each column where the task `strat-001` of the `strategy`
template stands. ✓ is allowed, and tells where it stands then if that is elsewhere; ✗ by which checks the entry is refused, by their
numbers below. A test writes this table from what the guard says: nothing in it is claimed by hand.

";

#[test]
fn the_table_of_states_and_entries_is_current() {
    super::golden(&[("docs/lifecycle.md".into(), table())]);
}
