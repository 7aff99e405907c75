//! Nothing that ends orch, at any moment, leaves half of something behind.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{CODE, Random, Team};

/// A journal as a command leaves it that was cut off: here are the files that it was writing.
fn leave_journal(team: &Team, files: &[(&str, &str)]) {
    let digest = |text: &str| orch::source::Digest::of(text.as_bytes()).to_string();
    let written = files
        .iter()
        .map(|(path, text)| serde_json::json!({ "path": path, "digest": digest(text) }))
        .collect::<Vec<_>>();
    let journal = serde_json::json!({ "written": written }).to_string();
    std::fs::create_dir_all(team.repo.path().join(".git/orch")).unwrap();
    std::fs::write(team.repo.path().join(".git/orch/journal.json"), journal).unwrap();
}

const ORPHAN: &str = ".orch/tasks/2026-11/strat-009/0001-task.yaml";
const UNFINISHED: &str = ".orch/tasks/2026-11/strat-009/.orch-a1b2c3";

/// R001-16: what a killed command wrote and did not stage is put away by the next one, with its
/// temporary files and its folder, and the next one says so; once.
#[test]
fn an_orphan_is_put_away() {
    let team = Team::new();
    team.repo.write(ORPHAN, "task: {}\n");
    team.repo.write(UNFINISHED, "task: ");
    leave_journal(&team, &[(ORPHAN, "task: {}\n")]);
    let open = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "T"];
    let said = team.try_orch("orchestrator", &open);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.err.contains("cut off") && said.err.contains(ORPHAN), "{said:#?}");
    assert!(!team.repo.path().join(".orch/tasks/2026-11/strat-009").exists());
    let said = team.try_orch("orchestrator", &["task", "block", "strat-001", "--reason", "R"]);
    assert!(said.code == 0 && said.err.is_empty(), "{said:#?}");
    team.commit("Open strat-001");
    team.verify().passed();
}

/// What somebody else wrote since, and what is staged, stays.
#[test]
fn only_what_the_command_itself_left_is_put_away() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    let staged = team.record("strat-001", "task");
    team.repo.write("notes.txt", "mine");
    leave_journal(&team, &[(&staged, &team.read(&staged)), ("notes.txt", "its")]);
    let said = team.try_orch("orchestrator", &["task", "block", "strat-001", "--reason", "R"]);
    assert!(said.code == 0 && said.err.is_empty(), "{said:#?}");
    assert_eq!((team.read("notes.txt").as_str(), team.records().len()), ("mine", 2));
}

/// A journal that is itself half written was cut off before anything else was touched.
#[test]
fn half_a_journal_is_none() {
    let team = Team::new();
    leave_journal(&team, &[]);
    std::fs::write(team.repo.path().join(".git/orch/journal.json"), "{\"written\": [").unwrap();
    team.open("strat-001", "new_strategy", &[]);
    assert!(!team.repo.path().join(".git/orch/journal.json").exists());
}

/// A linked worktree's journal is its own: what it left is put away there.
#[test]
fn worktrees_clean_up_behind_themselves() {
    let team = Team::new();
    team.repo.git(&["worktree", "add", "--quiet", "-b", "orch/linked", "../linked"]);
    let linked = Team::over(team.repo.beside("linked"));
    linked.repo.write(ORPHAN, "task: {}\n");
    leave_journal(&team, &[(ORPHAN, "task: {}\n")]);
    let journals = team.repo.path().join(".git/orch");
    let [own, other] = ["journal.json", "journal-linked.json"].map(|name| journals.join(name));
    std::fs::rename(own, &other).unwrap();
    team.open("strat-001", "new_strategy", &[]);
    assert!(other.exists() && linked.repo.path().join(ORPHAN).exists());
    let open = ["task", "open", "strat-002", "--workflow", "new_strategy", "--title", "T"];
    linked.orch("orchestrator", &open);
    assert!(!other.exists() && !linked.repo.path().join(ORPHAN).exists());
}

/// Where Git can't write the index, nothing is left in the way, and the help says what to do.
#[test]
fn a_locked_index_is_told() {
    let team = Team::new();
    team.repo.write(".git/index.lock", "");
    let open = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "T"];
    let said = team.try_orch("orchestrator", &open);
    assert!(said.fault().contains("index.lock"), "{said:#?}");
    team.repo.remove(".git/index.lock");
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
    team.orch("orchestrator", &open);
    team.commit("Open strat-001");
}

/// Kills a command after a while; gives whether it was still there.
fn kill_after(team: &Team, agent: &str, arguments: &[&str], wait: Duration) -> bool {
    let mut command = team.command(agent, &format!("session-of-{agent}"), arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(wait);
    let cut_off = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    cut_off
}

/// R001-16: a Git that outlives a killed orch is waited for: what it stages then is no orphan.
#[test]
fn a_git_that_goes_on_is_waited_for() {
    let team = Team::new();
    let begun = team.repo.root().join("begun");
    let clean = format!("touch '{}'; sleep 1; cat", begun.display());
    team.repo.git(&["config", "filter.slow.clean", &clean]);
    team.repo.write(".git/info/attributes", "*-task.yaml filter=slow\n");
    let open = |id| ["task", "open", id, "--workflow", "new_strategy", "--title", "T"];
    let mut command = team.command("orchestrator", "session", &open("strat-001"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !begun.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let said = team.try_orch("orchestrator", &open("strat-002"));
    assert!(said.code == 0 && said.err.is_empty(), "{said:#?}");
    assert_eq!(team.records().len(), 2);
    team.commit("Open two tasks");
    team.verify().passed();
}

/// How long something takes, in microseconds.
fn time(act: impl FnOnce()) -> usize {
    let begun = std::time::Instant::now();
    act();
    usize::try_from(begun.elapsed().as_micros()).unwrap()
}

/// A random moment while a command runs, or shortly behind it.
fn within(random: &mut Random, takes: usize) -> Duration {
    Duration::from_micros(u64::try_from(random.below(takes + takes / 5)).unwrap())
}

/// Kills a command at some moments, each time on a state that is prepared anew; says it again, and
/// looks whether everything is whole.
fn survives(moments: usize, seed: u64, agent: &str, arguments: &[&str], kind: &str) {
    let team = Team::sealed();
    team.commit("Hand over the strategy");
    let at = match kind {
        "handoff" => "HEAD~1",
        _ => "HEAD",
    };
    let start = team.repo.git(&["rev-parse", at]);
    let prepare = || {
        team.repo.git(&["reset", "--quiet", "--hard", &start]);
        team.write_strategy();
    };
    prepare();
    let takes = time(|| drop(team.orch(agent, arguments)));
    let mut random = Random::new(seed);
    let mut cut_off = 0;
    for moment in 0..moments {
        prepare();
        let wait = within(&mut random, takes);
        cut_off += usize::from(kill_after(&team, agent, arguments, wait));
        team.orch(agent, arguments);
        let status = team.repo.git(&["status", "--porcelain", "--untracked-files=all"]);
        assert!(!status.contains("?? .orch") && !status.contains("/.orch-"), "{moment}: {status}");
        assert!(!team.repo.path().join(".git/orch/journal.json").exists());
        let records =
            team.records().into_iter().filter(|path| path.ends_with(&format!("-{kind}.yaml")));
        assert_eq!(records.count(), 1, "{moment} after {wait:?}");
        team.guard(&[]).passed();
    }
    assert!(cut_off > moments / 4, "only {cut_off} of {moments} were cut off");
    team.commit("Go on");
    team.verify().passed();
}

/// R001-16, R001-18: `handoff create` is killed at any moment, and said again.
#[test]
fn a_killed_handoff_is_said_again() {
    survives(60, 1, "strategy_developer", &["handoff", "create", "strat-001"], "handoff");
}

/// R001-16, R001-18: `gate` is killed at any moment, and said again.
#[test]
fn a_killed_gate_is_said_again() {
    survives(60, 2, "orchestrator", &["gate", "strat-001"], "gate");
}

/// R001-16: `run start` is killed at any moment, its branch made or not, and said again.
#[test]
fn a_killed_start_is_said_again() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let started = time(|| drop(team.orch("strategy_developer", &["run", "start", "strat-001"])));
    let mut random = Random::new(3);
    for moment in 0..40 {
        team.repo.git(&["reset", "--quiet", "--hard"]);
        team.repo.git(&["switch", "--quiet", "main"]);
        let _not_yet = team.repo.try_git(&["branch", "-D", "feature/strat-001-strategy"]);
        let wait = within(&mut random, started);
        kill_after(&team, "strategy_developer", &["run", "start", "strat-001"], wait);
        team.orch("strategy_developer", &["run", "start", "strat-001"]);
        let branch = team.repo.git(&["symbolic-ref", "--short", "HEAD"]);
        assert_eq!(branch, "feature/strat-001-strategy", "{moment} after {wait:?}");
        assert_eq!(team.records().len(), 2, "{moment} after {wait:?}");
        team.guard(&[]).passed();
    }
    team.commit("Begin the strategy");
    team.verify().passed();
}

/// R000-58: a checkpoint is recorded once, is sealed with its files, and a retry carries it on.
#[test]
fn a_retry_goes_on_from_the_checkpoint() {
    let team = Team::with_policy(&[("initial_interval: 15s", "initial_interval: 0s")]);
    team.begin_strategy(&[]);
    team.write_strategy();
    let artifact = format!("code={CODE}");
    let reach = ["run", "checkpoint", "strat-001", "--name", "half", "--artifact", &artifact];
    team.orch("strategy_developer", &reach);
    let again = team.orch("strategy_developer", &reach);
    assert!(again.contains("already"), "{again}");
    let record = team.record("strat-001", "run");
    assert!(record.ends_with("/0003-run.yaml"), "{record}");
    assert!(team.read(&record).contains(&team.digest(CODE)));
    team.commit("Get half of it done");
    team.repo.write(CODE, "plot(ta.ema(close[1], 20))\n");
    team.orch("strategy_developer", &reach);
    assert!(team.record("strat-001", "run").ends_with("/0004-run.yaml"));
    let fail = ["run", "fail", "strat-001", "--class", "transient", "--reason", "network"];
    team.orch("strategy_developer", &fail);
    team.orch("strategy_developer", &["run", "retry", "strat-001"]);
    let retried = team.read(&team.record("strat-001", "run"));
    assert!(retried.contains("attempt: 2") && retried.contains("name: half"), "{retried}");
    assert!(retried.contains(&team.digest(CODE)), "{retried}");
    team.commit("Try again");
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
    team.edit(&team.record("strat-001", "run"), "name: half", "name: all");
    team.repo.git(&["add", ".orch"]);
    team.guard(&[]).refused_by("record-modified");
}
