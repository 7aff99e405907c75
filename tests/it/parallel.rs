//! Many at once: in one clone, each process waits its turn; in several, a clash is seen when they
//! meet.

use std::process::{Child, Output, Stdio};

use crate::support::Team;

/// Opens tasks with one process each, all at once; gives how each ended.
fn open_at_once(team: &Team, ids: &[String]) -> Vec<Output> {
    let children: Vec<Child> = ids
        .iter()
        .map(|id| {
            let open = ["task", "open", id, "--workflow", "new_strategy", "--title", "At once"];
            let mut command = team.command("orchestrator", "session", &open);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

fn codes(outputs: &[Output]) -> Vec<Option<i32>> {
    outputs.iter().map(|output| output.status.code()).collect()
}

/// R001-16, R001-23: 50 agents open 50 tasks at once; every one is recorded, staged and logged.
#[test]
fn fifty_tasks_at_once_are_all_there() {
    let team = Team::new();
    let ids: Vec<String> = (0..50).map(|number| format!("strat-{number:03}")).collect();
    let outputs = open_at_once(&team, &ids);
    assert_eq!(codes(&outputs), vec![Some(0); 50], "{outputs:#?}");
    let staged = team.records();
    assert_eq!(staged.len(), 50, "{staged:?}");
    for id in &ids {
        assert!(team.record(id, "task").ends_with("/0001-task.yaml"));
    }
    let log = team.read("logs/agent_activity.log");
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 50);
    team.commit("Open fifty tasks");
    let listed = team.json("", &["task", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 50);
    team.verify().passed();
}

/// Attack 109, R001-18: 20 agents open the same task at once: one entry, and all are told so. A
/// task of another title under that id is refused.
#[test]
fn one_task_is_opened_once() {
    let team = Team::new();
    let ids = vec!["strat-001".to_owned(); 20];
    let outputs = open_at_once(&team, &ids);
    assert_eq!(codes(&outputs), vec![Some(0); 20], "{outputs:#?}");
    let told = outputs.iter().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    assert_eq!(told.filter(|told| told.contains("is open already")).count(), 19);
    assert_eq!(team.records().len(), 1);
    let other = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "Another"];
    assert!(team.try_orch("orchestrator", &other).denied().contains("is there already"));
    team.commit("Open one task");
}

/// Says the same with 50 processes at once; every one must end well.
fn at_once(team: &Team, agent: &str, arguments: &[&str]) {
    let children: Vec<Child> = (0..50)
        .map(|_| {
            let mut command = team.command(agent, &format!("session-of-{agent}"), arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let outputs: Vec<Output> =
        children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    assert_eq!(codes(&outputs), vec![Some(0); 50], "{outputs:#?}");
}

/// R001-11, R001-18, attack 109: 50 starts of one stage at once are one run, 50 handoffs of it one
/// handoff, and 50 gates behind it one gate.
#[test]
fn what_many_say_at_once_is_recorded_once() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-strategy"]);
    at_once(&team, "strategy_developer", &["run", "start", "strat-001"]);
    assert_eq!(team.records().len(), 2);
    team.commit("Begin the strategy");
    team.write_strategy();
    at_once(&team, "strategy_developer", &["handoff", "create", "strat-001"]);
    assert_eq!(team.records().len(), 3);
    team.commit("Hand over the strategy");
    at_once(&team, "orchestrator", &["gate", "strat-001"]);
    assert_eq!(team.records().len(), 4);
    team.commit("Pass the gate");
    team.verify().passed();
}

/// Two clones of a team's repository.
fn two_clones(team: &Team) -> [Team; 2] {
    ["one", "two"].map(|name| {
        let clone = team.clone_to(name);
        clone.orch("", &["hooks", "install"]);
        clone
    })
}

/// Brings another clone's commits here, as the branch `theirs`.
fn fetch(team: &Team, other: &Team, branch: &str) {
    let url = format!("file://{}", other.repo.path().display());
    team.repo.git(&["fetch", "--quiet", &url, &format!("{branch}:theirs")]);
}

/// Attacks 72, 86, 109: two clones open the same task; each is fine alone, and what they make
/// together is refused. In one month the files meet, in two the folders do.
#[test]
fn one_task_opened_in_two_clones_clashes() {
    let team = Team::new();
    let [one, two] = two_clones(&team);
    one.open("strat-001", "new_strategy", &[]);
    one.commit("Open strat-001");
    one.guard(&["--base", "origin/main"]).passed();
    two.open("strat-001", "data_refresh", &[]);
    two.commit("Open strat-001 too");
    two.guard(&["--base", "origin/main"]).passed();
    fetch(&one, &two, "main");
    let merged = one.repo.try_git(&["merge", "--no-edit", "theirs"]);
    assert!(!merged.status.success());
    one.repo.git(&["checkout", "--theirs", ".orch"]);
    one.smuggle("Take theirs");
    let judged = one.guard(&["--base", "HEAD^1"]);
    let path = one.record("strat-001", "task");
    assert_eq!(judged.refused_by("record-modified").path, path);
}

/// Attacks 38, 86: ids that differ in their case alone are one id, though Git merges them.
#[test]
fn one_id_in_two_cases_clashes() {
    let team = Team::new();
    let [one, two] = two_clones(&team);
    one.open("strat-001", "new_strategy", &[]);
    one.commit("Open strat-001");
    two.open("Strat-001", "new_strategy", &[]);
    two.commit("Open Strat-001");
    fetch(&one, &two, "main");
    let merge = ["merge", "--no-edit", "-m", "Merge", "theirs"];
    one.git_refused(&merge, "duplicate-submission");
    one.repo.git(&["merge", "--abort"]);
    one.repo.git(&["merge", "--quiet", "--no-verify", "-m", "Merge", "theirs"]);
    one.guard(&["--base", "HEAD^1"]).refused_by("duplicate-submission");
    one.guard(&["--base", "HEAD^2"]).refused_by("duplicate-submission");
}

/// Two clones go on with one task; the second to land is told, not lost.
#[test]
fn one_ledger_continued_in_two_clones_is_forked() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let [one, two] = two_clones(&team);
    for (clone, title) in [(&one, "first"), (&two, "second")] {
        let start = ["run", "start", "strat-001"];
        let started = clone.command("strategy_developer", title, &start).output().unwrap();
        assert!(started.status.success(), "{started:#?}");
        clone.write_strategy();
        clone.edit(crate::support::DOCUMENT, "average", title);
        clone.orch("strategy_developer", &["handoff", "create", "strat-001"]);
        clone.commit("Hand over");
        clone.guard(&["--base", "origin/main"]).passed();
    }
    one.pass("strat-001", "strategy");
    fetch(&two, &one, "main");
    let judged = two.guard(&["--base", "theirs"]);
    assert_eq!(judged.refused_by("chain-forked").path, two.record("strat-001", "run"));
}

/// A fork of entries that don't contradict each other is mended in the merge.
#[test]
fn a_fork_is_mended_by_a_rebase() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let [one, two] = two_clones(&team);
    one.orch("orchestrator", &["task", "assign", "strat-001", "--to", "ml_engineer"]);
    one.commit("Assign strat-001");
    one.orch("orchestrator", &["task", "assign", "strat-001", "--to", "strategy_developer"]);
    one.commit("Assign strat-001 back");
    two.orch("strategy_developer", &["run", "start", "strat-001"]);
    two.commit("Begin the strategy");
    let url = format!("file://{}", one.repo.path().display());
    two.repo.git(&["fetch", "--quiet", &url, "main:main"]);
    two.guard(&["--base", "main"]).refused_by("chain-forked");
    two.git_refused(&["merge", "--no-edit", "main"], "chain-forked");
    two.orch("strategy_developer", &["task", "rebase", "strat-001"]);
    two.commit("Merge what landed");
    two.guard(&["--base", "main"]).passed();
    two.verify().passed();
    let names = two.records().into_iter().map(|path| path.rsplit_once('/').unwrap().1.to_owned());
    let expected = ["0001-task", "0002-assignment", "0003-assignment", "0004-run"];
    assert_eq!(names.collect::<Vec<_>>(), expected.map(|name| format!("{name}.yaml")));
    two.write_strategy();
    two.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    two.commit("Hand over the strategy");
}

/// R001-18, R001-19, R001-38: the same submission from two clones is one record once they meet, and another
/// payload under the same run id is refused.
#[test]
fn the_same_submission_from_two_clones_is_one() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let clones = ["one", "two", "three"].map(|name| {
        let clone = team.clone_to(name);
        clone.orch("", &["hooks", "install"]);
        // Entries of one second and one context would be the same bytes, and merge as one.
        let orch = |arguments: &[&str]| {
            let output = clone.command("strategy_developer", name, arguments).output().unwrap();
            assert!(output.status.success(), "{output:#?}");
        };
        orch(&["run", "start", "strat-001"]);
        clone.write_strategy();
        if name == "three" {
            clone.edit(crate::support::DOCUMENT, "average", "something else");
        }
        orch(&["handoff", "create", "strat-001"]);
        clone.commit("Hand over");
        clone
    });
    let [one, two, three] = clones;
    one.pass("strat-001", "strategy");
    let url = format!("file://{}", one.repo.path().display());
    for clone in [&two, &three] {
        clone.repo.git(&["fetch", "--quiet", &url, "main:main"]);
        assert!(!clone.repo.try_git(&["merge", "--no-edit", "main"]).status.success());
    }
    let said = two.orch("strategy_developer", &["task", "rebase", "strat-001"]);
    assert_eq!(said.matches("says this already").count(), 2, "{said}");
    two.commit("Merge what landed");
    two.guard(&["--base", "main"]).passed();
    two.verify().passed();
    assert_eq!(two.records(), one.records());
    let denied = three.try_orch("strategy_developer", &["task", "rebase", "strat-001"]);
    assert!(denied.denied().contains("says something else than your handoff"), "{denied:#?}");
}

/// Different tasks never meet: what two clones did merges and passes.
#[test]
fn two_tasks_in_two_clones_merge() {
    let team = Team::new();
    let [one, two] = two_clones(&team);
    one.hand_over_strategy(&[]);
    one.pass("strat-001", "strategy");
    two.land_data();
    fetch(&one, &two, "main");
    one.repo.git(&["merge", "--quiet", "--no-edit", "theirs"]);
    one.guard(&["--base", "origin/main"]).passed();
    one.verify().passed();
}
