//! Every command that writes can be told `--dry-run`. What writes more than records, and elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{Team, TestRepo, write_script};

/// Every file below a folder, with its mode and its bytes; the index may be refreshed, and locks be taken.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let found = fs::symlink_metadata(&path).unwrap();
            if path.ends_with(".git/orch") {
            } else if found.is_dir() {
                folders.push(path);
            } else if !path.ends_with(".git/index") {
                let bytes = fs::read(&path).unwrap();
                files.insert(path, (found.permissions().mode(), bytes));
            }
        }
    }
    files
}

/// Foresees a command, and then does it: nothing is touched before, and each thing that was foreseen is done.
fn foreseen(team: &Team, agent: &str, arguments: &[&str], things: &[[&str; 2]]) {
    let state = || (everything(team.repo.path()), team.state());
    let before = state();
    let (command, words) = match arguments.iter().position(|word| *word == "--") {
        Some(at) => arguments.split_at(at),
        None => (arguments, &[][..]),
    };
    let dry = team.orch(agent, &[command, &["--dry-run"], words].concat());
    assert!(state() == before, "{arguments:?}: {dry}");
    let wet = team.orch(agent, arguments);
    assert!(state() != before, "{arguments:?}: {wet}");
    for [would, done] in things {
        assert!(dry.contains(&format!("would {would}")), "{arguments:?}: {dry}");
        assert!(wet.contains(done), "{arguments:?}: {wet}");
    }
    assert!(!dry.contains("next: "), "{arguments:?}: {dry}");
}

#[test]
fn what_a_repository_begins_with_is_foreseen() {
    let team = Team::over(TestRepo::new());
    let theirs = team.repo.path().join(".git/hooks/pre-commit");
    write_script(&theirs, "#!/bin/sh\ntrue\n");
    let begin = ["init", "--template", "strategy", "--hooks", "--ci", "github"];
    let things = [
        ["write .orch/policy.yaml", "wrote .orch/policy.yaml"],
        ["write .github/workflows/orch.yml", "wrote .github/workflows/orch.yml"],
        ["keep ", "kept "],
        ["install ", "installed "],
    ];
    foreseen(&team, "owner", &begin, &things);
    team.commit("Begin with orch");
    foreseen(&team, "", &["hooks", "uninstall"], &[["remove ours", "removed ours"]]);
    foreseen(&team, "", &["hooks", "install"], &[["keep ", "kept "], ["install ", "installed "]]);
    let added = [["add the guard", "added the guard"], ["write .claude", "wrote .claude"]];
    foreseen(&team, "", &["hooks", "install", "--agents"], &added);
    let taken = [["take the guard", "took the guard"], ["remove .claude", "removed .claude"]];
    foreseen(&team, "", &["hooks", "uninstall", "--agents"], &taken);
}

/// What would be refused is refused, with nothing written.
#[test]
fn a_beginning_that_would_be_refused_is_foreseen() {
    let team = Team::over(TestRepo::new());
    team.repo.write("strategies/sma.py", "x\u{202e}y");
    team.repo.write(".orch/tasks/2026-11/a/0001-task.yaml", "no: record\n");
    team.repo.git(&["add", "--all"]);
    let before = (everything(team.repo.path()), team.state());
    let dry = team.try_orch("owner", &["init", "--template", "strategy", "--dry-run"]);
    assert_eq!(dry.code, 1, "{dry:#?}");
    assert!((everything(team.repo.path()), team.state()) == before);
}

#[test]
fn a_command_of_a_run_is_foreseen() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let script = "mkdir -p strategies docs/strategies; echo x > strategies/sma.py; echo x > docs/strategies/sma.md";
    let exec = ["run", "exec", "strat-001", "--handoff", "--", "sh", "-c", script];
    let things = [
        ["write .orch/tasks/", "wrote .orch/tasks/"],
        ["be on branch feature/strat-001-strategy", "on branch feature/strat-001-strategy"],
        ["run sh as stage strategy, attempt 1 of ", "handed off to quant_engineer"],
    ];
    foreseen(&team, "strategy_developer", &exec, &things);
}

#[test]
fn a_ledger_put_behind_another_is_foreseen() {
    let team = Team::parted();
    assert_eq!(team.repo.try_git(&["merge", "main"]).status.code(), Some(1));
    let things = [["write .orch/tasks/", "wrote .orch/tasks/"], ["remove .orch/tasks/", ""]];
    foreseen(&team, "strategy_developer", &["task", "rebase", "strat-001"], &things);
    team.commit("Merge what landed");
    team.verify().passed();
}
