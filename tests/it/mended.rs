//! What first users stumbled over, each as it happened to them.

use crate::support::Team;

/// A strategy consumes data that another task delivers; the open task can be told which.
#[test]
fn a_dependency_can_be_named_later() {
    let team = Team::new();
    let open = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "SMA"];
    let said = team.try_orch("orchestrator", &open);
    assert!(said.out.contains("requires validated_data"), "{said:#?}");
    team.commit("Open strat-001");
    let data = ["task", "open", "data-001", "--workflow", "data_refresh", "--title", "BTC"];
    team.orch("orchestrator", &data);
    team.orch("orchestrator", &["task", "update", "strat-001", "--depends-on", "data-001"]);
    let deps = team.try_orch("", &["task", "deps", "strat-001", "--format", "json"]).json();
    assert_eq!((&deps[0]["task_id"], &deps[0]["completed"]), (&"data-001".into(), &false.into()));
    let nothing = team.try_orch("orchestrator", &["task", "update", "strat-001"]);
    assert!(nothing.fault().contains("nothing is to be changed"), "{nothing:#?}");
}

/// A decision is a person's, and names what is staged to change.
#[test]
fn a_decision_is_made_by_a_person_over_a_staged_change() {
    let team = Team::new();
    let decide = [
        "decide",
        "--title",
        "Shorter",
        "--context",
        "c",
        "--decision",
        "d",
        "--changes",
        ".orch/policy.yaml",
    ];
    assert!(team.try_orch("orchestrator", &decide).denied().contains("founder"));
    assert!(team.try_orch("founder", &decide).fault().contains("git add"));
    team.repo.git(&["switch", "--quiet", "--create", "orch/shorter"]);
    let policy = team.read(".orch/policy.yaml").replace("max_age: 30d", "max_age: 14d");
    team.repo.write(".orch/policy.yaml", &policy);
    team.repo.git(&["add", "--all"]);
    team.orch("founder", &decide);
    team.commit("Audits hold for two weeks");
    team.guard(&["--base", "main"]).passed();
}

/// An index that another program holds leaves no half-written entry behind.
#[test]
fn nothing_is_left_behind_when_git_cannot_stage() {
    let team = Team::new();
    let lock = team.repo.path().join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    let open = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "SMA"];
    assert!(team.try_orch("orchestrator", &open).fault().contains("index.lock"));
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(team.repo.git(&["status", "--porcelain", ".orch"]), "");
    team.orch("orchestrator", &open);
}

/// Two ways on of one ledger that were rebased instead of merged.
#[test]
fn a_fork_is_mended_after_a_rebase_too() {
    let team = Team::new();
    team.orch(
        "orchestrator",
        &["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "SMA"],
    );
    team.commit("Open strat-001");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.commit("Start");
    team.repo.git(&["switch", "--quiet", "main"]);
    team.orch("orchestrator", &["task", "assign", "strat-001", "--to", "strategy_developer"]);
    team.commit("Assign");
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    team.repo.git(&["rebase", "--quiet", "main"]);
    assert_eq!(team.guard(&["--base", "main"]).code, 1);
    let told = team.try_orch("strategy_developer", &["task", "rebase", "strat-001"]);
    assert!(told.out.contains("git reset --soft main"), "{told:#?}");
    team.repo.git(&["reset", "--quiet", "--soft", "main"]);
    team.orch("strategy_developer", &["task", "rebase", "strat-001"]);
    team.commit("Start behind the assignment");
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
}

/// While files conflict, an agent can still ask what there is to do.
#[test]
fn the_board_can_be_read_during_a_conflict() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    for branch in ["orch/a", "orch/b"] {
        team.repo.git(&["switch", "--quiet", "--create", branch, "main"]);
        team.repo.write("README.md", branch);
        team.repo.git(&["add", "--all"]);
        team.commit("Say something");
    }
    assert!(!team.repo.try_git(&["merge", "orch/a"]).status.success());
    for command in ["status", "next"] {
        let said = team.try_orch("", &[command]);
        assert!(said.code == 0 && said.out.contains("strat-001"), "{said:#?}");
        assert!(said.err.contains("last committed"), "{said:#?}");
    }
}

/// What is suggested can be typed: also for work that will be audited and must name its context.
#[test]
fn the_next_step_is_a_command() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let next = team.json("strategy_developer", &["next"]);
    assert_eq!(next[0]["command"], "orch run start strat-001");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.write_strategy();
    team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    let early = team.try_orch("strategy_developer", &["run", "start", "strat-001"]);
    assert!(early.denied().contains("orch gate strat-001"), "{early:#?}");
}
