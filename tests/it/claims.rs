//! Claims on tasks: of many clones that ask one remote at once one gets the task, and the others are
//! told who has it and have written nothing.

use std::process::{Child, Stdio};

use crate::support::{Said, Team, TestRepo, write_script};

const START: &[&str] = &["run", "start", "strat-001", "--claim"];
const CLAIM: &str = "refs/orch/claims/strat-001";
const DEVELOPER: &str = "strategy_developer";

/// A bare repository with the task `strat-001` on `main`, and a clone of it that has the hooks.
fn served(policy: &[(&str, &str)]) -> (TestRepo, Team) {
    let team = Team::with_policy(policy);
    let server = team.repo.beside("server.git");
    let path = server.path().display().to_string();
    team.repo.git(&["init", "--quiet", "--bare", &path]);
    Team::over(team.repo.beside("server.git")).orch("", &["hooks", "install", "--server"]);
    team.repo.git(&["remote", "add", "origin", &format!("file://{path}")]);
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.repo.git(&["push", "--quiet", "origin", "main"]);
    (server, team)
}

fn clone_of(server: &TestRepo, name: &str) -> Team {
    Team::over(server.clone_to(name, &[]))
}

/// Gives the message of the claim at the server; none if nobody holds one.
fn claim(server: &TestRepo) -> Option<String> {
    let said = server.try_git(&["log", "--format=%B", "-1", CLAIM, "--"]);
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).into_owned())
}

/// Puts a claim of somebody who began long ago in place of whatever stands at the server.
fn old_claim(server: &TestRepo) -> String {
    let message = "Claim\n\nTask: strat-001\nStage: strategy\nRun-Id: r0123456789\nAgent: \
                   ml_engineer\nSince: 2020-01-01T00:00:00Z\nToken: old\n";
    let tree = server.git(&["mktree"]);
    let commit = server.git(&["commit-tree", &tree, "-m", message]);
    server.git(&["update-ref", CLAIM, &commit]);
    commit
}

/// Lets every clone begin the same stage at once, round by round; in each exactly one may. In every
/// other round the server takes its time, so that all have looked before it lets one through, and no
/// look but the push itself decides.
fn race(clones: usize, rounds: usize) {
    let (server, _team) = served(&[]);
    let clones: Vec<Team> =
        (0..clones).map(|number| clone_of(&server, &format!("clone-{number}"))).collect();
    let before: Vec<String> = clones.iter().map(Team::state).collect();
    let hook = server.path().join("hooks/pre-receive");
    for round in 0..rounds {
        let slowly = if round % 2 == 1 { "sleep 0.5" } else { "true" };
        write_script(&hook, &format!("#!/bin/sh\nexec {slowly}\n"));
        let start = |(number, clone): (usize, &Team)| {
            let session = format!("session-{number}");
            let mut command = clone.command(DEVELOPER, &session, START);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children: Vec<Child> = clones.iter().enumerate().map(start).collect();
        let ended: Vec<_> =
            children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let won: Vec<usize> = (0..clones.len()).filter(|n| ended[*n].status.success()).collect();
        assert_eq!(won.len(), 1, "round {round}: {ended:#?}");
        let session = format!("session-{}", won[0]);
        assert!(claim(&server).unwrap().contains(&format!("Session: {session}\n")));
        for (number, clone) in clones.iter().enumerate().filter(|(number, _)| *number != won[0]) {
            let told = String::from_utf8_lossy(&ended[number].stderr).replace("\n  │ ", " ");
            assert_eq!(ended[number].status.code(), Some(1), "round {round}: {told}");
            assert!(told.contains(&format!("(session {session}) since ")), "{told}");
            assert!(told.contains("help: "), "{told}");
            assert_eq!(clone.state(), before[number], "a loser wrote something");
        }
        let winner = &clones[won[0]].repo;
        winner.git(&["reset", "--quiet", "--hard"]);
        winner.git(&["switch", "--quiet", "main"]);
        winner.git(&["branch", "--quiet", "-D", "feature/strat-001-strategy"]);
        winner.remove("logs/agent_activity.log");
        server.git(&["update-ref", "-d", CLAIM]);
    }
}

/// R001-11, R001-18: five clones ask at once, and one begins.
#[test]
fn one_clone_of_many_wins() {
    race(5, 6);
}

/// The same at full size, which takes minutes.
#[test]
#[ignore = "a hundred rounds take minutes"]
fn one_clone_of_ten_wins_a_hundred_times() {
    race(10, 100);
}

/// R001-18: the same run is claimed once by one clone; another clone is refused, whatever it calls its
/// context, and a rehearsal claims nothing.
#[test]
fn the_same_run_is_claimed_once() {
    let (server, team) = served(&[]);
    let other = clone_of(&server, "other");
    team.orch(DEVELOPER, &[START, &["--dry-run"]].concat());
    assert_eq!(claim(&server), None);
    let said = team.orch(DEVELOPER, START);
    assert!(said.contains("claimed `strat-001` at origin"), "{said}");
    let held = claim(&server).unwrap();
    for line in ["Task: strat-001", "Stage: strategy", "Agent: strategy_developer", "Since: 2"] {
        assert!(held.contains(&format!("\n{line}")), "{held}");
    }
    let again = team.orch(DEVELOPER, START);
    assert!(again.contains("is claimed already, for this run"), "{again}");
    assert_eq!(claim(&server).as_ref(), Some(&held));
    let before = other.state();
    let run = |session: &str| other.command(DEVELOPER, session, START).output().unwrap();
    for session in ["another", "", "session-of-strategy_developer"] {
        assert_eq!(run(session).status.code(), Some(1), "{session}: many call theirs the same");
    }
    assert_eq!(other.state(), before);
    assert!(!other.repo.path().join(".git/FETCH_HEAD").exists());
    let listed = other.json("", &["run", "claims"]);
    assert_eq!(listed[0]["task_id"], "strat-001");
    assert_eq!((&listed[0]["agent"], &listed[0]["stale"]), (&DEVELOPER.into(), &false.into()));
    assert!(other.orch("", &["run", "claims"]).contains("strategy_developer (session-of-"));
    team.verify().passed();
}

/// A claim that rests too long, or whoever directs the work asks for, is taken over, on the record of
/// both.
#[test]
fn a_stale_claim_is_taken_over() {
    let (server, team) = served(&[]);
    let take_over = [START, &["--take-over", "It rests"]].concat();
    let old = old_claim(&server);
    assert!(team.try_orch(DEVELOPER, START).denied().contains("--take-over REASON"));
    assert_eq!(team.json("", &["run", "claims"])[0]["stale"], true);
    team.orch(DEVELOPER, &take_over);
    assert_eq!(server.git(&["rev-parse", &format!("{CLAIM}^")]), old);
    assert!(claim(&server).unwrap().contains("Taken over from ml_engineer"));
    let run = team.read(&team.record("strat-001", "run"));
    for words in ["took_over:", "agent: ml_engineer", "2020-01-01T00:00:00Z", "It rests"] {
        assert!(run.contains(words), "{run}");
    }
    assert!(team.orch("", &["status", "strat-001"]).contains("taken over from ml_engineer"));
    team.commit("Begin the strategy");
    team.guard(&["--base", "main"]).passed();
    // Now it is fresh: another context may not, whatever its reason.
    let other = clone_of(&server, "other");
    let mut command = other.command(DEVELOPER, "another", &take_over);
    let said = command.output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stderr).contains("is not stale before"), "{said:#?}");
}

/// Who directs the work need not wait until a claim is stale.
#[test]
fn a_coordinator_takes_over_at_once() {
    let directs =
        ("orchestrator: {coordinator: true}", "orchestrator: {lanes: [B], coordinator: true}");
    let (server, team) = served(&[directs]);
    team.orch(DEVELOPER, START);
    let other = clone_of(&server, "other");
    other.orch("orchestrator", &["task", "assign", "strat-001", "--to", "orchestrator"]);
    let take_over = [START, &["--take-over", "Urgent"]].concat();
    other.orch("orchestrator", &take_over);
    assert!(claim(&server).unwrap().contains("Agent: orchestrator"));
    // Who lost it is told when giving it up, and does not take it away again.
    let fail = ["run", "fail", "strat-001", "--class", "spec", "--reason", "unclear"];
    let said = team.try_orch(DEVELOPER, &fail);
    assert!(said.code == 0 && said.err.contains("it was taken over"), "{said:#?}");
    assert!(claim(&server).is_some());
    let note = team.repo.path().join(".git/orch/claims/strat-001");
    assert!(!note.exists());
}

/// What ends the work gives the claim up; what only interrupts it does not.
#[test]
fn a_claim_ends_with_the_work() {
    let (server, team) = served(&[]);
    team.orch(DEVELOPER, START);
    let fail = ["run", "fail", "strat-001", "--reason", "network", "--class"];
    team.orch(DEVELOPER, &[&fail[..], &["transient"]].concat());
    assert!(claim(&server).is_some(), "it is tried again");
    let later = team.try_orch(DEVELOPER, &["run", "retry", "strat-001", "--claim"]);
    assert!(later.checks().contains(&"retry-too-soon"), "{later:#?}");
    assert!(claim(&server).is_some(), "what is refused before it asks changes nothing");
}

/// Gives a clone that holds the claim and whose stage is done but for the handoff.
fn claimed() -> (TestRepo, Team) {
    let (server, team) = served(&[]);
    team.orch(DEVELOPER, START);
    team.write_strategy();
    (server, team)
}

/// Until the handoff arrives there, another clone is told who has the task; whoever knows of it claims
/// the next stage without a word.
#[test]
fn a_claim_outlives_its_handoff_until_that_is_known() {
    let (server, team) = claimed();
    let other = clone_of(&server, "other");
    team.orch(DEVELOPER, &["handoff", "create", "strat-001"]);
    team.commit("Hand over the strategy");
    let listed = team.json("", &["run", "claims"]);
    assert_eq!(
        (listed[0]["spent"].as_bool(), listed[0]["stale"].as_bool()),
        (Some(true), Some(false))
    );
    let said = Said::from(&other.command(DEVELOPER, "another", START).output().unwrap());
    assert!(said.denied().contains("is claimed by strategy_developer"), "{said:#?}");
    team.orch("orchestrator", &["gate", "strat-001"]);
    team.commit("Pass the gate");
    assert!(claim(&server).is_some());
    team.orch("", &["run", "claims", "--prune"]);
    assert_eq!(claim(&server), None);
}

#[test]
fn a_failure_for_good_gives_the_claim_up() {
    let (server, team) = claimed();
    let fail = ["run", "fail", "strat-001", "--class", "spec", "--reason", "unclear"];
    team.orch(DEVELOPER, &fail);
    assert_eq!(claim(&server), None);
}

/// The next stage takes the claim of one whose result is known.
#[test]
fn the_next_stage_claims_what_is_spent() {
    let team = Team::new();
    let server = team.repo.beside("server.git");
    team.repo.git(&["init", "--quiet", "--bare", &server.path().display().to_string()]);
    let url = format!("file://{}", server.path().display());
    team.repo.git(&["remote", "add", "origin", &url]);
    team.land_data();
    let more = ["--depends-on", "data-001", "--version", "1.0"];
    team.open("strat-001", "new_strategy", &more);
    team.orch(DEVELOPER, START);
    team.write_strategy();
    team.orch(DEVELOPER, &["handoff", "create", "strat-001"]);
    team.commit("Hand over the strategy");
    team.pass("strat-001", "strategy");
    std::fs::remove_file(team.repo.path().join(".git/orch/claims/strat-001")).unwrap();
    team.orch("quant_engineer", START);
    assert!(claim(&server).unwrap().contains("Stage: backtest"));
}

/// A command that is run as a stage claims it as well.
#[test]
fn a_command_claims_its_task() {
    let (server, team) = served(&[]);
    let begin = "echo 'plot(close)' > strategies/pine_v6/new_strategy.pine && echo '# It' > \
                 docs/strategies/new_strategy.md";
    for folder in ["strategies/pine_v6", "docs/strategies"] {
        std::fs::create_dir_all(team.repo.path().join(folder)).unwrap();
    }
    let exec = ["run", "exec", "strat-001", "--claim", "--", "sh", "-c", begin];
    team.orch(DEVELOPER, &exec);
    assert!(claim(&server).unwrap().contains("Stage: strategy"));
    team.orch(DEVELOPER, &["handoff", "create", "strat-001"]);
}

/// What is claimed and then can't be written is given up again.
#[test]
fn what_can_not_be_written_is_not_claimed() {
    let (server, team) = served(&[]);
    let record = team.record("strat-001", "task").replace("0001-task", "0002-run");
    team.repo.write(&record, "somebody else's\n");
    let said = team.try_orch(DEVELOPER, START);
    assert!(said.fault().contains("is there already"), "{said:#?}");
    assert!(said.out.contains("claimed `strat-001`"), "{said:#?}");
    assert_eq!(claim(&server), None);
}

/// A remote that gives no answer, and one that is none, are faults; nothing is written.
#[test]
fn without_a_remote_nothing_is_claimed() {
    let (_server, team) = served(&[]);
    let before = team.state();
    for remote in ["nowhere", "file:///nowhere/at/all.git", "--upload-pack=touch"] {
        let remote = format!("--remote={remote}");
        let said = team.try_orch(DEVELOPER, &[START, &[&remote]].concat());
        assert!(said.fault().contains("gives no answer"), "{said:#?}");
        assert!(team.try_orch("", &["run", "claims", &remote]).fault().contains("git remote -v"));
    }
    assert_eq!(team.state(), before);
    assert!(!team.repo.path().join(".git/orch/claims/strat-001").exists());
}

/// What stands where claims do and is none is nobody's: it is told so, and taken by nobody.
#[test]
fn what_is_no_claim_is_told() {
    let (server, team) = served(&[]);
    server.git(&["update-ref", CLAIM, "main"]);
    let denied = team.try_orch(DEVELOPER, START);
    assert!(denied.denied().contains("by what is no claim"), "{denied:#?}");
    let take_over = [START, &["--take-over", "It is mine"]].concat();
    assert!(team.try_orch(DEVELOPER, &take_over).denied().contains("--delete refs/orch/claims/"));
    assert!(team.orch("", &["run", "claims"]).contains("no claim stands there"));
    let listed = team.json("", &["run", "claims"]);
    assert!(listed[0]["agent"].is_null(), "{listed}");
}

/// Attacks 66 and 67: a claim is no way round. Neither hook lets anything but a claim of that very task stand
/// where claims do; a branch is judged as ever.
#[test]
fn only_claims_pass_as_claims() {
    let (server, team) = served(&[]);
    team.orch(DEVELOPER, START);
    team.repo.write("deploy/live/x.json", "{}\n");
    team.smuggle("Reach into another lane");
    let pushes = [
        format!("HEAD:{CLAIM}"),
        "HEAD:refs/orch/claims/strat-002".to_owned(),
        format!("{}:refs/orch/claims/strat-002", server.git(&["rev-parse", CLAIM])),
        "main:refs/orch/claims/../../heads/x".to_owned(),
    ];
    let before = server.git(&["for-each-ref"]);
    for push in &pushes {
        for flags in
            [&["push", "--force", "origin"][..], &["push", "--no-verify", "--force", "origin"]]
        {
            let said: Said = team.try_git(&[flags, &[push]].concat());
            assert_ne!(said.code, 0, "{push}: {said:#?}");
            assert!(push.contains("..") || said.err.contains("no claim on"), "{push}: {said:#?}");
        }
    }
    assert_eq!(server.git(&["for-each-ref"]), before);
    let both = ["push", "--no-verify", "origin", "HEAD:refs/heads/feature/strat-001-strategy"];
    let said = team.try_git(&both);
    assert!(said.code != 0 && said.err.contains("lane-violation"), "{said:#?}");
    // Anyone may take a claim away: it is a word, not a right.
    assert_eq!(team.try_git(&["push", "origin", "--delete", CLAIM]).code, 0);
}
