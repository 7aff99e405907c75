//! A server's own word: pre-receive in a bare repository, under Git's quarantine, asked by real pushes.

use crate::support::{Said, Team, TestRepo};

/// A bare repository with the server's hook, and a team's clone of it whose `main` is pushed.
fn served() -> (TestRepo, Team) {
    let team = Team::new();
    let server = team.repo.beside("server.git");
    let path = server.path().display().to_string();
    team.repo.git(&["init", "--quiet", "--bare", &path]);
    let hooks = Team::over(team.repo.beside("server.git"));
    let said = hooks.orch("", &["hooks", "install", "--server"]);
    assert!(said.contains("pre-receive"), "{said}");
    let url = format!("file://{path}");
    team.repo.git(&["remote", "add", "origin", &url]);
    team.repo.git(&["push", "--quiet", "origin", "main"]);
    (server, team)
}

/// Pushes past the clone's own hooks; the server speaks alone.
fn push(team: &Team, arguments: &[&str]) -> Said {
    team.try_git(&[&["push", "--no-verify", "origin"], arguments].concat())
}

#[track_caller]
fn refused(team: &Team, arguments: &[&str], check: &str) {
    let said = push(team, arguments);
    assert_ne!(said.code, 0, "{arguments:?} passed: {said:#?}");
    assert!(said.err.contains(&format!("error[{check}]")), "{check} is missing: {said:#?}");
}

#[track_caller]
fn accepted(team: &Team, arguments: &[&str]) {
    let said = push(team, arguments);
    assert_eq!(said.code, 0, "{said:#?}");
}

/// Attack 57: what the clone's hooks were not asked, the server is; what is honest passes.
#[test]
fn an_honest_branch_is_accepted_and_a_forged_one_is_not() {
    let (server, team) = served();
    team.hand_over_strategy(&[]);
    let branch = "feature/strat-001-strategy";
    accepted(&team, &[branch]);
    assert_eq!(server.git(&["rev-parse", branch]), team.repo.git(&["rev-parse", "HEAD"]));
    team.repo.write(crate::support::CODE, "forged\n");
    team.smuggle("Forge");
    refused(&team, &[branch], "checksum-mismatch");
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    team.pass("strat-001", "strategy");
    accepted(&team, &["main"]);
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
}

/// Attacks 66 and 67: many refs at once, new branches, deletions, rewrites, tags.
#[test]
fn every_ref_of_a_push_is_judged() {
    let (server, team) = served();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    accepted(&team, &["main"]);
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-x"]);
    team.repo.write("deploy/live/x.json", "{}\n");
    team.smuggle("Reach into another lane");
    team.repo.git(&["tag", "v1"]);
    let before = server.git(&["for-each-ref"]);
    refused(&team, &["main", "feature/strat-001-x", "v1"], "lane-violation");
    assert_eq!(server.git(&["for-each-ref"]), before, "all or nothing");
    accepted(&team, &["v1"]);
    let deleted = push(&team, &[":main"]);
    assert!(deleted.code != 0 && deleted.err.contains("branch-protected"), "{deleted:#?}");
    team.repo.git(&["switch", "--quiet", "main"]);
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    team.repo.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Rewrite"]);
    let rewritten = push(&team, &["--force", "main"]);
    assert!(rewritten.code != 0 && rewritten.err.contains("branch-protected"), "{rewritten:#?}");
    team.repo.git(&["switch", "--quiet", "--orphan", "feature/strat-001-orphan"]);
    team.repo.write("README.md", "about\n");
    team.smuggle("Begin anew");
    let orphan = push(&team, &["feature/strat-001-orphan"]);
    assert!(orphan.code != 0 && orphan.err.contains("shares no history"), "{orphan:#?}");
}

/// Design §5: the first push brings the first policy, and one that brings none is not looked at.
#[test]
fn the_first_push_brings_the_policy() {
    let (_server, team) = served();
    let empty = team.repo.beside("empty.git");
    team.repo.git(&["init", "--quiet", "--bare", &empty.path().display().to_string()]);
    Team::over(team.repo.beside("empty.git")).orch("", &["hooks", "install", "--server"]);
    let other = Team::over(TestRepo::new());
    other.repo.write("README.md", "about\n");
    other.smuggle("Begin without orch");
    let url = format!("file://{}", empty.path().display());
    other.repo.git(&["remote", "add", "origin", &url]);
    let said = push(&other, &["main"]);
    assert!(said.code != 0 && said.err.contains("orch init"), "{said:#?}");
}

/// Attacks 94 and 95: where the policy binds names to addresses, the guard holds each record against
/// the commit that brings it; a co-author of a squashed commit counts.
#[test]
fn a_record_is_by_whom_its_commit_is_by() {
    let bound = "founder: {lanes: [F], human: true, identities: [boss@example.org]}";
    let team = Team::with_policy(&[("founder: {lanes: [F], human: true}", bound)]);
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.repo.git(&["switch", "--quiet", "--create", "orch/hold"]);
    team.orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
    team.commit("Pause strat-001");
    let judged = team.guard(&["--base", "main"]);
    assert_eq!(judged.refused_by("identity-mismatch").path, team.record("strat-001", "pause"));
    let author = "--author=Boss <Boss@example.org>";
    team.repo.git(&["commit", "--quiet", "--amend", "--no-edit", author]);
    team.guard(&["--base", "main"]).passed();
    let message = "Pause strat-001\n\nCo-authored-by: Boss <boss@example.org>";
    let other = "--author=Ada <ada@example.org>";
    team.repo.git(&["commit", "--quiet", "--amend", other, "-m", message]);
    team.guard(&["--base", "main"]).passed();
}
