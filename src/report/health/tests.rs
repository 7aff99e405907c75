//! Each part turned bad by a story, and well again.

use super::*;
use crate::testing::world;

/// Gives a part of how things stand behind a story.
fn part(text: &str, name: &str) -> Component {
    measured(text, &Measured::default(), name)
}

fn measured(text: &str, measured: &Measured, name: &str) -> Component {
    let health = health(&world(text), measured);
    let found = health.components.into_iter().find(|component| component.name == name);
    found.unwrap_or_else(|| panic!("there is no {name}"))
}

/// Gives the item of a story that adds keys to the policy.
fn policy(keys: &str) -> String {
    format!("- policy: ['escalation: {{', \"{keys}\\nescalation: {{\"]\n")
}

/// Fails unless a part stands like this, and every reason says what to type or do.
#[track_caller]
fn stands(part: &Component, status: Status) {
    assert_eq!(part.status, status, "{part:#?}");
    assert!(part.reasons.iter().all(|reason| !reason.help.is_empty()), "{part:#?}");
}

const MANIFEST: &str = "- write: {data/manifests/a.json: '{}'}\n";
const DATA: &str = "- task: {task_id: data-001, workflow: data_refresh}\n- run: {task: data-001}\n";

/// R002-33: its five names are there, and an empty repository is healthy but for what nobody looked at.
#[test]
fn the_five_names_are_there() {
    let health = health(&world("- task: {}\n"), &Measured::default());
    let names: Vec<&str> = health.components.iter().map(|part| part.name.as_str()).collect();
    for name in [
        "agents_responsive",
        "tasks_progressing",
        "no_circular_deps",
        "handoffs_working",
        "claude_md_updated",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(health.status, Status::Healthy);
    let unknown = health.components.iter().filter(|part| part.status == Status::Unknown);
    let unknown: Vec<&str> = unknown.map(|part| part.name.as_str()).collect();
    assert_eq!(unknown, ["claude_md_updated", "hooks", "on_call"]);
}

/// R000-54: five minutes, and not a second less; a stage's own timeout goes before them; what ended is
/// told for a day.
#[test]
fn an_invocation_is_answered_in_time() {
    let goes_on =
        |wait: &str| part(&format!("{MANIFEST}{DATA}- wait: {wait}\n"), "agents_responsive");
    stands(&goes_on("300s"), Status::Healthy);
    stands(&goes_on("301s"), Status::Degraded);
    let ended = |wait: &str| {
        let text =
            format!("{MANIFEST}{DATA}- wait: 10m\n- handoff: {{task: data-001}}\n- wait: {wait}\n");
        part(&text, "agents_responsive")
    };
    stands(&ended("1h"), Status::Degraded);
    assert!(ended("1h").reasons[0].message.contains("11 min"), "{:?}", ended("1h"));
    stands(&ended("25h"), Status::Healthy);
    let timeout = "- policy: [\"agent: data_engineer\\n        lane: A\\n        produces:\\n          \
                   validated\", \"agent: data_engineer\\n        lane: A\\n        timeout: 1h\\n        \
                   produces:\\n          validated\"]\n";
    let patient = |wait: &str| {
        part(&format!("{timeout}{MANIFEST}{DATA}- wait: {wait}\n"), "agents_responsive")
    };
    stands(&patient("59m"), Status::Healthy);
    stands(&patient("61m"), Status::Degraded);
}

/// R003-34: every agent is told, with its runs.
#[test]
fn agents_are_told_one_by_one() {
    let health = health(&world(&format!("{MANIFEST}{DATA}- wait: 10m\n")), &Measured::default());
    let of = |name: &str| health.agents[&name.parse::<AgentName>().expect("a name")];
    assert_eq!(of("data_engineer"), AgentStanding { active_runs: 1, slow_runs: 1 });
    assert_eq!(of("quant_engineer"), AgentStanding::default());
}

/// R000-58: a day, by the template's policy; any entry makes it move again.
#[test]
fn a_task_that_rests_is_told() {
    let rests = |wait: &str| part(&format!("- task: {{}}\n- wait: {wait}\n"), "tasks_progressing");
    stands(&rests("24h"), Status::Healthy);
    stands(&rests("86401s"), Status::Degraded);
    let moved = "- task: {}\n- wait: 25h\n- update: {priority: high}\n";
    stands(&part(moved, "tasks_progressing"), Status::Healthy);
    let closed = "- task: {}\n- wait: 25h\n- close: {outcome: abandoned, reason: x}\n- wait: 25h\n";
    stands(&part(closed, "tasks_progressing"), Status::Healthy);
}

/// R002-33: three tasks wait for each other, a fourth for one of them; without one link none does.
#[test]
fn a_circle_of_tasks_is_told() {
    let task = |own: u32, other: u32| {
        format!("- task: {{task_id: strat-00{own}, depends_on: [strat-00{other}]}}\n")
    };
    let circle = [task(1, 2), task(2, 3), task(3, 1), task(4, 1)].concat();
    let found = part(&circle, "no_circular_deps");
    stands(&found, Status::Failed);
    assert_eq!(found.reasons[0].message, "strat-001, strat-002, strat-003 wait for each other");
    let broken = format!("{circle}- update: {{task: strat-003, depends_on: []}}\n");
    stands(&part(&broken, "no_circular_deps"), Status::Healthy);
}

/// R002-33: a handoff that was rejected, or whose gate failed, until it is made again.
#[test]
fn a_handoff_that_came_back_is_told() {
    let made = format!("{MANIFEST}{DATA}- handoff: {{task: data-001}}\n");
    stands(&part(&made, "handoffs_working"), Status::Healthy);
    let back = format!("{made}- rejection: {{task: data-001, handoff: 3, reason: mismatch}}\n");
    stands(&part(&back, "handoffs_working"), Status::Degraded);
    let again = format!("{back}- run: {{task: data-001}}\n- handoff: {{task: data-001}}\n");
    stands(&part(&again, "handoffs_working"), Status::Healthy);
    let failed = "- gate: {task: data-001, verdict: fail, next_stage: ~, returns_to: validate, \
                  reasons: [too few rows]}\n";
    let failed = part(&format!("{made}{failed}"), "handoffs_working");
    stands(&failed, Status::Degraded);
    assert!(failed.reasons[0].message.contains("too few rows"), "{failed:?}");
}

/// R000-55: more than the policy allows are pending, until they are given.
#[test]
fn an_audit_backlog_is_told() {
    let pending = |most: u32, rest: &str| {
        let keys = policy(&format!("health: {{thresholds: {{pending_audits: {most}}}}}"));
        part(&format!("{keys}- done: {{until: audit}}\n{rest}"), "audits")
    };
    stands(&pending(1, ""), Status::Healthy);
    stands(&pending(0, ""), Status::Degraded);
    stands(&pending(0, "- run: {}\n"), Status::Degraded);
    stands(&pending(0, "- run: {}\n- audit_report: {}\n"), Status::Healthy);
}

/// R000-56: more than half of a week's audits failed; half of them is not more than half.
#[test]
fn failed_audits_are_told() {
    let issue = "{id: issue-001, severity: critical, category: lookahead, description: x, \
                 location: general, remediation: y}";
    let failed = format!(
        "- done: {{until: audit}}\n- run: {{}}\n- audit_report: {{verdict: FAIL, issues: [{issue}]}}\n"
    );
    stands(&part(&failed, "audits"), Status::Degraded);
    stands(&part(&format!("{failed}- wait: 8d\n"), "audits"), Status::Healthy);
    let half = policy("health: {thresholds: {failed_audit_ratio: 1.0}}");
    stands(&part(&format!("{half}{failed}"), "audits"), Status::Healthy);
    stands(
        &part("- done: {until: audit}\n- run: {}\n- audit_report: {}\n", "audits"),
        Status::Healthy,
    );
}

/// R000-57: any deployment that fails, for a day; other stages' failures are none.
#[test]
fn a_failed_deployment_is_told() {
    let failed = |stage: &str, wait: &str| {
        let failure = "failure: {class: transient, reason: network}";
        let text = format!(
            "- done: {{until: {stage}}}\n- run: {{}}\n- run: {{stage: {stage}, status: failed, \
             {failure}}}\n- wait: {wait}\n"
        );
        part(&text, "deployments")
    };
    stands(&failed("deploy_paper", "1h"), Status::Failed);
    stands(&failed("deploy_paper", "25h"), Status::Healthy);
    stands(&failed("backtest", "1h"), Status::Healthy);
}

/// R001-27: more tasks wait for a stage than may, until one is begun.
#[test]
fn a_queue_is_told() {
    let keys = policy("health: {thresholds: {queue_depth: 1}}");
    let two = format!("{keys}- task: {{}}\n- task: {{task_id: strat-002}}\n");
    stands(&part(&two, "backlog"), Status::Degraded);
    stands(&part(&format!("{two}- run: {{}}\n"), "backlog"), Status::Healthy);
}

/// R000-48, R000-51: a report after an hour, a post-mortem after a day, a decision when it is due.
#[test]
fn debts_are_told_when_they_are_overdue() {
    stands(&part("- incident: {}\n- wait: 60m\n", "debts"), Status::Healthy);
    let late = part("- incident: {}\n- wait: 61m\n", "debts");
    stands(&late, Status::Degraded);
    assert_eq!(late.reasons.len(), 1);
    assert_eq!(part("- incident: {}\n- wait: 25h\n", "debts").reasons.len(), 2);
    let paid = "- incident: {}\n- incident_step: {}\n- postmortem: {}\n- wait: 25h\n";
    stands(&part(paid, "debts"), Status::Healthy);
    let dispute = "- done: {until: backtest}\n- escalation: {level: 1, trigger: Costs, positions: \
                   [{agent: quant_engineer, statement: a}, {agent: strategy_developer, statement: b}]}\n";
    stands(&part(&format!("{dispute}- wait: 23h\n"), "debts"), Status::Healthy);
    let late = part(&format!("{dispute}- wait: 25h\n"), "debts");
    stands(&late, Status::Degraded);
    assert!(late.reasons[0].help.contains("orch decide --resolves strat-001/"), "{late:?}");
}

/// R003-12: a kill switch that stands is told with who lifts it, and one that has ended is not.
#[test]
fn a_halt_is_told() {
    stands(&part("- halt: {}\n", "halts"), Status::Failed);
    stands(&part("- halt: {scope: 'lane:B'}\n", "halts"), Status::Degraded);
    let until = "- halt: {until: '2026-11-21T11:00:00Z'}\n";
    stands(&part(until, "halts"), Status::Failed);
    stands(&part(&format!("{until}- wait: 2h\n"), "halts"), Status::Healthy);
}

/// R003-4, R003-5, R003-44: who is called is told; a roster holds for as long as it says.
#[test]
fn a_roster_grows_old() {
    let on_call = policy(
        "on_call: {reviewed: 2026-11-02, review_every: 30d, levels: [{name: primary, agents: \
         [orchestrator, founder]}]}",
    );
    let told = |wait: &str| part(&format!("{on_call}- task: {{}}\n- wait: {wait}\n"), "on_call");
    stands(&told("11d"), Status::Healthy);
    assert!(told("11d").told.contains("primary: orchestrator, founder"));
    stands(&told("12d"), Status::Degraded);
    let hours = on_call.replace("review_every", "hours: trading, review_every");
    let hours = hours.replace("on_call:", "schedule: {calendar: NYSE}\\non_call:");
    let now = |trading| {
        let known = Measured { trading: Some(trading), ..Measured::default() };
        measured(&format!("{hours}- task: {}\n", "{}"), &known, "on_call").told
    };
    assert!(now(true).starts_with("now, ") && now(false).starts_with("not now, "), "{}", now(true));
}

/// R002-33: each document by its own age; one that is gone is worse than one that is old.
#[test]
fn documents_grow_old() {
    let keys = policy("health: {documents: [{path: CLAUDE.md, max_age: 30d}]}");
    let told = |change: LastChange| {
        let documents = vec![("CLAUDE.md".into(), change)];
        let known = Measured { documents, ..Measured::default() };
        measured(&format!("{keys}- task: {{}}\n"), &known, "claude_md_updated")
    };
    let at = |text: &str| text.parse().expect("a moment");
    stands(&told(LastChange::At(at("2026-10-22T12:00:00Z"))), Status::Healthy);
    stands(&told(LastChange::At(at("2026-10-22T09:00:00Z"))), Status::Degraded);
    stands(&told(LastChange::NotSince(at("2026-10-22T10:00:00Z"))), Status::Degraded);
    stands(&told(LastChange::Missing), Status::Failed);
    stands(&told(LastChange::CutOff), Status::Unknown);
}

/// R003-7, R003-34: a probe speaks for its part, as loudly as its severity; one that nobody ran says
/// nothing about the whole.
#[test]
fn probes_speak_for_their_parts() {
    let keys = policy(
        "health: {probes: {prices: {title: Prices arrive, component: data_sources, command: ['true']}}}",
    );
    let text = format!("{keys}- task: {{}}\n");
    let probed = |healthy, severity| Probed {
        name: "prices".parse().expect("a name"),
        title: "Prices arrive".into(),
        component: "data_sources".into(),
        severity,
        healthy,
        ended: "exit code 1".into(),
        attempts: 3,
        milliseconds: 12,
        output: vec!["no quotes".into()],
    };
    let said = |probes: &[Probed]| {
        let world = world(&text);
        let mut health = health(&world, &Measured::default());
        health.add_probes(&world, probes);
        let found = health.components.into_iter().find(|part| part.name == "data_sources");
        found.expect("it is a part")
    };
    let told = |probed| said(&[probed]);
    stands(&said(&[]), Status::Unknown);
    stands(&told(probed(true, AlertSeverity::Critical)), Status::Healthy);
    stands(&told(probed(false, AlertSeverity::Info)), Status::Healthy);
    stands(&told(probed(false, AlertSeverity::Warning)), Status::Degraded);
    let failed = told(probed(false, AlertSeverity::Critical));
    stands(&failed, Status::Failed);
    assert!(failed.reasons[0].message.ends_with("at attempt 3: no quotes)"), "{failed:?}");
}

/// Hooks that are missing, and records that nobody can read, are told; a part is kept alone by its name.
#[test]
fn what_was_measured_is_told() {
    let known = Measured {
        hooks_missing: Some(vec!["pre-commit"]),
        unreadable: vec![(".orch/tasks/2026-11/strat-001/0001-task.yaml".into(), "no YAML".into())],
        ..Measured::default()
    };
    stands(&measured("- task: {}\n", &known, "hooks"), Status::Degraded);
    stands(&measured("- task: {}\n", &known, "ledgers"), Status::Failed);
    let windows = vec![("weekly".into(), "2026-11-21T19:00:00Z".parse().expect("a moment"))];
    let standing = Measured { windows, ..Measured::default() };
    let maintenance = measured("- task: {}\n", &standing, "maintenance");
    stands(&maintenance, Status::Healthy);
    assert_eq!(maintenance.told, "weekly until 2026-11-21T19:00:00Z");
    let mut health = health(&world("- task: {}\n"), &known);
    assert_eq!(health.status, Status::Failed);
    health.keep(&["hooks".into()]);
    assert_eq!((health.status, health.components.len()), (Status::Degraded, 1));
}
