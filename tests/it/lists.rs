//! Lists of tasks: what their status says, and what happens when one is read again.

use crate::support::Team;

const HEADER: &str = "| Priority | Task ID | Description | Assigned To | Prerequisites | Status | Workflow |\n\
                      |---|---|---|---|---|---|---|\n";

/// Opens the tasks of a table with these rows.
fn open(team: &Team, rows: &[&str]) -> crate::support::Said {
    let rows: String = rows.iter().map(|row| format!("| {row} | data_refresh |\n")).collect();
    team.repo.write("../list.md", format!("{HEADER}{rows}"));
    team.try_orch("orchestrator", &["task", "open", "--from", "../list.md"])
}

/// Gives what a task waits for, as its ledger says.
fn waits_for(team: &Team, id: &str) -> String {
    let graph = team.json("", &["task", "deps", id]);
    graph["depends_on"].to_string()
}

/// R002-28: a status that is not known is refused with its place, and nothing is opened.
#[test]
fn an_unknown_status_is_refused() {
    let team = Team::new();
    let before = team.state();
    for status in ["80% done", "Not complete", "Undone", "Banana", "Done?"] {
        let said = open(
            &team,
            &[
                &format!("HIGH | data-001 | Map a | | None | {status}"),
                "HIGH | data-002 | Map b | | data-001 | Ready",
            ],
        );
        assert!(said.fault().contains("list.md:3:"), "{said:#?}");
        assert!(
            said.err.contains("is no status") && said.err.contains("incomplete or partial"),
            "{said:#?}"
        );
    }
    assert_eq!(team.state(), before);
}

/// A reason behind `blocked` becomes the block's own.
#[test]
fn a_blocked_row_says_why() {
    let team = Team::new();
    let said = open(&team, &["HIGH | data-001 | Map a | | None | 🚫 Blocked: no vendor"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(team.orch("", &["status", "data-001"]).contains("blocked it: no vendor"));
}

/// R002-23: the ledger says what is done, whatever a list calls it.
#[test]
fn the_ledger_wins_over_a_list() {
    let team = Team::new();
    team.open("data-001", "data_refresh", &[]);
    let rows = [
        "HIGH | data-001 | Map a | | None | Complete",
        "HIGH | data-002 | Map b | | data-001, data-003 | Ready",
        "HIGH | data-003 | Map c | | None | Complete",
    ];
    let said = open(&team, &rows);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("1 task opened, 2 done, says the list"), "{said:#?}");
    assert!(
        said.out.contains("note: the list calls data-001 done, the ledger does not"),
        "{said:#?}"
    );
    let waits = waits_for(&team, "data-002");
    assert!(waits.contains("data-001") && !waits.contains("data-003"), "{waits}");
}

/// R002-28, R001-18: a list is read again and again: what is new is opened, what is the same is left alone,
/// and what differs is told with the command that changes it.
#[test]
fn a_list_can_be_read_again() {
    let team = Team::new();
    let first = [
        "HIGH | data-001 | Map a | | None | Ready",
        "HIGH | data-002 | Map b | | data-001 | Ready",
    ];
    assert_eq!(open(&team, &first).code, 0);
    let before = team.state();
    let same = open(&team, &first);
    assert!(same.out.contains("0 tasks opened, 2 open already"), "{same:#?}");
    assert!(!same.out.contains("note:"), "{same:#?}");
    assert_eq!(team.state(), before);

    let said = open(
        &team,
        &[
            "HIGH | data-001 | Map a | | None | Complete",
            "LOW | data-002 | Map all of b | strategy_developer | None | Blocked (no key)",
            "HIGH | data-003 | Map c | | All above | Ready",
        ],
    );
    assert_eq!(said.code, 0, "{said:#?}");
    for note in [
        "1 task opened, 1 open already, 1 done, says the list",
        "note: the list calls data-001 done, the ledger does not",
        "note: data-002 differs: title (list Map all of b, ledger Map b), priority (list low, ledger \
         high), prerequisites (list none, ledger data-001); change it with: orch task update \
         data-002 --title 'Map all of b' --priority low --independent",
        "change it with: orch task assign data-002 --to strategy_developer",
        "change it with: orch task block data-002 --reason 'no key'",
    ] {
        assert!(said.out.contains(note), "{note}: {said:#?}");
    }
    assert!(waits_for(&team, "data-003").contains("data-001"));

    let update = ["task", "update", "data-002", "--title", "Map all of b", "--priority", "low"];
    team.orch("orchestrator", &[&update[..], &["--independent"]].concat());
    let again = open(&team, &["LOW | data-002 | Map all of b | | None | Ready"]);
    assert!(!again.out.contains("note:"), "updates count: {again:#?}");
}

/// The id that is proposed is one that there is, as it was opened.
#[test]
fn the_nearest_id_is_a_real_one() {
    let team = Team::new();
    let open = ["task", "open", "DATA-001", "--workflow", "data_refresh", "--title", "x"];
    team.orch("orchestrator", &open);
    let near = || {
        for wrong in ["data-001", "DATA-01", "data-01"] {
            let said = team.try_orch("", &["task", "deps", wrong]);
            assert!(said.fault().contains("did you mean `DATA-001`?"), "{said:#?}");
        }
    };
    near();
    team.commit("Open it");
    near();
}

/// R002-32: a scope is made of globs that can match a file, whichever command gives it; and what a task
/// waits for is recorded once.
#[test]
fn a_scope_is_made_of_globs() {
    let team = Team::new();
    let open = ["task", "open", "data-001", "--workflow", "data_refresh", "--title", "x"];
    for scope in ["docs/../x", "/etc/**", "src/"] {
        let said = team.try_orch("orchestrator", &[&open[..], &["--scope", scope]].concat());
        assert!(said.checks().contains(&"record-invalid"), "{said:#?}");
        assert!(said.err.contains("is no glob of files"), "{said:#?}");
    }
    let twice = ["--depends-on", "data-002", "--depends-on", "data-002"];
    let second = ["task", "open", "data-002", "--workflow", "data_refresh", "--title", "y"];
    team.orch("orchestrator", &second);
    team.orch("orchestrator", &[&open[..], &twice].concat());
    assert_eq!(waits_for(&team, "data-001").matches("data-002").count(), 1);
    let update = ["task", "update", "data-001", "--scope", "docs/../x"];
    let said = team.try_orch("orchestrator", &update);
    assert!(said.err.contains("is no glob of files"), "{said:#?}");
}

/// A task that the policy selects a workflow for needs no other word, from the command line or from a list.
#[test]
fn the_selection_gives_the_workflow() {
    let team = Team::over(crate::support::TestRepo::new());
    team.orch("owner", &["init", "--template", "trader"]);
    team.commit("Begin with orch");
    let said = team.orch("orchestrator", &["task", "open", "DISC-001", "--title", "Map it"]);
    assert!(said.contains("next: orch run start DISC-001"), "{said}");
    let said = team.try_orch("orchestrator", &["task", "open", "zz-1", "--title", "Sing"]);
    assert!(said.fault().contains("selects no workflow for `zz-1`"), "{said:#?}");
}
