//! Group A: going round the hook. What it was not asked, CI is.

use super::seen::{Seen, ci, commit, git, guard, orch, smuggled};
use super::stages::{begun, delivered, handed_over, sealed, tested};
use crate::support::{CODE, DOCUMENT, ORCH, Team, write_script};

attacks![
    no_verify(
        1,
        "a commit with `--no-verify`, of a handoff or behind it",
        Deny,
        ["checksum-mismatch", "handoff-stale", "lane-violation"]
    ),
    another_hooks_path(2, "`core.hooksPath` without hooks", Deny, ["checksum-mismatch"]),
    commits_made_otherwise(
        3,
        "commits of commands that run no pre-commit: cherry-pick, revert, rebase, am, a fast forward, \
         plumbing, and a merge",
        Deny,
        ["checksum-mismatch", "handoff-stale", "record-modified"]
    ),
    variables_of_managers(
        4,
        "variables and files that tell managers of hooks to skip",
        Deny,
        ["checksum-mismatch"]
    ),
    missing_hooks_are_told(4, "hooks that are not in place, asked for", Deny, [": missing"]),
    clone_without_hooks(5, "a clone in which nobody installed hooks", Deny, ["checksum-mismatch"]),
    bad_blob_staged(6, "bad bytes staged, good ones in the file", Deny, ["checksum-mismatch"]),
    good_blob_staged(7, "good bytes staged, bad ones in the file", Ok, []),
    other_forms_of_the_index(7, "the same in an index that is split, packed or watched", Ok, []),
    bad_in_other_forms(
        6,
        "the same in an index that is split, packed or watched",
        Deny,
        ["checksum-mismatch"]
    ),
    temporary_index(
        8,
        "`commit -a`, `--include` and `commit PATH`, which commit another index",
        Deny,
        ["checksum-mismatch", "artifact-missing"]
    ),
    linked_worktree(9, "a commit from a linked worktree", Deny, ["lane-violation"]),
    hidden_from_git(
        10,
        "a tampered file that Git was told to skip, or that is a link on disk",
        Deny,
        ["handoff-stale"]
    ),
    hidden_and_judged(10, "the same, while Git's own trees are judged", Ok, []),
    later_fixer(
        11,
        "a hook that rewrites an artifact after the guard",
        Deny,
        ["checksum-mismatch"]
    ),
    unasked_gate(
        12,
        "a step whose run in CI was skipped: no gate, no audit, and no sign of it",
        Deny,
        ["gate-missing", "gatekeeper-missing"]
    ),
    required_run_over_nothing(
        12,
        "a required run that had nothing to examine",
        Deny,
        ["nothing was examined"]
    ),
    hostile_configuration(
        13,
        "configuration in the folder, the environment and Git's own files",
        Deny,
        ["checksum-mismatch"]
    ),
];

/// Changes one byte of the sealed code.
fn tamper(team: &Team) {
    team.edit(CODE, "20", "21");
}

/// Commits a changed byte past the hooks.
fn tampered(team: &Team) {
    tamper(team);
    team.repo.git(&["commit", "--quiet", "--no-verify", "--all", "-m", "A small thing"]);
}

fn no_verify() -> Vec<Seen> {
    let in_one = sealed();
    tampered(&in_one);
    let behind = handed_over();
    behind.guard(&["--base", "main"]).passed();
    tampered(&behind);
    let landed = delivered();
    landed.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-hotfix"]);
    tampered(&landed);
    let foreign = begun();
    foreign.repo.write("deploy/live/x.json", "{}\n");
    vec![ci(&in_one), ci(&behind), ci(&landed), smuggled(&foreign)]
}

fn another_hooks_path() -> Vec<Seen> {
    let team = sealed();
    tamper(&team);
    let nowhere = ["-c", "core.hooksPath=/dev/null"];
    team.repo.git(&[&nowhere[..], &["commit", "--quiet", "--all", "-m", "Small"]].concat());
    vec![ci(&team)]
}

/// Commits a changed byte on a branch aside, past the hooks; gives the commit.
fn aside(team: &Team) -> String {
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-aside"]);
    tampered(team);
    let commit = team.repo.git(&["rev-parse", "HEAD"]);
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    commit
}

/// Git itself runs no pre-commit for these, so the hooks may stay where they are.
fn commits_made_otherwise() -> Vec<Seen> {
    let made: [fn(&Team); 5] = [cherry_pick, rebase, am, fast_forward, plumbing];
    let mut all = Vec::new();
    for make in made {
        let team = handed_over();
        make(&team);
        all.push(ci(&team));
    }
    let team = delivered();
    team.repo.git(&["switch", "--quiet", "--create", "orch/back"]);
    team.repo.git(&["revert", "--no-edit", "-m", "1", "HEAD"]);
    all.push(ci(&team));
    let team = handed_over();
    aside(&team);
    all.push(git(&team, &["merge", "--no-ff", "-m", "Merge", "feature/strat-001-aside"]));
    all
}

fn cherry_pick(team: &Team) {
    let commit = aside(team);
    team.repo.git(&["cherry-pick", &commit]);
}

fn rebase(team: &Team) {
    team.repo.write("README.md", "Strategies\n");
    team.repo.git(&["add", "README.md"]);
    team.commit("Say what it is");
    aside(team);
    team.repo.git(&["rebase", "--quiet", "feature/strat-001-aside"]);
}

fn am(team: &Team) {
    let commit = aside(team);
    let patch = team.repo.git(&["format-patch", "-1", "--stdout", &commit]);
    team.repo.write("../small.patch", patch + "\n");
    team.repo.git(&["am", "--quiet", "../small.patch"]);
}

fn fast_forward(team: &Team) {
    aside(team);
    team.repo.git(&["merge", "--quiet", "--ff-only", "feature/strat-001-aside"]);
}

fn plumbing(team: &Team) {
    tamper(team);
    team.repo.git(&["add", "--all"]);
    let tree = team.repo.git(&["write-tree"]);
    let commit = team.repo.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "Small"]);
    team.repo.git(&["update-ref", "refs/heads/feature/strat-001-strategy", &commit]);
}

/// Our own hook knows no such word; a manager that does leaves the commit to CI.
fn variables_of_managers() -> Vec<Seen> {
    let mut all = Vec::new();
    for (name, text) in [("SKIP", "orch"), ("PREK_SKIP", "orch"), ("LEFTHOOK", "0"), ("HUSKY", "0")]
    {
        let team = sealed().with_variable(name, text);
        tamper(&team);
        team.repo.git(&["add", "--all"]);
        all.push(commit(&team));
    }
    let team = sealed();
    tamper(&team);
    team.repo.git(&["add", "--all"]);
    team.repo.write("lefthook-local.yml", "pre-commit:\n  skip: true\n");
    all.push(commit(&team));
    // The manager calls orch only if nobody told it not to.
    let manager = "#!/bin/sh\ntest \"$LEFTHOOK\" = 0 || exec \"$ORCH\" guard\n";
    write_script(&team.repo.path().join(".git/hooks/pre-commit"), manager);
    let team = team.with_variable("ORCH", ORCH);
    all.push(commit(&team));
    team.with_variable("LEFTHOOK", "0").commit("Past the manager");
    all.push(ci(&team));
    all
}

fn missing_hooks_are_told() -> Vec<Seen> {
    let team = handed_over();
    team.orch("", &["hooks", "status"]);
    let clone = team.clone_to("clone");
    let none = orch(&clone, "", &["hooks", "status"]);
    clone.orch("", &["hooks", "install"]);
    clone.orch("", &["hooks", "status"]);
    std::fs::remove_file(clone.repo.path().join(".git/hooks/pre-merge-commit")).unwrap();
    vec![none, orch(&clone, "", &["hooks", "status"])]
}

fn clone_without_hooks() -> Vec<Seen> {
    let clone = handed_over().clone_to("clone");
    clone.guard(&["--base", "origin/main"]).passed();
    tamper(&clone);
    clone.repo.git(&["commit", "--quiet", "--all", "-m", "A small thing"]);
    vec![guard(&clone, &["--base", "origin/main"])]
}

fn bad_blob_staged() -> Vec<Seen> {
    let team = sealed();
    let good = team.read(CODE);
    tamper(&team);
    team.repo.git(&["add", CODE]);
    team.repo.write(CODE, good);
    vec![guard(&team, &[]), commit(&team)]
}

fn good_blob_staged() -> Vec<Seen> {
    let team = sealed();
    tamper(&team);
    team.repo.remove(DOCUMENT);
    vec![guard(&team, &[]), commit(&team), ci(&team)]
}

/// Gives a team with a staged handoff for each form that Git knows for an index.
fn indexed() -> [Team; 4] {
    let [split, packed, watched, threaded] = [sealed(), sealed(), sealed(), sealed()];
    split.repo.git(&["update-index", "--split-index"]);
    packed.repo.git(&["update-index", "--index-version", "4"]);
    watched.repo.git(&["update-index", "--untracked-cache"]);
    watched.repo.git(&["config", "core.fsmonitor", "/bin/true"]);
    threaded.repo.git(&["config", "index.threads", "2"]);
    threaded.repo.git(&["config", "index.skipHash", "true"]);
    [split, packed, watched, threaded]
}

fn other_forms_of_the_index() -> Vec<Seen> {
    indexed().iter().flat_map(|team| [guard(team, &[]), commit(team), ci(team)]).collect()
}

fn bad_in_other_forms() -> Vec<Seen> {
    let bad = |team: Team| {
        tamper(&team);
        team.repo.git(&["add", "--all"]);
        [guard(&team, &[]), commit(&team)]
    };
    indexed().into_iter().flat_map(bad).collect()
}

fn temporary_index() -> Vec<Seen> {
    let team = sealed();
    let good = team.read(CODE);
    tamper(&team);
    let staged = team.repo.git(&["ls-files", "--stage"]);
    let all = git(&team, &["commit", "--all", "-m", "Bad"]);
    let included = git(&team, &["commit", "-m", "Bad", "--include", CODE]);
    team.repo.write(CODE, good);
    let handoff = team.record("strat-001", "handoff");
    let alone = git(&team, &["commit", "-m", "Only the record", &handoff]);
    assert_eq!(team.repo.git(&["ls-files", "--stage"]), staged);
    vec![all, included, alone]
}

fn linked_worktree() -> Vec<Seen> {
    let team = sealed();
    let before = team.state();
    let top = team.repo.root().join("linked").display().to_string();
    team.repo.git(&["worktree", "add", "--quiet", "-b", "feature/data-001-validate", &top, "main"]);
    let linked = Team::over(team.repo.beside("linked"));
    linked.open("data-001", "data_refresh", &[]);
    linked.orch("data_engineer", &["run", "start", "data-001"]);
    linked.commit("Begin");
    linked.repo.write("deploy/x.json", "{}\n");
    linked.repo.git(&["add", "deploy"]);
    // Git hands its hooks absolute paths of the worktree's own folder and index.
    let folder = team.repo.path().join(".git/worktrees/linked");
    let exported = linked
        .with_variable("GIT_DIR", &folder)
        .with_variable("GIT_INDEX_FILE", folder.join("index"));
    let seen = vec![commit(&linked), guard(&linked, &[]), guard(&exported, &[])];
    let untouched = |state: &str| state.split("\n--\n").take(3).collect::<String>();
    assert_eq!(untouched(&team.state()), untouched(&before));
    seen
}

/// A handed-off file is tampered with on disk, and Git told to skip it; gives one team for each way.
fn hidden() -> [Team; 3] {
    let [skipped, unchanged, linked] = [delivered(), delivered(), delivered()];
    skipped.repo.git(&["update-index", "--skip-worktree", CODE]);
    unchanged.repo.git(&["update-index", "--assume-unchanged", CODE]);
    linked.repo.git(&["update-index", "--skip-worktree", CODE]);
    tamper(&skipped);
    tamper(&unchanged);
    let elsewhere = linked.repo.root().join("elsewhere");
    std::fs::rename(linked.repo.path().join(CODE), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, linked.repo.path().join(CODE)).unwrap();
    [skipped, unchanged, linked].map(|team| {
        assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
        team
    })
}

fn hidden_from_git() -> Vec<Seen> {
    let honest = delivered();
    honest.orch("", &["verify", "--worktree"]);
    honest.repo.git(&["sparse-checkout", "set", "data"]);
    honest.orch("", &["verify", "--worktree"]);
    // What Git converts on its way to the disk is still what was sealed.
    let converted = delivered();
    converted.repo.git(&["config", "core.autocrlf", "true"]);
    converted.repo.write(CODE, converted.read(CODE).replace('\n', "\r\n"));
    converted.orch("", &["verify", "--worktree"]);
    hidden().map(|team| orch(&team, "", &["verify", "--worktree"])).into()
}

fn hidden_and_judged() -> Vec<Seen> {
    hidden().map(|team| orch(&team, "", &["verify"])).into()
}

fn later_fixer() -> Vec<Seen> {
    let team = sealed();
    let fixer = format!(
        "#!/bin/sh\n'{ORCH}' guard --staged || exit 1\necho '// tidy' >> {CODE}\ngit add {CODE}\n"
    );
    write_script(&team.repo.path().join(".git/hooks/pre-commit"), &fixer);
    team.commit("Tidied on the way");
    vec![ci(&team)]
}

/// The gate is asked for where the next stage begins, so that no green mark is needed for its sake.
fn unasked_gate() -> Vec<Seen> {
    let team = handed_over();
    team.merge("feature/strat-001-strategy");
    let start = ["run", "start", "strat-001", "--stage", "backtest"];
    let gate = orch(&team, "quant_engineer", &start);
    let start = ["run", "start", "strat-001", "--stage", "deploy_paper"];
    vec![gate, orch(&tested(), "deployment_agent", &start)]
}

fn required_run_over_nothing() -> Vec<Seen> {
    let team = handed_over();
    team.orch("", &["guard", "--base", "main", "--require"]);
    vec![guard(&team, &["--base", "HEAD", "--require"]), guard(&team, &["--staged", "--require"])]
}

fn hostile_configuration() -> Vec<Seen> {
    let team = sealed();
    tampered(&team);
    let permissive = "checks: {checksum-mismatch: off}\nprotected: []\n";
    for file in ["orch.yaml", ".orchrc", ".orch.toml", "orch.toml", ".config/orch.yaml"] {
        team.repo.write(file, permissive);
        team.repo.write(&format!("../{file}"), permissive);
    }
    let global = team.repo.root().join("hostile");
    let policy = global.display();
    let text = format!("[orch]\n\tpolicy = {policy}\n\tskip = true\n[core]\n\tbare = true\n");
    std::fs::write(&global, text).unwrap();
    let mut all = vec![ci(&team)];
    for (name, value) in [
        ("ORCH_POLICY", policy.to_string()),
        ("ORCH_CONFIG", policy.to_string()),
        ("ORCH_BASE", "HEAD".into()),
        ("ORCH_SKIP", "1".into()),
        ("XDG_CONFIG_HOME", team.repo.root().display().to_string()),
        ("GIT_CONFIG_GLOBAL", policy.to_string()),
    ] {
        all.push(ci(&team.with_variable(name, value)));
    }
    all
}
