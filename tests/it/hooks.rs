//! Git's hooks: installed without harm, judged by what a commit or a push really holds.

use std::path::PathBuf;

use crate::support::{CODE, Team, TestRepo, write_script};

const OURS: [&str; 3] = ["pre-commit", "pre-merge-commit", "pre-push"];

/// A repository with a policy, and without hooks.
fn without_hooks() -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("founder", &["init", "--template", "strategy"]);
    team.smuggle("Begin with orch");
    team
}

fn hook(team: &Team, name: &str) -> PathBuf {
    team.repo.path().join(".git/hooks").join(name)
}

/// Stages a file that no branch may hold: it belongs to nobody here.
fn stage_foreign(team: &Team) {
    team.repo.write("deploy/live/config.json", "{}\n");
    team.repo.git(&["add", "deploy"]);
}

/// Attack 3: all three hooks come, tell their state, and go.
#[test]
fn hooks_come_and_go() {
    let team = without_hooks();
    let said = team.try_orch("", &["hooks", "status"]);
    assert_eq!((said.code, said.out.matches("missing").count()), (1, 3), "{said:#?}");
    team.orch("", &["hooks", "install"]);
    let installed = team.orch("", &["hooks", "status"]);
    for name in OURS {
        assert!(installed.contains(&format!("{name}: installed")), "{installed}");
        assert!(hook(&team, name).exists());
    }
    team.orch("", &["hooks", "install"]);
    assert_eq!(team.orch("", &["hooks", "status"]), installed);
    team.orch("", &["hooks", "uninstall"]);
    assert_eq!(team.try_orch("", &["hooks", "status"]).code, 1);
    assert!(OURS.iter().all(|name| !hook(&team, name).exists()));
}

/// A hook that was there is kept, called first with all it is given, and put back byte for byte.
#[test]
fn a_hook_that_was_there_is_kept() {
    let team = without_hooks();
    let log = team.repo.root().join("called");
    let text = format!("#!/bin/sh\necho called >> '{}'\ntest ! -e veto\n", log.display());
    write_script(&hook(&team, "pre-commit"), &text);
    team.orch("", &["hooks", "install"]);
    team.orch("", &["hooks", "install"]);
    stage_foreign(&team);
    team.git_refused(&["commit", "-m", "Foreign"], "branch-protected");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "called\n");
    team.repo.write("veto", "");
    let said = team.repo.try_git(&["commit", "-m", "Foreign"]);
    let picture = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!said.status.success() && !picture.contains("branch-protected"), "{picture}");
    team.orch("", &["hooks", "uninstall"]);
    assert_eq!(std::fs::read_to_string(hook(&team, "pre-commit")).unwrap(), text);
    assert!(!hook(&team, "pre-push").exists());
}

/// A pre-push hook that was there reads the same lines as ours.
#[test]
fn a_pre_push_hook_that_was_there_reads_what_git_says() {
    let team = without_hooks();
    let log = team.repo.root().join("pushed");
    let text = format!("#!/bin/sh\necho \"$1\" > '{0}'\ncat >> '{0}'\n", log.display());
    write_script(&hook(&team, "pre-push"), &text);
    team.orch("", &["hooks", "install"]);
    let server = served(&team);
    team.repo.git(&["push", "--quiet", "origin", "main:refs/heads/feature/x-1-y"]);
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.starts_with("origin\nrefs/heads/main "), "{said}");
    assert!(server.repo.git(&["branch"]).contains("feature/x-1-y"));
}

/// A folder that Git was told of holds the hooks.
#[test]
fn another_hooks_folder_is_used() {
    let team = without_hooks();
    team.repo.git(&["config", "core.hooksPath", ".githooks"]);
    team.orch("", &["hooks", "install"]);
    assert!(team.repo.path().join(".githooks/pre-commit").exists());
    assert!(!hook(&team, "pre-commit").exists());
    stage_foreign(&team);
    team.git_refused(&["commit", "-m", "Foreign"], "branch-protected");
    team.orch("", &["hooks", "uninstall"]);
    assert!(!team.repo.path().join(".githooks/pre-commit").exists());
}

/// Attack 4: beside a manager of hooks, orch says what to add to it, and touches nothing.
#[test]
fn a_manager_of_hooks_is_told_what_to_add() {
    for sign in [".pre-commit-config.yaml", "lefthook.yml", ".husky/pre-commit"] {
        let team = without_hooks();
        team.repo.write(sign, "");
        let before = team.state();
        let said = team.try_orch("", &["hooks", "install"]);
        let name = sign.trim_start_matches('.').split(['.', '/']).next().unwrap();
        let manager = name.trim_end_matches("-config");
        assert!(said.fault().contains(manager), "{said:#?}");
        assert!(said.err.contains("orch guard --staged"), "{said:#?}");
        assert_eq!(team.state(), before);
        assert!(OURS.iter().all(|name| !hook(&team, name).exists()));
    }
}

/// Attacks 6 and 7: the hook reads what is staged, not what lies beside it.
#[test]
fn what_is_staged_is_judged() {
    let team = Team::sealed();
    let good = team.read(CODE);
    team.repo.write(CODE, "bad\n");
    team.repo.git(&["add", CODE]);
    team.repo.write(CODE, &good);
    team.git_refused(&["commit", "-m", "Bad inside"], "checksum-mismatch");
    team.repo.git(&["add", CODE]);
    team.repo.write(CODE, "bad\n");
    team.commit("Good inside");
    assert_eq!(team.repo.git(&["show", &format!("HEAD:{CODE}")]) + "\n", good);
}

/// Attack 8: `commit -a` and `commit PATH` judge a temporary index, and leave the real one alone.
#[test]
fn a_temporary_index_is_judged() {
    let team = Team::sealed();
    let good = team.read(CODE);
    team.repo.write(CODE, "bad\n");
    let staged = team.repo.git(&["ls-files", "--stage"]);
    team.git_refused(&["commit", "--all", "-m", "Bad"], "checksum-mismatch");
    team.git_refused(&["commit", "-m", "Bad", "--include", CODE], "checksum-mismatch");
    assert_eq!(team.repo.git(&["ls-files", "--stage"]), staged);
    team.repo.write(CODE, good);
    let handoff = team.record("strat-001", "handoff");
    team.git_refused(&["commit", "-m", "Only the record", &handoff], "artifact-missing");
    assert_eq!(team.repo.git(&["ls-files", "--stage"]), staged);
}

/// Attack 9: a linked worktree is judged by itself, and nothing else is touched.
#[test]
fn a_linked_worktree_is_judged_by_itself() {
    let team = Team::new();
    stage_foreign(&team);
    let before = team.state();
    let top = team.repo.root().join("linked").display().to_string();
    let branch = ["-b", "feature/data-001-validate"];
    team.repo.git(&[&["worktree", "add", "--quiet"], &branch[..], &[&top]].concat());
    let linked = Team::over(team.repo.beside("linked"));
    linked.open("data-001", "data_refresh", &[]);
    linked.orch("data_engineer", &["run", "start", "data-001"]);
    linked.commit("Begin");
    linked.repo.write("deploy/x.json", "{}\n");
    linked.repo.git(&["add", "deploy"]);
    linked.git_refused(&["commit", "-m", "Foreign"], "lane-violation");
    let untouched = |state: &str| state.split("\n--\n").take(2).collect::<String>();
    assert_eq!(untouched(&team.state()), untouched(&before));
}

/// Attack 3: a merge that needs no hands runs pre-merge-commit only. What comes from the protected
/// branch is nobody's fault (attack 64).
#[test]
fn a_merge_is_judged_for_what_it_brings() {
    let team = Team::new();
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    team.repo.git(&["switch", "--quiet", "main"]);
    team.open("data-001", "data_refresh", &[]);
    team.commit("Open data-001");
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    team.repo.git(&["merge", "--quiet", "--no-edit", "main"]);
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-aside"]);
    stage_foreign(&team);
    team.smuggle("Foreign");
    team.repo.git(&["switch", "--quiet", "main"]);
    team.git_refused(
        &["merge", "--no-ff", "-m", "Merge", "feature/strat-001-aside"],
        "lane-violation",
    );
}

/// Gives a bare server with the team's branches, known as `origin`.
fn served(team: &Team) -> Team {
    let server = Team::over(team.repo.clone_to("server.git", &["--bare"]));
    let url = format!("file://{}", server.repo.path().display());
    team.repo.git(&["remote", "add", "origin", &url]);
    team.repo.git(&["fetch", "--quiet"]);
    server
}

/// Asserts that a push is refused by a check, and that the server has not moved.
fn push_refused(team: &Team, server: &Team, push: &[&str], check: &str) {
    let refs = server.repo.git(&["for-each-ref"]);
    team.git_refused(&[&["push", "origin"], push].concat(), check);
    assert_eq!(server.repo.git(&["for-each-ref"]), refs);
}

/// A new branch is judged against the protected one, and goes through if it holds.
#[test]
fn a_push_of_a_new_branch_is_judged() {
    let team = Team::new();
    let server = served(&team);
    team.hand_over_strategy(&[]);
    team.repo.git(&["push", "--quiet", "origin", "HEAD"]);
    team.repo.git(&["push", "--quiet", "origin", "HEAD"]);
    assert!(server.repo.git(&["branch"]).contains("feature/strat-001-strategy"));
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-other"]);
    stage_foreign(&team);
    team.smuggle("Foreign");
    push_refused(&team, &server, &["HEAD"], "lane-violation");
    team.repo.git(&["branch", "--move", "my-work"]);
    push_refused(&team, &server, &["HEAD"], "branch-name");
}

/// Onto the protected branch go merges and what directs the work.
#[test]
fn a_push_to_the_protected_branch_is_judged() {
    let team = Team::new();
    let server = served(&team);
    team.land_data();
    team.repo.git(&["push", "--quiet", "origin", "main"]);
    stage_foreign(&team);
    team.smuggle("Foreign");
    push_refused(&team, &server, &["main"], "lane-violation");
    push_refused(&team, &server, &["main", "main:refs/heads/feature/a-1-b"], "lane-violation");
}

/// Work that nobody's lane is asked about does not go straight there either.
#[test]
#[ignore = "a range does not tell a direct push from a merged one; the design wants branch-protected"]
fn a_direct_push_of_work_is_refused() {
    let team = Team::new();
    let server = served(&team);
    team.repo.write("README.md", "Strategies\n");
    team.smuggle("Straight to main");
    push_refused(&team, &server, &["main"], "branch-protected");
}

/// The protected branch is never deleted from here; others may be.
#[test]
fn the_protected_branch_is_not_deleted() {
    let team = Team::new();
    let server = served(&team);
    team.repo.git(&["push", "--quiet", "origin", "main:refs/heads/feature/a-1-b"]);
    team.repo.git(&["push", "--quiet", "origin", ":feature/a-1-b"]);
    for spelled in [":main", ":refs/heads/main"] {
        let said = team.repo.try_git(&["push", "origin", spelled]);
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && told.contains("branch-protected"), "{told}");
    }
    assert_eq!(server.repo.git(&["branch", "--format=%(refname:short)"]), "main");
}

/// Attack 67: a forced push drops what was agreed.
#[test]
fn a_forced_push_keeps_what_was_agreed() {
    let team = Team::new();
    let server = served(&team);
    team.land_data();
    team.repo.git(&["push", "--quiet", "origin", "main"]);
    let dropped = team.record("data-001", "close");
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    assert!(!team.repo.path().join(dropped).exists());
    let push = team.repo.try_git(&["push", "--force", "origin", "main"]);
    let told = String::from_utf8_lossy(&push.stderr).into_owned();
    assert!(!push.status.success() && told.contains("branch-protected"), "{told}");
    assert!(server.repo.git(&["ls-tree", "-r", "--name-only", "main"]).contains("-close.yaml"));
}

/// What is not on the protected branch yet may be made anew and pushed over.
#[test]
fn a_forced_push_of_ones_own_branch_is_fine() {
    let team = Team::new();
    let server = served(&team);
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    team.write_strategy();
    let create = ["handoff", "create", "strat-001"];
    team.orch("strategy_developer", &create);
    team.commit("Hand over the strategy");
    team.repo.git(&["push", "--quiet", "origin", "HEAD"]);
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    team.write_strategy();
    team.edit(CODE, "20", "50");
    team.orch("strategy_developer", &create);
    team.commit("Hand over a better strategy");
    team.repo.git(&["push", "--quiet", "--force", "origin", "HEAD"]);
    let landed = server.repo.git(&["show", &format!("feature/strat-001-strategy:{CODE}")]);
    assert!(landed.contains("50"), "{landed}");
}
