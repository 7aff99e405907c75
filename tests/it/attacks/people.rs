//! Group E, who may say what, and how old it may be: auditors, people, moments.

use chrono::TimeDelta;
use orch::source::Moment;

use super::seen::{Seen, both_ways, ci, guard, orch};
use super::stages::{audited, auditing, fresh, handed_over, on_paper, tested};
use crate::support::Team;

attacks![
    own_audit(91, "an audit by someone who did a stage of the task", Deny, ["self-audit"]),
    shared_session(
        93,
        "an audit out of the session that did the work",
        Deny,
        ["audit-session-shared"]
    ),
    unbound_author(
        94,
        "a record in the name of someone bound to another address",
        Deny,
        ["identity-mismatch"]
    ),
    minted_approval(
        95,
        "a person's approval or decision that an agent writes",
        Deny,
        ["approval-missing", "sign-off-missing", "policy-change-undecided"]
    ),
    thirty_days(99, "an audit of exactly thirty days", Ok, []),
    a_second_more(99, "the same a second later", Deny, ["audit-expired"]),
    future_audit(100, "an audit or a record dated ahead", Deny, ["timestamp-invalid"]),
    backdated(
        101,
        "records and commits dated back to make an audit look fresh",
        Deny,
        ["timestamp-invalid", "audit-expired"]
    ),
    slow_clock(102, "a clock that is behind what has landed", Err, []),
    crooked_moments(
        102,
        "moments without offset, with leap seconds, or before what went before",
        Deny,
        ["record-invalid", "timestamp-invalid"]
    ),
];

const PASS: [&str; 9] = [
    "audit",
    "report",
    "strat-001",
    "--verdict",
    "PASS",
    "--test",
    "anti_bias=PASS",
    "--test",
    "full_audit=PASS",
];

fn own_audit() -> Vec<Seen> {
    let changes =
        [("quant_engineer: {lanes: [C]}", "quant_engineer: {lanes: [C, D], auditor: true}")];
    let team = Team::with_policy(&changes);
    team.land_data();
    team.hand_over_strategy(&["--depends-on", "data-001", "--version", "1.0"]);
    team.pass("strat-001", "strategy");
    team.backtest();
    team.orch("orchestrator", &["task", "assign", "strat-001", "--to", "quant_engineer"]);
    team.commit("Let the quant audit");
    let start = ["run", "start", "strat-001", "--session", "another"];
    let started = orch(&team, "quant_engineer", &start);
    // The same, written by hand over the independent auditor's report.
    let team = auditing();
    team.orch("independent_auditor", &PASS);
    let report = team.record("strat-001", "audit_report");
    team.edit(&report, "auditor: independent_auditor", "auditor: quant_engineer");
    team.edit(&report, "actor: independent_auditor", "actor: quant_engineer");
    let [hook, range] = both_ways(&team);
    vec![started, hook, range]
}

fn shared_session() -> Vec<Seen> {
    let shared = ["--session", "session-of-quant_engineer"];
    let team = tested();
    let begin = [&["run", "start", "strat-001"][..], &shared].concat();
    let begun = orch(&team, "independent_auditor", &begin);
    let team = auditing();
    let reported = orch(&team, "independent_auditor", &[&PASS[..], &shared].concat());
    team.orch("independent_auditor", &PASS);
    let report = team.record("strat-001", "audit_report");
    team.edit(&report, "session-of-independent_auditor", "session-of-strategy_developer");
    let [hook, range] = both_ways(&team);
    vec![begun, reported, hook, range]
}

/// Who speaks as a person bound to an address commits from that address.
fn unbound_author() -> Vec<Seen> {
    let bound = "founder: {lanes: [F], human: true, identities: [boss@example.org]}";
    let team = Team::with_policy(&[("founder: {lanes: [F], human: true}", bound)]);
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.repo.git(&["switch", "--quiet", "--create", "orch/hold"]);
    team.orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
    team.commit("Pause strat-001");
    let by_another = ci(&team);
    let sounds_like = "--author=boss@example.org <ada@example.org>";
    team.repo.git(&["commit", "--quiet", "--amend", "--no-edit", sounds_like]);
    let in_the_name_only = ci(&team);
    let honest = "--author=Boss <boss@example.org>";
    team.repo.git(&["commit", "--quiet", "--amend", "--no-edit", honest]);
    team.guard(&["--base", "main"]).passed();
    vec![by_another, in_the_name_only]
}

fn minted_approval() -> Vec<Seen> {
    let team = on_paper();
    let start = ["run", "start", "strat-001"];
    let approve = ["approve", "strat-001", "--stage", "deploy_live", "--statement", "As tested"];
    let without = orch(&team, "deployment_agent", &start);
    let minted = orch(&team, "deployment_agent", &approve);
    team.orch("founder", &approve);
    let record = team.record("strat-001", "approval");
    team.edit(&record, "actor: founder", "actor: deployment_agent");
    team.repo.git(&["switch", "--quiet", "--create", "orch/approve"]);
    let [hook, range] = both_ways(&team);
    let team = fresh();
    team.repo.git(&["switch", "--quiet", "--create", "orch/decide"]);
    let decide = ["decide", "--title", "T", "--context", "C", "--decision", "D"];
    team.orch("founder", &decide);
    let listed = team.repo.git(&["ls-files", ".orch/decisions"]);
    team.edit(&listed, "actor: founder", "actor: orchestrator");
    let [_, decision] = both_ways(&team);
    let team = fresh();
    team.repo.git(&["switch", "--quiet", "--create", "orch/policy"]);
    team.edit(".orch/policy.yaml", "max_age: 30d", "max_age: 300d");
    team.repo.git(&["add", "--all"]);
    let changes = ["--changes", ".orch/policy.yaml"];
    team.orch("founder", &[&decide[..], &changes].concat());
    let listed = team.repo.git(&["ls-files", ".orch/decisions"]);
    team.edit(&listed, "actor: founder", "actor: orchestrator");
    let [_, policy] = both_ways(&team);
    vec![without, minted, hook, range, decision, policy]
}

/// Begins a deploy, staged; gives the guard's word for it, so long after the audit.
fn deployed_after(age: TimeDelta) -> Seen {
    let team = audited();
    let report = team.read(&team.record("strat-001", "audit_report"));
    let date = report.lines().find_map(|line| line.trim().strip_prefix("date: ")).unwrap();
    let date: Moment = date.trim_matches('"').parse().unwrap();
    team.orch("deployment_agent", &["run", "start", "strat-001"]);
    guard(&team, &["--at", &date.plus(age).to_string()])
}

fn thirty_days() -> Vec<Seen> {
    vec![deployed_after(TimeDelta::days(30))]
}

fn a_second_more() -> Vec<Seen> {
    vec![deployed_after(TimeDelta::days(30) + TimeDelta::seconds(1))]
}

/// Gives a moment so far from now, as records spell it.
pub(super) fn from_now(distance: TimeDelta) -> String {
    Moment::new(chrono::Utc::now()).plus(distance).to_string()
}

/// Puts another moment into a field of a record.
fn date(team: &Team, path: &str, field: &str, moment: &str) {
    let text = team.read(path);
    let line = text.lines().find(|line| line.trim_start().starts_with(field)).unwrap();
    let indent = &line[..line.len() - line.trim_start().len()];
    team.repo.write(path, text.replace(line, &format!("{indent}{field}: {moment}")));
}

fn future_audit() -> Vec<Seen> {
    ["date", "recorded_at"]
        .into_iter()
        .flat_map(|field| {
            let team = auditing();
            team.orch("independent_auditor", &PASS);
            let report = team.record("strat-001", "audit_report");
            date(&team, &report, field, &format!("\"{}\"", from_now(TimeDelta::days(20))));
            both_ways(&team)
        })
        .collect()
}

fn backdated() -> Vec<Seen> {
    let team = auditing();
    team.orch("independent_auditor", &PASS);
    let report = team.record("strat-001", "audit_report");
    date(&team, &report, "recorded_at", "\"2020-01-01T00:00:00Z\"");
    let [hook, range] = both_ways(&team);
    // The run and its commit claim to be as old as the audit is; it is judged now all the same.
    let team = audited();
    team.orch("deployment_agent", &["run", "start", "strat-001"]);
    let old = team.with_variable("GIT_COMMITTER_DATE", "@1700000000 +0000");
    let old = old.with_variable("GIT_AUTHOR_DATE", "@1700000000 +0000");
    old.repo.git(&["commit", "--quiet", "-m", "Begin on paper, long ago"]);
    let later = from_now(TimeDelta::days(31));
    vec![hook, range, guard(&team, &["--base", "main", "--at", &later])]
}

fn slow_clock() -> Vec<Seen> {
    let team = tested();
    team.repo.git(&["switch", "--quiet", "--create", "orch/hold"]);
    team.orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
    team.commit("Pause");
    vec![guard(&team, &["--base", "main", "--at", "2020-01-01T00:00:00Z"])]
}

fn crooked_moments() -> Vec<Seen> {
    let mut all = Vec::new();
    for moment in [
        "2026-11-21T10:00:00",
        "2026-11-21T23:59:60Z",
        "2026-11-21",
        "2026-11-21T10:00:00+25:00",
        "2026-02-30T10:00:00Z",
        "1795269600",
        "2026-11-21T10:00:00[Europe/Berlin]",
    ] {
        let team = fresh();
        team.repo.git(&["switch", "--quiet", "--create", "orch/open"]);
        team.open("strat-001", "new_strategy", &[]);
        date(&team, &team.record("strat-001", "task"), "recorded_at", &format!("\"{moment}\""));
        all.extend(both_ways(&team));
    }
    // A runner whose clock is behind takes what is new for something still to come.
    let team = handed_over();
    all.push(guard(&team, &["--base", "main", "--at", "2020-01-01T00:00:00Z"]));
    all
}
