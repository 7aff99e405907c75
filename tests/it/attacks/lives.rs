//! Group E, when a task may go on: retries, pauses, order, halts, emergencies, many at once.

use std::process::Stdio;

use chrono::TimeDelta;

use super::people::from_now;
use super::seen::{Seen, both_ways, ci, commit, git, guard, orch, smuggled};
use super::stages::{audited, begun, fresh, halted, handed_over, on_paper};
use crate::support::Team;

attacks![
    forbidden_retries(
        103,
        "a retry of what can't work, too soon, too often, or miscounted",
        Deny,
        ["retry-forbidden", "retry-too-soon", "retry-exhausted", "run-id-mismatch"]
    ),
    paused_task(
        104,
        "a paused task that goes on without a person's sign-off",
        Deny,
        ["task-paused", "sign-off-missing"]
    ),
    wrong_order(
        105,
        "a stage before its evidence, a second active one, tasks in a circle",
        Deny,
        ["stage-skipped", "stage-already-active", "dependency-cycle"]
    ),
    circle_in_the_policy(105, "a circle in an agreed policy", Err, []),
    under_a_halt(
        106,
        "a run while a halt stands, is lifted beside it, or can't be read",
        Deny,
        ["halt-standing", "record-modified"]
    ),
    misused_emergency(
        107,
        "a rollback by someone else, of something else, or with something new",
        Deny,
        ["emergency-unjustified"]
    ),
    paid_emergency(
        107,
        "a rollback for an open incident, and what that owes",
        Warn,
        ["incident-report-overdue", "postmortem-overdue"]
    ),
    two_at_once(109, "two clones that go on with one ledger", Deny, ["chain-forked"]),
    many_at_once(109, "many processes that write one entry", Ok, []),
];

const FAIL: [&str; 7] = ["run", "fail", "strat-001", "--reason", "r", "--class", "transient"];

fn forbidden_retries() -> Vec<Seen> {
    let retry = |team: &Team| orch(team, "strategy_developer", &["run", "retry", "strat-001"]);
    let waiting = begun();
    waiting.orch("strategy_developer", &FAIL);
    let too_soon = retry(&waiting);
    let hopeless = begun();
    hopeless.orch("strategy_developer", &[&FAIL[..6], &["deterministic"]].concat());
    let forbidden = retry(&hopeless);
    let changes = [
        ("initial_interval: 15s", "initial_interval: 1s"),
        ("maximum_attempts: 5", "maximum_attempts: 2"),
    ];
    let often = Team::with_policy(&changes);
    often.begin_strategy(&[]);
    often.orch("strategy_developer", &FAIL);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    often.orch("strategy_developer", &["run", "retry", "strat-001"]);
    often.commit("Try again");
    // A gap in the count hides a try.
    let record = often.record("strat-001", "run");
    let miscounted = {
        let team = begun();
        let run = team.record("strat-001", "run");
        team.repo.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
        team.edit(&run, "attempt: 1", "attempt: 3");
        both_ways(&team)
    };
    assert!(often.read(&record).contains("attempt: 2"));
    often.orch("strategy_developer", &FAIL);
    let exhausted = retry(&often);
    [too_soon, forbidden, exhausted].into_iter().chain(miscounted).collect()
}

fn paused_task() -> Vec<Seen> {
    let paused = || {
        let team = handed_over();
        team.orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
        team.commit("Pause strat-001");
        team
    };
    let team = paused();
    let gate = orch(&team, "orchestrator", &["gate", "strat-001"]);
    let resume = ["resume", "strat-001", "--sign-off", "Looked into it"];
    let agent = orch(&team, "orchestrator", &resume);
    team.orch("founder", &resume);
    let record = team.record("strat-001", "resume");
    let honest = team.read(&record);
    let mut all = vec![gate, agent];
    for (from, to) in [
        ("actor: founder", "actor: orchestrator"),
        ("approver: founder", "approver: orchestrator"),
        ("sign_off: Looked into it", "sign_off: \" \""),
    ] {
        let team = paused();
        assert!(honest.contains(from), "{honest}");
        team.orch("founder", &resume);
        team.edit(&record, from, to);
        all.extend(both_ways(&team));
    }
    team.orch("orchestrator", &["gate", "strat-001"]);
    team.commit("Resume and go on");
    all
}

fn wrong_order() -> Vec<Seen> {
    let live = ["run", "start", "strat-001", "--stage", "deploy_live"];
    let skipped = orch(&audited(), "deployment_agent", &live);
    let second = ["run", "start", "strat-001", "--stage", "backtest", "--no-branch"];
    let active = orch(&begun(), "quant_engineer", &second);
    let team = fresh();
    team.open("strat-001", "new_strategy", &[]);
    team.open("strat-002", "new_strategy", &["--depends-on", "strat-001"]);
    let task = team.record("strat-001", "task");
    team.edit(&task, "entry:", "  depends_on:\n    - strat-002\nentry:");
    team.repo.git(&["switch", "--quiet", "--create", "orch/circle"]);
    vec![skipped, active, smuggled(&team)]
}

fn circle_in_the_policy() -> Vec<Seen> {
    [
        ("      backtest: [strategy_code, validated_data]", "      backtest: [paper_results]"),
        ("requires: [backtest_results, documentation]", "requires: [paper_results]"),
        ("requires: [strategy_code, validated_data]", "requires: [backtest_results]"),
    ]
    .map(|(from, to)| {
        let team = fresh();
        team.edit(".orch/policy.yaml", from, to);
        team.smuggle("Agree on a circle");
        ci(&team)
    })
    .into()
}

fn under_a_halt() -> Vec<Seen> {
    let start = ["run", "start", "strat-001"];
    let unhalt = ["unhalt", "drawdown", "--sign-off", "Flat"];
    let team = halted();
    let standing = orch(&team, "strategy_developer", &start);
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-strategy"]);
    team.orch("founder", &unhalt);
    let beside = orch(&team, "strategy_developer", &start);
    team.commit("Lift the halt");
    let behind = orch(&team, "strategy_developer", &start);
    let deleted = halted();
    deleted.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-strategy"]);
    deleted.repo.git(&["rm", "-r", "--quiet", ".orch/halts"]);
    let [_, gone] = both_ways(&deleted);
    let mut all = vec![standing, beside, behind, gone];
    all.extend(begun_before_the_halt(&unhalt));
    for text in ["halt: [\n", "", "halt: {topic: nonsense}\n", "\0"] {
        let team = fresh();
        team.open("strat-001", "new_strategy", &[]);
        team.commit("Open the strategy");
        team.repo.write(".orch/halts/torn/0001-halt.yaml", text);
        team.smuggle("Halt, somehow");
        all.push(orch(&team, "strategy_developer", &start));
    }
    all
}

/// What was begun elsewhere before the halt does not land under it, nor with what lifts it.
fn begun_before_the_halt(unhalt: &[&str]) -> [Seen; 2] {
    let team = fresh();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open the strategy");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.commit("Begin the strategy");
    team.repo.git(&["switch", "--quiet", "main"]);
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "all"];
    team.orch("founder", &[&halt[..], &["--reason", "Drawdown", "--id", "drawdown"]].concat());
    team.commit("Halt everything");
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    let alone = ci(&team);
    team.repo.git(&["merge", "--quiet", "--no-edit", "--no-verify", "main"]);
    team.orch("founder", unhalt);
    [alone, smuggled(&team)]
}

const ROLLBACK: [&str; 7] =
    ["run", "start", "strat-001", "--stage", "rollback", "--incident", "inc-001"];

/// An open incident about what is on paper, on `main`.
fn incident(more: &[&str]) -> Team {
    let team = on_paper();
    let open = ["incident", "open", "inc-001", "--trigger", "Orders without a stop"];
    team.orch("founder", &[&open[..], more].concat());
    team.commit("Open the incident");
    team
}

const LIVE: [&str; 4] = ["--procedure", "live_emergency", "--task", "strat-001"];
const PAPER: &str = "deploy/paper/new_strategy.json";

fn misused_emergency() -> Vec<Seen> {
    let by_another = orch(&incident(&LIVE), "ml_engineer", &ROLLBACK);
    let of_another = orch(&incident(&LIVE[..2]), "deployment_agent", &ROLLBACK);
    let team = incident(&LIVE);
    team.orch("deployment_agent", &ROLLBACK);
    team.commit("Begin the rollback");
    team.repo.write(PAPER, "{\"untested\": true}\n");
    let [hook, range] = both_ways(&team);
    vec![by_another, of_another, hook, range]
}

fn paid_emergency() -> Vec<Seen> {
    let team = incident(&LIVE);
    team.orch("deployment_agent", &ROLLBACK);
    team.commit("Begin the rollback");
    team.repo.git(&["rm", "--quiet", PAPER]);
    team.orch("deployment_agent", &["handoff", "create", "strat-001", "--incident", "inc-001"]);
    team.commit("Take it off");
    team.guard(&["--base", "main"]).passed();
    let tomorrow = from_now(TimeDelta::hours(25));
    vec![guard(&team, &["--base", "main", "--at", &tomorrow])]
}

/// Whoever pushes first is accepted; the other is told to take that in.
fn two_at_once() -> Vec<Seen> {
    let team = fresh();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let server = Team::over(team.repo.clone_to("server.git", &["--bare"]));
    server.orch("", &["hooks", "install", "--server"]);
    let [one, two] = ["one", "two"].map(|name| server.clone_to(name));
    let hold = [(&one, "founder", "pause"), (&two, "orchestrator", "pause")];
    for (clone, agent, word) in hold {
        clone.repo.git(&["switch", "--quiet", "--create", "orch/hold"]);
        clone.orch(agent, &[word, "strat-001", "--reason", "Hold on"]);
        clone.commit("Hold on");
        clone.repo.git(&["switch", "--quiet", "main"]);
        clone.repo.git(&["merge", "--quiet", "--no-ff", "--no-edit", "orch/hold"]);
    }
    one.repo.git(&["push", "--quiet", "origin", "main"]);
    assert_ne!(two.try_git(&["push", "origin", "main"]).code, 0, "Git itself refuses");
    two.repo.git(&["fetch", "--quiet", "origin"]);
    let branch = git(&two, &["push", "origin", "orch/hold"]);
    vec![branch, guard(&two, &["--base", "origin/main", "--branch", "orch/hold"])]
}

fn many_at_once() -> Vec<Seen> {
    let team = fresh();
    let open = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "At once"];
    let children: Vec<_> = (0..10)
        .map(|_| {
            let mut command = team.command("orchestrator", "session", &open);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    assert!(children.into_iter().all(|mut child| child.wait().unwrap().success()));
    assert_eq!(team.records().len(), 1);
    // What they write is not the same: both stand, one behind the other.
    let pause = ["pause", "strat-001", "--reason", "Hold on"];
    let block = ["task", "block", "strat-001", "--reason", "No data"];
    let both = [&pause[..], &block].map(|words| {
        let mut command = team.command("founder", "session", words);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    });
    assert!(both.into_iter().all(|mut child| child.wait().unwrap().success()));
    assert_eq!(team.records().len(), 3);
    vec![commit(&team), orch(&team, "", &["verify"])]
}
