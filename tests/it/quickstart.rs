//! The must-show: work is accepted as it was sealed, and not one byte otherwise, whichever way
//! round the hook is taken.

use crate::support::{CODE, Found, ORCH, Team, TestRepo};

/// The commands of the quickstart, from nothing to a committed handoff.
fn quickstart() -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
    team.commit("Begin with orch");
    team.hand_over_strategy(&[]);
    team
}

/// Changes one byte of the sealed code.
fn tamper(team: &Team) {
    team.edit(CODE, "20", "21");
}

/// Gives the finding of a check at the checksum of the code, in the last handoff.
fn at_the_checksum(team: &Team, check: &str, sealed: &str) -> Found {
    let path = team.record("strat-001", "handoff");
    let (line, column) = team.place_of(&path, sealed);
    Found { check: check.into(), path, line, column }
}

/// R000-32, R000-33: the shortest way from nothing to a handoff that the hook accepts.
#[test]
fn the_quickstart_ends_in_an_accepted_handoff() {
    let team = quickstart();
    assert_eq!(team.repo.git(&["branch", "--show-current"]), "feature/strat-001-strategy");
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
    let kinds = ["task", "run", "handoff"].map(|kind| team.record("strat-001", kind));
    let names = kinds.map(|path| path.rsplit_once('/').unwrap().1.to_owned());
    assert_eq!(names, ["0001-task.yaml", "0002-run.yaml", "0003-handoff.yaml"]);
    let landed = team.repo.git(&["ls-tree", "-r", "--name-only", "HEAD", "strategies", "docs"]);
    assert_eq!(landed.lines().count(), 2, "{landed}");
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
}

/// R000-59: one byte of a handed-off artifact changes, and the hook points at its checksum.
#[test]
fn one_byte_changed_after_the_handoff_is_refused() {
    let team = quickstart();
    let sealed = team.digest(CODE);
    tamper(&team);
    team.repo.git(&["add", "--all"]);
    let judged = team.guard(&[]);
    let expected = at_the_checksum(&team, "handoff-stale", &sealed);
    assert_eq!(judged.refused_by("handoff-stale"), &expected);
    assert_eq!(judged.errors[0], expected, "what matters most comes first");
    let related = judged.json["findings"][0]["related"].as_array().unwrap();
    assert!(related.iter().any(|place| place["path"] == CODE), "{related:?}");
    let said = team.git_refused(&["commit", "-m", "A small thing"], "handoff-stale");
    assert_eq!(said.checks()[0], "handoff-stale");
    assert!(said.err.contains(&sealed) && said.err.contains("help: "), "{}", said.err);
}

/// Attack 79: the same byte, changed after sealing and before the handoff is committed.
#[test]
fn one_byte_changed_before_the_commit_is_refused() {
    let team = Team::sealed();
    let sealed = team.digest(CODE);
    tamper(&team);
    team.repo.git(&["add", "--all"]);
    let judged = team.guard(&[]);
    assert_eq!(judged.errors, [at_the_checksum(&team, "checksum-mismatch", &sealed)]);
    team.git_refused(&["commit", "-m", "Hand over"], "checksum-mismatch");
}

/// Who changes a file after sealing it is led out, command by command.
#[test]
fn a_handoff_is_made_again_by_the_commands_of_the_help() {
    let team = Team::sealed();
    tamper(&team);
    let before = team.state();
    let create = ["handoff", "create", "strat-001"];
    let said = team.try_orch("strategy_developer", &create);
    let help = said.denied();
    assert_eq!(team.state(), before);
    assert!(help.contains("`git add`"), "{help}");
    team.repo.git(&["add", "--all"]);
    for command in ["handoff reject strat-001", "run start strat-001"] {
        let typed = format!("`orch {command}`");
        assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(&typed), "{help}");
        team.orch("strategy_developer", &command.split(' ').collect::<Vec<_>>());
    }
    team.orch("strategy_developer", &create);
    team.commit("Hand over the better strategy");
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
    team.pass("strat-001", "strategy");
}

/// Asserts that CI refuses what stands at HEAD, at the checksum.
fn refused_in_ci(team: &Team, sealed: &str) {
    let judged = team.guard(&["--base", "main"]);
    assert_eq!(judged.code, 1, "{:#?}", judged.json);
    let expected = at_the_checksum(team, "checksum-mismatch", sealed);
    assert_eq!(judged.refused_by("checksum-mismatch"), &expected);
}

/// Attack 1: `--no-verify`, for a handoff that is not landed, in the same commit and in one more.
#[test]
fn no_verify_ends_at_the_range_check() {
    let team = Team::sealed();
    let sealed = team.digest(CODE);
    tamper(&team);
    team.repo.git(&["commit", "--quiet", "--no-verify", "--all", "-m", "Hand over"]);
    refused_in_ci(&team, &sealed);
    let team = quickstart();
    tamper(&team);
    team.repo.git(&["commit", "--quiet", "--no-verify", "--all", "-m", "A small thing"]);
    refused_in_ci(&team, &sealed);
}

/// Attack 1: the same against a handoff that has landed, from any other branch.
#[test]
fn a_landed_artifact_changes_on_no_other_branch() {
    let team = quickstart();
    let sealed = team.digest(CODE);
    team.pass("strat-001", "strategy");
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-hotfix"]);
    tamper(&team);
    team.repo.git(&["commit", "--quiet", "--no-verify", "--all", "-m", "A small thing"]);
    let judged = team.guard(&["--base", "main"]);
    let expected = at_the_checksum(&team, "handoff-stale", &sealed);
    assert_eq!(judged.refused_by("handoff-stale"), &expected);
    team.repo.git(&["switch", "--quiet", "main"]);
    let merge = ["merge", "--no-ff", "-m", "Merge", "feature/strat-001-hotfix"];
    team.git_refused(&merge, "handoff-stale");
}

/// Attack 2: hooks of another folder, in which there are none.
#[test]
fn another_hooks_folder_ends_at_the_range_check() {
    let team = quickstart();
    let sealed = team.digest(CODE);
    tamper(&team);
    let nowhere = ["-c", "core.hooksPath=/dev/null"];
    team.repo.git(&[&nowhere[..], &["commit", "--quiet", "--all", "-m", "Small"]].concat());
    refused_in_ci(&team, &sealed);
}

/// Attack 3: none of these runs pre-commit, and CI sees what they made.
#[test]
fn commits_made_without_commit_end_at_the_range_check() {
    let made: [fn(&Team); 4] = [cherry_pick, commit_tree, am, rebase];
    for make in made {
        let team = quickstart();
        let sealed = team.digest(CODE);
        let before = team.repo.git(&["rev-parse", "HEAD"]);
        make(&team);
        assert_ne!(team.repo.git(&["rev-parse", "HEAD"]), before);
        refused_in_ci(&team, &sealed);
    }
}

/// Commits a changed byte on a branch aside, past the hooks; gives the commit.
fn aside(team: &Team) -> String {
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-aside"]);
    tamper(team);
    team.repo.git(&["commit", "--quiet", "--no-verify", "--all", "-m", "Aside"]);
    let commit = team.repo.git(&["rev-parse", "HEAD"]);
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    commit
}

fn cherry_pick(team: &Team) {
    let commit = aside(team);
    team.repo.git(&["-c", "core.hooksPath=/dev/null", "cherry-pick", &commit]);
}

fn commit_tree(team: &Team) {
    tamper(team);
    team.repo.git(&["add", "--all"]);
    let tree = team.repo.git(&["write-tree"]);
    let commit = team.repo.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "Small"]);
    team.repo.git(&["update-ref", "refs/heads/feature/strat-001-strategy", &commit]);
}

fn am(team: &Team) {
    let commit = aside(team);
    let patch = team.repo.git(&["format-patch", "-1", "--stdout", &commit]);
    team.repo.write("../small.patch", patch + "\n");
    team.repo.git(&["-c", "core.hooksPath=/dev/null", "am", "--quiet", "../small.patch"]);
}

fn rebase(team: &Team) {
    team.repo.write("README.md", "Strategies\n");
    team.repo.git(&["add", "README.md"]);
    team.commit("Say what it is");
    aside(team);
    team.repo.git(&[
        "-c",
        "core.hooksPath=/dev/null",
        "rebase",
        "--quiet",
        "feature/strat-001-aside",
    ]);
}

/// Attack 3: `merge --ff-only` runs no hook at all; `merge --no-ff` runs pre-merge-commit, which
/// orch installs.
#[test]
fn a_merge_brings_nothing_in_unseen() {
    let team = quickstart();
    let sealed = team.digest(CODE);
    aside(&team);
    let merge = ["merge", "--no-ff", "-m", "Merge", "feature/strat-001-aside"];
    team.git_refused(&merge, "handoff-stale");
    team.repo.git(&["merge", "--abort"]);
    team.repo.git(&["merge", "--quiet", "--ff-only", "feature/strat-001-aside"]);
    refused_in_ci(&team, &sealed);
}

/// Attack 5: a clone has no hooks until they are installed, and CI judges it all the same.
#[test]
fn a_clone_without_hooks_ends_at_the_range_check() {
    let team = quickstart();
    let sealed = team.digest(CODE);
    let clone = team.clone_to("clone");
    assert_eq!(clone.try_orch("", &["hooks", "status"]).code, 1);
    tamper(&clone);
    clone.repo.git(&["commit", "--quiet", "--all", "-m", "Small"]);
    let judged = clone.guard(&["--base", "origin/main"]);
    let expected = at_the_checksum(&clone, "checksum-mismatch", &sealed);
    assert_eq!(judged.refused_by("checksum-mismatch"), &expected);
}

/// Attack 80: the code is changed and the landed handoff's checksum is edited to match.
#[test]
fn a_landed_handoff_is_not_edited_to_match() {
    let team = quickstart();
    let sealed = team.digest(CODE);
    tamper(&team);
    let path = team.record("strat-001", "handoff");
    team.edit(&path, &sealed, &team.digest(CODE));
    team.repo.git(&["add", "--all"]);
    let judged = team.guard(&[]);
    assert_eq!(judged.refused_by("record-modified").path, path);
    team.git_refused(&["commit", "-m", "Both agree now"], "record-modified");
}

/// Attack 81: the landed handoff is deleted along with what it sealed.
#[test]
fn a_landed_handoff_is_not_deleted() {
    let team = quickstart();
    let path = team.record("strat-001", "handoff");
    team.repo.git(&["rm", "--quiet", &path, CODE]);
    assert_eq!(team.guard(&[]).refused_by("record-modified").path, path);
    team.git_refused(&["commit", "-m", "Never was"], "record-modified");
}

/// Attack 13: settings of Git and of the environment that a developer may have change nothing.
#[test]
fn settings_of_the_machine_change_no_verdict() {
    let team = quickstart();
    tamper(&team);
    team.repo.git(&["add", "--all"]);
    let expected = team.guard(&[]).errors;
    let settings =
        [("diff.noprefix", "true"), ("diff.renames", "copies"), ("core.quotePath", "true")];
    for (name, value) in settings {
        team.repo.git(&["config", name, value]);
    }
    team.repo.git(&["config", "diff.external", "/bin/false"]);
    assert_eq!(team.guard(&[]).errors, expected);
    let odd = team.with_variable("GIT_EXTERNAL_DIFF", "/bin/false");
    assert_eq!(odd.guard(&[]).errors, expected);
}

/// The hook calls the program that installed it, by its whole path.
#[test]
fn the_hook_calls_the_program_that_installed_it() {
    let team = quickstart();
    let hook = std::fs::read_to_string(team.repo.path().join(".git/hooks/pre-commit")).unwrap();
    assert!(hook.contains(ORCH), "{hook}");
}
