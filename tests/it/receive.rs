//! A server's own word: pre-receive in a bare repository, under Git's quarantine, asked by real pushes.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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

/// The first push brings the first policy, and one that brings none is not looked at.
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

/// One forgery: what it does to the files, and the check that refuses it.
type Forgery = (&'static str, fn(&Team));

/// What nobody may push, class by class; each on a branch of its own that starts where all is well.
const FORGERIES: &[Forgery] = &[
    ("record-modified", |team| team.edit(&team.record("strat-001", "task"), "Moving", "Slower")),
    ("record-modified", |team| team.repo.remove(&team.record("strat-001", "handoff"))),
    ("record-misplaced", |team| team.repo.write(".orch/notes.md", "mine\n")),
    ("record-invalid", |team| {
        let bad = format!("{}/0005-block.yaml", ledger(team));
        team.repo.write(&bad, "block: {reason: [\n");
    }),
    ("chain-broken", |team| {
        team.orch("orchestrator", &["task", "block", "strat-001", "--reason", "Wait"]);
        team.edit(&team.record("strat-001", "block"), "previous: sha256:", "previous: sha256:0");
        let record = team.record("strat-001", "block");
        let text = team.read(&record);
        let at = text.find("sha256:").unwrap() + 7;
        team.repo.write(&record, [&text[..at + 64], &text[at + 65..]].concat());
    }),
    ("handoff-stale", |team| team.repo.write(crate::support::CODE, "plot(close)\n")),
    ("lane-violation", |team| team.repo.write("deploy/live/x.json", "{}\n")),
    ("path-unowned", |team| team.repo.write("infrastructure/main.tf", "mine\n")),
    ("policy-change-undecided", |team| team.edit(".orch/policy.yaml", "30d", "365d")),
    ("policy-change-undecided", |team| {
        team.repo.write(".github/workflows/orch.yml", "on: nothing\n");
    }),
    ("policy-change-undecided", |team| team.repo.remove(".orch/policy.yaml")),
    ("agent-unknown", |team| {
        team.orch("orchestrator", &["task", "block", "strat-001", "--reason", "Wait"]);
        team.edit(&team.record("strat-001", "block"), "actor: orchestrator", "actor: nobody");
    }),
    ("text-unsafe", |team| {
        team.orch("orchestrator", &["task", "block", "strat-001", "--reason", "Wait"]);
        team.edit(&team.record("strat-001", "block"), "Wait", "Wait \u{202e}tiaW");
    }),
    ("gatekeeper-missing", |team| {
        let run = deploying(team);
        team.repo.write(&format!("{}/0005-run.yaml", ledger(team)), run);
    }),
    ("signature-invalid", |team| {
        team.repo.write(&format!("{}.sig", team.record("strat-001", "task")), "mine\n");
    }),
];

fn ledger(team: &Team) -> String {
    let record = team.record("strat-001", "task");
    record.rsplit_once('/').unwrap().0.to_owned()
}

/// A deployment that nobody audited, written by hand, chained as it should be.
fn deploying(team: &Team) -> String {
    let last = team.record("strat-001", "gate");
    format!(
        "run:\n  stage: deploy_paper\n  run_id: r0123456789\n  attempt: 1\n  agent: \
         deployment_agent\n  lane: E\n  status: in_progress\n  inputs: []\nentry:\n  sequence: 5\n  \
         previous: {}\n  recorded_at: 2026-11-21T14:30:00Z\n  actor: deployment_agent\n",
        team.digest(&last)
    )
}

/// Every class of forgery is refused where it arrives, whatever the clone's hooks were told; what is
/// honest and lies beside it is accepted.
#[test]
fn no_forgery_arrives() {
    let (server, team) = served();
    team.hand_over_strategy(&[]);
    team.pass("strat-001", "strategy");
    accepted(&team, &["main"]);
    for (number, (check, forge)) in FORGERIES.iter().enumerate() {
        let branch = format!("feature/strat-001-x{number}");
        team.repo.git(&["switch", "--quiet", "--create", &branch, "main"]);
        forge(&team);
        team.smuggle("Forge");
        refused(&team, &[&branch], check);
        assert!(!server.try_git(&["rev-parse", "--verify", &branch]).status.success());
        team.repo.git(&["switch", "--quiet", "--discard-changes", "main"]);
        team.repo.git(&["branch", "--quiet", "-D", &branch]);
    }
    team.repo.git(&["push", "--quiet", "origin", "main:refs/heads/feature/strat-001-honest"]);
    team.repo.write("README.md", "about\n");
    team.smuggle("Say more");
    refused(&team, &["main:refs/heads/whatever"], "branch-name");
}

/// The same over Git's own protocol, from a daemon that knows nothing of orch but the hook.
#[test]
fn a_daemon_asks_the_hook_too() {
    let (server, team) = served();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Started by `git daemon`, it would outlive the process that can be ended.
    let program = Path::new(&server.git(&["--exec-path"])).join("git-daemon");
    let daemon = Command::new(program)
        .args(["--export-all", "--enable=receive-pack", "--listen=127.0.0.1"])
        .arg(format!("--port={port}"))
        .arg(format!("--base-path={}", server.root().display()))
        .env_clear()
        .envs(server.variables())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _daemon = Daemon(daemon);
    team.repo.git(&["remote", "set-url", "origin", &format!("git://127.0.0.1:{port}/server.git")]);
    let up = || team.repo.try_git(&["ls-remote", "origin"]).status.success();
    let waited = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        up()
    });
    assert!(waited, "the daemon did not come up");
    team.hand_over_strategy(&[]);
    let branch = "feature/strat-001-strategy";
    accepted(&team, &[branch]);
    team.repo.write(crate::support::CODE, "forged\n");
    team.smuggle("Forge");
    refused(&team, &[branch], "checksum-mismatch");
}

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}
