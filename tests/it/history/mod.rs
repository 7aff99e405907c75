//! What landed or was pushed stays, whatever a merge makes of it.

mod honest;
mod random;

use crate::support::{Judged, Team};

/// Runs `orch verify` with some flags, in JSON.
fn verified(team: &Team, flags: &[&str]) -> Judged {
    Judged::from(&team.try_orch("", &[&["verify", "--format", "json"], flags].concat()))
}

/// Asserts that a record is told to be gone, by this commit.
#[track_caller]
fn dropped_by(judged: &Judged, path: &str, commit: &str) {
    judged.refused_by("record-modified");
    let findings = judged.json["findings"].as_array().unwrap();
    let told = findings.iter().any(|finding| {
        finding["check"] == "record-modified"
            && finding["path"] == path
            && finding["message"].as_str().unwrap().contains(&commit[..10])
    });
    assert!(told, "{path} by {commit}: {judged:#?}");
}

/// Merges as nobody does by hand: a tree that is given, on parents that are given. HEAD goes there.
fn merge_as(team: &Team, tree: &str, parents: &[&str]) -> String {
    team.repo.tick();
    let parents = parents.iter().flat_map(|parent| ["-p", parent]);
    let arguments: Vec<&str> =
        ["commit-tree", "-m", "Merge", tree].into_iter().chain(parents).collect();
    let commit = team.repo.git(&arguments);
    team.repo.git(&["reset", "--quiet", "--hard", &commit]);
    commit
}

/// A branch on which a run has failed, and a `main` that has gone on since.
fn failed() -> (Team, String) {
    let team = Team::new();
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    let fail = ["run", "fail", "strat-001", "--class", "policy", "--reason", "limit"];
    team.orch("strategy_developer", &fail);
    team.commit("Fail, and pause");
    let failed = team.repo.git(&["ls-files", ".orch/tasks/*/strat-001/*-run.yaml"]);
    let failed = failed.lines().last().unwrap().to_owned();
    team.repo.git(&["branch", "aside", "main"]);
    team.repo.git(&["switch", "--quiet", "main"]);
    team.open("strat-002", "new_strategy", &[]);
    team.commit("Open strat-002");
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    (team, failed)
}

/// Attack 103: a merge drops what an earlier commit of the branch had put on the record. `main` never
/// had it, so that it looks as if the merge took that from there.
#[test]
fn a_merge_that_drops_a_failure_is_refused() {
    let (team, failed) = failed();
    team.guard(&["--base", "main"]).passed();
    team.repo.git(&["branch", "kept"]);
    for other in ["main", "aside"] {
        let merge = merge_as(&team, &format!("{other}^{{tree}}"), &["HEAD", other]);
        dropped_by(&team.guard(&["--base", "main"]), &failed, &merge);
        dropped_by(&team.verify(), &failed, &merge);
        team.repo.git(&["reset", "--quiet", "--hard", "kept"]);
    }
}

/// The same from the other side: the merge stands on `main`, and only pretends to take the branch in.
/// So it is with a root of its own that is merged in, and with one of three parents.
#[test]
fn a_merge_that_only_pretends_is_refused() {
    let (team, failed) = failed();
    team.repo.git(&["switch", "--quiet", "--orphan", "orch/orphan"]);
    team.repo.git(&["checkout", "feature/strat-001-strategy", "--", "."]);
    team.smuggle("Begin anew");
    for branches in [
        &["feature/strat-001-strategy"][..],
        &["orch/orphan"],
        &["aside", "feature/strat-001-strategy"],
        &["feature/strat-001-strategy", "orch/orphan"],
    ] {
        team.repo.git(&["switch", "--quiet", "--force-create", "orch/pretend", "main"]);
        team.repo.tick();
        let ours = ["merge", "--quiet", "--no-ff", "--no-verify", "--strategy=ours"];
        let how = ["--allow-unrelated-histories", "-m", "Merge"];
        team.repo.git(&[&ours[..], &how, branches].concat());
        let merge = team.repo.git(&["rev-parse", "HEAD"]);
        dropped_by(&team.guard(&["--base", "main"]), &failed, &merge);
        dropped_by(&team.verify(), &failed, &merge);
    }
}

/// A halt, its snapshot, and a signature are kept like any record; so is their mode.
#[test]
fn what_lies_beside_records_is_kept_too() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.repo.git(&["switch", "--quiet", "--create", "orch/halt"]);
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "all", "--reason", "Loss"];
    team.orch("founder", &[&halt[..], &["--id", "loss"]].concat());
    let signature = format!("{}.sig", team.record("strat-001", "task"));
    team.repo.write(&signature, "a signature\n");
    team.smuggle("Halt");
    let kept = [".orch/halts/loss/0001-halt.yaml", ".orch/halts/loss/snapshot.json", &signature];
    for path in kept {
        let deeds: [&dyn Fn(); 3] =
            [&|| team.repo.write(path, "other\n"), &|| team.repo.remove(path), &|| {
                team.repo.git(&["update-index", "--chmod=+x", path]);
                team.repo.git(&["checkout-index", "--force", path]);
            }];
        for deed in deeds {
            deed();
            team.repo.git(&["add", "--all"]);
            let tree = team.repo.git(&["write-tree"]);
            let merge = merge_as(&team, &tree, &["orch/halt", "main"]);
            dropped_by(&team.guard(&["--base", "main"]), path, &merge);
            dropped_by(&team.verify(), path, &merge);
            team.repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
        }
    }
}

/// A merge edits what the branch's own earlier commit had brought, by its own hand or by taking in a
/// branch on which another version stands.
#[test]
fn a_merge_that_edits_is_refused() {
    let (team, failed) = failed();
    team.repo.git(&["branch", "kept"]);
    team.edit(&failed, "class: policy", "class: transient");
    team.repo.git(&["add", "--all"]);
    let tree = team.repo.git(&["write-tree"]);
    let merge = merge_as(&team, &tree, &["kept", "main"]);
    dropped_by(&team.guard(&["--base", "main"]), &failed, &merge);
    dropped_by(&team.verify(), &failed, &merge);
    let other = merge_as(&team, &tree, &["aside"]);
    let merge = merge_as(&team, &tree, &["kept", &other]);
    dropped_by(&team.guard(&["--base", "main"]), &failed, &merge);
    dropped_by(&team.verify(), &failed, &merge);
}

/// What a commit drops and a later one brings back was gone all the same: the guard refuses it where
/// it would land, and a verification sees it afterwards, until it starts from where all is sound again.
#[test]
fn what_was_gone_for_a_while_shows() {
    let (team, failed) = failed();
    let text = team.read(&failed);
    team.repo.remove(&failed);
    team.smuggle("Away with it");
    let gone = team.repo.git(&["rev-parse", "HEAD"]);
    team.repo.write(&failed, text);
    team.smuggle("Here it is");
    dropped_by(&team.guard(&["--base", "main"]), &failed, &gone);
    let judged = team.verify();
    dropped_by(&judged, &failed, &gone);
    assert_eq!(judged.errors.len(), 1, "{judged:#?}");
    let finding = &judged.json["findings"][0];
    let help = finding["help"].as_str().unwrap();
    for command in [
        format!("git log --full-history -- {failed}"),
        format!("git show {}", &gone[..10]),
        "orch verify --anchor".to_owned(),
    ] {
        assert!(help.contains(&command), "{help}");
    }
    verified(&team, &["--anchor", "HEAD"]).passed();
    verified(&team, &["--anchor", "HEAD^"]).passed();
    dropped_by(&verified(&team, &["--anchor", "HEAD~2"]), &failed, &gone);
}

/// Attack 67: a history that was rewritten does not lead to what had landed.
#[test]
fn a_rewritten_base_is_refused() {
    let (team, _) = failed();
    verified(&team, &["--anchor", "main~1"]).passed();
    let anchor = team.repo.git(&["rev-parse", "HEAD"]);
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    for rev in ["HEAD", "main"] {
        let judged = verified(&team, &["--anchor", &anchor, rev]);
        let found = judged.refused_by("record-modified");
        assert_eq!((found.path.as_str(), judged.errors.len()), (".orch", 1), "{judged:#?}");
        assert!(judged.json["findings"][0]["message"].to_string().contains(&anchor[..10]));
    }
    verified(&team, &[]).passed();
    let unknown = team.try_orch("", &["verify", "--anchor", "nowhere"]);
    assert!(unknown.fault().contains("nowhere"), "{unknown:#?}");
}

/// A shallow clone lacks what would have to be walked, and says so; the tree alone can be looked at.
#[test]
fn a_shallow_clone_shows_the_tree_alone() {
    let (team, _) = failed();
    let branch = "--branch=feature/strat-001-strategy";
    let clone = Team::over(team.repo.clone_to("shallow", &["--depth=1", branch]));
    let said = clone.try_orch("", &["verify"]);
    assert!(said.fault().contains("git fetch --unshallow"), "{said:#?}");
    assert!(said.err.contains("orch verify --anchor HEAD"), "{said:#?}");
    verified(&clone, &["--anchor", "HEAD"]).passed();
    clone.repo.git(&["fetch", "--quiet", "--unshallow", "origin"]);
    clone.verify().passed();
}

/// The first push to a server is nothing but history.
#[test]
fn the_first_push_is_walked_too() {
    let (team, failed) = failed();
    team.repo.git(&["rm", "--quiet", &failed]);
    team.smuggle("Away with it");
    team.repo.git(&["init", "--quiet", "--bare", "../server.git"]);
    Team::over(team.repo.beside("server.git")).orch("", &["hooks", "install", "--server"]);
    let url = format!("file://{}", team.repo.beside("server.git").path().display());
    let said = team.try_git(&["push", "--no-verify", &url, "HEAD:refs/heads/main"]);
    assert!(said.code != 0 && said.err.contains("error[record-modified]"), "{said:#?}");
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let said = team.try_git(&["push", "--no-verify", &url, "HEAD:refs/heads/main"]);
    assert_eq!(said.code, 0, "{said:#?}");
}
