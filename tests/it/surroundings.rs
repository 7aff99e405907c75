//! What stands around the guard, and how it may be found: hooks that are shared, changed or deaf, another version,
//! arguments of any bytes, a kill switch in the middle of work.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;

use crate::support::{Said, Team, TestRepo, write_script};

const POLICY: &str = ".orch/policy.yaml";

fn status(team: &Team) -> Said {
    team.try_orch("", &["hooks", "status"])
}

/// R003-12: the kill switch is pulled whatever is staged; what was done before it lands with it, and nothing behind it.
#[test]
fn a_halt_is_pulled_in_the_middle_of_work() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    // Entries of one second have no order.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "all", "--reason", "Fire"];
    team.orch("founder", &[&halt[..], &["--id", "h1"]].concat());
    team.commit("Stop");
    team.write_strategy();
    let on = team.try_orch("strategy_developer", &["handoff", "create", "strat-001"]);
    assert!(on.err.contains("halt `h1` stands"), "{on:#?}");
    team.repo.git(&["stash", "--quiet", "--include-untracked"]);
    team.guard(&["--base", "main"]).passed();
    team.merge("feature/strat-001-strategy");
    team.verify().passed();
}

/// Hooks that other repositories share are left alone.
#[test]
fn a_shared_folder_of_hooks_is_left_alone() {
    let team = Team::new();
    let shared = team.repo.root().join("shared hooks");
    fs::create_dir(&shared).unwrap();
    team.repo.git(&["config", "core.hooksPath", shared.to_str().unwrap()]);
    let said = team.try_orch("", &["hooks", "install"]);
    assert!(said.denied().contains("leads out of this repository"), "{said:#?}");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
    let (_, typed) = said.err.split_once("`git config").expect("what to type");
    let (typed, _) = typed.split_once('`').unwrap();
    let typed = format!("git config{}", typed.replace("\n        ", " "));
    team.type_in("", &typed);
    team.orch("", &["hooks", "install"]);
    assert_eq!(status(&team).code, 0);
}

/// A hook that says `orch guard` and does not come to it, or does not hear it, guards nothing.
#[test]
fn a_hook_that_only_names_orch_guards_nothing() {
    let team = Team::new();
    team.orch("", &["hooks", "install"]);
    assert_eq!(status(&team).code, 0);
    let hook = team.repo.path().join(".git/hooks/pre-commit");
    let ours = fs::read_to_string(&hook).unwrap();
    let (first, rest) = ours.split_once('\n').unwrap();
    for text in [
        format!("{first}\n# orch guard --staged\nexit 0\n"),
        format!("{first}\norch guard --staged || true\n"),
        format!("{first}\nexit 0\n{rest}"),
        rest.replacen("exec ", "true ", 1),
    ] {
        write_script(&hook, &text);
        let said = status(&team);
        assert!(said.code == 1 && said.out.contains("pre-commit: "), "{text}\n{said:#?}");
        assert!(said.err.contains("next: orch hooks install"), "{said:#?}");
    }
    write_script(&hook, &format!("{first}\nnpm test && orch guard --staged\n"));
    assert_eq!(status(&team).code, 0);
}

/// A manager that is told to call orch, and has not written its hooks, is what is missing.
#[test]
fn a_manager_that_has_not_written_its_hooks_is_named() {
    let team = Team::new();
    team.orch("", &["hooks", "uninstall"]);
    team.repo
        .write("lefthook.yml", "pre-commit:\n  commands:\n    orch: {run: orch guard --staged}\n");
    let said = status(&team);
    assert!(said.err.contains("next: lefthook install"), "{said:#?}");
    let install = team.try_orch("", &["hooks", "install"]);
    assert!(install.fault().contains("calls orch already"), "{install:#?}");
    team.repo.write("lefthook.yml", "# orch guard\npre-commit: {}\n");
    assert!(status(&team).err.contains("next: orch hooks install"));
}

/// Attack 28: who is too old is told so, whatever else a newer policy says; and no policy lands that this one could
/// not judge by.
#[test]
fn a_newer_policy_is_told_as_one() {
    let team = Team::new();
    team.orch("", &["hooks", "install"]);
    team.edit(POLICY, "version: 1", "version: 1\nmin_version: 99.0.0\nfuture: {x: 1}");
    team.repo.git(&["switch", "--quiet", "--create", "orch/newer"]);
    team.repo.git(&["add", "--all"]);
    let judged = team.guard(&["--staged"]);
    judged.refused_by("policy-invalid");
    team.repo.git(&["commit", "--quiet", "--no-verify", "--message", "Newer"]);
    let said = team.try_orch("", &["guard", "--base", "HEAD"]);
    assert!(said.fault().contains("asks for orch 99.0.0"), "{said:#?}");
    let said = status(&team);
    assert!(said.code == 1 && said.out.contains("asks for orch 99.0.0"), "{said:#?}");
}

/// Words of any bytes are answered.
#[test]
fn arguments_of_any_bytes_are_answered() {
    let team = Team::over(TestRepo::new());
    let odd = OsString::from_vec(b"\xff".to_vec());
    for words in [&["status"][..], &["guard", "--base", "main", "--branch"], &["explain"], &[]] {
        let said = team.command("", "", words).arg(&odd).output().unwrap();
        assert_eq!(said.status.code(), Some(2), "{said:?}");
        assert!(!String::from_utf8_lossy(&said.stderr).contains("panicked"), "{said:?}");
    }
}

/// What a range is refused for is taken back by what is told.
#[test]
fn what_to_type_takes_back_what_was_committed() {
    let team = Team::new();
    team.repo.write("data/old.csv", "1\n");
    team.smuggle("Data of before");
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.begin_strategy(&[]);
    team.repo.write("data/old.csv", "2\n");
    team.repo.write("data/new file.csv", "3\n");
    team.smuggle("Outside of the lane");
    let said = team.try_orch("", &["guard", "--base", "main", "--format", "json"]);
    let json = said.json();
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{json:#}");
    for finding in findings {
        let help = finding["help"].as_str().unwrap();
        let typed = help.split('`').nth(1).expect("a command");
        team.type_in("", typed);
    }
    team.commit("Take it back");
    team.guard(&["--base", "main"]).passed();
}

/// A folder that Git leaves alone is let in as a whole: below it, nothing can be.
#[test]
fn what_git_ignores_is_let_in_by_what_is_told() {
    let team = Team::over(TestRepo::new());
    team.repo.write(".gitignore", ".orch/\n");
    let said = team.try_orch("owner", &["init", "--template", "team"]);
    let help = said.fault().to_owned() + &said.err;
    let line = help.split('`').find(|word| word.starts_with("!/")).expect("a line").to_owned();
    team.repo.write(".gitignore", format!(".orch/\n{line}\n"));
    team.orch("owner", &["init", "--template", "team"]);
}

/// A name that no record can hold is named.
#[test]
fn a_name_that_no_record_can_hold_is_named() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.begin_strategy(&[]);
    team.write_strategy();
    team.repo.write("strategies/a:b.py", "x\n");
    let said = team.try_orch("strategy_developer", &["handoff", "create", "strat-001"]);
    assert!(said.denied().contains("`strategies/a:b.py` can't be recorded"), "{said:#?}");
    assert!(said.err.contains("git mv 'strategies/a:b.py' NAME"), "{said:#?}");
}

/// Work that went back waits for no gate.
#[test]
fn what_went_back_waits_for_no_gate() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let said = team.try_orch("orchestrator", &["gate", "strat-001"]);
    assert!(said.denied().contains("nothing of `strat-001` waits for a gate"), "{said:#?}");
}

/// A worktree that another process is just adding is waited for: Git can't read a list with half of one.
#[test]
fn a_worktree_that_is_being_added_is_waited_for() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let beside = team.repo.root().join("beside");
    team.repo.git(&["worktree", "add", "--quiet", "--detach", beside.to_str().unwrap()]);
    let file = team.repo.path().join(".git/worktrees/beside/commondir");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, "").unwrap();
    assert!(!team.repo.try_git(&["worktree", "list"]).status.success(), "Git minds");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(200));
            fs::write(&file, &whole).unwrap();
        });
        team.orch("strategy_developer", &["run", "start", "strat-001"]);
    });
}

/// A rebase parts entries one by one, so it is not mended but made a merge, by what is told.
#[test]
fn a_rebase_that_conflicts_becomes_a_merge() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.commit("Start");
    let branch = team.repo.git(&["branch", "--show-current"]).trim().to_owned();
    team.repo.write("README.md", "ours\n");
    team.repo.git(&["add", "--all"]);
    team.commit("Ours");
    team.repo.git(&["switch", "--quiet", "main"]);
    team.repo.write("README.md", "theirs\n");
    team.repo.git(&["add", "--all"]);
    team.smuggle("Theirs");
    team.repo.git(&["switch", "--quiet", &branch]);
    assert!(!team.repo.try_git(&["rebase", "main"]).status.success());
    let said = team.try_orch("strategy_developer", &["task", "rebase", "strat-001"]);
    assert!(said.err.contains("git rebase --abort"), "{said:#?}");
}
