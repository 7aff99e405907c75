//! The fold as a table: where a task stands × what an entry says → where it stands then.

use crate::ledger::{RunStanding, Standing, State};
use crate::record::{Home, Payload, Record, RecordPath, parse};
use crate::source::{Digest, StageName};

/// What stands above each column of the table: before `a`; before, in and behind `b`; at the end.
const COLUMNS: [&str; 5] = ["ready", "ready b", "running b", "delivered b", "finished"];

/// An entry's kind and payload, and where it leads from each column; `-` where nothing changes.
///
/// The fold is total: it applies even what the checks refuse, and always to the same effect.
const TABLE: &[(&str, &str, [&str; 5])] = &[
    ("update", "{title: Another}", ["-"; 5]),
    ("assignment", "{agent: somebody, reason: person}", ["-"; 5]),
    ("message", MESSAGE, ["-"; 5]),
    ("audit_request", "{name: x, version: '1', artifacts: {}, requestor: somebody}", ["-"; 5]),
    ("approval", "{stage: c, approver: founder, statement: Go, covers: []}", ["-"; 5]),
    ("block", "{reason: x}", ["-"; 5]),
    ("unblock", "{reason: x}", ["-"; 5]),
    ("pause", "{cause: person, reason: x}", ["-"; 5]),
    ("resume", "{approver: founder, sign_off: x}", ["-"; 5]),
    ("quarantine", QUARANTINE, ["-"; 5]),
    ("escalation", ESCALATION, ["-"; 5]),
    ("close", "{outcome: completed, reason: x}", ["-"; 5]),
    (
        "run",
        "{status: in_progress, stage: b, run_id: r2, attempt: 1, agent: x, lane: L}",
        ["running b"; 5],
    ),
    (
        "run",
        "{status: failed, stage: b, run_id: r1, attempt: 1, agent: x, lane: L}",
        ["ready b"; 5],
    ),
    ("handoff", HANDOFF, ["delivered b"; 5]),
    // Only an audit that runs is completed by a report.
    ("audit_report", REPORT, ["-", "-", "delivered b", "-", "-"]),
    ("failure_response", RESPONSE, ["ready a"; 5]),
    ("rejection", "{handoff: 3, reason: missing}", ["ready a"; 5]),
    ("rejection", "{handoff: 99, reason: missing}", ["-"; 5]),
    (
        "gate",
        "{stage: b, next_stage: c, run_id: r1, verdict: pass, evaluated_by: x}",
        ["ready c"; 5],
    ),
    ("gate", "{stage: b, run_id: r1, verdict: pass, evaluated_by: x}", ["finished"; 5]),
    (
        "gate",
        "{stage: b, returns_to: a, run_id: r1, verdict: fail, evaluated_by: x}",
        ["ready a"; 5],
    ),
    ("gate", "{stage: b, run_id: r1, verdict: fail, evaluated_by: x}", ["ready b"; 5]),
    // A ledger is opened once; what belongs to another home changes no task.
    ("task", "{task_id: strat-001, title: x, workflow: other, requestor: x}", ["-"; 5]),
];

const MESSAGE: &str = "{from: x, to: y, type: request, task_id: strat-001, payload: {}, \
                       status: pending, timestamp: 2026-11-21T10:00:00Z}";
const QUARANTINE: &str = "{name: x, reason: y, checksum: \
     sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}";
const ESCALATION: &str = "{level: 1, trigger: x, positions: [], due_at: 2026-11-21T10:00:00Z}";
const HANDOFF: &str = "{from: x, to: y, task_id: strat-001, stage: b, run_id: r1, \
                       status: complete, artifacts: [], message: z}";
const REPORT: &str = "{name: x, version: '1', auditor: y, verdict: PASS, \
                      date: 2026-11-21T10:00:00Z, covers: []}";
const RESPONSE: &str = "{task_id: strat-001, verdict: FAIL, returns_to: a, issues: []}";

#[test]
fn every_kind_leads_where_the_table_says() {
    for (kind, payload, row) in TABLE {
        for (column, expected) in COLUMNS.into_iter().zip(*row) {
            let before = standing(column);
            let expected = if expected == "-" { before.clone() } else { standing(expected) };
            let after = then(&state(before), &entry(20, kind, payload));
            assert_eq!(after.standing, expected, "{kind} {payload} from {column:?}");
        }
    }
}

/// Kinds of other homes are left out of the table: they never stand in a task's ledger.
#[test]
fn no_kind_is_forgotten() {
    let others = ["incident", "incident_step", "postmortem", "halt", "decision"];
    for word in Payload::WORDS {
        let known = TABLE.iter().any(|(kind, ..)| kind == word) || others.contains(word);
        assert!(known, "the table says nothing about `{word}`");
    }
}

#[test]
fn a_return_ends_what_stood_behind_it() {
    let (ready, running) = (state(Standing::Ready(Some(stage("c")))), state(standing("running b")));
    assert!(ready.live_delivery(&stage("a")).is_some() && ready.live_audit().is_some());
    let back = then(&ready, &entry(20, "rejection", "{handoff: 3, reason: missing}"));
    assert!(back.live_delivery(&stage("a")).is_none() && back.live_audit().is_none());
    assert_eq!((back.times_entered(&stage("a")), back.assigned), (2, None));
    // An audit that is called back leaves the work before it as it is.
    let renewed = then(&ready, &entry(20, "rejection", "{handoff: 6, reason: format}"));
    assert_eq!(renewed.standing, standing("ready b"));
    assert!(renewed.live_delivery(&stage("a")).is_some() && renewed.live_audit().is_none());
    // What went on meanwhile no longer does.
    let overtaken = then(&running, &entry(20, "rejection", "{handoff: 3, reason: missing}"));
    assert!(overtaken.active_run().is_none());
    assert_eq!(overtaken.runs.last().expect("its run").standing, RunStanding::Overtaken);
}

#[test]
fn a_failed_run_keeps_its_reason_and_makes_room() {
    let failed = "{status: failed, stage: b, run_id: r1, attempt: 1, agent: x, lane: L, \
                  failure: {class: transient, reason: network}}";
    let after = then(&state(standing("running b")), &entry(20, "run", failed));
    assert!(after.active_run().is_none());
    let Some(RunStanding::Failed(failure)) = after.runs.last().map(|run| &run.standing) else {
        panic!("{:?}", after.runs)
    };
    assert_eq!(failure.failure.reason, "network");
}

/// A report that says FAIL is the latest word, however many passed before it.
#[test]
fn the_latest_audit_counts() {
    let failed = REPORT.replace("PASS", "FAIL");
    let after = then(&state(standing("running b")), &entry(20, "audit_report", &failed));
    assert!(after.live_audit().is_none());
    let again = then(&after, &entry(21, "audit_report", REPORT));
    assert!(again.live_audit().is_some_and(|audit| audit.sequence == 21));
}

/// An open task with stage `a` delivered and passed, and `b` audited.
fn state(standing: Standing) -> State {
    let opened = "{task_id: strat-001, title: x, workflow: w, requestor: x}";
    let handoff = HANDOFF.replace("stage: b", "stage: a").replace("r1", "r0");
    let entries = [
        entry(1, "task", opened),
        entry(
            2,
            "run",
            "{status: in_progress, stage: a, run_id: r0, attempt: 1, agent: x, lane: L}",
        ),
        entry(3, "handoff", &handoff),
        entry(4, "gate", "{stage: a, next_stage: b, run_id: r0, verdict: pass, evaluated_by: x}"),
        entry(
            5,
            "run",
            "{status: in_progress, stage: b, run_id: r1, attempt: 1, agent: x, lane: L}",
        ),
        entry(6, "audit_report", REPORT),
    ];
    let mut state = entries.iter().fold(None, State::after).expect("a task");
    if matches!(standing, Standing::Running(_)) {
        state.runs.last_mut().expect("a run").standing = RunStanding::Active;
    }
    state.standing = standing;
    state
}

fn then(state: &State, record: &Record) -> State {
    State::after(Some(state.clone()), record).expect("a state stays a state")
}

fn standing(text: &str) -> Standing {
    match text.split_once(' ').unwrap_or((text, "")) {
        ("ready", "") => Standing::Ready(None),
        ("ready", name) => Standing::Ready(Some(stage(name))),
        ("running", name) => Standing::Running(stage(name)),
        ("delivered", name) => Standing::Delivered(stage(name)),
        _ => Standing::Finished,
    }
}

fn stage(name: &str) -> StageName {
    name.parse().expect("a name")
}

fn entry(sequence: u32, kind: &str, payload: &str) -> Record {
    let home = Home::Task("strat-001".parse().expect("an id"));
    let path = RecordPath::of(&home, "2026-11", sequence, kind);
    let previous = Digest::of(b"the entry before");
    let text = format!(
        "{kind}: {payload}\nentry: {{sequence: {sequence}, previous: {previous}, \
         recorded_at: 2026-11-21T10:00:00Z, actor: somebody}}\n"
    );
    parse(&path, text.as_bytes()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}
