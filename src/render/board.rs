//! The board as Markdown, for a file that people and agents read (R002-21, R002-25, R002-27).
//!
//! It says what the ledgers say and nothing that a clock would change: moments, and no ages.

use super::markdown::plain;
use crate::report::{Board, Row, spelled};

/// How many files of a handoff are named.
const FILES: usize = 8;

/// Gives the board as Markdown that ends with a newline: how many tasks stand where, and a table for
/// each section that has any.
pub fn board(board: &Board) -> String {
    let counts = board.counts;
    let mut text = format!(
        "active {}, ready {}, waiting {}, blocked {}, done {}\n",
        counts.active, counts.ready, counts.waiting, counts.blocked, counts.done
    );
    let sections: [(&str, &[Row], &[&str], Cells); 5] = [
        ("Active", &board.active, &["agent", "started", "where", "then"], active),
        ("Ready", &board.ready, &["agent", "since"], ready),
        ("Waiting", &board.waiting, &["since", "waits for", "next"], waiting),
        ("Blocked", &board.blocked, &["since", "why", "lifted by"], waiting),
        ("Done", &board.done, &["closed", "outcome", "duration"], done),
    ];
    for (name, rows, columns, cells) in sections {
        if rows.is_empty() {
            continue;
        }
        text.push_str(&format!("\n### {name}\n\n"));
        let headings = [&["task", "what", "stage"], columns].concat();
        text.push_str(&format!("| {} |\n", headings.join(" | ")));
        text.push_str(&format!("|{}\n", "---|".repeat(headings.len())));
        for row in rows {
            let cells = [first(row), cells(row)].concat();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    text.push_str(&handed_over(board));
    if board.done_not_shown > 0 {
        text.push_str(&format!("\n{}\n", more_done(board.done_not_shown)));
    }
    text
}

/// Gives what the last handoffs say: files with their lines, and known issues (R002-25).
fn handed_over(board: &Board) -> String {
    let Board { active, ready, waiting, blocked, done, .. } = board;
    let rows = [active, ready, waiting, blocked, done].into_iter().flatten();
    let told = rows.filter_map(|row| Some((row, row.handed.as_ref()?))).map(|(row, handed)| {
        let mut files: Vec<String> =
            handed.files.iter().take(FILES).map(|file| plain(file)).collect();
        if handed.files.len() > FILES {
            files.push(format!("and {} more", handed.files.len() - FILES));
        }
        let issues: Vec<String> = handed.known_issues.iter().map(|issue| plain(issue)).collect();
        let (task, from) = (plain(row.task_id.as_str()), plain(handed.from.as_str()));
        format!("| {task} | {from} | {} | {} |\n", files.join(", "), issues.join("; "))
    });
    let told: String = told.collect();
    if told.is_empty() {
        return told;
    }
    format!(
        "\n### Handed over\n\n| task | from | files | known issues |\n|---|---|---|---|\n{told}"
    )
}

/// Tells that more tasks ended than are shown, and what lists them.
pub fn more_done(count: usize) -> String {
    format!("and {count} more: `orch task list --all`")
}

/// Gives what a section says of a task.
type Cells = fn(&Row) -> Vec<String>;

/// Gives what every section says: the task, what it is about and when it is done, and its stage.
fn first(row: &Row) -> Vec<String> {
    let criteria = row.success_criteria.iter().map(|text| plain(text)).collect::<Vec<_>>();
    let criteria = match criteria.as_slice() {
        [] => String::new(),
        all => format!("; done when: {}", all.join("; ")),
    };
    let stage = row.stage.as_ref().map(|stage| plain(stage.as_str()));
    let what = format!("{}{criteria}", plain(&row.title));
    vec![plain(row.task_id.as_str()), what, stage.unwrap_or_default()]
}

fn active(row: &Row) -> Vec<String> {
    let place = row.place.as_deref().map(plain).unwrap_or_default();
    vec![agent(row.agent.as_ref()), row.since.to_string(), place, agent(row.next.as_ref())]
}

fn ready(row: &Row) -> Vec<String> {
    vec![agent(row.agent.as_ref()), row.since.to_string()]
}

fn waiting(row: &Row) -> Vec<String> {
    let why = row.waits_for.as_deref().map(plain).unwrap_or_default();
    vec![row.since.to_string(), why, agent(row.next.as_ref())]
}

fn done(row: &Row) -> Vec<String> {
    let outcome = row.outcome.map(|outcome| plain(&spelled(&outcome)));
    let duration = row.duration_seconds.map(duration);
    vec![row.since.to_string(), outcome.unwrap_or_default(), duration.unwrap_or_default()]
}

fn agent(name: Option<&crate::source::AgentName>) -> String {
    name.map(|name| plain(name.as_str())).unwrap_or_default()
}

/// Gives how long something took, in its two largest units.
pub fn duration(seconds: i64) -> String {
    let minutes = seconds / 60;
    let (days, hours) = (minutes / 1440, minutes / 60 % 24);
    match (days, hours, minutes % 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::world;

    /// R002-27: who does what, since when, and when it is done; what a title says can't end the table.
    #[test]
    fn each_section_is_a_table() {
        let world = world(
            "
- data: {}
- task: {success_criteria: [Beats the market]}
- on: feature/strat-001-strategy
- run: {}
- task: {task_id: data-002, workflow: data_refresh, title: \"a | b\\n<!-- orch status: end -->\"}
- block: {task: data-002, reason: No vendor}
",
        );
        insta::assert_snapshot!(board(&Board::of(&world, &BTreeMap::new())), @r"
        active 1, ready 0, waiting 0, blocked 1, done 1

        ### Active

        | task | what | stage | agent | started | where | then |
        |---|---|---|---|---|---|---|
        | strat-001 | A strategy; done when: Beats the market | strategy | strategy_developer | 2026-11-21T10:07:00Z | branch `feature/strat-001-strategy` | quant_engineer |

        ### Blocked

        | task | what | stage | since | why | lifted by |
        |---|---|---|---|---|---|
        | data-002 | a &#124; b&#92;n&lt;!-- orch status: end --&gt; | validate | 2026-11-21T10:09:00Z | blocked: No vendor | orchestrator |

        ### Done

        | task | what | stage | closed | outcome | duration |
        |---|---|---|---|---|---|
        | data-001 | A strategy |  | 2026-11-21T10:05:00Z | completed | 4 min |

        ### Handed over

        | task | from | files | known issues |
        |---|---|---|---|
        | data-001 | data_engineer | data/manifests/btc.json |  |
        ");
    }

    #[test]
    fn durations_are_short() {
        let told = [59, 60, 3600, 3660, 86_400, 90_000, 5_400_000].map(duration);
        assert_eq!(told, ["59 s", "1 min", "1 h", "1 h 1 min", "1 d", "1 d 1 h", "62 d 12 h"]);
    }
}
