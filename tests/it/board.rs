//! The board and the metrics, as people and programs read them.

use crate::support::Team;

/// A team whose tasks stand in every section.
fn busy() -> Team {
    let team = Team::new();
    team.land_data();
    for id in ["strat-002", "strat-003", "strat-004"] {
        team.open(id, "new_strategy", &["--depends-on", "data-001", "--success-criterion", "Pays"]);
    }
    team.open("strat-005", "new_strategy", &["--depends-on", "strat-002"]);
    team.orch("orchestrator", &["task", "block", "strat-004", "--reason", "No vendor"]);
    team.commit("Open tasks");
    team.orch("strategy_developer", &["run", "start", "strat-002"]);
    team
}

/// Gives the ids of one section.
fn ids<'j>(json: &'j serde_json::Value, section: &str) -> Vec<&'j str> {
    let rows = json["board"][section].as_array().unwrap();
    rows.iter().map(|row| row["task_id"].as_str().unwrap()).collect()
}

/// R002-19, R002-20: each task stands in one section, with what it waits for and who is next; what JSON
/// said before it says still.
#[test]
fn each_task_stands_where_it_needs_something() {
    let team = busy();
    let json = team.json("", &["status"]);
    assert_eq!(ids(&json, "active"), ["strat-002"]);
    assert_eq!(ids(&json, "ready"), ["strat-003"]);
    assert_eq!(ids(&json, "waiting"), ["strat-005"]);
    assert_eq!(ids(&json, "blocked"), ["strat-004"]);
    assert_eq!(ids(&json, "done"), ["data-001"]);
    let counts =
        serde_json::json!({"active": 1, "ready": 1, "waiting": 1, "blocked": 1, "done": 1});
    assert_eq!(json["board"]["counts"], counts);
    let active = &json["board"]["active"][0];
    assert_eq!(
        (&active["agent"], &active["next"]),
        (&"strategy_developer".into(), &"quant_engineer".into())
    );
    assert_eq!(active["success_criteria"][0], "Pays");
    assert_eq!(json["board"]["done"][0]["outcome"], "completed");
    for field in ["task_id", "stands", "who", "stage", "last_at", "stalled", "frozen", "closed"] {
        assert!(json["tasks"][0].get(field).is_some(), "{field}: {json:#}");
    }
    assert_eq!(json["tasks"].as_array().unwrap().len(), 4);
    let board = team.orch("", &["status"]);
    for text in ["1 active, 1 ready, 1 waiting, 1 blocked, 1 done", "blocked: No vendor", "ACTIVE"]
    {
        assert!(board.contains(text), "{text}: {board}");
    }
    assert!(board.contains("orchestrator lifts it: orch task unblock strat-004"), "{board}");
}

/// What goes on on another branch stands there on the board, too.
#[test]
fn what_goes_on_elsewhere_is_on_the_board() {
    let team = busy();
    team.commit("Begin the strategy");
    team.repo.git(&["switch", "--quiet", "main"]);
    let json = team.json("", &["status"]);
    assert_eq!(ids(&json, "active"), ["strat-002"]);
    assert_eq!(json["board"]["active"][0]["place"], "branch `feature/strat-002-strategy`");
    // A file that is committed says what its own branch knows.
    team.orch("", &["status", "--write", "BOARD.md"]);
    assert!(team.read("BOARD.md").contains("active 0, ready 2"), "{}", team.read("BOARD.md"));
}

/// R002-21, R002-25, R002-27: the board is written into its own part of a file, with moments and no
/// ages, and only when something changed.
#[test]
fn the_board_is_written_and_never_by_hand() {
    let team = busy();
    team.repo.write("CLAUDE.md", "# Ours\r\n\r\nBe kind.");
    let would = team.orch("", &["status", "--write", "CLAUDE.md", "--dry-run"]);
    assert!(would.starts_with("would write CLAUDE.md\nactive 1, "), "{would}");
    assert_eq!(team.read("CLAUDE.md"), "# Ours\r\n\r\nBe kind.");
    let said = team.orch("", &["status", "--write", "CLAUDE.md"]);
    assert!(said.contains("wrote CLAUDE.md\nnext: git add CLAUDE.md"), "{said}");
    let once = team.read("CLAUDE.md");
    assert!(once.starts_with("# Ours\r\n\r\nBe kind.\r\n\r\n<!-- orch status: begin -->\r\n"));
    assert_eq!(once.matches('\n').count(), once.matches("\r\n").count());
    let row = "| strat-002 | Moving average; done when: Pays | strategy | strategy_developer |";
    for text in [row, "| blocked: No vendor | orchestrator |", "### Done"] {
        assert!(once.contains(text), "{text}: {once}");
    }
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let again = team.orch("", &["status", "--write", "CLAUDE.md"]);
    assert!(again.contains("shows the board as it is"), "{again}");
    assert_eq!(team.read("CLAUDE.md"), once);
    team.orch("orchestrator", &["task", "unblock", "strat-004", "--reason", "Found one"]);
    team.orch("", &["status", "--write", "CLAUDE.md"]);
    let later = team.read("CLAUDE.md");
    assert!(later.starts_with("# Ours\r\n") && !later.contains("No vendor"), "{later}");
    assert_eq!(later.matches("orch status: begin").count(), 1);
    // Any clone writes the same.
    team.orch("", &["status", "--write", "docs/board.md"]);
    let part = |text: &str| text.replace("\r\n", "\n").split("<!-- ").nth(1).unwrap().to_owned();
    assert_eq!(part(&team.read("docs/board.md")), part(&later));
}

/// What is unclear, and what is no place for a board, is refused and left as it is.
#[test]
fn a_board_has_a_place_of_its_own() {
    let team = busy();
    team.repo.write("README.md", "<!-- orch status: begin -->\n");
    let said = team.try_orch("", &["status", "--write", "README.md"]);
    assert!(said.denied().contains("README.md") && said.err.contains("is missing"), "{said:#?}");
    assert_eq!(team.read("README.md"), "<!-- orch status: begin -->\n");
    team.try_orch("", &["status", "--write", ".orch/board.md"]).denied();
    team.try_orch("", &["status", "--write", "strategies/.."]).fault();
    assert_eq!(team.try_orch("", &["status", "strat-002", "--write", "x"]).code, 2);
    let path = team.repo.path();
    std::os::unix::fs::symlink("real.md", path.join("link.md")).unwrap();
    team.repo.write("real.md", "");
    team.orch("", &["status", "--write", "link.md"]);
    assert!(path.join("link.md").is_symlink() && team.read("real.md").contains("### Active"));
}

/// R002-22: the metrics are told with what they are computed from, so that a reader can do it again.
#[test]
fn metrics_can_be_computed_again() {
    let team = busy();
    let json = team.json("", &["metrics"]);
    let inputs = &json["inputs"];
    let counted = [("tasks", 5), ("completed", 1), ("closed", 1), ("blocked", 1), ("runs", 1)];
    for (name, count) in counted {
        assert_eq!(inputs[name], count, "{name}: {json:#}");
    }
    assert_eq!((&inputs["handoffs_judged"], &inputs["handoffs_accepted"]), (&1.into(), &1.into()));
    assert_eq!(json["task_completion_rate"], 0.2);
    assert_eq!(json["blocked_task_ratio"], 0.2);
    assert_eq!(json["handoff_success_rate"], 1.0);
    let human = team.orch("", &["metrics"]);
    assert!(human.contains("0.20  1 of 5 tasks"), "{human}");
    team.open("data-002", "data_refresh", &["--phase", "2"]);
    let phase = team.json("", &["metrics", "--phase", "2"]);
    assert_eq!((&phase["phase"], &phase["inputs"]["tasks"]), (&"2".into(), &1.into()));
    assert!(phase["average_task_duration"].is_null());
}

/// R000-22, R002-27: a task that waits for others is never called ready, and says for whom it waits, on
/// the board, in lists, and to its agent.
#[test]
fn a_task_that_waits_says_for_which() {
    let team = Team::new();
    team.open("data-001", "data_refresh", &[]);
    team.open("data-002", "data_refresh", &[]);
    team.open(
        "strat-001",
        "new_strategy",
        &["--depends-on", "data-001", "--depends-on", "data-002"],
    );
    team.open("strat-002", "new_strategy", &["--depends-on", "strat-001"]);
    team.commit("Open tasks");
    let json = team.json("", &["status"]);
    let waiting = &json["board"]["waiting"];
    assert_eq!(waiting[0]["waits_for"], "waits for data-001, data-002");
    assert_eq!(waiting[1]["waits_for"], "waits for strat-001");
    assert_eq!(
        (&waiting[0]["next"], &waiting[1]["next"]),
        (&"data_engineer".into(), &"data_engineer".into())
    );
    let listed = team.orch("", &["task", "list"]);
    let line = |id: &str| listed.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
    assert!(line("strat-001").contains("waits for data-001, data-002"), "{listed}");
    assert!(
        line("strat-002").contains("waits for strat-001") && !line("strat-002").contains("ready")
    );
    let next = team.orch("strategy_developer", &["next"]);
    assert!(next.contains("strat-001  waits for data-001, data-002\n"), "{next}");
    assert!(next.contains("strat-002  waits for strat-001\n"), "{next}");
    team.orch("", &["status", "--write", "docs/board.md"]);
    for text in [next, team.orch("", &["status"]), team.read("docs/board.md")] {
        assert!(text.contains("waits for strat-001") && !text.contains("ready for its"), "{text}");
    }
    let refused = team.try_orch("strategy_developer", &["run", "start", "strat-002"]);
    assert!(
        refused.err.contains("which `strat-002` depends on, waits for `data-001`"),
        "{refused:#?}"
    );
}

/// R002-19: the board says how many of the tasks that ended it leaves out, and what lists them.
#[test]
fn done_tasks_that_are_not_shown_are_counted() {
    let team = Team::new();
    for number in 1..=7 {
        let id = format!("data-{number:03}");
        team.open(&id, "data_refresh", &[]);
        let close = ["task", "close", &*id, "--outcome", "abandoned", "--reason", "No use"];
        team.orch("orchestrator", &close);
    }
    team.commit("Open and close tasks");
    let json = team.json("", &["status"]);
    assert_eq!((ids(&json, "done").len(), &json["board"]["done_not_shown"]), (5, &2.into()));
    assert_eq!(json["board"]["counts"]["done"], 7);
    team.orch("", &["status", "--write", "docs/board.md"]);
    for text in [team.orch("", &["status"]), team.read("docs/board.md")] {
        assert!(text.contains("and 2 more: `orch task list --all`"), "{text}");
    }
    assert!(!busy().orch("", &["status"]).contains("orch task list --all"));
}

/// A board is written with the file's own mode, not through a link out of the repository, and over nothing
/// that a handoff has sealed.
#[test]
fn a_board_does_no_harm_to_the_file_it_goes_to() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let team = Team::new();
    team.land_data();
    let path = team.repo.path();
    team.repo.write("x.sh", "#!/bin/sh\n");
    let mode = |mode| std::fs::set_permissions(path.join("x.sh"), PermissionsExt::from_mode(mode));
    mode(0o755).unwrap();
    team.orch("", &["status", "--write", "x.sh"]);
    assert_eq!(std::fs::metadata(path.join("x.sh")).unwrap().permissions().mode() & 0o777, 0o755);
    let outside = team.repo.beside("outside");
    std::fs::create_dir_all(outside.path()).unwrap();
    std::fs::write(outside.path().join("theirs.md"), "theirs").unwrap();
    symlink(outside.path(), path.join("folder")).unwrap();
    symlink(outside.path().join("theirs.md"), path.join("file.md")).unwrap();
    symlink("nowhere.md", path.join("dangling.md")).unwrap();
    symlink(".orch", path.join("records")).unwrap();
    for file in ["folder/theirs.md", "folder/new.md", "file.md", "dangling.md", "records/x.md"] {
        let said = team.try_orch("", &["status", "--write", file]);
        assert!(said.denied().contains(file), "{said:#?}");
    }
    assert_eq!(std::fs::read_to_string(outside.path().join("theirs.md")).unwrap(), "theirs");
    assert!(!outside.path().join("new.md").exists());
    let sealed = team.repo.git(&["ls-files", "data"]);
    let sealed = sealed.lines().next().unwrap();
    let before = team.read(sealed);
    let said = team.try_orch("", &["status", "--write", sealed]);
    assert!(said.denied().contains("is sealed by a handoff of `data-001`"), "{said:#?}");
    assert_eq!(team.read(sealed), before);
}

/// R002-25: the written board names the files that a task handed over, with their lines, and what is known
/// to be wrong with them.
#[test]
fn what_was_handed_over_is_on_the_written_board() {
    let team = Team::new();
    team.open("data-001", "data_refresh", &[]);
    team.commit("Open a task");
    team.orch("data_engineer", &["run", "start", "data-001"]);
    team.repo.write("data/manifests/a.json", "{}\n");
    let said = ["--created", "data/manifests/a.json:1", "--known-issue", "Two | gaps"];
    team.orch("data_engineer", &[&["handoff", "create", "data-001"], &said[..]].concat());
    team.orch("", &["status", "--write", "docs/board.md"]);
    let row = "| data-001 | data_engineer | data/manifests/a.json:1 | Two &#124; gaps |";
    assert!(team.read("docs/board.md").contains(row), "{}", team.read("docs/board.md"));
    let json = team.json("", &["status"]);
    assert_eq!(json["board"]["waiting"][0]["handed"]["known_issues"][0], "Two | gaps");
}
