//! `orch run exec`: a command as a stage's run, through everything that can befall it.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{CODE, DOCUMENT, Random, Said, Team, write_script};

/// A team whose policy waits a second before each retry, with `strat-001` opened on its branch.
fn team() -> Team {
    team_whose("maximum_attempts: 5", "maximum_attempts: 5")
}

/// The same, with one more change to its policy.
fn team_whose(from: &str, to: &str) -> Team {
    let team = Team::over(crate::support::TestRepo::new());
    team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
    team.edit(".orch/policy.yaml", "initial_interval: 15s", "initial_interval: 1s");
    team.edit(".orch/policy.yaml", "backoff_coefficient: 2.0", "backoff_coefficient: 1.0");
    team.edit(".orch/policy.yaml", from, to);
    team.repo.git(&["add", ".orch/policy.yaml"]);
    team.commit("Begin with orch");
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-strategy"]);
    team
}

/// Writes the script that the stage's command runs; it counts how often it was run.
fn script(team: &Team, text: &str) -> String {
    let file = team.repo.root().join("work.sh");
    let count = team.repo.root().join("count");
    write_script(&file, &format!("#!/bin/sh\necho x >> '{}'\n{text}\n", count.display()));
    file.display().to_string()
}

/// How often the script was run.
fn runs(team: &Team) -> usize {
    std::fs::read_to_string(team.repo.root().join("count")).unwrap_or_default().lines().count()
}

const AGENT: &str = "strategy_developer";

fn exec(team: &Team, more: &[&str], script: &str) -> Said {
    team.try_orch(AGENT, &[&["run", "exec", "strat-001"], more, &["--", script]].concat())
}

/// The payload of the task's last `run` entry.
fn last(team: &Team) -> serde_json::Value {
    let story = team.json("", &["status", "strat-001"]);
    let entries = story["entries"].as_array().unwrap().iter();
    let mut runs =
        entries.filter(|entry| entry["kind"] == "run").map(|entry| entry["payload"].clone());
    let last = runs.next_back().unwrap();
    last.get("run").cloned().unwrap_or(last)
}

/// The log of an attempt.
fn log(team: &Team, run: &serde_json::Value, attempt: u32) -> Vec<u8> {
    let name = format!("{}-{attempt}.log", run["run_id"].as_str().unwrap());
    let logs = team.repo.path().join(".git/orch/logs/strat-001");
    std::fs::read(logs.join(name)).unwrap()
}

/// R001-13, R001-18, R001-20: the command is told what it runs as, its output is kept, passed on
/// and sealed, and a second time runs nothing.
#[test]
fn a_command_that_succeeds_is_run_once() {
    let team = team();
    let work = script(
        &team,
        &format!(
            "env | grep ^ORCH_ | sort; echo told >&2; cat; mkdir -p $(dirname {CODE}) docs/strategies
             echo code > {CODE}; echo about > {DOCUMENT}"
        ),
    );
    let said = exec(&team, &[], &work);
    assert_eq!(said.code, 0, "{said:#?}");
    let run = last(&team);
    let id = run["run_id"].as_str().unwrap();
    for line in [
        "ORCH_TASK=strat-001",
        "ORCH_STAGE=strategy",
        "ORCH_ATTEMPT=1",
        "ORCH_AGENT=strategy_developer",
        "ORCH_SESSION=session-of-strategy_developer",
        &format!("ORCH_LANE={}", run["lane"].as_str().unwrap()),
        &format!("ORCH_RUN_ID={id}"),
        &format!("ORCH_IDEMPOTENCY_KEY=strat-001/strategy/{id}"),
        "told",
    ] {
        assert!(said.out.lines().any(|told| told == line), "{line} is missing: {said:#?}");
    }
    assert!(!said.out.contains("ORCH_CHECKPOINT"), "{said:#?}");
    assert_eq!((run["status"].as_str(), run["exit_code"].as_i64()), (Some("succeeded"), Some(0)));
    let digest = orch::source::Digest::of(&log(&team, &run, 1)).to_string();
    assert_eq!(run["log"].as_str(), Some(digest.as_str()));
    let again = exec(&team, &[], &work);
    assert!(again.code == 0 && again.out.contains("succeeded already"), "{again:#?}");
    assert_eq!((runs(&team), team.records().len()), (1, 3));
    let handed = exec(&team, &["--handoff"], &work);
    assert!(handed.code == 0 && handed.out.contains("handed off to"), "{handed:#?}");
    let again = exec(&team, &["--handoff"], &work);
    assert!(again.code == 0 && again.out.contains("handed off already"), "{again:#?}");
    assert_eq!((runs(&team), team.records().len()), (1, 4));
    team.commit("Do the strategy");
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
}

/// R001-15, R000-58: a transient failure is waited for and tried again, from the checkpoint.
#[test]
fn a_transient_failure_is_tried_again() {
    let team = team();
    let orch = env!("CARGO_BIN_EXE_orch");
    let work = script(
        &team,
        &format!(
            "if [ $ORCH_ATTEMPT = 1 ]; then '{orch}' run checkpoint strat-001 --name half || exit 1
             echo 'connection reset by peer'; exit 1; fi
             [ \"$ORCH_CHECKPOINT\" = half ] || exit 1
             mkdir -p $(dirname {CODE}) docs/strategies; echo code > {CODE}; echo about > {DOCUMENT}"
        ),
    );
    let said = exec(&team, &["--handoff"], &work);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("failed (transient, network): connection reset"), "{said:#?}");
    let names: Vec<String> =
        team.records().iter().map(|path| path.rsplit_once('/').unwrap().1.to_owned()).collect();
    let kinds = ["task", "run", "run", "run", "run", "run", "handoff"];
    let expected = (1..).zip(kinds).map(|(number, kind)| format!("{number:04}-{kind}.yaml"));
    assert_eq!(names, expected.collect::<Vec<_>>());
    assert_eq!((runs(&team), last(&team)["attempt"].as_u64()), (2, Some(2)));
    team.commit("Do the strategy");
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
}

/// R001-16: what would fail again is not tried again; the refusal says where to look.
#[test]
fn a_deterministic_failure_ends_it() {
    let team = team();
    let work = script(&team, "echo 'column close is missing'; echo; exit 3");
    let said = exec(&team, &[], &work);
    assert_eq!(said.code, 1, "{said:#?}");
    for part in ["exit_code): column close is missing", ".git/orch/logs", "help: mend"] {
        assert!(said.err.contains(part), "{part} is missing: {said:#?}");
    }
    let run = last(&team);
    assert_eq!((runs(&team), run["exit_code"].as_i64()), (1, Some(3)));
    assert_eq!(run["failure"]["class"].as_str(), Some("deterministic"));
    assert_eq!(run["failure"]["message"].as_str(), Some("column close is missing"));
    assert!(run["retry_after"].is_null() && run["lane_state"].is_string(), "{run:#?}");
    team.commit("Fail");
    team.verify().passed();
}

/// R001-17: where failures pause the task, it is not tried again, and the refusal names a person.
#[test]
fn repeated_failures_pause_the_task() {
    let team = team();
    let work = script(&team, "exit 77");
    let said = exec(&team, &[], &work);
    assert!(said.code == 1 && said.err.contains("orch resume strat-001"), "{said:#?}");
    assert!(team.record("strat-001", "pause").ends_with("/0004-pause.yaml"));
    let said = exec(&team, &[], &work);
    assert_eq!((said.code, said.checks()), (1, vec!["task-paused"]), "{said:#?}");
    assert_eq!(runs(&team), 1);
}

/// A program that is not there begins no run.
#[test]
fn a_program_that_is_missing_begins_nothing() {
    let team = team();
    let said = exec(&team, &[], "./no-such-program");
    assert!(said.fault().contains("no-such-program"), "{said:#?}");
    assert_eq!(team.records().len(), 1);
}

/// What takes too long is ended with its children, and is transient.
#[test]
fn a_command_that_takes_too_long_is_ended() {
    let team = team_whose("maximum_attempts: 5", "maximum_attempts: 1");
    let pid = team.repo.root().join("pid");
    let work = script(&team, &format!("sleep 60 & echo $! > '{}'; wait", pid.display()));
    let begun = Instant::now();
    let said = exec(&team, &["--timeout", "1s"], &work);
    assert!(begun.elapsed() < Duration::from_secs(30), "{said:#?}");
    let run = last(&team);
    assert_eq!(run["failure"]["reason"].as_str(), Some("timeout"), "{said:#?}");
    assert!(said.code == 1 && said.err.contains("as often as the policy allows"), "{said:#?}");
    assert!(!is_alive(std::fs::read_to_string(pid).unwrap().trim()));
}

/// Tells whether a process is there and no mere corpse.
fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

fn start(team: &Team, work: &str) -> Child {
    let arguments = ["run", "exec", "strat-001", "--handoff", "--", work];
    let mut command = team.command(AGENT, "session-of-strategy_developer", &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until something holds; fails after half a minute.
#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const WORK: &str = "mkdir -p strategies/pine_v6 docs/strategies
echo code > strategies/pine_v6/new_strategy.pine; echo about > docs/strategies/new_strategy.md";

/// R001-18, attack 109: while the command runs, even after its orch was killed, nobody runs it
/// again; afterwards the run is taken up as it is.
#[test]
fn a_command_runs_once_at_a_time_even_without_its_orch() {
    let team = team();
    let gate = team.repo.root().join("gate");
    let work =
        script(&team, &format!("while [ ! -e '{}' ]; do sleep 0.05; done\n{WORK}", gate.display()));
    let mut first = start(&team, &work);
    until("the command", || runs(&team) == 1);
    let still_runs = || {
        let said = exec(&team, &[], &work);
        assert!(said.denied().contains("still runs, as process"), "{said:#?}");
        let hand_off = team.try_orch("strategy_developer", &["handoff", "create", "strat-001"]);
        assert!(hand_off.denied().contains("still runs"), "{hand_off:#?}");
        assert_eq!((runs(&team), team.records().len()), (1, 2));
    };
    still_runs();
    first.kill().unwrap();
    first.wait().unwrap();
    still_runs();
    std::fs::write(gate, "").unwrap();
    until("the end", || {
        let said = exec(&team, &["--handoff"], &work);
        let busy = said.err.contains("still runs");
        assert_eq!(said.code == 0, !busy, "{said:#?}");
        !busy
    });
    assert_eq!((runs(&team), last(&team)["attempt"].as_u64()), (2, Some(1)));
    assert_eq!(team.records().len(), 4);
    team.commit("Do the strategy");
    team.verify().passed();
}

/// Ctrl-C ends the command, and is recorded as a failure that may be tried again.
#[test]
fn an_interrupt_is_recorded() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let team = team();
        let work = script(&team, "sleep 60");
        let mut child = start(&team, &work);
        until("the command", || runs(&team) == 1);
        let pid = child.id().to_string();
        let kill = std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let run = last(&team);
        assert_eq!(run["failure"]["reason"].as_str(), Some("interrupted"));
        assert!(run["retry_after"].is_string(), "{run:#?}");
        let work = script(&team, WORK);
        let said = exec(&team, &["--handoff"], &work);
        assert_eq!((said.code, last(&team)["attempt"].as_u64()), (0, Some(2)), "{said:#?}");
        team.commit("Do the strategy");
    }
}

/// R001-16, R001-18: `run exec` is killed at any moment, and said again until it has ended well:
/// each record is there once, and nothing is half done.
#[test]
fn a_killed_exec_is_said_again() {
    let team = team();
    let start_at = team.repo.git(&["rev-parse", "HEAD"]);
    let work = script(&team, &format!("sleep 0.02\n{WORK}"));
    let mut random = Random::new(4);
    for moment in 0..80 {
        team.repo.git(&["reset", "--quiet", "--hard", &start_at]);
        let wait = Duration::from_micros(u64::try_from(random.below(160_000)).unwrap());
        let mut child = start(&team, &work);
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        until("the end", || {
            let said = exec(&team, &["--handoff"], &work);
            let busy = said.err.contains("still runs");
            assert_eq!(said.code == 0, !busy, "{moment} after {wait:?}: {said:#?}");
            !busy
        });
        let status = team.repo.git(&["status", "--porcelain", "--untracked-files=all"]);
        assert!(!status.contains("??") && !status.contains(".orch-"), "{moment}: {status}");
        let kinds = ["0001-task", "0002-run", "0003-run", "0004-handoff"];
        let names: Vec<String> =
            team.records().iter().map(|path| path.rsplit_once('/').unwrap().1.to_owned()).collect();
        assert_eq!(names, kinds.map(|kind| format!("{kind}.yaml")), "{moment} after {wait:?}");
        team.guard(&[]).passed();
    }
    team.commit("Do the strategy");
    team.verify().passed();
}

/// R003-25: what a program prints of the environment's secrets is recorded and told by their names alone.
#[test]
fn a_secret_that_a_program_prints_is_not_recorded() {
    let secret = "smtps://ops:hunter2hunter2@mail.example";
    let team = Team::written();
    let team = team.with_variable("ALERT_SMTP_URL", secret);
    let leak = "echo \"cannot post to $ALERT_SMTP_URL\"; echo \"key hunter2hunter2\"; exit 1";
    let said =
        team.try_orch("strategy_developer", &["run", "exec", "strat-001", "--", "sh", "-c", leak]);
    assert_eq!(said.code, 1, "{said:#?}");
    let entry = team.read(&team.record("strat-001", "run"));
    assert!(entry.contains("[ALERT_SMTP_URL]") && !entry.contains("hunter2"), "{entry}");
    let log = team.read("logs/agent_activity.log");
    assert!(!log.contains("hunter2"), "{log}");
}
