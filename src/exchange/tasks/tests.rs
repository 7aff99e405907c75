//! Lists of tasks as people write them.

use proptest::prelude::*;

use super::*;

const BOARD: &str = "\
# Task Queue

| Agent | Status |
|---|---|
| backend-developer | idle |

### Phase 1: ML Integration Discovery (Parallel)

| Priority | Task ID | Description | Assigned To | Prerequisites | Status |
|:--|---|---|---|---|---|
| 🔴 HIGH | **DISC-001** | Map `src/` and [all](docs/x.md) ML \\| components | code-archaeologist | None | ready |
| P0 | DISC-002 | Analyse dependencies | project-analyst | - | |

#### Later
| status | prerequisites | task id | description | scope | week | deadline |
|---|---|---|---|---|---|---|
| pending | All above | DISC-003 | Find tests | `tests/**`, src/** | Week 5 | 2026-12-01 |

### Implementation

| Task ID | Description | Prerequisites | Priority | Phase |
|---|---|---|---|---|
| ORCH-001 | Create it | DISC-001..003 | medium | build |
| TEST-001 | Test it | All above | | |
";

fn task(id: &str) -> Listed {
    let listed = read(BOARD.as_bytes()).expect("a board");
    listed.into_iter().find(|task| task.task_id.as_str() == id).expect("it is listed")
}

fn ids(task: &Listed) -> Vec<&str> {
    task.depends_on.iter().map(TaskId::as_str).collect()
}

/// R002-28 to R002-31: the board of a controller, with all its tables.
#[test]
fn a_board_becomes_tasks() {
    let first = task("DISC-001");
    assert_eq!(first.title, "Map src/ and all ML | components");
    assert_eq!(first.priority, Some(Priority::High));
    assert_eq!(first.assigned_to.as_ref().map(AgentName::as_str), Some("code-archaeologist"));
    assert_eq!(first.phase.as_deref(), Some("phase-1-ml-integration-discovery"));
    assert_eq!((&first.status, first.line), (&Status::Open, 11));
    assert_eq!(task("DISC-002").priority, Some(Priority::Critical));

    let later = task("DISC-003");
    assert_eq!(later.phase, first.phase, "a heading below the phase's own ends nothing");
    assert_eq!(ids(&later), ["DISC-001", "DISC-002"]);
    assert_eq!(
        (later.scope.as_slice(), later.week),
        (&["tests/**".into(), "src/**".into()][..], Some(5))
    );
    assert_eq!(later.deadline.as_deref(), Some("2026-12-01"));

    let build = task("ORCH-001");
    assert_eq!(ids(&build), ["DISC-001", "DISC-002", "DISC-003"]);
    assert_eq!((build.phase.as_deref(), build.priority), (Some("build"), Some(Priority::Normal)));
    let test = task("TEST-001");
    assert_eq!((test.phase.as_deref(), test.priority), (None, None));
    assert_eq!(test.depends_on.len(), 4, "all above, in the whole document");
}

#[test]
fn yaml_and_json_say_the_same() {
    let yaml = "tasks:\n  - task_id: DISC-001\n    title: Map it\n    priority: P1\n  - id: ML-001\n    \
                description: Build it\n    prerequisites: All above\n    scope: [src/**]\n    week: 5\n";
    let json = r#"[{"task_id": "DISC-001", "title": "Map it", "priority": "High"},
        {"task_id": "ML-001", "title": "Build it", "depends_on": ["DISC-001"], "scope": "src/**", "week": 5}]"#;
    let strip = |text: &str| {
        let mut listed = read(text.as_bytes()).unwrap_or_else(|p| panic!("{p:?}"));
        listed.iter_mut().for_each(|task| task.line = 0);
        listed
    };
    assert_eq!(strip(yaml), strip(json));
    let lines: Vec<usize> = read(yaml.as_bytes()).expect("a list").iter().map(|t| t.line).collect();
    assert_eq!(lines, [2, 5]);
}

#[track_caller]
fn refused(text: &str, place: (usize, usize), says: &str) {
    let problems = read(text.as_bytes()).expect_err("refused");
    let at = Position::of(text, problems[0].span.start);
    assert_eq!((at.line, at.column), place, "{problems:?}");
    assert!(problems[0].message.contains(says), "{problems:?}");
    assert!(!problems[0].help.is_empty());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let table = |row: &str| format!("| Task ID | Description | Prerequisites |\n|-|-|-|\n{row}\n");
    refused(&table("| A-1 | x | |\n| a-1 | y | |"), (4, 3), "line 3 and in line 4");
    refused(&table("| 1 | x | |"), (3, 3), "an id");
    refused(&table("| A-1 | | |"), (3, 3), "no description");
    refused(&table("| A-1 | x | the data |"), (3, 13), "the data");
    refused("| Task ID | Mood |\n|-|-|\n", (1, 13), "Mood");
    refused("| Task ID | Status |\n|-|-|\n", (1, 3), "descriptions");
    refused("tasks:\n- {task_id: A-1, title: x}\n- {id: A-1, title: y}\n", (3, 8), "line 2");
    let status =
        |word: &str| format!("| Task ID | Description | Status |\n|-|-|-|\n| A-1 | x | {word} |\n");
    refused(&status("80% done"), (3, 13), "`80% done` is no status");
    refused(&status("Banana"), (3, 13), "Banana");
    refused("- {task_id: A-1, title: x, status: Not complete}\n", (1, 36), "Not complete");
    refused("tasks:\n- {task_id: A-1, titel: x}\n", (2, 18), "titel");
    refused("tasks:\n- {task_id: A-1, title: x, priority: soon}\n", (2, 38), "soon");
    refused("- {task_id: A-1, title: x, depends_on: [B 2]}\n", (1, 40), "B 2");
    refused("a: 1\n", (1, 1), "no list");
    refused("# Queue\n\n| Job | Status |\n|-|-|\n| a | b |\n", (3, 1), "no table");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_table_makes_it_panic(rows in "(\\| Task ID \\| Description \\| Prerequisites \\|\n\\|-\\|-\\|-\\|\n)?\
            ([|A-C0-9.,&and to\u{2026}\u{e9}#\n-]{0,12}\\|?){0,12}") {
        if let Err(problems) = read(rows.as_bytes()) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(rows.get(problem.span.start..problem.span.end).is_some());
            }
        }
    }
}
