//! The action on every event that it judges, from clones as shallow as GitHub's.

use std::path::Path;
use std::process::{Command, Stdio};

use super::runner::{BRANCH, Event, Server, ZERO, action, run};
use crate::support::{CODE, ORCH, Said, Team};

/// A server with a branch on which a handoff is sealed.
fn proposed() -> Server {
    let server = Server::new();
    server.team.hand_over_strategy(&[]);
    server.push(BRANCH, BRANCH);
    server
}

/// Changes one byte of what was sealed, on the branch.
fn tamper(server: &Server) {
    server.team.edit(CODE, "20", "21");
    server.team.smuggle("A small thing");
    server.push(BRANCH, BRANCH);
}

#[test]
fn a_pull_request_passes_from_any_depth() {
    let server = proposed();
    let event = server.pull_request(BRANCH);
    for depth in [1, 0] {
        let step = run(&server.checkout(&event, depth), &event, &[]);
        step.ended(0);
        assert!(step.said.out.contains("passed: "), "{step:#?}");
        assert!(step.summary.contains("**passed**: "), "{step:#?}");
        assert_eq!(step.sarif()["version"], "2.1.0");
    }
}

#[test]
fn a_pull_request_is_refused_in_all_that_github_reads() {
    let server = proposed();
    tamper(&server);
    let event = server.pull_request(BRANCH);
    let clone = server.checkout(&event, 1);
    run(&clone, &event, &[]).refused_by("checksum-mismatch");
    let file = clone.path().join("found.sarif").display().to_string();
    let step = run(&clone, &event, &[("sarif", &file)]);
    assert_eq!(step.outputs["sarif"], file);
    step.refused_by("checksum-mismatch");
}

/// Puts commits that change nothing on `main`, here and at the server.
fn other_work(server: &Server, count: usize) {
    let tip = server.commit("main");
    let one = "commit refs/heads/main\ncommitter Carl <carl@example.org> 1795270000 +0000\ndata 5\nOther\n";
    let first = format!("{one}from {tip}\n\n");
    let stream = first + &format!("{one}\n").repeat(count - 1);
    server.team.repo.git_bytes(&["fast-import", "--quiet"], stream.as_bytes());
    server.push("main", "main");
}

/// The two commits meet beyond what is fetched at first; what lies far behind them is not fetched.
#[test]
fn a_shallow_clone_is_deepened_until_it_can_be_judged() {
    let server = Server::new();
    other_work(&server, 300);
    server.team.hand_over_strategy(&[]);
    server.push(BRANCH, BRANCH);
    other_work(&server, 70);
    let event = server.pull_request(BRANCH);
    let clone = server.checkout(&event, 1);
    run(&clone, &event, &[]).ended(0);
    assert_eq!(clone.git(&["rev-parse", "--is-shallow-repository"]), "true");
    tamper(&server);
    let event = server.pull_request(BRANCH);
    run(&server.checkout(&event, 1), &event, &[]).refused_by("checksum-mismatch");
}

/// Threat model: what has landed since the pull request was opened counts, such as a halt.
#[test]
fn a_pull_request_is_judged_by_what_has_landed_since() {
    let server = proposed();
    let team = &server.team;
    team.orch("orchestrator", &["gate", "strat-001"]);
    team.commit("Pass the gate");
    server.push(BRANCH, BRANCH);
    let event = server.pull_request(BRANCH);
    let clone = server.checkout(&event, 0);
    run(&clone, &event, &[]).ended(0);
    team.repo.git(&["switch", "--quiet", "main"]);
    let halt = ["halt", "--topic", "runtime.kill_switch", "--scope", "all", "--reason", "Stop"];
    team.orch("founder", &halt);
    team.commit("Halt everything");
    server.push("main", "main");
    run(&clone, &event, &[]).refused_by("halt-standing");
}

/// A fork's branch is not the protected one of that name here, there already or not.
#[test]
fn a_branch_of_a_fork_is_not_the_protected_one() {
    let protected = ("protected: [\"main\"]", "protected: [main, 'release/*']");
    let server = Server::of(Team::with_policy(&[protected]));
    server.team.hand_over_strategy(&[]);
    server.push(BRANCH, BRANCH);
    let mut event = server.pull_request(BRANCH);
    let clone = server.checkout(&event, 1);
    let fork = serde_json::json!({ "full_name": "mallory/strategies", "fork": true });
    for (repository, branch, code) in [
        (fork.clone(), "main", 1),
        (fork.clone(), "release/9", 1),
        // A fork that is gone names no repository.
        (serde_json::Value::Null, "main", 1),
        (fork, BRANCH, 0),
    ] {
        let head = &mut event.body["pull_request"]["head"];
        head["repo"] = repository;
        head["ref"] = branch.into();
        let step = run(&clone, &event, &[]);
        match code {
            0 => _ = step.ended(0),
            _ => step.refused_by("branch-name"),
        }
    }
    // The same names from this repository are what they say.
    let head = &mut event.body["pull_request"]["head"];
    head["repo"] = serde_json::json!({ "full_name": "acme/strategies", "fork": false });
    head["ref"] = "release/9".into();
    run(&clone, &event, &[]).ended(0);
}

/// Attack 118: the names of branches are words, whatever stands in them.
#[test]
fn no_name_is_run() {
    let server = proposed();
    let mut event = server.pull_request(BRANCH);
    let clone = server.checkout(&event, 1);
    for name in [
        "x;touch${IFS}owned",
        "$(touch owned)",
        "--bootstrap",
        "a\"b`touch owned`",
        "%0A::error::x",
    ] {
        event.body["pull_request"]["head"]["ref"] = name.into();
        run(&clone, &event, &[]).refused_by("branch-name");
        assert!(!clone.path().join("owned").exists(), "{name}");
    }
}

/// The first policy comes in with a person's eyes on it, and only where that was said.
#[test]
fn a_first_policy_is_accepted_where_that_was_said() {
    let server = proposed();
    let team = &server.team;
    let empty = team.repo.git(&["mktree", "--missing"]);
    let root = team.repo.git(&["commit-tree", &empty, "-m", "Nothing yet"]);
    team.repo.git(&["switch", "--quiet", "main"]);
    let tree = team.repo.git(&["rev-parse", "main^{tree}"]);
    let first = team.repo.git(&["commit-tree", &tree, "-p", &root, "-m", "Begin with orch"]);
    team.repo.git(&["update-ref", "refs/heads/orch/begin", &first]);
    team.repo.git(&["switch", "--quiet", "orch/begin"]);
    team.repo.git(&["update-ref", "refs/heads/main", &root]);
    server.push("main", "main");
    let event = server.pull_request("orch/begin");
    let clone = server.checkout(&event, 1);
    let step = run(&clone, &event, &[]);
    step.ended(2);
    assert!(step.said.err.contains("there is no policy"), "{step:#?}");
    run(&clone, &event, &[("bootstrap", "true")]).ended(0);
    // Once it has landed, the push that brought it is judged by it.
    server.push("orch/begin", "main");
    let event = server.pushed("main", &root, &first);
    run(&server.checkout(&event, 1), &event, &[]).ended(0);
}

/// Attacks 72 and 73: a queue is judged as what would land, and never by a base that nobody named.
#[test]
fn a_merge_group_is_judged_as_what_lands() {
    let server = proposed();
    let base = server.commit("main");
    let team = &server.team;
    let group = |message: &str| {
        let tree = team.repo.git(&["rev-parse", &format!("{BRANCH}^{{tree}}")]);
        let head = server.commit(BRANCH);
        team.repo.git(&["commit-tree", &tree, "-p", &base, "-p", &head, "-m", message])
    };
    let mut event = server.queued(&base, &group("Merge"));
    let clone = server.checkout(&event, 1);
    run(&clone, &event, &[]).ended(0);
    for nothing in [serde_json::Value::Null, "".into(), ZERO.into(), "main".into()] {
        event.body["merge_group"]["base_sha"] = nothing;
        run(&clone, &event, &[]).ended(2);
    }
    tamper(&server);
    let event = server.queued(&base, &group("Merge"));
    run(&server.checkout(&event, 1), &event, &[]).refused_by("checksum-mismatch");
}

#[test]
fn a_push_is_judged_from_where_the_branch_stood() {
    let server = proposed();
    let team = &server.team;
    let before = server.commit("main");
    team.pass("strat-001", "strategy");
    let after = server.commit("main");
    server.push("main", "main");
    let event = server.pushed("main", &before, &after);
    let step = run(&server.checkout(&event, 1), &event, &[]);
    step.ended(0);
    assert!(
        step.summary.contains("orch guard") && step.summary.contains("orch verify"),
        "{step:#?}"
    );
    team.repo.write("deploy/live/config.json", "{}\n");
    team.smuggle("Foreign");
    let later = server.commit("main");
    server.push("main", "main");
    let event = server.pushed("main", &after, &later);
    run(&server.checkout(&event, 1), &event, &[]).refused_by("lane-violation");
}

/// Attack 67: what was agreed is gone, and the range alone would show nothing.
#[test]
fn a_forced_push_is_refused() {
    let server = proposed();
    let team = &server.team;
    let start = server.commit("main");
    team.pass("strat-001", "strategy");
    let before = server.commit("main");
    server.push("main", "main");
    server.push(&start, "main");
    let mut event = server.pushed("main", &before, &start);
    event.body["forced"] = true.into();
    for depth in [1, 0] {
        run(&server.checkout(&event, depth), &event, &[]).refused_by("record-modified");
    }
}

#[test]
fn a_first_push_is_verified_whole() {
    let server = proposed();
    let event = server.pushed("main", ZERO, &server.commit("main"));
    let step = run(&server.checkout(&event, 1), &event, &[]);
    step.ended(0);
    assert!(step.summary.contains("orch verify"), "{step:#?}");
}

#[test]
fn a_protected_branch_is_not_deleted() {
    let server = proposed();
    let mut event = server.pushed("main", &server.commit("main"), ZERO);
    event.commit = server.commit("main");
    let clone = server.checkout(&event, 1);
    let step = run(&clone, &event, &[]);
    step.ended(1);
    assert!(step.said.out.contains("::error title=branch-protected::"), "{step:#?}");
    let event = server.pushed(BRANCH, &server.commit(BRANCH), ZERO);
    run(&clone, &event, &[]).ended(0);
}

/// Work under way is judged against the default branch, as its pull request will be.
#[test]
fn a_push_of_work_is_judged_as_its_pull_request_will_be() {
    let server = proposed();
    let event = server.pushed(BRANCH, ZERO, &server.commit(BRANCH));
    run(&server.checkout(&event, 1), &event, &[]).ended(0);
    tamper(&server);
    let event = server.pushed(BRANCH, &server.commit("HEAD~1"), &server.commit(BRANCH));
    run(&server.checkout(&event, 1), &event, &[]).refused_by("checksum-mismatch");
}

/// What nobody can judge is never green.
#[test]
fn an_event_that_is_unknown_is_no_pass() {
    let server = proposed();
    let good = server.pull_request(BRANCH);
    let clone = server.checkout(&good, 1);
    for name in ["pull_request_target", "issue_comment", "workflow_run"] {
        let mut event = server.pull_request(BRANCH);
        event.context.insert("event_name", name.into());
        run(&clone, &event, &[]).ended(2);
    }
    let event =
        Event::new("schedule", "refs/heads/main", &server.commit("main"), serde_json::json!({}));
    run(&server.checkout(&event, 1), &event, &[]).ended(0);
}

#[test]
fn nothing_examined_is_refused_where_that_was_said() {
    let server = proposed();
    server.team.repo.git(&["branch", "feature/strat-001-empty", "main"]);
    let event = server.pull_request("feature/strat-001-empty");
    let clone = server.checkout(&event, 1);
    run(&clone, &event, &[]).ended(0);
    let step = run(&clone, &event, &[("require", "true")]);
    step.ended(1);
    let why = "nothing was examined";
    let annotations = step.said.out.lines().filter(|line| line.starts_with("::error "));
    let annotations: Vec<&str> = annotations.collect();
    assert!(annotations.len() == 1 && annotations[0].contains(why), "{step:#?}");
    assert_eq!(step.said.err.matches(why).count(), 1, "{step:#?}");
    assert!(step.summary.contains(&format!("**refused**: {why}")), "{step:#?}");
}

/// What the script is not told, or can't answer, is named; and it never ends as if something was refused.
#[test]
fn what_is_missing_around_it_is_named() {
    let server = proposed();
    let event = server.pull_request(BRANCH);
    let clone = server.checkout(&event, 1);
    let nowhere = clone.root().join("no/such/folder/file").display().to_string();
    let no_folder = clone.path().join("README.md/found.sarif").display().to_string();
    clone.write("README.md", "A file\n");
    for (name, text) in [
        ("EVENT", None),
        ("PR_BRANCH", None),
        ("GITHUB_OUTPUT", Some(&nowhere)),
        ("GITHUB_STEP_SUMMARY", Some(&nowhere)),
        ("SARIF", Some(&no_folder)),
        ("TMPDIR", Some(&nowhere)),
    ] {
        let mut command = Command::new("bash");
        command.arg(action().join("guard.sh")).current_dir(clone.path()).stdin(Stdio::null());
        command.env_clear().envs(clone.variables()).envs(event.variables(&[]));
        let folder = Path::new(ORCH).parent().unwrap().display();
        command.env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap()));
        match text {
            Some(text) => command.env(name, text),
            None => command.env_remove(name),
        };
        let said = Said::from(&command.output().unwrap());
        let faults = said.out.matches("::error title=orch could not look::").count();
        assert_eq!((said.code, faults), (2, 1), "{name}: {said:#?}");
        let told = [said.out.as_str(), &said.err].concat();
        assert!(told.contains(text.map_or(name, |text| text)), "{name}: {said:#?}");
    }
}
